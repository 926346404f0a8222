"""Care of the store from the command line: stats, backup, restore, verify, prune.

    python -m store stats [--city demo | --path FILE]
    python -m store backup TARGET | restore SOURCE [--force] | verify | prune --keep-days N

JSON or lines on stdout, words on stderr; a failure is exit code 2 and one line `error: …`; findings are exit 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from core.config import load_city
from core.errors import HouseError, InputError, StoreBusy, StoreError
from store._file import shown
from store.duck import DuckStore, restore


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        path, zone = _place(asked)
        if asked.command == "restore":
            kept = restore(asked.source, path, asked.force)
            DuckStore(path, zone).close()
            print(f"{shown(path)} holds what {asked.source} held", file=sys.stderr)
            print(json.dumps({"restored": shown(path), "kept": None if kept is None else shown(kept)}))
            return 0
        if not path.exists():
            raise StoreError(f"{shown(path)} is not there: start the dashboard once, or name a file with --path")
        store = DuckStore(path, zone)
        try:
            return _care(store, asked)
        finally:
            store.close()
    except StoreBusy as error:
        advice = "; a running server can copy its own store (Store.backup)" if asked.command == "backup" else ""
        print(f"error: {error}{advice}", file=sys.stderr)
    except HouseError as error:
        print(f"error: {error}", file=sys.stderr)
    return 2


def _care(store: DuckStore, asked: argparse.Namespace) -> int:
    if asked.command == "stats":
        print(json.dumps(store.stats(), ensure_ascii=False))
    elif asked.command == "backup":
        store.backup(asked.target)
        print(json.dumps({"backup": shown(asked.target), "file_bytes": asked.target.stat().st_size}))
    elif asked.command == "prune":
        if asked.keep_days < 1:
            raise InputError(f"--keep-days {asked.keep_days}: keep at least 1 day")
        before = datetime.now(UTC) - timedelta(days=asked.keep_days)
        print(json.dumps({"removed": store.prune(before), "before": f"{before:%Y-%m-%dT%H:%M:%SZ}"}))
    else:
        findings = store.verify()
        for finding in findings:
            print(finding)
        print(f"{len(findings)} findings", file=sys.stderr)
        return 1 if findings else 0
    return 0


def _place(asked: argparse.Namespace) -> tuple[Path, ZoneInfo | None]:
    """File and time zone; a file named alone keeps the zone that it remembers."""
    if asked.path is not None:
        return asked.path, None
    city = load_city(asked.city)
    return city.store_path, city.zone


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        print(f"error: {message}; see python -m store --help", file=sys.stderr)
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m store", description="Care of the store of a city.")
    where = _Parser(add_help=False)
    where.add_argument("--city", help="a folder of config/; default CITY, or demo")
    where.add_argument("--path", type=Path, help="the store file itself, instead of a city")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("stats", parents=[where], help="rows, times, size and schema as JSON")
    backup = commands.add_parser("backup", parents=[where], help="write a consistent copy")
    backup.add_argument("target", type=Path)
    back = commands.add_parser("restore", parents=[where], help="put a backup in the store's place")
    back.add_argument("source", type=Path)
    back.add_argument("--force", action="store_true", help="replace an existing store; the old one is kept beside")
    commands.add_parser("verify", parents=[where], help="compare serve tables with the observations")
    prune = commands.add_parser("prune", parents=[where], help="forget old observations and quarantine")
    prune.add_argument("--keep-days", type=int, required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main())
