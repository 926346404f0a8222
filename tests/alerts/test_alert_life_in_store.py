"""A busy time at the alert desk on the real store: engine and people, gaps, wrong clocks, restarts.

And two people who click at the same moment, while the engine works.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from alerts.deeds import Deed, perform
from alerts.desk import Desk
from alerts.engine import evaluate
from alerts.refusals import Refused
from alerts.replay import facts_of, replay
from alerts.roster import load_roster
from alerts.rules import Rule, load_rules
from alerts.situations import Places, form, load_policy
from alerts.watch import after, in_turn
from core.alert import Alert, AlertEvent
from core.config import load_city
from core.ledger import Ledger, Outcome
from core.observations import frame
from store.duck import DuckStore

START = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
LONG_AGO = START - timedelta(days=400)
SITES = ["flood_01", "flood_02", "flood_03"]
CYCLE = timedelta(minutes=5)
ROUNDS = 120
RESTART_EVERY = 20
HA, HAI = "Lê Thu Hà", "Trần Minh Hải"
TEXTS = "".join(f'{name} = "x"\n' for name in ("cause", "consequence", "action", "owner", "title_vi", "title_en"))
RULES = {
    "underpass": """
        observed_property = "flood_depth"
        direction = "above"
        deadband = 3
        on_delay_min = 5
        latching = true
        [[level]]
        setpoint = 10
        priority = "high"
        [[level]]
        setpoint = 25
        priority = "critical"
    """,
    "road": """
        observed_property = "flood_depth"
        direction = "above"
        setpoint = 8
        priority = "medium"
        stale_after_min = 15
        realarm_min = 90
        suppress_when = 'alert("underpass")'
    """,
    "silent": """
        kind = "missing"
        observed_property = "flood_depth"
        stale_after_min = 20
        priority = "low"
        ack_expires_min = 0
    """,
}


@pytest.fixture
def rules(tmp_path: Path) -> tuple[Rule, ...]:
    for key, text in RULES.items():
        lines = [line.strip() for line in text.strip().splitlines()]
        (tmp_path / f"{key}.toml").write_text(f"time_to_act_min = 10\n{TEXTS}" + "\n".join(lines), encoding="utf-8")
    loaded = load_rules(tmp_path, None, None)
    assert all(rule.on for rule in loaded)
    return loaded


@pytest.fixture
def desk(rules: tuple[Rule, ...]) -> Desk:
    city = load_city("demo")
    return Desk(
        rules=rules,
        playbooks=(),
        roster=load_roster(city.folder / "absent.toml", city.zone),
        policy=load_policy(city.folder / "absent.toml"),
        places=Places.of(city),
    )


def told(store: DuckStore) -> list[AlertEvent]:
    """The journal as the house wrote it, oldest first."""
    rows = store.read_journal(LONG_AGO, limit=1_000_000).drop(columns="entry").iloc[::-1]
    return [
        AlertEvent(
            **{
                **row,
                "happened_at": row["happened_at"].to_pydatetime(),
                "value": None if pd.isna(row["value"]) else row["value"],
            }
        )
        for row in rows.to_dict("records")
    ]


def assert_the_journal_gives_the_present(store: DuckStore) -> list[AlertEvent]:
    journal = told(store)
    facts, alerts = replay(journal), store.read_alerts()
    assert set(facts) <= {alert.key for alert in alerts}, "a situation is no alert"
    for alert in alerts:
        lines = [event for event in journal if (event.rule, event.site_id) == alert.key]
        assert [line.state_before for line in lines] == ["NORM", *(line.state_after for line in lines)][: len(lines)]
        if lines:
            assert facts[alert.key] == facts_of(alert)
            assert lines[-1].state_after == alert.state
        else:
            assert alert.state == "NORM"
    return journal


def a_deed(chance: random.Random, ledger: Ledger, now: datetime) -> Deed | None:
    """Something that people might do now; most of it is allowed."""
    action = chance.choice(
        ["acknowledge"] * 5
        + ["unacknowledge", *["reset"] * 4, "shelve", "unshelve", "assign", "comment", "join", "split", "status"]
        + ["take_out_of_service", "return_to_service", "return_to_service"]
    )
    wanted = {"reset": "LATAC", "unshelve": "SHLVD", "return_to_service": "OOSRV"}.get(action)
    keys = sorted(key for key, alert in ledger.items() if alert.state != "NORM" and wanted in (None, alert.state))
    if not keys:
        return None
    chosen = tuple(chance.sample(keys, min(len(keys), chance.choice((1, 1, 3)))))
    return Deed(
        action=action,
        keys=chosen[:1] if action in ("unacknowledge", "comment", "reset") else chosen,
        text="lý do",
        until=now + chance.choice((1, 5)) * timedelta(minutes=30),
        work_order="PCV-118",
        unit="Đội 2",
        situation=chance.choice(["", *sorted(ledger.situations)]),
        status=chance.choice(["handling", "waiting", "closed"]),
    )


def life(chance: random.Random, desk: Desk) -> Iterator[partial[Outcome]]:
    """Changes of a busy time, as (ledger) -> Outcome; a refused deed raises."""
    history: list[dict[str, object]] = []
    depth = dict.fromkeys(SITES, 0.0)
    wrong_by = timedelta(0)
    for number in range(ROUNDS):
        time = START + number * CYCLE
        for site in SITES:
            depth[site] = max(0.0, depth[site] + chance.choice((-40, -9, -4, 0, 0, 4, 9, 16)))
            if chance.random() > 0.15:  # a gap now and then
                history.append({"time": time, "site_id": site, "value": min(depth[site], 45.0)})
        if chance.random() < 0.1:
            wrong_by = timedelta(minutes=chance.choice((-90, -2, 0, 0, 3, 60)))
        now = time + wrong_by
        window = frame(history[-12:], observed_property="flood_depth", quality="pass", source="gauges")
        yield partial(one_round, desk, window, now)
        for _ in range(chance.choice((0, 1, 2))):
            yield partial(one_deed, desk, chance.randrange(1 << 30), now + timedelta(seconds=chance.randrange(60)))


def one_round(desk: Desk, window: pd.DataFrame, now: datetime, ledger: Ledger) -> Outcome:
    return in_turn(
        ledger,
        lambda known: Outcome(*evaluate(desk.rules, window, known, now=now)),
        lambda known: form(known, desk.by_key, desk.policy, desk.places, now),
    )


def one_deed(desk: Desk, seed: int, now: datetime, ledger: Ledger) -> Outcome:
    chance = random.Random(seed)
    deed = a_deed(chance, ledger, now)
    return perform(deed, ledger, desk, actor=chance.choice((HA, HAI)), now=now) if deed else Outcome()


def by_alert(events: Sequence[AlertEvent]) -> list[AlertEvent]:
    """In memory the ledger has another order of alerts; of each alert the lines are in the order of their making."""
    return sorted(events, key=lambda event: (event.rule, event.site_id))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_busy_time_with_restarts_ends_as_without_them(tmp_path: Path, desk: Desk, seed: int) -> None:
    """The same life in memory, never restarted: the same alerts. And the journal alone gives them."""
    path = tmp_path / "city.duckdb"
    store, twin = DuckStore(path), Ledger(alerts={})
    done = 0
    for number, change in enumerate(life(random.Random(seed), desk)):
        try:
            expected = change(twin)
        except Refused:
            with pytest.raises(Refused):
                store.change_alerts(change)
            continue
        written = store.change_alerts(change)
        assert by_alert(written.events) == by_alert(expected.events)
        twin = after(twin, expected)
        done += 1
        if number % RESTART_EVERY == 0:
            store.close()
            store = DuckStore(path)
            assert {alert.key: alert for alert in store.read_alerts()} == dict(twin)
            assert_the_journal_gives_the_present(store)
    journal = assert_the_journal_gives_the_present(store)
    assert done > ROUNDS, "most deeds were allowed"
    assert {"raise", "latch", "clear", "acknowledge", "raise_priority", "reset", "suppress", "release", "join"} <= {
        event.deed for event in journal
    }, "a life in which too little happens proves nothing"
    assert store.verify() == []
    store.close()


def test_two_people_and_the_engine_at_the_same_moment(tmp_path: Path, desk: Desk) -> None:
    """Both acknowledge every alert, one by one, while the engine raises some of them to critical.

    Of each annunciation exactly one person is the one who acknowledged; the other reads who it was.
    """
    store = DuckStore(tmp_path / "city.duckdb")
    keys = [("underpass", f"flood_{number:02d}") for number in range(30)]

    def raised(value: float, minutes: int, ledger: Ledger) -> Outcome:
        time = START + timedelta(minutes=minutes)
        rows = [{"time": time - CYCLE, "site_id": site, "value": value} for _, site in keys]
        rows += [{"time": time, "site_id": site, "value": value} for _, site in keys]
        window = frame(rows, observed_property="flood_depth", quality="pass", source="gauges")
        return Outcome(*evaluate(desk.rules, window, ledger, now=time))

    store.change_alerts(partial(raised, 12.0, 10))
    ready = threading.Barrier(3)
    refusals: dict[str, list[str]] = {HA: [], HAI: []}

    def person(name: str) -> None:
        ready.wait()
        for key in keys:
            deed = Deed(action="acknowledge", keys=(key,))
            try:
                store.change_alerts(
                    lambda known, deed=deed: perform(deed, known, desk, actor=name, now=START + 3 * CYCLE)
                )
            except Refused as refusal:
                refusals[name].append(f"{refusal.code} {refusal.values['who']}")

    def engine() -> None:
        ready.wait()
        store.change_alerts(partial(raised, 40.0, 20))

    threads = [threading.Thread(target=person, args=(name,)) for name in (HA, HAI)]
    threads.append(threading.Thread(target=engine))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal = assert_the_journal_gives_the_present(store)
    alerts = {alert.key: alert for alert in store.read_alerts() if alert.rule == "underpass"}
    acks = [event for event in journal if event.deed == "acknowledge"]
    assert len(acks) + len(refusals[HA]) + len(refusals[HAI]) == 2 * len(keys), "every click was either done or told"
    assert set(refusals[HA]) <= {f"already_acknowledged {HAI}"}
    assert set(refusals[HAI]) <= {f"already_acknowledged {HA}"}
    for key in keys:
        alert: Alert = alerts[key]
        assert (alert.active, alert.priority) == (True, "critical")
        own = [event for event in journal if (event.rule, event.site_id) == key]
        since = max(place for place, event in enumerate(own) if event.deed == "raise_priority")
        later = [event for event in own[since:] if event.deed == "acknowledge"]
        assert alert.acked == bool(later)
        assert len(later) <= 1
        if later:
            assert alert.acked_by == later[0].actor
    store.close()
