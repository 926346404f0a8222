"""Legibility: every text of every scene, measured in pixels and told in minutes of arc for the farthest reader."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Sequence

import pytest
from PIL import Image, ImageColor
from playwright.sync_api import Page

from charts.theme import VN_AQI_LEVELS, WALL, css_variables
from tests.browser.conftest import ROOT, Viewer, WallStage
from tests.browser.test_every_screen import FONT_LOADED
from tests.browser.wall_eye import objections, shows

Window = Callable[..., Viewer]
SCENES = ("overview", "traffic", "environment", "services", "south", "map", "alerts", "brief", "incident")
SIZES = ((1920, 1080), (3840, 2160), (5760, 3240), (1366, 768))
ROOMS = {"near": 4000.0, "scale_125": 3000.0, "scale_150": 2560.0}  # screens of the stage and their width [mm]
VIEWER_M = 6.0
KEEP, KEPT = bool(os.environ.get("KEEP_PICTURES")), ROOT / "docs" / "pictures" / "wall"
WIDEST_KEPT_PX, SMALLER_PX = 1920, 1280  # a wider picture is kept smaller
HOURS = {"silent": (26,)}  # since when no source has sent anything
BOXES = """() => Object.fromEntries([...document.querySelectorAll(".panel-root[data-scene] > [data-part]")]
  .filter((part) => part.getClientRects().length)
  .map((part) => [part.dataset.part, [part.offsetLeft, part.offsetTop, part.offsetWidth]]))"""
FLOOD = "underpass_flood:flood_01"


def seen(page: Page, width_mm: float, sizes: Sequence[tuple[int, int]] = SIZES) -> list[str]:
    """What is wrong at any of the sizes."""
    found = []
    for size in sizes:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.wait_for_function("(width) => innerWidth === width", arg=size[0])
        found += [f"{size[0]}x{size[1]}: {words}" for words in objections(page, width_mm, VIEWER_M)]
    return found


@pytest.mark.parametrize(
    ("room", "hour", "sizes"),
    [
        ("near", "storm", SIZES),
        ("near", "calm", SIZES[:1]),
        ("near", "silent", SIZES[:1]),
        ("scale_125", "storm", SIZES[3:]),
        ("scale_150", "storm", SIZES[:1]),
        ("scale_150", "calm", SIZES[3:]),
        ("scale_150", "silent", SIZES[3:]),
    ],
    ids=lambda given: given if isinstance(given, str) else f"{len(given)}",
)
def test_every_text_can_be_read_from_six_metres(
    room: str, hour: str, sizes: Sequence[tuple[int, int]], stage: WallStage, window: Window
) -> None:
    """No scene has a text under 16 minutes of arc, cut off, or over another, nor a bar to scroll: in a storm, on a
    calm evening, and after a day without a word from any source.
    """
    stage.ask(hour, *HOURS.get(hour, ()))
    stage.ask("put", "overview")
    viewer = window(stage, SIZES[0])
    page = viewer.open(f"/wall?screen={room}&embed=true")
    shows(page, "overview")
    assert page.evaluate(FONT_LOADED)
    found = []
    for scene in SCENES:
        if scene == "incident" and hour != "storm":
            continue
        if scene == "incident":
            stage.ask("ring", FLOOD, minutes=3)
        else:
            stage.ask("put", scene)
        shows(page, "free" if scene == "south" else scene)
        found += [f"{scene} {words}" for words in seen(page, ROOMS[room], sizes)]
        if room == "near" and hour == "storm" and KEEP:
            keep(page, scene)
    stage.ask("silent", -sum(HOURS.get(hour, ())))
    stage.ask("calm")
    stage.ask("release")
    assert found == []
    assert viewer.wrong == []


# As long as names of roads and offices are in practice; those of wards are one or two words.
LONG_NAMES = {
    "road_segment": (
        "Đường Đức Nhuận – Yên Hòa: Cầu Gỗ – Hoàng Diệu",
        "Đường Trường Đại học Thủy lợi: Cầu Thanh – Bến Thủy",
    ),
    "office": ("Trung tâm Phục vụ hành chính công Đức Nhuận", "Ủy ban nhân dân phường Quảng Phú"),
}


# Several alerts in one ward: «Nhiều phản ánh ngập trong phường · thêm 2».
CROWDED = (
    *("flood_reports:90007", "flood_in_ward:90007", "heavy_rain:90007"),
    *("flood_reports:90006", "flood_in_ward:90006"),
)


@pytest.mark.parametrize("room", ROOMS)
def test_long_names_stand_whole(room: str, stage: WallStage, window: Window) -> None:
    """Whichever road is the slowest tonight, whatever the office is called: the name is there to its last letter."""
    stage.ask("calm")
    before = {kind: stage.ask("rename", kind, *names) for kind, names in LONG_NAMES.items()}
    stage.ask("ring", *CROWDED, priority="high")
    stage.ask("put", "overview")
    viewer = window(stage, SIZES[-1])
    page = viewer.open(f"/wall?screen={room}&embed=true")
    shows(page, "overview")
    found = []
    for scene in ("traffic", "services", "map"):
        stage.ask("put", scene)
        shows(page, scene)
        found += [f"{scene} {words}" for words in seen(page, ROOMS[room], SIZES[-1:])]
    for kind, names in before.items():
        stage.ask("rename", kind, *names)
    stage.ask("calm")
    stage.ask("release")
    assert found == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_scene_is_whole_again_after_a_takeover(room: str, stage: WallStage, window: Window) -> None:
    """What an incident sent away comes back to its own place: the sentence above, the last day below."""
    stage.ask("calm")
    stage.ask("put", "overview")
    viewer = window(stage, SIZES[-1])
    page = viewer.open(f"/wall?screen={room}&embed=true")
    shows(page, "overview")
    before = page.evaluate(BOXES)
    stage.ask("ring", FLOOD, minutes=3)
    shows(page, "incident")
    stage.ask("calm")
    shows(page, "overview")
    assert page.evaluate(BOXES).keys() == before.keys()
    assert [name for name, box in page.evaluate(BOXES).items() if box != before[name]] == []
    found = seen(page, ROOMS[room], SIZES[-1:])
    for scene in ("traffic", "map", "overview"):
        stage.ask("put", scene)
        shows(page, scene)
        found += [f"{scene} {words}" for words in seen(page, ROOMS[room], SIZES[-1:])]
    stage.ask("release")
    assert found == []


def keep(page: Page, scene: str) -> None:
    """Pictures of a scene at the four sizes for the documentation: `KEEP_PICTURES=1`, then they are looked at."""
    KEPT.mkdir(parents=True, exist_ok=True)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function("(width) => innerWidth === width", arg=width)
        shown = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        if width > WIDEST_KEPT_PX:
            shown = shown.resize((SMALLER_PX, SMALLER_PX * height // width), Image.Resampling.LANCZOS)
        shown.quantize(palette=palette(), dither=Image.Dither.NONE).save(
            KEPT / f"{scene}_{width}x{height}.png", optimize=True
        )


def palette() -> Image.Image:
    """The wall's own colours and their way to the ground: a kept picture shows a priority in its true colour."""
    ground = ImageColor.getrgb(WALL.bg)[:3]
    official = [part for _, colour, *_ in VN_AQI_LEVELS for part in ImageColor.getrgb(colour)[:3]]
    named = sorted(set(re.findall(r"#[0-9A-F]{6}", css_variables(WALL))))
    steps = 249 // len(named)
    colours = [
        round(low + (high - low) * step / steps)
        for colour in map(ImageColor.getrgb, named)
        for step in range(1, steps + 1)
        for low, high in zip(ground, colour[:3], strict=True)
    ]
    made = Image.new("P", (1, 1))
    made.putpalette([*ground, *official, *colours][: 256 * 3])
    return made


@pytest.mark.parametrize("scene", ["overview", "traffic", "south"])
def test_english_fits_the_same_grid(scene: str, stage: WallStage, window: Window) -> None:
    stage.ask("storm")
    stage.ask("put", scene)
    viewer = window(stage, SIZES[0])
    page = viewer.open("/wall?screen=scale_125&embed=true&lang=en")
    shows(page, "free" if scene == "south" else scene)
    assert seen(page, ROOMS["scale_125"], SIZES[:1]) == []
    stage.ask("calm")
    stage.ask("release")
