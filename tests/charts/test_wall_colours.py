"""Colours of states: far enough from their ground to be read, far enough from each other for every kind of eye.

Contrast after WCAG 2.2 (relative luminance, sRGB), distance after CIEDE2000. Colour blindness after Viénot, Brettel and
Mollon (1999) for protan and deutan eyes, after Brettel, Viénot and Mollon (1997) for tritan ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import pytest

from charts.theme import DESK, WALL, Theme
from core.alert import PRIORITIES

TEXT, GRAPHIC = 4.5, 3.0  # WCAG: 1.4.3 for words, 1.4.11 for signs and lines
WALL_TEXT = 6.0  # ours, for six metres and tired eyes
FAR_ENOUGH = 10.0  # CIEDE2000 between two priorities, for the eye that sees least of it
EYES = ("normal", "protan", "deutan", "tritan")
# What such an eye makes of linear RGB.
Matrix = tuple[tuple[float, float, float], ...]
MATRICES: dict[str, Matrix] = {
    "protan": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "deutan": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
    "tritan": ((1.01277, 0.13548, -0.14826), (-0.01243, 0.86812, 0.14431), (0.07589, 0.80500, 0.11911)),
}
TRITAN_BEYOND: Matrix = ((0.93678, 0.18979, -0.12657), (0.06154, 0.81526, 0.12320), (-0.37562, 1.12767, 0.24796))
TRITAN_EDGE = (0.03901, -0.02788, -0.01113)  # on which side of this plane a colour lies says which of the two holds


def linear(colour: str) -> list[float]:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def contrast(one: str, other: str) -> float:
    light = [0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in map(linear, (one, other))]
    return (max(light) + 0.05) / (min(light) + 0.05)


def lab(rgb: Sequence[float]) -> tuple[float, float, float]:
    """CIE L*a*b* under D65 of linear RGB."""
    rows = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    white = (0.95047, 1.0, 1.08883)
    x, y, z = (
        (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116)
        for t in (
            sum(weight * part for weight, part in zip(row, rgb, strict=True)) / most
            for row, most in zip(rows, white, strict=True)
        )
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Distance of two colours in L*a*b* (Sharma, Wu and Dalal, 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c7 = ((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2) ** 7
    stretch = 1 + 0.5 * (1 - math.sqrt(mean_c7 / (mean_c7 + 25**7)))
    c1, c2 = math.hypot(a1 * stretch, b1), math.hypot(a2 * stretch, b2)
    h1, h2 = (math.degrees(math.atan2(b, a * stretch)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    dl, dc, dh = l2 - l1, c2 - c1, 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn) / 2)
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    if c1 * c2 == 0:
        hm = h1 + h2
    elif abs(h1 - h2) <= 180:
        hm = (h1 + h2) / 2
    else:
        hm = (h1 + h2 + (360 if h1 + h2 < 360 else -360)) / 2
    t = (
        1
        - 0.17 * math.cos(math.radians(hm - 30))
        + 0.24 * math.cos(math.radians(2 * hm))
        + 0.32 * math.cos(math.radians(3 * hm + 6))
        - 0.20 * math.cos(math.radians(4 * hm - 63))
    )
    sl = 1 + 0.015 * (lm - 50) ** 2 / math.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rotation = (
        -2 * math.sqrt(cm**7 / (cm**7 + 25**7)) * math.sin(math.radians(60 * math.exp(-(((hm - 275) / 25) ** 2))))
    )
    return math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rotation * (dc / sc) * (dh / sh))


def seen(colour: str, eye: str) -> tuple[float, float, float]:
    rgb = linear(colour)
    if eye != "normal":
        beyond = eye == "tritan" and sum(edge * part for edge, part in zip(TRITAN_EDGE, rgb, strict=True)) < 0
        matrix = TRITAN_BEYOND if beyond else MATRICES[eye]
        rgb = [sum(weight * part for weight, part in zip(row, rgb, strict=True)) for row in matrix]
    return lab([min(max(part, 0.0), 1.0) for part in rgb])


def nearest(colours: Sequence[str], eye: str) -> float:
    return min(ciede2000(seen(one, eye), seen(other, eye)) for one, other in combinations(colours, 2))


def colours(theme: Theme, part: str) -> list[str]:
    return [str(getattr(theme.priority(name), part)) for name in PRIORITIES]


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [  # from the test data of Sharma, Wu and Dalal
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_is_the_published_one(
    one: tuple[float, float, float], other: tuple[float, float, float], distance: float
) -> None:
    assert ciede2000(one, other) == pytest.approx(distance, abs=5e-5)
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21.0)


@pytest.mark.parametrize("ground", ["bg", "panel"])
@pytest.mark.parametrize("ink", ["ink1", "ink2", "ink3"])
@pytest.mark.parametrize(("theme", "least"), [(WALL, WALL_TEXT), (DESK, TEXT)], ids=["wall", "desk"])
def test_ink_stands_out_from_its_ground(theme: Theme, least: float, ink: str, ground: str) -> None:
    assert contrast(getattr(theme, ink), getattr(theme, ground)) >= least - 0.05


@pytest.mark.parametrize("name", PRIORITIES)
@pytest.mark.parametrize(("theme", "least"), [(WALL, WALL_TEXT), (DESK, TEXT)], ids=["wall", "desk"])
def test_words_and_lines_of_a_priority_stand_out(theme: Theme, least: float, name: str) -> None:
    look = theme.priority(name)
    for ground in (theme.bg, theme.panel):
        assert contrast(look.text, ground) >= least
        assert contrast(look.line, ground) >= GRAPHIC
    assert contrast(theme.ink1, look.tint) >= TEXT, "words on a tinted card"
    assert contrast(look.mark, look.fill) >= GRAPHIC, "the sign inside the glyph"
    assert max(contrast(part, theme.bg) for part in (look.fill, look.edge)) >= GRAPHIC, "the glyph itself"


@pytest.mark.parametrize("eye", EYES)
def test_lines_of_the_wall_are_told_apart_by_every_eye(eye: str) -> None:
    assert nearest(colours(WALL, "line"), eye) >= FAR_ENOUGH
    assert nearest(colours(WALL, "text"), eye) >= FAR_ENOUGH
    for one in colours(WALL, "line"):
        assert ciede2000(seen(one, eye), seen(WALL.data, eye)) >= FAR_ENOUGH, "from a normal grey line too"


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", [WALL, DESK], ids=["wall", "desk"])
def test_filled_glyphs_are_told_apart_by_every_eye(theme: Theme, eye: str) -> None:
    assert nearest(colours(theme, "fill"), eye) >= FAR_ENOUGH


def test_coloured_words_of_the_desk_are_not_told_apart_by_every_eye() -> None:
    """Known and held: on light ground two of four look alike, so a glyph with a shape stands beside each of them."""
    assert min(nearest(colours(DESK, "text"), eye) for eye in EYES) < FAR_ENOUGH
