"""A rule tried on history: what was judged at one place, where the rule would have rung, and its setpoints.

Times become naive city time before they reach the browser, so that a browser in another zone draws the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import altair as alt
import numpy as np
import pandas as pd

from charts.sparkline import Floats, runs, seconds, thinned
from charts.theme import PRIORITY_WORDS, Theme, altair_config
from core.alert import PRIORITIES
from core.formats import number

MOST_POINTS = 2000
SHAPES = {"critical": "diamond", "high": "triangle-up", "medium": "square", "low": "circle"}
_MOST_REACHES = 4.0  # a setpoint is shown while the line keeps a quarter of the height

Ring = tuple[datetime, datetime | None, str]  # began, ended, priority
Setpoint = tuple[str, float]  # priority, value


def tried(
    judged: pd.DataFrame,
    *,
    rings: Sequence[Ring],
    setpoints: Sequence[Setpoint] = (),
    since: datetime,
    until: datetime,
    period: timedelta,
    decimals: int,
    unit: str,
    zone: ZoneInfo,
    language: str = "vi",
    theme: Theme,
    height: int = 300,
) -> alt.LayerChart:
    """The judged series of one site with its activations as bands, and flags in shape and colour of their priority.

    `judged` has time (aware) and value [unit]; at most 2,000 points are drawn, every peak is kept, and the line breaks
    where more than one and a half `period` is missing. Show it with theme=None.
    """
    words = PRIORITY_WORDS["en" if language == "en" else "vi"]
    value = judged["value"].to_numpy(dtype=np.float64)
    lowest, highest, shown = _bounds(value, setpoints)
    bounds = [moment.astimezone(zone) for moment in (since, until)]
    domain = [
        alt.DateTime(year=one.year, month=one.month, date=one.day, hours=one.hour, minutes=one.minute) for one in bounds
    ]
    axis = alt.Axis(format="%d %b" if language == "en" else "%d/%m", tickCount=10, labelOverlap=True)
    x = alt.X("time:T", title=None, axis=axis, scale=alt.Scale(domain=domain, nice=False))
    scale = alt.Scale(domain=[lowest, highest], nice=False, zero=False)
    y = alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=5), scale=scale)
    flags = pd.DataFrame(
        {
            "time": _plain([began for began, _, _ in rings], zone),
            "end": _plain([ended or until for _, ended, _ in rings], zone),
            "priority": [priority for _, _, priority in rings],
        }
    )
    flags["words"] = flags["time"].dt.strftime("%d/%m %H:%M") + " – " + flags["end"].dt.strftime("%d/%m %H:%M")
    flags["level"] = [words[priority] for priority in flags["priority"]]
    colours = alt.Scale(domain=list(PRIORITIES), range=[theme.priority(name).line for name in PRIORITIES])
    shapes = alt.Scale(domain=list(PRIORITIES), range=[SHAPES[name] for name in PRIORITIES])
    colour = alt.Color("priority:N", legend=None, scale=colours)
    tooltip = [alt.Tooltip("words:N", title=" "), alt.Tooltip("level:N", title=" ")]
    limits = pd.DataFrame(
        {
            "value": [limit for _, limit in shown],
            "priority": [priority for priority, _ in shown],
            "words": [f"{words[priority]} {number(limit, decimals, language)}" for priority, limit in shown],
            "time": _plain([since] * len(shown), zone),
        }
    )
    bands = alt.Chart(flags, name="active").mark_rect(opacity=0.18)
    rules = alt.Chart(limits, name="setpoints").mark_rule(strokeDash=[5, 4], strokeWidth=1.3)
    labels = alt.Chart(limits, name="setpoint_words").mark_text(align="left", baseline="bottom", dx=4, dy=-2)
    at = seconds(judged["time"])
    line = alt.Chart(_points(at, value, period, zone, decimals, unit, language), name="judged")
    said = [alt.Tooltip("when:N", title=" "), alt.Tooltip("words:N", title=" ")]
    rung = alt.Chart(flags, name="rings").mark_point(filled=True, size=90, opacity=1)
    chart = alt.layer(
        bands.encode(x=x, x2="end:T", y=alt.value(0), y2=alt.value({"expr": "height"}), color=colour),
        rules.encode(y=y, color=colour),
        line.mark_line(color=theme.data, strokeWidth=1.4).encode(x=x, y=y, detail="run:N", tooltip=said),
        labels.encode(x=x, y=y, text="words:N"),
        rung.encode(
            x=x,
            y=alt.value(-9),
            color=colour,
            shape=alt.Shape("priority:N", legend=None, scale=shapes),
            tooltip=tooltip,
        ),
    )
    title = alt.TitleParams(text=unit, color=theme.ink3, fontSize=13, fontWeight=400, offset=20, frame="group")
    drawn = chart.properties(width="container", height=height, title=title)
    return cast(alt.LayerChart, drawn.configure(**altair_config(theme, language)))


def _plain(moments: Sequence[datetime], zone: ZoneInfo) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([moment.astimezone(zone).replace(tzinfo=None) for moment in moments])


def _bounds(value: Floats, setpoints: Sequence[Setpoint]) -> tuple[float, float, list[Setpoint]]:
    """Range of the y axis, and the setpoints that lie in it: a far one must not flatten the line."""
    known = value[np.isfinite(value)].tolist() or [limit for _, limit in setpoints] or [0.0, 1.0]
    lowest, highest = min(known), max(known)
    reach = (highest - lowest) or max(abs(highest), 1.0)
    near = [
        (priority, limit)
        for priority, limit in setpoints
        if max(highest, limit) - min(lowest, limit) <= _MOST_REACHES * reach
    ]
    lowest = min([lowest, *(limit for _, limit in near)])
    highest = max([highest, *(limit for _, limit in near)])
    pad = (highest - lowest) * 0.08 or max(abs(highest) * 0.1, 1.0)
    return lowest - pad, highest + pad, near


def _points(
    at: Floats, value: Floats, period: timedelta, zone: ZoneInfo, decimals: int, unit: str, language: str
) -> pd.DataFrame:
    run = np.zeros(len(at), dtype=np.intp)
    for place, part in enumerate(runs(at, period.total_seconds())):
        run[part] = place
    kept = thinned(at, value, MOST_POINTS)
    moments = pd.to_datetime(np.rint(at[kept] * 1000).astype("int64"), unit="ms", utc=True)
    time = moments.tz_convert(zone).tz_localize(None)
    words = [f"{number(one, decimals, language)} {unit}".strip() for one in value[kept].tolist()]
    return pd.DataFrame(
        {"time": time, "value": value[kept], "run": run[kept], "when": time.strftime("%d/%m %H:%M"), "words": words}
    )
