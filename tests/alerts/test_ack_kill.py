"""The server is killed while people acknowledge: what was confirmed is there, once, nothing is half-done."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alerts.replay import facts_of, replay
from core.alert import AlertEvent
from store.duck import DuckStore
from tests.killing import said_before_a_kill

KILLS = 6
ALERTS = 25
START = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
DESK = """
import sys
from dataclasses import replace
from datetime import datetime, timedelta, UTC
from functools import partial
from alerts import lifecycle
from alerts.deeds import acknowledge
from core.alert import Alert
from store import _file
_file.SETTINGS["checkpoint_threshold"] = "200KB"  # so that kills also meet checkpoints
from store.duck import DuckStore
store = DuckStore(sys.argv[1])
start = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
keys = [("road_flood", f"flood_{number:02d}") for number in range(25)]
done = len(store.read_journal(start - timedelta(days=1), limit=1_000_000))
def ring(now, known):
    events, alerts = [], []
    for rule, site_id in keys:
        before = known.get((rule, site_id)) or Alert(rule=rule, site_id=site_id)
        if before.acked:
            after = replace(before, active=True, acked=False, priority="critical", raised_at=now, began_at=now,
                            acked_at=None, acked_by="")
            events.append(lifecycle.journal(before, after, "raise", now, value=40.0))
            alerts.append(after)
    return alerts, events
while True:
    done += 1
    now = start + done * timedelta(seconds=1)
    store.change_alerts(partial(ring, now))
    for number, group in enumerate((keys[:1], keys[1:10], keys[10:])):
        who = ("Hà", "Hải", "Bình")[number]
        store.change_alerts(partial(acknowledge, keys=group, actor=who, now=now))
        for rule, site_id in group:
            print(f"{done} {site_id} {who}", flush=True)
"""


def run_and_kill(path: Path, patience_s: float) -> list[tuple[int, str, str]]:
    """Let people acknowledge for a while, kill the server, and return what it had confirmed: round, site, who."""
    lines = said_before_a_kill(DESK, path, patience_s)
    return [(int(number), site, who) for number, site, who in map(str.split, lines)]


def test_no_confirmed_acknowledgement_is_lost_and_no_group_is_half_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "city.duckdb"
    chance = random.Random(20260915)
    confirmed: list[tuple[int, str, str]] = []
    for _ in range(KILLS):
        confirmed += run_and_kill(path, chance.uniform(0.0, 0.4))
        store = DuckStore(path)
        rows = store.read_journal(START - timedelta(days=1), limit=1_000_000).drop(columns="entry").iloc[::-1]
        journal = [
            AlertEvent(**{**row, "happened_at": row["happened_at"].to_pydatetime()}) for row in rows.to_dict("records")
        ]
        acks = [
            (round((event.happened_at - START).total_seconds()), event.site_id, event.actor)
            for event in journal
            if event.deed == "acknowledge"
        ]
        assert len(acks) == len(set(acks)), "nobody acknowledged twice"
        assert set(confirmed) <= set(acks)
        sizes = {"Hà": 1, "Hải": 9, "Bình": ALERTS - 10}
        for number, who in {(number, who) for number, _, who in acks}:
            assert sum((number, who) == (one, name) for one, _, name in acks) == sizes[who], "a group is one deed"
        facts = replay(journal)
        alerts = store.read_alerts()
        assert len(alerts) == ALERTS
        for alert in alerts:
            assert facts[alert.key] == facts_of(alert), "alert and journal are one write"
            assert (alert.active, alert.priority, alert.state in ("UNACK", "ACKED")) == (True, "critical", True)
        assert store.verify() == []
        store.close()
