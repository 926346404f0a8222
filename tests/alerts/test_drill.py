"""A drill of the evening storm: who answered what, how fast, and what went wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from alerts import drill
from analysis import alarm_health

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
FLOOD = ("underpass_flood", "flood_01")
RAIN = ("heavy_rain", "rain_01")
JAM = ("congestion_segment", "road_01")
HA = "Nguyễn Thị Minh Hà"
TIMES = {"underpass_flood": timedelta(minutes=10), "heavy_rain": timedelta(minutes=30)}


@dataclass(frozen=True)
class Beat:
    at_min: float


SCRIPT = [Beat(0), Beat(25), Beat(60)]


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def line(
    minute: float,
    deed: str,
    key: tuple[str, str],
    priority: str = "high",
    *,
    before: str = "NORM",
    after: str = "UNACK",
    actor: str = "engine",
) -> dict[str, object]:
    return {
        "happened_at": at(minute), "rule": key[0], "site_id": key[1], "state_before": before, "state_after": after,
        "priority": priority, "actor": actor, "deed": deed,
    }  # fmt: skip


def ack(minute: float, key: tuple[str, str]) -> dict[str, object]:
    return line(minute, "acknowledge", key, before="UNACK", after="ACKED", actor=HA)


def frame(rows: list[dict[str, object]], columns: list[str]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=columns)
    found["happened_at"] = pd.to_datetime(found["happened_at"], utc=True)
    found.insert(0, "entry", range(1, len(rows) + 1))
    return found.iloc[::-1].reset_index(drop=True)


def scored(
    lines: list[dict[str, object]],
    *,
    audit: pd.DataFrame | None = None,
    minutes: float = 60,
    running: bool = False,
) -> drill.Score:
    journal = frame(lines, list(line(0, "raise", FLOOD)))
    return drill.score(
        journal, audit, beats=SCRIPT, started_at=START, ended_at=at(minutes), shift="Ca chiều",
        scenario="evening_storm", times_to_act=TIMES, running=running,
    )  # fmt: skip


def test_a_shift_that_answered_in_time_did_well() -> None:
    done = scored([line(5, "raise", RAIN), ack(9, RAIN), line(20, "raise", FLOOD, "critical"), ack(22, FLOOD)])
    assert (done.annunciations, done.answered, done.missed, done.wrong_deeds) == (2, 2, 0, 0)
    assert (done.ack_median_min, done.ack_median_open) == (2, False)
    (critical,) = done.criticals
    assert (critical.key, critical.minutes(at(60)), critical.acked_by, critical.missed) == (FLOOD, 2, HA, False)
    assert done.grade == "good"
    assert (done.beats_played, done.beats) == (3, 3)


def test_a_critical_alert_answered_after_its_time_to_act_was_missed() -> None:
    in_time = scored([line(20, "raise", FLOOD, "critical"), ack(30, FLOOD)])
    assert (in_time.missed, in_time.grade) == (0, "good")
    late = scored([line(20, "raise", FLOOD, "critical"), ack(30.1, FLOOD)])
    assert (late.missed, late.grade) == (1, "failed")


def test_a_rule_without_a_time_to_act_gives_a_quarter_of_an_hour() -> None:
    assert scored([line(20, "raise", JAM, "critical"), ack(35, JAM)]).missed == 0
    assert scored([line(20, "raise", JAM, "critical"), ack(35.1, JAM)]).missed == 1


def test_nobody_has_missed_yet_what_has_just_rung_but_at_the_end_it_counts() -> None:
    lines = [line(55, "raise", FLOOD, "critical")]
    assert scored(lines, running=True).missed == 0
    assert scored(lines, running=True, minutes=66).missed == 1, "its ten minutes are over"
    assert scored(lines).missed == 1
    assert scored([line(55, "raise", RAIN)]).missed == 0, "only critical ones are missed"


def test_turning_critical_begins_a_new_time_to_act() -> None:
    lines = [line(5, "raise", FLOOD), line(20, "raise_priority", FLOOD, "critical", before="UNACK"), ack(28, FLOOD)]
    (critical,) = scored(lines).criticals
    assert (critical.rang_at, critical.missed) == (at(20), False)


def test_a_second_ring_does_not_restart_the_clock_of_the_first() -> None:
    again = line(12, "realarm", FLOOD, "critical", before="UNACK")
    done = scored([line(5, "raise", FLOOD, "critical"), again, ack(17, FLOOD)])
    assert (done.annunciations, done.missed) == (1, 1)


def test_an_acknowledgement_that_was_taken_back_is_a_wrong_deed_and_no_answer() -> None:
    undo = line(21.1, "unacknowledge", FLOOD, "critical", before="ACKED", actor=HA)
    done = scored([line(20, "raise", FLOOD, "critical"), ack(21, FLOOD), undo, ack(26, FLOOD)])
    assert (done.ack_median_min, done.wrong["undone"], done.missed, done.grade) == (6, 1, 0, "passed")
    never = scored([line(20, "raise", FLOOD, "critical"), ack(21, FLOOD), undo])
    assert (never.answered, never.missed) == (0, 1)


def test_shelving_what_turns_critical_is_a_wrong_deed() -> None:
    """The critical one breaks through its shelf; the shelf should not have been."""
    shelve = line(8, "shelve", FLOOD, before="UNACK", after="SHLVD", actor=HA)
    hidden = line(20, "raise_priority", FLOOD, "critical", before="SHLVD", after="SHLVD")
    out = line(20, "unshelve", FLOOD, "critical", before="SHLVD", after="UNACK")
    done = scored([line(5, "raise", FLOOD), shelve, hidden, out, ack(25, FLOOD)])
    assert done.wrong["shelved_too_soon"] == 1
    assert [one.rang_at for one in done.criticals] == [at(20)]
    assert done.annunciations == 1, "what was shelved waits for nobody"
    harmless = scored([line(5, "raise", FLOOD), shelve, line(9, "raise_priority", FLOOD, after="SHLVD")])
    assert harmless.wrong_deeds == 0


def test_a_critical_alert_that_was_put_away_unanswered_is_missed() -> None:
    away = line(22, "take_out_of_service", FLOOD, "critical", before="UNACK", after="OOSRV", actor=HA)
    assert scored([line(20, "raise", FLOOD, "critical"), away]).missed == 1


def test_refused_and_denied_deeds_of_people_are_wrong_deeds() -> None:
    columns = ["happened_at", "account_type", "result"]
    rows = [
        {"happened_at": at(5), "account_type": "demo", "result": "refused"},
        {"happened_at": at(6), "account_type": "person", "result": "denied"},
        {"happened_at": at(7), "account_type": "person", "result": "done"},
        {"happened_at": at(8), "account_type": "wall", "result": "denied"},
        {"happened_at": at(-1), "account_type": "person", "result": "denied"},
    ]
    done = scored([line(5, "raise", RAIN), ack(9, RAIN)], audit=frame(rows, columns))
    assert (done.wrong["refused"], done.wrong["denied"], done.grade) == (1, 1, "passed")


def test_an_open_alert_in_the_middle_makes_the_median_a_lower_bound() -> None:
    done = scored([line(5, "raise", RAIN), ack(9, RAIN), line(20, "raise", JAM), line(30, "raise", FLOOD)])
    assert (done.ack_median_min, done.ack_median_open) == (30, True)


def test_before_anything_rang_there_is_nothing_to_judge() -> None:
    done = scored([line(-3, "raise", RAIN)], minutes=10)
    assert (done.grade, done.annunciations, done.ack_median_min) == ("unjudged", 0, None)
    assert (done.beats_played, done.beats) == (1, 3)


def test_a_score_can_be_written_down() -> None:
    done = scored([line(20, "raise", FLOOD, "critical"), ack(22, FLOOD)])
    kept = json.loads(json.dumps(done.as_mapping(), ensure_ascii=False))
    assert (kept["shift"], kept["grade"], kept["missed"], kept["wrong_deeds"]) == ("Ca chiều", "good", 0, 0)
    assert kept["criticals"][0]["minutes"] == 2
    assert datetime.fromisoformat(kept["started_at"]) == START


@pytest.mark.parametrize("name", ["RINGS", "LIFTS", "COVERING"])
def test_a_drill_and_the_health_page_mean_the_same_annunciation(name: str) -> None:
    """Two rooms that may not import each other say the same word."""
    assert getattr(drill, name) == getattr(alarm_health, name)
