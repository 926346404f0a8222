"""The life of one alert: pure functions (alert, …) -> (alert, events), the clock is an argument.

Two facts (active, acked), a latch, and a cover that hides and forgets nothing; states and arrows in docs/alerts.md
(ISA-18.2 with OPC UA part 9). Delays run on observation time; staleness, silence, covers, re-alarm and the expiry of
an acknowledgement on the clock. `alerts.replay` gives the present back from the events alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from alerts.refusals import Refused
from alerts.rules import Limit, Rule
from alerts.texts import ENGINE
from core.alert import MEASURED_AT, PRIORITIES, Alert, AlertEvent
from core.formats import duration

SHELVED, SUPPRESSED, OUT_OF_SERVICE = "SHLVD", "DSUPR", "OOSRV"
LONGEST_SHELF = timedelta(hours=8)
LATE = timedelta(minutes=5)  # a value this old is news of the past: longer than a cycle and the way of a live value
UNDO_WITHIN = timedelta(seconds=10)
REMIND_EVERY = timedelta(hours=24)
TIME_TO_HANDLE = {  # deadline of assigned work where nobody gives another
    "critical": timedelta(minutes=10),
    "high": timedelta(minutes=30),
    "medium": timedelta(hours=2),
    "low": timedelta(hours=4),
}
UNDER_COVER = {SHELVED: "shelved", SUPPRESSED: "suppressed", OUT_OF_SERVICE: "out_of_service"}  # what a deed is told

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
    **detail: str | datetime | None,
) -> AlertEvent:
    """The journal line for a change. `state` is the listed one, so a change under a cover reads SHLVD -> SHLVD.

    `detail` is what else the change set (until, work_order, assignee …); it becomes one JSON object, times in ISO 8601.
    """
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
        detail=json.dumps(detail, ensure_ascii=False, default=datetime.isoformat) if detail else "",
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
                alert, entries = _move(alert, rule, standing, target, value, at)
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
    alert: Alert, rule: Rule, standing: int, target: int, value: float, at: datetime
) -> tuple[Alert, list[AlertEvent]]:
    """From one standing to another: clear, raise, raise or lower the priority."""
    if target == 0:
        return _end(alert, rule, value, at)
    priority = rule.limits_at(alert.site_id)[target - 1].priority
    if target < standing:
        after = replace(alert, priority=priority)
        return after, [journal(alert, after, "lower_priority", at, value=value)]
    return _annunciate(alert, priority, "raise_priority" if standing else "raise", at, value)


def _end(alert: Alert, rule: Rule, value: float | None, at: datetime) -> Changed:
    """The condition is over: cleared, or latched until somebody has looked and resets it."""
    after = replace(alert, active=False, latched=rule.latching, cleared_at=at)
    return after, [journal(alert, after, "latch" if rule.latching else "clear", at, value=value)]


def _annunciate(alert: Alert, priority: str, deed: str, at: datetime, value: float | None) -> Changed:
    """A new annunciation of the value; `raise` begins an activation. It is not under a shelf when it is critical."""
    began_at, heard_at = (alert.began_at, alert.heard_at) if alert.active else (None, None)
    fresh = replace(alert, assignee="", unit="", due_at=None) if alert.truth == "NORM" else alert
    after = replace(
        _rung(fresh, at),
        active=True,
        latched=False,
        priority=priority,
        began_at=began_at or at,
        heard_at=heard_at,
        cleared_at=None,
    )
    events = [journal(alert, after, deed, at, value=value)]
    if after.hidden == SHELVED and priority == "critical":
        bare = _uncovered(after)
        events.append(journal(after, bare, "unshelve", at, value=value, reason=Refused("critical").words("vi")))
        after = bare
    return after, events


def _rung(alert: Alert, at: datetime) -> Alert:
    """As it stands after an annunciation: somebody must acknowledge, and the ladder begins anew."""
    return replace(alert, acked=False, acked_at=None, acked_by="", raised_at=at, escalated=0)


def learned(before: Alert, judged: Changed, now: datetime) -> Changed:
    """What the values told, as the house learned it: of a late value nobody could know before `now`.

    `before` is the alert before the values. A line about a value more than LATE old happens now and keeps the value's
    time as `measured_at`; so do the lines after it, and those that would stand before the annunciation that they
    follow. The ladder, the time to act and all response times run from there; `began_at` stays the time of the value.
    """
    alert, events = judged
    rang_at = before.raised_at
    told: list[AlertEvent] = []
    late = False
    for event in events:
        at = event.happened_at
        late = late or now - at > LATE or (rang_at is not None and at < rang_at)
        if not late or at >= now:  # a clock that was put back: the value is ahead of it, and news
            told.append(event)
            continue
        told.append(_told_late(event, now))
        if event.deed in ("raise", "raise_priority"):
            alert = replace(alert, raised_at=now)
        if event.deed == "raise":
            alert = replace(alert, heard_at=now)
    return alert, told


def _told_late(event: AlertEvent, at: datetime) -> AlertEvent:
    detail = json.loads(event.detail) if event.detail else {}
    words = json.dumps(detail | {MEASURED_AT: event.happened_at.isoformat()}, ensure_ascii=False)
    return replace(event, happened_at=at, detail=words)


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
        return _end(alert, rule, None, now)
    return alert, []


def tick(alert: Alert, rule: Rule, now: datetime) -> Changed:
    """What the clock alone changes: the end of a shelf, reminders, late data, re-alarm, an expired acknowledgement.

    The engine calls it after the values, and `suppress` or `release` after it: so a shelf that ends while the rule's
    expression holds is followed by the suppression in the same round.
    """
    alert, expired = expire_shelf(alert, now)
    alert, reminded = remind_of_service(alert, now)
    alert, aged = _freeze_or_thaw(alert, rule, now)
    alert, again = _realarm(alert, rule, now)
    alert, back = _expire_acknowledgement(alert, rule, now)
    return alert, [*expired, *reminded, *aged, *again, *back]


def expire_shelf(alert: Alert, now: datetime) -> Changed:
    """Lift a shelf whose time is over. One that lies further ahead than any may was set by a clock since put back."""
    if alert.hidden != SHELVED or alert.hidden_until is None:
        return alert, []
    if now < alert.hidden_until <= now + LONGEST_SHELF:
        return alert, []
    bare = _uncovered(alert)
    return bare, [journal(alert, bare, "shelf_expired", now, value=alert.value)]


def remind_of_service(alert: Alert, now: datetime) -> Changed:
    """Every 24 h, and when the planned end passes, say that something is still out of service.

    It does not end by itself: equipment is not back because a date has passed.
    """
    if alert.hidden != OUT_OF_SERVICE or alert.hidden_at is None or alert.hidden_until is None:
        return alert, []
    last = alert.reminded_at or alert.hidden_at
    overdue = now >= alert.hidden_until
    if abs(now - last) < REMIND_EVERY and not (overdue and last < alert.hidden_until):
        return alert, []
    reason = f"Vẫn ngừng theo dõi theo phiếu {alert.work_order}."
    if overdue:
        reason += " Đã quá hạn dự kiến; cảnh báo chỉ trở lại khi có người đưa vào theo dõi."
    after = replace(alert, reminded_at=now)
    entry = journal(
        alert,
        after,
        "service_reminder",
        now,
        value=alert.value,
        reason=reason,
        until=alert.hidden_until,
        work_order=alert.work_order,
    )
    return after, [entry]


def _freeze_or_thaw(alert: Alert, rule: Rule, now: datetime) -> Changed:
    """A process alert freezes when its data are late. A normal one is not marked: the silence has its own rule."""
    if rule.kind == "missing" or rule.stale_after is None or alert.seen_at is None:
        return alert, []
    late = now - alert.seen_at > rule.stale_after
    if late == alert.stale or (late and alert.truth == "NORM"):
        return alert, []
    after = replace(alert, stale=late)
    return after, [journal(alert, after, "stale" if late else "live", now, value=alert.value)]


def _realarm(alert: Alert, rule: Rule, now: datetime) -> Changed:
    """Ring again, acknowledged or not, when it still holds so long after the annunciation that stands.

    Not under a cover, and not on late data: nobody knows then whether it still holds.
    """
    if rule.realarm_after is None or not alert.active or alert.hidden is not None or alert.stale:
        return alert, []
    if alert.raised_at is None or now - alert.raised_at < rule.realarm_after:
        return alert, []
    after = _rung(alert, now)
    reason = f"Điều kiện vẫn còn sau {duration(now - alert.raised_at)}."
    return after, [journal(alert, after, "realarm", now, value=alert.value, reason=reason)]


def _expire_acknowledgement(alert: Alert, rule: Rule, now: datetime) -> Changed:
    """An acknowledgement that nobody follows up comes back; work that is assigned has time until it is due.

    What counts is the last deed of a person on the alert. A clock that was put back may not keep it for ever: a deed
    that lies as far in the future counts as over, too.
    """
    if rule.ack_expires_after is None or not (alert.active and alert.acked) or alert.hidden is not None:
        return alert, []
    deeds = [moment for moment in (alert.acked_at, alert.handled_at) if moment is not None]
    if not deeds or abs(now - max(deeds)) < rule.ack_expires_after:
        return alert, []
    if alert.due_at is not None and now < alert.due_at:
        return alert, []
    after = _rung(alert, now)
    reason = f"Không có thao tác nào trong {duration(now - max(deeds))} sau khi {alert.acked_by} xác nhận."
    return after, [journal(alert, after, "ack_expired", now, value=alert.value, reason=reason, acked_by=alert.acked_by)]


def suppress(alert: Alert, now: datetime, reason: str) -> Changed:
    """Cover by design, critical ones too: the rule's expression holds. A cover that is there already stays.

    A shelf and out of service are a person's word and stronger; when they end, the engine suppresses in its round.
    """
    if alert.hidden is not None:
        return alert, []
    after = replace(alert, hidden=SUPPRESSED, hidden_reason=reason, hidden_at=now)
    return after, [journal(alert, after, "suppress", now, value=alert.value, reason=reason)]


def release(alert: Alert, now: datetime) -> Changed:
    """End of a suppression by design, judged as new: what is active rings, whatever was acknowledged before."""
    if alert.hidden != SUPPRESSED:
        return alert, []
    bare = _uncovered(alert)
    after = _rung(bare, now) if bare.active else bare
    return after, [journal(alert, after, "release", now, value=alert.value)]


def withdraw(alert: Alert, now: datetime) -> Changed:
    """End an alert whose rule no longer judges it: without this it would stand for ever. Acknowledging is still due.

    A latch stays until somebody resets it; a suppression ends with the rule that asked for it.
    """
    events: list[AlertEvent] = []
    if alert.turning_since is not None:
        alert = replace(alert, turning_since=None)
    if alert.active:
        after = replace(alert, active=False, cleared_at=now)
        reason = "Quy tắc đã tắt hoặc không còn xét điểm này."
        events.append(journal(alert, after, "clear", now, value=alert.value, reason=reason))
        alert = after
    alert, released = release(alert, now)
    alert, expired = expire_shelf(alert, now)
    alert, reminded = remind_of_service(alert, now)
    return alert, [*events, *released, *expired, *reminded]


# -- what people do ---------------------------------------------------------------------------------------------------


def acknowledge(alert: Alert, actor: str, now: datetime, reason: str = "") -> Changed:
    """UNACK -> ACKED, RTNUN -> NORM, LATUN -> LATAC. Raises Refused when it was done before, or under a cover."""
    if alert.acked:
        if alert.acked_at is None or not alert.acked_by:
            raise Refused("nothing_to_acknowledge")
        ago = now - alert.acked_at
        raise Refused("already_acknowledged", who=alert.acked_by, ago_vi=duration(ago), ago_en=duration(ago, "en"))
    _refuse_cover(alert)
    after = replace(alert, acked=True, acked_at=now, acked_by=actor, handled_at=now)
    return after, [journal(alert, after, "acknowledge", now, actor=actor, value=alert.value, reason=reason)]


def unacknowledge(alert: Alert, actor: str, now: datetime, within: timedelta = UNDO_WITHIN) -> Changed:
    """Undo one's own acknowledgement within 10 s, or `within` of a faster clock: somebody must acknowledge again."""
    if not alert.acked or alert.acked_at is None or alert.hidden is not None:
        raise Refused("nothing_to_undo")
    if alert.acked_by != actor:
        raise Refused("not_your_acknowledgement", who=alert.acked_by)
    if abs(now - alert.acked_at) > within:
        raise Refused("undo_too_late")
    after = replace(alert, acked=False, acked_at=None, acked_by="", handled_at=now)
    return after, [journal(alert, after, "unacknowledge", now, actor=actor, value=alert.value)]


def reset(alert: Alert, actor: str, now: datetime, reason: str = "") -> Changed:
    """LATAC -> NORM: somebody has looked and lets the latch go. Raises Refused.

    Not while the condition holds, and not while the newest value is beyond the setpoint again, in its on-delay.
    Late data do not forbid it: the person who resets has been there.
    """
    _refuse_cover(alert)
    if alert.active:
        raise Refused("reset_while_active")
    if not alert.latched:
        raise Refused("nothing_to_reset")
    if not alert.acked:
        raise Refused("reset_before_acknowledging")
    if alert.turning_since is not None:
        raise Refused("reset_while_returning")
    after = replace(alert, latched=False, handled_at=now)
    return after, [journal(alert, after, "reset", now, actor=actor, value=alert.value, reason=reason)]


def shelve(alert: Alert, until: datetime, actor: str, now: datetime, reason: str) -> Changed:
    """Cover a live alert until then: with a reason, for at most 8 h, never a critical one. Raises Refused."""
    if not reason:
        raise Refused("reason_missing")
    if until <= now:
        raise Refused("shelf_in_the_past")
    if until - now > LONGEST_SHELF:
        raise Refused("shelf_too_long")
    _refuse_cover(alert)
    if alert.truth == "NORM":
        raise Refused("nothing_to_shelve")
    if alert.priority == "critical":
        raise Refused("critical")
    after = replace(
        alert,
        hidden=SHELVED,
        hidden_until=until,
        hidden_reason=reason,
        hidden_by=actor,
        hidden_at=now,
        handled_at=now,
    )
    return after, [journal(alert, after, "shelve", now, actor=actor, value=alert.value, reason=reason, until=until)]


def unshelve(alert: Alert, actor: str, now: datetime) -> Changed:
    """Lift the shelf: the facts that lived on underneath come to light. Raises Refused."""
    if alert.hidden != SHELVED:
        raise Refused("not_shelved")
    bare = replace(_uncovered(alert), handled_at=now)
    return bare, [journal(alert, bare, "unshelve", now, actor=actor, value=alert.value)]


def take_out_of_service(
    alert: Alert, until: datetime, work_order: str, actor: str, now: datetime, reason: str
) -> Changed:
    """Cover for maintenance, normal and critical ones too, over a shelf or a suppression. Raises Refused.

    With reason, number of the work order and planned end; it lasts until somebody returns it to service.
    """
    if not reason:
        raise Refused("reason_missing")
    if not work_order:
        raise Refused("work_order_missing")
    if until <= now:
        raise Refused("service_end_in_the_past")
    if alert.hidden == OUT_OF_SERVICE:
        raise Refused("out_of_service")
    after = replace(
        alert,
        hidden=OUT_OF_SERVICE,
        hidden_until=until,
        hidden_reason=reason,
        hidden_by=actor,
        hidden_at=now,
        work_order=work_order,
        handled_at=now,
    )
    entry = journal(
        alert,
        after,
        "take_out_of_service",
        now,
        actor=actor,
        value=alert.value,
        reason=reason,
        until=until,
        work_order=work_order,
    )
    return after, [entry]


def return_to_service(alert: Alert, actor: str, now: datetime, reason: str = "") -> Changed:
    """End the maintenance: the facts that lived on underneath come to light. Raises Refused."""
    if alert.hidden != OUT_OF_SERVICE:
        raise Refused("not_out_of_service")
    bare = replace(_uncovered(alert), handled_at=now)
    return bare, [journal(alert, bare, "return_to_service", now, actor=actor, value=alert.value, reason=reason)]


def assign(
    alert: Alert, assignee: str, unit: str, due_at: datetime | None, actor: str, now: datetime, reason: str = ""
) -> Changed:
    """Give the work to a person or a unit, until `due_at` (default by priority, TIME_TO_HANDLE). Raises Refused.

    It holds until the alert is normal and the next activation begins.
    """
    if not assignee and not unit:
        raise Refused("nobody_assigned")
    if alert.truth == "NORM":
        raise Refused("nothing_to_assign")
    due = now + TIME_TO_HANDLE[alert.priority] if due_at is None else due_at
    if due <= now:
        raise Refused("due_in_the_past")
    after = replace(alert, assignee=assignee, unit=unit, due_at=due, handled_at=now)
    entry = journal(
        alert,
        after,
        "assign",
        now,
        actor=actor,
        value=alert.value,
        reason=reason,
        assignee=assignee,
        unit=unit,
        due_at=due,
    )
    return after, [entry]


def comment(alert: Alert, text: str, actor: str, now: datetime) -> Changed:
    """Add a sentence to the journal; somebody is on it, so an acknowledgement lasts on. Raises Refused."""
    if not text:
        raise Refused("reason_missing")
    after = replace(alert, handled_at=now)
    return after, [journal(alert, after, "comment", now, actor=actor, value=alert.value, reason=text)]


def _refuse_cover(alert: Alert) -> None:
    if alert.hidden is not None:
        raise Refused(UNDER_COVER[alert.hidden])


def _uncovered(alert: Alert) -> Alert:
    return replace(
        alert,
        hidden=None,
        hidden_until=None,
        hidden_reason="",
        hidden_by="",
        hidden_at=None,
        work_order="",
        reminded_at=None,
    )
