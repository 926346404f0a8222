"""The door of forecasts on the command line: observations in, forecasts with their records out; and the selftest."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from analysis import forecast, forecast_selftest
from analysis.forecast_models import DAILY, HOURLY
from core.errors import InputError
from core.observations import USABLE, from_csv

MOST_RUNS = 5000
LEAST_RUNS = 20
MOST_PROCESSES = 4


def selftest(runs: int, seed: int) -> int:
    """Print the table of promises; 1 when one is broken. Raises InputError."""
    if not LEAST_RUNS <= runs <= MOST_RUNS:
        raise InputError(f"arguments: --runs must lie between {LEAST_RUNS} and {MOST_RUNS}, not {runs}")
    print(f"seed {seed}", file=sys.stderr)
    print(forecast_selftest.line(forecast_selftest.HEAD), flush=True)
    broken = False
    for row in forecast_selftest.rows(runs, seed, min(os.cpu_count() or 1, MOST_PROCESSES)):
        print(forecast_selftest.line(forecast_selftest.printed(row)), flush=True)
        broken |= not row.kept
    return int(broken)


def from_file(path: str, *, daily: bool, zone: str) -> int:
    """One forecast per series of a CSV of the one frame, as JSON on stdout. Raises InputError."""
    try:
        city = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(f"arguments: --zone {zone!r} is no time zone, for example Asia/Ho_Chi_Minh") from error
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            rows = from_csv(stream, Path(path).name)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a CSV file of observations") from error
    rows = rows[rows["quality"].isin(USABLE)]
    if rows.empty:
        raise InputError(f"{path}: holds no usable value")
    found = []
    for (key, site_id), series in rows.groupby(["observed_property", "site_id"]):
        until = series["time"].max().to_pydatetime()
        made = forecast.history(series, DAILY if daily else HOURLY, city, until=until)
        found.append(
            {"observed_property": key, "site_id": site_id, **_plain(asdict(forecast.forecast(made, now=until)))}
        )
    json.dump(found, sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")
    return 0


def _plain(value: Any) -> Any:
    """The same for JSON: moments as ISO 8601, what is no number as null."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
