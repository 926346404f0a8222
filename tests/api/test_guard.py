"""The guard before everything: who is served without a login, what a wall's token opens, and how guessers fare."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any, NamedTuple

import pytest
import uvicorn
import uvicorn.config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from api import front_door
from core.access import People, Person, Wall
from core.door import SOURCE_HEADER, Door, open_door, read_source
from tests.clockwork import SetClock

NIGHT = datetime(2026, 11, 19, 15, 0, tzinfo=UTC)
TOKEN = "a-token-that-is-long-and-random-0123456789"
WALL = Wall(
    key="wall_1",
    name="Tường phòng trực",
    token_hash=hashlib.sha256(TOKEN.encode()).hexdigest(),
    pages=frozenset({"wall", "overview"}),
)
HOST = ("host", "127.0.0.1:8501")


class Reply(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    text: str

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


class House:
    """A small application behind the guard, its door, and what the audit heard."""

    def __init__(self, *, login: bool = False, people: People | None = None, secure: bool = False) -> None:
        self.clock = SetClock(NIGHT)
        self.heard: list[tuple[Person, str, str, str, str]] = []
        self.door: Door = open_door(
            people or People(walls=(WALL,)),
            self.clock,
            lambda *entry: self.heard.append(entry),
            login=login,
            secure=secure,
        )
        self.sources: list[str] = []
        self.answer: Response = PlainTextResponse("the page")
        self.app = Starlette(
            routes=[
                WebSocketRoute("/_stcore/stream", self._stream),
                Route("/{rest:path}", self._page, methods=["GET", "POST"]),
            ],
            middleware=front_door.guard(lambda: self.door, lambda message: message == b"click"),
        )

    async def _page(self, request: Request) -> Response:
        self.sources += request.headers.getlist(SOURCE_HEADER)
        return self.answer

    async def _stream(self, websocket: WebSocket) -> None:
        self.sources += websocket.headers.getlist(SOURCE_HEADER)
        await websocket.accept()
        visit = read_source(self.sources[-1]).visit
        self.door.sessions.arrive("s", visit, self.clock.now())
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            self.clock.advance(timedelta(minutes=20))

    def _scope(self, kind: str, path: str, query: str, headers: Any, client: str, server: str) -> dict[str, Any]:
        return {
            "type": kind, "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
            "server": (server, 8501), "client": (client, 40001),
        }  # fmt: skip

    def ask(
        self,
        path: str,
        query: str = "",
        *,
        method: str = "GET",
        headers: Any = (HOST,),
        client: str = "127.0.0.1",
        server: str = "127.0.0.1",
    ) -> Reply:
        """One request."""
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {**self._scope("http", path, query, headers, client, server), "method": method}
        asyncio.run(self.app(scope, receive, send))
        found = [(name.decode().lower(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        return Reply(sent[0]["status"], found, b"".join(one.get("body", b"") for one in sent[1:]).decode())

    def stream(self, *messages: bytes, headers: Any = (HOST,), client: str = "127.0.0.1") -> list[dict[str, Any]]:
        """One websocket that sends these messages and closes."""
        sent: list[Any] = []
        coming: list[dict[str, Any]] = [{"type": "websocket.connect"}]
        coming += [{"type": "websocket.receive", "bytes": one} for one in messages]
        coming.append({"type": "websocket.disconnect", "code": 1000})

        async def receive() -> dict[str, Any]:
            return coming.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {**self._scope("websocket", "/_stcore/stream", "", headers, client, "127.0.0.1"), "subprotocols": []}
        asyncio.run(self.app(scope, receive, send))
        return sent


# -- without a login: this machine alone -------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost:8501", "localhost", "[::1]:8501", "LOCALHOST:80"])
def test_without_a_login_this_machine_is_served(host: str) -> None:
    assert House().ask("/", headers=(("host", host),)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        (("host", "dashboard.thanhlam.example"),),
        (("host", "rebound.example:8501"),),  # a name that somebody gave the address 127.0.0.1
        (("host", "127.0.0.1.evil.example"),),
        (("host", "localhost@evil.example"),),
        (("host", "evil.example#localhost"),),
        (("host", "evil.example/localhost"),),
        (("host", "[::1"),),
        (("host", ""),),
        (),
        (HOST, ("host", "evil.example")),
        (HOST, ("x-forwarded-for", "203.0.113.7")),  # a proxy on this machine opens the house to others
        (HOST, ("forwarded", "for=203.0.113.7")),
        (HOST, ("x-real-ip", "203.0.113.7")),
        (HOST, ("x-forwarded-host", "dashboard.thanhlam.example")),
    ],
)
def test_without_a_login_nobody_else_is(headers: Any) -> None:
    house = House()
    reply = house.ask("/", headers=headers)
    assert reply.status == 421
    assert "Chưa cấu hình đăng nhập" in reply.text
    assert "the page" not in reply.text
    assert house.stream(b"click", headers=headers) == [{"type": "websocket.close", "code": 1008, "reason": ""}]
    assert house.sources == [], "no page and no screen has heard of it"
    assert House(login=True).ask("/", headers=headers or (HOST,)).status == 200, "with a login, the proxy decides"


@pytest.mark.parametrize(("client", "server"), [("10.1.1.1", "127.0.0.1"), ("127.0.0.1", "10.1.1.1"), ("", "")])
def test_without_a_login_the_sockets_own_addresses_count(client: str, server: str) -> None:
    """Whatever was configured: if another program bound the port to the network, the request tells."""
    assert House().ask("/", client=client, server=server).status == 421


def test_the_web_server_believes_no_header_before_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """uvicorn takes X-Forwarded-For from any programme on this machine: a guesser would be a new address each time."""
    web_server: Any = uvicorn.config
    monkeypatch.setattr(web_server, "ProxyHeadersMiddleware", web_server.ProxyHeadersMiddleware)  # put back afterwards
    house = House(login=True)
    front_door.believe_no_header()
    served = uvicorn.Config(house.app, lifespan="off")
    served.load()
    house.app = served.loaded_app  # type: ignore[assignment]
    for forged in ("10.9.9.9", "10.9.9.9:5000"):
        house.ask("/", headers=(HOST, ("x-forwarded-for", forged)))
        assert read_source(house.sources[-1]).address == "127.0.0.1"


# -- pages from elsewhere ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", [True, False])
@pytest.mark.parametrize(
    ("origin", "host", "served"),
    [
        ("http://127.0.0.1:8501", "127.0.0.1:8501", True),
        ("http://LOCALHOST:8501", "localhost:8501", True),
        ("http://localhost", "localhost:80", True),
        ("https://localhost", "localhost:443", True),
        ("http://localhost:3000", "localhost:8501", False),  # another programme on this machine
        ("http://localhost:8501", "127.0.0.1:8501", False),
        ("https://localhost:80", "localhost", False),
        ("http://evil.example", "127.0.0.1:8501", False),
        ("http://127.0.0.1:8501.evil.example", "127.0.0.1:8501", False),
        ("http://evil.example@127.0.0.1:8501", "127.0.0.1:8501", False),
        ("null", "127.0.0.1:8501", False),
        ("file://", "127.0.0.1:8501", False),
        ("ftp://127.0.0.1:8501", "127.0.0.1:8501", False),
        ("http://[", "127.0.0.1:8501", False),
    ],
)
def test_only_a_page_of_this_server_may_open_a_screen(login: bool, origin: str, host: str, served: bool) -> None:
    house = House(login=login)
    sent = house.stream(b"click", headers=(("host", host), ("origin", origin)))
    assert sent[0]["type"] == ("websocket.accept" if served else "websocket.close")
    assert bool(house.sources) is served, "a stranger does not even reach the application"


def test_two_origins_are_none_and_no_origin_is_no_browser() -> None:
    house = House(login=True)
    own = ("origin", "http://127.0.0.1:8501")
    assert house.stream(headers=(HOST, own, own))[0]["type"] == "websocket.close"
    assert house.stream(headers=(HOST,))[0]["type"] == "websocket.accept"


# -- where a request comes from ----------------------------------------------------------------------------------------


def test_the_source_is_written_by_the_guard_alone() -> None:
    people = People(proxies=(ip_network("10.0.0.5"),))
    house = House(login=True, people=people)
    forged = (HOST, ("x-city-source", "6.6.6.6 1 admin"), ("X-City-Source", "7.7.7.7 1 admin"))
    house.ask("/", headers=forged, client="10.9.9.9")
    house.ask("/", headers=(*forged, ("x-forwarded-for", "1.2.3.4")), client="10.0.0.5")
    house.stream(headers=forged, client="10.9.9.9")
    found = [read_source(text) for text in house.sources]
    assert [(one.address, one.port) for one in found] == [("10.9.9.9", 40001), ("1.2.3.4", None), ("10.9.9.9", 40001)]
    assert len({one.visit for one in found} - {"admin"}) == 3, "every connection has its own name"


@pytest.mark.parametrize("path", ["/", "/api/health", "/wall"])
def test_every_answer_carries_the_security_headers(path: str) -> None:
    reply = House().ask(path)
    for name, value in front_door.SECURITY_HEADERS.items():
        assert reply.all(name.lower()) == [value]
    assert "frame-ancestors 'self'" in reply.all("content-security-policy")[0]


def test_cookies_stay_on_https_where_people_come_over_https() -> None:
    house = House(login=True, secure=True)
    house.answer.set_cookie("_streamlit_user", "x", httponly=True)
    assert [value.endswith("; Secure") for value in house.ask("/").all("set-cookie")] == [True]
    wall = house.ask("/wall", f"token={TOKEN}").all("set-cookie")
    assert wall[0].count("Secure") == 1
    plain = House(login=True)
    plain.answer.set_cookie("_streamlit_user", "x")
    assert "Secure" not in plain.ask("/").all("set-cookie")[0]


# -- the token of a wall -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", [True, False])
def test_a_token_goes_into_a_cookie_and_out_of_the_address(login: bool) -> None:
    house = House(login=login)
    reply = house.ask("/wall", f"embed=true&token={TOKEN}&lang=vi&q=m%C6%B0a%26x")
    assert reply.status == 303
    assert reply.all("location") == ["/wall?embed=true&lang=vi&q=m%C6%B0a%26x"]
    cookie = reply.all("set-cookie")[0]
    assert cookie.startswith(f"city_wall={TOKEN};")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert reply.all("cache-control") == ["no-store"]
    assert reply.all("referrer-policy") == ["no-referrer"]
    assert house.sources == []
    assert house.ask("/wall", f"token={TOKEN}").all("location") == ["/wall"]
    assert house.ask("/", f"token={TOKEN}").all("location") == ["/"], "the overview is one of its pages"


def test_a_wrong_token_is_refused_and_written_down() -> None:
    house = House(login=True)
    reply = house.ask("/wall", "token=guess")
    assert reply.status == 403
    assert reply.all("set-cookie") == []
    person, *rest = house.heard[0]
    assert rest == ["open_wall", "/wall", "denied", "unknown token (1)"]
    assert (person.kind, person.source_address, person.source_port) == ("unknown", "127.0.0.1", 40001)
    assert "guess" not in repr(house.heard), "what was tried may be a mistyped secret"


def test_a_guesser_is_slowed_and_others_are_not() -> None:
    house = House(login=True)
    for _ in range(3):
        assert house.ask("/wall", "token=guess", client="10.6.6.6").status == 403
    reply = house.ask("/wall", f"token={TOKEN}", client="10.6.6.6")
    assert reply.status == 429, "even the right one must wait, or waiting would tell nothing"
    assert reply.all("retry-after") == ["2"]
    assert "2 giây" in reply.text
    assert house.ask("/auth/login", client="10.6.6.6").status == 429
    assert house.ask("/wall", client="10.6.6.6").status == 200, "pages are not held up"
    assert house.ask("/wall", f"token={TOKEN}", client="10.7.7.7").status == 303
    assert len(house.heard) == 3, "what is turned away unread does not fill the audit"
    house.clock.advance(timedelta(seconds=2))
    assert house.ask("/wall", f"token={TOKEN}", client="10.6.6.6").status == 303


def test_a_token_elsewhere_means_nothing() -> None:
    house = House(login=True)
    assert house.ask("/audit", f"token={TOKEN}").status == 200
    assert house.ask("/wall", f"token={TOKEN}", method="POST").status == 200
    assert house.heard == []


# -- sign-ins at the provider ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("error=access_denied&state=x", "access_denied (1)"),
        ("code=c&state=forged", "the provider's answer was not accepted (1)"),
        ("error=" + "x" * 999, "x" * 200 + " (1)"),
    ],
)
def test_a_failed_sign_in_is_counted_and_written_down(query: str, reason: str) -> None:
    house = House(login=True)
    house.answer = RedirectResponse("/", status_code=302)
    house.answer.delete_cookie("_streamlit_user")
    assert house.ask("/oauth2callback", query).status == 302
    assert [entry[1:] for entry in house.heard] == [("log_in", "/oauth2callback", "denied", reason)]


def test_a_sign_in_that_came_through_is_no_failure() -> None:
    house = House(login=True)
    house.answer = RedirectResponse("/", status_code=302)
    house.answer.set_cookie("_streamlit_user", "signed", max_age=2592000)
    house.ask("/oauth2callback", "code=c&state=s")
    house.answer = RedirectResponse("/", status_code=302)
    house.ask("/oauth2callback")  # the provider comes back here after a sign-out, with nothing to tell
    house.ask("/overview", "error=x")
    assert house.heard == []


# -- deeds on a connection ---------------------------------------------------------------------------------------------


def test_clicks_keep_a_sign_in_alive_and_refreshing_does_not() -> None:
    """The demo city allows half an hour; between two messages here lie twenty minutes."""
    busy, idle = House(login=True), House(login=True)
    busy.stream(b"click", b"click", b"click")
    assert busy.door.sessions.alive("s")
    idle.stream(b"refresh", b"refresh", b"refresh")
    assert not idle.door.sessions.alive("s")
    assert idle.door.sessions._visits == {}, "a closed connection is forgotten"
