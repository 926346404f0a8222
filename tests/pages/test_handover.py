"""The handover page: what the next shift takes over, two names under it, and earlier notes that nobody can change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from alerts import handover as notes
from alerts.deeds import Deed
from charts.theme import DESK
from core.access import Person
from core.alert import Alert
from core.i18n import LANGUAGES, Translator
from core.ledger import UNDELIVERED, Notice, Outcome
from pipeline import Line
from tests.conftest import EVENING
from tests.pages.conftest import FLOOD, JAM, RAIN
from tests.pages.reading import open_page, parts, problems
from ui import handover
from ui.views import View

Serve = Callable[[Line], Line]
T = Translator("vi")
HA, BAO, TUAN = "Nguyễn Thị Minh Hà", "Trần Quốc Bảo", "Phạm Văn Tuấn"
HOSTILE = "<script>alert(1)</script> **đậm** [x](http://evil)"


@pytest.fixture
def line(alert_line: Line, serve: Serve) -> Line:
    """The evening of three alerts at 21:50, ten minutes before the night shift."""
    alert_line.clock.set(EVENING.replace(hour=21, minute=50))  # type: ignore[attr-defined]
    alert_line.change(lambda ledger: Outcome())
    return serve(alert_line)


def fresh(line: Line, day: int) -> str:
    """Another evening: the session's store keeps every note. Returns the id that the note of this evening will have."""
    line.clock.set(EVENING.replace(month=12, day=day, hour=21, minute=50))  # type: ignore[attr-defined]
    line.change(lambda ledger: Outcome())
    return f"BG-202612{day:02}-2200"


def at_the_page(name: str = "", language: str = "vi") -> AppTest:
    viewer = open_page("handover", language).run()
    if name:
        viewer.text_input(key="handover_actor").set_value(name).run()
    assert problems(viewer) == []
    return viewer


def press(viewer: AppTest, label: str) -> AppTest:
    (button,) = [one for one in viewer.button if one.label == label]
    button.click().run()
    assert problems(viewer) == []
    return viewer


def labels(viewer: AppTest) -> list[str]:
    return [one.label for one in viewer.button]


def answer(viewer: AppTest) -> str:
    return "\n".join(str(one.value) for one in viewer.text)


def section(viewer: AppTest, key: str, part: str = "note") -> str:
    """One list of the note."""
    found = parts(viewer)[part]
    start = found.index(f'data-section="{key}"')
    return found[start : found.index("</section>", start)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shift_the_next_one_and_what_is_open(line: Line, language: str) -> None:
    t = Translator(language)
    viewer = at_the_page(language=language)
    head = parts(viewer)["head"]
    assert BAO in head
    assert TUAN in head
    assert t("handover.not_made") in head
    assert t("word.left", span="10 phút" if language == "vi" else "10 min") in head
    listed = section(viewer, "open")
    names = [line.snapshot.rules[key[0]].title[language] for key in (FLOOD, RAIN, JAM)]
    places = [listed.index(name) for name in names]
    assert places == sorted(places), "the worst first"
    assert t("handover.nothing") in section(viewer, "shelved"), "an empty list says so"
    assert t("handover.rate") in parts(viewer)["note"]
    assert t("handover.target_split_rest") in parts(viewer)["note"]


def test_two_people_sign_and_the_page_says_who(line: Line) -> None:
    name = fresh(line, 1)
    viewer = at_the_page(BAO)
    assert labels(viewer).count(T("handover.sign_out")) == 0, "there is nothing to sign yet"
    viewer = press(viewer, T("handover.draft"))
    assert T("handover.done_draft_handover") in answer(viewer)
    (box,) = viewer.text_area
    box.set_value("Bơm số 2 hỏng, đã gọi thợ.").run()
    viewer = press(viewer, T("handover.sign_out"))
    (note,) = [one for one in line.store.read_handovers() if one.id == name]
    assert (note.signed_out_by, note.note) == (BAO, "Bơm số 2 hỏng, đã gọi thợ."), "a remark typed just now is kept"
    assert [one["rule"] for one in json.loads(note.content)["open"]] == [FLOOD[0], RAIN[0], JAM[0]]
    assert not viewer.text_area, "nothing can be written any more"
    viewer = press(viewer, T("handover.sign_in", id=name))
    assert f"{BAO} đã ký giao ca" in answer(viewer), "not the same person"
    viewer.text_input(key="handover_actor").set_value(HA).run()
    viewer = press(viewer, T("handover.sign_in", id=name))
    assert T("handover.done_sign_in") in answer(viewer)
    (note,) = [one for one in line.store.read_handovers() if one.id == name]
    assert (note.signed_in_by, note.signed_in_at) == (HA, line.clock.now())
    head = parts(viewer)["head"]
    assert T("handover.signed_out", who=BAO, at="21:50") in head
    assert T("handover.off_roster", who=HA) in head, "Hà is not of the night shift, which the page says"
    assert not any(label.startswith("Ký nhận") for label in labels(viewer))


def test_without_a_name_nothing_is_made(line: Line) -> None:
    name = fresh(line, 2)
    viewer = press(at_the_page(), T("handover.draft"))
    assert "Phải ghi tên người thao tác." in answer(viewer)
    assert name not in [one.id for one in line.store.read_handovers()]


def test_what_is_signed_over_is_shown_as_it_was(line: Line) -> None:
    fresh(line, 3)
    viewer = press(press(at_the_page(BAO), T("handover.draft")), T("handover.sign_out"))
    line.change(lambda ledger: Outcome([replace(ledger[FLOOD], active=False, acked=True)]))
    viewer.run()
    assert line.snapshot.rules[FLOOD[0]].title["vi"] in section(viewer, "open"), "the signed note, not the present"


def test_an_earlier_note_can_be_read_again_and_copied(line: Line) -> None:
    name = fresh(line, 4)
    press(press(at_the_page(BAO), T("handover.draft")), T("handover.sign_out"))
    line.act(Person(account="t", name=TUAN, role="operator"), Deed(action="sign_in", handover=name))
    line.clock.advance(timedelta(hours=3))  # type: ignore[attr-defined]
    line.change(lambda ledger: Outcome())
    viewer = at_the_page()
    assert name not in parts(viewer)["head"], "now the night shift's own note is due"
    chooser = viewer.selectbox(key="handover_chosen")
    chooser.set_value(name).run()
    assert problems(viewer) == []
    read = parts(viewer)["read"]
    assert name in read
    assert T("handover.signed_in", who=TUAN, at="04/12 21:50") in read
    assert T("mark.simulated") in read, "on paper nobody sees the strip"
    text = "\n".join(str(one.value) for one in viewer.code)
    for word in (name, BAO, TUAN, T("mark.simulated"), T("handover.section_open"), T("priority.critical")):
        assert word in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_could_not_be_delivered_is_in_the_note(line: Line, language: str) -> None:
    t, name = Translator(language), fresh(line, 12 if language == "vi" else 13)
    stuck = Notice(
        id=f"stuck-{language}", made_at=EVENING, rule=FLOOD[0], site_id=FLOOD[1], deed="raise", happened_at=EVENING,
        priority="critical", channel="mail_room", recipient="ha@thanhlam.example", subject="", text="", state="failed",
    )  # fmt: skip
    line.change(lambda ledger: Outcome(notices=[stuck, replace(stuck, id=f"{stuck.id}-2", state="unclear")]))
    try:
        for where in ("live", "signed"):
            if where == "signed":
                line.act(Person(account="b", name=BAO, role="operator"), Deed(action="draft_handover"))
                line.act(Person(account="b", name=BAO, role="operator"), Deed(action="sign_out", handover=name))
            others = section(at_the_page(language=language), "others")
            assert t("handover.undelivered", n=2) in others, where
            assert line.snapshot.rules[FLOOD[0]].title[language] in others
            assert t("handover.not_told", n=2, channels="mail_room") in others
            assert "ha@thanhlam.example" not in others
    finally:  # the session's store keeps every message
        for one in line.store.read_notices(UNDELIVERED):
            line.store.settle_notice(one.id, state="dropped", now=EVENING)


def test_in_the_last_hour_shelves_are_to_be_reviewed(line: Line) -> None:
    now = line.clock.now()
    shelf = {"hidden": "SHLVD", "hidden_by": HA, "hidden_reason": "thi công", "hidden_at": now}
    line.change(lambda ledger: Outcome([replace(ledger[JAM], hidden_until=now + timedelta(hours=2), **shelf)]))
    viewer = at_the_page()
    assert T("handover.review", n=1) in parts(viewer)["head"]
    assert T("handover.until", at="23:50") in section(viewer, "shelved")
    assert HA in section(viewer, "shelved")
    line.clock.set(EVENING.replace(hour=20, minute=50))  # type: ignore[attr-defined]
    line.change(lambda ledger: Outcome())
    assert 'role="alert"' not in parts(at_the_page())["head"], "an hour and ten minutes before the end nobody is asked"


def test_figures_are_read_from_the_journal(line: Line) -> None:
    fresh(line, 6)
    person = Person(account="t", name=BAO, role="operator")
    raised = line.clock.now() - timedelta(minutes=6)
    line.change(lambda ledger: _ring(ledger[RAIN], raised))
    line.act(person, Deed(action="acknowledge", keys=(RAIN,)))
    note = parts(at_the_page())["note"]
    row = note[note.index(T("handover.ack_median")) :]
    assert "6 phút" in row[: row.index("</tr>")]
    row = note[note.index(T("handover.acknowledged")) :]
    assert ">1<" in row[: row.index("</tr>")]


def _ring(alert: Alert, at: datetime) -> Outcome:
    from alerts.lifecycle import journal

    before = replace(alert, active=False, acked=True, priority="high")
    after = replace(before, active=True, acked=False, began_at=at, raised_at=at, acked_at=None, acked_by="")
    return Outcome([after], [journal(before, after, "raise", at)])


@pytest.mark.parametrize("role", ["auditor", "viewer"])
def test_who_may_not_sign_sees_no_button(line: Line, role: str) -> None:
    viewer = open_page("handover")
    viewer.session_state["demo_role"] = role
    viewer.run()
    assert problems(viewer) == []
    assert not {T("handover.draft"), T("handover.sign_out")} & set(labels(viewer))
    assert ("note" in parts(viewer)) == (role == "auditor"), "an auditor reads, a viewer does not"


def test_text_from_outside_is_only_text(line: Line) -> None:
    name = fresh(line, 7)
    person = Person(account="t", name="<b>Bảo</b>", role="operator")
    line.act(person, Deed(action="draft_handover", text=HOSTILE))
    line.act(person, Deed(action="sign_out", handover=name))
    shown = "".join(parts(at_the_page()).values())
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "<b>Bảo</b>" not in shown


def test_a_city_without_a_roster_says_what_to_do(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "snapshot", replace(line.snapshot, duty=None))
    viewer = at_the_page()
    assert [str(one.value) for one in viewer.info] == [T("handover.no_roster")]


def test_a_drill_is_marked_in_what_is_printed_and_copied(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    name = fresh(line, 8)
    person = Person(account="t", name=BAO, role="operator")
    line.act(person, Deed(action="draft_handover"))
    line.act(person, Deed(action="sign_out", handover=name))
    monkeypatch.setattr(line, "snapshot", replace(line.snapshot, drill=True))
    viewer = at_the_page()
    viewer.selectbox(key="handover_chosen").set_value(name).run()
    assert T("people.drill") in parts(viewer)["read"]
    assert T("people.drill") in "\n".join(str(one.value) for one in viewer.code)


def test_a_situation_is_named_by_what_is_open_in_it(line: Line) -> None:
    """Its number alone tells the next shift nothing; what belongs elsewhere does not name it."""
    view = View(line.snapshot, "vi", DESK)
    facts = notes.content(handover._ledger(line.snapshot), line.desk, line.snapshot.duty, view.now)
    named = [
        {**one, "situation": "VV-0042" if (one["rule"], one["site_id"]) in (FLOOD, RAIN) else ""}
        for one in facts["open"]
    ]
    storm = {"id": "VV-0042", "status": "new", "lead": "", "unit": "", "note": "", "opened_at": None, "alerts": 2}
    told = {one.key: one for one in handover.sections(view, {**facts, "open": named, "situations": [storm]})}
    (row,) = told["situations"].rows
    assert row.text == "VV-0042 Ngập hầm chui, Mưa to cục bộ"
    assert row.late, "nobody leads it"
    led = {**storm, "lead": HA, "note": "Cấm xe máy"}
    told = {one.key: one for one in handover.sections(view, {**facts, "open": [], "situations": [led]})}
    assert told["situations"].rows[0].text == "VV-0042 · Cấm xe máy"
