"""How the server is opened: half a login opens nothing, and without one nobody but this machine is served."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.config import ROOT
from core.errors import ConfigError, InputError
from ui import login, server

AUTH = {
    "redirect_uri": "https://ioc.thanhlam.example/oauth2callback",
    "cookie_secret": "0123456789abcdef0123456789abcdef",
    "client_id": "ioc",
    "client_secret": "s3cret",
    "server_metadata_url": "https://id.thanhlam.example/.well-known/openid-configuration",
    "client_kwargs": {"prompt": "login"},
}
WHOLE = """
[auth]
redirect_uri = "https://ioc.thanhlam.example/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "ioc"
client_secret = "s3cret"
server_metadata_url = "https://id.thanhlam.example/.well-known/openid-configuration"
client_kwargs = { prompt = "login" }
"""


# -- where it may listen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LocalHost"])
def test_without_a_login_it_may_listen_on_this_machine(address: str) -> None:
    login.check_address(address, None)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.1.2.3", "ioc.thanhlam.example", "localhost.evil", "", None])
def test_without_a_login_it_listens_nowhere_else(address: str | None) -> None:
    with pytest.raises(InputError, match="no login is configured"):
        login.check_address(address, None)
    login.check_address(address, login.read_login(AUTH))


def started(folder: Path, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`streamlit run` until it ends by itself."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    environ = {**os.environ, "CITY": "demo", "CITY_STORE": str(folder / "city.duckdb"), **settings}
    return subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.port", str(port), *options],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_open_to_the_network_without_a_login_it_refuses_to_start(address: str, tmp_path: Path) -> None:
    done = started(tmp_path, "--server.address", address)
    assert done.returncode == 2
    assert done.stderr.strip().startswith(f"error: server.address: {address} is open to others and no login")
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == [], "nothing was opened"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (WHOLE.replace('client_secret = "s3cret"', ""), "secrets.toml: [auth]: the key client_secret is missing"),
        ("[auth\n", "not valid TOML"),
        ('auth = "yes"', "auth must be dict"),
    ],
)
def test_half_a_login_ends_the_start_too(text: str, says: str, tmp_path: Path) -> None:
    """A slip of the pen in the secrets must not turn a closed house into an open one."""
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(text, encoding="utf-8")
    done = started(tmp_path, STREAMLIT_SECRETS_FILES=str(secrets))
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert says in errors[0]
    assert not (tmp_path / "city.duckdb").exists()


# -- [auth] ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", login.NEEDED)
@pytest.mark.parametrize("value", [None, "", "  ", 7])
def test_every_part_of_the_login_is_needed(name: str, value: Any) -> None:
    table = {key: given for key, given in {**AUTH, name: value}.items() if given is not None}
    with pytest.raises(ConfigError, match=rf"secrets.toml: \[auth\]: .*{name}"):
        login.read_login(table)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"cookie_secret": "x" * 31}, "fewer than 32"),
        ({"redirect_uri": "https://ioc.thanhlam.example/"}, "end with /oauth2callback"),
        ({"redirect_uri": "ioc.thanhlam.example/oauth2callback"}, "end with /oauth2callback"),
        ({"client_kwargs": "login"}, "client_kwargs must be dict"),
    ],
)
def test_a_login_that_cannot_work_says_why(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        login.read_login({**AUTH, **wrong})


def test_a_whole_login_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    assert login.read_login(AUTH).secure
    assert caplog.records == []


@pytest.mark.parametrize("given", [{}, {"client_kwargs": {"scope": "openid"}}])
def test_a_login_that_a_strict_provider_refuses_is_warned_of(
    given: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        login.read_login({**{key: value for key, value in AUTH.items() if key != "client_kwargs"}, **given})
    assert "prompt=select_account" in caplog.text
    assert 'prompt = "login"' in caplog.text


def test_people_who_come_without_tls_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not login.read_login({**AUTH, "redirect_uri": "http://127.0.0.1:8501/oauth2callback"}).secure
        assert caplog.text == ""
        login.read_login({**AUTH, "redirect_uri": "http://10.1.1.1/oauth2callback"})
    assert "not https" in caplog.text


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="authlib and httpx"):
        login.read_login(AUTH)


def test_the_login_is_read_from_streamlits_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "secrets.toml", tmp_path / "more.toml"
    monkeypatch.setattr(login.st, "get_option", lambda name: [str(first), str(second)])
    assert login.configured() is None
    first.write_text("[other]\nx = 1\n", encoding="utf-8")
    assert login.configured() is None
    first.write_text(WHOLE, encoding="utf-8")
    found = login.configured()
    assert found is not None
    assert found.redirect_uri == AUTH["redirect_uri"]
    second.write_text(WHOLE.replace("ioc.thanhlam", "other"), encoding="utf-8")
    later = login.configured()
    assert later is not None
    assert "other.example" in later.redirect_uri, "the later file wins, as in Streamlit"


# -- what is a deed ----------------------------------------------------------------------------------------------------


def test_a_click_is_a_deed_and_a_screen_that_refreshes_itself_is_none() -> None:
    click, refresh, beat = BackMsg(), BackMsg(), BackMsg()
    click.rerun_script.page_name = "traffic"
    refresh.rerun_script.is_auto_rerun = True
    refresh.rerun_script.fragment_id = "f"
    beat.app_heartbeat = True
    assert login.is_deed(click.SerializeToString())
    assert not login.is_deed(refresh.SerializeToString())
    assert not login.is_deed(beat.SerializeToString())
    assert not login.is_deed(b"\xff\xff\xff junk")


# -- the door of this process ------------------------------------------------------------------------------------------


def test_the_people_file_may_lie_elsewhere(demo_line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_INSTALLED", [demo_line])
    monkeypatch.setattr(server, "_DOORS", [])
    other = tmp_path / "accounts.toml"
    monkeypatch.setenv("CITY_PEOPLE", str(other))
    with pytest.raises(InputError, match=r"CITY_PEOPLE.*accounts\.toml"):
        server.door()
    other.write_text('[[role]]\naccount = "binh"\nrole = "admin"\n', encoding="utf-8")
    assert [grant.value for grant in server.door().people.grants] == ["binh"]
    monkeypatch.delenv("CITY_PEOPLE")
    assert [grant.value for grant in server.door().people.grants] == ["binh"], "one door for the life of a server"
    monkeypatch.setattr(server, "_DOORS", [])
    assert len(server.door().people.grants) == 5
    assert not server.door().login
