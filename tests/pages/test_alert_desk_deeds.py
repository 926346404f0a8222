"""At the alert desk: a deed needs a name, is kept with it, and two people never do the same one twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from alerts.refusals import Refused
from core.alert import Alert
from core.i18n import Translator
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.conftest import EVENING
from tests.pages.conftest import FLOOD, JAM, RAIN
from tests.pages.reading import open_page, parts, problems

Serve = Callable[[Line], Line]
Key = tuple[str, str]
T = Translator("vi")
HA = "Nguyễn Thị Minh Hà"
BAO = "Trần Quốc Bảo"


@pytest.fixture
def line(alert_line: Line, serve: Serve) -> Line:
    return serve(alert_line)


def at_the_desk(key: Key, name: str = "", language: str = "vi") -> AppTest:
    """A viewer who has chosen an alert and typed a name."""
    viewer = open_page("alert_desk", language, alert=":".join(key)).run()
    if name:
        viewer.text_input(key="actor").set_value(name).run()
    assert problems(viewer) == []
    return viewer


def own(widget: str, key: Key) -> str:
    """The key of a widget that belongs to one alert."""
    return f"{widget}:{':'.join(key)}"


def stored(line: Line, key: Key) -> Alert:
    return next(alert for alert in line.store.read_alerts() if alert.key == key)


def journal(line: Line, key: Key) -> pd.DataFrame:
    return line.store.read_journal(EVENING - timedelta(days=40), rule=key[0], site_id=key[1])


def press(viewer: AppTest, label: str) -> AppTest:
    """Press the button of that label, as a person finds it."""
    (button,) = [one for one in viewer.button if one.label == label and one.proto.is_form_submitter] or [
        one for one in viewer.button if one.label == label
    ]
    button.click().run()
    assert problems(viewer) == []
    return viewer


def notice(viewer: AppTest) -> str:
    return "\n".join(str(one.value) for one in viewer.text)


def test_the_list_shows_the_worst_first(line: Line) -> None:
    listed = parts(at_the_desk(RAIN))["list"]
    places = [listed.index(f'data-rule="{rule}" data-site="{site}"') for rule, site in (FLOOD, RAIN, JAM)]
    assert places == sorted(places)
    assert listed.count('aria-current="true"') == 1
    assert T("alert.acknowledge") in listed


def test_acknowledged_by_name(line: Line) -> None:
    before = len(journal(line, FLOOD))
    viewer = press(at_the_desk(FLOOD, f"  {HA} "), T("alert.acknowledge"))
    after = stored(line, FLOOD)
    assert (after.state, after.acked_by, after.acked_at) == ("ACKED", HA, EVENING)
    lines = journal(line, FLOOD)
    assert len(lines) == before + 1
    newest = lines.iloc[0]
    assert (newest["deed"], newest["actor"], newest["state_before"], newest["state_after"]) == (
        "acknowledge", HA, "UNACK", "ACKED",
    )  # fmt: skip
    assert T("alert.done_acknowledge", title="Ngập hầm chui") in notice(viewer)
    assert HA in parts(viewer)["body"], "the journal on the screen names the person"
    assert T("alert_state.ACKED") in parts(viewer)["head"]


@pytest.mark.parametrize(
    ("language", "refusal"), [("vi", "Phải ghi tên người thao tác."), ("en", "The name of the person must be given.")]
)
def test_without_a_name_nothing_changes(line: Line, language: str, refusal: str) -> None:
    before, lines = stored(line, FLOOD), len(journal(line, FLOOD))
    viewer = press(at_the_desk(FLOOD, language=language), Translator(language)("alert.acknowledge"))
    assert refusal in notice(viewer)
    assert stored(line, FLOOD) == before
    assert len(journal(line, FLOOD)) == lines


def test_undone_within_ten_seconds(line: Line) -> None:
    viewer = press(at_the_desk(RAIN, HA), T("alert.acknowledge"))
    line.clock.advance(timedelta(seconds=9))
    press(viewer, T("alert.undo"))
    after = stored(line, RAIN)
    assert (after.state, after.acked_by) == ("UNACK", "")
    assert list(journal(line, RAIN)["deed"].head(2)) == ["unacknowledge", "acknowledge"], "the journal keeps both"


@pytest.mark.parametrize(("city_s", "offered"), [(599, True), (601, False)])
def test_a_person_undoes_in_seconds_of_their_own_however_fast_the_city_runs(
    city_s: int, offered: bool, line: Line, tmp_path: Path, serve: Serve
) -> None:
    """At sixty times the speed ten seconds at the desk are ten minutes of the city."""
    line.store.backup(tmp_path / "fast.duckdb")
    clock = SetClock(EVENING)
    clock.speed = 60.0
    fast = serve(Line(line.city, DuckStore(tmp_path / "fast.duckdb", zone=str(line.city.zone)), clock))
    fast.change(lambda _: ((), ()))
    viewer = press(at_the_desk(RAIN, HA), T("alert.acknowledge"))
    clock.advance(timedelta(seconds=city_s))
    if offered:
        press(viewer.run(), T("alert.undo"))
    else:
        assert T("alert.undo") not in [one.label for one in viewer.run().button]
    assert stored(fast, RAIN).state == ("UNACK" if offered else "ACKED")
    fast.stop()


def test_a_latched_alert_is_listed_with_its_lock_and_can_be_reset(line: Line) -> None:
    latched = replace(stored(line, FLOOD), active=False, acked=True, latched=True, acked_by=HA, acked_at=EVENING)
    line.change(lambda _: ([latched], ()))
    viewer = at_the_desk(FLOOD, HA)
    assert T("alert_state.LATAC") in parts(viewer)["head"]
    press(viewer, T("alert.reset"))
    assert stored(line, FLOOD).state == "NORM"


def test_ten_seconds_later_there_is_nothing_to_undo(line: Line) -> None:
    viewer = press(at_the_desk(RAIN, HA), T("alert.acknowledge"))
    line.clock.advance(timedelta(seconds=11))
    viewer.run()
    assert T("alert.undo") not in [one.label for one in viewer.button]
    assert stored(line, RAIN).state == "ACKED"


def test_an_undo_that_comes_too_late_is_refused(line: Line) -> None:
    """The button was on the screen in time; the hand was slow."""
    viewer = press(at_the_desk(RAIN, HA), T("alert.acknowledge"))
    line.clock.advance(timedelta(seconds=11))
    press(viewer, T("alert.undo"))
    assert stored(line, RAIN).state == "ACKED"
    assert Refused("undo_too_late").words("vi") in notice(viewer)


def test_a_second_click_reaches_no_other_alert(line: Line) -> None:
    """At 3 a.m. one clicks twice. The detail stays with the alert that was read, and its button is gone."""
    viewer = open_page("alert_desk", "vi").run()
    viewer.text_input(key="actor").set_value(HA).run()
    chosen = viewer.query_params["alert"]
    press(viewer, T("alert.acknowledge"))
    assert viewer.query_params["alert"] == chosen
    assert not [one for one in viewer.button if one.label == T("alert.acknowledge")]
    acknowledged = [
        alert.key for alert in line.store.read_alerts() if alert.active and alert.acked and alert.acked_by == HA
    ]
    assert acknowledged == [tuple(str(chosen).split(":"))]


def test_a_name_is_kept_and_a_draft_is_not_carried_to_another_alert(line: Line) -> None:
    viewer = at_the_desk(JAM, HA)
    viewer.text_area(key=own("comment_text", JAM)).set_value("nháp cho đoạn ùn tắc")
    viewer.query_params["alert"] = ":".join(RAIN)
    viewer.run()
    assert viewer.text_area(key=own("comment_text", RAIN)).value == ""
    assert viewer.session_state["duty_name"] == HA


def test_shelving_needs_a_reason(line: Line) -> None:
    before = stored(line, JAM)
    viewer = press(at_the_desk(JAM, HA), T("alert.shelve"))
    assert "Phải ghi lý do." in notice(viewer)
    assert stored(line, JAM) == before
    viewer.text_input(key=own("shelve_reason", JAM)).set_value("Rào thi công đến 20:00, đã báo Đội 2")
    viewer.get_by_key(own("shelve_span", JAM)).set_value("hours_2")
    press(viewer, T("alert.shelve"))
    after = stored(line, JAM)
    assert after.state == "SHLVD"
    assert after.truth == "UNACK", "a cover forgets nothing"
    assert after.hidden_until == EVENING + timedelta(hours=2)
    assert after.hidden_reason == "Rào thi công đến 20:00, đã báo Đội 2"
    assert JAM not in {alert.key for alert in line.snapshot.open_alerts()}
    newest = journal(line, JAM).iloc[0]
    assert (newest["deed"], newest["actor"], newest["reason"]) == ("shelve", HA, "Rào thi công đến 20:00, đã báo Đội 2")
    press(viewer, T("alert.unshelve"))
    assert stored(line, JAM).state == "UNACK"


def test_a_critical_alert_cannot_be_shelved(line: Line) -> None:
    viewer = at_the_desk(FLOOD, HA)
    assert T("alert.no_shelve_critical") in [str(one.value) for one in viewer.caption]
    viewer.text_input(key=own("shelve_reason", FLOOD)).set_value("xin tạm gác")
    press(viewer, T("alert.shelve"))  # the popover is disabled; a forged click is refused by the alert itself
    assert "Cảnh báo mức Khẩn cấp không được tạm gác." in notice(viewer)
    assert stored(line, FLOOD).state == "UNACK"


def test_a_note_goes_to_the_journal_and_shows_that_somebody_is_on_it(line: Line) -> None:
    before = stored(line, JAM)
    viewer = at_the_desk(JAM, HA)
    viewer.text_area(key=own("comment_text", JAM)).set_value("CSGT Đội 2 đã tới")
    press(viewer, T("alert.send"))
    assert stored(line, JAM) == replace(before, handled_at=EVENING), "the expiry of an acknowledgement begins anew"
    newest = journal(line, JAM).iloc[0]
    assert (newest["deed"], newest["actor"], newest["reason"]) == ("comment", HA, "CSGT Đội 2 đã tới")
    assert "CSGT Đội 2 đã tới" in parts(viewer)["body"]


def test_two_people_acknowledge_the_same_alert(line: Line) -> None:
    """Both see it open. The second is told who was first and how long ago; the journal has one line."""
    first, second = at_the_desk(RAIN, HA), at_the_desk(RAIN, BAO)
    lines = len(journal(line, RAIN))
    press(first, T("alert.acknowledge"))
    line.clock.advance(timedelta(minutes=2))
    press(second, T("alert.acknowledge"))
    after = stored(line, RAIN)
    assert (after.acked_by, after.acked_at) == (HA, EVENING)
    assert len(journal(line, RAIN)) == lines + 1
    assert f"Cảnh báo đã được {HA} xác nhận cách đây 2 phút." in notice(second)


def test_a_press_is_meant_for_the_alert_that_the_person_saw(line: Line) -> None:
    """Nothing was chosen, so the desk shows the worst; a worse one arrives before the finger comes down."""
    line.change(lambda _: ([Alert(rule=FLOOD[0], site_id=FLOOD[1])], ()))
    viewer = open_page("alert_desk").run()
    viewer.text_input(key="actor").set_value(HA).run()
    assert f'data-rule="{RAIN[0]}"' in parts(viewer)["list"].split('aria-current="true"')[0].rsplit("<div", 1)[1]
    worse = Alert(rule=FLOOD[0], site_id=FLOOD[1], active=True, acked=False, priority="critical", raised_at=EVENING)
    line.change(lambda _: ([worse], ()))
    press(viewer, T("alert.acknowledge"))
    assert stored(line, RAIN).acked_by == HA
    assert stored(line, FLOOD).state == "UNACK", "nobody has seen the new one yet"


def test_the_list_can_be_narrowed(line: Line) -> None:
    viewer = at_the_desk(FLOOD)
    viewer.text_input(key="search").set_value("NGẬP").run()
    listed = parts(viewer)["list"]
    assert f'data-rule="{FLOOD[0]}"' in listed
    assert f'data-rule="{JAM[0]}"' not in listed
