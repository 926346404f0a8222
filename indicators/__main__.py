"""python -m indicators: list them · python -m indicators KEY --input obs.csv [--city demo]: results as CSV."""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import pandas as pd

from core import observations
from core.config import load_city
from core.errors import HouseError, InputError
from core.window import Window
from indicators import catalogue, discover

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")  # of a bare file; with --city the city's own
CITY_SITE = "city"


class _Arguments(argparse.ArgumentParser):
    """argparse that speaks like the house: one line, no usage block."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"arguments: {message}; try python -m indicators --help")


def read_input(name: str) -> pd.DataFrame:
    """Observations from a CSV file. Raises InputError that names the file."""
    try:
        with Path(name).open(encoding="utf-8-sig") as stream:
            return observations.from_csv(stream, Path(name).name)
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror}); give a CSV file of observations") from error


def window_of(rows: pd.DataFrame, period: timedelta, city: str | None) -> Window:
    """A window over the whole span of the rows, up to the end of the period in which the last one lies."""
    first = rows["time"].min().to_pydatetime() - timedelta(microseconds=1)
    last = rows["time"].max().to_pydatetime() + period - timedelta(microseconds=1)
    if city is not None:
        known = load_city(city)
        return Window(
            observations=rows, sites=known.sites, since=first, until=last, city_site=known.city_site, zone=known.zone,
            source_period_min={one.key: one.every / timedelta(minutes=1) for one in known.sources if one.enabled},
        )  # fmt: skip
    sites = pd.DataFrame(index=pd.Index([CITY_SITE, *sorted(set(rows["site_id"]) - {CITY_SITE})], name="site_id"))
    sites = sites.assign(kind="", area="", latitude=float("nan"), longitude=float("nan"))
    sites.loc[CITY_SITE, "kind"] = "city"
    return Window(observations=rows, sites=sites, since=first, until=last, city_site=CITY_SITE, zone=ZONE)


def run(arguments: list[str]) -> None:
    """List the indicators, or compute one. Raises HouseError."""
    parser = _Arguments(prog="python -m indicators", description=__doc__)
    parser.add_argument("key", nargs="?", help="indicator to compute; without it all are listed")
    parser.add_argument("--input", help="CSV of observations: time,site_id,observed_property,value[,quality,source]")
    parser.add_argument("--city", help="take sites and their attributes from config/<city>/")
    options = parser.parse_args(arguments)
    if options.key is None:
        if options.input or options.city:
            raise InputError("arguments: name the indicator, e.g. python -m indicators vn_aqi --input obs.csv")
        known = catalogue().indicators()
        listed = [(item.code, item.key, item.unit, item.name_en, " ".join(item.needs)) for item in known]
        pd.DataFrame(listed, columns=["code", "key", "unit", "name_en", "needs"]).to_csv(sys.stdout, index=False)
        return
    if options.key not in discover():
        raise InputError(f"{options.key}: there is no such indicator; known: {', '.join(discover())}")
    if options.input is None:
        raise InputError(f"{options.key}: give the observations with --input obs.csv")
    rows = read_input(options.input)
    module = discover()[options.key]
    computed = observations.empty()
    if not rows.empty:
        computed = module.compute(window_of(rows, module.INDICATOR.period, options.city))
    observations.to_csv(computed, sys.stdout)
    if computed.empty:
        record = module.INDICATOR
        print(f"{record.key}: no result; it needs {', '.join(record.needs)}: {record.formula}", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0, or 2 with one line on stderr."""
    try:
        run(sys.argv[1:] if arguments is None else arguments)
    except HouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
