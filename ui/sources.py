"""Source health: one row per source, with its error in words, its age, and what hides behind it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from core import formats
from core.calendar import LEAST_DAYS
from core.snapshot import RuleWords, SourceState
from ui import query, render
from ui.banner import banner
from ui.figure import by_key, figure
from ui.frame import strip
from ui.views import View

MOST_REASONS = 12
MOST_COLUMNS = 8  # of a source's files that nobody reads
CELLS = 96  # a day in quarter hours


def health(view: View) -> dict[str, str]:
    """Sources, quarantine, and the rules that stay off."""
    snapshot = view.snapshot
    rows = [_row(view, state) for state in snapshot.sources]
    rows.sort(key=lambda row: (row["order"], row["name"]))
    off = [rule for rule in snapshot.rules.values() if not rule.enabled]
    aside = query.set_aside(snapshot.made_at - timedelta(hours=24))
    counted = Counter(zip(aside["source"], aside["reason"], strict=True))
    body = render.html(
        "source_health.html",
        snapshot,
        view.language,
        view=view,
        rows=rows,
        off=off,
        mute=_mute(view),
        need=LEAST_DAYS,
        scale=_scale(view),
        reasons=[(source, reason, n) for (source, reason), n in counted.most_common(MOST_REASONS)],
        aside=len(aside),
        why=by_key(
            [
                figure(view, "source_state"),
                figure(view, "set_aside", formats.number(len(aside), 0, view.language)),
            ]
        ),
    )
    return {"strip": strip(view), "banner": banner(view), "body": body}


def _mute(view: View) -> list[tuple[RuleWords, int, int]]:
    """Rules that compare with the usual: at how many of their places they cannot speak at this hour, of how many."""
    snapshot, found = view.snapshot, []
    for rule in snapshot.rules.values():
        if rule.enabled and rule.against_usual:
            places = [one.site_id for one in snapshot.of(rule.observed_property)]
            known = [snapshot.usual(rule.observed_property, site_id, view.now) is not None for site_id in places]
            if not all(known):
                found.append((rule, known.count(False), len(known)))
    return found


def _scale(view: View) -> dict[str, object]:
    """The rules of the quality scale, and how each connector of this city stands to them."""
    standing = {state.source.connector: state.rules for state in view.snapshot.sources}
    connectors = sorted(standing)
    rules = next(iter(standing.values()), ())
    return {
        "connectors": connectors,
        "rules": [
            (step, english if view.language == "en" else vietnamese, [standing[one][place][3] for one in connectors])
            for place, (step, vietnamese, english, _) in enumerate(rules)
        ],
    }


def _row(view: View, state: SourceState) -> dict[str, object]:
    now, zone = view.now, view.zone
    hidden = sorted(
        {
            reading.item.name(view.language)
            for reading in view.snapshot.readings.values()
            if reading.source == state.source.key
        }
    )
    age = now - state.newest_at if state.newest_at else None
    late = age is not None and age > 3 * max(state.source.every, timedelta(minutes=5))
    word = "down" if state.up is False else "waiting" if state.up is None else "late" if late else "up"
    return {
        "order": {"down": 0, "late": 1, "waiting": 2, "up": 3}[word],
        "word": word,
        "name": state.source.name(view.language),
        "key": state.source.key,
        "kind": view.t(f"kind.{state.kind}"),
        "owner": state.source.owner,
        "contact": state.source.contact,
        "every": formats.duration(state.source.every, view.language),
        "newest": formats.moment(state.newest_at, now, zone) if state.newest_at else formats.DASH,
        "age": formats.duration(age, view.language) if age is not None else formats.DASH,
        "since": formats.moment(state.since, now, zone) if state.since else "",
        "error": state.error,
        "error_kind": state.error_kind or "unavailable",
        "error_words": view.t(f"source.error_{state.error_kind}") if state.error_kind else "",
        "rows": formats.number(state.rows, 0, view.language),
        "set_aside": state.set_aside,
        "problems": state.problems[:20],
        "more": max(len(state.problems) - 20, 0),
        "left_out": state.left_out[:MOST_COLUMNS],
        "more_left_out": max(len(state.left_out) - MOST_COLUMNS, 0),
        "hides": ", ".join(hidden),
        "cells": _cells(view, state.source.key),
        "attribution": state.attribution,
        "licence": state.licence,
        "connector": state.source.connector,
        "grade": view.t(f"source.grade_{state.grade or 'none'}"),
    }


def _cells(view: View, key: str) -> list[str]:
    """The last 24 hours in quarter hours: up, down, or nothing known."""
    recent = view.snapshot.recent.get(("source_up", key))
    cells = [""] * CELLS
    if recent is None:
        return cells
    start = view.now - timedelta(hours=24)
    for moment, value in zip(recent["time"], recent["value"], strict=True):
        cell = min(int((moment.to_pydatetime() - start).total_seconds() // 900), CELLS - 1)
        if cell >= 0:
            cells[cell] = "down" if value < 1 or cells[cell] == "down" else "up"
    return cells
