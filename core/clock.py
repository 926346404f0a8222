"""Whose time it is. The clock is an argument everywhere, so a scenario can run at x600 and a test at a fixed minute."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1990, 1, 1, tzinfo=UTC)  # before every observation, and a whole number of any period


class Clock(Protocol):
    """Something that tells the city's present."""

    def now(self) -> datetime:
        """The present as aware UTC."""


class SystemClock:
    """The machine's clock."""

    speed: float = 1.0

    def now(self) -> datetime:
        """The present as aware UTC."""
        return datetime.now(UTC)


@dataclass
class ScenarioClock:
    """A clock that starts at a given moment and runs `speed` times as fast; immune to changes of the wall clock."""

    start: datetime
    speed: float = 1.0

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._start = self.start.astimezone(UTC)  # days and hours of frames are reckoned in UTC

    def now(self) -> datetime:
        """The scenario's present as aware UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self.speed)


def floor(moment: datetime, step: timedelta) -> datetime:
    """The last moment at or before `moment` at which a period of that length ends."""
    return moment - (moment - EPOCH) % step


def speed_of(clock: Clock) -> float:
    """How many times as fast as the world that clock runs."""
    return float(getattr(clock, "speed", 1.0))
