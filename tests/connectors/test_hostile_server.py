"""A server that means harm, byte by byte on a socket of this machine: no call is longer, larger or louder than told."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator

import pytest

from connectors import Payload, load, session
from connectors._http import Limits, Pace, get
from connectors._xml import xml_tree
from core.errors import HouseError, InputError, SourceChanged, SourceRefused, SourceUnavailable

SECRET = "s3cr3t-Zx9"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
DRIPS_S, DRIPS = 0.02, 500  # one byte each time: ten seconds, if nobody ends it
Play = Callable[[socket.socket, threading.Event], None]


class Hostile:
    """Every connection gets what `play` sends, in a thread of its own."""

    def __init__(self, listening: socket.socket) -> None:
        self.port, self.over = listening.getsockname()[1], threading.Event()
        self.play: Play = lambda line, over: None
        self._listening = listening
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while not self.over.is_set():
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        with line:
            try:
                line.recv(65536)
                self.play(line, self.over)
            except OSError:
                return  # the house hung up


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Hostile(listening)
        yield server
        server.over.set()


def ask(hostile: Hostile, play: Play, **limits: float) -> bytes:
    hostile.play = play
    http = session(Pace(min_gap_s=0, sleep=lambda seconds: None))
    url = f"http://127.0.0.1:{hostile.port}/data"
    return get(http, url, {"apikey": SECRET}, secret=SECRET, limits=Limits(**limits)).body  # type: ignore[arg-type]


def drip(line: socket.socket, over: threading.Event, byte: bytes) -> None:
    for _ in range(DRIPS):
        line.sendall(byte)
        if over.wait(DRIPS_S):
            return


def drips_a_body(line: socket.socket, over: threading.Event) -> None:
    line.sendall(HEAD + b"Content-Length: %d\r\n\r\n{}" % (DRIPS + 2))
    drip(line, over, b" ")


def drips_a_body_and_closes(line: socket.socket, over: threading.Event) -> None:
    line.sendall(HEAD + b"Connection: close\r\n\r\n{}")
    drip(line, over, b" ")


def drips_pieces(line: socket.socket, over: threading.Event) -> None:
    line.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
    drip(line, over, b"1\r\n \r\n")
    line.sendall(b"0\r\n\r\n")


def drips_a_header(line: socket.socket, over: threading.Event) -> None:
    line.sendall(HEAD + b"X-Long: ")
    drip(line, over, b"a")
    line.sendall(b"\r\nContent-Length: 2\r\n\r\n{}")


@pytest.mark.parametrize("play", [drips_a_body, drips_a_body_and_closes, drips_pieces, drips_a_header])
def test_a_server_that_drips_is_given_up_when_the_time_of_the_call_is_over(hostile: Hostile, play: Play) -> None:
    """Each byte comes well before the time-out of a silence: only the clock of the whole call can end it."""
    with pytest.raises(SourceUnavailable, match="no complete answer in time"):
        ask(hostile, play, read_s=5.0, deadline_s=0.3)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_bomb_in_one_package_or_in_packages_of_packages_is_cut_off(hostile: Hostile, layers: int) -> None:
    body = b" " * 30_000_000
    for _ in range(layers):
        body = gzip.compress(body, 1)

    def play(line: socket.socket, over: threading.Event) -> None:
        coding = b", ".join([b"gzip"] * layers)
        line.sendall(HEAD + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (coding, len(body)) + body)

    with pytest.raises(SourceChanged, match="larger than 100000 bytes"):
        ask(hostile, play, body_bytes=100_000)


def test_a_body_without_an_end_is_cut_off(hostile: Hostile) -> None:
    def play(line: socket.socket, over: threading.Event) -> None:
        line.sendall(HEAD + b"\r\n")
        while not over.is_set():
            line.sendall(b"[" * 65536)

    with pytest.raises(SourceChanged, match="larger than 1000000 bytes"):
        ask(hostile, play, body_bytes=1_000_000)


def test_headers_without_an_end_are_cut_off(hostile: Hostile) -> None:
    def play(line: socket.socket, over: threading.Event) -> None:
        line.sendall(HEAD)
        while not over.is_set():
            line.sendall(b"X-More: " + b"a" * 60000 + b"\r\n")

    with pytest.raises((SourceUnavailable, SourceChanged)):
        ask(hostile, play)


def broken_head(line: socket.socket, over: threading.Event) -> None:
    line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n no colon here\r\nfoo\r\n\r\n{}")


def no_http(line: socket.socket, over: threading.Event) -> None:
    line.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def hangs_up(line: socket.socket, over: threading.Event) -> None:
    return


def moves_away(line: socket.socket, over: threading.Event) -> None:
    line.sendall(b"HTTP/1.1 302 x\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("play", [broken_head, no_http, hangs_up, moves_away, drips_a_header])
def test_no_log_no_message_and_no_chain_of_causes_holds_the_key(
    hostile: Hostile, play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    """The HTTP library logs whole addresses, with their query, when it is asked for much or meets a bad header."""
    caplog.set_level(logging.DEBUG)
    told = ""
    try:
        ask(hostile, play, deadline_s=0.3)
    except HouseError as error:
        told = "".join(traceback.format_exception(error))
    assert SECRET not in told
    assert SECRET not in caplog.text
    assert "apikey" not in caplog.text


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/",
        "http://2852039166/latest", "http://0xa9fea9fe/", "//evil.example/", "https://evil.example/",
        "\\\\evil.example\\x", "http://127.0.0.1:{port}@evil.example/", "http://127.0.0.1:{port}.evil.example/",
        "http://user@127.0.0.1:{port}/", "http://127.0.0.1:1/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/", "http://127.1:{port}/",
    ],
)  # fmt: skip
def test_a_redirect_leads_to_no_other_place_however_it_is_spelled(hostile: Hostile, target: str) -> None:
    asked = []

    def play(line: socket.socket, over: threading.Event) -> None:
        asked.append(1)
        place = target.format(port=hostile.port).encode()
        line.sendall(b"HTTP/1.1 302 x\r\nLocation: " + place + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    if target.startswith("\\"):  # backslashes are no slashes here: a path on the same server, until it gives up
        with pytest.raises(SourceRefused, match="more than 3 redirects"):
            ask(hostile, play)
        return
    with pytest.raises(SourceRefused, match="another host"):
        ask(hostile, play)
    assert len(asked) == 1


@pytest.mark.parametrize("number", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_this_machine_in_a_disguise_is_not_asked(
    hostile: Hostile, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolver of the machine reads such numbers; the guard judges what it says, not what was written."""
    asked, real = [], socket.getaddrinfo
    hostile.play = lambda line, over: asked.append(1)
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **named: real("127.0.0.1", *rest, **named))
    with pytest.raises((SourceRefused, InputError)):
        get(session(Pace(sleep=lambda seconds: None)), f"http://{number}:{hostile.port}/x")
    assert asked == []


def test_a_login_in_an_address_is_sent_back_to_the_secrets(hostile: Hostile) -> None:
    with pytest.raises(InputError, match="login") as caught:
        get(session(), f"http://reader:{SECRET}@127.0.0.1:{hostile.port}/x")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


DEEP = b"<a>" * 101 + b"</a>" * 101
ENTITY = b"<!DOCTYPE a [<!ENTITY b 'c'>]><service_requests>&b;</service_requests>"
OUTSIDE = b'<!DOCTYPE a SYSTEM "http://169.254.169.254/x.dtd"><service_requests></service_requests>'


@pytest.mark.parametrize("key", ["datex2", "ogc_features", "open311"])
@pytest.mark.parametrize(
    ("body", "words"),
    [(DEEP, "deeper than 100 levels"), (ENTITY, "unsafe XML"), (OUTSIDE, "unsafe XML"), (b"<a><b>", "broken"),
     (b'<?xml version="1.0" encoding="utf-99"?><a/>', "XML"),
     (b'<?xml version="1.0" encoding="gb2312"?><a/>', "encoding that cannot be read")],
)  # fmt: skip
def test_xml_that_is_deep_broken_or_sends_us_elsewhere_is_refused_by_every_reader(
    key: str, body: bytes, words: str
) -> None:
    with pytest.raises(SourceChanged, match=f"reply: .*{words}"):
        load(key).parse(Payload(body=body, name="reply"))


def test_xml_of_a_hundred_levels_is_read_and_millions_are_never_built() -> None:
    assert xml_tree(b"<a>" * 100 + b"</a>" * 100, "x").tag == "a"
    with pytest.raises(SourceChanged, match="x: XML that is nested deeper than 100 levels"):
        xml_tree(b"<a>" * 5_000_000, "x")
