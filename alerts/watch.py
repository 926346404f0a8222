"""One round of the watch, as one change of the ledger: judge, tick automatic steps, group, escalate.

Each stage sees what the stages before it wrote, and all of it is written in ONE transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from alerts.desk import Desk
from alerts.engine import evaluate
from alerts.escalation import escalate
from alerts.playbooks import automatic
from alerts.situations import form
from core.ledger import Ledger, Outcome

Stage = Callable[[Ledger], Outcome]


def go_round(
    desk: Desk,
    observations: pd.DataFrame,
    ledger: Ledger,
    *,
    now: datetime,
    latest: pd.DataFrame | None = None,
    band: Mapping[tuple[str, str], pd.DataFrame] | None = None,
) -> Outcome:
    """What a cycle changes: new values and the clock (engine), playbooks, situations, the ladder.

    `observations` and `latest` are the one frame, `band` the usual band by (observed_property, site_id).
    """

    def judge(known: Ledger) -> Outcome:
        return Outcome(*evaluate(desk.rules, observations, known, now=now, latest=latest, band=band))

    return in_turn(
        ledger,
        judge,
        lambda known: automatic(known, desk.playbooks, now),
        lambda known: form(known, desk.by_key, desk.policy, desk.places, now),
        lambda known: escalate(known, desk.by_key, desk.roster, now),
    )


def in_turn(ledger: Ledger, *stages: Stage) -> Outcome:
    """Run changes one after the other, each on what the one before left, and write everything together."""
    written = Outcome()
    for stage in stages:
        more = stage(ledger)
        ledger = after(ledger, more)
        written = together(written, more)
    return written


def together(first: Outcome, second: Outcome) -> Outcome:
    """Both outcomes as one: events in order, and of every thing that both wrote the later state."""
    return Outcome(
        alerts=_latest(lambda alert: alert.key, first.alerts, second.alerts),
        events=[*first.events, *second.events],
        situations=_latest(lambda situation: situation.id, first.situations, second.situations),
        steps=_latest(lambda step: (step.rule, step.site_id, step.began_at, step.step), first.steps, second.steps),
        notices=_latest(lambda notice: notice.id, first.notices, second.notices),
        switches=_latest(lambda switch: switch.name, first.switches, second.switches),
        handovers=_latest(lambda handover: handover.id, first.handovers, second.handovers),
        audit=[*first.audit, *second.audit],
    )


def after(ledger: Ledger, outcome: Outcome) -> Ledger:
    """The ledger as it will read once the outcome is written."""
    situations = {**ledger.situations, **{situation.id: situation for situation in outcome.situations}}
    handovers = {handover.id: handover for handover in (*outcome.handovers, *reversed(ledger.handovers))}
    return Ledger(
        alerts={**ledger.alerts, **{alert.key: alert for alert in outcome.alerts}},
        situations={key: situation for key, situation in situations.items() if situation.status != "closed"},
        steps={
            **ledger.steps,
            **{(step.rule, step.site_id, step.began_at, step.step): step for step in outcome.steps},
        },
        switches={**ledger.switches, **{switch.name: switch for switch in outcome.switches}},
        handovers=tuple(handovers.values()) if outcome.handovers else ledger.handovers,
        next_situation=ledger.next_situation
        + sum(situation.id not in ledger.situations for situation in outcome.situations),
    )


def _latest(identity: Callable[[Any], Any], first: Any, second: Any) -> list[Any]:
    return list({identity(one): one for one in (*first, *second)}.values())
