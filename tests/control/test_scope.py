"""What a person with some areas sees of the city: their own rows, those of nobody's area, and no other."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from control.scope import scoped
from core.alert import SITUATION, Alert
from core.ledger import Handover, Item, Notice, Situation, StepDone
from core.snapshot import Snapshot
from pipeline import Line
from tests.conftest import EVENING

FLOOD, ROAD, CITY_WIDE = ("underpass_flood", "flood_01"), ("road_flood", "flood_02"), ("backlog", "thanh_lam")


def notice(rule: str, site_id: str) -> Notice:
    return Notice(
        id=f"{rule}:{site_id}", made_at=EVENING, rule=rule, site_id=site_id, deed="raise", happened_at=EVENING,
        priority="high", channel="mail", recipient="ha@thanhlam.example", subject="", text="", state="failed",
    )  # fmt: skip


@pytest.fixture
def evening(demo_line: Line) -> Snapshot:
    """Two wards with one alert each in a situation of its own, one alert of the whole city, and what hangs on them."""
    alerts = (
        Alert(rule=FLOOD[0], site_id=FLOOD[1], active=True, acked=False, began_at=EVENING, situation="VV-0001"),
        Alert(rule=ROAD[0], site_id=ROAD[1], active=True, acked=False, began_at=EVENING, situation="VV-0002"),
        Alert(rule=CITY_WIDE[0], site_id=CITY_WIDE[1], active=True, acked=False),
    )
    told = [FLOOD, ROAD, CITY_WIDE, (SITUATION, "VV-0001"), (SITUATION, "VV-0002")]
    step = StepDone(
        rule=FLOOD[0], site_id=FLOOD[1], began_at=EVENING, playbook="flood", version="1", step=1, done_at=EVENING,
        done_by="Hà",
    )  # fmt: skip
    return replace(
        demo_line.snapshot,
        alerts=alerts,
        situations={name: Situation(id=name, opened_at=EVENING) for name in ("VV-0001", "VV-0002")},
        steps=(step, replace(step, rule=ROAD[0], site_id=ROAD[1])),
        journal=pd.DataFrame(told, columns=["rule", "site_id"]),
        undelivered=tuple(notice(*one) for one in told),
        handovers=(Handover(id="BG-1", shift="night", made_at=EVENING, made_by="Hà", content="{}"),),
    )


def own_items(alerts: object) -> tuple[Item, ...]:
    return tuple(
        Item(kind="single", id=one.rule, priority="high", lead=one.key, members=(one.key,), shown=(one.key,))
        for one in alerts  # type: ignore[attr-defined]
    )


def test_a_ward_sees_itself_and_the_city_and_no_neighbour(evening: Snapshot) -> None:
    city = evening.city
    ward, other = city.area_of(FLOOD[1]), city.area_of(ROAD[1])
    assert ward
    assert other
    assert ward != other
    seen = scoped(evening, {ward}, own_items)
    assert {alert.key for alert in seen.alerts} == {FLOOD, CITY_WIDE}
    assert {item.lead for item in seen.items} == {FLOOD, CITY_WIDE}
    assert set(seen.situations) == {"VV-0001"}
    assert [(step.rule, step.site_id) for step in seen.steps] == [FLOOD]
    own = [FLOOD, CITY_WIDE, (SITUATION, "VV-0001")]
    assert list(seen.journal.itertuples(index=False, name=None)) == own
    assert [(one.rule, one.site_id) for one in seen.undelivered] == own, "not even a count of other wards' messages"
    assert seen.handovers == (), "a handover tells the whole city"


def test_places_and_their_numbers_are_cut_too(evening: Snapshot) -> None:
    ward = evening.city.area_of(FLOOD[1])
    seen = scoped(evening, {ward}, own_items)
    assert FLOOD[1] in seen.city.sites.index
    assert ROAD[1] not in seen.city.sites.index
    assert evening.city.city_site in seen.city.sites.index
    assert list(seen.city.areas.index) == [ward]
    for series in (seen.readings, seen.recent, seen.band):
        sites = {site for _, site in series}
        assert sites
        assert {evening.city.area_of(site) for site in sites} <= {"", ward}
    assert any(evening.city.area_of(site) not in ("", ward) for _, site in evening.readings), "there was more to see"


def test_the_picture_of_the_whole_city_stays_what_it_was(evening: Snapshot) -> None:
    before = (len(evening.alerts), len(evening.readings), len(evening.city.sites), len(evening.undelivered))
    scoped(evening, {evening.city.area_of(FLOOD[1])}, own_items)
    assert (len(evening.alerts), len(evening.readings), len(evening.city.sites), len(evening.undelivered)) == before


def test_a_quiet_ward_sees_an_empty_journal_and_not_a_broken_page(evening: Snapshot) -> None:
    """On the first night of a new house nothing has happened yet: no line is told, and its columns are there."""
    quiet = scoped(replace(evening, journal=evening.journal.iloc[:0]), {evening.city.area_of(FLOOD[1])}, own_items)
    assert list(quiet.journal.columns) == ["rule", "site_id"]
    assert quiet.journal.empty
