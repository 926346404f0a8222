"""The room's door: CAP 1.2 messages of a store that no server holds open, one alert or a whole situation.

    python -m control cap --alert underpass_flood:flood_01 [--city demo | --path FILE] [--to FOLDER] [--exercise]
    python -m control cap --situation VV-0042 --to FOLDER

XML on stdout, or one file per alert in a folder; words on stderr. What is exported is written into the audit log of
that store, so that the next message refers to it. Bad input is exit code 2 and one line `error: …`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from alerts.rules import load_rules
from alerts.words import rule_words
from control.cap import EXPORT, Message, message, open_members
from core.clock import Clock, SystemClock
from core.config import City, load_city, read_geometry
from core.errors import HouseError, InputError, StoreBusy, StoreError
from core.ledger import AuditEntry
from store.base import Store
from store.duck import DuckStore

ACCOUNT = "command line"


def main(arguments: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """Run one command; returns the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        city = load_city(asked.city)
        path = asked.path or city.store_path
        if not path.exists():
            raise StoreError(f"{path.name} is not there: start the dashboard once, or name a file with --path")
        if asked.situation and asked.to is None:
            raise InputError("--situation: several messages do not fit on stdout; give a folder with --to")
        store = DuckStore(path, zone=str(city.zone))
        try:
            _export(store, city, asked, (clock or SystemClock()).now())
        finally:
            store.close()
    except StoreBusy as error:
        print(f"error: {error}; the alert desk exports while the server runs, or take a copy: --path", file=sys.stderr)
        return 2
    except HouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _export(store: Store, city: City, asked: argparse.Namespace, now: datetime) -> None:
    words = {rule.key: rule_words(rule) for rule in load_rules(city.folder / "alerts", None, city.sites, city.zone)}
    keys = open_members(store, asked.situation) if asked.situation else [asked.alert]
    made = [
        message(store, city, words, key, now=now, exercise=asked.exercise, geometry=read_geometry(city)) for key in keys
    ]
    _hand_over(made, asked.to)
    store.write_audit([_entry(one, now) for one in made])
    for one in made:
        print(f"{':'.join(one.key)}: {one.reference}", file=sys.stderr)


def _hand_over(made: Sequence[Message], folder: Path | None) -> None:
    if folder is None:
        sys.stdout.write("".join(one.xml.decode() for one in made))
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in made:
            (folder / one.file_name).write_bytes(one.xml)
    except OSError as error:
        raise InputError(f"--to {folder.name}: cannot be written ({error.strerror}); name a folder of yours") from error


def _entry(one: Message, now: datetime) -> AuditEntry:
    return AuditEntry(
        happened_at=now.astimezone(UTC),
        account=ACCOUNT,
        account_type="system",
        session="",
        source_address="",
        source_port=None,
        action=EXPORT,
        object=":".join(one.key),
        result="done",
        reason=one.reference,
    )


def _alert(text: str) -> tuple[str, str]:
    rule, found, site_id = text.partition(":")
    if not (rule and found and site_id):
        raise argparse.ArgumentTypeError(f"{text!r} must read rule:site, for example underpass_flood:flood_01")
    return rule, site_id


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m control", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command = parser.add_subparsers(dest="command", required=True).add_parser("cap", help="export CAP 1.2 messages")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--alert", type=_alert, help="rule:site")
    what.add_argument("--situation", default="", help="number of a situation: one message per active alert of it")
    place = command.add_mutually_exclusive_group()
    place.add_argument("--city", help="city in config/ (default: CITY, or demo)")
    place.add_argument("--path", type=Path, help="a store file, for example a backup; its city is CITY, or demo")
    command.add_argument("--to", type=Path, help="folder for the files")
    command.add_argument("--exercise", action="store_true", help="status Exercise: nobody may take it for the truth")
    return parser


if __name__ == "__main__":
    sys.exit(main())
