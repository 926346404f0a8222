"""Files, reports, scores and proposals as their screens ask for them: scoped, the same for all, and audited."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from analysis import open_tables
from connectors import demo, open311
from connectors._contract import Payload
from control.studies import Study
from core import cases
from core.access import Denied, Person
from core.config import load_city
from core.errors import ConfigError, InputError
from core.open_figures import Publication
from core.proposals import load_proposals
from core.scores766 import read_counts
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.conftest import EVENING

WAIT_S = 120.0
DAY = timedelta(days=1)


def answer(ask: Callable[[], Study]) -> Study:  # type: ignore[type-arg]
    """The study once it has been answered; the thread of studies is the one that is waited for."""
    end = time.monotonic() + WAIT_S
    while ask().busy and time.monotonic() < end:
        time.sleep(0.02)
    return ask()


def test_the_demo_city_has_cases_behind_its_counts(demo_line: Line) -> None:
    found = answer(lambda: demo_line.casework.reports(None)).value
    assert found is not None
    assert {row.category for row in found.rows} == {"", "flooding", "waste_noise", "roads_lights", "order"}
    assert found.row().n > 2000
    assert found.row().survival.median is not None
    assert len(found.wards) == len(demo_line.city.areas)


def test_single_files_add_up_to_the_counts_of_their_office(demo_line: Line) -> None:
    day = (pd.Timestamp("2026-11-18", tz="Asia/Ho_Chi_Minh"), pd.Timestamp("2026-11-19", tz="Asia/Ho_Chi_Minh"))
    since = EVENING.replace(year=2026, month=9)
    files = demo_line.store.read_cases("file", since)
    counted = demo_line.store.read_observations(["files_received", "files_resolved"], *day)
    for name, column in (("files_received", "received_at"), ("files_resolved", "resolved_at")):
        whole = counted[counted["observed_property"] == name].groupby("site_id")["value"].sum()
        single = files[(files[column] >= day[0]) & (files[column] < day[1])].groupby("agency").size()
        assert single.to_dict() == whole.astype(int).to_dict(), name


def test_a_ward_sees_its_own_and_nothing_else(demo_line: Line) -> None:
    own = frozenset({"90001"})
    reports = answer(lambda: demo_line.casework.reports(own)).value
    assert [ward.code for ward in reports.wards] == ["90001"]
    board = answer(lambda: demo_line.casework.scores(own)).value
    assert [unit.unit for unit in board.units] == ["office_02"]
    assert set(board.history["unit"]) == {"office_02"}
    late = answer(lambda: demo_line.casework.warnings(own)).value
    assert set(late.files["agency"]) == {"office_02"}


def test_the_repaired_office_is_marked_and_not_ranked(demo_line: Line) -> None:
    board = answer(lambda: demo_line.casework.scores(None)).value
    (mark,) = board.marks
    assert (mark.unit, mark.cause) == ("office_05", "resync")
    assert "office_05" not in {unit.unit for _, unit in board.ranks}
    assert board.ranked == 5
    whys = {unit.unit: unit.total.why for unit in board.units}
    assert whys["office_01"] == "same"
    assert whys["office_03"] == "parts_unknown"
    assert whys["office_04"] == "counts_differ"


def test_the_warning_is_told_with_its_record(demo_line: Line) -> None:
    found = answer(lambda: demo_line.casework.warnings(None)).value
    nearest = found.scores[0]
    assert (nearest.precision.percent or 0) > (nearest.base.percent or 0) + 10
    assert (nearest.recall.percent or 0) > 60
    assert found.effect is None, "nobody was reminded"


@pytest.fixture
def own_line(tmp_path: Path) -> Line:
    """A line without history, to act on."""
    city = load_city("demo")
    line = Line(replace(city, sources=()), DuckStore(tmp_path / "own.duckdb", zone=str(city.zone)), SetClock(EVENING))
    yield line
    line.stop()


def test_who_reminds_a_unit_stands_in_the_audit_log(own_line: Line) -> None:
    operator = Person(account="op", name="Hà", role="operator")
    own_line.casework.remind(operator, "office_04", "land")
    assert len(own_line.store.read_reminders(EVENING.replace(year=2025))) == 1
    with pytest.raises(Denied):
        own_line.casework.remind(replace(operator, role="viewer"), "office_04", "land")
    with pytest.raises(Denied):
        own_line.casework.remind(replace(operator, areas=frozenset({"90001"})), "office_04", "land")
    with pytest.raises(InputError):
        own_line.casework.remind(operator, "office_04", "weather")
    told = own_line.audit_rows(EVENING.replace(year=2025))
    mine = told[told["action"] == "remind_unit"]
    assert sorted(mine["result"]) == ["denied", "denied", "done", "refused"]
    assert len(own_line.store.read_reminders(EVENING.replace(year=2025))) == 1


def test_open_figures_are_made_once_for_a_closed_week_and_never_again(own_line: Line) -> None:
    """A report of a closed week is rated after its publication: neither the next call nor a restart tells it."""
    clock = own_line.clock
    assert isinstance(clock, SetClock)
    received = datetime(2026, 11, 4, 9, 0, tzinfo=own_line.city.zone)
    rows = [
        {
            "case_id": str(number),
            "kind": "report",
            "category": "flooding",
            "ward": "90001",
            "received_at": received,
            "resolved_at": received + timedelta(hours=3),
            "rating": 5.0 if number < 20 else float("nan"),
            "source": "hotline",
        }
        for number in range(40)
    ]
    earlier = rows[0] | {"case_id": "early", "received_at": received - timedelta(days=10), "resolved_at": received}
    own_line.store.write_cases(cases.frame([earlier, *rows]), EVENING)
    first = answer(own_line.casework.public).value
    assert [one.astimezone(own_line.city.zone).strftime("%a %d.%m. %H:%M") for one in (first.since, first.until)] == [
        "Mon 02.11. 00:00",
        "Mon 09.11. 00:00",
    ]
    assert int(first.tables.satisfied.cells.at["flooding", "satisfied"]) == 20
    own_line.store.write_cases(cases.frame([rows[30] | {"rating": 5.0}]), EVENING)
    clock.advance(timedelta(days=3))
    assert answer(own_line.casework.public).value is first
    again = Line(own_line.city, own_line.store, SetClock(clock.now()))
    kept = answer(again.casework.public).value
    assert kept.made_at == first.made_at
    assert open_tables.as_text(kept.tables) == open_tables.as_text(first.tables)
    clock.advance(timedelta(days=2))
    assert own_line.casework.public().value is first, "until the next week is made"
    following = answer(own_line.casework.public).value
    assert following.since == first.until, "the weeks share no moment"


def test_the_store_refuses_a_period_that_overlaps_a_published_one(own_line: Line) -> None:
    noon = datetime(2026, 11, 9, 12, tzinfo=UTC)
    own_line.store.write_publication(Publication(since=noon, until=noon + DAY, made_at=noon + 9 * DAY, body="{}"))
    for since, until in ((noon, noon + DAY), (noon - DAY, noon + 2 * DAY), (noon + DAY / 2, noon + 3 * DAY)):
        with pytest.raises(InputError, match="trùng"):
            own_line.store.write_publication(Publication(since=since, until=until, made_at=until, body="{}"))
    own_line.store.write_publication(
        Publication(since=noon + DAY, until=noon + 2 * DAY, made_at=noon + 10 * DAY, body="{}")
    )
    newest = own_line.store.newest_publication()
    assert newest is not None
    assert newest.since == noon + DAY
    assert own_line.store.verify_tables() == []
    with own_line.store._write() as cursor:  # whoever merges two files by hand
        cursor.execute(
            "INSERT INTO open_figures SELECT since + INTERVAL 6 HOUR, until, made_at, body FROM open_figures"
        )
    found = own_line.store.verify_tables()
    assert [words.partition(": ")[2] for words in found] == ["2 x published period overlaps another"]


def test_a_house_that_came_in_the_middle_of_the_week_does_not_publish_that_week_as_whole(own_line: Line) -> None:
    received = datetime(2026, 11, 4, 9, 0, tzinfo=own_line.city.zone)
    row = {"case_id": "1", "kind": "report", "category": "flooding", "ward": "90001", "received_at": received}
    own_line.store.write_cases(cases.frame([row | {"source": "hotline"}]), EVENING)
    study = answer(own_line.casework.public)
    assert study.value is None
    assert "trọn vẹn" in study.problem
    assert own_line.store.newest_publication() is None


def test_proposals_stand_in_the_ranks_that_their_votes_allow_with_the_verdict_of_their_pilot(own_line: Line) -> None:
    found = {one.proposal.key: one for one in own_line.casework.spoken()}
    assert (found["night_bus"].best_rank, found["night_bus"].worst_rank) == (4, 4)
    assert (found["green_wave"].best_rank, found["green_wave"].worst_rank) == (1, 3), "intervals overlap"
    assert found["kerb"].verdict == "scale"
    assert found["desk"].verdict == "before"
    assert found["night_bus"].verdict == "none"


@pytest.mark.parametrize(
    "line",
    [
        "votes = 12\nvoters = 11",
        "votes = 1\nvoters = 2\npilot = 'moon'",
        "votes = 1\nvoters = 2\nanswered_on = 2026-01-01",
    ],
)
def test_a_register_that_cannot_be_is_refused(tmp_path: Path, line: str) -> None:
    text = f"[[proposal]]\nkey='a'\ntitle_vi='t'\nasked_vi='q'\nsubmitted=2026-01-01\ncounted_on=2026-01-02\n{line}\n"
    (tmp_path / "proposals.toml").write_text(text)
    with pytest.raises(ConfigError):
        load_proposals(tmp_path, ["signal_timing"])


def test_counts_with_a_wrong_cell_name_their_line(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("period_end,unit,part,numerator,denominator\n2026-10-31,u,on_time,1,2\n2026-10-31,u,online,x,2\n")
    with pytest.raises(InputError, match="dòng 3"):
        read_counts(path, load_city("demo").zone)


def test_open311_hands_over_times_and_places_but_no_text() -> None:
    body = """[{"service_request_id": 7, "status": "closed", "service_name": "Rác", "description": "nhà bà Lan",
      "address": "5 ngõ 3", "requested_datetime": "2026-11-01T08:00:00+07:00", "lat": 21.3513, "long": 105.9935,
      "updated_datetime": "2026-11-02T08:00:00+07:00", "expected_datetime": "2026-11-03T08:00:00+07:00"},
      {"service_request_id": 8, "status": "closed", "requested_datetime": "2026-11-05T08:00:00+07:00",
      "updated_datetime": "2026-11-04T08:00:00+07:00", "service_name": "Đèn"},
      {"status": "open", "requested_datetime": "2026-11-05T08:00:00+07:00", "service_name": "Đèn"}]"""
    found = open311.cases(Payload(body=body.encode(), name="requests.json"))
    assert found["category"].tolist() == ["Rác", "Đèn"], "a report without a number cannot be followed"
    assert (found["resolved_at"] < found["received_at"]).tolist() == [False, True], (
        "told as it is; the count leaves it out"
    )
    assert "lan" not in found.to_csv().casefold()


def test_only_two_parts_of_the_simulator_have_cases() -> None:
    assert demo.offers_cases({"part": "reports"})
    assert not demo.offers_cases({"part": "traffic"})
