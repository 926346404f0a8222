"""One screen of the wall: which scene it shows now, and the picture of it, pushed to the browser as it changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import streamlit as st

from charts.theme import WALL
from core.feed import Frame
from core.snapshot import Snapshot
from core.wall import (
    ANNOUNCED,
    LARGEST_SCALE,
    LEAST_ARCMIN,
    OVERVIEW_DWELL,
    SMALLEST_U,
    Shown,
    WallPlan,
    WallScreen,
    arcmin,
    direct,
)
from ui import panel, people, render
from ui.frame import LIVE_PATH, Screen, say
from ui.scenes import stages
from ui.views import View

ORBIT_S = 180  # against burn-in the whole picture moves by some pixels this often
ORBIT_STEPS = 9
STEP = 1.1  # of the keys + and -
MOST_STEPS = 4
SERIOUS = ("high", "critical")
DOMAINS = {  # a scene of these domains is quiet while nothing in them is open
    "traffic": ("traffic",),
    "environment": ("environment", "weather"),
    "services": ("services", "reports"),
}


def wall(screen: Screen) -> None:
    """The whole page: what it shows comes from `/wall?screen=NAME`, letters may be made larger by `&size=1`."""
    plan = screen.line.city.wall
    found = plan.screen(str(st.query_params.get("screen", "")))
    if found is None:
        names = ", ".join(one.key for one in plan.screens)
        say(screen.t("wall.unknown"), screen.t("wall.known", names=names), screen.language, screen.line)
        return
    follow = Watching(screen, _one_scene(found, plan), enlarged(found, str(st.query_params.get("size", "0"))))
    shown = follow.shown(screen.snapshot)
    live = {
        "ticket": screen.ticket(follow.frame, found.key),
        "path": LIVE_PATH,
        "number": screen.snapshot.number,
        "wall": True,
        "stage": follow.stage(shown),
    }
    panel.panel("panel_wall", follow.parts(screen.snapshot, shown), live=live)
    screen.beat(screen.snapshot)


@dataclass(frozen=True, slots=True)
class Watching:
    """What one screen of the wall follows."""

    screen: Screen
    plan: WallScreen
    scale: float

    def frame(self) -> Frame | None:
        """Scene and picture now; None once the screen may see nothing."""
        line = self.screen.line
        snapshot = people.seen_by(self.screen.opened_by, line)
        if snapshot is None:
            return None
        shown = self.shown(snapshot)
        mark = (*self._key(shown), snapshot.city.key, snapshot.number, snapshot.made_at)
        told = {"scene": shown.scene, "stage": self.stage(shown), "build": build()}
        return Frame(mark, lambda: self.parts(snapshot, shown), told, _again(shown))

    def shown(self, snapshot: Snapshot) -> Shown:
        """What it shows now."""
        return direct(
            self.plan,
            snapshot.alerts,
            snapshot.switches,
            now=datetime.now(UTC),
            city_now=self.screen.line.clock.now(),
            speed=snapshot.speed,
            quiet=quiet(snapshot),
        )

    def parts(self, snapshot: Snapshot, shown: Shown) -> dict[str, str]:
        """The picture, made once for all screens that show the same."""
        view = View(snapshot, self.screen.language, WALL)
        playbooks = self.screen.line.desk.playbooks
        return render.shared(
            self._key(shown), snapshot, lambda: stages.parts(view, shown, snapshot.city.wall, self.scale, playbooks)
        )

    def stage(self, shown: Shown) -> dict[str, str]:
        """How the picture is laid out; the browser turns it into attributes of its root."""
        now = datetime.now(UTC)
        local = self.screen.line.clock.now().astimezone(self.screen.line.city.zone).time()
        night = self.screen.line.city.wall.night(local) and shown.why != "takeover"
        return {
            "scene": shown.scene if shown.scene in stages.SCENES else "free",
            "density": stages.density(self.scale),
            "scale": f"{self.scale:.3f}",
            "night": "yes" if night else "no",
            "orbit": str(int(now.timestamp() // ORBIT_S) % ORBIT_STEPS),
        }

    def _key(self, shown: Shown) -> tuple[Any, ...]:
        seen = (shown.scene, shown.why, shown.next_scene, shown.alert, shown.place, shown.of, shown.by, shown.until)
        return ("wall", self.screen.language, self.screen.opened_by.areas, stages.density(self.scale), *seen)


def quiet(snapshot: Snapshot) -> tuple[str, ...]:
    """Scenes in whose domains nothing is open, while something serious is open elsewhere."""
    opened = snapshot.open_alerts()
    if not any(alert.priority in SERIOUS and alert.active for alert in opened):
        return ()
    touched = {snapshot.rules[alert.rule].domain for alert in opened if alert.rule in snapshot.rules}
    return tuple(scene for scene, domains in DOMAINS.items() if not touched.intersection(domains))


@cache
def build() -> str:
    """A mark of what browsers load: when it changes with a new version, a wall opens itself anew."""
    files = sorted(path for path in panel.ASSETS.iterdir() if path.suffix in (".js", ".css"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _again(shown: Shown) -> datetime:
    """When the picture may change although nothing new has come."""
    announced = shown.ends_at - ANNOUNCED
    return announced if datetime.now(UTC) < announced and shown.why == "rotation" else shown.ends_at


def _one_scene(found: WallScreen, plan: WallPlan) -> WallScreen:
    """`&scene=traffic` keeps this browser on one scene; critical alerts and what is put on the wall still come."""
    scene = str(st.query_params.get("scene", ""))
    return replace(found, slots=((scene, OVERVIEW_DWELL),)) if scene in plan.scenes else found


def enlarged(plan: WallScreen, steps: str) -> float:
    """The scale of the screen, and what a person before it made of it by hand: `steps` is text of the address."""
    try:
        wanted = plan.scale * STEP ** max(-MOST_STEPS, min(int(steps), MOST_STEPS))
    except ValueError:
        wanted = plan.scale
    return min(max(wanted, LEAST_ARCMIN / arcmin(SMALLEST_U, plan.width_mm, plan.viewer_m)), LARGEST_SCALE)
