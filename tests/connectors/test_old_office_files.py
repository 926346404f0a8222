"""What old machines still send: .xls of Excel 97-2003, and text that was typed with TCVN3 and VNI fonts."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import openpyxl
import pytest
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font

from connectors._contract import Payload
from connectors._legacy_fonts import unicode_text
from connectors.spreadsheet import parse
from core.errors import InputError

HEAD = ["Thời gian", "Trạm", "PM2,5 (µg/m³)", "Độ ẩm (%)"]
DAY = xlwt.easyxf(num_format_str="DD/MM/YYYY HH:MM")
PERCENT = xlwt.easyxf(num_format_str="0.0%")


def saved(book: Any) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def xls(*rows: list[Any], hidden: bool = False) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("T10")
    sheet.write_merge(0, 0, 0, 3, "BÁO CÁO QUAN TRẮC THÁNG 10/2026")
    for number, cells in enumerate(rows, start=1):
        for column, cell in enumerate(cells):
            sheet.write(number, column, *(cell if isinstance(cell, tuple) else (cell,)))
    if hidden:
        other = book.add_sheet("Nháp")
        other.visibility = 1
        for column, cell in enumerate(HEAD):
            other.write(0, column, cell)
        other.write(1, 0, "01/10/2026 01:00")
        other.write(1, 1, "nhap")
        other.write(1, 2, 999.0)
    return saved(book)


def read(body: bytes, name: str = "bao_cao.xls") -> Any:
    return parse(Payload(body=body, name=name))


def test_an_xls_gives_numbers_dates_percent_and_vietnamese() -> None:
    body = xls(
        HEAD,
        [(datetime(2026, 10, 1, 7), DAY), "Láng Hạ", 12.5, (0.964, PERCENT)],
        ["01/10/2026 08:00", "Láng Hạ", "1.234,5", "KPS"],
        ["Tổng cộng", "", 1247.0, ""],
        ["", "Người lập biểu", "", ""],
        hidden=True,
    )
    frame = read(body)
    assert frame.attrs["problems"] == []
    assert frame["time"].dt.strftime("%d %H:%M").tolist() == ["01 00:00", "01 00:00", "01 01:00", "01 01:00"]
    assert frame["value"].fillna(-1).tolist() == [12.5, 96.4, 1234.5, -1]
    assert set(frame["site_id"]) == {"Láng Hạ"}, "the hidden sheet is left out, and so is the total"


def test_a_wrong_cell_of_an_xls_is_named_as_excel_shows_it() -> None:
    frame = read(xls(HEAD, ["01/10/2026 07:00", "A", "mười", 50.0]))
    (problem,) = frame.attrs["problems"]
    assert problem == "tệp bao_cao.xls, trang “T10”, ô C3: “mười” không phải là số"


def test_a_merged_month_counts_for_all_its_rows() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("T10")
    for column, cell in enumerate(["Thời gian", "Trạm", "Hồ sơ tiếp nhận"]):
        sheet.write(0, column, cell)
    sheet.write_merge(1, 2, 0, 0, "Tháng 10/2026")
    for row, (site, value) in enumerate((("A", 3.0), ("B", 4.0)), start=1):
        sheet.write(row, 1, site)
        sheet.write(row, 2, value)
    frame = read(saved(book))
    assert frame["value"].tolist() == [3.0, 4.0]
    assert frame["time"].nunique() == 1


def test_an_old_word_document_is_no_spreadsheet() -> None:
    other = xls(HEAD).replace("Workbook".encode("utf-16-le"), "Document".encode("utf-16-le"))
    with pytest.raises(InputError, match=r"không phải bảng tính \.xls"):
        read(other)


@settings(max_examples=60, deadline=None)
@given(
    damage=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), min_size=1, max_size=40),
    cut=st.integers(0, 6_000),
)
def test_a_damaged_xls_never_raises_anything_but_our_errors(damage: list[tuple[int, int]], cut: int) -> None:
    body = bytearray(xls(HEAD, ["01/10/2026 07:00", "A", 5.0, 50.0]))
    for place, byte in damage:
        body[place % len(body)] = byte
    try:
        read(bytes(body[: max(len(body) - cut, 16)]))
    except InputError:
        return


TCVN3 = ["Thêi gian", "Tr¹m", "§é Èm (%)"]
VNI = ["Thôøi gian", "Traïm", "Ñoä aåm (%)"]


@pytest.mark.parametrize(
    ("font", "head", "site"),
    [(".VnTime", TCVN3, "L¸ng H¹"), (".VnArialH", TCVN3, "L¸ng H¹"), ("VNI-Times", VNI, "Laùng Haï")],
)
@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_text_in_a_legacy_font_is_read_as_the_font_shows_it(font: str, head: list[str], site: str, kind: str) -> None:
    rows = [head, ["01/10/2026 07:00", site, "55,5"]]
    if kind == "xlsx":
        new = openpyxl.Workbook()
        for number, cells in enumerate(rows, start=1):
            for column, text in enumerate(cells, start=1):
                new.worksheets[0].cell(number, column, text).font = Font(name=font)
        body = saved(new)
    else:
        old = xlwt.Workbook()
        sheet = old.add_sheet("T10")
        for number, cells in enumerate(rows):
            for column, text in enumerate(cells):
                sheet.write(number, column, text, xlwt.easyxf(f"font: name {font}"))
        body = saved(old)
    frame = read(body, f"cu.{kind}")
    assert frame.attrs["problems"] == []
    assert frame["site_id"].tolist() == ["LÁNG HẠ" if font.endswith("H") else "Láng Hạ"]
    assert frame["value"].tolist() == [55.5]


def test_unicode_in_a_legacy_font_and_legacy_text_without_its_font_are_not_guessed() -> None:
    assert unicode_text("Phường Láng Hạ", ".VnTime") == "Phường Láng Hạ"
    assert unicode_text("L¸ng H¹", "Times New Roman") == "L¸ng H¹"
    assert unicode_text("PM2.5", ".VnTimeH") == "PM2.5"
    new = openpyxl.Workbook()
    for column, text in enumerate(TCVN3, start=1):
        new.worksheets[0].cell(1, column, text)
    with pytest.raises(InputError, match="TCVN3"):
        read(saved(new), "khong_phong.xlsx")


def test_whole_sentences_come_back() -> None:
    sentence = "Céng hßa x· héi chñ nghÜa ViÖt Nam, §éc lËp - Tù do - H¹nh phóc"
    assert unicode_text(sentence, ".VnTime") == "Cộng hòa xã hội chủ nghĩa Việt Nam, Độc lập - Tự do - Hạnh phúc"
    sentence = "Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam, Ñoäc laäp - Töï do - Haïnh phuùc"
    assert unicode_text(sentence, "VNI-Times") == "Cộng hòa xã hội chủ nghĩa Việt Nam, Độc lập - Tự do - Hạnh phúc"
    assert unicode_text("COÄNG HOØA XAÕ HOÄI", "VNI-Helve") == "CỘNG HÒA XÃ HỘI"
