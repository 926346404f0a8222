"""The spreadsheet desk on a screen: what is late, a file with a slip, a signature, a replacement, and a way back."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from streamlit.testing.v1 import AppTest

from core.forms import Form, Period, recent
from pipeline import Line
from tests.conftest import EVENING
from tests.pages.conftest import copy_of
from tests.pages.reading import html, open_page, problems

Serve = Callable[[Line], Line]
SCORES = (81.5, 15, 18, 11, 9, 20, 16)


@pytest.fixture
def line(demo_line: Line, tmp_path: Path) -> Iterator[Line]:
    own = copy_of(demo_line, tmp_path / "intake.duckdb")
    yield own
    own.stop()


def october(line: Line) -> tuple[Form, Period]:
    form = line.intake.form("scores_766")
    return form, recent(form, EVENING, line.city.zone, 1)[0]


def filled(line: Line, unit: str, *values: object) -> bytes:
    form, period = october(line)
    book = openpyxl.load_workbook(io.BytesIO(line.sheets.template(form, unit, period)))
    for column, value in enumerate(values, start=4):
        book.worksheets[0].cell(6, column).value = value  # type: ignore[assignment]
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def drop(viewer: AppTest, body: bytes, name: str = "thang10.xlsx") -> AppTest:
    return viewer.file_uploader[0].set_value((name, body, "application/octet-stream")).run()


def test_who_has_not_delivered_stands_first_by_name_and_time(line: Line, serve: Serve) -> None:
    serve(line)
    shown = html(open_page("intake").run())
    assert "Quá hạn chưa nộp" in shown
    assert "Một cửa Cầu Gỗ" in shown
    assert "quá 14 ngày" in shown  # due on Thursday 5 November at 17:00, now it is the 19th
    assert "quá 10 ngày" in shown, "office_06 has agreed on the 7th, a Saturday: due on Monday the 9th"


def test_a_slip_is_named_by_its_cell_and_nothing_can_be_signed(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = drop(open_page("intake").run(), filled(line, "office_01", 81.5, 99, "mười"))
    assert problems(viewer) == []
    (code,) = viewer.code
    assert "tệp thang10.xlsx, trang “Số liệu”, ô F6: “mười” không phải là số" in code.value
    assert "ô E6: Công khai, minh bạch (tối đa 18) 99,00 nằm ngoài khoảng hợp lý 0,00 đến 18,00" in code.value
    assert not [one for one in viewer.button if one.key == "do_deliver_file"]


def test_from_preview_to_signature_replacement_and_back(line: Line, serve: Serve) -> None:
    serve(line)
    form, period = october(line)
    viewer = drop(open_page("intake").run(), filled(line, "office_01", *SCORES))
    assert "Bản đầu tiên của kỳ này." in html(viewer)
    assert "81,50 điểm" in html(viewer)
    viewer.button(key="do_deliver_file").click().run()
    assert not line.intake.history(form, ["office_01"]), "nobody has said who they are"
    viewer.text_input(key="intake_actor").input("Trần Quốc Bảo").run()
    viewer.button(key="do_deliver_file").click().run()
    assert problems(viewer) == []
    (first,) = line.intake.history(form, ["office_01"])
    assert (first.delivered_by, first.version, first.file_name) == ("Trần Quốc Bảo", 1, "thang10.xlsx")
    assert "Nộp trễ" in html(viewer)

    drop(viewer, filled(line, "office_01", 85.5, *SCORES[1:]))
    assert "Sẽ thành bản 2, thay bản 1." in html(viewer)
    assert "1 đổi" in html(viewer)
    viewer.button(key="do_deliver_file").click().run()
    assert len(line.intake.history(form, ["office_01"])) == 1, "a replacement needs its reason"
    viewer.text_input(key="intake_reason").input("cộng sót 4 điểm").run()
    viewer.button(key="do_deliver_file").click().run()
    assert [one.version for one in line.intake.history(form, ["office_01"])] == [2, 1]
    assert "cộng sót 4 điểm" in html(viewer)

    viewer.selectbox(key=f"intake_version:scores_766:office_01:{period.first}").select(1).run()
    viewer.button(key="intake_do_again").click().run()
    assert "Sẽ thành bản 3, thay bản 2." in html(viewer)
    viewer.text_input(key="intake_reason").input("bản đầu đúng").run()
    viewer.button(key="do_deliver_file").click().run()
    newest = line.intake.history(form, ["office_01"])[0]
    assert (newest.version, newest.sha256) == (3, first.sha256)
    end = period.end_at(line.city.zone)
    rows = line.store.read_observations(["dvc766_total"], end - timedelta(days=1), end, ["office_01"])
    assert rows["value"].tolist() == [81.5]


def test_a_dry_run_tells_and_writes_nothing(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = open_page("intake").run()
    viewer.selectbox(key="intake_form_key").select("staff_gauge").run()
    gauge = line.intake.form("staff_gauge")
    today = recent(gauge, EVENING, line.city.zone, 1)[0]
    viewer.selectbox(key="intake_period").select(today.first.isoformat()).run()
    day = f"{today.first:%d/%m/%Y}"
    drop(viewer, f"Trạm;Thời gian;Mực nước (m)\nriver_01;{day} 17:30;5,5\n".encode(), "thuoc.csv")
    before = line.store.stats()["observations"]
    viewer.button(key="intake_do_trial").click().run()
    assert problems(viewer) == []
    assert "Chạy thử: chỉ số sẽ đổi" in html(viewer)
    assert "Sông Thanh tại Bến Thủy" in html(viewer)
    assert line.store.stats()["observations"] == before


def test_a_viewer_sees_who_is_late_and_cannot_deliver(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = open_page("intake")
    viewer.session_state["demo_role"] = "viewer"
    viewer.run()
    assert problems(viewer) == []
    assert "Quá hạn chưa nộp" in html(viewer)
    assert not viewer.file_uploader


def test_a_name_from_outside_never_becomes_markup(line: Line, serve: Serve) -> None:
    serve(line)
    evil = "<img src=x onerror=alert(1)>.xlsx"
    viewer = drop(open_page("intake").run(), filled(line, "office_01", *SCORES), evil)
    assert "<img src=x" not in html(viewer)
    assert "&lt;img src=x" in html(viewer)


def test_the_pilot_asks_its_wards_for_their_files(empty_line: Line, serve: Serve) -> None:
    serve(empty_line)
    viewer = open_page("intake").run()
    assert problems(viewer) == []
    assert "Giải quyết hồ sơ một cửa" in html(viewer)


def box(viewer: AppTest, name: str) -> str:
    return str(viewer.selectbox(key=f"intake_{name}").value)


def test_the_address_says_unit_and_period_and_a_wrong_one_says_nothing(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = open_page("intake", form="scores_766", unit="office_03", period="2026-08-01").run()
    assert (box(viewer, "unit"), box(viewer, "period")) == ("office_03", "2026-08-01")
    assert "Các bản đã nộp, kỳ 08/2026" in html(viewer)
    (chosen,) = re.findall(r'aria-current="true" aria-label="([^":]*):', html(viewer))
    assert chosen == "Một cửa Lê Lợi, 08/2026"
    assert len(re.findall(r'data-cell="\d+,\d+"[^>]*tabindex="0"', html(viewer))) == 1, "one stop for the tab key"
    viewer = open_page("intake", form="<b>", unit="river_01", period="1999-01-01").run()
    assert problems(viewer) == []
    assert (box(viewer, "form_key"), box(viewer, "unit"), box(viewer, "period")) == (
        "scores_766",
        "office_01",
        "2026-10-01",
    )


def test_the_wrong_month_chosen_is_one_click_away_from_the_right_one(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = open_page("intake", form="scores_766", unit="office_02", period="2026-09-01").run()
    drop(viewer, filled(line, "office_01", *SCORES))
    assert "thang10.xlsx nộp cho Một cửa Yên Hòa, kỳ 09/2026" in html(viewer)
    assert "là số của Một cửa Cầu Gỗ (office_01)" in viewer.code[0].value
    (button,) = [one for one in viewer.button if one.key == "intake_do_belong"]
    assert button.label == "Cả tệp này là của Một cửa Cầu Gỗ, kỳ 10/2026: chuyển sang đó"
    button.click().run()
    assert problems(viewer) == []
    assert (box(viewer, "unit"), box(viewer, "period")) == ("office_01", "2026-10-01")
    assert "thang10.xlsx nộp cho Một cửa Cầu Gỗ, kỳ 10/2026" in html(viewer), "the file is still there"
    assert not viewer.code


def signed(viewer: AppTest, name: str = "Trần Quốc Bảo") -> AppTest:
    viewer.text_input(key="intake_actor").input(name).run()
    viewer.button(key="do_deliver_file").click().run()
    assert problems(viewer) == []
    return viewer


def test_the_second_half_of_a_double_click_changes_nothing_and_says_nothing(line: Line, serve: Serve) -> None:
    serve(line)
    form, period = october(line)
    body = filled(line, "office_01", *SCORES)
    mark = ("scores_766", "office_01", period, 1, hashlib.sha256(body).hexdigest())
    viewer = drop(open_page("intake").run(), body)
    viewer.session_state["intake_signed"] = mark
    said = [str(one.value) for one in signed(viewer).text]
    assert not [words for words in said if "Tệp hoặc bản" in words or "Đã nhận" in words]
    assert not line.intake.history(form, ["office_01"])
    viewer.session_state["intake_signed"] = None
    viewer.button(key="do_deliver_file").click().run()
    assert viewer.session_state["intake_signed"] == mark
    said = [str(one.value) for one in viewer.text]
    assert "Đã nhận bản 1 của Một cửa Cầu Gỗ, kỳ 10/2026, do Trần Quốc Bảo ký." in said
    assert (box(viewer, "unit"), box(viewer, "period")) == ("office_01", "2026-10-01"), "what one looks at stays"
    drop(viewer, body)
    assert "Tệp này giống hệt bản 1 đã nộp; không có gì để thay." in html(viewer)
    assert not [one for one in viewer.button if one.key == "do_deliver_file"]


def test_a_wrong_first_delivery_can_be_withdrawn(line: Line, serve: Serve) -> None:
    serve(line)
    form, _ = october(line)
    viewer = signed(drop(open_page("intake").run(), filled(line, "office_01", *SCORES)))
    viewer.button(key="intake_do_withdraw").click().run()
    assert "Sẽ thành bản 2, thay bản 1." in html(viewer)
    assert "7 ô không có số liệu" in html(viewer)
    assert any("Rút số liệu" in str(one.value) for one in viewer.caption)
    viewer.text_input(key="intake_reason").input("nộp nhầm đơn vị").run()
    viewer.button(key="do_deliver_file").click().run()
    newest = line.intake.history(form, ["office_01"])[0]
    assert (newest.version, newest.missing, newest.file_name) == (2, 7, "rut_ban_1.xlsx")
    assert "v2 · không có số liệu" in html(viewer)
    assert not [one for one in viewer.button if one.key == "intake_do_withdraw"], "nothing is left to withdraw"


WRONG_FILES = {
    "scan.pdf": (b"%PDF-1.7 x", "là tệp PDF, không phải bảng tính"),
    "anh.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "không phải tệp văn bản CSV"),
    "trang.xls": (b"<html><table><tr><td>1</td></tr></table>", "là trang HTML hoặc XML mang tên bảng tính"),
    "trong.xlsx": (b"", "tệp rỗng"),
}


def test_the_wrong_file_is_named_in_vietnamese(line: Line, serve: Serve) -> None:
    serve(line)
    viewer = open_page("intake").run()
    for name, (body, words) in WRONG_FILES.items():
        drop(viewer, body, name)
        assert problems(viewer) == []
        assert words in viewer.code[0].value
        assert f"{name} nộp cho Một cửa Cầu Gỗ, kỳ 10/2026" in html(viewer)
        assert not [one for one in viewer.button if one.key == "do_deliver_file"]


def test_a_form_that_begins_next_month_is_not_on_the_page_yet(
    line: Line, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores, *others = line.intake.forms
    monkeypatch.setattr(line.intake, "forms", (replace(scores, since=date(2026, 12, 1)), *others))
    serve(line)
    viewer = open_page("intake", form="scores_766").run()
    assert problems(viewer) == []
    assert box(viewer, "form_key") == "staff_gauge"
