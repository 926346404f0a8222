"""What an indicator gets to see: observations, the sites they belong to, and for which time results are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Input of `compute`. Results are wanted for since < time <= until; observations reach further back.

    `sites` is indexed by site_id with the columns kind, area, latitude, longitude and one column per attribute
    (length_km, free_flow_kmh, alarm_1_m …; NaN where a site has none). `city_site` is the site_id of the whole city.
    """

    observations: pd.DataFrame
    sites: pd.DataFrame
    since: datetime
    until: datetime
    city_site: str
    zone: ZoneInfo
    source_period_min: Mapping[str, float] = field(default_factory=dict)  # configured sources and how often they report
