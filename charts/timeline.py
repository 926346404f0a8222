"""The last 24 hours in one strip: alerts as bars by priority, rain behind them, night shaded, now at the end.

What is over is grey; colour is left for what is still open.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

import pandas as pd

from charts.theme import SANS, Theme, text_width_px
from core.alert import PRIORITIES, Alert
from core.formats import clock

FULL_RAIN_MM_H = 30.0  # a bar of full height: heavy rain by the warning service's own words
NIGHT_HOURS = (18, 6)  # shaded from 18:00 to 06:00 city time: the wall needs day and night, not astronomy
LABEL_EVERY_HOURS = 3
WORDS = {"vi": ("24 giờ", "qua"), "en": ("Last", "24 h")}


def alert_spans(journal: pd.DataFrame, open_alerts: Iterable[Alert], since: datetime, until: datetime) -> pd.DataFrame:
    """When which alert was active: start, end, priority, open; cut to the span, longest-known first.

    `journal` has happened_at, rule, site_id, deed, priority (in any order). An alert that was raised before `since`
    begins at `since`: it is known from its clearing, or from `open_alerts`. A span carries its worst priority.
    """
    spans: list[tuple[datetime, datetime, str, bool]] = []
    running: dict[tuple[str, str], tuple[datetime, str]] = {}
    deeds = journal.loc[journal["deed"].isin(["raise", "raise_priority", "clear"])].sort_values(
        "happened_at", kind="stable"
    )
    columns = ("happened_at", "rule", "site_id", "deed", "priority")
    for at, rule, site_id, deed, priority in zip(*(deeds[name] for name in columns), strict=True):
        key = (str(rule), str(site_id))
        start, worst = running.pop(key, (since if deed != "raise" else at, priority))
        worst = max(worst, priority, key=PRIORITIES.index)
        if deed == "clear":
            spans.append((start, at, worst, False))
        else:
            running[key] = (start, worst)
    still_open = {alert.key: alert for alert in open_alerts if alert.active}
    for key, (start, worst) in running.items():
        spans.append((start, until, worst, key in still_open))
    for key, alert in still_open.items():
        if key not in running:
            spans.append((alert.raised_at or since, until, alert.priority, True))
    cut = [(max(start, since), min(end, until), priority, is_open) for start, end, priority, is_open in spans]
    found = pd.DataFrame(
        [span for span in cut if span[0] <= span[1]], columns=["start", "end", "priority", "open"]
    ).astype({"open": "bool"})
    return found.sort_values(["open", "start"], kind="stable").reset_index(drop=True)


def day_strip(
    journal: pd.DataFrame,
    rain: pd.DataFrame | None = None,
    *,
    open_alerts: Iterable[Alert] = (),
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    language: str = "vi",
    theme: Theme,
    width: int = 1480,
    height: int = 90,
    text_px: float = 20.0,
    alt: str = "",
) -> str:
    """SVG of the strip. `rain` has time (END of its hour) and value [mm/h]; NaN or no row draws no bar."""
    spans = alert_spans(journal, open_alerts, since, until)
    words = WORDS["en" if language == "en" else "vi"]
    left = max(text_width_px(word, text_px) for word in words) + text_px * 1.2
    right = width - text_width_px("00:00", text_px) / 2 - 2
    floor = height - text_px * 1.6
    span_s = (until - since).total_seconds()

    def across(at: datetime) -> float:
        return left + (right - left) * (at - since).total_seconds() / span_s

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="day-strip" role="img" '
        f'aria-label="{escape(alt or " ".join(words), quote=True)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{SANS}" font-size="{text_px:g}">'
    ]
    for start, end in _nights(since, until, zone):
        parts.append(f'<g opacity=".4">{_bar(across(start), 0, across(end), floor, theme.line, "night")}</g>')
    parts.append(f'<path d="M{left:.1f} {floor:.1f}H{right:.1f}" stroke="{theme.line}"/>')
    for row, word in enumerate(words):
        parts.append(f'<text x="0" y="{text_px * (0.95 + 1.2 * row):.1f}" fill="{theme.ink3}">{word}</text>')

    now_text = clock(until, zone)
    now_from = right - text_width_px(now_text, text_px) * 1.5
    for hour in _hours(since, until, zone):
        x = across(hour)
        parts.append(f'<path d="M{x:.1f} 0V{floor:.1f}" stroke="{theme.line}" stroke-width="1.5"/>')
        text = clock(hour, zone)
        if x + text_width_px(text, text_px) / 2 < now_from:
            parts.append(
                f'<text x="{x:.1f}" y="{height - text_px * 0.4:.1f}" text-anchor="middle" fill="{theme.ink3}">'
                f"{text}</text>"
            )
    if rain is not None:
        for at, amount in zip(rain["time"], rain["value"], strict=True):
            start = at - timedelta(hours=1)
            if not amount > 0 or at <= since or start >= until:
                continue
            top = floor - max(min(amount / FULL_RAIN_MM_H, 1.0) * (floor - 2), 2.0)
            parts.append(
                _bar(across(max(start, since)) + 1, top, across(min(at, until)) - 1, floor, theme.band_edge, "rain")
            )
    lane = floor / len(PRIORITIES)
    for start, end, priority, is_open in spans.itertuples(index=False):
        middle = floor - lane * (PRIORITIES.index(priority) + 0.5)
        colour = theme.priority(priority).line if is_open else theme.line2
        thick = lane * (0.6 if is_open else 0.42)
        first = min(across(start), across(end) - 3)  # a short alert is still seen
        parts.append(_bar(first, middle - thick / 2, across(end), middle + thick / 2, colour, "alert"))
    parts.append(
        f'<path d="M{right:.1f} 0V{floor + 3:.1f}" stroke="{theme.ink1}" stroke-width="2.5"/>'
        f'<text x="{right:.1f}" y="{height - text_px * 0.4:.1f}" text-anchor="middle" font-weight="600" '
        f'fill="{theme.ink1}">{now_text}</text></svg>'
    )
    return "".join(parts)


def _bar(left: float, top: float, right: float, bottom: float, colour: str, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{max(right - left, 0):.1f}" '
        f'height="{bottom - top:.1f}" fill="{colour}"/>'
    )


def _nights(since: datetime, until: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """The dark stretches of the span."""
    dusk, dawn = NIGHT_HOURS
    day = since.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    nights = []
    while day < until:
        start, end = day.replace(hour=dusk), (day + timedelta(days=1)).replace(hour=dawn)
        if end > since and start < until:
            nights.append((max(start, since), min(end, until)))
        day += timedelta(days=1)
    return nights


def _hours(since: datetime, until: datetime, zone: ZoneInfo) -> list[datetime]:
    """Every third full hour of city time within the span."""
    hour = since.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    found = []
    while hour < until:
        if hour >= since and hour.hour % LABEL_EVERY_HOURS == 0:
            found.append(hour)
        hour += timedelta(hours=1)
    return found
