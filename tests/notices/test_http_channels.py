"""Webhook, Alertmanager and gateway against servers that answer, refuse, hang, break and lie."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.ledger import Notice, Outcome
from notices import plan
from notices._contract import NotSent, Unclear
from notices.alertmanager import entries
from notices.webhook import signature
from tests.conftest import EVENING
from tests.notices.outbox import (
    FLOOD,
    alert,
    am_channel,
    event,
    hook_channel,
    ledger,
    notice,
    routes,
    rule_words,
    sms_channel,
)
from tests.notices.servers import certificate, closed_port, says, web

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here to make a certificate")


def trouble(url: str, **changed: Any) -> NotSent:
    with pytest.raises(NotSent) as caught:
        hook_channel(url, **changed).send(notice())
    return caught.value


# -- webhook ---------------------------------------------------------------------------------------------------------


def test_a_webhook_gets_the_facts_once_with_an_id() -> None:
    with web() as hook:
        hook_channel(hook.url).send(notice())
    (got,) = hook.got
    assert got.path == "/hook"
    assert got.json["rule"] == FLOOD[0]
    assert got.headers["Idempotency-Key"] == notice().id
    assert got.headers["Content-Type"] == "application/json"
    assert "X-Signature" not in got.headers


def test_a_signature_covers_time_and_body() -> None:
    with web() as hook:
        hook_channel(hook.url, secret="thu-bi-mat").send(notice())
    (got,) = hook.got
    sent_at = got.headers["X-Timestamp"]
    mac = hmac.new(b"thu-bi-mat", sent_at.encode() + b"." + got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Signature"] == f"sha256={mac}" == f"sha256={signature('thu-bi-mat', sent_at, got.body)}"
    assert abs(datetime.now(UTC).timestamp() - int(sent_at)) < 300


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_busy_or_broken_server_is_asked_again_later(status: int) -> None:
    with web(says(status)) as hook:
        error = trouble(hook.url)
    assert (error.trouble, error.retry, error.whole_channel, error.wait) == ("busy", True, True, None)
    assert len(hook.got) == 1, "the channel itself tries once; the courier keeps the time"


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("120", timedelta(minutes=2)), ("999999", timedelta(hours=1)), ("soon", None), ("9" * 400, None)],
)
def test_the_wait_that_a_server_asks_for_is_kept_within_reason(asked: str, waited: timedelta | None) -> None:
    with web(says(429, Retry_After=asked)) as hook:
        assert trouble(hook.url).wait == waited


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "refused"), (401, "login"), (403, "login"), (404, "refused"), (422, "refused")]
)
def test_a_refusal_is_final(status: int, kind: str) -> None:
    with web(says(status)) as hook:
        error = trouble(hook.url)
    assert (error.trouble, error.retry) == (kind, False)


def test_a_redirect_is_not_followed() -> None:
    with web() as other, web(lambda _: (307, {"Location": other.url})) as hook:
        error = trouble(hook.url)
    assert (error.trouble, error.retry) == ("refused", False)
    assert other.got == []


def test_nobody_listens_so_nothing_was_sent() -> None:
    error = trouble(f"http://127.0.0.1:{closed_port()}/hook")
    assert (error.trouble, error.retry, error.whole_channel) == ("no_connection", True, True)


def test_a_name_that_nobody_knows() -> None:
    assert trouble("http://desk.thanhlam.example/hook").trouble == "no_connection"


def test_a_server_that_takes_the_message_and_says_nothing_leaves_a_doubt() -> None:
    with web() as hook:
        hook.answer = lambda _: (hook.release.wait(30), None)[1]
        with pytest.raises(Unclear) as caught:
            hook_channel(hook.url, timeout_s=1.0).send(notice())
    assert caught.value.trouble == "no_answer"
    assert len(hook.got) == 1


def test_a_connection_that_breaks_after_the_message_leaves_a_doubt() -> None:
    with web(lambda _: None) as hook, pytest.raises(Unclear) as caught:
        hook_channel(hook.url).send(notice())
    assert caught.value.trouble == "interrupted"
    assert len(hook.got) == 1


@needs_openssl
def test_only_a_certificate_of_a_known_authority_for_that_host_is_trusted(tmp_path: Path) -> None:
    right, wrong = certificate(tmp_path, "127.0.0.1"), certificate(tmp_path, "elsewhere.example")
    with web(tls=right) as hook:
        url = hook.url.replace("http:", "https:")
        assert trouble(url).trouble == "tls", "self-signed, and nobody vouches for it"
        hook_channel(url, ca_file=str(right[0])).send(notice())
    assert len(hook.got) == 1
    with web(tls=wrong) as hook:
        error = trouble(hook.url.replace("http:", "https:"), ca_file=str(wrong[0]))
    assert (error.trouble, error.retry, hook.got) == ("tls", True, [])


def test_https_to_a_server_that_speaks_no_tls_sends_nothing() -> None:
    with web() as hook:
        assert trouble(hook.url.replace("http:", "https:")).trouble == "tls"
    assert hook.got == []


def test_no_secret_stands_in_an_error_or_a_representation() -> None:
    channel = hook_channel(f"http://127.0.0.1:{closed_port()}/hook-s3cret", secret="s3cret")
    with pytest.raises(NotSent) as caught:
        channel.send(notice())
    assert "s3cret" not in f"{caught.value}{channel!r}{sms_channel(token='s3cret')!r}"


# -- gateway ---------------------------------------------------------------------------------------------------------


def test_a_gateway_gets_the_documented_document() -> None:
    payload = json.dumps(
        {"rule": FLOOD[0], "site_id": FLOOD[1], "happened_at": EVENING.isoformat(), "drill": True, "simulated": False}
    )
    with web() as gateway:
        sms_channel(gateway.url, token="t0ken").send(
            notice(channel="sms", recipient="+84912345678", payload=payload, text="Ngập " * 60)
        )
    (got,) = gateway.got
    assert got.json == {
        "id": notice().id, "to": "+84912345678", "text": ("Ngập " * 60)[:160], "priority": "critical", "deed": "raise",
        "rule": FLOOD[0], "site_id": FLOOD[1], "happened_at": EVENING.isoformat(), "drill": True, "simulated": False,
    }  # fmt: skip
    assert got.headers["Authorization"] == "Bearer t0ken"
    assert got.headers["Idempotency-Key"] == notice().id


def test_a_gateway_for_plain_letters_gets_them() -> None:
    with web() as gateway:
        sms_channel(gateway.url, plain_letters=True).send(notice(text="Ngập hầm chui Đông Kiều…"))
    assert gateway.got[0].json["text"] == "Ngap ham chui Dong Kieu..."
    assert "Authorization" not in gateway.got[0].headers


def test_the_gateway_of_the_document_takes_a_message_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The example in docs/notices.md is run as it stands there."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "notices.md").read_text(encoding="utf-8")
    example = text.partition("    import json\n")[2].partition("    ThreadingHTTPServer(")[0]
    code = "import json\n" + "\n".join(line.removeprefix("    ") for line in example.splitlines())
    space: dict[str, Any] = {}
    exec(code, space)  # noqa: S102 - our own document
    from http.server import ThreadingHTTPServer
    from threading import Thread

    server = ThreadingHTTPServer(("127.0.0.1", 0), space["Gateway"])
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    channel = sms_channel(f"http://127.0.0.1:{server.server_address[1]}/")
    for _ in range(2):
        channel.send(notice(recipient="+84912345678"))
    server.shutdown()
    server.server_close()
    assert capsys.readouterr().out.count("+84912345678 KHẨN CẤP: Ngập hầm chui") == 1


# -- Alertmanager ----------------------------------------------------------------------------------------------------


def am_notice(outcome: Outcome, *before: Any) -> Notice:
    from core.config import load_city

    (told,) = plan(
        outcome, ledger(*before), routes(am_channel(), deeds=frozenset({"raise", "raise_priority", "clear", "shelve"})),
        words={FLOOD[0]: rule_words(FLOOD[0])}, city=load_city("demo"), duty=(), contacts={}, drill=True, now=EVENING,
    )  # fmt: skip
    return told


def test_alertmanager_gets_an_alert_that_does_not_end_by_itself() -> None:
    with web() as manager:
        am_channel(manager.url.removesuffix("/hook")).send(am_notice(Outcome([alert(FLOOD, "high")], [event(FLOOD)])))
    (got,) = manager.got
    assert got.path == "/api/v2/alerts"
    (sent,) = got.json
    assert sent["labels"] == {
        "alertname": FLOOD[0], "rule": FLOOD[0], "site": FLOOD[1], "severity": "high", "city": "demo", "drill": "true",
        "simulated": "true",
    }  # fmt: skip
    assert datetime.fromisoformat(sent["startsAt"]) == EVENING
    assert datetime.fromisoformat(sent["endsAt"]) == EVENING + timedelta(hours=24)
    assert sent["annotations"]["action"] == "Chặn hai đầu hầm, gọi đội bơm."


@pytest.mark.parametrize("deed", ["clear", "shelve"])
def test_an_alert_that_is_over_or_covered_ends_there_too(deed: str) -> None:
    now = EVENING + timedelta(minutes=7)
    after = {"clear": "RTNUN", "shelve": "SHLVD"}[deed]
    told = am_notice(
        Outcome([alert(FLOOD)], [event(FLOOD, deed, state_before="UNACK", state_after=after, happened_at=now)]),
        alert(FLOOD),
    )
    (sent,) = entries(json.loads(told.payload), timedelta(hours=24))
    assert datetime.fromisoformat(sent["endsAt"]) == now
    assert datetime.fromisoformat(sent["startsAt"]) == EVENING


def test_a_new_priority_ends_the_alert_of_the_old_one() -> None:
    now = EVENING + timedelta(minutes=7)
    raised = event(FLOOD, "raise_priority", "critical", state_before="UNACK", happened_at=now)
    told = am_notice(Outcome([alert(FLOOD, "critical")], [raised]), alert(FLOOD, "medium"))
    new, old = entries(json.loads(told.payload), timedelta(hours=24))
    assert (new["labels"]["severity"], old["labels"]["severity"]) == ("critical", "medium")
    assert datetime.fromisoformat(new["endsAt"]) == now + timedelta(hours=24)
    assert datetime.fromisoformat(old["endsAt"]) == now
    assert {**new["labels"], "severity": ""} == {**old["labels"], "severity": ""}


def test_an_alert_never_ends_before_it_starts() -> None:
    """Alertmanager answers 400 to that, and after a catch-up the activation may be told late."""
    told = am_notice(
        Outcome([alert(FLOOD, began_at=EVENING + timedelta(minutes=1))], [event(FLOOD, "clear", state_after="NORM")])
    )
    (sent,) = entries(json.loads(told.payload), timedelta(hours=24))
    assert sent["startsAt"] <= sent["endsAt"]
