"""The facts of a brief come from the store as it was known then, for the areas that the reader may see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pytest

from alerts.lifecycle import OUT_OF_SERVICE
from control.brief import Material, gather
from control.pilots import Known
from core import observations as obs
from core.alert import Alert, AlertEvent
from core.asked import Asked
from core.brief import DAY, MONTH, WEEK, Facts
from core.ledger import Outcome
from core.outlook import Ahead, Crossing
from core.plans import Decision, Task
from core.snapshot import Snapshot
from pipeline import Line
from tests.pages.conftest import copy_of

FLOOD, RAIN = ("underpass_flood", "flood_01"), ("heavy_rain", "rain_01")


@pytest.fixture
def line(demo_line: Line, tmp_path: Path) -> Iterator[Line]:
    own = copy_of(demo_line, tmp_path / "own.duckdb")
    yield own
    own.stop()


@pytest.fixture(scope="module")
def rung(demo_line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """Rain, then a flood ten minutes later; nobody has acknowledged either."""
    own = copy_of(demo_line, tmp_path_factory.mktemp("rung") / "rung.duckdb")
    ring(own)
    yield own
    own.stop()


def material(line: Line, **changed: object) -> Material:
    found = Material(
        city=line.city,
        catalogue=line.catalogue,
        store=line.store,
        words=line.snapshot.rules,
        pilots=lambda today: line.pilots(),
        asked=lambda today, areas: (),
        ahead=lambda: (),
        snapshot=lambda: line.snapshot,
    )
    return replace(found, **changed)  # type: ignore[arg-type]


def today(line: Line, **changed: object) -> Facts:
    now = line.clock.now()
    return gather(material(line, **changed), DAY, now.astimezone(line.city.zone).date(), now)


def test_the_brief_of_a_running_day_tells_figures_with_usual_sample_and_source(demo_line: Line) -> None:
    line = demo_line
    found = today(line)
    assert found.running
    assert {one.domain for one in found.figures} >= {"traffic", "environment", "services", "reports"}
    scores = [abs(one.score) for one in found.figures if one.score is not None]
    assert scores == sorted(scores, reverse=True), "the farthest first"
    share = next(one for one in found.figures if one.key == "satisfaction")
    assert share.sample
    assert share.sample_low is not None
    assert share.sample_high is not None
    assert share.sample_low < share.value < share.sample_high
    assert all(one.at <= found.until and one.source.vi for one in found.figures)
    assert found.trust.up == sum(state.up is True for state in line.snapshot.sources)
    assert all(one.mean_n > 0 for one in found.figures)


def test_week_and_month_compare_with_the_period_before(demo_line: Line) -> None:
    line = demo_line
    now = line.clock.now()
    day = now.astimezone(line.city.zone).date()
    for period in (WEEK, MONTH):
        found = gather(material(line), period, day, now)
        jam = next(one for one in found.figures if one.key == "travel_time_index")
        assert jam.mean is not None
        assert found.first <= day <= found.last
        assert len(jam.trail) <= 32, "days, not hours"


def test_what_is_corrected_after_the_day_does_not_change_its_brief(line: Line) -> None:
    zone = line.city.zone
    day = line.clock.now().astimezone(zone).date()
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    line.clock.set(end)
    line.run_once()
    before = gather(material(line), DAY, day, end + timedelta(hours=1))
    assert not before.running
    noon = end - timedelta(hours=6)
    rows = [{"site_id": "river_01", "observed_property": "river_level", "value": 9.5}]
    source = next(row for row in line.store.latest(["river_level"]).itertuples() if row.site_id == "river_01").source
    late = obs.frame(rows, time=pd.Timestamp(noon), source=source, quality="pass")
    line.store.write_observations(late, end + timedelta(hours=2))
    after = gather(material(line), DAY, day, end + timedelta(hours=3))
    assert after.figures == before.figures
    assert after.trust.loaded_at is None


def test_a_day_loaded_afterwards_is_told_and_marked(demo_line: Line) -> None:
    line = demo_line
    day = line.clock.now().astimezone(line.city.zone).date() - timedelta(days=10)
    found = gather(material(line), DAY, day, line.clock.now())
    assert found.figures
    assert found.trust.loaded_at is not None
    assert found.trust.loaded_at > found.until
    assert found.trust.up is None, "nobody knows which source answered then"
    assert not found.outlooks


def ring(line: Line) -> None:
    """Rain, then a flood ten minutes later; nobody has acknowledged either."""
    now = line.clock.now()
    events = []
    for (rule, site), priority, value, minutes in ((RAIN, "high", 42.0, 30), (FLOOD, "critical", 38.0, 20)):
        at = now - timedelta(minutes=minutes)
        events.append((
            Alert(rule=rule, site_id=site, active=True, acked=False, priority=priority, value=value, began_at=at,
                  raised_at=at),
            AlertEvent(happened_at=at, rule=rule, site_id=site, state_before="NORM", state_after="UNACK",
                       priority=priority, value=value, deed="raise"),
        ))  # fmt: skip
    line.change(lambda _: ([one for one, _ in events], [two for _, two in events]))


def test_alerts_without_an_owner_are_asked_of_the_leader_by_their_time_to_act(rung: Line) -> None:
    line = rung
    found = today(line)
    asks = {one.key: one for one in found.asks if one.kind == "alert"}
    flood = asks[":".join(FLOOD)]
    rule = line.snapshot.rules[FLOOD[0]]
    assert rule.time_to_act is not None
    assert flood.due_at == line.clock.now() - timedelta(minutes=20) + rule.time_to_act
    assert flood.overdue == (flood.due_at <= line.clock.now())
    assert flood.detail.vi == rule.action["vi"]
    assert found.counts.raised >= 2
    assert found.counts.unacked >= 2
    told = [link.title.vi for chain in found.chains for link in chain.links]
    assert rule.title["vi"] in told
    key = line.snapshot.rules[RAIN[0]].observed_property
    worst = {one.key: one.priority for one in found.figures}
    assert worst.get(key) == "high"


def test_an_alert_that_began_after_the_day_is_not_in_it(rung: Line) -> None:
    line = rung
    now = line.clock.now()
    yesterday = gather(material(line), DAY, now.astimezone(line.city.zone).date() - timedelta(days=1), now)
    assert not yesterday.chains
    assert not [one for one in yesterday.asks if one.kind == "alert"]
    assert yesterday.counts.raised == 0


def test_a_pilot_that_has_ended_asks_for_its_decision_by_the_day_of_its_plan_until_one_is_written_down(
    line: Line,
) -> None:
    def asked() -> dict[str, tuple[date | None, bool]]:
        return {one.key: (one.due, one.overdue) for one in today(line, pilots=of_a_city).asks if one.kind == "pilot"}

    by = {"signal_timing": date(2020, 1, 2), "kerb_watch": None}
    known = [replace(one, pilot=replace(one.pilot, decide_by=by.get(one.pilot.key))) for one in line.pilots()]

    def of_a_city(day: date) -> list[Known]:
        return known

    assert asked() == {"signal_timing": (date(2020, 1, 2), True), "kerb_watch": (None, False)}
    decision = Decision(
        id="QĐ-0001", made_at=line.clock.now(), made_by="Lê Thu Hà", page="pilots", link="/pilots?pilot=kerb_watch",
        snapshot=1, seen_at=line.clock.now(), seen="Nhân rộng", text="Nhân rộng ra ba phường",
    )  # fmt: skip
    line.store.write_decision(decision)
    line.store.write_decision(replace(decision, id="QĐ-0002", link="/pilots", text="Giao báo cáo"))
    before = replace(decision, id="QĐ-0003", link="/pilots?pilot=signal_timing")
    line.store.write_decision(replace(before, made_at=datetime(2026, 10, 20, tzinfo=UTC)))
    assert list(asked()) == ["signal_timing"], "what was decided while it ran is not the decision about its result"


def test_plans_pilots_and_forecasts_come_into_the_brief(demo_line: Line) -> None:
    line = demo_line
    now = line.clock.now()
    task = Asked(
        kind="task",
        key="t1",
        text_vi="Rà soát",
        text_en="Review",
        owner="Sở",
        due=now.date(),
        overdue=True,
        page="roadmap",
    )
    times = tuple(now + timedelta(hours=hour) for hour in range(1, 13))
    ahead = Ahead(
        observed_property="river_level", site_id="river_01", model="m", issued_at=now, made_at=now, times=times,
        middle=tuple([4.0] * 12), low=tuple([3.9] * 12), high=tuple([4.4] * 12), mae=0.1, naive_mae=0.2,
        coverage_pct=80.0, tests=50, crossing=Crossing(level="watch", limit=4.3, at=None, earliest=times[1]),
    )  # fmt: skip
    found = today(line, asked=lambda day, areas: (task,), ahead=lambda: (ahead,))
    assert found.asks[0].key == "t1", "what is overdue comes first"
    assert {one.key for one in found.asks if one.kind == "pilot"} == {
        one.pilot.key for one in line.pilots() if one.state == "finished" and one.result is not None
    }
    (outlook,) = found.outlooks
    assert (outlook.limit, outlook.earliest, outlook.tests) == (4.3, times[1], 50)
    assert outlook.past, "the line before the forecast"
    days = tuple(now + timedelta(hours=hour) for hour in range(6, 54, 6))
    slow = replace(
        ahead, times=days, middle=tuple([4.0] * 8), low=tuple([3.9] * 8), high=tuple([4.4] * 8),
        crossing=Crossing(level="watch", limit=4.3, at=days[3], earliest=days[2]),
    )  # fmt: skip
    daily = replace(ahead, times=days[3:4], middle=(4.0,), low=(3.9,), high=(4.4,), crossing=None)
    (short,) = today(line, ahead=lambda: (slow, daily)).outlooks
    assert [point.at for point in short.middle] == list(days[:2]), "the heading says twelve hours"
    assert (len(short.low), short.limit) == (2, None), "what is crossed after them belongs to the page of trends"
    scale = next(one for one in found.trials if one.key == "kerb_watch")
    assert (scale.verdict, scale.treated) == ("scale", 5)
    assert scale.low is not None
    assert scale.effect is not None
    assert scale.low < scale.effect


def test_a_person_of_one_area_reads_nothing_of_another(rung: Line) -> None:
    line = rung
    area = line.city.area_of(FLOOD[1])
    other = next(str(code) for code in line.city.areas.index if code not in (area, line.city.area_of(RAIN[1])))
    now = line.clock.now()
    day = now.astimezone(line.city.zone).date()

    def seen_by(code: str) -> Facts:
        return gather(material(line), DAY, day, now, areas=[code])

    own, foreign = seen_by(area), seen_by(other)
    assert [one for one in own.asks if one.key == ":".join(FLOOD)]
    assert not [one for one in foreign.asks if one.kind == "alert"]
    assert {one.area for one in foreign.figures} <= {"", other}
    places = {link.place.vi for chain in foreign.chains for link in chain.links}
    assert line.city.site_name(FLOOD[1], "vi") not in places
    assert foreign.areas == (other,)


def test_without_a_picture_nothing_of_the_present_is_invented(demo_line: Line) -> None:
    line = demo_line
    nothing: Snapshot | None = None
    found = today(line, snapshot=lambda: nothing)
    assert found.trust.scores == ()


def test_the_data_of_a_past_day_are_scored_from_their_rows(line: Line) -> None:
    zone = line.city.zone
    day = line.clock.now().astimezone(zone).date()
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    line.clock.set(end)
    line.run_once()
    found = gather(material(line), DAY, day, end + timedelta(hours=1))
    assert not found.running
    scores = {one.key: one for one in found.trust.scores}
    assert {"correct", "complete"} <= set(scores)
    assert all(one.n > 0 and 0 <= one.percent <= 100 for one in scores.values())
    source = next(row for row in line.store.latest(["river_level"]).itertuples() if row.site_id == "river_01").source
    times = pd.date_range(end - timedelta(hours=20), periods=200, freq="min", tz="UTC")
    bad = pd.DataFrame({"site_id": "river_01", "observed_property": "river_level", "value": 2.0, "time": times})
    line.store.write_observations(obs.frame(bad, source=source, quality="fail"), end)
    worse = {one.key: one for one in gather(material(line), DAY, day, end + timedelta(hours=1)).trust.scores}
    assert worse["correct"].percent < scores["correct"].percent
    nobody = gather(material(line, snapshot=lambda: None), DAY, day, end + timedelta(hours=1))
    assert nobody.trust.scores == (), "nobody knows what kind of source each is"
    kinds = {one.source.key: one.kind for one in line.snapshot.sources}
    alone = gather(material(line, snapshot=lambda: None, kinds=kinds), DAY, day, end + timedelta(hours=1))
    assert {one.key for one in alone.trust.scores} == set(worse), "the command line is told the kinds"


def test_the_week_ahead_holds_tasks_due_and_the_planned_end_of_maintenance(line: Line) -> None:
    now = line.clock.now()
    today_ = now.astimezone(line.city.zone).date()
    soon, later = today_ + timedelta(days=3), today_ + timedelta(days=30)
    for key, title, due, state, area in (
        ("pump", "Nạo vét cống Cầu Gỗ", soon, "open", ""),
        ("lamp", "Thay đèn", soon, "done", ""),
        ("road", "Vá đường", later, "open", ""),
        ("ward", "Sửa vỉa hè", soon, "doing", "90003"),
    ):
        line.store.write_task(
            Task(task=key, version=1, title=title, unit="Đội 1", due=due, state=state, area=area, deed="plan_task",
                 changed_at=now, changed_by="an")
        )  # fmt: skip
    until = now + timedelta(days=2)
    alert = Alert(rule=RAIN[0], site_id=RAIN[1], active=False, acked=True, priority="high", hidden=OUT_OF_SERVICE,
                  hidden_until=until)  # fmt: skip
    event = AlertEvent(happened_at=now, rule=RAIN[0], site_id=RAIN[1], state_before="NORM", state_after=OUT_OF_SERVICE,
                       priority="high", deed="take_out_of_service",
                       detail=json.dumps({"until": until.isoformat()}))  # fmt: skip
    line.store.change_alerts(lambda ledger: Outcome(alerts=(alert,), events=(event,)))
    found = {one.text.vi: one.day for one in today(line).events}
    assert found["Hạn nhiệm vụ: Nạo vét cống Cầu Gỗ"] == soon
    assert found["Hạn nhiệm vụ: Sửa vỉa hè"] == soon
    assert not any("Thay đèn" in one or "Vá đường" in one for one in found), "done, and too far"
    (works,) = [one for one in found if one.startswith("Dự kiến xong bảo trì: ")]
    assert found[works] == until.astimezone(line.city.zone).date()
    ward = gather(material(line), DAY, today_, now, areas=("90001",))
    assert not any("Sửa vỉa hè" in one.text.vi for one in ward.events), "a task of another ward is nobody's here"
