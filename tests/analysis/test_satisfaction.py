"""Satisfaction: intervals, too few answers, ceilings, silence, small cells, and tables that do not add up."""

from __future__ import annotations

import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from analysis import satisfaction, service_picture
from analysis.satisfaction import Share
from analysis.service_picture import FINE, FIRST, MEND, UNKNOWN
from core.errors import InputError
from core.ratings import crossfoot
from core.wilson import rank_ranges, wilson


def counts(*rows: tuple[str, str, int, int, int]) -> pd.DataFrame:
    """(service, office, satisfied, not satisfied, asked) -> the frame of counts."""
    return pd.DataFrame(
        [
            {"service": s, "office": o, "n1": 0, "n2": bad, "n3": 0, "n4": 0, "n5": good, "asked": asked}
            for s, o, good, bad, asked in rows
        ]
    )


@pytest.mark.parametrize(
    ("good", "n", "low", "high"),
    [
        (9, 10, 0.5958, 0.9821), (18, 20, 0.6990, 0.9721), (45, 50, 0.7864, 0.9565), (90, 100, 0.8256, 0.9448),
        (900, 1000, 0.8798, 0.9171), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 3, 0.0615, 0.7923),
    ],
)  # fmt: skip
def test_ninety_per_cent_of_ten_and_of_a_thousand_are_not_the_same(good: int, n: int, low: float, high: float) -> None:
    assert Share(good=good, n=n).interval == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert wilson(good, n) == pytest.approx(proportion_confint(good, n, method="wilson"), abs=1e-6)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(InputError):
        wilson(11, 10)


def test_the_table_with_more_answers_than_forms_is_refused_with_the_sum() -> None:
    said = crossfoot([2063, 2137, 150], 4215)
    assert "2.063 + 2.137 + 150 = 4.350" in said
    assert "nhiều hơn" in said
    assert "135" in said
    assert "ít hơn" in crossfoot([1, 1], 3)
    assert crossfoot([2063, 2137, 15], 4215) == ""


def test_who_did_not_answer_is_told_and_not_guessed() -> None:
    one = Share(good=90, n=100, asked=400)
    assert one.response == 0.25
    assert one.unanswered_bounds == (90 / 400, 390 / 400)
    assert Share(good=90, n=100).unanswered_bounds is None
    assert Share(good=90, n=100, asked=50).response is None, "more answers than people asked: the denominator is wrong"


def test_a_part_without_denominator_leaves_the_response_rate_unknown() -> None:
    rows = counts(("birth", "a", 40, 5, 100), ("birth", "b", 40, 5, 0))
    assert satisfaction.share_of(rows).asked is None
    assert satisfaction.share_of(rows[rows["office"] == "a"]).response == 0.45


def test_units_with_too_few_answers_have_no_rank_and_stand_last() -> None:
    rows = counts(("s", "good", 990, 10, 0), ("s", "poor", 700, 300, 0), ("s", "tiny", 29, 0, 0))
    found = satisfaction.units(rows, "office")
    assert [(one.key, one.best_rank, one.worst_rank) for one in found] == [
        ("good", 1, 1), ("poor", 2, 2), ("tiny", None, None),
    ]  # fmt: skip


def test_ranks_part_only_where_the_intervals_do() -> None:
    assert rank_ranges({"a": (0.80, 0.90), "b": (0.85, 0.95), "c": (0.10, 0.20)}) == {
        "a": (1, 2), "b": (1, 2), "c": (3, 3),
    }  # fmt: skip


def test_a_question_that_everybody_answers_with_yes_tells_nothing() -> None:
    full = counts(("s", "a", 990, 10, 0), ("s", "b", 497, 3, 0))
    assert satisfaction.at_the_ceiling(satisfaction.units(full, "office"))
    one_lower = counts(("s", "a", 990, 10, 0), ("s", "b", 480, 20, 0))
    assert not satisfaction.at_the_ceiling(satisfaction.units(one_lower, "office"))
    assert not satisfaction.at_the_ceiling(satisfaction.units(counts(("s", "a", 990, 10, 0)), "office"))


def test_four_answers_are_hidden_and_cannot_be_computed_back() -> None:
    rows = counts(
        ("birth", "a", 40, 2, 0), ("birth", "b", 4, 0, 0), ("birth", "c", 55, 5, 0),
        ("land", "a", 30, 9, 0), ("land", "b", 20, 6, 0), ("land", "c", 44, 1, 0),
    )  # fmt: skip
    safe = satisfaction.safe_table(rows)
    hidden = safe.cells.isna()
    assert hidden.loc["birth", "b"]
    assert (hidden.sum(axis=1)[hidden.any(axis=1)] >= 2).all(), "a row total minus the others is no way in"
    assert (hidden.sum(axis=0)[hidden.any(axis=0)] >= 2).all(), "nor is a column total"
    assert safe.total == 216


# -- interest, satisfaction, use ---------------------------------------------------------------------------------------


def totals(**services: tuple[int, int, int]) -> dict[tuple[str, str], float]:
    """service -> (views, files begun, files finished)."""
    found: dict[tuple[str, str], float] = {}
    for key, (views, started, completed) in services.items():
        found |= {
            (key, "service_views"): views,
            (key, "service_started"): started,
            (key, "service_completed"): completed,
        }
    return found


def test_much_wanted_and_surely_worse_is_mended_first() -> None:
    seen = totals(land=(9000, 2000, 1100), permit=(100, 400, 220), birth=(8000, 3000, 2900), rare=(5, 3, 3))
    rated = counts(
        ("land", "a", 800, 200, 0), ("permit", "a", 180, 40, 0), ("birth", "a", 2400, 30, 0), ("rare", "a", 4, 0, 0)
    )
    found = service_picture.services(seen, rated, ("birth", "land", "permit", "rare"))
    assert [(one.key, one.verdict) for one in found] == [
        ("land", FIRST), ("permit", MEND), ("birth", FINE), ("rare", UNKNOWN),
    ]  # fmt: skip
    assert (found[0].dropped, found[0].unhappy, found[0].lost) == (900, 200, 1100)


def test_what_only_looks_worse_by_chance_is_left_alone() -> None:
    seen = totals(one=(900, 40, 33), two=(800, 4000, 3500))
    rated = counts(("one", "a", 34, 4, 0), ("two", "a", 3700, 300, 0))
    one = next(each for each in service_picture.services(seen, rated, ("one", "two")) if each.key == "one")
    assert one.completed.value is not None
    assert one.completed.value < 3533 / 4040
    assert one.verdict == FINE


def test_what_nobody_counts_is_unknown_and_not_nothing() -> None:
    (one,) = service_picture.services({}, counts(("birth", "a", 40, 1, 0)), ("birth",))
    assert (one.interest, one.views, one.completed.value, one.online.value) == (None, None, None, None)


def test_nine_of_ten_people_wait_no_longer() -> None:
    rows = pd.DataFrame({"site_id": ["a"] * 100 + ["b"] * 8, "value": [*range(1, 101), *range(8)]})
    slow, short = service_picture.waits(rows)
    assert (slow.office, slow.n, slow.p90) == ("a", 100, pytest.approx(90.1))
    assert slow.low is not None
    assert slow.high is not None
    assert slow.low <= 90 <= slow.high
    assert (short.low, short.high) == (None, None), "eight people tell nothing sure of the ninth of ten"
