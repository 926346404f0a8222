"""Channels from the command line: which there are, and does one work?

    python -m notices list [--city demo]
    python -m notices test CHANNEL [--to ADDRESS] [--city demo]

`list` prints CSV; `test` sends one message that says it is a test. Words go to stderr; a failure is exit code 2 and
one line `error: …`. What could not be delivered stands on the page «Tin báo».
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NoReturn

from core.config import City, load_city
from core.errors import HouseError, InputError
from core.ledger import Notice
from notices._contract import Channel, Unclear
from notices.compose import Style, trial_facts, trial_message
from notices.routes import Routes, fits_channel, load_routes

FILE = "notices.toml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0, or 2 after one `error:` line."""
    asked = _parser().parse_args(arguments)
    try:
        city = load_city(asked.city)
        routes = load_routes(city.folder / FILE, os.environ)
        if asked.command == "list":
            _list(routes)
        else:
            _test(asked.channel, asked.to, routes, city)
    except Unclear as error:
        print(f"error: it may have been delivered, look there: {error}", file=sys.stderr)
        return 2
    except HouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _list(routes: Routes) -> None:
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["channel", "kind", "enabled", "routes"])
    for key, kind, enabled in routes.known:
        count = sum(key in route.channels for route in routes.routes)
        rows.writerow([key, kind, "true" if enabled else "false", count])
    print(f"{len(routes.channels)} of {len(routes.known)} channels enabled", file=sys.stderr)


def _test(key: str, to: str, routes: Routes, city: City) -> None:
    channel = routes.channels.get(key)
    if channel is None:
        known = ", ".join(routes.channels) or "none"
        raise InputError(f"{key}: there is no enabled channel of that name in {FILE}; enabled: {known}")
    if channel.address and not fits_channel(to, channel.address):
        raise InputError(f"--to {to!r}: give the {channel.address} address that the test goes to")
    channel.send(_trial(channel, to, city))
    print(f"{key}: delivered", file=sys.stderr)


def _trial(channel: Channel, to: str, city: City) -> Notice:
    now = datetime.now(UTC)
    style = Style(city=city, catalogue={}, drill=False, base_url="")
    said = trial_message(style)
    id = f"test-{now:%Y%m%d%H%M%S%f}"
    return Notice(
        id=id,
        made_at=now,
        rule="test",
        site_id=city.key,
        deed="test",
        happened_at=now,
        priority="low",
        channel=channel.key,
        recipient=to if channel.address else "",
        subject=said.subject,
        text=said.short if channel.address == "phone" else said.text,
        payload=json.dumps({"id": id, **trial_facts(style, now)}, ensure_ascii=False),
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"error: {message}; see python -m notices --help", file=sys.stderr)
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m notices", description="Channels that tell people about alerts.")
    where = _Parser(add_help=False)
    where.add_argument("--city", help="a folder of config/; default CITY, or demo")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", parents=[where], help="the channels of a city as CSV")
    test = commands.add_parser("test", parents=[where], help="send a test message")
    test.add_argument("channel")
    test.add_argument("--to", default="", help="e-mail address or telephone number, for channels that need one")
    return parser


if __name__ == "__main__":
    sys.exit(main())
