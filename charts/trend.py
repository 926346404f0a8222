"""The large chart of one indicator: one line on its usual band, limits by name, holes as boxes, alerts as flags.

Times become naive city time before they reach the browser, so that a browser in another zone draws the same picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import altair as alt
import numpy as np
import pandas as pd

from charts.sparkline import Floats, gaps, present_excursion, runs, seconds, thinned
from charts.theme import PRIORITY_WORDS, Theme, altair_config
from core.alert import PRIORITIES
from core.catalogue import ObservedProperty
from core.formats import number
from core.observations import USABLE

MOST_POINTS = 2000
EVENT_SHAPES = {"critical": "diamond", "high": "triangle-up", "medium": "square", "low": "circle"}
WORDS = {
    "vi": {
        "usual": "thường lệ",
        "no_data": "không có dữ liệu",
        "no_values": "Không có số liệu trong khoảng này",
        "ahead": "dự báo",
        "from": "từ {day}",
        "until": "đến {day}",
    },
    "en": {
        "usual": "usual",
        "no_data": "no data",
        "no_values": "No data in this span",
        "ahead": "forecast",
        "from": "from {day}",
        "until": "until {day}",
    },
}
_ROOM_FOR_LABELS = 0.14  # of the span, right of «now», for the direct labels
_LABEL_PITCH_PX = 17
_AROUND_PLOT_PX = 70  # what unit, flags and axis take of the height
MOST_BESIDE = 3
_DASHES = ([7, 3], [2, 3], [9, 3, 2, 3])  # other lines: told apart by dashes and words, colour is for the abnormal
_MOST_REACHES = 2.5  # a limit is shown while data and band keep 40 % of the height
_FINEST_SHARE = 1000  # of the span: about a pixel, less cannot be seen
_TICK_STEPS = tuple(timedelta(minutes=step) for step in (5, 10, 15, 30, 60, 120, 180, 360, 720)) + tuple(
    timedelta(days=step) for step in (1, 2, 5, 7, 14, 30, 60, 90)
)

Threshold = tuple[str, float]
Event = tuple[datetime, str, str]
Mark = tuple[datetime, str]
Span = tuple[
    datetime, datetime, str, bool
]  # from, to, words, and whether it is a kind of day (else a fact of the place)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedLimit:
    """A limit that holds for a part of the span only. None: since ever, or for good."""

    name: str
    value: float
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paper:
    """What every layer needs to know about the chart that it is drawn on."""

    prop: ObservedProperty
    zone: ZoneInfo
    language: str
    theme: Theme
    since: datetime
    until: datetime
    end: datetime  # of the plot: `until`, or the last step of a forecast

    @property
    def words(self) -> dict[str, str]:
        return WORDS["en" if self.language == "en" else "vi"]

    @property
    def period_s(self) -> float:
        return self.prop.period.total_seconds()

    def plain(self, *moments: datetime) -> pd.DatetimeIndex:
        """City time without a zone, which Vega reads in the browser's own «local» time."""
        return self.plain_seconds(np.array([moment.timestamp() for moment in moments]))

    def plain_seconds(self, at_s: Floats) -> pd.DatetimeIndex:
        """The same for seconds since 1970."""
        moments = pd.to_datetime(np.rint(at_s * 1000).astype("int64"), unit="ms", utc=True)
        return moments.tz_convert(self.zone).tz_localize(None)

    def bound(self, moment: datetime) -> alt.DateTime:
        """City time as a bound or tick of an axis."""
        at = moment.astimezone(self.zone)
        return alt.DateTime(
            year=at.year, month=at.month, date=at.day, hours=at.hour, minutes=at.minute, seconds=at.second
        )

    def value_words(self, value: float) -> str:
        """«2,18 lần»."""
        return f"{number(value, self.prop.decimals, self.language)} {self.prop.unit_label(self.language)}".strip()

    def time_axis(self, most_ticks: int) -> alt.Axis:
        """Round steps of city time, and a tick of its own for «now»; none in the room for labels after the end."""
        span = self.end - self.since
        step = next((step for step in _TICK_STEPS if span / step <= most_ticks), _TICK_STEPS[-1])
        midnight = self.since.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        count = int((self.end - midnight) / step) + 1
        ticks = [tick for tick in (midnight + step * index for index in range(count)) if self.since <= tick]
        if span <= timedelta(hours=48):
            ticks = [tick for tick in ticks if abs(self.until - tick) > span * (0.5 / most_ticks)] + [self.until]
            form = "%H:%M"
        elif span <= timedelta(days=120):
            form = "%d %b" if self.language == "en" else "%d/%m"
        else:
            form = "%b %Y" if self.language == "en" else "%m/%Y"
        return alt.Axis(format=form, values=[self.bound(tick) for tick in ticks], labelOverlap=True)

    def value_axis(self, lowest: float, highest: float, ticks: int) -> alt.Y:
        """The y channel from lowest to highest, with as many decimals as its ticks need."""
        span = highest - lowest
        decimals = max(0, int(np.ceil(-np.log10(span / 4)))) if span < 4 else 0
        return alt.Y(
            "value:Q",
            title=None,
            scale=alt.Scale(domain=[lowest, highest], nice=False, zero=False),
            axis=alt.Axis(tickCount=ticks, format=f",.{decimals}f"),
        )

    def points(self, at: Floats, value: Floats, most: int) -> pd.DataFrame:
        """At most `most` points of a line that breaks at gaps: time, value, run, and the words of the tooltip."""
        run = np.zeros(len(at), dtype=np.intp)
        for run_number, part in enumerate(runs(at, self.period_s)):
            run[part] = run_number
        kept = thinned(at, value, most)
        time = self.plain_seconds(at[kept])
        return pd.DataFrame(
            {
                "time": time,
                "value": value[kept],
                "run": run[kept],
                "when": time.strftime("%d/%m %H:%M"),
                "words": [self.value_words(one) for one in value[kept].tolist()],
            }
        )

    def tooltip(self) -> list[alt.Tooltip]:
        """Time and value, as words that were formatted here."""
        return [alt.Tooltip("when:N", title=" "), alt.Tooltip("words:N", title=self.prop.name(self.language))]


def trend(
    data: pd.DataFrame,
    *,
    prop: ObservedProperty,
    zone: ZoneInfo,
    language: str = "vi",
    theme: Theme,
    band: pd.DataFrame | None = None,
    thresholds: Sequence[Threshold] = (),
    events: Sequence[Event] = (),
    artefacts: Sequence[Mark] = (),
    abnormal: str | None = None,
    since: datetime,
    until: datetime,
    height: int = 360,
    dated: Sequence[DatedLimit] = (),
    ahead: pd.DataFrame | None = None,
    beside: Mapping[str, pd.DataFrame] | None = None,
    spans: Sequence[Span] = (),
) -> alt.LayerChart:
    """One indicator over time, as wide as its container.

    `data` has time (aware), value [unit of `prop`] and quality; only usable values are drawn, at most 2,000 points of
    them, with every peak kept. `band` has time, low, middle, high; `thresholds` are (name, value), `events` are
    (time, priority, title), `artefacts` (time, why): steps of the data, not of the city.
    `dated` are limits that changed within the span: each is drawn where it held, with the day at which it changed.
    `ahead` is a forecast (time, low, middle, high): a dotted line with its interval, right of «now».
    `spans` are pale columns behind the line (holidays) and grey bars at its foot (repairs, closed roads).
    `beside` holds up to MOST_BESIDE other series by name, thin and dashed, in the same unit.
    `abnormal` is the priority of a present alert: it colours the present excursion from the band and the last point.
    Show it with theme=None: the chart carries its own colours, font and number format.
    """
    end = until if ahead is None or ahead.empty else max(until, ahead["time"].max().to_pydatetime())
    paper = _Paper(prop=prop, zone=zone, language=language, theme=theme, since=since, until=until, end=end)
    usable = _usable(data, since, until)
    others = {name: _usable(one, since, until) for name, one in list((beside or {}).items())[:MOST_BESIDE]}
    others = {name: one for name, one in others.items() if not one.empty}
    at, value = seconds(usable["time"]), usable["value"].to_numpy(dtype=np.float64)
    usual = None if band is None else band.loc[(band["time"] >= since - timedelta(hours=1)) & (band["time"] <= end)]
    if usual is not None and usual.empty:
        usual = None
    seen = [value, *(one["value"].to_numpy(dtype=np.float64) for one in others.values())]
    if ahead is not None:
        seen.append(ahead[["low", "high"]].to_numpy(dtype=np.float64).ravel())
    told = [*thresholds, *((one.name, one.value) for one in dated)]
    lowest, highest = _value_domain(np.concatenate(seen), usual, told, starts_at_zero(prop))
    visible = [limit for limit in thresholds if lowest <= limit[1] <= highest]
    right = end + (end - since) * _ROOM_FOR_LABELS
    axis = paper.time_axis(9)
    x, y = alt.X("time:T", title=None, axis=axis), paper.value_axis(lowest, highest, 4)
    # one layer alone carries the bounds: Vega-Lite takes those of layers with an x2 for other ones, and unites them
    bounded = alt.X(
        "time:T", title=None, axis=axis, scale=alt.Scale(domain=[paper.bound(since), paper.bound(right)], nice=False)
    )
    layers: list[Any] = _span_layers(paper, spans, x)
    if usual is not None:
        layers.append(_band_layer(paper, usual, x, y))
    holes = gaps(at, since.timestamp(), until.timestamp(), paper.period_s)
    least_s = (until - since).total_seconds() / _FINEST_SHARE
    if ahead is not None and not ahead.empty:
        layers += _ahead_layers(paper, ahead, x, y)
    layers.append(_gap_layer(paper, [hole for hole in holes if hole[1] - hole[0] >= least_s], x))
    if visible:
        layers.append(_threshold_layer(paper, visible, x, y))
    layers += _dated_layers(paper, [one for one in dated if lowest <= one.value <= highest], x, y)
    layers.append(
        alt.Chart(pd.DataFrame({"time": paper.plain(until)}), name="now")
        .mark_rule(color=theme.line2, strokeWidth=1)
        .encode(x=bounded)
    )
    for place, one in enumerate(others.values()):
        layers.append(_beside_layer(paper, one, _DASHES[place % len(_DASHES)], x, y))
    present = [(one.name, one.value) for one in dated if one.until is None or one.until >= end]
    shown_limits = visible + [limit for limit in present if lowest <= limit[1] <= highest]
    labels = _labels(paper, value, usual, shown_limits, abnormal)
    labels += _labels_beside(paper, others, ahead)
    if labels:
        px_per_unit = (height - _AROUND_PLOT_PX) / (highest - lowest)
        layers += _label_layers(paper, labels, px_per_unit, (lowest, highest), right, x, y)
    if len(at):
        layers += _line_layers(paper, at, value, usual, abnormal, x, y)
    else:
        note = pd.DataFrame({"time": paper.plain(since + (until - since) / 2), "words": paper.words["no_values"]})
        text = alt.Chart(note, name="nothing").mark_text(color=theme.ink2, fontSize=15)
        layers.append(text.encode(x=x, y=alt.value({"expr": "height / 2"}), text="words:N"))
    shown_events = [event for event in events if since <= event[0] <= until]
    if shown_events:
        layers.append(_event_layer(paper, shown_events, x))
    shown_marks = [mark for mark in artefacts if since <= mark[0] <= until]
    if shown_marks:
        layers.append(_artefact_layer(paper, shown_marks, x))
    title = alt.TitleParams(
        text=prop.unit_label(language),
        anchor="start",
        frame="group",
        color=theme.ink3,
        fontSize=13,
        fontWeight=400,
        offset=24,
    )
    chart = alt.layer(*layers).properties(
        width="container", height=height, title=title, description=prop.name(language)
    )
    return cast(alt.LayerChart, chart.configure(**altair_config(theme, language)))


def small_multiples(
    data: pd.DataFrame,
    *,
    prop: ObservedProperty,
    zone: ZoneInfo,
    language: str = "vi",
    theme: Theme,
    order: Sequence[str] | None = None,
    since: datetime,
    until: datetime,
    columns: int = 3,
    width: int = 240,
    height: int = 110,
    artefacts: Mapping[str, Sequence[datetime]] | None = None,
) -> alt.FacetChart:
    """The same indicator at many places, all on one scale. `data` has time, name, value, quality.

    `order` lists the names in reading order (most deviating first); without it they stand in order of their last value,
    worst first. `artefacts`: name -> moments at which the data made a step. Raises ValueError for nothing to draw.
    """
    usable = _usable(data, since, until)
    if usable.empty:
        raise ValueError(f"{prop.key}: no usable value between {since} and {until}")
    paper = _Paper(prop=prop, zone=zone, language=language, theme=theme, since=since, until=until, end=until)
    parts, last = [], {}
    share = max(MOST_POINTS // usable["name"].nunique(), 20)
    for name, rows in usable.groupby("name", sort=True):
        at, value = seconds(rows["time"]), rows["value"].to_numpy(dtype=np.float64)
        parts.append(paper.points(at, value, share).assign(name=str(name)))
        last[str(name)] = float(value[-1])
    if order is None:
        order = sorted(last, key=lambda name: last[name], reverse=prop.direction != "higher")
    everything = pd.concat(parts, ignore_index=True)
    lowest, highest = _value_domain(everything["value"].to_numpy(), None, (), starts_at_zero(prop))
    bounds = alt.Scale(domain=[paper.bound(since), paper.bound(until)], nice=False)
    chart = (
        alt.Chart(everything)
        .mark_line(color=theme.data, strokeWidth=1.8)
        .encode(
            x=alt.X("time:T", title=None, scale=bounds, axis=paper.time_axis(4)),
            y=paper.value_axis(lowest, highest, 3),
            detail="run:N",
            tooltip=paper.tooltip(),
        )
        .properties(width=width, height=height)
    )
    title = alt.TitleParams(text=prop.unit_label(language), color=theme.ink3, fontSize=13, fontWeight=400)
    marks = [(name, at) for name, moments in (artefacts or {}).items() for at in moments if since <= at <= until]
    drawn: Any = chart
    if marks:
        frame = pd.DataFrame({"time": paper.plain(*(at for _, at in marks)), "name": [name for name, _ in marks]})
        rule = alt.Chart().mark_rule(color=theme.ink2, strokeDash=[2, 3]).encode(x="step:T")
        everything = pd.concat([everything, frame.rename(columns={"time": "step"})], ignore_index=True)
        drawn = alt.layer(chart, rule, data=everything)
    faceted = drawn.facet(
        facet=alt.Facet("name:N", title=None, sort=list(order), header=alt.Header(labelAnchor="start")),
        columns=columns,
        title=title,
    )
    return cast(alt.FacetChart, faceted.configure(**altair_config(theme, language)))


def starts_at_zero(prop: ObservedProperty) -> bool:
    """Counts, amounts and rates are read by their height above zero; levels (speed, stage, index) by their shape."""
    return prop.aggregation == "sum" or prop.unit in ("%", "mm", "cm") or prop.unit.startswith("{")


def _usable(data: pd.DataFrame, since: datetime, until: datetime) -> pd.DataFrame:
    keep = data["quality"].isin(USABLE) & data["value"].notna() & (data["time"] >= since) & (data["time"] <= until)
    return data.loc[keep].sort_values("time", kind="stable")


def _value_domain(
    value: Floats, usual: pd.DataFrame | None, thresholds: Sequence[Threshold], zero: bool
) -> tuple[float, float]:
    """Range of the y axis: data, band, and the limits near them, so that a far limit does not flatten the line.

    Where nothing moves at all (no rain), the next limit on either side gives the measure.
    """
    limits = [limit for _, limit in thresholds]
    found = value.tolist()
    if usual is not None:
        found += [float(usual["low"].min()), float(usual["high"].max())]
    if not found:
        found = limits or [0.0, 1.0]
    if zero:
        found.append(0.0)
    lowest, highest = min(found), max(found)
    reach = highest - lowest
    near = [limit for limit in limits if max(highest, limit) - min(lowest, limit) <= _MOST_REACHES * reach]
    if reach == 0:
        near = [min((limit for limit in limits if limit >= highest), default=highest)]
        near += [max((limit for limit in limits if limit <= lowest), default=lowest)]
    lowest, highest = min([lowest, *near]), max([highest, *near])
    pad = (highest - lowest) * 0.08 or max(abs(highest) * 0.1, 1.0)
    return (lowest if zero and lowest == 0 else lowest - pad), highest + pad


def _band_layer(paper: _Paper, usual: pd.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    at = seconds(usual["time"])
    since_s, until_s = paper.since.timestamp(), paper.end.timestamp()
    grid = np.concatenate(([since_s], at[(at > since_s) & (at < until_s)], [until_s]))
    low = np.interp(grid, at, usual["low"].to_numpy(dtype=np.float64))
    high = np.interp(grid, at, usual["high"].to_numpy(dtype=np.float64))
    # over a long span one row stands for many hours: the envelope of their bands
    starts = np.arange(0, len(grid), -(-len(grid) // _FINEST_SHARE))
    frame = pd.DataFrame(
        {
            "time": paper.plain_seconds(grid[starts]),
            "value": np.minimum.reduceat(low, starts),
            "high": np.maximum.reduceat(high, starts),
        }
    )
    area = alt.Chart(frame, name="band").mark_area(color=paper.theme.band, interpolate="monotone")
    return cast(alt.Chart, area.encode(x=x, y=y, y2="high:Q"))


def _span_layers(paper: _Paper, spans: Sequence[Span], x: alt.X) -> list[Any]:
    """Days of another kind as columns, what befell the place as bars on the axis; the words are in the tooltip, and
    in the list that the page puts under the chart.
    """
    inside = [one for one in spans if one[0] < paper.end and one[1] > paper.since]
    if not inside:
        return []
    least = (paper.end - paper.since) / (_FINEST_SHARE / 3)  # narrower than that it could not be seen
    starts = [max(start, paper.since) for start, *_ in inside]
    ends = [min(max(end, start + least), paper.end) for start, end, *_ in inside]
    frame = pd.DataFrame(
        {
            "time": paper.plain(*starts),
            "end": paper.plain(*ends),
            "words": [words for _, _, words, _ in inside],
            "day": [day for *_, day in inside],
        }
    )
    frame["when"] = frame["time"].dt.strftime("%d/%m %H:%M") + " – " + frame["end"].dt.strftime("%d/%m %H:%M")
    told = [alt.Tooltip("when:N", title=" "), alt.Tooltip("words:N", title=" ")]
    layers: list[Any] = []
    days, facts = frame[frame["day"]], frame[~frame["day"]]
    if len(days):
        column = alt.Chart(days, name="days").mark_rect(fill=paper.theme.line, fillOpacity=0.45)
        layers.append(column.encode(x=x, x2="end:T", tooltip=told))
    if len(facts):
        bar = alt.Chart(facts, name="facts").mark_rect(fill=paper.theme.ink3, fillOpacity=0.8)
        foot, top = alt.value({"expr": "height"}), alt.value({"expr": "height - 7"})
        layers.append(bar.encode(x=x, x2="end:T", y=top, y2=foot, tooltip=told))
    return layers


def _gap_layer(paper: _Paper, boxes: Sequence[tuple[float, float]], x: alt.X) -> alt.Chart:
    bounds = np.asarray(boxes, dtype=np.float64).reshape(-1, 2)
    frame = pd.DataFrame({"time": paper.plain_seconds(bounds[:, 0]), "end": paper.plain_seconds(bounds[:, 1])})
    frame["words"] = frame["time"].dt.strftime("%d/%m %H:%M") + " – " + frame["end"].dt.strftime("%d/%m %H:%M")
    box = alt.Chart(frame, name="gaps").mark_rect(
        aria=False,  # often empty; the alternative text of the whole says what there is
        fill=paper.theme.raised,
        fillOpacity=0.6,
        stroke=paper.theme.ink3,
        strokeDash=[4, 3],
        strokeWidth=1,
    )
    tooltip = [alt.Tooltip("words:N", title=paper.words["no_data"])]
    return cast(alt.Chart, box.encode(x=x, x2="end:T", tooltip=tooltip))


def _threshold_layer(paper: _Paper, limits: Sequence[Threshold], x: alt.X, y: alt.Y) -> alt.Chart:
    frame = pd.DataFrame({"value": [limit for _, limit in limits]})
    frame["time"], frame["end"] = paper.plain(paper.since)[0], paper.plain(paper.end)[0]
    rule = alt.Chart(frame, name="thresholds").mark_rule(color=paper.theme.ink3, strokeDash=[5, 4], strokeWidth=1.3)
    return cast(alt.Chart, rule.encode(x=x, x2="end:T", y=y))


def _ahead_layers(paper: _Paper, ahead: pd.DataFrame, x: alt.X, y: alt.Y) -> list[Any]:
    """The interval as an outlined light area and the middle as a dotted line."""
    frame = pd.DataFrame(
        {
            "time": paper.plain_seconds(seconds(ahead["time"])),
            "value": ahead["low"].to_numpy(dtype=np.float64),
            "high": ahead["high"].to_numpy(dtype=np.float64),
            "middle": ahead["middle"].to_numpy(dtype=np.float64),
        }
    )
    frame["when"] = frame["time"].dt.strftime("%d/%m %H:%M")
    frame["words"] = [
        f"{paper.value_words(middle)} ({paper.value_words(low)} – {paper.value_words(high)})"
        for middle, low, high in zip(frame["middle"], frame["value"], frame["high"], strict=True)
    ]
    theme = paper.theme
    tooltip = [alt.Tooltip("when:N", title=" "), alt.Tooltip("words:N", title=paper.words["ahead"])]
    area = alt.Chart(frame, name="ahead").mark_area(color=theme.data, opacity=0.16)
    edges = alt.Chart(frame).mark_line(color=theme.ink3, strokeWidth=0.8)
    dots = alt.Chart(frame[["time", "middle", "when", "words"]].rename(columns={"middle": "value"}))
    return [
        area.encode(x=x, y=y, y2="high:Q"),
        edges.encode(x=x, y=y),
        edges.encode(x=x, y=alt.Y("high:Q", title=None)),
        dots.mark_line(color=theme.data, strokeWidth=2.2, strokeDash=[2, 4]).encode(x=x, y=y),
        dots.mark_circle(size=90, color=theme.data, opacity=0).encode(x=x, y=y, tooltip=tooltip),
    ]


def _dated_layers(paper: _Paper, limits: Sequence[DatedLimit], x: alt.X, y: alt.Y) -> list[Any]:
    """Each limit where it held, and the day of its change in words at its beginning or end."""
    rows = []
    for one in limits:
        first = max(one.since or paper.since, paper.since)
        last = min(one.until or paper.end, paper.end)
        if first >= last:
            continue
        number_words = f"{one.name} {number(one.value, paper.prop.decimals, paper.language)}"
        changed = ""
        if one.since is not None and one.since > paper.since:
            changed = paper.words["from"].format(day=one.since.astimezone(paper.zone).strftime("%d/%m/%Y"))
        elif one.until is not None and one.until < paper.end:
            changed = paper.words["until"].format(day=one.until.astimezone(paper.zone).strftime("%d/%m/%Y"))
        start, end = paper.plain(first, last)
        rows.append(
            {"time": start, "end": end, "value": one.value, "words": f"{number_words} {changed}" if changed else ""}
        )
    if not rows:
        return []
    frame = pd.DataFrame(rows)
    rule = alt.Chart(frame, name="dated").mark_rule(color=paper.theme.ink3, strokeDash=[5, 4], strokeWidth=1.3)
    text = alt.Chart(frame[frame["words"] != ""], name="dated_words").mark_text(
        align="left", baseline="bottom", dx=4, dy=-3, color=paper.theme.ink2, fontSize=13
    )
    return [rule.encode(x=x, x2="end:T", y=y), text.encode(x=x, y=y, text="words:N")]


def _beside_layer(paper: _Paper, rows: pd.DataFrame, dash: Sequence[int], x: alt.X, y: alt.Y) -> alt.Chart:
    frame = paper.points(seconds(rows["time"]), rows["value"].to_numpy(dtype=np.float64), MOST_POINTS // 2)
    line = alt.Chart(frame).mark_line(color=paper.theme.ink2, strokeWidth=1.5, strokeDash=list(dash))
    return cast(alt.Chart, line.encode(x=x, y=y, detail="run:N"))


def _labels_beside(
    paper: _Paper, others: Mapping[str, pd.DataFrame], ahead: pd.DataFrame | None
) -> list[dict[str, Any]]:
    """The names of the other lines at their last value, and the word for the forecast."""
    ink = {"colour": paper.theme.ink2, "weight": 400, "size": 13}
    found = [{"value": float(one["value"].iloc[-1]), "words": name, **ink} for name, one in others.items()]
    if ahead is not None and not ahead.empty:
        found.append({"value": float(ahead["middle"].iloc[-1]), "words": paper.words["ahead"], **ink})
    return found


def _labels(
    paper: _Paper, value: Floats, usual: pd.DataFrame | None, limits: Sequence[Threshold], abnormal: str | None
) -> list[dict[str, Any]]:
    """What stands right of the plot, most important first: the last value, the limits, the word for the band."""
    theme = paper.theme
    labels: list[dict[str, Any]] = []
    if len(value):
        last = float(value[-1])
        ink = theme.ink1 if abnormal is None else theme.priority(abnormal).text
        labels.append({"value": last, "words": paper.value_words(last), "colour": ink, "weight": 600, "size": 15})
    for name, limit in limits:
        words = f"{name} {number(limit, paper.prop.decimals, paper.language)}"
        labels.append({"value": limit, "words": words, "colour": theme.ink2, "weight": 400, "size": 13})
    if usual is not None:
        middle = float((usual["low"].iloc[-1] + usual["high"].iloc[-1]) / 2)
        words = paper.words["usual"]
        labels.append({"value": middle, "words": words, "colour": theme.ink3, "weight": 400, "size": 13})
    return labels


def _label_layers(
    paper: _Paper,
    labels: list[dict[str, Any]],
    px_per_unit: float,
    domain: tuple[float, float],
    right: datetime,
    x: alt.X,
    y: alt.Y,
) -> list[Any]:
    """The labels at their heights, the later ones moved up or down until none covers another, and no grid behind."""
    pitch = _LABEL_PITCH_PX / px_per_unit
    shifts = sorted((step * pitch / 4 for step in range(-40, 41)), key=abs)
    taken: list[float] = []
    for label in labels:
        wished = label["value"]
        free = (
            wished + shift
            for shift in shifts
            if domain[0] <= wished + shift <= domain[1]
            and all(abs(wished + shift - other) >= pitch * 0.999 for other in taken)
        )
        label["value"] = next(free, wished)
        taken.append(label["value"])
    now, end = paper.plain(paper.end, right)
    ground = alt.Chart(pd.DataFrame({"time": [now], "end": [end]}), name="clear").mark_rect(fill=paper.theme.panel)
    text = alt.Chart(pd.DataFrame(labels).assign(time=now), name="labels").mark_text(
        align="left",
        baseline="middle",
        dx=10,
        color=alt.expr("datum.colour"),
        fontWeight=alt.expr("datum.weight"),
        fontSize=alt.expr("datum.size"),
    )
    return [ground.encode(x=x, x2="end:T"), text.encode(x=x, y=y, text="words:N")]


def _line_layers(
    paper: _Paper,
    at: Floats,
    value: Floats,
    usual: pd.DataFrame | None,
    abnormal: str | None,
    x: alt.X,
    y: alt.Y,
) -> list[Any]:
    """The line, the present excursion in its colour, the last point, and the point under the pointer."""
    theme = paper.theme
    colour = theme.data if abnormal is None else theme.priority(abnormal).line
    frame = paper.points(at, value, MOST_POINTS)
    line = alt.Chart(frame, name="series").mark_line(color=theme.data, strokeWidth=2.2)
    layers: list[Any] = [line.encode(x=x, y=y, detail="run:N")]
    if abnormal is not None and usual is not None:
        run = runs(at, paper.period_s)[-1]
        band_at = seconds(usual["time"])
        low, high = (np.interp(at[run], band_at, usual[side].to_numpy(dtype=np.float64)) for side in ("low", "high"))
        first = present_excursion(value[run], low, high)
        if first < len(low):
            start = run.start + max(first - 1, 0)  # from the last value inside, so that the colour joins the line
            part = alt.Chart(paper.points(at[start:], value[start:], MOST_POINTS // 4), name="excursion")
            layers.append(part.mark_line(color=colour, strokeWidth=3.4).encode(x=x, y=y))
    shape = "circle" if abnormal is None else EVENT_SHAPES[abnormal]
    end = alt.Chart(paper.points(at[-1:], value[-1:], 2), name="last")
    layers.append(end.mark_point(shape=shape, size=70, filled=True, color=colour, opacity=1).encode(x=x, y=y))
    nearest = alt.selection_point(nearest=True, on="pointerover", fields=["time"], empty=False, name="nearest")
    seen = alt.when(nearest).then(alt.value(1.0)).otherwise(alt.value(0.0))
    touched = alt.Chart(frame, name="touched").mark_circle(size=60, color=theme.focus)
    layers.append(touched.encode(x=x, y=y, tooltip=paper.tooltip(), opacity=seen).add_params(nearest))
    return layers


def _artefact_layer(paper: _Paper, marks: Sequence[Mark], x: alt.X) -> alt.LayerChart:
    """A dotted line with its reason beside it where the data made a step."""
    time = paper.plain(*(at for at, _ in marks))
    frame = pd.DataFrame({"time": time, "when": time.strftime("%d/%m %H:%M"), "words": [why for _, why in marks]})
    line = alt.Chart(frame, name="artefacts").mark_rule(color=paper.theme.ink2, strokeWidth=1.5, strokeDash=[2, 3])
    told = [alt.Tooltip("when:N", title=" "), alt.Tooltip("words:N", title=" ")]
    text = alt.Chart(frame).mark_text(align="left", dx=5, color=paper.theme.ink2, fontSize=13, limit=260)
    return cast(
        alt.LayerChart, line.encode(x=x, tooltip=told) + text.encode(x=x, y=alt.value(10), text="words:N", tooltip=told)
    )


def _event_layer(paper: _Paper, events: Sequence[Event], x: alt.X) -> alt.Chart:
    """Flags on a strip above the plot, in the shape and colour of their priority."""
    words = PRIORITY_WORDS["en" if paper.language == "en" else "vi"]
    time = paper.plain(*(at for at, _, _ in events))
    frame = pd.DataFrame(
        {
            "time": time,
            "when": time.strftime("%d/%m %H:%M"),
            "priority": [priority for _, priority, _ in events],
            "words": [f"{words[priority]}: {title}" for _, priority, title in events],
        }
    )
    shapes = alt.Scale(domain=list(PRIORITIES), range=[EVENT_SHAPES[name] for name in PRIORITIES])
    colours = alt.Scale(domain=list(PRIORITIES), range=[paper.theme.priority(name).line for name in PRIORITIES])
    flags = alt.Chart(frame, name="events").mark_point(filled=True, size=110, opacity=1, strokeWidth=1)
    return cast(
        alt.Chart,
        flags.encode(
            x=x,
            y=alt.value(-11),
            shape=alt.Shape("priority:N", legend=None, scale=shapes),
            color=alt.Color("priority:N", legend=None, scale=colours),
            tooltip=[alt.Tooltip("when:N", title=" "), alt.Tooltip("words:N", title=" ")],
        ),
    )
