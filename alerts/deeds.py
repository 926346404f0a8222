"""What people may do at the alert desk: a Deed, and `perform`, which does it on the ledger.

Each deed is also a plain function (ledger, …) -> (alerts to write, events), fit for `store.change_alerts`:
`store.change_alerts(functools.partial(acknowledge, keys=[key], actor=name, now=now))`. Every deed needs a name. What is
not allowed raises Refused (an InputError) and changes nothing. Roles and areas are not asked here but at the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alerts import handover, lifecycle, playbooks, situations
from alerts.lifecycle import Changed
from alerts.refusals import Refused
from alerts.texts import actor_name, one_line, plain_text
from core.alert import Alert, AlertEvent, Key
from core.errors import InputError
from core.ledger import Ledger, Outcome, Switch
from core.wall import EVERY_SCREEN, INCIDENT, SHOW, WallPlan

if TYPE_CHECKING:
    from alerts.desk import Desk

Alerts = Mapping[Key, Alert]
Written = tuple[list[Alert], list[AlertEvent]]

MUTE_WALL = "mute_wall"
MUTED_FOR = timedelta(minutes=10)
LONGEST_ON_WALL = timedelta(hours=8)  # a shift: what the next one does not want is not left standing
ABOUT_A_SITUATION = {"lead", "status"}
PASSED_OVER = {"already_acknowledged", "shelved", "suppressed", "out_of_service"}  # what may happen before the click


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a person asks for. `action` is a word of core.access.MAY; the rest is what that action needs."""

    action: str
    keys: tuple[Key, ...] = ()  # the listed alerts and no other
    situation: str = ""
    text: str = ""  # reason, comment or note
    until: datetime | None = None  # end of a shelf, planned end of a maintenance
    work_order: str = ""
    assignee: str = ""
    unit: str = ""
    due_at: datetime | None = None
    step: int | None = None  # number in the playbook, from 1
    status: str = ""  # of a situation
    handover: str = ""  # id
    notice: str = ""  # id; messages are not the ledger's
    screen: str = ""  # of the wall; «*» is every screen
    scene: str = ""  # what it is to show
    layer: str = ""  # key of a map layer; layers are not the ledger's
    thing: str = ""  # key of anything else that is not the ledger's: a pilot, a task


def perform(deed: Deed, ledger: Ledger, desk: Desk, *, actor: str, now: datetime) -> Outcome:
    """Do it, as that person. Raises Refused with the reason, InputError for a deed that is none of the ledger's.

    A deed on an alert shows that somebody is on it, a deed on a situation shows it of all its members: `handled_at`
    moves. A deed on one member shows nothing of the others.
    """
    if deed.action not in ACTIONS:
        raise InputError(f"deed {deed.action!r} is unknown to the alert desk; known: {', '.join(sorted(ACTIONS))}")
    who = actor_name(actor)
    outcome = ACTIONS[deed.action](deed, ledger, desk, who, now)
    return _seen_to(outcome, ledger, deed, now)


def acknowledge(alerts: Alerts, keys: Collection[Key], actor: str, now: datetime, reason: str = "") -> Written:
    """Acknowledge the listed alerts and no other. Those that somebody else acknowledged or covered meanwhile are
    passed over; when none is left, Refused tells why of the last.
    """
    who, why = actor_name(actor), plain_text(reason)
    written: Written = ([], [])
    refused: Refused | None = None
    for alert in _chosen(alerts, keys):
        try:
            after, events = lifecycle.acknowledge(alert, who, now, why)
        except Refused as refusal:
            if refusal.code not in PASSED_OVER:
                raise
            refused = refusal
            continue
        written[0].append(after)
        written[1].extend(events)
    if refused is not None and not written[0]:
        raise refused
    return written


def unacknowledge(alerts: Alerts, key: Key, actor: str, now: datetime) -> Written:
    """Undo one's own acknowledgement within 10 s; the journal keeps both."""
    who = actor_name(actor)
    return _each(alerts, [key], lambda alert: lifecycle.unacknowledge(alert, who, now))


def reset(alerts: Alerts, keys: Collection[Key], actor: str, now: datetime, reason: str = "") -> Written:
    """Let the latch of all of the listed alerts go, or of none."""
    who, why = actor_name(actor), plain_text(reason)
    return _each(alerts, keys, lambda alert: lifecycle.reset(alert, who, now, why))


def shelve(alerts: Alerts, keys: Collection[Key], actor: str, now: datetime, until: datetime, reason: str) -> Written:
    """Shelve all of the listed alerts until then, or none."""
    who, why = actor_name(actor), plain_text(reason)
    return _each(alerts, keys, lambda alert: lifecycle.shelve(alert, until, who, now, why))


def unshelve(alerts: Alerts, keys: Collection[Key], actor: str, now: datetime) -> Written:
    """Lift the shelf of all of the listed alerts, or of none."""
    who = actor_name(actor)
    return _each(alerts, keys, lambda alert: lifecycle.unshelve(alert, who, now))


def take_out_of_service(
    alerts: Alerts, keys: Collection[Key], actor: str, now: datetime, until: datetime, work_order: str, reason: str
) -> Written:
    """Take all of the listed alerts out of service for one work order, or none."""
    who, why, order = actor_name(actor), plain_text(reason), one_line(work_order)
    return _each(alerts, keys, lambda alert: lifecycle.take_out_of_service(alert, until, order, who, now, why))


def return_to_service(alerts: Alerts, keys: Collection[Key], actor: str, now: datetime, reason: str = "") -> Written:
    """Return all of the listed alerts to service, or none."""
    who, why = actor_name(actor), plain_text(reason)
    return _each(alerts, keys, lambda alert: lifecycle.return_to_service(alert, who, now, why))


def assign(
    alerts: Alerts,
    keys: Collection[Key],
    actor: str,
    now: datetime,
    assignee: str = "",
    unit: str = "",
    due_at: datetime | None = None,
    reason: str = "",
) -> Written:
    """Give all of the listed alerts to a person or a unit, or none; without a deadline each gets its priority's."""
    who, why, person, office = actor_name(actor), plain_text(reason), one_line(assignee), one_line(unit)
    return _each(alerts, keys, lambda alert: lifecycle.assign(alert, person, office, due_at, who, now, why))


def comment(alerts: Alerts, key: Key, actor: str, now: datetime, text: str) -> Written:
    """Add a sentence to the journal of one alert."""
    who, said = actor_name(actor), plain_text(text)
    return _each(alerts, [key], lambda alert: lifecycle.comment(alert, said, who, now))


def mute_wall(ledger: Ledger, actor: str, now: datetime) -> Outcome:
    """No sound from the wall for ten minutes, by name; muting again begins them anew."""
    return Outcome(switches=[Switch(name=MUTE_WALL, until=now + MUTED_FOR, by=actor_name(actor), at=now)])


def show_on_wall(
    ledger: Ledger, wall: WallPlan, screen: str, scene: str, until: datetime, actor: str, now: datetime
) -> Outcome:
    """Put a scene, or one alert («incident:rule:site»), on a screen until then. The latest choice holds.

    Raises Refused for a screen or scene that does not exist, an alert that is not open, a time that is no span.
    """
    if not screen or (screen != EVERY_SCREEN and wall.screen(screen) is None):
        raise Refused("unknown_screen")
    incident = scene.startswith(f"{INCIDENT}:")
    if incident and not any(scene == f"{INCIDENT}:{a.rule}:{a.site_id}" and a.state != "NORM" for a in ledger.values()):
        raise Refused("not_open")
    if not incident and scene not in wall.scenes:
        raise Refused("unknown_scene")
    if not now < until <= now + LONGEST_ON_WALL:
        raise Refused("wall_span")
    return Outcome(switches=[Switch(name=f"{SHOW}{screen}:{scene}", until=until, by=actor_name(actor), at=now)])


def release_wall(ledger: Ledger, screen: str, actor: str, now: datetime) -> Outcome:
    """The screen turns by itself again. Raises Refused when nothing was put on it."""
    held = [
        switch for name, switch in ledger.switches.items() if name.startswith(f"{SHOW}{screen}:") and switch.until > now
    ]
    if not held:
        raise Refused("nothing_on_wall")
    return Outcome(switches=[replace(switch, until=now, by=actor_name(actor), at=now) for switch in held])


def unmute_wall(ledger: Ledger, actor: str, now: datetime) -> Outcome:
    """The wall may be heard again before its ten minutes are over. Raises Refused when it can be heard already."""
    muted = ledger.switches.get(MUTE_WALL)
    if muted is None or muted.until <= now:
        raise Refused("wall_not_muted")
    return Outcome(switches=[Switch(name=MUTE_WALL, until=now, by=actor_name(actor), at=now)])


def _chosen(alerts: Alerts, keys: Collection[Key]) -> list[Alert]:
    """The alerts of the keys, each once."""
    if not keys:
        raise Refused("no_alert_chosen")
    for rule, site_id in keys:
        if (rule, site_id) not in alerts:
            raise Refused("unknown_alert", rule=rule, site_id=site_id)
    return [alerts[key] for key in dict.fromkeys(keys)]


def _each(alerts: Alerts, keys: Collection[Key], deed: Callable[[Alert], Changed]) -> Written:
    written: Written = ([], [])
    for alert in _chosen(alerts, keys):
        after, events = deed(alert)
        written[0].append(after)
        written[1].extend(events)
    return written


def _seen_to(outcome: Outcome, ledger: Ledger, deed: Deed, now: datetime) -> Outcome:
    """The outcome with `handled_at` moved for the alerts that it is about: those that it tells of, and the members
    of a situation that somebody leads or moves on.
    """
    touched = [(event.rule, event.site_id) for event in outcome.events]
    if deed.action in ABOUT_A_SITUATION:
        touched += [alert.key for alert in ledger.values() if alert.situation == deed.situation]
    alerts = {alert.key: alert for alert in outcome.alerts}
    for key in touched:
        alert = alerts.get(key) or ledger.get(key)
        if alert is not None:
            alerts[key] = replace(alert, handled_at=now)
    return outcome._replace(alerts=list(alerts.values()))


Action = Callable[[Deed, Ledger, "Desk", str, datetime], Outcome]


def _acknowledge(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return Outcome(*acknowledge(ledger, deed.keys, who, now, deed.text))


def _unacknowledge(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return Outcome(*_each(ledger, deed.keys, lambda alert: lifecycle.unacknowledge(alert, who, now, desk.undo_within)))


def _reset(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return Outcome(*reset(ledger, deed.keys, who, now, deed.text))


def _shelve(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    if deed.until is None:
        raise Refused("shelf_end_missing")
    return Outcome(*shelve(ledger, deed.keys, who, now, deed.until, deed.text))


def _unshelve(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return Outcome(*unshelve(ledger, deed.keys, who, now))


def _take_out_of_service(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    if deed.until is None:
        raise Refused("service_end_missing")
    return Outcome(*take_out_of_service(ledger, deed.keys, who, now, deed.until, deed.work_order, deed.text))


def _return_to_service(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return Outcome(*return_to_service(ledger, deed.keys, who, now, deed.text))


def _assign(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return Outcome(*assign(ledger, deed.keys, who, now, deed.assignee, deed.unit, deed.due_at, deed.text))


def _comment(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    said = plain_text(deed.text)
    return Outcome(*_each(ledger, deed.keys, lambda alert: lifecycle.comment(alert, said, who, now)))


def _tick_step(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return playbooks.tick(ledger, desk.playbooks, *_step(deed, ledger), who, now, plain_text(deed.text))


def _untick_step(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return playbooks.untick(ledger, desk.playbooks, *_step(deed, ledger), who, now, plain_text(deed.text))


def _step(deed: Deed, ledger: Ledger) -> tuple[Key, int]:
    """The one alert and the one step that a tick is about."""
    alert, *more = _chosen(ledger, deed.keys)
    if deed.step is None or more:
        raise Refused("step_missing")
    return alert.key, deed.step


def _join(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    _chosen(ledger, deed.keys)
    return situations.join(ledger, deed.keys, deed.situation, who, now)


def _split(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    _chosen(ledger, deed.keys)
    return situations.split(ledger, deed.keys, who, now)


def _lead(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return situations.lead(ledger, deed.situation, one_line(deed.assignee), one_line(deed.unit), who, now)


def _status(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return situations.set_status(ledger, deed.situation, deed.status, who, now, plain_text(deed.text))


def _mute_wall(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return mute_wall(ledger, who, now)


def _unmute_wall(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return unmute_wall(ledger, who, now)


def _show_on_wall(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return show_on_wall(ledger, desk.wall, deed.screen, deed.scene, deed.until or now, who, now)


def _release_wall(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return release_wall(ledger, deed.screen, who, now)


def _draft_handover(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return handover.draft(ledger, desk, who, now, note=plain_text(deed.text))


def _sign_out(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return handover.sign_out(ledger, deed.handover, who, now, desk)


def _sign_in(deed: Deed, ledger: Ledger, desk: Desk, who: str, now: datetime) -> Outcome:
    return handover.sign_in(ledger, deed.handover, who, now)


ACTIONS: Mapping[str, Action] = {
    "acknowledge": _acknowledge,
    "unacknowledge": _unacknowledge,
    "reset": _reset,
    "shelve": _shelve,
    "unshelve": _unshelve,
    "take_out_of_service": _take_out_of_service,
    "return_to_service": _return_to_service,
    "assign": _assign,
    "comment": _comment,
    "tick_step": _tick_step,
    "untick_step": _untick_step,
    "join": _join,
    "split": _split,
    "lead": _lead,
    "status": _status,
    "mute_wall": _mute_wall,
    "unmute_wall": _unmute_wall,
    "show_on_wall": _show_on_wall,
    "release_wall": _release_wall,
    "draft_handover": _draft_handover,
    "sign_out": _sign_out,
    "sign_in": _sign_in,
}
