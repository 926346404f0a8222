"""Where requests may go: a city's own sources, and never the places that an attacker would like us to ask."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connectors import _guard, hosts_of, mqtt, session, sql
from connectors._http import Pace, get
from core.errors import SourceRefused, SourceUnavailable
from tests.connectors.asking import Answers, asking, request_for

NAMES = {  # what the town's name server says in these tests
    "open.example.vn": ["203.113.1.1"],
    "inside.example.vn": ["10.20.0.5"],
    "stations.lan": ["10.20.0.5"],
    "metadata.example.vn": ["169.254.169.254"],
    "mixed.example.vn": ["203.113.1.1", "fe80::1"],
    "home.example.vn": ["127.0.0.1"],
    "wrapped.example.vn": ["::ffff:169.254.169.254"],
}


@pytest.fixture
def names(monkeypatch):
    """A name server of our own; every look-up is noted."""
    asked = []
    real = socket.getaddrinfo

    def look_up(host, port, *rest, **named):
        asked.append(host)
        if host not in NAMES:
            return real(host, port, *rest, **named)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in NAMES[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.fixture(scope="module")
def server():
    """Answers everything with JSON; /away redirects to where it is told."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            body = b'{"ok": true}'
            target = self.path.partition("?to=")[2]
            self.send_response(302 if target else 200)
            if target:
                self.send_header("Location", target)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.asked = []
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


def quick(**named):
    return session(Pace(min_gap_s=0, sleep=lambda seconds: None), **named)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("203.113.1.1", "public"), ("2405:4800::1", "public"),
        ("10.0.0.1", "private"), ("192.168.1.1", "private"), ("172.31.255.1", "private"), ("100.64.0.1", "private"),
        ("fd12::1", "private"), ("192.0.2.1", "private"),
        ("127.0.0.1", "loopback"), ("127.8.8.8", "loopback"), ("::1", "loopback"), ("::ffff:127.0.0.1", "loopback"),
        ("169.254.0.1", "never"), ("fe80::1%eth0", "never"),
        ("fd00:ec2::254%1", "never"), ("169.254.169.254", "never"), ("fd00:ec2::254", "never"),
        ("100.100.100.200", "never"), ("168.63.129.16", "never"), ("::ffff:169.254.169.254", "never"),
        ("64:ff9b::a9fe:a9fe", "never"),
        ("2001:0:4136:e378:8000:63bf:5601:5601", "never"),
        ("2002:a9fe:a9fe::1", "never"), ("224.0.0.251", "never"), ("ff02::1", "never"),
        ("0.0.0.0", "never"), ("::", "never"), ("255.255.255.255", "never"),
    ],
)  # fmt: skip
def test_what_an_address_is_also_when_another_one_wraps_it(address, kind):
    assert _guard.kind_of(address) == kind


@pytest.mark.parametrize(
    ("host", "address", "private_network", "goes"),
    [
        ("open.example.vn", "203.113.1.1", False, True),
        ("open.example.vn", "10.0.0.5", False, False),  # the name server was turned
        ("open.example.vn", "10.0.0.5", True, True),
        ("10.0.0.5", "10.0.0.5", False, True),  # the address itself says so
        ("db", "10.0.0.5", False, True),  # a name without a dot lives in an own network only
        ("stations.LAN", "10.0.0.5", False, True),
        ("stations.lan.example.vn", "10.0.0.5", False, False),
        ("localhost", "127.0.0.1", False, True),
        ("127.0.0.1", "127.0.0.1", False, True),
        ("stations.lan", "127.0.0.1", True, False),
        ("open.example.vn", "127.0.0.1", True, False),
        ("localhost", "10.0.0.5", False, True),
        ("169.254.169.254", "169.254.169.254", True, False),  # not even where the configuration says so
    ],
)
def test_private_and_loopback_only_where_the_configuration_means_it(host, address, private_network, goes):
    if goes:
        _guard.check_address(host, address, private_network=private_network)
    else:
        with pytest.raises(_guard.Forbidden):
            _guard.check_address(host, address, private_network=private_network)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("metadata.example.vn", "no source of data"), ("wrapped.example.vn", "no source of data"),
        ("mixed.example.vn", "no source of data"), ("home.example.vn", "write 127.0.0.1 or localhost"),
        ("inside.example.vn", "private_network = true"),
    ],
)  # fmt: skip
def test_a_name_that_stands_for_a_forbidden_place_is_refused_at_once_and_in_words(names, host, words):
    with pytest.raises(SourceRefused, match=words) as caught:
        get(quick(), f"http://{host}/x", {"key": "s3cr3t"})
    assert "s3cr3t" not in str(caught.value)
    assert names == [host], "one look-up, no second try"


def test_a_name_of_an_own_network_is_asked_at_the_number_that_was_judged(names, monkeypatch):
    """The second look-up of a rebinding attack never happens: the connection goes to the number."""
    went = []

    def connect(self, address):
        went.append(address)
        raise ConnectionRefusedError("nobody")

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(SourceUnavailable):
        get(quick(), "http://stations.lan:8080/x")
    assert went == [("10.20.0.5", 8080)] * 3
    assert set(names) == {"stations.lan", "10.20.0.5"}, "the library looks up the number, not the name"


def test_of_a_name_with_very_many_numbers_a_few_are_tried(names, monkeypatch):
    """Each may cost the time of a connection, and whoever owns the name says how many there are."""
    monkeypatch.setitem(NAMES, "many.lan", [f"10.20.0.{number}" for number in range(1, 100)])
    went = []

    def connect(self, address):
        went.append(address[0])
        raise ConnectionRefusedError("nobody")

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(SourceUnavailable):
        get(quick(), "http://many.lan/x")
    assert went == ["10.20.0.1", "10.20.0.2", "10.20.0.3", "10.20.0.4"] * 3


def test_a_dot_at_the_end_and_capital_letters_are_the_same_host():
    assert hosts_of({"base_url": "https://Stations.example.vn./v1"}, None, ()) == {"stations.example.vn"}
    for host in ("stations.example.vn.", "STATIONS.example.vn"):
        _guard.check_host(host, {"stations.example.vn"}, "x")


def test_the_connected_end_is_judged_once_more(server, monkeypatch):
    """Whatever the look-up said: a socket that ends on this machine is closed before a byte is sent."""
    server.asked.clear()
    monkeypatch.setattr(_guard, "addresses", lambda host, port, **_: ["127.0.0.1"])
    with pytest.raises(SourceRefused, match="this machine"):
        get(quick(), f"http://open.example.vn:{server.server_port}/x")
    assert server.asked == []


def test_only_the_hosts_of_the_source_are_asked(server):
    server.asked.clear()
    http = quick(hosts=hosts_of({"base_url": "https://Stations.example.vn/v1"}, None, ()))
    with pytest.raises(SourceRefused, match=r"127\.0\.0\.1 is no host of this source"):
        get(http, f"http://127.0.0.1:{server.server_port}/x")
    assert server.asked == []


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "http://localhost:9/x", "//10.0.0.5/x"])
def test_a_redirect_leads_nowhere_else(server, target):
    with pytest.raises(SourceRefused, match="redirects to another host"):
        get(quick(), f"http://127.0.0.1:{server.server_port}/away?to={target}")


def test_a_number_that_is_no_place_of_a_source_is_refused_also_before_a_proxy_would_be_asked():
    answers = Answers(lambda query: {})
    with pytest.raises(SourceRefused, match="no source of data"):
        get(asking(answers), "https://169.254.169.254/latest")
    assert answers.asked == []


def test_hosts_come_from_the_options_from_a_secret_address_or_from_the_connector():
    assert hosts_of({"base_url": "mqtts://broker.example.vn:8883"}, "user:pass", ("a",)) == {"broker.example.vn"}
    assert hosts_of({}, "https://feeds.example.vn/partner/abc?format=1", ("a",)) == {"feeds.example.vn"}
    assert hosts_of({}, "a plain key", ("api.example.vn",)) == {"api.example.vn"}
    assert hosts_of({"alerts": "https://a.vn/x", "trip_updates": "https://b.vn/x"}, None, ()) == {"a.vn", "b.vn"}
    assert hosts_of({"base_url": "http://[::1"}, None, ("api.example.vn",)) == {"api.example.vn"}


def test_a_database_is_asked_at_judged_numbers_and_at_no_socket_file(names):
    query = {"query": "select 1"}
    for address, words in [
        ("postgresql://reader@metadata.example.vn/city", "no source of data"),
        ("postgresql://reader@inside.example.vn/city", "private_network = true"),
        ("postgresql:///city?host=/var/run/postgresql", "socket file"),
    ]:
        with pytest.raises(SourceRefused, match=words):
            sql.fetch(session(), request_for("db", {"base_url": address, **query}))
    pinned = sql._judged_hosts("postgresql://reader@stations.lan:6000/city", "x", False)
    assert pinned == {"host": "stations.lan", "hostaddr": "10.20.0.5", "port": "6000"}


def test_a_broker_that_is_somebody_else_never_learns_the_login():
    """A server on this machine behind a name that should be elsewhere: it hears nothing, not even a hello."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen():
            connection, _ = listening.accept()
            connection.settimeout(5)
            heard.append(connection.recv(100))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        options = {"base_url": f"mqtt://0x7f000001:{listening.getsockname()[1]}"}
        with pytest.MonkeyPatch.context() as patch:
            real = socket.getaddrinfo
            patch.setattr(
                socket,
                "getaddrinfo",
                lambda host, *rest, **named: real(str(host).replace("0x7f000001", "127.0.0.1"), *rest, **named),
            )
            try:
                with pytest.raises(SourceRefused, match="this machine"):
                    mqtt.fetch(session(), request_for("elsewhere", options, "user:s3cr3t"))
                thread.join(5)
            finally:
                mqtt.close("elsewhere")
    assert heard == [b""]


def test_words_of_an_ogc_error_are_told():
    body = (
        b'<?xml version="1.0"?><ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1">'
        b'<ows:Exception exceptionCode="InvalidParameterValue"><ows:ExceptionText><![CDATA[no type ms:gauge &amp; co]]>'
        b"</ows:ExceptionText></ows:Exception></ows:ExceptionReport>"
    )
    with pytest.raises(SourceRefused, match=r"HTTP 400 \(no type ms:gauge & co\)"):
        get(asking(Answers(lambda query: (400, body, {}))), "https://maps.example.vn/wfs", json_promised=False)


def test_brackets_inside_of_words_are_no_depth():
    words = json.dumps({"name": "[" * 500 + '\\"' + "{" * 500}).encode()
    assert get(asking(Answers(lambda query: (200, words, {}))), "https://api.example.vn/x").body == words
