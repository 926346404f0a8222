"""Points to wards and what lies within so many metres, measured on the ellipsoid."""

from __future__ import annotations

import random

import pytest
from pyproj import Geod
from shapely.geometry import LineString, Point, box

from gis.join import Areas, Reach, area_m2, circle, length_m
from tests.gis.files import ward_shapes

EARTH = Geod(ellps="WGS84")


def test_every_ward_holds_a_point_of_its_own_and_the_sea_holds_none() -> None:
    shapes, rows = ward_shapes()
    codes = [row["ma_xa"] for row in rows]
    inside = [one.buffer(0).representative_point() for one in shapes]
    found = Areas(codes, [one.buffer(0) for one in shapes]).of(
        [*(p.x for p in inside), 110.0], [*(p.y for p in inside), 12.0]
    )
    assert found[:-1] == codes
    assert found[-1] == ""


def test_a_point_on_a_border_belongs_to_one_ward_always_the_same() -> None:
    areas = Areas(["a", "b"], [box(106, 21, 106.1, 21.1), box(106.1, 21, 106.2, 21.1)])
    assert areas.of([106.1, 106.15, 106.1], [21.05, 21.05, 21.02]) == ["a", "b", "a"]


def test_the_area_of_the_province_is_that_of_the_yearbook() -> None:
    shapes, _ = ward_shapes()
    assert sum(area_m2(one.buffer(0)) for one in shapes) / 1e6 == pytest.approx(4713, abs=5)
    assert length_m(LineString([(106, 21), (106, 21.001)])) == pytest.approx(EARTH.inv(106, 21, 106, 21.001)[2])
    assert area_m2(Point(106, 21)) == 0


def test_what_lies_within_300_m_is_found_with_its_distance() -> None:
    """A station at 299 m to the north and one at 301 m to the east: degrees would take both, or neither."""
    near = EARTH.fwd(106.2, 21.28, 0, 299)[:2]
    far = EARTH.fwd(106.2, 21.28, 90, 301)[:2]
    found = Reach.of_points([near[0], far[0]], [near[1], far[1]]).within_m(106.2, 21.28, 300)
    assert [one.index for one in found] == [0]
    assert found[0].metres == pytest.approx(299, abs=0.01)


def test_the_nearest_edge_counts_and_inside_is_zero() -> None:
    pipe = LineString([(106.19, 21.281), (106.21, 21.281)])  # passes 111 m to the north; both ends are 1 km away
    park = box(106.199, 21.279, 106.2, 21.281)
    found = Reach([pipe, park]).within_m(106.1999, 21.28, 300)
    assert [one.index for one in found] == [1, 0]
    assert found[0].metres == 0
    assert found[1].metres == pytest.approx(110.7, abs=0.5)


def test_a_thousand_points_agree_with_the_geodesic() -> None:
    rng = random.Random(5)
    points = [(106.2 + rng.uniform(-0.02, 0.02), 21.28 + rng.uniform(-0.02, 0.02)) for _ in range(1000)]
    true = {n: EARTH.inv(106.2, 21.28, *one)[2] for n, one in enumerate(points)}
    found = Reach.of_points([one[0] for one in points], [one[1] for one in points]).within_m(106.2, 21.28, 1500)
    assert {one.index for one in found} == {n for n, metres in true.items() if metres <= 1500}
    assert all(one.metres == pytest.approx(true[one.index], abs=0.01) for one in found)
    assert [one.metres for one in found] == sorted(one.metres for one in found)


def test_the_circle_is_round_on_the_ground() -> None:
    ring = circle(106.2, 21.28, 500)
    assert ring[0] == ring[-1]
    assert all(EARTH.inv(106.2, 21.28, *one)[2] == pytest.approx(500, abs=0.2) for one in ring)
