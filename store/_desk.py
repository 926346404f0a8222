"""The alert desk in SQL: what one change may read, and what it writes. Functions on a cursor inside a transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import duckdb

from core.alert import PRIORITIES, Alert, AlertEvent
from core.errors import InputError
from core.ledger import NOTICE_STATES, Handover, Ledger, Notice, Outcome, Situation, StepDone, Switch
from store._chain import append
from store._file import one
from store._rows import (
    ALERT_TYPES,
    EVENT_TYPES,
    HANDOVER_TYPES,
    NOTICE_TYPES,
    SITUATION_TYPES,
    STEP_TYPES,
    SWITCH_TYPES,
    Record,
    alert_of,
    listed,
    naive,
    plain,
    record_of,
)
from store._upsert import insert, upsert

ALERTS: Final = f"SELECT {listed(ALERT_TYPES)} FROM alerts ORDER BY rule, site_id"
_STEP_KEY: Final = ("rule", "site_id", "began_at", "step")
INTERRUPTED: Final = "the server stopped while this was being sent"
_URGENCY: Final = " ".join(f"WHEN '{word}' THEN {rank}" for rank, word in enumerate(PRIORITIES))
_NEXT: Final[Mapping[str, frozenset[str]]] = {  # from -> to; what was sent or dropped is settled for good
    "queued": frozenset({"dropped"}),
    "sending": frozenset({"sent", "failed", "unclear", "queued"}),
    "failed": frozenset({"queued", "dropped"}),
    "unclear": frozenset({"queued", "dropped"}),
    "sent": frozenset(),
    "dropped": frozenset(),
}


def ledger(cursor: duckdb.DuckDBPyConnection) -> Ledger:
    """What a change may read; its mappings cannot be written to. A switch is there also when its time is over."""
    return Ledger(
        alerts=_named(map(alert_of, cursor.execute(ALERTS).fetchall())),
        situations=_open_situations(_all(cursor, Situation, "situations", SITUATION_TYPES, "WHERE closed_at IS NULL")),
        steps=_present_steps(cursor),
        switches=_named(_all(cursor, Switch, "switches", SWITCH_TYPES, "ORDER BY name")),
        handovers=_pending_handovers(cursor),
        next_situation=_next_situation(cursor),
    )


def _present_steps(cursor: duckdb.DuckDBPyConnection) -> Mapping[Any, StepDone]:
    present = "s SEMI JOIN alerts a ON s.rule = a.rule AND s.site_id = a.site_id AND s.began_at = a.began_at"
    return _named(_all(cursor, StepDone, "playbook_steps", STEP_TYPES, f"{present} ORDER BY s.rule, s.site_id, s.step"))


def _open_situations(situations: Iterable[Situation]) -> Mapping[str, Situation]:
    standing = [situation for situation in situations if situation.closed_at is None]
    return _named(sorted(standing, key=lambda situation: (situation.opened_at, situation.id)))


def _pending_handovers(cursor: duckdb.DuckDBPyConnection) -> tuple[Handover, ...]:
    unsigned = "(signed_out_at IS NULL OR signed_in_at IS NULL)"
    last = f"(SELECT id FROM handovers WHERE NOT {unsigned} ORDER BY made_at DESC, id DESC LIMIT 1)"
    chosen = f"WHERE {unsigned} OR id = {last} ORDER BY made_at DESC, id DESC"
    return tuple(_all(cursor, Handover, "handovers", HANDOVER_TYPES, chosen))


def _next_situation(cursor: duckdb.DuckDBPyConnection) -> int:
    (last,) = one(cursor.execute(r"SELECT max(try_cast(regexp_extract(id, '(\d+)$', 1) AS BIGINT)) FROM situations"))
    return int(last or 0) + 1


def _key(record: Any) -> Any:
    """What a record is called in the ledger."""
    if isinstance(record, StepDone):
        return (record.rule, record.site_id, record.began_at, record.step)
    if isinstance(record, Alert):
        return record.key
    return record.name if isinstance(record, Switch) else record.id


def _named(records: Iterable[Record]) -> Mapping[Any, Record]:
    return MappingProxyType({_key(record): record for record in records})


def _all(
    cursor: duckdb.DuckDBPyConnection,
    kind: type[Record],
    table: str,
    types: Mapping[str, str],
    further: str,
    parameters: Mapping[str, Any] | None = None,
) -> list[Record]:
    query = f"SELECT {listed(types)} FROM {table} {further}"
    return [record_of(kind, row) for row in cursor.execute(query, dict(parameters or {})).fetchall()]


def write(cursor: duckdb.DuckDBPyConnection, before: Ledger, outcome: Outcome) -> tuple[Outcome, Ledger]:
    """Write what an outcome changes; returns that, and the ledger after it.

    A record that stays as it is and a notice that is known do not count. Where one outcome holds the same record
    twice, its last one counts; of the same notice the first.
    """
    written = Outcome(
        alerts=_upsert(cursor, "alerts", outcome.alerts, before.alerts, ALERT_TYPES, ("rule", "site_id")),
        events=_append_events(cursor, outcome.events),
        situations=_upsert(cursor, "situations", outcome.situations, before.situations, SITUATION_TYPES, ("id",)),
        steps=_upsert(cursor, "playbook_steps", outcome.steps, before.steps, STEP_TYPES, _STEP_KEY),
        notices=_queue(cursor, outcome.notices),
        switches=_upsert(cursor, "switches", outcome.switches, before.switches, SWITCH_TYPES, ("name",)),
        handovers=_upsert(cursor, "handovers", outcome.handovers, _named(before.handovers), HANDOVER_TYPES, ("id",)),
        audit=tuple(outcome.audit),
    )
    if written.audit:
        append(cursor, written.audit)
    return written, _after(cursor, before, written)


def _upsert(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    records: Sequence[Record],
    before: Mapping[Any, Record],
    types: Mapping[str, str],
    key: Sequence[str],
) -> tuple[Record, ...]:
    return upsert(cursor, table, _named(records), before, types, key) if records else ()


def _after(cursor: duckdb.DuckDBPyConnection, before: Ledger, written: Outcome) -> Ledger:
    """The ledger without reading every alert again: that would be most of the time of a deed."""
    began = any(
        alert.key not in before.alerts or before.alerts[alert.key].began_at != alert.began_at
        for alert in written.alerts
    )
    situations = {**before.situations, **_named(written.situations)}
    return Ledger(
        alerts=_with(before.alerts, written.alerts),
        situations=_open_situations(situations.values()),
        steps=_present_steps(cursor) if began or written.steps else before.steps,
        switches=_with(before.switches, written.switches),
        handovers=_pending_handovers(cursor) if written.handovers else before.handovers,
        next_situation=_next_situation(cursor) if written.situations else before.next_situation,
    )


def _with(before: Mapping[Any, Record], changed: Sequence[Record]) -> Mapping[Any, Record]:
    """The records with the changed ones in their places, in the order of their names."""
    if not changed:
        return before
    found = {**before, **_named(changed)}
    return MappingProxyType(found if len(found) == len(before) else dict(sorted(found.items())))


def _queue(cursor: duckdb.DuckDBPyConnection, notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """Add the notices whose id is new."""
    if not notices:
        return ()
    first = {notice.id: notice for notice in reversed(notices)}
    rows = cursor.execute("SELECT id FROM notices WHERE id IN (SELECT unnest(?))", [list(first)]).fetchall()
    known = {row[0] for row in rows}
    kept, values = plain([one for one in notices if one is first[one.id] and one.id not in known], NOTICE_TYPES)
    if kept:
        insert(cursor, "notices", values, NOTICE_TYPES)
    return kept


def _append_events(cursor: duckdb.DuckDBPyConnection, events: Sequence[AlertEvent]) -> tuple[AlertEvent, ...]:
    if not events:
        return ()
    kept, values = plain(events, EVENT_TYPES)
    (last,) = one(cursor.execute("SELECT coalesce(max(entry), 0) FROM journal"))
    numbers = list(range(last + 1, last + 1 + len(kept)))
    insert(cursor, "journal", {"entry": numbers, **values}, {"entry": "BIGINT", **EVENT_TYPES})
    return kept


# Reading what has been -------------------------------------------------------------------------------------------


def situations(cursor: duckdb.DuckDBPyConnection, since: datetime) -> list[Situation]:
    """Those that are open, or were closed since then; newest first."""
    return _all(
        cursor,
        Situation,
        "situations",
        SITUATION_TYPES,
        "WHERE closed_at IS NULL OR closed_at >= $since ORDER BY opened_at DESC, id DESC",
        {"since": naive(since, "since")},
    )


def steps(cursor: duckdb.DuckDBPyConnection, rule: str, site_id: str) -> list[StepDone]:
    """The steps of one alert in all its activations, the newest activation first."""
    return _all(
        cursor,
        StepDone,
        "playbook_steps",
        STEP_TYPES,
        "WHERE rule = $rule AND site_id = $site_id ORDER BY began_at DESC, step",
        {"rule": rule, "site_id": site_id},
    )


def handovers(cursor: duckdb.DuckDBPyConnection, limit: int) -> list[Handover]:
    """The newest handovers."""
    return _all(
        cursor, Handover, "handovers", HANDOVER_TYPES, "ORDER BY made_at DESC, id DESC LIMIT $limit", {"limit": limit}
    )


# Outbox -----------------------------------------------------------------------------------------------------------


def claim(
    cursor: duckdb.DuckDBPyConnection, now: datetime, limit: int, channels: Collection[str] | None
) -> list[Notice]:
    """Mark the due ones as being sent, the most urgent and oldest first, and count the try."""
    only = {} if channels is None else {"channels": list(channels)}
    chosen = _all(
        cursor,
        Notice,
        "notices",
        NOTICE_TYPES,
        f"""WHERE state = 'queued' AND (due_at IS NULL OR due_at <= $now)
        {"AND channel IN (SELECT unnest($channels))" if only else ""}
        ORDER BY CASE priority {_URGENCY} ELSE -1 END DESC, made_at, id LIMIT $limit""",
        {"now": naive(now, "now"), "limit": limit, **only},
    )
    ids = [notice.id for notice in chosen]
    if ids:
        cursor.execute(
            "UPDATE notices SET state = 'sending', tries = tries + 1 WHERE id IN (SELECT unnest(?))",
            [ids],
        )
    return [replace(notice, state="sending", tries=notice.tries + 1) for notice in chosen]


def settle(
    cursor: duckdb.DuckDBPyConnection,
    id: str,
    state: str,
    now: datetime,
    error: str,
    due_at: datetime | None,
    only_from: Iterable[str],
) -> None:
    """Write how it went. Raises InputError for a way that the life of a notice does not have."""
    rows = cursor.execute("SELECT state FROM notices WHERE id = ?", [id]).fetchall()
    if not rows:
        raise InputError(f"notice {id}: there is none of that name")
    ((present,),) = rows
    if state not in NOTICE_STATES or state not in _NEXT[present] or present not in (set(only_from) or {present}):
        raise InputError(f"notice {id} is «{present}» and cannot become «{state}»: look at it anew")
    cursor.execute(
        "UPDATE notices SET state = ?, settled_at = ?, error = ?, due_at = ? WHERE id = ?",
        [
            state,
            None if state == "queued" else naive(now, "now"),
            error,
            None if due_at is None else naive(due_at, "due_at"),
            id,
        ],
    )


def interrupted(cursor: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """What was being sent when the last programme ended may have gone out: nobody knows, so it is not sent again."""
    cursor.execute(
        "UPDATE notices SET state = 'unclear', settled_at = ?, error = ? WHERE state = 'sending'",
        [naive(now, "now"), INTERRUPTED],
    )


def notices(
    cursor: duckdb.DuckDBPyConnection, states: Iterable[str] | None, since: datetime | None, limit: int
) -> list[Notice]:
    """The newest notices, of those states only, made since then."""
    conditions = ["true"]
    parameters: dict[str, Any] = {"limit": limit}
    if states is not None:
        conditions.append("state IN (SELECT unnest($states::VARCHAR[]))")
        parameters["states"] = list(states)
    if since is not None:
        conditions.append("made_at >= $since")
        parameters["since"] = naive(since, "since")
    return _all(
        cursor,
        Notice,
        "notices",
        NOTICE_TYPES,
        f"WHERE {' AND '.join(conditions)} ORDER BY made_at DESC, id DESC LIMIT $limit",
        parameters,
    )
