"""The environment scene: air, rain, river and noise by station with the limit each is read by, and the last day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from charts import weather_day
from core import formats
from core.snapshot import ABSENT
from indicators.vn_aqi import level
from ui.domains import dominant
from ui.render import picture
from ui.scenes._figures import Listed, first_limit, listed, live, sites, urgency, value, worst_live
from ui.scenes._stage import FULL, Stage
from ui.views import Row, View

# Least room of a chart in u at each density: drawn for it, a picture is only ever enlarged.
CHARTS = {"full": (640, 230), "sparse": (525, 125), "huge": (436, 150)}
NAMES_U = (195.0, 300.0, 220.0)  # what the names of places have
CLASSES = ((1, "I"), (2, "II"), (3, "III"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Stations of one kind under the limit that holds for them."""

    key: str  # air | rain | river | noise
    limit: str
    stations: Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One picture of the last 24 hours and the station it is of."""

    key: str  # rain | river
    place: str  # the station and what must be said of it
    calls: bool  # an alert stands
    picture: Markup


def scene(stage: Stage) -> dict[str, str]:
    """Left the stations in four groups, right the worst air and the last day of rain and river."""
    view, room, name_u = stage.view, stage.room(3, 1, 1), stage.room(*NAMES_U)
    groups = [
        Group(key="air", limit=_air_limit(view), stations=listed(_air(view), room, name_u)),
        Group(key="rain", limit=_rain_limit(view), stations=listed(_rain(view), room, name_u)),
        Group(key="river", limit=view.t("scene_environment.limit_river"), stations=listed(_river(view), room, name_u)),
        Group(key="noise", limit=view.t("scene_environment.limit_noise"), stations=listed(_noise(view), room, name_u)),
    ]
    days = [_rain_day(stage), _river_day(stage)]
    rain = worst_live(view, "rain_24h")
    if not days[0].calls and (days[1].calls or rain is None or rain.value < 0.05):
        days.reverse()  # where there is room for one only: not the gauge of a dry day
    return {
        "left": stage.html("scene_environment_left.html", groups=groups),
        "right": stage.html("scene_environment_right.html", air=_worst_air(view), days=days[: stage.room(2, 2, 1)]),
    }


# -- stations ---------------------------------------------------------------------------------------------------------


def _by_ward(view: View, key: str, kind: str) -> list[Row]:
    """Rows under the name of the ward, which is short and what people know; what tells the station from the others
    of its kind stands below.
    """
    rows = [view.row(key, site_id, by_site=True) for site_id in sites(view, key, kind)]
    own = apart([row.label for row in rows])
    wards = [view.snapshot.city.area_name(row.site_id, view.language) for row in rows]
    return [
        # the place of a silent station says which source is silent and why
        replace(row, label=ward or row.label, place=row.place if row.place != ward else name if name != ward else "")
        for row, name, ward in zip(rows, own, wards, strict=True)
    ]


def apart(names: Sequence[str]) -> list[str]:
    """Names without the words that all of them begin or end with: «Bến xe» of «Trạm đo ồn Bến xe»."""
    split = [name.split() for name in names]
    most = min((len(words) for words in split), default=0) - 1  # something is left of each
    if len(split) < 2 or most < 1:
        return list(names)
    first = next((n for n in range(most) if len({words[n] for words in split}) > 1), most)
    last = next((n for n in range(most - first) if len({words[-1 - n] for words in split}) > 1), most - first)
    return [" ".join(words[first : len(words) - last]) for words in split]


def _air(view: View) -> Sequence[Row]:
    rows = [
        replace(row, note=view.aqi_word(value(view, "vn_aqi", row.site_id) or 0.0), subnote="") if live(row) else row
        for row in _by_ward(view, "vn_aqi", "air_station")
    ]
    return sorted(rows, key=lambda row: urgency(row, value(view, "vn_aqi", row.site_id) or 0.0))


def _rain(view: View) -> Sequence[Row]:
    """Rain gauges, and among them those flood sensors that stand in water."""
    sensors = _by_ward(view, "flood_depth", "flood_sensor")
    wet = [row for row in sensors if (value(view, "flood_depth", row.site_id) or 0.0) > 0]
    flooded = [
        replace(
            row,
            place=f"{view.t('scene_environment.flooded')} · {row.place}",
            note=_limit_of(view, "flood_depth", row.site_id),
            subnote="",
        )
        for row in wet
    ]
    gauges = []
    for row in _by_ward(view, "rain_1h", "rain_gauge"):
        amount, hour = value(view, "rain_24h", row.site_id), value(view, "rain_1h", row.site_id)
        if amount is not None and hour is not None and amount >= max(hour, 0.05):  # the day's sum comes hourly
            sum_text = f"{formats.number(amount, 0, view.language)} mm"
            row = replace(row, note=sum_text, subnote=view.t("word.last_24h"))
        gauges.append(row)
    worst = [(row, 1000.0 + (value(view, "flood_depth", row.site_id) or 0.0)) for row in flooded]
    worst += [(row, value(view, "rain_1h", row.site_id) or 0.0) for row in gauges]
    return [row for row, _ in sorted(worst, key=lambda one: urgency(*one))]


def _limit_of(view: View, key: str, site_id: str) -> str:
    """The limit that a site's worst alert stands over; without an alert the first that it would meet."""
    standing = [
        alert
        for alert in view.snapshot.open_alerts()
        if alert.site_id == site_id and alert.active and alert.rule in view.snapshot.rules
    ]
    for alert in standing:  # worst first
        rule = view.snapshot.rules[alert.rule]
        if rule.observed_property == key and rule.in_unit_of_property and not rule.missing:
            return view.limit(alert)
    limit = first_limit(view, key)
    return "" if limit is None else f"{view.t('word.limit')} {formats.number(limit, 0, view.language)}"


def _river(view: View) -> Sequence[Row]:
    def above_alarm(row: Row) -> float:
        height, edge = value(view, "river_level", row.site_id), view.snapshot.city.attribute(row.site_id, "alarm_1_m")
        return height - edge if height is not None and edge is not None else float("-inf")

    return sorted(_by_ward(view, "river_level", "river_station"), key=lambda row: urgency(row, above_alarm(row)))


def _noise(view: View) -> Sequence[Row]:
    """Stations by how far they are over the limit of the hour at their place, where they have one."""
    found = []
    for row in _by_ward(view, "noise_laeq", "noise_station"):
        level_dba, over = value(view, "noise_laeq", row.site_id), value(view, "noise_over_limit", row.site_id)
        if level_dba is not None and over is not None:
            row = replace(
                row,
                note=f"{formats.number(over, 1, view.language, signed=True)} dB",
                subnote=view.t("scene_environment.of_limit", n=formats.number(level_dba - over, 0, view.language)),
            )
        found.append((row, over if over is not None else float("-inf")))
    return [row for row, _ in sorted(found, key=lambda one: urgency(*one))]


def _air_limit(view: View) -> str:
    limit = first_limit(view, "vn_aqi")
    if limit is None:
        return view.t("scene_environment.no_limit")
    points = formats.number(limit, 0, view.language)
    return view.t("scene_environment.limit_air", word=level(limit).name(view.language), n=points)


def _rain_limit(view: View) -> str:
    limit = first_limit(view, "rain_1h")
    if limit is None:
        return view.t("scene_environment.no_limit")
    return f"{view.t('word.limit')} {formats.number(limit, 0, view.language)} mm"


# -- the worst air, and the day ---------------------------------------------------------------------------------------


def _worst_air(view: View) -> dict[str, str] | None:
    """The highest index with its official word and colour; None while no station has a fresh one."""
    worst = worst_live(view, "vn_aqi")
    if worst is None:
        return None
    official = level(worst.value)
    return {
        "key": official.key,
        "word": official.name(view.language),
        "colour": official.colour,
        "value": formats.number(worst.value, 0, view.language),
        "place": view.snapshot.city.site_name(worst.site_id, view.language),
        "pollutant": dominant(view, worst.site_id),
    }


def _recent(view: View, key: str, site_id: str) -> tuple[weather_day.Times, weather_day.Values]:
    """Times and values of a series that the snapshot keeps; empty where nothing came."""
    found = view.snapshot.recent.get((key, site_id))
    return ([], []) if found is None else (found["time"], found["value"])


def _rain_day(stage: Stage) -> Day:
    """Hours of rain at the gauge where it rains hardest now, or where most fell; else at the last that was heard."""
    view = stage.view
    now, day = worst_live(view, "rain_1h"), worst_live(view, "rain_24h")
    shown = now if now is not None and now.value >= 0.05 else day or now
    row = view.row("rain_1h", shown.site_id if shown is not None else "worst", by_site=True)
    times, values = _recent(view, "rain_1h", row.site_id)
    width, height = CHARTS[stage.density]
    svg = weather_day.rain_bars(
        times,
        values,
        until=view.now,
        zone=view.zone,
        theme=view.look,
        language=view.language,
        width=width,
        height=height,
        limit=first_limit(view, "rain_1h"),
        limit_word=view.t("word.limit"),
        abnormal=row.priority or None,
        stale=not live(row),
        artefacts=[mark.at for mark in view.artefacts("rain_1h", row.site_id)],
        alt=f"{view.t('environment.rain')}: {view.t('word.last_24h')}",
    )
    dry = live(row) and day is not None and day.value < 0.05
    note = view.t("state.no_rain") if dry else "" if live(row) else f"{row.note} {row.subnote}"
    return _day(stage, "rain", row, row.label, note, picture(svg))


def _river_day(stage: Stage) -> Day:
    """Level at the station nearest to its alarm, with the three alarm levels of that place."""
    view = stage.view
    row = view.row("river_level", "river")
    times, values = _recent(view, "river_level", row.site_id)
    edges = [(view.snapshot.city.attribute(row.site_id, f"alarm_{number}_m"), name) for number, name in CLASSES]
    width, height = CHARTS[stage.density]
    svg = weather_day.level_line(
        times,
        values,
        until=view.now,
        zone=view.zone,
        theme=view.look,
        language=view.language,
        width=width,
        height=height,
        period=view.snapshot.catalogue["river_level"].period,
        lines=[(edge, view.t("scene_environment.alarm", n=name)) for edge, name in edges if edge is not None],
        abnormal=row.priority or None,
        stale=not live(row),
        artefacts=[mark.at for mark in view.artefacts("river_level", row.site_id)],
        alt=f"{view.t('environment.river')}: {view.t('word.last_24h')}",
    )
    note = f"{row.note} {row.subnote}" if stage.density == FULL or not live(row) else ""
    return _day(stage, "river", row, row.place, note, picture(svg))


def _day(stage: Stage, key: str, row: Row, place: str, note: str, drawn: Markup) -> Day:
    """A picture under its station; a property that nobody ever sent has no station, and why stands in the list."""
    step = f"⊤ {row.artefact}" if row.artefact else ""
    where = [place if row.state != ABSENT else "", note, step] if row.site_id else [stage.view.t("state.none_yet")]
    return Day(
        key=key,
        place=" · ".join(part.strip() for part in where if part.strip()),
        calls=bool(row.priority),
        picture=drawn,
    )
