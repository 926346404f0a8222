"""What the server does besides pages: start the line with the server, look who comes, serve fonts, answer health."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from ipaddress import ip_address
from math import ceil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import uvicorn.config
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.public import is_public
from api.push import is_push
from core.door import SOURCE_HEADER, WALL_COOKIE, Door, Source, failed_sign_in, real_client
from core.errors import HouseError
from pipeline import Line

LOG = logging.getLogger("door")
ASSETS = Path(__file__).resolve().parent.parent / "ui" / "assets"
ONE_WEEK_S = 604800
LOGIN, CALLBACK, USER_COOKIE = "/auth/login", "/oauth2callback", "_streamlit_user="
FORWARDING = ("x-forwarded-for", "x-forwarded-host", "forwarded", "x-real-ip")
POLICY_VIOLATION = 1008  # RFC 6455
POLICY = "Content-Security-Policy"
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    POLICY: "frame-ancestors 'self'; object-src 'none'; base-uri 'self'",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
ONLY_THIS_MACHINE = (
    "Chưa cấu hình đăng nhập: máy chủ chỉ phục vụ chính máy này (http://localhost).\n"
    "No login is configured: this server answers only its own machine (http://localhost).\n"
)
WRONG_TOKEN = (
    "Mã của màn hình tường không đúng, hoặc màn hình không được đặt ở nơi này.\n"
    "The token of this wall screen is wrong, or the screen does not belong here.\n"
)
FOREIGN_PAGE = (
    "a page of %r asked for the screens of %r and was refused; a proxy must pass the Host header on as it came"
)
WAIT = "Đăng nhập sai nhiều lần. Hãy thử lại sau {n} giây.\nToo many failed sign-ins. Try again in {n} seconds.\n"


class LastingFiles(StaticFiles):
    """Static files that a browser may keep: fonts do not change between releases."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """A file with a lifetime."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = f"public, max-age={ONE_WEEK_S}"
        return response


def lifespan(start: Callable[[], Line], stop: Callable[[], None]) -> Callable[[Any], AbstractAsyncContextManager[Any]]:
    """The collector lives as long as the server. A wrong setting or a store in use ends the start in one sentence."""

    @asynccontextmanager
    async def living(_app: Any) -> AsyncIterator[dict[str, Any]]:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        await asyncio.to_thread(or_end, start)
        yield {}
        await asyncio.to_thread(stop)

    return living


def or_end(step: Callable[[], object]) -> None:
    """Take a step of the start, or end the process with one sentence and exit code 2."""
    try:
        step()
    except HouseError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        os._exit(2)  # the server would print a stack trace and try on; nothing has been opened yet


def believe_no_header() -> None:
    """Keep the web server from reading X-Forwarded-For before the guard does; our proxies stand in people.toml.

    By itself it believes whatever any programme on this machine writes there. It has read FORWARDED_ALLOW_IPS before it
    imports the application, so the environment comes too late; it wraps the application after that.
    """
    web_server: Any = uvicorn.config
    web_server.ProxyHeadersMiddleware = _as_it_came


def _as_it_came(app: ASGIApp, trusted_hosts: object = None) -> ASGIApp:
    return app


def guard(
    door: Callable[[], Door], is_deed: Callable[[bytes], bool], publishes: Callable[[], bool] = lambda: False
) -> list[Middleware]:
    """What every request passes first. `is_deed` tells a person's click from a screen that refreshes itself;
    `publishes` says whether the city has put its open figures before everybody."""
    return [Middleware(Guard, door=door, is_deed=is_deed, publishes=publishes)]


class Guard:
    """Looks at every request and websocket before Streamlit does, and writes down for the screens where it is from."""

    def __init__(
        self,
        app: ASGIApp,
        door: Callable[[], Door],
        is_deed: Callable[[bytes], bool],
        publishes: Callable[[], bool] = lambda: False,
    ) -> None:
        self._app = app
        self._door = door
        self._is_deed = is_deed
        self._publishes = publishes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        door, headers = self._door(), Headers(scope=scope)
        open_to_all = _is_push(scope) or (_is_public(scope) and self._publishes())
        if not door.login and not _from_this_machine(scope, headers) and not open_to_all:
            await _refuse(scope, receive, send)
            return
        if scope["type"] == "websocket" and not _same_origin(headers):
            LOG.warning(FOREIGN_PAGE, headers.get("origin"), headers.get("host"))
            await _refuse(scope, receive, send)
            return
        client = scope.get("client") or ("", None)
        forwarded = ",".join(headers.getlist("x-forwarded-for"))
        address, port = real_client(str(client[0]), client[1], forwarded, door.people.proxies)
        source = Source(address, port, secrets.token_hex(8))
        kept = [pair for pair in scope["headers"] if pair[0].lower() != SOURCE_HEADER.encode()]
        inner = {**scope, "headers": [*kept, (SOURCE_HEADER.encode(), source.header().encode())]}
        if scope["type"] == "websocket":
            await self._watched(door, source, inner, receive, send)
        else:
            await self._answered(door, source, inner, receive, send)

    async def _watched(self, door: Door, source: Source, scope: Scope, receive: Receive, send: Send) -> None:
        """A screen's connection: a person's deeds on it keep the sign-in alive."""

        async def heard() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and message.get("bytes") and self._is_deed(message["bytes"]):
                door.sessions.deed(source.visit)
            return message

        try:
            await self._app(scope, heard, send)
        finally:
            door.sessions.leave(source.visit)

    async def _answered(self, door: Door, source: Source, scope: Scope, receive: Receive, send: Send) -> None:
        path, query = scope["path"].rstrip("/"), parse_qs(scope["query_string"].decode("latin-1"))
        cookies: list[str] = []

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    if name != POLICY or POLICY not in sent:  # a page of the house may be stricter with itself
                        sent[name] = value
                cookies.extend(sent.getlist("set-cookie"))
                if door.secure:
                    message["headers"] = [_secured(name, value) for name, value in message["headers"]]
            await send(message)

        signing_in = path.endswith(LOGIN)
        tokens = query.get("token", [])
        wait_s = door.attempts.wait_s(source.address) if signing_in or tokens else 0.0
        if wait_s > 0:
            await _too_many(wait_s)(scope, receive, dressed)
        elif tokens and scope["method"] == "GET" and (path.rpartition("/")[2] or "overview") in _wall_pages(door):
            reply = await asyncio.to_thread(_enter_wall, door, source, scope, tokens[0])
            await reply(scope, receive, dressed)
        else:
            await self._app(scope, receive, dressed)
        if path.endswith(CALLBACK) and (query.get("code") or query.get("error")) and not _has_user(cookies):
            reason = query.get("error", ["the provider's answer was not accepted"])[0][:200]
            await asyncio.to_thread(failed_sign_in, door, source, "log_in", path, reason)


def _enter_wall(door: Door, source: Source, scope: Scope, token: str) -> Response:
    """The token goes into a cookie that no script can read, and out of the address and the history."""
    found = door.people.wall(token, source.address)
    if found is None:
        failed_sign_in(door, source, "open_wall", scope["path"], "unknown token")
        return PlainTextResponse(WRONG_TOKEN, status_code=403)
    rest = [pair for pair in parse_qsl(scope["query_string"].decode("latin-1"), True) if pair[0] != "token"]
    reply = RedirectResponse(f"{scope['path']}{'?' if rest else ''}{urlencode(rest)}", status_code=303)
    reply.set_cookie(WALL_COOKIE, token, httponly=True, samesite="strict", path="/")
    reply.headers["Cache-Control"] = "no-store"
    return reply


def _wall_pages(door: Door) -> set[str]:
    return {"wall"}.union(*(wall.pages for wall in door.people.walls))


def _has_user(cookies: Iterable[str]) -> bool:
    """True when one of the cookies carries a signed-in user (and does not merely delete one)."""
    return any(one.startswith(USER_COOKIE) and "max-age=0" not in one.casefold() for one in cookies)


def _secured(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A cookie that travels over https only."""
    if name.lower() == b"set-cookie" and b"; secure" not in value.lower():
        return name, value + b"; Secure"
    return name, value


def _is_public(scope: Scope) -> bool:
    """The open figures: they are the same for everybody, and nothing can be done with them but read them."""
    return scope["type"] == "http" and is_public(scope["method"], scope["path"])


def _is_push(scope: Scope) -> bool:
    """True for what proves itself by its own signature and sees no page: machines push from elsewhere."""
    return scope["type"] == "http" and is_push(scope["method"], scope["path"])


def _from_this_machine(scope: Scope, headers: Headers) -> bool:
    """True for a browser on this machine that asked for this machine, with no proxy between.

    The Host header too: a page from elsewhere may give its own name the address 127.0.0.1 (DNS rebinding).
    """
    server, client = scope.get("server") or ("", 0), scope.get("client") or ("", 0)
    hosts = [_host_name(host) for host in headers.getlist("host")]
    named = len(hosts) == 1 and (hosts[0] == "localhost" or _is_loopback(hosts[0]))
    proxied = any(name in headers for name in FORWARDING)
    return named and not proxied and _is_loopback(str(server[0])) and _is_loopback(str(client[0]))


def _same_origin(headers: Headers) -> bool:
    """True for a page that came from this very server, and for what is no browser.

    Streamlit would let in pages of every port of this machine, and ask an outside host for its own address before it
    turns a stranger away: here nothing may leave the house.
    """
    given, hosts = headers.getlist("origin"), headers.getlist("host")
    if not given:
        return True
    try:
        origin = urlsplit(given[0])
    except ValueError:
        return False
    usual = {"http": ":80", "https": ":443"}.get(origin.scheme, "")
    same = [host.casefold().removesuffix(usual) for host in hosts] == [origin.netloc.casefold().removesuffix(usual)]
    return len(given) == 1 and bool(usual) and same


def _host_name(host: str) -> str:
    """The name in a Host header, without its port; empty where it is no plain host."""
    try:
        found = urlsplit(f"//{host}")
        return "" if found.netloc != host or "@" in host else (found.hostname or "")
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
    else:
        await PlainTextResponse(ONLY_THIS_MACHINE, status_code=421)(scope, receive, send)


def _too_many(wait_s: float) -> Response:
    seconds = ceil(wait_s)
    return PlainTextResponse(WAIT.format(n=seconds), status_code=429, headers={"Retry-After": str(seconds)})


def _health(line: Line) -> JSONResponse:
    """200 while the line publishes snapshots, 503 when the newest is older than three cycles (and 30 s)."""
    snapshot = line.snapshot
    age_s = (line.clock.now() - snapshot.made_at).total_seconds() / snapshot.speed
    alive = snapshot.number > 0 and age_s <= max(3 * line.city.cycle.total_seconds(), 30.0)
    body = {
        "city": line.city.key,
        "snapshot": snapshot.number,
        "snapshot_age_s": round(age_s, 1),
        "sources_up": sum(state.up is True for state in snapshot.sources),
        "sources": len(snapshot.sources),
    }
    return JSONResponse(body, status_code=200 if alive else 503)


def routes(line: Callable[[], Line]) -> list[BaseRoute]:
    """Own routes; Streamlit's stand after them."""

    async def health(_request: Request) -> JSONResponse:
        return _health(line())

    return [Route("/api/health", health), Mount("/assets", LastingFiles(directory=ASSETS))]
