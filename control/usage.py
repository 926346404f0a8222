"""How the dashboard itself is used: pages opened and looked at by role, hours of wall screens, indicators opened.

Nobody is tracked. While a page is open, memory holds a mark of its connection, to tell one look from two; what is
stored is the day, the page, the role and counts. The machine's clock counts here, also while a scenario has its own.

Every cycle stores what has come together, of looks that still go on too: a server that is killed loses one cycle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from control.screens import ScreenState
from core.usage import INDICATOR, PAGE, SESSION_S, WALL, UsageDay
from store.base import Store

UNOPENED = timedelta(days=90)
RECENT = timedelta(days=30)
LONGEST_LOOK_S = 1800.0  # without any change of the page: whoever left the desk is not viewing
LONGEST_TURN_S = 300.0  # a pause of the house is no hour of a wall
MOST_OPEN = 5_000
NO_ROLE = ""


@dataclass(slots=True)
class _Look:
    page: str
    role: str
    began: datetime
    seen: datetime
    seconds: float = 0.0  # up to `seen`
    told_s: float = 0.0  # how much of it has been counted already
    session: bool = False  # whether it has been counted as one
    indicators: set[str] = field(default_factory=set)  # whose trends are open
    drawers: set[str] = field(default_factory=set)  # whose drawers were opened on this page


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What is known of the use, up to today."""

    since: date | None  # the first day that was counted
    total: int  # pages opened since then
    recent: int  # of them in the last 30 days
    pages: tuple[UsageDay, ...]  # of the last 30 days together, `day` is the newest; most opened first
    walls: tuple[UsageDay, ...]
    unopened: tuple[str, ...]  # of the indicators asked about
    days: int  # for how many days indicators have been counted, at most 90


class Usage:
    """One per line. Thread-safe."""

    def __init__(self, store: Store, zone: ZoneInfo, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._zone = zone
        self._now = now
        self._lock = threading.Lock()
        self._looks: dict[str, _Look] = {}  # by connection
        self._counts: dict[tuple[date, str, str, str], UsageDay] = {}  # not stored yet
        self._turned: datetime | None = None

    def opened(self, visit: str, page: str, role: str) -> None:
        """A page runs for somebody. Only another page, or the first, is one more look; a rerun keeps the look alive."""
        now = self._now()
        with self._lock:
            look = self._looks.get(visit)
            if look is not None and look.page == page:
                _go_on(look, now)
                return
            self._end(visit, now)
            while len(self._looks) >= MOST_OPEN:
                self._end(next(iter(self._looks)), now)
            self._looks[visit] = _Look(page, role, now, now)
            self._add(now, PAGE, page, role, n=1)

    def looked_at(self, visit: str, indicators: Collection[str]) -> None:
        """Somebody opened the trends of these indicators; those that were open before are no news."""
        now = self._now()
        with self._lock:
            look = self._looks.get(visit)
            for indicator in set(indicators) - (look.indicators if look else set()):
                self._add(now, INDICATOR, indicator, NO_ROLE, n=1)
            if look is not None:
                look.indicators = set(indicators)

    def asked_why(self, visit: str, indicator: str) -> None:
        """Somebody opened the drawer of a number of this indicator: counted once per look at a page.

        Without an open page nothing counts, so whoever speaks to the connection by hand cannot fill the store.
        """
        with self._lock:
            look = self._looks.get(visit)
            if look is not None and indicator not in look.indicators | look.drawers:
                look.drawers.add(indicator)
                self._add(self._now(), INDICATOR, indicator, NO_ROLE, n=1)

    def left(self, visit: str) -> None:
        """A connection is closed: its look is over."""
        with self._lock:
            self._end(visit, self._now())

    def turn(self, screens: Collection[ScreenState] = ()) -> None:
        """Once per cycle: count living wall screens and looks that go on, and store what has come together."""
        now = self._now()
        with self._lock:
            passed = 0.0 if self._turned is None else min((now - self._turned).total_seconds(), LONGEST_TURN_S)
            self._turned = now
            for state in screens:
                if state.since is not None and state.closed_at is None and not state.frozen(now) and passed > 0:
                    self._add(now, WALL, state.key, NO_ROLE, seconds=passed)
            for look in self._looks.values():
                self._tell(look, now)
            waiting, self._counts = list(self._counts.values()), {}
        if waiting:
            self._store.write_usage(waiting)

    def stop(self) -> None:
        """The house closes: every look is over, and everything is stored."""
        with self._lock:
            for visit in list(self._looks):
                self._end(visit, self._now())
        self.turn()

    def used(self, indicators: Sequence[str]) -> Used:
        """What was counted, for the page; `indicators` are those that somebody could have opened."""
        today = self._now().astimezone(self._zone).date()
        rows = self._store.read_usage(date(1970, 1, 1))
        found = [
            UsageDay(
                day=_day(row["day"]),
                kind=row["kind"],
                name=row["name"],
                role=row["role"],
                n=int(row["n"]),
                sessions=int(row["sessions"]),
                seconds=float(row["seconds"]),
            )
            for row in rows.to_dict("records")
        ]
        pages = [one for one in found if one.kind == PAGE]
        recent = [one for one in pages if today - one.day < RECENT]
        since = min((one.day for one in found), default=None)
        seen = {one.name for one in found if one.kind == INDICATOR and today - one.day < UNOPENED}
        return Used(
            since=since,
            total=sum(one.n for one in pages),
            recent=sum(one.n for one in recent),
            pages=tuple(sorted(_together(recent), key=lambda one: (-one.n, one.name, one.role))),
            walls=_together([one for one in found if one.kind == WALL and today - one.day < RECENT]),
            unopened=tuple(one for one in indicators if one not in seen),
            days=0 if since is None else min((today - since).days + 1, UNOPENED.days),
        )

    def _end(self, visit: str, now: datetime) -> None:
        look = self._looks.pop(visit, None)
        if look is not None:
            self._tell(look, now)

    def _tell(self, look: _Look, now: datetime) -> None:
        """Count what is new of a look since it was last counted, on the day on which it began."""
        whole = look.seconds + _since_seen(look, now)
        session = whole >= SESSION_S and not look.session
        if session or whole > look.told_s:
            self._add(look.began, PAGE, look.page, look.role, sessions=int(session), seconds=whole - look.told_s)
            look.told_s, look.session = whole, look.session or session

    def _add(
        self, at: datetime, kind: str, name: str, role: str, *, n: int = 0, sessions: int = 0, seconds: float = 0.0
    ) -> None:
        day = at.astimezone(self._zone).date()
        key = (day, kind, name, role)
        known = self._counts.get(key) or UsageDay(day=day, kind=kind, name=name, role=role, n=0)
        self._counts[key] = _sum(known, n, sessions, seconds)


def _go_on(look: _Look, now: datetime) -> None:
    look.seconds += _since_seen(look, now)
    look.seen = now


def _since_seen(look: _Look, now: datetime) -> float:
    return min(max((now - look.seen).total_seconds(), 0.0), LONGEST_LOOK_S)


def _sum(known: UsageDay, n: int, sessions: int, seconds: float) -> UsageDay:
    return replace(known, n=known.n + n, sessions=known.sessions + sessions, seconds=known.seconds + seconds)


def _together(days: Sequence[UsageDay]) -> tuple[UsageDay, ...]:
    """Several days of one thing and role as one."""
    found: dict[tuple[str, str], UsageDay] = {}
    for one in days:
        known = found.get((one.name, one.role))
        found[(one.name, one.role)] = one if known is None else _sum(known, one.n, one.sessions, one.seconds)
    return tuple(found.values())


def _day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    assert isinstance(value, date)
    return value
