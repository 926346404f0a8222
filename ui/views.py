"""From a snapshot to what a screen says: rows, cards, verdicts. No streamlit here, so it can be tried alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd
from markupsafe import Markup

from analysis.situation import Situation, situate
from charts import glyphs, sparkline, theme
from core import formats
from core.alert import PRIORITIES, Alert
from core.catalogue import Indicator, ObservedProperty
from core.i18n import Translator
from core.quality import Artefact
from core.snapshot import ABSENT, OLD, Reading, RuleWords, Snapshot, SourceState
from indicators.vn_aqi import level
from ui import why
from ui.render import picture
from ui.why import Fact

AS_USUAL_SHARE = 0.1  # of the band's own height: a value that far outside still reads «như thường»
FEW = 5  # counts below it are not compared
AS_USUAL_RELATIVE = 0.02  # of the usual value: a narrow band is no reason to speak of a deviation of one per cent


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One number on a screen, with everything a person may ask of it."""

    key: str
    site_id: str
    label: str
    place: str
    value: str
    unit: str
    mark: Markup  # glyph of the worst alert, or nothing
    priority: str  # "" when normal
    state: str  # fresh | late | old | absent
    note: str  # right column: deviation, or how long silent
    subnote: str
    picture: Markup
    facts: tuple[Fact, ...]  # what «vì sao con số này?» opens; empty on the wall, which nobody can open
    simulated: bool
    model: bool
    artefact: str = ""  # why a step of the last day is no news; empty where there is none
    ahead: str = ""  # what is forecast of it: a limit that may be crossed; empty where none is


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One alert as a card or a row."""

    rule: str
    site_id: str
    title: str
    value: str
    limit: str
    place: str
    age: str
    raised: str
    state: str
    state_word: str
    priority: str
    priority_word: str
    glyph: Markup
    owner: str
    due: str
    due_share: float  # 0..1 of the time to act that is used up
    overdue: bool
    stale: bool
    acked_by: str
    cover: str  # how long, until when or why it is covered; «» when it is not
    measured: str = ""  # «số liệu lúc 23:00, 21/11» of values that came late; age and deadline count from their coming


class View:
    """A snapshot in one language and theme."""

    def __init__(self, snapshot: Snapshot, language: str, look: theme.Theme) -> None:
        self.snapshot = snapshot
        self.language = language
        self.look = look
        self.t = Translator(language)
        self.now = snapshot.made_at
        self.zone = snapshot.city.zone
        self._givers: dict[str, dict[str, set[str]]] = {}
        self._parents: dict[str, Indicator] = {}

    # -- numbers ----------------------------------------------------------------------------------------------------

    def row(self, key: str, pick: str, *, width: int = 150, height: int = 40, by_site: bool = False) -> Row:
        """The row of a property; `pick` is a site_id, or city | worst | sum | river."""
        item = self.snapshot.catalogue[key]
        reading = self._pick(key, pick)
        if reading is None:
            return self._empty_row(item, pick if pick in self.snapshot.city.sites.index else "")
        site_id = reading.site_id
        alert = self._alert_of(key, site_id) if reading.live else None
        note, subnote = self._note(reading, key)
        value = (
            formats.number(reading.value, item.decimals, self.language) if reading.freshness != ABSENT else formats.DASH
        )
        source = self._source(reading.source)
        city = self.snapshot.city
        place = city.site_name(site_id, self.language)
        name = self.short_name(item)
        return Row(
            key=key,
            site_id=site_id,
            label=place if by_site else name,
            place=self._silent_because(reading, source)
            or (city.area_name(site_id, self.language) if by_site else self._place(key, pick, reading)),
            value=value,
            unit=item.unit_label(self.language),
            mark=self.glyph(alert.priority, alert.state) if alert else Markup(""),
            priority=alert.priority if alert else "",
            state=reading.freshness,
            note=note,
            subnote=subnote,
            picture=self.spark(key, site_id, reading, alert.priority if alert else None, width, height),
            facts=self.why(key, site_id, reading, pick),
            simulated=city.simulated,
            model=self._from_model(reading, source),
            artefact=next((self.artefact_words(mark) for mark in self.artefacts(key, site_id)), ""),
        )

    def artefacts(self, key: str, site_id: str, hours: int = 24) -> list[Artefact]:
        """The steps of a series in the last hours that came from the data and not from the city, newest first."""
        measured = self.snapshot.quality
        since = self.now - timedelta(hours=hours)
        return [mark for mark in measured.marks(key, site_id) if mark.at > since] if measured else []

    def artefact_words(self, mark: Artefact) -> str:
        """«bước nhảy khi nguồn nối lại, 14:05»."""
        name = self.snapshot.city.site_name(mark.source, self.language)
        return self.t(f"artefact.{mark.cause}", at=formats.moment(mark.at, self.now, self.zone), source=name)

    def short_name(self, item: ObservedProperty) -> str:
        """The name that fits a row; the catalogue's own where the locale has no shorter one."""
        key = f"short.{item.key}"
        return self.t(key) if key in self.t else item.name(self.language)

    def _empty_row(self, item: ObservedProperty, site_id: str) -> Row:
        return Row(
            key=item.key,
            site_id=site_id,
            label=self.short_name(item),
            place=self.snapshot.city.site_name(site_id, self.language) if site_id else "",
            value=formats.DASH,
            unit="",
            mark=Markup(""),
            priority="",
            state=ABSENT,
            note=self.t("state.none_yet"),
            subnote=self.t("state.data"),
            picture=self.spark(item.key, site_id, None, None, 150, 40),
            facts=self.why(item.key, site_id, None),
            simulated=self.snapshot.city.simulated,
            model=False,
        )

    def _pick(self, key: str, pick: str) -> Reading | None:
        found = self.snapshot.of(key)
        if pick in self.snapshot.city.sites.index:
            return self.snapshot.reading(key, pick)
        if pick == "city":
            return self.snapshot.reading(key, self.snapshot.city.city_site)
        live = [reading for reading in found if reading.live]
        pool = live or found  # nothing live: the newest silent one says how long it has been silent
        if not pool:
            return None
        if not live:
            return max(pool, key=lambda reading: reading.time)
        if pick == "river":
            return max(live, key=lambda reading: self._under_alarm(reading))
        if pick == "sum":
            first = max(live, key=lambda reading: reading.time)
            total = sum(reading.value for reading in live)
            return Reading(
                site_id=first.site_id, item=first.item, time=first.time, value=total, source=first.source,
                received_at=first.received_at, age=first.age, freshness=first.freshness,
            )  # fmt: skip
        better_high = live[0].item.direction == "higher"
        return (min if better_high else max)(live, key=lambda reading: reading.value)

    def _under_alarm(self, reading: Reading) -> float:
        """Metres above the first alarm (negative below it); minus infinity where a station has no alarm levels."""
        edge = self.snapshot.city.attribute(reading.site_id, "alarm_1_m")
        return float("-inf") if edge is None else reading.value - edge

    def _place(self, key: str, pick: str, reading: Reading) -> str:
        name = self.snapshot.city.site_name(reading.site_id, self.language)
        if pick == "city" or pick == "sum":
            n = self.snapshot.reading(
                {"satisfaction": "satisfaction_n", "on_time_rate": "on_time_n"}.get(key, ""), reading.site_id
            )
            whole = self.t("word.whole_city")
            return f"{whole} · n = {formats.number(n.value, 0, self.language)}" if n else whole
        if key == "vn_aqi":
            area = self.snapshot.city.area_name(reading.site_id, self.language)
            return f"{self.aqi_word(reading.value)} · {area or name}"
        return name

    def _note(self, reading: Reading, key: str) -> tuple[str, str]:
        """The right column: how long silent, or the limit that matters, or the deviation from the usual."""
        t = self.t
        if reading.freshness in (OLD, ABSENT):
            return formats.duration(reading.age, self.language), t("state.no_signal")
        if key == "river_level":
            return self._river_note(reading)
        if reading.item.key in ("rain_1h", "rain_24h") and reading.value < 0.05:
            return t("state.no_rain"), ""
        if key == "satisfaction":
            return self._interval_note(reading.site_id)
        usual = self.snapshot.usual(key, reading.site_id, reading.time)
        if usual is None:
            if self.snapshot.days_short(key, reading.site_id, reading.time) is None:
                return "", ""
            return t("state.too_short"), t("state.to_compare")  # silence would read as «nothing unusual»
        low, middle, high = usual
        margin = max(AS_USUAL_SHARE * (high - low), AS_USUAL_RELATIVE * abs(middle))
        if low - margin <= reading.value <= high + margin:
            return t("state.as_usual"), ""
        if reading.item.aggregation == "sum" and reading.value < FEW:
            return "", ""  # two reports instead of one are no news
        if reading.item.unit == "%":
            points = formats.number(reading.value - middle, 1, self.language, signed=True)
            return f"{points} {t('word.points')}", t("word.vs_usual")
        if middle > 0 and reading.value / middle >= 3:
            return t("word.times", n=formats.number(reading.value / middle, 0, self.language)), t("word.vs_usual")
        if middle == 0:
            return t("state.above_usual"), ""
        change = formats.percent(100 * (reading.value / middle - 1), 0, self.language, signed=True)
        return change, t("word.vs_usual")

    def _silent_because(self, reading: Reading, source: SourceState | None) -> str:
        """Which source is silent and why, for a value that is too old to be believed; empty while it lives."""
        if reading.live or source is None:
            return ""
        why = self.t(f"source.{source.error_kind or 'unavailable'}" if source.up is False else "state.station_silent")
        return f"{source.source.name(self.language)}: {why[:1].lower()}{why[1:]}"

    def _interval_note(self, site_id: str) -> tuple[str, str]:
        """A share of answers is read with its 95 % interval, not against its usual."""
        bounds = [self.snapshot.reading(f"satisfaction_{side}", site_id) for side in ("low", "high")]
        words = [formats.number(bound.value, 0, self.language) for bound in bounds if bound is not None]
        return (f"{words[0]} – {words[1]}%", self.t("word.interval")) if len(words) == 2 else ("", "")

    def _river_note(self, reading: Reading) -> tuple[str, str]:
        """How far under the first alarm, or over the highest one reached."""
        city = self.snapshot.city
        edges = [city.attribute(reading.site_id, f"alarm_{class_}_m") for class_ in (1, 2, 3)]
        reached = [number for number, edge in enumerate(edges) if edge is not None and reading.value >= edge]
        number = max(reached, default=0)
        edge = edges[number]
        if edge is None:
            return "", ""
        words = self.t("state.above_alarm" if reached else "state.under_alarm", n=("I", "II", "III")[number])
        return f"{formats.number(abs(reading.value - edge), 2, self.language)} m", words

    # -- why this number --------------------------------------------------------------------------------------------

    def why(self, key: str, site_id: str, reading: Reading | None = None, pick: str = "") -> tuple[Fact, ...]:
        """The drawer of a value; without a reading, that of the newest one there. Nothing on the wall."""
        if self.look is theme.WALL:
            return ()
        known = reading or self.snapshot.reading(key, site_id)
        return why.facts(self, self.snapshot.catalogue[key], site_id, known, pick)

    def parent(self, item: ObservedProperty) -> Indicator | None:
        """The indicator that gives this property, itself or as a companion; None for what a source gives."""
        if not self._parents:
            for one in self.snapshot.catalogue.indicators():
                self._parents |= {one.key: one, **{part.key: one for part in one.companions}}
        return self._parents.get(item.key)

    def behind(self, item: ObservedProperty, site_id: str) -> list[SourceState]:
        """The configured sources that a value rests on, through all indicators between; those of its site first
        asked: where the site itself has what is needed, other sites' sources are left out.
        """
        found: dict[str, None] = {}
        waiting, seen = [item], {item.key}
        while waiting:
            one = waiting.pop(0)
            owner = self.parent(one)
            if owner is None:
                found |= dict.fromkeys(self._given_by(one.key, site_id))
                continue
            needed = [self.snapshot.catalogue[need] for need in owner.needs if need not in seen]
            seen |= {need.key for need in needed}
            waiting += needed
        states = {state.source.key: state for state in self.snapshot.sources}
        return [states[key] for key in found if key in states]

    def _given_by(self, key: str, site_id: str) -> list[str]:
        """Which sources gave the newest values of a property: at the site, or anywhere where it has none."""
        if not self._givers:
            for (known, site), reading in self.snapshot.readings.items():
                self._givers.setdefault(known, {}).setdefault(site, set()).add(reading.source)
        sites = self._givers.get(key, {})
        return sorted(sites[site_id] if site_id in sites else set().union(*sites.values()))

    def rules_on(self, key: str) -> list[RuleWords]:
        """The alert rules that judge this property itself."""
        return [rule for rule in self.snapshot.rules.values() if rule.observed_property == key]

    def from_model(self, reading: Reading) -> bool:
        """True when a model gave the value, or gave everything that the value was computed from."""
        return self._from_model(reading, self._source(reading.source))

    def _source(self, key: str) -> SourceState | None:
        return next((state for state in self.snapshot.sources if state.source.key == key), None)

    def _from_model(self, reading: Reading, source: SourceState | None) -> bool:
        """True when a model gave the value, or gave everything that the value was computed from."""
        if source is not None:
            return source.kind == "model"
        behind = {one.source for one in self.snapshot.readings.values() if one.site_id == reading.site_id}
        kinds = {state.kind for state in self.snapshot.sources if state.source.key in behind}
        return kinds == {"model"}

    def _alert_of(self, key: str, site_id: str) -> Alert | None:
        related = RELATED.get(key, (key,))
        found = [
            alert
            for alert in self.snapshot.alerts
            if alert.active and alert.hidden is None and alert.rule in self.snapshot.rules
            and self.snapshot.rules[alert.rule].observed_property in related and alert.site_id == site_id
            and not self.snapshot.rules[alert.rule].observed_property.startswith("source_")
        ]  # fmt: skip
        return max(found, key=lambda alert: PRIORITIES.index(alert.priority), default=None)

    def spark(
        self,
        key: str,
        site_id: str,
        reading: Reading | None,
        priority: str | None,
        width: int,
        height: int,
        hours: int = 24,
    ) -> Markup:
        """The last hours as a line inside its usual band."""
        item = self.snapshot.catalogue[key]
        since = self.now - timedelta(hours=hours)
        recent = self.snapshot.recent.get((key, site_id))
        times = recent["time"] if recent is not None else pd.Series([], dtype="datetime64[us, UTC]")
        values = recent["value"] if recent is not None else pd.Series([], dtype="float64")
        stale = reading is None or not reading.live
        svg = sparkline.sparkline(
            times,
            values,
            sparkline.band_over(self.snapshot.band.get((key, site_id)), since, self.now, self.zone),
            since=since,
            until=self.now,
            theme=self.look,
            width=width,
            height=height,
            period=item.period,
            abnormal=priority,
            stale=stale,
            artefacts=[mark.at for mark in self.artefacts(key, site_id, hours)],
            alt=f"{item.name(self.language)}: {self.t('word.last_24h')}",
        )
        return picture(svg)

    # -- alerts -----------------------------------------------------------------------------------------------------

    def cards(self, alerts: Iterable[Alert], size_px: int = 28) -> list[Card]:
        """Alerts in words."""
        return [self.card(alert, size_px) for alert in alerts]

    def card(self, alert: Alert, size_px: int = 28) -> Card:
        """One alert in words."""
        t, language, city = self.t, self.language, self.snapshot.city
        words = self.snapshot.rules.get(alert.rule)
        item = self.snapshot.catalogue.get(words.observed_property) if words else None
        area = city.area_name(alert.site_id, language)
        name = city.site_name(alert.site_id, language)
        since = alert.raised_at or self.now
        age = max(self.now - since, timedelta(0))
        act = (words.time_to_act if words else None) or timedelta(minutes=30)
        left = act - age
        return Card(
            rule=alert.rule,
            site_id=alert.site_id,
            title=words.title[language] if words else alert.rule,
            value=self._judged(alert, words, item),
            limit=self.limit(alert),
            place=f"{name} · {area}" if area and area not in name else name,
            age=formats.duration(age, language),
            raised=formats.moment(since, self.now, self.zone),
            state=alert.state,
            state_word=t(f"alert_state.{alert.state}"),
            priority=alert.priority,
            priority_word=t(f"priority.{alert.priority}"),
            glyph=self.glyph(alert.priority, alert.state, size_px),
            owner=alert.assignee or alert.unit or (words.owner[language] if words else ""),
            due=t("word.left" if left > timedelta(0) else "word.over", span=formats.duration(left, language)),
            due_share=min(max(age / act, 0.0), 1.0) if act else 1.0,
            overdue=left <= timedelta(0),
            stale=alert.stale,
            acked_by=alert.acked_by,
            cover=self._cover(alert),
            measured=self._measured(alert),
        )  # fmt: skip

    def _measured(self, alert: Alert) -> str:
        """The time of the values of an alert that the house heard of late; «» while it was told in time."""
        if alert.heard_at is None or alert.began_at is None:
            return ""
        return self.t("alert.measured", at=formats.moment(alert.began_at, self.now, self.zone))

    def _cover(self, alert: Alert) -> str:
        """«còn 38 phút» of a shelf, «đến 18/09» of a maintenance, or why it is suppressed."""
        if alert.hidden is None:
            return ""
        if alert.hidden_until is None:
            return alert.hidden_reason
        if alert.hidden == "SHLVD":
            return self.t("word.left", span=formats.duration(alert.hidden_until - self.now, self.language))
        return self.t("item.until", at=formats.moment(alert.hidden_until, self.now, self.zone))

    def limit(self, alert: Alert) -> str:
        """«ngưỡng 25», «ngưỡng ngoài 6,5–8,5»: the setpoint of the alert's present priority, in the value's unit."""
        words = self.snapshot.rules.get(alert.rule)
        if words and words.missing:
            return self.t("alert.silent")
        item = self.snapshot.catalogue.get(words.observed_property) if words else None
        setpoint = self.setpoint(words, alert.priority, alert.site_id) if words else None
        if words is None or words.condition or setpoint is None or item is None or item.key == "source_up":
            return ""
        limit = formats.number(setpoint, words.decimals, self.language)
        low = words.lows.get(alert.priority)
        if low is not None:
            limit = self.t("alert.outside", low=formats.number(low, words.decimals, self.language), high=limit)
        return f"{self.t('word.limit')} {limit}"

    def setpoint(self, words: RuleWords, priority: str, site_id: str) -> float | None:
        """The limit of a priority at a site, in the property's unit; «site:attribute» is looked up there."""
        setpoint = words.setpoints.get(priority)
        if isinstance(setpoint, str):
            return self.snapshot.city.attribute(site_id, setpoint.removeprefix("site:"))
        return setpoint

    def _judged(self, alert: Alert, words: RuleWords | None, item: ObservedProperty | None) -> str:
        """What was judged, as its rule says it: «38 cm», «+12,0 cm/giờ», «+4,2σ so với thường lệ»."""
        if words is None or (item is not None and item.key == "source_up"):
            return ""  # «does not answer» is no figure
        return words.value_text(alert.value, self.language, alert.site_id)

    def glyph(self, priority: str, state: str = "UNACK", size_px: int = 28) -> Markup:
        """The priority's shape; fill and mark tell the state."""
        return picture(
            glyphs.glyph(priority, state, size_px=size_px, theme=self.look, label=self.t(f"priority.{priority}"))
        )

    def counts(self) -> list[tuple[str, int, int]]:
        """(priority, open, of these unacknowledged), worst first."""
        opened = self.snapshot.open_alerts()
        return [
            (name, sum(a.priority == name for a in opened), sum(a.priority == name and not a.acked for a in opened))
            for name in reversed(PRIORITIES)
        ]

    def situation(self) -> Situation:
        """The sentence that opens every screen."""
        return situate(self.snapshot)

    def sentence(self) -> tuple[str, str]:
        """Headline (one line for the wall) and what supports it, in words."""
        t, found = self.t, self.situation()
        down = [state for state in self.snapshot.sources if state.up is False]
        if found.lead is not None:
            card = self.card(found.lead)
            site = self.snapshot.city.site_name(found.lead.site_id, self.language)
            lead = joined_name(card.title, site)
            chain = " → ".join(self._link(alert) for alert in found.chain)
            return lead, chain or f"{card.value} · {card.limit} · {card.place}".strip(" ·")
        first = [self._pick(key, pick) for _, group in self.snapshot.city.overview for key, pick in group]
        silent = [reading for reading in first if reading is not None and not reading.live]
        if not found.known and not silent:
            return t("situation.no_data"), self.trouble() or t("situation.collecting")
        if down and len(down) * 2 >= len(self.snapshot.sources):
            return t("situation.blind", n=len(down), total=len(self.snapshot.sources)), self.trouble()
        if 2 * len(silent) >= len(first):  # one figure that still lives does not make a city normal
            return t("situation.silent", n=len(silent), total=len(first)), self.trouble() or self.data_until()
        return t("situation.normal"), t("situation.no_alert")

    def data_until(self) -> str:
        """Up to when the sources have given data; empty before the first row."""
        times = [state.newest_at for state in self.snapshot.sources if state.newest_at]
        return self.t("strip.data_until", at=formats.moment(max(times), self.now, self.zone)) if times else ""

    def _link(self, alert: Alert) -> str:
        card = self.card(alert)
        return f"{card.title} {card.value}".strip()

    def trouble(self) -> str:
        """Which sources do not answer, and since when, in one line; empty when all do."""
        down = [state for state in self.snapshot.sources if state.up is False]
        words = [
            self.t(
                f"source.{state.error_kind or 'unavailable'}_since",
                name=state.source.name(self.language),
                at=formats.moment(state.since, self.now, self.zone),
            )
            for state in down
            if state.since
        ]
        return " · ".join(words)

    def aqi_word(self, value: float) -> str:
        """The official level word of a VN_AQI value."""
        return level(value).name(self.language)


RELATED = {
    "river_level": ("river_level", "river_stage", "river_alarm_level"),
    "reports_60min": ("reports_60min", "reports_vs_baseline"),
    "satisfaction": ("satisfaction", "satisfaction_low"),
    "noise_laeq": ("noise_laeq", "noise_over_limit"),
    "files_overdue": ("files_overdue", "overdue_share"),
    "speed": ("speed", "travel_time_index", "relative_speed"),
    "arterial_speed": ("arterial_speed", "relative_speed"),
}


LONGEST_HEADLINE = 46  # characters in one line of the wall at reading size


def joined_name(title: str, place: str) -> str:
    """«Ngập hầm chui» at «Hầm chui Đông Kiều» reads «Ngập hầm chui Đông Kiều»; too long, the title stands alone."""
    words = place.split()
    for count in range(len(words), 0, -1):
        if title.casefold().endswith(" ".join(words[:count]).casefold()):
            return " ".join([title, *words[count:]])
    both = f"{title}: {place}"
    return both if len(both) <= LONGEST_HEADLINE else title
