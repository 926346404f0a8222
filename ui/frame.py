"""What every screen begins with: the person, title, style, navigation, strip, and the region that refreshes itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

from charts.theme import DESK, WALL, Theme, css_variables
from core.access import ROLES, Person, may_see
from core.feed import Feed, Frame
from core.i18n import DEFAULT_LANGUAGE, LANGUAGES, Translator
from core.snapshot import Snapshot
from pipeline import Line
from ui import panel, people, render, server, tour
from ui.server import HOME
from ui.views import View

ROOT = Path(__file__).resolve().parent.parent
FAVICON = ROOT / "ui" / "assets" / "favicon.png"
FIRST_LOOK_S = 1
REFRESH_S = 5  # how often a viewer asks whether there is a newer snapshot
MAIN = (HOME, "brief", "traffic", "environment", "services", "map", "trends", "alert_desk")  # one line at 1366 pixels
MORE = {  # the menu behind them, by what a person came for
    "decide": ("citizens", "pilots", "links", "roadmap"),
    "watch": ("wall", "wall_desk", "handover", "alarm_health", "rule_trial", "messages", "drill"),
    "data": ("source_health", "intake", "layers", "audit"),
    "learn": ("guide",),
}
ORDER = (*MAIN, *(name for group in MORE.values() for name in group))
LIVE_PATH = "/api/live"
LONGEST_NAME = 28  # letters in the navigation; the menu behind it tells the whole name
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~:$&@/])")


@dataclass(frozen=True, slots=True)
class Following:
    """What an open page follows: its parts for every new snapshot, built once for all who look at the same."""

    line: Line
    person: Person
    language: str
    look: Theme
    key: Hashable
    build: Callable[[View], dict[str, str]]

    def parts(self, snapshot: Snapshot) -> dict[str, str]:
        """The parts of a snapshot."""
        return render.shared(self.key, snapshot, lambda: self.build(View(snapshot, self.language, self.look)))

    def frame(self) -> Frame | None:
        """What the page shows now; None once the person may see nothing."""
        snapshot = people.seen_by(self.person, self.line)
        if snapshot is None:
            return None
        mark = (self.key, snapshot.city.key, snapshot.number, snapshot.made_at)
        return Frame(mark, lambda: self.parts(snapshot))


@dataclass(frozen=True, slots=True)
class Screen:
    """One open screen of one viewer."""

    key: str
    language: str
    t: Translator
    line: Line
    look: Theme
    waiting: bool  # opened before the server had its first snapshot
    opened_by: Person

    @property
    def person(self) -> Person:
        """Who is before this screen now; without any right once their sign-in has ended."""
        return people.present(self.opened_by)

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture of the person's areas. A sign-in that has ended runs the page anew, which says so."""
        person = self.person
        if person.role not in ROLES:
            st.rerun()
        return self.line.scoped(person.areas)

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
        """A region that shows `build(view)` and follows the snapshots; built once for all viewers of one language
        and the same areas.

        `choice` must hold everything else that the built parts depend on.
        """

        key = (self.key, self.language, self.opened_by.areas, choice)
        follow = Following(self.line, self.opened_by, self.language, self.look, key, build)

        @st.fragment(run_every=FIRST_LOOK_S if self.waiting else None)
        def region() -> None:
            snapshot = self.snapshot
            self.leave_waiting()
            live = {"ticket": self.ticket(follow.frame), "path": LIVE_PATH, "number": snapshot.number}
            panel.panel(f"panel_{self.key}", follow.parts(snapshot), on_deed, live)
            self.beat(snapshot)

        region()

    def ticket(self, frame: Callable[[], Frame | None], wall_screen: str = "") -> str:
        """The ticket of this open page, or of one screen of the wall; the same through all its runs."""
        kept = f"_ticket_{self.key}_{wall_screen}"
        asked = None if wall_screen else people.asks_why(self.line, self.opened_by)
        feed = Feed(person=self.opened_by, frame=frame, screen=wall_screen, asked=asked)
        st.session_state[kept] = server.TICKETS.give(feed, st.session_state.get(kept, ""))
        return str(st.session_state[kept])

    def watch(self) -> None:
        """Only the status strip and the sign of life, for pages whose body is made of widgets."""
        self.live(lambda view: {"strip": strip(view)})

    def beat(self, snapshot: Snapshot) -> None:
        """The clock and sign of life of this screen, and the marks that stand on all of it."""
        now = self.line.clock.now()
        offset = now.astimezone(snapshot.city.zone).utcoffset()
        minutes = int(offset.total_seconds() // 60) if offset else 0
        panel.beat(
            f"beat_{self.key}",
            now_ms=int(now.timestamp() * 1000),
            offset_min=minutes,
            speed=snapshot.speed,
            number=snapshot.number,
            made_ms=int(snapshot.made_at.timestamp() * 1000),
            lost=self.t("state.connection_lost", at="{at}"),  # the browser knows what it painted last
            wall=self.look is WALL,
        )
        panel.panel(f"mark_{self.key}", {"mark": self._mark(snapshot)})

    def _mark(self, snapshot: Snapshot) -> str:
        wall = self.look is WALL
        return render.html("mark.html", snapshot, self.language, wall=wall, demo=wall and people.demo_only())


def open_screen(key: str, *, wall: bool = False) -> Screen:
    """First call of every page: who is it, title, style, navigation. Returns the screen to draw on.

    Whoever may not see the page reads why, and the page's own script ends here.
    """
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
    words = json.dumps(t("state.defect"), ensure_ascii=False)
    st.html(f"<style>{_style(wall)}\n:root{{--defect:{words}}}</style>")
    try:
        person = people.who(key)
    except people.Stopped as stopped:
        _gate(stopped, language, t, line)
        st.stop()
    if not wall and person.kind != "wall":
        _navigation(key, language, t, line, person)
        if may_see(person, key):
            tour.offer(person, key, t)
    waiting = line.snapshot.number == 0
    screen = Screen(key=key, language=language, t=t, line=line, look=look, waiting=waiting, opened_by=person)
    if not may_see(person, key):
        people.refused(person, key)
        if person.kind != "wall":
            screen.watch()
        say(t("people.not_yours"), t("people.not_yours_how"), language, line)
        st.stop()
    people.counted(line, person, key)
    return screen


def strip(view: View) -> str:
    """The status strip under the navigation: open alerts, sources, simulated mark, clock."""
    return render.html("strip.html", view.snapshot, view.language, view=view, demo=people.demo_only())


def _gate(stopped: people.Stopped, language: str, t: Translator, line: Line) -> None:
    """In place of a page: sign in, sign in again, or ask for a role. Nothing of the city is shown."""
    say(t(f"people.{stopped.why}"), t(f"people.{stopped.why}_how"), language, line)
    with st.container(key="gate_deeds", horizontal=True, horizontal_alignment="center"):
        if stopped.why == people.ROLELESS and stopped.person is not None:
            st.text(t("people.account", account=stopped.person.account))
            st.button(t("people.sign_out"), key="gate_sign_out", on_click=people.sign_out, args=(stopped.person,))
        else:
            st.button(t("people.sign_in"), key="gate_sign_in", type="primary", on_click=people.sign_in)


def say(title: str, text: str, language: str, line: Line) -> None:
    """In place of a page: why it shows nothing, and what to do."""
    panel.panel("gate", {"gate": render.html("gate.html", line.snapshot, language, title=title, text=text)})


@cache
def _style(wall: bool) -> str:
    base = (ROOT / "ui" / "assets" / "house.css").read_text(encoding="utf-8")
    assets = ROOT / "ui" / "assets"
    look = "wall" if wall else "desk"
    files = [f"{look}.css", *sorted(path.name for path in assets.glob(f"{look}_*.css"))]
    own = "\n".join((assets / name).read_text(encoding="utf-8") for name in files)
    gate = (ROOT / "ui" / "assets" / "people.css").read_text(encoding="utf-8")
    return f":root{{{css_variables(WALL if wall else DESK)}}}\n{base}\n{own}\n{gate}"


def _navigation(key: str, language: str, t: Translator, line: Line, person: Person) -> None:
    """One line of links to what the person may see; each keeps the language, so a bookmark restores the view."""
    keep: dict[str, Any] = {} if language == DEFAULT_LANGUAGE else {"lang": language}
    seen = [name for name in pages() if may_see(person, name)]
    with st.container(key="nav", horizontal=True, gap="small", vertical_alignment="center"):
        st.html(render.html("brand.html", line.snapshot, language))
        for name in [name for name in seen if name in MAIN]:
            _link(name, key, t, keep)
        rest = [name for name in seen if name not in MAIN]
        if rest:
            here = key in rest
            slot, label = ("nav_more_here", t(f"page.{key}")) if here else ("nav_more", t("people.more"))
            with st.container(key=slot, width="content"), st.popover(label, key="nav_menu"):
                _menu(rest, key, t, keep)
        if may_see(person, "guide"):
            help_here = {**keep, "screen": key}
            with st.container(key="nav_help", width="content"):
                st.page_link(
                    "pages/guide.py", label=t("guide.help"), help=t("guide.help_words"), query_params=help_here
                )
        with st.container(key="nav_person", width="content"), st.popover(_plain(_name(person, t)), key="person_menu"):
            _person(person, t, line, language)
        other = "en" if language == "vi" else "vi"
        path = "dashboard.py" if key == HOME else f"pages/{key}.py"
        with st.container(key="nav_language", width="content"):
            st.page_link(
                path, label=t("word.other_language"), query_params={**st.query_params.to_dict(), "lang": other}
            )


def _menu(rest: Sequence[str], key: str, t: Translator, keep: dict[str, Any]) -> None:
    """The other screens under the question that they answer; one that no group names stands at the end."""
    grouped = {name for group in MORE.values() for name in group}
    groups = {**MORE, "learn": (*MORE["learn"], *(name for name in rest if name not in grouped))}
    with st.container(key="nav_groups", horizontal=True, gap="medium", vertical_alignment="top"):
        for group, names in groups.items():
            seen = [name for name in names if name in rest]
            if seen:
                with st.container(key=f"nav_group_{group}", width="content", gap="small"):
                    st.caption(t(f"nav.{group}"))
                    for name in seen:
                        _link(name, key, t, keep)


def _link(name: str, key: str, t: Translator, keep: dict[str, Any]) -> None:
    path = "dashboard.py" if name == HOME else f"pages/{name}.py"
    with st.container(key=f"nav_{name}_here" if name == key else f"nav_{name}", width="content"):
        st.page_link(path, label=t(f"page.{name}"), query_params=keep)


def _name(person: Person, t: Translator) -> str:
    return person.name or (t("people.demo") if person.kind == people.DEMO else person.account)


def _plain(text: str) -> str:
    """Text from outside as a label, which Streamlit would read as markdown: a name must not become a link."""
    one_line = " ".join(text.split())
    short = one_line if len(one_line) <= LONGEST_NAME else one_line[: LONGEST_NAME - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", short)


def _person(person: Person, t: Translator, line: Line, language: str) -> None:
    """Behind the name: account, role, areas, and the way out."""
    st.text(_name(person, t)[:200])
    st.text(t("people.has_role", role=t(f"people.role_{person.role}")))
    if person.areas is not None:
        column = "name_en" if language == "en" else "name_vi"
        names = [str(line.city.areas.at[code, column]) for code in sorted(person.areas)]
        st.text(t("people.areas", names=", ".join(names)))
    if person.kind == people.DEMO:
        st.text(t("people.no_login"))
        st.selectbox(
            t("people.try_role"),
            ROLES,
            index=ROLES.index(person.role),
            format_func=lambda role: t(f"people.role_{role}"),
            key="demo_role_choice",
            on_change=_try_role,
        )
    else:
        st.button(t("people.sign_out"), key="sign_out", on_click=partial(people.sign_out, person))


def _try_role() -> None:
    people.choose_role(str(st.session_state["demo_role_choice"]))


@cache
def pages() -> tuple[str, ...]:
    """All screens, found by folder scan: the known ones in their order, new ones after them."""
    found = {HOME, *(path.stem for path in (ROOT / "pages").glob("*.py"))}
    return (*[name for name in ORDER if name in found], *sorted(found - set(ORDER)))
