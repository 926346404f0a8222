"""The spreadsheet desk at work: a gauge reader, an office, a wrong ward, a second thought, and a crash in between."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd
import pytest

from control.intake import Examined
from core import forms, observations
from core.access import Denied, Person
from core.config import load_city
from core.errors import InputError
from core.forms import Form, Period, recent
from pipeline import Line
from store import _chain
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.conftest import EVENING

READER = Person(account="a1", name="Trần Văn Bình", role="operator", areas=frozenset({"90012"}))
CITYWIDE = Person(account="a2", name="Lê Thị Hoa", role="supervisor")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
STRANGER = Person(account="a3", name="Vũ Minh", role="operator", areas=frozenset({"90006"}))


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The demo city without any source: what stands in its store was delivered here."""
    city = replace(load_city("demo"), sources=())
    store = DuckStore(tmp_path_factory.mktemp("intake") / "x.duckdb", zone=str(city.zone))
    line = Line(city, store, SetClock(EVENING))
    line.run_once()
    yield line
    line.stop()


@pytest.fixture
def gauge(line: Line) -> Form:
    return line.intake.form("staff_gauge")


_days = iter(range(2, 40))


@pytest.fixture
def period(line: Line, gauge: Form) -> Period:
    """A day that no other test of this file delivers."""
    return recent(gauge, EVENING, line.city.zone, 40)[next(_days)]


def filled(line: Line, form: Form, unit: str, period: Period, *values: object) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(line.sheets.template(form, unit, period)))
    for row, value in enumerate(values, start=6):
        book.worksheets[0].cell(row, 4).value = value  # type: ignore[assignment]
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def look(line: Line, form: Form, period: Period, body: bytes, unit: str = "river_01") -> Examined:
    return line.intake.examine(form, unit, period, "thuoc.xlsx", body)


def standing(line: Line, period: Period, unit: str = "river_01") -> list[tuple[float, str]]:
    zone = line.city.zone
    rows = line.store.read_observations(["river_level"], period.begin_at(zone), period.end_at(zone), [unit])
    assert set(rows["source"]) <= {"form_staff_gauge"}
    return [(row["value"], row["quality"]) for row in rows.fillna({"value": -1}).to_dict("records")]


def audit(line: Line) -> list[dict[str, str]]:
    rows = line.audit_rows(EVENING - timedelta(days=1))
    return list(rows[rows["action"] == "deliver_file"].to_dict("records"))


def test_a_first_file_is_taken_in_and_its_bytes_come_back(line: Line, gauge: Form, period: Period) -> None:
    body = filled(line, gauge, "river_01", period, 2.1, "2,4", "KPS")
    seen = look(line, gauge, period, body)
    assert (seen.problems, seen.version, seen.count("new")) == ((), 1, 3)
    assert standing(line, period) == [], "looking at a file writes nothing"
    made = line.deliver(READER, seen, body)
    assert (made.version, made.delivered_by, made.row_count, made.missing) == (1, "Trần Văn Bình", 3, 1)
    assert standing(line, period) == [(2.1, "not_evaluated"), (2.4, "not_evaluated"), (-1, "missing")]
    assert line.intake.file_of(READER, made) == body
    newest = audit(line)[0]
    assert newest["object"] == f"staff_gauge:river_01 {period.first} v1"
    assert json.loads(newest["after"])["changes"] == {"new": 3}
    assert line.store.verify() == []


def test_a_replacement_needs_a_reason_keeps_the_old_file_and_leaves_nothing_old_behind(
    line: Line, gauge: Form, period: Period
) -> None:
    first = filled(line, gauge, "river_01", period, 2.1, 2.4, 2.6)
    line.deliver(READER, look(line, gauge, period, first), first)
    second = filled(line, gauge, "river_01", period, 2.1, 3.4)
    seen = look(line, gauge, period, second)
    kinds = [(one.kind, one.before, one.after) for one in seen.changes]
    assert kinds == [("same", 2.1, 2.1), ("changed", 2.4, 3.4), ("gone", 2.6, None)]
    with pytest.raises(InputError, match="lý do"):
        line.deliver(READER, seen, second)
    assert standing(line, period)[2] == (2.6, "not_evaluated")
    made = line.deliver(READER, seen, second, "đọc nhầm vạch thước lúc 13 giờ")
    assert standing(line, period) == [(2.1, "not_evaluated"), (3.4, "not_evaluated"), (-1, "missing")]
    history = [one for one in line.intake.history(gauge, ["river_01"]) if one.period_end == made.period_end]
    assert [one.version for one in history] == [2, 1]
    assert line.intake.file_of(READER, history[1]) == first
    newest = audit(line)[0]
    assert json.loads(newest["before"])["version"] == 1
    assert newest["reason"] == "đọc nhầm vạch thước lúc 13 giờ"
    again = look(line, gauge, period, first)
    line.deliver(CITYWIDE, again, first, "bản đầu đúng")
    assert standing(line, period) == [(2.1, "not_evaluated"), (2.4, "not_evaluated"), (2.6, "not_evaluated")]


def test_two_who_saw_the_same_version_do_not_overwrite_each_other(line: Line, gauge: Form, period: Period) -> None:
    mine, theirs = (filled(line, gauge, "river_01", period, level, 2.0, 2.0) for level in (1.0, 1.5))
    seen_by_me, seen_by_them = look(line, gauge, period, mine), look(line, gauge, period, theirs)
    line.deliver(CITYWIDE, seen_by_them, theirs)
    with pytest.raises(InputError, match="đã đổi sau khi xem trước"):
        line.deliver(READER, seen_by_me, mine, "bản của tôi")
    known = next(one for one in line.intake.history(gauge, ["river_01"]) if one.delivered_by == CITYWIDE.name)
    known = replace(known, sha256=seen_by_them.sha256, period_end=period.end_at(line.city.zone), version=1)
    with pytest.raises(InputError, match="Trong lúc đó đã có bản 1"):
        line.store.write_delivery(known, theirs, line.intake.rows_to_write(seen_by_them), [])
    assert standing(line, period)[0] == (1.5, "not_evaluated")


@pytest.mark.parametrize(
    ("person", "words"),
    [
        (STRANGER, "ngoài phạm vi"),
        (Person(account="v", name="Khách", role="viewer"), "Vai trò"),
        (Person(account="ad", name="Quản trị", role="admin"), "Vai trò"),
        (Person(account="w", name="Màn hình", role="operator", kind="wall"), "Vai trò"),
        (Person(account="d", name="  ", role="operator"), ""),
    ],
    ids=["other-ward", "viewer", "admin", "wall", "nameless"],
)
def test_who_may_not_deliver_changes_nothing_and_is_written_down(
    line: Line, gauge: Form, period: Period, person: Person, words: str
) -> None:
    body = filled(line, gauge, "river_01", period, 2.0, 2.0, 2.0)
    seen = look(line, gauge, period, body)
    before = len(audit(line))
    with pytest.raises(InputError) as caught:
        line.deliver(person, seen, body)
    assert words in str(caught.value)
    assert standing(line, period) == []
    newest = audit(line)[0]
    assert len(audit(line)) == before + 1
    assert newest["result"] == ("denied" if isinstance(caught.value, Denied) else "refused")
    if person is STRANGER:
        with pytest.raises(Denied):
            line.intake.file_of(person, line.intake.history(gauge, ["river_01"])[0])


def cells_of(problems: tuple[str, ...]) -> list[str]:
    return [problem.partition(":")[0].rpartition(", ")[2] for problem in problems]


def test_what_does_not_belong_is_named_by_its_cell(line: Line, gauge: Form) -> None:
    day = recent(gauge, EVENING, line.city.zone, 10)[0]
    yesterday = recent(gauge, EVENING, line.city.zone, 10)[1]
    other = filled(line, gauge, "river_02", day, 1.0, 1.0)
    seen = look(line, gauge, day, other)
    assert cells_of(seen.problems) == ["ô D6", "ô D7"]
    assert "là số của Sông Thanh tại Phú Diễn (river_02)" in seen.problems[0]
    seen = look(line, gauge, day, filled(line, gauge, "river_01", yesterday, 1.0))
    assert cells_of(seen.problems) == ["ô D6"]
    assert "ngoài kỳ 19/11/2026" in seen.problems[0]
    seen = look(line, gauge, day, filled(line, gauge, "river_01", day, 1.0, 99.0, "hai"))
    assert cells_of(seen.problems) == ["ô D8", "ô D7"]
    assert "nằm ngoài khoảng hợp lý −5,00 đến 60,00" in seen.problems[1]
    seen = look(line, gauge, day, filled(line, gauge, "river_01", day, 1.0, 1.0, 1.0))
    assert cells_of(seen.problems) == ["ô D8"], "19:00 has not come yet at 18:00"
    assert "tương lai" in seen.problems[0]


def csv(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def test_files_of_offices_that_know_no_template(line: Line, gauge: Form) -> None:
    day = recent(gauge, EVENING, line.city.zone, 10)[1]
    no_site = csv("Thời gian;Mực nước (m)", "18/11/2026 07:00;2,1", "18/11/2026 13:00;2,2")
    seen = look(line, gauge, day, no_site)
    assert seen.problems == (), "the unit that was chosen is the unit of a table that names none"
    assert set(seen.rows["site_id"]) == {"river_01"}
    twice = csv("Thời gian;Mực nước (m)", "18/11/2026 07:00;2,1", "18/11/2026 07:00;2,2")
    (problem,) = look(line, gauge, day, twice).problems
    assert "ô B2 và ô B3" in problem
    stray = csv("Thời gian;Mực nước (m);Lượng mưa (mm);Nhiệt đoọ;Ghi chú", "18/11/2026 07:00;2,1;3;25;x")
    seen = look(line, gauge, day, stray)
    assert cells_of(seen.problems) == ["ô C2"]
    assert seen.notes == (
        "Bảng không ghi tên đơn vị: mọi số được tính cho đơn vị đang chọn.",
        "Cột “Nhiệt đoọ” không có trong danh mục nên không được đọc; gần giống “Nhiệt độ”, nếu đúng thì hãy sửa "
        "tiêu đề rồi gửi lại tệp.",
    )
    empty = line.sheets.template(gauge, "river_01", day)
    assert look(line, gauge, day, empty).problems == ("tệp thuoc.xlsx: chưa có giá trị nào được điền",)
    assert "không thấy cột" in look(line, gauge, day, b"xin chao").problems[0]


def test_a_missing_column_is_no_blank_cell(line: Line) -> None:
    form = line.intake.form("scores_766")
    period = recent(form, EVENING, line.city.zone, 1)[0]
    body = csv(
        "Mã đơn vị;Thời gian;Tổng điểm phục vụ người dân, doanh nghiệp (QĐ 766) (điểm)", "office_01;10/2026;81,5"
    )
    seen = line.intake.examine(form, "office_01", period, "diem.csv", body)
    assert len(seen.problems) == len(form.properties) - 1
    assert "thiếu cột “Công khai, minh bạch (tối đa 18)”" in seen.problems[0]


def test_units_and_periods_that_are_not_of_the_form_are_refused(line: Line, gauge: Form, period: Period) -> None:
    with pytest.raises(InputError, match="không phải là đơn vị"):
        line.intake.examine(gauge, "air_01", period, "a.csv", b"x")
    tomorrow = Period(first=period.first + timedelta(days=60), until=period.first + timedelta(days=61))
    with pytest.raises(InputError, match="chưa kết thúc"):
        line.intake.examine(gauge, "river_01", tomorrow, "a.csv", b"x")
    month = Period(first=period.first.replace(day=1), until=period.first)
    with pytest.raises(InputError, match="không phải là kỳ"):
        line.intake.examine(gauge, "river_01", month, "a.csv", b"x")


def test_the_same_file_again_changes_nothing(line: Line, gauge: Form, period: Period) -> None:
    body = filled(line, gauge, "river_01", period, 2.0, 2.1, 2.2)
    line.deliver(READER, look(line, gauge, period, body), body)
    seen = look(line, gauge, period, body)
    assert seen.same_file
    with pytest.raises(InputError, match="giống hệt bản 1"):
        line.deliver(READER, seen, body, "nộp lại cho chắc")


def test_another_file_than_the_one_that_was_seen_is_refused(line: Line, gauge: Form, period: Period) -> None:
    shown = filled(line, gauge, "river_01", period, 2.0, 2.1, 2.2)
    sent = filled(line, gauge, "river_01", period, 9.0, 9.1, 9.2)
    with pytest.raises(InputError, match="đã đổi sau khi xem trước"):
        line.deliver(READER, look(line, gauge, period, shown), sent)
    assert standing(line, period) == []


def test_a_dry_run_says_what_the_next_cycle_then_computes(line: Line, gauge: Form, period: Period) -> None:
    body = filled(line, gauge, "river_02", period, 2.0, 5.2, 2.2)
    seen = look(line, gauge, period, body, "river_02")
    told = {(one.indicator, one.site_id): one.after for one in line.consequences(seen)}
    assert told
    before = line.store.latest(["river_stage"])
    assert before[before["site_id"] == "river_02"].empty, "a dry run writes nothing"
    line.deliver(CITYWIDE, seen, body)
    line.run_once()
    zone = line.city.zone
    until = max(EVENING, period.end_at(zone))
    for (indicator, site), after in told.items():
        rows = line.store.read_observations([indicator], period.begin_at(zone), until, [site])
        assert rows["value"].iloc[-1] == pytest.approx(after), indicator


def test_a_crash_between_file_and_values_leaves_neither(
    line: Line, gauge: Form, period: Period, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = filled(line, gauge, "river_01", period, 2.0, 2.1, 2.2)
    seen = look(line, gauge, period, body)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_chain, "append", crash)
        with pytest.raises(KeyboardInterrupt):
            line.deliver(READER, seen, body)
    assert standing(line, period) == []
    assert look(line, gauge, period, body).version == 1
    assert line.store.verify() == []


def test_verify_finds_a_delivered_file_that_somebody_changed(tmp_path: Path, line: Line) -> None:
    copy = tmp_path / "copy.duckdb"
    line.store.backup(copy)
    store = DuckStore(copy)
    assert store.verify_tables() == []
    with store._write() as cursor:
        cursor.execute("UPDATE deliveries SET body = 'x'::BLOB WHERE version = 1")
        cursor.execute("DELETE FROM deliveries WHERE version = 2")
    words = "\n".join(store.verify_tables())
    store.close()
    assert "delivered file differs from its hash" in words
    assert "versions missing" in words


def test_a_source_that_tells_the_same_is_named_before_somebody_signs(line: Line, gauge: Form, period: Period) -> None:
    sensor = pd.DataFrame(
        [{"time": pd.Timestamp(EVENING), "site_id": "river_02", "observed_property": "river_level", "value": 2.0}]
    )
    line.store.write_observations(observations.frame(sensor, source="hydrology"), EVENING)
    body = filled(line, gauge, "river_02", period, 2.0, 2.1, 2.2)
    assert "«hydrology» cũng đang gửi Mực nước sông" in look(line, gauge, period, body, "river_02").notes[0]


def test_a_path_and_strange_marks_in_a_file_name_do_not_travel(line: Line, gauge: Form, period: Period) -> None:
    body = filled(line, gauge, "river_01", period, 2.0)
    seen = line.intake.examine(gauge, "river_01", period, "C:\\may tram\\thu\u202eoc\n.xlsx", body)
    assert seen.file_name == "thuoc.xlsx"


def test_units_outside_of_a_persons_areas_are_not_theirs(line: Line, gauge: Form) -> None:
    assert line.intake.units(gauge, READER) == ("river_01",)
    assert line.intake.units(gauge, CITYWIDE) == ("river_01", "river_02")


def test_two_sign_at_the_same_moment_and_one_of_them_is_told(line: Line, gauge: Form, period: Period) -> None:
    bodies = [filled(line, gauge, "river_01", period, level, 2.0, 2.0) for level in (1.0, 1.5)]
    seen = [look(line, gauge, period, body) for body in bodies]
    start = Barrier(2)

    def sign(number: int) -> str:
        start.wait()
        try:
            line.intake.deliver(CITYWIDE, seen[number], bodies[number])
        except InputError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as desks:
        said = sorted(desks.map(sign, range(2)))
    assert said[0] == "", "one of them is in"
    assert "đã có bản 1" in said[1] or "đã đổi sau khi xem trước" in said[1]
    versions = [
        one for one in line.intake.history(gauge, ["river_01"]) if one.period_end == seen[0].period.end_at(ZONE)
    ]
    assert [one.version for one in versions] == [1]
    winner = next(number for number in range(2) if seen[number].sha256 == versions[0].sha256)
    assert standing(line, period)[0] == ((1.0, 1.5)[winner], "not_evaluated")
    assert line.store.verify() == []


def test_a_file_for_another_unit_or_day_says_where_it_belongs(line: Line, gauge: Form, period: Period) -> None:
    other = filled(line, gauge, "river_02", period, 1.0, 1.0)
    assert look(line, gauge, period, other).belongs == ("river_02", period)
    day_before = forms.period_of(gauge, period.first - timedelta(days=1))
    assert look(line, gauge, period, filled(line, gauge, "river_01", day_before, 1.0)).belongs == (
        "river_01",
        day_before,
    )
    assert look(line, gauge, period, filled(line, gauge, "river_01", period, 99.0)).belongs is None, (
        "it is in its place"
    )
    days = [f"{one.label} 07:00;1,0" for one in (period, day_before)]
    assert look(line, gauge, period, csv("Thời gian;Mực nước (m)", *days)).belongs is None, "it is about two days"
    to_come = forms.period_of(gauge, EVENING.date() + timedelta(days=9))
    assert look(line, gauge, period, csv("Thời gian;Mực nước (m)", f"{to_come.label} 07:00;1,0")).belongs is None


def test_a_wrong_first_delivery_is_withdrawn_by_name_and_leaves_no_value(
    line: Line, gauge: Form, period: Period
) -> None:
    body = filled(line, gauge, "river_01", period, 2.1, 2.4, 2.6)
    line.deliver(READER, look(line, gauge, period, body), body)
    nothing = line.sheets.withdrawal(gauge, "river_01", period)
    seen = look(line, gauge, period, nothing)
    assert (seen.problems, seen.count("changed")) == ((), 3)
    with pytest.raises(InputError, match="lý do"):
        line.deliver(READER, seen, nothing)
    made = line.deliver(READER, seen, nothing, "nộp nhầm trạm")
    assert (made.version, made.missing, made.row_count) == (2, 3, 3)
    assert standing(line, period) == [(-1, "missing")] * 3
    running = recent(gauge, EVENING, line.city.zone, 1)[0]
    left = line.sheets.withdrawal(gauge, "river_01", running)
    told = line.intake.examine(gauge, "river_01", running, "rut.xlsx", left)
    assert told.problems == (), "19:00 of today has not come, so nothing is said of it"


def test_what_would_harm_the_next_reader_or_everybody_else_is_refused(line: Line, gauge: Form, period: Period) -> None:
    formula = csv("Thời gian;Mực nước (m);Ghi chú", f"{period.label} 07:00;2,1;=cmd|' /C calc'!A0")
    (problem,) = look(line, gauge, period, formula).problems
    assert problem.startswith("tệp thuoc.xlsx, ô C2: ô bắt đầu như một công thức")
    many = csv("Thời gian;Mực nước (m)", *[f"{period.label} 07:00;2,1"] * 60_000)
    (problem,) = look(line, gauge, period, many).problems
    assert "có hơn 100000 ô" in problem
    named = line.intake.examine(gauge, "river_01", period, "=HYPERLINK(1).csv", csv("Thời gian;Mực nước (m)", "x;y"))
    assert named.problems
    assert all(one.startswith("tệp ") for one in named.problems), "nothing that is copied begins a formula"
