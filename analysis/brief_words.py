"""Facts -> the sentences and cells of a brief in one language, by rule. Page, PDF, DOCX and HTML lay them out.

No sentence is written freely: which one is said follows from the facts, and a number comes with its hour, its usual
range, its sample and its source. Order in time is told as order («rồi»), never as a cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core import formats
from core.alert import PRIORITIES
from core.brief import DAY, MOST_SCORE, Ask, Chain, Facts, Figure, Outlook, Said, Trial
from core.i18n import Translator

GROUPS = {  # domains of the catalogue as a leader reads them
    "traffic": ("traffic",),
    "environment": ("environment", "weather"),
    "services": ("services",),
    "citizens": ("reports",),
}
MOST_REASONS = 4
MOST_LINKS = 5
MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure in words; `figure` keeps the numbers for pictures and workbooks."""

    figure: Figure
    name: str
    place: str
    value: str  # with unit
    when: str
    usual: str
    score: str
    hours: str
    sample: str
    mean: str
    before: str
    source: str
    age: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One domain: its state in a word and its leading figure."""

    key: str
    name: str
    priority: str  # "" when nothing rang
    word: str
    row: Row | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One thing asked, in words."""

    ask: Ask
    text: str
    detail: str
    due: str
    state: str  # overdue | due | open
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """One forecast in words."""

    outlook: Outlook
    name: str
    place: str
    says: str
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One pilot in words."""

    trial: Trial
    title: str
    indicator: str
    state: str
    effect: str
    sample: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Everything that a brief says in one language."""

    facts: Facts
    language: str
    title: str
    centre: str
    city: str
    subtitle: str
    marks: tuple[str, ...]  # simulated, drill, late, part of the city
    headline: str
    priority: str
    reasons: tuple[str, ...]
    groups: tuple[Group, ...]
    asks: tuple[Asked, ...]
    aheads: tuple[Ahead, ...]
    no_ahead: str  # why there is no forecast; empty where there is
    events: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    chains: tuple[tuple[str, str], ...]  # heading, links in order
    tried: tuple[Tried, ...]
    trust: tuple[tuple[str, str], ...]
    counts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


class _Teller:
    def __init__(self, facts: Facts, language: str) -> None:
        self.facts, self.language, self.t = facts, language, Translator(language)

    # -- pieces -------------------------------------------------------------------------------------------------------

    def quantity(self, value: float | None, decimals: int, unit: Said) -> str:
        return formats.quantity(value, decimals, unit.text(self.language), self.language)

    def moment(self, at: datetime) -> str:
        """A clock time within the day of the brief, with its date in longer periods."""
        return formats.moment(at, self.facts.until, self.facts.tz)

    def day(self, day: date) -> str:
        if self.language == "en":
            return f"{day.day} {formats.MONTHS_EN[day.month - 1]} {day.year}"
        return day.strftime("%d/%m/%Y")

    def hour(self, at: datetime) -> str:
        """The hour that ended then, as a person says it: «lúc 17:00–18:00» would be too fine for a leader."""
        local = at.astimezone(self.facts.tz)
        if self.facts.period == DAY:
            return "24:00" if (local.hour, local.minute) == (0, 0) else local.strftime("%H:%M")
        return local.strftime("%d/%m %H:%M")

    def row(self, one: Figure) -> Row:
        t, language = self.t, self.language
        return Row(
            figure=one,
            name=self.name(one),
            place=one.place.text(language),
            value=self.quantity(one.value, one.decimals, one.unit),
            when=self.hour(one.at),
            usual=self.usual(one),
            score=self.score(one),
            hours=t("brief.hours_out", n=one.hours_out, total=one.hours) if one.hours else formats.DASH,
            sample=self.sample(one),
            mean=self.quantity(one.mean, one.decimals, one.unit),
            before=self.quantity(one.before, one.decimals, one.unit),
            source=one.source.text(language),
            age=self.moment(one.latest_at) if one.latest_at else formats.DASH,
        )

    def name(self, one: Figure) -> str:
        key = f"short.{one.key}"
        return self.t(key) if key in self.t else one.name.text(self.language)

    def usual(self, one: Figure) -> str:
        if one.low is None or one.high is None:
            return self.t("brief.usual_unknown")
        low = formats.number(one.low, one.decimals, self.language)
        return f"{low}–{formats.number(one.high, one.decimals, self.language)}"

    def score(self, one: Figure) -> str:
        if one.score is None:
            return formats.DASH
        if abs(one.score) >= MOST_SCORE:
            return self.t("brief.more_than", n=formats.number(one.score, 0, self.language, signed=True))
        return formats.number(one.score, 1, self.language, signed=True)

    def sample(self, one: Figure) -> str:
        if one.sample is None:
            return ""
        n = f"n = {formats.number(one.sample, 0, self.language)}"
        if one.sample_low is None or one.sample_high is None:
            return n
        low = formats.number(one.sample_low, 1, self.language)
        return f"{n}, 95%: {low}–{formats.percent(one.sample_high, 1, self.language)}"

    # -- sentences ----------------------------------------------------------------------------------------------------

    def headline(self, groups: Sequence[Group]) -> str:
        """The worst thing first, then which domains are as usual; or that nothing is known."""
        t, facts = self.t, self.facts
        if not facts.figures and not facts.chains:
            return t("brief.says_nothing_known")
        lead = next(iter(facts.chains), None)
        calm = [one.name for one in groups if one.row is not None and not one.priority and not self.strange(one)]
        rest = ""
        if calm and len(calm) < len(groups):
            names = self.listed(calm)
            rest = " " + t("brief.says_rest_usual", names=names[:1].upper() + names[1:].lower())
        if lead is not None:
            first = lead.links[0]
            said = t(
                "brief.says_chain" if len(lead.links) > 1 else "brief.says_alert",
                title=first.title.text(self.language),
                place=first.place.text(self.language),
                n=len(lead.links),
            )
            return said + rest
        outside = [one for one in facts.figures if one.outside]
        if not outside:
            return t("brief.says_all_usual")
        one = outside[0]
        return t("brief.says_farthest", n=len(outside), total=len(facts.figures), name=self.name(one)) + rest

    def strange(self, group: Group) -> bool:
        keys = GROUPS[group.key]
        return any(one.outside for one in self.facts.figures if one.domain in keys)

    def listed(self, names: Sequence[str]) -> str:
        if len(names) < 2:
            return "".join(names)
        return f"{', '.join(names[:-1])} {self.t('brief.and')} {names[-1]}"

    def reasons(self) -> list[str]:
        t, facts = self.t, self.facts
        said = [self.chain(one) for one in facts.chains[:2]]
        for one in facts.figures:
            if len(said) >= MOST_REASONS - bool(facts.outlooks) or not one.outside:
                break
            said.append(
                t(
                    "brief.reason_figure",
                    name=self.name(one),
                    value=self.quantity(one.value, one.decimals, one.unit),
                    at=self.hour(one.at),
                    place=one.place.text(self.language),
                    usual=self.usual(one),
                    out=one.hours_out,
                    total=one.hours,
                )
            )
        crossing = next((one for one in facts.outlooks if one.earliest is not None), None)
        if crossing is not None:
            said.append(self.crossing(crossing))
        return said[:MOST_REASONS]

    def chain(self, one: Chain) -> str:
        """«17:20 Mưa lớn (Quảng Phú, 42 mm) → 17:36 Ngập …»: in the order of time, without a claim of cause."""
        links = [
            f"{self.moment(link.at)} {link.title.text(self.language)}"
            f" ({', '.join(part for part in (link.place.text(self.language), link.value.text(self.language)) if part)})"
            for link in one.links[:MOST_LINKS]
        ]
        more = len(one.links) - MOST_LINKS
        tail = " " + self.t("brief.more_links", n=more) if more > 0 else ""
        return " → ".join(links) + tail

    def chain_head(self, one: Chain) -> str:
        state = self.t("brief.chain_closed", at=self.moment(one.closed_at)) if one.closed_at else ""
        if not state and not any(link.active for link in one.links):
            state = self.t("brief.chain_over")
        parts = [one.id, self.t(f"priority.{one.priority}"), one.lead or self.t("item.nobody_leads"), state]
        return " · ".join(part for part in (parts if one.id else [parts[1], parts[3]]) if part)

    def crossing(self, one: Outlook) -> str:
        assert one.earliest is not None
        assert one.limit is not None
        words = {
            "name": one.name.text(self.language),
            "place": one.place.text(self.language),
            "limit": self.quantity(one.limit, one.decimals, one.unit),
            "early": self.moment(one.earliest),
        }
        if one.crosses_at is None:
            return self.t("brief.may_cross_band", **words)
        return self.t("brief.may_cross", at=self.moment(one.crosses_at), **words)

    # -- blocks -------------------------------------------------------------------------------------------------------

    def groups(self) -> list[Group]:
        found = []
        for key, domains in GROUPS.items():
            own = [one for one in self.facts.figures if one.domain in domains]
            worst = max((one.priority for one in own if one.priority), key=PRIORITIES.index, default="")
            lead = own[0] if own else None
            if lead is None:
                word = self.t("brief.unknown")
            elif worst:
                word = self.t(f"brief.state_{worst}")
            else:
                word = self.t("brief.state_outside" if lead.outside else "brief.state_usual")
            found.append(
                Group(
                    key=key,
                    name=self.t(f"brief.group_{key}"),
                    priority=worst,
                    word=word,
                    row=self.row(lead) if lead else None,
                )
            )
        return found

    def ask(self, one: Ask) -> Asked:
        due = self.moment(one.due_at) if one.due_at else self.day(one.due) if one.due else ""
        state = "overdue" if one.overdue else "due" if due else "open"
        word = self.t(f"brief.ask_{state}", due=due) if due else self.t("brief.ask_open")
        if one.overdue and not due:
            word = self.t("brief.ask_late")
        parts = (one.owner, one.detail.text(self.language))
        return Asked(
            ask=one,
            text=one.text.text(self.language),
            detail=" · ".join(part for part in parts if part),
            due=due,
            state=state,
            word=word,
        )

    def ahead(self, one: Outlook) -> Ahead:
        t = self.t
        last = one.middle[-1]
        says = (
            self.crossing(one)
            if one.earliest is not None and one.limit is not None
            else t(
                "brief.will_be",
                at=self.moment(last.at),
                value=self.quantity(last.value, one.decimals, one.unit),
                low=formats.number(one.low[-1], one.decimals, self.language),
                high=formats.number(one.high[-1], one.decimals, self.language),
            )
        )
        record = t(
            "brief.record",
            mae=formats.number(one.mae, one.decimals + 1, self.language),
            naive=formats.number(one.naive_mae, one.decimals + 1, self.language),
            cover=formats.percent(one.coverage_pct, 0, self.language),
            n=formats.number(one.tests, 0, self.language),
            at=self.moment(one.issued_at),
        )
        return Ahead(
            outlook=one,
            name=one.name.text(self.language),
            place=one.place.text(self.language),
            says=says,
            record=record,
        )

    def tried(self, one: Trial) -> Tried:
        t, language = self.t, self.language
        early = "verdict_early" if one.state == "running" else "verdict_before"
        effect = formats.DASH
        if one.effect is not None:
            value = formats.number(one.effect, one.decimals, language, signed=True)
            unit = one.unit.text(language)
            effect = f"{value}{unit}" if unit == "%" else f"{value} {unit}"
            effect += " " + (
                t(
                    "brief.interval",
                    low=formats.number(one.low, one.decimals, language, signed=True),
                    high=formats.number(one.high, one.decimals, language, signed=True),
                )
                if one.low is not None and one.high is not None
                else t("brief.interval_open")
            )
        sample = t("brief.pilot_units", treated=one.treated, controls=one.controls)
        if one.periods_after:
            sample += ", " + t("brief.pilot_periods", before=one.periods_before, after=one.periods_after)
        return Tried(
            trial=one,
            title=one.title.text(language),
            indicator=one.indicator.text(language),
            state=t(f"pilots.verdict_{one.verdict}") if one.verdict else t(f"pilots.{early}"),
            effect=effect,
            sample=sample,
        )

    def no_ahead(self) -> str:
        """Why there is no forecast: being made, or made and not fit to be shown, with the reasons counted."""
        t, going = self.t, self.facts.forecasting
        if not self.facts.running:
            return t("brief.past_no_forecast")
        if going is None:
            return t("brief.no_forecast")
        done, of = (formats.number(one, 0, self.language) for one in (going.done, going.of))
        if going.ended_at is None:
            return t("brief.forecast_busy", done=done, of=of) if going.of else t("brief.forecast_waits")
        counted = [(t(f"brief.withheld_{one.why}"), one.n) for one in going.withheld]
        elsewhere = going.of - sum(one.n for one in going.withheld)
        if elsewhere > 0:
            counted.append((t("brief.withheld_elsewhere"), elsewhere))
        reasons = "; ".join(
            t("brief.withheld", n=formats.number(n, 0, self.language), why=words) for words, n in counted
        )
        return t("brief.forecast_none", at=self.moment(going.ended_at), of=of, reasons=reasons)

    def trust(self) -> list[tuple[str, str]]:
        t, trust, language = self.t, self.facts.trust, self.language
        rows = [
            (
                t("brief.sources"),
                t("brief.unknown") if trust.up is None else f"{trust.up}/{trust.sources}",
            ),
            (t("brief.figures_shown"), f"{trust.shown}/{trust.figures}"),
        ]
        for one in trust.silent[:MOST_NAMED]:
            since = " " + t("brief.since", at=self.moment(one.since)) if one.since else ""
            rows.append((one.name.text(language), t(f"source.{one.kind}") + since))
        if len(trust.silent) > MOST_NAMED:
            rows.append((t("brief.other_sources"), t("brief.n_silent", n=len(trust.silent) - MOST_NAMED)))
        for line in trust.scores:
            n = formats.number(line.n, 0, language)
            unit = t("brief.minutes_n" if line.key == "live" else "brief.values_n", n=n)
            rows.append((t(f"brief.score_{line.key}"), f"{formats.percent(line.percent, 1, language)} ({unit})"))
        if not trust.scores:
            rows.append((t("brief.scores"), t("brief.unknown")))
        if trust.frozen:
            rows.append((t("brief.frozen"), formats.number(trust.frozen, 0, language)))
        return rows

    def counts(self) -> list[tuple[str, str]]:
        t, counts, language = self.t, self.facts.counts, self.language
        median = t("brief.unknown")
        if counts.ack_median_min is not None:
            minutes = formats.number(counts.ack_median_min, 1, language)
            median = t("brief.ack_is", minutes=minutes, n=counts.ack_n)
        return [
            (t("brief.raised_ended"), f"{counts.raised} / {counts.ended}"),
            (t("brief.open_unacked"), f"{counts.open} / {counts.unacked}"),
            (t("brief.ack_median"), median),
        ]

    def notes(self) -> list[str]:
        t, facts = self.t, self.facts
        said = [t("brief.method")]
        if facts.trust.hidden:
            names = ", ".join(one.text(self.language) for one in facts.trust.hidden)
            said.append(t("brief.hidden", names=names))
        if facts.trust.loaded_at is not None:
            said.append(t("brief.loaded_later", at=self.moment(facts.trust.loaded_at)))
        elif not facts.running:
            said.append(t("brief.as_known"))
        if facts.simulated:
            said.append(t("brief.simulated_note"))
        return said

    def marks(self) -> list[str]:
        t, facts = self.t, self.facts
        said = [t("mark.simulated")] if facts.simulated else []
        if facts.drill:
            said.append(t("people.drill"))
        if facts.late:
            said.append(t("brief.late"))
        if facts.areas is not None:
            said.append(t("brief.part"))
        return said

    def subtitle(self) -> str:
        t, facts = self.t, self.facts
        days = self.day(facts.first)
        if facts.first != facts.last:
            days = f"{days} – {self.day(facts.last)}"
        state = t("brief.data_until", at=self.moment(facts.until)) if facts.running else t("brief.whole_period")
        return f"{days} · {state}"


def tell(facts: Facts, language: str) -> Told:
    """The brief in `vi` or `en`."""
    teller = _Teller(facts, language)
    groups = teller.groups()
    t = teller.t
    worst = facts.chains[0].priority if facts.chains else ""
    return Told(
        facts=facts,
        language=language,
        title=t(f"brief.title_{facts.period}"),
        centre=facts.centre.text(language),
        city=facts.city.text(language),
        subtitle=teller.subtitle(),
        marks=tuple(teller.marks()),
        headline=teller.headline(groups),
        priority=worst,
        reasons=tuple(teller.reasons()),
        groups=tuple(groups),
        asks=tuple(teller.ask(one) for one in facts.asks),
        aheads=tuple(teller.ahead(one) for one in facts.outlooks),
        no_ahead="" if facts.outlooks else teller.no_ahead(),
        events=tuple((teller.day(one.day), one.text.text(language)) for one in facts.events),
        rows=tuple(teller.row(one) for one in facts.figures),
        chains=tuple((teller.chain_head(one), teller.chain(one)) for one in facts.chains),
        tried=tuple(teller.tried(one) for one in facts.trials),
        trust=tuple(teller.trust()),
        counts=tuple(teller.counts()),
        notes=tuple(teller.notes()),
    )
