"""The map desk offers what the city has: a ward without a river or an air station gets no switch that does nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from charts.theme import DESK
from core.snapshot import Snapshot
from pipeline import Line
from ui.city_layers import LAYERS, THEMES, layers_of, themes_of
from ui.views import View


@pytest.fixture
def snapshot(demo_line: Line) -> Snapshot:
    return demo_line.snapshot


def drawn(snapshot: Snapshot, *layers: str) -> Snapshot:
    """The same city with a boundary file of these layers only."""
    features = [] if snapshot.geometry is None else snapshot.geometry["features"]
    kept = [one for one in features if one["properties"].get("layer") in layers]
    return replace(snapshot, geometry={"type": "FeatureCollection", "features": kept})


def test_a_city_with_everything_is_offered_everything(snapshot: Snapshot) -> None:
    assert themes_of(snapshot) == list(THEMES)
    assert layers_of(View(snapshot, "vi", DESK)) == list(LAYERS)


def test_a_theme_without_a_figure_is_not_offered(snapshot: Snapshot) -> None:
    dry = {key: one for key, one in snapshot.readings.items() if key[0] not in ("rain_1h", "vn_aqi")}
    assert themes_of(replace(snapshot, readings=dry)) == ["alerts", "traffic", "reports"]
    assert themes_of(replace(snapshot, readings={})) == ["alerts"]


def test_a_layer_without_anything_to_draw_is_not_offered(snapshot: Snapshot) -> None:
    assert layers_of(View(drawn(snapshot, "ward", "minor_road"), "vi", DESK)) == ["roads", "sites", "names"]
    assert layers_of(View(drawn(snapshot, "water"), "vi", DESK)) == ["water", "sites"]
    areas = snapshot.city.sites[snapshot.city.sites["kind"].isin(["city", "area", "road_segment"])]
    bare = replace(drawn(snapshot), city=replace(snapshot.city, sites=areas))
    assert layers_of(View(bare, "vi", DESK)) == []
    assert layers_of(View(replace(bare, geometry=None), "vi", DESK)) == []
