"""From a transition to words: subject, text and short text for people, facts for machines. Plain text only.

Everything from outside (names, titles, reasons) is put on one line, freed of control and direction marks and cut, so
that no name can forge a line, a header or a megabyte.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from core import formats
from core.alert import PRIORITIES, SITUATION, Alert, AlertEvent
from core.catalogue import ObservedProperty
from core.config import City
from core.ledger import Situation
from core.snapshot import RuleWords
from notices import _words as say_table
from notices._words import LANGUAGES, say
from notices.gateway import TEXT_LIMIT as SHORT_LIMIT

NAME_LIMIT, TEXT_LIMIT, SUBJECT_LIMIT = 120, 600, 200  # characters of a name, of a sentence, of a subject
MOST_LISTED = 50  # lines of a collected message
FORMAT_VERSION = 1  # of the facts; raised when a field changes its meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One transition that somebody must hear of, with what is known about it after it happened."""

    event: AlertEvent
    alert: Alert | None  # None for a situation
    words: RuleWords | None  # None for a situation, or a rule that is gone
    situation: Situation | None
    members: int  # alerts in that situation
    priority_before: str  # «» where the alert was not standing before


class Message(NamedTuple):
    """What is sent: a line, a text, at most 160 characters for a phone, and facts for machines."""

    subject: str
    text: str
    short: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What all messages of one plan share."""

    city: City
    catalogue: Mapping[str, ObservedProperty]
    drill: bool
    base_url: str


def message(telling: Telling, style: Style) -> Message:
    """The message about one transition."""
    facts = _facts(telling, style)
    text = "\n\n".join(_body(telling, style, facts, language) for language in LANGUAGES)
    return Message(
        subject=cut(f"{_marks(style)}{_headline(telling, facts, 'vi')}", SUBJECT_LIMIT),
        text=_with_warning(text, style),
        short=_short(telling, style, facts),
        facts=facts,
    )


def digest(tellings: Sequence[Telling], style: Style) -> Message:
    """One message about many transitions, the worst first."""
    ordered = sorted(tellings, key=lambda one: (-PRIORITIES.index(one.event.priority), one.event.happened_at))
    facts = [_facts(one, style) for one in ordered]
    counted = Counter(one.event.priority for one in ordered)
    heads, blocks = [], []
    for language in LANGUAGES:
        parts = ", ".join(
            f"{counted[name]} {say(say_table.PRIORITY[name], language)}"
            for name in reversed(PRIORITIES)
            if counted[name]
        )
        heads.append(f"{say(say_table.FLOOD, language)}: {len(ordered)} {say(say_table.ALERTS, language)} ({parts})")
        lines = [
            f"- {formats.clock(one.event.happened_at, style.city.zone)} {_headline(one, fact, language)}"
            for one, fact in zip(ordered[:MOST_LISTED], facts[:MOST_LISTED], strict=True)
        ]
        if len(ordered) > MOST_LISTED:
            lines.append(say(say_table.MORE, language).format(n=len(ordered) - MOST_LISTED))
        blocks.append("\n".join([heads[-1], say(say_table.FLOOD_LINE, language), *lines]))
    if style.base_url:
        blocks.append(f"{say(say_table.LABELS['link'], 'vi')}: {style.base_url}/alert_desk")
    first = f"{_marks(style)}{heads[0]}"
    return Message(
        subject=cut(first, SUBJECT_LIMIT),
        text=_with_warning("\n\n".join(blocks), style),
        short=cut(f"{first}. {_headline(ordered[0], facts[0], 'vi')}", SHORT_LIMIT),
        facts={**facts[0], "collected": len(ordered)},
    )


def trial_message(style: Style) -> Message:
    """A message that says that the way is open."""
    heads = [f"{say(say_table.TEST_SUBJECT, one)}: {_name(style.city.name(one))}" for one in LANGUAGES]
    texts = [say(say_table.TEST_TEXT, one) for one in LANGUAGES]
    text = "\n\n".join(f"{head}\n{words}" for head, words in zip(heads, texts, strict=True)) + "\n"
    subject = f"{_marks(style)}{heads[0]}"
    return Message(cut(subject, SUBJECT_LIMIT), text, cut(f"{subject}. {texts[0]}", SHORT_LIMIT), {})


def trial_facts(style: Style, now: datetime) -> dict[str, Any]:
    """Facts of a test: an alert of the rule «test» that is over already, so it rings nowhere."""
    event = AlertEvent(
        happened_at=now, rule="test", site_id=style.city.city_site, state_before="NORM", state_after="NORM",
        priority="low", deed="test",
    )  # fmt: skip
    telling = Telling(event=event, alert=None, words=None, situation=None, members=0, priority_before="")
    return _facts(telling, style)


def line_of(text: str) -> str:
    """Text from outside on one line: NFC, without control, direction, private and unassigned characters."""
    one = unicodedata.normalize("NFC", text)
    bare = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in one)
    return " ".join(bare.split())


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, with «…» where something was left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _name(text: str) -> str:
    return cut(line_of(text[: 20 * NAME_LIMIT]), NAME_LIMIT)


def _sentence(text: str) -> str:
    return cut(line_of(text[: 20 * TEXT_LIMIT]), TEXT_LIMIT)


def _marks(style: Style) -> str:
    marks = [say_table.DRILL] * style.drill + [say_table.SIMULATED] * style.city.simulated
    return " ".join([*marks, ""])


def _with_warning(text: str, style: Style) -> str:
    lines = [" / ".join(say_table.DRILL_LINE)] * style.drill
    lines += [" / ".join(say_table.SIMULATED_LINE)] * style.city.simulated
    return "\n".join([*lines, *([""] if lines else []), text, ""])


def _headline(telling: Telling, facts: Mapping[str, Any], language: str) -> str:
    """«KHẨN CẤP: Ngập hầm chui, Hầm chui Đông Kiều, 38 cm»; what happened stands first unless the alert is new."""
    event = telling.event
    what = "" if event.deed == "raise" else f"{say(say_table.DEEDS[event.deed], language)}: "
    parts = [facts["title"][language], facts["place"][language], facts["value_words"][language]]
    return f"{say(say_table.PRIORITY[event.priority], language)}: {what}{', '.join(part for part in parts if part)}"


def _body(telling: Telling, style: Style, facts: Mapping[str, Any], language: str) -> str:
    """The text of one language: what, where, how much, when, what to do."""
    event, alert, zone = telling.event, telling.alert, style.city.zone
    head = f"{say(say_table.PRIORITY[event.priority], language)} · {say(say_table.DEEDS[event.deed], language)}"
    at = event.happened_at
    area = facts["area"][language]
    together = f"({telling.members} {say(say_table.ALERTS, language)})"
    rows = {
        "place": ", ".join(part for part in (facts["place"][language], area) if part),
        "value": _with_limit(facts, language),
        "at": f"{formats.clock(at, zone)} {formats.day(at, zone, language)}",
        "measured": formats.moment(event.measured_at, at, zone) if event.measured_at != at else "",
        "action": facts["action"][language],
        "time_to_act": _span(telling, language),
        "owner": facts["owner"][language],
        "consequence": facts["consequence"][language],
        "situation": f"{telling.situation.id} {together}" if telling.situation else "",
        "due": formats.moment(alert.due_at, at, zone) if alert and alert.due_at and event.deed == "assign" else "",
        "by": "" if event.actor == "engine" else _name(event.actor),
        "reason": _sentence(event.reason),
        "link": facts["link"],
    }
    lines = [head, facts["title"][language]]
    lines += [f"{say(say_table.LABELS[name], language)}: {words}" for name, words in rows.items() if words]
    if facts["over_now"]:
        lines.append(say(say_table.OVER_NOW, language))
    return "\n".join(lines)


def _short(telling: Telling, style: Style, facts: Mapping[str, Any]) -> str:
    """For a phone: the headline, the time, and as much of the action as fits."""
    zone, at = style.city.zone, telling.event.happened_at
    when = f"{formats.clock(at, zone)} {at.astimezone(zone):%d/%m}"
    head = cut(f"{_marks(style)}{_headline(telling, facts, 'vi')}", SHORT_LIMIT - len(when) - 3)
    return cut(f"{head}. {when}. {facts['action']['vi']}".rstrip(), SHORT_LIMIT)


def _span(telling: Telling, language: str) -> str:
    span = telling.words.time_to_act if telling.words else None
    return formats.duration(span, language) if span else ""


def _with_limit(facts: Mapping[str, Any], language: str) -> str:
    value, limit = facts["value_words"][language], facts["limit_words"][language]
    return f"{value} ({say(say_table.LABELS['limit'], language)} {limit})" if value and limit else value


def _facts(telling: Telling, style: Style) -> dict[str, Any]:
    """What machines get: docs/notices.md describes every field. No person's name and no free text of a person."""
    event, alert, words, city = telling.event, telling.alert, telling.words, style.city
    item = style.catalogue.get(words.observed_property) if words else None
    title = {language: _title(telling, language) for language in LANGUAGES}
    place = {language: _place(telling, style, language) for language in LANGUAGES}
    value = {language: _value(event.value, words, item, language) for language in LANGUAGES}
    return {
        "version": FORMAT_VERSION,
        "rule": event.rule,
        "site_id": event.site_id,
        "deed": event.deed,
        "happened_at": _iso(event.happened_at),
        "began_at": _iso(alert.began_at) if alert and alert.began_at else "",
        "priority": event.priority,
        "priority_before": telling.priority_before,
        "state_before": event.state_before,
        "state": event.state_after,
        "over_now": bool(alert and not alert.active and event.state_after in ("UNACK", "ACKED")),
        "value": event.value,
        "unit": item.unit if item and words and words.in_unit_of_property else "",
        "title": title,
        "place": place,
        "area": {language: _name(city.area_name(event.site_id, language)) for language in LANGUAGES},
        "value_words": value,
        "limit_words": {language: _limit(telling, style, item, language) for language in LANGUAGES},
        "summary": {
            language: ", ".join(part for part in (title[language], place[language], value[language]) if part)
            for language in LANGUAGES
        },
        **{
            name: {language: _sentence(getattr(words, name)[language]) if words else "" for language in LANGUAGES}
            for name in ("action", "owner", "consequence")
        },
        "situation": telling.situation.id if telling.situation else "",
        "city": city.key,
        "drill": style.drill,
        "simulated": city.simulated,
        "link": _link(event, style.base_url),
    }


def _title(telling: Telling, language: str) -> str:
    if telling.event.rule == SITUATION:
        return f"{say(say_table.LABELS['situation'], language)} {_name(telling.event.site_id)}"
    return _name(telling.words.title[language] if telling.words else telling.event.rule)


def _place(telling: Telling, style: Style, language: str) -> str:
    if telling.event.rule == SITUATION:
        return f"{telling.members} {say(say_table.ALERTS, language)}" if telling.members else ""
    return _name(style.city.site_name(telling.event.site_id, language))


def _value(value: float | None, words: RuleWords | None, item: ObservedProperty | None, language: str) -> str:
    if words and words.missing:
        return say(say_table.SILENT, language)
    if value is None or (item is not None and item.key == "source_up"):
        return ""
    if words and not words.in_unit_of_property:
        return words.value_text(value, language, "")
    if item is None:
        return formats.number(value, 2, language)
    return formats.quantity(value, item.decimals, item.unit_label(language), language)


def _limit(telling: Telling, style: Style, item: ObservedProperty | None, language: str) -> str:
    words, event = telling.words, telling.event
    if words is None or words.missing:
        return ""
    setpoint = words.setpoints.get(event.priority)
    if isinstance(setpoint, str):
        setpoint = style.city.attribute(event.site_id, setpoint.removeprefix("site:"))
    high, low = _value(setpoint, words, item, language), words.lows.get(event.priority)
    if low is None or not high:
        return high
    return say(say_table.OUTSIDE, language).format(low=formats.number(low, words.decimals, language), high=high)


def _link(event: AlertEvent, base_url: str) -> str:
    if not base_url or event.rule == SITUATION:
        return f"{base_url}/alert_desk" if base_url else ""
    return f"{base_url}/alert_desk?alert={quote(f'{event.rule}:{event.site_id}', safe=':')}"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
