"""The life of one alert: pure functions (alert, …) -> (alert, events), the clock is an argument.

Two facts (active, acked) and a cover that hides and forgets nothing; states and arrows in docs/alerts.md
(ISA-18.2 with OPC UA part 9). Delays run on observation time, staleness, silence and shelves on the clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.refusals import Refused
from alerts.rules import Limit, Rule
from core.alert import PRIORITIES, Alert, AlertEvent
from core.formats import duration

ENGINE = "engine"
SHELVED = "SHLVD"
LONGEST_SHELF = timedelta(hours=8)
UNDO_WITHIN = timedelta(seconds=10)

Changed = tuple[Alert, list[AlertEvent]]


def journal(
    before: Alert,
    after: Alert,
    deed: str,
    at: datetime,
    *,
    actor: str = ENGINE,
    value: float | None = None,
    reason: str = "",
) -> AlertEvent:
    """The journal line for a change. `state` is the listed one, so a change under a cover reads SHLVD -> SHLVD."""
    return AlertEvent(
        happened_at=at,
        rule=after.rule,
        site_id=after.site_id,
        state_before=before.state,
        state_after=after.state,
        priority=after.priority,
        value=value,
        actor=actor,
        deed=deed,
        reason=reason,
    )


def observe(alert: Alert, rule: Rule, value: float, at: datetime) -> Changed:
    """Judge one value [unit of the property] of the time `at`. A NaN or a row not newer than the last moves nothing."""
    return observe_series(alert, rule, ((at, value),))


def observe_series(alert: Alert, rule: Rule, samples: Iterable[tuple[datetime, float]]) -> Changed:
    """Judge (time, value) pairs in order of time; the same as `observe` for each of them, only faster.

    `standing` is how many levels hold: 0 is inactive. Where the value asks for another standing, `turning_since`
    runs; once on_delay (worse) or off_delay (better) is over, the standing follows, but never further than the last
    two values agree on: a single spike at the end of a delay does not ring at its own height.
    A gap longer than stale_after starts the delay anew: nobody knows what was in between.
    """
    limits = rule.limits_at(alert.site_id)
    if not limits:
        return alert, []
    events: list[AlertEvent] = []
    standing = _standing(alert, limits)
    newest, last, turning = alert.seen_at, alert.value, alert.turning_since
    for at, value in samples:
        if not math.isfinite(value) or (newest is not None and at <= newest):
            continue
        target = _target(rule, limits, standing, value)
        if target == standing:
            turning = None
        else:
            before = standing if last is None else _target(rule, limits, standing, last)
            same_way = before != standing and (before > standing) == (target > standing)
            gap = newest is not None and rule.stale_after is not None and at - newest > rule.stale_after
            if turning is None or gap or not same_way:
                turning = at
            worse = target > standing
            if at - turning >= (rule.on_delay if worse else rule.off_delay):
                if turning < at:
                    target = min(before, target) if worse else max(before, target)
                alert, entries = _move(alert, limits, standing, target, value, at)
                events += entries
                standing = target
                turning = None if _target(rule, limits, standing, value) == standing else at
        newest, last = at, value
    if newest != alert.seen_at:
        alert = replace(alert, seen_at=newest, value=last, turning_since=turning)
    return alert, events


def _standing(alert: Alert, limits: tuple[Limit, ...]) -> int:
    """How many levels the alert holds now; at least one while it is active, also after an edit of the rule."""
    if not alert.active:
        return 0
    rank = PRIORITIES.index(alert.priority)
    return max(1, sum(PRIORITIES.index(limit.priority) <= rank for limit in limits))


def _target(rule: Rule, limits: tuple[Limit, ...], standing: int, value: float) -> int:
    """The standing that a value asks for: up at the setpoint, down only beyond the deadband."""
    count = len(limits)
    reached = standing
    while reached < count and rule.reaches(value, limits[reached].on_at):
        reached += 1
    if reached > standing:
        return reached
    while reached and not rule.reaches(value, limits[reached - 1].off_at):
        reached -= 1
    return reached


def _move(
    alert: Alert, limits: tuple[Limit, ...], standing: int, target: int, value: float, at: datetime
) -> tuple[Alert, list[AlertEvent]]:
    """From one standing to another: clear, raise, raise or lower the priority."""
    if target == 0:
        after = replace(alert, active=False, cleared_at=at)
        return after, [journal(alert, after, "clear", at, value=value)]
    priority = limits[target - 1].priority
    if target < standing:
        after = replace(alert, priority=priority)
        return after, [journal(alert, after, "lower_priority", at, value=value)]
    return _annunciate(alert, priority, "raise_priority" if standing else "raise", at, value)


def _annunciate(alert: Alert, priority: str, deed: str, at: datetime, value: float | None) -> Changed:
    """A new annunciation: unacknowledged, and not under a shelf when it is critical."""
    after = replace(
        alert, active=True, acked=False, priority=priority, raised_at=at, cleared_at=None, acked_at=None, acked_by=""
    )
    events = [journal(alert, after, deed, at, value=value)]
    if after.hidden == SHELVED and priority == "critical":
        bare = _uncovered(after)
        events.append(journal(after, bare, "unshelve", at, value=value, reason=Refused("critical").words("vi")))
        after = bare
    return after, events


def observe_silence(alert: Alert, rule: Rule, newest: datetime | None, now: datetime) -> Changed:
    """Life of a `missing` rule: raised when a series that did report is silent longer than stale_after, on the clock.

    `newest` is the time of the newest value of any source, or None where none is known.
    """
    known = [moment for moment in (alert.seen_at, newest) if moment is not None]
    if not known or rule.stale_after is None or not rule.limits_at(alert.site_id):
        return alert, []
    heard = max(known)
    if heard != alert.seen_at:
        alert = replace(alert, seen_at=heard)
    silent = now - heard > rule.stale_after
    if silent and not alert.active:
        return _annunciate(alert, rule.levels[0].priority, "raise", now, None)
    if alert.active and not silent:
        after = replace(alert, active=False, cleared_at=now)
        return after, [journal(alert, after, "clear", now)]
    return alert, []


def tick(alert: Alert, rule: Rule, now: datetime) -> Changed:
    """What the clock alone changes: a shelf runs out, a process alert freezes when its data are late, or thaws.

    A normal alert is not marked: there is nothing to freeze, and the silence has a rule of its own.
    """
    after, events = expire_shelf(alert, now)
    if rule.kind == "missing" or rule.stale_after is None or after.seen_at is None:
        return after, events
    late = now - after.seen_at > rule.stale_after
    if after.stale and not late:
        live = replace(after, stale=False)
        return live, [*events, journal(after, live, "live", now, value=after.value)]
    if late and not after.stale and after.state != "NORM":
        frozen = replace(after, stale=True)
        return frozen, [*events, journal(after, frozen, "stale", now, value=after.value)]
    return after, events


def expire_shelf(alert: Alert, now: datetime) -> Changed:
    """Lift a shelf whose time is over."""
    if alert.hidden != SHELVED or alert.hidden_until is None or now < alert.hidden_until:
        return alert, []
    bare = _uncovered(alert)
    return bare, [journal(alert, bare, "shelf_expired", now, value=alert.value)]


def withdraw(alert: Alert, now: datetime) -> Changed:
    """End an alert whose rule no longer judges it: without this it would stand for ever. Acknowledging is still due."""
    if not alert.active:
        return alert, []
    after = replace(alert, active=False, cleared_at=now, turning_since=None)
    reason = "Quy tắc đã tắt hoặc không còn xét điểm này."
    return after, [journal(alert, after, "clear", now, value=alert.value, reason=reason)]


def acknowledge(alert: Alert, actor: str, now: datetime) -> Changed:
    """UNACK -> ACKED, RTNUN -> NORM. Raises Refused when it was done before, or under a cover."""
    if alert.acked:
        if alert.acked_at is None or not alert.acked_by:
            raise Refused("nothing_to_acknowledge")
        ago = now - alert.acked_at
        raise Refused("already_acknowledged", who=alert.acked_by, ago_vi=duration(ago), ago_en=duration(ago, "en"))
    if alert.hidden is not None:
        raise Refused("shelved")
    after = replace(alert, acked=True, acked_at=now, acked_by=actor)
    return after, [journal(alert, after, "acknowledge", now, actor=actor, value=alert.value)]


def unacknowledge(alert: Alert, actor: str, now: datetime) -> Changed:
    """Undo one's own acknowledgement within 10 s; the facts are then as if it had not been given."""
    if not alert.acked or alert.acked_at is None or alert.hidden is not None:
        raise Refused("nothing_to_undo")
    if alert.acked_by != actor:
        raise Refused("not_your_acknowledgement", who=alert.acked_by)
    if now - alert.acked_at > UNDO_WITHIN:
        raise Refused("undo_too_late")
    after = replace(alert, acked=False, acked_at=None, acked_by="")
    return after, [journal(alert, after, "unacknowledge", now, actor=actor, value=alert.value)]


def shelve(alert: Alert, until: datetime, actor: str, now: datetime, reason: str) -> Changed:
    """Cover a live alert until then: with a reason, for at most 8 h, never a critical one. Raises Refused."""
    if not reason:
        raise Refused("reason_missing")
    if until <= now:
        raise Refused("shelf_in_the_past")
    if until - now > LONGEST_SHELF:
        raise Refused("shelf_too_long")
    if alert.hidden == SHELVED:
        raise Refused("shelved")
    if alert.hidden is not None:
        raise Refused("covered", cover=alert.hidden)
    if alert.truth == "NORM":
        raise Refused("nothing_to_shelve")
    if alert.priority == "critical":
        raise Refused("critical")
    after = replace(alert, hidden=SHELVED, hidden_until=until, hidden_reason=reason)
    return after, [journal(alert, after, "shelve", now, actor=actor, value=alert.value, reason=reason)]


def unshelve(alert: Alert, actor: str, now: datetime) -> Changed:
    """Lift the shelf: the facts that lived on underneath come to light. Raises Refused."""
    if alert.hidden != SHELVED:
        raise Refused("not_shelved")
    bare = _uncovered(alert)
    return bare, [journal(alert, bare, "unshelve", now, actor=actor, value=alert.value)]


def _uncovered(alert: Alert) -> Alert:
    return replace(alert, hidden=None, hidden_until=None, hidden_reason="")
