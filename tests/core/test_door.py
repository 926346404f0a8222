"""The door: sign-ins that end by themselves, guessers that must wait, and addresses that cannot be made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from core.access import People, Person
from core.door import (
    ENDED,
    KNOWN,
    LONGEST_WAIT_S,
    MOST_ADDRESSES,
    NEW,
    Attempts,
    Sessions,
    Source,
    failed_sign_in,
    open_door,
    read_source,
    real_client,
    session_of,
)
from tests.clockwork import SetClock

MORNING = datetime(2026, 11, 19, 0, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MORNING)


@pytest.fixture
def sessions(clock: SetClock) -> Sessions:
    return Sessions(clock, idle=30 * MINUTE, longest=12 * HOUR)


# -- sign-ins end ------------------------------------------------------------------------------------------------------


def test_a_sign_in_is_new_once(sessions: Sessions) -> None:
    assert sessions.arrive("s", "v1", MORNING) == NEW
    assert sessions.arrive("s", "v2", MORNING) == KNOWN
    assert sessions.alive("s")


def test_half_an_hour_without_a_deed_ends_it_for_good(sessions: Sessions, clock: SetClock) -> None:
    sessions.arrive("s", "v1", MORNING)
    clock.advance(30 * MINUTE - timedelta(seconds=1))
    assert sessions.alive("s")
    clock.advance(timedelta(seconds=1))
    assert not sessions.alive("s")
    sessions.deed("v1")
    assert not sessions.alive("s"), "a click comes too late"
    clock.advance(-HOUR)
    assert not sessions.alive("s"), "a clock that is set back brings nobody back"
    assert sessions.arrive("s", "v2", MORNING) == ENDED, "the cookie is still in the browser, and worth nothing"


def test_a_deed_keeps_it_alive_and_a_look_does_not(sessions: Sessions, clock: SetClock) -> None:
    sessions.arrive("s", "v1", MORNING)
    clock.advance(20 * MINUTE)
    sessions.deed("v1")
    clock.advance(20 * MINUTE)
    assert sessions.alive("s")
    clock.advance(10 * MINUTE)
    assert not sessions.alive("s")


def test_a_deed_on_another_connection_is_another_persons(sessions: Sessions, clock: SetClock) -> None:
    sessions.arrive("s", "v1", MORNING)
    sessions.arrive("other", "v2", MORNING)
    clock.advance(20 * MINUTE)
    sessions.deed("v2")
    sessions.deed("unheard of")
    clock.advance(10 * MINUTE)
    assert not sessions.alive("s")
    assert sessions.alive("other")


def test_a_closed_window_says_nothing_more(sessions: Sessions, clock: SetClock) -> None:
    sessions.arrive("s", "v1", MORNING)
    sessions.leave("v1")
    clock.advance(20 * MINUTE)
    sessions.deed("v1")
    clock.advance(10 * MINUTE)
    assert not sessions.alive("s")


def test_twelve_hours_end_it_however_busy_the_day(sessions: Sessions, clock: SetClock) -> None:
    sessions.arrive("s", "v1", MORNING)
    for _ in range(35):
        clock.advance(20 * MINUTE)
        sessions.deed("v1")
    assert sessions.alive("s"), "11 h 40 min"
    clock.advance(20 * MINUTE)
    assert not sessions.alive("s")


def test_signing_out_ends_it_in_every_window(sessions: Sessions) -> None:
    sessions.arrive("s", "v1", MORNING)
    sessions.arrive("s", "v2", MORNING)
    sessions.end("s")
    assert not sessions.alive("s")
    assert sessions.arrive("s", "v3", MORNING) == ENDED
    sessions.end("unheard of")


def test_after_a_restart_a_sign_in_is_as_old_as_its_token(clock: SetClock) -> None:
    clock.advance(29 * MINUTE)
    assert Sessions(clock, 30 * MINUTE, 12 * HOUR).arrive("s", "v", MORNING) == NEW
    clock.advance(MINUTE)
    assert Sessions(clock, 30 * MINUTE, 12 * HOUR).arrive("s", "v", MORNING) == ENDED


def test_a_token_from_the_future_is_from_now(sessions: Sessions, clock: SetClock) -> None:
    """The provider's clock may be ahead; it must not give a longer day."""
    assert sessions.arrive("s", "v", MORNING + 48 * HOUR) == NEW
    clock.advance(30 * MINUTE)
    assert not sessions.alive("s")


def test_old_sign_ins_are_forgotten_and_stay_ended(sessions: Sessions, clock: SetClock) -> None:
    sessions.arrive("old", "v", MORNING)
    clock.advance(25 * HOUR)
    sessions.arrive("new", "w", clock.now())
    assert list(sessions._known) == ["new"]
    assert sessions.arrive("old", "v", MORNING) == ENDED
    assert not sessions.alive("unheard of")


def test_a_sign_in_is_told_apart_by_issuer_subject_time_and_nonce() -> None:
    claims = {"iss": "https://id.example", "sub": "u7", "iat": 1_795_000_000, "nonce": "n1"}
    session, at = session_of(claims)
    assert at == datetime.fromtimestamp(1_795_000_000, UTC)
    others = [{**claims, name: "x"} for name in ("iss", "sub", "nonce")] + [{**claims, "iat": 1_795_000_001}]
    assert len({session, *(session_of(other)[0] for other in others)}) == 5
    assert session_of(dict(claims))[0] == session


@pytest.mark.parametrize("issued", [None, "now", True, -5, 10**30, float("nan")])
def test_a_token_that_does_not_say_when_has_ended(sessions: Sessions, issued: object) -> None:
    session, at = session_of({"sub": "u7", "iat": issued})
    assert at == datetime.fromtimestamp(0, UTC)
    assert sessions.arrive(session, "v", at) == ENDED


# -- guessers wait -----------------------------------------------------------------------------------------------------


def test_each_further_failure_doubles_the_wait_up_to_five_minutes(clock: SetClock) -> None:
    attempts = Attempts(clock)
    waits = []
    for _ in range(14):
        attempts.failed("10.1.1.1")
        waits.append(attempts.wait_s("10.1.1.1"))
        clock.advance(timedelta(seconds=waits[-1]))
        assert attempts.wait_s("10.1.1.1") == 0
    assert waits == [0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]


def test_only_the_guesser_waits(clock: SetClock) -> None:
    attempts = Attempts(clock)
    for _ in range(2000):
        attempts.failed("10.1.1.1")
    assert attempts.wait_s("10.1.1.1") == LONGEST_WAIT_S
    assert attempts.wait_s("10.1.1.2") == 0


def test_a_quiet_half_hour_is_forgiven(clock: SetClock) -> None:
    attempts = Attempts(clock)
    for _ in range(5):
        attempts.failed("10.1.1.1")
    clock.advance(30 * MINUTE)
    assert attempts.failed("10.1.1.1") == 1


def test_one_machine_with_a_whole_ipv6_network_is_one_guesser(clock: SetClock) -> None:
    attempts = Attempts(clock)
    for number in range(1, 5):
        attempts.failed(f"2001:db8:1:2::{number}")
    assert attempts.wait_s("2001:db8:1:2:ffff::1") > 0
    assert attempts.wait_s("2001:db8:1:3::1") == 0
    for _ in range(3):
        attempts.failed("::ffff:10.1.1.9")
    assert attempts.wait_s("10.1.1.9") > 0
    for _ in range(3):
        attempts.failed("no address at all")
    assert attempts.wait_s("no address at all") > 0


def test_memory_stays_bounded_and_loses_the_oldest(clock: SetClock) -> None:
    attempts = Attempts(clock)
    for number in range(MOST_ADDRESSES + 5):
        attempts.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(attempts._failures) == MOST_ADDRESSES
    assert attempts.failed("10.0.0.0") == 1
    assert attempts.failed("10.0.39.20") == 2


def test_a_failure_is_counted_and_written_down(clock: SetClock) -> None:
    written: list[tuple[Person, str, str, str, str]] = []
    door = open_door(People(), clock, lambda *entry: written.append(entry), login=True)
    for _ in range(3):
        failed_sign_in(door, Source("10.1.1.1", 4711, "v"), "open_wall", "/wall", "unknown token")
    assert door.attempts.wait_s("10.1.1.1") == 2
    person, *rest = written[-1]
    assert rest == ["open_wall", "/wall", "denied", "unknown token (3)"]
    assert (person.kind, person.account, person.source_address, person.source_port) == ("unknown", "", "10.1.1.1", 4711)


# -- where somebody comes from -----------------------------------------------------------------------------------------

OURS = (ip_network("10.0.0.5"), ip_network("10.0.1.0/24"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("10.9.9.9", "", ("10.9.9.9", 5000)),
        ("10.9.9.9", "1.2.3.4", ("10.9.9.9", 5000)),  # not our proxy: whatever it says
        ("10.0.0.5", "1.2.3.4", ("1.2.3.4", None)),
        ("10.0.0.5", "9.9.9.9, 1.2.3.4", ("1.2.3.4", None)),  # the client wrote the first one itself
        ("10.0.0.5", "9.9.9.9, 1.2.3.4, 10.0.1.7", ("1.2.3.4", None)),  # two proxies, both ours
        ("10.0.0.5", "1.2.3.4, junk", ("10.0.0.5", 5000)),
        ("10.0.0.5", "[2001:db8::1]", ("2001:db8::1", None)),
        ("::ffff:10.0.0.5", "1.2.3.4", ("1.2.3.4", None)),
        ("10.0.0.5", " , ", ("10.0.0.5", 5000)),
        ("", "1.2.3.4", ("", 5000)),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str, forwarded: str, found: tuple[str, int | None]) -> None:
    assert real_client(peer, 5000, forwarded, OURS) == found


@pytest.mark.parametrize(
    "source", [Source("10.1.1.1", 4711, "v1"), Source("2001:db8::1", None, "v2"), Source("", None, "v")]
)
def test_the_source_goes_through_its_header(source: Source) -> None:
    assert read_source(source.header()) == source
    assert read_source("") == Source("", None, "")
