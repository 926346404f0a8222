"""A file that a spreadsheet opens computes nothing that a stranger wrote."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from core.safe_csv import safe_csv


@pytest.mark.parametrize(
    "text", ["=1+1", "+84", "-1", "@SUM(A1)", "\tx", "'quoted", "＝1+1", " =1", "=cmd|' /C calc'!A0"]
)
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe_also_in_the_head(text: str) -> None:
    (head, (cell,)) = csv.reader(io.StringIO(safe_csv(pd.DataFrame({text: [text]}))))
    assert cell == f"'{text}"
    assert head == [f"'{text}"]


def test_numbers_times_and_nothing_stay_what_they_are() -> None:
    at = pd.Timestamp("2026-06-01T00:00:00Z")
    told = safe_csv(
        pd.DataFrame({"at": [at, pd.NaT], "value": [-1.5, float("nan")], "words": ["a,b", None], "n": [3, 4]})
    )
    assert told == 'at,value,words,n\r\n2026-06-01T00:00:00+00:00,-1.5,"a,b",3\r\n,,,4\r\n'
