"""notices.toml: what an operator writes is checked when the server starts, and no secret stands in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.alert import PRIORITIES
from core.config import ROOT
from core.errors import ConfigError
from notices.alertmanager import Alertmanager
from notices.email import Email
from notices.gateway import Gateway
from notices.routes import DEFAULT_DEEDS, KINDS, Routes, load_routes
from notices.webhook import Webhook

ENVIRON = {
    "MAIL_USER": "ioc",
    "MAIL_PASSWORD": "s3cret",
    "TOKEN": "t0ken",
    "HOOK": "https://desk.example/in?key=s3cret",
}
MAIL = """
[[channel]]
key = "mail"
kind = "email"
[channel.options]
host = "mail.example.vn"
from = "ioc@example.vn"
"""
HOOK = """
[[channel]]
key = "hook"
kind = "webhook"
[channel.options]
url = "https://desk.example/in"
"""
SMS = """
[[channel]]
key = "sms"
kind = "gateway"
[channel.options]
url = "https://sms.example/send"
"""
TO_MAIL = """
[[route]]
channels = ["mail"]
"""


def loaded(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Routes:
    path = tmp_path / "config" / "town" / "notices.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_routes(path, ENVIRON if environ is None else environ)


def test_without_the_file_nobody_is_told_anything(tmp_path: Path) -> None:
    assert load_routes(tmp_path / "notices.toml", {}) == Routes()


def test_the_files_that_are_shipped_load_and_are_switched_off() -> None:
    files = sorted((ROOT / "config").glob("*/notices.toml"))
    assert len(files) >= 2
    for path in files:
        found = load_routes(path, {})
        assert found.channels == {}
        assert found.known
        assert found.routes


def test_the_shipped_channels_work_once_they_are_switched_on(tmp_path: Path) -> None:
    text = (ROOT / "config" / "demo" / "notices.toml").read_text(encoding="utf-8").replace("enabled = false", "")
    names = {"IOC_MAIL_USER": "u", "IOC_MAIL_PASSWORD": "p", "IOC_SMS_TOKEN": "t", "IOC_WEBHOOK_SECRET": "s"}
    found = loaded(tmp_path, text, names)
    assert {type(one) for one in found.channels.values()} == {Email, Gateway, Webhook, Alertmanager}
    assert {one.kind for one in found.channels.values()} == set(KINDS)


def test_a_short_file_has_sensible_defaults(tmp_path: Path) -> None:
    found = loaded(tmp_path, MAIL + TO_MAIL)
    mail = found.channels["mail"]
    assert isinstance(mail, Email)
    assert (mail.tls, mail.port, mail.address, mail.repeatable) == ("starttls", 587, "email", False)
    (route,) = found.routes
    assert route.priorities == {"high", "critical"} <= set(PRIORITIES)
    assert route.deeds == set(DEFAULT_DEEDS)
    assert route.to == ("duty",)
    assert route.rules is None


def test_secrets_come_from_the_environment_and_are_not_shown(tmp_path: Path) -> None:
    text = MAIL + 'user_env = "MAIL_USER"\npassword_env = "MAIL_PASSWORD"\n' + TO_MAIL
    text += HOOK.replace('url = "https://desk.example/in"', 'url_env = "HOOK"') + '[[route]]\nchannels = ["hook"]\n'
    found = loaded(tmp_path, text)
    mail, hook = found.channels["mail"], found.channels["hook"]
    assert isinstance(mail, Email)
    assert isinstance(hook, Webhook)
    assert (mail.user, mail.password) == ("ioc", "s3cret")
    assert hook.url == ENVIRON["HOOK"]
    assert "s3cret" not in repr(found)


def test_a_channel_that_is_off_needs_no_secret_but_no_unknown_key_either(tmp_path: Path) -> None:
    off = MAIL.replace('kind = "email"', 'kind = "email"\nenabled = false') + 'password_env = "NOWHERE"\n'
    found = loaded(tmp_path, off + TO_MAIL)
    assert found.channels == {}
    assert found.known == (("mail", "email", False),)
    with pytest.raises(ConfigError, match="unknown key passwort"):
        loaded(tmp_path, off.replace("password_env", "passwort") + TO_MAIL)


def test_contacts_that_the_roster_does_not_know_are_named(tmp_path: Path) -> None:
    found = loaded(tmp_path, MAIL + '[[route]]\nchannels = ["mail"]\nto = ["duty", "ha", "nobody", "a@b.vn"]\n')
    assert found.contacts() == {"ha", "nobody"}
    found.check_contacts({"ha", "nobody"}, "config/town/notices.toml")
    with pytest.raises(ConfigError, match=r"config/town/notices\.toml: .*nobody"):
        found.check_contacts({"ha"}, "config/town/notices.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("chanel = 1", "unknown key chanel"),
        ("channel = [1]", r"write it as \[\[channel\]\]"),
        ("route = [1]", r"write it as \[\[route\]\]"),
        (MAIL.replace('key = "mail"', 'key = "Mail!"'), "use small letters"),
        (MAIL.replace('"email"', '"pigeon"'), "kind 'pigeon' is not one of alertmanager, email, gateway, webhook"),
        (MAIL + MAIL + TO_MAIL, "'mail' is given twice"),
        (MAIL, r"no \[\[route\]\] leads to the channel 'mail'"),
        (MAIL + "password = 'x'\n" + TO_MAIL, "unknown key password"),
        (MAIL + 'tls = "maybe"\n' + TO_MAIL, "tls 'maybe' is not one of starttls, tls, none"),
        (MAIL + "port = 0\n" + TO_MAIL, "port must lie between"),
        (MAIL + "timeout_s = 600\n" + TO_MAIL, "timeout_s must lie between 1 and 60"),
        (MAIL + 'ca_file = "/nowhere.pem"\n' + TO_MAIL, "ca_file /nowhere.pem is not there"),
        (MAIL + 'name = "IOC\\nBcc: x"\n' + TO_MAIL, "cannot stand in a header"),
        (MAIL + 'user_env = "MAIL_USER"\n' + TO_MAIL, "give user_env and password_env"),
        (MAIL + 'user_env = "NOWHERE"\n' + TO_MAIL, "holds no such variable"),
        (MAIL + 'tls = "none"\nuser_env = "MAIL_USER"\npassword_env = "MAIL_PASSWORD"\n' + TO_MAIL, "in the clear"),
        (MAIL.replace("ioc@example.vn", "IOC") + TO_MAIL, "from 'IOC' is no e-mail address"),
        (HOOK + 'url_env = "HOOK"\n', "give either url or url_env"),
        (HOOK.replace("https://desk.example/in", "ftp://x/y"), "not an address of the form https"),
        (HOOK.replace("https://desk.example/in", "https://u:p@desk.example/"), "url holds a password"),
        (HOOK.replace("https://desk.example/in", "https://desk.example:99999/"), "not an address"),
        (SMS.replace("https:", "http:") + 'token_env = "TOKEN"\n', "use https"),
        (SMS + 'plain_letters = "yes"\n', "plain_letters must be bool"),
        (
            HOOK.replace('"webhook"', '"alertmanager"').replace("/in", "/api/v2/alerts"),
            "give url without /api/v2/alerts",
        ),
        (HOOK.replace('"webhook"', '"alertmanager"') + "hold_h = 0\n", "hold_h must lie between"),
        (MAIL + TO_MAIL + 'priorities = ["urgent"]\n', "'urgent' is not one of low, medium, high, critical"),
        (MAIL + TO_MAIL + 'deeds = ["ring"]\n', "deeds: 'ring' is not one of"),
        (MAIL + TO_MAIL + "rules = []\n", "rules must be a list of words"),
        (MAIL + TO_MAIL + 'to = ["+84912345678"]\n', "is no address for email"),
        (MAIL + TO_MAIL + 'to = ["Bà Hà"]\n', "neither «duty», an address, nor the key of a contact"),
        (MAIL + '[[route]]\nchannels = ["post"]\n', "channels: 'post' is not one of mail"),
        (MAIL + "[[route]]\n", "the key channels is missing"),
        ('base_url = "ioc.example"\n' + MAIL + TO_MAIL, "base_url 'ioc.example' is not an address"),
    ],
)
def test_what_is_wrong_is_told_with_file_place_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        loaded(tmp_path, text)
    assert str(caught.value).startswith("config/town/notices.toml: ")
    assert "s3cret" not in str(caught.value)


def test_a_password_may_stay_on_this_machine(tmp_path: Path) -> None:
    local = MAIL.replace("mail.example.vn", "127.0.0.1") + 'tls = "none"\nuser_env = "MAIL_USER"\n'
    found = loaded(tmp_path, local + 'password_env = "MAIL_PASSWORD"\n' + TO_MAIL)
    assert "mail" in found.channels


def test_a_secret_with_a_line_end_is_refused(tmp_path: Path) -> None:
    text = SMS + 'token_env = "TOKEN"\n[[route]]\nchannels = ["sms"]\n'
    with pytest.raises(ConfigError, match="TOKEN holds characters"):
        loaded(tmp_path, text, {"TOKEN": "a\r\nX-Evil: 1"})
