"""The alert desk in the store: one transaction for everything that one deed touches, and an outbox that sends once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import duckdb
import numpy as np
import pytest

from core.alert import Alert, AlertEvent
from core.errors import InputError, StoreError
from core.ledger import AuditEntry, Handover, Ledger, Notice, Outcome, Situation, StepDone, Switch
from store.duck import DuckStore

TEN = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)  # Tuesday 10:00 in the city
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FLOOD = ("flood_depth_high", "underpass_1")
JAM = ("speed_low", "road_7")
HANOI = timezone(timedelta(hours=7))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckStore]:
    opened = DuckStore(tmp_path / "city.duckdb")
    yield opened
    opened.close()


def alert(key: tuple[str, str] = FLOOD, **further: object) -> Alert:
    standing = {"active": True, "acked": False, "priority": "critical", "began_at": TEN, "raised_at": TEN}
    return Alert(rule=key[0], site_id=key[1], **{**standing, **further})  # type: ignore[arg-type]


def event(key: tuple[str, str] = FLOOD, **further: object) -> AlertEvent:
    known = {"happened_at": TEN, "state_before": "NORM", "state_after": "UNACK", "priority": "critical"}
    return AlertEvent(rule=key[0], site_id=key[1], **{**known, "deed": "raise", **further})  # type: ignore[arg-type]


def situation(number: int = 1, **further: object) -> Situation:
    known = {"opened_at": TEN + number * MINUTE, "first_out": FLOOD}
    return Situation(id=f"VV-{number:04}", **{**known, **further})  # type: ignore[arg-type]


def step(number: int = 1, **further: object) -> StepDone:
    known = {"rule": FLOOD[0], "site_id": FLOOD[1], "began_at": TEN, "playbook": "flood", "version": "3"}
    return StepDone(**{**known, "step": number, "done_at": TEN + MINUTE, "done_by": "Lan", **further})  # type: ignore[arg-type]


def notice(name: str = "n1", **further: object) -> Notice:
    known = {
        "made_at": TEN, "rule": FLOOD[0], "site_id": FLOOD[1], "deed": "raise", "happened_at": TEN, "priority": "high",
        "channel": "mail", "recipient": "lan@example.vn", "subject": "Ngập hầm chui", "text": "0,45 m",
    }  # fmt: skip
    return Notice(id=name, **{**known, **further})  # type: ignore[arg-type]


def handover(number: int, **further: object) -> Handover:
    known = {"shift": "morning", "made_at": TEN + number * HOUR, "made_by": "Lan", "content": "{}"}
    return Handover(id=f"BG-{number}", **{**known, **further})  # type: ignore[arg-type]


def signed(number: int) -> Handover:
    at = TEN + number * HOUR
    return handover(number, signed_out_at=at, signed_out_by="Lan", signed_in_at=at, signed_in_by="Minh")


def entry(**further: object) -> AuditEntry:
    known = {
        "happened_at": TEN, "account": "lan", "account_type": "person", "session": "s1", "source_address": "10.0.0.7",
        "source_port": 50123, "action": "acknowledge", "object": "/".join(FLOOD), "result": "done",
    }  # fmt: skip
    return AuditEntry(**{**known, **further})  # type: ignore[arg-type]


def write(store: DuckStore, *given: Outcome) -> Outcome:
    for outcome in given:
        written = store.change_alerts(lambda ledger, outcome=outcome: outcome)  # type: ignore[misc]
    return written


def reopened(store: DuckStore) -> DuckStore:
    store.close()
    return DuckStore(store.path)


# One transaction --------------------------------------------------------------------------------------------------

EVERYTHING = Outcome(
    alerts=(alert(), alert(JAM, began_at=None)),
    events=(event(detail='{"to":["lan"]}'), event(JAM)),
    situations=(situation(lead="Minh", unit="Đội thoát nước", note="mưa lớn"),),
    steps=(step(1, note="đã gọi"), step(2, done_at=None, done_by="")),
    notices=(notice(payload="{}"), notice("n2", recipient="minh@example.vn", due_at=TEN + MINUTE)),
    switches=(Switch(name="mute_wall", until=TEN + 10 * MINUTE, by="Lan", at=TEN),),
    handovers=(handover(1, note="còn ngập", signed_out_at=TEN, signed_out_by="Lan"),),
    audit=(entry(before='{"state":"UNACK"}', after='{"state":"ACKED"}', reason="đã xem"),),
)


def test_everything_that_a_deed_touches_comes_back_as_it_went_in(store: DuckStore) -> None:
    assert write(store, EVERYTHING) == EVERYTHING
    for open_it in (lambda: store, lambda: reopened(store)):
        found = open_it()
        ledger = found.read_ledger()
        assert ledger == Ledger(
            alerts={one.key: one for one in EVERYTHING.alerts},
            situations={"VV-0001": EVERYTHING.situations[0]},
            steps={(*FLOOD, TEN, one.step): one for one in EVERYTHING.steps},
            switches={"mute_wall": EVERYTHING.switches[0]},
            handovers=tuple(EVERYTHING.handovers),
            next_situation=2,
        )
        assert list(ledger) == [FLOOD, JAM]
        assert found.read_notices() == list(reversed(EVERYTHING.notices))
        assert len(found.read_journal(TEN)) == 2
        assert found.audit_head()[0] == 1
        assert found.verify() == []
    found.close()


@pytest.mark.parametrize(
    "broken",
    [
        {"alerts": (alert(seen_at=datetime(2026, 3, 10, 10)),)},
        {"events": (event(happened_at=datetime(2026, 3, 10, 10)),)},
        {"situations": (situation(opened_at=datetime(2026, 3, 10, 10)),)},
        {"steps": (step(began_at=datetime(2026, 3, 10, 10)),)},
        {"notices": (notice(made_at=datetime(2026, 3, 10, 10)),)},
        {"switches": (Switch(name="mute_wall", until=datetime(2026, 3, 10, 10), by="Lan", at=TEN),)},
        {"handovers": (handover(1, signed_in_at=datetime(2026, 3, 10, 10)),)},
        {"audit": (entry(happened_at=datetime(2026, 3, 10, 10)),)},
        {"notices": (notice(text="\ud800"),)},
        {"alerts": (alert(escalated=2**40),)},
    ],
)
def test_one_bad_record_and_nothing_of_the_deed_is_written(store: DuckStore, broken: dict[str, object]) -> None:
    before = store.read_ledger()
    with pytest.raises(InputError):
        write(store, EVERYTHING._replace(**broken))
    assert store.read_ledger() == before
    assert store.read_journal(TEN).empty
    assert store.read_notices() == []
    assert store.audit_head() == (0, "0" * 64)
    write(store, EVERYTHING)
    assert store.verify() == []


@pytest.mark.parametrize("reached_the_disk", [False, True])
def test_a_commit_that_fails_is_not_remembered_but_read(
    store: DuckStore, monkeypatch: pytest.MonkeyPatch, reached_the_disk: bool
) -> None:
    """The disk is full just then: the next one at the desk sees what the file holds, not what was hoped or feared."""
    write(store, Outcome(alerts=[alert()]))

    @contextmanager
    def onto_a_full_disk(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        cursor.begin()
        yield
        cursor.commit() if reached_the_disk else cursor.rollback()
        raise duckdb.IOException("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("store.duck.transaction", onto_a_full_disk)
        with pytest.raises(StoreError, match="No space left"):
            write(store, Outcome(alerts=[alert(acked=True)]))
    assert store.read_alerts() == [alert(acked=reached_the_disk)]


def test_only_what_changed_is_written_and_told(store: DuckStore) -> None:
    write(store, EVERYTHING)
    again = write(store, EVERYTHING._replace(events=(), audit=()))
    assert again == Outcome(alerts=(), events=())
    one = write(store, EVERYTHING._replace(events=(), audit=(), alerts=(alert(), alert(JAM, acked=True))))
    assert [changed.key for changed in one.alerts] == [JAM]


def test_the_last_word_on_a_record_counts_within_one_outcome(store: DuckStore) -> None:
    write(store, Outcome(alerts=[alert(), alert(acked=True)], notices=[notice(text="một"), notice(text="hai")]))
    assert store.read_alerts() == [alert(acked=True)]
    assert [found.text for found in store.read_notices()] == ["một"], "the first message of a transition counts"


def test_a_storm_of_two_thousand_alerts_is_one_write_and_one_more_changes_few(store: DuckStore) -> None:
    storm = [alert(("flood_depth_high", f"underpass_{number:04}")) for number in range(2000)]
    events = [event(one.key, value=float(number)) for number, one in enumerate(storm)]
    write(store, Outcome(alerts=storm, events=events))
    assert store.read_alerts() == storm
    journal = store.read_journal(TEN, limit=5000)
    assert journal["entry"].tolist() == list(range(2000, 0, -1))
    assert journal["value"].tolist() == [float(number) for number in range(1999, -1, -1)], "in the order of the engine"
    later = [replace(one, seen_at=TEN + HOUR, value=number / 10) for number, one in enumerate(storm[:300])]
    write(store, Outcome(alerts=later))
    expected = later + storm[300:]
    assert store.read_alerts() == expected
    found = reopened(store)
    assert found.read_alerts() == expected
    found.close()


def test_alerts_stand_in_the_same_order_before_and_after_a_restart(store: DuckStore) -> None:
    for key in (JAM, FLOOD, ("rain_heavy", "station_2")):
        write(store, Outcome(alerts=[alert(key)]))
    expected = [FLOOD, ("rain_heavy", "station_2"), JAM]
    assert list(store.read_ledger()) == expected
    found = reopened(store)
    assert list(found.read_ledger()) == expected
    found.close()


def test_the_desk_is_read_from_the_file_once_and_then_known(store: DuckStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 alerts take longer to read than a deed may last: also an empty desk is known once it was written."""
    write(store, Outcome(situations=[situation()]))
    monkeypatch.setattr("store._desk.ledger", lambda cursor: pytest.fail("read from the file again"))
    write(store, Outcome(alerts=[alert()]))
    assert list(store.read_ledger()) == [FLOOD]


def test_a_change_cannot_scribble_in_the_ledger(store: DuckStore) -> None:
    def scribble(ledger: Ledger) -> Outcome:
        ledger.alerts[FLOOD] = alert()  # type: ignore[index]
        return Outcome()

    with pytest.raises(TypeError):
        store.change_alerts(scribble)
    assert store.read_alerts() == []


def test_values_of_numpy_and_times_of_the_city_come_back_plain(store: DuckStore) -> None:
    """An engine computes with numpy and a form speaks city time: the ledger afterwards is as after a restart."""
    strange = alert(
        active=np.bool_(True), value=np.float64(0.45), began_at=TEN.astimezone(HANOI), escalated=np.int64(2)
    )
    (written,) = write(store, Outcome(alerts=[strange])).alerts
    kept = store.read_ledger()[FLOOD]
    for one in (written, kept):
        assert (type(one.active), type(one.value), type(one.escalated)) == (bool, float, int)
        assert one.began_at is not None
        assert one.began_at.tzinfo is UTC
    assert kept == alert(value=0.45, escalated=2)
    write(store, Outcome(alerts=[alert(value=0.45, escalated="2")]))
    assert store.read_ledger()[FLOOD] == kept, "what reads the same after writing is no change"


def test_two_people_acknowledge_at_once_and_one_of_them_learns_it(store: DuckStore) -> None:
    write(store, Outcome(alerts=[alert()]))
    late: list[str] = []
    gate = threading.Barrier(2)

    def acknowledge(name: str) -> None:
        def change(ledger: Ledger) -> Outcome:
            if ledger[FLOOD].acked:
                raise InputError(f"{ledger[FLOOD].acked_by} was first")
            return Outcome([alert(acked=True, acked_by=name)], [event(actor=name)], audit=[entry(account=name)])

        gate.wait()
        try:
            store.change_alerts(change)
        except InputError:
            late.append(name)

    people = [threading.Thread(target=acknowledge, args=[name]) for name in ("Lan", "Minh")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    (first,) = {"Lan", "Minh"} - set(late)
    assert store.read_ledger()[FLOOD].acked_by == first
    assert store.read_journal(TEN)["actor"].tolist() == [first]
    assert store.read_audit(TEN)["account"].tolist() == [first]


def test_two_stores_on_one_file_see_each_others_deeds(store: DuckStore) -> None:
    other = DuckStore(store.path)
    write(store, Outcome(alerts=[alert()]))
    assert other.read_alerts() == [alert()]
    write(other, Outcome(alerts=[alert(acked=True)]))
    assert store.read_alerts() == [alert(acked=True)]
    other.close()
    assert store.read_alerts() == [alert(acked=True)]


def test_a_store_that_replaces_another_is_read_anew(store: DuckStore, tmp_path: Path) -> None:
    write(store, Outcome(alerts=[alert()]))
    store.backup(tmp_path / "copy.duckdb")
    write(store, Outcome(alerts=[alert(acked=True)]))
    store.close()
    (tmp_path / "copy.duckdb").replace(store.path)
    again = DuckStore(store.path)
    assert again.read_alerts() == [alert()]
    again.close()
    with pytest.raises(StoreError):
        again.read_alerts()


# Situations, steps, handovers -------------------------------------------------------------------------------------


def test_a_closed_situation_leaves_the_desk_and_stays_in_the_book(store: DuckStore) -> None:
    write(store, Outcome(situations=[situation(41), situation(42)]))
    write(store, Outcome(situations=[situation(41, status="closed", closed_at=TEN + HOUR)]))
    for found in (store.read_ledger(), reopened(store).read_ledger()):
        assert list(found.situations) == ["VV-0042"]
        assert found.next_situation == 43
    again = DuckStore(store.path)
    assert [one.id for one in again.read_situations(TEN + HOUR)] == ["VV-0042", "VV-0041"]
    assert [one.id for one in again.read_situations(TEN + HOUR + MINUTE)] == ["VV-0042"]
    write(again, Outcome(situations=[situation(41, status="handling")]))
    assert list(again.read_ledger().situations) == ["VV-0041", "VV-0042"], "opened anew, not a second one of that name"
    assert again.verify() == []
    again.close()


def test_the_next_activation_begins_with_an_empty_list_of_steps(store: DuckStore) -> None:
    write(store, Outcome(alerts=[alert()], steps=[step(1), step(2)]))
    assert len(store.read_ledger().steps) == 2
    write(store, Outcome(alerts=[alert(began_at=TEN + HOUR)]))
    assert store.read_ledger().steps == {}
    write(store, Outcome(steps=[step(1, began_at=TEN + HOUR)]))
    assert list(store.read_ledger().steps) == [(*FLOOD, TEN + HOUR, 1)]
    assert [(one.began_at, one.step) for one in store.read_steps(*FLOOD)] == [(TEN + HOUR, 1), (TEN, 1), (TEN, 2)]
    assert store.read_steps(*JAM) == []


def test_an_unticked_step_is_the_same_step(store: DuckStore) -> None:
    write(store, Outcome(alerts=[alert()], steps=[step(1)]), Outcome(steps=[step(1, done_at=None)]))
    assert store.read_steps(*FLOOD) == [step(1, done_at=None)]
    write(store, Outcome(alerts=[alert(began_at=TEN + HOUR)]), Outcome(steps=[step(1, note="bổ sung")]))
    assert store.read_steps(*FLOOD) == [step(1, note="bổ sung")], "also one of an activation that is over"
    assert store.verify() == []


def test_the_desk_shows_handovers_that_lack_a_signature_and_the_last_whole_one(store: DuckStore) -> None:
    write(store, Outcome(handovers=[signed(1), signed(2), handover(3), handover(4)]))
    assert [one.id for one in store.read_ledger().handovers] == ["BG-4", "BG-3", "BG-2"]
    half = handover(3, signed_out_at=TEN, signed_out_by="Lan")
    write(store, Outcome(handovers=[half]))
    assert [one.id for one in store.read_ledger().handovers] == ["BG-4", "BG-3", "BG-2"]
    write(store, Outcome(handovers=[signed(3), signed(1)]))
    assert [one.id for one in store.read_ledger().handovers] == ["BG-4", "BG-3"]
    assert [one.id for one in store.read_handovers(limit=3)] == ["BG-4", "BG-3", "BG-2"]
    assert store.verify() == []


def test_a_switch_is_turned_again_not_added(store: DuckStore) -> None:
    on = Switch(name="mute_wall", until=TEN + 10 * MINUTE, by="Lan", at=TEN)
    off = replace(on, until=TEN + MINUTE, by="Minh", at=TEN + MINUTE)
    write(store, Outcome(switches=[on]), Outcome(switches=[off]))
    assert dict(store.read_ledger().switches) == {"mute_wall": off}
    found = reopened(store)
    assert dict(found.read_ledger().switches) == {"mute_wall": off}
    found.close()


# Outbox -----------------------------------------------------------------------------------------------------------


def test_a_transition_is_told_once_however_often_it_is_planned(store: DuckStore) -> None:
    assert write(store, Outcome(notices=[notice()])).notices == (notice(),)
    (claimed,) = store.claim_notices(TEN)
    store.settle_notice("n1", state="sent", now=TEN)
    written = write(store, Outcome(notices=[notice(), notice("n2")]))
    assert [one.id for one in written.notices] == ["n2"]
    assert claimed == notice(state="sending", tries=1)
    assert [one.id for one in store.claim_notices(TEN)] == ["n2"]
    assert store.claim_notices(TEN) == [], "what is under way is not taken twice"


def test_the_most_urgent_and_oldest_goes_first(store: DuckStore) -> None:
    waiting = [
        notice("a", priority="low"),
        notice("b", priority="critical", made_at=TEN + MINUTE),
        notice("c", priority="critical"),
        notice("d", priority="critical", due_at=TEN + HOUR),
        notice("e", priority="medium"),
    ]
    write(store, Outcome(notices=waiting))
    assert [one.id for one in store.claim_notices(TEN, limit=2)] == ["c", "b"]
    assert [one.id for one in store.claim_notices(TEN)] == ["e", "a"]
    assert store.claim_notices(TEN + HOUR - MINUTE) == []
    assert [one.id for one in store.claim_notices(TEN + HOUR)] == ["d"], "due at that moment"


def test_one_channel_takes_only_its_own(store: DuckStore) -> None:
    write(store, Outcome(notices=[notice("a"), notice("b", channel="zalo")]))
    assert [one.id for one in store.claim_notices(TEN, channels=("zalo",))] == ["b"]
    assert store.claim_notices(TEN, channels=()) == []
    assert [one.id for one in store.claim_notices(TEN, channels=("mail", "zalo"))] == ["a"]


def test_a_failed_try_waits_for_its_next_time_and_counts(store: DuckStore) -> None:
    write(store, Outcome(notices=[notice()]))
    store.claim_notices(TEN)
    store.settle_notice("n1", state="queued", now=TEN, due_at=TEN + MINUTE, error="421 busy")
    (waiting,) = store.read_notices(["queued"])
    assert (waiting.settled_at, waiting.due_at, waiting.error, waiting.tries) == (None, TEN + MINUTE, "421 busy", 1)
    assert store.claim_notices(TEN) == []
    (again,) = store.claim_notices(TEN + MINUTE)
    assert again.tries == 2
    store.settle_notice("n1", state="failed", now=TEN + HOUR, error="550 no such user")
    (failed,) = store.read_notices(["failed"])
    assert (failed.settled_at, failed.error) == (TEN + HOUR, "550 no such user")


def test_what_was_being_sent_when_the_server_died_is_never_sent_again_unasked(store: DuckStore) -> None:
    write(store, Outcome(notices=[notice("a"), notice("b"), notice("c", due_at=TEN + HOUR)]))
    store.claim_notices(TEN, limit=1)
    again = reopened(store)
    (unclear,) = again.read_notices(["unclear"])
    assert unclear.id == "a"
    assert unclear.settled_at is not None
    assert unclear.error == "the server stopped while this was being sent"
    assert [one.id for one in again.claim_notices(TEN + HOUR)] == ["b", "c"], "those that nobody touched go out"
    again.settle_notice("a", state="queued", now=TEN, only_from=["failed", "unclear"])
    assert [one.id for one in again.claim_notices(TEN + HOUR)] == ["a"], "a person asked for it"
    again.close()


def test_two_supervisors_who_send_anew_send_once(store: DuckStore) -> None:
    write(store, Outcome(notices=[notice()]))
    store.claim_notices(TEN)
    store.settle_notice("n1", state="failed", now=TEN)
    store.settle_notice("n1", state="queued", now=TEN, only_from=["failed", "unclear"])
    store.claim_notices(TEN)
    with pytest.raises(InputError, match="«sending» and cannot become «queued»"):
        store.settle_notice("n1", state="queued", now=TEN, only_from=["failed", "unclear"])
    store.settle_notice("n1", state="sent", now=TEN)
    assert [one.state for one in store.read_notices()] == ["sent"]


WAYS = {
    "queued": {"dropped"},
    "sending": {"sent", "failed", "unclear", "queued"},
    "failed": {"queued", "dropped"},
    "unclear": {"queued", "dropped"},
    "sent": set(),
    "dropped": set(),
}


@pytest.mark.parametrize("state", list(WAYS))
@pytest.mark.parametrize("wanted", [*WAYS, "lost"])
def test_a_notice_goes_only_the_ways_of_its_life(store: DuckStore, state: str, wanted: str) -> None:
    write(store, Outcome(notices=[notice(state=state)]))
    if wanted in WAYS[state]:
        store.settle_notice("n1", state=wanted, now=TEN)
        assert [one.state for one in store.read_notices()] == [wanted]
    else:
        with pytest.raises(InputError, match=f"notice n1 is «{state}» and cannot become «{wanted}»"):
            store.settle_notice("n1", state=wanted, now=TEN)
        assert store.read_notices() == [notice(state=state)]


def test_a_notice_that_is_not_there_cannot_be_settled(store: DuckStore) -> None:
    with pytest.raises(InputError, match="notice n9"):
        store.settle_notice("n9", state="sent", now=TEN)


def test_notices_are_read_newest_first_by_state_and_time(store: DuckStore) -> None:
    write(store, Outcome(notices=[notice(f"n{number}", made_at=TEN + number * MINUTE) for number in range(4)]))
    store.claim_notices(TEN, limit=1)
    store.settle_notice("n0", state="failed", now=TEN)
    assert [one.id for one in store.read_notices()] == ["n3", "n2", "n1", "n0"]
    assert [one.id for one in store.read_notices(limit=2)] == ["n3", "n2"]
    assert [one.id for one in store.read_notices(["failed", "unclear"])] == ["n0"]
    assert [one.id for one in store.read_notices(since=TEN + 2 * MINUTE)] == ["n3", "n2"]
    assert store.read_notices([]) == []


def test_settled_notices_are_forgotten_with_the_observations_and_waiting_ones_are_not(store: DuckStore) -> None:
    """They carry addresses of persons; a message that still waits is kept however old it is."""
    write(store, Outcome(alerts=[alert()], notices=[notice("a"), notice("b"), notice("c", due_at=TEN + 9 * HOUR)]))
    store.claim_notices(TEN)
    store.settle_notice("a", state="sent", now=TEN)
    store.settle_notice("b", state="sent", now=TEN + HOUR)
    assert store.prune(TEN + HOUR) == 1
    assert [one.id for one in store.read_notices()] == ["c", "b"]
    assert store.read_alerts() == [alert()]


def test_verify_tells_what_stands_twice_on_the_desk(store: DuckStore) -> None:
    write(store, EVERYTHING)
    store.close()
    with duckdb.connect(str(store.path)) as hand:
        for table in ("alerts", "journal", "situations", "playbook_steps", "handovers", "notices"):
            hand.execute(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1")
    again = DuckStore(store.path)
    found = " / ".join(again.verify())
    for words in ("alert is", "journal entry is", "situation is", "step is", "handover is", "notice is"):
        assert f"1 x {words} there twice" in found
    again.close()


def test_what_is_written_together_is_taken_back_together(store: DuckStore) -> None:
    """The second half of a deed is refused, so the first never was, also in what memory knows of the desk."""

    def deed() -> None:
        with store.together():
            store.change_alerts(lambda _: Outcome(alerts=[alert()]))
            assert FLOOD in store.read_ledger(), "the deed itself sees what it wrote"
            raise InputError("the second was refused")

    with pytest.raises(InputError, match="second"):
        deed()
    assert FLOOD not in store.read_ledger()
    assert store.read_alerts() == []
    with store.together():
        store.change_alerts(lambda _: Outcome(alerts=[alert()]))
    assert FLOOD in store.read_ledger()
