"""Alarm health: figures against their targets, the load with its floods, the worst rules, and one rule in detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import streamlit as st

from analysis import alarm_health as figures
from analysis.alarm_health import Activation, Figure, PositionHealth, Report
from charts import alarm_rate
from core import formats
from core.access import may
from core.formats import DASH
from ui import panel, render, rule_trial
from ui.frame import Screen

SPANS = ("day", "month")
SLOTS_TOGETHER = {"day": 1, "month": 36}  # ten-minute slots in one bar: a month shows the busiest of each six hours
ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (  # name of a row -> its figures
    ("rate", ("rate",)),
    ("peak", ("peak",)),
    ("flood_share", ("flood_share",)),
    ("top_share", ("top_share",)),
    ("chattering", ("chattering",)),
    ("fleeting", ("fleeting",)),
    ("stale", ("stale",)),
    ("split", ("split_critical", "split_high", "split_rest")),
    ("ack", ("ack_median", "ack_p90")),
    ("resolve", ("resolve_median", "resolve_p90")),
    ("ack_expired", ("ack_expired",)),
    ("shelved", ("shelved",)),
    ("denied", ("denied",)),
)
SHARES = ("flood_share", "top_share", "split")
TIMES = ("ack", "resolve")
WORST_FIRST = ("over", "acceptable", "few", "unknown", "no_target", "on_target")
MOST_RULES = 20
MOST_HISTORY = 30
CURE_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table of figures."""

    key: str
    value: str
    target: str
    source: str
    verdict: str
    cases: str


def health(screen: Screen) -> None:
    """The whole page below the strip. Span, position and rule live in the address."""

    @st.fragment(run_every=screen.redraw_s)
    def region() -> None:
        month = screen.line.alarm_health()
        if month is None:
            st.info(screen.t("alarm_health.not_yet"))
            return
        report, span, position = _choose(screen, month)
        panel.panel("alarm_figures", {"figures": _figures(screen, report, position)})
        _load(screen, report, span, position)
        panel.panel("alarm_worst", {"worst": _worst(screen, report, position)})

    region()
    hurried = bool(st.session_state.get("cure_runs"))

    @st.fragment(run_every=rule_trial.LOOK_S if hurried else screen.redraw_s)
    def rule_region() -> None:
        month = screen.line.alarm_health()
        runs = month is not None and _rule(screen, month)
        st.session_state["cure_runs"] = runs
        if runs != hurried:  # a fragment's rhythm is set by the page around it
            st.rerun()

    rule_region()


def _choose(screen: Screen, month: Report) -> tuple[Report, str, PositionHealth]:
    t = screen.t
    with st.container(key="alarm_choice", border=True, horizontal=True, gap="small", vertical_alignment="bottom"):
        asked = str(st.query_params.get("span", ""))
        start = asked if asked in SPANS else SPANS[0]
        span = st.segmented_control(
            t("alarm_health.span"),
            SPANS,
            default=start,
            format_func=lambda one: t(f"alarm_health.span_{one}"),
            key="alarm_span",
        )
        span = span or start
        report = month.day or month if span == "day" else month
        keys = [one.key for one in report.positions]
        wanted = str(st.query_params.get("position", figures.WHOLE))
        position = figures.WHOLE
        if len(keys) > 1:
            position = st.selectbox(
                t("alarm_health.position"),
                keys,
                index=keys.index(wanted) if wanted in keys else 0,
                format_func=lambda one: _position_name(screen, one),
                key="alarm_position",
            )
    st.query_params.update({"span": span, "position": position})
    return report, span, report.position(position)


def _position_name(screen: Screen, key: str) -> str:
    if key in (figures.WHOLE, figures.UNPLACED):
        return screen.t("alarm_health.whole") if key == figures.WHOLE else screen.t("alarm_health.unplaced")
    names = {one.key: one.name(screen.language) for one in screen.line.desk.roster.positions}
    return names.get(key, key)


# -- the figures ------------------------------------------------------------------------------------------------------


def _figures(screen: Screen, report: Report, position: PositionHealth) -> str:
    snapshot, language = screen.snapshot, screen.language
    zone, city = snapshot.city.zone, snapshot.city
    rows = [_row(screen, name, [position.figure(key) for key in keys]) for name, keys in ROWS]
    young = report.journal_from is None or report.journal_from > report.since
    return render.html(
        "alarm_figures.html",
        snapshot,
        language,
        view=screen.view(),
        rows=rows,
        begins=formats.moment(report.since, snapshot.made_at, zone),
        ends=formats.moment(report.until, snapshot.made_at, zone),
        young=young,
        journal_from=formats.moment(report.journal_from, snapshot.made_at, zone) if report.journal_from else "",
        scoped=screen.person.areas is not None,
        city_name=city.name(language),
    )


def _row(screen: Screen, name: str, found: Sequence[Figure]) -> Row:
    t, language = screen.t, screen.language
    first = found[0]
    if name in TIMES:
        median, p90 = (_minutes(screen, one.value) for one in found)
        value = t("alarm_health.median_p90", median=median, p90=p90)
    elif name in SHARES:
        value = " · ".join(formats.percent(one.value, 1, language) for one in found)
    else:
        decimals = 2 if name == "rate" else 1 if name == "stale" and first.n > 1 else 0
        value = formats.number(first.value, decimals, language)
    cases = t("alarm_health.cases", n=formats.number(first.n, 0, language))
    if first.open:
        cases += " · " + t("alarm_health.still_open", n=formats.number(first.open, 0, language))
    return Row(
        key=name,
        value=value,
        target=t(f"alarm_health.target_{name}"),
        source=first.source,
        verdict=min((one.verdict for one in found), key=WORST_FIRST.index) if name not in TIMES else first.verdict,
        cases=cases,
    )


def _minutes(screen: Screen, value: float | None) -> str:
    return DASH if value is None else formats.duration(timedelta(minutes=value), screen.language)


def _load(screen: Screen, report: Report, span: str, position: PositionHealth) -> None:
    t, zone = screen.t, screen.snapshot.city.zone
    calls = report.annunciations
    if position.key != figures.WHOLE:
        calls = calls[calls["position"] == position.key]
    moments = [moment.to_pydatetime() for moment in calls["happened_at"]]
    together = SLOTS_TOGETHER[span]
    counts = figures.busiest(figures.slots(moments, report.since, report.until), together)
    with st.container(key="alarm_load", border=True):
        st.markdown(f"**{t(f'alarm_health.load_{span}')}**")
        chart = alarm_rate.rate(
            counts,
            since=report.since,
            until=report.until,
            step=figures.WINDOW * together,
            floods=[(one.started_at, one.ended_at) for one in position.floods],
            zone=zone,
            language=screen.language,
            theme=screen.look,
        )
        st.altair_chart(chart, theme=None, width="stretch", key="alarm_rate")
        st.caption(_mark(screen) + t("alarm_health.load_note"))


def _mark(screen: Screen) -> str:
    return f"{screen.t('mark.simulated')} · " if screen.snapshot.city.simulated else ""


# -- the worst --------------------------------------------------------------------------------------------------------


def _worst(screen: Screen, report: Report, position: PositionHealth) -> str:
    snapshot, zone = screen.snapshot, screen.snapshot.city.zone
    rules = [one for one in report.rules if position.key in (figures.WHOLE, one.position)]
    surges = [
        {
            "began": formats.moment(one.started_at, snapshot.made_at, zone),
            "lasted": formats.duration(one.ended_at - one.started_at, screen.language),
            "peak": one.peak,
            "first": title(screen, one.first[0]),
            "place": _place(screen, one.first[1]),
        }
        for one in reversed(position.floods)
    ]
    return render.html(
        "alarm_worst.html",
        snapshot,
        screen.language,
        contributors=[
            {
                "title": title(screen, one.key[0]),
                "place": _place(screen, one.key[1]),
                "n": one.annunciations,
                "share": one.share,
                "chattering": one.chattering,
                "fleeting": one.fleeting,
            }
            for one in position.contributors
        ],
        slots=position.histogram,
        floods=surges[:MOST_RULES],
        rules=[(one, title(screen, one.rule), _minutes(screen, one.ack_median)) for one in rules[:MOST_RULES]],
        more=max(len(rules) - MOST_RULES, 0),
    )


def title(screen: Screen, rule: str) -> str:
    """Name of a rule; its key where it is gone from the configuration."""
    words = screen.snapshot.rules.get(rule)
    return words.title[screen.language] if words else rule


def _seen(screen: Screen, site_id: str) -> bool:
    areas, area = screen.person.areas, screen.line.city.area_of(site_id)
    return areas is None or not area or area in areas


def _place(screen: Screen, site_id: str) -> str:
    """Name of a place; one of another area is counted for the desk, and not named to whoever may not see it."""
    if not _seen(screen, site_id):
        return screen.t("alarm_health.elsewhere")
    return screen.line.city.site_name(site_id, screen.language)


# -- one rule ---------------------------------------------------------------------------------------------------------


def _rule(screen: Screen, month: Report) -> bool:
    """The chosen rule; True while its cure is being computed."""
    t, language = screen.t, screen.language
    known = [one.rule for one in month.rules if one.rule in screen.snapshot.rules]
    known += sorted(set(screen.snapshot.rules) - set(known))
    if not known:
        return False
    with st.container(key="alarm_rule", border=True):
        asked = str(st.query_params.get("rule", ""))
        rule = st.selectbox(
            t("alarm_health.rule"),
            known,
            index=known.index(asked) if asked in known else 0,
            format_func=lambda one: title(screen, one),
            key="alarm_rule_choice",
        )
        st.query_params["rule"] = rule
        own = [one for one in month.activations if one.key[0] == rule and _seen(screen, one.key[1])]
        calls = month.annunciations
        mine = calls[calls["rule"] == rule]
        rows = zip(mine["happened_at"], mine["site_id"], strict=True)
        moments = [moment.to_pydatetime() for moment, site_id in rows if _seen(screen, site_id)]
        left, right = st.columns([3, 2], gap="small")
        with left:
            st.caption(_mark(screen) + t("alarm_health.per_day"))
            days = figures.per_day(moments, month.since, month.until, screen.snapshot.city.zone)
            chart = alarm_rate.per_day(days, language=language, theme=screen.look)
            st.altair_chart(chart, theme=None, width="stretch", key="alarm_rule_days")
        with right:
            st.caption(_mark(screen) + t("alarm_health.durations"))
            chart = alarm_rate.bars(_lengths(screen, own), language=language, theme=screen.look)
            st.altair_chart(chart, theme=None, width="stretch", key="alarm_rule_lengths")
        panel.panel("alarm_rule_history", {"history": _history(screen, own)})
        return may(screen.person, "try_rule") and rule_trial.cure(screen, rule, CURE_DAYS)


def _lengths(screen: Screen, own: Sequence[Activation]) -> list[tuple[str, int]]:
    over = [(one.ended_at - one.began_at) / timedelta(minutes=1) for one in own if one.ended_at is not None]
    spans = [formats.duration(timedelta(minutes=edge), screen.language) for edge in figures.LENGTHS_MIN]
    names = [screen.t("alarm_health.shorter", span=spans[0])]
    names += [f"{low} – {high}" for low, high in pairwise(spans)]
    names.append(screen.t("alarm_health.longer", span=spans[-1]))
    return list(zip(names, figures.by_length(over), strict=True))


def _history(screen: Screen, own: Sequence[Activation]) -> str:
    snapshot, zone, language = screen.snapshot, screen.snapshot.city.zone, screen.language
    newest = sorted(own, key=lambda one: one.began_at, reverse=True)[:MOST_HISTORY]
    return render.html(
        "alarm_history.html",
        snapshot,
        language,
        total=len(own),
        rows=[
            {
                "began": formats.moment(one.began_at, snapshot.made_at, zone),
                "place": _place(screen, one.key[1]),
                "priority": one.priority,
                "lasted": formats.duration((one.ended_at or snapshot.made_at) - one.began_at, language),
                "open": one.ended_at is None,
                "covered": one.covered,
                "acked": formats.duration(one.acked_at - one.known_since, language) if one.acked_at else "",
            }
            for one in newest
        ],
    )
