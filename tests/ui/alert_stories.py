"""Scenes of alerts as tests read them: hours with alerts of one's own, screens of them, words of their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from alerts.playbooks import Playbook, load_playbooks
from charts.theme import WALL
from core.alert import Alert, Key
from core.ledger import Item
from core.snapshot import Snapshot
from core.wall import Shown, WallPlan, WallScreen
from tests.ui.domain_stories import SCALES
from ui.scenes import stages
from ui.views import View

FLOOD = ("underpass_flood", "flood_01")
RAIN = ("heavy_rain", "rain_01")
JAM = ("congestion_segment", "road_01")
CITY = ("reports_surge", "thanh_lam")
HA = "Lê Thu Hà"
PLAN = WallPlan(screens=(WallScreen(key="one", name_vi="Một", name_en="One", slots=()),))
RANK = ("critical", "high", "medium", "low")


def alert(
    snapshot: Snapshot, key: Key, value: float, priority: str = "high", minutes: int = 6, **facts: object
) -> Alert:
    """An active alert that nobody has acknowledged, raised so many minutes ago."""
    since = snapshot.made_at - timedelta(minutes=minutes)
    given: dict[str, object] = {
        "active": True, "acked": False, "began_at": since, "raised_at": since, "seen_at": snapshot.made_at, **facts,
    }  # fmt: skip
    return Alert(rule=key[0], site_id=key[1], value=value, priority=priority, **given)  # type: ignore[arg-type]


def single(one: Alert) -> Item:
    """A thing to do of its own."""
    return Item(
        kind="single", id=":".join(one.key), priority=one.priority, lead=one.key, members=(one.key,), shown=(one.key,),
        unacked=int(not one.acked),
    )  # fmt: skip


def situation(*alerts: Alert, name: str = "VV-0042") -> Item:
    """One thing to do of several alerts, the first leads."""
    return Item(
        kind="situation", id=name, priority=min((one.priority for one in alerts), key=RANK.index), lead=alerts[0].key,
        members=tuple(one.key for one in alerts), shown=(alerts[0].key,), unacked=sum(not one.acked for one in alerts),
    )  # fmt: skip


def hour(snapshot: Snapshot, *alerts: Alert, items: Sequence[Item] | None = None, **facts: object) -> Snapshot:
    """The same hour with these alerts alone."""
    own = tuple(single(one) for one in alerts if one.hidden is None) if items is None else tuple(items)
    return replace(snapshot, alerts=alerts, items=own, **facts)  # type: ignore[arg-type]


def playbooks(snapshot: Snapshot) -> tuple[Playbook, ...]:
    """Those of the demo city."""
    return load_playbooks(snapshot.city.folder / "playbooks", list(snapshot.rules))


def screen(
    snapshot: Snapshot,
    scene: str,
    *,
    key: Key | None = None,
    density: str = "full",
    language: str = "vi",
    books: Sequence[Playbook] = (),
    **more: object,
) -> dict[str, str]:
    """All parts of a screen, by the way that it takes."""
    given: dict[str, object] = {"why": "takeover" if key else "rotation", "ends_at": snapshot.made_at, **more}
    shown = Shown(scene=scene, alert=key, **given)  # type: ignore[arg-type]
    return stages.parts(View(snapshot, language, WALL), shown, PLAN, SCALES[density], books)
