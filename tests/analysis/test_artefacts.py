"""Steps that are no news: the jump of a ranking on the day on which an interface was mended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.artefacts import Event, formula_events, jumps, once, repairs, resyncs, steps, touched
from core import observations as obs
from core.catalogue import Catalogue, Indicator
from core.quality import FORMULA, REPAIR, RESYNC
from indicators import catalogue

START = datetime(2026, 6, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CATALOGUE = catalogue()
GIVEN = {"air": {"pm25"}, "traffic": {"speed"}}


def never(key: str, site_id: str, at: datetime) -> None:
    return None


def series(
    values: list[float], key: str = "speed", site: str = "road_01", source: str = "traffic", hole: int = 0
) -> pd.DataFrame:
    """Values every five minutes; before the last 12 of them `hole` values are left out."""
    times = [
        START + 5 * MINUTE * (number + (hole if number >= len(values) - 12 else 0)) for number in range(len(values))
    ]
    rows = [{"time": time, "value": value} for time, value in zip(times, values, strict=True)]
    return obs.frame(rows, site_id=site, observed_property=key, source=source, quality="pass")


def up(words: str, source: str = "traffic") -> pd.DataFrame:
    """«110011»: source_up every five minutes."""
    rows = [{"time": START + 5 * MINUTE * number, "value": float(word)} for number, word in enumerate(words)]
    return obs.frame(rows, site_id=source, observed_property="source_up", source="house", quality="pass")


NOISE = np.random.default_rng(7).normal(0, 0.5, 200)


def test_a_silence_that_ended_is_an_event_from_the_last_word_to_the_next() -> None:
    (event,) = repairs(up("1110001"))
    assert (event.cause, event.source) == (REPAIR, "traffic")
    assert (event.begins, event.ends) == (START + 10 * MINUTE, START + 30 * MINUTE)
    assert repairs(up("1111")) == []
    assert repairs(up("1100")) == [], "a silence that goes on has repaired nothing"
    assert repairs(up("0011"))[0].begins == START
    assert len(repairs(up("10101"))) == 2


def test_many_corrections_at_one_time_over_hours_are_a_resynchronisation_and_a_few_are_corrections() -> None:
    old = series([1.0] * 36).assign(superseded_at=pd.Timestamp(START + timedelta(hours=9)))
    events = resyncs(old)
    assert [(one.cause, one.ends) for one in events] == [
        (RESYNC, START - timedelta(seconds=1)), (RESYNC, START + 175 * MINUTE),
    ]  # fmt: skip
    assert resyncs(old.head(19)) == [], "too few"
    assert resyncs(old.iloc[::2]) == [], "corrections here and there in three hours are corrections"
    assert resyncs(old.head(24)) == [], "an ordinary answer corrects its last two hours"
    assert resyncs(pd.concat([old.head(18), old.tail(18).assign(superseded_at=pd.Timestamp(START))])) == []


def test_a_changed_formula_is_an_event_of_its_indicator() -> None:
    changes = pd.DataFrame(
        {"observed_property": ["vn_aqi", "gone"], "changed_at": pd.to_datetime([START, START]), "formula": ["", ""]}
    )
    (event,) = formula_events(changes, CATALOGUE)
    assert (event.cause, event.source, event.ends) == (FORMULA, "vn_aqi", START)


def test_an_event_touches_what_the_source_gives_and_what_is_computed_from_it_in_turn() -> None:
    repaired = Event(cause=REPAIR, source="air", begins=START, ends=START)
    assert {"pm25", "pm25_24h", "vn_aqi"} <= set(touched(repaired, GIVEN, CATALOGUE))
    assert "speed" not in touched(repaired, GIVEN, CATALOGUE)
    assert "data_completeness" not in touched(repaired, GIVEN, CATALOGUE), "that one shall move"
    changed = Event(cause=FORMULA, source="vn_aqi", begins=START, ends=START)
    assert "pm25" not in touched(changed, GIVEN, CATALOGUE)


def test_what_is_computed_from_something_computed_is_touched_too() -> None:
    known = CATALOGUE["vn_aqi"]
    assert isinstance(known, Indicator)
    alarm = replace(known, key="a_made_alarm", needs=("vn_aqi",), companions=())
    parts = {part.key for one in CATALOGUE.indicators() for part in one.companions}
    longer = Catalogue([alarm, *(item for item in CATALOGUE.values() if item.key not in parts)])
    repaired = Event(cause=REPAIR, source="air", begins=START, ends=START)
    assert {"vn_aqi", "a_made_alarm"} <= set(touched(repaired, GIVEN, longer))


def repaired_at(frame: pd.DataFrame) -> Event:
    return Event(
        cause=REPAIR,
        source="traffic",
        begins=frame["time"].iloc[-13].to_pydatetime(),
        ends=frame["time"].iloc[-12].to_pydatetime(),
    )


def test_a_step_that_coincides_with_a_repair_is_marked_where_it_begins() -> None:
    frame = series([*(40 + NOISE[:60]), *(55 + NOISE[60:72])], hole=20)
    event = repaired_at(frame)
    (mark,) = steps(frame, event, CATALOGUE, never)
    assert (mark.observed_property, mark.site_id, mark.cause) == ("speed", "road_01", REPAIR)
    assert mark.at == frame["time"].iloc[-12]
    assert mark.before == pytest.approx(40, abs=1)
    assert mark.after == pytest.approx(55, abs=1)
    elsewhere = Event(cause=REPAIR, source="traffic", begins=START + 60 * MINUTE, ends=START + 70 * MINUTE)
    assert steps(frame, elsewhere, CATALOGUE, never) == [], "the same step is news where nothing was repaired"


def test_a_repair_without_a_step_marks_nothing() -> None:
    frame = series([*(40 + NOISE[:72])], hole=20)
    assert steps(frame, repaired_at(frame), CATALOGUE, never) == []


def test_a_series_that_climbs_like_this_every_hour_makes_no_step_of_it() -> None:
    """The morning: twelve values rise by 15, at the repair as at any other hour."""
    climbing = [40 + 15 * ((number // 12) % 2) + noise for number, noise in zip(range(72), NOISE, strict=False)]
    frame = series(climbing)
    assert steps(frame, repaired_at(frame), CATALOGUE, never) == []


def test_what_is_usual_at_that_hour_is_no_step() -> None:
    """Fifteen more than before, as on every such evening: the deviation from the usual did not move."""
    frame = series([*(40 + NOISE[:60]), *(55 + NOISE[60:72])])
    turn = frame["time"].iloc[-12]
    assert steps(frame, repaired_at(frame), CATALOGUE, lambda key, site, at: 55.0 if at >= turn else 40.0) == []
    assert len(steps(frame, repaired_at(frame), CATALOGUE, lambda key, site, at: 40.0)) == 1


@pytest.mark.parametrize(
    ("before", "after", "resolution", "jumped"),
    [
        ([10.0] * 12, [20.0] * 12, 0.1, True),
        ([10.0] * 12, [10.3] * 12, 0.1, False),  # three of the last decimal that anybody sees
        ([10.0] * 3, [20.0] * 12, 0.1, False),  # too few to say
        ([10.0] * 12, [20.0] * 3, 0.1, False),
        ([10.0, 30.0] * 6, [20.0, 40.0] * 6, 0.1, False),  # within its own noise
        ([10.0] * 11 + [900.0], [10.0] * 12, 0.1, False),  # one wild value moves no median
        ([10.0] * 12, [900.0] + [10.0] * 11, 0.1, False),
    ],
)
def test_what_counts_as_a_step(before: list[float], after: list[float], resolution: float, jumped: bool) -> None:
    assert jumps(np.array(before), np.array(after), resolution) is jumped


def test_one_step_that_two_events_explain_is_told_once() -> None:
    frame = series([*(40 + NOISE[:60]), *(55 + NOISE[60:72])])
    found = steps(frame, repaired_at(frame), CATALOGUE, never)
    assert once([*found, *found]) == tuple(found)
