"""What every scene of the wall has: the head with clock and marks, the sentence, the band of the last day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from alerts.playbooks import Playbook
from core import formats
from core.wall import FreeScene, Shown
from ui import maps, render
from ui.views import View

FULL, SPARSE, HUGE = "full", "sparse", "huge"
T = TypeVar("T")
# The band of the day at the least room of each density: it is only ever enlarged. A huge picture leaves it out.
DAY_SIZES = ((1200, 71), (910, 63), (910, 63))
SPARSE_FROM, HUGE_FROM = 1.06, 1.35  # of the scale: how many rows and cards a picture of that size has room for


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One screen's picture: what it shows of whom, and how much room there is."""

    view: View
    shown: Shown
    density: str  # full | sparse | huge
    free: FreeScene | None = None  # when the scene is one of the city's own
    titles: Mapping[str, str]  # of all scenes, for the head
    playbooks: Sequence[Playbook] = ()

    def html(self, template: str, **values: object) -> str:
        """One template of this picture."""
        view = self.view
        return render.html(
            template, view.snapshot, view.language, view=view, shown=self.shown, density=self.density, **values
        )

    def room(self, full: T, sparse: T, huge: T) -> T:
        """How many rows or cards fit, or how large a picture may be."""
        return {FULL: full, SPARSE: sparse, HUGE: huge}[self.density]


Scene = Callable[[Stage], dict[str, str]]  # parts below the sentence: usually «left» and «right»


def density(scale: float) -> str:
    """How much a picture holds at that scale."""
    return FULL if scale < SPARSE_FROM else SPARSE if scale < HUGE_FROM else HUGE


def foot(stage: Stage) -> str:
    """The last 24 hours: when alerts stood, when it rained."""
    width, height = stage.room(*DAY_SIZES)
    picture = maps.day(stage.view, width, height, 20.0)
    return stage.html("overview_foot.html", picture=picture)


def turn(stage: Stage) -> str:
    """Which scene this is, why it is shown, and which comes next."""
    shown, view = stage.shown, stage.view
    coming = stage.titles.get(shown.next_scene, "")
    return stage.html(
        "wall_turn.html",
        title=stage.titles.get(shown.scene, shown.scene),
        coming=coming,
        until=formats.clock(shown.until, view.zone) if shown.until else "",
        data=_newest(view, [state.newest_at for state in view.snapshot.sources]),
        received=_newest(view, [state.received_at for state in view.snapshot.sources]),
    )


def _newest(view: View, moments: Sequence[datetime | None]) -> str:
    known = [moment for moment in moments if moment is not None]
    return formats.clock(min(max(known), view.now), view.zone) if known else formats.DASH
