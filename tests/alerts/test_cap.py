"""CAP 1.2 messages: the standard's order of elements, honest status, times with an offset, and hostile text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import indicators
from alerts.cap import CATEGORIES, NAMESPACE, cap_xml, identifier, reference, ring_of
from alerts.refusals import Refused
from alerts.rules import load_rules
from core.alert import Alert
from core.config import load_city
from core.errors import InputError
from core.snapshot import RuleWords

CITY = load_city("demo")
REAL = replace(CITY, simulated=False)
NOW = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
SENDER = "ioc.thanhlam.example.vn"
FLOOD = Alert(
    rule="underpass_flood",
    site_id="flood_01",
    active=True,
    acked=False,
    priority="critical",
    value=38.5,
    began_at=datetime(2026, 11, 20, 23, 36, tzinfo=UTC),
    raised_at=datetime(2026, 11, 20, 23, 50, tzinfo=UTC),
    situation="VV-0042",
)
WORDS = RuleWords(
    key="underpass_flood",
    title={"vi": "Ngập hầm chui", "en": "Underpass flooded"},
    cause={"vi": "Mưa vượt sức thoát nước.", "en": "Rain beyond the drains."},
    consequence={"vi": "Xe chết máy.", "en": "Vehicles stall."},
    action={"vi": "Đóng hầm hai đầu.", "en": "Close both ends."},
    owner={"vi": "Trực ban", "en": "Duty officer"},
    time_to_act=timedelta(minutes=10),
    observed_property="flood_depth",
    direction="above",
    setpoints={"critical": "site:threshold_cm"},
    missing=False,
    enabled=True,
    off_because="",
)
# Element order of the CAP 1.2 schema (sequences of alert, info and area); * may repeat.
ALERT = "identifier sender sent status msgType source scope restriction addresses code* note references incidents info*"
INFO = (
    "language category* event responseType* urgency severity certainty audience eventCode* effective onset expires "
    "senderName headline description instruction web contact parameter* resource* area*"
)
AREA = "areaDesc polygon* circle* geocode* altitude ceiling"
NEEDED = {
    "alert": {"identifier", "sender", "sent", "status", "msgType", "scope"},
    "info": {"category", "event", "urgency", "severity", "certainty"},
    "area": {"areaDesc"},
}
CATEGORY_WORDS = (
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other",
)  # fmt: skip
RESPONSE_WORDS = ("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None")
WORDS_OF_CAP = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": set(CATEGORY_WORDS),
    "responseType": set(RESPONSE_WORDS),
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


def message(alert: Alert = FLOOD, words: RuleWords = WORDS, city: Any = REAL, **more: Any) -> ET.Element:
    written = cap_xml(alert, words, city, **({"now": NOW, "sender": SENDER, "exercise": False} | more))
    root = ET.fromstring(written)
    conforms(root)
    return root


def local(element: ET.Element) -> str:
    assert element.tag.startswith(f"{{{NAMESPACE}}}")
    return element.tag.removeprefix(f"{{{NAMESPACE}}}")


def text(root: ET.Element, path: str, number: int = 0) -> str:
    found = root.findall("/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/")))
    return found[number].text or ""


def in_sequence(parent: ET.Element, sequence: str) -> None:
    pattern = "".join(f"(?:{name[:-1]} )*" if name.endswith("*") else f"(?:{name} )?" for name in sequence.split())
    names = "".join(f"{local(child)} " for child in parent)
    assert re.fullmatch(pattern, names), names
    assert NEEDED[local(parent)] <= set(names.split())


def conforms(root: ET.Element) -> None:
    """What the schema of the standard asks of the parts that we write."""
    assert local(root) == "alert"
    in_sequence(root, ALERT)
    for info in root.findall(f"{{{NAMESPACE}}}info"):
        in_sequence(info, INFO)
        for area in info.findall(f"{{{NAMESPACE}}}area"):
            in_sequence(area, AREA)
    for element in root.iter():
        name = local(element)
        if name in WORDS_OF_CAP:
            assert element.text in WORDS_OF_CAP[name]
        if name in ("sent", "effective", "onset", "expires"):
            assert TIME.fullmatch(element.text or ""), element.text
        if name in ("parameter", "geocode"):
            assert [local(child) for child in element] == ["valueName", "value"]
    for name in ("identifier", "sender"):
        assert re.fullmatch(r"[^\s,<&]+", text(root, name))


def test_a_flooded_underpass_for_the_neighbouring_authorities() -> None:
    root = message()
    told = {local(child): child.text for child in root if not len(child)}
    assert told == {
        "identifier": "demo-underpass_flood-flood_01-20261121T070000",
        "sender": SENDER,
        "sent": "2026-11-21T07:00:00+07:00",
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Restricted",
        "restriction": told["restriction"],
        "incidents": "VV-0042",
    }
    assert "cơ quan" in (told["restriction"] or "")
    first, second = root.findall(f"{{{NAMESPACE}}}info")
    assert {local(child): child.text for child in first if not len(child)} == {
        "language": "vi-VN",
        "category": "Met",
        "event": "Ngập hầm chui",
        "responseType": "Execute",
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Observed",
        "effective": "2026-11-21T07:00:00+07:00",
        "onset": "2026-11-21T06:36:00+07:00",
        "expires": "2026-11-21T08:00:00+07:00",
        "senderName": "Trung tâm Điều hành đô thị",
        "headline": f"Ngập hầm chui – {CITY.site_name('flood_01', 'vi')}, Quảng Phú",
        "description": "Mưa vượt sức thoát nước. Xe chết máy.",
        "instruction": "Đóng hầm hai đầu.",
    }
    assert text(second, "language") == "en-US"
    assert text(second, "event") == "Underpass flooded"
    assert text(second, "senderName") == "Urban Operations Centre"
    parameters = {text(one, "valueName"): text(one, "value") for one in first.findall(f"{{{NAMESPACE}}}parameter")}
    assert parameters == {
        "observedProperty": "flood_depth",
        "value": "38.5",
        "priority": "critical",
        "state": "UNACK",
        "situation": "VV-0042",
    }
    assert text(first, "area/areaDesc") == f"{CITY.site_name('flood_01', 'vi')}, Quảng Phú"
    assert text(first, "area/circle") == "21.26790,106.00880 0.5"
    assert (text(first, "area/geocode/valueName"), text(first, "area/geocode/value")) == ("VN-WARD", "90007")


def test_a_drill_is_an_exercise_and_says_so_before_anything_else() -> None:
    root = message(exercise=True)
    assert text(root, "status") == "Exercise"
    assert text(root, "note") == "DIỄN TẬP / EXERCISE"
    assert text(root, "info/headline").startswith("DIỄN TẬP: ")
    assert text(root, "info/headline", 1).startswith("EXERCISE: ")


def test_simulated_data_are_never_sent_as_the_truth() -> None:
    root = message(city=CITY)
    assert text(root, "status") == "Test"
    assert text(root, "note") == "DỮ LIỆU MÔ PHỎNG / SIMULATED DATA"
    both = message(city=CITY, exercise=True)
    assert text(both, "status") == "Exercise"
    assert text(both, "info/headline").startswith("DIỄN TẬP: DỮ LIỆU MÔ PHỎNG: ")


def test_update_and_cancel_name_the_message_that_they_follow() -> None:
    earlier = reference(FLOOD, REAL, SENDER, NOW - timedelta(minutes=20))
    assert earlier == f"{SENDER},demo-underpass_flood-flood_01-20261121T064000,2026-11-21T06:40:00+07:00"
    update = message(references=(earlier,))
    assert (text(update, "msgType"), text(update, "references")) == ("Update", earlier)
    over = replace(FLOOD, active=False)
    cancel = message(over, references=(earlier, earlier))
    assert (text(cancel, "msgType"), text(cancel, "references")) == ("Cancel", f"{earlier} {earlier}")
    assert (text(cancel, "info/urgency"), text(cancel, "info/responseType")) == ("Past", "AllClear")


def test_an_alert_that_is_over_and_was_never_sent_is_no_message() -> None:
    with pytest.raises(Refused) as refusal:
        message(replace(FLOOD, active=False))
    assert refusal.value.code == "nothing_to_tell"


@pytest.mark.parametrize(
    ("priority", "severity", "response"),
    [
        ("low", "Minor", "Monitor"),
        ("medium", "Minor", "Monitor"),
        ("high", "Moderate", "Prepare"),
        ("critical", "Severe", "Execute"),
    ],
)
def test_priorities_in_words_of_cap(priority: str, severity: str, response: str) -> None:
    root = message(replace(FLOOD, priority=priority))
    assert (text(root, "info/severity"), text(root, "info/responseType")) == (severity, response)


@pytest.mark.parametrize(
    ("minutes", "urgency", "expires"),
    [
        (15, "Immediate", "08:00"),
        (16, "Expected", "08:00"),
        (60, "Expected", "08:00"),
        (61, "Future", "08:01"),
        (None, "Unknown", "08:00"),
    ],
)
def test_urgency_follows_the_time_to_act(minutes: int | None, urgency: str, expires: str) -> None:
    span = None if minutes is None else timedelta(minutes=minutes)
    root = message(words=replace(WORDS, time_to_act=span))
    assert text(root, "info/urgency") == urgency
    assert text(root, "info/expires") == f"2026-11-21T{expires}:00+07:00"


def test_a_frozen_alert_is_likely_and_a_missing_value_is_left_out() -> None:
    root = message(replace(FLOOD, stale=True, value=None, situation="", began_at=None))
    assert text(root, "info/certainty") == "Likely"
    assert text(root, "info/onset") == "2026-11-21T06:50:00+07:00", "the annunciation, where no beginning is known"
    names = [element.text for element in root.iter() if local(element) == "valueName"]
    assert "value" not in names
    assert "situation" not in names
    assert not [one for one in message(replace(FLOOD, value=float("nan"))).iter() if one.text == "nan"]


def test_every_property_of_the_demo_rules_has_a_category() -> None:
    rules = load_rules(CITY.folder / "alerts", indicators.catalogue(), CITY.sites)
    of_the_city = {rule.observed_property for rule in rules if rule.domain not in ("services", "reports")}
    assert of_the_city <= set(CATEGORIES)
    assert set(CATEGORIES) <= set(indicators.catalogue()), "no category for what nobody observes"
    assert text(message(words=replace(WORDS, observed_property="files_overdue")), "info/category") == "Other"


def test_a_ward_is_drawn_by_its_boundary() -> None:
    triangle = [[106, 21], [106.1, 21], [106, 21.1], [106, 21]]
    small, large = [[1, 1], [2, 1], [1, 2], [1, 1]], [[5, 5], [6, 5], [6, 6], [5, 6], [5, 5]]
    shapes = {
        "90001": {"type": "Point", "coordinates": [1, 2]},
        "90007": {"type": "Polygon", "coordinates": [triangle]},
        "90008": {"type": "MultiPolygon", "coordinates": [[small], [large]]},
    }
    geometry = {"features": [{"properties": {"code": code}, "geometry": shape} for code, shape in shapes.items()]}
    ring = ring_of(geometry, "90007")
    assert ring == ((21.0, 106.0), (21.0, 106.1), (21.1, 106.0), (21.0, 106.0))
    assert len(ring_of(geometry, "90008")) == 5, "the longest part"
    assert ring_of(geometry, "90001") == ring_of(geometry, "") == ring_of(None, "90007") == ()
    calls = replace(FLOOD, rule="reports_surge", site_id="90007")
    for corners in (ring, ring[:-1]):
        root = message(calls, polygon=corners)
        assert text(root, "info/area/polygon") == (
            "21.00000,106.00000 21.00000,106.10000 21.10000,106.00000 21.00000,106.00000"
        ), "latitude first, closed, at least four points"
    with pytest.raises(InputError, match="three different corners"):
        message(calls, polygon=((21.0, 106.0), (21.0, 106.1), (21.0, 106.0)))


def test_messages_of_one_situation_name_one_incident_in_one_word() -> None:
    assert text(message(replace(FLOOD, situation='VV 42 "x"')), "incidents") == "VV_42_x_"
    assert "incidents" not in [local(child) for child in message(replace(FLOOD, situation=""))]


def test_the_whole_city_has_a_name_and_no_circle() -> None:
    root = message(replace(FLOOD, site_id=CITY.city_site))
    assert text(root, "info/area/areaDesc") == "TP. Thanh Lâm"
    assert [local(one) for one in root.iter() if local(one) in ("circle", "polygon", "geocode")] == []
    assert text(message(replace(FLOOD, site_id="nobody_knows")), "info/area/areaDesc") == "nobody_knows"


def test_only_a_ward_has_the_code_of_a_ward() -> None:
    district = replace(REAL, areas=REAL.areas.assign(kind="huyen_cu"))
    assert "geocode" not in [local(one) for one in message(city=district).iter()]


@pytest.mark.parametrize("sender", ["", "a b", "a,b", "a<b", "a&b", "a\x00b", "a\nb"])
def test_a_sender_that_cap_forbids_is_refused(sender: str) -> None:
    with pytest.raises(InputError, match="sender"):
        message(sender=sender)
    with pytest.raises(InputError, match="sender"):
        reference(FLOOD, REAL, sender, NOW)


@pytest.mark.parametrize("one", ["", "a,b", "a,b,2026-11-21T07:00:00Z", "a b,c,2026-11-21T07:00:00+07:00"])
def test_a_reference_that_cap_forbids_is_refused(one: str) -> None:
    with pytest.raises(InputError, match="reference"):
        message(references=(one,))


def test_identifiers_differ_when_sites_do_and_hold_no_foreign_character() -> None:
    names = ["trạm 1", "trạm 2", "a,b", "a_b", "x" * 300, "x" * 301]
    found = [identifier(replace(FLOOD, site_id=name), REAL, NOW) for name in names]
    assert len(set(found)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]{1,130}", one) for one in found)


def test_hostile_text_stays_text() -> None:
    evil = "<script>alert(1)</script> ]]> &amp; \x00\x1b[31m \ud800 \uffff \u202eevil =cmd()"
    root = message(words=replace(WORDS, title={"vi": evil, "en": evil}, action={"vi": "", "en": ""}))
    event = text(root, "info/event")
    assert event.startswith("<script>alert(1)</script> ]]> &amp; ")
    assert not set("\x00\x1b\ufffe\uffff\u202e") & set(event)
    assert not root.findall(f"{{{NAMESPACE}}}info/{{{NAMESPACE}}}instruction"), "no empty element"
    huge = message(words=replace(WORDS, title={"vi": "ệ" * 100_000, "en": "x" * 100_000}))
    assert len(text(huge, "info/headline")) == 160
    assert len(text(huge, "info/event")) == 2000


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(), max_size=60), st.text(st.characters(), min_size=1, max_size=30))
def test_no_text_breaks_the_message(words: str, site_id: str) -> None:
    told = {"vi": words, "en": words}
    message(replace(FLOOD, site_id=site_id, situation=words), replace(WORDS, title=told, cause=told, action=told))
