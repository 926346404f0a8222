"""Pushes that wait in the box of their source become observations at its next turn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors import session, webhook
from core.errors import ConfigError, SourceChanged
from core.inbox import Verdict, box_of, close_box, signature
from tests.connectors.asking import request_for

SECRET = "a secret that nobody guesses 0123456789"
NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
RECORD = {
    "time": "2026-06-01T07:00:00+07:00",
    "site_id": "gate",
    "observed_property": "pm25",
    "value": 1,
    "unit": "ug/m3",
}


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    yield
    close_box("sender")


def push(document: object) -> None:
    box = box_of("sender")
    assert box is not None
    body = json.dumps(document).encode()
    assert box.take(STAMP, signature(SECRET, STAMP, body), body, NOW) is Verdict.TAKEN


def test_the_first_turn_opens_the_box_and_every_turn_empties_it() -> None:
    asked = request_for("sender", {"sites": {"gate": "air_01"}}, SECRET)
    assert box_of("sender") is None
    assert webhook.fetch(session(), asked) == []
    push({"observations": [RECORD]})
    push({"observations": [{**RECORD, "value": 2}]})
    payloads = webhook.fetch(session(), asked)
    assert [webhook.parse(payload)["value"].item() for payload in payloads] == [1, 2]
    assert webhook.parse(payloads[0])["site_id"].item() == "air_01"
    assert webhook.parse(payloads[0])["source"].item() == "sender"
    assert webhook.fetch(session(), asked) == []


def test_one_body_that_cannot_be_read_does_not_touch_the_others() -> None:
    asked = request_for("sender", {}, SECRET)
    webhook.fetch(session(), asked)
    push({"observations": "none"})
    push({"observations": [RECORD]})
    bad, good = webhook.fetch(session(), asked)
    with pytest.raises(SourceChanged, match="push to sender"):
        webhook.parse(bad)
    assert len(webhook.parse(good)) == 1


@pytest.mark.parametrize("secret", [None, "", "short", "short" * 6 + "!"])
def test_without_a_secret_worth_the_name_no_box_is_opened(secret: str | None) -> None:
    with pytest.raises(ConfigError, match="WEBHOOK_SECRET") as caught:
        webhook.fetch(session(), request_for("sender", {}, secret))
    assert "short" not in str(caught.value)
    assert box_of("sender") is None


def test_options_are_judged_before_anybody_pushes() -> None:
    with pytest.raises(ConfigError, match="multiplier"):
        webhook.fetch(session(), request_for("sender", {"multiplier": 2}, SECRET))
    assert box_of("sender") is None
