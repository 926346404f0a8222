"""Prometheus Alertmanager, API v2: POST /api/v2/alerts; it groups, silences and forwards in its own way.

API: the OpenAPI file of prometheus/alertmanager (api/v2). An alert is its set of labels, so posting it twice changes
nothing: after a doubt the courier may send again. Traps: an alert without `endsAt` is taken for resolved after its
`resolve_timeout` (5 minutes), so a firing one carries an end far ahead (`hold_h`); the priority is a label, so when
it changes the alert of the old priority is ended in the same call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.errors import ConfigError
from core.ledger import Notice
from core.toml_files import take
from notices import _http, _options

KIND = "alertmanager"
OPTIONS = frozenset({"url", "ca_file", "timeout_s", "hold_h"})
PATH = "/api/v2/alerts"
FIRING = ("UNACK", "ACKED")  # any other state, covered ones too, ends the alert there


@dataclass(frozen=True, slots=True, kw_only=True)
class Alertmanager:
    """One Alertmanager."""

    key: str
    url: str
    ca_file: str = ""
    timeout_s: float = 10.0
    hold: timedelta = timedelta(hours=24)
    kind: str = KIND
    address: str = ""
    repeatable: bool = True

    def send(self, notice: Notice) -> None:
        """Post the alert as it is after this transition. Raises NotSent, Unclear."""
        body = json.dumps(entries(json.loads(notice.payload), self.hold), ensure_ascii=False).encode()
        _http.post(self.url + PATH, body, {}, read_s=self.timeout_s, ca_file=self.ca_file)


def entries(facts: Mapping[str, Any], hold: timedelta) -> list[dict[str, Any]]:
    """What is posted: the alert firing or ended, and the end of the one with the priority that it had before."""
    happened_at = datetime.fromisoformat(facts["happened_at"])
    began_at = min(datetime.fromisoformat(facts["began_at"] or facts["happened_at"]), happened_at)
    firing = facts["state"] in FIRING
    found = [_entry(facts, facts["priority"], began_at, happened_at + hold if firing else happened_at)]
    if facts["priority_before"] not in ("", facts["priority"]):
        found.append(_entry(facts, facts["priority_before"], began_at, happened_at))
    return found


def _entry(facts: Mapping[str, Any], priority: str, starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    labels = {
        "alertname": facts["rule"],
        "rule": facts["rule"],
        "site": facts["site_id"],
        "severity": priority,
        "city": facts["city"],
    }
    labels |= {name: "true" for name in ("drill", "simulated") if facts[name]}
    annotations = {
        "summary": facts["summary"]["vi"],
        "summary_en": facts["summary"]["en"],
        "action": facts["action"]["vi"],
        "owner": facts["owner"]["vi"],
    }
    return {
        "labels": labels,
        "annotations": {name: words for name, words in annotations.items() if words},
        "startsAt": starts_at.isoformat(),
        "endsAt": ends_at.isoformat(),
        "generatorURL": facts["link"],
    }


def build(key: str, options: Mapping[str, Any], environ: Mapping[str, str], where: str) -> Alertmanager:
    """The channel of that entry; `url` without the path of the API. Raises ConfigError."""
    url = _options.url(options, environ, where, guarded=False).rstrip("/")
    if url.endswith(PATH):
        raise ConfigError(f"{where}: give url without {PATH}")
    hold_h = float(take(options, "hold_h", (int, float), where, 24))
    if not 0.5 <= hold_h <= 720:
        raise ConfigError(f"{where}: hold_h must lie between 0.5 and 720 hours, not {hold_h:g}")
    return Alertmanager(
        key=key,
        url=url,
        ca_file=_options.ca_file(options, where),
        timeout_s=_options.seconds(options, "timeout_s", where, 10.0),
        hold=timedelta(hours=hold_h),
    )
