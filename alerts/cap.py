"""One alert as a message of the Common Alerting Protocol 1.2 (OASIS), for other authorities' systems. Pure.

Restricted by default: telling the public is for the competent bodies (weather service, people's committee).
`sent` and all other times carry the city's numeric offset; CAP forbids «Z». The order of elements is the standard's.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from alerts.refusals import Refused
from core.alert import Alert
from core.config import City
from core.errors import InputError
from core.snapshot import RuleWords

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
LANGUAGES = {"vi": "vi-VN", "en": "en-US"}
WARD_KINDS = ("phuong", "xa", "dac_khu")
CIRCLE_KM = 0.5  # around a sensor: the place that it speaks for
LEAST_LIFE = timedelta(hours=1)  # a message counts until then, or as long as there is time to act
HEADLINE_CHARACTERS = 160
TEXT_CHARACTERS = 2000
CATEGORIES = {  # observed property -> CAP category; what stands in no row is «Other»
    **dict.fromkeys(("rainfall", "rain_1h", "rain_24h", "temperature", "heat_index", "wind_speed", "uv_index"), "Met"),
    **dict.fromkeys(("river_level", "river_stage", "river_alarm_level", "river_discharge", "flood_depth"), "Met"),
    **dict.fromkeys(
        ("pm25", "pm10", "no2", "so2", "co", "o3", "vn_aqi", "vn_aqi_daily", "pm25_24h", "pm10_24h"), "Env"
    ),
    **dict.fromkeys(("noise_level", "noise_laeq", "noise_over_limit"), "Env"),
    **dict.fromkeys(("speed", "arterial_speed", "relative_speed", "travel_time_index"), "Transport"),
    **dict.fromkeys(("congested_length", "traffic_flow", "open_incidents"), "Transport"),
    **dict.fromkeys(("source_up", "source_age", "screen_silence", "data_freshness", "data_completeness"), "Infra"),
}
SEVERITIES = {"low": "Minor", "medium": "Minor", "high": "Moderate", "critical": "Severe"}
RESPONSES = {"low": "Monitor", "medium": "Monitor", "high": "Prepare", "critical": "Execute"}
NOTES = {
    "exercise": ("DIỄN TẬP", "EXERCISE"),
    "simulated": ("DỮ LIỆU MÔ PHỎNG", "SIMULATED DATA"),
}
RESTRICTION = (
    "Chỉ dùng giữa các cơ quan điều hành; công bố ra dân là việc của cơ quan có thẩm quyền. / "
    "For operating agencies only; publishing is for the competent authority."
)
_PLAIN = re.compile(r"[^\s,<&]+")  # what CAP allows in sender and identifier
_REFERENCE = re.compile(r"[^\s,<&]+,[^\s,<&]+,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufdd0-\ufdef\ufffe\uffff]"
)

Ring = Sequence[tuple[float, float]]


def cap_xml(
    alert: Alert,
    rule_words: RuleWords,
    city: City,
    *,
    now: datetime,
    sender: str,
    exercise: bool,
    references: Sequence[str] = (),
    polygon: Ring = (),
) -> bytes:
    """The message as UTF-8 XML.

    `sender` is an internet name or address of the centre. `references` name the messages that this one follows, as
    `reference()` made them: with them an active alert is an Update and one that is over a Cancel. `polygon` is the
    boundary of the alert's area as (latitude, longitude); without it a circle stands around the sensor. In a drill
    status is Exercise; a city of simulated data says Test, for no such message may be taken for the truth.
    Raises InputError for a sender or reference that CAP forbids, Refused for an alert that is over and was never sent.
    """
    sender = _plain(sender, "sender")
    for one in references:
        if not is_reference(one):
            raise InputError(f"CAP reference {one!r}: write sender,identifier,sent as the earlier message has them")
    live = alert.active
    if not live and not references:
        raise Refused("nothing_to_tell")
    marks = _marks(city, exercise)
    root = _element(None, "alert")
    _element(root, "identifier", identifier(alert, city, now))
    _element(root, "sender", sender)
    _element(root, "sent", _time(now, city.zone))
    _element(root, "status", "Exercise" if exercise else "Test" if city.simulated else "Actual")
    _element(root, "msgType", "Cancel" if not live else "Update" if references else "Alert")
    _element(root, "scope", "Restricted")
    _element(root, "restriction", RESTRICTION)
    if marks:
        _element(root, "note", " · ".join(f"{vietnamese} / {english}" for vietnamese, english in marks))
    if references:
        _element(root, "references", " ".join(references))
    if alert.situation:  # the messages of one situation name the same incident
        _element(root, "incidents", re.sub(r"[\s\"]+", "_", alert.situation))
    for language in LANGUAGES:
        _info(root, alert, rule_words, city, now, language, [mark[language == "en"] for mark in marks], polygon)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True, default_namespace=NAMESPACE)
    return written + b"\n"


def identifier(alert: Alert, city: City, now: datetime) -> str:
    """Unique among the messages of a sender: city, rule, site and moment. Foreign characters are told by a hash."""
    names = "-".join((city.key, alert.rule, alert.site_id))
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", names)[:100]
    if plain != names:
        plain = f"{plain}-{sha256(names.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"{plain}-{now.astimezone(city.zone):%Y%m%dT%H%M%S}"


def reference(alert: Alert, city: City, sender: str, sent_at: datetime) -> str:
    """How a later message names the one of this alert that was sent at that moment."""
    sender = _plain(sender, "sender")
    return f"{sender},{identifier(alert, city, sent_at)},{_time(sent_at, city.zone)}"


def is_reference(text: str) -> bool:
    """True for «sender,identifier,sent» as CAP wants it."""
    return _REFERENCE.fullmatch(text) is not None


def ring_of(geometry: Mapping[str, Any] | None, code: str) -> tuple[tuple[float, float], ...]:
    """Outer boundary of an area in a GeoJSON, as (latitude, longitude); of several parts the longest; empty: none."""
    rings: list[Any] = []
    for feature in (geometry or {}).get("features", ()):
        if code and feature.get("properties", {}).get("code") == code:
            shape = feature.get("geometry") or {}
            parts = shape.get("coordinates") or []
            if shape.get("type") == "Polygon":
                parts = [parts]
            if shape.get("type") in ("Polygon", "MultiPolygon"):
                rings += [part[0] for part in parts if part]
    longest = max(rings, key=len, default=())
    return tuple((float(point[1]), float(point[0])) for point in longest)


def _info(
    root: ET.Element,
    alert: Alert,
    words: RuleWords,
    city: City,
    now: datetime,
    language: str,
    marks: Sequence[str],
    polygon: Ring,
) -> None:
    place = ", ".join(
        name for name in (city.site_name(alert.site_id, language), city.area_name(alert.site_id, language)) if name
    )
    title = words.title[language]
    info = _element(root, "info")
    _element(info, "language", LANGUAGES[language])
    _element(info, "category", CATEGORIES.get(words.observed_property, "Other"))
    _element(info, "event", title)
    _element(info, "responseType", RESPONSES[alert.priority] if alert.active else "AllClear")
    _element(info, "urgency", _urgency(alert, words.time_to_act))
    _element(info, "severity", SEVERITIES[alert.priority])
    _element(info, "certainty", "Likely" if alert.stale else "Observed")
    _element(info, "effective", _time(now, city.zone))
    began_at = alert.began_at or alert.raised_at
    if began_at is not None:
        _element(info, "onset", _time(began_at, city.zone))
    _element(info, "expires", _time(now + max(words.time_to_act or LEAST_LIFE, LEAST_LIFE), city.zone))
    _element(info, "senderName", city.centre_en if language == "en" else city.centre_vi)
    _element(info, "headline", ": ".join([*marks, f"{title} – {place}"]), HEADLINE_CHARACTERS)
    told = (words.cause[language], words.consequence[language])
    _element(info, "description", " ".join(sentence for sentence in told if sentence) or title)
    if words.action[language]:
        _element(info, "instruction", words.action[language])
    facts = {
        "observedProperty": words.observed_property,
        "value": f"{alert.value:.12g}" if alert.value is not None and math.isfinite(alert.value) else "",
        "priority": alert.priority,
        "state": alert.state,
        "situation": alert.situation,
    }
    for name, value in facts.items():
        if value:
            parameter = _element(info, "parameter")
            _element(parameter, "valueName", name)
            _element(parameter, "value", value)
    _area(info, alert, city, place or city.name(language), polygon)


def _area(info: ET.Element, alert: Alert, city: City, place: str, polygon: Ring) -> None:
    """areaDesc always; a closed boundary or a circle where the place is known; the ward's code."""
    area = _element(info, "area")
    _element(area, "areaDesc", place)
    corners = [f"{latitude:.5f},{longitude:.5f}" for latitude, longitude in polygon]
    if corners and corners[0] != corners[-1]:
        corners.append(corners[0])
    if corners and len(set(corners)) < 3:
        raise InputError("CAP polygon: a boundary needs at least three different corners")
    point = city.point(alert.site_id)
    if corners:
        _element(area, "polygon", " ".join(corners), None)
    elif point is not None and alert.site_id != city.city_site:
        _element(area, "circle", f"{point[0]:.5f},{point[1]:.5f} {CIRCLE_KM}")
    code = city.area_of(alert.site_id)
    if code in city.areas.index and city.areas.at[code, "kind"] in WARD_KINDS:
        geocode = _element(area, "geocode")
        _element(geocode, "valueName", "VN-WARD")
        _element(geocode, "value", code)


def _marks(city: City, exercise: bool) -> list[tuple[str, str]]:
    """What nobody may overlook, in vi and en."""
    return [NOTES[name] for name, holds in (("exercise", exercise), ("simulated", city.simulated)) if holds]


def _urgency(alert: Alert, time_to_act: timedelta | None) -> str:
    """CAP: Immediate = act at once, Expected = within the next hour, Future = later."""
    if not alert.active:
        return "Past"
    if time_to_act is None:
        return "Unknown"
    if time_to_act <= timedelta(minutes=15):
        return "Immediate"
    return "Expected" if time_to_act <= timedelta(hours=1) else "Future"


def _time(moment: datetime, zone: ZoneInfo) -> str:
    """«2026-11-21T07:00:00+07:00»: no fraction, never «Z»."""
    return moment.astimezone(zone).isoformat(timespec="seconds")


def _plain(text: str, what: str) -> str:
    if not _PLAIN.fullmatch(text) or _UNSEEN.search(text):
        raise InputError(f"CAP {what} {text!r}: it must not be empty nor hold blanks, commas, < or &")
    return text


def _element(
    parent: ET.Element | None, name: str, text: str | None = None, limit: int | None = TEXT_CHARACTERS
) -> ET.Element:
    """A child with text that XML can carry: what it cannot, and what nobody sees, is replaced."""
    tag = f"{{{NAMESPACE}}}{name}"
    element = ET.Element(tag) if parent is None else ET.SubElement(parent, tag)
    if text is not None:
        clean = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)
        element.text = clean if limit is None or len(clean) <= limit else f"{clean[: limit - 1]}…"
    return element
