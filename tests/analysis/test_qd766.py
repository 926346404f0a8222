"""The score of Decision 766 from counts: worked sums, the special cases, and a jump that is no news of the city."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from analysis import qd766
from analysis.qd766 import BY_KEY, GROUPS, PARTS, TOTAL, guard, points, ranked, recompute
from core.errors import InputError

BAC_NINH = {  # a published row: six groups and what they add up to
    "transparency": 15.82, "timeliness": 19.45, "online": 8.53, "payment": 10.0, "digitisation": 17.86,
    "satisfaction": 21.17,
}  # fmt: skip


def counts(**given: tuple[float, float] | None) -> pd.DataFrame:
    """Full points everywhere but in `given`; None: the part does not hold for this unit."""
    rows = []
    for part in PARTS:
        pair = given.get(part.key, (100.0, 100.0))
        top, bottom = pair if pair is not None else (None, None)
        rows.append(
            {"unit": "u", "part": part.key, "numerator": top, "denominator": bottom, "applicable": pair is not None}
        )
    return pd.DataFrame(rows)


def test_the_six_groups_have_the_portals_maxima_and_a_hundred_points() -> None:
    assert list(GROUPS.values()) == [18, 20, 12, 10, 22, 18]


def test_314557_of_358643_files_on_time_are_17_54_points() -> None:
    found = points(BY_KEY["on_time"], 314_557, 358_643)
    assert round(found.points or 0, 2) == 17.54
    assert found.short == 358_643 - 314_557
    assert round(found.lost, 2) == 2.46


def test_a_published_row_adds_up_to_92_83() -> None:
    assert round(sum(BAC_NINH.values()), 2) == 92.83


@pytest.mark.parametrize(
    ("part", "top", "bottom", "wanted"),
    [
        ("services_online", 40, 100, 1.0),  # 2 × 0.40/0.80
        ("services_online", 85, 100, 2.0),  # full at 80 %
        ("services_used_online", 50, 100, 2.0),  # 4 × B
        ("files_online", 25, 100, 3.0),  # 6 × 0.25/0.50
        ("files_online", 50, 100, 6.0),
        ("services_with_payment", 50, 100, 3.0),  # 6 × A
        ("services_paid_online", 40, 100, 1.0),  # 2.5 × B
        ("files_paid_online", 90, 100, 2.0),
        ("data_reused", 40, 100, 1.0),
        ("electronic_results", 99, 100, 5.94),
        ("service_satisfied", 45, 100, 3.0),  # full at 90 %
        ("service_satisfied", 90, 100, 6.0),
    ],
)
def test_every_part_has_its_own_level_of_full_points(part: str, top: float, bottom: float, wanted: float) -> None:
    assert points(BY_KEY[part], top, bottom).points == pytest.approx(wanted)


def test_how_many_files_lack_for_full_points_counts_to_the_level_and_not_to_all() -> None:
    assert points(BY_KEY["files_online"], 400, 1000).short == 100
    assert points(BY_KEY["files_online"], 600, 1000).short == 0


def test_without_a_citizen_report_the_points_are_given_and_without_a_rating_they_are_not() -> None:
    assert points(BY_KEY["reports_on_time"], 0, 0).points == 6
    assert points(BY_KEY["reports_satisfied"], 0, 0).status == qd766.NO_REPORTS
    nothing = points(BY_KEY["service_satisfied"], 0, 0)
    assert (nothing.points, nothing.status) == (0.0, qd766.NO_RATING)


def test_a_count_that_nobody_gave_is_unknown_and_never_nought() -> None:
    given = counts().query("part != 'certified_copies'")
    (unit,) = recompute(given, {("u", "digitisation"): 20.0})
    group = next(one for one in unit.groups if one.key == "digitisation")
    assert (group.points, group.known, group.why) == (None, 20.0, "parts_unknown")
    assert unit.total.points is None
    assert all(one.part.key != "certified_copies" for one in unit.losses), "unknown is no loss"


def test_what_does_not_hold_for_a_commune_is_left_out_of_its_maximum() -> None:
    (unit,) = recompute(counts(population_checked=None), {("u", TOTAL): 98.0})
    assert (unit.total.max, unit.total.points, unit.total.left_out) == (98, 98, 1)
    assert unit.total.why == "same"


def test_the_difference_to_the_published_score_is_told_with_its_reason() -> None:
    published = {("u", "timeliness"): 18.0, ("u", "online"): 12.04, ("u", TOTAL): 97.0}
    (unit,) = recompute(counts(on_time=(950, 1000)), published)
    by_key = {group.key: group for group in unit.groups}
    assert by_key["timeliness"].difference == pytest.approx(-1.0)
    assert by_key["timeliness"].why == "counts_differ"
    assert by_key["online"].why == "same", "a rounding is no difference"
    assert by_key["payment"].why == "unpublished"
    assert [one.part.key for one in unit.losses] == ["on_time"]


@pytest.mark.parametrize(("top", "bottom"), [(101, 100), (-1, 100), (float("inf"), 1)])
def test_counts_that_cannot_be_are_refused(top: float, bottom: float) -> None:
    with pytest.raises(InputError):
        points(BY_KEY["on_time"], top, bottom)


def test_a_part_that_is_given_twice_or_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="twice"):
        recompute(pd.concat([counts(), counts()]), {})
    with pytest.raises(InputError, match="no part"):
        recompute(counts().replace({"part": {"on_time": "speed"}}), {})


def month(number: int) -> pd.Timestamp:
    """END of a month of 2026."""
    return pd.Timestamp(datetime(2026, number + 1, 1, tzinfo=UTC)).as_unit("us")


def history(**units: list[float]) -> pd.DataFrame:
    """Totals of June, July, August … per unit."""
    rows = [
        {"unit": unit, "time": month(6 + place), "value": value}
        for unit, values in units.items()
        for place, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


REPAIRED = pd.DataFrame([{"unit": "u1", "at": pd.Timestamp("2026-08-12", tz="UTC"), "cause": "resync"}])
CALM = {"u2": [88.1, 88.4, 88.2], "u3": [90.0, 89.5, 90.2], "u4": [85.0, 85.8, 86.0]}


def test_from_69_to_92_points_after_a_synchronisation_was_repaired_is_no_news_of_the_city() -> None:
    (mark,) = guard(history(u1=[69.0, 69.23, 91.60], **CALM), REPAIRED)
    assert (mark.unit, mark.before, mark.after, mark.cause) == ("u1", 69.23, 91.60, "resync")
    (unit,) = recompute(counts(), {("u", TOTAL): 91.6})
    assert ranked([unit], [mark], month(8).to_pydatetime()), "another unit keeps its rank"
    marked = recompute(counts().assign(unit="u1"), {("u1", TOTAL): 91.6})
    assert not ranked(marked, [mark], month(8).to_pydatetime())
    assert ranked(marked, [mark], month(9).to_pydatetime()), "in the next period it is ranked again"


def test_the_same_step_without_a_repair_is_news_and_an_ordinary_one_at_a_repair_is_too() -> None:
    assert not guard(history(u1=[69.0, 69.23, 91.60], **CALM), REPAIRED.assign(unit="u2"))
    assert not guard(history(u1=[69.0, 69.23, 70.0], **CALM), REPAIRED)
    assert not guard(history(u1=[69.0, 91.6, 91.7], **CALM), REPAIRED), "it happened a month later"


def test_equal_points_share_a_rank() -> None:
    units = recompute(
        pd.concat([counts().assign(unit=name) for name in ("a", "b", "c")]),
        {("a", TOTAL): 90.0, ("b", TOTAL): 95.0, ("c", TOTAL): 90.0},
    )
    assert [(rank, one.unit) for rank, one in ranked(units, (), month(8).to_pydatetime())] == [
        (1, "b"),
        (2, "a"),
        (2, "c"),
    ]
