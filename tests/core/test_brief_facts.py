"""The facts of a brief: what a period is, and that the archive gives back what it was given."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from core.brief import DAY, MONTH, WEEK, dumps, loads, span
from core.errors import InputError
from tests.facts_of_a_day import facts

CITY = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("period", "day", "first", "last"),
    [
        (DAY, date(2026, 11, 20), date(2026, 11, 20), date(2026, 11, 20)),
        (WEEK, date(2026, 11, 22), date(2026, 11, 16), date(2026, 11, 22)),  # a Sunday belongs to the Monday before
        (MONTH, date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29)),
        (MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_is_whole_local_days(period: str, day: date, first: date, last: date) -> None:
    found = span(period, day, CITY)
    assert found[:2] == (first, last)
    assert found[2] == datetime(first.year, first.month, first.day, tzinfo=CITY).astimezone(UTC)
    assert (found[3] - found[2]).days == (last - first).days + 1


def test_the_archive_gives_back_the_same_facts_and_the_same_text() -> None:
    given = facts()
    assert loads(dumps(given)) == given
    assert dumps(loads(dumps(given))) == dumps(given)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 99}', '{"version": 1}'])
def test_what_is_no_brief_is_refused_in_words(text: str) -> None:
    with pytest.raises(InputError, match="no brief"):
        loads(text)


def test_a_wrong_value_is_refused() -> None:
    table = json.loads(dumps(facts()))
    table["counts"]["raised"] = "34"
    with pytest.raises(InputError, match="no brief"):
        loads(json.dumps(table))
