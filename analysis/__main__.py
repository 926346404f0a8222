"""python -m analysis pilots --input panel.csv | --selftest | --lock PLAN.toml; priorities --input projects.toml."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from analysis import forecast_door, forecast_selftest, links_door, links_selftest, pilots, pilots_selftest
from analysis import priorities as order
from analysis.pilots_panel import read_panel
from core.errors import HouseError, InputError
from core.pilots import lock_text
from core.projects import DRAWS, read_projects

MOST_PANELS = 20_000
MOST_DRAWS = 100_000


class _Arguments(argparse.ArgumentParser):
    """argparse that speaks like the house: one line, no usage block."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"arguments: {message}; try python -m analysis --help")


def run(arguments: list[str]) -> int:
    """One question to one analysis. Raises HouseError; 1 when a selftest keeps a promise not."""
    parser = _Arguments(prog="python -m analysis", description=__doc__)
    names = parser.add_subparsers(dest="name", required=True, parser_class=_Arguments)
    pilot = names.add_parser("pilots", help="the verdict on a pilot from its panel")
    what = pilot.add_mutually_exclusive_group(required=True)
    what.add_argument("--input", help="CSV: unit,time,value,treated,after")
    what.add_argument("--selftest", action="store_true", help="false verdicts, coverage and power on made-up panels")
    what.add_argument("--lock", help="a plan (config/<city>/pilots/*.toml): prints its lock")
    pilot.add_argument("--better", choices=("up", "down"), default="up", help="where a gain lies")
    pilot.add_argument(
        "--worthwhile", type=float, default=pilots.WORTHWHILE_PCT, help="the smallest gain that pays, in %%"
    )
    pilot.add_argument("--panels", type=int, default=pilots_selftest.PANELS, help="of the selftest, per design")
    pilot.add_argument("--seed", type=int, help="of everything that is drawn at random")
    first = names.add_parser("priorities", help="which projects first, and how sure that order is")
    first.add_argument("--input", required=True, help="projects.toml: criteria, projects and their scores")
    first.add_argument("--draws", type=int, default=DRAWS, help="weightings to try")
    link = names.add_parser("links", help="which series goes before which, between domains")
    source = link.add_mutually_exclusive_group(required=True)
    source.add_argument("--input", help="CSV of observations: time,site_id,observed_property,value[,quality,source]")
    source.add_argument("--selftest", action="store_true", help="false and found links on made-up panels")
    link.add_argument("--each-site", action="store_true", help="every place by itself, not all of them together")
    link.add_argument("--runs", type=int, default=links_selftest.RUNS, help="of the selftest, per design")
    link.add_argument("--seed", type=int, default=1, help="of everything that is drawn at random")
    ahead = names.add_parser("forecast", help="what comes next, with interval and league table")
    origin = ahead.add_mutually_exclusive_group(required=True)
    origin.add_argument("--input", help="CSV of observations: time,site_id,observed_property,value[,quality,source]")
    origin.add_argument("--selftest", action="store_true", help="false models and coverage on series of known truth")
    ahead.add_argument("--daily", action="store_true", help="days ahead instead of hours")
    ahead.add_argument("--zone", default="Asia/Ho_Chi_Minh", help="whose hours and days count")
    ahead.add_argument("--runs", type=int, default=forecast_selftest.RUNS, help="of the selftest, per kind of series")
    ahead.add_argument("--seed", type=int, default=1, help="of everything that is drawn at random")
    options = parser.parse_args(arguments)
    if options.name == "forecast":
        if options.seed < 0:
            raise InputError("arguments: --seed must be 0 or more")
        if options.selftest:
            return forecast_door.selftest(options.runs, options.seed)
        return forecast_door.from_file(options.input, daily=options.daily, zone=options.zone)
    if options.name == "links":
        if options.seed < 0:
            raise InputError("arguments: --seed must be 0 or more")
        if options.selftest:
            return links_door.selftest(options.runs, options.seed)
        return links_door.from_file(options.input, each_site=options.each_site, seed=options.seed)
    if options.name == "priorities":
        return _priorities(options.input, options.draws)
    if options.seed is not None and options.seed < 0:
        raise InputError("arguments: --seed must be 0 or more")
    if options.selftest:
        return _selftest(options.panels, 1 if options.seed is None else options.seed)
    if options.lock:
        sys.stdout.write(lock_text(Path(options.lock), datetime.now(UTC)))
        return 0
    if not 0 <= options.worthwhile < 1000:
        raise InputError(f"arguments: --worthwhile must lie between 0 and 1000, not {options.worthwhile:g}")
    try:
        with Path(options.input).open(encoding="utf-8-sig", newline="") as stream:
            panel = read_panel(stream, Path(options.input).name)
    except OSError as error:
        raise InputError(f"{options.input}: cannot be read ({error.strerror}); give a CSV file of a panel") from error
    seed = pilots.SEED if options.seed is None else options.seed
    found = pilots.analyse(panel, better=options.better, worthwhile_pct=options.worthwhile, seed=seed)
    json.dump(pilots.as_json(found), sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")
    return 0


def _selftest(panels: int, seed: int) -> int:
    if not 20 <= panels <= MOST_PANELS:
        raise InputError(f"arguments: --panels must lie between 20 and {MOST_PANELS}, not {panels}")
    print(f"seed {seed}, planted effect {100 * pilots_selftest.EFFECT:.0f} %", file=sys.stderr)
    print(pilots_selftest.line(pilots_selftest.HEAD), flush=True)
    broken = False
    for row in pilots_selftest.rows(panels, seed):
        print(pilots_selftest.printed(row), flush=True)
        broken |= bool(row.broken())
    return int(broken)


def _priorities(path: str, draws: int) -> int:
    if not 100 <= draws <= MOST_DRAWS:
        raise InputError(f"arguments: --draws must lie between 100 and {MOST_DRAWS}, not {draws}")
    found = order.rank(read_projects(Path(path)), draws=draws)
    json.dump(order.as_json(found), sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0; 1 when a selftest fails; 2 with one line on stderr for input that a person can mend."""
    try:
        return run(sys.argv[1:] if arguments is None else arguments)
    except HouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
