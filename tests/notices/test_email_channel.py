"""Mail by SMTP: what is sure, what is doubtful, TLS that cannot be talked out of, and headers that cannot be forged."""

from __future__ import annotations

import shutil
from datetime import timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notices._contract import NotSent, Unclear
from notices.email import is_address, message
from tests.conftest import EVENING
from tests.notices.outbox import mail_channel, notice
from tests.notices.servers import certificate, closed_port, post_office, web

TO = "ha@thanhlam.example"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here to make a certificate")


def trouble(port: int, **changed: Any) -> NotSent:
    with pytest.raises(NotSent) as caught:
        mail_channel(port, **changed).send(notice(recipient=TO))
    return caught.value


def test_a_mail_arrives_in_vietnamese() -> None:
    with post_office() as post:
        mail_channel(post.port).send(notice(recipient=TO, text="Ngập hầm chui.\n.Dấu chấm đầu dòng\n"))
    ((sender, to, mail),) = post.mails
    assert (sender, to) == ("ioc@thanhlam.example", [TO])
    assert mail["Subject"] == notice().subject
    assert mail["To"] == TO
    assert str(mail["From"]) == "Trung tâm Điều hành đô thị <ioc@thanhlam.example>"
    assert mail["Message-ID"] == f"<{notice().id}@thanhlam.example>"
    assert mail["Date"].datetime == EVENING
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Importance"] == "high"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content() == "Ngập hầm chui.\r\n.Dấu chấm đầu dòng\r\n"
    assert post.raw[0].isascii(), "any server can take it"
    assert b"\n" not in post.raw[0].replace(b"\r\n", b""), "line ends are CRLF"


WORDS = st.text(st.characters(categories=("L", "M", "N", "P", "S"), include_characters=" "), max_size=200).map(
    lambda text: " ".join(text.split())
)


@given(WORDS, WORDS)
def test_every_subject_and_sender_reads_as_it_was_written(subject: str, name: str) -> None:
    raw = message(notice(recipient=TO, subject=subject), "ioc@thanhlam.example", name)
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    mail = message_from_bytes(raw)
    assert str(make_header(decode_header(mail["Subject"]))) == subject
    shown, address = parseaddr(mail["From"])
    assert str(make_header(decode_header(shown))) == name
    assert address == "ioc@thanhlam.example"
    assert mail.get_all("To") == [TO]


def test_a_long_vietnamese_subject_keeps_its_spaces() -> None:
    """The standard library's own folding once ate the space after «KHẨN CẤP:»."""
    subject = "[DIỄN TẬP] [MÔ PHỎNG] KHẨN CẤP: Ngập hầm chui, Hầm chui Đông Kiều, 38,00"
    raw = message(notice(recipient=TO, subject=subject), "ioc@thanhlam.example")
    assert str(make_header(decode_header(message_from_bytes(raw)["Subject"]))) == subject


def test_only_critical_mails_are_marked_as_important() -> None:
    assert b"Importance" not in message(notice(recipient=TO, priority="high"), "ioc@thanhlam.example")


def test_a_line_end_in_a_subject_begins_no_header() -> None:
    bad = notice(recipient=TO, subject="Ngập\r\nBcc: all@thanhlam.example\r\n\r\n<script>alert(1)</script>")
    with post_office() as post:
        mail_channel(post.port).send(bad)
    ((_, to, mail),) = post.mails
    assert to == [TO]
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Ngập Bcc: all@thanhlam.example <script>alert(1)</script>"
    assert mail.get_content().startswith("KHẨN CẤP")


@pytest.mark.parametrize(
    "bad",
    ["", "ha", "ha@", "@x", "a@b,c@d", "ha@thanhlam.example\r\nRCPT TO:<all@thanhlam.example>", "Hà <ha@x.example>",
     "hà@thanhlam.example", f"{'a' * 65}@x.example", f"a@{'b' * 250}.example", "a@b c", "ha@thanhlam.example\n"],
)  # fmt: skip
def test_what_is_no_address_is_never_given_to_a_server(bad: str) -> None:
    assert not is_address(bad)
    with post_office() as post:
        with pytest.raises(NotSent) as caught:
            mail_channel(post.port).send(notice(recipient=bad))
        assert post.commands == []
    assert (caught.value.trouble, caught.value.retry) == ("no_address", False)


def test_addresses_that_people_have() -> None:
    for good in (TO, "nguyen.van-a+ioc@so-tnmt.bacgiang.gov.vn", "root@localhost", "a_b'c@x.vn"):
        assert is_address(good)


# -- sure and doubtful -----------------------------------------------------------------------------------------------


def test_nobody_listens() -> None:
    error = trouble(closed_port())
    assert (error.trouble, error.retry, error.whole_channel) == ("no_connection", True, True)


@pytest.mark.parametrize("verb", ["EHLO", "MAIL", "RCPT", "DATA"])
def test_a_break_before_the_message_was_given_over_is_surely_not_sent(verb: str) -> None:
    with post_office(hangs_up_at=verb) as post:
        error = trouble(post.port)
    assert (error.trouble, error.retry, error.whole_channel) == ("no_connection", True, True)
    assert post.mails == []


def test_silence_after_the_dot_leaves_a_doubt() -> None:
    with post_office(silent_at="dot") as post, pytest.raises(Unclear) as caught:
        mail_channel(post.port, timeout_s=1.0).send(notice(recipient=TO))
    assert caught.value.trouble == "no_answer"
    assert len(post.mails) == 1


def test_a_break_after_the_dot_leaves_a_doubt() -> None:
    with post_office(hangs_up_at="dot") as post, pytest.raises(Unclear):
        mail_channel(post.port).send(notice(recipient=TO))


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "dot"])
@pytest.mark.parametrize(("code", "retry"), [("451 4.7.1 greylisted", True), ("550 5.1.1 no such user", False)])
def test_an_answer_is_sure_whatever_it_is(verb: str, code: str, retry: bool) -> None:
    with post_office(refuses={verb: code}) as post:
        error = trouble(post.port)
    assert (error.trouble, error.retry, error.whole_channel) == ("refused", retry, False)
    assert code[4:] in str(error)


def test_a_server_that_is_closing_is_asked_again() -> None:
    with post_office(refuses={"EHLO": "421 closing", "HELO": "421 closing"}) as post:
        error = trouble(post.port)
    assert error.retry
    assert error.whole_channel


def test_the_answer_to_a_goodbye_is_not_waited_for() -> None:
    with post_office() as post:
        mail_channel(post.port).send(notice(recipient=TO))
    assert "QUIT" not in post.commands


# -- login and TLS ---------------------------------------------------------------------------------------------------


def test_login_with_the_right_and_the_wrong_password() -> None:
    with post_office(login=("ioc", "dung")) as post:
        mail_channel(post.port, user="ioc", password="dung").send(notice(recipient=TO))
        error = trouble(post.port, user="ioc", password="sai")
    assert len(post.mails) == 1
    assert (error.trouble, error.retry) == ("login", False)
    assert "sai" not in str(error).replace("no", "")


def test_a_server_that_hangs_up_on_a_wrong_password_is_a_login_trouble() -> None:
    with post_office(login=("ioc", "dung"), hangs_up_at="AUTH") as post:
        error = trouble(post.port, user="ioc", password="sai")
    assert (error.trouble, error.retry, error.whole_channel) == ("login", True, True)


def test_a_login_that_is_out_of_order_for_a_while() -> None:
    with post_office(login=("ioc", "x"), refuses={"AUTH": "454 4.7.0 later"}) as post:
        error = trouble(post.port, user="ioc", password="x")
    assert (error.trouble, error.retry) == ("login", True)


def test_without_starttls_on_offer_nothing_is_said() -> None:
    """Somebody in between may have taken the offer out: the message must not go in the clear."""
    with post_office(login=("ioc", "x")) as post:
        error = trouble(post.port, tls="starttls", user="ioc", password="x")
        assert (error.trouble, error.retry) == ("tls", True)
        assert post.commands == ["EHLO"]
    assert post.mails == []


@needs_openssl
def test_starttls_with_a_certificate_that_somebody_vouches_for(tmp_path: Path) -> None:
    right, wrong = certificate(tmp_path, "127.0.0.1"), certificate(tmp_path, "elsewhere.example")
    with post_office(tls=right, login=("ioc", "x")) as post:
        assert trouble(post.port, tls="starttls", user="ioc", password="x").trouble == "tls"
        assert "AUTH" not in post.commands, "no password to a stranger"
        mail_channel(post.port, tls="starttls", ca_file=str(right[0]), user="ioc", password="x").send(
            notice(recipient=TO)
        )
        assert post.encrypted
    with post_office(tls=wrong) as post:
        assert trouble(post.port, tls="starttls", ca_file=str(wrong[0])).trouble == "tls", "another host's"
    assert post.mails == []


def test_tls_from_the_start_to_a_server_that_speaks_none() -> None:
    with web() as hook:
        error = trouble(hook.port, tls="tls")
    assert (error.trouble, error.retry) == ("tls", True)


def test_the_same_notice_is_the_same_mail() -> None:
    first = message(notice(recipient=TO), "ioc@thanhlam.example")
    again = message(notice(recipient=TO, tries=3, due_at=EVENING + timedelta(1)), "ioc@thanhlam.example")
    assert first == again
