"""Data quality on the page of sources: four scores, the league of suppliers, and the rows that failed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from core import formats
from core.quality import CLEAN, DAY, LIVE, SCORES, SPANS, Quality, Score, Scored, SpanQuality
from core.safe_csv import safe_csv
from ui import panel, render
from ui.figure import by_key, figure
from ui.frame import Screen
from ui.views import View

MOST_SHOWN = 50
GOOD, FAIR = 98.0, 95.0  # percent, ours: below FAIR a score is marked by word
GROUPS = ("sources", "areas", "sites")


def explore(screen: Screen) -> None:
    """Span, scores, league and failing rows. Span and source live in the address."""

    @st.fragment(run_every=screen.redraw_s)
    def region() -> None:
        view = screen.view()
        measured = view.snapshot.quality
        if measured is None:
            st.info(screen.t("quality.not_yet"))
            return
        span, group = _choose(screen)
        panel.panel("quality_scores", {"scores": _scores(view, measured, measured.spans[span], group)})
        _failing(screen, view, measured.spans[span])

    region()


def _choose(screen: Screen) -> tuple[str, str]:
    t = screen.t
    asked, grouped = str(st.query_params.get("span", "")), str(st.query_params.get("by", ""))
    start, first = asked if asked in SPANS else DAY, grouped if grouped in GROUPS else GROUPS[0]
    with st.container(key="quality_choice", border=True, horizontal=True, gap="small", vertical_alignment="bottom"):
        span = st.segmented_control(
            t("quality.span"),
            SPANS,
            default=start,
            format_func=lambda one: t(f"quality.span_{one}"),
            key="quality_span",
        )
        group = st.segmented_control(
            t("quality.by"), GROUPS, default=first, format_func=lambda one: t(f"quality.by_{one}"), key="quality_by"
        )
    st.query_params.update({"span": span or start, "by": group or first})
    return span or start, group or first


def _scores(view: View, measured: Quality, span: SpanQuality, group: str) -> str:
    found: Mapping[str, Scored] = getattr(span, group)
    rows = [_row(view, one, group) for one in found.values()]
    rows.sort(key=lambda row: (row["order"], row["name"]))
    places = [
        {
            "name": place.scored.key,
            "rank": str(place.best_rank)
            if place.best_rank == place.worst_rank
            else f"{place.best_rank}–{place.worst_rank}",
            "overall": _percent(view, place.scored.overall),
            "interval": " – ".join(formats.number(end, 1, view.language) for end in (place.low, place.high)),
            "cells": [_cell(view, key, place.scored.scores[key]) for key in SCORES],
            "days": formats.number(place.scored.series_days, 0, view.language),
        }
        for place in span.league
    ]
    marks = [
        {
            "at": formats.moment(mark.at, view.now, view.zone),
            "what": view.snapshot.catalogue[mark.observed_property].name(view.language),
            "where": view.snapshot.city.site_name(mark.site_id, view.language),
            "why": view.artefact_words(mark),
            "before": _value(view, mark.observed_property, mark.before),
            "after": _value(view, mark.observed_property, mark.after),
        }
        for mark in measured.artefacts
        if mark.at >= span.since
    ]
    return render.html(
        "data_quality.html",
        view.snapshot,
        view.language,
        rows=rows,
        group=group,
        places=places,
        marks=marks[:MOST_SHOWN],
        more=max(len(marks) - MOST_SHOWN, 0),
        whole=span.complete,
        begins=formats.moment(span.since, view.now, view.zone),
        measured_at=formats.moment(measured.made_at, view.now, view.zone),
        scores=SCORES,
        why=by_key(
            figure(view, kind, made_at=measured.made_at)
            for kind in (*(f"quality_{key}" for key in SCORES), "quality_league", "data_step")
        ),
    )


def _row(view: View, one: Scored, group: str) -> dict[str, Any]:
    city = view.snapshot.city
    areas = city.areas
    name = (
        str(areas.at[one.key, "name_en" if view.language == "en" else "name_vi"])
        if group == "areas" and one.key in areas.index
        else city.site_name(one.key, view.language)
    )
    worst = min((score.percent for score in one.scores.values() if score.percent is not None), default=None)
    return {
        "name": name,
        "order": 101.0 if worst is None else worst,
        "cells": [_cell(view, key, one.scores[key]) for key in SCORES],
    }


def _cell(view: View, key: str, score: Score) -> dict[str, str]:
    """Percentage, n, and a word where the score is low: the word says it without a colour."""
    percent = score.percent
    if key == LIVE:
        n = formats.duration(timedelta(minutes=score.n), view.language)
    else:
        n = view.t("quality.values", n=formats.number(score.n, 0, view.language))
    state = "" if percent is None or percent >= GOOD else "fair" if percent >= FAIR else "low"
    return {
        "text": _percent(view, percent),
        "n": n if percent is not None else "",
        "state": state,
        "word": view.t(f"quality.{state}") if state else "",
    }


def _percent(view: View, percent: float | None) -> str:
    if percent is None:
        return formats.DASH
    return formats.percent(min(percent, 99.9) if percent < 100 else percent, 1, view.language)


def _value(view: View, key: str, value: float) -> str:
    item = view.snapshot.catalogue[key]
    return formats.quantity(value, item.decimals, item.unit_label(view.language), view.language)


# -- failing rows -----------------------------------------------------------------------------------------------------


def _failing(screen: Screen, view: View, span: SpanQuality) -> None:
    t = screen.t
    sources = sorted(
        {source for source, _ in span.failed}, key=lambda key: view.snapshot.city.site_name(key, view.language)
    )
    with st.container(key="quality_failing", border=True):
        st.markdown(f"**{t('quality.failing')}**")
        if not sources:
            st.text(t("quality.none_failed"))
            return
        with st.container(key="quality_failing_choice", horizontal=True, gap="small", vertical_alignment="bottom"):
            asked = str(st.query_params.get("source", ""))
            source = st.selectbox(
                t("source.source"),
                sources,
                index=sources.index(asked) if asked in sources else 0,
                format_func=lambda one: view.snapshot.city.site_name(one, view.language),
                key="quality_source",
            )
            kinds = [key for key in SCORES if span.failed.get((source, key))]
            score = st.segmented_control(
                t("quality.score"),
                kinds,
                default=kinds[0],
                format_func=lambda one: (
                    f"{t(f'quality.{one}')} ({formats.number(span.failed[source, one], 0, view.language)})"
                ),
                key=f"quality_score_{source}",
            )
            score = score if score in kinds else kinds[0]
            rows = span.failing[(span.failing["source"] == source) & (span.failing["score"] == score)]
            st.download_button(
                t("word.download"),
                safe_csv(_export(view, rows)),
                file_name=f"{view.snapshot.city.key}-{source}-{score}.csv",
                mime="text/csv",
                key="quality_download",
            )
        st.query_params["source"] = source
        shown = [_failed(view, row) for row in rows.head(MOST_SHOWN).to_dict("records")]
        panel.panel(
            "quality_rows",
            {
                "rows": render.html(
                    "data_quality_rows.html",
                    view.snapshot,
                    view.language,
                    rows=shown,
                    more=max(span.failed[source, score] - len(shown), 0),
                    spans=score in (LIVE, CLEAN) or any(row["until"] for row in shown),
                )
            },
        )


def _failed(view: View, row: Mapping[Any, Any]) -> dict[str, str]:
    key, item = str(row["observed_property"]), view.snapshot.catalogue.get(str(row["observed_property"]))
    since, until = _moment(row["since"]), _moment(row["until"])
    value, n = row["value"], row["n"]
    return {
        "site": view.snapshot.city.site_name(str(row["site_id"]), view.language),
        "what": item.name(view.language) if item else key,
        "since": formats.moment(since, view.now, view.zone) if since else formats.DASH,
        "until": formats.moment(until, view.now, view.zone) if since and until and until > since else "",
        "value": "" if pd.isna(value) or item is None else _value(view, key, float(value)),
        "why": _why(view, str(row["why"]), 0.0 if pd.isna(n) else float(n)),
    }


def _why(view: View, why: str, n: float) -> str:
    count = formats.number(n, 0, view.language)
    if f"quality.why_{why}" in view.t:
        return view.t(f"quality.why_{why}", n=count)
    if f"reason.{why}" in view.t:
        return view.t(f"reason.{why}", n=count)
    return why


def _moment(stamp: Any) -> datetime | None:
    return None if pd.isna(stamp) else pd.Timestamp(stamp).to_pydatetime()


def _export(view: View, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows for a file, which says itself that they are simulated where they are."""
    words = [
        _why(view, str(why), 0.0 if pd.isna(n) else float(n)) for why, n in zip(rows["why"], rows["n"], strict=True)
    ]
    told = rows.assign(words=words)
    if view.snapshot.city.simulated:
        return told.assign(source=f"{view.t('mark.simulated')}: " + told["source"])
    return told
