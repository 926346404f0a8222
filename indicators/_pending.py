"""Stocks that offices report from time to time (pending files): the newest of each, and whether one is silent."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.window import Window
from indicators._grid import DAY, HOUR, marks, usable, wide

HEARD = 7 * DAY  # an office that reported within it is expected to go on
CARRIED_HOURS = 24  # a stock of yesterday still tells something, an older one does not


@dataclass(frozen=True, slots=True)
class Stock:
    """Tables [hour x office]: what was reported in the hour, and the newest report of the last 24 hours."""

    city_site: str
    reported: pd.DataFrame
    known: pd.DataFrame
    silent: pd.Series  # hours at which an office of the last seven days has said nothing for 24 hours

    def city(self) -> pd.Series:
        """Sum over the offices, at hours at which at least one reported."""
        return self.known.sum(axis=1).where(self.reported.notna().any(axis=1))

    def among(self, offices: pd.Index) -> Stock:
        """The same for some offices."""
        return Stock(self.city_site, self.reported[offices], self.known[offices], self.silent)

    def doubtful(self, table: pd.DataFrame) -> pd.DataFrame:
        """Cells of `table` to be shown and not counted: the city's, while an office is silent."""
        marked = pd.DataFrame(False, index=table.index, columns=table.columns)
        marked[self.city_site] = self.silent
        return marked


def newest(window: Window, key: str) -> Stock:
    """The stock `key` on the hour. A row on the city itself is no office and is left out."""
    rows = usable(window, key)
    times = marks(window, HOUR, back=HEARD)
    reported = wide(rows[rows["site_id"] != window.city_site], times, HOUR, combine="last")
    known = reported.ffill(limit=CARRIED_HOURS - 1)
    heard = reported.ffill(limit=HEARD // HOUR - 1)
    return Stock(window.city_site, reported, known, (heard.notna() & known.isna()).any(axis=1))
