"""A scenario of the demo city: a file that says what happens when, read from config/demo/scenarios/*.toml.

Effects by key, with the number that each carries:
    rain             rain_mm_per_hour       added at the named rain gauges
    drainage         drain_factor           times the drains at the named flood sensors (0 = blocked)
    traffic          travel_time_factor     times the travel time on the named road segments
    pollution        pm25_ug_m3             added at the named air stations
    noise            noise_dba              added at the named noise stations
    reports          reports_per_hour       more citizen reports from the named wards
    unsynced_files   overdue_files          files that look overdue at the named offices until the repair
    silence          part                   that part of the city does not answer
    story            -                      a line for the audience; nothing changes
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from connectors._simulation_noise import Floats, Ints
from core.config import ROOT
from core.errors import ConfigError
from core.toml_files import read_toml, take

SCENARIO_FOLDER = ROOT / "config" / "demo" / "scenarios"
AMOUNTS = {
    "rain": "rain_mm_per_hour",
    "drainage": "drain_factor",
    "traffic": "travel_time_factor",
    "pollution": "pm25_ug_m3",
    "noise": "noise_dba",
    "reports": "reports_per_hour",
    "unsynced_files": "overdue_files",
    "silence": "",
    "story": "",
}
FACTORS = ("drainage", "traffic")  # these multiply, the others add
COMMON_KEYS = {"at_min", "for_min", "ramp_min", "title_vi", "title_en", "effect", "sites", "part"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One thing that happens: from `at_min` for `for_min` minutes, growing and fading over `ramp_min`."""

    at_min: float
    for_min: float
    ramp_min: float
    title_vi: str
    title_en: str
    effect: str
    amount: float
    sites: tuple[str, ...]
    part: str

    def title(self, language: str) -> str:
        """The line for the audience."""
        return self.title_en if language == "en" else self.title_vi


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named story of `duration_min` minutes that usually begins at `starts`, local clock time."""

    key: str
    name_vi: str
    name_en: str
    shows_vi: str
    shows_en: str
    starts: time
    duration_min: float
    beats: tuple[Beat, ...]

    def name(self, language: str) -> str:
        """Name for people."""
        return self.name_en if language == "en" else self.name_vi

    def starts_at(self, day: date, zone: ZoneInfo) -> datetime:
        """The usual beginning on that local day, as an aware time."""
        return datetime.combine(day, self.starts, tzinfo=zone)

    @property
    def sites(self) -> frozenset[str]:
        """Every site that a beat names."""
        return frozenset(site for beat in self.beats for site in beat.sites)


def list_scenarios(folder: Path = SCENARIO_FOLDER) -> tuple[str, ...]:
    """Names of the scenario files, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def load_scenario(name: str, folder: Path = SCENARIO_FOLDER) -> Scenario:
    """Read and check one scenario. Raises ConfigError that names file, beat and key."""
    if name not in list_scenarios(folder):
        raise ConfigError(f"scenario {name!r} is unknown; known: {', '.join(list_scenarios(folder))}")
    where = f"scenarios/{name}.toml"
    table = read_toml(folder / f"{name}.toml")
    starts = take(table, "starts", str, where)
    try:
        clock = time.fromisoformat(starts)
    except ValueError as error:
        raise ConfigError(f'{where}: starts must be a clock time such as "16:30", not {starts!r}') from error
    duration_min = float(take(table, "duration_min", (int, float), where))
    tables = take(table, "beat", list, where)
    beats = tuple(_beat(entry, f"{where}: [[beat]] number {number}") for number, entry in enumerate(tables, start=1))
    for number, beat in enumerate(beats, start=1):
        if not 0 <= beat.at_min <= duration_min or beat.at_min + beat.for_min > duration_min:
            raise ConfigError(f"{where}: [[beat]] number {number}: it ends after duration_min = {duration_min:g}")
    return Scenario(
        key=name,
        name_vi=take(table, "name_vi", str, where),
        name_en=take(table, "name_en", str, where),
        shows_vi=take(table, "shows_vi", str, where),
        shows_en=take(table, "shows_en", str, where),
        starts=clock,
        duration_min=duration_min,
        beats=beats,
    )


def _beat(table: dict[str, Any], where: str) -> Beat:
    number = (int, float)
    effect = take(table, "effect", str, where)
    if effect not in AMOUNTS:
        raise ConfigError(f"{where}: effect {effect!r} is not one of {', '.join(AMOUNTS)}")
    amount_key = AMOUNTS[effect]
    unknown = set(table) - COMMON_KEYS - {amount_key}
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(sorted(unknown))} for the effect {effect}")
    beat = Beat(
        at_min=float(take(table, "at_min", number, where)),
        for_min=float(take(table, "for_min", number, where, 0)),
        ramp_min=float(take(table, "ramp_min", number, where, 0)),
        title_vi=take(table, "title_vi", str, where),
        title_en=take(table, "title_en", str, where),
        effect=effect,
        amount=float(take(table, amount_key, number, where)) if amount_key else 0.0,
        sites=tuple(take(table, "sites", list, where)) if amount_key else (),
        part=take(table, "part", str, where) if effect == "silence" else "",
    )
    if effect != "story" and beat.for_min <= 2 * beat.ramp_min:
        raise ConfigError(f"{where}: for_min must be longer than twice ramp_min, or the effect stays below its number")
    return beat


def scenario_effects(scenario: Scenario, start: datetime, times_s: Ints, site_id: str, effect: str) -> Floats:
    """What one effect does to one site at the given times (seconds since 1970, UTC).

    Additive effects give the amount (0 where nothing happens), `drainage` and `traffic` a factor (1 where nothing
    happens). Pure: the same story for the same start, whenever it is asked.
    """
    minutes = (times_s - start.timestamp()) / 60.0
    result = np.full(len(times_s), 1.0 if effect in FACTORS else 0.0)
    for beat in scenario.beats:
        if beat.effect != effect or site_id not in beat.sites:
            continue
        ramp_min = max(beat.ramp_min, 1e-9)  # no ramp is a step
        strength = np.clip(np.minimum(minutes - beat.at_min, beat.at_min + beat.for_min - minutes) / ramp_min, 0.0, 1.0)
        if effect in FACTORS:
            result = result * (1.0 + (beat.amount - 1.0) * strength)
        else:
            result = result + beat.amount * strength
    return result


def scenario_spans(scenario: Scenario, start: datetime, effect: str, name: str) -> list[tuple[datetime, datetime]]:
    """When an effect that is simply on or off holds for a site or a part: (from, to), in the order of the file."""
    return [
        (start + timedelta(minutes=beat.at_min), start + timedelta(minutes=beat.at_min + beat.for_min))
        for beat in scenario.beats
        if beat.effect == effect and (name in beat.sites or name == beat.part)
    ]
