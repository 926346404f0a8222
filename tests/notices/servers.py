"""Counterparts on this machine for the channels: an HTTP server with a script of answers, and a small SMTP server."""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as mail_policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Request:
    """One POST as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Web:
    """What an HTTP receiver got, and how it answers: `answer(request)` gives (status, headers), or None to hang up."""

    answer: Callable[[Request], tuple[int, dict[str, str]] | None]
    got: list[Request] = field(default_factory=list)
    port: int = 0
    release: threading.Event = field(default_factory=threading.Event)  # set it to end an answer that hangs

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


def says(status: int, **headers: str) -> Callable[[Request], tuple[int, dict[str, str]]]:
    """An answer that is always the same."""
    return lambda _: (status, {name.replace("_", "-"): value for name, value in headers.items()})


TAKEN = says(204)


@contextmanager
def web(
    answer: Callable[[Request], tuple[int, dict[str, str]] | None] = TAKEN,
    tls: tuple[Path, Path] | None = None,
    port: int = 0,
) -> Iterator[Web]:
    """An HTTP(S) server on a free port; `tls` is certificate and key."""
    told = Web(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.path, dict(self.headers.items()), body)
            told.got.append(request)
            reply = told.answer(request)
            if reply is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            status, headers = reply
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a client that refuses our certificate is what the test wants

    server = Server(("127.0.0.1", port), Handler)
    told.port = server.server_address[1]
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with _serving(server, told.release):
        yield told


@contextmanager
def _serving(server: socketserver.BaseServer, release: threading.Event) -> Iterator[None]:
    """Serve in a thread; `release` lets go whoever is kept waiting at the end."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        release.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Post:
    """What an SMTP server got, and how it behaves."""

    login: tuple[str, str] | None = None  # user and password that it asks for
    hangs_up_at: str = ""  # a command, or «dot»: the connection ends there without an answer
    silent_at: str = ""  # «dot»: nothing is said after the message
    refuses: dict[str, str] = field(default_factory=dict)  # command -> answer
    tls: tuple[Path, Path] | None = None  # STARTTLS with that certificate and key
    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    encrypted: bool = False  # the last message came over TLS
    port: int = 0
    release: threading.Event = field(default_factory=threading.Event)


@contextmanager
def post_office(**behaviour: Any) -> Iterator[Post]:
    """An SMTP server on a free port: EHLO, STARTTLS, AUTH PLAIN, MAIL, RCPT, DATA."""
    told = Post(**behaviour)

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.sender, self.to, self.secure = "", list[str](), False
            self.say("220 post")
            while line := self.rfile.readline().decode("utf-8", "replace").rstrip("\r\n"):
                verb = line.split(" ")[0].split(":")[0].upper()
                told.commands.append(verb)
                if verb == told.hangs_up_at or not self.obey(verb, line):
                    return

        def obey(self, verb: str, line: str) -> bool:
            if verb in told.refuses:
                self.say(told.refuses[verb])
            elif verb == "EHLO":
                offers = (
                    ["post"] + ["STARTTLS"] * bool(told.tls and not self.secure) + ["AUTH PLAIN"] * bool(told.login)
                )
                for number, offer in enumerate(offers, start=1):
                    self.say(f"250{'-' if number < len(offers) else ' '}{offer}")
            elif verb == "STARTTLS" and told.tls:
                self.say("220 go")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*told.tls)
                try:
                    self.request = context.wrap_socket(self.request, server_side=True)
                except (ssl.SSLError, OSError):
                    return False  # the client does not like our certificate
                self.rfile, self.wfile, self.secure = self.request.makefile("rb"), self.request.makefile("wb", 0), True
            elif verb == "AUTH":
                import base64

                user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")[1:]
                self.say("235 welcome" if (user, password) == told.login else "535 5.7.8 no")
            elif verb == "MAIL":
                self.sender = line.partition("<")[2].partition(">")[0]
                self.say("250 ok")
            elif verb == "RCPT":
                self.to.append(line.partition("<")[2].partition(">")[0])
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                return self.take()
            else:
                self.say("500 what?")
            return True

        def take(self) -> bool:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line[1:] if line.startswith(b".") else line)
            body = b"".join(lines)
            told.raw.append(body)
            told.encrypted = self.secure
            mail = message_from_bytes(body, policy=mail_policy)
            told.mails.append((self.sender, self.to, mail))  # type: ignore[arg-type]
            if told.silent_at == "dot":
                told.release.wait(30)
            if "dot" in (told.silent_at, told.hangs_up_at):
                return False
            self.say(told.refuses.get("dot", "250 taken"))
            return True

        def say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address, daemon_threads = True, True

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Session)
    told.port = server.server_address[1]
    with _serving(server, told.release):
        yield told


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for a host name or address, and its key. FileNotFoundError without openssl."""
    kind = "IP" if name[0].isdigit() else "DNS"
    paths = (folder / f"{name}.pem", folder / f"{name}.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName={kind}:{name}", "-out", str(paths[0]), "-keyout", str(paths[1])],
        check=True, capture_output=True,
    )  # fmt: skip
    return paths
