"""What every screen begins with: title, style, navigation, status strip, and the live region that refreshes itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from charts.theme import DESK, WALL, Theme, css_variables
from core.i18n import DEFAULT_LANGUAGE, LANGUAGES, Translator
from core.snapshot import Snapshot
from pipeline import Line
from ui import panel, render, server
from ui.views import View

ROOT = Path(__file__).resolve().parent.parent
FAVICON = ROOT / "ui" / "assets" / "favicon.png"
FIRST_LOOK_S = 1
REFRESH_S = 5  # how often a viewer asks whether there is a newer snapshot
HOME = "overview"
ORDER = (HOME, "traffic", "environment", "services", "map", "trends", "alert_desk", "source_health", "wall")


@dataclass(frozen=True, slots=True)
class Screen:
    """One open screen of one viewer."""

    key: str
    language: str
    t: Translator
    line: Line
    look: Theme
    waiting: bool  # opened before the server had its first snapshot

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture of the city."""
        return self.line.snapshot

    def view(self) -> View:
        """The newest picture in this screen's words and colours."""
        return View(self.snapshot, self.language, self.look)

    @property
    def refresh_s(self) -> float:
        """How often a region looks for a newer snapshot: eagerly until the first one of a new server is there."""
        return FIRST_LOOK_S if self.waiting else REFRESH_S

    @property
    def redraw_s(self) -> float:
        """How often charts and maps are drawn anew: with the cycle, not with every look."""
        return max(self.line.city.cycle.total_seconds() / self.snapshot.speed, self.refresh_s)

    def leave_waiting(self) -> None:
        """When the first snapshot has come, run the whole page once more at its ordinary rhythm."""
        if self.waiting and self.snapshot.number > 0:
            st.rerun()

    def live(
        self,
        build: Callable[[View], dict[str, str]],
        *,
        on_deed: Callable[[], None] | None = None,
        choice: object = None,
    ) -> None:
        """A region that shows `build(view)` and follows the snapshots; built once for all viewers of one language.

        `choice` must hold everything else that the built parts depend on.
        """

        @st.fragment(run_every=self.refresh_s)
        def region() -> None:
            snapshot = self.snapshot
            self.leave_waiting()
            key = (self.key, self.language, choice)
            parts = render.shared(key, snapshot, lambda: build(View(snapshot, self.language, self.look)))
            panel.panel(f"panel_{self.key}", parts, on_deed)
            self.beat(snapshot)

        region()

    def watch(self) -> None:
        """Only the status strip and the sign of life, for pages whose body is made of widgets."""
        self.live(lambda view: {"strip": strip(view)})

    def beat(self, snapshot: Snapshot) -> None:
        """The clock and sign of life of this screen."""
        now = self.line.clock.now()
        offset = now.astimezone(snapshot.city.zone).utcoffset()
        minutes = int(offset.total_seconds() // 60) if offset else 0
        made = snapshot.made_at.astimezone(snapshot.city.zone).strftime("%H:%M")
        panel.beat(
            f"beat_{self.key}",
            now_ms=int(now.timestamp() * 1000),
            offset_min=minutes,
            speed=snapshot.speed,
            number=snapshot.number,
            lost=self.t("state.connection_lost", at=made),
            wall=self.look is WALL,
        )


def open_screen(key: str, *, wall: bool = False) -> Screen:
    """First call of every page: title, style, navigation. Returns the screen to draw on."""
    language = str(st.query_params.get("lang", DEFAULT_LANGUAGE))
    if language not in LANGUAGES:
        language = DEFAULT_LANGUAGE
    t = Translator(language)
    line = server.start()
    look = WALL if wall else DESK
    st.set_page_config(
        page_title=f"{t(f'page.{key}')} · {line.city.name(language)}",
        page_icon=str(FAVICON),
        layout="wide",
        initial_sidebar_state="collapsed",
    )
    st.html(f"<style>{_style(wall)}</style>")
    if not wall:
        _navigation(key, language, t, line)
    return Screen(key=key, language=language, t=t, line=line, look=look, waiting=line.snapshot.number == 0)


def strip(view: View) -> str:
    """The status strip under the navigation: open alerts, sources, simulated mark, clock."""
    return render.html("strip.html", view.snapshot, view.language, view=view)


@cache
def _style(wall: bool) -> str:
    base = (ROOT / "ui" / "assets" / "house.css").read_text(encoding="utf-8")
    own = (ROOT / "ui" / "assets" / ("wall.css" if wall else "desk.css")).read_text(encoding="utf-8")
    return f":root{{{css_variables(WALL if wall else DESK)}}}\n{base}\n{own}"


def _navigation(key: str, language: str, t: Translator, line: Line) -> None:
    """One line of links; each keeps the language, so a bookmark restores the view."""
    keep: dict[str, Any] = {} if language == DEFAULT_LANGUAGE else {"lang": language}
    with st.container(key="nav", horizontal=True, gap="small", vertical_alignment="center"):
        st.html(render.html("brand.html", line.snapshot, language))
        for name in pages():
            path = "dashboard.py" if name == HOME else f"pages/{name}.py"
            slot = f"nav_{name}_here" if name == key else f"nav_{name}"
            with st.container(key=slot, width="content"):
                st.page_link(path, label=t(f"page.{name}"), query_params=keep)
        other = "en" if language == "vi" else "vi"
        here = "dashboard.py" if key == HOME else f"pages/{key}.py"
        with st.container(key="nav_language", width="content"):
            st.page_link(
                here, label=t("word.other_language"), query_params={**st.query_params.to_dict(), "lang": other}
            )


@cache
def pages() -> tuple[str, ...]:
    """All screens, found by folder scan: the known ones in their order, new ones after them."""
    found = {HOME, *(path.stem for path in (ROOT / "pages").glob("*.py"))}
    return (*[name for name in ORDER if name in found], *sorted(found - set(ORDER)))
