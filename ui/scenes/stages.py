"""Which scene is which: from what a screen shows to the parts of its picture."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from alerts.playbooks import Playbook
from core.wall import INCIDENT, ROTATING, Shown, WallPlan
from ui.banner import banner
from ui.scenes import alerts, brief, environment, free, incident, overview, services, traffic
from ui.scenes import map as map_scene
from ui.scenes._stage import Scene, Stage, density, foot, turn
from ui.scenes.head import head
from ui.views import View

LOG = logging.getLogger("wall")
SCENES: Mapping[str, Scene] = {
    "overview": overview.scene,
    "traffic": traffic.scene,
    "environment": environment.scene,
    "services": services.scene,
    "map": map_scene.scene,
    "alerts": alerts.scene,
    "brief": brief.scene,
    INCIDENT: incident.scene,
}
__all__ = ["SCENES", "density", "parts", "titles"]


def parts(view: View, shown: Shown, plan: WallPlan, scale: float, playbooks: Sequence[Playbook] = ()) -> dict[str, str]:
    """All parts of a screen's picture. A scene with a defect says so in its place: the rest of the wall goes on."""
    stage = Stage(
        view=view,
        shown=shown,
        density=density(scale),
        free=plan.free_scene(shown.scene),
        titles=titles(view, plan),
        playbooks=playbooks,
    )
    scene = free.scene if stage.free else SCENES.get(shown.scene, SCENES["overview"])
    try:
        built = scene(stage)
    except Exception:
        LOG.exception("scene %s could not be built", shown.scene)
        title = stage.titles.get(shown.scene, shown.scene)
        return {"head": head(stage), "banner": banner(view), "broken": stage.html("scene_broken.html", title=title)}
    if shown.scene == INCIDENT:
        return built  # an incident has a head of its own
    return {"head": head(stage), "banner": banner(view), **built, "foot": foot(stage), "turn": turn(stage)}


def titles(view: View, plan: WallPlan) -> dict[str, str]:
    """The names of all scenes."""
    return {name: view.t(f"scene.{name}") for name in (*ROTATING, INCIDENT)} | {
        one.key: one.title(view.language) for one in plan.free
    }
