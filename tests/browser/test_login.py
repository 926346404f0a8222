"""Signing in with a real browser at a real identity provider, and a wall that comes in by its token.

The provider is the one that `../shared/servers/start.sh oidc` has started, where it answers; else the same programme,
started here. CITY_LAB_OIDC=http://… names another one that takes users by PUT /users/<subject>.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.config import load_city
from core.i18n import Translator
from store.duck import DuckStore
from tests.browser.conftest import PATIENCE_MS, Server, _free_port

T = Translator("vi")
TOKEN = "a-token-that-is-long-and-random-0123456789"
SHARED = os.environ.get("CITY_LAB_OIDC", "http://127.0.0.1:8753")
USERS: dict[str, dict[str, Any]] = {  # no e-mail, and not even a name for everybody
    "binh": {"name": "Nguyễn Thị Bình"},
    "khach": {"groups": ["bao-ve"]},
    "lan": {"name": "Lê Thị Ngọc Lan", "groups": ["nhan-vien", "ioc-kiem-toan"]},
}
PEOPLE = f"""
[session]
idle_min = {{idle_min}}

[[role]]
account = "binh"
role = "operator"

[[role]]
claim = "groups"
value = "ioc-kiem-toan"
role = "auditor"

[[wall]]
key = "wall_1"
name = "Tường phòng trực"
token_hash = "{hashlib.sha256(TOKEN.encode()).hexdigest()}"
"""
SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "ioc"
client_secret = "s3cret"
server_metadata_url = "{provider}/.well-known/openid-configuration"
{client_kwargs}
"""
WITH_PROMPT = 'client_kwargs = { prompt = "login", scope = "openid profile email" }'


def discovery(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}/.well-known/openid-configuration", timeout=5) as reply:
        return dict(json.load(reply))


@pytest.fixture(scope="session")
def provider() -> Iterator[str]:
    """An OpenID provider that lets everybody in under the name they type, and knows what some of them claim."""
    with running_provider() as address:
        for subject, claims in USERS.items():
            told = urllib.request.Request(
                f"{address}/users/{subject}",
                data=json.dumps(claims).encode(),
                headers={"Content-Type": "application/json"},
                method="PUT",
            )
            urllib.request.urlopen(told, timeout=10).close()
        yield address


@contextmanager
def running_provider() -> Iterator[str]:
    """The shared provider where it runs, else one of our own."""
    try:
        discovery(SHARED)
    except OSError:
        pass
    else:
        yield SHARED
        return
    port = _free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + 60
    while True:
        try:
            discovery(address)
            break
        except OSError:
            assert running.poll() is None, "the provider ended"
            assert time.monotonic() < until, "the provider does not answer"
            time.sleep(0.05)
    yield address
    running.terminate()
    running.wait(timeout=20)


@pytest.fixture(scope="session")
def strict(provider: str) -> Iterator[str]:
    """The same provider behind one that refuses prompt=select_account, as the strict ones do."""
    known = discovery(provider)

    class Strict(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path == "/.well-known/openid-configuration":
                body = json.dumps({**known, "authorization_endpoint": f"{own}/authorize"}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)
                return
            query = parse_qs(asked.query)
            refusal = {"error": "invalid_request", "state": query["state"][0]}
            refused = query.get("prompt") == ["select_account"]
            goal = f"{query['redirect_uri'][0]}?{urlencode(refusal)}" if refused else ""
            self.send_response(302)
            self.send_header("Location", goal or f"{known['authorization_endpoint']}?{asked.query}")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    house = ThreadingHTTPServer(("127.0.0.1", 0), Strict)
    own = f"http://127.0.0.1:{house.server_address[1]}"
    threading.Thread(target=house.serve_forever, daemon=True).start()
    yield own
    house.shutdown()
    house.server_close()


def server_with(folder: Path, provider: str, *, client_kwargs: str = WITH_PROMPT, idle_min: float = 30) -> Server:
    """A started server of the demo city where people sign in."""
    (folder / "secrets.toml").write_text(SECRETS.format(provider=provider, client_kwargs=client_kwargs), "utf-8")
    (folder / "people.toml").write_text(PEOPLE.format(idle_min=idle_min), "utf-8")
    server = Server(
        folder,
        SCENARIO="",
        SPEED="",
        STREAMLIT_SECRETS_FILES=str(folder / "secrets.toml"),
        CITY_PEOPLE=str(folder / "people.toml"),
    )
    server.start()
    server.wait_until((200, 503))
    return server


@pytest.fixture(scope="session")
def closed_house(tmp_path_factory: pytest.TempPathFactory, strict: str) -> Iterator[Server]:
    """Whoever enters must have signed in, at a strict provider."""
    server = server_with(tmp_path_factory.mktemp("closed_house"), strict)
    yield server
    server.stop()


@pytest.fixture
def person(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that nobody has used before."""
    with browser.new_context(viewport={"width": 1366, "height": 768}) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context


def gate(page: Page, key: str) -> None:
    """Wait until the page says that, and shows nothing of the city."""
    expect(page.locator(".gate h1")).to_have_text(T(f"people.{key}"), timeout=PATIENCE_MS)
    expect(page.locator(".strip, .banner, .row")).to_have_count(0)


def sign_in(page: Page, account: str) -> None:
    """From the gate through the provider and back."""
    page.get_by_role("button", name=T("people.sign_in"), exact=True).click()
    page.locator("input[name=sub]").fill(account)
    page.keyboard.press("Enter")
    page.wait_for_url("http://127.0.0.1:*/")


def in_house(page: Page, name: str) -> None:
    expect(page.locator(".st-key-nav_person button")).to_contain_text(name, timeout=PATIENCE_MS)
    page.wait_for_selector(".banner h1", timeout=PATIENCE_MS)


def entries(server: Server) -> list[tuple[str, str, str, str]]:
    """Account, action, result and source address of every entry, oldest first; the server has ended."""
    city = load_city("demo")
    store = DuckStore(Path(server.log).with_name("city.duckdb"), zone=str(city.zone))
    try:
        rows = store.read_audit(datetime.now(UTC) - timedelta(days=1), limit=None).sort_values("entry")
        return list(zip(rows["account"], rows["action"], rows["result"], rows["source_address"], strict=True))
    finally:
        store.close()


def audit(server: Server) -> list[tuple[str, str, str]]:
    """The same without the address."""
    return [entry[:3] for entry in entries(server)]


def test_a_person_signs_in_works_and_signs_out_everywhere(closed_house: Server, person: BrowserContext) -> None:
    page = person.new_page()
    page.goto(f"{closed_house.address}/traffic")
    gate(page, "stranger")
    assert page.locator(".st-key-nav").count() == 0
    sign_in(page, "binh")
    in_house(page, "Nguyễn Thị Bình")
    assert T("people.no_login") not in page.locator(".stApp").inner_text()
    page.goto(f"{closed_house.address}/audit")
    expect(page.locator(".gate h1")).to_have_text(T("people.not_yours"))
    page.goto(f"{closed_house.address}/traffic")
    in_house(page, "Nguyễn Thị Bình")

    other = person.new_page()
    other.goto(f"{closed_house.address}/wall")
    other.wait_for_selector(".wall-head")
    page.locator(".st-key-nav_person button").click()
    page.get_by_role("button", name=T("people.sign_out")).click()
    gate(other, "over")
    page.goto(f"{closed_house.address}/traffic")
    expect(page.locator(".gate h1")).to_be_visible()


def test_an_account_without_a_role_stays_outside(closed_house: Server, person: BrowserContext) -> None:
    page = person.new_page()
    page.goto(closed_house.address)
    sign_in(page, "khach")
    gate(page, "roleless")
    expect(page.get_by_text(T("people.account", account="khach"))).to_be_visible()


def test_a_group_of_the_provider_gives_the_role(closed_house: Server, person: BrowserContext) -> None:
    """Her role stands in a claim and not under her name: an auditor reads the log and has no deed of the desk."""
    page = person.new_page()
    page.goto(f"{closed_house.address}/audit")
    sign_in(page, "lan")
    in_house(page, "Lê Thị Ngọc Lan")
    page.goto(f"{closed_house.address}/audit")
    expect(page.get_by_text("log_in").first).to_be_attached(timeout=PATIENCE_MS)
    page.goto(f"{closed_house.address}/handover")
    expect(page.locator('[data-section="open"]')).to_be_attached(timeout=PATIENCE_MS)
    expect(page.locator('[class*="st-key-do_"]')).to_have_count(0)


def test_a_wall_comes_in_by_its_token_and_stays(tmp_path: Path, provider: str, person: BrowserContext) -> None:
    """The kiosk opens its bookmark; the token leaves the address, and a restart of the server changes nothing."""
    server = server_with(tmp_path, provider, idle_min=0.05)
    try:
        page = person.new_page()
        page.goto(f"{server.address}/wall?embed=true&token={TOKEN}&lang=vi")
        page.wait_for_selector(".wall-head")
        assert page.url == f"{server.address}/wall?embed=true&lang=vi"
        assert TOKEN not in page.content()
        assert next(one for one in person.cookies() if one["name"] == "city_wall")["httpOnly"]
        desk = person.new_page()
        desk.goto(f"{server.address}/alert_desk")
        expect(desk.locator(".gate h1")).to_have_text(T("people.not_yours"))
        assert desk.locator(".st-key-nav").count() == 0
        server.kill()
        server.start()
        server.wait_until((200, 503))
        page.reload()
        page.wait_for_selector(".wall-head")
        answers = []
        for number in range(4):
            forged = {"X-Forwarded-For": f"10.9.9.{number}:5000", "X-City-Source": f"10.9.9.{number} 1 x"}
            reply = desk.request.get(f"{server.address}/wall?token=guess", max_redirects=0, headers=forged)
            answers.append(reply.status)
        assert answers == [403, 403, 403, 429], "one guesser, whatever address it claims"
    finally:
        server.stop()
    assert {row[3] for row in entries(server) if row[:3] == ("", "open_wall", "denied")} == {"127.0.0.1"}
    assert TOKEN not in server.said()
    assert ("wall_1", "open_wall", "done") in audit(server)
    assert ("wall_1", "open_page", "denied") in audit(server)
    assert ("", "open_wall", "denied") in audit(server)


def test_a_screen_that_only_refreshes_itself_is_signed_out(
    tmp_path: Path, provider: str, person: BrowserContext
) -> None:
    """Six seconds without a deed are too long in this house. The open window ends by itself, the cookie is there."""
    server = server_with(tmp_path, provider, idle_min=0.1)
    try:
        page = person.new_page()
        page.goto(server.address)
        gate(page, "stranger")
        sign_in(page, "binh")
        gate(page, "over")
        assert any(one["name"] == "_streamlit_user" for one in person.cookies())
        page.reload()
        gate(page, "over")
        sign_in(page, "binh")
        expect(page.locator(".st-key-nav_person button")).to_contain_text("Nguyễn Thị Bình")
    finally:
        server.stop()
    found = audit(server)
    assert found.index(("binh", "log_in", "done")) < found.index(("binh", "session_end", "done"))
    assert found.count(("binh", "log_in", "done")) == 2


def test_streamlits_own_prompt_is_refused_by_a_strict_provider(
    tmp_path: Path, strict: str, person: BrowserContext
) -> None:
    """Without our client_kwargs nobody comes in: said at the start, shown to the person, written into the audit."""
    server = server_with(tmp_path, strict, client_kwargs="")
    try:
        assert "prompt=select_account, which a strict provider refuses" in server.said()
        page = person.new_page()
        page.goto(server.address)
        gate(page, "stranger")
        with page.expect_response(lambda reply: "/oauth2callback" in reply.url):
            page.get_by_role("button", name=T("people.sign_in"), exact=True).click()
        gate(page, "stranger")
    finally:
        server.stop()
    assert ("", "log_in", "denied") in audit(server)
