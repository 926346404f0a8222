"""The escalation ladder: an alert that nobody acknowledges calls one after the other, by priority and duty roster.

How far an alert has climbed stands in the alert itself (`escalated`), in the same transaction as the journal line: a
restart, a pause or a step of the clock can neither skip a rung nor take one twice. Annunciation sets it back to 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from alerts.lifecycle import journal
from alerts.roster import Roster
from alerts.rules import Rule
from core.alert import Alert, AlertEvent
from core.ledger import Ledger, Outcome


def escalate(ledger: Ledger, rules: Mapping[str, Rule], roster: Roster, now: datetime) -> Outcome:
    """Take every rung that is due at `now`: one journal line each, deed `escalate`, detail {"step": 1, "to": [keys]}.

    Covered alerts do not climb, nor do those of a rule that is off or gone. After a pause all passed rungs are taken
    in their order; each names who is on duty now, not who would have been then.
    """
    alerts: list[Alert] = []
    events: list[AlertEvent] = []
    for alert in ledger.values():
        rule = rules.get(alert.rule)
        if rule is None or not rule.on or alert.state != "UNACK" or alert.raised_at is None:
            continue
        climbed = alert
        rungs = roster.ladder.get(alert.priority, ())
        for step, rung in enumerate(rungs[alert.escalated :], start=alert.escalated + 1):
            if now - alert.raised_at < rung.after:
                break
            climbed = replace(climbed, escalated=step)
            told = {"step": step, "to": [contact.key for contact in roster.resolve(rung.to, now)]}
            line = journal(alert, climbed, "escalate", now, value=alert.value)
            events.append(replace(line, detail=json.dumps(told)))
        if climbed is not alert:
            alerts.append(climbed)
    return Outcome(alerts, events)
