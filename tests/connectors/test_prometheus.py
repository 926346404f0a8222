"""Prometheus: text values, whole steps, series that become one, and errors with HTTP 200.

Against a real server where CITY_LAB_PROMETHEUS names one (an URL).
"""

from __future__ import annotations

import itertools
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import Payload, prometheus, session
from core.errors import ConfigError, SourceChanged, SourceRefused, SourceUnavailable
from tests.connectors.asking import UNTIL, Answers, asking, request_for

BASE = "https://prometheus.example"
QUERY = {"query": "pm25", "property": "pm25", "unit": "mg/m3", "site_label": "station"}
T = int(UNTIL.timestamp())


def matrix(*series: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"resultType": "matrix", "result": list(series)}, **more}


def one(*values: list[Any], **labels: str) -> dict[str, Any]:
    return {"metric": {"__name__": "pm25", **labels}, "values": list(values)}


def parsed(reply: Any, **options: Any) -> Any:
    return prometheus.parse(Payload(body=json.dumps(reply).encode(), name="reply", context={"options": options}))


def test_text_values_become_numbers_in_our_unit_and_nan_and_infinities_are_missing() -> None:
    values = [[T, "0.05"], [T + 60, "NaN"], [T + 120, "+Inf"], [T + 180, "-Inf"], [T + 240.5, "0"]]
    frame = parsed(matrix(one(*values, station="gate")), property="pm25", unit="mg/m3", sites={"gate": "air_01"})
    assert frame["value"].tolist()[:1] == [50.0]
    assert frame["quality"].tolist() == ["not_evaluated", "missing", "missing", "missing", "not_evaluated"]
    assert frame["value"].iloc[4] == 0
    assert set(frame["site_id"]) == {"air_01"}
    assert frame["time"].iloc[0] == UNTIL
    assert frame["time"].iloc[4] == UNTIL + timedelta(seconds=240, milliseconds=500)


def test_a_gap_stays_a_gap_and_no_series_is_a_valid_answer() -> None:
    assert len(parsed(matrix(one([T, "1"], [T + 600, "1"], station="gate")))) == 2
    assert parsed(matrix()).empty


def test_the_site_of_a_series_is_its_label_its_only_label_or_all_of_them() -> None:
    two = matrix(one([T, "1"], station="gate", job="air"))
    assert parsed(two)["site_id"].item() == "job=air,station=gate"
    assert parsed(two, site_label="station")["site_id"].item() == "gate"
    assert parsed(two, site_label="station", sites={"park": "x"}).empty  # not asked for
    assert parsed(matrix(one([T, "1"])))["site_id"].item() == "reply"  # sum(…) has no labels
    assert parsed(two, site_label="nope")["site_id"].item() == "reply"
    assert parsed(two)["observed_property"].item() == "prometheus:pm25"


def test_a_label_that_no_file_can_hold_is_made_harmless() -> None:
    found = parsed(matrix({"metric": {"\ud800": "a", "b": "\ud800"}, "values": [[T, "1"]]}))
    assert found["site_id"].item() == "?=a,b=?"


def test_two_series_that_become_one_site_are_refused() -> None:
    both = matrix(one([T, "1"], station="gate", job="a"), one([T, "2"], station="gate", job="b"))
    assert len(parsed(both)) == 2
    with pytest.raises(SourceChanged, match="two series are gate"):
        parsed(both, site_label="station")
    with pytest.raises(SourceChanged, match="two series are air"):
        parsed(both, sites={"job=a,station=gate": "air", "job=b,station=gate": "air"})


def test_warnings_are_told_and_the_rows_are_kept() -> None:
    frame = parsed(matrix(one([T, "1"]), warnings=["a block is gone"], infos=["rate of a gauge"]))
    assert frame.attrs["problems"] == [
        "reply: the server warns: a block is gone",
        "reply: the server warns: rate of a gauge",
    ]
    assert len(frame) == 1


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        ({"status": "error", "errorType": "bad_data", "error": "parse error"}, SourceRefused, "parse error"),
        ({"status": "error", "errorType": "timeout", "error": "too slow"}, SourceUnavailable, "too slow"),
        ({"status": "error"}, SourceRefused, "refuses"),
        ({"status": "success", "data": ["up", "pm25"]}, SourceChanged, "no answer to a query"),
        ({"status": "success", "data": {"resultType": "string", "result": [T, "x"]}}, SourceChanged, "string"),
        ({"status": "success", "data": {"resultType": "matrix"}}, SourceChanged, "matrix"),
        (matrix({"metric": {}, "histograms": []}), SourceChanged, "histogram_quantile"),
        (matrix({"metric": {}, "values": [[T]]}), SourceChanged, "samples"),
        (matrix({"metric": {}}), SourceChanged, "samples"),
        (matrix({"values": []}), SourceChanged, "labels"),
        (matrix(one(["soon", "1"])), SourceChanged, "time"),
    ],
)
def test_replies_that_hold_no_series_say_what_they_are(reply: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        parsed(reply)


def test_a_vector_of_one_instant_is_taken_too() -> None:
    vector = {"resultType": "vector", "result": [{"metric": {"a": "gate"}, "value": [T, "3"]}]}
    assert parsed({"status": "success", "data": vector})["value"].item() == 3


def test_a_query_without_a_unit_or_with_a_wrong_one_is_refused_by_name() -> None:
    with pytest.raises(SourceChanged, match="without a unit"):
        parsed(matrix(one([T, "1"])), property="pm25")
    with pytest.raises(SourceChanged, match="furlong"):
        parsed(matrix(one([T, "1"])), property="pm25", unit="furlong")
    with pytest.raises(ConfigError, match="pm99"):
        parsed(matrix(one([T, "1"])), property="pm99")


def fetched(answers: Answers, hours: float = 2, secret: str | None = None, **options: Any) -> list[Payload]:
    said = {"base_url": f"{BASE}/", "queries": [QUERY], **options}
    return prometheus.fetch(asking(answers), request_for("gateway", said, secret, hours=hours))


def test_starts_lie_on_whole_steps_whenever_one_asks() -> None:
    answers = Answers(lambda _: matrix())
    fetched(answers, hours=1.001)
    url, query, _ = answers.asked[0]
    assert url.startswith(f"{BASE}/api/v1/query_range?")
    assert query == {"query": "pm25", "start": str(T - 3600), "end": str(T), "step": "60"}
    fetched(answers, hours=1)
    assert answers.asked[1][1]["start"] == str(T - 3540)  # since is exclusive


def test_a_long_period_is_asked_in_parts_that_do_not_overlap() -> None:
    answers = Answers(lambda _: matrix())
    fetched(answers, hours=24 * 30)
    spans = [(int(query["start"]), int(query["end"])) for _, query, _ in answers.asked]
    assert len(spans) == 5
    assert all((end - start) / 60 < 11_000 for start, end in spans)
    assert all(after[0] - before[1] == 60 for before, after in itertools.pairwise(spans))
    assert (spans[0][0], spans[-1][1]) == (T - 30 * 86400 + 60, T)


def test_each_query_has_its_own_meaning() -> None:
    second = {"query": "count(up)", "property": "reports_received"}
    payloads = fetched(Answers(lambda _: matrix(one([T, "1"]))), queries=[QUERY, second], sites={"reply": "x"})
    assert [payload.context["options"].get("unit") for payload in payloads] == ["mg/m3", None]
    assert all(payload.context["options"]["sites"] == {"reply": "x"} for payload in payloads)


def test_the_token_goes_as_bearer_or_basic_and_into_no_message() -> None:
    answers = Answers(lambda _: (400, b'{"status":"error","error":"no k3y:pw here"}', {}))
    with pytest.raises(SourceRefused, match=r"no \*\*\* here"):
        fetched(answers, secret="k3y:pw", auth="basic")
    assert answers.asked[0][2]["Authorization"] == "Basic azN5OnB3"
    with pytest.raises(SourceRefused):
        fetched(answers, secret="k3y:pw")
    assert answers.asked[1][2]["Authorization"] == "Bearer k3y:pw"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"base_url": ""}, "base_url"),
        ({"queries": []}, "queries"),
        ({"queries": [{**QUERY, "multiplier": 2}]}, "multiplier"),
        ({"queries": [{**QUERY, "query": " "}]}, "query"),
        ({"queries": [{**QUERY, "property": "pm99"}]}, "pm99"),
        ({"queries": [{**QUERY, "step_s": 0.5}]}, "step_s"),
        ({"auth": "digest"}, "digest"),
    ],
)
def test_options_that_cannot_work_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        fetched(Answers(lambda _: matrix()), **options)


REAL = os.environ.get("CITY_LAB_PROMETHEUS", "")


@pytest.mark.skipif(not REAL, reason="CITY_LAB_PROMETHEUS names no Prometheus server")
def test_a_real_server_answers_and_refuses() -> None:
    from dataclasses import replace

    now = datetime.now(UTC)
    queries = [{"query": "vector(0.5)", "property": "pm25", "unit": "mg/m3"}]
    asked = request_for("real", {"base_url": REAL, "queries": queries})
    asked = replace(asked, since=now - timedelta(hours=1), until=now)
    (payload,) = prometheus.fetch(session(), asked)
    frame = prometheus.parse(payload)
    assert set(frame["value"]) == {500.0}
    assert len(frame) == 60
    with pytest.raises(SourceRefused, match="parse error"):
        prometheus.fetch(
            session(), replace(asked, options={"base_url": REAL, "queries": [{**queries[0], "query": "up{"}]})
        )
