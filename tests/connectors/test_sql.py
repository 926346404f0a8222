"""PostgreSQL: one select, read and never written; days end at midnight, zones are told, too many rows are refused.

Against a real server where CITY_LAB_POSTGRES names one (postgresql://user@host:port/base, in which the user may create
tables; its password in CITY_LAB_POSTGRES_PASSWORD).
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from connectors import Payload, session, sql
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused, SourceUnavailable
from tests.connectors.asking import request_for

ADDRESS = "postgresql://reader@db.example.vn/city"


def read(body: str | bytes, **options: Any) -> list[tuple[str, str, str, float, str]]:
    payload = Payload(body=body.encode() if isinstance(body, str) else body, name="rows", context={"options": options})
    frame = sql.parse(payload)
    columns = (frame[name] for name in ("time", "site_id", "observed_property", "value", "quality"))
    return [(f"{time:%d %H:%M}", *rest) for time, *rest in zip(*columns, strict=True)]


def test_csv_of_psql_and_json_of_json_agg_say_the_same() -> None:
    rows = [
        {"time": "2026-06-01T07:00:00+07:00", "site_id": 17, "value": "1.5"},
    ]
    table = "\ufefftime,site_id,value\r\n2026-06-01 07:00:00+07,17,1.5\r\n\r\n"
    options = {"property": "pm25", "unit": "mg/m3"}
    expected = ("01 00:00", "17", "pm25", 1500.0, "not_evaluated")
    assert read(json.dumps(rows), **options)[0] == read(table, **options)[0] == expected
    assert read("[]") == read("time,site_id,value\n") == []


def test_null_nan_and_infinity_are_missing() -> None:
    table = "time,site_id,value\n" + "".join(
        f"2026-06-01 07:00:00Z,{word},{word}\n" for word in ("NaN", "Infinity", "")
    )
    assert [row[4] for row in read(table, property="pm25", unit="mg/m3", site="x")] == ["missing"] * 3


def test_a_date_is_a_day_and_naive_times_need_the_zone() -> None:
    for table in ("time,site_id,value\n2026-05-31,a,1\n", "time,site_id,value\n2026-06-01 00:00:00,a,1\n"):
        with pytest.raises(InputError, match="zone"):
            read(table)
        assert read(table, zone="Asia/Ho_Chi_Minh")[0][0] == "31 17:00"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("time,value\n", "site_id is missing"),
        ("a;b\n1;2\n", "there are: a;b"),
        ("time,site_id,value\n1,2\n", "line 2 has 2 cells"),
        ('time,site_id,value\n"1,2,3\n', "no CSV"),
        (b"time,site_id,value\n\xff", "UTF-8"),
        ('[{"time": "2026-06-01T00:00:00Z"}]', "site_id, value is missing"),
        ("[[1, 2]]", "missing"),
        ("[1]", "records"),
        ("<html>", "HTML"),
    ],
)
def test_what_is_no_such_result_is_named(body: Any, words: str) -> None:
    with pytest.raises(SourceChanged, match=words):
        read(body)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"base_url": ""}, "base_url"),
        ({"base_url": "https://db.example.vn/city"}, "base_url"),
        ({"base_url": "postgresql:///city"}, "base_url"),
        ({"base_url": "postgresql://reader:s3cret@db.example.vn/city"}, "no password"),
        ({"base_url": "postgresql://reader@db.example.vn/city?password=s3cret"}, "no password"),
        (
            {"base_url": "postgresql://db.example.vn/city?options=-c%20default_transaction_read_only%3Doff"},
            "no options",
        ),
        ({"base_url": "postgresql://db.example.vn/city?nope=s3cret"}, "base_url"),
        ({"query": " "}, "query"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"rows_max": 0}, "rows_max"),
        ({"multiplier": 2}, "unit of the source"),
    ],
)
def test_options_that_cannot_work_are_named_and_show_no_password(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        sql.fetch(session(), request_for("hoso", {"base_url": ADDRESS, "query": "select 1", **options}))
    assert "s3cret" not in str(caught.value)


def test_the_base_is_asked_with_limits_and_its_words_show_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that dies in the middle of a reply must end the turn, and no message may repeat what was sent."""
    given: dict[str, Any] = {}

    def connect(address: str, **settings: Any) -> None:
        given.update(settings)
        raise psycopg.OperationalError("the pooler says: no pool for reader:s3cret-word")

    monkeypatch.setattr(psycopg, "connect", connect)
    asked = {"base_url": "postgresql://reader@127.0.0.1/city", "query": "select 1", "timeout_s": 7}
    with pytest.raises(SourceUnavailable, match=r"no pool for reader:\*\*\*"):
        sql.fetch(session(), request_for("hoso", asked, "s3cret-word"))
    assert (given["connect_timeout"], given["tcp_user_timeout"]) == (sql.CONNECT_WITHIN_S, 7000)
    assert given["options"] == "-c statement_timeout=7000"


def test_nobody_there_is_not_answering_with_the_reason() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        address = f"postgresql://reader@127.0.0.1:{taken.getsockname()[1]}/city"
        with pytest.raises(SourceUnavailable, match="refused"):
            sql.fetch(session(), request_for("hoso", {"base_url": address, "query": "select 1"}, "s3cret"))


# ---- a real server

REAL, PASSWORD = os.environ.get("CITY_LAB_POSTGRES", ""), os.environ.get("CITY_LAB_POSTGRES_PASSWORD")
real = pytest.mark.skipif(not REAL, reason="CITY_LAB_POSTGRES names no PostgreSQL server")
TABLE = "city_dashboard_test"


@pytest.fixture
def table() -> Iterator[psycopg.Connection]:
    with psycopg.connect(REAL, password=PASSWORD, autocommit=True) as connection:
        connection.execute(f"drop table if exists {TABLE}")
        connection.execute(
            f"create table {TABLE} (at timestamptz, naive timestamp, day date, site text, v numeric, phone text)"
        )
        connection.execute(
            f"insert into {TABLE} values"
            " ('2026-06-01 07:00+07', '2026-06-01 07:00', '2026-05-31', 'gate', 1.5, '0900000000'),"
            " ('2026-06-01 14:00+07', '2026-06-01 14:00', '2026-06-01', 'gate', null, '0900000000'),"
            " ('2026-06-01 14:30+07', '2026-06-01 14:30', '2026-06-01', 'gate', 'NaN', '0900000000')"
        )
        yield connection
        connection.execute(f"drop table {TABLE}")


def fetched(query: str, **options: Any) -> Payload:
    said = {"base_url": REAL, "query": query, "property": "pm25", "unit": "ug/m3", **options}
    (payload,) = sql.fetch(session(), request_for("hoso", said, PASSWORD))
    return payload


@real
def test_a_query_of_the_period(table: Any) -> None:
    payload = fetched(
        f"select at as time, site as site_id, v as value, phone from {TABLE} where at > %(since)s and at <= %(until)s"
        " and site like 'ga%%' order by at;"
    )
    frame = sql.parse(payload)
    assert frame["quality"].tolist() == ["missing", "missing"]  # NULL and NaN; the first one is before the period
    assert set(frame["source"]) == {"hoso"}
    assert b"0900000000" not in payload.body  # a column that nobody asked for stays in the database


@real
def test_a_percent_sign_is_itself_where_no_period_is_asked(table: Any) -> None:
    frame = sql.parse(fetched(f"select at as time, site as site_id, v as value from {TABLE} where site like 'ga%'"))
    assert frame["value"].iloc[0] == 1.5
    assert frame["time"].iloc[0] == datetime(2026, 6, 1, tzinfo=UTC)


@real
def test_a_cell_that_is_no_name_is_cut(table: Any) -> None:
    query = "select '2026-06-01 07:00+07'::timestamptz as time, repeat('x', 9000) as site_id, 1 as value"
    assert len(sql.parse(fetched(query))["site_id"].item()) == sql.LONGEST_CELL


@real
@pytest.mark.parametrize("column", ["naive", "day"])
def test_columns_without_a_zone(table: Any, column: str) -> None:
    query = f"select {column} as time, site as site_id, v as value from {TABLE} order by at limit 1"
    with pytest.raises(InputError, match="zone"):
        sql.parse(fetched(query))
    expected = datetime(2026, 6, 1, tzinfo=UTC) if column == "naive" else datetime(2026, 5, 31, 17, tzinfo=UTC)
    assert sql.parse(fetched(query, zone="Asia/Ho_Chi_Minh"))["time"].item() == expected


@real
@pytest.mark.parametrize(
    ("query", "error", "words"),
    [
        (f"delete from {TABLE} returning at as time, site as site_id, v as value", SourceRefused, "refuses"),
        (f"with gone as (delete from {TABLE} returning *) select 1 as time", SourceRefused, "data-modifying"),
        (f"select 1 as time, 2 as site_id, 3 as value; delete from {TABLE}", SourceRefused, "multiple commands"),
        ("select nextval('city_dashboard_test_seq') as time, 1 as site_id, 1 as value", SourceRefused, "only reads"),
        ("selec 1", SourceRefused, "syntax error"),
        ("select nope as time", SourceRefused, "nope"),
        ("select 1/0 as time, 1 as site_id, 1 as value", SourceRefused, "zero"),
        ("select pg_sleep(5)::text as time, 1 as site_id, 1 as value", SourceUnavailable, "longer than timeout_s"),
        ("select 1 as time", SourceChanged, "site_id, value is missing"),
        ("select 'infinity'::timestamptz as time, 1 as site_id, 1 as value", SourceChanged, "cast it"),
        (
            "select n as time, 1 as site_id, 1 as value from generate_series(1, 21) n",
            SourceChanged,
            "more than 20 rows",
        ),
    ],
)
def test_what_the_house_does_not_do(table: Any, query: str, error: Any, words: str) -> None:
    table.execute("create sequence city_dashboard_test_seq")
    try:
        with pytest.raises(error, match=words):
            fetched(query, timeout_s=1, rows_max=20)
    finally:
        table.execute("drop sequence city_dashboard_test_seq")
    assert table.execute(f"select count(*) from {TABLE}").fetchone() == (3,)


@real
def test_exactly_the_row_limit_is_not_too_many(table: Any) -> None:
    query = "select '2026-06-01 07:00+07'::timestamptz as time, n as site_id, 1 as value from generate_series(1, 20) n"
    assert len(sql.parse(fetched(query, rows_max=20))) == 20


@real
def test_an_unknown_base_or_user_is_refused(table: Any) -> None:
    host = REAL.rpartition("@")[2].rpartition("/")[0]
    for address in (f"{REAL.rpartition('/')[0]}/nope_nope", f"postgresql://nope_nope@{host}/postgres"):
        with pytest.raises(SourceRefused, match="login"):
            fetched("select 1", base_url=address)
