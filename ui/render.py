"""Templates to HTML, once per snapshot and shared by all viewers.

Jinja2 with autoescape: a string from outside can never become markup. SVG from charts/ is marked safe here, because
that room escapes what it prints.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from markupsafe import Markup

from core import formats
from core.i18n import Translator
from core.snapshot import Snapshot
from core.templates import templates

TEMPLATES = Path(__file__).resolve().parent / "templates"
_KEPT: dict[Hashable, tuple[Hashable, dict[str, str]]] = {}
_LOCK = threading.Lock()
_MOST_KEPT = 64  # views x languages x choices; a bound, so that months of running do not grow


def html(template: str, snapshot: Snapshot, language: str, **values: Any) -> str:
    """One template with the words and formats of a language. `values` may hold Markup only from charts/."""
    zone = snapshot.city.zone
    return (
        templates(TEMPLATES)
        .get_template(template)
        .render(
            t=Translator(language),
            lang=language,
            city=snapshot.city,
            snapshot=snapshot,
            num=lambda value, decimals=0, signed=False: formats.number(value, decimals, language, signed=signed),
            pct=lambda value, decimals=0, signed=False: formats.percent(value, decimals, language, signed=signed),
            span=lambda delta: formats.duration(delta, language),
            at=lambda moment: formats.moment(moment, snapshot.made_at, zone),
            clock=lambda moment: formats.clock(moment, zone),
            since=lambda moment: formats.duration(_span(snapshot.made_at, moment), language),
            site=lambda site_id: snapshot.city.site_name(site_id, language),
            **values,
        )
    )


def _span(later: datetime, earlier: datetime) -> timedelta:
    return max(later - earlier, timedelta(0))


def picture(svg: str) -> Markup:
    """SVG of charts/ as safe markup."""
    return Markup(svg)


def shared(key: Hashable, snapshot: Snapshot, build: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Parts of a view, built once per snapshot whoever asks first; older ones are forgotten."""
    mark = (snapshot.city.key, snapshot.number, snapshot.made_at)
    with _LOCK:
        kept = _KEPT.get(key)
        if kept is not None and kept[0] == mark:
            return kept[1]
        parts = build()
        while len(_KEPT) >= _MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)))
        _KEPT[key] = (mark, parts)
        return parts
