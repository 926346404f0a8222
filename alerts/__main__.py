"""The room's door: `python -m alerts check` lists rules, `python -m alerts replay` lets them judge a file."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd

from alerts.deeds import acknowledge
from alerts.engine import evaluate, lookback, properties
from alerts.rules import Rule, load_rules
from alerts.series import EPOCH, Band, Readings, usual_of
from alerts.trial import CHATTER_CYCLES, activations_of, count_chattering, count_floods, cycle_of, verdict
from core.alert import Alert, AlertEvent
from core.config import load_city
from core.errors import ConfigError, HouseError, InputError
from core.observations import from_csv

ACK_COLUMNS = ("time", "rule", "site_id", "actor")
RINGING = ("raise", "raise_priority", "realarm", "ack_expired", "release")


@dataclass(frozen=True)
class Ack:
    """One line of the acknowledgements: who answered what, when, and where that is written."""

    at: datetime
    key: tuple[str, str]
    actor: str
    place: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; data to stdout, words to stderr. Returns the exit code (2: the input must be mended)."""
    parser = argparse.ArgumentParser(prog="python -m alerts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="list the rules: on, or off and why")
    replay = commands.add_parser("replay", help="print the transitions that observations cause")
    for command in (check, replay):
        command.add_argument("--rules", type=Path, required=True, help="folder with one TOML per rule")
        command.add_argument("--city", help="city in config/ whose sites the rules refer to")
    replay.add_argument("--input", type=Path, required=True, help="CSV of observations")
    replay.add_argument("--acks", type=Path, help=f"CSV of acknowledgements: {','.join(ACK_COLUMNS)}")
    options = parser.parse_args(arguments)
    try:
        rules = load_rules(options.rules, None, load_city(options.city).sites if options.city else None)
        if options.command == "check":
            sys.stdout.write(_listing(rules))
            print(f"{sum(rule.on for rule in rules)} of {len(rules)} rules are on", file=sys.stderr)
            return 0
        observations = from_csv(_read(options.input), options.input.name)
        acks = _acknowledgements(options.acks) if options.acks else []
        events = _replay(rules, observations, acks)
        sys.stdout.write(_transitions(events))
        print(_summary(rules, observations, events), file=sys.stderr)
    except HouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"{path.name}: cannot be read ({reason}); give a UTF-8 CSV file") from error


def _listing(rules: Sequence[Rule]) -> str:
    rows = [
        (rule.key, "on" if rule.on else "off", rule.observed_property, _levels(rule), rule.off_because)
        for rule in rules
    ]
    return _csv(("rule", "state", "observed_property", "levels", "off_because"), rows)


def _levels(rule: Rule) -> str:
    if rule.expression is not None and rule.expression.condition:
        return f"{rule.expression.text} {rule.levels[0].priority}"
    sign = "silent min >" if rule.kind == "missing" else rule.direction
    unit = rule.unit_of_value("en") if rule.kind in ("rate", "deviation", "count") else ""
    unit = f" {unit}" if unit and not unit.startswith("/") else unit  # «0.2/h» where nobody knows the unit itself
    return "; ".join(f"{sign} {_setpoint(level.low, level.setpoint)}{unit} {level.priority}" for level in rule.levels)


def _setpoint(low: float | None, setpoint: float | str) -> str:
    high = setpoint if isinstance(setpoint, str) else f"{setpoint:g}"
    return high if low is None else f"{low:g} to {high}"


def _acknowledgements(path: Path) -> list[Ack]:
    """In order of time."""
    table = csv.DictReader(io.StringIO(_read(path)))
    lacking = [name for name in ACK_COLUMNS if name not in (table.fieldnames or ())]
    if lacking:
        raise InputError(f"{path.name}: the column {', '.join(lacking)} is missing; give {','.join(ACK_COLUMNS)}")
    found = []
    for number, row in enumerate(table, start=2):
        place = f"{path.name}: line {number}"
        try:
            at = datetime.fromisoformat(row["time"])
        except ValueError as error:
            raise InputError(f"{place}: the time {row['time']!r} is not ISO 8601") from error
        if at.tzinfo is None:
            raise InputError(f"{place}: the time {row['time']!r} carries no zone; write 2026-09-15T10:00:00Z")
        found.append(Ack(at.astimezone(UTC), (row["rule"], row["site_id"]), row["actor"], place))
    return sorted(found, key=lambda ack: ack.at)


def _replay(rules: Sequence[Rule], observations: pd.DataFrame, acks: Sequence[Ack]) -> list[AlertEvent]:
    """The life that the observations cause, with the clock at the times of the file.

    Large pieces give the same as row by row, except where the clock matters: for silence, for suppression, for
    re-alarms and once somebody answers, because an answer that nobody follows up expires.
    """
    if not any(rule.on for rule in rules):
        raise ConfigError("every rule is off; `python -m alerts check` says why")
    times = sorted(moment.to_pydatetime() for moment in observations["time"].unique())
    stops = {ack.at for ack in acks} | set(times[-1:])
    if acks or any(rule.on and (rule.kind == "missing" or rule.suppress_when or rule.realarm_after) for rule in rules):
        stops.update(times)
    ordered = observations.sort_values("time", kind="stable")
    band = _band(rules, observations)
    stale = [span for rule in rules for span in rule.stale_by_property.values()]
    reach = max(lookback(rules), *stale, timedelta(0))
    alerts: dict[tuple[str, str], Alert] = {}
    events: list[AlertEvent] = []
    since = EPOCH
    waiting = list(acks)
    for stop in sorted(stops):
        begin, end = ordered["time"].searchsorted([pd.Timestamp(since - reach), pd.Timestamp(stop)], side="right")
        changed, entries = evaluate(
            rules, ordered.iloc[int(begin) : int(end)], alerts, now=stop, band=band, in_time=True
        )
        alerts.update((alert.key, alert) for alert in changed)
        events += entries
        while waiting and waiting[0].at == stop:
            ack = waiting.pop(0)
            try:
                changed, entries = acknowledge(alerts, [ack.key], ack.actor, stop)
            except InputError as error:
                raise InputError(f"{ack.place}: {error}") from error
            alerts.update((alert.key, alert) for alert in changed)
            events += entries
        since = stop
    return events


def _band(rules: Sequence[Rule], observations: pd.DataFrame) -> Band | None:
    """What is usual, from the file itself, for rules about deviations from it."""
    wanted = {rule.observed_property for rule in rules if rule.kind == "deviation"}
    zones = [rule.zone for rule in rules if rule.kind == "deviation"]
    return usual_of(observations, wanted, zones[0]) if wanted else None


def _summary(rules: Sequence[Rule], observations: pd.DataFrame, events: Sequence[AlertEvent]) -> str:
    """One line per rule that would have rung, and one for all of them together."""
    times = observations["time"]
    days = (times.max() - times.min()) / pd.Timedelta(days=1) if len(times) else 0.0
    readings = Readings(observations, properties(rules))
    lines, chattering = [], 0
    rung = [event for event in events if event.deed in RINGING and event.state_after == "UNACK"]  # under no cover
    for rule in rules:
        own = [event.happened_at for event in rung if event.rule == rule.key]
        series = [readings.of(rule.observed_property, site)[0] for site in readings.sites(rule.observed_property)]
        activations = activations_of(event for event in events if event.rule == rule.key)
        chatter = count_chattering(activations, CHATTER_CYCLES * cycle_of(rule, series))
        chattering += chatter
        if own:
            lines.append(f"{rule.key}: {verdict(len(own), days, count_floods(own), chatter, 'en')}")
    floods = count_floods(event.happened_at for event in rung)
    return "\n".join([*lines, f"all rules: {verdict(len(rung), days, floods, chattering, 'en')}"])


def _transitions(events: Sequence[AlertEvent]) -> str:
    rows = [
        (
            event.happened_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            event.rule,
            event.site_id,
            event.state_before,
            event.state_after,
            "" if event.value is None else f"{event.value:g}",
        )
        for event in events
        if event.state_before != event.state_after
    ]
    return _csv(("time", "rule", "site_id", "from", "to", "value"), rows)


def _csv(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


if __name__ == "__main__":
    sys.exit(main())
