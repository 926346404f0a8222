"""The newest readings of a city as the screens see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from core.catalogue import Catalogue
from core.snapshot import Reading, freshness
from store.base import Store


def readings(
    store: Store, catalogue: Catalogue, rhythm: Mapping[str, timedelta], now: datetime
) -> dict[tuple[str, str], Reading]:
    """The newest value of each property and site with its age; `rhythm` is how often each source tells something."""
    newest = store.latest().sort_values("time")
    at_site: dict[str, timedelta] = {}  # an indicator is as slow as the slowest source of its site
    for site_id, key in zip(newest["site_id"].tolist(), newest["source"].tolist(), strict=True):
        if key in rhythm:
            at_site[site_id] = max(rhythm[key], at_site.get(site_id, rhythm[key]))
    found: dict[tuple[str, str], Reading] = {}
    for row in newest.to_dict("records"):
        item = catalogue.get(row["observed_property"])
        if item is None:
            continue
        age = max(now - row["time"].to_pydatetime(), timedelta(0))
        every = rhythm.get(row["source"]) or at_site.get(row["site_id"], timedelta(0))
        found[(row["observed_property"], row["site_id"])] = Reading(
            site_id=row["site_id"],
            item=item,
            time=row["time"].to_pydatetime(),
            value=row["value"],
            source=row["source"],
            received_at=row["received_at"].to_pydatetime(),
            age=age,
            freshness=freshness(age, item, every),
            every=every,
        )
    return found
