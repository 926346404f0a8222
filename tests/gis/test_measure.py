"""Distances and areas that a shift asks for, against the geodesics of the library and against known figures."""

from __future__ import annotations

import pytest

from gis.faults import Fault
from gis.measure import MOST_POINTS, measured, places_of

BRIDGE, HOSPITAL = (106.1946, 21.2731), (106.0763, 21.1861)


def test_the_way_between_two_places_is_geodesic() -> None:
    """The two check points of the VN-2000 tables: as far apart as their plane coordinates say."""
    flat = ((416226.772 - 403893.580) ** 2 + (2353402.453 - 2343837.098) ** 2) ** 0.5
    found = measured([BRIDGE, HOSPITAL])
    assert found.length == pytest.approx(flat, rel=2e-4), "the plane differs by its scale, which is nearly 1 there"
    assert (found.area, found.around) == (None, found.length)


def test_a_way_has_legs_and_an_area_inside() -> None:
    """A square of a minute of arc: 1,844 m high and 1,729 m wide at 21.2 degrees."""
    minute = 1 / 60
    corners = [(106.0, 21.2), (106.0 + minute, 21.2), (106.0 + minute, 21.2 + minute), (106.0, 21.2 + minute)]
    found = measured(corners)
    assert found.legs == pytest.approx((1730.1, 1845.3, 1729.9), abs=1.5)
    assert found.length == pytest.approx(sum(found.legs))
    assert found.around == pytest.approx(found.length + 1845.3, abs=1.5)
    assert found.area == pytest.approx(1730.0 * 1845.3, rel=1e-3)
    assert measured(corners[::-1]).area == pytest.approx(found.area), "the other way round is as large"


def test_a_ring_that_crosses_itself_has_no_area() -> None:
    bow = measured([(106.0, 21.2), (106.1, 21.3), (106.1, 21.2), (106.0, 21.3)])
    assert (bow.area, bow.crossed) == (None, True)
    assert bow.length > 0


@pytest.mark.parametrize(
    "text",
    ["21.2731, 106.1946", "21,2731 106,1946", "106,1946; 21,2731", "(21.2731,106.1946)", " 21.2731\n106.1946 "],
)
def test_coordinates_are_read_as_people_write_them(text: str) -> None:
    assert places_of(text) == (BRIDGE,)


def test_several_points_stand_behind_each_other() -> None:
    assert places_of("21.2731 106.1946; 21.1861 106.0763") == (BRIDGE, HOSPITAL)
    assert places_of("") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("21.2731", "hai số"),
        ("21,106", "hai số"),
        ("48.85 2.35", "không nằm ở Việt Nam"),
        ("2353402 416226", "độ thập phân"),
        ("21.2 106.1;" * (MOST_POINTS + 1), "nhiều hơn"),
    ],
)
def test_what_is_no_point_is_said(text: str, words: str) -> None:
    with pytest.raises(Fault, match=words):
        places_of(text)
