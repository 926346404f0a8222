"""The page of help: a search box over screens, words and keys, and each role's first five minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import guide
from core.access import ROLES, may_see
from core.alert import PRIORITIES
from ui import panel, render
from ui.frame import Screen, pages

LONGEST_SEARCH = 80


def show(screen: Screen) -> None:
    """The whole page below the strip. The choice lives in the address: /guide?screen=alert_desk opens that part."""
    with st.container(key="guide_choice"):
        st.text_input(
            screen.t("guide.search"),
            value=str(st.query_params.get("q", ""))[:LONGEST_SEARCH],
            key="guide_search",
            max_chars=LONGEST_SEARCH,
            placeholder=screen.t("guide.search_hint"),
            on_change=_asked,
        )
    asked = str(st.session_state.get("guide_search", "")).strip()
    panel.panel("guide", {"guide": body(screen, asked, str(st.query_params.get("screen", "")))})


def _asked() -> None:
    st.query_params["q"] = str(st.session_state.get("guide_search", ""))


def body(screen: Screen, asked: str, opened: str) -> str:
    """Everything that fits the search, as HTML; the screen that was asked for first and open."""
    language, t, view = screen.language, screen.t, screen.view()
    helps = [one for one in guide.screens() if one.key in pages()]
    helps.sort(key=lambda one: (one.key != opened, pages().index(one.key)))
    found = [
        one
        for one in helps
        if guide.matches(asked, t(f"page.{one.key}"), one.answers[language], one.read[language], one.act[language])
    ]
    topics = [
        (one.title[language], lines)
        for one in guide.topics()
        if (lines := _lines(one.lines[language], asked, one.title[language]))
    ]
    terms = [
        (one.word["vi"], one.word["en"], one.meaning[language])
        for one in guide.terms()
        if guide.matches(asked, *one.word.values(), *one.meaning.values())
    ]
    priorities = [
        (view.glyph(name, "UNACK", 24), t(f"priority.{name}"), t(f"guide.priority_{name}"))
        for name in reversed(PRIORITIES)
        if guide.matches(asked, t(f"priority.{name}"), t(f"guide.priority_{name}"), t("guide.priorities"))
    ]
    return render.html(
        "guide.html",
        view.snapshot,
        language,
        screens=[_screen(screen, one) for one in found],
        opened=opened,
        asked=asked,
        topics=topics,
        terms=terms,
        priorities=priorities,
        ways=[] if asked else _ways(screen),
        tours=[] if asked else _tours(screen),
        drill=may_see(screen.person, "drill"),
    )


def _lines(lines: Sequence[guide.Pair], asked: str, title: str) -> list[guide.Pair]:
    return [line for line in lines if guide.matches(asked, title, *line)]


def _screen(screen: Screen, one: guide.ScreenHelp) -> dict[str, Any]:
    language = screen.language
    return {
        "key": one.key,
        "name": screen.t(f"page.{one.key}"),
        "answers": one.answers[language],
        "read": one.read[language],
        "act": one.act[language],
        "go": one.key if may_see(screen.person, one.key) else "",
    }


def _ways(screen: Screen) -> list[dict[str, Any]]:
    """The ways of all roles, the reader's own first; links only to what the reader may see."""
    own = screen.person.role
    roles = sorted(ROLES, key=lambda role: role != own)
    return [
        {
            "role": role,
            "name": screen.t(f"people.role_{role}"),
            "own": role == own,
            "stations": [
                {
                    "name": screen.t(f"page.{one.page}"),
                    "words": one.words[screen.language],
                    "go": one.page if may_see(screen.person, one.page) else "",
                }
                for one in guide.ways()[role]
            ],
        }
        for role in roles
    ]


def _tours(screen: Screen) -> list[tuple[str, str]]:
    """(page, its name) of the tours of the reader's role."""
    own = [one.page for one in guide.tours() if one.role == screen.person.role]
    return [(page, screen.t(f"page.{page}")) for page in own if may_see(screen.person, page)]
