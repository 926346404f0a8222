"""A real SMTP server and a real Alertmanager, where somebody has started them and says so in the environment.

CITY_LAB_SMTP=127.0.0.1:8751 CITY_LAB_SMTP_USER=any CITY_LAB_SMTP_PASSWORD=… CITY_LAB_ALERTMANAGER=http://127.0.0.1:8756
"""

from __future__ import annotations

import json
import os
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
from tests.notices.outbox import ALL, HA, Outbox, alert, am_channel, event, mail_channel, routes, rule_words

SMTP = os.environ.get("CITY_LAB_SMTP", "")
MANAGER = os.environ.get("CITY_LAB_ALERTMANAGER", "")
needs_smtp = pytest.mark.skipif(not SMTP, reason="no real SMTP server: CITY_LAB_SMTP=host:port is not set")
needs_manager = pytest.mark.skipif(not MANAGER, reason="no real Alertmanager: CITY_LAB_ALERTMANAGER=url is not set")


def planned(outcome: Outcome, way: Routes, now: datetime, *before: Alert) -> list[Notice]:
    rules = {one.rule: rule_words(one.rule) for one in outcome.events}
    return plan(
        outcome, Ledger({one.key: one for one in before}), way, words=rules, city=load_city("demo"), duty=(HA,),
        contacts={}, drill=True, now=now,
    )  # fmt: skip


@needs_smtp
def test_a_real_server_takes_a_vietnamese_mail_and_refuses_a_wrong_password() -> None:
    host, _, port = SMTP.partition(":")
    user, password = os.environ.get("CITY_LAB_SMTP_USER", ""), os.environ.get("CITY_LAB_SMTP_PASSWORD", "")
    now = datetime.now(UTC)
    mail = mail_channel(int(port), host=host, user=user, password=password)
    key = ("underpass_flood", "flood_01")
    queue = Outbox()
    queue.add(
        *planned(
            Outcome([alert(key, "critical")], [event(key, priority="critical", happened_at=now)]), routes(mail), now
        )
    )
    assert Courier(queue, routes(mail), SetClock(now)).deliver_once() == 1
    assert queue.states() == ["sent"]
    if user:
        with pytest.raises(NotSent) as caught:
            replace(mail, password=f"{password}-wrong").send(next(iter(queue.notices.values())))
        assert caught.value.trouble == "login"


@needs_manager
def test_a_real_alertmanager_follows_an_alert_from_its_beginning_to_its_end() -> None:
    now = datetime.now(UTC) - timedelta(minutes=2)
    key = ("underpass_flood", f"lab_{now:%H%M%S%f}")
    way = routes(am_channel(MANAGER), deeds=frozenset(DEEDS), priorities=ALL)
    clock, queue = SetClock(now), Outbox()
    out = Courier(queue, way, clock)
    before: list[Alert] = []

    def tell(deed: str, priority: str, state: str, active: bool = True) -> dict[str, str]:
        """One transition; returns severity -> state of what stands at the Alertmanager for this place."""
        clock.advance(timedelta(seconds=20))
        after = alert(key, priority, active=active, began_at=now, raised_at=now)
        happened = event(key, deed, priority, happened_at=clock.now(), state_after=state)
        queue.add(*planned(Outcome([after], [happened]), way, clock.now(), *before))
        before[:] = [after]
        assert out.deliver_once() == 1
        assert set(queue.states()) == {"sent"}
        return standing(key[1])

    assert tell("raise", "medium", "UNACK") == {"medium": "active"}
    assert tell("raise_priority", "critical", "UNACK") == {"critical": "active"}
    last = next(reversed(queue.notices.values()))
    way.channels["am"].send(last)  # after a doubt it is posted again: nothing changes
    assert standing(key[1]) == {"critical": "active"}
    assert tell("shelve", "critical", "SHLVD") == {}
    assert tell("unshelve", "critical", "UNACK") == {"critical": "active"}
    assert tell("clear", "critical", "RTNUN", active=False) == {}


def standing(site: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{MANAGER}/api/v2/alerts?filter=site=%22{site}%22", timeout=10) as reply:
        found: list[dict[str, Any]] = json.load(reply)
    return {one["labels"]["severity"]: one["status"]["state"] for one in found}
