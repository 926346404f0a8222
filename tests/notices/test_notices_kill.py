"""The server is killed (-9) while it sends: every message goes out at most once, and none is forgotten."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta
from pathlib import Path

from core.ledger import Outcome
from notices import Courier
from notices.routes import Routes
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.conftest import EVENING
from tests.notices.outbox import hook_channel, notice
from tests.notices.servers import Request, web

ROOT = Path(__file__).resolve().parents[2]
KILLS = 4
MESSAGES = 40
SENDER = """
import sys
from datetime import datetime
from notices import Courier
from notices.routes import Routes
from notices.webhook import Webhook
from store.duck import DuckStore

class Clock:
    def now(self):
        return datetime.fromisoformat(sys.argv[3])

store = DuckStore(sys.argv[1])
channel = Webhook(key="hook", url=sys.argv[2])
print("open", flush=True)
Courier(store, Routes(channels={"hook": channel}), Clock()).deliver_once()
print("done", flush=True)
store.close()
"""


def test_at_most_once_whenever_the_power_goes(tmp_path: Path, clock: SetClock) -> None:
    path = tmp_path / "city.duckdb"
    store = DuckStore(path)
    store.change_alerts(lambda _: Outcome(notices=[notice(number) for number in range(MESSAGES)]))
    store.close()
    chance = random.Random(20261121)
    arrived: list[str] = []
    enough = threading.Event()
    wanted = 0

    def answer(request: Request) -> tuple[int, dict[str, str]]:
        arrived.append(request.headers["Idempotency-Key"])
        if len(arrived) >= wanted:
            enough.set()
        return (204, {})

    with web(answer) as hook:
        for _ in range(KILLS):
            wanted = len(arrived) + chance.randint(1, 6)
            enough.clear()
            child = subprocess.Popen(
                [sys.executable, "-c", SENDER, str(path), hook.url, EVENING.isoformat()],
                cwd=ROOT, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert child.stdout is not None
            assert child.stdout.readline() == "open\n"
            assert enough.wait(60)
            child.kill()  # at any point between the message and the word that it was sent
            child.wait()
            child.stdout.close()
        store = DuckStore(path)
        clock.advance(timedelta(hours=1))
        Courier(store, Routes(channels={"hook": hook_channel(hook.url)}), clock).deliver_once()
    assert max(Counter(arrived).values()) == 1, "nothing was sent twice"
    found = {one.id: one.state for one in store.read_notices()}
    assert len(found) == MESSAGES
    assert set(found.values()) <= {"sent", "unclear"}
    doubtful = {id for id, state in found.items() if state == "unclear"}
    assert len(doubtful) <= KILLS, "a kill puts one message per channel in doubt, not more"
    assert {id for id, state in found.items() if state == "sent"} <= set(arrived)
    assert set(found) - set(arrived) <= doubtful, "whatever did not arrive is shown to people"
    store.close()
