"""What the scenes of the domains share: which rows come first, how many there are, and the limits they are read by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from core import formats
from core.alert import PRIORITIES
from core.snapshot import OLD, Reading
from ui.domains import MIN_SAMPLE
from ui.scenes._fit import lines
from ui.views import Row, View

LIVE_STATES = ("fresh", "late")
LONG_NAME_U = 22.0  # letters of a long name, as the style sheet draws them


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The rows that fit, and what is left out: how many, and how many of these are silent."""

    rows: Sequence[Row]
    more: int
    silent: int


def sites(view: View, key: str, kind: str) -> list[str]:
    """Sites of a kind and whatever else reports the property, without the city's own row."""
    known = view.snapshot.city.sites
    declared = list(known.index[known["kind"] == kind])
    reporting = sorted({reading.site_id for reading in view.snapshot.of(key)} - set(declared))
    return [*declared, *(site_id for site_id in reporting if site_id != view.snapshot.city.city_site)]


def live(row: Row) -> bool:
    """True while the row's value counts."""
    return row.state in LIVE_STATES


def urgency(row: Row, badness: float) -> tuple[bool, int, float]:
    """Order of rows, worst first: alerts before figures, and what is silent never among what is known."""
    rank = PRIORITIES.index(row.priority) if row.priority else -1
    return (not live(row), -rank, -badness)


def listed(rows: Sequence[Row], room: int, name_u: float) -> Listed:
    """The first rows, and a count of the others. A name that is wider than `name_u` stands whole in two lines, and what
    would stand below it gives way.
    """
    rest = rows[room:]
    return Listed(
        rows=[replace(row, place="") if _wide(row, name_u) else row for row in rows[:room]],
        more=len(rest),
        silent=sum(not live(row) for row in rest),
    )


def _wide(row: Row, name_u: float) -> bool:
    return lines(row.label, LONG_NAME_U, name_u, condensed=True) > 1 and not row.artefact


def value(view: View, key: str, site_id: str) -> float | None:
    """A figure that may count: None when it is missing or too old."""
    reading = view.snapshot.reading(key, site_id)
    return reading.value if reading is not None and reading.live else None


def worst_live(view: View, key: str) -> Reading | None:
    """The highest value that still counts."""
    return max((one for one in view.snapshot.of(key) if one.live), key=lambda one: one.value, default=None)


def first_limit(view: View, key: str) -> float | None:
    """The mildest setpoint of the city's rules on that property, in its own unit."""
    setpoints = [
        setpoint
        for rule in view.snapshot.rules.values()
        if rule.observed_property == key and rule.enabled and rule.in_unit_of_property and not rule.missing
        for setpoint in rule.setpoints.values()
        if not isinstance(setpoint, str)
    ]
    return min(setpoints, default=None)


def sampled(view: View, row: Row, n_key: str) -> tuple[Row, bool]:
    """A share with its sample size in the place line, and whether the sample is too small to be compared."""
    if row.state not in (*LIVE_STATES, OLD):
        return row, False
    n = view.snapshot.reading(n_key, row.site_id)
    count = formats.number(n.value if n else None, 0, view.language)
    whole = row.site_id == view.snapshot.city.city_site
    place = f"{view.t('word.whole_city')} · n = {count}" if whole else f"n = {count}"
    few = n is None or not n.value >= MIN_SAMPLE
    if few and live(row):
        return replace(row, place=place, note=view.t("services.few"), subnote=""), True
    return replace(row, place=place), False


def total(values: Iterable[float | None]) -> float:
    """Sum of what is known."""
    return sum(one for one in values if one is not None)
