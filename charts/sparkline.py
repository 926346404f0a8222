"""The 24-hour line of a wall row: data inside its usual band, holes drawn as holes, colour only for a present alert.

Also the parts that the large chart shares: where a series is silent, how it is thinned, and the band over a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from charts.theme import Theme
from core.calendar import hour_class

Floats = npt.NDArray[np.float64]
Gap = tuple[float, float]

GAP_PERIODS = 1.5  # silence longer than this many periods is a hole, not a line
BAND_MARGIN = 0.55  # of the band's height, so that the band keeps a readable height
MOST_POINTS = 120  # per line, so that a row stays under 2 kB
_EDGE_PX = 5.0  # room for the end mark, and the least width of the box of a present silence
_LEAST_HOLE_PX = 3.0


def seconds(times: Sequence[datetime] | pd.Series | pd.DatetimeIndex) -> Floats:
    """Aware times as seconds since 1970. Raises ValueError for naive times: nobody knows whose they are."""
    index = pd.DatetimeIndex(times if isinstance(times, (pd.Series, pd.DatetimeIndex)) else list(times))
    if index.tz is None and len(index):
        raise ValueError("times carry no time zone: give aware UTC times")
    return np.asarray(index.as_unit("us").asi8, dtype=np.float64) / 1e6


def gaps(at_s: Floats, since_s: float, until_s: float, period_s: float) -> list[Gap]:
    """Silences longer than 1.5 periods, also before the first and after the last value, as (from, to) in seconds."""
    bounds = np.concatenate(([since_s], at_s, [until_s]))
    holes = np.flatnonzero(np.diff(bounds) > GAP_PERIODS * period_s)
    return [(float(bounds[index]), float(bounds[index + 1])) for index in holes]


def runs(at_s: Floats, period_s: float) -> list[slice]:
    """Stretches without a gap, as slices of the series."""
    cuts = np.flatnonzero(np.diff(at_s) > GAP_PERIODS * period_s) + 1
    bounds = [0, *cuts.tolist(), len(at_s)]
    return [slice(first, last) for first, last in pairwise(bounds) if last > first]


def thinned(at: Floats, values: Floats, most: int) -> npt.NDArray[np.intp]:
    """Indices of at most `most` points that keep first, last and every bucket's lowest and highest value."""
    count = len(values)
    if count <= most:
        return np.arange(count)
    buckets = max((most - 2) // 2, 1)
    span = max(float(at[-1] - at[0]), 1e-9)
    bucket = np.minimum((at - at[0]) / span * buckets, buckets - 1).astype(np.intp)
    by_value = np.lexsort((values, bucket))
    ordered = bucket[by_value]
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    last = np.concatenate((first[1:], [count])) - 1
    return np.unique(np.concatenate(([0, count - 1], by_value[first], by_value[last])))


def band_over(weekly: pd.DataFrame | None, since: datetime, until: datetime, zone: ZoneInfo) -> pd.DataFrame | None:
    """The usual band along a span: `weekly` (indexed by hour_of_week: low, middle, high) -> time, low, middle, high.

    One row per hour of the week (a holiday has hours of its own), at the middle of that hour in city time; None
    where there is no band at all.
    """
    if weekly is None or weekly.empty:
        return None
    hour = timedelta(hours=1)
    first = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    middles = [first + hour * step + hour / 2 for step in range(-1, int((until - since) / hour) + 2)]
    rows = weekly.reindex([hour_class(middle, zone) for middle in middles])
    band = rows.loc[:, ["low", "middle", "high"]].reset_index(drop=True)
    band.insert(0, "time", pd.DatetimeIndex(middles))
    band = band.dropna().reset_index(drop=True)
    return None if band.empty else band


def present_excursion(values: Floats, low: Floats, high: Floats) -> int:
    """Index of the first value of the run outside the band that lasts until the last value; len(values) if inside.

    Earlier excursions stay grey: by its definition one value in five lies outside p10–p90, and the alert that
    gives the colour is about now.
    """
    inside = np.flatnonzero((values >= low) & (values <= high))
    return int(inside[-1]) + 1 if len(inside) else 0


def sparkline(
    times: Sequence[datetime] | pd.Series | pd.DatetimeIndex,
    values: Sequence[float] | pd.Series | Floats,
    band: pd.DataFrame | None = None,
    *,
    since: datetime,
    until: datetime,
    theme: Theme,
    width: int = 140,
    height: int = 44,
    period: timedelta,
    abnormal: str | None = None,
    stale: bool = False,
    artefacts: Sequence[datetime] = (),
    alt: str = "",
) -> str:
    """An inline SVG of a series between `since` and `until`.

    `times` are aware and rising, `values` in any unit (NaN is silence); `band` has the columns time, low, high.
    With `abnormal` (a priority) the present excursion from the band and the last point take its colour; with `stale`
    nothing does and the last point is hollow. `artefacts` are moments at which the data, not the city, made a step: a
    dotted line under a bar. Without any value: an empty dashed box.
    """
    value = np.asarray(values, dtype=np.float64)
    at = seconds(times)
    since_s, until_s, period_s = since.timestamp(), until.timestamp(), period.total_seconds()
    keep = np.isfinite(value) & (at >= since_s) & (at <= until_s)
    at, value = at[keep], value[keep]
    open_tag = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="spark" role="img" aria-label="{escape(alt, quote=True)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    )
    dashes = f'fill="none" stroke="{theme.ink3}" stroke-dasharray="3 2.5"'
    if not len(value):
        return f'{open_tag}<path d="M.5 .5h{width - 1}v{height - 1}h{1 - width}z" {dashes}/></svg>'

    scale_x = (width - 2 * _EDGE_PX) / (until_s - since_s)
    x = _EDGE_PX + (at - since_s) * scale_x
    usual = _band_within(band, since_s, until_s)
    lowest, highest = _value_range(value, usual)
    scale_y = (height - 2 * _EDGE_PX) / (highest - lowest)
    y = _EDGE_PX + (highest - value) * scale_y

    parts = [open_tag]
    if usual is not None:
        band_at, low, high = usual
        band_x = _EDGE_PX + (band_at - since_s) * scale_x
        outline_x = np.concatenate((band_x, band_x[::-1]))
        outline_y = _EDGE_PX + (highest - np.concatenate((high, low[::-1]))) * scale_y
        parts.append(f'<path d="{_path(outline_x, outline_y)}z" fill="{theme.band}"/>')

    boxes: list[list[float]] = []
    for start, end in gaps(at, since_s, until_s, period_s):
        left, right = _EDGE_PX + (start - since_s) * scale_x, _EDGE_PX + (end - since_s) * scale_x
        if end == until_s:
            right = width - 0.5
        elif right - left < _LEAST_HOLE_PX:
            left, right = (left + right - _LEAST_HOLE_PX) / 2, (left + right + _LEAST_HOLE_PX) / 2
        if boxes and left < boxes[-1][1] + 1:
            boxes[-1][1] = right
        else:
            boxes.append([left, right])
    if boxes:
        outline = "".join(f"M{left:.1f} .5H{right:.1f}V{height - 0.5}H{left:.1f}z" for left, right in boxes)
        parts.append(f'<path class="gap" d="{outline}" {dashes}/>')

    most = min(width, MOST_POINTS)
    stretches = runs(at, period_s)
    path = ""
    for run in stretches:
        share = max(int(most * (run.stop - run.start) / len(at)), 4)
        chosen = thinned(x[run], y[run], share) + run.start
        path += _path(x[chosen], y[chosen])
    stroke = theme.ink3 if stale else theme.data
    line = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
    parts.append(f'<path d="{path}" {line} stroke="{stroke}" stroke-width="2.2"/>')

    parts += [_artefact(_EDGE_PX + (moment.timestamp() - since_s) * scale_x, height, theme) for moment in artefacts]
    end_x, end_y = float(x[-1]), float(y[-1])
    if stale:
        parts.append(
            f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="3" fill="none" stroke="{stroke}" stroke-width="1.5"/>'
        )
    elif abnormal is None:
        parts.append(f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="3.4" fill="{stroke}"/>')
    else:
        colour = theme.priority(abnormal).line
        if usual is not None:
            start = stretches[-1].start
            coloured = _excursion_path(x[start:], y[start:], at[start:], value[start:], usual, most)
            if coloured:
                parts.append(f'<path d="{coloured}" {line} stroke="{colour}" stroke-width="3.4"/>')
        parts.append(f'<path d="{_end_mark(abnormal, end_x, end_y)}" fill="{colour}"/>')
    parts.append("</svg>")
    return "".join(parts)


def _artefact(x: float, height: float, theme: Theme) -> str:
    """A dotted line under a bar: a T, which no priority has."""
    return (
        f'<path class="artefact" d="M{x - 4:.1f} 1.5h8M{x:.1f} 1.5V{height - 1:g}" fill="none" stroke="{theme.ink2}" '
        'stroke-width="1.5" stroke-dasharray="8 0 2 2"/>'
    )


def _band_within(band: pd.DataFrame | None, since_s: float, until_s: float) -> tuple[Floats, Floats, Floats] | None:
    """The band cut to the span; it reaches one step past its first and last row, because its rows stand for hours."""
    if band is None:
        return None
    at = seconds(band["time"])
    low, high = band["low"].to_numpy(dtype=np.float64), band["high"].to_numpy(dtype=np.float64)
    keep = np.isfinite(low) & np.isfinite(high)
    at, low, high = at[keep], low[keep], high[keep]
    if len(at) == 0:
        return None
    step = float(np.median(np.diff(at))) if len(at) > 1 else 0.0
    start, end = max(since_s, float(at[0]) - step), min(until_s, float(at[-1]) + step)
    if start >= end:
        return None
    grid = np.concatenate(([start], at[(at > start) & (at < end)], [end]))
    return grid, np.interp(grid, at, low), np.interp(grid, at, high)


def _value_range(value: Floats, usual: tuple[Floats, Floats, Floats] | None) -> Gap:
    """Lowest and highest value of the picture, never equal."""
    lowest, highest = float(value.min()), float(value.max())
    if usual is not None:
        _, low, high = usual
        margin = BAND_MARGIN * float(np.median(high - low))
        lowest, highest = min(lowest, float(low.min()) - margin), max(highest, float(high.max()) + margin)
    if highest - lowest < 1e-9 * max(abs(highest), 1.0):
        return lowest - 1.0, highest + 1.0
    return lowest, highest


def _excursion_path(
    x: Floats, y: Floats, at: Floats, value: Floats, usual: tuple[Floats, Floats, Floats], most: int
) -> str:
    """Path of the present excursion, starting where the line leaves the band; empty when the last value is inside."""
    low, high = np.interp(at, usual[0], usual[1]), np.interp(at, usual[0], usual[2])
    first = present_excursion(value, low, high)
    if first == len(value):
        return ""
    chosen = thinned(x[first:], y[first:], most) + first
    out_x, out_y = x[chosen], y[chosen]
    if first:
        before = first - 1
        edge = high if value[first] > high[first] else low
        inner, outer = edge[before] - value[before], value[first] - edge[first]
        share = inner / (inner + outer) if inner + outer else 0.0
        out_x = np.concatenate(([x[before] + share * (x[first] - x[before])], out_x))
        out_y = np.concatenate(([y[before] + share * (y[first] - y[before])], out_y))
    return _path(out_x, out_y)


def _path(x: Floats, y: Floats) -> str:
    """«M1.5 20l.8-.3…»: relative moves between coordinates rounded to a tenth, so that rounding never adds up."""
    tenth_x = np.rint(x * 10).astype(int)
    tenth_y = np.rint(y * 10).astype(int)
    moves = [f"M{tenth_x[0] / 10:g} {tenth_y[0] / 10:g}l"]
    for step_x, step_y in zip(np.diff(tenth_x).tolist(), np.diff(tenth_y).tolist(), strict=True):
        if step_x or step_y:
            moves.append(f"{_tenths(step_x, first=len(moves) == 1)}{_tenths(step_y)}")
    if len(moves) == 1:
        moves.append("0 0")  # a single value: the round cap draws it as a dot
    return "".join(moves)


def _tenths(step: int, *, first: bool = False) -> str:
    """A tenth-pixel step as SVG's shortest number; a sign is its own separator, else a blank comes before."""
    whole, rest = divmod(abs(step), 10)
    text = (f"{whole}" if whole or not rest else "") + (f".{rest}" if rest else "")
    return f"-{text}" if step < 0 else text if first else f" {text}"


def _end_mark(priority: str, x: float, y: float) -> str:
    """The last point in the priority's own shape, so that it can be told without colour."""
    if priority == "critical":
        return f"M{x:.1f} {y - 4.8:.1f}l4.8 4.8-4.8 4.8-4.8-4.8z"
    if priority == "high":
        return f"M{x:.1f} {y - 4.4:.1f}l4.6 7.8h-9.2z"
    if priority == "medium":
        return f"M{x - 3.4:.1f} {y - 3.4:.1f}h6.8v6.8h-6.8z"
    return f"M{x - 3.8:.1f} {y:.1f}a3.8 3.8 0 1 1 7.6 0a3.8 3.8 0 1 1-7.6 0z"
