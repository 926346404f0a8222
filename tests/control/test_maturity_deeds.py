"""Answers of people to the criteria: who may, what is refused, what counts, and how an earlier one comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from control.maturity import Reply, Stand
from core.access import Denied, Person
from core.config import load_city
from core.errors import InputError, StoreError
from core.maturity import checked_link
from core.plans import PlanRefused
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.control.test_plan_deeds import NOW, OPERATOR, SUPERVISOR, WARD, audited

LEVEL = "1_nd269.security_level"  # configured: not met
REPLY = Reply(
    criterion=LEVEL,
    version=0,
    answer="yes",
    document="QĐ 12/QĐ-UBND",
    link="https://vanban.example.vn/12",
    note="Đã duyệt cấp độ 3.",
    day=date(2026, 11, 18),
)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    city = load_city("demo")
    own = Line(city, DuckStore(tmp_path / "answers.duckdb", zone=str(city.zone)), SetClock(NOW))
    yield own
    own.stop()


def stand(line: Line, key: str = LEVEL) -> Stand:
    found = line.maturity.stands().value or {}
    return next(one for stands in found.values() for one in stands if one.criterion.key == key)


def test_an_answer_takes_the_place_of_the_configured_one_at_once(line: Line) -> None:
    assert (stand(line).answer, stand(line).own) == ("no", None)
    line.maturity.answer(SUPERVISOR, REPLY)
    now = stand(line)
    assert (now.answer, now.version, now.unproven) == ("yes", 1, False)
    assert now.own is not None
    assert (now.own.document, now.own.link, now.own.changed_by) == (
        "QĐ 12/QĐ-UBND",
        "https://vanban.example.vn/12",
        "Lê Thị Hạnh",
    )
    assert audited(line) == [("answer_criterion", LEVEL, "done")]
    reason = line.audit_rows(NOW - timedelta(days=1))["reason"].iloc[0]
    assert reason == "v1 - -> yes: QĐ 12/QĐ-UBND, 2026-11-18"


def test_who_may_not_answer_changes_nothing_and_is_audited(line: Line) -> None:
    for person in (OPERATOR, WARD, replace(SUPERVISOR, role="admin"), replace(SUPERVISOR, kind="wall")):
        with pytest.raises(Denied):
            line.maturity.answer(person, REPLY)
        with pytest.raises(Denied):
            line.maturity.restore(person, LEVEL, 0, 0)
    assert line.store.read_answers() == []
    assert {result for *_, result in audited(line)} == {"denied"}


def test_yes_without_evidence_is_kept_as_it_was_said_and_counts_as_unanswered(line: Line) -> None:
    line.maturity.answer(SUPERVISOR, replace(REPLY, document=" ", link=""))
    now = stand(line)
    assert (now.told, now.answer, now.unproven) == ("yes", "unanswered", True)
    line.maturity.answer(SUPERVISOR, replace(REPLY, version=1, answer="no", document="", link=""))
    assert (stand(line).answer, stand(line).unproven) == ("no", False), "«no» asks for no evidence"
    line.maturity.answer(SUPERVISOR, replace(REPLY, version=2, answer="partly", document=""))
    assert (stand(line).answer, stand(line).unproven) == ("partly", False), "a link alone is evidence"


def test_an_earlier_answer_comes_back_and_nothing_is_lost(line: Line) -> None:
    line.maturity.answer(SUPERVISOR, REPLY)
    line.maturity.answer(SUPERVISOR, replace(REPLY, version=1, answer="partly", note="Còn thiếu phụ lục."))
    line.maturity.restore(SUPERVISOR, LEVEL, 2, 1)
    now = stand(line)
    assert (now.answer, now.version) == ("yes", 3)
    assert now.own is not None
    assert (now.own.note, now.own.day, now.own.restores) == ("Đã duyệt cấp độ 3.", date(2026, 11, 18), 1)
    line.maturity.restore(SUPERVISOR, LEVEL, 3, 0)
    now = stand(line)
    assert (now.answer, now.own, now.version) == ("no", None, 4), "the configured one"
    assert now.given is not None
    line.maturity.restore(SUPERVISOR, LEVEL, 4, 2)
    assert stand(line).answer == "partly"
    line.maturity.restore(SUPERVISOR, LEVEL, 5, 4)
    assert stand(line).own is None, "what put the configured one back puts it back again"
    assert [one.answer for one in line.store.read_answers()] == ["yes", "partly", "yes", "no", "partly", "no"]
    assert [action for action, *_ in audited(line)][:4] == ["restore_answer"] * 4
    assert line.store.verify_tables() == []
    with line.store._write() as cursor:
        cursor.execute("DELETE FROM maturity_answers WHERE version = 2")
    assert any("answer of a criterion has versions missing" in words for words in line.store.verify_tables())


def test_a_criterion_that_nobody_configured_goes_back_to_unanswered(line: Line) -> None:
    key = "1_nd269.encryption"
    line.maturity.answer(SUPERVISOR, replace(REPLY, criterion=key))
    line.maturity.restore(SUPERVISOR, key, 1, 0)
    assert (stand(line, key).answer, stand(line, key).given) == ("unanswered", None)


@pytest.mark.parametrize(
    ("change", "vietnamese", "english"),
    [
        ({"answer": ""}, "Hãy chọn", "Choose: met"),
        ({"answer": "unanswered"}, "Hãy chọn", "Choose: met"),
        ({"day": None}, "Hãy chọn ngày", "Choose the day"),
        ({"day": date(2026, 11, 21)}, "không ở sau hôm nay", "cannot lie after today"),
        ({"link": "javascript:alert(1)"}, "Liên kết phải bắt đầu", "A link begins"),
        ({"criterion": "1_nd269.backup"}, "hệ thống tự đo", "The house measures"),
        ({"criterion": "1_nd269.moon"}, "Không có yêu cầu", "There is no criterion"),
        ({"version": 3}, "người khác trả lời", "Somebody else"),
    ],
)
def test_what_cannot_be_an_answer_is_refused_in_both_languages(
    line: Line, change: dict[str, object], vietnamese: str, english: str
) -> None:
    with pytest.raises(PlanRefused) as refused:
        line.maturity.answer(SUPERVISOR, replace(REPLY, **change))  # type: ignore[arg-type]
    assert vietnamese in refused.value.words("vi")
    assert english in refused.value.words("en")
    assert line.store.read_answers() == []
    assert [result for *_, result in audited(line)] == ["refused"]


def test_nobody_signs_without_a_name_and_no_version_is_put_back_that_never_was(line: Line) -> None:
    with pytest.raises(PlanRefused, match="tên người làm"):
        line.maturity.answer(Person(account="demo", name=" ", role="supervisor", kind="demo"), REPLY)
    line.maturity.answer(SUPERVISOR, REPLY)
    for back_to in (1, 2, -1):
        with pytest.raises(PlanRefused, match="Không có câu trả lời trước"):
            line.maturity.restore(SUPERVISOR, LEVEL, 1, back_to)
    assert len(line.store.read_answers()) == 1


def test_a_second_click_is_the_same_answer_and_another_person_is_not_overwritten(line: Line) -> None:
    line.maturity.answer(SUPERVISOR, REPLY)
    line.maturity.answer(SUPERVISOR, REPLY)
    (kept,) = line.store.read_answers()
    with pytest.raises(PlanRefused, match="người khác trả lời"):
        line.maturity.answer(replace(SUPERVISOR, name="Vũ Đình Long"), REPLY)
    with pytest.raises(InputError, match="người khác trả lời"):
        line.store.write_answer(kept)


def test_an_answer_and_its_line_in_the_audit_log_are_one(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise StoreError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(line.store, "write_audit", full)
        with pytest.raises(StoreError, match="no space"):
            line.maturity.answer(SUPERVISOR, REPLY)
    assert line.store.read_answers() == []
    assert stand(line).answer == "no"
    line.maturity.answer(SUPERVISOR, REPLY)
    assert line.store.verify() == []


def test_answers_are_there_after_a_restart_and_in_a_copy(line: Line, tmp_path: Path) -> None:
    line.maturity.answer(SUPERVISOR, REPLY)
    line.store.backup(tmp_path / "copy.duckdb")
    copy = DuckStore(tmp_path / "copy.duckdb", zone=str(line.city.zone))
    assert copy.read_answers() == line.store.read_answers()
    copy.close()


@pytest.mark.parametrize("link", ["", "https://a.vn/b?c=1#d", "http://10.0.0.1:8080/x", " https://vanban.gov.vn/12 "])
def test_a_link_that_a_person_may_follow_is_kept(link: str) -> None:
    assert checked_link(link) == link.strip()


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "file:///etc/passwd", "//a.vn/x", "a.vn/x",
        "https://", "https:///x", "https://a.vn@b.vn/x", "https://a.vn/\u202egnp", "https://a.vn/a b", "ftp://a.vn",
        'https://a.vn/"onclick=x', "https://a.vn:99999/", "https://[a/", "https://a.vn/" + "x" * 400, "https://a.vn\\@b",
    ],
)  # fmt: skip
def test_a_link_that_hides_where_it_leads_or_runs_something_is_refused(link: str) -> None:
    with pytest.raises(PlanRefused):
        checked_link(link)
