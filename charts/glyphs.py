"""The four priority signs as drawn shapes: form tells the priority, fill and mark tell the state, colour only helps.

Paths and never font characters, because the house font lacks them and a fallback font would change their size.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape

from charts.theme import PRIORITY_WORDS, Theme
from core.alert import COVERS, PRIORITIES, STATES

BOX = 24  # user units; the diamond fills it, the others leave room so that «critical» is 1.35 times as large

SHAPES = {
    "critical": "M12 .9 23.1 12 12 23.1 .9 12Z",
    "high": "M12 3.6 21.2 19.6H2.8Z",
    "medium": "M4.2 4.2H19.8V19.8H4.2Z",
    "low": "M12 3.8A8.2 8.2 0 1 1 12 20.2A8.2 8.2 0 1 1 12 3.8Z",
}
_MARKS = {
    "critical": "M8.3 6.4H10.9L10.5 13.6H8.7ZM13.1 6.4H15.7L15.3 13.6H13.5Z"
    "M8.2 16.3A1.4 1.4 0 1 1 11 16.3A1.4 1.4 0 1 1 8.2 16.3ZM13 16.3A1.4 1.4 0 1 1 15.8 16.3A1.4 1.4 0 1 1 13 16.3Z",
    "high": "M10.8 9H13.2L12.8 14.2H11.2ZM10.7 16.7A1.3 1.3 0 1 1 13.3 16.7A1.3 1.3 0 1 1 10.7 16.7Z",
    "medium": "M9.9 12A2.1 2.1 0 1 1 14.1 12A2.1 2.1 0 1 1 9.9 12Z",
    "low": "",
}
_TICKS = {"critical": "M8 12.2 11 15.2 16.2 9.4", "high": "M9 14.2 11.3 16.4 15.2 12"}
_TICK = "M8 12.2 11 15.2 16.2 9.2"
_LOCK_BODY = "M8.6 11.4H15.4V16.8H8.6Z"
_LOCK_SHACKLE = "M10 11.4V9.9A2 2 0 0 1 14 9.9V11.4"
_NO_DATA_HATCH = "M4 12.5 12.5 4M4 20 20 4M11.5 20 20 11.5"


@lru_cache(maxsize=256)
def glyph_shape(priority: str, state: str, theme: Theme) -> str:
    """The sign without its <svg>, in a box of 24 x 24 user units, to be placed inside another picture.

    States after ISA-18.2: UNACK and ACKED solid, RTNUN hollow with a tick, LATUN and LATAC hollow with a lock (filled
    while nobody has acknowledged), covers dashed and hollow, NORM grey.
    `priority` may be «unknown»: a dashed box with hatching, for «no data».
    """
    if priority == "unknown":
        return (
            f'<path d="M4 4H20V20H4Z" fill="none" stroke="{theme.ink3}" stroke-width="1.6" stroke-dasharray="2.6 2"/>'
            f'<path d="{_NO_DATA_HATCH}" fill="none" stroke="{theme.line2}" stroke-width="1.2"/>'
        )
    if priority not in PRIORITIES:
        raise ValueError(f"priority {priority!r} is not one of {', '.join(PRIORITIES)}, unknown")
    colours, shape, mark = theme.priority(priority), SHAPES[priority], _MARKS[priority]
    join = 'stroke-width="1.8" stroke-linejoin="round"'
    if state == "RTNUN":
        return (
            f'<path d="{shape}" fill="{theme.panel}" stroke="{colours.line}" {join}/>'
            f'<path d="{_TICKS.get(priority, _TICK)}" fill="none" stroke="{colours.line}" stroke-width="2"/>'
        )
    if state in ("LATUN", "LATAC"):
        body = colours.line if state == "LATUN" else theme.panel
        return (
            f'<path d="{shape}" fill="{theme.panel}" stroke="{colours.line}" {join}/>'
            f'<path d="{_LOCK_SHACKLE}" fill="none" stroke="{colours.line}" stroke-width="1.4"/>'
            f'<path d="{_LOCK_BODY}" fill="{body}" stroke="{colours.line}" stroke-width="1.4"/>'
        )
    if state in COVERS:
        return f'<path d="{shape}" fill="{theme.panel}" stroke="{colours.line}" {join} stroke-dasharray="2 1.9"/>' + (
            f'<path d="{mark}" fill="{colours.line}"/>' if mark else ""
        )
    if state == "NORM":
        fill, edge, ink = (theme.band_edge, theme.line2, theme.ink3) if priority != "low" else ("none", theme.line2, "")
    elif state in ("UNACK", "ACKED"):
        fill, edge, ink = colours.fill, colours.edge, colours.mark
    else:
        raise ValueError(f"state {state!r} is not one of {', '.join((*STATES, *COVERS))}")
    return f'<path d="{shape}" fill="{fill}" stroke="{edge}" {join}/>' + (
        f'<path d="{mark}" fill="{ink}"/>' if mark else ""
    )


def glyph(priority: str, state: str = "UNACK", *, size_px: float = 24, theme: Theme, label: str | None = None) -> str:
    """A priority sign as an inline SVG of `size_px`; `label` is what a screen reader says (default: the word in vi)."""
    shape = glyph_shape(priority, state, theme)
    word = escape(PRIORITY_WORDS["vi"][priority] if label is None else label, quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="glyph" role="img" aria-label="{word}" '
        f'width="{size_px:g}" height="{size_px:g}" viewBox="0 0 {BOX} {BOX}">{shape}</svg>'
    )
