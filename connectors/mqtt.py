"""Messages of an MQTT broker: a subscriber that runs beside the cycle, with a bounded queue that each turn empties.

Link: https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/mqtt-v3.1.1.html
Licence: that of the operator of the broker.
Key: user and password from the secret MQTT_LOGIN, as `user:password`; certificates of an own authority by `tls_ca`.
Refresh: whenever something is published; the line takes in what has come at every turn of the source.
Traps:
- A retained message is the last value, not «now»: without a time of its own it cannot be dated and gives no row.
- QoS 1 delivers at least once: the same topic, site, property and time counts once, the last one is taken.
- `persistent` (the default) lets the broker keep what is published while this house is away. A message may then be
  hours old when it comes, so one without a time of its own is refused; with persistent = false its arrival dates it.
- Two houses with the same client_id push each other off the broker for ever.
- When the queue is full the oldest messages make room, and their number is told. Over 64 KiB is no measurement.
- The client belongs to the process, not to a screen: it starts once per source and ends with the process.
- MQTT 3.1.1 is spoken, which brokers of version 5 understand. An empty message deletes a retained one: no row.

Options: base_url = "mqtts://host:8883" (mqtt:// is not encrypted); tls_ca; client_id; persistent = true; listen_s (how
long a turn waits for a first message, 0); topics = [{ filter = "city/+/+/state", site = "+1", property = "+2" }, …],
where +1 is what the first + stands for, and every other option of connectors/_mapping.py may stand in one entry or for
all: time = "/ts", value = "/value", unit = "/unit", quality = "/quality" are the defaults. A plain number is a value;
its unit must be told. Without topics all are heard, and a topic is «…/site/property».
A bare file holds messages as JSON, a list or one per line: {"topic", "payload", "retain", "tst"} as mosquitto_sub -F %j
prints them.
"""

from __future__ import annotations

import atexit
import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pandas as pd
import requests
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from connectors import _guard
from connectors._contract import FetchRequest, Payload
from connectors._http import read_json
from connectors._mapping import OPTIONS, Place, Recipe, read_time, recipe
from connectors._rows import label, option_number, told_frame
from core.catalogue import Source
from core.errors import ConfigError, InputError, SourceChanged, SourceError, SourceRefused, SourceUnavailable
from core.inbox import Queue

SOURCE = Source(
    key="mqtt",
    name="MQTT",
    kind="measurement",
    homepage="https://mqtt.org/",
    licence="that of the broker's operator",
    every=timedelta(minutes=1),
    secret="MQTT_LOGIN",
    traps=("retained is the last value, not now", "QoS 1 may deliver twice", "one client per source and process"),
)
DEFAULTS = {
    "records": "",
    "time": "/ts",
    "value": "/value",
    "unit": "/unit",
    "quality": "/quality",
    "site": "",
    "property": "",
}
OWN_OPTIONS = frozenset({"base_url", "tls_ca", "client_id", "persistent", "listen_s", "topics"})
PER_TOPIC = OPTIONS | {"filter"}
PORTS = {"mqtt": 1883, "mqtts": 8883}
ANSWER_WITHIN_S = 5.0
KEEPALIVE_S = 30
LONGEST_WAIT_S = 60  # between two tries to connect again
LONGEST_MESSAGE = 64 * 2**10
PROBLEMS_MAX = 50
QOS = 1


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """What has come since the last turn, in one payload; `http` is not used. The first turn starts the client.

    Raises ConfigError for options that cannot work; SourceRefused when the broker refuses the login or a filter;
    SourceUnavailable with its reason while there is no connection. It comes back by itself.
    """
    plan = _plan(request)
    subscriber = _subscriber(plan)
    subscriber.settled.wait(ANSWER_WITHIN_S)
    if plan.listen_s and subscriber.error() is None:
        subscriber.queue.wait(plan.listen_s)
    messages, dropped = subscriber.queue.drain()
    if not messages and (error := subscriber.error()):
        raise error
    if not messages and not dropped:
        return []
    context = {"source": request.source, "options": request.options}
    body = json.dumps({"messages": messages, "dropped": dropped}).encode()
    return [Payload(body=body, name=plan.shown, media_type="application/json", context=context)]


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from messages; what single ones lack stands in `frame.attrs["problems"]`.

    Raises SourceChanged when messages were there and none could be read, InputError for a file without messages,
    ConfigError for options that cannot work.
    """
    name, context = payload.name or SOURCE.key, payload.context
    options = context.get("options", {})
    topics = _topics(options, context)
    messages, dropped = _messages(payload.body, name)
    found: dict[tuple[object, ...], dict[str, Any]] = {}
    problems: Counter[str] = Counter()
    undated = fitting = 0
    for message in messages:
        topic = label(message["topic"])
        entry = next((each for each in topics if each.fits(topic)), None)
        if entry is None:
            continue
        fitting += 1
        retained = bool(message.get("retain"))
        try:
            rows = list(_rows(message, entry.of(topic), topic, _arrival(message, retained, options)))
        except (SourceChanged, InputError) as error:
            problems[str(error)] += 1
            continue
        for row in rows:
            if row["time"] is not None:
                found[topic, row["site_id"], row["observed_property"], row["time"]] = row
            elif retained:
                undated += 1
            else:
                problems[f"{topic}: {_UNDATED}"] += 1
    if messages and not fitting:
        raise InputError(f"{name}: none of {len(messages)} messages fits a filter of the option topics")
    if problems and not found:
        raise SourceChanged(next(iter(problems)))
    frame = told_frame(list(found.values()), source=context.get("source", SOURCE.key), name=name)
    frame.attrs["problems"] = _told(problems, dropped, undated)
    return frame


# -- what a message means ----------------------------------------------------------------------------------------------

_UNDATED = (
    "carries no time that can be read; where it carries none at all, and comes as it is measured, "
    "persistent = false dates it by its arrival"
)
_WILDCARD = re.compile(r"\+([1-9]\d?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Topic:
    """Which messages one entry of `topics` speaks of, and how they are read. Without a filter: all of them."""

    filter: str
    reading: Recipe
    named_by_topic: bool = False  # no entry was given: the last two levels are site and property

    def fits(self, topic: str) -> bool:
        """True for a topic of this entry."""
        return _wildcards(self.filter, topic) is not None

    def of(self, topic: str) -> Recipe:
        """The recipe with the levels of that topic where it says +1, +2 …"""
        levels = topic.split("/")
        if self.named_by_topic:
            site, what = Place(literal=levels[-2] if len(levels) > 1 else topic), Place(literal=levels[-1])
            return replace(
                self.reading, site=site, values=tuple({**one, "property": what} for one in self.reading.values)
            )
        stood_for = _wildcards(self.filter, topic) or []

        def filled(place: Place) -> Place:
            found = _WILDCARD.fullmatch(place.literal or "")
            return Place(literal=stood_for[int(found[1]) - 1]) if found else place

        values = tuple({**one, "property": filled(one["property"])} for one in self.reading.values)
        return replace(self.reading, site=filled(self.reading.site), values=values)


def _topics(options: Mapping[str, Any], context: Mapping[str, Any]) -> list[_Topic]:
    """The entries of `topics` in their order; without them one that hears all. Raises ConfigError."""
    where = f"source {context.get('source', SOURCE.key)}"
    entries = options.get("topics")
    if entries is None:
        reading = recipe(SOURCE.key, options, context, defaults=DEFAULTS, also=OWN_OPTIONS)
        return [_Topic(filter="#", reading=reading, named_by_topic=True)]
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, Mapping) for entry in entries):
        raise ConfigError(
            f'{where}: topics is a list such as [{{ filter = "city/+/pm25", site = "+1", property = "pm25" }}]'
        )
    common = {name: value for name, value in options.items() if name not in OWN_OPTIONS}
    found = []
    for entry in entries:
        text = entry.get("filter")
        if not isinstance(text, str) or not _is_filter(text):
            raise ConfigError(
                f"{where}: topics: {text!r} is no MQTT filter: + for one level, # at the end for the rest"
            )
        said = {**common, **{name: value for name, value in entry.items() if name != "filter"}}
        reading = recipe(SOURCE.key, said, context, defaults=DEFAULTS)
        for place in (reading.site, *(one["property"] for one in reading.values)):
            asked = _WILDCARD.fullmatch(place.literal or "")
            if asked and int(asked[1]) > text.split("/").count("+"):
                raise ConfigError(f"{where}: topics: {text} has no {place.literal}: count its + from 1")
        found.append(_Topic(filter=text, reading=reading))
    return found


def _is_filter(text: str) -> bool:
    levels = text.split("/")
    plain = all(level in ("+", "#") or not set(level) & set("+#\0") for level in levels)
    return bool(text) and len(text) < 1000 and plain and "#" not in levels[:-1]


def _wildcards(text: str, topic: str) -> list[str] | None:
    """What every + of the filter stands for in that topic, or None when it does not fit. No + or # means $SYS."""
    asked, told = text.split("/"), topic.split("/")
    if topic.startswith("$") and asked[0] in ("+", "#"):
        return None
    found: list[str] = []
    for number, level in enumerate(asked):
        if level == "#":
            return found
        if number >= len(told) or level not in ("+", told[number]):
            return None
        if level == "+":
            found.append(told[number])
    return found if len(asked) == len(told) else None


def _messages(body: bytes, name: str) -> tuple[list[dict[str, Any]], int]:
    """The messages of a body, and how many were dropped before: ours, a list, or one JSON object per line."""
    lines = [line for line in body.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.lstrip().startswith(b"{") for line in lines):
        document: Any = [read_json(line, f"{name}, line {number}") for number, line in enumerate(lines, start=1)]
    else:
        document = read_json(body, name)
    dropped = 0
    if isinstance(document, dict) and "messages" in document:
        told = document.get("dropped")
        dropped = told if isinstance(told, int) else 0
        document = document["messages"]
    elif isinstance(document, dict):
        document = [document]
    if not isinstance(document, list) or not all(
        isinstance(one, dict) and isinstance(one.get("topic"), str) and "payload" in one for one in document
    ):
        raise InputError(f"{name}: no MQTT messages: each needs topic and payload, as mosquitto_sub -F %j prints them")
    return document, dropped


def _arrival(message: Mapping[str, Any], retained: bool, options: Mapping[str, Any]) -> datetime | None:
    """When a message came, where that tells when it was measured: not retained, not kept by the broker meanwhile."""
    if retained or options.get("persistent", True):
        return None
    return read_time(message.get("tst"), "", UTC) if isinstance(message.get("tst"), str) else None


def _rows(
    message: Mapping[str, Any], reading: Recipe, topic: str, arrival: datetime | None
) -> Iterator[dict[str, Any]]:
    """The rows of one message; their time is None where it carries none. Raises SourceChanged, InputError."""
    told = message["payload"]
    if isinstance(told, str):
        if not told.strip():
            return  # deletes a retained message
        told = _document(told, topic)
    if isinstance(told, dict | list):
        records = reading.records_of(told, topic)
    elif len(reading.values) > 1:
        raise SourceChanged(f"{topic}: a plain value came where the option values names several")
    else:
        records = [told]
        reading = replace(reading, values=({**reading.values[0], "value": Place()},))
    yield from reading.rows(records, topic, site=topic, received_at=arrival)


def _document(text: str, topic: str) -> Any:
    """JSON, or the text itself where it is a number or a word."""
    if text.lstrip().startswith(("{", "[")):
        return read_json(text.encode("utf-8", "replace"), topic)
    try:
        plain = read_json(text.encode("utf-8", "replace"), topic)
    except SourceChanged:
        return text
    return plain


def _told(problems: Mapping[str, int], dropped: int, undated: int) -> list[str]:
    """What the source page says, each thing once."""
    told = [f"{words} ({count} times)" if count > 1 else words for words, count in problems.items()]
    if len(told) > PROBLEMS_MAX:
        told[PROBLEMS_MAX:] = [f"{len(told) - PROBLEMS_MAX} more problems"]
    if dropped:
        told.append(f"{dropped} messages were dropped, the oldest ones: more came than the queue holds")
    if undated:
        told.append(
            f"{undated} retained values carry no time: they are the last ones, not those of now, and are left out"
        )
    return told


# -- the client --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Everything that a client is made from: another plan needs another client."""

    source: str
    host: str
    port: int
    tls: bool
    tls_ca: str | None
    client_id: str
    persistent: bool
    filters: tuple[str, ...]
    user: str
    password: str
    secret_name: str
    private_network: bool
    listen_s: float

    @property
    def shown(self) -> str:
        """Host and port: what a message may show."""
        return f"{self.host}:{self.port}"


def _plan(request: FetchRequest) -> _Plan:
    options, where = request.options, f"source {request.source}"
    secret_name = request.secret_name or str(SOURCE.secret)
    try:
        parts = urlsplit(str(options.get("base_url", "")))
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in PORTS or parts.path.strip("/") or parts.query:
        raise ConfigError(f"{where}: options need base_url, for example mqtts://broker.example.vn:8883")
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"{where}: base_url holds a user: put user:password into the secret {secret_name}")
    user, colon, password = (request.secret or "").partition(":")
    if request.secret and not colon:
        raise ConfigError(f"{where}: the secret {secret_name} is not of the form user:password")
    tls_ca, persistent = options.get("tls_ca"), options.get("persistent", True)
    if tls_ca is not None and (parts.scheme != "mqtts" or not Path(str(tls_ca)).is_file()):
        raise ConfigError(f"{where}: tls_ca is a file with certificates, and goes with mqtts://")
    if not isinstance(persistent, bool):
        raise ConfigError(f"{where}: persistent is true or false")
    listen_s = option_number(options, "listen_s", 0.0)
    if not 0 <= listen_s <= LONGEST_WAIT_S:
        raise ConfigError(f"{where}: listen_s is 0 to {LONGEST_WAIT_S} seconds")
    return _Plan(
        source=request.source,
        host=host,
        port=port or PORTS[parts.scheme],
        tls=parts.scheme == "mqtts",
        tls_ca=None if tls_ca is None else str(tls_ca),
        client_id=str(options.get("client_id", f"city-dashboard-{request.source}")),
        persistent=persistent,
        filters=tuple(dict.fromkeys(topic.filter for topic in _topics(options, {"source": request.source}))),
        user=user,
        password=password,
        secret_name=secret_name,
        private_network=request.private_network,
        listen_s=listen_s,
    )


class _Subscriber:
    """One client in a thread of its own: it puts messages into the queue, and connects again by itself."""

    def __init__(self, plan: _Plan) -> None:
        self.plan = plan
        self.queue: Queue[dict[str, Any]] = Queue()
        self.settled = threading.Event()  # it is known whether the broker will have us
        self._trouble: tuple[type[SourceError], str] | None = (SourceUnavailable, "no answer yet")
        client_id = plan.client_id if plan.persistent else f"{plan.client_id}-{uuid4().hex[:8]}"
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=not plan.persistent
        )
        if plan.user:
            client.username_pw_set(plan.user, plan.password)
        if plan.tls:
            try:
                client.tls_set(ca_certs=plan.tls_ca)
            except OSError as error:
                raise ConfigError(f"source {plan.source}: tls_ca holds no certificates that can be read") from error
        client.reconnect_delay_set(1, LONGEST_WAIT_S)
        client.connect_timeout = ANSWER_WITHIN_S
        client.on_connect, client.on_connect_fail = self._connected, self._not_connected
        client.on_subscribe, client.on_disconnect = self._subscribed, self._disconnected
        client.on_message, client.on_socket_open = self._heard, self._judged
        client.connect_async(plan.host, plan.port, KEEPALIVE_S)
        client.loop_start()

    def error(self) -> SourceError | None:
        """Why nothing can come at present, or None."""
        return None if self._trouble is None else self._trouble[0](f"{self.plan.shown}: {self._trouble[1]}")

    def close(self) -> None:
        """Say good-bye and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _settle(self, trouble: tuple[type[SourceError], str] | None) -> None:
        self._trouble = trouble
        self.settled.set()

    def _connected(
        self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if not reason.is_failure:
            client.subscribe([(each, QOS) for each in self.plan.filters])
        elif reason.value in _REFUSALS:
            self._settle(
                (SourceRefused, f"the broker refuses the login ({reason}): check the secret {self.plan.secret_name}")
            )
        else:
            self._settle((SourceUnavailable, f"the broker turns us away ({reason})"))

    def _judged(self, _client: paho.Client, _data: object, connection: Any) -> None:
        """Before the login is sent, at each connection anew: is the other end one that this source may have?"""
        try:
            _guard.check_peer(self.plan.host, connection, private_network=self.plan.private_network)
        except _guard.Forbidden as error:
            connection.close()  # else closing the client would still say good-bye there
            raise ConnectionRefusedError(str(error)) from error

    def _not_connected(self, _client: paho.Client, _data: object) -> None:
        failed = sys.exc_info()[1]  # the library calls this while it handles the error that it does not hand over
        if failed is not None and isinstance(failed.__cause__, _guard.Forbidden):
            self._settle((SourceRefused, str(failed)))
            return
        words = getattr(failed, "verify_message", "") or getattr(failed, "strerror", "") or type(failed).__name__
        self._settle((SourceUnavailable, f"the connection could not be made ({words})"))

    def _subscribed(
        self,
        _client: paho.Client,
        _data: object,
        _mid: int,
        codes: Sequence[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        refused = [each for each, code in zip(self.plan.filters, codes, strict=False) if code.is_failure]
        if refused:
            self._settle(
                (SourceRefused, f"the broker refuses the filter {', '.join(refused)}: check the rights of the user")
            )
        else:
            self._settle(None)

    def _disconnected(
        self, _client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if self._trouble is None:  # else the connection ends because of what is known already
            self._settle((SourceUnavailable, f"the connection was lost ({reason}); it is tried again"))

    def _heard(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        """In the client's thread: nothing here may wait or fail."""
        if len(message.payload) > LONGEST_MESSAGE:
            self.queue.drop()
            return
        topic = message.topic
        if all(_wildcards(each, topic) is None for each in self.plan.filters):
            return  # of a filter that an earlier configuration asked for: the broker remembers
        told = {
            "topic": topic,
            "payload": message.payload.decode("utf-8", "replace"),
            "retain": message.retain,
            "tst": datetime.now(UTC).isoformat(),
        }
        self.queue.put(told, len(message.payload) + len(topic) + 200)


_REFUSALS = (0x84, 0x85, 0x86, 0x87, 0x8C)  # protocol, client id, user or password, not authorised, method
_SUBSCRIBERS: dict[str, _Subscriber] = {}
_LOCK = threading.Lock()


def _subscriber(plan: _Plan) -> _Subscriber:
    """The client of a source: started the first time, and anew when its options or its secret have changed."""
    with _LOCK:
        running = _SUBSCRIBERS.get(plan.source)
        if running is not None and replace(running.plan, listen_s=plan.listen_s) == plan:
            return running
        if running is not None:
            running.close()
        _SUBSCRIBERS[plan.source] = _Subscriber(plan)
        return _SUBSCRIBERS[plan.source]


def close(source: str | None = None) -> None:
    """End the client of a source, or all of them."""
    with _LOCK:
        for key in [source] if source is not None else list(_SUBSCRIBERS):
            if subscriber := _SUBSCRIBERS.pop(key, None):
                subscriber.close()


atexit.register(close)
