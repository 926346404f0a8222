"""The curve of waiting and the shaded wards: what is drawn is what was counted, and foreign names stay text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np

from charts.survival import MOST_STEPS, survival
from charts.theme import DESK
from charts.ward_shades import Shade, ward_shades

WORDS = {"axis_hours": "giờ", "axis_days": "ngày", "at_risk": "còn", "median": "trung vị <b>", "label": '"<x>'}


def curve(times: list[float], share: list[float], median: float | None = None) -> str:
    at = np.array(times)
    part = np.array(share)
    return survival(
        at, part, part * 0.9, np.minimum(part * 1.1, 1), at_risk=[(0.0, 9), (times[-1], 1)], median=median,
        words=WORDS, theme=DESK,
    )  # fmt: skip


def test_the_curve_starts_with_all_and_ends_where_the_last_one_ends() -> None:
    svg = curve([10.0, 20.0], [0.5, 0.1], median=10.0)
    ElementTree.fromstring(svg)
    points = [tuple(map(float, one.split(","))) for one in re.search(r'polyline points="([^"]+)"', svg)[1].split()]  # type: ignore[index]
    heights = [y for _, y in points]
    assert points[0][1] == min(heights), "all are open at first"
    assert heights == sorted(heights), "it never rises"
    assert "giờ" in svg
    assert "<b>" not in svg
    assert "ngày" in curve([10.0, 200.0], [0.5, 0.1])


def test_thousands_of_steps_are_drawn_as_few() -> None:
    share = np.linspace(1, 0, 5000)
    svg = curve(np.arange(1.0, 5001.0).tolist(), share.tolist())
    assert svg.count(",") < 10 * MOST_STEPS


def test_wards_are_shaded_by_their_share_and_few_reports_are_hatched() -> None:
    wards = [
        Shade(code="a", mark="1", title="A<script>", share=1.0, latitude=21.0, longitude=106.0),
        Shade(code="b", mark="2", title="B", share=0.0, latitude=21.1, longitude=106.1),
        Shade(code="c", mark="3", title="C", share=None, latitude=21.2, longitude=106.0),
        Shade(code="d", mark="4", title="nowhere", share=0.5, latitude=float("nan"), longitude=106.0),
    ]
    square = [[106.0, 21.0], [106.05, 21.0], [106.05, 21.05], [106.0, 21.05], [106.0, 21.0]]
    shapes = {
        "features": [
            {"properties": {"layer": "ward", "code": "a"}, "geometry": {"type": "Polygon", "coordinates": [square]}},
            {"properties": {"layer": "road", "code": "b"}, "geometry": {"type": "Polygon", "coordinates": [square]}},
        ]
    }
    svg = ward_shades(shapes, wards, theme=DESK, alt="map")
    ElementTree.fromstring(svg)
    assert svg.count("<circle") == 2, "wards without an outline are circles; one without a place is not drawn"
    assert f'fill="{DESK.classes[-1]}"' in svg
    assert f'fill="{DESK.classes[0]}"' in svg
    assert 'fill="url(#few)"' in svg
    assert "<script>" not in svg
    assert ward_shades(None, [], theme=DESK, alt="map") == ""
