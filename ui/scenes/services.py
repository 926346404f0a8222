"""The services scene: where files are overdue, where people report what, and how well they are served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from core import formats
from ui.domains import MIN_SAMPLE
from ui.scenes._figures import first_limit, listed, sampled, sites, total, urgency, value
from ui.scenes._stage import Stage
from ui.views import Row, View

SHARES = (
    ("satisfaction", "satisfaction_n"),
    ("online_share", "online_n"),
    ("reports_on_time", "reports_on_time_n"),
    ("first_response", "first_response_n"),
)
NAMES_U = (520.0, 275.0, 300.0)  # what the names of wards have
HOUR = timedelta(minutes=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """One office: files overdue now of those pending, as a bar, and the share that was on time."""

    overdue: Row
    pending: str
    bar: float  # 0 … 100 of the longest bar
    on_time: Row
    on_time_n: str
    few: bool


def scene(stage: Stage) -> dict[str, str]:
    """Left the offices and the wards that report most, right what people think of the service and how they use it."""
    view = stage.view
    shown = offices(view)
    wards = reporting(view)
    seats, rooms = stage.room(6, 4, 2), stage.room(4, 3, 2)
    limit = first_limit(view, "files_overdue")
    return {
        "left": stage.html(
            "scene_services_left.html",
            offices=shown[:seats],
            more_offices=len(shown) - len(shown[:seats]),
            limit=formats.number(limit, 0, view.language) if limit is not None else "",
            wards=listed(wards, rooms, stage.room(*NAMES_U)),
            whole=view.row("reports_60min", "city"),
            flooding=formats.number(flooding(view), 0, view.language) if flooding(view) else "",
        ),
        "right": stage.html("scene_services_right.html", tiles=_shares(view)[: stage.room(4, 3, 2)]),
    }


def offices(view: View) -> Sequence[Office]:
    """Offices by files overdue; silent ones last."""
    rows = [view.row("files_overdue", site_id, by_site=True) for site_id in sites(view, "files_overdue", "office")]
    counts = {row.site_id: value(view, "files_overdue", row.site_id) for row in rows}
    longest = max([first_limit(view, "files_overdue") or 1.0, *(one for one in counts.values() if one is not None)])
    ordered = sorted(rows, key=lambda row: urgency(row, counts[row.site_id] or 0.0))
    return [_office(view, row, 100 * (counts[row.site_id] or 0.0) / longest) for row in ordered]


def _office(view: View, row: Row, bar: float) -> Office:
    n = view.snapshot.reading("on_time_n", row.site_id)
    pending = value(view, "files_pending", row.site_id)
    return Office(
        overdue=row,
        pending=formats.number(pending, 0, view.language) if pending is not None else "",
        bar=bar,
        on_time=view.row("on_time_rate", row.site_id),
        on_time_n=formats.number(n.value if n else None, 0, view.language),
        few=n is None or not n.value >= MIN_SAMPLE,
    )


def reporting(view: View) -> Sequence[Row]:
    """Wards with reports in the last hour, those furthest above their usual first."""
    found = []
    for site_id in sites(view, "reports_60min", "area"):
        reading = view.snapshot.reading("reports_60min", site_id)
        if reading is None or not reading.live or reading.value <= 0:
            continue
        row = replace(view.row("reports_60min", site_id, width=120, height=34, by_site=True), place="")
        usual = view.snapshot.usual("reports_60min", site_id, reading.time)
        if usual is not None and not row.note:
            low, _, high = (formats.number(one, 0, view.language) for one in usual)
            row = replace(row, note=view.t("scene_services.usual", low=low, high=high))
        found.append((row, reading.value - (usual[1] if usual is not None else 0.0)))
    return [row for row, _ in sorted(found, key=lambda one: urgency(*one))]


def flooding(view: View) -> float:
    """Reports of flooding in the last hour, all wards together."""
    recent = view.snapshot.recent
    frames = [recent[key] for key in recent if key[0] == "reports_received_flooding"]
    return total(float(one.loc[one["time"] > view.now - HOUR, "value"].sum()) for one in frames)


def _shares(view: View) -> list[tuple[Row, bool]]:
    return [sampled(view, view.row(key, "city", width=220, height=56), n_key) for key, n_key in SHARES]
