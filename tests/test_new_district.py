"""A district up in an hour (docs/operations.md), step by step: command, start, a spreadsheet, a page, an alert."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest

from core.__main__ import main
from core.config import ROOT, load_city
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.conftest import EVENING
from tests.pages.reading import html, open_page, problems
from ui import render, server

WARDS = "Mã;Tên;Vĩ độ;Kinh độ\n7774;Tự Lạn;21,297;106,085\n7777;Việt Yên;21,272;106,099\n7795;Nếnh;21,238;106,113\n"
OVERDUE = {"Phường Tự Lạn": 1, "Phường Việt Yên": 12, "Nếnh": 4}


def office_table(days: int = 7) -> bytes:
    """A table as an office keeps it: title and merged cells above, numbers, a total and a signature below."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = "BÁO CÁO GIẢI QUYẾT HỒ SƠ MỘT CỬA"
    sheet.merge_cells("A1:H1")
    head = ["STT", "Ngày", "Phường", "Hồ sơ đã giải quyết", "Hồ sơ giải quyết đúng hạn", "Hồ sơ đang xử lý",
            "Hồ sơ đang xử lý đã quá hạn"]  # fmt: skip
    for column, words in enumerate(head, start=1):
        sheet.cell(3, column, words)
    line = 4
    for back in range(days, 0, -1):
        day = (EVENING - timedelta(days=back)).strftime("%d/%m/%Y")
        for name, overdue in OVERDUE.items():
            for column, value in enumerate([line - 3, day, name, 40, 38, 60, overdue], start=1):
                sheet.cell(line, column, value)
            line += 1
    sheet.cell(line, 3, "Tổng cộng")
    sheet.cell(line, 4, f"=SUM(D4:D{line - 1})")
    sheet.cell(line + 2, 6, "NGƯỜI LẬP BIỂU")
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


@pytest.fixture
def district(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Line, Path]]:
    """Steps 1 to 3 of the chapter: the table of wards, the command, the first start, all in a fresh checkout."""
    shutil.copytree(ROOT / "config" / "bac_giang", tmp_path / "config" / "bac_giang")
    (tmp_path / "wards.csv").write_text(WARDS, encoding="utf-8-sig")
    given = ["new-city", "viet_yen", "--name", "Việt Yên (thí điểm)", "--wards", str(tmp_path / "wards.csv")]
    assert main(given, tmp_path) == 0
    drop = tmp_path / "data" / "drop" / "viet_yen"
    city = load_city("viet_yen", tmp_path)
    here = {"folder": str(drop)}  # the connector looks below the real checkout
    sources = tuple(replace(one, options={**one.options, **here}) for one in city.sources if one.enabled)
    city = replace(city, sources=sources)
    line = Line(city, DuckStore(city.store_path, zone=str(city.zone)), SetClock(EVENING))
    monkeypatch.setattr(server, "_INSTALLED", [])
    monkeypatch.setattr(server, "_DOORS", [])
    monkeypatch.setattr(render, "_KEPT", {})
    line.run_once(patience_s=60.0)
    yield line, drop
    line.stop()


def test_the_spreadsheet_of_an_office_is_on_the_first_screen_and_rings(district: tuple[Line, Path]) -> None:
    line, drop = district
    assert {one.item.domain for one in line.snapshot.readings.values()} <= {"operations"}, "nothing before the file"
    (drop / "ho_so.xlsx").write_bytes(office_table())
    line.clock.advance(timedelta(minutes=11))  # the folder is looked at every ten minutes
    snapshot = line.run_once(patience_s=60.0)
    (source,) = [state for state in snapshot.sources if state.source.key == "drop_folder"]
    assert source.problems == (), "a ward that bears the city's name is understood"
    whole = snapshot.reading("files_overdue", "viet_yen")
    assert whole is not None
    assert whole.value == sum(OVERDUE.values())
    assert whole.live
    ringing = {(alert.rule, alert.site_id, alert.priority) for alert in snapshot.open_alerts()}
    assert ringing == {("files_overdue", "07777", "medium")}, "yesterday's file is today's news"

    server.install(line)
    server.install(line, replace(server.door(), audit=lambda *_: None))
    viewer = open_page("overview").run()
    assert problems(viewer) == []
    shown = html(viewer)
    assert 'data-key="files_overdue:viet_yen"' in shown
    assert "<b>17</b>" in shown
    assert "Phường Việt Yên" in shown
    assert "DỮ LIỆU MÔ PHỎNG" not in shown


def test_a_second_cycle_rings_no_second_time(district: tuple[Line, Path]) -> None:
    line, drop = district
    (drop / "ho_so.xlsx").write_bytes(office_table())
    line.clock.advance(timedelta(minutes=11))
    line.run_once(patience_s=60.0)
    line.clock.advance(timedelta(minutes=11))
    line.run_once(patience_s=60.0)
    raised = line.snapshot.journal[line.snapshot.journal["deed"] == "raise"]
    assert len(raised) == 1


def test_a_file_of_last_month_is_no_news(district: tuple[Line, Path]) -> None:
    line, drop = district
    table = openpyxl.load_workbook(io.BytesIO(office_table(1)))
    for row in range(4, 7):
        table.active.cell(row, 2, (EVENING - timedelta(days=20)).strftime("%d/%m/%Y"))
    table.save(drop / "ho_so.xlsx")
    line.clock.advance(timedelta(minutes=11))
    assert line.run_once(patience_s=60.0).open_alerts() == []
