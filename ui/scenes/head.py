"""The head of a scene: whose wall this is, what it shows, the marks that a reader must not miss, and the clock."""

from __future__ import annotations

from alerts.deeds import MUTE_WALL
from core import formats
from core.ledger import Switch
from ui.scenes._stage import Stage
from ui.views import View


def head(stage: Stage) -> str:
    """One line over every scene."""
    view = stage.view
    return stage.html(
        "wall_head.html",
        title=stage.titles.get(stage.shown.scene, stage.shown.scene),
        weekday=formats.weekday(view.now, view.zone, view.language),
        day=formats.day(view.now, view.zone, view.language),
        trouble=view.trouble() if view.situation().known else "",  # the banner says it while nothing is known
        **bell(view),
    )


def bell(view: View) -> dict[str, str | Switch | None]:
    """What `_bell.html` needs, which stands in the head of every scene: also a takeover must be heard."""
    return {"ring": " ".join(ringing(view)), "muted": muted(view)}


def ringing(view: View) -> list[str]:
    """Critical annunciations that nobody has acknowledged: each rings once on a wall."""
    return sorted(
        f"{alert.rule}:{alert.site_id}:{int(alert.raised_at.timestamp())}"
        for alert in view.snapshot.alerts
        if alert.state == "UNACK" and alert.priority == "critical" and alert.raised_at
    )


def muted(view: View) -> Switch | None:
    """Who silenced the wall, while that holds."""
    switch = view.snapshot.switches.get(MUTE_WALL)
    return switch if switch is not None and switch.until > view.now else None
