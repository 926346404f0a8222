"""The last hours of one value for readers across a room: a thick line, its limit by name, silence as a box, now marked.

Only what lies beyond the limit now takes the colour of its priority. Letters are part of the picture: draw it for the
least room that it will get, so that it is only ever enlarged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from charts.glyphs import BOX, glyph_shape
from charts.sparkline import Floats, gaps, runs, seconds, thinned
from charts.theme import SANS, Theme, text_width_px
from core.formats import clock, number

MOST_POINTS = 240
GRID_LINES = 3
HEADROOM = 0.12  # of the span of values, above and below
FROM_ZERO = 0.5  # values that reach below this share of the highest are drawn from zero
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit with its name at the end of its line; `below`: what lies under it is bad."""

    label: str
    value: float
    below: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plot:
    """Where the values stand in the picture."""

    left: float
    right: float
    top: float
    floor: float
    since_s: float
    until_s: float
    lowest: float
    highest: float

    def x(self, at_s: float) -> float:
        return self.left + (self.right - self.left) * (at_s - self.since_s) / (self.until_s - self.since_s)

    def y(self, value: float) -> float:
        return self.floor - (self.floor - self.top) * (value - self.lowest) / (self.highest - self.lowest)

    def path(self, at: Sequence[float] | Floats, value: Sequence[float] | Floats) -> str:
        steps = "L".join(f"{self.x(a):.1f} {self.y(v):.1f}" for a, v in zip(at, value, strict=True))
        return f"M{steps}" if len(at) > 1 else f"M{steps}h0"


def wall_line(
    times: pd.Series,
    values: pd.Series,
    *,
    since: datetime,
    until: datetime,
    period: timedelta,
    zone: ZoneInfo,
    theme: Theme,
    size: tuple[int, int],
    text_px: float = 22.0,
    limits: Sequence[Limit] = (),
    priority: str | None = None,
    stale: bool = False,
    artefacts: Sequence[datetime] = (),
    language: str = "vi",
    message: str = "",
    alt: str = "",
) -> str:
    """SVG of a series between `since` and `until`, `size` in px.

    `times` are aware and rising, `values` in the unit of `limits`; the first limit is the one that counts. With
    `priority` the present excursion beyond it and the last point take that colour, with `stale` nothing does. At
    `artefacts` a step came from the data and not from the city: a dotted line. Without any value the picture is a
    dashed box with `message`.
    """
    width, height = size
    open_tag = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="wall-line" role="img" aria-label="{escape(alt, quote=True)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="{SANS}" '
        f'font-size="{text_px:g}">'
    )
    at, value = seconds(times), np.asarray(values, dtype=np.float64)
    keep = np.isfinite(value) & (at >= since.timestamp()) & (at <= until.timestamp())
    at, value = at[keep], value[keep]
    if not len(value):
        return (
            f'{open_tag}<path d="M1 1H{width - 1}V{height - 1}H1z" fill="none" stroke="{theme.line2}" '
            f'stroke-dasharray="6 5"/><text x="{width / 2:g}" y="{height / 2 + text_px * 0.35:.1f}" '
            f'text-anchor="middle" fill="{theme.ink2}">{escape(message)}</text></svg>'
        )
    lowest, highest = _range(value, limits)
    ticks = _ticks(lowest, highest)
    words = [number(tick, _decimals(ticks), language) for tick in ticks]
    gutter = max(text_width_px(word, text_px) for word in words) + text_px * 0.6
    names = max((text_width_px(limit.label, text_px) for limit in limits), default=0.0)
    now = clock(until, zone)
    plot = _Plot(
        left=gutter,
        right=width - max(names + text_px * 0.6, text_width_px(now, text_px) / 2 + 2, text_px),
        top=text_px * 0.6,
        floor=height - text_px * 1.7,
        since_s=since.timestamp(),
        until_s=until.timestamp(),
        lowest=lowest,
        highest=highest,
    )
    parts = [open_tag, _grid(plot, ticks, words, theme, text_px), _hours(plot, since, until, zone, theme, text_px)]
    parts += [_limit(plot, limit, place, limits, theme, text_px) for place, limit in enumerate(limits)]
    silent = [(start, end) for start, end in gaps(at, plot.since_s, plot.until_s, period.total_seconds())]
    parts += [_silence(plot, start, end, theme) for start, end in silent if plot.x(end) - plot.x(start) >= 2]
    stretches = runs(at, period.total_seconds())
    line = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
    for run in stretches:
        chosen = thinned(at[run], value[run], MOST_POINTS) + run.start
        paint = theme.ink3 if stale else theme.data
        parts.append(f'<path d="{plot.path(at[chosen], value[chosen])}" {line} stroke="{paint}" stroke-width="4"/>')
    parts += [
        f'<path class="artefact" d="M{plot.x(one.timestamp()):.1f} {plot.top:.1f}V{plot.floor:.1f}" fill="none" '
        f'stroke="{theme.ink2}" stroke-width="3" stroke-dasharray="3 6"/>'
        for one in artefacts
        if since <= one <= until
    ]
    end_x, end_y = plot.x(float(at[-1])), plot.y(float(value[-1]))
    if priority is None or stale:
        hollow = f'fill="{theme.bg}" stroke="{theme.ink3}" stroke-width="2.5"' if stale else f'fill="{theme.data}"'
        parts.append(f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="6" {hollow}/>')
    else:
        last = stretches[-1]
        beyond_at, beyond = _beyond(at[last], value[last], limits[0] if limits else None)
        if len(beyond):
            colour = theme.priority(priority).line
            parts.append(
                f'<path class="beyond" d="{plot.path(beyond_at, beyond)}" {line} stroke="{colour}" stroke-width="6"/>'
            )
        side = text_px * 0.95
        parts.append(
            f'<g class="now" transform="translate({end_x - side / 2:.1f} {end_y - side / 2:.1f}) '
            f'scale({side / BOX:.3f})">{glyph_shape(priority, "UNACK", theme)}</g>'
        )
    parts.append("</svg>")
    return "".join(parts)


def _range(value: Floats, limits: Sequence[Limit]) -> tuple[float, float]:
    """Lowest and highest value of the picture: the data, and the first limit whatever its distance."""
    told = [*value.tolist(), *(limit.value for limit in limits[:1])]
    lowest, highest = min(told), max(told)
    room = (highest - lowest) * HEADROOM or max(abs(highest), 1.0) * HEADROOM
    if 0 <= lowest <= FROM_ZERO * highest or lowest == highest == 0:
        return 0.0, highest + room
    return lowest - room, highest + room


def _ticks(lowest: float, highest: float) -> list[float]:
    """Round values within the range, about three of them."""
    rough = (highest - lowest) / GRID_LINES
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * times for times in (1, 2, 2.5, 5, 10) if scale * times >= rough * 0.999)
    first = math.ceil(lowest / step - 1e-9)
    last = math.floor(highest / step + 1e-9)
    found = [round(step * count, 10) for count in range(first, last + 1)]
    return found or [round((lowest + highest) / 2, 10)]


def _decimals(ticks: Sequence[float]) -> int:
    """How many decimals tell the ticks apart."""
    return next((places for places in range(4) if all(abs(one - round(one, places)) < 1e-9 for one in ticks)), 4)


def _grid(plot: _Plot, ticks: Sequence[float], words: Sequence[str], theme: Theme, text_px: float) -> str:
    return "".join(
        f'<path d="M{plot.left:.1f} {plot.y(tick):.1f}H{plot.right:.1f}" stroke="{theme.line}" stroke-width="1.5"/>'
        f'<text x="{plot.left - text_px * 0.4:.1f}" y="{plot.y(tick) + text_px * 0.35:.1f}" text-anchor="end" '
        f'fill="{theme.ink3}">{word}</text>'
        for tick, word in zip(ticks, words, strict=True)
    )


def _hours(plot: _Plot, since: datetime, until: datetime, zone: ZoneInfo, theme: Theme, text_px: float) -> str:
    """Full hours of city time, as many as have room, and now."""
    baseline = plot.floor + text_px * 1.35
    half = text_width_px("00:00", text_px) / 2
    free_until = plot.right - 3.2 * half
    drawn, taken = [], plot.left - half
    hour = since.astimezone(zone).replace(minute=0, second=0, microsecond=0) + HOUR
    while hour < until:
        x = plot.x(hour.timestamp())
        if taken + half <= x <= free_until:
            drawn.append(
                f'<text x="{x:.1f}" y="{baseline:.1f}" text-anchor="middle" fill="{theme.ink3}">'
                f"{clock(hour, zone)}</text>"
            )
            taken = x + 1.6 * half
        hour += HOUR
    return "".join(drawn) + (
        f'<path d="M{plot.left:.1f} {plot.floor:.1f}H{plot.right:.1f}" stroke="{theme.line2}" stroke-width="1.5"/>'
        f'<text x="{plot.right:.1f}" y="{baseline:.1f}" text-anchor="middle" font-weight="600" '
        f'fill="{theme.ink1}">{clock(until, zone)}</text>'
    )


def _limit(plot: _Plot, limit: Limit, place: int, limits: Sequence[Limit], theme: Theme, text_px: float) -> str:
    """A dashed line with its name; one that lies outside of the picture, or on a more important name, is left out."""
    y = plot.y(limit.value)
    near = any(abs(plot.y(other.value) - y) < text_px * 1.2 for other in limits[:place])
    if not plot.top <= y <= plot.floor or near:
        return ""
    paint = theme.ink1 if place == 0 else theme.ink3
    return (
        f'<path class="limit" d="M{plot.left:.1f} {y:.1f}H{plot.right:.1f}" stroke="{paint}" stroke-width="2" '
        f'stroke-dasharray="9 7"/><text x="{plot.right + text_px * 0.5:.1f}" y="{y + text_px * 0.35:.1f}" '
        f'fill="{paint}">{escape(limit.label)}</text>'
    )


def _silence(plot: _Plot, start: float, end: float, theme: Theme) -> str:
    left, right = plot.x(start), plot.x(end)
    return (
        f'<path class="gap" d="M{left:.1f} {plot.top:.1f}H{right:.1f}V{plot.floor:.1f}H{left:.1f}z" fill="none" '
        f'stroke="{theme.ink3}" stroke-width="1.5" stroke-dasharray="5 4"/>'
    )


def _beyond(at: Floats, value: Floats, limit: Limit | None) -> tuple[Floats, Floats]:
    """The present stay beyond the limit, from where the line crosses it; nothing while the last value is within."""
    if limit is None:
        return at[:0], value[:0]
    within = np.flatnonzero(value > limit.value if limit.below else value < limit.value)
    first = int(within[-1]) + 1 if len(within) else 0
    beyond_at, beyond = at[first:], value[first:]
    if first and len(beyond):
        share = (limit.value - value[first - 1]) / (value[first] - value[first - 1])
        beyond_at = np.concatenate(([at[first - 1] + share * (at[first] - at[first - 1])], beyond_at))
        beyond = np.concatenate(([limit.value], beyond))
    return beyond_at, beyond
