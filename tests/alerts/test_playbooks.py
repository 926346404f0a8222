"""Playbooks: which one holds, ticking by name, due times, automatic steps, and a file that changes under the work."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from alerts.playbooks import Playbook, automatic, checklist, load_playbooks, playbook_for, tick, untick
from alerts.refusals import Refused
from core.alert import Alert
from core.config import ROOT
from core.errors import ConfigError
from core.ledger import Ledger, Outcome

BEGAN = datetime(2026, 11, 19, 10, 30, tzinfo=UTC)
KEY = ("underpass_flood", "flood_01")
HA, BAO = "Nguyễn Thị Minh Hà", "Trần Quốc Bảo"
RULES = ("underpass_flood", "road_flood", "air_quality")
FLOOD = """
title_vi = "Ngập hầm chui"
title_en = "Flooded underpass"
version = "3"
approved_at = 2026-09-01
approved_by = "Giám đốc"
owner_unit = "Thoát nước"
rules = ["underpass_flood"]
close_criteria_vi = "Khô 60 phút."

[[step]]
action_vi = "Báo trưởng ca"
role = "Hệ thống"
automatic = true

[[step]]
action_vi = "Xem camera"
action_en = "Look by camera"
role = "Trực ban"
due_min = 5

[[step]]
action_vi = "Phát tin"
role = "Truyền thông"
due_min = 30
evidence = "nội dung tin"
"""
ANY = FLOOD.replace('rules = ["underpass_flood"]', 'least = "{least}"')
Write = Callable[..., tuple[Playbook, ...]]


def after(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(**files: str) -> tuple[Playbook, ...]:
        folder = tmp_path / "config" / "here" / "playbooks"
        folder.mkdir(parents=True, exist_ok=True)
        for stem, text in files.items():
            (folder / f"{stem}.toml").write_text(text, encoding="utf-8")
        return load_playbooks(folder, RULES)

    return written


@pytest.fixture
def flood(write: Write) -> tuple[Playbook, ...]:
    return write(flood=FLOOD)


def ringing(**changes: object) -> Alert:
    alert = Alert(
        rule=KEY[0], site_id=KEY[1], active=True, acked=False, priority="critical", value=38.0, began_at=BEGAN,
        raised_at=BEGAN,
    )  # fmt: skip
    return replace(alert, **changes)  # type: ignore[arg-type]


def ledger(*alerts: Alert, steps: Outcome | None = None) -> Ledger:
    known = Ledger({alert.key: alert for alert in alerts})
    return known if steps is None else written(known, steps)


def written(before: Ledger, outcome: Outcome) -> Ledger:
    """The ledger as the store gives it back next time."""
    steps = {(one.rule, one.site_id, one.began_at, one.step): one for one in outcome.steps}
    return replace(
        before,
        alerts={**before.alerts, **{alert.key: alert for alert in outcome.alerts}},
        steps={**before.steps, **steps},
    )


def refusal(call: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.words("en") != caught.value.words("vi")
    return caught.value


# -- which one -------------------------------------------------------------------------------------------------------


def test_a_city_without_the_folder_has_none(tmp_path: Path) -> None:
    assert load_playbooks(tmp_path / "playbooks", RULES) == ()


def test_a_file_becomes_a_playbook(flood: tuple[Playbook, ...]) -> None:
    (playbook,) = flood
    assert (playbook.key, playbook.version, playbook.approved_at) == ("flood", "3", date(2026, 9, 1))
    assert (playbook.title("vi"), playbook.title("en")) == ("Ngập hầm chui", "Flooded underpass")
    assert playbook.close_criteria("en") == playbook.close_criteria("vi") == "Khô 60 phút."
    assert not playbook.review_required
    assert [step.number for step in playbook.steps] == [1, 2, 3]
    assert [step.due for step in playbook.steps] == [None, timedelta(minutes=5), timedelta(minutes=30)]
    assert playbook.steps[1].action("en") == "Look by camera"
    assert playbook.steps[2].action("en") == "Phát tin", "what nobody translated stands in both languages"


def test_the_most_specific_playbook_holds(write: Write) -> None:
    books = write(
        all=ANY.format(least="low"),
        severe=ANY.format(least="critical"),
        flood=FLOOD,
        deep=FLOOD.replace("rules =", 'least = "critical"\nrules ='),
    )

    def key(rule: str, priority: str) -> str:
        found = playbook_for(books, rule, priority)
        return found.key if found else ""

    assert key("underpass_flood", "critical") == "deep", "its rule, and the highest priority"
    assert key("underpass_flood", "high") == "flood"
    assert key("air_quality", "critical") == "severe"
    assert key("air_quality", "high") == "all"
    assert playbook_for(write()[1:2], "air_quality", "low") is None, "another rule's playbook is no help"


def test_below_its_least_priority_it_does_not_hold(write: Write) -> None:
    books = write(severe=ANY.format(least="high"))
    assert playbook_for(books, "air_quality", "medium") is None
    assert playbook_for(books, "air_quality", "high") is not None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('rules = ["underpass_flood"]', 'rules = ["flod"]', "rules: there is no rule 'flod'"),
        ('rules = ["underpass_flood"]', "", "say when it holds"),
        ('rules = ["underpass_flood"]', 'least = "severe"', "least 'severe' is not one of low"),
        ("approved_at = 2026-09-01", 'approved_at = "hôm qua"', "approved_at must be date"),
        ("approved_at = 2026-09-01", "approved_at = 2026-09-01T10:00:00", "approved_at must be a day"),
        ('version = "3"', "version = 3", "version must be str"),
        ('version = "3"', 'version = ""', "version is empty"),
        ('version = "3"', 'version = "3"\nsms = "x"', "unknown key sms"),
        ("due_min = 5", "due_min = 0", r"\[\[step\]\] number 2: due_min must be 1 or more"),
        ("due_min = 5", "due = 5", r"\[\[step\]\] number 2: unknown key due"),
        ('role = "Trực ban"', "", r"\[\[step\]\] number 2: the key role is missing"),
        ("automatic = true", 'automatic = true\nevidence = "x"', "an automatic step has nobody who could give"),
        (FLOOD[FLOOD.index("[[step]]") :], "", r"give 1 to 30 \[\[step\]\] tables, not 0"),
        (FLOOD[FLOOD.index("[[step]]") :], 'step = ["gọi"]', r"must be written as \[\[step\]\]"),
        ("[[step]]", '[[step]]\naction_vi = "x"\nrole = "y"\n' * 30 + "[[step]]", "not 63"),
    ],
)
def test_a_wrong_playbook_is_refused_with_its_place(old: str, new: str, words: str, write: Write) -> None:
    assert old in FLOOD
    with pytest.raises(ConfigError, match=words) as refused:
        write(flood=FLOOD.replace(old, new) if "not 63" not in words else FLOOD.replace(old, new, 2))
    assert str(refused.value).startswith("config/here/playbooks/flood.toml")


def test_two_playbooks_for_one_alert_are_refused(write: Write) -> None:
    with pytest.raises(ConfigError, match="a and b both hold for the rule underpass_flood from priority low"):
        write(a=FLOOD, b=FLOOD)


def test_two_playbooks_for_any_alert_are_refused(write: Write) -> None:
    with pytest.raises(ConfigError, match="a and b both hold for any rule from priority high"):
        write(a=ANY.format(least="high"), b=ANY.format(least="high"))


# -- the work --------------------------------------------------------------------------------------------------------


def test_due_times_count_from_the_beginning_of_the_activation(flood: tuple[Playbook, ...]) -> None:
    """A raised priority moves `raised_at`; who was late stays late."""
    alert = ringing(raised_at=after(20))
    listed = checklist(flood, alert, {}, after(6))
    assert listed is not None
    assert [line.due_at for line in listed.lines] == [None, after(5), after(30)]
    assert [line.overdue for line in listed.lines] == [False, True, False]
    on_the_dot = checklist(flood, alert, {}, after(5))
    assert on_the_dot is not None
    assert not on_the_dot.lines[1].overdue, "in the minute of its deadline it is not late"


def test_a_step_ticked_by_name(flood: tuple[Playbook, ...]) -> None:
    before = ledger(ringing())
    outcome = tick(before, flood, KEY, 2, f"  {HA} ", after(4), "sâu 35 cm")
    (step,), (event,), (alert,) = outcome.steps, outcome.events, outcome.alerts
    assert (step.playbook, step.version, step.step, step.began_at) == ("flood", "3", 2, BEGAN)
    assert (step.done_at, step.done_by, step.note) == (after(4), HA, "sâu 35 cm")
    assert (event.deed, event.actor, event.reason, event.value) == ("tick_step", HA, "sâu 35 cm", 38.0)
    assert (event.state_before, event.state_after, event.happened_at) == ("UNACK", "UNACK", after(4))
    assert json.loads(event.detail) == {"playbook": "flood", "version": "3", "step": 2, "action": "Xem camera"}
    assert alert == replace(ringing(), handled_at=after(4)), "somebody is on it: an acknowledgement does not expire"
    listed = checklist(flood, alert, written(before, outcome).steps, after(40))
    assert listed is not None
    assert (listed.done, [line.overdue for line in listed.lines]) == (1, [False, False, True])
    assert listed.former_versions == ()


def test_the_same_step_twice_is_refused_and_names_who_was_first(flood: tuple[Playbook, ...]) -> None:
    before = ledger(ringing(), steps=tick(ledger(ringing()), flood, KEY, 2, HA, after(4)))
    refused = refusal(lambda: tick(before, flood, KEY, 2, BAO, after(5)))
    assert (refused.code, HA in refused.words("vi")) == ("step_done", True)


def test_evidence_must_be_written_down(flood: tuple[Playbook, ...]) -> None:
    refused = refusal(lambda: tick(ledger(ringing()), flood, KEY, 3, HA, after(4), "  "))
    assert (refused.code, "nội dung tin" in refused.words("vi")) == ("evidence_missing", True)
    assert tick(ledger(ringing()), flood, KEY, 3, HA, after(4), "Cấm hầm, 17:40").steps[0].note == "Cấm hầm, 17:40"


def test_a_tick_taken_back_stays_in_the_journal(flood: tuple[Playbook, ...]) -> None:
    before = ledger(ringing(), steps=tick(ledger(ringing()), flood, KEY, 2, HA, after(4)))
    outcome = untick(before, flood, KEY, 2, BAO, after(6), "nhầm điểm")
    (step,), (event,) = outcome.steps, outcome.events
    assert (step.done_at, step.done_by, step.note) == (None, BAO, "nhầm điểm")
    assert (event.deed, event.actor, event.reason) == ("untick_step", BAO, "nhầm điểm")
    assert outcome.alerts[0].handled_at == after(6)
    again = written(before, outcome)
    assert refusal(lambda: untick(again, flood, KEY, 2, BAO, after(7))).code == "step_not_done"
    assert tick(again, flood, KEY, 2, HA, after(8)).steps[0].done_at == after(8)


@pytest.mark.parametrize("step", [0, 4, -1])
def test_a_step_that_the_playbook_does_not_have(step: int, flood: tuple[Playbook, ...]) -> None:
    assert refusal(lambda: tick(ledger(ringing()), flood, KEY, step, HA, after(1))).code == "unknown_step"


@pytest.mark.parametrize(
    "alert",
    [
        ringing(active=False, acked=True),
        ringing(began_at=None),
        ringing(rule="air_quality"),
    ],
    ids=["normal again", "never began", "no playbook for it"],
)
def test_nothing_to_tick(alert: Alert, flood: tuple[Playbook, ...]) -> None:
    assert checklist(flood, alert, {}, after(1)) is None
    assert refusal(lambda: tick(ledger(alert), flood, alert.key, 2, HA, after(1))).code == "no_playbook"


def test_an_unknown_alert_and_a_nameless_person(flood: tuple[Playbook, ...]) -> None:
    assert refusal(lambda: tick(ledger(), flood, KEY, 2, HA, after(1))).code == "unknown_alert"
    for deed in (tick, untick):
        with pytest.raises(Refused) as refused:
            deed(ledger(ringing()), flood, KEY, 2, " ", after(1))
        assert refused.value.code == "actor_missing"


def test_a_returned_alert_may_be_worked_to_its_end(flood: tuple[Playbook, ...]) -> None:
    """The water is gone before the message was sent: the steps that close the case are still due."""
    returned = ringing(active=False)
    assert returned.truth == "RTNUN"
    assert tick(ledger(returned), flood, KEY, 3, HA, after(50), "đã phát").events[0].state_after == "RTNUN"


def test_the_next_activation_begins_with_an_empty_list(flood: tuple[Playbook, ...]) -> None:
    known = ledger(ringing(), steps=tick(ledger(ringing()), flood, KEY, 2, HA, after(4)))
    listed = checklist(flood, ringing(began_at=after(300)), known.steps, after(301))
    assert listed is not None
    assert listed.done == 0


# -- what the engine ticks -------------------------------------------------------------------------------------------


def test_automatic_steps_are_ticked_by_the_engine_once(flood: tuple[Playbook, ...]) -> None:
    before = ledger(ringing())
    outcome = automatic(before, flood, after(0))
    (step,), (event,) = outcome.steps, outcome.events
    assert (step.step, step.done_by, step.done_at) == (1, "engine", after(0))
    assert (event.deed, event.actor) == ("tick_step", "engine")
    assert outcome.alerts == (), "no person has done anything: an acknowledgement does not live on from it"
    restarted = written(before, outcome)
    assert automatic(restarted, flood, after(1)) == Outcome(events=[], steps=[])


def test_an_automatic_step_that_a_person_took_back_stays_open(flood: tuple[Playbook, ...]) -> None:
    known = ledger(ringing(), steps=automatic(ledger(ringing()), flood, after(0)))
    known = written(known, untick(known, flood, KEY, 1, HA, after(2), "màn hình tường hỏng"))
    assert automatic(known, flood, after(3)).steps == []


@pytest.mark.parametrize("cover", ["SHLVD", "DSUPR", "OOSRV"])
def test_under_a_cover_nothing_was_announced(cover: str, flood: tuple[Playbook, ...]) -> None:
    assert automatic(ledger(ringing(hidden=cover)), flood, after(0)).steps == []


def test_what_is_over_is_not_ticked_by_the_engine(flood: tuple[Playbook, ...]) -> None:
    assert automatic(ledger(ringing(active=False)), flood, after(0)).steps == []


# -- a file that changes ---------------------------------------------------------------------------------------------


def test_ticks_of_the_old_version_stay_and_say_so(write: Write) -> None:
    known = ledger(ringing(), steps=tick(ledger(ringing()), write(flood=FLOOD), KEY, 2, HA, after(4)))
    newer = write(flood=FLOOD.replace('version = "3"', 'version = "4"'))
    listed = checklist(newer, ringing(), known.steps, after(10))
    assert listed is not None
    assert (listed.playbook.version, listed.done, listed.former_versions) == ("4", 1, ("3",))
    done = listed.lines[1].done
    assert done is not None
    assert (done.version, done.done_by) == ("3", HA)
    later = tick(known, newer, KEY, 3, BAO, after(11), "đã phát").steps[0]
    assert later.version == "4", "what is ticked from now on is ticked in the new version"


def test_a_step_that_the_new_version_no_longer_has_is_still_shown(write: Write) -> None:
    known = ledger(ringing(), steps=tick(ledger(ringing()), write(flood=FLOOD), KEY, 3, HA, after(4), "đã phát"))
    shorter = FLOOD.replace('version = "3"', 'version = "4"')
    listed = checklist(write(flood=shorter[: shorter.rindex("[[step]]")]), ringing(), known.steps, after(10))
    assert listed is not None
    assert (listed.done, [one.step for one in listed.former], listed.former_versions) == (0, [3], ("3",))


def test_a_higher_priority_brings_its_own_playbook_and_keeps_what_was_done(write: Write) -> None:
    books = write(flood=FLOOD, deep=FLOOD.replace("rules =", 'least = "critical"\nrules ='))
    high = ringing(priority="high")
    known = ledger(high, steps=tick(ledger(high), books, KEY, 2, HA, after(4)))
    listed = checklist(books, ringing(priority="critical"), known.steps, after(10))
    assert listed is not None
    assert (listed.playbook.key, listed.done, [one.playbook for one in listed.former]) == ("deep", 0, ["flood"])
    assert listed.former_versions == (), "another playbook is no other version"


def test_work_begun_in_the_severe_playbook_goes_on_when_the_water_falls(write: Write) -> None:
    books = write(flood=FLOOD, deep=FLOOD.replace("rules =", 'least = "critical"\nrules ='))
    known = ledger(ringing(), steps=tick(ledger(ringing()), books, KEY, 2, HA, after(4)))
    listed = checklist(books, ringing(priority="medium"), known.steps, after(10))
    assert listed is not None
    assert (listed.playbook.key, listed.done) == ("deep", 1)


# -- the shipped ones ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("city", "count"), [("demo", 6), ("bac_giang", 2)])
def test_the_shipped_playbooks_load_and_speak_two_languages(city: str, count: int) -> None:
    folder = ROOT / "config" / city
    rules = [path.stem for path in (folder / "alerts").glob("*.toml")]
    books = load_playbooks(folder / "playbooks", rules)
    assert len(books) == count
    for playbook in books:
        assert playbook.title_en != playbook.title_vi, playbook.key
        assert playbook.close_criteria_en != playbook.close_criteria_vi, playbook.key
        assert all(step.action_en != step.action_vi for step in playbook.steps), playbook.key


def test_the_flood_playbook_keeps_the_times_of_the_domain_reference() -> None:
    """5.5: verify by camera within 5 minutes, close or divert within 15."""
    folder = ROOT / "config" / "demo"
    rules = [path.stem for path in (folder / "alerts").glob("*.toml")]
    found = playbook_for(load_playbooks(folder / "playbooks", rules), "underpass_flood", "high")
    assert found is not None
    minutes = [step.due and step.due / timedelta(minutes=1) for step in found.steps]
    assert minutes[:3] == [None, 5, 15]
    assert found.steps[0].automatic


def test_steps_of_a_late_sheet_are_due_after_it_came(flood: tuple[Playbook, ...]) -> None:
    """Raised at ten in the morning for the water of last night: nobody is overdue at ten."""
    late = ringing(raised_at=after(600), heard_at=after(600))
    shown = checklist(flood, late, {}, after(601))
    assert shown is not None
    due = [(line.due_at, line.overdue) for line in shown.lines if line.step.due is not None]
    assert due
    assert not any(overdue for _, overdue in due)
    first = next(line for line in shown.lines if line.step.due is not None)
    assert first.due_at == after(600) + first.step.due  # type: ignore[operator]
    assert shown.began_at == BEGAN, "ticks hang on the activation itself"
