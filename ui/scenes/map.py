"""The map scene: where in the city something is abnormal, and the worst of these places by name."""

from __future__ import annotations

from dataclasses import dataclass

from core import formats
from core.alert import Alert
from ui import alert_facts, maps
from ui.scenes._fit import fitting, lines, short_value
from ui.scenes._stage import Stage
from ui.views import Card, View

# Drawn for the least room of each density, so that the map is only ever enlarged and its letters never shrink.
SIZES = ((1080, 596), (860, 436), (660, 312))
MOST_PLACES = 6
LIST_ROOM_U = (468.0, 300.0, 204.0)  # of the list at the least room of each density
NAME_ROOM_U = (390.0, 295.0, 236.0)
NAME_U, ROW_U, LINE_U = 26.0, 72.0, 35.0
SAYS_U, SAYS_LINE_U = 20.0, 26.4
TEXT_PX = 26.0
LABELLED = ("high", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place with its worst alert, and how many others stand there."""

    card: Card
    name: str
    value: str
    late: bool  # its data no longer count
    says: str  # what stands there, or how old its data are; and how many other alerts


def scene(stage: Stage) -> dict[str, str]:
    """Left the map, right the worst places and how much of the city is seen at all."""
    view = stage.view
    found, elsewhere = places(view)
    width, height = stage.room(*SIZES)
    name_u = stage.room(*NAME_ROOM_U)
    shown = fitting(
        found[:MOST_PLACES],
        lambda place: (
            ROW_U
            + LINE_U * (lines(place.name, NAME_U, name_u) - 1)
            + SAYS_LINE_U * (lines(place.says, SAYS_U, name_u) - 1)
        ),
        stage.room(*LIST_ROOM_U),
    )
    labels = {place.card.site_id: place.value for place in shown if place.card.priority in LABELLED}
    live, known = coverage(view)
    return {
        "left": stage.html(
            "scene_map_left.html",
            picture=maps.whole_city(
                view,
                width,
                height,
                text_px=TEXT_PX,
                names=stage.room(None, None, ()),  # a small map names only what is abnormal
                label=lambda site_id: labels.get(site_id, ""),
            ),
        ),
        "right": stage.html(
            "scene_map_right.html",
            places=shown,
            count=len(found),
            more=len(found) - len(shown),
            elsewhere=elsewhere,
            live=live,
            known=known,
        ),
    }


def places(view: View) -> tuple[list[Place], int]:
    """Sites with an open, active alert, worst first, and how many such alerts have no place on the map."""
    city = view.snapshot.city
    at: dict[str, list[Alert]] = {}
    elsewhere = 0
    for alert in view.snapshot.open_alerts():
        if not alert.active:
            continue
        if alert.site_id == city.city_site or city.point(alert.site_id) is None:
            elsewhere += 1
        else:
            at.setdefault(alert.site_id, []).append(alert)
    found = {site_id: [view.card(alert, 36) for alert in alerts] for site_id, alerts in at.items()}
    return [_place(view, site_id, cards, _late(view, at[site_id][0])) for site_id, cards in found.items()], elsewhere


def _place(view: View, site_id: str, cards: list[Card], late: str) -> Place:
    says = [late or cards[0].title]
    if len(cards) > 1:
        says.append(view.t("scene_map.others", n=len(cards) - 1))
    return Place(
        card=cards[0],
        name=view.snapshot.city.site_name(site_id, view.language),
        value=short_value(cards[0].value),
        late=bool(late),
        says=" · ".join(says),
    )


def _late(view: View, alert: Alert) -> str:
    """«số liệu đã 47 phút, mất tín hiệu» where the state is frozen for want of data."""
    reading = alert_facts.measured(view, alert)
    if not alert.stale:
        return ""
    if reading is None or reading.live:
        return view.t("alert.stale")
    return view.t("scene_incident.old", span=formats.duration(reading.age, view.language))


def coverage(view: View) -> tuple[int, int]:
    """How many measuring points give values now, of how many that ever gave one."""
    states: dict[str, bool] = {}
    for (_, site_id), reading in view.snapshot.readings.items():
        if reading.item.domain != "operations":
            states[site_id] = states.get(site_id, False) or reading.live
    return sum(states.values()), len(states)
