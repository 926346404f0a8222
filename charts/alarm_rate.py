"""The load of the alarm system as pictures: annunciations per ten minutes with flood bands, rings per day, bars.

Times become naive city time before they reach the browser, so that a browser in another zone draws the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import altair as alt
import pandas as pd

from charts.theme import Theme, altair_config
from core.formats import number

FLOOD_ABOVE = 10  # annunciations in ten minutes
LEAST_TOP = 12.0  # of the axis: an even load looks even, and the flood line is seen
WORDS = {
    "vi": {"flood": "trận dồn dập", "limit": "ngưỡng dồn dập", "rings": "lần reo"},
    "en": {"flood": "flood", "limit": "flood limit", "rings": "rings"},
}
DAY_TOP = 4.0  # of days without a ring: an axis all the same, with its zero at the bottom
FULL_HEIGHT = alt.value({"expr": "height"})


def _words(language: str) -> dict[str, str]:
    return WORDS["en" if language == "en" else "vi"]


def _plain(moments: Sequence[datetime], zone: ZoneInfo) -> pd.DatetimeIndex:
    """City time without a zone, which Vega reads in the browser's own «local» time."""
    return pd.DatetimeIndex([moment.astimezone(zone).replace(tzinfo=None) for moment in moments])


def rate(
    counts: Sequence[int],
    *,
    since: datetime,
    until: datetime,
    step: timedelta,
    floods: Sequence[tuple[datetime, datetime]] = (),
    zone: ZoneInfo,
    language: str = "vi",
    theme: Theme,
    height: int = 240,
) -> alt.LayerChart:
    """Annunciations per ten minutes as bars: one for each `step` from `since` on, the last one cut at `until`.

    `floods` are (start, end) and stand as bands behind the bars; a dashed line marks the ten annunciations above which
    a flood begins. Show it with theme=None.
    """
    words = _words(language)
    starts = [since + step * place for place in range(len(counts))]
    ends = [min(start + step, until) for start in starts]
    frame = pd.DataFrame({"start": _plain(starts, zone), "end": _plain(ends, zone), "count": list(counts)})
    form = "%H:%M" if until - since <= timedelta(hours=36) else "%d/%m %H:%M"
    frame["when"] = frame["start"].dt.strftime(form) + " – " + frame["end"].dt.strftime(form)
    frame["words"] = [f"{number(count, 0, language)} {words['rings']}" for count in counts]
    bounds = [moment.astimezone(zone) for moment in (since, until)]
    domain = [
        alt.DateTime(year=one.year, month=one.month, date=one.day, hours=one.hour, minutes=one.minute) for one in bounds
    ]
    axis = alt.Axis(format="%H:%M" if until - since <= timedelta(hours=36) else "%d/%m", tickCount=9, labelOverlap=True)
    x = alt.X("start:T", title=None, axis=axis, scale=alt.Scale(domain=domain, nice=False))
    top = max([LEAST_TOP, *(float(count) for count in counts)]) * 1.06
    y = alt.Y(
        "count:Q",
        title=None,
        axis=alt.Axis(tickCount=5, format="d"),
        scale=alt.Scale(domain=[0, top], nice=False),
    )
    bands = pd.DataFrame(
        {"start": _plain([one for one, _ in floods], zone), "end": _plain([one for _, one in floods], zone)}
    )
    bands["words"] = bands["start"].dt.strftime("%d/%m %H:%M") + " – " + bands["end"].dt.strftime("%H:%M")
    flooded = (
        alt.Chart(bands, name="floods")
        .mark_rect(aria=False, color=theme.critical.tint, stroke=theme.critical.line, strokeWidth=1)
        .encode(
            x=x,
            x2="end:T",
            y=alt.value(0),
            y2=FULL_HEIGHT,
            tooltip=[alt.Tooltip("words:N", title=words["flood"])],
        )
    )
    bars = (
        alt.Chart(frame[frame["count"] > 0], name="rate")
        .mark_rect(color=theme.data)
        .encode(
            x=x,
            x2="end:T",
            y=y,
            y2=alt.datum(0),
            tooltip=[alt.Tooltip("when:N", title=" "), alt.Tooltip("words:N", title=" ")],
        )
    )
    limit = pd.DataFrame({"count": [FLOOD_ABOVE], "words": [words["limit"]], "start": _plain([since], zone)})
    line = alt.Chart(limit, name="limit").mark_rule(color=theme.ink3, strokeDash=[5, 4], strokeWidth=1.3).encode(y=y)
    label = (
        alt.Chart(limit, name="limit_word")
        .mark_text(align="left", baseline="bottom", dx=4, dy=-3, color=theme.ink2, fontSize=13)
        .encode(x=x, y=y, text="words:N")
    )
    chart = alt.layer(flooded, bars, line, label).properties(width="container", height=height)
    return cast(alt.LayerChart, chart.configure(**altair_config(theme, language)))


def per_day(
    days: Sequence[tuple[date, int]],
    *,
    compared: Sequence[tuple[date, int]] | None = None,
    language: str = "vi",
    theme: Theme,
    height: int = 180,
) -> alt.LayerChart:
    """Rings per day as bars; `compared` (another setting of the rule, the same days) stands as ticks on them."""
    words = _words(language)

    def framed(counted: Sequence[tuple[date, int]]) -> pd.DataFrame:
        form = "%d %b" if language == "en" else "%d/%m"
        return pd.DataFrame(
            {
                "order": range(len(counted)),
                "day": [day.strftime(form) for day, _ in counted],
                "count": [count for _, count in counted],
                "words": [f"{number(count, 0, language)} {words['rings']}" for _, count in counted],
            }
        )

    axis = alt.Axis(labelAngle=0, labelOverlap=True)
    x = alt.X("day:O", title=None, sort=alt.EncodingSortField("order", op="min"), axis=axis)
    top = max([DAY_TOP, *(float(count) for _, count in [*days, *(compared or ())])])
    y = alt.Y(
        "count:Q", title=None, axis=alt.Axis(tickCount=4, format="d"), scale=alt.Scale(domain=[0, top], nice=True)
    )
    tooltip = [alt.Tooltip("day:N", title=" "), alt.Tooltip("words:N", title=" ")]
    bars = alt.Chart(framed(days), name="days").mark_bar(color=theme.data).encode(x=x, y=y, tooltip=tooltip)
    ticks = alt.Chart(framed(compared or ()), name="compared").mark_tick(aria=False, color=theme.focus, thickness=3)
    chart = alt.layer(bars, ticks.encode(x=x, y=y, tooltip=tooltip)).properties(width="container", height=height)
    return cast(alt.LayerChart, chart.configure(**altair_config(theme, language)))


def bars(
    counted: Sequence[tuple[str, int]], *, language: str = "vi", theme: Theme, height: int = 180
) -> alt.LayerChart:
    """How many of each class, the classes in the order given; every bar carries its number."""
    frame = pd.DataFrame(
        {
            "order": range(len(counted)),
            "name": [name for name, _ in counted],
            "count": [count for _, count in counted],
            "words": [number(count, 0, language) for _, count in counted],
        }
    )
    top = max([1.0, *(float(count) for _, count in counted)]) * 1.15
    x = alt.X("count:Q", title=None, axis=None, scale=alt.Scale(domain=[0, top], nice=False))
    y = alt.Y("name:O", title=None, sort=alt.EncodingSortField("order", op="min"), axis=alt.Axis(labelLimit=240))
    drawn = alt.Chart(frame, name="bars").mark_bar(color=theme.data).encode(x=x, y=y)
    said = alt.Chart(frame, name="numbers").mark_text(align="left", dx=5, color=theme.ink1, fontSize=13)
    chart = alt.layer(drawn, said.encode(x=x, y=y, text="words:N")).properties(width="container", height=height)
    return cast(alt.LayerChart, chart.configure(**altair_config(theme, language)))
