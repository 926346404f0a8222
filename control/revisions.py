"""What the sources corrected in the last seven days, gathered once per cycle for all screens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from core.snapshot import Revised
from store.base import Store

SPAN = timedelta(days=7)


def revised(store: Store, now: datetime) -> Mapping[tuple[str, str], Revised]:
    """(observed_property, site_id) -> its corrections of the last seven days; series without one are not there.

    Where several sources give one property at a site, corrections count together and the newest one is told.
    """
    found: dict[tuple[str, str], Revised] = {}
    for row in store.revised_since(now - SPAN).to_dict("records"):
        key = (str(row["observed_property"]), str(row["site_id"]))
        other = found.get(key)
        newest = Revised(
            n=int(row["n"]) + (other.n if other else 0),
            at=row["superseded_at"].to_pydatetime(),
            time=row["time"].to_pydatetime(),
            old=_known(row["old"]),
            new=_known(row["new"]),
        )
        if other and other.at >= newest.at:
            newest = Revised(n=newest.n, at=other.at, time=other.time, old=other.old, new=other.new)
        found[key] = newest
    return found


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)
