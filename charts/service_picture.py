"""How one service stands beside the city: shares as dots with their intervals, counts as bars, on one small SVG.

Shape says what is what: a bar is a count, a dot a share, the line through it its 95 % interval, the tall tick the city.
A share that lies surely below the city is a hollow diamond in the text colour of a warning; its word stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from charts.theme import Theme

WIDTH, LANE, LEFT, RIGHT = 330.0, 30.0, 6.0, 6.0
BAR = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One line of a picture. Of a count only `value` and `most`; of a share its interval; fractions of 1."""

    said: str  # for those who do not see the picture
    value: float | None
    low: float | None = None
    high: float | None = None
    city: float | None = None
    below: bool = False  # surely below the city


def share(lane: Lane, theme: Theme, *, start: float = 0.0) -> str:
    """One share on a scale from `start` to 1 as an SVG; an empty scale where there is none."""
    return _svg([_share(lane, theme, 0.0, start)], 1, lane.said)


def picture(interest: Lane, shares: Sequence[Lane], theme: Theme, *, start: float = 0.0) -> str:
    """Interest as a bar (value 0 … 1 of the most wanted service, `city` the median), below it the shares."""
    found = [_bar(interest, theme, 0.0)]
    found += [_share(lane, theme, LANE * number, start) for number, lane in enumerate(shares, start=1)]
    return _svg(found, 1 + len(shares), "; ".join([interest.said, *(lane.said for lane in shares)]))


def _svg(parts: Sequence[str], lanes: int, said: str) -> str:
    height = LANE * lanes
    return (
        f'<svg viewBox="0 0 {WIDTH:g} {height:g}" width="{WIDTH:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(said)}">{"".join(parts)}</svg>'
    )


def _x(fraction: float, start: float = 0.0) -> float:
    inside = min(max((fraction - start) / (1.0 - start), 0.0), 1.0)
    return LEFT + inside * (WIDTH - LEFT - RIGHT)


def _bar(lane: Lane, theme: Theme, top: float) -> str:
    middle = top + LANE / 2
    found = _rail(theme, middle)
    if lane.value is not None:
        width = max(_x(lane.value) - LEFT, 1.0)
        found += (
            f'<rect x="{LEFT:g}" y="{middle - BAR / 2:.1f}" width="{width:.1f}" height="{BAR:g}" fill="{theme.data}"/>'
        )
    return found + _tick(lane.city, theme, middle, 0.0)


def _share(lane: Lane, theme: Theme, top: float, start: float) -> str:
    middle = top + LANE / 2
    found = _rail(theme, middle) + _tick(lane.city, theme, middle, start)
    if lane.value is None:
        return found
    colour = theme.medium.text if lane.below else theme.ink1
    x = _x(lane.value, start)
    if lane.low is not None and lane.high is not None:
        found += (
            f'<line x1="{_x(lane.low, start):.1f}" x2="{_x(lane.high, start):.1f}" y1="{middle:g}" y2="{middle:g}" '
            f'stroke="{colour}" stroke-width="3" stroke-linecap="round"/>'
        )
    if lane.below:
        points = f"{x - 6:.1f},{middle:g} {x:.1f},{middle - 6:g} {x + 6:.1f},{middle:g} {x:.1f},{middle + 6:g}"
        return found + f'<polygon points="{points}" fill="{theme.panel}" stroke="{colour}" stroke-width="2"/>'
    return found + f'<circle cx="{x:.1f}" cy="{middle:g}" r="5" fill="{colour}"/>'


def _rail(theme: Theme, middle: float) -> str:
    return (
        f'<line x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{middle:g}" y2="{middle:g}" '
        f'stroke="{theme.line}" stroke-width="1.5"/>'
    )


def _tick(city: float | None, theme: Theme, middle: float, start: float) -> str:
    if city is None:
        return ""
    x = _x(city, start)
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{middle - 11:g}" y2="{middle + 11:g}" '
        f'stroke="{theme.line2}" stroke-width="2" stroke-dasharray="3 2"/>'
    )
