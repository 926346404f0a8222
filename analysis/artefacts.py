"""Steps that are no news: a series jumps where its source was repaired, re-synchronised, or its formula changed.

A ranking once rose from 69 to 92 of a hundred because an interface was repaired. So each thing that happens to data,
not to the city, is an event with a beginning and an end, and every series that hangs on it is tested there:

    before, after   the last and first SIDE values outside of the event (at least LEAST on both sides)
    D               median(after) - median(before), of the deviations from the usual where a usual is known
    noise           1.4826 · median |value - median of its own side|, at least the last decimal that is shown
    habit           the largest |D| at any split of the HISTORY values before the event
    step            |D| > 5 · noise and |D| > 1.5 · habit

Medians and MAD withstand single wild values (Hampel 1974); the habit keeps a morning's rise from looking like a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.catalogue import Catalogue
from core.quality import FORMULA, REPAIR, RESYNC, Artefact

SIDE = 12
LEAST = 4
HISTORY = 60
NOISES = 5.0
HABITS = 1.5
MAD_TO_SIGMA = 1.4826
LEAST_REVISED = 20  # corrections that come in one moment are a re-synchronisation, fewer are corrections
RESYNC_SPAN = timedelta(
    hours=2
)  # an ordinary answer corrects the last hours; a re-synchronisation reaches further back
Usual = Callable[[str, str, datetime], float | None]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to data between two moments; the same moment twice for a change of formula."""

    cause: str  # repair | resync | formula
    source: str  # of a formula: the indicator
    begins: datetime
    ends: datetime


def repairs(source_up: pd.DataFrame) -> list[Event]:
    """Each silence of a source that ended: source_up rows (site_id: the source) -> from last word to next."""
    found = []
    for source, rows in source_up.sort_values("time").groupby("site_id"):
        up = rows["value"].to_numpy() > 0
        times = rows["time"].tolist()
        for place in np.flatnonzero(~up[:-1] & up[1:]) + 1:
            down = place - 1
            while down > 0 and not up[down - 1]:
                down -= 1
            begins = times[down - 1] if down else times[0]
            found.append(Event(cause=REPAIR, source=str(source), begins=_moment(begins), ends=_moment(times[place])))
    return found


def resyncs(revisions: pd.DataFrame) -> list[Event]:
    """Where many values of a source were corrected at one time: both ends of what was rewritten may be steps.

    `revisions`: the one frame + superseded_at (Store.read_revisions).
    """
    found = []
    for (source, _), rows in revisions.groupby(["source", "superseded_at"]):
        first, last = _moment(rows["time"].min()), _moment(rows["time"].max())
        if len(rows) >= LEAST_REVISED and last - first >= RESYNC_SPAN:
            found += [
                Event(cause=RESYNC, source=str(source), begins=edge, ends=edge)
                for edge in (first - timedelta(seconds=1), last)
            ]
    return found


def formula_events(changes: pd.DataFrame, catalogue: Catalogue) -> list[Event]:
    """Changes of formula that the store noted."""
    return [
        Event(cause=FORMULA, source=str(key), begins=_moment(at), ends=_moment(at))
        for key, at in zip(changes["observed_property"], changes["changed_at"], strict=True)
        if key in catalogue
    ]


def touched(event: Event, given: Mapping[str, Iterable[str]], catalogue: Catalogue) -> list[str]:
    """The properties that an event may have moved: what the source gives, and what is computed from that, in turn.

    `given`: source -> properties that it gives.
    """
    known = {event.source} if event.cause == FORMULA else set(given.get(event.source, ()))
    grown = True
    while grown:
        further = {one.key for one in catalogue.indicators() if one.key not in known and known.intersection(one.needs)}
        grown = bool(further)
        known |= further
    return sorted(key for key in known if key in catalogue and catalogue[key].domain != "operations")


def steps(rows: pd.DataFrame, event: Event, catalogue: Catalogue, usual: Usual) -> list[Artefact]:
    """The series of these rows (the one frame, usable values) that jump at the event."""
    found = []
    for (key, site_id), series in rows.sort_values("time").groupby(["observed_property", "site_id"]):
        item = catalogue[str(key)]
        tolerance = item.period / 2
        times = series["time"].dt.to_pydatetime()
        values = series["value"].to_numpy(dtype=np.float64)
        expected = [usual(str(key), str(site_id), moment) for moment in times]
        known = all(one is not None for one in expected)
        judged = values - np.array(expected, dtype=np.float64) if known else values
        is_before = np.array([moment <= event.begins + tolerance for moment in times])
        is_after = np.array([moment > event.ends - tolerance for moment in times]) & ~is_before
        before, after = np.flatnonzero(is_before)[-HISTORY:], np.flatnonzero(is_after)[:SIDE]
        if jumps(judged[before], judged[after], 10.0**-item.decimals):
            found.append(
                Artefact(
                    observed_property=str(key),
                    site_id=str(site_id),
                    at=times[after[0]],
                    cause=event.cause,
                    source=event.source,
                    before=float(np.median(values[before[-SIDE:]])),
                    after=float(np.median(values[after])),
                )
            )
    return found


def jumps(history: Floats, after: Floats, resolution: float) -> bool:
    """True when `after` lies apart from the end of `history` as the history itself never did (see above)."""
    before = history[-SIDE:]
    if len(before) < LEAST or len(after) < LEAST:
        return False
    step = abs(float(np.median(after) - np.median(before)))
    apart = np.concatenate((np.abs(before - np.median(before)), np.abs(after - np.median(after))))
    noise = max(MAD_TO_SIGMA * float(np.median(apart)), resolution)
    return step > NOISES * noise and step > HABITS * _habit(history, len(after))


def _habit(history: Floats, length: int) -> float:
    """The largest difference of medians between neighbouring stretches of the history itself."""
    found = [
        abs(float(np.median(history[place : place + length]) - np.median(history[max(place - SIDE, 0) : place])))
        for place in range(LEAST, len(history) - length + 1)
    ]
    return max(found, default=0.0)


def once(marks: Iterable[Artefact]) -> tuple[Artefact, ...]:
    """Every step once, newest first: two events that end together explain one step."""
    kept: dict[Any, Artefact] = {}
    for mark in marks:
        kept.setdefault((mark.observed_property, mark.site_id, mark.at), mark)
    return tuple(sorted(kept.values(), key=lambda one: (-one.at.timestamp(), one.observed_property, one.site_id)))


def _moment(stamp: Any) -> datetime:
    moment: datetime = pd.Timestamp(stamp).to_pydatetime()
    return moment
