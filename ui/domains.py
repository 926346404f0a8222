"""The three domain screens: traffic, environment, services. Each is rows by site beside the city's own rows."""

from __future__ import annotations

import pandas as pd

from core import formats
from indicators.vn_aqi import level
from ui import maps, render
from ui.banner import banner
from ui.frame import strip
from ui.views import Row, View

TRAFFIC_CITY = (
    ("travel_time_index", "city"), ("arterial_speed", "city"), ("relative_speed", "city"),
    ("congested_length", "city"), ("open_incidents", "sum"),
)  # fmt: skip
SERVICES_CITY = (
    ("on_time_rate", "city"), ("files_overdue", "city"), ("online_share", "city"), ("satisfaction", "city"),
    ("reports_60min", "city"), ("reports_on_time", "city"), ("first_response", "city"),
)  # fmt: skip
MIN_SAMPLE = 30  # fewer answers than this are shown grey, with n, and are never ranked


def traffic(view: View) -> dict[str, str]:
    """Corridors by how far they are from free flow, the city's rows, and a map of traffic alone."""
    corridors = _by_site(view, "speed", "road_segment")
    ratio = {r.site_id: r for r in view.snapshot.of("relative_speed") if r.live}
    corridors.sort(key=lambda row: ratio[row.site_id].value if row.site_id in ratio else float("inf"))
    extra = {
        row.site_id: formats.percent(ratio[row.site_id].value, 0, view.language)
        if row.site_id in ratio
        else formats.DASH
        for row in corridors
    }
    index = {
        r.site_id: formats.number(r.value, 2, view.language) for r in view.snapshot.of("travel_time_index") if r.live
    }
    body = _html(
        "traffic.html",
        view,
        city_rows=[view.row(key, pick) for key, pick in TRAFFIC_CITY],
        corridors=corridors,
        relative=extra,
        index=index,
        beside={
            row.site_id: [
                (view.t(f"traffic.{word}"), view.row(key, row.site_id))
                for word, key in (("relative", "relative_speed"), ("index", "travel_time_index"))
            ]
            for row in corridors
        },
        map=maps.whole_city(view, 600, 480, only=("traffic",), text_px=16.0),
    )
    return {"strip": strip(view), "banner": banner(view), "body": body}


def environment(view: View) -> dict[str, str]:
    """Stations in groups, each against its limit, with the official advice of the worst air level."""
    groups = [
        ("air", _by_site(view, "vn_aqi", "air_station")),
        ("pm25", _by_site(view, "pm25", "air_station")),
        ("rain", _by_site(view, "rain_1h", "rain_gauge")),
        ("river", _by_site(view, "river_level", "river_station")),
        ("flood", _by_site(view, "flood_depth", "flood_sensor")),
        ("noise", _by_site(view, "noise_laeq", "noise_station")),
        ("temperature", _by_site(view, "temperature", "weather_station")),
        ("heat", _by_site(view, "heat_index", "weather_station")),
    ]
    air = [reading for reading in view.snapshot.of("vn_aqi") if reading.live]
    worst = max(air, key=lambda reading: reading.value, default=None)
    advice = None
    if worst is not None:
        official = level(worst.value)
        advice = {
            "site_id": worst.site_id,
            "place": view.snapshot.city.site_name(worst.site_id, view.language),
            "value": formats.number(worst.value, 0, view.language),
            "word": official.name(view.language),
            "colour": official.colour,
            "general": official.advice(view.language),
            "sensitive": official.advice(view.language, sensitive=True),
            "pollutant": dominant(view, worst.site_id),
        }
    swatch = {reading.site_id: level(reading.value).colour for reading in air}
    words = {reading.site_id: view.aqi_word(reading.value) for reading in air}
    body = _html("environment.html", view, groups=groups, advice=advice, swatch=swatch, words=words)
    return {"strip": strip(view), "banner": banner(view), "body": body}


def services(view: View) -> dict[str, str]:
    """Offices with sample sizes and intervals, citizen reports by ward."""
    sites = view.snapshot.city.sites
    offices = []
    for site_id in sites.index[sites["kind"] == "office"]:
        cells = {
            "on_time": view.row("on_time_rate", site_id, width=120, height=30),
            "overdue": view.row("files_overdue", site_id),
            "online": view.row("online_share", site_id),
            "satisfaction": view.row("satisfaction", site_id),
        }
        offices.append(
            {
                **cells,
                "artefacts": list(dict.fromkeys(row.artefact for row in cells.values() if row.artefact)),
                "name": view.snapshot.city.site_name(site_id, view.language),
                "area": view.snapshot.city.area_name(site_id, view.language),
                "on_time_n": _value(view, "on_time_n", site_id),
                "interval": _interval(view, site_id),
                "n": _value(view, "satisfaction_n", site_id),
                "few": _few(view, "satisfaction_n", site_id),
                "few_files": _few(view, "on_time_n", site_id),
            }
        )
    wards = [
        (row, formats.number(reading.value, 0, view.language))
        for row, reading in (
            (view.row("reports_60min", reading.site_id, by_site=True), reading)
            for reading in sorted(view.snapshot.of("reports_60min"), key=lambda one: -one.value)
            if reading.site_id != view.snapshot.city.city_site and reading.value > 0
        )
    ][:8]
    body = _html(
        "services.html",
        view,
        city_rows=[view.row(key, pick) for key, pick in SERVICES_CITY],
        offices=offices,
        wards=wards,
        interval=_interval(view, view.snapshot.city.city_site),
    )
    return {"strip": strip(view), "banner": banner(view), "body": body}


def _by_site(view: View, key: str, kind: str) -> list[Row]:
    """A row per site of a kind; sites that never reported stay in place with a dash."""
    sites = view.snapshot.city.sites
    known = {reading.site_id for reading in view.snapshot.of(key)}
    ids = list(sites.index[sites["kind"] == kind]) if kind else []
    ids += sorted(known - set(ids) - {view.snapshot.city.city_site})
    return [view.row(key, site_id, width=120, height=30, by_site=True) for site_id in ids]


def dominant(view: View, site_id: str) -> str:
    """The pollutant with the highest sub-index at that station, as the decision asks to be shown."""
    parts = ("pm25", "pm10", "no2", "so2", "co", "o3")
    found = [(view.snapshot.reading(f"vn_aqi_{part}", site_id), part) for part in parts]
    live = [(reading.value, part) for reading, part in found if reading is not None and reading.live]
    return view.snapshot.catalogue[max(live)[1]].name(view.language) if live else ""


def _value(view: View, key: str, site_id: str) -> str:
    reading = view.snapshot.reading(key, site_id)
    return formats.number(reading.value, 0, view.language) if reading else formats.DASH


def _few(view: View, key: str, site_id: str) -> bool:
    """True when the sample behind a rate is unknown or too small to be compared."""
    reading = view.snapshot.reading(key, site_id)
    return reading is None or pd.isna(reading.value) or reading.value < MIN_SAMPLE


def _interval(view: View, site_id: str) -> str:
    low, high = (view.snapshot.reading(f"satisfaction_{side}", site_id) for side in ("low", "high"))
    if low is None or high is None:
        return ""
    return f"{formats.number(low.value, 1, view.language)} – {formats.percent(high.value, 1, view.language)}"


def _html(template: str, view: View, **values: object) -> str:
    return render.html(template, view.snapshot, view.language, view=view, **values)
