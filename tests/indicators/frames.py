"""A small city for the indicator tests: rows, sites and windows in one line each. Times are written as local time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

import indicators
from core import observations
from core.window import Window

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")  # UTC+7 all year
CITY = "thanh_lam"


def at(text: str) -> datetime:
    """«2026-11-20 07:00» in the city, as aware UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def series(
    key: str,
    site: str,
    end: str,
    values: Sequence[float | None],
    every_min: float = 60,
    source: str = "logger",
    quality: str = "pass",
) -> pd.DataFrame:
    """Values of one site, the last one labelled `end`; None is a reading that never came."""
    last = at(end)
    rows = [
        {"time": last - timedelta(minutes=every_min * back), "value": value}
        for back, value in enumerate(reversed(values))
        if value is not None
    ]
    return observations.frame(rows, site_id=site, observed_property=key, source=source, quality=quality)


def city_sites(sites: Mapping[str, Mapping[str, Any]] | None = None) -> pd.DataFrame:
    """The sites frame: the city and what is given, attributes as columns."""
    rows = {CITY: {"kind": "city"}, **(sites or {})}
    data = pd.DataFrame.from_dict({key: dict(row) for key, row in rows.items()}, orient="index")
    return data.assign(site_id=data.index).rename_axis("site_id")


def window(
    rows: pd.DataFrame | Iterable[pd.DataFrame],
    since: str,
    until: str,
    sites: Mapping[str, Mapping[str, Any]] | None = None,
    **more: Any,
) -> Window:
    """A window over the rows, results wanted for since < time <= until."""
    data = rows if isinstance(rows, pd.DataFrame) else pd.concat([observations.empty(), *rows], ignore_index=True)
    return Window(
        observations=data,
        sites=city_sites(sites),
        since=at(since),
        until=at(until),
        city_site=CITY,
        zone=ZONE,
        **more,
    )


def results(key: str, seen: Window) -> pd.DataFrame:
    """What the indicator says, every property."""
    return indicators.discover()[key].compute(seen)


def said(computed: pd.DataFrame, key: str, site: str) -> dict[str, float]:
    """Values of one property at one site by local time, as «20 07:00»."""
    chosen = computed[(computed["observed_property"] == key) & (computed["site_id"] == site)]
    times = chosen["time"].dt.tz_convert(ZONE).dt.strftime("%d %H:%M")
    return dict(zip(times, chosen["value"], strict=True))


def quality(computed: pd.DataFrame, key: str, site: str) -> set[str]:
    """The quality words of one property at one site."""
    chosen = computed[(computed["observed_property"] == key) & (computed["site_id"] == site)]
    return set(chosen["quality"])
