"""Try a connector alone: list them, read a file, or ask a server. CSV of the one frame goes to stdout, words to stderr.

python -m connectors
python -m connectors open_meteo --file reply.json
python -m connectors open311 --file requests.json --zone Asia/Ho_Chi_Minh --source hotline
python -m connectors sensorthings --file observations.json --set property=pm25 --set unit=ug/m3 --set site=gate
CITY=bac_giang python -m connectors open_meteo --url https://api.open-meteo.com --set kind=weather --hours 24
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from connectors import Connector, FetchRequest, Payload, discover, load, session
from connectors._http import MAX_BODY_BYTES
from core import observations
from core.config import load_city
from core.errors import HouseError, InputError
from core.secrets import secret


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0, or 2 after one `error:` line."""
    asked = _arguments().parse_args(arguments)
    try:
        if asked.key is None:
            sys.stdout.write(_table())
            return 0
        rows = _rows(asked)
        for problem in rows.attrs.get("problems", ()):
            print(problem, file=sys.stderr)
        if load(asked.key).SOURCE.kind == "simulation":
            print("DỮ LIỆU MÔ PHỎNG", file=sys.stderr)
        sys.stdout.write(observations.to_csv(rows))
    except HouseError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m connectors", description="Try a connector on a file or a server.")
    parser.add_argument("key", nargs="?", help="connector; without it all are listed")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--file", type=Path, help="a reply or a file to read")
    place.add_argument("--url", help="a server to ask: becomes the option base_url; sites are those of CITY")
    parser.add_argument("--zone", help="time zone of times without an offset, e.g. Asia/Ho_Chi_Minh")
    parser.add_argument("--source", help="name for the column source (default: the connector's key)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="an option, in TOML")
    parser.add_argument("--secret", metavar="NAME", help="with --url: environment variable that holds the secret")
    parser.add_argument("--private-network", action="store_true", help="with --url: the host may be a private address")
    parser.add_argument("--hours", type=float, default=24.0, help="with --url: how far back to ask")
    return parser


def _table() -> str:
    rows = [
        {
            "key": key,
            "name": connector.SOURCE.name,
            "licence": connector.SOURCE.licence,
            "refresh_min": int(connector.SOURCE.every / timedelta(minutes=1)),
        }
        for key, connector in discover().items()
    ]
    return pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")


def _rows(asked: argparse.Namespace) -> pd.DataFrame:
    connector = load(asked.key)
    if asked.file is not None:
        return connector.parse(_payload(asked))
    if asked.url is None:
        raise InputError(f"{asked.key}: give --file F to read a file or --url U to ask a server")
    return _live(connector, asked)


def _payload(asked: argparse.Namespace) -> Payload:
    """The file as a payload; its context holds only what was said on the command line."""
    path: Path = asked.file
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_BODY_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(body) > MAX_BODY_BYTES:
        raise InputError(f"{path}: larger than {MAX_BODY_BYTES // 2**20} MiB: cut it into parts")
    if not body:
        raise InputError(f"{path}: the file is empty")
    said: dict[str, Any] = {"source": asked.source, "zone": _zone(asked.zone), "options": _options(asked.set)}
    return Payload(body=body, name=path.name, context={name: value for name, value in said.items() if value})


def _live(connector: Connector, asked: argparse.Namespace) -> pd.DataFrame:
    city = load_city()
    name = asked.secret or connector.SOURCE.secret
    until = datetime.now(UTC)
    request = FetchRequest(
        source=asked.source or asked.key,
        since=until - timedelta(hours=asked.hours),
        until=until,
        sites=city.sites,
        city_site=city.city_site,
        zone=_zone(asked.zone) or city.zone,
        options={**_options(asked.set), "base_url": asked.url},
        secret=secret(name),
        secret_name=name or "",
        private_network=asked.private_network,
    )
    http = session(private_network=asked.private_network)
    frames = [connector.parse(payload) for payload in connector.fetch(http, request)]
    return pd.concat([observations.empty(), *frames], ignore_index=True)


def _zone(name: str | None) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"--zone {name}: unknown; an example is Asia/Ho_Chi_Minh") from error


def _options(pairs: Sequence[str]) -> dict[str, Any]:
    """NAME=VALUE pairs; a value that is TOML (a number, a list, a table) is read as such, any other is text."""
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not name or not equals:
            raise InputError(f"--set {pair}: give it as NAME=VALUE")
        try:
            options[name] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            options[name] = text
    return options


if __name__ == "__main__":
    sys.exit(main())
