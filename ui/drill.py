"""Drills: the script so far and the live score while one runs, how to start one, and the scores of earlier shifts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from alerts.deeds import Deed
from alerts.drill import WRONG, Answer, Score
from alerts.refusals import Refused
from core import formats
from core.access import Denied, may
from core.formats import DASH
from ui import panel, render
from ui.frame import Screen

MOST_EARLIER = 30


def drills(screen: Screen) -> None:
    """The whole page below the strip."""

    @st.fragment(run_every=screen.refresh_s)
    def region() -> None:
        notice = st.session_state.pop("drill_notice", "")
        if notice:
            st.text(notice)
        running, score = screen.line.drill, screen.line.drill_score()
        if running is not None:
            panel.panel("drill_now", {"now": _now(screen, running.started_at, running.shift, score)})
            if may(screen.person, "end_drill"):
                _end_button(screen)
        else:
            panel.panel("drill_how", {"how": render.html("drill_how.html", screen.snapshot, screen.language)})
        panel.panel("drill_earlier", {"earlier": _earlier(screen, screen.line.drill_scores())})

    region()


def _now(screen: Screen, started_at: datetime, shift: str, score: Score | None) -> str:
    snapshot, zone = screen.snapshot, screen.snapshot.city.zone
    now = screen.line.clock.now()
    passed = max(now - started_at, timedelta(0))
    played = [
        {
            "at": formats.clock(started_at + timedelta(minutes=beat.at_min), zone),
            "minute": formats.number(beat.at_min, 0, screen.language),
            "title": beat.title(screen.language),
        }
        for beat in screen.line.drill_script()
        if timedelta(minutes=beat.at_min) <= passed
    ]
    return render.html(
        "drill_now.html",
        snapshot,
        screen.language,
        shift=shift,
        time_now=formats.clock(now, zone),
        passed=formats.duration(passed, screen.language),
        beats=played[::-1],
        all_beats=len(screen.line.drill_script()),
        score=None if score is None else _score(screen, score),
        score_at=None if score is None else formats.clock(score.ended_at, zone),
        criticals=[] if score is None else [_critical(screen, score, one) for one in score.criticals],
    )


def _score(screen: Screen, score: Score) -> dict[str, Any]:
    language = screen.language
    return {
        "grade": score.grade,
        "annunciations": score.annunciations,
        "answered": score.answered,
        "median": _minutes(score.ack_median_min, language),
        "median_open": score.ack_median_open,
        "criticals": len(score.criticals),
        "missed": score.missed,
        "wrong": [(name, score.wrong[name]) for name in WRONG],
        "wrong_deeds": score.wrong_deeds,
    }


def _critical(screen: Screen, score: Score, answer: Answer) -> dict[str, Any]:
    zone = screen.snapshot.city.zone
    words = screen.snapshot.rules.get(answer.rule)
    return {
        "title": words.title[screen.language] if words else answer.rule,
        "place": screen.line.city.site_name(answer.site_id, screen.language),
        "rang": formats.clock(answer.rang_at, zone),
        "due": formats.clock(answer.due_at, zone),
        "took": formats.duration(timedelta(minutes=answer.minutes(score.ended_at)), screen.language),
        "by": answer.acked_by,
        "missed": answer.missed,
    }


def _minutes(value: float | None, language: str) -> str:
    return DASH if value is None else formats.duration(timedelta(minutes=value), language)


def _end_button(screen: Screen) -> None:
    t = screen.t
    with st.popover(t("drill.end")):
        st.caption(t("drill.end_note"))
        st.button(t("drill.end_now"), type="primary", key="drill_end", on_click=_end, args=(screen,))


def _end(screen: Screen) -> None:
    """The deed goes through the one gate, which may refuse it whatever this screen shows."""
    try:
        screen.line.act(screen.person, Deed(action="end_drill"))
    except (Denied, Refused) as refusal:
        st.session_state["drill_notice"] = refusal.words(screen.language)
    else:
        st.session_state["drill_notice"] = screen.t("drill.ended")


def _earlier(screen: Screen, scores: Sequence[Mapping[str, Any]]) -> str:
    snapshot, zone, language = screen.snapshot, screen.snapshot.city.zone, screen.language
    rows = []
    for one in scores[:MOST_EARLIER]:
        started = datetime.fromisoformat(str(one["started_at"]))
        ended = datetime.fromisoformat(str(one["ended_at"]))
        rows.append(
            {
                "day": formats.day(started, zone, language),
                "from": formats.clock(started, zone),
                "lasted": formats.duration(ended - started, language),
                "shift": str(one["shift"]),
                "scenario": str(one["scenario"]),
                "grade": str(one["grade"]),
                "annunciations": int(one["annunciations"]),
                "answered": int(one["answered"]),
                "median": _minutes(one["ack_median_min"], language),
                "median_open": bool(one["ack_median_open"]),
                "criticals": len(one["criticals"]),
                "missed": int(one["missed"]),
                "wrong": int(one["wrong_deeds"]),
                "beats": f"{one['beats_played']}/{one['beats']}",
            }
        )
    return render.html("drill_earlier.html", snapshot, language, rows=rows, more=max(len(scores) - MOST_EARLIER, 0))
