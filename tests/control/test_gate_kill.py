"""The server is killed (-9) while people act through the gate: a deed, its message and its audit entry are one."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from store.duck import DuckStore
from tests.killing import said_before_a_kill

KILLS = 4
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
DESK = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from alerts.deeds import Deed
from alerts.desk import load_desk
from control.gate import Gate
from core.access import Person
from core.alert import Alert
from core.config import load_city
from indicators import catalogue
from notices.routes import Route, Routes
from notices.webhook import Webhook
from store import _file
_file.SETTINGS["checkpoint_threshold"] = "200KB"  # so that kills also meet checkpoints
from store.duck import DuckStore

class Clock:
    def __init__(self, now):
        self.at = now
    def now(self):
        return self.at

city, known = load_city("demo"), catalogue()
store = DuckStore(sys.argv[1], zone=str(city.zone))
route = Route(channels=("hook",), priorities=frozenset({"high"}), rules=None, deeds=frozenset({"acknowledge"}), to=())
routes = Routes(channels={"hook": Webhook(key="hook", url="http://127.0.0.1:9")}, routes=(route,))
clock = Clock(datetime(2026, 9, 15, 10, tzinfo=UTC))
gate = Gate(city, store, clock, load_desk(city, known), routes, {}, drill=False, catalogue=known)
ha = Person(account="ha", name="Ha", role="operator")
done = len(store.read_audit(datetime(2026, 1, 1, tzinfo=UTC), limit=None))
while True:
    done += 1
    clock.at = datetime(2026, 9, 15, 10, tzinfo=UTC) + timedelta(seconds=done)
    rung = Alert(rule="heavy_rain", site_id="rain_01", active=True, acked=False, priority="high",
                 raised_at=clock.at, began_at=clock.at)
    gate.change(lambda _: ([rung], ()))
    gate.act(ha, Deed(action="acknowledge", keys=(rung.key,)))
    print(clock.at.isoformat(), flush=True)
"""


def test_no_acknowledgement_without_its_audit_entry_and_its_message(tmp_path: Path) -> None:
    path = tmp_path / "city.duckdb"
    chance = random.Random(20260915)
    confirmed: set[datetime] = set()
    for _ in range(KILLS):
        confirmed.update(map(datetime.fromisoformat, said_before_a_kill(DESK, path, chance.uniform(0.0, 0.3))))
        store = DuckStore(path)
        journal = store.read_journal(LONG_AGO, limit=1_000_000)
        acknowledged = Counter(at.to_pydatetime() for at in journal[journal["deed"] == "acknowledge"]["happened_at"])
        audited = Counter(at.to_pydatetime() for at in store.read_audit(LONG_AGO, limit=None)["happened_at"])
        announced = Counter(one.happened_at for one in store.read_notices(limit=1_000_000))
        assert confirmed <= set(acknowledged), "what was confirmed is there"
        assert acknowledged == audited == announced, "all three, or none"
        assert max(acknowledged.values()) == 1
        assert store.verify() == []
        store.close()
