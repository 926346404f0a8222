"""How long cases take, as an SVG: the share still open after so long, its 95 % band, the median, and who was watched.

One step curve; the band is grey, the median a dashed line with its words, so nothing hangs on colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from charts.theme import SANS, Theme
from core.formats import number

Scale = Callable[[float], float]
Floats = npt.NDArray[np.float64]
LEFT, RIGHT, TOP, BELOW = 46.0, 14.0, 12.0, 74.0
TEXT_PX = 13.0
MOST_STEPS = 240  # more steps than pixels cannot be seen
DAY_H = 24.0
LONG_H = 96.0  # from here on the axis counts days


def survival(
    times: Floats,
    share: Floats,
    low: Floats,
    high: Floats,
    *,
    at_risk: Sequence[tuple[float, int]],
    median: float | None,
    words: dict[str, str],
    language: str = "vi",
    theme: Theme,
    size: tuple[int, int] = (560, 300),
) -> str:
    """SVG of S(t); times in hours, shares 0 … 1. `words`: axis_hours, axis_days, at_risk, median, label."""
    width, height = size
    longest = max(float(at_risk[-1][0]) if at_risk else 0.0, float(times[-1]), 1e-6)
    long = longest >= LONG_H
    unit = DAY_H if long else 1.0

    def x(hours: float) -> float:
        return LEFT + (width - LEFT - RIGHT) * hours / longest

    def y(part: float) -> float:
        return TOP + (height - TOP - BELOW) * (1.0 - part)

    picked = np.unique(np.linspace(0, len(times) - 1, min(len(times), MOST_STEPS)).astype(np.int64))
    at = np.concatenate([[0.0], times[picked], [longest]])
    curves = [np.concatenate([[1.0], one[picked], [one[picked][-1]]]) for one in (share, low, high)]
    middle, bottom, top = (_steps(at, one, x, y) for one in curves)
    band = " ".join(f"{a:.1f},{b:.1f}" for a, b in [*top, *reversed(bottom)])
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in middle)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cases-curve" role="img" '
        f'aria-label="{escape(words["label"], quote=True)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{escape(SANS, quote=True)}" font-size="{TEXT_PX:g}">'
    ]
    for percent in (0, 25, 50, 75, 100):
        level = y(percent / 100.0)
        parts.append(
            f'<line x1="{LEFT:g}" x2="{width - RIGHT:g}" y1="{level:.1f}" y2="{level:.1f}" stroke="{theme.line}"/>'
            f'<text x="{LEFT - 6:g}" y="{level + 4.5:.1f}" text-anchor="end" fill="{theme.ink2}">{percent}%</text>'
        )
    parts.append(f'<polygon points="{band}" fill="{theme.band}" stroke="none"/>')
    parts.append(f'<polyline points="{line}" fill="none" stroke="{theme.ink1}" stroke-width="2"/>')
    if median is not None:
        parts.append(
            f'<path d="M{LEFT:g} {y(0.5):.1f}H{x(median):.1f}V{y(0.0):.1f}" fill="none" stroke="{theme.focus}" '
            f'stroke-width="1.6" stroke-dasharray="5 4"/>'
            f'<text x="{min(x(median) + 6, width - 190):.1f}" y="{y(0.5) - 6:.1f}" fill="{theme.ink1}" '
            f'font-weight="600">{escape(words["median"])}</text>'
        )
    floor = y(0.0)
    for place, (hours, count) in enumerate(at_risk):
        anchor = "start" if place == 0 else "end" if place == len(at_risk) - 1 else "middle"
        label = number(hours / unit, 1 if long and hours else 0, language)
        parts.append(
            f'<text x="{x(hours):.1f}" y="{floor + 19:.1f}" text-anchor="{anchor}" fill="{theme.ink2}">{label}</text>'
            f'<text x="{x(hours):.1f}" y="{floor + 64:.1f}" text-anchor="{anchor}" '
            f'fill="{theme.ink1}">{number(count, 0, language)}</text>'
        )
    axis = words["axis_days"] if long else words["axis_hours"]
    parts.append(
        f'<text x="{(LEFT + width - RIGHT) / 2:.1f}" y="{floor + 37:.1f}" text-anchor="middle" '
        f'fill="{theme.ink2}">{escape(axis)} · {escape(words["at_risk"])} ↓</text></svg>'
    )
    return "".join(parts)


def _steps(at: Floats, value: Floats, x: Scale, y: Scale) -> list[tuple[float, float]]:
    """Corners of a curve that stays until its next step."""
    corners = [(x(float(at[0])), y(float(value[0])))]
    for place in range(1, len(at)):
        corners.append((x(float(at[place])), corners[-1][1]))
        corners.append((x(float(at[place])), y(float(value[place]))))
    return corners
