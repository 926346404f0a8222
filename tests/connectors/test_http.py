"""The way out: what a bad server may do to us, played by a real one on this machine; nobody sleeps."""

import gzip
import json
import socket
import threading
import traceback
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connectors import _http, begin_turn, session
from connectors._http import TURN_S, Limits, Pace, get, read_json, same_host
from core.errors import HouseError, InputError, SourceChanged, SourceError, SourceRefused, SourceUnavailable
from tests.connectors.asking import Answers, asking

SECRET = "s3cr3t/+key"
GOOD = json.dumps({"hello": "wörld"}).encode()
QUICK = Limits(read_s=0.2)


class BadServer(BaseHTTPRequestHandler):
    """The path says how to misbehave; a number in front of it, how often before it answers well."""

    def do_GET(self):
        path = self.path.partition("?")[0].strip("/")
        times, _, fault = path.rpartition("-")
        self.server.asked.append((path, dict(self.headers)))
        count = sum(1 for one, _ in self.server.asked if one == path)
        if times and count > int(times):
            fault = "good"
        getattr(self, f"play_{fault.split('/')[0]}")()

    def say(self, status, body=GOOD, media_type="application/json", **headers):
        self.send_response(status)
        for name, value in {"Content_Type": media_type, "Content_Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def play_good(self):
        self.say(200)

    def play_empty(self):
        self.say(200, b"")

    def play_html(self):
        self.say(200, b"<html><h1>Sign in</h1></html>", "text/html")

    def play_badjson(self):
        self.say(200, GOOD[:-1] + b",,")

    def play_latin(self):
        self.say(200, '{"hello": "wörld"}'.encode("latin-1"))

    def play_gzip(self):
        self.say(200, gzip.compress(GOOD), Content_Encoding="gzip")

    def play_notgzip(self):
        self.say(200, GOOD, Content_Encoding="gzip")

    def play_bomb(self):
        self.say(200, gzip.compress(b"0" * 3_000_000), Content_Encoding="gzip")

    def play_long(self):
        self.say(200, b"1" * 1_000_000)

    def play_truncated(self):
        self.say(200, GOOD[: len(GOOD) // 2], Content_Length=len(GOOD))

    def play_twolengths(self):
        self.say(200, **{"Content-Length": 3})

    def play_dropped(self):
        self.close_connection = True

    def play_slow(self):
        self.server.closing.wait(5)
        self.close_connection = True

    def play_limit(self):
        self.say(429, b'{"error": "too many"}', Retry_After="7")

    def play_limithour(self):
        self.say(429, b'{"error": "too many"}', Retry_After="3600")

    def play_limitdate(self):
        self.say(429, b"{}", Retry_After="Mon, 01 Jun 2026 00:10:00 GMT")

    def play_limitwords(self):
        self.say(429, b'{"reason": "try again in one minute"}')

    def play_limitnonsense(self):
        self.say(429, b"{}", Retry_After="soon")

    def play_down(self):
        self.say(503, b"no healthy upstream", "text/plain")

    def play_echo(self):
        self.say(403, json.dumps({"message": f"the key {SECRET} is not known"}).encode())

    def play_xmlerror(self):
        self.say(404, b"<errors><error><code>404</code><description>NOPE</description></error></errors>", "text/xml")

    def play_badrequest(self):
        self.say(400, b'{"detail": [{"msg": "$top is too large"}]}')

    def play_moved(self):
        self.say(302, b"", Location="/good")

    def play_movedaway(self):
        self.say(301, b"", Location=f"http://localhost:{self.server.server_port}/good?key={SECRET}")

    def play_circle(self):
        self.say(302, b"", Location="/circle")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), BadServer) as running:
        running.asked, running.closing = [], threading.Event()
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.closing.set()
        running.shutdown()


class Time:
    """A clock that only sleeping (and, by `tick_s`, asking) moves."""

    def __init__(self, tick_s=0.0):
        self.seconds, self.slept, self.tick_s = 0.0, [], tick_s

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds

    def clock(self):
        self.seconds += self.tick_s
        return self.seconds


def paced(time, gap_s=0.0):
    start = datetime(2026, 6, 1, tzinfo=UTC)
    return session(Pace(min_gap_s=gap_s, sleep=time.sleep, clock=time.clock, now=lambda: start, jitter=lambda: 0.5))


@pytest.fixture
def ask(server):
    server.asked.clear()

    def asking(path, time=None, limits=QUICK, **options):
        url = f"http://127.0.0.1:{server.server_port}/{path}"
        return get(
            paced(time or Time()), url, {"apikey": SECRET}, {"X-Key": SECRET}, secret=SECRET, limits=limits, **options
        )

    return asking


@pytest.mark.parametrize("path", ["good", "gzip", "moved"])
def test_a_good_reply_plain_compressed_or_moved_on_the_same_host(ask, path):
    payload = ask(path)
    assert payload.body == GOOD
    assert payload.name == f"127.0.0.1/{path}"
    assert payload.media_type == "application/json"


@pytest.mark.parametrize("fault", ["down", "truncated", "dropped", "slow", "limitnonsense"])
def test_a_passing_fault_is_tried_again_with_growing_waits(ask, server, fault):
    time = Time()
    assert ask(f"2-{fault}", time).body == GOOD
    assert time.slept == [1.0, 2.0]
    assert len(server.asked) == 3


@pytest.mark.parametrize("fault", ["down", "truncated", "dropped", "slow"])
def test_a_lasting_fault_is_unavailable_after_three_tries(ask, server, fault):
    with pytest.raises(SourceUnavailable) as caught:
        ask(fault)
    assert len(server.asked) == 3
    assert caught.value.retry_after_s is None


def test_a_server_that_says_too_many_and_no_more_is_left_alone_for_five_minutes(ask):
    with pytest.raises(SourceUnavailable) as caught:
        ask("limitnonsense")
    assert caught.value.retry_after_s == 300


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceUnavailable, match="could not be made"):
        get(paced(Time()), f"http://127.0.0.1:{port}/x")


def test_retry_after_in_seconds_is_obeyed_as_long_as_the_cycle_is_not_held_up(ask, server):
    time = Time()
    assert ask("2-limit", time).body == GOOD
    assert time.slept == [7.0, 7.0]
    with pytest.raises(SourceUnavailable, match="too many") as caught:
        ask("limit", Time(), limits=Limits(waits_s=10))
    assert caught.value.retry_after_s == 7
    assert len(server.asked) == 3 + 2


@pytest.mark.parametrize(("path", "wait_s"), [("limithour", 3600), ("limitdate", 600), ("limitwords", 60)])
def test_a_long_wait_is_handed_to_the_caller_at_once_whether_told_by_number_date_or_words(ask, server, path, wait_s):
    time = Time()
    with pytest.raises(SourceUnavailable) as caught:
        ask(path, time, wait_in_words=lambda words: 60.0 if "one minute" in words else None)
    assert caught.value.retry_after_s == wait_s
    assert time.slept == []
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("path", "words"),
    [("echo", r"HTTP 403 \(the key \*\*\* is not known\)"), ("xmlerror", "NOPE"), ("badrequest", r"\$top is too large"),
     ("movedaway", "another host, localhost"), ("circle", "redirects")],
)  # fmt: skip
def test_a_refusal_is_not_tried_again_and_brings_the_server_s_own_words(ask, server, path, words):
    with pytest.raises(SourceRefused, match=words):
        ask(path)
    assert sum(1 for one, _ in server.asked if one == "good") == 0
    assert len(server.asked) == (4 if path == "circle" else 1)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("html", "HTML"),
        ("badjson", "line 1, column"),
        ("empty", "empty"),
        ("latin", "UTF-8"),
        ("notgzip", "compressed"),
        ("twolengths", "rules of HTTP"),
    ],
)
def test_something_else_than_the_promised_json_is_a_change(ask, path, words):
    with pytest.raises(SourceChanged, match=words):
        ask(path)


def test_html_is_welcome_where_json_was_not_promised(ask):
    assert ask("html", json_promised=False).media_type == "text/html"


@pytest.mark.parametrize("path", ["long", "bomb"])
def test_a_body_without_measure_is_cut_off_also_when_it_hides_in_a_small_package(ask, path):
    with pytest.raises(SourceChanged, match="larger than 100000 bytes"):
        ask(path, limits=Limits(body_bytes=100_000))


def test_a_body_that_drips_is_given_up_at_the_deadline(ask, server):
    with pytest.raises(SourceUnavailable, match="in time"):
        ask("long", Time(tick_s=10))  # every look at the clock takes 10 s of the 60
    assert len(server.asked) == 1


def test_pages_without_end_are_given_up_when_the_time_of_the_turn_is_over(server):
    """Each page is well within the limits of a call: only the clock of the whole turn can end it."""
    http, url = paced(Time(), gap_s=50.0), f"http://127.0.0.1:{server.server_port}/good"
    for _ in range(int(TURN_S / 50)):
        get(http, url)
    with pytest.raises(SourceUnavailable, match="in time"):
        get(http, url)
    begin_turn(http)
    assert get(http, url).body == GOOD


def test_pages_that_are_too_large_together_are_refused_and_the_next_turn_begins_anew(server, monkeypatch):
    monkeypatch.setattr(_http, "TURN_BYTES", 3 * len(GOOD))
    http, url = paced(Time()), f"http://127.0.0.1:{server.server_port}/good"
    for _ in range(3):
        get(http, url)
    with pytest.raises(SourceChanged, match="together are larger"):
        get(http, url)
    begin_turn(http)
    assert get(http, url).body == GOOD


def test_requests_to_one_host_keep_their_distance_and_other_hosts_do_not_wait(server):
    time = Time()
    http = paced(time, gap_s=0.5)
    for _ in range(3):
        get(http, f"http://127.0.0.1:{server.server_port}/good")
    assert time.slept == [0.5, 0.5]
    get(http, f"http://localhost:{server.server_port}/good")
    assert time.slept == [0.5, 0.5]


@pytest.mark.parametrize(
    ("url", "other", "same"),
    [
        ("https://a/x", "https://a/y?z", True),
        ("http://a/x", "https://a/x", True),  # better protected than asked
        ("https://a/x", "http://a/x", False),
        ("https://a/x", "https://b/x", False),
        ("http://a/x", "https://b/x", False),
        ("http://a:8080/x", "https://a/x", False),
        ("http://a/x", "http://a:8080/x", False),
    ],
)
def test_what_counts_as_the_same_host(url, other, same):
    assert same_host(url, other) is same


FAULTS = [name.removeprefix("play_") for name in dir(BadServer) if name.startswith("play_")]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_message_and_no_trace_holds_the_secret_or_the_query(ask, fault):
    told = ""
    try:
        ask(fault)
    except SourceError as error:
        told = "".join(traceback.format_exception(error))
    assert (told == "") == (fault in ("good", "gzip", "moved"))
    assert "s3cr3t" not in told
    assert "apikey=" not in told


@pytest.mark.parametrize("url", ["", "sta.example/v1.1", "ftp://host/x", "http://", "file:///etc/passwd"])
def test_an_address_that_is_none_is_told_without_a_try(url):
    with pytest.raises(InputError, match="base_url"):
        get(paced(Time()), url)


def test_a_host_that_cannot_be_written_is_told_without_its_query():
    with pytest.raises(HouseError) as caught:
        get(paced(Time()), "http://a..b/x", {"apikey": SECRET})
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


def test_no_piece_of_an_address_that_is_a_secret_is_told():
    secret = "https://feed.example.vn/partner/Zx9Qw3rT/feed?token=A1b2C3d4&format=1"
    words = json.dumps({"error": "Zx9Qw3rT is closed, token A1b2C3d4, https://feed.example.vn/partner/Zx9Qw3rT/feed"})
    with pytest.raises(SourceRefused) as caught:
        get(asking(Answers(lambda query: (403, words.encode(), {}))), secret, secret=secret)
    assert "Zx9Qw3rT" not in str(caught.value)
    assert "A1b2C3d4" not in str(caught.value)
    assert "feed.example.vn" in str(caught.value)


def test_half_a_sign_at_the_end_of_a_cut_text_spoils_no_reply():
    assert read_json(b'{"a": "ng\\u1eadp \\ud83c", "b": "\\ud83c\\udf0a", "c": NaN}', "x")["a"] == "ngập ?"
    assert read_json(b'{"a": "\\ud83c", "b": "\\ud83c\\udf0a"}', "x")["b"] == "🌊"


def test_json_may_begin_with_a_byte_order_mark_and_may_not_be_absurd():
    assert read_json(b"\xef\xbb\xbf[1]", "x") == [1]
    for body, words in ((b"1" * 5000, "JSON that no honest"), (b"[" * 200_000, "JSON of more than 64 levels")):
        with pytest.raises(SourceChanged, match=f"x: {words}"):
            read_json(body, "x")
