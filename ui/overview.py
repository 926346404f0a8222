"""The overview: the city in one picture, on the desk and on the wall."""

from __future__ import annotations

from core import formats
from core.alert import Alert
from ui import maps, render
from ui.frame import strip as status_strip
from ui.views import View

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
    )
    return {"head": head, **_parts(view, map_size=(680, 720), map_text_px=22.0, strip=(1420, 84, 20.0))}


def _parts(
    view: View, *, map_size: tuple[int, int], map_text_px: float, strip: tuple[int, int, float]
) -> dict[str, str]:
    opened = view.snapshot.open_alerts()
    groups = [(domain, [view.row(key, pick) for key, pick in rows]) for domain, rows in view.snapshot.city.overview]
    headline, support = view.sentence()
    return {
        "banner": _html(
            "banner.html", view, headline=headline, support=support, counts=view.counts(), lead=view.situation().lead
        ),
        "rows": _html("overview_rows.html", view, groups=groups),
        "map": _html("overview_map.html", view, picture=maps.whole_city(view, *map_size, text_px=map_text_px)),
        "todo": _html(
            "overview_todo.html", view, cards=view.cards(opened[:MOST_CARDS]), total=len(opened), rest=_rest(opened)
        ),
        "foot": _html("overview_foot.html", view, picture=maps.day(view, *strip)),
    }


def _rest(opened: list[Alert]) -> dict[str, int]:
    hidden = opened[MOST_CARDS:]
    return {name: sum(alert.priority == name for alert in hidden) for name in ("critical", "high", "medium", "low")}


def _html(template: str, view: View, **values: object) -> str:
    return render.html(template, view.snapshot, view.language, view=view, **values)
