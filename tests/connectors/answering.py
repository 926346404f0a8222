"""A server that lives in a session: parts of addresses and what they answer, and who asked what."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
import requests

from connectors import FetchRequest, load, session

UNTIL = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
SITES = pd.DataFrame(
    {"kind": ["city", "area", "area", "road_segment", "road_segment", "air_station"],
     "latitude": [10.5, 10.51, 10.7, 10.521, float("nan"), 10.5],
     "longitude": [106.5, 106.5, 106.7, 106.501, float("nan"), 106.5]},
    index=pd.Index(["thanh_lam", "phuong_1", "phuong_2", "road_01", "road_02", "air_01"], name="site_id"),
)  # fmt: skip


class Server(requests.adapters.BaseAdapter):
    """Answers with the first part that the address holds: a body, or (status, body); a callable gets the query."""

    def __init__(self, **answers: Any) -> None:
        super().__init__()
        self.answers, self.asked = answers, []

    def send(self, request, **_):
        parts = urlsplit(request.url)
        query = {name: each[0] for name, each in parse_qs(parts.query).items()}
        self.asked.append((parts.path, query, request.headers))
        answer = next((each for part, each in self.answers.items() if part in parts.path), (404, {"error": "no path"}))
        if callable(answer):
            answer = answer(query)
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        reply = requests.Response()
        reply.status_code, reply.url, reply.request = status, request.url, request
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply.raw = io.BytesIO(text)
        return reply

    def close(self):
        pass


def ask(key, server, secret=None, city=SITES, **options):
    """What fetch of a connector brings from that server."""
    http = session()
    http.pace.sleep = lambda seconds: None
    http.mount("https://", server)
    request = FetchRequest(
        source="ours", since=datetime(2026, 6, 1, 1, tzinfo=UTC), until=UNTIL, sites=city, city_site="thanh_lam",
        zone=ZoneInfo("Asia/Ho_Chi_Minh"), options=options, secret=secret,
    )  # fmt: skip
    return load(key).fetch(http, request)


def table(frame):
    """(property, site) -> value, for frames of one instant."""
    return dict(zip(zip(frame["observed_property"], frame["site_id"], strict=True), frame["value"], strict=True))
