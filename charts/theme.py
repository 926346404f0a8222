"""Colours, words and letter widths that every picture shares: one dark theme for the wall, one light for the desk.

Colour means «a person should look»: priorities own red, orange, yellow and blue, normal is grey, and there is no
green for normal. Official scales (VN_AQI) are kept apart: they appear as a labelled swatch or as a layer of that name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import altair as alt

from core.alert import PRIORITIES

SANS = "'IBM Plex Sans', 'Noto Sans', sans-serif"
CONDENSED = "'IBM Plex Sans Condensed', 'IBM Plex Sans', 'Noto Sans', sans-serif"  # labels on maps


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityColours:
    """The colours of one priority. A glyph is `fill` inside `edge` with `mark` on it; the others as named."""

    fill: str
    edge: str
    mark: str
    line: str  # thin strokes and points: at least 3:1 on bg
    broad: str  # road segments, cased in `casing`
    casing: str
    text: str  # words: at least 4.5:1, on the wall 6:1
    tint: str  # areas and rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Design tokens of one surface."""

    name: str
    bg: str
    panel: str
    raised: str
    line: str
    band: str
    band_edge: str
    line2: str
    ink1: str
    ink2: str
    ink3: str
    data: str
    focus: str  # interaction and detours, nothing else
    land: str
    water: str
    road: str
    minor: str
    critical: PriorityColours
    high: PriorityColours
    medium: PriorityColours
    low: PriorityColours
    classes: tuple[str, str, str, str, str]  # choropleth, least to most; a violet that no priority uses

    def priority(self, name: str) -> PriorityColours:
        """Colours of critical, high, medium or low."""
        if name not in PRIORITIES:
            raise ValueError(f"priority {name!r} is not one of {', '.join(PRIORITIES)}")
        found: PriorityColours = getattr(self, name)
        return found


WALL = Theme(
    name="wall",
    bg="#0E1317", panel="#151B21", raised="#1D252D",
    line="#27313A", band="#2B3742", band_edge="#3C4B59", line2="#687786",
    ink1="#F2F5F8", ink2="#B9C4CF", ink3="#8C9AA8", data="#A9B2BB", focus="#7CC4FF",
    land="#1A2128", water="#15303F", road="#34414D", minor="#27323B",
    critical=PriorityColours(
        fill="#D92B2B", edge="#FFFFFF", mark="#FFFFFF", line="#F6403C", broad="#F6403C", casing="#0E1317",
        text="#FF6670", tint="#3A1A1C",
    ),
    high=PriorityColours(
        fill="#FFA42E", edge="#FFA42E", mark="#0E1317", line="#FFA42E", broad="#FFA42E", casing="#0E1317",
        text="#FFA42E", tint="#33240F",
    ),
    medium=PriorityColours(
        fill="#2C2917", edge="#FFEE8C", mark="#FFEE8C", line="#FFEE8C", broad="#FFEE8C", casing="#0E1317",
        text="#FFEE8C", tint="#2C2917",
    ),
    low=PriorityColours(
        fill="#162735", edge="#57A5FF", mark="#57A5FF", line="#57A5FF", broad="#57A5FF", casing="#0E1317",
        text="#57A5FF", tint="#162735",
    ),
    classes=("#29263A", "#3D3659", "#5A4F87", "#8277B8", "#B6AEE6"),
)  # fmt: skip

# Fills on light are too pale for their ground, so glyphs and roads get an edge in the text colour.
DESK = Theme(
    name="desk",
    bg="#EDF0F3", panel="#FFFFFF", raised="#F6F8FA",
    line="#D3DAE1", band="#E3E9EF", band_edge="#C3CDD7", line2="#7D8A97",
    ink1="#15202B", ink2="#45525F", ink3="#5E6B78", data="#4B5763", focus="#0A63B8",
    land="#E4E9EE", water="#C5DAE8", road="#B4BFCA", minor="#CAD3DB",
    critical=PriorityColours(
        fill="#C8151D", edge="#C8151D", mark="#FFFFFF", line="#C8151D", broad="#C8151D", casing="#C8151D",
        text="#C8151D", tint="#FCE9E9",
    ),
    high=PriorityColours(
        fill="#E97A12", edge="#B54A00", mark="#15202B", line="#B54A00", broad="#E97A12", casing="#B54A00",
        text="#B54A00", tint="#FDF0E2",
    ),
    medium=PriorityColours(
        fill="#FFE88A", edge="#7A5B00", mark="#15202B", line="#7A5B00", broad="#FFE88A", casing="#7A5B00",
        text="#7A5B00", tint="#FCF6DC",
    ),
    low=PriorityColours(
        fill="#E7F1FA", edge="#1060B0", mark="#1060B0", line="#1060B0", broad="#E7F1FA", casing="#1060B0",
        text="#1060B0", tint="#E7F1FA",
    ),
    classes=("#F1EFF8", "#D3CFE8", "#ABA3D3", "#7F73B5", "#54458F"),
)  # fmt: skip

# Decision 1459/QĐ-TCMT (2019): upper bound of the index, sRGB, words. Printed always with the word.
VN_AQI_LEVELS = (
    (50, "#00E400", "Tốt", "Good"),
    (100, "#FFFF00", "Trung bình", "Moderate"),
    (150, "#FF7E00", "Kém", "Poor"),
    (200, "#FF0000", "Xấu", "Bad"),
    (300, "#8F3F97", "Rất xấu", "Very bad"),
    (500, "#7E0023", "Nguy hại", "Hazardous"),
)

PRIORITY_WORDS: Mapping[str, Mapping[str, str]] = {
    "vi": {
        "critical": "Khẩn cấp", "high": "Cao", "medium": "Trung bình", "low": "Thấp", "unknown": "Không có dữ liệu",
    },
    "en": {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low", "unknown": "No data"},
}  # fmt: skip

LOCALES: Mapping[str, Mapping[str, Any]] = {
    "vi": {
        "number": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", " ₫"], "minus": "−"},
        "time": {
            "dateTime": "%A, %d/%m/%Y %H:%M",
            "date": "%d/%m/%Y",
            "time": "%H:%M",
            "periods": ["SA", "CH"],
            "days": ["Chủ Nhật", "Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy"],
            "shortDays": ["CN", "T2", "T3", "T4", "T5", "T6", "T7"],
            "months": [f"Tháng {month}" for month in range(1, 13)],
            "shortMonths": [f"Th{month}" for month in range(1, 13)],
        },
    },
    "en": {
        "number": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", " ₫"], "minus": "−"},
        "time": {
            "dateTime": "%A, %d %B %Y %H:%M",
            "date": "%d %b %Y",
            "time": "%H:%M",
            "periods": ["AM", "PM"],
            "days": ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
            "shortDays": ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
            "months": [
                "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                "November", "December",
            ],
            "shortMonths": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        },
    },
}  # fmt: skip


def css_variables(theme: Theme) -> str:
    """«--bg:#0E1317;…;--critical-fill:#D92B2B;…» for a style attribute or a `:root` block."""
    pairs = []
    for item in fields(theme):
        token = getattr(theme, item.name)
        name = item.name.replace("_", "-")
        if isinstance(token, PriorityColours):
            pairs += [f"--{name}-{part.name}:{getattr(token, part.name)};" for part in fields(token)]
        elif isinstance(token, tuple):
            pairs += [f"--class-{number}:{colour};" for number, colour in enumerate(token, start=1)]
        elif item.name != "name":
            pairs.append(f"--{name}:{token};")
    return "".join(pairs)


def altair_config(theme: Theme, language: str = "vi") -> dict[str, Any]:
    """Vega-Lite config of a theme. The locale goes here because Streamlit drops it from the embed options."""
    words = {"labelFont": SANS, "titleFont": SANS, "labelColor": theme.ink3, "titleColor": theme.ink2}
    return {
        "background": theme.panel,
        "font": SANS,
        "locale": LOCALES["en" if language == "en" else "vi"],
        "view": {"stroke": None},
        "axis": {**words, "labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": 500, "domain": False},
        "axisX": {
            "domain": True, "domainColor": theme.line2, "tickColor": theme.line2, "grid": False, "labelPadding": 4,
        },
        "axisY": {"grid": True, "gridColor": theme.line, "ticks": False, "labelPadding": 8},
        "header": {**words, "labelFontSize": 14, "labelFontWeight": 600, "labelColor": theme.ink1},
        "legend": {**words, "labelFontSize": 13},
        "title": {"font": SANS, "fontSize": 15, "fontWeight": 600, "color": theme.ink1, "anchor": "start"},
        "line": {"color": theme.data, "strokeWidth": 2.2, "strokeCap": "round", "strokeJoin": "round"},
        "bar": {"color": theme.data},
        "point": {"color": theme.data},
        "area": {"color": theme.band},
        "rule": {"color": theme.line2},
        "text": {"font": SANS, "fontSize": 13, "color": theme.ink2},
        "range": {"category": [theme.data, theme.line2, theme.focus, theme.ink1], "ramp": list(theme.classes)},
    }  # fmt: skip


def register_altair() -> None:
    """Register `ioc_light` (enabled) and `ioc_dark` for charts drawn outside this room; show them with theme=None."""

    def light() -> alt.theme.ThemeConfig:
        return alt.theme.ThemeConfig(config=altair_config(DESK))  # type: ignore[typeddict-item]

    def dark() -> alt.theme.ThemeConfig:
        return alt.theme.ThemeConfig(config=altair_config(WALL))  # type: ignore[typeddict-item]

    alt.theme.register("ioc_dark", enable=False)(dark)
    alt.theme.register("ioc_light", enable=True)(light)


# Advance widths of IBM Plex Sans Medium in thousandths of an em; a letter with marks is as wide as its base letter.
_WIDTHS_EM = {
    letter: width / 1000
    for width, letters in (
        (240, " "), (270, "ij'l,."), (330, "!:;[]()"), (350, "f²³t{|}·"), (380, "r"), (410, "-I/\\"), (460, '"'),
        (490, "z?s"), (520, "cvxyL*"), (540, "agkJ"), (560, "eoF_"), (580, "hnuT–µ"), (640, "PVYCX"), (670, "ABKRDU#Đ"),
        (720, "GHNOQ&"), (800, "w"), (870, "Mm→"), (920, "@W%"),
    )
    for letter in letters
}  # fmt: skip
_WIDTH_OTHER_EM = 0.6  # digits, b d p q E S Z and signs
_CONDENSED = 0.92


@lru_cache(maxsize=4096)
def text_width_px(text: str, size_px: float, *, condensed: bool = False) -> float:
    """Width of a line of IBM Plex Sans (or Condensed), good to about 3 %; needed where no browser can be asked."""
    letters = [sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign)]
    width = sum(_WIDTHS_EM.get(letter, _WIDTH_OTHER_EM) for letter in letters) * size_px
    return width * (_CONDENSED if condensed else 1.0)
