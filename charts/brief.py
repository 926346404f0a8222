"""Two small pictures of the brief: the line behind a figure, and a forecast with its interval. Lines only.

Words and numbers stand beside them as text, so that a phone and a printer can read them; the lines stretch to their
box (`preserveAspectRatio="none"`, strokes keep their width).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from charts.theme import Theme

WIDTH, HEIGHT = 100.0, 40.0  # user units of the box that is stretched
_PAD = 3.0
_STILL = 'vector-effect="non-scaling-stroke"'

Line = Sequence[tuple[datetime, float]]


def scale(lines: Sequence[Line], extra: Sequence[float] = ()) -> tuple[float, float, float, float]:
    """First and last second, lowest and highest value of all lines and `extra`; never of zero height."""
    times = [at.timestamp() for line in lines for at, _ in line]
    values = [value for line in lines for _, value in line] + list(extra)
    low, high = min(values), max(values)
    room = max(0.08 * (high - low), 1e-6 * max(abs(high), 1.0))
    return min(times), max(times), low - room, high + room


def spark(line: Line, *, low: float | None, high: float | None, label: str, theme: Theme, mark: str = "") -> str:
    """The line of one figure over its usual band at the hour that is told; `mark` is the colour of its last point."""
    if len(line) < 2:
        return ""
    edges = [one for one in (low, high) if one is not None]
    box = scale([line], edges)
    band = ""
    if low is not None and high is not None:
        top, bottom = _y(high, box), _y(low, box)
        band = (
            f'<rect x="0" y="{top:.2f}" width="{WIDTH:g}" height="{max(bottom - top, 0.8):.2f}" fill="{theme.band}"/>'
        )
    end_x, end_y = _x(line[-1][0], box), _y(line[-1][1], box)
    dot = (
        f'<path d="M{end_x:.2f} {end_y:.2f}h.01" stroke="{mark or theme.data}" stroke-width="7" '
        f'stroke-linecap="round" {_STILL}/>'
    )
    return _svg(band + _path(line, box, theme.data) + dot, label)


def ahead(past: Line, middle: Line, low: Line, high: Line, *, limit: float | None, label: str, theme: Theme) -> str:
    """Past hours as a line, the forecast dotted, its 80 % interval as an area, the limit dashed."""
    box = scale([past, middle, low, high], [] if limit is None else [limit])
    joined = [*past[-1:], *middle]
    rim = [*past[-1:], *high, *reversed(low), *past[-1:]]
    area = " ".join(f"{_x(at, box):.2f},{_y(value, box):.2f}" for at, value in rim)
    parts = [
        f'<polygon points="{area}" fill="{theme.band}"/>',
        _path(past, box, theme.data) if len(past) > 1 else "",
        _path(joined, box, theme.data, "2.5 3.5"),
    ]
    if limit is not None:
        y = _y(limit, box)
        parts.append(
            f'<path d="M0 {y:.2f}H{WIDTH:g}" stroke="{theme.ink2}" stroke-width="1.2" stroke-dasharray="6 4" {_STILL}/>'
        )
    return _svg("".join(parts), label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Where words belong beside the picture of `ahead`, in percent from its left and from its top."""

    now: float  # the end of the past
    values: tuple[tuple[float, float], ...]  # value, place: the highest and the lowest of what is drawn
    limit: float | None  # place of the limit


def axis(past: Line, middle: Line, low: Line, high: Line, *, limit: float | None) -> Axis:
    """The axis of the same picture as `ahead` draws from the same lines."""
    lines = [past, middle, low, high]
    box = scale(lines, [] if limit is None else [limit])
    drawn = [value for line in lines for _, value in line]
    return Axis(
        now=round(_x((past or middle)[-1 if past else 0][0], box), 1),
        values=tuple((value, round(100 * _y(value, box) / HEIGHT, 1)) for value in (max(drawn), min(drawn))),
        limit=None if limit is None else round(100 * _y(limit, box) / HEIGHT, 1),
    )


def _svg(inside: str, label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(label, quote=True)}" '
        f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" fill="none">{inside}</svg>'
    )


def _path(line: Line, box: tuple[float, float, float, float], colour: str, dashes: str = "") -> str:
    points = " ".join(f"{_x(at, box):.2f},{_y(value, box):.2f}" for at, value in line)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{points}" stroke="{colour}" stroke-width="2" stroke-linejoin="round"{dashed} {_STILL}/>'


def _x(at: datetime, box: tuple[float, float, float, float]) -> float:
    first, last, _, _ = box
    return _PAD + (WIDTH - 2 * _PAD) * (at.timestamp() - first) / max(last - first, 1.0)


def _y(value: float, box: tuple[float, float, float, float]) -> float:
    _, _, low, high = box
    return HEIGHT - _PAD - (HEIGHT - 2 * _PAD) * (value - low) / (high - low)
