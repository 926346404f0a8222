"""What every store promises: frames in, frames out, and no word of SQL outside this room.

DuckDB keeps these promises today; PostgreSQL can follow without touching another room.
All times are aware UTC datetimes; frames carry datetime64[us, UTC].
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pandas as pd

from core.alert import Alert, AlertEvent
from core.catalogue import Catalogue
from core.config import City

Alerts = Mapping[tuple[str, str], Alert]
Change = Callable[[Alerts], tuple[Sequence[Alert], Sequence[AlertEvent]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What one write did. `earliest` holds, per observed property, the oldest time that is new or changed."""

    new: int
    revised: int
    unchanged: int
    earliest: Mapping[str, datetime]


class Store(Protocol):
    """The shared memory of the house. Safe to use from several threads of its one process."""

    def write_dimensions(self, city: City, catalogue: Catalogue) -> None:
        """Sites, areas, sources and properties, so that a person with SQL can join them; replaces what was there."""

    def write_observations(self, observations: pd.DataFrame, received_at: datetime) -> Written:
        """Add rows of the one frame, in ONE transaction with the serve tables.

        Idempotent on (time, site_id, observed_property, source). An equal row changes nothing; a changed value or
        quality moves the old row to the revisions with `superseded_at` and is never overwritten.
        """

    def set_aside(self, rows: pd.DataFrame, received_at: datetime) -> int:
        """Keep bad rows (the one frame + `reason`) in quarantine; returns how many were new."""

    def read_set_aside(self, since: datetime, limit: int = 1000) -> pd.DataFrame:
        """Quarantined rows received since then: the one frame + reason + received_at, newest first."""

    def read_observations(
        self,
        properties: Collection[str],
        since: datetime,
        until: datetime,
        site_ids: Collection[str] | None = None,
        as_known_at: datetime | None = None,
    ) -> pd.DataFrame:
        """The one frame + `received_at` for since < time <= until, sorted by property, site, time.

        With `as_known_at`: the values that the house knew at that moment, before later rows and revisions came.
        """

    def latest(self, properties: Collection[str] | None = None) -> pd.DataFrame:
        """Newest usable row per (site, property, source): the one frame + received_at. Flat as history grows.

        Rows of quality fail or missing do not replace an older usable one.
        """

    def area_hourly(self, observed_property: str, since: datetime, until: datetime) -> pd.DataFrame:
        """Per area and hour: area, hour (END), mean, low, high, n. From a serve table."""

    def usual_band(self, properties: Collection[str], site_ids: Collection[str] | None = None) -> pd.DataFrame:
        """site_id, observed_property, hour_of_week (0 = Monday 00:00-00:59 city time), low, middle, high, n.

        p10, p50, p90 of the values whose time falls in that hour of the week, over the last eight weeks.
        """

    def rebuild_usual_band(self, properties: Collection[str], now: datetime) -> int:
        """Compute the band anew from history; returns the number of rows."""

    def read_alerts(self) -> list[Alert]:
        """Every known alert, also the normal ones (they carry seen_at)."""

    def change_alerts(self, change: Change) -> list[AlertEvent]:
        """Read, change and write alerts and journal in ONE transaction; the only way to change an alert.

        `change` gets {(rule, site_id): Alert} and returns the alerts to write and the events to add to the journal.
        An engine and an operator that act at the same time come one after the other; nothing is lost.
        """

    def read_journal(
        self, since: datetime, rule: str | None = None, site_id: str | None = None, limit: int = 1000
    ) -> pd.DataFrame:
        """Events, newest first: entry (number), happened_at, rule, site_id, state_before, state_after, priority,
        value, actor, deed, reason.
        """

    def stats(self) -> dict[str, float | int | str]:
        """Rows, series, oldest and newest time, file size, schema version."""

    def backup(self, target: Path) -> None:
        """A consistent copy that can be opened as a store; written beside and renamed, never half."""

    def verify(self) -> list[str]:
        """Findings, in words; empty when serve tables agree with the observations and no row is orphaned."""

    def prune(self, before: datetime) -> int:
        """Forget observations and quarantine older than that; returns rows removed. Alerts and journal stay."""

    def close(self) -> None:
        """Write everything down and give the file free."""
