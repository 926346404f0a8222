"""The desk of the wall: which screens live, what each shows, what is put on them, and how large letters must be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from alerts.deeds import Deed
from control.screens import ScreenState
from core import formats
from core.formats import DASH
from core.wall import (
    EVERY_SCREEN,
    LEAST_ARCMIN,
    PREFERRED_ARCMIN,
    SMALLEST_U,
    Shown,
    WallScreen,
    arcmin,
    direct,
    farthest_m,
    least_font_mm,
)
from ui import panel, render
from ui.alert_deeds import allowed, do, notice
from ui.frame import Screen
from ui.scenes import stages
from ui.views import View
from ui.wall import quiet

MINUTES = (5, 15, 60, 480)
TEXTS_U = (20, 26, 30, 48, 64, 128)  # the classes of the wall's style, from the smallest


def desk(screen: Screen) -> None:
    """The whole page below the strip."""

    @st.fragment(run_every=screen.refresh_s)
    def region() -> None:
        screen.leave_waiting()
        view = screen.view()
        notice(screen)
        panel.panel("wall_screens", {"screens": _screens(screen, view)})
        if allowed(screen, "show_on_wall"):
            _choose(screen, view)

    region()
    panel.panel("wall_letters", {"letters": _letters(screen)})


def _screens(screen: Screen, view: View) -> str:
    states = {state.key: state for state in screen.line.screens.states()}
    rows = [_row(screen, view, one, states[one.key]) for one in view.snapshot.city.wall.screens]
    return render.html("wall_screens.html", view.snapshot, view.language, view=view, rows=rows)


def _row(screen: Screen, view: View, plan: WallScreen, state: ScreenState) -> dict[str, Any]:
    now, t = datetime.now(UTC), view.t
    shown = _shown(screen, view, plan)
    word = "never" if state.since is None else "frozen" if state.frozen(now) else "lives"
    return {
        "key": plan.key,
        "name": plan.name(view.language),
        "word": word,
        "since": formats.clock(now - state.silent(now), view.zone) if word == "frozen" else "",
        "glyph": view.glyph("medium", "UNACK", 18) if word == "frozen" and plan.watched else "",
        "closed": state.closed_at is not None,
        "scene": _scene(view, shown),
        "painted": _age(state.painted_at, now, view.language),
        "behind": max(view.snapshot.number - state.painted, 0) if state.painted else DASH,
        "errors": state.errors,
        "last_error": state.last_error,
        "heap": DASH if state.heap_mb is None else formats.number(state.heap_mb, 1, view.language),
        "size": state.size or DASH,
        "reach": formats.number(farthest_m(plan.width_mm, plan.scale), 1, view.language),
        "short": farthest_m(plan.width_mm, plan.scale) < plan.viewer_m - 0.05,
        "viewer": formats.number(plan.viewer_m, 1, view.language),
        "why": t(f"wall.why_{shown.why}", who=shown.by),
    }


def _shown(screen: Screen, view: View, plan: WallScreen) -> Shown:
    return direct(
        plan,
        view.snapshot.alerts,
        view.snapshot.switches,
        now=datetime.now(UTC),
        city_now=screen.line.clock.now(),
        speed=view.snapshot.speed,
        quiet=quiet(view.snapshot),
    )


def _scene(view: View, shown: Shown) -> str:
    if shown.alert is not None:
        alert = next((one for one in view.snapshot.alerts if one.key == shown.alert), None)
        if alert is not None:
            return view.card(alert).title
    return stages.titles(view, view.snapshot.city.wall).get(shown.scene, shown.scene)


def _age(moment: datetime | None, now: datetime, language: str) -> str:
    return DASH if moment is None else formats.duration(max(now - moment, timedelta(0)), language)


def _choose(screen: Screen, view: View) -> None:
    """Put a scene on a screen, or let it turn again: by name, until a time."""
    t, plan = screen.t, view.snapshot.city.wall
    titles = stages.titles(view, plan)
    with st.container(key="wall_choose", horizontal=True, gap="small", vertical_alignment="bottom"):
        if screen.person.kind == "demo":  # whoever puts something on the wall says who they are
            if "wall_actor" not in st.session_state:
                st.session_state["wall_actor"] = st.session_state.get("duty_name", "")
            st.session_state["duty_name"] = st.text_input(
                t("alert.name"), key="wall_actor", placeholder=t("alert.name_hint"), max_chars=80
            )
        where = st.selectbox(
            t("wall.screen"),
            [EVERY_SCREEN, *(one.key for one in plan.screens)],
            format_func=lambda key: (
                t("wall.every_screen") if key == EVERY_SCREEN else view.snapshot.city.site_name(key, view.language)
            ),
            key="wall_where",
        )
        scene = st.selectbox(
            t("wall.scene"), plan.scenes, format_func=lambda key: titles.get(key, key), key="wall_scene"
        )
        minutes = st.selectbox(
            t("wall.minutes"),
            MINUTES,
            index=1,
            format_func=lambda n: formats.duration(timedelta(minutes=n), view.language),
            key="wall_minutes",
        )
        until = screen.line.clock.now() + timedelta(minutes=int(minutes))
        deed = Deed(action="show_on_wall", screen=str(where), scene=str(scene), until=until)
        st.button(t("wall.show"), type="primary", key="do_show_on_wall", on_click=do, args=(screen, deed))
        stays = _shown(screen, view, plan.screen("" if where == EVERY_SCREEN else str(where)) or plan.screens[0]).scene
        if stays in plan.scenes:
            pause = Deed(action="show_on_wall", screen=str(where), scene=stays, until=until)
            st.button(t("wall.pause"), key="do_show_on_wall:pause", on_click=do, args=(screen, pause))
        st.button(
            t("wall.release"),
            key="do_release_wall",
            on_click=do,
            args=(screen, Deed(action="release_wall", screen=str(where))),
        )


def _letters(screen: Screen) -> str:
    """How high the letters of each screen are for its farthest reader, and how to measure it with a ruler."""
    snapshot, language = screen.snapshot, screen.language
    rows = [
        {
            "key": plan.key,
            "name": plan.name(language),
            "width": formats.number(plan.width_mm, 0, language),
            "viewer": formats.number(plan.viewer_m, 1, language),
            "scale": formats.number(plan.scale, 2, language),
            "reach": formats.number(farthest_m(plan.width_mm, plan.scale), 1, language),
            "needed": formats.number(least_font_mm(plan.viewer_m), 0, language),
            "texts": [(size, arcmin(size, plan.width_mm, plan.viewer_m, plan.scale)) for size in TEXTS_U],
        }
        for plan in snapshot.city.wall.screens
    ]
    return render.html(
        "wall_letters.html",
        snapshot,
        language,
        rows=rows,
        sizes=TEXTS_U,
        least=LEAST_ARCMIN,
        preferred=PREFERRED_ARCMIN,
        smallest=SMALLEST_U,
    )
