"""«Chạy thử»: what a delivery would change in the indicators, computed twice beside the house and written nowhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pandas as pd

from core import observations
from core.catalogue import Indicator
from core.window import Window

TOLERANCE = 1e-9


class Computed(Protocol):
    """A module of indicators/."""

    @property
    def INDICATOR(self) -> Indicator: ...
    @staticmethod
    def compute(window: Window) -> pd.DataFrame: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """One series of an indicator that would change: how many of its values, and the newest of them."""

    indicator: str  # key of the catalogue, also of a companion
    site_id: str
    changed: int
    time: datetime
    before: float | None
    after: float | None


def consequences(
    modules: Iterable[Computed],
    coming: pd.DataFrame,
    read: Callable[[Collection[str], datetime, datetime], pd.DataFrame],
    window: Callable[[pd.DataFrame, datetime, datetime], Window],
    now: datetime,
) -> list[Consequence]:
    """What would change between the earliest coming row and `now`, in the order of the line.

    `modules` come in the order in which they need each other; `read(keys, since, until)` gives what is stored, and
    `window(rows, since, until)` what an indicator sees. Coming rows replace stored ones of the same identity, and what
    one indicator would say is what the next one sees.
    """
    if coming.empty:
        return []
    plain = coming.loc[:, list(observations.COLUMNS)]
    changed_keys = {str(key): rows for key, rows in plain.groupby("observed_property")}
    since = coming["time"].min().to_pydatetime() - pd.Timedelta(1, "us")
    found: list[Consequence] = []
    for module in modules:
        indicator = module.INDICATOR
        over = [changed_keys[need] for need in indicator.needs if need in changed_keys]
        if not over:
            continue
        stored = read(indicator.needs, since - indicator.window, now)
        before = module.compute(window(stored, since, now))
        after = module.compute(window(_overlaid(stored, over), since, now))
        for key, rows in _differing(before, after).groupby("observed_property"):
            changed_keys[str(key)] = after[after["observed_property"] == key]
            for site_id, series in rows.groupby("site_id"):
                newest = series.sort_values("time").iloc[-1]
                found.append(
                    Consequence(
                        indicator=str(key),
                        site_id=str(site_id),
                        changed=len(series),
                        time=newest["time"].to_pydatetime(),
                        before=_plain(newest["value_before"]),
                        after=_plain(newest["value_after"]),
                    )
                )
    return found


def _overlaid(stored: pd.DataFrame, over: list[pd.DataFrame]) -> pd.DataFrame:
    both = pd.concat([stored, *over], ignore_index=True)
    return both.drop_duplicates(observations.IDENTITY, keep="last").reset_index(drop=True)


def _differing(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Values that are not the same in both, beside each other."""
    joined = before.merge(after, on=observations.IDENTITY, how="outer", suffixes=("_before", "_after"))
    old, new = joined["value_before"], joined["value_after"]
    same = (old.isna() & new.isna()) | ((old - new).abs() <= TOLERANCE)
    return joined[~same]


def _plain(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
