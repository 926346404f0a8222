"""What a person with some areas may see of the city: the snapshot without the rows of other areas.

City-wide facts stay visible to all; they belong to nobody's area. Deeds have their own, stricter check at the gate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from core.alert import SITUATION, Alert
from core.ledger import Item
from core.quality import Quality
from core.snapshot import SeriesPart, Snapshot


def scoped(
    snapshot: Snapshot, areas: Collection[str], items: Callable[[Collection[Alert]], tuple[Item, ...]]
) -> Snapshot:
    """The part of a snapshot that lies in the areas, or in none. `items` lists alerts as things to do."""
    city = snapshot.city

    def seen(site_id: str) -> bool:
        area = city.area_of(site_id)
        return not area or area in areas

    alerts = tuple(alert for alert in snapshot.alerts if seen(alert.site_id))
    sites = city.sites[[seen(site_id) for site_id in city.sites.index]]
    live = {alert.situation for alert in alerts}
    situations = {key: situation for key, situation in snapshot.situations.items() if key in live}
    shown = {alert.key for alert in alerts}
    journal = snapshot.journal

    def told(rule: str, site_id: str) -> bool:
        return site_id in situations if rule == SITUATION else seen(site_id)

    lines = np.array(
        [told(rule, site_id) for rule, site_id in zip(journal["rule"], journal["site_id"], strict=True)], dtype=bool
    )  # an empty list would choose no columns, where an empty mask chooses no rows
    return replace(
        snapshot,
        city=replace(city, sites=sites, areas=city.areas[city.areas.index.isin(list(areas))]),
        readings=_part(snapshot.readings, seen),
        recent=SeriesPart(snapshot.recent, seen),
        band=SeriesPart(snapshot.band, seen),
        too_short=SeriesPart(snapshot.too_short, seen),
        alerts=alerts,
        items=items(alerts),
        situations=situations,
        steps=tuple(step for step in snapshot.steps if (step.rule, step.site_id) in shown),
        journal=journal[lines],
        undelivered=tuple(notice for notice in snapshot.undelivered if told(notice.rule, notice.site_id)),
        outlook=tuple(one for one in snapshot.outlook if seen(one.site_id)),
        revised=_part(snapshot.revised, seen),
        quality=None if snapshot.quality is None else _quality_of(snapshot.quality, areas, seen),
        handovers=(),  # a handover tells the whole city
    )


def _quality_of(quality: Quality, areas: Collection[str], seen: Callable[[str], bool]) -> Quality:
    """Scores of sources and suppliers belong to nobody's area; those of places and single rows do."""
    spans = {}
    for name, span in quality.spans.items():
        failing = span.failing[np.array([seen(str(one)) for one in span.failing["site_id"]], dtype=bool)]
        spans[name] = replace(
            span,
            sites={key: one for key, one in span.sites.items() if seen(key)},
            areas={code: one for code, one in span.areas.items() if code in areas},
            failing=failing,
            failed=Counter(zip(failing["source"], failing["score"], strict=True)),
        )
    return replace(quality, spans=spans, artefacts=tuple(mark for mark in quality.artefacts if seen(mark.site_id)))


def _part(series: Mapping[tuple[str, str], Any], seen: Callable[[str], bool]) -> dict[tuple[str, str], Any]:
    return {key: value for key, value in series.items() if seen(key[1])}
