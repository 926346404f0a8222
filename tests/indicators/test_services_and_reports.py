"""Files, satisfaction and citizen reports: sums first and one division, small samples marked, silence never a zero."""

from __future__ import annotations

import pandas as pd
import pytest

from core.errors import InputError
from core.wilson import wilson
from tests.indicators.frames import CITY, at, quality, results, said, series, window

NOON = "20 12:00"


def noon(*rows: pd.DataFrame, since: str = "2026-11-20 11:00") -> object:
    return window(list(rows), since, "2026-11-20 12:00")


# -- files -------------------------------------------------------------------------------------------------------------


def test_the_city_divides_sums_and_does_not_average_rates() -> None:
    seen = noon(
        series("files_resolved", "north", "2026-11-20 12:00", [60, 40]),
        series("files_resolved_on_time", "north", "2026-11-20 12:00", [60, 39]),
        series("files_resolved", "south", "2026-11-20 12:00", [900]),
        series("files_resolved_on_time", "south", "2026-11-20 12:00", [450]),
    )
    computed = results("on_time_rate", seen)
    assert said(computed, "on_time_rate", "north") == {NOON: 99.0}
    assert said(computed, "on_time_rate", "south") == {NOON: 50.0}
    assert said(computed, "on_time_rate", CITY) == {NOON: 54.9}
    assert said(computed, "on_time_n", CITY) == {NOON: 1000}


def test_a_rate_looks_back_seven_days_and_not_an_hour_more() -> None:
    seen = noon(
        series("files_resolved", "north", "2026-11-13 12:00", [500]),
        series("files_resolved", "north", "2026-11-13 13:00", [40]),
        series("files_resolved_on_time", "north", "2026-11-13 13:00", [20]),
        series("files_resolved", "north", "2026-11-20 12:00", [0]),
    )
    computed = results("on_time_rate", seen)
    assert said(computed, "on_time_rate", "north") == {NOON: 50.0}
    assert said(computed, "on_time_n", "north") == {NOON: 40}


def test_when_the_source_falls_silent_the_rate_grows_old_instead_of_being_repeated() -> None:
    rows = [
        series("files_resolved", "north", "2026-11-20 12:00", [50, 50]),
        series("files_resolved_on_time", "north", "2026-11-20 12:00", [50, 50]),
    ]
    computed = results("on_time_rate", window(rows, "2026-11-20 10:00", "2026-11-20 20:00"))
    assert list(said(computed, "on_time_rate", "north")) == ["20 11:00", NOON]


def test_small_samples_are_shown_and_marked() -> None:
    few = [
        series("files_resolved", "north", "2026-11-20 12:00", [29]),
        series("files_resolved_on_time", "north", "2026-11-20 12:00", [29]),
    ]
    enough = [series("files_resolved", "north", "2026-11-20 12:00", [30])]
    assert quality(results("on_time_rate", noon(*few)), "on_time_rate", "north") == {"not_evaluated"}
    assert quality(results("on_time_rate", noon(*few)), "on_time_n", "north") == {"pass"}
    computed = results("on_time_rate", noon(*enough))
    assert quality(computed, "on_time_rate", "north") == {"pass"}
    assert said(computed, "on_time_rate", "north") == {NOON: 0.0}  # thirty resolved, none of them on time


def test_an_office_that_never_says_how_many_were_resolved_does_not_lift_the_city() -> None:
    seen = noon(
        series("files_resolved", "north", "2026-11-20 12:00", [100]),
        series("files_resolved_on_time", "north", "2026-11-20 12:00", [50]),
        series("files_resolved", "south", "2026-11-20 12:00", [0]),
        series("files_resolved_on_time", "south", "2026-11-20 12:00", [40]),
    )
    assert said(results("on_time_rate", seen), "on_time_rate", CITY) == {NOON: 50.0}


def test_an_hour_in_which_nothing_was_resolved_gives_no_rate() -> None:
    assert results("on_time_rate", noon(series("files_resolved", "north", "2026-11-20 12:00", [0]))).empty


def test_online_files_over_thirty_days() -> None:
    seen = noon(
        series("files_received", "north", "2026-10-21 13:00", [100]),
        series("files_received_online", "north", "2026-10-21 13:00", [90]),
        series("files_received", "north", "2026-11-20 12:00", [100]),
        series("files_received_online", "north", "2026-11-20 12:00", [60]),
    )
    computed = results("online_share", seen)
    assert said(computed, "online_share", "north") == {NOON: 75.0}
    assert said(computed, "online_n", CITY) == {NOON: 200}


def test_overdue_files_of_the_city_take_each_offices_newest_word() -> None:
    seen = window(
        [
            series("files_pending_overdue", "north", "2026-11-20 12:00", [9, 3]),
            series("files_pending_overdue", "south", "2026-11-20 09:00", [4]),
        ],
        "2026-11-20 08:00",
        "2026-11-20 14:00",
    )
    computed = results("files_overdue", seen)
    assert said(computed, "files_overdue", "north") == {"20 11:00": 9, NOON: 3}
    assert said(computed, "files_overdue", CITY) == {"20 09:00": 4, "20 11:00": 13, NOON: 7}
    assert quality(computed, "files_overdue", CITY) == {"pass"}


def test_the_citys_sum_is_marked_while_an_office_is_silent() -> None:
    seen = window(
        [
            series("files_pending_overdue", "north", "2026-11-20 12:00", [3] * 30),
            series("files_pending_overdue", "south", "2026-11-19 10:00", [40]),
        ],
        "2026-11-20 08:00",
        "2026-11-20 12:00",
    )
    computed = results("files_overdue", seen)
    city = computed[computed["site_id"] == CITY]
    assert city["value"].tolist() == [43, 3, 3, 3]
    assert city["quality"].tolist() == ["pass", "suspect", "suspect", "suspect"]
    assert quality(computed, "files_overdue", "north") == {"pass"}


def test_a_total_that_a_source_books_on_the_city_is_not_one_office_more() -> None:
    seen = noon(
        series("files_pending_overdue", "north", "2026-11-20 12:00", [3]),
        series("files_pending_overdue", CITY, "2026-11-20 12:00", [3]),
    )
    assert said(results("files_overdue", seen), "files_overdue", CITY) == {NOON: 3}


def test_an_office_whose_pending_files_are_unknown_today_is_in_no_share() -> None:
    seen = noon(
        series("files_pending_overdue", "north", "2026-11-20 12:00", [3]),
        series("files_pending", "north", "2026-11-20 12:00", [150]),
        series("files_pending_overdue", "west", "2026-11-20 12:00", [100]),
        series("files_pending", "west", "2026-11-18 12:00", [400]),
    )
    computed = results("overdue_share", seen)
    assert said(computed, "overdue_share", CITY) == {NOON: 2.0}
    assert quality(computed, "overdue_share", CITY) == {"suspect"}


def test_the_overdue_share_of_what_is_pending() -> None:
    seen = noon(
        series("files_pending_overdue", "north", "2026-11-20 12:00", [3]),
        series("files_pending", "north", "2026-11-20 12:00", [150]),
        series("files_pending_overdue", "south", "2026-11-20 12:00", [0]),
        series("files_pending", "south", "2026-11-20 12:00", [0]),
        series("files_pending_overdue", "west", "2026-11-20 12:00", [100]),
    )
    computed = results("overdue_share", seen)
    assert said(computed, "overdue_share", "north") == {NOON: 2.0}
    assert said(computed, "overdue_share", "south") == {}  # nothing pending
    assert said(computed, "overdue_share", CITY) == {NOON: 2.0}  # west did not say how many are pending


# -- satisfaction ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (9, 10, 0.5958, 0.9821),
        (18, 20, 0.6990, 0.9721),
        (45, 50, 0.7864, 0.9565),
        (90, 100, 0.8256, 0.9448),
        (900, 1000, 0.8798, 0.9171),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 3, 0.0615, 0.7923),
    ],
)
def test_wilsons_interval(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_wilsons_interval_stays_between_nothing_and_all() -> None:
    assert wilson(0, 7)[0] == 0.0
    assert wilson(7, 7)[1] == 1.0


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (5, 4), (-1, 4)])
def test_a_share_of_nothing_has_no_interval(successes: int, n: int) -> None:
    with pytest.raises(InputError, match=f"{successes} of {n}"):
        wilson(successes, n)


def test_ninety_percent_of_twenty_says_no_more_than_seventy() -> None:
    seen = noon(
        series("ratings_valid", "north", "2026-11-20 12:00", [12, 8]),
        series("ratings_satisfied", "north", "2026-11-20 12:00", [11, 7]),
    )
    computed = results("satisfaction", seen)
    assert said(computed, "satisfaction", "north") == {NOON: 90.0}
    assert said(computed, "satisfaction_low", "north")[NOON] == pytest.approx(69.90, abs=0.005)
    assert said(computed, "satisfaction_high", "north")[NOON] == pytest.approx(97.21, abs=0.005)
    assert said(computed, "satisfaction_n", CITY) == {NOON: 20}
    assert quality(computed, "satisfaction", "north") == {"not_evaluated"}
    assert quality(computed, "satisfaction_low", "north") == {"not_evaluated"}


def test_more_satisfied_than_valid_answers_are_all_and_not_more() -> None:
    seen = noon(
        series("ratings_valid", "north", "2026-11-20 12:00", [40]),
        series("ratings_satisfied", "north", "2026-11-20 12:00", [45]),
    )
    computed = results("satisfaction", seen)
    assert said(computed, "satisfaction", "north") == {NOON: 100.0}
    assert said(computed, "satisfaction_high", "north") == {NOON: 100.0}
    assert said(computed, "satisfaction_low", "north")[NOON] == pytest.approx(100 * wilson(40, 40)[0])


# -- citizen reports ---------------------------------------------------------------------------------------------------


def quiet_days(days: int, each: float, site: str = "ward") -> list[pd.DataFrame]:
    """Reports at 11:30 on the days before 20 November."""
    return [series("reports_received", site, f"2026-11-{20 - day:02} 11:30", [each]) for day in range(1, days + 1)]


def test_twelve_reports_where_three_are_usual_are_four_times_as_many() -> None:
    seen = noon(
        *quiet_days(8, 3), series("reports_received", "ward", "2026-11-20 11:40", [12]), since="2026-11-20 11:45"
    )
    computed = results("reports_vs_baseline", seen)
    assert said(computed, "reports_vs_baseline", "ward") == {NOON: 4.0}
    assert said(computed, "reports_vs_baseline", CITY) == {NOON: 4.0}
    assert said(computed, "reports_60min", "ward") == {NOON: 12}


def test_fewer_than_five_reports_are_never_an_excess() -> None:
    def ratio(count: float, usual: float) -> float:
        seen = noon(
            *quiet_days(8, usual),
            series("reports_received", "ward", "2026-11-20 11:40", [count]),
            since="2026-11-20 11:45",
        )
        return said(results("reports_vs_baseline", seen), "reports_vs_baseline", "ward")[NOON]

    assert ratio(4, 1) == 1.0
    assert ratio(5, 1) == 5.0
    assert ratio(2, 4) == 0.5
    assert ratio(6, 0.4) == 6.0  # the usual number counts as one at least


def test_the_ratio_falls_back_when_the_hour_is_over() -> None:
    rows = [*quiet_days(8, 1), series("reports_received", "ward", "2026-11-20 10:40", [9])]
    computed = results("reports_vs_baseline", window(rows, "2026-11-20 11:25", "2026-11-20 12:00"))
    assert said(computed, "reports_vs_baseline", "ward") == {"20 11:30": 9.0, "20 11:45": 0.0, NOON: 0.0}


def test_without_a_week_of_history_there_is_a_count_but_no_ratio() -> None:
    today = series("reports_received", "ward", "2026-11-20 11:40", [12])
    six = results("reports_vs_baseline", noon(*quiet_days(6, 3), today, since="2026-11-20 11:45"))
    assert said(six, "reports_vs_baseline", "ward") == {}
    assert said(six, "reports_60min", "ward") == {NOON: 12}
    seven = results("reports_vs_baseline", noon(*quiet_days(7, 3), today, since="2026-11-20 11:45"))
    assert said(seven, "reports_vs_baseline", "ward") == {NOON: 4.0}


def test_the_middle_of_an_even_number_of_days_lies_between_the_two() -> None:
    days = [series("reports_received", "ward", f"2026-11-{day} 11:30", [day - 10]) for day in range(12, 20)]  # 2 … 9
    seen = noon(*days, series("reports_received", "ward", "2026-11-20 11:40", [11]), since="2026-11-20 11:45")
    assert said(results("reports_vs_baseline", seen), "reports_vs_baseline", "ward") == {NOON: 2.0}


def test_a_day_without_any_report_in_the_city_is_an_outage_of_the_intake() -> None:
    days = quiet_days(4, 3) + quiet_days(18, 3)[14:]  # silent from the 6th to the 15th: no ten days of zero
    seen = noon(*days, series("reports_received", "ward", "2026-11-20 11:40", [12]), since="2026-11-20 11:45")
    assert said(results("reports_vs_baseline", seen), "reports_vs_baseline", "ward") == {NOON: 4.0}


def test_a_silent_intake_gives_nothing_and_not_zero() -> None:
    computed = results("reports_vs_baseline", window(quiet_days(8, 3), "2026-11-20 11:00", "2026-11-21 12:00"))
    assert max(said(computed, "reports_60min", CITY)) == "20 11:15"  # 24 hours after the last report


def test_a_report_without_a_place_counts_for_the_city() -> None:
    rows = [
        series("reports_received", "ward", "2026-11-20 11:40", [3]),
        series("reports_received", CITY, "2026-11-20 11:50", [2]),
    ]
    computed = results("reports_vs_baseline", noon(*rows, since="2026-11-20 11:45"))
    assert said(computed, "reports_60min", CITY) == {NOON: 5}
    assert said(computed, "reports_60min", "ward") == {NOON: 3}


def test_reports_on_time_count_what_fell_due() -> None:
    seen = noon(
        series("reports_due", "ward", "2026-11-20 11:10", [10]),
        series("reports_due_met", "ward", "2026-11-20 11:10", [9]),
        series("reports_due", "other", "2026-11-20 11:10", [30]),
    )
    computed = results("reports_on_time", seen)
    assert said(computed, "reports_on_time", "ward") == {NOON: 90.0}
    assert said(computed, "reports_on_time", "other") == {NOON: 0.0}
    assert said(computed, "reports_on_time", CITY) == {NOON: 22.5}


def test_nine_in_ten_were_answered_within() -> None:
    hours = [float(value) for value in range(1, 22)]  # 1 … 21 h
    rows = [
        series("report_first_response", "ward", "2026-11-20 11:30", hours, every_min=7),
        series("report_first_response", "other", "2026-11-20 11:30", [100.0]),
        series("report_first_response", "ward", "2026-11-13 12:00", [900.0]),  # just outside the seven days
    ]
    computed = results("first_response", noon(*rows))
    assert said(computed, "first_response", "ward") == {NOON: pytest.approx(19.0)}
    assert said(computed, "first_response_median", "ward") == {NOON: 11.0}
    assert said(computed, "first_response_n", CITY) == {NOON: 22}
    assert quality(computed, "first_response", "ward") == {"pass"}
    assert quality(computed, "first_response", "other") == {"not_evaluated"}
    assert said(computed, "first_response", CITY) == {NOON: pytest.approx(19.9)}


def test_an_hour_without_an_answer_repeats_nothing() -> None:
    rows = series("report_first_response", "ward", "2026-11-20 11:30", [5.0] * 20, every_min=1)
    computed = results("first_response", window(rows, "2026-11-20 11:00", "2026-11-20 18:00"))
    assert list(said(computed, "first_response", "ward")) == [NOON]
    assert computed["time"].max().to_pydatetime() == at("2026-11-20 12:00")
