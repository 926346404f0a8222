"""MQTT: messages become observations, the queue stands beside the cycle, and a lost broker comes back by itself.

The broker is a mosquitto where one is installed, else the one that CITY_LAB_MQTT names (mqtt://user:password@host:port).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from getpass import getuser
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from connectors import Payload, mqtt, session
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused, SourceUnavailable
from tests.connectors.asking import request_for

SEVEN = "2026-06-01T07:00:00+07:00"
ARRIVED = "2026-06-01T07:00:05.123456+0700"


def message(topic: str, payload: Any, **more: Any) -> dict[str, Any]:
    return {"topic": topic, "payload": payload, "tst": ARRIVED, **more}


def parsed(*messages: dict[str, Any], dropped: int = 0, **options: Any) -> Any:
    body = json.dumps({"messages": messages, "dropped": dropped}).encode()
    return mqtt.parse(Payload(body=body, name="broker", context={"source": "boxes", "options": options}))


def rows(frame: Any) -> list[tuple[str, str, str, float]]:
    columns = (frame[name] for name in ("time", "site_id", "observed_property", "value"))
    return [(f"{time:%H:%M:%S}", *rest) for time, *rest in zip(*columns, strict=True)]


def told(value: Any = 48.5, ts: Any = SEVEN, **more: Any) -> str:
    return json.dumps({"ts": ts, "value": value, "unit": "µg/m³", **more})


# ---- what a message means

TOPICS = [
    {"filter": "city/+/+/state", "site": "+1", "property": "+2"},
    {"filter": "legacy/pm25", "site": "old", "property": "pm25", "unit": "mg/m3"},
    {"filter": "deep/#", "site": "/id", "time": "/data/at", "property": "pm25", "unit": "ug/m3", "value": "/data/0x/1"},
]


def test_topics_name_site_and_property_and_pointers_the_rest() -> None:
    deep = json.dumps({"id": "d1", "data": {"at": SEVEN, "0x": [1, 2]}})
    frame = parsed(
        message("city/gate/pm25/state", told()), message("legacy/pm25", told(0.001)), message("deep/a/b", deep),
        topics=TOPICS, sites={"gate": "air_01", "old": "air_02", "d1": "air_03"},
    )  # fmt: skip
    assert rows(frame) == [
        ("00:00:00", "air_01", "pm25", 48.5), ("00:00:00", "air_02", "pm25", 1.0), ("00:00:00", "air_03", "pm25", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "topic", "found"),
    [
        ("a/+/c", "a/b/c", ["b"]), ("a/+/c", "a/b/d", None), ("a/+", "a/b/c", None), ("a/+/+", "a/b", None),
        ("a/#", "a", []), ("a/#", "a/b/c", []), ("#", "a/b", []), ("+/b", "/b", [""]), ("#", "$SYS/x", None),
        ("+/x", "$SYS/x", None), ("$SYS/#", "$SYS/x", []), ("a", "A", None), ("+/+", "a/b", ["a", "b"]),
    ],
)  # fmt: skip
def test_filters_fit_as_the_standard_says(text: str, topic: str, found: list[str] | None) -> None:
    assert mqtt._wildcards(text, topic) == found


def test_the_same_topic_and_time_counts_once_and_the_last_is_taken() -> None:
    frame = parsed(message("a/pm25", told(1)), message("a/pm25", told(2)), message("b/pm25", told(3)))
    assert rows(frame) == [("00:00:00", "a", "pm25", 2), ("00:00:00", "b", "pm25", 3)]


def test_a_retained_message_is_dated_by_its_own_time_or_not_at_all() -> None:
    own = parsed(message("a/pm25", told(), retain=1))
    assert rows(own) == [("00:00:00", "a", "pm25", 48.5)]
    for persistent in (True, False):
        frame = parsed(message("a/x", "12", retain=True), persistent=persistent)
        assert frame.empty
        assert "retained" in frame.attrs["problems"][0]


def test_a_plain_number_is_dated_by_its_arrival_only_where_it_cannot_have_waited() -> None:
    plain = {"topics": [{"filter": "a", "site": "s", "property": "pm25", "unit": "ug/m3"}]}
    assert rows(parsed(message("a", "12,5"), persistent=False, **plain)) == [("00:00:05", "s", "pm25", 12.5)]
    assert rows(parsed(message("a", 12.5), persistent=False, **plain)) == [("00:00:05", "s", "pm25", 12.5)]
    with pytest.raises(SourceChanged, match="persistent = false"):
        parsed(message("a", "12.5"), **plain)


def test_words_and_nulls_are_missing_and_an_empty_message_is_none() -> None:
    frame = parsed(
        message("a/pm25", told(None)), message("b/pm25", told("error")), message("c/x", "offline"), message("d/x", ""),
        persistent=False,
    )  # fmt: skip
    assert frame["quality"].tolist() == ["missing"] * 3
    assert set(frame["site_id"]) == {"a", "b", "c"}


def test_one_bad_message_is_told_and_the_others_are_kept() -> None:
    bad = [
        message("b/pm25", told(unit="furlong")), message("c/pm25", '{"ts": '), message("c/pm25", '{"ts": '),
        message("d/pm25", told(ts=1780272000)), message("e/pm25", '{"ts": "soon", "value": 1, "unit": "ug/m3"}'),
        message("f/pm25", '{"ts": "2026-06-01T00:00:00Z"}'), message("g/pm25", "[1]"),
    ]  # fmt: skip
    frame = parsed(message("a/pm25", told()), *bad, dropped=7)
    assert len(frame) == 1
    problems = frame.attrs["problems"]
    for words in (
        "furlong",
        "c/pm25: broken JSON",
        "(2 times)",
        "time_format",
        "e/pm25",
        "`value`",
        "g/pm25",
        "7 messages",
    ):
        assert any(words in problem for problem in problems), words
    with pytest.raises(SourceChanged, match="furlong"):
        parsed(bad[0])


def test_numbers_as_times_with_their_format_and_several_values_in_one_message() -> None:
    document = json.dumps({"t": 1780272000000, "pm": 1, "no": 2})
    values = [{"value": "/pm", "property": "pm25", "unit": "ug/m3"}, {"value": "/no", "property": "no2", "unit": "ppb"}]
    frame = parsed(message("x/box", document), time="/t", time_format="ms", values=values, topics=[{"filter": "+/box"}])
    assert [row[2:] for row in rows(frame)] == [("pm25", 1.0), ("no2", 3.76)]
    assert set(frame["site_id"]) == {"x/box"}
    with pytest.raises(SourceChanged, match="several"):
        parsed(message("x/box", "3"), values=values, persistent=False)


def test_a_list_in_one_message_is_several_records() -> None:
    both = json.dumps(
        [{"ts": SEVEN, "value": 1, "unit": "ug/m3"}, {"ts": "2026-06-01T01:00:00Z", "value": 2, "unit": "ug/m3"}]
    )
    assert [row[0] for row in rows(parsed(message("a/pm25", both)))] == ["00:00:00", "01:00:00"]


@pytest.mark.parametrize(
    "body", [b'[{"payload": "1"}]', b'{"topic": 1, "payload": 2}', b'{"messages": 3}', b"[1]", b"7"]
)
def test_a_file_without_messages_is_refused(body: bytes) -> None:
    with pytest.raises(InputError, match="no MQTT messages"):
        mqtt.parse(Payload(body=body, name="f"))


def test_no_message_is_a_valid_answer_and_messages_of_other_topics_are_not() -> None:
    assert parsed().empty
    with pytest.raises(InputError, match="fits"):
        parsed(message("a", "1"), topics=[{"filter": "b"}])


OPTIONS = {"base_url": "mqtt://broker.example:1883"}


@pytest.mark.parametrize(
    ("options", "secret", "words"),
    [
        ({"base_url": ""}, None, "base_url"),
        ({"base_url": "https://broker"}, None, "base_url"),
        ({"base_url": "mqtt://broker:99999"}, None, "base_url"),
        ({"base_url": "mqtt://u:s3cret@broker"}, None, "holds a user"),
        ({}, "s3cret", "user:password"),
        ({"tls_ca": "/etc/hostname"}, None, "tls_ca"),
        ({"base_url": "mqtts://broker", "tls_ca": "/no/such/file"}, None, "tls_ca"),
        ({"persistent": "no"}, None, "persistent"),
        ({"listen_s": 61}, None, "listen_s"),
        ({"topics": []}, None, "topics"),
        ({"topics": [{"filter": "a/#/b"}]}, None, "no MQTT filter"),
        ({"topics": [{"filter": "a+"}]}, None, "no MQTT filter"),
        ({"topics": [{"filter": "a/+", "site": "+2"}]}, None, "count its"),
        ({"topics": [{"filter": "a", "multiplier": 2}]}, None, "unit of the source"),
        ({"topics": [{"filter": "a", "fliter": 2}]}, None, "fliter"),
    ],
)
def test_options_that_cannot_work_are_named_before_anybody_is_called(options: Any, secret: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        mqtt.fetch(session(), request_for("boxes", {**OPTIONS, **options}, secret))
    assert "s3cret" not in str(caught.value)


# ---- with a broker

BINARY = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
needs_broker = pytest.mark.skipif(not BINARY, reason="no mosquitto is installed on this machine")


class Broker:
    """A mosquitto of this test alone: user city, password s3cret; it forgets all when it is stopped."""

    def __init__(self, folder: Path) -> None:
        with socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        folder.chmod(0o755)
        self._config = folder / "mosquitto.conf"
        passwords = folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "city", "s3cret"], check=True)
        passwords.chmod(0o644)
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nuser {getuser()}\nallow_anonymous false\npassword_file {passwords}\n"
        )
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        assert BINARY
        self._process = subprocess.Popen([BINARY, "-v", "-c", str(self._config)], stderr=subprocess.PIPE, text=True)
        self.wait_for("running")

    def wait_for(self, words: str) -> None:
        """Read the broker's log until it says so."""
        assert self._process
        assert self._process.stderr
        for line in self._process.stderr:
            if words in line:
                return
        raise AssertionError(f"the broker ended before it said {words!r}")

    def stop(self) -> None:
        if self._process:
            self._process.kill()  # a term signal right after the start is lost on it
            self._process.communicate()
            self._process = None

    def publish(self, topic: str, payload: str, retain: bool = False) -> None:
        """Publish, and wait until the broker has it."""
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set("city", "s3cret")
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    found = Broker(tmp_path)
    found.start()
    yield found
    mqtt.close()
    found.stop()


def turn(broker: Broker, secret: str = "city:s3cret", listen_s: float = 10, **options: Any) -> list[Payload]:
    said = {"base_url": f"mqtt://127.0.0.1:{broker.port}", "listen_s": listen_s, **options}
    return mqtt.fetch(session(), request_for("boxes", said, secret))


CITY = {"topics": [{"filter": "city/+/pm25", "site": "+1", "property": "pm25", "unit": "ug/m3"}]}


@needs_broker
def test_a_client_is_started_once_and_every_turn_takes_what_has_come(broker: Broker) -> None:
    assert turn(broker, listen_s=0, **CITY) == []
    first = mqtt._SUBSCRIBERS["boxes"]
    broker.publish("city/gate/pm25", told())
    (payload,) = turn(broker, **CITY)
    assert mqtt._SUBSCRIBERS["boxes"] is first  # another listen_s needs no other client
    assert rows(mqtt.parse(payload)) == [("00:00:00", "gate", "pm25", 48.5)]
    assert "s3cret" not in repr(payload)
    assert turn(broker, listen_s=0, **CITY) == []


@needs_broker
def test_what_comes_while_the_house_is_away_is_kept_by_the_broker(broker: Broker) -> None:
    turn(broker, listen_s=0, **CITY)
    mqtt.close("boxes")
    broker.publish("city/gate/pm25", told(7))
    (payload,) = turn(broker, **CITY)
    assert mqtt.parse(payload)["value"].item() == 7
    mqtt.close("boxes")
    broker.publish("city/gate/pm25", told(8))
    assert turn(broker, listen_s=0, persistent=False, **CITY) == []


@needs_broker
def test_a_retained_value_comes_with_its_mark(broker: Broker) -> None:
    broker.publish("city/gate/pm25", "12", retain=True)
    (payload,) = turn(broker, persistent=False, **CITY)
    assert mqtt.parse(payload).empty
    broker.publish("city/gate/pm25", "13")
    (payload,) = turn(broker, persistent=False, **CITY)
    assert mqtt.parse(payload)["value"].item() == 13


@needs_broker
def test_a_full_queue_drops_its_oldest_and_tells(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    turn(broker, listen_s=0, **CITY)
    subscriber = mqtt._SUBSCRIBERS["boxes"]
    monkeypatch.setattr(subscriber.queue, "_most", 2)
    hours = [f"2026-06-01T0{hour}:00:00Z" for hour in range(4)]
    for hour in hours:
        broker.publish("city/gate/pm25", told(ts=hour))
    broker.publish("city/gate/pm25", "x" * (mqtt.LONGEST_MESSAGE + 1))
    broker.publish("city/last/pm25", told(ts=hours[3]))
    found: list[dict[str, Any]] = []
    dropped = 0
    while not any(one["topic"] == "city/last/pm25" for one in found):
        (payload,) = turn(broker, **CITY)
        body = json.loads(payload.body)
        found, dropped = found + body["messages"], dropped + body["dropped"]
    assert dropped + len(found) == 6
    assert dropped >= 1
    assert any("dropped" in problem for problem in mqtt.parse(payload).attrs["problems"]) == bool(body["dropped"])


@needs_broker
def test_a_wrong_password_is_refused_and_not_shown(broker: Broker) -> None:
    with pytest.raises(SourceRefused, match="MQTT_LOGIN") as caught:
        turn(broker, secret="city:wr0ng", **CITY)
    assert "wr0ng" not in str(caught.value)
    refused = mqtt._SUBSCRIBERS["boxes"]
    refused._disconnected(refused._client, None, None, ReasonCode(PacketTypes.DISCONNECT), None)
    assert isinstance(refused.error(), SourceRefused), (
        "the broker hangs up after it refused: that is no lost connection"
    )


@needs_broker
def test_a_lost_broker_is_told_and_comes_back_by_itself(broker: Broker) -> None:
    turn(broker, listen_s=0, **CITY)
    subscriber = mqtt._SUBSCRIBERS["boxes"]
    lost, back = _events(subscriber)
    broker.stop()
    assert lost.wait(20)
    with pytest.raises(SourceUnavailable, match="connection"):
        turn(broker, listen_s=0, **CITY)
    back.clear()
    broker.start()
    assert back.wait(30)
    broker.publish("city/gate/pm25", told(9))
    (payload,) = turn(broker, **CITY)
    assert mqtt.parse(payload)["value"].item() == 9
    assert mqtt._SUBSCRIBERS["boxes"] is subscriber


def _events(subscriber: Any) -> tuple[Any, Any]:
    """Events for «in trouble» and «well again», set by what the subscriber itself settles."""
    from threading import Event

    lost, back = Event(), Event()
    settle: Callable[[Any], None] = subscriber._settle

    def heard(trouble: Any) -> None:
        settle(trouble)
        (lost if trouble else back).set()

    subscriber._settle = heard
    return lost, back


@needs_broker
def test_nobody_listening_says_why(broker: Broker) -> None:
    broker.stop()
    with pytest.raises(SourceUnavailable, match="Connection refused"):
        turn(broker, listen_s=0, **CITY)


@needs_broker
def test_another_secret_makes_another_client_and_the_threads_end(broker: Broker) -> None:
    turn(broker, listen_s=0, **CITY)
    first = mqtt._SUBSCRIBERS["boxes"]
    with pytest.raises(SourceRefused):
        turn(broker, secret="city:other", listen_s=0, **CITY)
    assert mqtt._SUBSCRIBERS["boxes"] is not first
    assert not first._client.is_connected()
    mqtt.close()
    assert mqtt._SUBSCRIBERS == {}


@needs_broker
def test_what_is_no_measurement_by_its_size_makes_no_room_for_itself(broker: Broker) -> None:
    turn(broker, listen_s=0, **CITY)
    broker.publish("city/gate/pm25", "1" * (mqtt.LONGEST_MESSAGE + 1))
    broker.publish("city/gate/pm25", told())
    (payload,) = turn(broker, **CITY)
    assert len(payload.body) < mqtt.LONGEST_MESSAGE
    frame = mqtt.parse(payload)
    assert rows(frame) == [("00:00:00", "gate", "pm25", 48.5)]
    assert "1 messages were dropped" in frame.attrs["problems"][0]


@needs_broker
def test_a_filter_of_an_earlier_configuration_is_heard_no_more(broker: Broker) -> None:
    """The broker remembers the subscriptions of a client that it keeps messages for, also those nobody asks for now."""
    turn(broker, listen_s=0, topics=[{"filter": "legacy/#", "property": "pm25", "unit": "ug/m3"}])
    mqtt.close("boxes")
    broker.publish("legacy/gate", "7")
    turn(broker, listen_s=0, **CITY)
    broker.publish("legacy/gate", "8")
    broker.publish("city/gate/pm25", told())
    (payload,) = turn(broker, **CITY)
    assert b"legacy" not in payload.body
    assert len(mqtt.parse(payload)) == 1


REAL = os.environ.get("CITY_LAB_MQTT", "")


@pytest.mark.skipif(not REAL, reason="CITY_LAB_MQTT names no broker")
def test_a_real_broker_takes_the_subscription() -> None:
    parts = urlsplit(REAL)
    options = {"base_url": f"{parts.scheme}://{parts.hostname}:{parts.port}", "persistent": False, **CITY}
    try:
        assert mqtt.fetch(session(), request_for("real", options, f"{parts.username}:{parts.password}")) == []
    finally:
        mqtt.close("real")
