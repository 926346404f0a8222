"""A step that came from the data and not from the city is marked wherever its value is drawn, listed or ranked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from core.quality import FORMULA, REPAIR, RESYNC, Artefact, Quality
from core.snapshot import Snapshot
from pipeline import Line
from tests.pages.reading import html, open_page, parts, problems
from tests.ui.domain_stories import parts as scene_parts

SIGN = "⊤"


def marked(snapshot: Snapshot, *keys: str, cause: str = REPAIR, hours: float = 2) -> Snapshot:
    """The same picture in which every series of these properties has just made a step."""
    steps = tuple(
        Artefact(
            observed_property=key, site_id=one.site_id, at=snapshot.made_at - timedelta(hours=hours), cause=cause,
            source=one.source, before=one.value / 2, after=one.value,
        )
        for key in keys
        for one in snapshot.of(key)
    )  # fmt: skip
    assert steps
    return replace(snapshot, quality=Quality(made_at=snapshot.made_at, spans={}, artefacts=steps))


@pytest.mark.parametrize(
    ("page", "key"),
    [("environment", "vn_aqi"), ("environment", "river_level"), ("traffic", "relative_speed"),
     ("services", "on_time_rate"), ("services", "satisfaction"), ("services", "reports_60min"), ("overview", "vn_aqi")],
)  # fmt: skip
def test_a_ranking_marks_the_places_whose_figures_moved_for_another_reason(
    demo_line: Line, serve: Callable[[Line], Line], monkeypatch: pytest.MonkeyPatch, page: str, key: str
) -> None:
    monkeypatch.setattr(demo_line, "snapshot", replace(demo_line.snapshot, quality=None))
    serve(demo_line)
    assert SIGN not in html(open_page(page).run())
    monkeypatch.setattr(demo_line, "snapshot", marked(replace(demo_line.snapshot, number=10**6), key))
    shown = open_page(page).run()
    assert problems(shown) == []
    assert SIGN in html(shown)
    assert "nhảy do nguồn nối lại" in html(shown)


def test_an_office_is_told_once_why_its_figures_moved(
    demo_line: Line, serve: Callable[[Line], Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = marked(demo_line.snapshot, "on_time_rate", "satisfaction", cause=RESYNC)
    monkeypatch.setattr(demo_line, "snapshot", replace(both, number=10**6 + 1))
    serve(demo_line)
    offices = demo_line.city.sites.index[demo_line.city.sites["kind"] == "office"]
    table = parts(open_page("services").run())["body"].partition("<tbody>")[2]
    assert table.count(SIGN) == len(offices)


@pytest.mark.parametrize(
    ("theme", "key"),
    [("air", "vn_aqi"), ("rain", "rain_1h"), ("traffic", "relative_speed"), ("reports", "reports_60min")],
)
def test_a_map_says_which_of_its_colours_are_no_news(
    demo_line: Line, serve: Callable[[Line], Line], monkeypatch: pytest.MonkeyPatch, theme: str, key: str
) -> None:
    monkeypatch.setattr(
        demo_line, "snapshot", replace(marked(demo_line.snapshot, key, cause=FORMULA), number=10**6 + 2)
    )
    serve(demo_line)
    page = open_page("map").run()
    assert SIGN not in parts(page)["legend"], "the theme of alerts shows no value"
    page.radio(key="map_theme").set_value(theme).run()
    assert problems(page) == []
    legend = parts(page)["legend"]
    place = demo_line.snapshot.of(key)[0].site_id
    assert demo_line.city.site_name(place, "vi") in legend
    assert legend.count(SIGN) == len(demo_line.snapshot.of(key))


def test_yesterday_s_step_is_history(demo_line: Line) -> None:
    old = marked(demo_line.snapshot, "rain_1h", "river_level", hours=30)
    assert "artefact" not in "".join(scene_parts(old, "environment").values())


def test_the_day_of_rain_and_river_on_the_wall_carries_the_step(demo_line: Line) -> None:
    shown = "".join(scene_parts(marked(demo_line.snapshot, "rain_1h", "river_level"), "environment").values())
    assert shown.count('class="artefact"') >= 2
    assert SIGN in shown
