"""«Vì sao con số này?»: everything that a person may ask of a number, in the same parts wherever a number stands.

A part that cannot be told says so in words; none is left out, because a gap would read as «nothing to worry about».
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from core import formats
from core.calendar import HOURS_OF_WEEK, LEAST_DAYS, hour_class
from core.catalogue import Indicator, ObservedProperty, Threshold
from core.legal import Document, cited
from core.quality import DAY, SCORES
from core.snapshot import Reading, RuleWords, SourceState, freshness_edges

if TYPE_CHECKING:
    from ui.views import View

PARTS = (
    "value", "time", "age", "received", "formula", "source", "pulled", "revisions", "threshold", "owner", "basis",
    "sample", "quality",
)  # fmt: skip
MOST_SOURCES = 3
MOST_USERS = 2  # indicators that are computed from a measured value, named with what they rest on
LEVEL_PRIORITY = {"watch": "medium", "warning": "high", "critical": "critical"}
SUM = "sum"


class Fact(NamedTuple):
    """One line of the drawer: which part it belongs to, its name and what it says."""

    part: str
    name: str
    words: str


def facts(
    view: View, item: ObservedProperty, site_id: str, reading: Reading | None, pick: str = ""
) -> tuple[Fact, ...]:
    """The drawer of one value; `reading` is None where there never was one, `pick` says how a place was chosen."""
    owner_of = view.parent(item)
    indicator = owner_of if isinstance(owner_of, Indicator) else None
    sources = view.behind(item, site_id)
    limits = indicator.thresholds if indicator is not None and indicator.key == item.key else ()
    rules = view.rules_on(item.key)
    return (
        *_when(view, item, reading),
        *_how(view, item, indicator, pick),
        *_whence(view, reading, item, sources),
        Fact("revisions", view.t("why.revisions"), _revisions(view, item, site_id)),
        Fact("threshold", view.t("why.threshold"), _limits(view, item, site_id, limits, rules)),
        Fact("owner", view.t("why.owner"), _owners(view, indicator, limits, rules)),
        Fact("basis", view.t("fact.reference"), _basis(view, item, indicator, limits)),
        Fact("sample", view.t("why.sample"), _sample(view, indicator, site_id)),
        Fact("quality", view.t("why.quality"), _quality(view, sources)),
        *_extra(view, item, site_id, reading),
    )


def _when(view: View, item: ObservedProperty, reading: Reading | None) -> Iterable[Fact]:
    t = view.t
    if reading is None:
        never = t("why.never")
        return (
            Fact("value", t("fact.value"), f"{formats.DASH} ({t('state.none_yet')})"),
            Fact("time", t("fact.data_time"), never),
            Fact("age", t("fact.age"), f"{never}. {_rule(view, item, timedelta(0))}"),
            Fact("received", t("fact.received"), never),
        )
    unit = item.unit_label(view.language)
    age = f"{formats.duration(reading.age, view.language)} ({t(f'why.{reading.freshness}')})"
    return (
        Fact("value", t("fact.value"), formats.quantity(reading.value, item.decimals, unit, view.language)),
        Fact("time", t("fact.data_time"), formats.moment(reading.time, view.now, view.zone)),
        Fact("age", t("fact.age"), f"{age}. {_rule(view, item, reading.every)}"),
        Fact("received", t("fact.received"), formats.moment(reading.received_at, view.now, view.zone)),
    )


def _rule(view: View, item: ObservedProperty, every: timedelta) -> str:
    fresh, late, old = (formats.duration(edge, view.language) for edge in freshness_edges(item, every))
    return view.t("why.rule", fresh=fresh, late=late, old=old)


def _how(view: View, item: ObservedProperty, indicator: Indicator | None, pick: str) -> Iterable[Fact]:
    t = view.t
    if indicator is None:
        name = item.name(view.language)
        formula = t("why.measured", name=name, every=formats.duration(item.period, view.language))
    elif indicator.key == item.key:
        formula = indicator.formula
    else:
        formula = t("why.companion", name=item.name(view.language), of=indicator.name(view.language))
    if pick == SUM:
        formula = f"{t('why.sum')} {formula}"
    code = () if indicator is None else (Fact("code", t("fact.code"), indicator.code),)
    return (*code, Fact("formula", t("fact.formula"), formula))


def _whence(view: View, reading: Reading | None, item: ObservedProperty, sources: list[SourceState]) -> Iterable[Fact]:
    t = view.t
    told = [source_words(view, state) for state in sources[:MOST_SOURCES]]
    if len(sources) > MOST_SOURCES:
        told.append(t("why.more_sources", n=len(sources) - MOST_SOURCES))
    words = "; ".join(told) or (_unlisted(view, reading) if reading is not None else t("why.no_source"))
    if told and view.parent(item) is not None:
        words = f"{t('fact.computed_here')} {t('why.from')} {words}"
    pulls = "; ".join(pulled_words(view, state, len(sources) > 1) for state in sources[:MOST_SOURCES])
    return (
        Fact("source", t("fact.source"), words),
        Fact("pulled", t("why.pulled"), pulls or t("why.not_pulled")),
    )


def source_words(view: View, state: SourceState) -> str:
    """«Trạm đo mưa (Đài Khí tượng Thủy văn; Trực dự báo, máy lẻ 7301)»."""
    source = state.source
    name = source.name(view.language)
    owner = source.owner or view.t("why.no_source_owner")
    contact = source.contact or view.t("why.no_contact")
    return f"{name} ({owner}; {contact})"


def _unlisted(view: View, reading: Reading) -> str:
    """What no configured source gave: a form that a unit delivered, or the house itself."""
    if reading.source in ("house", "indicators"):
        return view.t("word.house")
    return view.t("why.delivered", name=reading.source)


def pulled_words(view: View, state: SourceState, several: bool) -> str:
    """When a source was asked last, when it last had something, and how it answers; with its name among several."""
    t = view.t
    tried = formats.moment(state.tried_at, view.now, view.zone) if state.tried_at else t("why.never")
    came = formats.moment(state.received_at, view.now, view.zone) if state.received_at else t("why.never")
    doing = t("why.up") if state.up else t("why.not_tried") if state.up is None else t(f"source.{state.error_kind}")
    words = t("why.pull", tried=tried, came=came, state=doing[:1].lower() + doing[1:])
    return f"{state.source.name(view.language)}: {words}" if several else words


def _revisions(view: View, item: ObservedProperty, site_id: str) -> str:
    known = view.snapshot.revised.get((item.key, site_id))
    if known is None:
        return view.t("why.not_revised")
    old, new = (formats.number(one, item.decimals, view.language) for one in (known.old, known.new))
    return view.t(
        "why.revised",
        n=formats.number(known.n, 0, view.language),
        at=formats.moment(known.at, view.now, view.zone),
        old=old,
        new=new,
        time=formats.moment(known.time, view.now, view.zone),
    )


def _limits(
    view: View, item: ObservedProperty, site_id: str, limits: tuple[Threshold, ...], rules: list[RuleWords]
) -> str:
    t, today = view.t, view.now.astimezone(view.zone).date()
    unit = item.unit_label(view.language)
    told = []
    for one in limits:
        if not one.holds_on(today):
            continue
        higher = item.direction == "higher"
        sign = ("≤" if one.inclusive else "<") if higher else ("≥" if one.inclusive else ">")
        value = formats.quantity(one.value, _decimals(one.value), unit, view.language)
        since = t("why.since", day=_day(view, one.valid_from)) if one.valid_from else ""
        words = f"{t(f'priority.{LEVEL_PRIORITY[one.level]}')} {sign} {value} ({t(f'why.basis_{one.basis}')}{since})"
        told.append(words)
    told += [words for words in (_rule_words(view, rule, site_id) for rule in rules) if words]
    return "; ".join(told) or t("why.no_threshold")


def _rule_words(view: View, rule: RuleWords, site_id: str) -> str:
    """«Mưa lớn: Cao 30 mm», or that the rule has levels which are no number of this unit."""
    levels = []
    for priority in rule.setpoints:
        setpoint = view.setpoint(rule, priority, site_id)
        if setpoint is not None:
            number = formats.number(setpoint, rule.decimals, view.language)
            levels.append(f"{view.t(f'priority.{priority}')} {number}")
    if rule.condition or not levels:
        return ""
    off = "" if rule.enabled else f" ({view.t('why.rule_off')})"
    judged = "" if rule.in_unit_of_property and not rule.missing else f" ({view.t('why.other_unit')})"
    mute = f" ({view.t('why.rule_mute')})" if rule.against_usual and not _has_usual(view, rule, site_id) else ""
    return f"{view.t('why.alert')} «{rule.title[view.language]}»: {', '.join(levels)}{judged}{mute or off}"


def _has_usual(view: View, rule: RuleWords, site_id: str) -> bool:
    """True when the rule has something to compare with at this hour."""
    return view.snapshot.usual(rule.observed_property, site_id, view.now) is not None


def _owners(view: View, indicator: Indicator | None, limits: tuple[Threshold, ...], rules: list[RuleWords]) -> str:
    named = [indicator.owner] if indicator is not None and indicator.owner and limits else []
    named += [
        f"{rule.title[view.language]}: {rule.owner[view.language]}" for rule in rules if rule.owner[view.language]
    ]
    return "; ".join(dict.fromkeys(named)) or view.t("why.no_owner" if limits or rules else "why.no_threshold")


def _basis(view: View, item: ObservedProperty, indicator: Indicator | None, limits: tuple[Threshold, ...]) -> str:
    if indicator is None:
        users = [one for one in view.snapshot.catalogue.indicators() if item.key in one.needs][:MOST_USERS]
        told = [f"{one.name(view.language)}: {one.reference}" for one in users]
        told += [_document(view, one) for one in cited(*(one.reference for one in users))]
        return "; ".join([view.t("why.no_basis_used"), *told]) if told else view.t("why.no_basis")
    references = (indicator.reference, *(one.reference for one in limits))
    dated = [_document(view, one) for one in cited(*references)]
    return "; ".join([indicator.reference, *dated])


def _document(view: View, one: Document) -> str:
    """«QĐ 05/2020/QĐ-TTg: ban hành: chưa ghi, hiệu lực 20/03/2020»."""
    t = view.t
    unknown = t("why.date_unknown")
    issued = _day(view, one.issued) if one.issued else unknown
    force = _day(view, one.in_force) if one.in_force else unknown
    return f"{one.number}: {one.about(view.language)} ({t('why.dates', issued=issued, force=force)})"


def _sample(view: View, indicator: Indicator | None, site_id: str) -> str:
    t = view.t
    if indicator is None:
        return t("why.no_sample_measured")
    told = []
    for part in indicator.companions:
        reading = view.snapshot.reading(part.key, site_id)
        if reading is not None:
            unit = part.unit_label(view.language)
            told.append(
                f"{part.name(view.language)}: {formats.quantity(reading.value, part.decimals, unit, view.language)}"
            )
    if indicator.min_n:
        told.append(t("why.min_n", n=indicator.min_n))
    return "; ".join(told) or t("why.no_sample")


def _quality(view: View, sources: list[SourceState]) -> str:
    measured = view.snapshot.quality
    span = measured.spans.get(DAY) if measured is not None else None
    told = []
    for state in sources[:MOST_SOURCES]:
        scored = span.sources.get(state.source.key) if span is not None else None
        if scored is None:
            continue
        words = ", ".join(
            f"{view.t(f'quality.{name}').lower()} {formats.percent(scored.scores[name].percent, 1, view.language)}"
            for name in SCORES
            if name in scored.scores
        )
        told.append(f"{state.source.name(view.language)}: {words}" if len(sources) > 1 else words)
    return "; ".join(told) or view.t("why.no_quality")


def _extra(view: View, item: ObservedProperty, site_id: str, reading: Reading | None) -> Iterable[Fact]:
    t = view.t
    found = []
    usual = view.snapshot.usual(item.key, site_id, reading.time) if reading is not None else None
    if usual:
        low, _, high = (formats.number(one, item.decimals, view.language) for one in usual)
        found.append(Fact("usual", t("fact.usual"), f"{low} – {high}"))
    elif reading is not None and (words := too_short(view, item, site_id, reading.time)):
        found.append(Fact("usual", t("fact.usual"), words))
    if reading is not None and view.from_model(reading):
        found.append(Fact("kind", t("fact.kind"), t("kind.model")))
    if view.snapshot.city.simulated:
        found.append(Fact("kind", t("fact.kind"), t("kind.simulation")))
    marks = view.artefacts(item.key, site_id)[:1]
    return (*found, *(Fact("artefact", t("fact.artefact"), view.artefact_words(mark)) for mark in marks))


def too_short(view: View, item: ObservedProperty, site_id: str, at: datetime) -> str:
    """How many days are known of how many that a usual at that hour takes; «» where there is one, or none is kept."""
    known = view.snapshot.days_short(item.key, site_id, at)
    if known is None:
        return ""
    hour = hour_class(at, view.zone)
    return view.t("why.too_short_holiday" if hour >= HOURS_OF_WEEK else "why.too_short", n=known, need=LEAST_DAYS)


def _day(view: View, day: date) -> str:
    return (
        day.strftime("%d/%m/%Y")
        if view.language == "vi"
        else f"{day.day} {formats.MONTHS_EN[day.month - 1]} {day.year}"
    )


def _decimals(value: float) -> int:
    """As many digits as the limit itself has, at most three."""
    return next((digits for digits in range(3) if round(value, digits) == value), 3)
