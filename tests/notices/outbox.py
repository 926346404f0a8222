"""A queue in memory with the promises of the store, and the alerts, notices and people of the stories."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from core.alert import Alert, AlertEvent
from core.duty import Contact
from core.ledger import Ledger, Notice, Outcome
from core.snapshot import RuleWords
from notices._contract import Channel
from notices.alertmanager import Alertmanager
from notices.email import Email
from notices.gateway import Gateway
from notices.routes import DEFAULT_DEEDS, Route, Routes
from notices.webhook import Webhook
from tests.conftest import EVENING

FLOOD, RAIN, JAM = ("underpass_flood", "flood_01"), ("heavy_rain", "rain_01"), ("congestion_segment", "road_01")
HA = Contact(key="ha", name="Nguyễn Thị Minh Hà", email="ha@thanhlam.example", phone="+84 912 345 678")
DIRECTOR = Contact(key="director", name="Đỗ Hoàng Nam", email="nam@thanhlam.example", phone="máy lẻ 100")
CONTACTS = {one.key: one for one in (HA, DIRECTOR)}
ALL = frozenset({"low", "medium", "high", "critical"})


@dataclass
class Outbox:
    """`claim`, `settle` and `read` as the store has them, in memory."""

    notices: dict[str, Notice] = field(default_factory=dict)

    def add(self, *notices: Notice) -> None:
        for notice in notices:
            self.notices.setdefault(notice.id, notice)

    def claim_notices(self, now: datetime, limit: int = 20, *, channels: Collection[str] | None = None) -> list[Notice]:
        due = [
            one
            for one in self.notices.values()
            if one.state == "queued" and (one.due_at is None or one.due_at <= now)
            if channels is None or one.channel in channels
        ]
        taken = [replace(one, state="sending", tries=one.tries + 1) for one in due[:limit]]
        self.notices |= {one.id: one for one in taken}
        return taken

    def settle_notice(
        self, id: str, *, state: str, now: datetime, error: str = "", due_at: datetime | None = None
    ) -> None:
        settled = None if state == "queued" else now
        self.notices[id] = replace(self.notices[id], state=state, error=error, due_at=due_at, settled_at=settled)

    def read_notices(
        self, states: Collection[str] | None = None, since: datetime | None = None, limit: int = 500
    ) -> list[Notice]:
        found = [one for one in self.notices.values() if states is None or one.state in states]
        return [one for one in found if since is None or one.made_at >= since][:limit]

    def states(self) -> list[str]:
        return [one.state for one in self.notices.values()]


def notice(number: int = 1, channel: str = "hook", recipient: str = "", **changed: Any) -> Notice:
    """A critical flood that rang a while ago."""
    given: dict[str, Any] = {
        "id": f"{number:032x}",
        "made_at": EVENING,
        "rule": FLOOD[0],
        "site_id": FLOOD[1],
        "deed": "raise",
        "happened_at": EVENING,
        "priority": "critical",
        "channel": channel,
        "recipient": recipient,
        "subject": "KHẨN CẤP: Ngập hầm chui, Hầm chui Đông Kiều, 38 cm",
        "text": "KHẨN CẤP: Ngập hầm chui Đông Kiều, 38 cm. 18:00 19/11.",
        "payload": json.dumps({"id": f"{number:032x}", "rule": FLOOD[0], "site_id": FLOOD[1], "drill": False}),
    }
    return Notice(**{**given, **changed})


def event(key: tuple[str, str], deed: str = "raise", priority: str = "high", **changed: Any) -> AlertEvent:
    given: dict[str, Any] = {
        "happened_at": EVENING,
        "rule": key[0],
        "site_id": key[1],
        "state_before": "NORM",
        "state_after": "UNACK",
        "priority": priority,
        "value": 38.0,
        "deed": deed,
    }
    return AlertEvent(**{**given, **changed})


def alert(key: tuple[str, str], priority: str = "high", **changed: Any) -> Alert:
    given: dict[str, Any] = {
        "rule": key[0],
        "site_id": key[1],
        "active": True,
        "acked": False,
        "priority": priority,
        "value": 38.0,
        "began_at": EVENING,
        "raised_at": EVENING,
    }
    return Alert(**{**given, **changed})


def rang(*alerts: Alert, deed: str = "raise") -> Outcome:
    """An outcome in which each of them has just rung."""
    events = [event(one.key, deed, one.priority, value=one.value) for one in alerts]
    return Outcome(alerts=list(alerts), events=events)


def ledger(*alerts: Alert) -> Ledger:
    return Ledger({one.key: one for one in alerts})


def rule_words(key: str, title: str = "Ngập hầm chui", **changed: Any) -> RuleWords:
    def both(words: str) -> Mapping[str, str]:
        return {"vi": words, "en": f"{words} (en)"}

    given: dict[str, Any] = {
        "key": key,
        "title": both(title),
        "cause": both("Mưa lớn, bơm hỏng."),
        "consequence": both("Xe chết máy, người mắc kẹt."),
        "action": both("Chặn hai đầu hầm, gọi đội bơm."),
        "owner": both("Công ty Thoát nước"),
        "time_to_act": timedelta(minutes=10),
        "observed_property": "flood_depth",
        "direction": "above",
        "setpoints": {"medium": 10.0, "high": 20.0, "critical": 30.0},
        "missing": False,
        "enabled": True,
        "off_because": "",
    }
    return RuleWords(**{**given, **changed})


def mail_channel(port: int = 25, **changed: Any) -> Email:
    given: dict[str, Any] = {
        "key": "mail", "host": "127.0.0.1", "port": port, "tls": "none", "sender": "ioc@thanhlam.example",
        "sender_name": "Trung tâm Điều hành đô thị", "timeout_s": 5.0,
    }  # fmt: skip
    return Email(**{**given, **changed})


def hook_channel(url: str = "http://127.0.0.1:9/hook", **changed: Any) -> Webhook:
    return Webhook(**{"key": "hook", "url": url, "timeout_s": 5.0, **changed})


def sms_channel(url: str = "http://127.0.0.1:9/sms", **changed: Any) -> Gateway:
    return Gateway(**{"key": "sms", "url": url, "timeout_s": 5.0, **changed})


def am_channel(url: str = "http://127.0.0.1:9") -> Alertmanager:
    return Alertmanager(key="am", url=url, timeout_s=5.0)


def routes(*channels: Channel, **changed: Any) -> Routes:
    """All of the channels behind one route for everything that rings."""
    given: dict[str, Any] = {
        "priorities": ALL, "rules": None, "deeds": frozenset(DEFAULT_DEEDS),
        "channels": tuple(one.key for one in channels), "to": ("duty",),
    }  # fmt: skip
    return Routes(channels={one.key: one for one in channels}, routes=(Route(**{**given, **changed}),))
