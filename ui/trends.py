"""Trends: indicators at places over time, with the usual, limits, events, a forecast and its record, and what moved it.

The choice stands in the address: indicator (up to three), site (up to twelve), hours, compare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from analysis.decompose import BEFORE, USUAL, Moved
from charts import sparkline, trend
from control.happened import ALERT, CLOSED, HOLIDAY, REPAIR, Happened
from control.studies import Study
from core import formats
from core.alert import PRIORITIES, measured_at
from core.catalogue import DOMAINS, Indicator, ObservedProperty
from core.safe_csv import safe_csv
from ui import panel, people, query, render, trend_words, why
from ui.frame import Screen

DAY_H = 24
YEAR_H = 365 * DAY_H
RANGES_H = (DAY_H, 7 * DAY_H, 30 * DAY_H, YEAR_H)
MOST_INDICATORS = 3
MOST_LINES = 4
MOST_PLACES = 12
AHEAD_SHARE = 1.0  # of the range, at most, is given to the forecast
WEEK_H = 7 * DAY_H
LOOK_S = 2.0  # how often a page that waits for a computation looks for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the viewer chose."""

    keys: tuple[str, ...]
    sites: tuple[str, ...]
    hours: int
    against: str  # usual | before

    @property
    def shift_h(self) -> int:
        """How far back the period before lies: whole weeks, so that weekdays stand over weekdays."""
        return -(-self.hours // WEEK_H) * WEEK_H


def explore(screen: Screen) -> None:
    """Choose, ask, draw. The choice lives in the address, so a link or a reload restores it."""

    @st.fragment(run_every=screen.redraw_s)
    def region() -> None:
        screen.leave_waiting()
        with st.container(key="trend_page"):
            choice = _choose(screen)
            if choice is None:
                st.info(screen.t("trends.no_data"))
                return
            panel.panel("trend_outlook", {"outlook": _outlook(screen, choice)})
            for place, key in enumerate(choice.keys):
                _draw(screen, choice, key, place)
            panel.panel("trend_more", _more(screen, choice))
            _others(screen, choice)
        if _busy(screen, choice):
            _wait(screen, choice)

    region()


def _wait(screen: Screen, choice: Choice) -> None:
    """Look often until what is being computed is there; then draw the page with it."""

    @st.fragment(run_every=LOOK_S)
    def look() -> None:
        if not _busy(screen, choice):
            st.rerun()

    look()


def _busy(screen: Screen, choice: Choice) -> bool:
    """True while something that this page shows is being computed for the first time."""
    forecasts = screen.line.forecasts
    asked: list[Study[Any]] = [forecasts.ask(key, _places(screen, choice, key)[0]) for key in choice.keys]
    asked.append(_moved(screen, choice))
    asked += [_happened(screen, choice, key) for key in choice.keys]
    if choice.hours == YEAR_H:
        asked += [_data(screen, choice, key) for key in choice.keys]
    return any(one.busy and one.value is None for one in asked)


# -- the choice -------------------------------------------------------------------------------------------------------


def _choose(screen: Screen) -> Choice | None:
    t, snapshot = screen.t, screen.snapshot
    known = sorted(
        {key for key, _ in snapshot.readings if snapshot.catalogue[key].domain != "operations"}, key=_order(screen)
    )
    if not known:
        return None
    with st.container(key="trend_choice", horizontal=True, gap="small", vertical_alignment="bottom"):
        keys = (
            st.multiselect(
                t("trends.indicator"),
                known,
                default=[one for one in _asked("indicator") if one in known][:MOST_INDICATORS] or known[:1],
                max_selections=MOST_INDICATORS,
                format_func=lambda one: _title(screen, one),
                placeholder=t("trends.choose"),
                key="trend_indicators",
            )
            or known[:1]
        )
        sites = _sites(screen, keys[0])
        chosen = (
            st.multiselect(
                t("trends.site"),
                sites,
                default=[one for one in _asked("site") if one in sites][:MOST_PLACES] or sites[:1],
                max_selections=MOST_PLACES,
                format_func=lambda one: snapshot.city.site_name(one, screen.language),
                placeholder=t("trends.choose"),
                key=f"trend_sites_{keys[0]}",
            )
            or sites[:1]
        )
        start = next((one for one in RANGES_H if str(one) in _asked("hours")), RANGES_H[0])
        hours = st.segmented_control(
            t("trends.range"),
            RANGES_H,
            default=start,
            format_func=lambda one: _range_word(screen, one),
            key="trend_hours",
        )
        wanted = next((one for one in (USUAL, BEFORE) if one in _asked("compare")), USUAL)
        against = st.segmented_control(
            t("trends.compare"),
            (USUAL, BEFORE),
            default=wanted,
            format_func=lambda one: t(f"trends.compare_{one}"),
            key="trend_compare",
        )
    choice = Choice(keys=tuple(keys), sites=tuple(chosen), hours=hours or start, against=against or wanted)
    people.looked_at(screen.line, choice.keys)
    st.query_params.update(
        {
            "indicator": ",".join(choice.keys),
            "site": ",".join(choice.sites),
            "hours": str(choice.hours),
            "compare": choice.against,
        }
    )
    return choice


def _asked(name: str) -> list[str]:
    return [word for word in str(st.query_params.get(name, "")).split(",") if word]


def _sites(screen: Screen, key: str) -> list[str]:
    snapshot = screen.snapshot
    sites = [site for one, site in sorted(snapshot.readings) if one == key]
    return sorted(sites, key=lambda site: (site != snapshot.city.city_site, site))


def _places(screen: Screen, choice: Choice, key: str) -> tuple[str, ...]:
    """The chosen places that have this indicator; where none has it, its first one."""
    known = _sites(screen, key)
    return tuple(one for one in choice.sites if one in known) or tuple(known[:1])


# -- forecast, record, what moved it ----------------------------------------------------------------------------------


def _outlook(screen: Screen, choice: Choice) -> str:
    view = screen.view()
    rows = []
    for key in choice.keys:
        site_id = _places(screen, choice, key)[0]
        study = screen.line.forecasts.ask(key, site_id)
        rows.append(trend_words.outlook(view, view.snapshot.catalogue[key], site_id, study))
    return render.html("trend_outlook.html", view.snapshot, view.language, rows=rows)


def _more(screen: Screen, choice: Choice) -> dict[str, str]:
    """What stands under the charts: what moved the first indicator, its limits with their dates, the league table."""
    view, key = screen.view(), choice.keys[0]
    item, site_id = view.snapshot.catalogue[key], _places(screen, choice, key)[0]
    study = screen.line.forecasts.ask(key, site_id)
    moved = _moved(screen, choice)
    return {
        "moved": trend_words.moved(view, item, moved, screen.person.areas, choice.against),
        "league": trend_words.league(view, item, site_id, study),
        "limits": trend_words.limits(view, item),
    }


def _moved(screen: Screen, choice: Choice) -> Study[Moved]:
    until = screen.snapshot.made_at.replace(minute=0, second=0, microsecond=0)
    return screen.line.forecasts.moved(choice.keys[0], until - timedelta(hours=choice.hours), until, choice.against)


# -- the charts -------------------------------------------------------------------------------------------------------


def _data(screen: Screen, choice: Choice, key: str) -> Study[pd.DataFrame]:
    """The values of an indicator at its places, of this range and, to compare, of the one before."""
    sites = _places(screen, choice, key)
    hours = choice.hours + (choice.shift_h if choice.against == BEFORE else 0)
    if hours <= 30 * DAY_H * 2:
        return Study(value=query.history((key,), sites, hours), progress=1.0)
    until = screen.snapshot.made_at.replace(minute=0, second=0, microsecond=0)
    return screen.line.forecasts.days(key, sites, until, timedelta(hours=hours))


def _draw(screen: Screen, choice: Choice, key: str, place: int) -> None:
    t, snapshot, language = screen.t, screen.snapshot, screen.language
    item, sites = snapshot.catalogue[key], _places(screen, choice, key)
    site_id = sites[0]
    until, since = snapshot.made_at, snapshot.made_at - timedelta(hours=choice.hours)
    city, view = snapshot.city, screen.view()
    study = _data(screen, choice, key)
    with st.container(key=f"trend_chart_{place}"):
        if study.value is None:
            st.info(study.problem or t("forecast.working", percent=formats.percent(100 * study.progress, 0, language)))
            return
        everything = study.value
        data = everything[(everything["site_id"] == site_id) & (everything["time"] > since)]
        _numbers(screen, item, site_id, data, choice.hours, place)
        if data.empty:
            st.info(t("trends.no_data"))
            return
        if len(sites) > MOST_LINES:
            _multiples(screen, item, everything, choice.hours, f"trend_many_{place}")
            return
        coarse = choice.hours == YEAR_H
        happened = _happened(screen, choice, key).value or Happened()
        shown = item if not coarse else _by_day(item)
        ahead = _ahead(screen, key, site_id, choice.hours)
        end = until if ahead is None else max(until, ahead["time"].max().to_pydatetime())
        chart = trend.trend(
            data,
            prop=shown,
            zone=city.zone,
            language=language,
            theme=screen.look,
            band=None if coarse else sparkline.band_over(snapshot.band.get((key, site_id)), since, end, city.zone),
            thresholds=_thresholds(screen, item),
            dated=_dated(screen, item),
            events=_flags(screen, key, site_id, happened),
            spans=_spans(screen, happened),
            artefacts=[(mark.at, view.artefact_words(mark)) for mark in view.artefacts(key, site_id, choice.hours)],
            abnormal=_abnormal(screen, key, site_id),
            since=since,
            until=until,
            height=380 if place == 0 else 260,
            ahead=ahead,
            beside=_beside(screen, choice, item, sites, everything),
        )
        st.altair_chart(chart, theme=None, width="stretch", key=f"trend_main_{place}")
        mark = f"{t('mark.simulated')} · " if city.simulated else ""
        note = "trends.source_note_days" if coarse else "trends.source_note"
        st.caption(mark + t(note, at=formats.moment(data["time"].max().to_pydatetime(), until, city.zone)))
        words = trend_words.happened(view, item, site_id, happened, choice.hours)
        panel.panel(f"trend_events_{place}", {"events": words})
        _table(screen, item, site_id, everything[everything["time"] > since], place)


def _by_day(item: ObservedProperty) -> ObservedProperty:
    """The same property, told once a day: a year is drawn by day means."""
    return ObservedProperty(
        key=item.key, domain=item.domain, name_vi=item.name_vi, name_en=item.name_en, unit=item.unit,
        unit_vi=item.unit_vi, unit_en=item.unit_en, direction=item.direction, period=timedelta(days=1),
        decimals=item.decimals, aggregation=item.aggregation,
    )  # fmt: skip


def _beside(
    screen: Screen, choice: Choice, item: ObservedProperty, sites: Sequence[str], rows: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """The other lines of the chart: other places, or the same place in the period before."""
    city = screen.snapshot.city
    if choice.against == BEFORE:
        shift = timedelta(hours=choice.shift_h)
        earlier = rows[rows["site_id"] == sites[0]]
        return {screen.t("trends.period_before"): earlier.assign(time=earlier["time"] + shift)}
    return {city.site_name(one, screen.language): rows[rows["site_id"] == one] for one in sites[1:MOST_LINES]}


def _ahead(screen: Screen, key: str, site_id: str, hours: int) -> pd.DataFrame | None:
    """The forecast as far as this range has room for it, beginning at the last known value."""
    found = screen.line.forecasts.ask(key, site_id).value
    if found is None or not found.model or found.issued_at is None or hours == YEAR_H:
        return None
    until = screen.snapshot.made_at + timedelta(hours=hours * AHEAD_SHARE)
    rows = trend_words.steps(found, from_last=True)
    return rows[rows["time"] <= until]


def _numbers(screen: Screen, item: ObservedProperty, site_id: str, data: pd.DataFrame, hours: int, place: int) -> None:
    t, snapshot, language = screen.t, screen.snapshot, screen.language
    reading = snapshot.reading(item.key, site_id)
    unit = item.unit_label(language)
    now, notes = "", []
    if reading is not None and reading.live:
        now = formats.quantity(reading.value, item.decimals, unit, language)
    elif reading is not None:
        notes.append(f"{t('state.no_signal')} {formats.duration(reading.age, language)}")
    usual = snapshot.usual(item.key, site_id, reading.time) if reading else None
    if usual:
        low, _, high = (formats.number(one, item.decimals, language) for one in usual)
        notes.append(f"{t('trends.usual_value')}: {low} – {high} {unit}")
    elif reading and (short := why.too_short(screen.view(), item, site_id, reading.time)):
        notes.append(f"{t('trends.usual_value')}: {short}")
    step_h = DAY_H if hours == YEAR_H else item.period.total_seconds() / 3600
    due = hours / step_h if step_h else 0
    missing = max(0.0, 1 - len(data) / due) if due else 0.0
    notes.append(
        t(
            "trends.coverage",
            n=formats.number(len(data), 0, language),
            missing=formats.number(100 * missing, 0, language),
        )
    )
    name = snapshot.city.site_name(site_id, language)
    words = render.html(
        "trend_numbers.html",
        snapshot,
        language,
        name=item.name(language),
        place=name,
        now=now,
        notes=notes,
        why=screen.view().why(item.key, site_id),
        why_key=item.key,
        why_site=site_id,
    )
    panel.panel(f"trend_numbers_{place}", {"numbers": words})


def _table(screen: Screen, item: ObservedProperty, site_id: str, data: pd.DataFrame, place: int) -> None:
    """What was drawn, as rows to copy or to download; what is expected is marked as such."""
    t, snapshot = screen.t, screen.snapshot
    with st.expander(t("word.data_table")):
        rows = trend_words.table(screen.view(), data, site_id, screen.line.forecasts.ask(item.key, site_id).value)
        st.dataframe(trend_words.shown(screen.view(), rows), hide_index=True)
        st.download_button(
            t("word.download"),
            safe_csv(rows),
            file_name=f"{snapshot.city.key}-{item.key}-{site_id}.csv",
            mime="text/csv",
            key=f"trend_file_{place}",
        )


def _others(screen: Screen, choice: Choice) -> None:
    """The first indicator at the places that were not chosen, all on one scale."""
    snapshot, key = screen.snapshot, choice.keys[0]
    if choice.hours == YEAR_H:
        return
    chosen = _places(screen, choice, key)
    sites = [site for site in _sites(screen, key) if site not in chosen][:MOST_PLACES]
    data = query.history((key,), tuple(sites), choice.hours) if sites else pd.DataFrame()
    if data.empty:
        return
    with st.container(key="trend_others"):
        st.markdown(f"**{screen.t('trends.others')}**")
        _multiples(screen, snapshot.catalogue[key], data, choice.hours, "trend_small")


def _multiples(screen: Screen, item: ObservedProperty, data: pd.DataFrame, hours: int, key: str) -> None:
    snapshot, view = screen.snapshot, screen.view()
    until = snapshot.made_at
    named = data.assign(name=[snapshot.city.site_name(site, screen.language) for site in data["site_id"]])
    chart = trend.small_multiples(
        named, prop=_by_day(item) if hours == YEAR_H else item, zone=snapshot.city.zone, language=screen.language,
        theme=screen.look, since=until - timedelta(hours=hours), until=until, columns=4, width=300, height=110,
        artefacts={
            name: [mark.at for mark in view.artefacts(item.key, site, hours)]
            for site, name in zip(named["site_id"], named["name"], strict=True)
        },
    )  # fmt: skip
    st.altair_chart(chart, theme=None, key=key)


def _thresholds(screen: Screen, item: ObservedProperty) -> list[tuple[str, float]]:
    """Limits without a date."""
    if not isinstance(item, Indicator):
        return []
    return [
        (screen.t(f"trends.threshold_{one.level}"), one.value)
        for one in item.thresholds
        if one.valid_from is None and one.valid_to is None
    ]


def _dated(screen: Screen, item: ObservedProperty) -> list[trend.DatedLimit]:
    """Limits with a date: they hold from the first midnight of the city to the last."""
    if not isinstance(item, Indicator):
        return []
    zone = screen.snapshot.city.zone

    return [
        trend.DatedLimit(
            name=screen.t(f"trends.threshold_{one.level}"),
            value=one.value,
            since=None if one.valid_from is None else datetime.combine(one.valid_from, time(), zone),
            until=None if one.valid_to is None else datetime.combine(one.valid_to, time(), zone) + timedelta(days=1),
        )
        for one in item.thresholds
        if one.valid_from is not None or one.valid_to is not None
    ]


def _events(screen: Screen, key: str, site_id: str) -> list[trend.Event]:
    snapshot = screen.snapshot
    journal = snapshot.journal
    if journal.empty:
        return []
    rules = {rule.key for rule in snapshot.rules.values() if rule.observed_property == key}
    rows = journal[(journal["deed"] == "raise") & (journal["site_id"] == site_id) & journal["rule"].isin(rules)]
    return [
        (
            measured_at(row["happened_at"].to_pydatetime(), row["detail"]),
            row["priority"],
            snapshot.rules[row["rule"]].title[screen.language],
        )
        for row in rows.to_dict("records")
    ]


def _happened(screen: Screen, choice: Choice, key: str) -> Study[Happened]:
    """What is stored of the first place over the whole span."""
    site_id = _places(screen, choice, key)[0]
    return screen.line.forecasts.happened(key, site_id, timedelta(hours=choice.hours))


def _flags(screen: Screen, key: str, site_id: str, happened: Happened) -> list[trend.Event]:
    """The alerts of the span, and those of the last minutes, which no answer holds yet; each once."""
    rules, language = screen.snapshot.rules, screen.language
    stored = [
        (one.at, one.priority, rules[one.rule].title[language])
        for one in happened.events
        if one.kind == ALERT and one.rule in rules
    ]
    return list(dict.fromkeys([*stored, *_events(screen, key, site_id)]))


def _spans(screen: Screen, happened: Happened) -> list[trend.Span]:
    view = screen.view()
    until = screen.snapshot.made_at
    return [
        (one.at, one.until or until, trend_words.happening(view, one), one.kind == HOLIDAY)
        for one in happened.events
        if one.kind in (REPAIR, CLOSED, HOLIDAY)
    ]


def _abnormal(screen: Screen, key: str, site_id: str) -> str | None:
    worst = screen.snapshot.worst_priority(site_id, key)
    return worst if worst in PRIORITIES else None


def _title(screen: Screen, key: str) -> str:
    item = screen.snapshot.catalogue[key]
    return f"{item.name(screen.language)} · {screen.t(f'domain.{item.domain}')}"


def _order(screen: Screen) -> Callable[[str], tuple[bool, int, str]]:
    catalogue = screen.snapshot.catalogue

    def rank(key: str) -> tuple[bool, int, str]:
        item = catalogue[key]
        first = isinstance(item, Indicator) and item.first_screen
        return (not first, DOMAINS.index(item.domain), item.code if isinstance(item, Indicator) else key)

    return rank


def _range_word(screen: Screen, hours: int) -> str:
    if hours == YEAR_H:
        return screen.t("trends.year")
    return screen.t("word.hours", n=hours) if hours < 48 else screen.t("word.days", n=hours // 24)
