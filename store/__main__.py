"""Care of the store from the command line: stats, backup, restore, verify, prune.

    python -m store stats [--city demo | --path FILE]
    python -m store backup TARGET | restore SOURCE [--force]
    python -m store verify [--audit-head ENTRY:HASH]
    python -m store prune [--keep-days N] [--audit-months N]
    python -m store audit --format csv|cef [--since TIME] [--until TIME] | audit --head

JSON or lines on stdout, words on stderr; a failure is exit code 2 and one line `error: …`; findings are exit 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from core.config import load_city
from core.errors import HouseError, InputError, StoreBusy, StoreError
from store._file import shown
from store.audit import audit_cef, audit_csv, parsed_head
from store.duck import DuckStore, restore


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        path, zone = _place(asked)
        if asked.command == "restore":
            kept = restore(asked.source, path, asked.force)
            store = DuckStore(path, zone)
            for finding in store.verify_audit():  # told, but no reason to leave a city without its data
                print(finding, file=sys.stderr)
            store.close()
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
        print(json.dumps(_prune(store, asked)))
    elif asked.command == "audit":
        _audit(store, asked)
    else:
        findings = store.verify(None if asked.audit_head is None else parsed_head(asked.audit_head))
        for finding in findings:
            print(finding)
        print(f"{len(findings)} findings", file=sys.stderr)
        return 1 if findings else 0
    return 0


def _prune(store: DuckStore, asked: argparse.Namespace) -> dict[str, int | str]:
    if asked.keep_days is None and asked.audit_months is None:
        raise InputError("prune: say what to forget: --keep-days N, --audit-months N, or both")
    if asked.keep_days is not None and asked.keep_days < 1:
        raise InputError(f"--keep-days {asked.keep_days}: keep at least 1 day")
    now = datetime.now(UTC)
    done: dict[str, int | str] = {}
    if asked.audit_months is not None:  # the one that may be refused comes first: both happen, or nothing
        before = _months_ago(now, asked.audit_months)
        done |= {"audit_removed": store.prune_audit(before, now=now), "audit_before": _stamp(before)}
    if asked.keep_days is not None:
        before = now - timedelta(days=asked.keep_days)
        done |= {"removed": store.prune(before), "before": _stamp(before)}
    return done


def _months_ago(now: datetime, months: int) -> datetime:
    if not 0 <= months <= 1200:
        raise InputError(f"--audit-months {months}: give a number of months from 12 on")
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return now.replace(year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1]))


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _audit(store: DuckStore, asked: argparse.Namespace) -> None:
    entry, digest = store.audit_head()
    if asked.head:
        print(f"{entry}:{digest}")
        return
    rows = store.read_audit(_moment(store, asked.since), _moment(store, asked.until), limit=None)
    sys.stdout.write(audit_csv(rows) if asked.format == "csv" else audit_cef(rows))
    print(f"{len(rows)} of {entry} entries; the newest is {entry}:{digest}", file=sys.stderr)


def _moment(store: DuckStore, text: str) -> datetime:
    """A day or time as typed; without an offset it is time of the city."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"time {text!r}: give 2026-11-21, 2026-11-21T14:00 or 2026-11-21T14:00+07:00") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=store.zone)).astimezone(UTC)


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
    verify = commands.add_parser("verify", parents=[where], help="prove serve tables and the audit log")
    verify.add_argument("--audit-head", metavar="ENTRY:HASH", help="a head that was noted outside of this machine")
    prune = commands.add_parser("prune", parents=[where], help="forget old observations or audit entries")
    prune.add_argument("--keep-days", type=int, help="of observations, quarantine and settled notices")
    prune.add_argument("--audit-months", type=int, help="of the audit log; less than 12 is refused")
    audit = commands.add_parser("audit", parents=[where], help="export the audit log, or print its head")
    what = audit.add_mutually_exclusive_group(required=True)
    what.add_argument("--format", choices=("csv", "cef"))
    what.add_argument("--head", action="store_true", help="ENTRY:HASH of the newest entry, to be noted outside")
    audit.add_argument("--since", default="1990-01-01", metavar="TIME", help="inclusive; a day or time of the city")
    audit.add_argument("--until", default="9998-01-01", metavar="TIME", help="exclusive")
    return parser


if __name__ == "__main__":
    sys.exit(main())
