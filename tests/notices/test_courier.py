"""The courier: nothing twice, nothing lost, and a dead mail server delays nobody but the mail."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.ledger import Notice, Outcome
from notices import Courier
from notices._contract import NotSent, Unclear
from notices.courier import WAITS
from notices.routes import Routes
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.conftest import EVENING
from tests.notices.outbox import FLOOD, RAIN, Outbox, am_channel, hook_channel, mail_channel, notice, routes
from tests.notices.servers import Request, closed_port, post_office, says, web

PATIENCE_S = 20.0


@dataclass
class Told:
    """A channel that a test speaks for: `answers` are raised one after the other, then everything is delivered."""

    key: str = "hook"
    answers: list[Exception] = field(default_factory=list)
    repeatable: bool = False
    kind: str = "told"
    address: str = ""
    sent: list[Notice] = field(default_factory=list)
    happened: threading.Event = field(default_factory=threading.Event)

    def send(self, notice: Notice) -> None:
        self.sent.append(notice)
        self.happened.set()
        if self.answers:
            raise self.answers.pop(0)


def later(**changed: Any) -> NotSent:
    return NotSent("no_connection", "post: no connection", **{"retry": True, "whole_channel": False, **changed})


def courier(queue: Any, clock: SetClock, *channels: Any) -> Courier:
    return Courier(queue, Routes(channels={one.key: one for one in channels}), clock)


@pytest.fixture(params=["memory", "store"])
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """The queue in memory, and the store itself: both keep the same promises."""
    if request.param == "memory":
        yield Outbox()
        return
    store = DuckStore(tmp_path / "city.duckdb")
    yield store
    store.close()


def put(queue: Any, *notices: Notice) -> None:
    if isinstance(queue, Outbox):
        queue.add(*notices)
    else:
        queue.change_alerts(lambda _: Outcome(notices=list(notices)))


def only(queue: Any) -> Notice:
    (found,) = queue.read_notices()
    assert isinstance(found, Notice)
    return found


# -- the life of a notice --------------------------------------------------------------------------------------------


def test_delivered_once_and_never_again(queue: Any, clock: SetClock) -> None:
    put(queue, notice())
    put(queue, notice())  # planned twice: it exists once
    channel = Told()
    out = courier(queue, clock, channel)
    assert out.deliver_once() == 1
    clock.advance(timedelta(days=1))
    assert out.deliver_once() == 0
    assert len(channel.sent) == 1
    assert (only(queue).state, only(queue).tries, only(queue).error) == ("sent", 1, "")
    assert only(queue).settled_at == EVENING


def test_what_was_surely_not_sent_is_tried_again_ever_more_rarely_and_then_shown(queue: Any, clock: SetClock) -> None:
    put(queue, notice())
    channel = Told(answers=[later() for _ in range(9)])
    out = courier(queue, clock, channel)
    assert out.deliver_once() == 1
    for number, wait in enumerate(WAITS, start=1):
        assert (only(queue).state, only(queue).tries) == ("queued", number)
        assert only(queue).due_at == clock.now() + wait
        clock.advance(wait - timedelta(seconds=1))
        assert out.deliver_once() == 0, "not a second before its time"
        clock.advance(timedelta(seconds=1))
        assert out.deliver_once() == 1
    assert (only(queue).state, only(queue).tries) == ("failed", 7)
    assert only(queue).error == "no_connection: post: no connection"
    clock.advance(timedelta(days=1))
    assert out.deliver_once() == 0
    assert [wait.total_seconds() for wait in WAITS] == [30, 120, 300, 900, 1800, 3600]


def test_a_server_that_comes_back_gets_it(queue: Any, clock: SetClock) -> None:
    put(queue, notice())
    channel = Told(answers=[later(), later()])
    out = courier(queue, clock, channel)
    for wait in (timedelta(0), *WAITS[:2]):
        clock.advance(wait)
        out.deliver_once()
    assert (only(queue).state, only(queue).tries, only(queue).error) == ("sent", 3, "")


def test_the_wait_that_a_server_asks_for_is_kept(queue: Any, clock: SetClock) -> None:
    put(queue, notice())
    courier(queue, clock, Told(answers=[later(wait=timedelta(minutes=10))])).deliver_once()
    assert only(queue).due_at == EVENING + timedelta(minutes=10)


def test_a_refusal_is_shown_at_once(queue: Any, clock: SetClock) -> None:
    put(queue, notice())
    out = courier(queue, clock, Told(answers=[NotSent("refused", "550 no such user", retry=False)]))
    out.deliver_once()
    assert (only(queue).state, only(queue).error) == ("failed", "refused: 550 no such user")


@pytest.mark.parametrize("doubt", [Unclear("no_answer", "silence"), RuntimeError("a defect")])
def test_a_doubt_is_shown_and_never_sent_again_by_itself(queue: Any, clock: SetClock, doubt: Exception) -> None:
    put(queue, notice())
    channel = Told(answers=[doubt])
    out = courier(queue, clock, channel)
    out.deliver_once()
    clock.advance(timedelta(days=1))
    out.deliver_once()
    assert only(queue).state == "unclear"
    assert only(queue).error in ("no_answer: silence", "defect: RuntimeError")
    assert len(channel.sent) == 1


def test_a_person_may_send_a_doubtful_one_again(queue: Any, clock: SetClock) -> None:
    put(queue, notice())
    channel = Told(answers=[Unclear("no_answer", "silence")])
    out = courier(queue, clock, channel)
    out.deliver_once()
    queue.settle_notice(only(queue).id, state="queued", now=clock.now(), due_at=clock.now())
    assert out.deliver_once() == 1
    assert only(queue).state == "sent"


def test_a_receiver_that_tells_repetitions_apart_gets_a_doubtful_one_again(queue: Any, clock: SetClock) -> None:
    put(queue, notice())
    channel = Told(answers=[Unclear("no_answer", "silence") for _ in range(8)], repeatable=True)
    out = courier(queue, clock, channel)
    out.deliver_once()
    assert only(queue).state == "queued"
    for wait in WAITS:
        clock.advance(wait)
        out.deliver_once()
    assert only(queue).state == "unclear", "given up, and still nobody knows"


def test_alertmanager_is_not_told_of_the_past(queue: Any, clock: SetClock) -> None:
    """The raise could not be sent, the end of the alert could: sent after it, the raise would light it up again."""
    raised = notice(1, happened_at=EVENING, made_at=EVENING)
    put(queue, raised)
    channel = Told(answers=[later()], repeatable=True)
    out = courier(queue, clock, channel)
    out.deliver_once()
    clock.advance(timedelta(seconds=20))
    ended = notice(2, deed="clear", happened_at=clock.now(), made_at=clock.now())
    elsewhere = notice(3, rule=RAIN[0], site_id=RAIN[1], happened_at=clock.now(), made_at=clock.now())
    put(queue, ended, elsewhere)
    out.deliver_once()
    clock.advance(timedelta(minutes=1))
    out.deliver_once()
    assert [one.deed for one in channel.sent] == ["raise", "clear", "raise"]
    assert channel.sent[-1].rule == RAIN[0]
    found = {one.id: one for one in queue.read_notices()}
    assert (found[raised.id].state, found[raised.id].error) == ("sent", "overtaken: ")


def test_a_channel_whose_server_is_dead_is_asked_with_one_notice_only(queue: Any, clock: SetClock) -> None:
    put(queue, *[notice(number) for number in range(20)])
    channel = Told(answers=[later(whole_channel=True)])
    out = courier(queue, clock, channel)
    assert out.deliver_once() == 1
    assert out.deliver_once() == 0
    clock.advance(timedelta(seconds=30))
    assert out.deliver_once() == 20, "it answers again, so all of them go"
    assert {one.state for one in queue.read_notices()} == {"sent"}


def test_one_bad_recipient_does_not_hold_up_the_others(queue: Any, clock: SetClock) -> None:
    put(queue, *[notice(number) for number in range(5)])
    channel = Told(answers=[NotSent("refused", "451 greylisted", retry=True)])
    assert courier(queue, clock, channel).deliver_once() == 5
    assert sorted(one.state for one in queue.read_notices()) == ["queued", "sent", "sent", "sent", "sent"]


def test_notices_of_a_channel_that_is_gone_do_not_wait_for_ever(queue: Any, clock: SetClock) -> None:
    put(queue, notice(1, channel="old_gateway"), notice(2))
    channel = Told()
    courier(queue, clock, channel).deliver_once()
    found = {one.channel: one for one in queue.read_notices()}
    assert (found["old_gateway"].state, found["old_gateway"].error) == ("failed", "no_channel: old_gateway")
    assert found["hook"].state == "sent"


# -- threads ---------------------------------------------------------------------------------------------------------


def until(condition: Callable[[], bool], step: threading.Event | None = None) -> None:
    """Wait for something that a thread does; a test that waits in vain fails instead of hanging."""
    pause = step or threading.Event()
    for _ in range(int(PATIENCE_S / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen")


def test_a_mail_server_that_hangs_delays_no_webhook(queue: Any, clock: SetClock) -> None:
    with post_office(silent_at="dot") as post, web() as hook:
        put(queue, *[notice(number, "mail", "ha@thanhlam.example") for number in range(5)])
        put(queue, *[notice(100 + number) for number in range(5)])
        out = courier(queue, clock, mail_channel(post.port, timeout_s=60.0), hook_channel(hook.url))
        out.start()
        until(lambda: len(hook.got) == 5)
        until(lambda: len(post.mails) == 1)
        until(lambda: sum(one.state == "sent" for one in queue.read_notices()) == 5)
        mails = sorted(one.state for one in queue.read_notices() if one.channel == "mail")
        assert mails == ["queued"] * 4 + ["sending"], "only one is in doubt if the server dies now"
        post.release.set()
        until(lambda: any(one.state == "unclear" for one in queue.read_notices()))
        out.stop()


def test_news_wake_the_courier_at_once(queue: Any, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notices.courier.LOOK_S", 3600.0)
    channel = Told()
    out = courier(queue, clock, channel)
    out.start()
    put(queue, notice())
    out.wake()
    assert channel.happened.wait(PATIENCE_S)
    until(lambda: only(queue).state == "sent")
    out.stop()
    assert not any(thread.name.startswith("notices-") for thread in threading.enumerate())


def test_a_store_that_is_busy_for_a_moment_does_not_end_the_thread(
    clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notices.courier.LOOK_S", 0.1)
    queue = Outbox()
    queue.add(notice())
    real, failures = queue.claim_notices, [InputError("busy"), InputError("busy")]

    def claim(*given: Any, **named: Any) -> list[Notice]:
        if failures:
            raise failures.pop()
        return real(*given, **named)

    monkeypatch.setattr(queue, "claim_notices", claim)
    channel = Told()
    out = courier(queue, clock, channel)
    out.start()
    assert channel.happened.wait(PATIENCE_S)
    out.stop()


def test_stop_does_not_wait_for_a_message_that_hangs(clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notices.courier.PATIENCE_S", 0.1)
    queue = Outbox()
    queue.add(notice(1), notice(2))
    with web() as hook:

        def hang(_: Request) -> tuple[int, dict[str, str]]:
            hook.release.wait(30)
            return (204, {})

        hook.answer = hang
        out = courier(queue, clock, hook_channel(hook.url, timeout_s=60.0))
        out.start()
        until(lambda: len(hook.got) == 1)
        out.stop()
        assert sorted(queue.states()) == ["queued", "sending"], "the one under way is left as it is"
        hook.release.set()
        until(lambda: not any(thread.name.startswith("notices-") for thread in threading.enumerate()))
        assert len(hook.got) == 1, "nothing new is begun after stop"


# -- the way through -------------------------------------------------------------------------------------------------


def test_all_four_protocols_from_one_queue(queue: Any, clock: SetClock) -> None:
    with post_office() as post, web() as hook, web(says(200)) as manager:
        facts = {
            "rule": FLOOD[0], "site_id": FLOOD[1], "state": "UNACK", "priority": "critical", "priority_before": "",
            "happened_at": EVENING.isoformat(), "began_at": "", "city": "demo", "drill": False, "simulated": True,
            "summary": {"vi": "Ngập", "en": "Flood"}, "action": {"vi": "", "en": ""}, "owner": {"vi": "", "en": ""},
            "link": "",
        }  # fmt: skip
        put(queue, notice(1, "mail", "ha@thanhlam.example"), notice(2))
        put(queue, notice(3, "am", payload=json.dumps(facts)))
        channels = (mail_channel(post.port), hook_channel(hook.url), am_channel(manager.url.removesuffix("/hook")))
        assert Courier(queue, routes(*channels), clock).deliver_once() == 3
    assert (len(post.mails), len(hook.got), len(manager.got)) == (1, 1, 1)
    assert {one.state for one in queue.read_notices()} == {"sent"}


def test_a_restart_in_the_middle_loses_nothing_and_repeats_nothing(tmp_path: Path, clock: SetClock) -> None:
    path = tmp_path / "city.duckdb"
    store = DuckStore(path)
    put(store, *[notice(number) for number in range(6)])
    first = Told(answers=[later(), Unclear("no_answer", "silence")])
    claimed = store.claim_notices(clock.now(), 1, channels=("hook",))
    assert courier(store, clock, first).deliver_once() == 5
    store.close()
    store = DuckStore(path)
    states = sorted(one.state for one in store.read_notices())
    assert states == ["queued", "sent", "sent", "sent", "unclear", "unclear"], "what was under way is in doubt"
    clock.advance(timedelta(minutes=5))
    second = Told()
    assert courier(store, clock, second).deliver_once() == 1
    assert not {one.id for one in claimed} & {one.id for one in (*first.sent, *second.sent)}
    assert [one.state for one in store.read_notices()].count("sent") == 4
    store.close()


def test_a_dead_port_is_tried_again(clock: SetClock) -> None:
    queue = Outbox()
    queue.add(notice(), replace(notice(2), channel="mail", recipient="ha@thanhlam.example"))
    dead = hook_channel(f"http://127.0.0.1:{closed_port()}/")
    courier(queue, clock, dead, mail_channel(closed_port())).deliver_once()
    assert queue.states() == ["queued", "queued"]
    assert all(one.error.startswith("no_connection: ") for one in queue.notices.values())
