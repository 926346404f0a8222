"""The room's door: `python -m alerts check` lists rules, `python -m alerts replay` lets them judge a file."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from alerts.deeds import acknowledge
from alerts.engine import evaluate
from alerts.rules import Rule, load_rules
from core.alert import Alert, AlertEvent
from core.config import load_city
from core.errors import ConfigError, HouseError, InputError
from core.observations import from_csv

ACK_COLUMNS = ("time", "rule", "site_id", "actor")


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
        sys.stdout.write(_transitions(_replay(rules, observations, acks)))
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
    sign = "silent min >" if rule.kind == "missing" else rule.direction
    return "; ".join(
        f"{sign} {level.setpoint if isinstance(level.setpoint, str) else f'{level.setpoint:g}'} {level.priority}"
        for level in rule.levels
    )


def _acknowledgements(path: Path) -> list[tuple[datetime, tuple[str, str], str, str]]:
    """(time, key, actor, place in the file), in order of time."""
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
        found.append((at.astimezone(UTC), (row["rule"], row["site_id"]), row["actor"], place))
    return sorted(found, key=lambda ack: ack[0])


def _replay(
    rules: Sequence[Rule], observations: pd.DataFrame, acks: Sequence[tuple[datetime, tuple[str, str], str, str]]
) -> list[AlertEvent]:
    """The life that the observations cause, with the clock at the times of the file.

    Pieces may be as large as wanted (they give the same as row by row) up to the next acknowledgement; only rules
    about silence need the clock at every time.
    """
    if not any(rule.on for rule in rules):
        raise ConfigError("every rule is off; `python -m alerts check` says why")
    times = sorted(moment.to_pydatetime() for moment in observations["time"].unique())
    stops = {ack[0] for ack in acks} | set(times[-1:])
    if any(rule.on and rule.kind == "missing" for rule in rules):
        stops.update(times)
    ordered = observations.sort_values("time", kind="stable")
    alerts: dict[tuple[str, str], Alert] = {}
    events: list[AlertEvent] = []
    begin = 0
    for stop in sorted(stops):
        end = int(ordered["time"].searchsorted(pd.Timestamp(stop), side="right"))
        changed, entries = evaluate(rules, ordered.iloc[begin:end], alerts, now=stop)
        alerts.update((alert.key, alert) for alert in changed)
        events += entries
        for at, key, actor, place in acks:
            if at == stop:
                try:
                    changed, entries = acknowledge(alerts, [key], actor, stop)
                except InputError as error:
                    raise InputError(f"{place}: {error}") from error
                alerts.update((alert.key, alert) for alert in changed)
                events += entries
        begin = end
    return events


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
