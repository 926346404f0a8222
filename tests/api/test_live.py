"""The live connection: what changed and nothing else, one making of bytes for all, and nobody without a ticket."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from api import live
from control.screens import Screens
from core.access import Person
from core.feed import MOST_TICKETS, Feed, Frame, Tickets
from core.wall import WallScreen
from tests.clockwork import SetClock

NOW = datetime(2026, 9, 15, 10, 42, tzinfo=UTC)
WALL = Person(account="wall-1", name="Màn hình 1", role="viewer", kind="wall")
SLOT = ("overview", timedelta(seconds=40))


@dataclass
class City:
    """As much of a line as the connection needs: snapshots, a clock, and what its screens follow."""

    parts: dict[str, str] = field(default_factory=lambda: {"head": "<b>10:42</b>", "rows": "<p>38 cm</p>"})
    scene: str = "overview"
    signed_in: bool = True
    built: int = 0
    number: int = 1
    hearers: list[Callable[[], None]] = field(default_factory=list)
    clock: SetClock = field(default_factory=lambda: SetClock(NOW))
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def snapshot(self) -> Any:
        return SimpleNamespace(
            number=self.number,
            made_at=self.clock.now(),
            speed=1.0,
            city=SimpleNamespace(zone=ZoneInfo("Asia/Ho_Chi_Minh")),
        )

    def on_publish(self, heard: Callable[[], None]) -> None:
        self.hearers.append(heard)

    def publish(self, **parts: str) -> None:
        with self.lock:
            self.parts = {**self.parts, **parts}
            self.number += 1
        for heard in self.hearers:
            heard()

    def frame(self) -> Frame | None:
        if not self.signed_in:
            return None
        with self.lock:
            number, parts = self.number, dict(self.parts)

        def build() -> dict[str, str]:
            self.built += 1
            return parts

        return Frame(("wall", number), build, {"scene": self.scene})


@pytest.fixture
def city() -> City:
    return City()


@pytest.fixture
def house(city: City) -> Iterator[SimpleNamespace]:
    tickets = Tickets()
    screens = Screens([WallScreen(key="man_1", name_vi="1", name_en="1", slots=(SLOT,))])
    app = Starlette(routes=[live.route(lambda: city, tickets, lambda: screens)])
    with TestClient(app) as client:
        yield SimpleNamespace(client=client, tickets=tickets, screens=screens)


@contextmanager
def window(
    house: SimpleNamespace, city: City, *, known: dict[str, str] | None = None, screen: str = ""
) -> Iterator[Any]:
    ticket = house.tickets.give(Feed(person=WALL, frame=city.frame, screen=screen))
    with house.client.websocket_connect(live.PATH) as socket:
        socket.send_json({"ticket": ticket, "known": known or {}})
        yield socket


def after(socket: Any, number: int) -> dict[str, Any]:
    """What the browser was told of that snapshot; signs of life before it are passed over."""
    while (told := json.loads(socket.receive_text()))["number"] < number:
        pass
    return dict(told)


def ended(socket: Any) -> bool:
    """Read to the end of the connection."""
    try:
        while True:
            socket.receive_text()
    except WebSocketDisconnect:
        return True


def test_a_viewer_gets_the_whole_picture_once_and_then_what_changed(house, city):
    with window(house, city) as socket:
        first = after(socket, 1)
        assert {name: html for name, (_, html) in first["parts"].items()} == city.parts
        assert (first["scene"], first["offset_min"]) == ("overview", 420)
        city.publish(rows="<p>41 cm</p>")
        second = after(socket, 2)
        assert {name: html for name, (_, html) in second["parts"].items()} == {"rows": "<p>41 cm</p>"}
        assert second["gone"] == []


def test_a_part_that_the_picture_no_longer_has_is_named(house, city):
    with window(house, city) as socket:
        after(socket, 1)
        del city.parts["rows"]
        city.publish()
        assert (after(socket, 2)["gone"]) == ["rows"]


def test_who_comes_back_is_told_only_what_changed_meanwhile(house, city):
    with window(house, city) as socket:
        known = {name: digest for name, (digest, _) in after(socket, 1)["parts"].items()}
    city.publish(rows="<p>41 cm</p>")
    with window(house, city, known=known) as socket:
        assert list(after(socket, 2)["parts"]) == ["rows"]


def test_the_bytes_of_a_picture_are_made_once_for_all_who_look(house, city):
    with window(house, city) as one, window(house, city) as two, window(house, city) as three:
        assert len({json.dumps(after(socket, 1)["parts"]) for socket in (one, two, three)}) == 1
        city.publish(rows="<p>41 cm</p>")
        for socket in (one, two, three):
            after(socket, 2)
    assert city.built == 2


def test_without_a_ticket_nothing_is_told(house, city):
    with house.client.websocket_connect(live.PATH) as socket:
        socket.send_json({"ticket": "guessed"})
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == live.NO_TICKET
    assert city.built == 0


def test_once_the_sign_in_has_ended_the_screen_hears_nothing_more(house, city):
    with window(house, city) as socket:
        after(socket, 1)
        city.signed_in = False
        city.publish(rows="<p>41 cm</p>")
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    assert closed.value.code == live.NOT_YOURS


@pytest.mark.parametrize("noise", ["", "[]", "no json", '{"painted": ' + "9" * 5000 + "}", "null"])
def test_noise_ends_the_connection_and_nothing_else(house, city, noise):
    with window(house, city) as socket:
        after(socket, 1)
        socket.send_text(noise)
        assert ended(socket)
    with window(house, city) as socket:
        assert after(socket, 1)["parts"]


def test_a_wall_says_what_it_has_painted_and_when_it_leaves(house, city):
    with window(house, city, screen="man_1") as socket:
        after(socket, 1)
        socket.send_json({"painted": 1, "scene": "overview", "heap_mb": 9.5, "size": "1920x1080@1"})
        socket.send_json({"bye": True})
        assert ended(socket)
    (state,) = house.screens.states()
    assert (state.painted, state.scene, state.heap_mb, state.size) == (1, "overview", 9.5, "1920x1080@1")
    assert state.closed_at is not None
    assert state.wall


def test_a_frame_that_cannot_be_built_ends_the_connection_and_is_tried_anew(house, city):
    def broken() -> Frame:
        def build() -> dict[str, str]:
            raise ValueError("a defect of one scene")

        return Frame(("broken", 1), build)

    ticket = house.tickets.give(Feed(person=WALL, frame=broken))
    for _ in range(2):
        with house.client.websocket_connect(live.PATH) as socket:
            socket.send_json({"ticket": ticket})
            with pytest.raises(WebSocketDisconnect) as closed:
                socket.receive_text()
        assert closed.value.code == live.BROKEN


def test_a_connection_that_never_shows_a_ticket_is_closed_without_a_defect(house, city, monkeypatch, caplog):
    monkeypatch.setattr(live, "FIRST_WORD_S", 0.05)
    with house.client.websocket_connect(live.PATH) as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    assert closed.value.code == live.POLICY
    assert caplog.records == []


def test_tickets_are_bounded_and_the_ones_in_use_stay():
    tickets = Tickets()
    used = tickets.give(Feed(person=WALL, frame=lambda: None))
    for _ in range(MOST_TICKETS // 2):
        tickets.give(Feed(person=WALL, frame=lambda: None))
    assert tickets.feed(used) is not None
    for _ in range(MOST_TICKETS - 1):
        tickets.give(Feed(person=WALL, frame=lambda: None))
    assert tickets.feed(used) is not None
    tickets.give(Feed(person=WALL, frame=lambda: None))
    for _ in range(MOST_TICKETS):
        tickets.give(Feed(person=WALL, frame=lambda: None))
    assert tickets.feed(used) is None


def test_a_page_keeps_its_ticket_when_it_is_run_again():
    tickets = Tickets()
    ticket = tickets.give(Feed(person=WALL, frame=lambda: None))
    again = Feed(person=WALL, frame=lambda: None, screen="man_1")
    assert tickets.give(again, ticket) == ticket
    assert tickets.feed(ticket) is again


def test_an_opened_drawer_is_heard_on_the_page_s_own_connection_and_nothing_else_is(house, city):
    heard: list[str] = []
    done = threading.Event()

    def asked(key: str) -> None:
        heard.append(key)
        if key == "last":
            done.set()

    ticket = house.tickets.give(Feed(person=WALL, frame=city.frame, asked=asked))
    with house.client.websocket_connect(live.PATH) as socket:
        socket.send_json({"ticket": ticket, "known": {}})
        for word in ("vn_aqi", ["vn_aqi"], {"vn_aqi": 1}, 7, None, "last"):
            socket.send_json({"asked": word})
        assert done.wait(10)
    assert heard == ["vn_aqi", "last"]


def test_a_word_too_long_for_a_drawer_ends_the_connection(house, city):
    heard: list[str] = []
    ticket = house.tickets.give(Feed(person=WALL, frame=city.frame, asked=heard.append))
    with house.client.websocket_connect(live.PATH) as socket:
        socket.send_json({"ticket": ticket, "known": {}})
        socket.send_json({"asked": "x" * live.LONGEST_MESSAGE})
        assert ended(socket)
    assert heard == []


def test_a_wall_counts_no_drawer(house, city):
    heard: list[str] = []
    ticket = house.tickets.give(Feed(person=WALL, frame=city.frame, screen="man_1", asked=heard.append))
    with house.client.websocket_connect(live.PATH) as socket:
        socket.send_json({"ticket": ticket, "known": {}})
        socket.send_json({"asked": "vn_aqi"})
        after(socket, 1)
        city.publish(rows="<p>41 cm</p>")
        after(socket, 2)
    assert heard == []
