"""Series of several domains under each other on one time axis, with bands for what happened, and the strengths of one
pair at every lag.

Times become naive city time before they reach the browser. No lane has a colour of its own: its name stands above it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any, cast
from zoneinfo import ZoneInfo

import altair as alt
import numpy as np
import pandas as pd

from charts.theme import SANS, Theme, altair_config
from core.formats import DASH, number

LANE_PX = 76
_FILLED = 0.66  # of a lane; its name stands above
_PRINT_WIDTH, _PRINT_LANE, _PRINT_LEFT, _PRINT_TOP = 1000.0, 70.0, 8.0, 22.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One series: `values` by END of the hour or day (UTC), NaN: a gap."""

    name: str
    unit: str
    decimals: int
    values: pd.Series[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One event over all lanes; `mark` is the letter by which the legend names its kind."""

    since: datetime
    until: datetime
    mark: str
    words: str


def lanes(
    shown: Sequence[Lane],
    bands: Sequence[Band],
    *,
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    language: str = "vi",
    theme: Theme,
) -> alt.LayerChart:
    """The lanes from top to bottom, each between its own lowest and highest value, which stand beside its name.

    One cursor runs through all of them and tells every value at its time. Show it with theme=None.
    """
    count = len(shown)
    bounds = [_bound(one, zone) for one in (since, until)]
    form = "%d/%m" if until - since > timedelta(hours=60) else "%d/%m %H:%M"
    axis = alt.Axis(format=form, grid=True, gridColor=theme.line, tickCount=8, labelOverlap=True)
    x = alt.X("time:T", title=None, axis=axis, scale=alt.Scale(domain=bounds, nice=False))
    y = alt.Y("level:Q", title=None, axis=None, scale=alt.Scale(domain=[0, count], nice=False))
    frames = [_placed(lane, count - 1 - place, zone, language) for place, lane in enumerate(shown)]
    points = pd.concat(frames, ignore_index=True)
    layers: list[Any] = []
    if bands:
        happened = pd.DataFrame(
            {
                "time": _plain([max(one.since - timedelta(hours=1), since) for one in bands], zone),
                "end": _plain([min(one.until, until) for one in bands], zone),
                "mark": [one.mark for one in bands],
                "words": [one.words for one in bands],
            }
        )
        told = [alt.Tooltip("words:N", title=" ")]
        rect = alt.Chart(happened, name="bands").mark_rect(color=theme.band_edge, opacity=0.55)
        layers.append(rect.encode(x=x, x2="end:T", tooltip=told))
        text = alt.Chart(happened, name="band_marks").mark_text(
            align="left", baseline="bottom", dy=-4, fontSize=13, fontWeight=600, color=theme.ink1
        )
        layers.append(text.encode(x=x, y=alt.value(0), text="mark:N"))
    floors = pd.DataFrame({"level": list(range(count))})
    layers.append(alt.Chart(floors, name="floors").mark_rule(color=theme.line2, strokeWidth=0.6).encode(y=y))
    line = alt.Chart(points, name="lanes").mark_line(color=theme.data, strokeWidth=1.6)
    layers.append(line.encode(x=x, y=y, detail=["lane:N", "run:N"]))
    names = pd.DataFrame(
        {
            "time": _plain([since] * count, zone),
            "level": [count - place - 0.06 for place in range(count)],
            "words": [_heading(lane, language) for lane in shown],
        }
    )
    title = alt.Chart(names, name="names").mark_text(
        align="left", baseline="top", dx=4, fontSize=13, fontWeight=500, color=theme.ink1
    )
    layers.append(title.encode(x=x, y=y, text="words:N"))
    layers += _cursor(shown, points, x, theme)
    chart = alt.layer(*layers).properties(width="container", height=LANE_PX * count, padding={"top": 22})
    return cast(alt.LayerChart, chart.configure(**altair_config(theme, language)))


def _heading(lane: Lane, language: str) -> str:
    """«Mưa: 0,0 – 3,4 mm»: what the height of the lane stands for."""
    known = lane.values.dropna()
    if known.empty:
        return lane.name
    low, high = (number(float(one), lane.decimals, language) for one in (known.min(), known.max()))
    return f"{lane.name}: {low} – {high} {lane.unit}".strip()


def _placed(lane: Lane, floor: int, zone: ZoneInfo, language: str) -> pd.DataFrame:
    """Points of a lane at their heights; a new run after every gap, so that the line breaks there."""
    values = lane.values.to_numpy(dtype=np.float64)
    known = np.isfinite(values)
    low = float(values[known].min()) if known.any() else 0.0
    high = float(values[known].max()) if known.any() else 0.0
    frame = pd.DataFrame({"time": pd.DatetimeIndex(lane.values.index).tz_convert(zone).tz_localize(None)})
    frame["level"] = floor + 0.06 + _FILLED * (values - low) / (high - low or 1.0)
    frame["run"] = np.cumsum(~known)
    frame["lane"] = floor
    frame["words"] = [f"{number(float(one), lane.decimals, language)} {lane.unit}".strip() for one in values]
    return frame[known]


def _cursor(shown: Sequence[Lane], points: pd.DataFrame, x: alt.X, theme: Theme) -> list[Any]:
    """A rule through all lanes at the time nearest to the pointer, with every lane's value there."""
    table = points.pivot_table(index="time", columns="lane", values="words", aggfunc="first")
    table = table.fillna(DASH).rename(columns=lambda floor: f"v{floor}").reset_index()
    table["when"] = table["time"].dt.strftime("%d/%m %H:%M")
    told = [alt.Tooltip("when:N", title=" ")]
    told += [
        alt.Tooltip(f"v{len(shown) - 1 - place}:N", title=lane.name)
        for place, lane in enumerate(shown)
        if f"v{len(shown) - 1 - place}" in table
    ]
    near = alt.selection_point(name="near", on="pointermove", nearest=True, encodings=["x"], empty=False)
    seen = alt.condition(near, alt.value(0.9), alt.value(0))
    rule = alt.Chart(table, name="cursor").mark_rule(color=theme.focus, strokeWidth=1.4)
    return [rule.encode(x=x, opacity=seen, tooltip=told).add_params(near)]


def lanes_svg(
    shown: Sequence[Lane],
    bands: Sequence[Band],
    *,
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    language: str = "vi",
    theme: Theme,
) -> str:
    """The same as SVG of 1000 units width, for paper. Names and units are escaped."""
    height = _PRINT_TOP + len(shown) * (_PRINT_LANE + _PRINT_TOP) + 24
    span = (until - since).total_seconds()

    def at(moment: datetime) -> float:
        return _PRINT_LEFT + (moment - since).total_seconds() / span * (_PRINT_WIDTH - 2 * _PRINT_LEFT)

    body: list[str] = []
    bottom = height - 24
    for one in bands:
        left, right = (
            max(at(one.since - timedelta(hours=1)), _PRINT_LEFT),
            min(at(one.until), _PRINT_WIDTH - _PRINT_LEFT),
        )
        if right > left:
            body.append(
                f'<rect x="{left:.1f}" y="{_PRINT_TOP}" width="{right - left:.1f}" height="{bottom - _PRINT_TOP:.1f}" '
                f'fill="{theme.band}"/><text x="{left:.1f}" y="{_PRINT_TOP - 6}" font-size="14">'
                f"{escape(one.mark)}</text>"
            )
    for place, lane in enumerate(shown):
        top = _PRINT_TOP + place * (_PRINT_LANE + _PRINT_TOP)
        body += _lane_svg(lane, top + _PRINT_TOP, at, language, theme)
    days = pd.date_range(since.astimezone(zone), until.astimezone(zone), freq="D", normalize=True)
    for day in days[:: max(1, len(days) // 8)]:
        if since <= day <= until:
            x = at(day.to_pydatetime())
            body.append(f'<text x="{x:.1f}" y="{height - 6:.0f}" font-size="13">{day:%d/%m}</text>')
    return (
        f'<svg viewBox="0 0 {_PRINT_WIDTH:.0f} {height:.0f}" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'font-family="{SANS}" fill="{theme.ink1}">' + "".join(body) + "</svg>"
    )


def _lane_svg(lane: Lane, top: float, at: Callable[[datetime], float], language: str, theme: Theme) -> list[str]:
    """Name with lowest and highest value, and the line between them, broken at gaps."""
    values = lane.values.to_numpy(dtype=np.float64)
    known = np.isfinite(values)
    words = escape(_heading(lane, language))
    title = f'<text x="{_PRINT_LEFT}" y="{top - 4:.1f}" font-size="14" font-weight="500">{words}</text>'
    if not known.any():
        return [title]
    low, high = float(values[known].min()), float(values[known].max())
    scale = (_PRINT_LANE - 8) / (high - low or 1.0)
    moments = [one.to_pydatetime() for one in pd.DatetimeIndex(lane.values.index)]
    pen, steps = False, []
    for moment, value, there in zip(moments, values, known, strict=True):
        if there:
            steps.append(f"{'L' if pen else 'M'}{at(moment):.1f} {top + _PRINT_LANE - 4 - (value - low) * scale:.1f}")
        pen = bool(there)
    return [title, f'<path d="{"".join(steps)}" fill="none" stroke="{theme.data}" stroke-width="1.6"/>']


def profile(
    strengths: Sequence[float],
    *,
    lag: int,
    margin: float,
    axis_words: str,
    language: str = "vi",
    theme: Theme,
    height: int = 220,
) -> alt.LayerChart:
    """Strength at every lag (the middle one is 0) as stems; `margin`: what chance alone reaches 95 times of 100 at one
    lag; the found lag is the filled, dark one. Show it with theme=None.
    """
    reach = len(strengths) // 2
    frame = pd.DataFrame({"lag": np.arange(-reach, reach + 1), "value": list(strengths)})
    frame["words"] = [number(float(one), 2, language, signed=True) for one in frame["value"]]
    frame["found"] = frame["lag"] == lag
    most = max(float(frame["value"].abs().max()), margin) * 1.15
    x = alt.X("lag:Q", title=axis_words, axis=alt.Axis(tickCount=9), scale=alt.Scale(domain=[-reach - 1, reach + 1]))
    y = alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=5), scale=alt.Scale(domain=[-most, most], nice=False))
    shade = alt.condition("datum.found", alt.value(theme.focus), alt.value(theme.line2))
    told = [alt.Tooltip("lag:Q", title=axis_words), alt.Tooltip("words:N", title="r")]
    around = alt.Chart(pd.DataFrame({"low": [-margin], "high": [margin]}), name="chance").mark_rect(
        color=theme.band, opacity=0.9
    )
    layers: list[Any] = [
        around.encode(y=alt.Y("low:Q", title=None), y2="high:Q"),
        alt.Chart(pd.DataFrame({"value": [0.0]}), name="zero").mark_rule(color=theme.ink3).encode(y=y),
        alt.Chart(frame, name="stems").mark_bar(size=3).encode(x=x, y=y, color=shade, tooltip=told),
    ]
    chart = alt.layer(*layers).properties(width="container", height=height)
    return cast(alt.LayerChart, chart.configure(**altair_config(theme, language)))


def _plain(moments: Sequence[datetime], zone: ZoneInfo) -> pd.DatetimeIndex:
    """City time without a zone, which Vega reads in the browser's own «local» time."""
    return pd.DatetimeIndex([pd.Timestamp(one).tz_convert(zone).tz_localize(None) for one in moments])


def _bound(moment: datetime, zone: ZoneInfo) -> alt.DateTime:
    at = moment.astimezone(zone)
    return alt.DateTime(year=at.year, month=at.month, date=at.day, hours=at.hour, minutes=at.minute)
