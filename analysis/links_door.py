"""The command line of the links: a CSV of the one frame in, JSON out; or the table of the selftest."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analysis import links_selftest
from analysis.links import FDR, SEED, Found, Link, find
from analysis.links_series import DAY, HOUR, Track, level, step_of
from core import observations
from core.calendar import VIETNAM
from core.catalogue import ObservedProperty, load_properties
from core.errors import InputError

MOST_RUNS = 5000
MOST_TRACKS = 200


def selftest(runs: int, seed: int) -> int:
    """Print the table. 1 when a promise lies outside of what the runs allow for."""
    if not 10 <= runs <= MOST_RUNS:
        raise InputError(f"arguments: --runs must lie between 10 and {MOST_RUNS}, not {runs}")
    print(f"seed {seed}, planted correlation {links_selftest.PLANTED:g}, lag 1 to 12", file=sys.stderr)
    print(links_selftest.line(links_selftest.HEAD), flush=True)
    broken = False
    for row in links_selftest.rows(runs, seed):
        print(links_selftest.line(links_selftest.printed(row)), flush=True)
        broken |= row.broken()
    return int(broken)


def from_file(name: str, *, each_site: bool, seed: int = SEED, zone: ZoneInfo = VIETNAM) -> int:
    """Compare the properties of a file (each over all its sites, or site by site). Raises InputError."""
    try:
        with Path(name).open(encoding="utf-8-sig") as stream:
            rows = observations.from_csv(stream, Path(name).name)
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror}); give a CSV file of observations") from error
    tracks = tracks_of(rows, each_site=each_site, zone=zone)
    if len(tracks) > MOST_TRACKS:
        raise InputError(f"{name}: {len(tracks)} series are too many at once: at most {MOST_TRACKS}")
    json.dump(as_json(find(tracks, zone=zone, seed=seed)), sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")
    return 0


def tracks_of(rows: pd.DataFrame, *, each_site: bool, zone: ZoneInfo) -> list[Track]:
    """Tracks of a bare file. The domain is that of the catalogue; a property that it does not hold stands for itself,
    and where its values come less often than once in 90 minutes (median), it is looked at by the day.
    """
    known: dict[str, ObservedProperty] = {item.key: item for item in load_properties()}
    found: list[Track] = []
    for key, part in rows.groupby("observed_property", sort=True):
        item = known.get(str(key))
        for site, own in part.groupby("site_id", sort=True) if each_site else (("", part),):
            step = step_of(item.period if item else _rhythm(own))
            counted = item is not None and item.aggregation == "sum" and item.period >= HOUR
            values = level(
                own, step=step, zone=zone, how="sum" if counted else "mean", within="sum" if counted else "mean"
            )
            if values.empty:
                continue
            found.append(
                Track(
                    key=f"{key}@{site}" if each_site else str(key),
                    group=item.domain if item else str(key),
                    origins=frozenset((str(key),)),
                    step=step,
                    values=values,
                )
            )
    return found


def _rhythm(rows: pd.DataFrame) -> timedelta:
    gaps = rows.sort_values("time").groupby("site_id")["time"].diff().dropna()
    return HOUR if gaps.empty or gaps.dt.total_seconds().median() <= 5400 else DAY


def as_json(found: Found) -> dict[str, Any]:
    """Counts and every pair tried, the surest first."""
    return {
        "pairs_tried": found.tried,
        "false_discovery_rate": FDR,
        "standing": len(found.standing),
        "left_out_one_origin": found.related,
        "left_out_short": found.short,
        "too_few_values": list(found.thin),
        "links": [_link(one) for one in found.links],
    }


def _link(one: Link) -> dict[str, Any]:
    return {
        "first": one.first,
        "then": one.then,
        "step": "hour" if one.step == HOUR else "day",
        "lag": one.lag,
        "lag_95": [one.lag_low, one.lag_high],
        "strength": round(one.strength, 4),
        "strength_95": [round(one.low, 4), round(one.high, 4)],
        "p": round(one.p, 6),
        "q": round(one.q, 6),
        "halves": [{"lag": lag, "strength": round(strength, 4)} for lag, strength in one.halves],
        "stable": one.stable,
        "stands": one.stands,
        "n": one.n,
        "n_effective": one.n_effective,
        "since": one.since.isoformat(),
        "until": one.until.isoformat(),
        "last_seen": None if one.last_seen is None else one.last_seen.isoformat(),
    }
