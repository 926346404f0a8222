"""Storm replay of scenario 1: 500 alerts in 10 minutes, and the shift still reads at most ten lines."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from alerts.deeds import acknowledge, reset
from alerts.replay import facts_of, replay
from alerts.situations import Policy, items
from core.alert import SITUATION, AlertEvent
from core.ledger import Ledger, Outcome
from store.duck import DuckStore
from tests.alerts.storm import EVENTS, LASTS, MINUTES, START, make_storm

POLICY = Policy()
AFTERWARDS = LASTS + 33


@pytest.mark.parametrize("with_causes", [True, False], ids=["causes known", "causes unknown"])
def test_the_shift_sees_at_most_ten_items_no_critical_is_hidden_and_the_journal_keeps_all(
    tmp_path: Path, with_causes: bool
) -> None:
    storm = make_storm(with_causes=with_causes)
    store = DuckStore(tmp_path / "storm.duckdb")
    expected = 0
    sizes = []
    for minute in range(1, AFTERWARDS):
        now = START + timedelta(minutes=minute)

        def change(ledger: Ledger, minute: int = minute, now: object = now) -> Outcome:
            return storm.go_round(ledger, minute, now, POLICY)  # type: ignore[arg-type]

        expected += len(store.change_alerts(change).events)
        ledger = store.read_ledger()
        listed = items(ledger.values(), ledger.situations, storm.rules, POLICY, storm.places)
        sizes.append(len(listed))
        assert len(listed) <= 10, f"minute {minute}: {len(listed)} items"
        open_now = Counter(alert.key for alert in ledger.values() if alert.truth != "NORM" and alert.hidden is None)
        assert Counter(key for item in listed for key in (*item.members, *item.inhibited)) == open_now
        shown = {key for item in listed for key in item.shown}
        critical = {key for key in open_now if ledger[key].priority == "critical"}
        assert critical <= shown, f"minute {minute}: hidden {critical - shown}"
        if minute == MINUTES:
            assert len(open_now) == EVENTS
            assert len(critical) >= 20, "a storm without critical alerts proves nothing"
            domains = {storm.rules[rule].domain for rule, _ in open_now}
            assert domains >= {"weather", "traffic", "reports", "operations"}
            assert len({rule for rule, _ in open_now}) >= 6
            assert ledger.situations, "several domains met in place and time"
            hidden = sum(len(item.inhibited) for item in listed)
            assert (hidden > 100) is with_causes, "known causes hide their consequences, and say how many"
        if minute in (5, 15):  # somebody acknowledges what stands there meanwhile
            keys = [key for key in open_now if not ledger[key].acked]
            outcome = store.change_alerts(lambda ledger, keys=keys, now=now: acknowledge(ledger, keys, "Hà", now))
            expected += len(outcome.events)
        if minute == LASTS + 1:  # an underpass stays closed until somebody has looked
            keys = [key for key in open_now if ledger[key].latched]
            assert len(keys) > 20
            outcome = store.change_alerts(lambda ledger, keys=keys, now=now: reset(ledger, keys, "Hà", now, "đã khô"))
            expected += len(outcome.events)
    journal = store.read_journal(START, limit=100_000)
    assert len(journal) == expected
    deeds = Counter(journal["deed"])
    assert deeds["raise"] == EVENTS
    assert deeds["clear"] + deeds["latch"] == EVENTS
    assert deeds["open_situation"] == deeds["close_situation"] > 0, "once the water is gone, nothing stays open"
    assert not store.read_ledger().situations
    told = [
        AlertEvent(
            **{name: row[name] for name in row if name != "entry"} | {"happened_at": row["happened_at"].to_pydatetime()}
        )
        for row in journal.iloc[::-1].to_dict("records")
    ]
    present = replay(told)
    for alert in store.read_alerts():
        assert present[alert.key].situation == facts_of(alert).situation, alert.key
        assert present[alert.key].active == alert.active
    assert all(event.site_id.startswith("VV-") for event in told if event.rule == SITUATION)
    assert max(sizes) <= 10
    store.close()
