"""The wall: which screens it has, which scene each shows now and next, and how large its letters must be.

Pure functions of the plan, the clock, the alerts and the switches, so that all screens agree without talking to each
other, a reload changes nothing and a restarted server goes on where it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from core.alert import Alert, Key
from core.errors import ConfigError
from core.ledger import Switch
from core.toml_files import read_toml, shown_path, take

ROTATING = ("overview", "traffic", "environment", "services", "map", "alerts", "brief")
INCIDENT = "incident"
STANDARD = ("overview", "traffic", "overview", "environment", "overview", "services", "overview", "alerts")
MAPS = ("alerts", "traffic", "air", "rain", "none")
DWELL = timedelta(seconds=20)
OVERVIEW_DWELL = timedelta(seconds=40)
SHORTEST_DWELL_S, LONGEST_DWELL_S = 5, 3600
TAKEOVER_DWELL = timedelta(seconds=10)  # a new critical is seen at least so long, also when acknowledged at once
TURN_S = 20  # several critical alerts take turns
ANNOUNCED = timedelta(seconds=10)  # the next scene is named so long before it comes
MOST_TILES = 6
NIGHT_FROM, NIGHT_TO = time(22, 0), time(5, 30)
SHOW = "show:"  # name of a switch: «show:<screen>:<scene>»
EVERY_SCREEN = "*"
RINGING_STATES = ("UNACK", "LATUN")

WIDTH_MM, VIEWER_M = 4000.0, 6.0  # 3 x 3 screens of 60 inches, read across the room
BETWEEN = {"width_mm": (300.0, 60_000.0), "viewer_m": (0.3, 60.0)}
REFERENCE_PX = 1920  # all sizes of a wall are in u: one pixel of a picture 1920 wide
SMALLEST_U = 20  # the smallest text class of the wall's style
LEAST_ARCMIN, PREFERRED_ARCMIN = 16.0, 20.0  # of a capital letter (NUREG-0700: at the farthest reader)
CAP_HEIGHT = 0.698  # of IBM Plex Sans, in em
LARGEST_SCALE = 1.6  # beyond it, a scene would no longer hold what it is for


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeScene:
    """A scene that a city writes itself: tiles «property:pick», a map, a title."""

    key: str
    title_vi: str
    title_en: str
    tiles: tuple[tuple[str, str], ...]
    map: str  # one of MAPS

    def title(self, language: str) -> str:
        """Name for people."""
        return self.title_en if language == "en" else self.title_vi


@dataclass(frozen=True, slots=True, kw_only=True)
class WallScreen:
    """One screen of the wall. Widths are of the lit picture in millimetres, the viewer is the farthest in metres."""

    key: str
    name_vi: str
    name_en: str
    slots: tuple[tuple[str, timedelta], ...]  # scene, how long; from the start of the day on
    width_mm: float = WIDTH_MM
    viewer_m: float = VIEWER_M
    watched: bool = True  # that it falls silent is an alert

    def name(self, language: str) -> str:
        """Name for people."""
        return self.name_en if language == "en" else self.name_vi

    @property
    def scale(self) -> float:
        """How much larger than the reference picture everything must be drawn."""
        return scale(self.width_mm, self.viewer_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class WallPlan:
    """Everything of wall.toml."""

    screens: tuple[WallScreen, ...]
    free: tuple[FreeScene, ...] = ()
    night_from: time = NIGHT_FROM
    night_to: time = NIGHT_TO

    def screen(self, key: str) -> WallScreen | None:
        """The screen of that name; without a name the first."""
        if not key:
            return self.screens[0]
        return next((one for one in self.screens if one.key == key), None)

    def free_scene(self, key: str) -> FreeScene | None:
        """A scene of the city's own."""
        return next((one for one in self.free if one.key == key), None)

    @property
    def scenes(self) -> tuple[str, ...]:
        """Every scene that may be put on a screen."""
        return (*ROTATING, *(one.key for one in self.free))

    def night(self, local: time) -> bool:
        """True while the wall is dimmed; the span may reach over midnight."""
        if self.night_from <= self.night_to:
            return self.night_from <= local < self.night_to
        return local >= self.night_from or local < self.night_to


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a screen shows now. Times are aware UTC of the machine's clock, by which walls turn."""

    scene: str
    why: str  # rotation | chosen | takeover
    ends_at: datetime
    next_scene: str = ""  # announced; empty while nothing is announced
    alert: Key | None = None  # of an incident
    place: int = 1  # which of several incidents
    of: int = 1
    by: str = ""  # who chose it
    until: datetime | None = None  # by the city's clock: end of what somebody chose


def resized(plan: WallPlan, width_mm: float | None, viewer_m: float | None) -> WallPlan:
    """The same wall in another room: every screen with that width and farthest viewer. Raises ConfigError."""
    where = "--wall-width-mm, --viewer-m"
    given = {name: value for name, value in (("width_mm", width_mm), ("viewer_m", viewer_m)) if value is not None}
    return replace(
        plan,
        screens=tuple(
            replace(
                one,
                width_mm=_length(given, {}, "width_mm", where, one.width_mm),
                viewer_m=_length(given, {}, "viewer_m", where, one.viewer_m),
            )
            for one in plan.screens
        ),
    )


def least_font_mm(viewer_m: float, arcmin: float = LEAST_ARCMIN) -> float:
    """Font size [mm] whose capitals are `arcmin` high for a reader at that distance [m]."""
    return math.tan(math.radians(arcmin / 60)) * viewer_m * 1000 / CAP_HEIGHT


def arcmin(size_u: float, width_mm: float, viewer_m: float, scale: float = 1.0) -> float:
    """How high [minutes of arc] the capitals of a text of `size_u` are on that screen for that reader."""
    height_mm = size_u * scale * CAP_HEIGHT * width_mm / REFERENCE_PX
    return math.degrees(math.atan(height_mm / (viewer_m * 1000))) * 60


def scale(width_mm: float, viewer_m: float) -> float:
    """Factor by which the reference picture is enlarged so that its smallest text is readable, 1 … LARGEST_SCALE."""
    wanted = LEAST_ARCMIN / arcmin(SMALLEST_U, width_mm, viewer_m)
    return min(max(wanted, 1.0), LARGEST_SCALE)


def farthest_m(width_mm: float, scale: float) -> float:
    """Distance [m] to which the smallest text of such a screen can be read."""
    height_mm = SMALLEST_U * scale * CAP_HEIGHT * width_mm / REFERENCE_PX
    return height_mm / math.tan(math.radians(LEAST_ARCMIN / 60)) / 1000


def direct(
    screen: WallScreen,
    alerts: Iterable[Alert],
    switches: Mapping[str, Switch],
    *,
    now: datetime,
    city_now: datetime,
    speed: float = 1.0,
    quiet: Iterable[str] = (),
) -> Shown:
    """What the screen shows: a critical alert before what somebody chose before the turn of the scenes.

    `now` is the machine's clock, `city_now` the city's, which a scenario may run `speed` times as fast. In `quiet`
    scenes nothing is abnormal: while something is serious their turn goes to the overview.
    """
    ringing = takeovers(alerts, city_now, speed)
    chosen = choice(screen.key, switches, city_now)
    if ringing:
        number = int(now.timestamp()) // TURN_S
        newborn = [one for one in ringing if _age(one, city_now, speed) < TAKEOVER_DWELL]
        shown = newborn[-1] if newborn else ringing[number % len(ringing)]
        ends = datetime.fromtimestamp((number + 1) * TURN_S, UTC)
        if newborn:
            ends = now + TAKEOVER_DWELL - _age(shown, city_now, speed)
        return Shown(
            scene=INCIDENT,
            why="takeover",
            ends_at=ends,
            alert=shown.key,
            place=ringing.index(shown) + 1,
            of=len(ringing),
        )
    if chosen is not None:
        scene, switch = chosen
        left = (switch.until - city_now) / speed
        found = next((alert.key for alert in alerts if scene == f"{INCIDENT}:{alert.rule}:{alert.site_id}"), None)
        if not scene.startswith(f"{INCIDENT}:") or found is not None:
            shown_scene = INCIDENT if found else scene
            return Shown(
                scene=shown_scene, why="chosen", ends_at=now + left, alert=found, by=switch.by, until=switch.until
            )
    return _turn(screen.slots, now, frozenset(quiet))


def takeovers(alerts: Iterable[Alert], city_now: datetime, speed: float = 1.0) -> list[Alert]:
    """The critical alerts that hold the wall, oldest first: unacknowledged ones, and new ones for a moment more."""
    held = [
        alert
        for alert in alerts
        if alert.priority == "critical"
        and alert.raised_at is not None
        and (
            alert.state in RINGING_STATES
            or (alert.state in ("ACKED", "LATAC") and _age(alert, city_now, speed) < TAKEOVER_DWELL)
        )
    ]
    return sorted(held, key=lambda alert: (alert.raised_at, alert.key))


def choice(screen: str, switches: Mapping[str, Switch], city_now: datetime) -> tuple[str, Switch] | None:
    """The scene that somebody put on this screen (or on all) and that still holds: the latest choice."""
    found = []
    for name, switch in switches.items():
        if name.startswith(SHOW) and switch.until > city_now:
            where, _, scene = name.removeprefix(SHOW).partition(":")
            if where in (screen, EVERY_SCREEN):
                found.append((scene, switch))
    return max(found, key=lambda one: one[1].at, default=None)


def _age(alert: Alert, city_now: datetime, speed: float) -> timedelta:
    return (city_now - alert.raised_at) / speed if alert.raised_at else timedelta(0)


def _turn(slots: Sequence[tuple[str, timedelta]], now: datetime, quiet: frozenset[str]) -> Shown:
    """The scene whose turn it is: the position of the clock in the round, the same on every screen with that round."""
    lengths = [dwell.total_seconds() for _, dwell in slots]
    round_s = sum(lengths)
    began = math.floor(now.timestamp() / round_s) * round_s
    place, until = 0, began + lengths[0]
    while until <= now.timestamp() and place + 1 < len(slots):
        place += 1
        until += lengths[place]
    scene, coming = (
        "overview" if name in quiet else name for name in (slots[place][0], slots[(place + 1) % len(slots)][0])
    )
    ends = datetime.fromtimestamp(until, UTC)
    announced = coming if coming != scene and ends - now <= ANNOUNCED else ""
    return Shown(scene=scene, why="rotation", ends_at=ends, next_scene=announced)


# -- config/<city>/wall.toml ------------------------------------------------------------------------------------------


def load_wall(path: Path) -> WallPlan:
    """Read wall.toml. Without the file: one screen, four metres wide, read from six. Raises ConfigError."""
    if not path.is_file():
        return WallPlan(
            screens=(
                _screen(
                    {"key": "wall", "name_vi": "Màn hình tường", "name_en": "Wall display"}, {}, ROTATING, str(path), {}
                ),
            )
        )
    where = shown_path(path)
    table = read_toml(path)
    _only(table, ("viewing", "night", "dwell_s", "scene", "screen"), where)
    viewing = _only(take(table, "viewing", dict, where, {}), ("width_mm", "viewer_m"), f"{where}: [viewing]")
    dwell = take(table, "dwell_s", dict, where, {})
    free = tuple(
        _free(one, f"{where}: [[scene]] number {number}")
        for number, one in enumerate(take(table, "scene", list, where, []), start=1)
    )
    known = (*ROTATING, *(one.key for one in free))
    if len(set(known)) < len(known):
        raise ConfigError(f"{where}: two scenes have the same key; {', '.join(ROTATING)} are taken")
    _only(dwell, known, f"{where}: [dwell_s]")
    dwells = {name: _seconds(dwell, name, f"{where}: [dwell_s]") for name in dwell}
    screens = tuple(
        _screen(one, dwells, known, f"{where}: [[screen]] number {number}", viewing)
        for number, one in enumerate(take(table, "screen", list, where, []), start=1)
    )
    if not screens:
        raise ConfigError(f"{where}: no [[screen]] given")
    if len({one.key for one in screens}) < len(screens):
        raise ConfigError(f"{where}: two [[screen]] have the same key: every screen has its own")
    night = _only(take(table, "night", dict, where, {}), ("from", "to"), f"{where}: [night]")
    return WallPlan(
        screens=screens,
        free=free,
        night_from=_clock(night, "from", f"{where}: [night]", NIGHT_FROM),
        night_to=_clock(night, "to", f"{where}: [night]", NIGHT_TO),
    )


def _screen(
    table: Mapping[str, Any],
    dwells: Mapping[str, timedelta],
    known: Sequence[str],
    where: str,
    viewing: Mapping[str, Any],
) -> WallScreen:
    _only(table, ("key", "name_vi", "name_en", "scenes", "width_mm", "viewer_m", "watched"), where)
    scenes = take(table, "scenes", list, where, list(STANDARD))
    for scene in scenes:
        if scene not in known:
            raise ConfigError(f"{where}: scene {scene!r} is not one of {', '.join(known)}")
    if not scenes:
        raise ConfigError(f"{where}: scenes is empty: leave the key out for the usual round")
    key = take(table, "key", str, where)
    if not key.replace("_", "").replace("-", "").isalnum() or not key.isascii():
        raise ConfigError(f"{where}: key {key!r} stands in addresses: use letters a-z, digits, - and _")
    name = take(table, "name_vi", str, where)
    usual = {"overview": OVERVIEW_DWELL}
    return WallScreen(
        key=key,
        name_vi=name,
        name_en=take(table, "name_en", str, where, name),
        slots=tuple((scene, dwells.get(scene, usual.get(scene, DWELL))) for scene in scenes),
        width_mm=_length(table, viewing, "width_mm", where, WIDTH_MM),
        viewer_m=_length(table, viewing, "viewer_m", where, VIEWER_M),
        watched=take(table, "watched", bool, where, True),
    )


def _free(table: Mapping[str, Any], where: str) -> FreeScene:
    _only(table, ("key", "title_vi", "title_en", "tiles", "map"), where)
    tiles = []
    for entry in take(table, "tiles", list, where):
        name, _, pick = str(entry).partition(":")
        if not name or not pick:
            raise ConfigError(f'{where}: {entry!r} must read "property:pick", for example "vn_aqi:worst"')
        tiles.append((name, pick))
    if not 0 < len(tiles) <= MOST_TILES:
        raise ConfigError(f"{where}: give one to {MOST_TILES} tiles: a wall shows no more at reading size")
    drawn = take(table, "map", str, where, "none")
    if drawn not in MAPS:
        raise ConfigError(f"{where}: map {drawn!r} is not one of {', '.join(MAPS)}")
    title = take(table, "title_vi", str, where)
    return FreeScene(
        key=take(table, "key", str, where),
        title_vi=title,
        title_en=take(table, "title_en", str, where, title),
        tiles=tuple(tiles),
        map=drawn,
    )


def _only(table: Mapping[str, Any], names: Sequence[str], where: str) -> Mapping[str, Any]:
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where}: must be a table, not {table!r}")
    unknown = sorted(set(table) - set(names))
    if unknown:
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(names)}")
    return table


def _seconds(table: Mapping[str, Any], name: str, where: str) -> timedelta:
    seconds = take(table, name, (int, float), where)
    if not SHORTEST_DWELL_S <= seconds <= LONGEST_DWELL_S:
        raise ConfigError(f"{where}: {name} must be {SHORTEST_DWELL_S} to {LONGEST_DWELL_S} seconds, not {seconds}")
    return timedelta(seconds=float(seconds))


def _length(table: Mapping[str, Any], viewing: Mapping[str, Any], name: str, where: str, default: float) -> float:
    given = float(take({**viewing, **table}, name, (int, float), where, default))
    least, most = BETWEEN[name]
    if not least <= given <= most:
        raise ConfigError(f"{where}: {name} must be {least:g} to {most:g}, not {given:g}")
    return given


def _clock(table: Mapping[str, Any], name: str, where: str, default: time) -> time:
    text = take(table, name, str, where, default.strftime("%H:%M"))
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f'{where}: {name} must read like "22:00", not {text!r}') from error
