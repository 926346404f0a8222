"""Links between series: what is there is found with its delay, what is not there is not, and gaps stay gaps."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import __main__ as door
from analysis import links_selftest as selftest
from analysis.links import FDR, Link, find
from analysis.links_after import FEWEST, Event, after, events
from analysis.links_series import DAY, HOUR, Track, adjusted, by_day, level, memory, whitened
from core import observations
from core.calendar import VIETNAM

HOURS = 720
STAGES = (99, 999)


def clock(length: int = HOURS, step: timedelta = HOUR) -> pd.DatetimeIndex:
    return pd.date_range("2026-08-03", periods=length, freq=step, tz="UTC").as_unit("us")


def track(key: str, values: np.ndarray, group: str = "", origins: frozenset[str] | None = None) -> Track:
    series = pd.Series(values, index=clock(len(values)))
    return Track(key=key, group=group or key, origins=origins or frozenset((key,)), step=HOUR, values=series)


def noise(seed: int, length: int = HOURS, keeps: float = 0.8) -> np.ndarray:
    chance = np.random.default_rng(seed)
    found = np.zeros(length)
    for hour in range(1, length):
        found[hour] = keeps * found[hour - 1] + chance.normal()
    return found


def following(leader: np.ndarray, lag: int, sign: float = 1.0) -> np.ndarray:
    return sign * 0.7 * np.roll(leader, lag) / leader.std() + 0.7 * noise(9) / noise(9).std()


def only(*tracks: Track) -> Link:
    (link,) = find(list(tracks), zone=VIETNAM, stages=STAGES).links
    return link


def test_a_follower_is_found_with_delay_sign_interval_and_n() -> None:
    leader = noise(1)
    link = only(track("rain", leader), track("speed", following(leader, 5, sign=-1.0)))
    assert (link.first, link.then, link.lag) == ("rain", "speed", 5)
    assert link.stands
    assert link.low < link.strength < link.high < 0
    assert link.lag_low <= 5 <= link.lag_high
    assert link.n > 600
    assert link.n_effective < link.n, "neighbouring hours are alike"
    assert link.last_seen is not None
    assert link.profile[len(link.profile) // 2 + 5] == link.strength


def test_the_one_that_goes_first_is_named_first_whatever_the_order_of_asking() -> None:
    leader = noise(1)
    link = only(track("speed", following(leader, 5)), track("rain", leader))
    assert (link.first, link.then, link.lag) == ("rain", "speed", 5)


def test_a_link_of_one_half_of_the_time_does_not_stand() -> None:
    leader = noise(1)
    follower = following(leader, 3)
    follower[HOURS // 2 :] = noise(4)[HOURS // 2 :]
    link = only(track("a", leader), track("b", follower))
    assert link.q <= FDR
    assert not link.stable
    assert not link.stands


def test_two_series_of_one_clock_share_a_week_and_nothing_else() -> None:
    week = np.tile(np.random.default_rng(3).normal(size=168) * 4, 5)[:HOURS]
    link = only(track("a", noise(1) + week), track("b", np.exp(0.3 * (noise(2) + week))))
    assert not link.stands


def test_one_domain_and_one_origin_are_no_pair_and_are_counted() -> None:
    leader = noise(1)
    speed = track("speed", leader, "traffic")
    jam = track("jam", -leader, "traffic")
    index = track("index", following(leader, 1), "air", frozenset(("index", "speed")))
    found = find([speed, jam, index], zone=VIETNAM, stages=STAGES)
    assert (found.tried, found.related) == (1, 1)
    assert {found.links[0].first, found.links[0].then} == {"jam", "index"}


def test_too_few_values_and_a_constant_are_not_compared_and_are_named() -> None:
    short = track("short", noise(1)[:400])
    still = track("still", np.zeros(HOURS))
    found = find([short, still, track("long", noise(2))], zone=VIETNAM)
    assert found.tried == 0
    assert set(found.thin) == {"short", "still"}


def test_the_false_discovery_rate_is_over_all_pairs() -> None:
    leader = noise(1)
    tracks = [
        track("s0", leader),
        track("s1", following(leader, 2)),
        *(track(f"n{k}", noise(20 + k)) for k in range(4)),
    ]
    found = find(tracks, zone=VIETNAM, stages=STAGES)
    assert found.tried == 15
    best = found.links[0]
    assert best.q == pytest.approx(15 * best.p)


def test_the_same_seed_gives_the_same_answer() -> None:
    panel, _ = selftest.made_up(selftest.DESIGNS[0], np.random.default_rng(5))
    first, again = (find(panel, zone=VIETNAM, stages=STAGES) for _ in range(2))
    assert first == again


# -- series ----------------------------------------------------------------------------------------------------------


def rows(site: str, values: list[float], quality: str = "pass", start: str = "2026-08-03T00:00Z") -> pd.DataFrame:
    times = pd.date_range(start, periods=len(values), freq="30min").as_unit("us") + pd.Timedelta(minutes=30)
    data = pd.DataFrame({"time": times, "value": values})
    return observations.frame(data, site_id=site, observed_property="pm25", source="s", quality=quality)


def test_hours_carry_their_end_and_flagged_rows_do_not_count() -> None:
    seen = pd.concat([rows("a", [1, 3, 5, 7]), rows("a", [99.0], quality="suspect", start="2026-08-03T03:00Z")])
    found = level(seen, step=HOUR, zone=VIETNAM)
    assert found.to_dict() == {pd.Timestamp("2026-08-03T01:00Z"): 2.0, pd.Timestamp("2026-08-03T02:00Z"): 6.0}


def test_a_high_station_that_falls_silent_does_not_pull_the_city_down() -> None:
    low, high = rows("low", [10.0] * 8), rows("high", [90.0] * 6)
    found = level(pd.concat([low, high]), step=HOUR, zone=VIETNAM)
    assert found.tolist() == [50.0] * 4


def test_counts_add_up_over_places_and_half_the_places_must_be_heard() -> None:
    places = pd.concat([rows("a", [1] * 8), rows("b", [2] * 8), rows("c", [3] * 4)])
    found = level(places, step=HOUR, zone=VIETNAM, how="sum", within="sum")
    assert found.tolist() == [12.0] * 4, "a silent place counts with its own usual value"
    alone = level(pd.concat([rows("a", [1] * 8), rows("b", [2] * 4), rows("c", [3] * 4)]), step=HOUR, zone=VIETNAM)
    assert alone.notna().tolist() == [True, True, False, False]


def test_gaps_are_never_filled() -> None:
    values = noise(1)
    values[100:110] = np.nan
    series = pd.Series(values, index=clock())
    clean = adjusted(series, step=HOUR, zone=VIETNAM)
    assert np.isnan(clean[100:110]).all()
    coefficients = memory(clean)
    assert len(coefficients) >= 1
    left = whitened(clean, coefficients)
    assert np.isnan(left[100 : 110 + len(coefficients)]).all(), "what follows a gap has no known past"
    one, next_one = left[200:500], left[201:501]
    known = np.isfinite(one) & np.isfinite(next_one)
    assert abs(np.corrcoef(one[known], next_one[known])[0, 1]) < 0.15


def test_the_usual_week_is_taken_out_and_a_rare_holiday_is_not_judged() -> None:
    index = pd.date_range("2026-12-07", periods=HOURS, freq="h", tz="UTC").as_unit("us")
    week = pd.Series(np.tile(np.arange(168.0), 5)[:HOURS], index=index)
    clean = adjusted(week, step=HOUR, zone=VIETNAM)
    local = index.tz_convert(VIETNAM)
    holiday = (local > "2027-01-01 00:00+07:00") & (local <= "2027-01-02 00:00+07:00")
    assert np.isnan(clean[holiday]).all()
    ordinary = clean[(local < "2026-12-31") & np.isfinite(clean)]
    assert np.abs(ordinary).max() < 1e-6


def test_a_day_with_too_few_hours_is_a_gap() -> None:
    values = pd.Series(1.0, index=pd.date_range("2026-08-03T18:00Z", periods=48, freq="h"))
    values.iloc[0:7] = np.nan
    found = by_day(values, VIETNAM)
    assert found.isna().tolist() == [True, False]


# -- what usually follows --------------------------------------------------------------------------------------------


def rains(*hours: int) -> pd.Series:
    values = np.zeros(HOURS)
    values[list(hours)] = 40.0
    return pd.Series(values, index=clock())


def test_wet_hours_near_each_other_are_one_event() -> None:
    found = events(rains(100, 101, 105, 300), 30.0)
    assert [(one.since, one.until) for one in found] == [(clock()[100], clock()[105]), (clock()[300], clock()[300])]
    assert events(rains(100), 40.0) == [], "the limit itself is not above it"


def test_eleven_of_thirteen_and_the_two_failures_are_told() -> None:
    starts = [40 + 50 * k for k in range(13)]
    jam = pd.Series(np.tile(np.linspace(1.0, 1.5, 24), 30) + 0.01 * noise(3, keeps=0.0), index=clock())
    for number, start in enumerate(starts):
        shape = np.array([0.1, 0.2, 0.9, 0.3, 0.2, 0.1]) * (1 if number < 11 else -1)
        jam.iloc[start : start + 6] += shape
    found = after(events(rains(*starts), 30.0), jam, zone=VIETNAM)
    assert (found.events, found.n, found.rose) == (13, 13, 11)
    assert found.median == pytest.approx(0.3, abs=0.02)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.median <= found.high
    assert found.coverage is not None
    assert found.coverage >= 0.95
    assert found.delay_h == 2.0
    assert found.ordinary == pytest.approx(0.5, abs=0.25)
    assert found.p is not None
    assert found.p < 0.05


def test_four_events_say_nothing() -> None:
    series = pd.Series(noise(2), index=clock())
    found = after(events(rains(100, 200, 300, 400), 30.0), series, zone=VIETNAM)
    assert (found.n, found.enough, found.median) == (FEWEST - 1, False, None)


def test_an_event_whose_hours_are_not_over_or_not_known_is_not_judged() -> None:
    series = pd.Series(noise(2), index=clock())
    series.iloc[100:105] = np.nan
    last = Event(since=clock()[HOURS - 2].to_pydatetime(), until=clock()[HOURS - 1].to_pydatetime(), peak=40.0)
    found = after([*events(rains(100, 200), 30.0), last], series, zone=VIETNAM)
    assert (found.events, found.n) == (3, 1)


# -- the selftest and the door ---------------------------------------------------------------------------------------


def test_null_panels_stay_quiet_and_a_planted_lag_is_found() -> None:
    rows = {row.design.name: row for row in selftest.rows(12, seed=2)}
    assert len(rows) == len(selftest.DESIGNS)
    for row in rows.values():
        assert not row.broken(), selftest.printed(row)
        assert (row.hits >= 11) if row.design.planted else (row.hits <= 3), selftest.printed(row)


def test_a_broken_promise_is_told_by_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = selftest.Row(design=selftest.DESIGNS[0], runs=100, hits=30, false_share=0.3, seconds=1.0)
    monkeypatch.setattr(selftest, "rows", lambda runs, seed: iter([bad]))
    assert door.main(["links", "--selftest", "--runs", "20"]) == 1
    assert "30.0 %" in capsys.readouterr().out
    fine = replace(bad, hits=9)
    monkeypatch.setattr(selftest, "rows", lambda runs, seed: iter([fine]))
    assert door.main(["links", "--selftest", "--runs", "20"]) == 0


def test_a_file_of_observations_becomes_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leader = noise(1)
    pieces = []
    for key, values in (("rainfall", leader), ("pm25", following(leader, 4, sign=-1.0)), ("temperature", noise(6))):
        data = pd.DataFrame({"time": clock(), "value": values})
        pieces.append(observations.frame(data, site_id="a", observed_property=key, source="s", quality="pass"))
    file = tmp_path / "obs.csv"
    file.write_text(observations.to_csv(pd.concat(pieces)), encoding="utf-8")
    assert door.main(["links", "--input", str(file)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["pairs_tried"] == 2, "rain and temperature are one domain"
    best = said["links"][0]
    assert (best["first"], best["then"], best["lag"], best["stands"]) == ("rainfall", "pm25", 4, True)
    assert best["q"] <= 0.1


@pytest.mark.parametrize("given", [["--input", "nowhere.csv"], [], ["--selftest", "--runs", "1"]])
def test_bad_input_ends_with_2_and_one_line(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert door.main(["links", *given]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.strip().splitlines()) == 1


def test_days_and_hours_meet_on_days() -> None:
    length = 24 * 90
    leader = noise(1, length, keeps=0.98)
    days = by_day(pd.Series(leader, index=clock(length)), VIETNAM)
    later = pd.Series(np.roll(days.to_numpy(), 2) + 0.1 * noise(5, len(days), keeps=0.0), index=days.index)
    slow = Track(key="visits", group="health", origins=frozenset(("visits",)), step=DAY, values=later)
    link = only(track("smoke", leader), slow)
    assert (link.step, link.first, link.lag) == (DAY, "smoke", 2)
