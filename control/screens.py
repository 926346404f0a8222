"""Which wall screens are alive: what each says about itself, and since when one has painted nothing.

A browser tells over its open connection what it has painted. What it tells is shown and measured, never believed for
anything else: a page in a browser can be made to say anything.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from core.access import Person
from core.wall import WallScreen

FROZEN_AFTER = timedelta(seconds=30)  # ten signs of life
LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenState:
    """What is known of one wall screen. Times are of the machine's clock, aware UTC."""

    key: str
    account: str = ""
    wall: bool = False  # came in by a wall's own token; else somebody opened it from a desk
    visit: str = ""  # the connection; empty while there is none
    since: datetime | None = None  # connected
    beat_at: datetime | None = None  # last sign of life
    scene: str = ""
    painted: int = 0  # number of the newest snapshot that it has painted
    painted_at: datetime | None = None
    made_at: datetime | None = None  # of that snapshot, city's clock
    errors: int = 0
    last_error: str = ""
    heap_mb: float | None = None
    size: str = ""  # «1920x1080@1»
    closed_at: datetime | None = None  # the page said good-bye

    def silent(self, now: datetime) -> timedelta:
        """How long it has given no sign of a painted picture."""
        newest = max((at for at in (self.beat_at, self.since) if at is not None), default=now)
        return max(now - newest, timedelta(0))

    def frozen(self, now: datetime) -> bool:
        """True when it should paint and does not."""
        return self.silent(now) > FROZEN_AFTER


class Screens:
    """The wall screens of one server process."""

    def __init__(self, screens: Iterable[WallScreen]) -> None:
        self._lock = threading.Lock()
        self._states = {one.key: ScreenState(key=one.key) for one in screens}

    def join(self, key: str, person: Person, visit: str, now: datetime) -> None:
        """A screen has opened its connection. A second one of the same name takes over: the newest is looked at."""
        with self._lock:
            if key in self._states:
                self._states[key] = replace(
                    self._states[key],
                    account=person.account,
                    wall=person.kind == "wall",
                    visit=visit,
                    since=now,
                    closed_at=None,
                )

    def beat(self, key: str, visit: str, told: Mapping[str, Any], now: datetime) -> None:
        """It lives; `told` is what its page says about itself, of which only what is well-formed is kept."""
        with self._lock:
            known = self._states.get(key)
            if known is None or known.visit != visit:
                return
            painted = _count(told.get("painted"))
            moved = painted != known.painted
            heap = told.get("heap_mb")
            self._states[key] = replace(
                known,
                beat_at=now,
                scene=_text(told.get("scene")),
                painted=painted,
                painted_at=now if moved or known.painted_at is None else known.painted_at,
                errors=_count(told.get("errors")),
                last_error=_text(told.get("last_error")),
                heap_mb=float(heap) if isinstance(heap, (int, float)) and 0 <= heap < 1e6 else None,
                size=_text(told.get("size")),
            )

    def leave(self, key: str, visit: str, now: datetime, *, politely: bool) -> None:
        """Its connection is closed; `politely` when the page itself said so (closed by hand, or reloading)."""
        with self._lock:
            known = self._states.get(key)
            if known is None or known.visit != visit:
                return
            if politely and not known.wall:
                self._states[key] = ScreenState(key=key)  # somebody had a look from a desk
            else:
                self._states[key] = replace(known, visit="", closed_at=now if politely else None)

    def expect(self, key: str, now: datetime) -> None:
        """A screen that was there before this process began should come back."""
        with self._lock:
            if key in self._states and self._states[key].since is None:
                self._states[key] = replace(self._states[key], since=now)

    def states(self) -> tuple[ScreenState, ...]:
        """All screens of the plan, in its order."""
        with self._lock:
            return tuple(self._states.values())


def _count(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) and 0 <= value < 1e15 else 0


def _text(value: object) -> str:
    return " ".join(str(value).split())[:LONGEST_TEXT] if isinstance(value, str) else ""
