"""python -m analysis pilots --input panel.csv | --selftest [--panels N] | --lock PLAN.toml: JSON, table or lock."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from analysis import pilots, pilots_selftest
from analysis.pilots_panel import read_panel
from core.errors import HouseError, InputError
from core.pilots import lock_text

MOST_PANELS = 20_000


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
    options = parser.parse_args(arguments)
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


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0; 1 when a selftest fails; 2 with one line on stderr for input that a person can mend."""
    try:
        return run(sys.argv[1:] if arguments is None else arguments)
    except HouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
