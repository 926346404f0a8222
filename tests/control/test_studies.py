"""Long questions: answered once for all, told while they run, and never a reason for a screen to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from control import studies as room
from control.studies import Studies, Study, Tell
from core.errors import InputError
from tests.clockwork import SetClock
from tests.conftest import EVENING

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(EVENING)


@pytest.fixture
def studies(clock: SetClock) -> Iterator[Studies]:
    made = Studies(clock)
    yield made
    made.stop()


def rest(studies: Studies) -> None:
    """Wait until the thread has answered everything that was asked so far."""
    done = threading.Event()
    studies.ask(("rest", object()), lambda _: done.set(), HOUR)
    assert done.wait(30)


class Work:
    """A computation that waits to be let go and counts how often it ran."""

    def __init__(self) -> None:
        self.ran = 0
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, tell: Tell) -> int:
        self.ran += 1
        tell(0.5)
        self.begun.set()
        assert self.go.wait(30)
        return self.ran


def test_two_viewers_of_one_question_wait_for_one_computation(studies: Studies) -> None:
    work = Work()
    first = studies.ask("satisfaction", work, HOUR)
    assert first.busy
    assert first.value is None
    assert work.begun.wait(30)
    second = studies.ask("satisfaction", work, HOUR)
    assert second.progress == 0.5
    work.go.set()
    rest(studies)
    answered: Study[int] = studies.ask("satisfaction", work, HOUR)
    assert (answered.value, answered.busy, answered.made_at, work.ran) == (1, False, EVENING, 1)


def test_the_old_answer_stands_while_the_new_one_is_made(studies: Studies, clock: SetClock) -> None:
    studies.ask("forecast", lambda _: "hôm qua", HOUR)
    rest(studies)
    clock.advance(HOUR)
    work = Work()
    known = studies.ask("forecast", work, HOUR)
    assert (known.value, known.busy) == ("hôm qua", True)
    work.go.set()
    rest(studies)
    assert studies.known("forecast").value == 1
    assert studies.known("forecast").made_at == EVENING + HOUR


def test_bad_input_is_told_in_words_and_tried_again_after_its_time(studies: Studies, clock: SetClock) -> None:
    def refuses(_: Tell) -> int:
        raise InputError("chưa đủ 14 ngày số liệu")

    studies.ask("links", refuses, HOUR)
    rest(studies)
    assert studies.ask("links", lambda _: 7, HOUR).problem == "chưa đủ 14 ngày số liệu"
    clock.advance(HOUR)
    studies.ask("links", lambda _: 7, HOUR)
    rest(studies)
    assert (studies.known("links").value, studies.known("links").problem) == (7, "")


def test_a_defect_ends_neither_the_thread_nor_hides_itself(studies: Studies, caplog: pytest.LogCaptureFixture) -> None:
    studies.ask("broken", lambda _: 1 // 0, HOUR)
    rest(studies)
    assert "nhật ký" in studies.known("broken").problem
    assert "ZeroDivisionError" in caplog.text


def test_months_of_different_questions_are_forgotten(studies: Studies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_KEPT", 3)
    answer: Callable[[Tell], int] = lambda _: 1  # noqa: E731
    for name in ("a", "b", "c", "d"):
        studies.ask(name, answer, HOUR)
    rest(studies)
    assert studies.known("a") == Study()
    assert studies.known("d").value == 1


def test_questions_that_were_forgotten_while_they_waited_are_not_worked_out(
    studies: Studies, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody flicks through a hundred pairs: what no screen asks for any more must not hold up the others."""
    monkeypatch.setattr(room, "MOST_KEPT", 3)
    going, begun = threading.Event(), threading.Event()

    def first(_: Tell) -> None:
        begun.set()
        assert going.wait(30)

    answered: list[int] = []
    studies.ask(("first",), first, HOUR)
    assert begun.wait(30)
    for number in range(20):
        studies.ask(("pair", number), lambda _, number=number: answered.append(number), HOUR)
    going.set()
    rest(studies)
    assert answered == [18, 19], "the newest that are still known, beside the question that ends this test"
