"""The large chart of one indicator: one line on its usual band, limits by name, holes as boxes, alerts as flags.

Times become naive city time before they reach the browser, so that a browser in another zone draws the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
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
    "vi": {"usual": "thường lệ", "no_data": "không có dữ liệu", "no_values": "Không có số liệu trong khoảng này"},
    "en": {"usual": "usual", "no_data": "no data", "no_values": "No data in this span"},
}
_ROOM_FOR_LABELS = 0.14  # of the span, right of «now», for the direct labels
_LABEL_PITCH_PX = 17
_AROUND_PLOT_PX = 70  # what unit, flags and axis take of the height
_MOST_REACHES = 2.5  # a limit is shown while data and band keep 40 % of the height

Threshold = tuple[str, float]
Event = tuple[datetime, str, str]


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
    abnormal: str | None = None,
    since: datetime,
    until: datetime,
    height: int = 360,
) -> alt.LayerChart:
    """One indicator over time, as wide as its container.

    `data` has time (aware), value [unit of `prop`] and quality; only usable values are drawn, at most 2,000 points of
    them, with every peak kept. `band` has time, low, middle, high; `thresholds` are (name, value), `events` are
    (time, priority, title). `abnormal` is the priority of a present alert: it colours the present excursion from the
    band and the last point. Show it with theme=None: the chart carries its own colours, font and number format.
    """
    words = WORDS["en" if language == "en" else "vi"]
    usable = data.loc[data["quality"].isin(USABLE) & data["value"].notna()].sort_values("time", kind="stable")
    usable = usable.loc[(usable["time"] >= since) & (usable["time"] <= until)]
    at, value = seconds(usable["time"]), usable["value"].to_numpy(dtype=np.float64)
    since_s, until_s, period_s = since.timestamp(), until.timestamp(), prop.period.total_seconds()
    usual = None if band is None else band.loc[(band["time"] >= since - timedelta(hours=1)) & (band["time"] <= until)]
    if usual is not None and usual.empty:
        usual = None
    lowest, highest = _value_domain(value, usual, thresholds, starts_at_zero(prop))
    right = until + (until - since) * _ROOM_FOR_LABELS
    axis = alt.Axis(format=_time_format(until - since, language), tickCount=8, labelOverlap=True)
    x = alt.X("time:T", title=None, axis=axis)
    # one layer alone carries the bounds: Vega-Lite takes those of layers with an x2 for other ones, and unites them
    bounds = alt.Scale(domain=[_moment(since, zone), _moment(right, zone)], nice=False)
    y = alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(domain=[lowest, highest], nice=False, zero=False),
        axis=alt.Axis(tickCount=4, format=f",.{_tick_decimals(highest - lowest)}f"),
    )
    layers: list[Any] = []
    boxes = gaps(at, since_s, until_s, period_s) if len(at) else [(since_s, until_s)]
    if usual is not None:
        layers.append(_band_layer(usual, x, y, theme, zone, since, until))
    layers.append(_gap_layer(boxes, x, theme, zone, prop, words["no_data"], language))
    visible = [limit for limit in thresholds if lowest <= limit[1] <= highest]
    if visible:
        layers.append(_threshold_layer(visible, x, y, since, until, theme, zone))
    layers.append(_now_layer(until, alt.X("time:T", title=None, axis=axis, scale=bounds), theme, zone))
    if len(at):
        layers += _line_layers(at, value, period_s, x, y, prop, zone, language, theme)
        layers += _end_layers(at, value, usual, abnormal, period_s, x, y, prop, zone, language, theme)
    else:
        note = pd.DataFrame({"time": [_plain(since + (until - since) / 2, zone)], "words": [words["no_values"]]})
        layers.append(
            alt.Chart(note)
            .mark_text(color=theme.ink2, fontSize=15)
            .encode(x=x, y=alt.value({"expr": "height / 2"}), text="words:N")
        )
    labels = _labels(value, usual, visible, abnormal, words["usual"], prop, language, theme)
    if labels:
        px_per_unit = (height - _AROUND_PLOT_PX) / (highest - lowest)
        layers.append(_label_layer(labels, px_per_unit, (lowest, highest), x, y, until, zone))
    shown_events = [event for event in events if since <= event[0] <= until]
    if shown_events:
        layers.append(_event_layer(shown_events, x, theme, zone, language))
    unit = prop.unit_label(language)
    title = alt.TitleParams(
        text=unit, anchor="start", frame="group", color=theme.ink3, fontSize=13, fontWeight=400, offset=24
    )
    chart: alt.LayerChart = alt.layer(*layers).properties(
        width="container", height=height, title=title, description=prop.name(language)
    )
    return chart.configure(**altair_config(theme, language))


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
) -> alt.FacetChart:
    """The same indicator at many places, all on one scale. `data` has time, name, value, quality.

    `order` lists the names in reading order (most deviating first); without it they stand in order of their last value,
    worst first. Raises ValueError when there is nothing to draw.
    """
    usable = data.loc[data["quality"].isin(USABLE) & data["value"].notna()]
    usable = usable.loc[(usable["time"] >= since) & (usable["time"] <= until)].sort_values("time", kind="stable")
    if usable.empty:
        raise ValueError(f"{prop.key}: no usable value between {since} and {until}")
    period_s = prop.period.total_seconds()
    parts, last = [], {}
    share = max(MOST_POINTS // usable["name"].nunique(), 20)
    for name, rows in usable.groupby("name", sort=True):
        at, value = seconds(rows["time"]), rows["value"].to_numpy(dtype=np.float64)
        parts.append(_stretches(at, value, period_s, share, zone, prop, language).assign(name=str(name)))
        last[str(name)] = float(value[-1])
    if order is None:
        order = sorted(last, key=lambda name: last[name], reverse=prop.direction != "higher")
    everything = pd.concat(parts, ignore_index=True)
    lowest, highest = _value_domain(everything["value"].to_numpy(), None, (), starts_at_zero(prop))
    unit = prop.unit_label(language)
    chart = (
        alt.Chart(everything)
        .mark_line(color=theme.data, strokeWidth=1.8)
        .encode(
            x=alt.X(
                "time:T",
                title=None,
                scale=alt.Scale(domain=[_moment(since, zone), _moment(until, zone)], nice=False),
                axis=alt.Axis(format=_time_format(until - since, language), tickCount=4, labelOverlap=True),
            ),
            y=alt.Y(
                "value:Q",
                title=None,
                scale=alt.Scale(domain=[lowest, highest], nice=False, zero=False),
                axis=alt.Axis(tickCount=3, format=f",.{_tick_decimals(highest - lowest)}f"),
            ),
            detail="run:N",
            tooltip=[alt.Tooltip("when:N", title=" "), alt.Tooltip("words:N", title=prop.name(language))],
        )
        .properties(width=width, height=height)
    )
    faceted: alt.FacetChart = chart.facet(
        facet=alt.Facet("name:N", title=None, sort=list(order), header=alt.Header(labelAnchor="start")),
        columns=columns,
        title=alt.TitleParams(text=unit, color=theme.ink3, fontSize=13, fontWeight=400),
    )
    return faceted.configure(**altair_config(theme, language))


def starts_at_zero(prop: ObservedProperty) -> bool:
    """Counts, amounts and rates are read by their height above zero; levels (speed, stage, index) by their shape."""
    return prop.aggregation == "sum" or prop.unit in ("%", "mm", "cm") or prop.unit.startswith("{")


def _plain(at: datetime, zone: ZoneInfo) -> str:
    """City time without a zone, as Vega reads it in the browser's own «local» time."""
    return at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="milliseconds")


def _moment(at: datetime, zone: ZoneInfo) -> alt.DateTime:
    """City time as a bound of an axis."""
    local = at.astimezone(zone)
    return alt.DateTime(
        year=local.year, month=local.month, date=local.day, hours=local.hour, minutes=local.minute, seconds=local.second
    )


def _plain_series(at_s: Floats, zone: ZoneInfo) -> pd.DatetimeIndex:
    moments = pd.to_datetime(np.rint(at_s * 1000).astype("int64"), unit="ms", utc=True)
    return moments.tz_convert(zone).tz_localize(None)


def _time_format(span: timedelta, language: str) -> str:
    if span <= timedelta(hours=36):
        return "%H:%M"
    if span <= timedelta(days=120):
        return "%d %b" if language == "en" else "%d/%m"
    return "%b %Y" if language == "en" else "%m/%Y"


def _tick_decimals(span: float) -> int:
    """Decimals that four ticks need over this span."""
    return max(0, int(np.ceil(-np.log10(span / 4)))) if span < 4 else 0


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


def _stretches(
    at: Floats, value: Floats, period_s: float, most: int, zone: ZoneInfo, prop: ObservedProperty, language: str
) -> pd.DataFrame:
    """Points for a line that breaks at gaps: time, value, run, and the words of the tooltip."""
    chosen, run_numbers = [], []
    for run_number, run in enumerate(runs(at, period_s)):
        share = max(int(most * (run.stop - run.start) / len(at)), 2)
        index = thinned(at[run], value[run], share) + run.start
        chosen.append(index)
        run_numbers += [run_number] * len(index)
    index = np.concatenate(chosen)[:most]
    time = _plain_series(at[index], zone)
    unit = prop.unit_label(language)
    return pd.DataFrame(
        {
            "time": time,
            "value": value[index],
            "run": run_numbers[:most],
            "when": time.strftime("%d/%m %H:%M"),
            "words": [f"{number(one, prop.decimals, language)} {unit}".strip() for one in value[index].tolist()],
        }
    )


def _band_layer(
    usual: pd.DataFrame, x: alt.X, y: alt.Y, theme: Theme, zone: ZoneInfo, since: datetime, until: datetime
) -> alt.Chart:
    at = seconds(usual["time"])
    since_s, until_s = since.timestamp(), until.timestamp()
    grid = np.concatenate(([since_s], at[(at > since_s) & (at < until_s)], [until_s]))
    frame = pd.DataFrame(
        {
            "time": _plain_series(grid, zone),
            "value": np.interp(grid, at, usual["low"].to_numpy(dtype=np.float64)),
            "high": np.interp(grid, at, usual["high"].to_numpy(dtype=np.float64)),
        }
    )
    area = alt.Chart(frame, name="band").mark_area(color=theme.band, interpolate="monotone")
    return area.encode(x=x, y=y, y2="high:Q")


def _gap_layer(
    boxes: Sequence[tuple[float, float]],
    x: alt.X,
    theme: Theme,
    zone: ZoneInfo,
    prop: ObservedProperty,
    word: str,
    language: str,
) -> alt.Chart:
    bounds = np.asarray(boxes, dtype=np.float64).reshape(-1, 2)
    start, end = _plain_series(bounds[:, 0], zone), _plain_series(bounds[:, 1], zone)
    words = [f"{first} – {last}" for first, last in zip(start.strftime("%d/%m %H:%M"), end.strftime("%d/%m %H:%M"), strict=True)]
    return (
        alt.Chart(pd.DataFrame({"time": start, "end": end, "words": words}), name="gaps")
        .mark_rect(fill=theme.raised, fillOpacity=0.6, stroke=theme.ink3, strokeDash=[4, 3], strokeWidth=1)
        .encode(x=x, x2="end:T", tooltip=[alt.Tooltip("words:N", title=word)])
    )


def _threshold_layer(
    limits: Sequence[Threshold], x: alt.X, y: alt.Y, since: datetime, until: datetime, theme: Theme, zone: ZoneInfo
) -> alt.Chart:
    frame = pd.DataFrame(
        {
            "value": [limit for _, limit in limits],
            "time": _plain_series(np.full(len(limits), since.timestamp()), zone),
            "end": _plain_series(np.full(len(limits), until.timestamp()), zone),
        }
    )
    rule = alt.Chart(frame, name="thresholds").mark_rule(color=theme.ink3, strokeDash=[5, 4], strokeWidth=1.3)
    return rule.encode(x=x, x2="end:T", y=y)


def _labels(
    value: Floats,
    usual: pd.DataFrame | None,
    limits: Sequence[Threshold],
    abnormal: str | None,
    usual_word: str,
    prop: ObservedProperty,
    language: str,
    theme: Theme,
) -> list[dict[str, Any]]:
    """What stands right of the plot, most important first: the last value, the limits, the word for the band."""
    unit = prop.unit_label(language)
    labels: list[dict[str, Any]] = []
    if len(value):
        ink = theme.ink1 if abnormal is None else theme.priority(abnormal).text
        words = f"{number(float(value[-1]), prop.decimals, language)} {unit}".strip()
        labels.append({"value": float(value[-1]), "words": words, "colour": ink, "weight": 600, "size": 15})
    for name, limit in limits:
        words = f"{name} {number(limit, prop.decimals, language)}"
        labels.append({"value": limit, "words": words, "colour": theme.ink2, "weight": 400, "size": 13})
    if usual is not None:
        middle = float((usual["low"].iloc[-1] + usual["high"].iloc[-1]) / 2)
        labels.append({"value": middle, "words": usual_word, "colour": theme.ink3, "weight": 400, "size": 13})
    return labels


def _label_layer(
    labels: list[dict[str, Any]],
    px_per_unit: float,
    domain: tuple[float, float],
    x: alt.X,
    y: alt.Y,
    until: datetime,
    zone: ZoneInfo,
) -> alt.LayerChart:
    """The labels at their heights, the later ones moved up or down until none covers another."""
    pitch = _LABEL_PITCH_PX / px_per_unit
    taken: list[float] = []
    for label in labels:
        shifts = sorted((step * pitch / 4 for step in range(-40, 41)), key=abs)
        free = (
            label["value"] + shift
            for shift in shifts
            if domain[0] <= label["value"] + shift <= domain[1]
            and all(abs(label["value"] + shift - other) >= pitch * 0.999 for other in taken)
        )
        label["value"] = next(free, label["value"])
        taken.append(label["value"])
    time = _plain_series(np.full(len(labels), until.timestamp()), zone)
    texts = [
        alt.Chart(pd.DataFrame([{"time": at, "value": label["value"], "words": label["words"]}]), name=f"label_{place}")
        .mark_text(
            align="left",
            baseline="middle",
            dx=10,
            color=label["colour"],
            fontWeight=label["weight"],
            fontSize=label["size"],
        )
        .encode(x=x, y=y, text="words:N")
        for place, (at, label) in enumerate(zip(time, labels, strict=True))
    ]
    return alt.layer(*texts)


def _now_layer(until: datetime, x: alt.X, theme: Theme, zone: ZoneInfo) -> alt.Chart:
    return (
        alt.Chart(pd.DataFrame({"time": [_plain(until, zone)]}), name="now")
        .mark_rule(color=theme.line2, strokeWidth=1)
        .encode(x=x)
    )


def _line_layers(
    at: Floats,
    value: Floats,
    period_s: float,
    x: alt.X,
    y: alt.Y,
    prop: ObservedProperty,
    zone: ZoneInfo,
    language: str,
    theme: Theme,
) -> list[Any]:
    frame = _stretches(at, value, period_s, MOST_POINTS, zone, prop, language)
    base = alt.Chart(frame, name="series").encode(x=x, y=y)
    nearest = alt.selection_point(nearest=True, on="pointerover", fields=["time"], empty=False, name="nearest")
    tooltip = [alt.Tooltip("when:N", title=" "), alt.Tooltip("words:N", title=prop.name(language))]
    touched = (
        alt.Chart(frame)
        .mark_circle(size=60, color=theme.focus)
        .encode(
            x=x, y=y, tooltip=tooltip, opacity=alt.when(nearest).then(alt.value(1.0)).otherwise(alt.value(0.0))
        )
        .add_params(nearest)
    )
    return [base.mark_line(color=theme.data, strokeWidth=2.2).encode(detail="run:N"), touched]


def _end_layers(
    at: Floats,
    value: Floats,
    usual: pd.DataFrame | None,
    abnormal: str | None,
    period_s: float,
    x: alt.X,
    y: alt.Y,
    prop: ObservedProperty,
    zone: ZoneInfo,
    language: str,
    theme: Theme,
) -> list[Any]:
    """The present excursion and the last point."""
    colour = theme.data if abnormal is None else theme.priority(abnormal).line
    layers: list[Any] = []
    if abnormal is not None and usual is not None:
        run = runs(at, period_s)[-1]
        band_at = seconds(usual["time"])
        low = np.interp(at[run], band_at, usual["low"].to_numpy(dtype=np.float64))
        high = np.interp(at[run], band_at, usual["high"].to_numpy(dtype=np.float64))
        first = max(run.start + present_excursion(value[run], low, high) - 1, run.start)
        if first < len(at) - 1 and present_excursion(value[run], low, high) < len(low):
            part = _stretches(at[first:], value[first:], period_s, MOST_POINTS // 4, zone, prop, language)
            layers.append(
                alt.Chart(part, name="excursion").mark_line(color=colour, strokeWidth=3.4).encode(x=x, y=y)
            )
    end = _stretches(at[-1:], value[-1:], period_s, 2, zone, prop, language)
    shape = "circle" if abnormal is None else EVENT_SHAPES[abnormal]
    point = alt.Chart(end, name="last").mark_point(shape=shape, size=70, filled=True, color=colour, opacity=1)
    return [*layers, point.encode(x=x, y=y)]


def _event_layer(events: Sequence[Event], x: alt.X, theme: Theme, zone: ZoneInfo, language: str) -> alt.Chart:
    """Flags on a strip above the plot, in the shape and colour of their priority."""
    words = PRIORITY_WORDS["en" if language == "en" else "vi"]
    frame = pd.DataFrame(
        {
            "time": [_plain(at, zone) for at, _, _ in events],
            "when": [at.astimezone(zone).strftime("%d/%m %H:%M") for at, _, _ in events],
            "priority": [priority for _, priority, _ in events],
            "words": [f"{words[priority]}: {title}" for _, priority, title in events],
        }
    )
    return (
        alt.Chart(frame, name="events")
        .mark_point(filled=True, size=110, opacity=1, strokeWidth=1)
        .encode(
            x=x,
            y=alt.value(-11),
            shape=alt.Shape(
                "priority:N",
                legend=None,
                scale=alt.Scale(domain=list(PRIORITIES), range=[EVENT_SHAPES[name] for name in PRIORITIES]),
            ),
            color=alt.Color(
                "priority:N",
                legend=None,
                scale=alt.Scale(domain=list(PRIORITIES), range=[theme.priority(name).line for name in PRIORITIES]),
            ),
            tooltip=[alt.Tooltip("when:N", title=" "), alt.Tooltip("words:N", title=" ")],
        )
    )
