"""Two small pictures of a roadmap as SVG: a target's planned curve with where reality is, and how far ranks can move.

Plan and reality differ by shape (line and diamond), so nothing hangs on colour; words stand beside the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape

from charts.theme import SANS, Theme

WIDTH, HEIGHT = 340, 104
_LEFT, _RIGHT, _TOP, _BOTTOM = 8.0, 14.0, 20.0, 22.0
_FONT = 13


def path(
    curve: Sequence[tuple[date, float]],
    *,
    measured: tuple[date, float, float | None, float | None] | None,
    start_word: str,
    end_word: str,
    label: str,
    theme: Theme,
) -> str:
    """The planned curve from the baseline to the target, and the measured value (day, value, low, high) as a diamond.

    `start_word` and `end_word` stand under the ends of the axis; `label` is what a screen reader says.
    """
    days = [one for one, _ in curve] + ([measured[0]] if measured else [])
    values = [one for _, one in curve] + [one for one in (measured or ())[1:] if one is not None]  # type: ignore[misc]
    first, last = min(days), max(days)
    low, high = min(values), max(values)
    pad = (high - low) * 0.12 or max(abs(high) * 0.05, 1.0)
    low, high = low - pad, high + pad

    def x(day: date) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * ((day - first).days / max((last - first).days, 1))

    def y(value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    line = " ".join(f"{x(day):.1f},{y(value):.1f}" for day, value in curve)
    end = curve[-1]
    floor = HEIGHT - _BOTTOM + 4
    parts = [
        f'<line x1="{_LEFT}" y1="{floor}" x2="{WIDTH - _RIGHT}" y2="{floor}" stroke="{theme.line}"/>',
        f'<polyline points="{line}" fill="none" stroke="{theme.ink3}" stroke-width="1.8" stroke-dasharray="6 4"/>',
        f'<rect x="{x(end[0]) - 4.5:.1f}" y="{y(end[1]) - 4.5:.1f}" width="9" height="9" fill="none" '
        f'stroke="{theme.ink2}" stroke-width="1.8"/>',
    ]
    if measured:
        at, value, under, over = measured
        across, up = x(at), y(value)
        parts.append(
            f'<line x1="{across:.1f}" y1="{_TOP - 6}" x2="{across:.1f}" y2="{floor}" stroke="{theme.line2}" '
            'stroke-width="1" stroke-dasharray="2 3"/>'
        )
        if under is not None and over is not None:
            parts.append(
                f'<line x1="{across:.1f}" y1="{y(under):.1f}" x2="{across:.1f}" y2="{y(over):.1f}" '
                f'stroke="{theme.ink1}" stroke-width="2"/>'
            )
        parts.append(
            f'<path d="M{across:.1f} {up - 6:.1f}l6 6l-6 6l-6 -6z" fill="{theme.ink1}" stroke="{theme.panel}"/>'
        )
    text = f'font-family="{SANS}" font-size="{_FONT}" fill="{theme.ink3}"'
    parts.append(f'<text x="{_LEFT}" y="{HEIGHT - 4}" {text}>{escape(start_word)}</text>')
    end_text = f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 4}" text-anchor="end" {text}>'
    parts.append(f"{end_text}{escape(end_word)}</text>")
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label, quote=True)}">'
    return f"{head}{''.join(parts)}</svg>"


def ranks(rank: int, best: int, worst: int, of: int, *, label: str, theme: Theme) -> str:
    """The rank of one project as a dot on a line from first to last, with the range that it moves in as a bar."""
    width, height, edge = 180, 22, 9.0

    def x(place: int) -> float:
        return edge + (width - 2 * edge) * ((place - 1) / max(of - 1, 1))

    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(label, quote=True)}">'
        f'<line x1="{edge}" y1="11" x2="{width - edge}" y2="11" stroke="{theme.line}" stroke-width="2"/>'
        f'<line x1="{x(best):.1f}" y1="11" x2="{x(worst):.1f}" y2="11" stroke="{theme.line2}" stroke-width="7" '
        'stroke-linecap="round"/>'
        f'<circle cx="{x(rank):.1f}" cy="11" r="6" fill="{theme.ink1}" stroke="{theme.panel}"/></svg>'
    )
