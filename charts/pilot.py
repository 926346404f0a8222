"""A pilot as pictures: its own path against «had nothing been done», and the pilot among its placebos.

Lines differ in stroke and carry their names at the end, so that nothing hangs on colour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, cast

import altair as alt
import numpy as np
import pandas as pd

from charts.theme import Theme, altair_config
from core.formats import number

OWN, MIX, OTHERS = "own", "mix", "others"
STROKES: Mapping[str, tuple[list[int], float]] = {OWN: ([1, 0], 2.6), MIX: ([7, 4], 2.0), OTHERS: ([1, 0], 1.1)}
NAMES_SHARE = 0.24  # of the width stands right of the last value
LABEL_PITCH = 0.085  # of the height, at least, between two names


def path(
    days: Sequence[date],
    lines: Mapping[str, Sequence[float]],
    *,
    starts: date,
    names: Mapping[str, str],
    start_word: str,
    unit: str,
    decimals: int,
    language: str = "vi",
    theme: Theme,
    height: int = 280,
) -> alt.LayerChart:
    """Means of the treated units (OWN) and of what they are compared with, with the start marked.

    `lines`: OWN, MIX, OTHERS -> one value per day. Show it with theme=None.
    """
    shades = {OWN: theme.ink1, MIX: theme.focus, OTHERS: theme.ink3}
    drawn = [key for key in (OTHERS, MIX, OWN) if key in lines]
    found = np.concatenate([np.asarray(lines[key], dtype=np.float64) for key in drawn])
    low, high = float(found.min()), float(found.max())
    pad = (high - low) * 0.1 or max(abs(high) * 0.1, 1.0)
    domain = [low - pad, high + pad]
    right = days[-1] + (days[-1] - days[0]) * NAMES_SHARE
    bounds = [alt.DateTime(year=one.year, month=one.month, date=one.day) for one in (days[0], right)]
    ticks = alt.Axis(format="%d/%m", tickCount=8, labelOverlap=True)
    x = alt.X("day:T", title=None, axis=ticks, scale=alt.Scale(domain=bounds, nice=False))
    y = alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=5), scale=alt.Scale(domain=domain, nice=False, zero=False))
    times = pd.DatetimeIndex([pd.Timestamp(one) for one in days])
    layers: list[Any] = []
    for key in drawn:
        frame = pd.DataFrame({"day": times, "value": lines[key]})
        frame["when"] = times.strftime("%d/%m/%Y")
        frame["words"] = [number(one, decimals, language) for one in frame["value"]]
        dash, width = STROKES[key]
        mark = alt.Chart(frame, name=key).mark_line(color=shades[key], strokeDash=dash, strokeWidth=width)
        told = [alt.Tooltip("when:N", title=" "), alt.Tooltip("words:N", title=names[key])]
        layers.append(mark.encode(x=x, y=y, tooltip=told))
    begun = pd.DataFrame({"day": [pd.Timestamp(starts)], "words": [start_word]})
    line = alt.Chart(begun, name="start").mark_rule(color=theme.ink2, strokeWidth=1.6).encode(x=x)
    word = alt.Chart(begun, name="start_word").mark_text(align="left", baseline="top", dx=5, fontSize=13)
    layers += [line, word.encode(x=x, y=alt.value(0), text="words:N")]
    ends = _apart({key: float(lines[key][-1]) for key in drawn}, (domain[1] - domain[0]) * LABEL_PITCH)
    for key in drawn:
        label = pd.DataFrame({"day": [times[-1]], "value": [ends[key]], "words": [names[key]]})
        text = alt.Chart(label, name=f"name_{key}").mark_text(
            align="left", dx=8, fontSize=13, color=shades[key], fontWeight=600 if key == OWN else 400, limit=230
        )
        layers.append(text.encode(x=x, y=y, text="words:N"))
    title = alt.TitleParams(text=unit, anchor="start", color=theme.ink3, fontSize=13, fontWeight=400, offset=8)
    chart = alt.layer(*layers).properties(width="container", height=height, title=title)
    return cast(alt.LayerChart, chart.configure(**altair_config(theme, language)))


def _apart(ends: dict[str, float], pitch: float) -> dict[str, float]:
    """Heights of the names, moved up until none covers another."""
    found: dict[str, float] = {}
    below = -np.inf
    for key in sorted(ends, key=ends.__getitem__):
        below = max(ends[key], below + pitch)
        found[key] = below
    return found


def among_placebos(
    placebos: Sequence[tuple[str, float]],
    *,
    effect: float,
    low: float | None,
    high: float | None,
    name: str,
    unit: str,
    decimals: int,
    language: str = "vi",
    theme: Theme,
    height: int = 280,
) -> alt.LayerChart:
    """The change of each control as if it had been treated, as dots; the pilot as a diamond with its 95 % interval.

    `placebos`: (name of the control, change); `low`, `high`: None where the interval has no end. With theme=None.
    """

    def said(value: float) -> str:
        return f"{number(value, decimals, language, signed=True)} {unit}".strip()

    rows = [{"name": one, "value": value, "words": said(value), "row": 1} for one, value in placebos]
    frame = pd.DataFrame(rows, columns=["name", "value", "words", "row"])
    own = pd.DataFrame([{"name": name, "value": effect, "words": said(effect), "row": 0}])
    reach = max(
        [abs(effect), *(abs(value) for _, value in placebos), *(abs(one) for one in (low, high) if one is not None)]
    )
    reach = 1.15 * (reach or 1.0)
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    x = alt.X("value:Q", title=unit or None, scale=scale, axis=alt.Axis(tickCount=7, grid=True, gridColor=theme.line))
    y = alt.Y("row:O", title=None, axis=None, scale=alt.Scale(domain=[0, 1], padding=0.5))
    told = [alt.Tooltip("name:N", title=" "), alt.Tooltip("words:N", title=" ")]
    zero = alt.Chart(pd.DataFrame({"value": [0.0]}), name="zero").mark_rule(color=theme.ink2, strokeWidth=1.4)
    dots = alt.Chart(frame, name="placebos").mark_point(
        size=90, filled=True, color=theme.line2, opacity=0.75, stroke=theme.panel, strokeWidth=1
    )
    layers: list[Any] = [zero.encode(x=x), dots.encode(x=x, y=y, tooltip=told)]
    if low is not None and high is not None:
        span = pd.DataFrame(
            [{"value": low, "end": high, "row": 0, "words": f"{said(low)} – {said(high)}", "name": name}]
        )
        bar = alt.Chart(span, name="interval").mark_rule(color=theme.ink1, strokeWidth=3)
        layers.append(bar.encode(x=x, x2="end:Q", y=y, tooltip=told))
    diamond = alt.Chart(own, name="pilot").mark_point(
        size=190, shape="diamond", filled=True, color=theme.ink1, opacity=1
    )
    text = alt.Chart(own, name="pilot_name").mark_text(dy=-20, fontSize=13, fontWeight=600, color=theme.ink1)
    layers += [diamond.encode(x=x, y=y, tooltip=told), text.encode(x=x, y=y, text="words:N")]
    chart = alt.layer(*layers).properties(width="container", height=height)
    return cast(alt.LayerChart, chart.configure(**altair_config(theme, language)))
