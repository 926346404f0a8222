"""What stands behind one alert: where its value is measured, how it moved, which limit counts, what is near it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from core.alert import Alert, Key
from core.ledger import Item
from core.snapshot import Reading
from ui.views import View

CHANGE_OVER = timedelta(minutes=10)
KM_PER_DEGREE = 111.32


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How far a value moved, in its unit, and over which span: a slow source has no value of ten minutes ago."""

    amount: float
    over: timedelta


def measured_at(view: View, alert: Alert) -> str:
    """Where the rule's property is measured: at the alert's own site, else at the worst one of its area; «» nowhere."""
    words, snapshot = view.snapshot.rules.get(alert.rule), view.snapshot
    key = words.observed_property if words else ""
    if (key, alert.site_id) in snapshot.recent:
        return alert.site_id
    area = snapshot.city.area_of(alert.site_id)
    near = [one for one in snapshot.of(key) if area and snapshot.city.area_of(one.site_id) == area]
    near = [one for one in near if (key, one.site_id) in snapshot.recent]
    sign = -1 if words and words.direction == "below" else 1
    return max(near, key=lambda one: sign * one.value).site_id if near else ""


def measured(view: View, alert: Alert) -> Reading | None:
    """The newest value of the alert's property where it is measured."""
    words = view.snapshot.rules.get(alert.rule)
    return view.snapshot.reading(words.observed_property, measured_at(view, alert)) if words else None


def change(view: View, reading: Reading) -> Change | None:
    """Against the newest value that was at least ten minutes older; None where no such value is near enough."""
    recent = view.snapshot.recent.get((reading.item.key, reading.site_id))
    if recent is None or not reading.live:
        return None
    before = recent[recent["time"] <= reading.time - CHANGE_OVER]
    if before.empty:
        return None
    over = reading.time - before["time"].iloc[-1].to_pydatetime()
    if over > CHANGE_OVER + 1.5 * reading.item.period:
        return None  # a hole lies between: nobody knows how it moved
    return Change(amount=reading.value - float(before["value"].iloc[-1]), over=over)


def near(view: View, alert: Alert, within_km: float) -> list[Alert]:
    """Other open and active alerts around an alert, worst first; none around the city, or an unknown place."""
    city = view.snapshot.city
    centre = city.point(alert.site_id)
    if centre is None or alert.site_id == city.city_site:
        return []
    found = []
    for other in view.snapshot.open_alerts():
        point = city.point(other.site_id)
        if other.key != alert.key and other.active and point is not None and other.site_id != city.city_site:
            north_km = (point[0] - centre[0]) * KM_PER_DEGREE
            east_km = (point[1] - centre[1]) * KM_PER_DEGREE * math.cos(math.radians(centre[0]))
            if math.hypot(north_km, east_km) <= within_km:
                found.append(other)
    return found


def item_of(view: View, key: Key) -> Item | None:
    """The thing to do that an alert belongs to."""
    return next((item for item in view.snapshot.items if key in item.members or key in item.inhibited), None)
