"""What the first screen says of the next hours: «Dự báo: có thể vượt 18 km/h ~20:30 (sớm nhất 19:00)».

It is no alert and takes no colour. It is said only while it can be believed: the forecast is of the last turn, its
place still sends values, the moment lies ahead, and the limit has not been reached already (then the value says it).
What only the interval reaches, and the record of such warnings, stands on the page of trends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from charts.theme import text_width_px
from control.forecasts import KEPT
from core import formats
from core.catalogue import ObservedProperty
from core.outlook import Ahead, Crossing
from core.snapshot import Reading
from ui.views import Row, View

ROUND_TO = timedelta(minutes=10)
TEXT_U = 20.0  # letters of the mark on the wall, as ui/assets/wall.css draws them
GLYPH_U = 28.0  # and the sign before it with its gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One limit that the middle of a forecast crosses."""

    key: str
    site_id: str
    at: datetime
    limit: str
    earliest: str  # «19:00»; «» once that moment has passed
    below: bool  # the bad side is below the limit


def about(view: View, moment: datetime) -> str:
    """A moment of a forecast, no finer than it can be known."""
    seconds = ROUND_TO.total_seconds()
    rounded = datetime.fromtimestamp(round(moment.timestamp() / seconds) * seconds, tz=moment.tzinfo)
    return formats.moment(rounded, view.now, view.zone)


def marks(view: View) -> list[Mark]:
    """What may be crossed soon, soonest first; one per indicator."""
    found: dict[str, Mark] = {}
    for one in view.snapshot.outlook:
        crossing, reading = one.crossing, view.snapshot.reading(one.observed_property, one.site_id)
        if crossing is None or crossing.at is None or reading is None:
            continue
        if not _holds(view, one, crossing.at, reading) or _reached(reading, crossing):
            continue
        known = found.get(one.observed_property)
        if known is None or crossing.at < known.at:
            found[one.observed_property] = _mark(view, one, crossing, crossing.at, reading.item)
    return sorted(found.values(), key=lambda one: (one.at, one.key))


def _holds(view: View, one: Ahead, at: datetime, reading: Reading) -> bool:
    return view.now - one.made_at <= KEPT and at > view.now and reading.live


def _reached(reading: Reading, crossing: Crossing) -> bool:
    if reading.item.direction == "higher":
        return reading.value <= crossing.limit
    return reading.value >= crossing.limit


def _mark(view: View, one: Ahead, crossing: Crossing, at: datetime, item: ObservedProperty) -> Mark:
    return Mark(
        key=one.observed_property,
        site_id=one.site_id,
        at=at,
        limit=formats.quantity(crossing.limit, item.decimals, item.unit_label(view.language), view.language),
        earliest=about(view, crossing.earliest) if crossing.earliest > view.now else "",
        below=item.direction == "higher",
    )


def marked(
    view: View,
    groups: Sequence[tuple[str, list[Row]]],
    *,
    most: int | None = None,
    room_u: float | None = None,
) -> list[tuple[str, list[Row]]]:
    """The same rows, each with what is forecast of it; `most`: only the soonest, in a line of at most `room_u`."""
    rows = [row for _, group in groups for row in group]
    said: dict[int, str] = {}
    for mark in marks(view):
        own = [row for row in rows if row.key == mark.key]
        row = next((one for one in own if one.site_id == mark.site_id), own[0] if own else None)
        if row is not None and (most is None or len(said) < most):
            said[id(row)] = words(view, mark, there=row.site_id != mark.site_id, room_u=room_u)
    return [(domain, [replace(row, ahead=said.get(id(row), "")) for row in group]) for domain, group in groups]


def words(view: View, mark: Mark, *, there: bool, room_u: float | None = None) -> str:
    """The sentence of a mark; `there`: it is about another place than its row. The longest one that fits `room_u`."""
    t = view.t
    place = view.snapshot.city.site_name(mark.site_id, view.language) if there else ""
    what = t(f"forecast.mark_{'below' if mark.below else 'above'}", limit=mark.limit, at=about(view, mark.at))
    soonest = t("forecast.mark_earliest", at=mark.earliest) if mark.earliest else t("forecast.mark_now")
    short = t("forecast.mark_there", place=place, what=what) if place else t("forecast.mark", what=what)
    long = f"{short} {soonest}"
    if room_u is None or GLYPH_U + text_width_px(long, TEXT_U, condensed=True) <= room_u:
        return long
    return short
