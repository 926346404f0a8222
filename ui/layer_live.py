"""What is said about a layer that a server gives: from when its data are, and why there are no newer ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from core import formats
from ui.frame import Screen


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRow:
    """The state of one live layer in words; `wrong` when a person should look."""

    host: str
    every: str
    at: str  # «dữ liệu lúc 14:05», or that nothing has come yet
    trouble: str  # «không trả lời», with the reason; empty where the last try went well
    wrong: bool


def row(screen: Screen, key: str) -> LiveRow | None:
    """The words about one layer; None for one that came from a file."""
    t, live = screen.t, screen.line.live_layers
    state = live.freshness(key)
    if state is None:
        return None
    served, now = live.served[key], screen.line.clock.now()
    trouble = ""
    if state.kind:
        trouble = f"{t('source.' + state.kind)}: {state.why(screen.language)}"
    elif live.stale(key, now) and state.tried_at is not None:
        trouble = t("layers.live_stale")
    at = t("layers.live_waiting")
    if state.answered_at is not None:
        at = t("layers.live_at", at=formats.moment(state.answered_at, screen.snapshot.made_at, screen.line.city.zone))
    return LiveRow(host=served.host, every=_span(screen, served.every), at=at, trouble=trouble, wrong=bool(trouble))


def told(screen: Screen, key: str, title: str) -> str:
    """One line under map, picture and export; empty for a layer that came from a file."""
    found = row(screen, key)
    return "" if found is None else ". ".join(part for part in (f"{title}: {found.at}", found.trouble) if part)


def _span(screen: Screen, span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes % 60:
        return screen.t("layers.every_min", n=minutes)
    return screen.t("layers.every_h", n=minutes // 60)
