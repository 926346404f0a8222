"""One HTML panel: patches only the parts that changed, and reports deeds back.

`st.html` strips SVG, so HTML goes through this component. That path is trusted: every string in it comes from a
template with autoescape or from charts/, which escapes too. A part whose text is the same is not touched, so nothing
flashes, an open detail stays open and a focused row stays focused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

ASSETS = Path(__file__).resolve().parent / "assets"


@cache
def _script(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


_PANEL = st.components.v2.component(
    "city_panel",
    html='<div class="panel-root"></div>',
    js=_script("live.js") + _script("panel.js"),
    isolate_styles=False,
)
_BEAT = st.components.v2.component(
    "city_beat", html='<div class="beat-root"></div>', js=_script("beat.js"), isolate_styles=False
)
_PICTURE = st.components.v2.component(
    "city_picture", html='<button class="button"></button>', js=_script("picture.js"), isolate_styles=False
)
_TOUR = st.components.v2.component("city_tour", html="<div></div>", js=_script("tour.js"), isolate_styles=False)
_READY = st.components.v2.component("city_ready", html="<div></div>", js=_script("ready.js"), isolate_styles=False)


def panel(
    key: str,
    parts: Mapping[str, str],
    on_deed: Callable[[], None] | None = None,
    live: Mapping[str, Any] | None = None,
) -> Any:
    """Show HTML parts by name. A click or key on [data-deed] comes back as the trigger `deed` of the component.

    With `live` (ticket, path, number of the snapshot …) the browser follows them by itself from here on: `api.live`.
    """
    data = {"parts": dict(parts)} | ({"live": dict(live)} if live else {})
    return _PANEL(key=key, data=data, on_deed_change=on_deed or (lambda: None))


def beat(
    key: str, *, now_ms: int, offset_min: int, speed: float, number: int, made_ms: int, lost: str, wall: bool
) -> None:
    """The server's clock and a sign of life; the browser covers the screen with `lost` when it stops."""
    _BEAT(
        key=key,
        data={
            "now_ms": now_ms,
            "offset_min": offset_min,
            "speed": speed,
            "number": number,
            "made_ms": made_ms,
            "lost": lost,
            "wall": wall,
        },
    )


def picture(
    key: str,
    *,
    canvas: str,
    label: str,
    failed: str,
    name: str,
    title: str,
    told: Sequence[str],
    legend: Sequence[tuple[str, str]],
    on_taken: Callable[[], None],
) -> None:
    """A button that saves the maps inside of `canvas` (a CSS selector) as PNG, with title, legend and lines below."""
    _PICTURE(
        key=key,
        data={
            "canvas": canvas,
            "label": label,
            "failed": failed,
            "name": name,
            "title": title,
            "told": list(told),
            "legend": [list(one) for one in legend],
        },
        on_taken_change=on_taken,
    )


def tour(key: str, data: Mapping[str, Any]) -> None:
    """Steps of a guided tour (key, language, steps, words); the browser knows whether they are to be shown."""
    _TOUR(key=key, data=dict(data))


def canvas(key: str) -> str:
    """What the browser can draw: «webgl», «none», or «» until it has answered and its fonts are loaded."""
    # Drawn every time: without it the map behind it would move up one place, and the browser would build it anew.
    answer = _READY(key=key, default={"canvas": ""}, on_canvas_change=lambda: None)
    known = str(st.session_state.get("canvas_known") or getattr(answer, "canvas", "") or "")
    st.session_state["canvas_known"] = known
    return known
