"""The figures of the demo city's pilots, made by its simulator: python -m tests.analysis.demo_pilots writes them anew.

Planted: in the month of the signal timing travel on its four segments is 6 % shorter, in the six weeks of the kerb
watch 12 % shorter on its five. The desk on wheels has not begun: its figures are the untouched time before. All reach
back to the day that the plan names, whatever comes out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pandas as pd

from connectors._simulation import simulate
from connectors._simulation_city import World
from connectors._simulation_scenario import Beat, Scenario
from connectors.demo import SEED
from core.calendar import is_holiday
from core.config import City, load_city
from core.pilots import Pilot, load_pilots
from core.safe_csv import safe_csv

FACTORS = {"signal_timing": 0.94, "kerb_watch": 0.88}
RUSH = (time(16, 30), time(18, 30))


def panel(pilot: Pilot, city: City) -> pd.DataFrame:
    """unit, time, value, treated, after: one row per unit and working day (signals) or day (reports)."""
    rows = signals(pilot, city) if pilot.indicator == "travel_time_index" else reports(pilot, city)
    rows["treated"] = rows["unit"].isin(pilot.treated).astype(int)
    rows["after"] = (rows["time"] >= pilot.starts.isoformat()).astype(int)
    rows = rows[rows["unit"].isin([*pilot.treated, *pilot.controls])]
    return rows.sort_values(["time", "unit"]).loc[:, ["unit", "time", "value", "treated", "after"]]


def signals(pilot: Pilot, city: City) -> pd.DataFrame:
    """Mean travel time index of the evening rush, working days."""
    begins = datetime.combine(pilot.starts, time(0), tzinfo=city.zone)
    minutes = ((pilot.ends - pilot.starts).days + 1) * 1440.0
    beat = Beat(
        at_min=0, for_min=minutes, ramp_min=0, title_vi="", title_en="", effect="traffic", amount=FACTORS[pilot.key],
        sites=pilot.treated, part="",
    )  # fmt: skip
    story = Scenario(
        key="signals", name_vi="", name_en="", shows_vi="", shows_en="", starts=time(0), duration_min=minutes,
        beats=(beat,),
    )  # fmt: skip
    world = World(SEED, city.sites, city.city_site, story, begins)
    found = []
    for day in days(pilot.looks_back_to, pilot.ends):
        if day.weekday() >= 5 or is_holiday(day):
            continue
        since, until = (datetime.combine(day, clock, tzinfo=city.zone).astimezone(UTC) for clock in RUSH)
        seen = simulate("traffic", world, since, until, "demo")
        speed = seen[(seen["observed_property"] == "speed") & seen["value"].notna()]
        for unit, mean in speed.groupby("site_id")["value"].mean().items():
            free = world.number(str(unit), "free_flow_kmh", 45.0)
            found.append({"unit": unit, "time": day.isoformat(), "value": round(free / mean, 3)})
    return pd.DataFrame(found)


def reports(pilot: Pilot, city: City) -> pd.DataFrame:
    """Citizen reports per ward and week of the time before."""
    world = World(SEED, city.sites, city.city_site)
    found = []
    for monday in days(pilot.looks_back_to, pilot.starts - timedelta(days=1))[::7]:
        since = datetime.combine(monday, time(0), tzinfo=city.zone).astimezone(UTC)
        seen = simulate("reports", world, since, since + timedelta(weeks=1), "demo")
        count = seen[seen["observed_property"] == pilot.indicator].groupby("site_id")["value"].sum()
        found += [
            {"unit": unit, "time": monday.isoformat(), "value": float(count.get(unit, 0.0))}
            for unit in (*pilot.treated, *pilot.controls)
        ]
    return pd.DataFrame(found)


def days(first: date, last: date) -> list[date]:
    """Every day from first to last."""
    return [first + timedelta(days=one) for one in range((last - first).days + 1)]


def write(folder: Path, city: City) -> None:
    """One CSV per pilot that names one."""
    for pilot in load_pilots(city):
        if pilot.panel is not None:
            (folder / pilot.panel.name).write_text(safe_csv(panel(pilot, city)), encoding="utf-8", newline="")


if __name__ == "__main__":
    demo = load_city("demo")
    (demo.data_folder / "pilots").mkdir(exist_ok=True)
    write(demo.data_folder / "pilots", demo)
