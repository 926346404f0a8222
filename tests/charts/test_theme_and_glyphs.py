"""The signs and colours: priorities are told by shape, normal is grey, every text can be read."""

from __future__ import annotations

import re
from dataclasses import fields

import altair as alt
import pandas as pd
import pytest
from defusedxml import ElementTree

from charts.glyphs import glyph
from charts.theme import (
    DESK,
    LOCALES,
    VN_AQI_LEVELS,
    WALL,
    PriorityColours,
    Theme,
    css_variables,
    register_altair,
    text_width_px,
)
from core.alert import COVERS, PRIORITIES, STATES

THEMES = [pytest.param(WALL, id="wall"), pytest.param(DESK, id="desk")]
DRAWN = (*STATES, *COVERS)


def luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def saturation(colour: str) -> int:
    parts = [int(colour[index : index + 2], 16) for index in (1, 3, 5)]
    return max(parts) - min(parts)


@pytest.mark.parametrize(("theme", "least"), [(WALL, 6.0), (DESK, 4.5)])
def test_every_ink_and_priority_word_can_be_read(theme: Theme, least: float) -> None:
    inks = [theme.ink1, theme.ink2, theme.ink3, *(theme.priority(name).text for name in PRIORITIES)]
    for ink in inks:
        assert contrast(ink, theme.bg) >= least, ink
        assert contrast(ink, theme.panel) >= least, ink


@pytest.mark.parametrize("theme", THEMES)
def test_lines_of_a_priority_stand_out_and_the_normal_line_is_grey(theme: Theme) -> None:
    assert all(contrast(theme.priority(name).line, theme.panel) >= 3 for name in PRIORITIES)
    assert contrast(theme.data, theme.panel) >= 3
    assert saturation(theme.data) < 30
    assert saturation(theme.land) < 30


def test_tokens_of_the_specification_arrive_as_css() -> None:
    css = css_variables(WALL)
    assert css.startswith("--bg:#0E1317;--panel:#151B21;")
    assert "--band-edge:#3C4B59;" in css
    assert "--critical-fill:#D92B2B;" in css
    assert "--class-5:" in css
    assert "--name" not in css
    assert css_variables(DESK).count(";") == css.count(";")


def test_an_unknown_priority_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="urgent"):
        WALL.priority("urgent")
    with pytest.raises(ValueError, match="urgent"):
        glyph("urgent", theme=WALL)
    with pytest.raises(ValueError, match="OPEN"):
        glyph("high", "OPEN", theme=WALL)


@pytest.mark.parametrize("theme", THEMES)
def test_every_sign_is_a_named_image_without_letters(theme: Theme) -> None:
    for priority in (*PRIORITIES, "unknown"):
        for state in DRAWN:
            root = ElementTree.fromstring(glyph(priority, state, size_px=30, theme=theme))
            assert root.get("role") == "img"
            assert root.get("aria-label")
            assert root.get("width") == "30"
            assert {child.tag.rpartition("}")[2] for child in root} == {"path"}, "drawn, never a font character"


def test_the_four_shapes_differ_without_colour() -> None:
    outlines = {re.search(r'd="([^"]+)"', glyph(name, theme=WALL)).group(1) for name in PRIORITIES}  # type: ignore[union-attr]
    assert len(outlines) == 4


def test_a_cleared_alert_is_hollow_with_a_tick_and_a_shelved_one_dashed() -> None:
    live, cleared, shelved = (glyph("high", state, theme=WALL) for state in ("UNACK", "RTNUN", "SHLVD"))
    assert f'fill="{WALL.high.fill}"' in live
    assert f'fill="{WALL.high.fill}"' not in cleared
    assert "stroke-dasharray" not in cleared
    assert 'fill="none"' in cleared, "the tick is a stroke"
    assert "stroke-dasharray" in shelved
    assert f'fill="{WALL.high.fill}" stroke' not in shelved


def test_a_latched_alert_is_hollow_with_a_lock_that_is_filled_until_somebody_acknowledges() -> None:
    waiting, acknowledged, cleared = (glyph("critical", state, theme=WALL) for state in ("LATUN", "LATAC", "RTNUN"))
    line, panel = WALL.critical.line, WALL.panel
    assert len({waiting, acknowledged, cleared}) == 3
    assert f'fill="{line}" stroke="{line}"' in waiting
    assert f'fill="{line}"' not in acknowledged
    for latched in (waiting, acknowledged):
        assert latched.count("<path") == 3, "sign, shackle and body of the lock"
        assert f'fill="{panel}"' in latched
        assert f'fill="{WALL.critical.fill}" stroke="{WALL.critical.edge}"' not in latched


def test_a_count_of_nothing_shows_a_grey_sign() -> None:
    for priority in PRIORITIES:
        colours = set(re.findall(r"#[0-9A-F]{6}", glyph(priority, "NORM", theme=WALL)))
        alarming = {getattr(WALL.priority(name), item.name) for name in PRIORITIES for item in fields(PriorityColours)}
        assert not colours & (alarming - {WALL.bg})


def test_the_label_of_a_sign_is_escaped() -> None:
    drawn = glyph("low", theme=DESK, label='Thấp "<script>"')
    assert "<script>" not in drawn
    assert ElementTree.fromstring(drawn).get("aria-label") == 'Thấp "<script>"'


def test_vn_aqi_keeps_its_six_official_colours_and_words() -> None:
    assert [bound for bound, *_ in VN_AQI_LEVELS] == [50, 100, 150, 200, 300, 500]
    assert VN_AQI_LEVELS[2][1:3] == ("#FF7E00", "Kém")
    assert VN_AQI_LEVELS[5][1:3] == ("#7E0023", "Nguy hại")


def test_registered_themes_carry_vietnamese_numbers_and_the_house_font() -> None:
    register_altair()
    assert {"ioc_light", "ioc_dark"} <= set(alt.theme.names())
    chart = alt.Chart(pd.DataFrame({"x": [1.5]})).mark_point().encode(x="x:Q").to_dict()
    assert chart["config"]["locale"]["number"]["decimal"] == ","
    assert chart["config"]["locale"]["number"]["thousands"] == "."
    assert "IBM Plex Sans" in chart["config"]["font"]
    alt.theme.enable("default")


def test_both_locales_name_seven_days_and_twelve_months() -> None:
    for locale in LOCALES.values():
        assert len(locale["time"]["days"]) == len(locale["time"]["shortDays"]) == 7
        assert len(locale["time"]["months"]) == len(locale["time"]["shortMonths"]) == 12


@pytest.mark.parametrize(
    ("text", "condensed", "true_px"),  # measured with the font itself at 1000 px, weight 500
    [
        ("Quảng Phú", False, 4981), ("42 mm/giờ", False, 4954), ("Hoàng Diệu", False, 5264),
        ("Quảng Phú", True, 4503), ("42 mm/giờ", True, 4470), ("38 cm", True, 2548),
    ],
)  # fmt: skip
def test_widths_of_vietnamese_words_are_good_to_a_few_percent(text: str, condensed: bool, true_px: int) -> None:
    assert text_width_px(text, 1000, condensed=condensed) == pytest.approx(true_px, rel=0.04)


def test_marks_do_not_widen_a_letter() -> None:
    assert text_width_px("Ế", 20) == text_width_px("E", 20)
