"""Links between domains: the surest one in words, all domains on one time axis, the table, and what usually follows.

A link is a statement on time. No word of this page says that one thing makes another.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from analysis.links import FDR, Found, Link
from analysis.links_series import DAY
from charts import links as pictures
from control.links import Followed, Overview
from control.studies import Study
from core import formats
from core.catalogue import DOMAINS
from core.formats import DASH
from core.links_plan import LIMIT, EventKind
from ui import panel, render
from ui.figure import Figure, by_key, figure
from ui.frame import Screen
from ui.views import View

LOOK_S = 2  # how often a page looks while its answer is being worked out
SPANS_H = (48, 168, 336)
MOST_LANES = 10
MOST_LINKS = 20
MARKS = "ABCDEFGH"


def explore(screen: Screen) -> None:
    """The whole page below the strip. Place, lanes and span live in the address."""
    answer = _answer(screen)
    waiting = answer.busy and answer.value is None

    @st.fragment(run_every=LOOK_S if waiting else screen.redraw_s)
    def region() -> None:
        screen.leave_waiting()
        place = _place(screen)
        study = screen.line.links.overview(screen.person.areas, place)
        if waiting and study.value is not None:
            st.rerun()
        view, found = screen.view(), study.value
        panel.panel("links_says", {"says": _says(view, study)})
        if found is not None:
            _lanes(screen, view, found)
            panel.panel("links_tables", {"tables": _tables(view, found, study.made_at)})
        _pair(screen, view)
        panel.panel("links_how", {"how": render.html("links_how.html", view.snapshot, view.language, fdr=FDR)})

    region()


def _answer(screen: Screen) -> Study[Overview]:
    return screen.line.links.overview(screen.person.areas, _asked_place(screen))


def _asked_place(screen: Screen) -> str:
    """The area that the address asks for, if the person may see it; else the whole city."""
    asked = str(st.query_params.get("place", ""))
    return asked if asked in screen.snapshot.city.areas.index else ""


def _place(screen: Screen) -> str:
    city, t = screen.snapshot.city, screen.t
    places = ["", *(str(code) for code in city.areas.index)]
    column = "name_en" if screen.language == "en" else "name_vi"
    with st.container(key="links_choice", horizontal=True, gap="small", vertical_alignment="bottom"):
        chosen = st.selectbox(
            t("links.place"),
            places,
            index=places.index(_asked_place(screen)),
            format_func=lambda code: str(city.areas.at[code, column]) if code else t("links.whole_city"),
            key="links_place",
        )
    st.query_params["place"] = chosen
    return str(chosen)


# -- the sentence -----------------------------------------------------------------------------------------------------


def _says(view: View, study: Study[Overview]) -> str:
    found = study.value
    lines: list[str] = []
    if found is not None:
        lines = [_sentence(view, one) for one in found.found.standing[:3]]
    return render.html(
        "links_says.html",
        view.snapshot,
        view.language,
        found=found,
        study=study,
        lines=lines,
        progress=formats.percent(100 * study.progress, 0, view.language),
        tried="" if found is None else formats.number(found.found.tried, 0, view.language),
        made=_moment(view, study.made_at),
        data_since="" if found is None else formats.day(found.since, view.zone, view.language),
    )


def _sentence(view: View, link: Link) -> str:
    """«Mưa đi trước ngập khoảng 3 giờ, cùng chiều: r = 0,56 (95%: 0,48 đến 0,62), n = 716.»"""
    key = "together" if link.lag == 0 else "unsure" if link.lag_low <= 0 else "goes_before"
    what = view.t(f"links.{key}", first=_name(view, link.first), then=_name(view, link.then), delay=_delay(view, link))
    return view.t(
        "links.sentence",
        what=what,
        sign=view.t("links.same_way" if link.strength > 0 else "links.other_way"),
        strength=_r(view, link.strength),
        low=_r(view, link.low),
        high=_r(view, link.high),
        n=formats.number(link.n, 0, view.language),
    )


def _delay(view: View, link: Link) -> str:
    return view.t("links.days" if link.step == DAY else "links.hours", n=link.lag)


def _r(view: View, value: float) -> str:
    return formats.number(value, 2, view.language)


def _name(view: View, track: str) -> str:
    """«Mưa», and the place where it is not the whole city."""
    key, _, place = track.partition("@")
    city, item = view.snapshot.city, view.snapshot.catalogue[key]
    if place == city.city_site or place not in city.areas.index:
        return view.short_name(item)
    column = "name_en" if view.language == "en" else "name_vi"
    return f"{view.short_name(item)} ({city.areas.at[place, column]!s})"


def _moment(view: View, at: datetime | None) -> str:
    return DASH if at is None else formats.moment(at, view.now, view.zone)


# -- the lanes --------------------------------------------------------------------------------------------------------


def _lanes(screen: Screen, view: View, found: Overview) -> None:
    t, snapshot, language = screen.t, screen.snapshot, screen.language
    known = sorted(found.lanes, key=lambda key: (DOMAINS.index(snapshot.catalogue[key].domain), key))
    if not known:
        return
    asked = [key for key in str(st.query_params.get("lanes", "")).split(",") if key in known]
    start = asked or [key for key in found.plan.lanes if key in known] or known[:4]
    with st.container(key="links_lanes", border=True):
        st.markdown(f"**{t('links.lanes')}**")
        with st.container(key="links_lane_choice", horizontal=True, gap="small", vertical_alignment="bottom"):
            chosen = st.multiselect(
                t("links.lane"),
                known,
                default=start[:MOST_LANES],
                format_func=lambda key: _title(view, key),
                key="links_chosen",
                max_selections=MOST_LANES,
            )
            wanted = str(st.query_params.get("hours", ""))
            first = next((one for one in SPANS_H if str(one) == wanted), SPANS_H[1])
            hours = st.segmented_control(
                t("links.span"),
                SPANS_H,
                default=first,
                format_func=lambda one: t("links.days", n=one // 24),
                key="links_hours",
            )
        st.query_params.update({"lanes": ",".join(chosen), "hours": str(hours or first)})
        if not chosen:
            st.info(t("links.no_lane"))
            return
        until = found.until
        since = until - timedelta(hours=hours or first)
        shown = [_lane(view, key, found, since) for key in chosen]
        bands, legend = _bands(view, found, since)
        about: dict[str, Any] = {
            "since": since,
            "until": until,
            "zone": view.zone,
            "language": language,
            "theme": view.look,
        }
        st.altair_chart(pictures.lanes(shown, bands, **about), theme=None, width="stretch", key="links_chart")
        paper = render.picture(pictures.lanes_svg(shown, bands, **about))
        panel.panel(
            "links_legend",
            {"legend": render.html("links_legend.html", snapshot, language, legend=legend, paper=paper, view=view)},
        )


def _lane(view: View, key: str, found: Overview, since: datetime) -> pictures.Lane:
    item = view.snapshot.catalogue[key]
    values = found.lanes[key]
    return pictures.Lane(
        name=view.short_name(item),
        unit=item.unit_label(view.language),
        decimals=item.decimals,
        values=values[values.index > since],
    )


def _bands(view: View, found: Overview, since: datetime) -> tuple[list[pictures.Band], list[tuple[str, str, int]]]:
    """Bands of the span, and the legend: letter, words, how many of them the span holds."""
    bands, legend = [], []
    for mark, kind in zip(MARKS, found.plan.events, strict=False):
        inside = [one for one in found.events.get(kind.key, ()) if one.until > since]
        if not inside:
            continue
        words = _kind(view, kind)
        legend.append((mark, words, len(inside)))
        bands += [pictures.Band(since=one.since, until=one.until, mark=mark, words=words) for one in inside]
    return bands, legend


def _kind(view: View, kind: EventKind) -> str:
    """The city's own name of the event with its limit, or «PM2.5 trên 40 µg/m³»."""
    item = view.snapshot.catalogue[kind.observed_property]
    decimals = 0 if float(kind.above).is_integer() else max(item.decimals, 1)
    limit = formats.quantity(kind.above, decimals, item.unit_label(view.language), view.language)
    own = kind.name(view.language)
    return own.replace(LIMIT, limit) if own else view.t("links.event_above", name=view.short_name(item), limit=limit)


def _title(view: View, key: str) -> str:
    item = view.snapshot.catalogue[key]
    return f"{item.name(view.language)} · {view.t(f'domain.{item.domain}')}"


# -- the tables -------------------------------------------------------------------------------------------------------


def _tables(view: View, found: Overview, made_at: datetime | None) -> str:
    links = [_row(view, one) for one in found.found.links if one.stands]
    weak = [_row(view, one) for one in found.found.links if one.q <= FDR and not one.stable]
    return render.html(
        "links_tables.html",
        view.snapshot,
        view.language,
        links=links[:MOST_LINKS],
        weak=weak[:MOST_LINKS],
        more=max(len(links) - MOST_LINKS, 0),
        found=found.found,
        thin=", ".join(_name(view, one) for one in found.found.thin),
        follows=[_followed(view, one) for one in found.follows if one.found.enough],
        few=_few(view, found),
        later=", ".join(
            view.t("links.enough_on", name=view.short_name(view.snapshot.catalogue[key]), day=_day(view, on))
            for key, on in sorted(found.enough_on.items(), key=lambda one: (one[1], one[0]))
        ),
        fdr=formats.percent(100 * FDR, 0, view.language),
        why=by_key(
            [
                figure(view, "link_strength", made_at=made_at, fdr=formats.percent(100 * FDR, 0, view.language)),
                figure(view, "link_delay", made_at=made_at),
                figure(view, "link_follows", made_at=made_at),
            ]
        ),
    )


def _row(view: View, link: Link) -> dict[str, Any]:
    unit = "links.days_short" if link.step == DAY else "links.hours_short"
    t = view.t

    def number(value: float) -> str:
        return formats.number(value, 0, view.language)

    return {
        "pair": urlencode({"first": _address(view, link.first), "then": _address(view, link.then)}),
        "first": _name(view, link.first),
        "then": _name(view, link.then),
        "first_domain": t(f"domain.{_domain(view, link.first)}"),
        "then_domain": t(f"domain.{_domain(view, link.then)}"),
        "together": link.lag == 0,
        "unsure": link.lag_low <= 0 < link.lag,
        "delay": t(unit, n=number(link.lag)),
        "delay_range": t("links.range", low=number(link.lag_low), high=number(link.lag_high)),
        "strength": formats.number(link.strength, 2, view.language, signed=True),
        "range": t("links.range", low=_r(view, link.low), high=_r(view, link.high)),
        "q": formats.number(link.q, 3, view.language) if link.q >= 0.001 else t("links.tiny"),
        "halves": [
            t("links.half", lag=t(unit, n=number(lag)), strength=_r(view, strength)) for lag, strength in link.halves
        ],
        "n": number(link.n),
        "worth": number(link.n_effective),
        "seen": DASH if link.last_seen is None else formats.day(link.last_seen, view.zone, view.language),
        "sign": t("links.same_way" if link.strength > 0 else "links.other_way"),
    }


def _address(view: View, track: str) -> str:
    """A series as the choice of any two has it: the whole city has no place."""
    key, _, place = track.partition("@")
    return f"{key}@{place if place in view.snapshot.city.areas.index else ''}"


def _domain(view: View, track: str) -> str:
    return view.snapshot.catalogue[track.partition("@")[0]].domain


def _followed(view: View, one: Followed) -> dict[str, Any]:
    item, found, language = view.snapshot.catalogue[one.observed_property], one.found, view.language
    unit = item.unit_label(language)
    decimals = item.decimals + 1

    def amount(value: float | None) -> str:
        return formats.number(value, decimals, language, signed=True)

    return {
        "kind": _kind(view, one.kind),
        "name": view.short_name(item),
        "unit": unit,
        "rose": view.t("links.times_of", rose=found.rose, n=found.n),
        "not_rose": found.n - found.rose,
        "ordinary": DASH if found.ordinary is None else formats.percent(100 * found.ordinary, 0, language),
        "median": amount(found.median),
        "range": view.t("links.range", low=amount(found.low), high=amount(found.high)),
        "coverage": formats.percent(100 * (found.coverage or 0), 0, language),
        "usual": formats.number(found.usual, decimals, language),
        "delay": view.t("links.hours_short", n=formats.number(found.delay_h, 0, language)),
        "p": DASH if found.p is None else formats.number(found.p, 3, language),
        "sure": found.p is not None and found.p < 0.05,
    }


def _day(view: View, day: date) -> str:
    return formats.day(datetime.combine(day, time(12), view.zone), view.zone, view.language)


def _few(view: View, found: Overview) -> list[tuple[str, int]]:
    """Kinds of events that did not come often enough to say anything, with how often they came."""
    kinds = {one.kind.key for one in found.follows if one.found.enough}
    return [
        (_kind(view, kind), len(found.events.get(kind.key, ()))) for kind in found.plan.events if kind.key not in kinds
    ]


# -- any two ----------------------------------------------------------------------------------------------------------


def _pair(screen: Screen, view: View) -> None:
    """Two indicators of one's own choice, each in the whole city or in one area; worked out when asked for."""
    t, city = screen.t, screen.snapshot.city
    known = sorted(
        screen.line.links.known(screen.person.areas),
        key=lambda key: (DOMAINS.index(view.snapshot.catalogue[key].domain), view.snapshot.catalogue[key].name("vi")),
    )
    if len(known) < 2:
        return
    column = "name_en" if screen.language == "en" else "name_vi"
    places = ["", *(str(code) for code in city.areas.index)]
    chosen: list[tuple[str, str]] = []
    with st.container(key="links_pair", border=True):
        st.markdown(f"**{t('links.any_two')}**")
        with st.container(key="links_pair_choice", horizontal=True, gap="small", vertical_alignment="bottom"):
            for side in ("first", "then"):
                asked, _, where = str(st.query_params.get(side, "")).partition("@")
                key = st.selectbox(
                    t(f"links.{side}"),
                    known,
                    index=known.index(asked) if asked in known else None,
                    format_func=lambda one: _title(view, one),
                    placeholder=t("links.choose"),
                    key=f"links_{side}",
                )
                place = st.selectbox(
                    t("links.where"),
                    places,
                    index=places.index(where) if where in places else 0,
                    format_func=lambda code: str(city.areas.at[code, column]) if code else t("links.whole_city"),
                    key=f"links_{side}_place",
                )
                if key:
                    chosen.append((str(key), str(place)))
                    st.query_params[side] = f"{key}@{place}"
        if len(chosen) == 2 and chosen[0] != chosen[1]:
            _one_pair(screen, view, screen.line.links.pair(screen.person.areas, chosen[0], chosen[1]))


def _why_pair(view: View, link: Link, row: dict[str, Any], made_at: datetime | None) -> Figure:
    """The drawer of one pair: the method, and both indicators with their own formula."""
    sides = [(view.t(f"links.col_{side}"), getattr(link, side)) for side in ("first", "then")]
    return figure(
        view,
        "link_strength",
        f"r = {row['strength']}",
        own="pair",
        label=f"{row['first']} → {row['then']}",
        made_at=made_at,
        sample=f"n = {row['n']}; {view.t('links.worth', n=row['worth'])}",
        interval=row["range"],
        indicator=link.then.partition("@")[0],
        more=[
            *((title, _about(view, track)) for title, track in sides),
            (view.t("links.col_delay"), f"{row['delay']} ({row['delay_range']})"),
            (view.t("links.col_halves"), "; ".join(row["halves"])),
        ],
        fdr=formats.percent(100 * FDR, 0, view.language),
    )


def _about(view: View, track: str) -> str:
    """«VN_AQI: MT-01, lớn nhất của các chỉ số thành phần …; Sở …»: what one side of a pair is."""
    item = view.snapshot.catalogue[track.partition("@")[0]]
    owner = view.snapshot.catalogue.indicator_of(item.key)
    told = f"{_name(view, track)} [{item.unit_label(view.language)}]"
    return f"{told}: {owner.code} {owner.formula}" if owner else f"{told}: {view.t('figure.as_sent')}"


def _one_pair(screen: Screen, view: View, study: Study[Found]) -> None:
    found = study.value
    link = found.links[0] if found and found.links else None
    row = None if link is None else _row(view, link)
    words = render.html(
        "links_pair.html",
        view.snapshot,
        view.language,
        study=study,
        found=found,
        row=row,
        sentence="" if link is None else _sentence(view, link),
        p="" if link is None else formats.number(link.p, 4, view.language),
        stable=link is not None and link.stable,
        why=None if link is None or row is None else _why_pair(view, link, row, study.made_at),
    )
    panel.panel("links_pair_says", {"pair": words})
    if link is not None:
        chart = pictures.profile(
            link.profile,
            lag=link.lag,
            margin=1.96 / max(link.n, 1) ** 0.5,
            axis_words=screen.t("links.axis_days" if link.step == DAY else "links.axis_hours"),
            language=screen.language,
            theme=screen.look,
        )
        st.altair_chart(chart, theme=None, width="stretch", key="links_profile")
