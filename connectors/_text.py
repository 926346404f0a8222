"""What the texts in a reply mean: numbers that came as text, and times of every ISO 8601 shape."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo

from core.errors import InputError


def number(value: object) -> float:
    """A number, also when it came as text («12.5», «12,5»); NaN for null, empty, words, true and false."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    if isinstance(value, str) and value.count(",") == 1 and "." not in value:
        value = value.replace(",", ".")
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return math.nan
    return result if math.isfinite(result) else math.nan


def instant(value: object, zone: tzinfo | None = None) -> datetime | None:
    """A moment as aware UTC from ISO 8601; of an interval «start/end» its END. None when it cannot be read.

    Raises InputError for a time without an offset when no zone is given: guessing would be wrong by hours.
    """
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.rpartition("/")[2].strip())
        if moment.tzinfo is None:
            if zone is None:
                raise InputError(f"the time {value!r} has no offset: name the zone, e.g. --zone Asia/Ho_Chi_Minh")
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
