"""The room's door: a folder for a new city.

    python -m core new-city viet_yen --name "Việt Yên (thí điểm)" --wards wards.csv

wards.csv: a head, then a row per ward with code, name, latitude, longitude; comma, semicolon or tab, UTF-8.
Words go to stderr, the written files to stdout. Bad input is exit code 2 and one line `error: …`; nothing is left then.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from core.config import ROOT
from core.errors import HouseError, InputError
from core.new_city import new_city, read_wards


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"error: {message}; see python -m core --help", file=sys.stderr)
        raise SystemExit(2)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run one command; returns the exit code. `root` is the checkout into which the folder is written."""
    asked = _parser().parse_args(arguments)
    try:
        try:
            body = asked.wards.read_bytes()
        except OSError as error:
            raise InputError(f"{asked.wards}: cannot be read: {error.strerror}") from error
        wards = read_wards(body, asked.wards.name)
        made = new_city(asked.key, asked.name, wards, name_en=asked.name_en, root=root)
    except HouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for path in made.files:
        print(path.relative_to(root))
    said = (
        f"{len(wards)} wards. Look for <<< in config/{asked.key}, put spreadsheets like config/{asked.key}/example.csv "
        f"into {made.drop.relative_to(root)}, then:\n"
        f"  python pipeline.py --once --city {asked.key}\n  CITY={asked.key} make run"
    )
    print(said, file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m core", description="A folder for a new city, group of wards or former district.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    city = commands.add_parser("new-city", help="write a commented, minimal folder config/<key>")
    city.add_argument("key", help="small letters without marks, digits and _; also the value of CITY")
    city.add_argument("--name", required=True, help="as people read it")
    city.add_argument("--name-en", default="", help="default: the name without marks")
    city.add_argument("--wards", type=Path, required=True, metavar="CSV", help="code, name, latitude, longitude")
    return parser


if __name__ == "__main__":
    sys.exit(main())
