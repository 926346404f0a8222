"""Tasks, decisions and own numbers through the gate: who may, what is refused, and what the audit log keeps."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from control.maturity import Figure, backup_age, judged
from control.plans import DROP, FINISH, REOPEN, START, UNDO, Draft, Plans, Seen
from control.studies import Study
from core.access import Denied, Person
from core.config import load_city
from core.errors import InputError, StoreError
from core.maturity import NO, UNANSWERED, YES, Criterion
from core.observations import frame
from core.plans import Decision, PlanRefused
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # a Friday
SUPERVISOR = Person(account="u1", name="Lê Thị Hạnh", role="supervisor")
OPERATOR = Person(account="u2", name="Trần Văn An", role="operator")
WARD = Person(account="u3", name="Phạm Thu", role="supervisor", areas=frozenset({"90013"}))
SEEN = Seen(page="traffic", link="/traffic?scene=1", snapshot=41, at=NOW, words="TTI 1,31")


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    city = load_city("demo")
    own = Line(city, DuckStore(tmp_path / "plans.duckdb", zone=str(city.zone)), SetClock(NOW))
    yield own
    own.stop()


def audited(line: Line) -> list[tuple[str, str, str]]:
    rows = line.audit_rows(NOW - timedelta(days=1))
    return list(zip(rows["action"], rows["object"], rows["result"], strict=True))


def settled(plans: Plans, ask: str) -> Study[object]:
    """The answer of a study, once its thread is done with what was asked before."""
    getattr(plans, ask)()
    done = threading.Event()
    plans._studies.ask(("test", ask, id(done)), lambda _: done.set(), timedelta(0))
    assert done.wait(30)
    found: Study[object] = getattr(plans, ask)()
    return found


def by_key(line: Line, key: str) -> object:
    return next(one for one in line.plans.tasks() if one.task.task == key)


def test_the_first_tasks_stand_with_their_lateness_in_working_days(line: Line) -> None:
    first = line.plans.tasks()[0]
    assert (first.task.task, first.late) == ("NV-0001", 5)
    waiting = next(one for one in line.plans.tasks() if one.task.task == "NV-0002")
    assert waiting.blocked == ("Rà soát 20 dịch vụ có tỷ lệ nộp trực tuyến thấp nhất",)
    assert line.plans.tasks()[-1].task.state == "done"


def test_a_supervisor_gives_a_task_and_an_operator_may_not(line: Line) -> None:
    draft = Draft(title="Khơi thông cống", unit="Đội thoát nước", due=date(2026, 11, 27))
    with pytest.raises(Denied):
        line.plans.plan_task(OPERATOR, draft)
    key = line.plans.plan_task(SUPERVISOR, draft)
    assert key == "NV-0006"
    assert audited(line)[:2] == [("plan_task", key, "done"), ("plan_task", key, "denied")]
    (made,) = line.store.read_tasks()
    assert (made.version, made.state, made.changed_by, made.changed_at) == (1, "open", "Lê Thị Hạnh", NOW)


def test_a_deed_that_cannot_be_written_down_is_not_done(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full between the task and its line in the audit log: neither stays, and the next deed passes."""
    draft = Draft(title="Khơi thông cống", unit="Đội thoát nước", due=date(2026, 11, 27))

    def full(_: object) -> None:
        raise StoreError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(line.store, "write_audit", full)
        with pytest.raises(StoreError, match="no space"):
            line.plans.plan_task(SUPERVISOR, draft)
    assert line.store.read_tasks() == []
    assert audited(line) == []
    assert line.plans.plan_task(SUPERVISOR, draft) == "NV-0006"
    assert audited(line) == [("plan_task", "NV-0006", "done")]
    assert line.store.verify() == []


def test_a_ward_gives_and_sees_tasks_of_its_own_area_only(line: Line) -> None:
    with pytest.raises(Denied):
        line.plans.plan_task(WARD, Draft(title="Việc cả thành phố", unit="U", due=None))
    with pytest.raises(Denied):
        line.plans.plan_task(WARD, Draft(title="Việc phường khác", unit="U", due=None, area="90001"))
    key = line.plans.plan_task(WARD, Draft(title="Việc phường", unit="U", due=None, area="90013"))
    with pytest.raises(Denied):
        line.plans.plan_task(WARD, Draft(title="Chuyển đi", unit="U", due=None, task=key, version=1, area="90001"))
    assert {one.task.task for one in line.plans.tasks(WARD.areas)} == {"NV-0003", key}
    assert {one.area for one in line.store.read_tasks()} == {"90013"}


def test_what_waits_for_another_task_cannot_be_finished(line: Line) -> None:
    with pytest.raises(PlanRefused) as refused:
        line.plans.move_task(SUPERVISOR, FINISH, "NV-0002", 0)
    assert "Rà soát 20 dịch vụ" in refused.value.words("vi")
    assert refused.value.words("en").startswith("It cannot be done before")
    line.plans.move_task(SUPERVISOR, FINISH, "NV-0001", 0)
    line.plans.move_task(SUPERVISOR, FINISH, "NV-0002", 0)
    assert by_key(line, "NV-0002").task.state == "done"
    assert ("finish_task", "NV-0002", "refused") in audited(line)


def test_two_people_at_the_same_task_do_not_overwrite_each_other(line: Line) -> None:
    line.plans.move_task(SUPERVISOR, START, "NV-0004", 0)
    with pytest.raises(PlanRefused, match="người khác sửa"):
        line.plans.move_task(SUPERVISOR, DROP, "NV-0004", 0, "không cần")
    with pytest.raises(PlanRefused, match="người khác sửa"):
        line.plans.plan_task(SUPERVISOR, Draft(title="Khác", unit="U", due=None, task="NV-0004", version=0))
    (kept,) = line.store.read_tasks()
    with pytest.raises(InputError, match="người khác sửa"):
        line.store.write_task(kept)


def test_a_ward_saves_its_task_and_what_it_waits_for_elsewhere_stays_unnamed(line: Line) -> None:
    """The form of a ward lists its own tasks. What the city tied to another ward's task is neither lost nor told."""
    secret = line.plans.plan_task(SUPERVISOR, Draft(title="Thanh tra phường khác", unit="U", due=None, area="90001"))
    tied = Draft(title="Việc phường", unit="U", due=None, area="90013", needs=(secret,))
    key = line.plans.plan_task(SUPERVISOR, tied)
    assert line.plans.plan_task(WARD, replace(tied, title="Việc phường, rõ hơn", task=key, version=1, needs=())) == key
    assert line.store.read_tasks()[-1].needs == (secret,)
    own = next(one for one in line.plans.tasks(WARD.areas) if one.task.task == key)
    assert own.blocked == (secret,), "its number, not its title"
    with pytest.raises(PlanRefused) as refused:
        line.plans.move_task(WARD, FINISH, key, 2)
    assert "Thanh tra" not in refused.value.words("vi")
    assert by_key(line, key).blocked == ("Thanh tra phường khác",), "the whole city reads it"


def test_two_people_decide_in_the_same_second_and_both_are_written(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both forms are sent before either is in the log: the second one gets the next number, and is not turned away."""
    both, read = threading.Barrier(2), line.store.read_decisions

    def slow() -> list[Decision]:
        found = read()
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(1)  # where nothing keeps them apart, both have read the same log now
        return found

    monkeypatch.setattr(line.store, "read_decisions", slow)
    draft = Draft(title="Việc", unit="U", due=None)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda text: line.plans.decide(SUPERVISOR, SEEN, text, task=draft), ("Một", "Hai")))
    assert sorted(made) == ["QD-0001", "QD-0002"]
    assert {one.text for one in read()} == {"Một", "Hai"}
    assert len({one.task for one in read()}) == 2


def test_undo_within_the_time_of_the_house_and_reopen_after_it(line: Line) -> None:
    line.plans.move_task(SUPERVISOR, FINISH, "NV-0004", 0)
    assert by_key(line, "NV-0004").own_undo
    line.plans.move_task(SUPERVISOR, UNDO, "NV-0004", 1)
    assert by_key(line, "NV-0004").task.state == "open"
    line.plans.move_task(SUPERVISOR, FINISH, "NV-0004", 2)
    line.clock.advance(line.desk.undo_within + timedelta(seconds=1))
    with pytest.raises(PlanRefused, match="hoàn tác"):
        line.plans.move_task(SUPERVISOR, UNDO, "NV-0004", 3)
    line.plans.move_task(SUPERVISOR, REOPEN, "NV-0004", 3)
    assert [one.state for one in line.store.read_tasks()] == ["done", "open", "done", "open"]
    assert line.store.verify_tables() == []


def test_nobody_undoes_what_somebody_else_did(line: Line) -> None:
    line.plans.move_task(SUPERVISOR, FINISH, "NV-0004", 0)
    other = Person(account="u9", name="Vũ Minh", role="supervisor")
    with pytest.raises(PlanRefused):
        line.plans.move_task(other, UNDO, "NV-0004", 1)


def test_dropping_needs_a_reason_and_a_done_task_is_not_dropped(line: Line) -> None:
    with pytest.raises(PlanRefused, match="vì sao"):
        line.plans.move_task(SUPERVISOR, DROP, "NV-0004", 0)
    with pytest.raises(PlanRefused, match="trạng thái"):
        line.plans.move_task(SUPERVISOR, DROP, "NV-0005", 0, "thừa")


def test_a_circle_of_tasks_is_refused(line: Line) -> None:
    key = line.plans.plan_task(SUPERVISOR, Draft(title="Sau", unit="U", due=None, needs=("NV-0004",)))
    with pytest.raises(PlanRefused, match="NV-0004 → NV-0006 → NV-0004"):
        line.plans.plan_task(SUPERVISOR, Draft(title="Trước", unit="U", due=None, task="NV-0004", needs=(key,)))


def test_a_task_without_unit_or_with_a_forged_line_is_refused(line: Line) -> None:
    with pytest.raises(PlanRefused, match="đơn vị"):
        line.plans.plan_task(SUPERVISOR, Draft(title="Việc", unit=" ", due=None))
    with pytest.raises(InputError):
        line.plans.plan_task(SUPERVISOR, Draft(title="Việc\u202egnảig", unit="U", due=None))
    nameless = Person(account="demo", name="", role="supervisor", kind="demo")
    with pytest.raises(PlanRefused, match="tên người"):
        line.plans.plan_task(nameless, Draft(title="Việc", unit="U", due=None))
    assert line.store.read_tasks() == []


# -- decisions --------------------------------------------------------------------------------------------------------


def travel_time(line: Line, since: datetime, days: int, value: float) -> None:
    times = pd.date_range(since, since + timedelta(days=days), freq="1h", tz="UTC", inclusive="right")
    rows = pd.DataFrame(
        {
            "time": times,
            "site_id": "thanh_lam",
            "observed_property": "travel_time_index",
            "value": value,
            "quality": "pass",
        }
    )
    line.store.write_observations(frame(rows, source="indicators"), line.clock.now())


def test_from_the_screen_seen_to_the_value_thirty_days_later(line: Line) -> None:
    travel_time(line, NOW - timedelta(days=8), 8, 1.30)
    task = Draft(title="Sửa pha đèn", unit="Tổ đèn", due=date(2026, 11, 30))
    name = line.plans.decide(
        SUPERVISOR, SEEN, "Đổi pha đèn trục 4", indicator="travel_time_index", site_id="thanh_lam", task=task
    )
    (one,) = settled(line.plans, "decisions").value
    assert (one.decision.id, one.decision.snapshot, one.decision.link) == (name, 41, "/traffic?scene=1")
    assert one.decision.value == pytest.approx(1.30)
    assert one.task is not None
    assert (one.task.task.title, one.task.task.decision) == ("Sửa pha đèn", name)
    assert [after.come for after in one.after] == [False, False, False]
    travel_time(line, NOW, 31, 1.12)
    line.clock.advance(timedelta(days=31))
    settled(line.plans, "decisions")
    (one,) = settled(line.plans, "decisions").value
    assert one.after[0].value == pytest.approx(1.12)
    assert one.after[0].change == pytest.approx(-0.18)
    assert one.after[0].unusual is None, "nothing usual was known when it was decided"
    assert not one.after[1].come


def test_a_decision_with_a_wrong_task_leaves_nothing(line: Line) -> None:
    with pytest.raises(PlanRefused):
        line.plans.decide(SUPERVISOR, SEEN, "Quyết", task=Draft(title="Việc", unit="", due=None))
    with pytest.raises(PlanRefused, match="nội dung"):
        line.plans.decide(SUPERVISOR, SEEN, "  ")
    with pytest.raises(Denied):
        line.plans.decide(OPERATOR, SEEN, "Quyết")
    assert line.store.read_decisions() == []
    assert line.store.read_tasks() == []
    assert [result for _, _, result in audited(line)] == ["denied", "refused", "refused"]


def test_a_ward_reads_decisions_of_its_own_area(line: Line) -> None:
    line.plans.decide(SUPERVISOR, SEEN, "Cả thành phố")
    line.plans.decide(WARD, SEEN, "Phường tôi", area="90013")
    assert [one.decision.text for one in line.plans.decisions(WARD.areas).value or ()] == ["Phường tôi"]
    with pytest.raises(Denied):
        line.plans.decide(WARD, SEEN, "Vượt quyền")


def test_a_backup_keeps_what_people_wrote(line: Line, tmp_path: Path) -> None:
    line.plans.decide(SUPERVISOR, SEEN, "Quyết", task=Draft(title="Việc", unit="U", due=None))
    line.store.backup(tmp_path / "copy.duckdb")
    copy = DuckStore(tmp_path / "copy.duckdb", zone=None)
    try:
        assert copy.read_decisions() == line.store.read_decisions()
        assert copy.read_tasks() == line.store.read_tasks()
        assert copy.stats()["decisions"] == 1
        assert copy.verify() == []
    finally:
        copy.close()


def test_verify_finds_a_version_that_was_taken_out(line: Line) -> None:
    line.plans.move_task(SUPERVISOR, START, "NV-0004", 0)
    line.plans.move_task(SUPERVISOR, FINISH, "NV-0004", 1)
    with line.store._write() as cursor:
        cursor.execute("DELETE FROM plan_tasks WHERE version = 1")
    assert any("task has versions missing" in found for found in line.store.verify_tables())


# -- numbers, progress and what is asked ------------------------------------------------------------------------------


def test_a_number_by_hand_needs_its_source_and_moves_the_target(line: Line) -> None:
    before = settled(line.plans, "progress").value["maturity_75"]
    assert (before.verdict, before.measured.value) == ("behind", 58.0)
    with pytest.raises(PlanRefused, match="nguồn"):
        line.plans.enter_number(SUPERVISOR, "maturity_75", date(2026, 11, 19), 71.0, 60, " ")
    with pytest.raises(PlanRefused, match="chưa tới"):
        line.plans.enter_number(SUPERVISOR, "maturity_75", date(2026, 11, 25), 71.0, 60, "BC 12")
    with pytest.raises(PlanRefused, match="không nhập tay"):
        line.plans.enter_number(SUPERVISOR, "online_share_2027", date(2026, 11, 19), 71.0, None, "BC 12")
    with pytest.raises(Denied):
        line.plans.enter_number(OPERATOR, "maturity_75", date(2026, 11, 19), 71.0, 60, "BC 12")
    line.plans.enter_number(SUPERVISOR, "maturity_75", date(2026, 11, 19), 76.0, 60, "BC 12/2026")
    settled(line.plans, "progress")
    after = settled(line.plans, "progress").value["maturity_75"]
    assert (after.verdict, after.measured.value, after.measured.source) == ("reached", 76.0, "BC 12/2026")


def test_what_is_asked_is_late_or_soon_due_or_clearly_behind(line: Line) -> None:
    settled(line.plans, "progress")
    asked = line.plans.asked(line.plans.today)
    assert [(one.kind, one.key, one.overdue) for one in asked] == [
        ("task", "NV-0001", True),
        ("task", "NV-0004", False),
        ("target", "maturity_75", False),
    ]
    assert asked[0].text("vi").endswith("(quá hạn 5 ngày làm việc)")
    assert asked[0].page == "roadmap"
    assert line.plans.asked(line.plans.today, frozenset({"90001"})) == ()


def test_without_values_a_target_says_so(line: Line) -> None:
    known = settled(line.plans, "progress").value
    assert (known["online_share_2027"].verdict, known["online_share_2027"].why) == ("unknown", "no_rows")
    assert (known["pm25_25"].why, known["district_files"].why) == ("few_days", "lapsed")


# -- maturity ---------------------------------------------------------------------------------------------------------


def test_a_limit_judges_and_what_cannot_be_told_is_not_answered() -> None:
    least = Criterion(key="a", words={}, check="freshness", least=98, most=None, unit="%")
    most = Criterion(key="b", words={}, check="backup_age_h", least=None, most=24, unit="h")
    assert [judged(least, Figure(value=one)) for one in (98.0, 97.9)] == [YES, NO]
    assert [judged(most, Figure(value=one)) for one in (24.0, 24.1)] == [YES, NO]
    assert judged(most, Figure(value=None, why="no_folder")) == UNANSWERED


def test_the_age_of_the_newest_copy(tmp_path: Path) -> None:
    assert backup_age("", NOW).why == "no_folder"
    assert backup_age(str(tmp_path), NOW).why == "no_copy"
    for name in ("city-1.duckdb", "city-2.duckdb"):
        (tmp_path / name).write_bytes(b"x")
    at = (tmp_path / "city-2.duckdb").stat().st_mtime
    found = backup_age(str(tmp_path), datetime.fromtimestamp(at + 7200, UTC))
    assert found.n == 2
    assert found.value == pytest.approx(2.0, abs=0.01)


def test_the_house_answers_what_it_can_tell_itself(line: Line) -> None:
    line.audit(SUPERVISOR, "export_decisions", "x", "done")
    line.maturity.stands()
    done = threading.Event()
    line.short_studies.ask("after", lambda _: done.set(), timedelta(0))
    assert done.wait(30)
    found = {one.criterion.key: one for rows in (line.maturity.stands().value or {}).values() for one in rows}
    assert found["1_nd269.log"].answer == YES
    assert found["1_nd269.log"].figure.n >= 1
    assert found["1_nd269.roles"].answer == YES
    assert found["3_bkhcn1709.owners"].figure.n == len(line.city.sources)
    assert found["1_nd269.encryption"].answer == UNANSWERED
    assert found["1_nd269.open_formats"].given.by == "Trần Quốc Bảo"
