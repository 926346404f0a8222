"""python -m notices: list the channels, try one, and say in one line what went wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import notices.__main__ as door
from core.config import load_city
from tests.notices.servers import closed_port, post_office, web

CHANNELS = """
[[channel]]
key = "mail"
kind = "email"
[channel.options]
host = "127.0.0.1"
port = {smtp}
tls = "none"
from = "ioc@thanhlam.example"

[[channel]]
key = "sms"
kind = "gateway"
[channel.options]
url = "http://127.0.0.1:{http}/sms"

[[channel]]
key = "am"
kind = "alertmanager"
[channel.options]
url = "http://127.0.0.1:{http}"

[[channel]]
key = "off"
kind = "webhook"
enabled = false

[[route]]
channels = ["mail", "sms", "am", "off"]
"""
Configure = Callable[[int, int], None]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """The demo city with a notices.toml of its own."""

    def written(smtp: int, http: int) -> None:
        (tmp_path / "notices.toml").write_text(CHANNELS.format(smtp=smtp, http=http), encoding="utf-8")
        city = replace(load_city("demo"), folder=tmp_path)
        monkeypatch.setattr(door, "load_city", lambda key: city)

    return written


def test_list_is_csv(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    configure(25, 80)
    assert door.main(["list"]) == 0
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["channel"] for row in rows] == ["mail", "sms", "am", "off"]
    assert rows[3] == {"channel": "off", "kind": "webhook", "enabled": "false", "routes": "1"}
    assert err == "3 of 4 channels enabled\n"


def test_a_test_message_says_that_it_is_one(configure: Configure) -> None:
    with post_office() as post, web() as hook:
        configure(post.port, hook.port)
        assert door.main(["test", "mail", "--to", "you@example.vn"]) == 0
        assert door.main(["test", "sms", "--to", "+84912345678"]) == 0
        assert door.main(["test", "am"]) == 0
    ((_, to, mail),) = post.mails
    assert to == ["you@example.vn"]
    assert mail["Subject"] == "[MÔ PHỎNG] Tin thử từ hệ thống cảnh báo: TP. Thanh Lâm"
    assert "Test message of the alert system: Thanh Lam City" in mail.get_content()
    sms, manager = (request.json for request in hook.got)
    assert sms["text"].startswith("[MÔ PHỎNG] Tin thử từ hệ thống cảnh báo")
    assert sms["priority"] == "low"
    assert manager[0]["startsAt"] == manager[0]["endsAt"], "an alert that is over already rings nowhere"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["test", "pigeon"], "error: pigeon: there is no enabled channel of that name"),
        (["test", "off"], "error: off: there is no enabled channel of that name"),
        (["test", "mail"], "error: --to '': give the email address"),
        (["test", "sms", "--to", "you@example.vn"], "give the phone address"),
        (["test", "mail", "--to", "you@example.vn"], "error: 127.0.0.1: no connection"),
    ],
)
def test_what_goes_wrong_is_one_line_and_exit_code_2(
    asked: list[str], told: str, configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(closed_port(), closed_port())
    assert door.main(asked) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.count("\n") == 1


def test_a_doubt_is_told_as_one(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    with post_office(hangs_up_at="dot") as post:
        configure(post.port, 80)
        assert door.main(["test", "mail", "--to", "you@example.vn"]) == 2
    assert capsys.readouterr().err.startswith("error: it may have been delivered, look there: ")


def test_an_unknown_word_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        door.main(["send"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_an_unknown_city_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["list", "--city", "atlantis"]) == 2
    assert "atlantis" in capsys.readouterr().err
