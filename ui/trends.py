"""Trends: one indicator over time against its usual band and limits, and the same at all other places."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pandas as pd
import streamlit as st

from charts import sparkline, trend
from core import formats, observations
from core.alert import PRIORITIES
from core.catalogue import DOMAINS, Indicator, ObservedProperty
from ui import panel, query, render
from ui.frame import Screen

RANGES_H = (24, 7 * 24, 30 * 24)
MOST_MULTIPLES = 12


def explore(screen: Screen) -> None:
    """Choose, ask, draw. The choice lives in the address, so a link or a reload restores it."""

    @st.fragment(run_every=screen.redraw_s)
    def region() -> None:
        with st.container(key="trend_page"):
            key, site_id, hours = _choose(screen)
            if key:
                _draw(screen, screen.snapshot.catalogue[key], site_id, hours)
            else:
                st.info(screen.t("trends.no_data"))

    region()


def _choose(screen: Screen) -> tuple[str, str, int]:
    t, snapshot = screen.t, screen.snapshot
    known = sorted(
        {key for key, _ in snapshot.readings if snapshot.catalogue[key].domain != "operations"}, key=_order(screen)
    )
    if not known:
        return "", "", 0
    with st.container(key="trend_choice", horizontal=True, gap="small", vertical_alignment="bottom"):
        asked = str(st.query_params.get("indicator", known[0]))
        key = st.selectbox(
            t("trends.indicator"),
            known,
            index=known.index(asked) if asked in known else 0,
            format_func=lambda one: _title(screen, one),
            key="trend_indicator",
        )
        sites = [site for one, site in sorted(snapshot.readings) if one == key]
        sites.sort(key=lambda site: (site != snapshot.city.city_site, site))
        wanted = str(st.query_params.get("site", sites[0]))
        site_id = st.selectbox(
            t("trends.site"),
            sites,
            index=sites.index(wanted) if wanted in sites else 0,
            format_func=lambda one: snapshot.city.site_name(one, screen.language),
            key=f"trend_site_{key}",
        )
        asked_hours = str(st.query_params.get("hours", ""))
        start = next((one for one in RANGES_H if str(one) == asked_hours), RANGES_H[0])
        hours = st.segmented_control(
            t("trends.range"),
            RANGES_H,
            default=start,
            format_func=lambda one: _range_word(screen, one),
            key="trend_hours",
        )
    st.query_params.update({"indicator": key, "site": site_id, "hours": str(hours or start)})
    return key, site_id, hours or start


def _draw(screen: Screen, item: ObservedProperty, site_id: str, hours: int) -> None:
    t, snapshot, language = screen.t, screen.snapshot, screen.language
    until, since = snapshot.made_at, snapshot.made_at - timedelta(hours=hours)
    city, view = snapshot.city, screen.view()
    data = query.history((item.key,), (site_id,), hours)
    with st.container(key="trend_chart"):
        _numbers(screen, item, site_id, data, hours)
        if data.empty:
            st.info(t("trends.no_data"))
            return
        chart = trend.trend(
            data,
            prop=item,
            zone=city.zone,
            language=language,
            theme=screen.look,
            band=sparkline.band_over(snapshot.band.get((item.key, site_id)), since, until, city.zone),
            thresholds=_thresholds(screen, item),
            events=_events(screen, item.key, site_id),
            artefacts=[(mark.at, view.artefact_words(mark)) for mark in view.artefacts(item.key, site_id, hours)],
            abnormal=_abnormal(screen, item.key, site_id),
            since=since,
            until=until,
            height=380,
        )
        st.altair_chart(chart, theme=None, width="stretch", key="trend_main")
        mark = f"{t('mark.simulated')} · " if city.simulated else ""
        st.caption(
            mark + t("trends.source_note", at=formats.moment(data["time"].max().to_pydatetime(), until, city.zone))
        )
        with st.expander(t("word.data_table")):
            rows = _marked(screen, data)
            table = rows[["time", "value", "quality", "source"]].iloc[::-1]
            st.dataframe(
                table.assign(time=table["time"].dt.tz_convert(city.zone).dt.strftime("%d/%m/%Y %H:%M")), hide_index=True
            )
            st.download_button(
                t("word.download"),
                observations.to_csv(rows),
                file_name=f"{city.key}-{item.key}-{site_id}.csv",
                mime="text/csv",
            )
    _others(screen, item, site_id, since, until, hours)


def _marked(screen: Screen, data: pd.DataFrame) -> pd.DataFrame:
    """The one frame for a table or a file. Simulated rows say so themselves: a file leaves the screen and its mark."""
    rows = data.loc[:, list(observations.COLUMNS)]
    if screen.snapshot.city.simulated:
        return rows.assign(source=screen.t("mark.simulated") + ": " + rows["source"])
    return rows


def _numbers(screen: Screen, item: ObservedProperty, site_id: str, data: pd.DataFrame, hours: int) -> None:
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
    due = hours * 60 / (item.period.total_seconds() / 60)
    missing = max(0.0, 1 - len(data) / due) if due else 0.0
    notes.append(
        t(
            "trends.coverage",
            n=formats.number(len(data), 0, language),
            missing=formats.number(100 * missing, 0, language),
        )
    )
    place = snapshot.city.site_name(site_id, language)
    words = render.html(
        "trend_numbers.html", snapshot, language, name=item.name(language), place=place, now=now, notes=notes
    )
    panel.panel("trend_numbers", {"numbers": words})


def _others(screen: Screen, item: ObservedProperty, site_id: str, since: datetime, until: datetime, hours: int) -> None:
    snapshot = screen.snapshot
    sites = [site for key, site in sorted(snapshot.readings) if key == item.key and site != site_id][:MOST_MULTIPLES]
    data = query.history((item.key,), tuple(sites), hours) if sites else pd.DataFrame()
    if data.empty:
        return
    view = screen.view()
    named = data.assign(name=[snapshot.city.site_name(site, screen.language) for site in data["site_id"]])
    with st.container(key="trend_others"):
        st.markdown(f"**{screen.t('trends.others')}**")
        chart = trend.small_multiples(
            named, prop=item, zone=snapshot.city.zone, language=screen.language, theme=screen.look,
            since=since, until=until, columns=4, width=300, height=110,
            artefacts={
                name: [mark.at for mark in view.artefacts(item.key, site, hours)]
                for site, name in zip(named["site_id"], named["name"], strict=True)
            },
        )  # fmt: skip
        st.altair_chart(chart, theme=None, key="trend_small")


def _thresholds(screen: Screen, item: ObservedProperty) -> list[tuple[str, float]]:
    if not isinstance(item, Indicator):
        return []
    today = screen.snapshot.made_at.astimezone(screen.snapshot.city.zone).date()
    return [(screen.t(f"trends.threshold_{one.level}"), one.value) for one in item.thresholds if one.holds_on(today)]


def _events(screen: Screen, key: str, site_id: str) -> list[trend.Event]:
    snapshot = screen.snapshot
    journal = snapshot.journal
    if journal.empty:
        return []
    rules = {rule.key for rule in snapshot.rules.values() if rule.observed_property == key}
    rows = journal[(journal["deed"] == "raise") & (journal["site_id"] == site_id) & journal["rule"].isin(rules)]
    return [
        (row["happened_at"].to_pydatetime(), row["priority"], snapshot.rules[row["rule"]].title[screen.language])
        for row in rows.to_dict("records")
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
    return screen.t("word.hours", n=hours) if hours < 48 else screen.t("word.days", n=hours // 24)
