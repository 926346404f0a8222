"""Scenes of the domains as tests read them: hours that are changed, parts by the way of a screen, words and rows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

from charts.theme import WALL
from core.snapshot import ABSENT, OLD, Snapshot
from core.wall import FreeScene, Shown, WallPlan, WallScreen
from ui.scenes import stages
from ui.scenes._stage import Stage
from ui.views import View

BAD = "<img src=x>"
SCALES = {"full": 1.0, "sparse": 1.2, "huge": 1.5}


def silent(snapshot: Snapshot, *keys: str, hours: int = 3, state: str = OLD) -> Snapshot:
    """The same hour, with these properties (all without any) not heard for so long."""
    assert state in (OLD, ABSENT)
    readings = {
        key: replace(one, age=timedelta(hours=hours), freshness=state) if not keys or key[0] in keys else one
        for key, one in snapshot.readings.items()
    }
    return replace(snapshot, readings=readings)


def valued(snapshot: Snapshot, key: str, site_id: str, value: float) -> Snapshot:
    """The same hour with another value at one site."""
    old = snapshot.readings[(key, site_id)]
    return replace(snapshot, readings={**snapshot.readings, (key, site_id): replace(old, value=value)})


def hostile(snapshot: Snapshot) -> Snapshot:
    """The same hour in a city whose places all have an attack as a name."""
    sites, areas = snapshot.city.sites.copy(), snapshot.city.areas.copy()
    for frame in (sites, areas):
        for column in ("name_vi", "name_en"):
            frame[column] = BAD + frame[column]
    return replace(snapshot, city=replace(snapshot.city, sites=sites, areas=areas))


def stage(
    snapshot: Snapshot, scene: str, *, density: str = "full", language: str = "vi", free: FreeScene | None = None
) -> Stage:
    """What a scene is built from."""
    shown = Shown(scene=scene, why="rotation", ends_at=snapshot.made_at)
    view = View(snapshot, language, WALL)
    return Stage(view=view, shown=shown, density=density, free=free, titles={})


def parts(snapshot: Snapshot, scene: str, *, density: str = "full", language: str = "vi") -> dict[str, str]:
    """The scene's own parts, by the way that a screen takes."""
    plan = WallPlan(screens=(WallScreen(key="one", name_vi="Một", name_en="One", slots=()),))
    shown = Shown(scene=scene, why="rotation", ends_at=snapshot.made_at)
    built = stages.parts(View(snapshot, language, WALL), shown, plan, SCALES[density])
    return {name: built[name] for name in ("left", "right")}


def words(html: str) -> str:
    """What a reader reads, blanks joined."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def rows(html: str) -> list[str]:
    """The keys «property:site» of the rows, in order."""
    return re.findall(r'class="scene-(?:row|tile|office)[^>]*data-key="([^"]*)"', html)


def row(html: str, key: str) -> str:
    """What one row says."""
    pattern = rf'class="scene-(?:row|tile|office)[^>]*data-key="{re.escape(key)}".*?(?=data-key=|</section>)'
    found = re.search(pattern, html, re.DOTALL)
    assert found, key
    return words("<" + found[0] + ">")


def harmless(html: str) -> None:
    """No name became markup, and the names are shown as they are."""
    assert "<img" not in html
    assert "&lt;img src=x&gt;" in html
