"""Which scene is which: from what a screen shows to the parts of its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alerts.playbooks import Playbook
from core.wall import INCIDENT, ROTATING, Shown, WallPlan
from ui.scenes import alerts, brief, environment, free, incident, overview, services, traffic
from ui.scenes import map as map_scene
from ui.scenes._stage import Scene, Stage, banner, density, foot, turn
from ui.scenes.head import head
from ui.views import View

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
    """All parts of a screen's picture."""
    stage = Stage(
        view=view,
        shown=shown,
        density=density(scale),
        free=plan.free_scene(shown.scene),
        titles=titles(view, plan),
        playbooks=playbooks,
    )
    built = (free.scene if stage.free else SCENES.get(shown.scene, SCENES["overview"]))(stage)
    if shown.scene == INCIDENT:
        return built  # an incident has a head of its own
    return {"head": head(stage), "banner": banner(view), **built, "foot": foot(stage), "turn": turn(stage)}


def titles(view: View, plan: WallPlan) -> dict[str, str]:
    """The names of all scenes."""
    return {name: view.t(f"scene.{name}") for name in (*ROTATING, INCIDENT)} | {
        one.key: one.title(view.language) for one in plan.free
    }
