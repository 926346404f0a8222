"""Pictures of the city for a view: the whole city, the place of one alert, the last day in a strip."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta

import pandas as pd
from markupsafe import Markup

from charts import city_map, timeline
from core.alert import PRIORITIES, Alert
from ui.render import picture
from ui.views import View

COLOURS_ITS_WARD = ("flood_sensor", "rain_gauge", "area")  # what such a site tells holds for the ward around it


def whole_city(
    view: View,
    width: int,
    height: int,
    *,
    only: Sequence[str] | None = None,
    text_px: float = 22.0,
    message: str = "",
    names: Collection[str] | None = None,
    label: Callable[[str], str] | None = None,
) -> Markup:
    """The city with only the abnormal coloured; `label` says of a site what stands beside its one sign."""
    wards, segments, markers = marks(view, only)
    if label is not None:
        worst = {marker.site_id: marker for marker in markers}  # the last one of a site is its worst
        markers = [replace(marker, label=label(site_id)) for site_id, marker in worst.items()]
    return picture(
        city_map.city_map(
            view.snapshot.geometry,
            theme=view.look,
            language=view.language,
            size=(width, height),
            text_px=text_px,
            wards=wards,
            segments=segments,
            markers=markers,
            names=names,
            places=_places(view),
            message=message or ("" if view.snapshot.geometry else view.t("map.no_geometry_short")),
            alt=view.t("page.map"),
        )
    )


def around(
    view: View,
    alert: Alert,
    latitude: float,
    longitude: float,
    *,
    size: tuple[int, int] = (360, 250),
    text_px: float = 14.0,
    width_km: float = 3.0,
    label: str = "",
) -> Markup:
    """The place of one alert with what else is abnormal there; `label` stands beside its own sign."""
    wards, segments, markers = marks(view)
    if label:
        markers = [replace(marker, label=label) if marker.site_id == alert.site_id else marker for marker in markers]
        markers = list({marker.site_id: marker for marker in markers}.values())  # one sign per place: its worst
    svg = city_map.city_map(
        view.snapshot.geometry, theme=view.look, language=view.language, size=size, text_px=text_px,
        wards=wards, segments=segments, markers=markers, places=_places(view),
        around=city_map.Around(latitude=latitude, longitude=longitude, width_km=width_km), alt=view.card(alert).place,
    )  # fmt: skip
    return picture(svg)


def marks(
    view: View, only: Sequence[str] | None = None
) -> tuple[dict[str, str], dict[str, str], list[city_map.Marker]]:
    """What is abnormal, for a map: wards and road segments by priority, and signs where alerts are."""
    wards: dict[str, str] = {}
    segments: dict[str, str] = {}
    markers: list[city_map.Marker] = []
    for alert in reversed(_shown(view, only)):  # worst last, so that it wins and lies on top
        city = view.snapshot.city
        kind, area = str(city.sites.at[alert.site_id, "kind"]), str(city.sites.at[alert.site_id, "area"])
        rank = PRIORITIES.index(alert.priority)
        if kind == "road_segment" and not view.snapshot.rules[alert.rule].missing:
            segments[alert.site_id] = alert.priority
        if kind in COLOURS_ITS_WARD and rank >= PRIORITIES.index("medium"):
            wards[area or alert.site_id] = alert.priority
        point = city.point(alert.site_id)
        if point is not None and kind != "city":
            label = view.card(alert).value if rank >= PRIORITIES.index("high") else ""
            markers.append(
                city_map.Marker(
                    site_id=alert.site_id,
                    latitude=point[0],
                    longitude=point[1],
                    priority=alert.priority,
                    state=alert.state,
                    label=label,
                )
            )
    return wards, segments, markers


def _shown(view: View, only: Sequence[str] | None) -> list[Alert]:
    """Open and active alerts at known sites, worst first; with `only`, those of these domains or properties."""
    snapshot = view.snapshot
    found = []
    for alert in snapshot.open_alerts():
        rule = snapshot.rules.get(alert.rule)
        if rule is None or not alert.active or alert.site_id not in snapshot.city.sites.index:
            continue
        if only is None or {rule.observed_property, snapshot.catalogue[rule.observed_property].domain} & set(only):
            found.append(alert)
    return found


def _places(view: View) -> list[city_map.Place]:
    areas = view.snapshot.city.areas
    return [
        city_map.Place(
            code=row["code"], name=row[f"name_{view.language}"], latitude=row["latitude"], longitude=row["longitude"]
        )
        for row in areas[areas["latitude"].notna()].to_dict("records")
    ]


def day(view: View, width: int, height: int, text_px: float) -> Markup:
    """The last 24 hours in one strip: when alerts stood, when it rained."""
    rain = [view.snapshot.recent[key] for key in view.snapshot.recent if key[0] == "rain_1h"]
    svg = timeline.day_strip(
        view.snapshot.journal,
        pd.concat(rain).groupby("time")["value"].max().reset_index() if rain else None,
        open_alerts=view.snapshot.alerts,
        since=view.now - timedelta(hours=24),
        until=view.now,
        zone=view.zone,
        theme=view.look,
        width=width,
        height=height,
        language=view.language,
        text_px=text_px,
    )
    return picture(svg)
