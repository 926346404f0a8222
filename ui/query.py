"""Reads of history for pages, cached for one snapshot. Pages ask; they never fetch and never compute an indicator."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
import streamlit as st

from core.observations import USABLE
from ui import server


@st.cache_data(max_entries=64, show_spinner=False)
def _history(keys: tuple[str, ...], sites: tuple[str, ...], hours: int, number: int, store: str) -> pd.DataFrame:
    line = server.start()
    now = line.snapshot.made_at
    rows = line.store.read_observations(keys, now - timedelta(hours=hours), now, list(sites) or None)
    return rows[rows["quality"].isin(USABLE)]


def history(keys: tuple[str, ...], sites: tuple[str, ...], hours: int) -> pd.DataFrame:
    """The one frame + received_at of the last hours; usable rows only. `sites` empty: all sites."""
    line = server.start()
    return _history(keys, sites, hours, line.snapshot.number, f"{line.city.key}-{id(line)}")


def journal(rule: str, site_id: str, since: datetime) -> pd.DataFrame:
    """The journal of one alert, newest first."""
    return server.start().store.read_journal(since, rule=rule, site_id=site_id, limit=200)


def set_aside(since: datetime) -> pd.DataFrame:
    """Rows in quarantine, newest first, with their reasons."""
    return server.start().store.read_set_aside(since, limit=500)


@st.cache_data(max_entries=8, show_spinner=False)
def _area_hourly(key: str, hours: int, number: int, store: str) -> pd.DataFrame:
    line = server.start()
    now = line.snapshot.made_at
    return line.store.area_hourly(key, now - timedelta(hours=hours), now)


def area_hourly(key: str, hours: int) -> pd.DataFrame:
    """Per area and hour: area, hour, mean, low, high, n."""
    line = server.start()
    return _area_hourly(key, hours, line.snapshot.number, f"{line.city.key}-{id(line)}")
