"""Shares of counted events over a trailing span: so many of so many files, reports or answers, in percent.

Numerator and denominator are summed over the span first and divided once; shares of days are never averaged. A share is
given only at marks at which news came in: when the source falls silent the last share grows old, it is not repeated.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from core.window import Window
from indicators._grid import HOUR, marks, rolling_count, usable, wide, with_city
from indicators._roads import ratio


def counted(window: Window, part: str, whole: str, span: timedelta) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Events `part` and `whole` of the last `span`, on the hour, per site and for the city.

    NaN at hours without any row of `whole`, and at sites without an event in the span.
    """
    times = marks(window, HOUR, back=span)
    hourly = {key: wide(usable(window, key), times, HOUR, combine="sum") for key in (part, whole)}
    sites = hourly[whole].columns
    news = hourly[whole].notna().any(axis=1).to_numpy()
    n = rolling_count(hourly[whole], span // HOUR)
    met = rolling_count(hourly[part].reindex(columns=sites), span // HOUR)
    met = met.where(n > 0, 0.0)  # what one site answers without having been asked must not lift the city
    n, met = with_city(n, window.city_site), with_city(met, window.city_site)
    known = (n > 0) & news[:, None]
    return met.where(known), n.where(known)


def percent(part: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """100·part/whole, at most 100: a file that was received before the span may be answered in it."""
    share = np.minimum(100.0 * ratio(part.to_numpy(dtype=np.float64), whole.to_numpy(dtype=np.float64)), 100.0)
    return pd.DataFrame(share, index=whole.index, columns=whole.columns)
