"""E-mail by SMTP (RFC 5321) with STARTTLS (RFC 3207) or TLS from the start; plain text, one recipient per message.

A notice may name files of the archive of reports; they are attached as they lie there when the mail is sent.

Certificates are always verified; `tls = "none"` is for a relay that the operator trusts, and then no password is
sent unless the relay is this machine. `Message-ID` is made from the id of the notice, so mail programs fold a
repetition. Everything before the end of DATA is «surely not delivered»; from the dot on it may have been.
"""

from __future__ import annotations

import json
import re
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime, formataddr
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from core.ledger import Notice
from core.toml_files import take
from notices import _options
from notices._contract import NotSent, Unclear

KIND = "email"
OPTIONS = frozenset({"host", "port", "tls", "from", "name", "user_env", "password_env", "ca_file", "timeout_s"})
PORTS = {"starttls": 587, "tls": 465, "none": 25}
ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
DOT = re.compile(rb"^\.", re.MULTILINE)
WORDS_MAX = 200  # of a server's own explanation
File = tuple[str, bytes]  # name and content of an attachment


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """One mail server and the sender's address."""

    key: str
    host: str
    port: int
    tls: str  # starttls | tls | none
    sender: str
    sender_name: str = ""
    user: str = field(repr=False, default="")
    password: str = field(repr=False, default="")
    ca_file: str = ""
    timeout_s: float = 10.0
    archive: Path | None = None  # where the files lie that a notice names; None: it can attach nothing
    kind: str = KIND
    address: str = "email"
    repeatable: bool = False

    def send(self, notice: Notice) -> None:
        """Give the message to the server; its 250 after the dot is delivered. Raises NotSent, Unclear."""
        mail = message(notice, self.sender, self.sender_name, _attached(notice, self.archive))
        smtp = self._connected()
        try:
            self._submit(smtp, notice.recipient, mail)
        finally:
            smtp.close()  # no QUIT: the answer to it could only turn a delivered message into a doubt

    def _connected(self) -> smtplib.SMTP:
        """A session that may submit: greeted, encrypted and logged in as configured."""
        domain = self.sender.rpartition("@")[2]  # asking this machine for its own name can hang in a closed network
        context = ssl.create_default_context(cafile=self.ca_file or None)
        smtp: smtplib.SMTP | None = None
        try:
            if self.tls == "tls":
                smtp = smtplib.SMTP_SSL(
                    self.host, self.port, local_hostname=domain, timeout=self.timeout_s, context=context
                )
            else:
                smtp = smtplib.SMTP(self.host, self.port, local_hostname=domain, timeout=self.timeout_s)
            smtp.ehlo_or_helo_if_needed()
            if self.tls == "starttls":
                smtp.starttls(context=context)
            if self.user:
                self._log_in(smtp)
        except Exception as error:
            if smtp is not None:
                smtp.close()
            if isinstance(error, (smtplib.SMTPException, OSError)):
                raise self._not_ready(error) from None
            raise
        return smtp

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.login(self.user, self.password)
        except smtplib.SMTPServerDisconnected:  # some servers hang up on a wrong password instead of saying so
            words = f"{self.host}: the server hung up at the login: check user and password"
            raise NotSent("login", words, retry=True, whole_channel=True) from None

    def _not_ready(self, error: smtplib.SMTPException | OSError) -> NotSent:
        """Nothing has been submitted yet: why not, and may it get better by itself?"""
        if isinstance(error, smtplib.SMTPAuthenticationError):
            later = error.smtp_code < 500
            return NotSent("login", self._words(error.smtp_code, error.smtp_error), retry=later, whole_channel=later)
        if isinstance(error, smtplib.SMTPNotSupportedError):
            missing = "STARTTLS" if self.tls == "starttls" and "STARTTLS" in str(error) else "AUTH"
            return NotSent("tls", f"{self.host}: the server offers no {missing}", retry=True, whole_channel=True)
        if isinstance(error, ssl.SSLError):
            words = getattr(error, "verify_message", "") or error.reason or "no TLS"
            return NotSent("tls", f"{self.host}: {words}", retry=True, whole_channel=True)
        if isinstance(error, smtplib.SMTPResponseException):
            return NotSent("busy", self._words(error.smtp_code, error.smtp_error), retry=True, whole_channel=True)
        return NotSent("no_connection", f"{self.host}: no connection", retry=True, whole_channel=True)

    def _submit(self, smtp: smtplib.SMTP, recipient: str, mail: bytes) -> None:
        try:
            for code, words in (smtp.mail(self.sender), smtp.rcpt(recipient)):
                if code not in (250, 251):
                    raise NotSent("refused", self._words(code, words), retry=code < 500)
            code, words = smtp.docmd("DATA")
            if code != 354:
                raise NotSent("refused", self._words(code, words), retry=code < 500)
        except (smtplib.SMTPException, OSError):
            why = f"{self.host}: the connection broke before the message was given over"
            raise NotSent("no_connection", why, retry=True, whole_channel=True) from None
        try:
            smtp.send(DOT.sub(b"..", mail) + b".\r\n")
            code, words = smtp.getreply()
        except (smtplib.SMTPException, OSError):
            raise Unclear("no_answer", f"{self.host}: no answer after the message was given over") from None
        if code >= 400:
            raise NotSent("refused", self._words(code, words), retry=code < 500)

    def _words(self, code: int, words: bytes | str) -> str:
        """The server's own explanation, on one line and short."""
        text = words.decode("utf-8", errors="replace") if isinstance(words, bytes) else words
        plain = "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
        return f"{self.host}: {code} {plain[:WORDS_MAX]}"


def _attached(notice: Notice, archive: Path | None) -> list[File]:
    """The files that the payload names by their place in the archive. Raises NotSent where one is not there.

    Only what lies inside of the archive is sent, whatever the payload says.
    """
    found = []
    named = json.loads(notice.payload or "{}").get("attachments", ())
    for one in named:
        path = None if archive is None else (archive / str(one["path"])).resolve()
        if path is None or archive is None or not path.is_relative_to(archive.resolve()):
            raise NotSent("no_file", f"{one['name']}: not in the archive of reports", retry=False)
        try:
            found.append((str(one["name"]), path.read_bytes()))
        except OSError as error:
            raise NotSent("no_file", f"{one['name']}: {error.strerror}", retry=False) from None
    return found


def message(notice: Notice, sender: str, sender_name: str = "", files: Sequence[File] = ()) -> bytes:
    """The mail as bytes with CRLF line ends. Raises NotSent for an address that is none."""
    if not is_address(notice.recipient):
        raise NotSent("no_address", "the recipient is no e-mail address", retry=False)
    mail = EmailMessage(policy=MAIL_POLICY)
    mail["To"] = Address(addr_spec=notice.recipient)
    mail["Date"] = format_datetime(notice.made_at)
    mail["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday reply comes back
    if notice.priority == "critical":
        mail["Importance"] = "high"
    mail.set_content(notice.text, charset="utf-8", cte="base64")
    for name, body in files:
        main, _, sub = (guess_type(name)[0] or "application/octet-stream").partition("/")
        mail.add_attachment(body, maintype=main, subtype=sub, filename=name)
    subject = _encoded(" ".join(notice.subject.split()), "Subject")  # a line end would begin a new header
    coded = f"{_encoded(sender_name, 'From')} <{sender}>"
    origin = coded if _needs_code(sender_name) else formataddr((sender_name, sender))
    return f"From: {origin}\r\nSubject: {subject}\r\n".encode("ascii") + mail.as_bytes()


def _encoded(text: str, name: str) -> str:
    """RFC 2047, written past EmailMessage: that loses a space between two encoded words of a long line."""
    return Header(text, "utf-8", header_name=name).encode(linesep="\r\n") if _needs_code(text) else text


def _needs_code(text: str) -> bool:
    return not text.isascii() or "=?" in text


def is_address(text: str) -> bool:
    """True for an address of ASCII letters, without name, comment or second address."""
    return len(text) <= 254 and ADDRESS.fullmatch(text) is not None


def build(key: str, options: Mapping[str, Any], environ: Mapping[str, str], where: str) -> Email:
    """The channel of that entry. Raises ConfigError."""
    tls = take(options, "tls", str, where, "starttls")
    if tls not in PORTS:
        raise ConfigError(f"{where}: tls {tls!r} is not one of {', '.join(PORTS)}")
    host = take(options, "host", str, where)
    port = take(options, "port", int, where, PORTS[tls])
    if not 1 <= port <= 65535:
        raise ConfigError(f"{where}: port must lie between 1 and 65535, not {port}")
    sender = take(options, "from", str, where)
    if not is_address(sender):
        raise ConfigError(f"{where}: from {sender!r} is no e-mail address")
    name = take(options, "name", str, where, "")
    if not name.isprintable():
        raise ConfigError(f"{where}: name holds characters that cannot stand in a header")
    user = _options.secret(options, "user_env", environ, where)
    password = _options.secret(options, "password_env", environ, where)
    if bool(user) != bool(password):
        raise ConfigError(f"{where}: give user_env and password_env, or neither")
    if user and tls == "none" and host not in _options.LOOPBACK:
        raise ConfigError(f'{where}: the password would travel in the clear: set tls = "starttls" or "tls"')
    return Email(
        key=key,
        host=host,
        port=port,
        tls=tls,
        sender=sender,
        sender_name=name,
        user=user,
        password=password,
        ca_file=_options.ca_file(options, where),
        timeout_s=_options.seconds(options, "timeout_s", where, 10.0),
    )
