"""A request as the line makes one, and a server inside the process: what tests of fetch share."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pandas as pd
import requests

from connectors import FetchRequest, Session, session

UNTIL = datetime(2026, 6, 1, 8, tzinfo=UTC)
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
JUNK = [  # bodies that are no reply of any API
    b"",
    b"\x00\xff\xfe\x80",
    b"<html></html>",
    b"<a>",
    b"{",
    b"{}",
    b"[]",
    b"null",
    b"[1]",
    b'"x"',
    b"[[]]",
    b'{"a": 1}',
    b'{"value": 1}',
]


def request_for(
    source: str, options: dict[str, Any], secret: str | None = None, *, hours: float = 2, sites: Any = None
) -> FetchRequest:
    return FetchRequest(
        source=source, since=UNTIL - timedelta(hours=hours), until=UNTIL,
        sites=pd.DataFrame() if sites is None else sites, city_site="city", zone=HANOI, options=options, secret=secret,
    )  # fmt: skip


class Answers(requests.adapters.BaseAdapter):
    """Answers every request with what `answer(query)` gives: an object for JSON, or (status, bytes, headers)."""

    def __init__(self, answer: Callable[[dict[str, str]], Any]) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        query = {name: each[0] for name, each in parse_qs(urlsplit(request.url).query).items()}
        self.asked.append((request.url, query, request.headers))
        told = self.answer(query)
        status, body, headers = told if isinstance(told, tuple) else (200, json.dumps(told).encode(), {})
        reply = requests.Response()
        reply.status_code, reply.url, reply.request = status, request.url, request
        reply.headers.update(headers)
        reply.raw = io.BytesIO(body)
        return reply

    def close(self) -> None:
        pass


def asking(answers: Answers) -> Session:
    http = session()
    http.pace.sleep = lambda seconds: None
    http.mount("https://", answers)
    return http
