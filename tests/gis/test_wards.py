"""Wards through time: who exists on which day, and what a figure is worth on the boundaries of another day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from shapely.geometry import box

from core.errors import ConfigError
from gis.intake import draft
from gis.layers import Shelf, described
from gis.wards import Ward, Wards, load_successions, shares_by_area, wards_of
from tests.gis.files import VN, bytes_of

LAST, FIRST = date(2025, 6, 30), date(2025, 7, 1)


def old(code: str, west: float, east: float) -> Ward:
    return Ward(code=code, name=code, shape=box(west, 21, east, 21.1), valid_to=LAST)


def new(code: str, west: float, east: float) -> Ward:
    return Ward(code=code, name=code, shape=box(west, 21, east, 21.1), valid_from=FIRST)


A, B, C = old("A", 106.0, 106.1), old("B", 106.1, 106.2), old("C", 106.2, 106.4)
X, Y = new("X", 106.0, 106.2), new("Y", 106.2, 106.3)
Z = new("Z", 106.3, 106.4)
KEPT = Ward(code="K", name="K")


def test_the_reform_falls_between_two_days() -> None:
    wards = Wards([A, B, C, X, Y, Z, KEPT])
    assert [one.code for one in wards.area_at(LAST)] == ["A", "B", "C", "K"]
    assert [one.code for one in wards.area_at(FIRST)] == ["K", "X", "Y", "Z"]


def test_counts_of_whole_units_add_up_exactly_and_parts_are_estimates() -> None:
    links = shares_by_area([A, B, C], [X, Y, Z])
    found = Wards([A, B, C, X, Y, Z, KEPT], links).carry({"A": 10, "B": 5, "C": 8, "K": 7}, LAST, FIRST)
    assert (found["X"].value, found["X"].estimated) == (pytest.approx(15), False)
    assert (found["Y"].value, found["Y"].estimated) == (pytest.approx(4, rel=1e-3), True)
    assert found["Y"].value + found["Z"].value == pytest.approx(8), "nobody is lost on the way"
    assert (found["K"].value, found["K"].estimated) == (7, False)


def test_rates_are_averaged_by_part_and_never_added() -> None:
    links = shares_by_area([A, B, C], [X, Y, Z])
    found = Wards([A, B, C, X, Y, Z], links).carry({"A": 80.0, "B": 60.0, "C": 50.0}, LAST, FIRST, how="mean")
    assert (found["X"].value, found["X"].estimated) == (pytest.approx(70, abs=0.1), True)
    assert found["Z"].value == pytest.approx(50)


def test_back_across_the_reform() -> None:
    links = shares_by_area([A, B, C], [X, Y, Z])
    found = Wards([A, B, C, X, Y, Z], links).carry({"X": 20.0, "Y": 3.0, "Z": 5.0}, FIRST, LAST)
    assert (found["A"].value, found["A"].estimated) == (pytest.approx(10, rel=1e-3), True)
    assert (found["C"].value, found["C"].estimated) == (pytest.approx(8), False)


def test_a_missing_part_is_told_by_the_coverage_and_is_never_zero() -> None:
    links = shares_by_area([A, B, C], [X, Y, Z])
    found = Wards([A, B, C, X, Y, Z], links).carry({"A": 10.0}, LAST, FIRST)
    assert found["X"].coverage == pytest.approx(0.5, abs=0.01)
    assert found["X"].estimated
    assert set(found) == {"X"}, "what nobody knows is not there"


def test_shares_by_population_go_before_those_by_area(tmp_path: Path) -> None:
    path = tmp_path / "succession.toml"
    path.write_text(
        '[[succession]]\nold = "C"\nnew = "Y"\nshare = 0.9\n[[succession]]\nold = "C"\nnew = "Z"\nshare = 0.1\n'
    )
    found = Wards([C, Y, Z], load_successions(path)).carry({"C": 100.0}, LAST, FIRST)
    assert {code: round(one.value) for code, one in found.items()} == {"Y": 90, "Z": 10}
    assert load_successions(tmp_path / "none.toml") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[succession]]\nold = "C"\nnew = "Y"\nshare = 1.2', "at most 1"),
        ('[[succession]]\nold = "C"\nnew = "Y"\nbasis = "guess"', "guess"),
        ('[[succession]]\nold="C"\nnew="Y"\nshare=0.9\n[[succession]]\nold="C"\nnew="Z"\nshare=0.9', "add up to 1.80"),
    ],
)
def test_wrong_shares_stop_with_their_place(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "succession.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load_successions(path)


def test_a_ward_cannot_stand_twice_on_one_day() -> None:
    with pytest.raises(ConfigError, match="valid_to"):
        Wards([A, Ward(code="A", name="A")])
    Wards([A, Ward(code="A", name="A", valid_from=FIRST)])


def test_the_old_districts_of_bac_giang_go_over_into_the_real_wards(tmp_path: Path) -> None:
    """10 districts of before, 99 wards of after: every inhabitant of before lives somewhere after."""
    shelf = Shelf(tmp_path)
    for key, name in (("truoc", "before_2025_bac_giang_districts_approx"), ("sau", "after_2025_bac_ninh_wards")):
        found = draft(bytes_of(VN / f"{name}.geojson"), name, province="24")
        layer = described(
            found.features, key=key, title=key, kind="ward", owner="a", licence="a", dated=FIRST,
            valid_to=LAST if key == "truoc" else None,
        )  # fmt: skip
        shelf.put(layer, found.features, by="a", now=_now())
    before, after = wards_of(shelf.read("truoc")), wards_of(shelf.read("sau"))
    assert {one.valid_to for one in before} == {LAST}
    assert {one.valid_from for one in after} == {FIRST}
    wards = Wards([*before, *after], shares_by_area(before, after))
    people = {one.code: 100.0 for one in before}
    found_there = wards.carry(people, LAST, FIRST)
    assert sum(one.value for one in found_there.values()) == pytest.approx(1000, rel=1e-6)
    assert "07210" in found_there, "phường Bắc Giang follows the city"
    assert found_there["07210"].estimated, "the city went over in parts"
    went = {old: {one.new for one in wards._successions if one.old == old} for old in ("213", "222")}
    assert went["222"] == {"07774", "07777", "07795", "07798"}, "thị xã Việt Yên became four wards and nothing else"
    city = {"07210", "07228", "07681", "07682", "07696", "07699", "07738"}
    assert went["213"] == city | {"07735"}, "seven wards of today, and xã Đồng Việt, which was in Yên Dũng"
    back = wards.carry(dict.fromkeys(went["222"], 40.0), FIRST, LAST, how="mean")
    assert (back["222"].value, back["222"].estimated) == (pytest.approx(40), True), "a rate of all is the rate of each"


def _now() -> datetime:
    return datetime.now(UTC)
