"""Wards with days of validity, and figures carried across a reform of boundaries, before and after 1 July 2025.

A figure of an old unit has no true value for the new ones that took parts of it: it is split by shares. Shares come
from the city (population, [[succession]] in config/<city>/succession.toml) or, where nobody gave them, from the area
that old and new have in common. Whatever rests on a share is «ước tính». Only a sum over whole units is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from core.errors import ConfigError
from core.toml_files import read_toml, shown_path, take
from gis.join import area_m2
from gis.layers import Kept

BASES = ("population", "area")
DAY_FIELDS = {"valid_from": ("valid_from", "hieu_luc_tu"), "valid_to": ("valid_to", "hieu_luc_den")}
WHOLE = 0.995  # from this share on a unit went over as a whole: outlines of two years never fit to the metre
SLIVER = 0.005  # below this it is not a part but the wobble of two outlines


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """One unit with the days from and to which it exists (both included; None: open). Codes are texts."""

    code: str
    name: str
    shape: BaseGeometry | None = None
    parent: str = ""
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        """True when the unit exists on that day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """`share` of the old unit went into the new one, of which it makes up `part`."""

    old: str
    new: str
    share: float
    part: float
    basis: str = "area"


@dataclass(frozen=True, slots=True)
class Carried:
    """A figure on other boundaries. `coverage` is the part of the unit for which a figure was known."""

    value: float
    estimated: bool
    coverage: float


class Wards:
    """All units of a territory, of every time, and who followed whom."""

    def __init__(self, wards: Iterable[Ward], successions: Iterable[Succession] = ()) -> None:
        self._wards = tuple(wards)
        self._successions = tuple(successions)
        by_code: dict[str, list[Ward]] = {}
        for ward in self._wards:
            if any(_overlap(ward, other) for other in by_code.setdefault(ward.code, [])):
                raise ConfigError(f"ward {ward.code} stands twice for the same days: end one of them with valid_to")
            by_code[ward.code].append(ward)

    def area_at(self, day: date) -> tuple[Ward, ...]:
        """The units that exist on that day, by code."""
        return tuple(sorted((one for one in self._wards if one.holds_on(day)), key=lambda one: one.code))

    def carry(
        self, values: Mapping[str, float], from_date: date, to_date: date, *, how: str = "sum"
    ) -> dict[str, Carried]:
        """Figures by code of the units of `from_date` -> by code of the units of `to_date`, forwards or backwards.

        `how` is «sum» for counts, which are split by share, or «mean» for rates and levels, which are averaged by
        the part that each makes up. A unit that exists on both days keeps its own figure, exactly.
        """
        if how not in ("sum", "mean"):
            raise ValueError(f"how is sum or mean, not {how!r}")
        before = {one.code for one in self.area_at(from_date)}
        after = {one.code for one in self.area_at(to_date)}
        followed = {code for one in self._links(from_date <= to_date) for code in (one.old, one.new)}
        kept = {
            code: Carried(value, False, 1.0)
            for code, value in values.items()
            if code in before and code in after and code not in followed
        }
        links = [one for one in self._links(from_date <= to_date) if one.old in before and one.new in after]
        found: dict[str, Carried] = {}
        for new in sorted({one.new for one in links}):
            own = [one for one in links if one.new == new]
            known = [one for one in own if one.old in values]
            whole = sum(one.part for one in own)
            covered = sum(one.part for one in known)
            if not known or covered <= 0:
                continue
            if how == "sum":
                value = sum(values[one.old] * one.share for one in known)
                estimated = any(one.share < WHOLE for one in own) or len(known) < len(own)
            else:
                value = sum(values[one.old] * one.part for one in known) / covered
                estimated = len(own) > 1 or own[0].part < WHOLE
            found[new] = Carried(value, estimated, min(covered / whole if whole else 0.0, 1.0))
        return kept | found

    def _links(self, forwards: bool) -> tuple[Succession, ...]:
        if forwards:
            return self._successions
        return tuple(
            Succession(old=one.new, new=one.old, share=one.part, part=one.share, basis=one.basis)
            for one in self._successions
        )


def _overlap(one: Ward, other: Ward) -> bool:
    begins, ends = one.valid_from or date.min, one.valid_to or date.max
    return begins <= (other.valid_to or date.max) and (other.valid_from or date.min) <= ends


def wards_of(kept: Kept) -> tuple[Ward, ...]:
    """The wards of a layer; a feature's own days of validity, where its columns have them, go before the layer's."""
    found = []
    for index, feature in enumerate(kept.features):
        days: dict[str, date | None] = {}
        for name, columns in DAY_FIELDS.items():
            given = next((str(feature.properties[one]) for one in columns if feature.properties.get(one)), "")
            try:
                days[name] = date.fromisoformat(given[:10]) if given else getattr(kept.layer, name)
            except ValueError:
                days[name] = getattr(kept.layer, name)
        found.append(
            Ward(
                code=kept.code(index),
                name=kept.name(index),
                shape=feature.geometry,
                valid_from=days["valid_from"],
                valid_to=days["valid_to"],
            )
        )
    return tuple(found)


def shares_by_area(old: Sequence[Ward], new: Sequence[Ward]) -> tuple[Succession, ...]:
    """Successions from the area that units of before and after have in common; slivers are no part."""
    shapes = [shapely.make_valid(one.shape) for one in new]
    tree = shapely.STRtree(shapes)
    found = []
    for before in old:
        whole = shapely.make_valid(before.shape)
        own = area_m2(whole)
        for index in sorted(tree.query(whole, predicate="intersects").tolist()):
            common = area_m2(_surface(shapely.intersection(whole, shapes[index])))
            share = min(common / own, 1.0) if own else 0.0
            theirs = area_m2(shapes[index])
            part = min(common / theirs, 1.0) if theirs else 0.0
            if share >= SLIVER or part >= SLIVER:
                found.append(Succession(old=before.code, new=new[index].code, share=share, part=part))
    return _summing(found)


def _surface(shape: BaseGeometry) -> BaseGeometry:
    """Only what has an area: neighbours also have lines and points in common."""
    parts = [one for one in shapely.get_parts(shape) if one.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts)


def _summing(links: list[Succession]) -> tuple[Succession, ...]:
    """Shares of an old unit that is covered but for slivers add up to 1, so that no inhabitant is lost on the way."""
    sums: dict[str, float] = {}
    for one in links:
        sums[one.old] = sums.get(one.old, 0.0) + one.share
    return tuple(
        Succession(old=one.old, new=one.new, share=one.share / sums[one.old], part=one.part, basis=one.basis)
        if sums[one.old] > 0.9
        else one
        for one in links
    )


def load_successions(path: Path) -> tuple[Succession, ...]:
    """config/<city>/succession.toml: [[succession]] old, new, share, part, basis. Empty without the file.

    Raises ConfigError, also where the shares of one old unit add up to more than 1.
    """
    if not path.is_file():
        return ()
    where = shown_path(path)
    found = []
    for number, table in enumerate(take(read_toml(path), "succession", list, where, []), start=1):
        found.append(_succession(table, f"{where}: [[succession]] number {number}"))
    for old in {one.old for one in found}:
        total = sum(one.share for one in found if one.old == old)
        if total > 1.01:
            raise ConfigError(f"{where}: the shares of {old} add up to {total:.2f}; they must not pass 1")
    return tuple(found)


def _succession(table: Any, where: str) -> Succession:
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: must be a table, not {table!r}")
    basis = take(table, "basis", str, where, "population")
    if basis not in BASES:
        raise ConfigError(f"{where}: basis {basis!r} is not one of {', '.join(BASES)}")
    numbers = {}
    for name in ("share", "part"):
        numbers[name] = float(take(table, name, (int, float), where, 1.0))
        if not 0 < numbers[name] <= 1:
            raise ConfigError(f"{where}: {name} must be more than 0 and at most 1, not {numbers[name]:g}")
    return Succession(old=take(table, "old", str, where), new=take(table, "new", str, where), basis=basis, **numbers)
