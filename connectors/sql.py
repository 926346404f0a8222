"""The rows of one SELECT on a PostgreSQL database: a department's own system, read and never written.

Link: https://www.postgresql.org/docs/current/libpq-connect.html
Licence: that of the owner of the database.
Key: the password from the secret SQL_PASSWORD; it may not stand in the address.
Refresh: that of the database; asking every 10 minutes is usual.
Traps:
- The query runs in a read-only transaction, as a cursor (so it can only be ONE select), with a time limit and a row
  limit. Functions may still do harm: give the house a role that can select from one view, and nothing else.
- Too many rows are refused, not cut: half a period would look like a whole one. Ask with %(since)s and %(until)s; a
  query that uses them writes a plain % as %%.
- `timestamp` carries no zone: say the option zone. `timestamptz` is right by itself. A `date` is a day and ends at the
  next midnight.
- Only the columns that are named below leave fetch: a name or a telephone number beside them does not.
- NULL, NaN and Infinity are missing values, never 0.

Options: base_url = "postgresql://user@host:5432/base" (sslmode and the like after a ?); query; property and unit (or
the columns observed_property and unit); units, sites, properties, zone, time_format, start_label_min as in
connectors/_mapping.py; timeout_s = 30; rows_max = 100000.
Columns: time, site_id, value, and if wanted observed_property, unit, quality. A bare file is such a result as CSV (psql
--csv) or as JSON (json_agg).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from contextlib import closing
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import psycopg
import requests
from psycopg.conninfo import conninfo_to_dict

from connectors import _guard
from connectors._contract import FetchRequest, Payload
from connectors._http import read_json
from connectors._mapping import HOUSE, read_records, recipe
from connectors._rows import label, option_number
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceError, SourceRefused, SourceUnavailable

SOURCE = Source(
    key="sql",
    name="PostgreSQL",
    kind="measurement",
    homepage="https://www.postgresql.org/",
    licence="that of the database's owner",
    every=timedelta(minutes=10),
    secret="SQL_PASSWORD",
    traps=("read-only, one select", "too many rows are refused, not cut", "timestamp without zone needs the zone"),
)
COLUMNS = ("time", "site_id", "observed_property", "value", "unit", "quality")
NEEDED = ("time", "site_id", "value")
OWN_OPTIONS = ("base_url", "query", "timeout_s", "rows_max")
DEFAULTS = {**HOUSE, "records": ""}
PORT = 5432
CONNECT_WITHIN_S = 5
TIMEOUT_S = 30.0
ROWS_MAX = 100_000
ROWS_AT_ONCE = 2_000
LONGEST_CELL = 500
LOGIN_TROUBLE = ("authentication failed", "no password supplied", "does not exist", "pg_hba.conf", "permission denied")


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """The rows of the query as one payload of JSON; `http` is not used.

    Raises ConfigError for options that cannot work, SourceRefused for login, rights and a wrong query, SourceChanged
    for other columns or too many rows, SourceUnavailable for no connection, a time-out and the like.
    """
    options, where = request.options, f"source {request.source}"
    recipe(SOURCE.key, options, {"source": request.source}, defaults=DEFAULTS, also=OWN_OPTIONS)
    address, shown = _address(options, where, request.secret_name or str(SOURCE.secret))
    query = options.get("query")
    if not isinstance(query, str) or not query.strip():
        raise ConfigError(f"{where}: options need query, a select of time, site_id and value")
    timeout_ms = int(1000 * _positive(options, "timeout_s", TIMEOUT_S, where))
    rows_max = int(_positive(options, "rows_max", ROWS_MAX, where))
    period = {"since": request.since, "until": request.until}
    hosts = _judged_hosts(address, shown, request.private_network)
    asked = period if any(f"%({name})s" in query for name in period) else None
    try:
        with closing(
            psycopg.connect(
                address,
                **hosts,
                password=request.secret or None,
                connect_timeout=CONNECT_WITHIN_S,
                tcp_user_timeout=timeout_ms,
                application_name="city-dashboard",
                options=f"-c statement_timeout={timeout_ms}",
            )
        ) as connection:
            connection.read_only = True
            with connection.cursor("city_dashboard") as cursor:
                cursor.execute(query.strip().removesuffix(";").encode(), asked)
                names = [column.name for column in cursor.description or ()]
                records = _records(cursor, names, rows_max, shown)
    except psycopg.Error as error:
        raise _told(error, shown, request) from None
    context = {"source": request.source, "options": options}
    body = json.dumps(records, ensure_ascii=False).encode("utf-8", "replace")
    return [Payload(body=body, name=shown, media_type="application/json", context=context)]


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from rows as CSV with a head, or as a JSON list of objects.

    Raises SourceChanged for other columns or an unknown unit, InputError for times without a zone, ConfigError.
    """
    name, context = payload.name or SOURCE.key, payload.context
    options = context.get("options", {})
    reading = recipe(SOURCE.key, options, context, defaults=DEFAULTS, also=OWN_OPTIONS)
    if payload.body.lstrip().startswith((b"[", b"{", b"<", b"\xef\xbb\xbf[")) or not payload.body.strip():
        records = reading.records_of(read_json(payload.body, name), name)
        for record in records:
            _check_columns(record if isinstance(record, dict) else (), name)
    else:
        records = _csv_records(payload.body, name)
    return read_records(reading, records, name, source=context.get("source", SOURCE.key))


def _records(cursor: Any, names: list[str], rows_max: int, shown: str) -> list[dict[str, Any]]:
    """The rows of a cursor in the columns that are wanted, fetched in pieces so that nothing can run away."""
    _check_columns(names, shown)
    wanted = [(number, name) for number, name in enumerate(names) if name in COLUMNS]
    records: list[dict[str, Any]] = []
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        records += [{name: _plain(row[number]) for number, name in wanted} for row in rows]
        if len(records) > rows_max:
            raise SourceChanged(f"{shown}: the query gives more than {rows_max} rows: ask with %(since)s and %(until)s")
    return records


def _plain(value: Any) -> Any:
    """A cell as JSON can hold it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or isinstance(value, int | float):
        return value
    return str(value)[:LONGEST_CELL]


def _check_columns(names: Any, name: str) -> None:
    absent = [column for column in NEEDED if column not in names]
    if absent:
        listed = ", ".join(label(each) for each in names)[:300] or "none"
        raise SourceChanged(
            f"{name}: the column {', '.join(absent)} is missing (there are: {listed}): name it with «as» in the query"
        )


def _csv_records(body: bytes, name: str) -> list[dict[str, Any]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceChanged(f"{name}: not text in UTF-8, so neither CSV nor JSON") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [each.strip() for each in next(reader, [])]
        _check_columns(head, name)
        records = []
        for cells in reader:
            if cells and len(cells) != len(head):
                raise SourceChanged(f"{name}: line {reader.line_num} has {len(cells)} cells, the head has {len(head)}")
            if cells:
                records.append({column: cell or None for column, cell in zip(head, cells, strict=True)})
    except csv.Error as error:
        raise SourceChanged(f"{name}: line {reader.line_num} is no CSV ({error})") from None
    return records


def _address(options: Mapping[str, Any], where: str, secret_name: str) -> tuple[str, str]:
    """(connection address without a password, host and base as messages may show them)."""
    address = str(options.get("base_url", ""))
    try:
        parts, known = urlsplit(address), conninfo_to_dict(address)
    except (psycopg.Error, ValueError):
        parts, known = urlsplit(""), {}
    if parts.scheme not in ("postgresql", "postgres") or not known.get("host"):
        raise ConfigError(f"{where}: options need base_url, for example postgresql://reader@db.example.vn:5432/city")
    if {"password", "passfile", "options", "service", "hostaddr"} & set(known):
        raise ConfigError(
            f"{where}: base_url may hold no password and no options, service or hostaddr: the secret is {secret_name}"
        )
    return address, f"{known['host']}/{known.get('dbname', '')}"


def _positive(options: Mapping[str, Any], name: str, default: float, where: str) -> float:
    value = option_number(options, name, default)
    if value < 1:
        raise ConfigError(f"{where}: {name} is at least 1")
    return value


def _judged_hosts(address: str, shown: str, private_network: bool) -> dict[str, Any]:
    """The connection settings that pin every host of the address to a number which the guard lets out.

    Raises SourceRefused for one that it does not, SourceUnavailable for a name that nobody knows.
    """
    known = conninfo_to_dict(address)
    hosts = str(known["host"]).split(",")
    ports = (str(known.get("port", "")).split(",") * len(hosts))[: len(hosts)]
    if any(host.startswith(("/", "@")) for host in hosts):
        raise SourceRefused(f"{shown}: a socket file is no address of a source: write the host")
    pinned: list[tuple[str, str, str]] = []
    for host, port in zip(hosts, ports, strict=True):
        try:
            numbers = _guard.addresses(host, int(port) if port.isdigit() else PORT, private_network=private_network)
        except _guard.Forbidden as error:
            raise SourceRefused(f"{shown}: {error}") from None
        except OSError as error:
            raise SourceUnavailable(f"{shown}: nobody knows the host {host} ({error.strerror})") from None
        pinned += [(host, number, port or str(PORT)) for number in numbers]
    return dict(
        zip(("host", "hostaddr", "port"), (",".join(column) for column in zip(*pinned, strict=True)), strict=True)
    )


def _told(error: psycopg.Error, shown: str, request: FetchRequest) -> SourceError:
    """An error of the database in the words of this house."""
    state = error.sqlstate or ""
    words = label(error.diag.message_primary or str(error))[:300]
    if request.secret:
        words = words.replace(request.secret, "***")
    if state == "57014":
        return SourceUnavailable(f"{shown}: the query took longer than timeout_s: narrow it, or ask for an index")
    if state == "25006":
        return SourceRefused(f"{shown}: the query wants to write ({words}): this house only reads")
    if isinstance(error, psycopg.DataError) and not state:
        return SourceChanged(f"{shown}: a value cannot be read ({words}): cast it in the query")
    if state[:2] in ("22", "28", "3D", "42", "0A", "34") or isinstance(error, psycopg.ProgrammingError):
        return SourceRefused(f"{shown}: the database refuses ({words}): check login, rights and query")
    if not state and any(told in words for told in LOGIN_TROUBLE):
        name = request.secret_name or SOURCE.secret
        return SourceRefused(f"{shown}: the login is refused ({words}): check user, base and the secret {name}")
    return SourceUnavailable(f"{shown}: {words or type(error).__name__}")
