"""Citizen reports: Kaplan-Meier against the library and against a plain median, deadlines, backlog, small wards."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from analysis.cases import ALL, LEAST, Share, summarise, survival
from core import cases

NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)
RECORDED = Path(__file__).resolve().parents[2].parent / "shared" / "datasets" / "services" / "sf311_part.csv"


def reports(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Reports `ago` hours old, `took` hours until their end (absent: open), due after `due` hours."""
    found = []
    for number, row in enumerate(rows):
        received = NOW - timedelta(hours=float(row["ago"]))  # type: ignore[arg-type]
        found.append(
            {
                "case_id": str(number),
                "category": row.get("category", "waste"),
                "ward": row.get("ward", "90001"),
                "received_at": received,
                "acknowledged_at": received + timedelta(hours=float(row.get("answered", 1))),  # type: ignore[arg-type]
                "due_at": received + timedelta(hours=float(row.get("due", 24))),  # type: ignore[arg-type]
                "resolved_at": received + timedelta(hours=float(row["took"])) if "took" in row else None,  # type: ignore[arg-type]
                "reopened_count": row.get("again", 0),
                "rating": row.get("rating", np.nan),
            }
        )
    return cases.frame(found, kind=cases.REPORT, source="hotline")


def month(rows: list[dict[str, object]], **more: object) -> object:
    return summarise(reports(rows), since=NOW - timedelta(days=30), now=NOW, **more)  # type: ignore[arg-type]


def test_an_open_report_has_waited_so_long_already_and_the_median_knows_it() -> None:
    quick = [{"ago": 200, "took": 10 + n % 3} for n in range(40)]
    row = month(quick + [{"ago": 200} for _ in range(60)]).row()  # type: ignore[attr-defined]
    assert row.closed_median_h == pytest.approx(11.0), "the plain median sees only what is over"
    assert row.survival.median is None, "more than half are still open: nobody knows the median yet"
    assert row.open == row.overdue == 60


def test_the_estimate_and_its_interval_are_those_of_the_library() -> None:
    rng = np.random.default_rng(7)
    waited, ended = rng.exponential(30, 400), rng.random(400) < 0.7
    found = survival(waited, ended)
    assert found is not None
    reference = SurvfuncRight(waited, ended.astype(int))
    assert found.median == pytest.approx(reference.quantile(0.5))
    with np.errstate(all="ignore"):
        low, high = reference.quantile_ci(0.5, alpha=0.05, method="cloglog")
    assert (found.median_low, found.median_high) == pytest.approx((low, high))
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()
    assert found.at_risk[0] == (0.0, 400)


def test_ninety_five_of_a_hundred_intervals_hold_the_true_median() -> None:
    rng = np.random.default_rng(11)
    true, inside = 20 * np.log(2), 0
    for _ in range(300):
        lasts, watched = rng.exponential(20, 120), rng.uniform(5, 60, 120)
        found = survival(np.minimum(lasts, watched), lasts <= watched)
        assert found is not None
        inside += (found.median_low or 0) <= true <= (found.median_high or np.inf)
    assert 0.92 <= inside / 300 <= 0.98


def test_on_time_counts_what_is_due_and_nothing_that_still_has_time() -> None:
    row = month(
        [{"ago": 100, "took": 20}, {"ago": 100, "took": 30}, {"ago": 100}, {"ago": 2, "took": 1}, {"ago": 2}]
    ).row()  # type: ignore[attr-defined]
    assert row.on_time == Share(1, 3), "ended in time, ended late, open and late; the two of today are not due"
    assert (row.open, row.overdue) == (2, 1)


def test_first_answers_reopening_and_ratings_have_their_own_numbers() -> None:
    rows = [{"ago": 90, "took": 5, "answered": n + 1, "again": n == 0, "rating": 5 if n < 6 else 2} for n in range(8)]
    row = month([*rows, {"ago": 90, "took": 5, "answered": 200}]).row()  # type: ignore[attr-defined]
    assert (row.response_median_h, row.response_n) == (4.5, 8), "an answer of the future is none yet"
    assert row.reopened == Share(1, 9)
    assert row.rated == Share(8, 9)
    assert row.satisfied == Share(6, 8)


@pytest.mark.parametrize(
    ("good", "n", "low", "high"), [(9, 10, 59.58, 98.21), (45, 50, 78.64, 95.65), (900, 1000, 87.98, 91.71)]
)
def test_shares_carry_wilson_intervals(good: int, n: int, low: float, high: float) -> None:
    assert Share(good, n).bounds == pytest.approx((low, high), abs=0.006)


def test_the_backlog_remembers_what_came_before_the_span() -> None:
    found = month([{"ago": 5}, {"ago": 50}, {"ago": 24 * 90}, {"ago": 24 * 90, "took": 3}])
    assert [n for _, _, n, _ in found.backlog] == [1, 1, 0, 0, 1]  # type: ignore[attr-defined]
    assert [late for *_, late in found.backlog] == [0, 1, 0, 0, 1]  # type: ignore[attr-defined]
    assert found.row().n == 2  # type: ignore[attr-defined]


def test_what_ended_before_it_began_is_left_out_and_counted() -> None:
    found = month([{"ago": 5, "took": -2}, {"ago": 5, "took": 1}])
    assert found.left_out == 1  # type: ignore[attr-defined]
    assert found.row().n == 1  # type: ignore[attr-defined]


def test_a_ward_with_few_reports_is_grey_and_one_with_a_handful_has_no_number() -> None:
    rows = [{"ago": 5, "ward": "a"} for _ in range(4)] + [{"ago": 5, "ward": "b"} for _ in range(LEAST)]
    found = month([*rows, {"ago": 5, "ward": ""}], population={"a": 1000.0, "b": 10_000.0, "c": float("nan")})
    small, large, none = found.wards  # type: ignore[attr-defined]
    assert (small.small, small.few) == (True, True)
    assert (large.small, large.few, large.rate) == (False, False, 3.0)
    assert (large.low, large.high) == pytest.approx((2.024, 4.283), abs=0.01)  # Garwood 1936
    assert (none.n, none.rate, none.small) == (0, None, False)
    assert found.unplaced == 1  # type: ignore[attr-defined]


def test_a_years_cases_of_a_real_city_are_read_with_their_contradictions() -> None:
    if not RECORDED.is_file():
        pytest.skip("the recorded cases of a real city are not on this machine")
    given = pd.read_csv(RECORDED, dtype=str)
    given = given[given["created_date"].str.fullmatch(r"\d{4}-.* UTC", na=False)]
    rows = pd.DataFrame(
        {
            "case_id": given["unique_key"],
            "category": given["category"],
            "agency": given["agency_name"],
            "ward": given["supervisor_district"],
            "latitude": given["latitude"].astype(float),
            "longitude": given["longitude"].astype(float),
            "channel": given["source"],
            "received_at": pd.to_datetime(given["created_date"].str.removesuffix(" UTC"), utc=True),
            "resolved_at": pd.to_datetime(given["closed_date"].str.removesuffix(" UTC"), utc=True),
            "incident_address": given["incident_address"],
        }
    )
    frame = cases.frame(rows, kind=cases.REPORT, source="sf311")
    assert "incident_address" not in frame
    assert not any(
        frame[name].map(lambda text: bool(re.search(r"\d+ \w+ (ST|AVE)", str(text)))).any()
        for name in ("ward", "channel")
    )
    now = frame["received_at"].max().to_pydatetime() + timedelta(days=30)
    found = summarise(frame, since=datetime(2000, 1, 1, tzinfo=UTC), now=now)
    row = found.row(ALL)
    assert found.left_out >= 10
    assert row.n + found.left_out == len(frame)
    assert row.open >= 60
    assert row.survival is not None
    assert row.survival.median is not None
    assert row.closed_median_h is not None
    assert row.survival.median >= row.closed_median_h, "what is open waits longer"
