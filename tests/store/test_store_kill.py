"""The server is killed at any moment: what a cycle had committed is there, and nothing is half-written."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store.duck import DuckStore
from tests.killing import said_before_a_kill

KILLS = 8
SITES = 40
START = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)
COLLECTOR = """
import sys
from datetime import datetime, timedelta, UTC
from core.alert import Alert, AlertEvent
from core.ledger import AuditEntry, Notice, Outcome, Situation
from core.observations import frame
from store import _file
_file.SETTINGS["checkpoint_threshold"] = "200KB"  # so that kills also meet checkpoints
from store.duck import DuckStore
store = DuckStore(sys.argv[1])
start = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)
cycle = len(store.read_journal(start - timedelta(days=1), limit=1_000_000))
while True:
    cycle += 1
    now = start + cycle * timedelta(minutes=1)
    sites = [f"air_{number}" for number in range(40)]
    fresh = [{"time": now, "site_id": site, "value": cycle} for site in sites]
    revised = [{"time": now - timedelta(minutes=1), "site_id": site, "value": -cycle} for site in sites[:5]]
    batch = frame(fresh + revised, observed_property="pm25", quality="pass", source="air")
    store.write_observations(batch, now)
    alert = Alert(rule="count", site_id="air_0", value=float(cycle))
    event = AlertEvent(happened_at=now, rule="count", site_id="air_0", state_before="NORM", state_after="UNACK",
                       priority="low", value=float(cycle))
    message = Notice(id=f"n{cycle}", made_at=now, rule="count", site_id="air_0", deed="raise", happened_at=now,
                     priority="low", channel="mail", recipient="", subject="", text="")
    told = AuditEntry(happened_at=now, account="lan", account_type="person", session="", source_address="",
                      source_port=None, action="acknowledge", object=str(cycle), result="done")
    place = Situation(id=f"VV-{cycle}", opened_at=now)
    store.change_alerts(lambda known: Outcome([alert], [event], [place], notices=[message], audit=[told]))
    for one in store.claim_notices(now):
        store.settle_notice(one.id, state="sent", now=now)
    print(cycle, flush=True)
"""


def test_nothing_committed_is_lost_and_nothing_is_half_written(tmp_path: Path) -> None:
    path = tmp_path / "city.duckdb"
    chance = random.Random(20260310)
    for kill in range(KILLS):
        committed = int(said_before_a_kill(COLLECTOR, path, chance.uniform(0.0, 0.4))[-1])
        store = DuckStore(path)
        found = store.read_observations(["pm25"], START, START + timedelta(days=30))
        cycles = found.groupby("time").size()
        assert (cycles == SITES).all(), "a cycle's rows are all there or none"
        assert len(cycles) in (committed, committed + 1), "the cycle that was killed may be there, no other"
        last = len(cycles)
        values = found.set_index(["site_id", "time"])["value"]
        assert values["air_10"].tolist() == [float(cycle) for cycle in range(1, last + 1)]
        assert values["air_0"].tolist() == [-float(cycle + 1) for cycle in range(1, last)] + [float(last)]
        journal = store.read_journal(START, limit=1_000_000)
        assert committed <= len(journal) <= last
        (alert,) = store.read_alerts()
        assert alert.value == float(len(journal)) == journal["value"].iloc[0], "alert and journal are one write"
        assert store.audit_head()[0] == len(journal), "the audit entry is the same write"
        assert len(store.read_situations(START)) == store.read_ledger().next_situation - 1 == len(journal)
        notices = store.read_notices(limit=1_000_000)
        assert len(notices) == len(journal), "and so is the message"
        assert all(one.tries == (0 if one.state == "queued" else 1) for one in notices), "no message was claimed twice"
        states = [one.state for one in notices]
        assert set(states) <= {"sent", "unclear", "queued"}
        assert states.count("queued") <= 1, "only the last one had no time to be claimed"
        assert states.count("unclear") <= kill + 1, "at most one was under way at each kill"
        assert store.verify() == []
        store.close()
