"""The overview: the city in one picture, on the desk and on the wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from alerts.deeds import MUTE_WALL
from core import formats
from core.alert import PRIORITIES
from core.ledger import Item, Switch
from ui import alert_items, maps, render
from ui.frame import strip as status_strip
from ui.views import Card, View

MOST_CARDS = 4


def desk(view: View) -> dict[str, str]:
    """Parts of the overview on a laptop or phone."""
    return {"strip": status_strip(view), **_parts(view, map_size=(560, 600), map_text_px=15.0, strip=(1800, 64, 14.0))}


def wall(view: View) -> dict[str, str]:
    """Parts of the overview scene on the wall."""
    head = _html(
        "wall_head.html",
        view,
        weekday=formats.weekday(view.now, view.zone, view.language),
        trouble=view.trouble() if view.situation().known else "",  # the banner says it while nothing is known
        day=formats.day(view.now, view.zone, view.language),
        ring=" ".join(_ringing(view)),
        muted=_muted(view),
    )
    return {"head": head, **_parts(view, map_size=(680, 720), map_text_px=22.0, strip=(1420, 84, 20.0))}


def _parts(
    view: View, *, map_size: tuple[int, int], map_text_px: float, strip: tuple[int, int, float]
) -> dict[str, str]:
    items = view.snapshot.items
    groups = [(domain, [view.row(key, pick) for key, pick in rows]) for domain, rows in view.snapshot.city.overview]
    headline, support = view.sentence()
    return {
        "banner": _html(
            "banner.html", view, headline=headline, support=support, counts=view.counts(), lead=view.situation().lead
        ),
        "rows": _html("overview_rows.html", view, groups=groups),
        "map": _html("overview_map.html", view, picture=maps.whole_city(view, *map_size, text_px=map_text_px)),
        "todo": _html(
            "overview_todo.html",
            view,
            cards=[_card(view, item) for item in items[:MOST_CARDS]],
            total=len(items),
            alerts=len(view.snapshot.open_alerts()),
            rest=_rest(items[MOST_CARDS:]),
        ),
        "foot": _html("overview_foot.html", view, picture=maps.day(view, *strip)),
    }


def _card(view: View, item: Item) -> Card:
    """A thing to do as a card: the leading alert, under the title of the whole."""
    alert = next(one for one in view.snapshot.alerts if one.key == item.lead)
    card = view.card(alert)
    if item.kind == "single":
        return card
    if item.kind == "situation":
        return replace(card, place=f"{item.id} · {alert_items.side(view, item)}")
    return replace(card, title=alert_items.title(view, item), place=alert_items.side(view, item))


def _rest(items: Sequence[Item]) -> dict[str, int]:
    return {name: sum(item.priority == name for item in items) for name in reversed(PRIORITIES)}


def _ringing(view: View) -> list[str]:
    """Critical annunciations that nobody has acknowledged: each rings once on a wall."""
    return sorted(
        f"{alert.rule}:{alert.site_id}:{int(alert.raised_at.timestamp())}"
        for alert in view.snapshot.alerts
        if alert.state == "UNACK" and alert.priority == "critical" and alert.raised_at
    )


def _muted(view: View) -> Switch | None:
    muted = view.snapshot.switches.get(MUTE_WALL)
    return muted if muted is not None and muted.until > view.now else None


def _html(template: str, view: View, **values: object) -> str:
    return render.html(template, view.snapshot, view.language, view=view, **values)
