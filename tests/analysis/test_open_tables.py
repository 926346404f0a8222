"""Whoever keeps every page that was ever published and subtracts all of them from each other singles nobody out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import open_tables
from analysis.open_tables import OpenTables, Votes, told_votes
from analysis.small_cells import K, suppress_linked
from core.errors import InputError
from core.open_figures import MONTH, SETTLE, WEEK, next_span

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FIRST = datetime(2026, 9, 7, tzinfo=ZONE)  # a Monday
DAY = timedelta(days=1)
WARDS = ("w1", "w2", "w3")
CATEGORIES = ("flood", "waste", "light")
Label = tuple[str | None, str | None, str | None]  # category, column, ward; None: all of them
Told = tuple[Label, frozenset[int], int]  # what a number is of, the reports behind it, and the number


def stream(seed: int, per_day: float, days: int) -> pd.DataFrame:
    """Reports of some weeks with what becomes of them later: the end, and a rating that may come weeks after it."""
    rng = np.random.default_rng(seed)
    received = [FIRST + DAY * float(one) for one in sorted(rng.uniform(0, days, rng.poisson(per_day * days)))]
    n = len(received)
    times = pd.Series(pd.to_datetime(received, utc=True), dtype="datetime64[us, UTC]")
    ended = times + pd.to_timedelta(rng.exponential(4.0, n), unit="D")
    return pd.DataFrame(
        {
            "category": rng.choice(CATEGORIES, n, p=[0.15, 0.35, 0.5]),
            "ward": rng.choice([*WARDS, ""], n, p=[0.5, 0.3, 0.15, 0.05]),
            "received_at": times,
            "acknowledged_at": times,
            "due_at": times + pd.to_timedelta(rng.choice([1, 3, 20], n), unit="D"),
            "resolved_at": ended,
            "closed_at": pd.Series([pd.NaT] * n, dtype="datetime64[us, UTC]"),
            "reopened_count": 0,
            "rating": np.where(rng.random(n) < 0.6, rng.integers(1, 6, n), np.nan),
            "rated_at": ended + pd.to_timedelta(rng.exponential(10.0, n), unit="D"),
            "source": "hotline",
        }
    )


def known(reports: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """What the store holds on a day: ends and ratings that have come in by then."""
    found = reports[reports["received_at"] <= now]
    return found.assign(
        resolved_at=found["resolved_at"].where(found["resolved_at"] <= now),
        rating=found["rating"].where(found["rated_at"] <= now),
    )


def said(made: OpenTables, seen: pd.DataFrame, since: datetime, until: datetime, as_of: datetime) -> Iterator[Told]:
    """Every number of a publication, totals included, with the reports that it counts."""
    rows = seen[(seen["received_at"] >= since) & (seen["received_at"] < until)]
    due, ended = rows["due_at"] <= as_of, rows["resolved_at"] <= as_of
    on_time = due & ended & (rows["resolved_at"] <= rows["due_at"])
    rated = ended & rows["rating"].notna()
    parts = {
        "on_time": on_time,
        "late": due & ~on_time,
        "not_due": ~due,
        "satisfied": rated & (rows["rating"] >= 4),
        "not_satisfied": rated & (rows["rating"] < 4),
        "unrated": ~rated,
    }
    whole = pd.Series(True, index=rows.index)
    for table in (made.kept, made.satisfied):
        for name in table.cells.index:
            own = rows["category"] == name
            for column in table.cells.columns:
                yield from _one(rows, (name, column, None), own & parts[column], table.cells.at[name, column])
            yield from _one(rows, (name, None, None), own, table.rows[name])
        for column in table.cells.columns:
            yield from _one(rows, (None, column, None), parts[column], table.columns[column])
        yield from _one(rows, (None, None, None), whole, pd.NA if table.total is None else table.total)
    for ward in made.wards.cells.index:
        yield from _one(rows, (None, None, ward), rows["ward"] == ward, made.wards.cells.at[ward, "reports"])


def _one(rows: pd.DataFrame, label: Label, mask: pd.Series, count: object) -> Iterator[Told]:
    if not pd.isna(count):
        reports = frozenset(rows.index[mask.to_numpy()])
        assert len(reports) == count, "the attack must know what it subtracts"
        yield label, reports, int(count)  # type: ignore[call-overload]


def singled_out(published: Iterable[Told]) -> list[int]:
    """Differences of two published numbers that are a handful of people, zero left out.

    A number may be subtracted from another when what it is of is part of what the other is of: a category of all, a
    column of a row, a day's number of a later day's. That two groups lie in each other by chance is known to nobody.
    """
    found = []
    for (of, first, n), (other, second, m) in combinations(set(published), 2):
        part, small, whole, large = (of, first, other, second) if n <= m else (other, second, of, first)
        within = all(wide is None or wide == narrow for narrow, wide in zip(part, whole, strict=True))
        if within and abs(n - m) < K and small < large:
            found.append(abs(n - m))
    return found


def daily_pages(reports: pd.DataFrame, period: str, days: int) -> list[tuple[datetime, datetime, list[Told]]]:
    """The page as it stood each day; only its changes count, for a page that stands still tells nothing new."""
    pages: list[tuple[datetime, datetime, list[Told]]] = []
    for day in range(days):
        now = FIRST + DAY * day + timedelta(hours=9)
        span = next_span(now, ZONE, period, pages[-1][1] if pages else None)
        if span is None or span[0] < FIRST:
            continue
        seen = known(reports, now)
        as_of = span[1] + SETTLE
        made = open_tables.tables(seen, *span, as_of=as_of, wards=WARDS, votes={})
        made = open_tables.from_text(open_tables.as_text(made))
        assert made.kept.rows.isna().equals(made.satisfied.rows.isna()), "one table tells the total that another hides"
        assert made.kept.total == made.satisfied.total == made.wards.total
        pages.append((*span, list(said(made, seen, *span, as_of))))
    return pages


def counted(told: Iterable[Told]) -> frozenset[int]:
    """All reports behind the numbers of a page."""
    return frozenset().union(*(reports for _, reports, _ in told))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), per_day=st.sampled_from([0.6, 3.0, 12.0]), period=st.sampled_from([WEEK, MONTH]))
def test_nobody_is_singled_out_by_subtracting_pages_of_any_two_days(seed: int, per_day: float, period: str) -> None:
    pages = daily_pages(stream(seed, per_day, 42), period, 49)
    assert len(pages) >= (4 if period == WEEK else 0)
    for (since, until, first), (since2, until2, second) in combinations(pages, 2):
        assert until <= since2, f"{since}-{until} and {since2}-{until2} share reports"
        together = counted(first) & counted(second)
        assert not together, "numbers of two days count the same report: their difference tells of it"
    assert singled_out(one for *_, told in pages for one in told) == []


def test_the_attack_works_on_tables_that_grow_from_day_to_day() -> None:
    """The same attacker before the cure: a span that ends with each midnight gives single reports away."""
    reports = stream(1, 3.0, 40)
    published: list[Told] = []
    for day in range(30, 40):
        since, until = FIRST, FIRST + DAY * day
        seen = known(reports, until)
        made = open_tables.tables(seen, since, until, as_of=until, wards=WARDS, votes={})
        published += said(made, seen, since, until, until)
    assert singled_out(published)


def test_the_attack_works_on_a_week_that_is_made_again_after_a_late_rating() -> None:
    reports = stream(2, 12.0, 28)
    since, until = FIRST, FIRST + 7 * DAY
    as_of, published = until + 60 * DAY, []
    for later in range(7, 30):
        seen = known(reports, until + DAY * later)
        made = open_tables.tables(seen, since, until, as_of=as_of, wards=WARDS, votes={})
        published += said(made, seen, since, until, as_of)
    assert singled_out(published)


@pytest.mark.parametrize(
    ("now", "period", "until", "begins", "ends"),
    [
        ("2026-11-15T23:59", WEEK, None, date(2026, 10, 26), date(2026, 11, 2)),
        ("2026-11-16T00:00", WEEK, None, date(2026, 11, 2), date(2026, 11, 9)),
        ("2026-11-07T23:59", MONTH, None, date(2026, 9, 1), date(2026, 10, 1)),
        ("2026-11-08T00:00", MONTH, None, date(2026, 10, 1), date(2026, 11, 1)),
        ("2026-11-20T00:00", MONTH, date(2026, 10, 1), date(2026, 10, 1), date(2026, 11, 1)),
    ],
)
def test_a_period_is_due_a_week_after_it_closed(
    now: str, period: str, until: date | None, begins: date, ends: date
) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=ZONE).astimezone(UTC)
    before = None if until is None else datetime(until.year, until.month, until.day, tzinfo=ZONE)
    span = next_span(moment, ZONE, period, before)
    assert span is not None
    assert [one.astimezone(ZONE).date() for one in span] == [begins, ends]
    assert {one.astimezone(ZONE).hour for one in span} == {0}


def test_a_city_that_goes_from_weeks_to_months_publishes_no_month_with_a_published_week_in_it() -> None:
    """October minus its published weeks would leave the last three days."""
    november = datetime(2026, 11, 20, tzinfo=ZONE)
    assert next_span(november, ZONE, MONTH, datetime(2026, 10, 26, tzinfo=ZONE)) is None
    december = datetime(2026, 12, 20, tzinfo=ZONE)
    span = next_span(december, ZONE, MONTH, datetime(2026, 10, 26, tzinfo=ZONE))
    assert span is not None
    assert span[0].date() == date(2026, 11, 1)


@settings(max_examples=200, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_votes_that_are_told_twice_differ_by_nobody_or_by_a_crowd(steps: list[tuple[int, int]]) -> None:
    """Votes grow by a few between two publications: for, against, and from nothing."""
    votes = voters = 0
    told: Votes = {}
    seen = [(0, 0)]
    for good, bad in steps:
        votes, voters = votes + good, voters + good + bad
        told = told_votes(told, {"bus": (votes, voters)})
        if "bus" in told:
            seen.append(told["bus"])
    for (first, asked), (second, then) in combinations(seen, 2):
        for step in (second - first, then - asked, (then - second) - (asked - first)):
            assert step == 0 or step >= K
    assert told_votes({"bus": (9, 20)}, {"bus": (14, 30)}) == {"bus": (14, 30)}
    assert told_votes({"bus": (9, 20)}, {"bus": (12, 30)}) == {"bus": (9, 20)}
    assert told_votes({}, {"bus": (3, 30)}) == {}


def test_a_total_that_one_table_hides_is_not_told_by_another() -> None:
    """Three reports of one category: the table of deadlines must not tell what the table of ratings hides."""
    kept = pd.DataFrame({"on_time": [3, 40, 30], "late": [0, 9, 8]}, index=["a", "b", "c"])
    pleased = pd.DataFrame({"satisfied": [0, 20, 30], "unrated": [3, 29, 8]}, index=["a", "b", "c"])
    wards = pd.DataFrame({"reports": {"w1": 50, "w2": 40}})
    (first, second), groups = suppress_linked([kept, pleased], wards)
    assert pd.isna(first.rows["a"])
    assert first.rows.isna().tolist() == second.rows.isna().tolist()
    assert first.total == second.total == groups.total == 90
    for rows, ward in ((pleased.rename(index={"a": "x"}), wards), (pleased + 1, wards), (pleased, wards + 1)):
        with pytest.raises(InputError, match=r"linked|groups"):
            suppress_linked([kept, rows], ward)


def test_a_period_without_a_report_is_told_as_such() -> None:
    made = open_tables.tables(stream(1, 0.0, 7), FIRST, FIRST + 7 * DAY, as_of=FIRST + 14 * DAY, wards=WARDS, votes={})
    assert made.kept.total == 0
    assert made.wards.cells["reports"].tolist() == [0, 0, 0, 0]
    assert open_tables.as_text(open_tables.from_text(open_tables.as_text(made))) == open_tables.as_text(made)
