"""A frame as a CSV file that a spreadsheet may open: no text in it becomes a formula there."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pandas as pd

_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n']")


def safe_csv(frame: pd.DataFrame) -> str:
    """CSV with a head and CRLF (RFC 4180). Times are ISO 8601; what begins like a formula gets one ' in front."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in frame.columns])
    for row in frame.itertuples(index=False):
        writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def safe_text(text: str) -> str:
    """The text with one ' in front where a spreadsheet would compute it: = + - @ (also full width, also behind blanks)
    or a control character. A text that begins with ' gets one too, so that taking one off gives every text back.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return safe_text(value)
    if value is None or pd.isna(value):
        return ""
    return (
        value.isoformat()
        if isinstance(value, pd.Timestamp)
        else f"{value:.12g}"
        if isinstance(value, float)
        else str(value)
    )
