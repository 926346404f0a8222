"""A rule tried on the city's own store: what it, and the rules that it asks about, need is read far enough back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.desk import load_desk
from alerts.rules import load_rules
from control.trials import MOST_KEPT, TrialJob, Trials
from core.config import load_city
from core.errors import InputError
from core.observations import frame
from indicators import catalogue
from store.duck import DuckStore
from tests.clockwork import SetClock

NOW = datetime.fromisoformat("2026-11-19T18:20:00+07:00")
HOUR = NOW.replace(minute=0)
HEAD = (
    'title_vi = "a"\ntitle_en = "a"\ncause = "a"\nconsequence = "a"\naction = "a"\nowner = "a"\ntime_to_act_min = 30\n'
    'priority = "high"\n'
)
EXPRESSION = HEAD + 'kind = "expression"\nobserved_property = "{1}"\nsites = ["flood_02"]\nexpression = \'{0}\'\n'
RULES = {
    "water": HEAD + 'observed_property = "flood_depth"\ndirection = "above"\nsetpoint = 20\n',
    "danger": EXPRESSION.format('alert("water")', "speed"),
    "closed": EXPRESSION.format('alert("danger")', "speed"),
    "silent": EXPRESSION.format("age(flood_depth) > 60", "flood_depth"),
    "late_files": EXPRESSION.format('at("office_01", on_time_rate) < 80 and flood_depth >= 0', "on_time_rate"),
    "hushed": HEAD
    + 'observed_property = "flood_depth"\ndirection = "above"\nsetpoint = 25\nsuppress_when = \'alert("danger")\'\n',
}


class Room:
    """A store with a few rows, the rules above, and somebody who tries them."""

    def __init__(self, folder: Path) -> None:
        city = load_city("demo")
        (folder / "alerts").mkdir()
        for key, text in RULES.items():
            (folder / "alerts" / f"{key}.toml").write_text(text, encoding="utf-8")
        self.store = DuckStore(folder / "room.duckdb", zone=str(city.zone))
        rules = load_rules(folder / "alerts", catalogue(), city.sites, city.zone)
        self.clock = SetClock(NOW)
        self.trials = Trials(self.store, self.clock, replace(load_desk(city, catalogue()), rules=rules), dict)

    def tell(self, observed_property: str, site_id: str, *values: tuple[datetime, float]) -> None:
        rows = [
            {"time": at, "site_id": site_id, "observed_property": observed_property, "value": value, "source": "s"}
            for at, value in values
        ]
        self.store.write_observations(frame(rows), NOW)

    def tried(self, rule: str, days: int = 1) -> TrialJob:
        """The finished job: the one worker takes the next task only after it."""
        job = self.trials.ask(rule, days)
        self.trials._pool.submit(int).result(timeout=120)
        assert job.done
        assert job.error == ""
        return job


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.trials.stop()
    made.store.close()


def test_a_rule_that_asks_about_a_rule_that_asks_about_a_third_has_the_history_of_all(room: Room) -> None:
    five = timedelta(minutes=5)
    room.tell("flood_depth", "flood_02", *((HOUR - 12 * five + n * five, 30.0 if n >= 6 else 0.0) for n in range(12)))
    job = room.tried("closed")
    assert job.result is not None
    assert dict(job.result.by_site) == {"flood_02": 1}
    hushed = room.tried("hushed").result
    assert hushed is not None
    assert (hushed.rings, hushed.suppressed) == (0, 1), "covered by a rule that asks about a third"


def test_what_fell_silent_long_before_the_trial_is_known_to_be_silent(room: Room) -> None:
    room.tell("flood_depth", "flood_02", (HOUR - timedelta(days=9), 0.0))
    job = room.tried("silent")
    assert job.result is not None
    assert job.result.rings == 1
    assert job.cure is not None
    assert job.cure.before.rings == 1, "the cure is sought on the same rows"


def test_a_slow_value_from_before_the_trial_still_holds_at_its_begin(room: Room) -> None:
    """Daily scores hold for three days; the trial of one day must not begin with «unknown»."""
    room.tell("on_time_rate", "office_01", (HOUR - timedelta(hours=60), 70.0), (HOUR - timedelta(hours=2), 95.0))
    room.tell("flood_depth", "flood_02", (HOUR - timedelta(hours=20), 0.0))
    job = room.tried("late_files")
    assert job.result is not None
    assert job.result.judged["value"].tolist() == [1.0, 0.0, 0.0], "at the sensor's report; the newer score; the end"


def test_the_same_question_in_the_same_hour_is_answered_once_and_the_oldest_are_forgotten(room: Room) -> None:
    first = room.trials.ask("water", 1)
    room.clock.set(NOW + timedelta(minutes=30))
    assert room.trials.ask("water", 1) is first
    assert room.trials.ask("water", 1, {"deadband": 2.0}) is not first
    room.clock.set(NOW + timedelta(hours=1))
    assert room.trials.ask("water", 1) is not first
    room.clock.set(NOW)
    for days in range(2, MOST_KEPT + 2):
        room.trials.ask("water", days)
    assert room.trials.ask("water", 1) is not first


@pytest.mark.parametrize(
    ("rule", "days", "words"), [("nobody", 1, "unknown"), ("water", 0, "1 to"), ("water", 401, "1 to")]
)
def test_a_question_that_has_no_answer_is_refused(room: Room, rule: str, days: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        room.trials.ask(rule, days)


def test_figures_that_no_rule_file_could_hold_are_told_and_end_nothing(room: Room) -> None:
    job = room.trials.ask("water", 1, {"deadband": -1.0})
    room.trials._pool.submit(int).result(timeout=120)
    assert job.done
    assert "deadband" in job.error
    assert room.tried("water").result is not None


def test_after_the_stop_nothing_reads_the_store_any_more(room: Room) -> None:
    jobs = [room.trials.ask("water", days) for days in (1, 2, 3)]
    room.trials.stop()
    room.store.close()
    left = [job for job in jobs if not job.done]
    assert all(job.progress == 0.0 and job.error == "" for job in left), "not begun, or ended"
    with pytest.raises(RuntimeError, match="shutdown"):
        room.trials.ask("water", 4)
