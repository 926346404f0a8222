"""p90 of the ambulance's time to the scene over a day: shared by the urban and the rural indicator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.window import Window
from indicators._grid import DAY, HOUR, attribute, marks, usable

MIN_N = 10  # arrivals in 24 hours; fewer are shown grey


def of_a_day(window: Window, *, rural: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """p90 [minutes, linear between neighbours] and number of the arrivals of 24 hours, per station and for the city,
    at hours in which an ambulance arrived. A station is rural where its attribute `rural` is 1.
    """
    times, rows = marks(window, HOUR), usable(window, "ambulance_response")
    far = attribute(window, "rural").eq(1.0)
    chosen = rows["site_id"].isin(far.index[far]) == rural
    rows = rows.loc[chosen, ["time", "site_id", "value"]].sort_values("time")
    nothing = pd.DataFrame(index=times)
    if rows.empty or times.empty:
        return nothing, nothing
    city = rows.assign(site_id=window.city_site)
    p90: dict[str, Any] = {}
    n: dict[str, Any] = {}
    for site_id, arrivals in pd.concat([rows, city]).groupby("site_id", sort=True):
        at, value = arrivals["time"].to_numpy(), arrivals["value"].to_numpy(dtype=np.float64)
        ends = times.to_numpy()
        first = np.searchsorted(at, (times - DAY).to_numpy(), side="right")
        last = np.searchsorted(at, ends, side="right")
        news = last > np.searchsorted(at, (times - HOUR).to_numpy(), side="right")
        spans = [value[a:b] if new else value[:0] for a, b, new in zip(first, last, news, strict=True)]
        p90[str(site_id)] = [float(np.quantile(span, 0.9)) if len(span) else np.nan for span in spans]
        n[str(site_id)] = [float(len(span)) if len(span) else np.nan for span in spans]
    return pd.DataFrame(p90, index=times), pd.DataFrame(n, index=times)
