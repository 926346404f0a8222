"""The map of layers: what is chosen, how it is drawn, its legend, and what lies around an alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from charts import layer_deck
from charts.deck import choropleth_legend, class_colour, class_texts, rings
from charts.layer_deck import Circle, Drawn
from core import formats
from core.alert import Alert
from gis.export import Row
from gis.faults import Fault
from gis.join import Reach, circle
from gis.layers import Kept
from gis.measure import Place
from ui import layer_live, maps, panel, render
from ui import layer_values as worth
from ui.frame import Screen
from ui.views import View

HEIGHT_PX = 620
RADII_M = (100, 300, 500, 1000, 2000)
MOST_NEAR = 60
TOOLTIP_VALUES = 4
EXTENTS = ("city", "nation")
BASEMAP = "/api/basemap/style.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person has chosen to see."""

    layers: tuple[str, ...]
    colour: str  # key of layer_values.choices, or empty
    hours_back: int
    day: date
    classes: int
    method: str
    extent: str
    alert: str  # «rule:site», or empty
    radius_m: int
    basemap: bool
    path: tuple[Place, ...] = ()  # what is measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is on the map now, for its legend, exports and picture."""

    rows: tuple[Row, ...]
    title: str
    told: tuple[str, ...]  # time, estimate, owners, marks: what must stand under a picture
    legend: tuple[tuple[str, str], ...]  # colour, words


def chosen_layers(screen: Screen, keys: Sequence[str]) -> list[Kept]:
    """The layers that can be read; what cannot is told by the list."""
    found = []
    for key in keys:
        try:
            found.append(screen.line.shelf.read(key))
        except (Fault, OSError):
            continue
    return found


def draw(screen: Screen, choice: Choice, legend_place: Any) -> Seen:
    """The map in its place, its legend in another. Returns what is seen."""
    view = screen.view()
    t, today = screen.t, _today(screen)
    now = worth.ground(screen, today)
    then = now if choice.day == today else worth.ground(screen, choice.day)
    painted = worth.colouring(screen, choice.colour, choice.hours_back, now) if choice.colour else None
    values = {} if painted is None else worth.carried(screen, painted.values, now, then, choice.day)
    areas = worth.areas_of(screen, then, values)
    bounds = layer_deck.class_bounds([one.value for one in areas], choice.classes, choice.method)
    kept = chosen_layers(screen, choice.layers)
    listed = [one.key for one in screen.line.shelf.all()]
    layers = [(_drawn(one), layer_deck.ink(listed.index(one.layer.key))) for one in kept]
    alert = alert_of(view, choice.alert)
    place = None if alert is None else view.snapshot.city.point(alert.site_id)
    ring = None if place is None else Circle(ring=circle(place[1], place[0], choice.radius_m))
    corners = layer_deck.NATION if choice.extent == "nation" else _corners(screen, now)
    deck = layer_deck.layer_deck(
        theme=screen.look,
        language=screen.language,
        areas=areas,
        coloured=painted is not None,
        bounds=bounds,
        decimals=painted.decimals if painted else 0,
        unit=painted.unit if painted else "",
        layers=layers,
        markers=maps.marks(view)[2],
        circle=ring,
        path=choice.path,
        corners=corners,
        basemap=BASEMAP if choice.basemap else "",
        height_px=HEIGHT_PX,
    )
    able = panel.canvas("layers_canvas")
    if able == "webgl":
        # the key holds the place alone: a refresh is the same map, where the viewer left it
        st.pydeck_chart(deck, height=HEIGHT_PX, key=f"layers_deck_{choice.extent}")
    else:
        still = maps.whole_city(view, 900, HEIGHT_PX, text_px=16.0)
        panel.panel("layers_still", {"map": f'<section class="map">{still}</section>'})
        if able == "none":
            st.caption(t("map.no_webgl"))
    estimated = any(one.estimated for one in values.values())
    told = _told(screen, painted, estimated, [*([now.owner] if now.owner else []), *(one.layer.owner for one in kept)])
    told += tuple(filter(None, (layer_live.told(screen, one.layer.key, one.layer.title) for one in kept)))
    with legend_place:
        svg = ""
        if painted is not None:
            svg = choropleth_legend(
                bounds, theme=screen.look, language=screen.language, title=painted.title, unit=painted.unit,
                decimals=painted.decimals, no_data=any(one.value is None for one in areas),
            )  # fmt: skip
        inks = [{"ink": ink, "title": one.title, "geometry": one.geometry, "style": one.style} for one, ink in layers]
        legend = render.html(
            "layers_legend.html", view.snapshot, view.language, classes=render.picture(svg), inks=inks, told=told
        )
        panel.panel("layers_legend_panel", {"legend": legend})
    names = [(ink, one.title) for one, ink in layers]
    return Seen(
        rows=tuple(_rows(areas, painted, kept)),
        title=painted.title if painted else t("page.layers"),
        told=told,
        legend=(*_classes(screen, areas, bounds, painted), *names),
    )


def _today(screen: Screen) -> date:
    return screen.line.clock.now().astimezone(screen.line.city.zone).date()


def _drawn(kept: Kept) -> Drawn:
    layer = kept.layer
    return Drawn(
        key=layer.key, title=layer.title, geometry=layer.geometry, style=layer.style, shapes=kept.shapes,
        tooltips=_tooltips(layer.key, layer.digest, kept),
    )  # fmt: skip


@st.cache_data(max_entries=32, show_spinner=False)
def _tooltips(key: str, digest: str, _kept: Kept) -> list[str]:
    """Name and the first few values of each feature, as lines."""
    skip = {_kept.layer.name_field}
    return [
        "\n".join(
            [
                _kept.name(index),
                *(
                    f"{name}: {value}"[:120]
                    for name, value in [
                        pair for pair in one.properties.items() if pair[0] not in skip and pair[1] not in (None, "")
                    ][:TOOLTIP_VALUES]
                ),
            ]
        )
        for index, one in enumerate(_kept.features)
    ]


def _corners(screen: Screen, now: worth.Ground) -> list[tuple[float, float]]:
    """The city's wards of today, without any the city's own places: nothing that a person switches on this page, and
    nothing that a server may send, or the view would be thrown back by it.
    """
    codes = set(screen.line.city.areas.index)
    own = [shape for code, shape in now.shapes.items() if code in codes] or list(now.shapes.values())
    if own:
        return [(float(point[0]), float(point[1])) for shape in own for ring in rings(shape) for point in ring]
    around = worth.box(screen)
    return [] if around is None else [(around[0], around[1]), (around[2], around[3])]


def _told(screen: Screen, painted: worth.Colouring | None, estimated: bool, owners: Sequence[str]) -> tuple[str, ...]:
    t, snapshot = screen.t, screen.snapshot
    words = []
    if painted is not None and painted.hour is not None:
        at = formats.moment(painted.hour, snapshot.made_at, snapshot.city.zone)
        words.append(t("layers.hour_until", at=at))
    if estimated:
        words.append(t("layers.estimated_why"))
    if owners:
        words.append(t("layers.owners", names=", ".join(dict.fromkeys(owners))))
    if snapshot.city.simulated and painted is not None:
        words.append(t("mark.simulated"))
    return tuple(words)


def _classes(
    screen: Screen, areas: Sequence[layer_deck.Area], bounds: Sequence[float], painted: worth.Colouring | None
) -> list[tuple[str, str]]:
    """Colour and words of each class, for a picture that has no page around it."""
    if painted is None:
        return []
    texts = class_texts(bounds, painted.decimals, screen.language)
    inside = [bounds[0] - 1.0, *bounds] if bounds else [0.0]
    found = [
        (class_colour(value, bounds, screen.look) or "", f"{text} {painted.unit}".strip())
        for value, text in zip(inside, texts, strict=True)
    ]
    if any(one.value is None for one in areas):
        found.append((screen.look.bg, screen.t("state.no_data")))
    return found


def _rows(areas: Sequence[layer_deck.Area], painted: worth.Colouring | None, kept: Sequence[Kept]) -> list[Row]:
    rows = [
        Row(
            layer=painted.title, code=one.code, name=one.name, shape=one.shape, value=one.value, unit=painted.unit,
            note=one.note,
        )
        for one in areas
        if painted is not None
    ]  # fmt: skip
    for layer in kept:
        for index, shape in enumerate(layer.shapes):
            rows.append(
                Row(
                    layer=layer.layer.title, code=layer.code(index), name=layer.name(index), shape=shape,
                    properties=layer.features[index].properties,
                )
            )  # fmt: skip
    return rows


# -- what lies around an alert ---------------------------------------------------------------------------------------


def alert_of(view: View, key: str) -> Alert | None:
    """The open alert «rule:site», if it is still open."""
    return next((one for one in view.snapshot.open_alerts() if ":".join(one.key) == key), None)


def placed_alerts(view: View) -> dict[str, str]:
    """Open alerts that have a place: «rule:site» -> words, worst first."""
    found = {}
    for alert in view.snapshot.open_alerts():
        if view.snapshot.city.point(alert.site_id) is not None:
            card = view.card(alert)
            found[":".join(alert.key)] = f"{card.title} · {card.place}"
    return found


def around(screen: Screen, choice: Choice) -> str:
    """HTML: what lies within the radius of the chosen alert, nearest first."""
    view = screen.view()
    alert = alert_of(view, choice.alert)
    place = None if alert is None else view.snapshot.city.point(alert.site_id)
    rows: list[Mapping[str, Any]] = []
    if place is not None and alert is not None:
        latitude, longitude = place
        for kept in chosen_layers(screen, choice.layers):
            for near in kept.reach.within_m(longitude, latitude, choice.radius_m):
                rows.append({"name": kept.name(near.index), "layer": kept.layer.title, "metres": near.metres})
        rows += _sites(screen, alert.site_id, longitude, latitude, choice.radius_m)
    rows.sort(key=lambda one: (one["metres"], one["name"]))
    return render.html(
        "layers_near.html", view.snapshot, view.language, rows=rows[:MOST_NEAR], more=max(len(rows) - MOST_NEAR, 0),
        asked=place is not None, radius=choice.radius_m,
    )  # fmt: skip


def _sites(screen: Screen, own: str, longitude: float, latitude: float, radius_m: int) -> list[Mapping[str, Any]]:
    """Stations and other places of the city; the alert's own is not news."""
    snapshot = screen.snapshot
    sites = snapshot.city.sites
    placed = sites[sites["latitude"].notna() & sites["longitude"].notna() & ~sites["kind"].isin(["city", "area"])]
    others = placed[placed.index != own]
    ids = [str(site) for site in others.index]
    reach = Reach.of_points(others["longitude"].astype(float).tolist(), others["latitude"].astype(float).tolist())
    return [
        {
            "name": snapshot.city.site_name(ids[near.index], screen.language),
            "layer": screen.t("layers.site"),
            "metres": near.metres,
        }
        for near in reach.within_m(longitude, latitude, radius_m)
    ]
