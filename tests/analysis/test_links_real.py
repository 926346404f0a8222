"""Links on real air: what is known of Beijing's wind and smoke is found in every year, and two far cities have none."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analysis.links import Found, Link, find
from analysis.links_series import HOUR, Track

AIR = Path(__file__).resolve().parents[2].parent / "shared" / "datasets" / "air"
BEIJING, HANOI = ZoneInfo("Asia/Shanghai"), ZoneInfo("Asia/Ho_Chi_Minh")
STATIONS = ("Aotizhongxin", "Guanyuan", "Wanliu")
YEARS = (2013, 2016)
GROUPS = {"PM2.5": "air", "NO2": "air", "WSPM": "weather", "TEMP": "weather"}

pytestmark = pytest.mark.skipif(not AIR.is_dir(), reason="the shared air data are not on this machine")


def track(key: str, group: str, values: pd.Series) -> Track:
    return Track(key=key, group=group, origins=frozenset((key,)), step=HOUR, values=values)


@lru_cache(maxsize=3)
def station(name: str) -> pd.DataFrame:
    data = pd.read_csv(AIR / "beijing" / f"PRSA_Data_{name}_20130301-20170228.csv")
    begin = pd.to_datetime(data[["year", "month", "day", "hour"]])
    index = pd.DatetimeIndex(begin).tz_localize(BEIJING).tz_convert("UTC").as_unit("us") + pd.Timedelta(HOUR)
    return data.set_index(index)[list(GROUPS)].astype(float)


@lru_cache(maxsize=8)
def year_of(name: str, year: int) -> Found:
    data = station(name)
    since, until = (pd.Timestamp(f"{one}-03-01", tz=BEIJING) for one in (year, year + 1))
    own = data[(data.index > since) & (data.index <= until)]
    return find([track(key, group, own[key]) for key, group in GROUPS.items()], zone=BEIJING, stages=(99, 999))


def link_of(found: Found, first: str, then: str) -> Link:
    return next(one for one in found.links if {one.first, one.then} == {first, then})


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("name", STATIONS)
def test_wind_goes_before_cleaner_air_by_one_to_three_hours(name: str, year: int) -> None:
    found = year_of(name, year)
    for smoke in ("PM2.5", "NO2"):
        link = link_of(found, "WSPM", smoke)
        assert link.stands
        assert link.first == "WSPM"
        assert 1 <= link.lag <= 3
        assert link.high < 0, "more wind, less of it"
        assert link.n > 7000


def test_hanoi_has_no_link_with_the_weather_of_beijing() -> None:
    raw = pd.read_csv(AIR / "hanoi_us_embassy_pm25_2016.csv")
    good = raw[(raw["QC Name"] == "Valid") & (raw["Raw Conc."] >= 0)]
    local = pd.DatetimeIndex(pd.to_datetime(good["Date (LT)"], format="%Y-%m-%d %I:%M %p")).tz_localize(HANOI)
    values = pd.Series(good["Raw Conc."].to_numpy(dtype=float), index=local.tz_convert("UTC").as_unit("us"))
    values = values[~values.index.duplicated()]
    hours = pd.date_range(values.index.min(), values.index.max(), freq="h")
    weather = station("Guanyuan").loc[hours[0] : hours[-1]]
    tracks = [
        track("Hanoi PM2.5", "air", values.reindex(hours)),
        *(track(f"Beijing {key}", "weather", weather[key]) for key in ("WSPM", "TEMP")),
    ]
    found = find(tracks, zone=HANOI, stages=(99, 999))
    assert found.tried == 2
    assert found.standing == ()
