"""Queues with an end, and boxes that take only what is signed, fresh and new."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from core import inbox
from core.inbox import MOST_SEEN, Inbox, Queue, Verdict, box_of, close_box, open_box, signature

SECRET = "a secret that nobody guesses 0123456789"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))


def test_a_full_queue_forgets_its_oldest_and_says_how_many() -> None:
    queue: Queue[str] = Queue(most=2)
    for item in ("a", "b", "c", "d"):
        queue.put(item, 1)
    assert queue.drain() == (["c", "d"], 2)
    assert queue.drain() == ([], 0)


def test_the_bytes_of_a_queue_are_bounded_too() -> None:
    queue: Queue[str] = Queue(most=10, most_bytes=100)
    for item, size in (("a", 60), ("b", 40), ("c", 50), ("too large", 101)):
        queue.put(item, size)
    assert queue.drain() == (["b", "c"], 2)  # a made room, and one was never taken in
    assert queue.offer("d", 100)
    assert not queue.offer("e", 1)
    assert queue.drain() == (["d"], 0)
    assert queue.offer("e", 1)


def test_a_queue_can_be_waited_for() -> None:
    queue: Queue[str] = Queue()
    assert not queue.wait(0.0)
    queue.put("a", 1)
    assert queue.wait(0.0)


def test_the_signature_is_what_every_language_computes() -> None:
    expected = hmac.new(SECRET.encode(), f"{STAMP}.".encode() + b"{}", hashlib.sha256).hexdigest()
    assert signature(SECRET, STAMP, b"{}") == f"sha256={expected}"


def test_what_is_signed_is_taken_once() -> None:
    box = Inbox(SECRET)
    signed = signature(SECRET, STAMP, b"{}")
    assert box.take(STAMP, signed, b"{}", NOW) is Verdict.TAKEN
    assert box.take(STAMP, signed, b"{}", NOW + timedelta(minutes=5)) is Verdict.SEEN_BEFORE
    assert box.drain() == [b"{}"]
    assert box.take(STAMP, signed, b"{}", NOW) is Verdict.SEEN_BEFORE  # also after it was taken out
    assert box.drain() == []


@pytest.mark.parametrize("stamp", ["", "x", "-1", "1e9", "²", "9" * 13, "9" * 5000, " " + STAMP])
def test_a_stamp_that_is_none_is_not_signed_whatever_the_signature_says(stamp: str) -> None:
    assert Inbox(SECRET).take(stamp, signature(SECRET, stamp, b""), b"", NOW) is Verdict.NOT_SIGNED


@pytest.mark.parametrize(("off_s", "verdict"), [(300, 202), (-300, 202), (301, 401), (-301, 401)])
def test_clocks_may_differ_by_five_minutes(off_s: int, verdict: int) -> None:
    stamp = str(int(NOW.timestamp()) + off_s)
    assert Inbox(SECRET).take(stamp, signature(SECRET, stamp, b""), b"", NOW) == verdict


@pytest.mark.parametrize(
    ("secret", "stamp", "body"),
    [("another secret", STAMP, b"{}"), (SECRET, str(int(STAMP) + 1), b"{}"), (SECRET, STAMP, b"{ }"), ("", STAMP, b"")],
)
def test_another_secret_stamp_or_body_is_not_signed(secret: str, stamp: str, body: bytes) -> None:
    box = Inbox(SECRET)
    assert box.take(STAMP, signature(secret, stamp, body), b"{}", NOW) is Verdict.NOT_SIGNED
    assert box.take(STAMP, "", b"{}", NOW) is Verdict.NOT_SIGNED
    assert box.take(STAMP, "sha256=é", b"{}", NOW) is Verdict.NOT_SIGNED
    assert box.drain() == []


def test_a_push_that_found_no_room_may_come_again() -> None:
    box = Inbox(SECRET, most=1)
    first, second = signature(SECRET, STAMP, b"1"), signature(SECRET, STAMP, b"2")
    assert box.take(STAMP, first, b"1", NOW) is Verdict.TAKEN
    assert box.take(STAMP, second, b"2", NOW) is Verdict.NO_ROOM
    assert box.drain() == [b"1"]
    assert box.take(STAMP, second, b"2", NOW) is Verdict.TAKEN


def test_signatures_are_remembered_as_long_as_their_stamp_counts_and_no_longer() -> None:
    box = Inbox(SECRET)
    early = str(int(NOW.timestamp()) + 300)  # a fast clock: counts for ten minutes
    assert box.take(early, signature(SECRET, early, b""), b"", NOW) is Verdict.TAKEN
    assert box.take(STAMP, signature(SECRET, STAMP, b""), b"", NOW) is Verdict.TAKEN
    later = NOW + timedelta(minutes=10)
    assert box.take(early, signature(SECRET, early, b""), b"", later) is Verdict.SEEN_BEFORE
    assert len(box._seen) == 1
    assert MOST_SEEN >= 1000


def test_a_box_stays_when_its_secret_changes() -> None:
    try:
        box = open_box("sender", SECRET)
        box.take(STAMP, signature(SECRET, STAMP, b"1"), b"1", NOW)
        assert open_box("sender", "the next secret") is box is box_of("sender")
        assert box.take(STAMP, signature(SECRET, STAMP, b"2"), b"2", NOW) is Verdict.NOT_SIGNED
        assert box.drain() == [b"1"]
    finally:
        close_box("sender")
    assert box_of("sender") is None


def test_no_more_signatures_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "MOST_SEEN", 2)
    box = Inbox(SECRET)
    for body, verdict in ((b"1", Verdict.TAKEN), (b"2", Verdict.TAKEN), (b"3", Verdict.NO_ROOM)):
        assert box.take(STAMP, signature(SECRET, STAMP, body), body, NOW) is verdict
    assert box.drain() == [b"1", b"2"]
