"""The last 24 hours of rain and of a river as SVG for the wall: bars per hour, and a level under its alarm lines.

Grey by default; only what is over its limit while an alert stands takes that alert's colour. An hour without a value
is a dashed box, never a bar of nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from charts.sparkline import Floats, gaps, runs, seconds, thinned
from charts.theme import SANS, Theme, text_width_px
from core.formats import clock, number

HOURS = 24
HOUR_S = 3600.0
LABEL_EVERY_HOURS = 6
LEAST_RAIN_MM = 5.0  # top of the scale in a dry day: a drizzle shall not look like a storm
MOST_POINTS = 240
TEXT_PX = 24.0

Times = Sequence[datetime] | pd.Series
Values = Sequence[float] | pd.Series


def hourly(at_s: Floats, values: Floats, until_s: float) -> list[tuple[float, float]]:
    """(end of the hour in seconds, its sum), newest first, from sums of 60 minutes that come more often than hourly.

    Whole hours are counted from the newest value, so that no minute is in two bars; NaN where nothing came.
    """
    keep = np.isfinite(values) & (at_s <= until_s) & (at_s > until_s - HOURS * HOUR_S)
    at_s, values = at_s[keep], values[keep]
    newest = float(at_s[-1]) if len(at_s) else until_s
    last = newest + (until_s - newest) // HOUR_S * HOUR_S
    bars = []
    for back in range(HOURS):
        end = last - back * HOUR_S
        if end - HOUR_S < until_s - HOURS * HOUR_S - 1:
            break
        here = np.flatnonzero(np.abs(at_s - end) < 60)
        bars.append((end, float(values[here[-1]]) if len(here) else float("nan")))
    return bars


def rain_bars(
    times: Times,
    values: Values,
    *,
    until: datetime,
    zone: ZoneInfo,
    theme: Theme,
    language: str = "vi",
    width: int,
    height: int,
    limit: float | None = None,
    limit_word: str = "",
    abnormal: str | None = None,
    stale: bool = False,
    artefacts: Sequence[datetime] = (),
    alt: str = "",
) -> str:
    """Bars of rain [mm] per hour. `values` are sums of the 60 minutes before `times`; `limit` is a dashed line.

    At `artefacts` a step came from the data and not from the sky: a dotted upright.
    """
    paper = _Paper(until, zone, theme, width, height)
    bars = hourly(seconds(times), np.asarray(values, dtype=np.float64), paper.until_s)
    known = [amount for _, amount in bars if np.isfinite(amount)]
    top = max([LEAST_RAIN_MM, *known, *([limit] if limit is not None else [])]) * 1.12
    parts = [paper.opened(alt)]
    for end, amount in bars:
        left, right = max(paper.x(end - HOUR_S), paper.left) + 1.5, paper.x(end) - 1.5
        if not np.isfinite(amount):
            parts.append(
                f'<rect class="silent" x="{left:.1f}" y="{paper.floor - 12:.1f}" width="{max(right - left, 1):.1f}" '
                f'height="11" fill="none" stroke="{theme.ink3}" stroke-dasharray="3 3"/>'
            )
        elif amount > 0:
            tall = max((paper.floor - paper.top) * amount / top, 2.0)
            over = abnormal is not None and limit is not None and amount >= limit
            colour = theme.priority(abnormal).line if over and abnormal else theme.data
            parts.append(
                f'<rect class="rain" x="{left:.1f}" y="{paper.floor - tall:.1f}" width="{max(right - left, 1):.1f}" '
                f'height="{tall:.1f}" fill="{colour}"/>'
            )
    if limit is not None:
        y = paper.floor - (paper.floor - paper.top) * limit / top
        parts.append(paper.line(y, f"{limit_word} {number(limit, 0, language)} mm".strip()))
    parts += paper.artefacts(artefacts)
    newest = next(((end, amount) for end, amount in bars if np.isfinite(amount)), None)
    if newest is not None:
        end, amount = newest
        tall = (paper.floor - paper.top) * amount / top
        parts.append(paper.value(paper.x(end), paper.floor - tall - 6, number(amount, 1, language), stale=stale))
    return "".join([*parts, paper.axis(), "</svg>"])


def level_line(
    times: Times,
    values: Values,
    *,
    until: datetime,
    zone: ZoneInfo,
    theme: Theme,
    language: str = "vi",
    width: int,
    height: int,
    period: timedelta,
    lines: Sequence[tuple[float, str]] = (),
    abnormal: str | None = None,
    stale: bool = False,
    artefacts: Sequence[datetime] = (),
    alt: str = "",
) -> str:
    """A level [m] over 24 hours below or above `lines` (level, name); a silence longer than 1.5 periods is a hole.

    At `artefacts` a step came from the data and not from the river: a dotted upright.
    """
    paper = _Paper(until, zone, theme, width, height)
    value, at = np.asarray(values, dtype=np.float64), seconds(times)
    keep = np.isfinite(value) & (at <= paper.until_s) & (at >= paper.since_s)
    value, at = value[keep], at[keep]
    down, shown = _scale(paper, value, sorted(lines))
    parts = [paper.opened(alt)]
    parts += [paper.line(down(edge), f"{name} {number(edge, 1, language)} m") for edge, name in shown]
    period_s = period.total_seconds()
    for start, end in gaps(at, paper.since_s, paper.until_s, period_s):
        left, right = paper.x(start), paper.x(end)
        parts.append(
            f'<rect class="silent" x="{left:.1f}" y="{paper.floor - 14:.1f}" width="{max(right - left, 3):.1f}" '
            f'height="13" fill="none" stroke="{theme.ink3}" stroke-dasharray="3 3"/>'
        )
    for run in runs(at, period_s):
        chosen = thinned(at[run], value[run], MOST_POINTS)
        points = " ".join(f"{paper.x(at[run][one]):.1f},{down(value[run][one]):.1f}" for one in chosen)
        parts.append(
            f'<polyline class="level" points="{points}" fill="none" stroke="{theme.data}" stroke-width="3" '
            'stroke-linejoin="round" stroke-linecap="round"/>'
        )
    parts += paper.artefacts(artefacts)
    if len(value):
        colour = theme.priority(abnormal).line if abnormal else theme.data
        x, y = paper.x(at[-1]), down(value[-1])
        paint = f'fill="{theme.bg}" stroke="{theme.ink3}" stroke-width="2.5"' if stale else f'fill="{colour}"'
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" {paint}/>')
        text = number(float(value[-1]), 2, language)
        parts.append(paper.value(x + 11, y + TEXT_PX * 0.35, text, anchor="start", stale=stale))
    return "".join([*parts, paper.axis(), "</svg>"])


def _scale(
    paper: _Paper, value: Floats, lines: Sequence[tuple[float, str]]
) -> tuple[Callable[[float], float], Sequence[tuple[float, str]]]:
    """Level to pixel, and the lines that are drawn: all, or where their names would collide up to the next one."""
    reached = [edge for edge, _ in lines if len(value) and edge <= float(value.max())]
    down = _linear(paper, [*value.tolist(), *(edge for edge, _ in lines)])
    crowded = any(down(low) - down(high) < TEXT_PX * 1.15 for (low, _), (high, _) in pairwise(lines))
    if not crowded:
        return down, lines
    first = max(len(reached) - 1, 0)
    shown = lines[first : len(reached) + 1]
    return _linear(paper, [*value.tolist(), *(edge for edge, _ in shown)]), shown


def _linear(paper: _Paper, spread: Sequence[float]) -> Callable[[float], float]:
    low, high = min(spread, default=0.0), max(spread, default=1.0)
    margin = max(0.06 * (high - low), 0.05)
    per_unit = (paper.floor - paper.top - TEXT_PX * 0.7) / (high - low + 2 * margin)
    return lambda level: paper.floor - (level - low + margin) * per_unit


class _Paper:
    """The frame of a day: hours from left to right, «now» at the end, room for the last value beside it."""

    def __init__(self, until: datetime, zone: ZoneInfo, theme: Theme, width: int, height: int) -> None:
        self.until, self.zone, self.theme, self.width, self.height = until, zone, theme, width, height
        self.until_s = until.timestamp()
        self.since_s = self.until_s - HOURS * HOUR_S
        self.left, self.right = 2.0, width - text_width_px("00,00", TEXT_PX) - 14
        self.top, self.floor = TEXT_PX * 1.1, height - TEXT_PX * 1.35

    def x(self, at_s: float) -> float:
        """Across [px] of a moment."""
        return self.left + (self.right - self.left) * (at_s - self.since_s) / (HOURS * HOUR_S)

    def opened(self, alt: str) -> str:
        """The opening tag."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="weather-day" role="img" '
            f'aria-label="{escape(alt, quote=True)}" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" font-family="{SANS}" font-size="{TEXT_PX:g}">'
        )

    def line(self, y: float, words: str) -> str:
        """A dashed limit with its name above it at the left."""
        name = (
            f'<text class="limit" x="{self.left + 2:.1f}" y="{y - 5:.1f}" fill="{self.theme.ink2}" '
            f'stroke="{self.theme.bg}" stroke-width="4" paint-order="stroke">{escape(words)}</text>'
            if words
            else ""
        )
        return (
            f'<path class="limit" d="M{self.left:.1f} {y:.1f}H{self.right:.1f}" stroke="{self.theme.line2}" '
            f'stroke-width="2" stroke-dasharray="7 5"/>{name}'
        )

    def artefacts(self, moments: Sequence[datetime]) -> list[str]:
        """A dotted upright at each moment of the day at which the data made a step."""
        return [
            f'<path class="artefact" d="M{self.x(one.timestamp()):.1f} {self.top:.1f}V{self.floor:.1f}" fill="none" '
            f'stroke="{self.theme.ink2}" stroke-width="3" stroke-dasharray="3 6"/>'
            for one in moments
            if self.since_s <= one.timestamp() <= self.until_s
        ]

    def value(self, x: float, y: float, figure: str, *, anchor: str = "end", stale: bool = False) -> str:
        """The newest figure, beside its point or above its bar; grey when it is old."""
        baseline = min(max(y, TEXT_PX * 0.9), self.floor)
        return (
            f'<text class="now" x="{x:.1f}" y="{baseline:.1f}" text-anchor="{anchor}" font-weight="600" '
            f'fill="{self.theme.ink3 if stale else self.theme.ink1}" stroke="{self.theme.bg}" stroke-width="4" '
            f'paint-order="stroke">{figure}</text>'
        )

    def axis(self) -> str:
        """The floor, every sixth hour of city time, and now."""
        now = clock(self.until, self.zone)
        parts = [
            f'<path d="M{self.left:.1f} {self.floor:.1f}H{self.right:.1f}" stroke="{self.theme.line2}"/>',
            f'<text x="{self.right:.1f}" y="{self.height - 5:.1f}" text-anchor="middle" font-weight="600" '
            f'fill="{self.theme.ink1}">{now}</text>',
        ]
        clear = self.right - text_width_px("00:00", TEXT_PX) * 1.3
        hour = (self.until - timedelta(hours=HOURS)).astimezone(self.zone).replace(minute=0, second=0, microsecond=0)
        half = text_width_px("00:00", TEXT_PX) / 2
        while hour.timestamp() < self.until_s:
            x = self.x(hour.timestamp())
            if hour.hour % LABEL_EVERY_HOURS == 0 and half <= x < clear:
                parts.append(
                    f'<path d="M{x:.1f} {self.floor:.1f}v6" stroke="{self.theme.line2}"/>'
                    f'<text x="{x:.1f}" y="{self.height - 5:.1f}" text-anchor="middle" fill="{self.theme.ink3}">'
                    f"{clock(hour, self.zone)}</text>"
                )
            hour += timedelta(hours=1)
        return "".join(parts)
