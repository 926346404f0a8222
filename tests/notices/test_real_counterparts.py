"""A real SMTP server, a webhook sink and a real Alertmanager, where somebody has started them.

`../shared/servers/start.sh smtp alertmanager` starts them at the addresses below; others are named by CITY_LAB_SMTP
(host:port, with CITY_LAB_SMTP_USER and CITY_LAB_SMTP_PASSWORD), CITY_LAB_HOOK and CITY_LAB_ALERTMANAGER (URLs).
"""

from __future__ import annotations

import json
import os
import socket
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.alert import Alert
from core.config import load_city
from core.ledger import Ledger, Notice, Outcome
from notices import Courier, plan
from notices._contract import NotSent
from notices._words import DEEDS
from notices.routes import Routes
from tests.clockwork import SetClock
from tests.notices.outbox import (
    ALL,
    HA,
    Outbox,
    alert,
    am_channel,
    event,
    hook_channel,
    mail_channel,
    routes,
    rule_words,
)

SMTP = os.environ.get("CITY_LAB_SMTP", "127.0.0.1:8751")
USER, PASSWORD = os.environ.get("CITY_LAB_SMTP_USER", "any"), os.environ.get("CITY_LAB_SMTP_PASSWORD", "secret1")
HOOK = os.environ.get("CITY_LAB_HOOK", "http://127.0.0.1:8757")
MANAGER = os.environ.get("CITY_LAB_ALERTMANAGER", "http://127.0.0.1:8756")


def listens(address: str) -> bool:
    host, _, port = address.rpartition("//")[2].partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


needs_smtp = pytest.mark.skipif(not listens(SMTP), reason=f"no SMTP server at {SMTP}: ../shared/servers/start.sh smtp")
needs_hook = pytest.mark.skipif(
    not listens(HOOK), reason=f"no webhook sink at {HOOK}: ../shared/servers/start.sh alertmanager"
)
needs_manager = pytest.mark.skipif(
    not listens(MANAGER), reason=f"no Alertmanager at {MANAGER}: ../shared/servers/start.sh alertmanager"
)


def planned(outcome: Outcome, way: Routes, now: datetime, *before: Alert) -> list[Notice]:
    rules = {one.rule: rule_words(one.rule) for one in outcome.events}
    return plan(
        outcome, Ledger({one.key: one for one in before}), way, words=rules, city=load_city("demo"), duty=(HA,),
        contacts={}, drill=True, now=now,
    )  # fmt: skip


@needs_smtp
def test_a_real_server_takes_a_vietnamese_mail_and_refuses_a_wrong_password() -> None:
    host, _, port = SMTP.partition(":")
    now = datetime.now(UTC)
    mail = mail_channel(int(port), host=host, user=USER, password=PASSWORD)
    key = ("underpass_flood", "flood_01")
    queue = Outbox()
    queue.add(
        *planned(
            Outcome([alert(key, "critical")], [event(key, priority="critical", happened_at=now)]), routes(mail), now
        )
    )
    assert Courier(queue, routes(mail), SetClock(now)).deliver_once() == 1
    assert queue.states() == ["sent"]
    with pytest.raises(NotSent) as caught:
        replace(mail, password=f"{PASSWORD}-wrong").send(next(iter(queue.notices.values())))
    assert caught.value.trouble == "login"


@needs_hook
def test_a_real_webhook_takes_a_critical_alert_once() -> None:
    now = datetime.now(UTC)
    way = routes(hook_channel(HOOK))
    key = ("underpass_flood", "flood_01")
    queue = Outbox()
    outcome = Outcome([alert(key, "critical")], [event(key, priority="critical", happened_at=now)])
    for _ in range(2):
        queue.add(*planned(outcome, way, now))
    out = Courier(queue, way, SetClock(now))
    assert [out.deliver_once(), out.deliver_once()] == [1, 0]
    assert queue.states() == ["sent"]


@needs_manager
def test_a_real_alertmanager_follows_an_alert_from_its_beginning_to_its_end() -> None:
    now = datetime.now(UTC) - timedelta(minutes=4)
    key = ("underpass_flood", f"lab_{now:%H%M%S%f}")
    way = routes(am_channel(MANAGER), deeds=frozenset(DEEDS), priorities=ALL)
    clock, queue = SetClock(now), Outbox()
    out = Courier(queue, way, clock)
    before: list[Alert] = []

    def tell(deed: str, priority: str, state: str, active: bool = True) -> list[tuple[str, str]]:
        """One transition; returns severity and state of what stands at the Alertmanager for this place."""
        clock.advance(timedelta(seconds=20))
        after = alert(key, priority, active=active, began_at=now, raised_at=now)
        happened = event(key, deed, priority, happened_at=clock.now(), state_after=state)
        queue.add(*planned(Outcome([after], [happened]), way, clock.now(), *before))
        before[:] = [after]
        assert out.deliver_once() == 1
        assert set(queue.states()) == {"sent"}
        return standing(key[1])

    assert tell("raise", "medium", "UNACK") == [("medium", "active")]
    assert tell("raise_priority", "critical", "UNACK") == [("critical", "active")]
    last = next(reversed(queue.notices.values()))
    way.channels["am"].send(last)  # after a doubt it is posted again: nothing changes
    assert standing(key[1]) == [("critical", "active")]
    assert tell("acknowledge", "critical", "ACKED") == [("critical", "active")], (
        "acknowledged is not over, nor a second"
    )
    assert tell("realarm", "critical", "UNACK") == [("critical", "active")]
    assert tell("shelve", "critical", "SHLVD") == []
    assert tell("unshelve", "critical", "UNACK") == [("critical", "active")]
    assert tell("clear", "critical", "RTNUN", active=False) == []


def standing(site: str) -> list[tuple[str, str]]:
    with urllib.request.urlopen(f"{MANAGER}/api/v2/alerts?filter=site=%22{site}%22", timeout=10) as reply:
        found: list[dict[str, Any]] = json.load(reply)
    return sorted((one["labels"]["severity"], one["status"]["state"]) for one in found)
