"""The one frame: what may be stored, what is set aside and why, and the way through a CSV file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from core import observations as obs
from core.catalogue import Catalogue, ObservedProperty
from core.errors import InputError

NOW = datetime(2026, 9, 15, 10, 42, tzinfo=UTC)
HANOI = timezone(timedelta(hours=7))
SITES = ("gauge_1", "gauge_2", "road_1")
CATALOGUE = Catalogue(
    [
        ObservedProperty(key="rainfall", domain="weather", name_vi="Mưa", name_en="Rain", unit="mm", low=0, high=200),
        ObservedProperty(key="speed", domain="traffic", name_vi="Tốc độ", name_en="Speed", unit="1", low=0, high=160),
        ObservedProperty(key="drift", domain="operations", name_vi="Lệch", name_en="Drift", unit="1"),
    ]
)
TYPES = {
    "time": "datetime64[us, UTC]",
    "site_id": "str",
    "observed_property": "str",
    "value": "float64",
    "quality": "str",
    "source": "str",
}


def row(time=NOW, site_id="gauge_1", observed_property="rainfall", value=1.0, **more):
    return {
        "time": time,
        "site_id": site_id,
        "observed_property": observed_property,
        "value": value,
        "source": "logger",
        **more,
    }


def judged(*rows):
    return obs.validate(obs.frame(list(rows)), CATALOGUE, SITES, NOW)


moments = st.one_of(
    st.sampled_from(
        [
            pd.NaT,
            NOW,
            NOW + obs.FUTURE_TOLERANCE,
            NOW + obs.FUTURE_TOLERANCE + timedelta(seconds=1),
            obs.EARLIEST,
            obs.EARLIEST - timedelta(seconds=1),
            datetime(1970, 1, 1, tzinfo=UTC),
        ]
    ),
    st.datetimes(datetime(1985, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
)
values = st.one_of(
    st.sampled_from([0.0, -0.1, 200.0, 200.1, 160.0, 160.5, -999.0, 9999.0, float("nan"), float("inf")]),
    st.floats(-300, 300),
)
rows = st.fixed_dictionaries(
    {
        "time": moments,
        "site_id": st.sampled_from([*SITES, "gauge_l", ""]),
        "observed_property": st.sampled_from([*CATALOGUE, "rainfal"]),
        "value": values,
        "quality": st.sampled_from([*obs.QUALITY, "good"]),
        "source": st.sampled_from(["logger", "file"]),
    }
)


def framed(many):
    data = pd.DataFrame(many, columns=list(obs.COLUMNS))
    data["time"] = pd.to_datetime(data["time"], utc=True)
    return obs.frame(data)


def as_lines(data, *more):
    """Rows as a sorted list, equal NaNs included: what is there, whatever the order."""
    return sorted(map(repr, data.loc[:, [*obs.COLUMNS, *more]].itertuples(index=False, name=None)))


# -- validate: promises ---------------------------------------------------------------------------------------------


@settings(max_examples=35, deadline=None)
@given(st.lists(rows, max_size=12))
def test_no_row_is_lost_and_none_is_invented(many):
    given_rows = framed(many)
    good, bad = obs.validate(given_rows, CATALOGUE, SITES, NOW)
    assert as_lines(pd.concat([good, bad])) == as_lines(given_rows)
    assert (bad["reason"] != "").all()
    assert "reason" not in good


@settings(max_examples=35, deadline=None)
@given(st.lists(rows, max_size=12))
def test_what_is_good_obeys_the_catalogue(many):
    good, _ = obs.validate(framed(many), CATALOGUE, SITES, NOW)
    assert set(good["site_id"]) <= set(SITES)
    assert set(good["quality"]) <= set(obs.QUALITY)
    assert not good.duplicated(obs.IDENTITY).any()
    for one in good.itertuples():
        item = CATALOGUE[one.observed_property]
        assert np.isnan(one.value) or item.low <= one.value <= item.high
        assert obs.EARLIEST <= one.time <= NOW + obs.FUTURE_TOLERANCE
    assert (good["value"].isna() <= (good["quality"] == "missing")).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(rows, max_size=12))
def test_what_was_found_good_is_found_good_again(many):
    good, _ = obs.validate(framed(many), CATALOGUE, SITES, NOW)
    again, bad = obs.validate(good, CATALOGUE, SITES, NOW)
    assert bad.empty
    assert_frame_equal(again, good)


@settings(max_examples=25, deadline=None)
@given(st.lists(rows, max_size=10, unique_by=lambda one: tuple(str(one[name]) for name in obs.IDENTITY)), st.randoms())
def test_the_order_of_rows_does_not_matter(many, random):
    shuffled = list(many)
    random.shuffle(shuffled)
    good, bad = obs.validate(framed(many), CATALOGUE, SITES, NOW)
    good_too, bad_too = obs.validate(framed(shuffled), CATALOGUE, SITES, NOW)
    assert as_lines(good_too) == as_lines(good)
    assert as_lines(bad_too, "reason") == as_lines(bad, "reason")


# -- validate: reasons ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        (NOW + timedelta(minutes=5), None),
        (NOW + timedelta(minutes=5, microseconds=1), "time_in_the_future"),
        (datetime(1990, 1, 1, tzinfo=UTC), None),
        (datetime(1989, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "time_before_1990"),
        (datetime(1990, 1, 1, 6, 59, tzinfo=HANOI), "time_before_1990"),  # still 1989 in UTC
    ],
)
def test_edges_of_time_are_exact(time, reason):
    good, bad = judged(row(time=time))
    assert list(bad["reason"]) == ([reason] if reason else [])
    assert len(good) == (0 if reason else 1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"value": 0.0}, None),
        ({"value": 200.0}, None),
        ({"value": -0.001}, "below_plausible_range"),
        ({"value": 200.001}, "above_plausible_range"),
        ({"observed_property": "rainfal"}, "unknown_property"),
        ({"site_id": "gauge_l"}, "unknown_site"),
        ({"quality": "good"}, "unknown_quality"),
        ({"value": float("nan")}, None),
        ({"observed_property": "drift", "value": -1e9}, None),  # nobody gave it a range
    ],
)
def test_each_reason_has_its_word(changes, reason):
    good, bad = judged(row(**changes))
    assert list(bad["reason"]) == ([reason] if reason else [])
    assert len(good) + len(bad) == 1


def test_a_row_without_a_time_is_set_aside():
    good, bad = obs.validate(framed([{**row(), "time": pd.NaT, "quality": "pass"}]), CATALOGUE, SITES, NOW)
    assert good.empty
    assert list(bad["reason"]) == ["no_time"]


def test_the_first_reason_is_told_when_several_hold():
    _, bad = judged(row(time=NOW + timedelta(days=1), site_id="nowhere", value=-999.0))
    assert list(bad["reason"]) == ["time_in_the_future"]


def test_of_two_rows_with_one_identity_the_last_one_counts():
    good, bad = judged(row(value=3.0), row(value=4.0))
    assert list(good["value"]) == [4.0]
    assert list(bad["value"]) == [3.0]
    assert list(bad["reason"]) == ["same_row_twice"]


def test_a_bad_twin_does_not_push_a_good_row_out():
    """A logger sends the value, then its error code for the same minute: the value is still a value."""
    good, bad = judged(row(value=3.0), row(value=-999.0))
    assert list(good["value"]) == [3.0]
    assert list(bad["reason"]) == ["below_plausible_range"]


def test_two_sources_may_say_something_about_the_same_moment():
    good, bad = judged(row(), {**row(), "source": "file"})
    assert len(good) == 2
    assert bad.empty


def test_nothing_comes_of_nothing():
    good, bad = obs.validate(obs.empty(), CATALOGUE, SITES, NOW)
    assert good.dtypes.astype(str).to_dict() == TYPES
    assert bad.dtypes.astype(str).to_dict() == {**TYPES, "reason": "str"}


# -- stories --------------------------------------------------------------------------------------------------------


def test_a_logger_that_lost_its_battery_starts_again_in_1970():
    """After a power cut the clock begins at the epoch; a minute later NTP sets it, and the rows are good again."""
    good, bad = judged(
        row(time=NOW - timedelta(minutes=20)),
        row(time=datetime(1970, 1, 1, 0, 3, tzinfo=UTC)),
        row(time=datetime(1970, 1, 1, 0, 13, tzinfo=UTC)),
        row(time=NOW),
    )
    assert list(good["time"]) == [NOW - timedelta(minutes=20), NOW]
    assert list(bad["reason"]) == ["time_before_1990"] * 2


def test_local_time_sent_as_utc_lies_seven_hours_ahead():
    _, bad = judged(row(time=NOW.astimezone(HANOI).replace(tzinfo=UTC)))
    assert list(bad["reason"]) == ["time_in_the_future"]


def test_minus_999_is_no_rain_gauge_reading_and_no_dry_hour():
    good, bad = judged(row(value=-999.0), row(time=NOW - timedelta(minutes=10), value=0.0))
    assert list(good["value"]) == [0.0]
    assert list(bad["value"]) == [-999.0]
    assert list(bad["reason"]) == ["below_plausible_range"]


def test_a_typing_error_in_one_site_does_not_cost_the_file():
    good, bad = judged(row(site_id="gauge_1"), row(site_id="gauge_l"), row(site_id="gauge_2"))
    assert list(good["site_id"]) == ["gauge_1", "gauge_2"]
    assert list(bad["site_id"]) == ["gauge_l"]


# -- frame ----------------------------------------------------------------------------------------------------------


def test_the_frame_has_its_columns_in_order_and_its_types():
    data = obs.frame([{**row(time=NOW.astimezone(HANOI)), "note": "left out"}])
    assert data.dtypes.astype(str).to_dict() == TYPES
    assert list(data) == list(obs.COLUMNS)
    assert data["time"].iloc[0] == NOW
    assert data["quality"].iloc[0] == "not_evaluated"
    assert obs.empty().dtypes.astype(str).to_dict() == TYPES
    assert obs.frame([]).dtypes.astype(str).to_dict() == TYPES


@pytest.mark.parametrize("value", [float("nan"), None, float("inf"), -float("inf")])
def test_missing_is_missing_and_never_zero(value):
    data = obs.frame([row(value=value, quality="pass"), row(value=0.0, quality="pass")])
    assert data["value"].isna().tolist() == [True, False]
    assert list(data["quality"]) == ["missing", "pass"]
    assert data["value"].iloc[1] == 0.0


def test_constants_fill_whole_columns():
    rows = [{"site_id": "gauge_1", "value": 1}]
    data = obs.frame(rows, time=pd.Timestamp(NOW), observed_property="rainfall", source="x")
    assert as_lines(data) == as_lines(obs.frame([{**row(), "source": "x"}]))


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(InputError, match="no time zone"):
        obs.frame([row(time=datetime(2026, 9, 15, 17, 42))])


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="site_id"):
        obs.frame([{name: value for name, value in row().items() if name != "site_id"}])


def test_what_is_given_is_not_changed():
    mine = pd.DataFrame([row(time=pd.Timestamp(NOW))])
    before = mine.copy()
    obs.frame(mine, source="other")
    assert_frame_equal(mine, before)


# -- CSV ------------------------------------------------------------------------------------------------------------

names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
stored = st.fixed_dictionaries(
    {
        "time": st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
        "site_id": st.one_of(names, st.sampled_from(["NA", "null", 'say "no"', "a,b", "Phường 1"])),
        "observed_property": st.sampled_from([*CATALOGUE]),
        "value": st.floats(allow_nan=True, allow_infinity=False, allow_subnormal=False),
        "quality": st.sampled_from(obs.QUALITY),
        "source": names,
    }
)


@settings(max_examples=40, deadline=None)
@given(st.lists(stored, max_size=6))
def test_csv_and_back_is_the_same_frame(many):
    data = obs.frame(many)
    assert_frame_equal(obs.from_csv(obs.to_csv(data)), data)


def test_times_are_written_as_a_person_and_a_machine_read_them():
    data = obs.frame([row(), row(time=NOW + timedelta(milliseconds=250), value=None)])
    assert obs.to_csv(data) == (
        "time,site_id,observed_property,value,quality,source\n"
        "2026-09-15T10:42:00Z,gauge_1,rainfall,1.0,not_evaluated,logger\n"
        "2026-09-15T10:42:00.250000Z,gauge_1,rainfall,,missing,logger\n"
    )
    assert obs.to_csv(obs.empty()) == "time,site_id,observed_property,value,quality,source\n"


def test_columns_may_come_in_any_order_and_an_offset_is_understood():
    text = "value,site_id,time,observed_property\n0,gauge_1,2026-09-15T17:42:00+07:00,rainfall\n"
    data = obs.from_csv(text)
    assert as_lines(data) == as_lines(obs.frame([{**row(value=0.0), "source": "csv"}]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "rain.csv: not a CSV table"),
        ("time,site_id,value\n", "rain.csv: the column observed_property is missing"),
        ("time,site_id,observed_property,value\n15/09/2026,a,rainfall,1\n", "rain.csv: line 2: the time"),
        (
            'time,site_id,observed_property,value\n2026-09-15T10:00Z,a,rainfall,1\n2026-09-15T11:00Z,a,rainfall,"1,5"\n',
            "rain.csv: line 3: '1,5' is no number",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_line(text, words):
    with pytest.raises(InputError) as caught:
        obs.from_csv(text, "rain.csv")
    assert words in str(caught.value)


def test_an_empty_cell_and_nan_are_missing():
    head = "time,site_id,observed_property,value\n"
    data = obs.from_csv(head + "2026-09-15T10:00Z,a,rainfall,\n2026-09-15T11:00Z,a,rainfall,NaN\n")
    assert data["value"].isna().all()
    assert set(data["quality"]) == {"missing"}
