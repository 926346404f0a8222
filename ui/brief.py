"""The brief on a screen: choose a day, week or month, read it in five minutes, take it away as a file.

What is said comes from analysis/brief_words; here it is only laid out. Nothing is computed in a page: the line makes
the facts in a thread and keeps the scheduled ones.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import streamlit as st

from analysis.brief_words import Ahead, Group, Row, Told, tell
from charts import brief as pictures
from charts.glyphs import glyph
from control.briefs import Kept
from core import formats
from core.brief import DAY, PERIODS, Facts, Figure, Point, span
from core.errors import InputError
from core.report_plan import FORMATS, Report
from reports import MIME, file_name
from ui import panel, render
from ui.figure import Figure as Drawer
from ui.figure import by_key, figure
from ui.frame import Screen
from ui.render import picture
from ui.views import View

FIRST_LOOK_S = 1  # while the first answer is being made
NEWEST = ""
MOST_KEPT = 60
HALF_SCALE = 4.0  # multiples of the half band at the ends of the picture
OLDEST = timedelta(days=400)


def page(screen: Screen) -> None:
    """The whole page below the strip."""
    choice = _choose(screen)
    ready = _facts(screen, *choice) is not None

    @st.fragment(run_every=screen.refresh_s if ready else FIRST_LOOK_S)
    def region() -> None:
        screen.leave_waiting()
        facts = _facts(screen, *choice)
        if facts is None:
            study = _study(screen, *choice)
            share = formats.percent(100 * study.progress, 0, screen.language) if study.progress else ""
            words = (
                screen.t("brief.failed", why=study.problem) if study.problem else screen.t("brief.busy", share=share)
            )
            panel.panel("brief_body", {"brief": _waiting(screen, words)})
            return
        if not ready:
            st.rerun()
        panel.panel("brief_body", {"brief": _body(screen, facts)})

    region()
    facts = _facts(screen, *choice)
    if facts is not None:
        _downloads(screen, facts)


# -- choosing ---------------------------------------------------------------------------------------------------------


def _choose(screen: Screen) -> tuple[str, date, date | None]:
    """Period, a day of it, and the first day of a kept report where one was chosen."""
    t, city = screen.t, screen.line.city
    today = screen.line.clock.now().astimezone(city.zone).date()
    asked, asked_day = str(st.query_params.get("period", DAY)), _day(str(st.query_params.get("day", "")))
    with st.container(key="brief_choose", horizontal=True, vertical_alignment="bottom"):
        period = st.segmented_control(
            t("brief.period"),
            PERIODS,
            default=asked if asked in PERIODS else DAY,
            format_func=lambda one: t(f"brief.{one}"),
            required=True,
            key="brief_period",
        )
        day = st.date_input(
            t("brief.date"),
            value=max(today - OLDEST, min(asked_day or today, today)),
            min_value=today - OLDEST,
            max_value=today,
            format="DD/MM/YYYY",
            key="brief_day",
        )
        kept = [one for one in _kept(screen) if one.period == period][:MOST_KEPT]
        names = {one.first.isoformat(): _name(screen, one) for one in kept}
        chosen = NEWEST
        if names:
            chosen = st.selectbox(
                t("brief.earlier"),
                [NEWEST, *names],
                format_func=lambda key: names.get(key, t("brief.earlier_now")),
                key=f"brief_kept_{period}",
            )
    shown = day if isinstance(day, date) else today
    st.query_params["period"] = period or DAY
    if shown == today:
        st.query_params.pop("day", None)
    else:
        st.query_params["day"] = shown.isoformat()
    return period or DAY, shown, date.fromisoformat(chosen) if chosen else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _kept(screen: Screen) -> tuple[Kept, ...]:
    """The archive tells the whole city, so it is for those who see all of it."""
    return screen.line.briefs.archive.kept() if screen.person.areas is None else ()


def _name(screen: Screen, kept: Kept) -> str:
    first, last, _, _ = span(kept.period, kept.first, screen.line.city.zone)
    begins = _day_words(first, screen.language)
    return begins if first == last else f"{begins} – {_day_words(last, screen.language)}"


def _day_words(day: date, language: str) -> str:
    return f"{day.day} {formats.MONTHS_EN[day.month - 1]} {day.year}" if language == "en" else day.strftime("%d/%m/%Y")


def _study(screen: Screen, period: str, day: date, kept: date | None) -> Any:
    return screen.line.briefs.ask(period, day, screen.person.areas)


def _facts(screen: Screen, period: str, day: date, kept: date | None) -> Facts | None:
    if kept is not None and screen.person.areas is None:
        try:
            return screen.line.briefs.archive.read(period, kept)
        except InputError:
            return None
    found: Facts | None = _study(screen, period, day, kept).value
    return found


# -- the picture ------------------------------------------------------------------------------------------------------


def _waiting(screen: Screen, words: str) -> str:
    return render.html("brief_waiting.html", screen.snapshot, screen.language, words=words)


def _body(screen: Screen, facts: Facts) -> str:
    told = tell(facts, screen.language)
    return render.html(
        "brief.html",
        screen.snapshot,
        screen.language,
        told=told,
        sign=_sign(screen, told.priority, 40),
        groups=[_card(screen, one) for one in told.groups],
        asks=[(one, _sign(screen, one.ask.priority, 26)) for one in told.asks],
        aheads=[_ahead(screen, one, told) for one in told.aheads],
        lines=[_lollipop(screen, one) for one in told.rows],
        half=HALF_SCALE,
        schedule=[_scheduled(screen, one) for one in screen.line.briefs.plan],
        made=formats.moment(facts.made_at, screen.snapshot.made_at, facts.tz),
        kept=len(_kept(screen)),
        why=by_key(_why(screen, facts, told)),
        figure_of={one.figure.key: f"brief_hour:{one.figure.key}" for one in told.rows},
    )


def _why(screen: Screen, facts: Facts, told: Told) -> list[Drawer]:
    """One drawer per figure of the brief, then forecasts, pilots and the trust in the data."""
    view, t, made = screen.view(), screen.t, facts.made_at
    found = [_why_row(view, one, made) for one in told.rows]
    found += [
        figure(
            view,
            "brief_ahead",
            one.says,
            own=f"{one.outlook.key}@{one.place}",
            label=f"{one.name}, {one.place}",
            made_at=one.outlook.issued_at,
            indicator=one.outlook.key,
            sample=one.record,
            interval=t("brief.band_80"),
        )
        for one in told.aheads
    ]
    found += [
        figure(
            view,
            "pilot_verdict",
            f"{one.state}; {one.effect}",
            own=one.trial.key,
            label=one.title,
            made_at=made,
            sample=one.sample,
            interval=one.effect,
            owner=one.trial.owner.text(screen.language),
            more=[(t("brief.indicator"), one.indicator), (t("brief.source"), one.trial.source)],
        )
        for one in told.tried
    ]
    return [*found, figure(view, "brief_trust", made_at=made)]


def _why_row(view: View, row: Row, made_at: datetime) -> Drawer:
    """The drawer of one figure: as it was told in that brief, which later corrections do not change."""
    t, one, language = view.t, row.figure, view.language
    indicator = view.snapshot.catalogue.indicator_of(one.key)
    low, high = (
        formats.number(end, 1, language) if end is not None else "" for end in (one.sample_low, one.sample_high)
    )
    return figure(
        view,
        "brief_hour",
        row.value,
        own=one.key,
        label=f"{row.name}, {row.place}",
        made_at=made_at,
        indicator=indicator.key if indicator else "",
        sample=row.sample or t("figure.hours", n=formats.number(one.hours, 0, language)),
        interval=f"{low} – {high}" if low and high else t("figure.none"),
        more=[
            (t("brief.at"), row.when),
            (t("brief.usual"), row.usual),
            (t("brief.score"), row.score),
            (t("brief.newest"), row.age),
            (t("brief.indicator"), "" if indicator else t("figure.as_sent")),
        ],
        source=row.source or t("why.no_source"),
        reference=indicator.reference if indicator else t("why.no_basis"),
    )


def _sign(screen: Screen, priority: str, size: int) -> Any:
    if not priority:
        return ""
    word = screen.t(f"priority.{priority}")
    return picture(glyph(priority, "UNACK", size_px=size, theme=screen.look, label=word))


def _card(screen: Screen, group: Group) -> dict[str, Any]:
    row = group.row
    line = _points(row.figure.trail) if row else []
    return {
        "group": group,
        "sign": _sign(screen, group.priority, 22),
        "row": row,
        "spark": picture(_spark(screen, row)) if row else "",
        "first": _label(row.figure, line[0][0], screen) if row and line else "",
        "last": _label(row.figure, line[-1][0], screen) if row and line else "",
        "odd": bool(row and row.figure.outside),
    }


def _spark(screen: Screen, row: Row) -> str:
    one = row.figure
    label = f"{row.name}, {row.place}: {row.value}"
    mark = screen.look.priority(one.priority).line if one.priority else ""
    return pictures.spark(_points(one.trail), low=one.low, high=one.high, label=label, theme=screen.look, mark=mark)


def _points(points: tuple[Point, ...]) -> list[tuple[datetime, float]]:
    return [(one.at, one.value) for one in points]


def _label(figure: Figure, at: datetime, screen: Screen) -> str:
    local = min(at, figure.latest_at or at).astimezone(screen.line.city.zone)
    days = len(figure.trail) > 1 and figure.trail[1].at - figure.trail[0].at >= timedelta(hours=12)
    return (local - timedelta(minutes=1)).strftime("%d/%m") if days else local.strftime("%H:%M")


def _ahead(screen: Screen, one: Ahead, told: Told) -> dict[str, Any]:
    outlook = one.outlook
    times = [point.at for point in outlook.middle]
    past = _points(outlook.past)
    lines = (
        past,
        _points(outlook.middle),
        list(zip(times, outlook.low, strict=True)),
        list(zip(times, outlook.high, strict=True)),
    )
    svg = pictures.ahead(*lines, limit=outlook.limit, label=f"{one.name}: {one.says}", theme=screen.look)
    axis = pictures.axis(*lines, limit=outlook.limit)
    zone = screen.line.city.zone

    def written(value: float) -> str:
        return formats.number(value, outlook.decimals, screen.language)

    return {
        "words": one,
        "picture": picture(svg),
        "first": formats.clock(past[0][0] if past else times[0], zone),
        "now": formats.clock(past[-1][0] if past else outlook.issued_at, zone),
        "now_at": axis.now,
        "levels": [(written(value), place) for value, place in axis.values],
        "limit": None if outlook.limit is None else (written(outlook.limit), axis.limit),
        "last": formats.clock(times[-1], zone),
        "crosses": outlook.earliest is not None,
    }


def _lollipop(screen: Screen, row: Row) -> dict[str, Any]:
    """Where the mark of a figure lies between the ends of the picture, in percent."""
    score = row.figure.score
    bounded = 0.0 if score is None else max(-HALF_SCALE, min(HALF_SCALE, score))
    return {
        "row": row,
        "sign": _sign(screen, row.figure.priority, 18),
        "known": score is not None,
        "at": round(50 + 50 * bounded / HALF_SCALE, 1),
        "from": round(min(50.0, 50 + 50 * bounded / HALF_SCALE), 1),
        "width": round(abs(50 * bounded / HALF_SCALE), 1),
        "odd": row.figure.outside,
    }


def _scheduled(screen: Screen, one: Report) -> str:
    t = screen.t
    when = t(f"brief.schedule_{one.period}", at=one.at.strftime("%H:%M"))
    formats_ = ", ".join(shape.upper() for shape in one.formats)
    to = t("brief.schedule_to", n=len(one.to)) if one.to else t("brief.schedule_nobody")
    return f"{when}: {formats_}, {to}"


# -- files ------------------------------------------------------------------------------------------------------------


def _downloads(screen: Screen, facts: Facts) -> None:
    with st.container(key="brief_files", horizontal=True, vertical_alignment="center"):
        st.text(screen.t("brief.download"))
        for shape in FORMATS:
            st.download_button(
                shape.upper(),
                partial(_take, screen, facts, shape),
                file_name=file_name(facts, shape),
                mime=MIME[shape],
                key=f"brief_take_{shape}",
                on_click="ignore",
            )


def _take(screen: Screen, facts: Facts, shape: str) -> bytes:
    """The file, written down as handed over."""
    name = file_name(facts, shape)
    screen.line.audit(screen.person, "download_brief", name, "done")
    return screen.line.briefs.file(facts, shape, screen.language)
