"""A clock that stands still until a test moves it: no test of this house waits for time to pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SetClock:
    """`core.clock.Clock` for tests: `now()` is what was `set()` last."""

    speed: float = 1.0

    def __init__(self, now: datetime) -> None:
        self.set(now)

    def now(self) -> datetime:
        """The present as aware UTC."""
        return self._now

    def set(self, now: datetime) -> None:
        """Make it that moment."""
        self._now = now.astimezone(UTC)

    def advance(self, span: timedelta) -> None:
        """Let that much time pass at once."""
        self._now += span
