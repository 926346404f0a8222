"""Ten thousand stations at once: everything is read, in few requests and below the limits of a call.

A call may last Limits.deadline_s and asks a host at most once per Pace.min_gap_s, so the number of requests is the
budget. No clock is read here: a slow machine is no finding.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from connectors import Payload, load
from connectors._http import LIMITS, Pace
from tests.connectors.asking import HANOI, UNTIL, Answers, asking, request_for

COUNT = 10_000
AT = UNTIL.isoformat()
IDS = [f"tram_{number:05d}" for number in range(COUNT)]


def page(items: list[Any], query: dict[str, str], start: str, size: str, default: int) -> list[Any]:
    first = int(query.get(start, 0))
    return items[first : first + int(query.get(size, default))]


def ogc_features(query: dict[str, str]) -> Any:
    features = [
        {"type": "Feature", "id": name, "geometry": None, "properties": {"time": AT, "station": name, "level": 1.5}}
        for name in page(IDS, query, "offset", "limit", 10)
    ]
    following = int(query.get("offset", 0)) + len(features)
    links = (
        [{"rel": "next", "href": f"?limit={query.get('limit', 10)}&offset={following}"}] if following < COUNT else []
    )
    return {"type": "FeatureCollection", "features": features, "links": links}


def ngsi(query: dict[str, str]) -> Any:
    return [
        {
            "id": name, "type": "AirQualityObserved",
            "dateObserved": {"type": "DateTime", "value": AT},
            "temperature": {"type": "Number", "value": 21.5, "metadata": {"unitCode": {"value": "CEL"}}},
        }
        for name in page(IDS, query, "offset", "limit", 20)
    ]  # fmt: skip


def ckan(query: dict[str, str]) -> Any:
    records = [{"_id": number, "at": AT, "station": name, "v": 7.5} for number, name in enumerate(IDS)]
    fields = [{"id": name, "type": "text"} for name in ("_id", "at", "station", "v")]
    return {"success": True, "result": {"fields": fields, "records": page(records, query, "offset", "limit", 100)}}


def generic_json(query: dict[str, str]) -> Any:
    return {
        "observations": [
            {"time": AT, "site_id": name, "observed_property": "pm25", "value": 7.5, "unit": "ug/m3"} for name in IDS
        ]
    }


def prometheus(query: dict[str, str]) -> Any:
    series = [{"metric": {"station": name}, "values": [[UNTIL.timestamp(), "7.5"]]} for name in IDS]
    return {"status": "success", "data": {"resultType": "matrix", "result": series}}


def sql() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["time", "site_id", "value"])
    writer.writerows([AT, name, 7.5] for name in IDS)
    return text.getvalue().encode()


def mqtt() -> bytes:
    sent = json.dumps({"ts": AT, "value": 7.5, "unit": "ug/m3"})
    return json.dumps({"messages": [{"topic": f"city/{name}/pm25", "payload": sent} for name in IDS]}).encode()


# connector -> (its options, what a server answers or what a body holds)
MADE: dict[str, tuple[dict[str, Any], Callable[..., Any]]] = {
    "ogc_features": (
        {"collection": "gauges", "time": "time", "site": "station",
         "columns": [{"column": "level", "property": "river_level", "unit": "m"}]},
        ogc_features,
    ),
    "ngsi": ({"base_url": "https://api.example.vn/v2", "types": ["AirQualityObserved"]}, ngsi),
    "ckan": (
        {"resource_id": "r", "time": "at", "site": "station", "sorted": False,
         "columns": [{"column": "v", "property": "pm25", "unit": "ug/m3"}]},
        ckan,
    ),
    "generic_json": ({}, generic_json),
    "prometheus": (
        {"queries": [{"query": "pm25", "property": "pm25", "unit": "ug/m3", "site_label": "station"}]}, prometheus,
    ),
    "sql": ({"property": "pm25", "unit": "ug/m3", "query": "select 1"}, sql),
    "mqtt": ({"topics": [{"filter": "city/+/+", "site": "+1", "property": "+2"}]}, mqtt),
}  # fmt: skip


@pytest.mark.parametrize("key", MADE)
def test_a_pull_of_ten_thousand_sites_is_whole_and_within_the_budget(key: str) -> None:
    options, answer = MADE[key]
    if key in ("sql", "mqtt"):  # no requests there: rows and messages come by themselves
        payloads = [Payload(body=answer(), name=key, context={"source": "many", "options": options, "zone": HANOI})]
        asked = 0
    else:
        answers = Answers(answer)
        given = {"base_url": "https://api.example.vn", **options}
        payloads = load(key).fetch(asking(answers), request_for("many", given, sites=pd.DataFrame()))
        asked = len(answers.asked)
    frame = pd.concat([load(key).parse(payload) for payload in payloads])
    assert frame["site_id"].nunique() == COUNT
    assert len(frame) == COUNT
    assert frame["value"].notna().all()
    assert asked * Pace().min_gap_s < LIMITS.deadline_s
    assert sum(len(payload.body) for payload in payloads) < LIMITS.body_bytes
