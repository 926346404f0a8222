"""Stories from the desks where reports are typed: what stands in the file, and what the house makes of it."""

from __future__ import annotations

import csv
import io
import logging
import os
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.workbook.workbook import Workbook

from connectors._contract import FetchRequest, Payload
from connectors._sheet_cells import Cell, CellError, period_in_title, read_moment, read_number
from connectors._sheet_files import FILE_BYTES_MAX
from connectors._sheet_layout import SYNONYMS, Vocabulary
from connectors._sheet_table import PROBLEMS_MAX
from connectors._vietnamese_text import folded
from connectors.spreadsheet import SheetErrors, fetch, parse
from core.catalogue import load_properties
from core.errors import InputError, SourceError, SourceUnavailable

ROOT = Path(__file__).resolve().parents[2]
HEAD = ["STT", "Thời gian", "Trạm", "PM2,5 (µg/m³)"]
SITES = pd.DataFrame(
    [
        ("lang_ha", "Láng Hạ", "Lang Ha", "air_station", "00199"),
        ("ward_07210", "Phường Tân Tiến", "Tan Tien Ward", "area", "07210"),
        ("ward_07213", "Phường Cộng Hòa", "Cong Hoa Ward", "area", "07213"),
        ("ward_07222", "Xã Song Mai", "Song Mai Commune", "area", "07222"),
        ("ward_07225", "Phường Song Mai", "Song Mai Ward", "area", "07225"),
        ("river_dap_cau", "Trạm thủy văn Đáp Cầu", "Dap Cau", "river_station", ""),
    ],
    columns=["site_id", "name_vi", "name_en", "kind", "area"],
).set_index("site_id", drop=False)


def xlsx(*sheets: Sequence[Sequence[object]], merged: Iterable[str] = ()) -> bytes:
    """A workbook of sheets «Trang 1» …; `merged` ranges are on the first one."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for number, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"Trang {number}")
        for row in rows:
            sheet.append(list(row))
    for area in merged:
        book.worksheets[0].merge_cells(area)
    return saved(book)


def saved(book: Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def semicolons(*rows: Sequence[object]) -> bytes:
    """CSV as Excel with Vietnamese settings saves it: UTF-8 with BOM, semicolons, CRLF."""
    stream = io.StringIO()
    csv.writer(stream, delimiter=";").writerows(rows)
    return stream.getvalue().encode("utf-8-sig")


def read(body: bytes, name: str = "bao_cao.xlsx", **context: object) -> pd.DataFrame:
    return parse(Payload(body=body, name=name, context=context))


def error_of(body: bytes, name: str) -> str:
    """The message with which a file is refused; its name where it is read. Any other error fails."""
    try:
        read(body, name)
    except (InputError, SourceError) as error:
        return str(error)
    return name


def values(frame: pd.DataFrame) -> list[float]:
    return frame["value"].tolist()


def local_times(frame: pd.DataFrame) -> list[str]:
    return frame["time"].dt.tz_convert("Asia/Ho_Chi_Minh").dt.strftime("%Y-%m-%d %H:%M").tolist()


def problems(frame: pd.DataFrame) -> list[str]:
    return list(frame.attrs["problems"])


# ---- the number in a cell ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.234,5", 1234.5),
        ("1.234", 1234.0),
        ("1,234", 1.234),
        ("12.5", 12.5),
        ("12,5", 12.5),
        ("0.123", 0.123),
        ("1.234.567", 1234567.0),
        ("1.234.567,89", 1234567.89),
        ("1 234,5", 1234.5),
        ("1\u00a0234", 1234.0),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567.0),
        ("1234.567", 1234.567),
        ("-3,5", -3.5),
        ("−3,5", -3.5),
        ("+7", 7.0),
        ("'12", 12.0),
        (",5", 0.5),
        ("1,2E+03", 1200.0),
        ("007", 7.0),
    ],
)
def test_a_number_as_text_follows_the_vietnamese_rule(text: str, expected: float) -> None:
    number = read_number(Cell(text))
    assert number is not None
    assert number.value == expected
    assert not number.percent


@pytest.mark.parametrize(
    "text", ["abc", "1.23.4", "1..2", "12,5,3", "1.2345,6", "<0,5", "12 5", "(3)", "=1+1", "9" * 60, "1e999"]
)
def test_what_only_resembles_a_number_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        read_number(Cell(text))


@pytest.mark.parametrize(
    "text", ["", "  ", "-", "–", "KPS", "kps", "…", "...", "x", "X", "kxđ", "KXĐ", "Không có số liệu", "N/A"]
)
def test_words_for_nothing_are_missing_and_never_zero(text: str) -> None:
    assert read_number(Cell(text)) is None


def test_zero_is_a_value() -> None:
    frame = read(semicolons(HEAD, [1, "01/03/2026 01:00", "A", "0"], [2, "01/03/2026 02:00", "A", "-"]))
    assert values(frame)[0] == 0
    assert frame["quality"].tolist() == ["not_evaluated", "missing"]


def test_percent_is_text_or_a_format_of_excel_and_means_the_same() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in [
        ["Ngày", "Trạm", "Độ ẩm (%)"],
        ["01/03/2026", "A", "96,4%"],
        ["01/03/2026", "B", 0.964],
        ["01/03/2026", "C", 96.4],
    ]:
        sheet.append(row)
    sheet["C3"].number_format = "0.0%"
    assert values(read(saved(book))) == [96.4, 96.4, 96.4]


def test_percent_in_a_column_of_micrograms_is_an_error() -> None:
    with pytest.raises(SheetErrors, match="ô D2: “12,5%” là phần trăm"):
        read(semicolons(HEAD, [1, "01/03/2026 01:00", "A", "12,5%"]), name="a.csv")


def test_where_the_dot_is_the_decimal_sign_one_point_two_three_four_is_not_guessed() -> None:
    """A logger that writes 12.5 and 12.345 in one column: 12.345 would become twelve thousand."""
    frame = read(
        semicolons(HEAD, *([i, f"01/03/2026 0{i}:00", "A", v] for i, v in enumerate(["12.5", "12.345", "13,1"], 1))),
        "a.csv",
    )
    assert values(frame) == [12.5, 13.1]
    assert problems(frame) == [
        "tệp a.csv, ô D3: “12.345” có thể đọc hai cách vì cột này có ô dùng dấu chấm thập phân; "
        "hãy ghi cả cột theo kiểu 1.234,5"
    ]


def vietnamese(number: int, decimals: int, grouped: bool) -> str:
    """A whole number of 10^-decimals units as a clerk writes it: 1234567 with 2 decimals -> 12.345,67."""
    sign, digits = ("-" if number < 0 else ""), str(abs(number)).rjust(decimals + 1, "0")
    whole, fraction = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    if grouped:
        whole = f"{int(whole):,}".replace(",", ".")
    return sign + whole + (f",{fraction}" if fraction else "")


@given(st.integers(-(10**12), 10**12), st.integers(0, 6), st.booleans())
def test_any_number_in_vietnamese_writing_comes_back(number: int, decimals: int, grouped: bool) -> None:
    found = read_number(Cell(vietnamese(number, decimals, grouped)))
    assert found is not None
    assert found.value == pytest.approx(number / 10**decimals, rel=1e-15)
    assert not found.dot_decimal


# ---- the time in a cell --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("01/02/2026 07:00", "2026-02-01 07:00"),
        ("1/2/2026 7:05", "2026-02-01 07:05"),
        ("01-02-2026 07h30", "2026-02-01 07:30"),
        ("07:30 01/02/2026", "2026-02-01 07:30"),
        ("01/02/2026 24:00", "2026-02-02 00:00"),
        ("01/02/2026 00:00", "2026-02-01 00:00"),
        ("01/02/2026", "2026-02-02 00:00"),
        ("28/02/2026", "2026-03-01 00:00"),
        ("ngày 5 tháng 3 năm 2026", "2026-03-06 00:00"),
        ("01/02/2026 07:00-08:00", "2026-02-01 08:00"),
        ("01/02/2026 23h - 0h", "2026-02-02 00:00"),
        ("Tháng 2/2026", "2026-03-01 00:00"),
        ("THÁNG 12 NĂM 2026", "2027-01-01 00:00"),
        ("02/2026", "2026-03-01 00:00"),
        ("Quý I/2026", "2026-04-01 00:00"),
        ("Quý IV năm 2026", "2027-01-01 00:00"),
        ("Năm 2026", "2027-01-01 00:00"),
        ("2026-02-01 07:00:00", "2026-02-01 07:00"),
        ("2026-02-01T07:00", "2026-02-01 07:00"),
        ("2026-02-01", "2026-02-02 00:00"),
        ("7 giờ 30 phút ngày 15 tháng 3 năm 2026", "2026-03-15 07:30"),
        ("46054,25", "2026-02-01 06:00"),
    ],
)
def test_a_time_as_text_is_the_end_of_its_period(text: str, end: str) -> None:
    assert read_moment(Cell(text)).end == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    "text",
    ["31/02/2026", "13/13/2026", "01/02/2026 25:00", "01/02/2026 24:30", "01/02/1889", "hôm qua", "Tháng 13/2026"],
)
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        read_moment(Cell(text))


def test_an_offset_in_the_text_is_kept() -> None:
    assert read_moment(Cell("2026-02-01T07:00:00Z")).end == datetime(2026, 2, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("title", "end"),
    [
        ("BÁO CÁO THÁNG 2 NĂM 2026", datetime(2026, 3, 1)),
        ("(Từ ngày 15/2/2026 đến hết ngày 14/3/2026)", datetime(2026, 3, 15)),
        ("Ngày 15/3/2026", datetime(2026, 3, 16)),
        ("Quý III/2026", datetime(2026, 10, 1)),
        ("KẾ HOẠCH NĂM 2026", datetime(2027, 1, 1)),
    ],
)
def test_a_title_names_the_period(title: str, end: datetime) -> None:
    period = period_in_title(title)
    assert period is not None
    assert period.end == end


def test_serials_real_dates_and_text_stand_in_one_column() -> None:
    """46054.25 is 01/02/2026 06:00 in Excel; a real date at midnight is an instant here: others have hours."""
    rows = [
        HEAD,
        [1, "01/02/2026 05:00", "A", 1],
        [2, 46054.25, "A", 2],
        [3, datetime(2026, 2, 1, 7), "A", 3],
        [4, datetime(2026, 2, 2), "A", 4],
        [5, "01/02/2026 24:00", "B", 5],
    ]
    assert local_times(read(xlsx(rows))) == [
        "2026-02-01 05:00",
        "2026-02-01 06:00",
        "2026-02-01 07:00",
        "2026-02-02 00:00",
        "2026-02-02 00:00",
    ]


def test_a_real_date_without_hours_is_a_day_and_one_shown_as_month_is_a_month() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in [
        ["Kỳ báo cáo", "Đơn vị", "Hồ sơ tiếp nhận"],
        [datetime(2026, 2, 3), "A", 5],
        [datetime(2026, 2, 1), "A", 50],
        [46054, "B", 6],
    ]:
        sheet.append(row)
    sheet["A2"].number_format = '[White]dd/mm/yyyy "hết"'
    sheet["A3"].number_format = "mmm-yy"
    assert local_times(read(saved(book))) == ["2026-02-04 00:00", "2026-03-01 00:00", "2026-02-02 00:00"]


def test_a_midnight_shown_without_its_hour_is_midnight_where_the_other_dates_have_hours() -> None:
    book = openpyxl.load_workbook(
        io.BytesIO(xlsx([HEAD, [1, datetime(2026, 2, 1, 23), "A", 1], [2, datetime(2026, 2, 2), "A", 2]]))
    )
    book.worksheets[0]["B3"].number_format = "dd/mm/yyyy"
    assert local_times(read(saved(book))) == ["2026-02-01 23:00", "2026-02-02 00:00"]


def test_excel_fractions_of_a_day_are_rounded_to_the_second() -> None:
    rows = [HEAD, [1, 46054 + 7 / 24 - 1e-9, "A", 1]]
    assert read(xlsx(rows))["time"][0] == pd.Timestamp("2026-02-01 00:00", tz="UTC")


def test_an_old_mac_workbook_counts_its_days_from_1904() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx([HEAD, [1, 44592.25, "A", 1]])))
    book.epoch = datetime(1904, 1, 1)
    assert local_times(read(saved(book))) == ["2026-02-01 06:00"]


def test_day_and_hour_in_two_columns() -> None:
    rows = [
        ["Ngày", "Giờ", "Trạm", "PM2,5 (µg/m³)"],
        ["01/02/2026", "1", "A", 1],
        ["01/02/2026", "24:00", "A", 2],
        [datetime(2026, 2, 1), time(7, 0), "A", 3],
        ["01/02/2026", 23, "A", 4],
        ["01/02/2026", "22h-23h", "A", 5],
        ["01/02/2026", timedelta(hours=24), "A", 6],
        ["01/02/2026", 0, "A", 7],
    ]
    assert local_times(read(xlsx(rows))) == [
        "2026-02-01 01:00",
        "2026-02-02 00:00",
        "2026-02-01 07:00",
        "2026-02-01 23:00",
        "2026-02-01 23:00",
        "2026-02-02 00:00",
        "2026-02-01 00:00",
    ]


def test_an_hour_that_is_missing_or_impossible_is_an_error_at_its_row() -> None:
    rows = [
        ["Ngày", "Giờ", "Trạm", "PM2,5"],
        ["01/02/2026", "", "A", 1],
        ["01/02/2026", 25, "A", 2],
        ["01/02/2026", 1, "A", 3],
    ]
    frame = read(xlsx(rows))
    assert values(frame) == [3]
    assert [text.split(", ô ")[1].split(";")[0] for text in problems(frame)] == [
        "A2: thiếu giờ",
        "A3: “25” không phải là giờ",
    ]


def test_month_numbers_take_their_year_from_the_title_and_day_numbers_their_month() -> None:
    months = [["TỔNG HỢP NĂM 2026"], ["Tháng", "Đơn vị", "Hồ sơ tiếp nhận"], [1, "A", 10], ["Tháng 2", "A", 20]]
    assert local_times(read(xlsx(months))) == ["2026-02-01 00:00", "2026-03-01 00:00"]
    days = [["BẢNG SỐ LIỆU THÁNG 2/2026"], ["Ngày", "Trạm", "PM2,5"], [1, "A", 10], [28, "A", 20], [29, "A", 30]]
    frame = read(xlsx(days))
    assert local_times(frame) == ["2026-02-02 00:00", "2026-03-01 00:00"]
    assert "ô A5: không có ngày" in problems(frame)[0]
    quarters = [["Năm", "Quý", "Đơn vị", "Hồ sơ tiếp nhận"], [2026, "II", "A", 10]]
    assert local_times(read(xlsx(quarters))) == ["2026-07-01 00:00"]


def test_times_are_of_the_citys_zone_unless_the_head_says_utc() -> None:
    body = semicolons(HEAD, [1, "01/02/2026 07:00", "A", 1])
    assert read(body)["time"][0] == pd.Timestamp("2026-02-01 00:00", tz="UTC")
    assert read(body, zone=ZoneInfo("Asia/Tokyo"))["time"][0] == pd.Timestamp("2026-01-31 22:00", tz="UTC")
    in_utc = semicolons(["Thời gian (UTC)", "Trạm", "PM2,5"], ["01/02/2026 07:00", "A", 1])
    assert read(in_utc)["time"][0] == pd.Timestamp("2026-02-01 07:00", tz="UTC")


# ---- where the table lies ------------------------------------------------------------------------------------------

SERVICE_REPORT = [
    ["UBND TỈNH BẮC NINH", None, None, None, None, None, None],
    ["Bắc Giang, ngày 5 tháng 3 năm 2026"],
    ["BÁO CÁO KẾT QUẢ GIẢI QUYẾT HỒ SƠ THÁNG 2/2026"],
    ["(Kèm theo Công văn số 12/UBND ngày 6/3/2026)"],
    [None, None, None, None, None, "Đơn vị tính: hồ sơ"],
    ["STT", "Đơn vị", "Hồ sơ tiếp nhận", "Hồ sơ đã giải quyết", None, None, "Ghi chú"],
    [None, None, None, "Tổng số", "Đúng hạn", "Quá hạn", None],
    ["(1)", "(2)", "(3)", "(4)=(5)+(6)", "(5)", "(6)", "(7)"],
    ["I", "Khu vực đô thị", 1500, 1400, 1390, 10, None],
    [1, "P. Tân Tiến", "1.200", "1.150", "1.140", 10, None],
    [2, "phường CỘNG HÒA", 300, 250, 250, "-", None],
    ["II", "Khu vực nông thôn", None, None, None, None, None],
    [3, "Xã Song Mai", "KPS", "x", "…", None, "mất mạng"],
    [None, "Tổng cộng:", 1500, 1400, 1390, 10, None],
    [None, "Trung bình các xã", 500, 466, 463, 3, None],
    [],
    [None, "Người lập biểu", None, None, "KT. CHỦ TỊCH", None, None],
    [None, "(Ký, ghi rõ họ tên)"],
    [None, "Nguyễn Văn A", None, None, "Trần Thị B", 5, None],
]
SERVICE_MERGES = ["A3:G3", "A6:A7", "B6:B7", "C6:C7", "D6:F6", "G6:G7", "A12:A12"]


def test_a_monthly_service_report_with_everything_that_offices_add() -> None:
    frame = read(xlsx(SERVICE_REPORT, merged=SERVICE_MERGES), sites=SITES, source="mot_cua")
    assert problems(frame) == []
    wide = frame.pivot(index="site_id", columns="observed_property", values="value")
    assert wide.loc["ward_07210"].to_dict() == {
        "files_received": 1200,
        "files_resolved": 1150,
        "files_resolved_on_time": 1140,
    }
    assert wide.loc["ward_07213"].to_dict() == {
        "files_received": 300,
        "files_resolved": 250,
        "files_resolved_on_time": 250,
    }
    assert wide.loc["ward_07222"].isna().all()
    assert set(wide.index) == {"ward_07210", "ward_07213", "ward_07222"}  # neither totals nor regions nor signatures
    assert set(local_times(frame)) == {"2026-03-01 00:00"}
    assert set(frame["source"]) == {"mot_cua"}


def test_the_same_report_saved_as_csv_has_lost_its_merges_and_reads_the_same() -> None:
    width = 7
    rows = [[("" if cell is None else cell) for cell in row] + [""] * (width - len(row)) for row in SERVICE_REPORT]
    from_csv = read(semicolons(*rows), name="bao_cao.csv", sites=SITES)
    from_xlsx = read(xlsx(SERVICE_REPORT, merged=SERVICE_MERGES), sites=SITES)
    pd.testing.assert_frame_equal(from_csv, from_xlsx)
    assert problems(from_csv) == []


def test_without_known_sites_the_text_of_the_cell_is_the_site() -> None:
    frame = read(xlsx(SERVICE_REPORT, merged=SERVICE_MERGES))
    assert frame["site_id"].unique().tolist() == ["P. Tân Tiến", "phường CỘNG HÒA", "Xã Song Mai"]


def test_three_head_rows_with_the_unit_in_its_own_row() -> None:
    rows = [
        ["Thời gian", "Trạm", "Chất lượng không khí", None, "Khí tượng"],
        [None, None, "PM2,5", "CO", "Nhiệt độ"],
        [None, None, "µg/m³", "mg/m³", "°C"],
        ["01/02/2026 07:00", "A", "12,5", "1,5", 21],
    ]
    expected = {"pm25": 12.5, "co": 1500.0, "temperature": 21.0}
    for body in (xlsx(rows, merged=["A1:A3", "B1:B3", "C1:D1"]), semicolons(*rows)):
        frame = read(body)
        assert dict(zip(frame["observed_property"], frame["value"], strict=True)) == expected


def test_merged_time_and_site_cells_count_for_all_their_rows() -> None:
    rows = [
        ["Ngày", "Trạm", "Giờ", "PM2,5"],
        [datetime(2026, 2, 1), "A", 1, 10],
        [None, None, 2, 20],
        [None, "B", 1, 30],
    ]
    frame = read(xlsx(rows, merged=["A2:A4", "B2:B3"]))
    assert frame["site_id"].tolist() == ["A", "A", "B"]
    assert local_times(frame) == ["2026-02-01 01:00", "2026-02-01 02:00", "2026-02-01 01:00"]


def test_a_merged_value_belongs_to_no_single_row() -> None:
    rows = [HEAD, [1, "01/02/2026 01:00", "A", 10], [2, "01/02/2026 02:00", "A", None], [3, "01/02/2026 03:00", "A", 5]]
    frame = read(xlsx(rows, merged=["D2:D3"]))
    assert values(frame) == [10, 5]
    assert "ô D3: nằm trong ô gộp" in problems(frame)[0]
    rows[1][3] = "KPS"
    assert read(xlsx(rows, merged=["D2:D3"]))["quality"].tolist() == ["missing", "missing", "not_evaluated"]


def test_a_region_name_merged_over_the_whole_row_is_no_data() -> None:
    rows = [
        HEAD,
        ["Khu vực nội thành"],
        [1, "01/02/2026 01:00", "A", 10],
        ["Khu vực ngoại thành"],
        [2, "01/02/2026 01:00", "B", 20],
    ]
    frame = read(xlsx(rows, merged=["A2:D2", "A4:D4"]))
    assert values(frame) == [10, 20]
    assert problems(frame) == []


@pytest.mark.parametrize(
    "label",
    ["Tổng", "TỔNG CỘNG", "Cộng", "Toàn tỉnh", "Trung bình", "Tổng số:", "TB", "Cộng phường", "Bình quân tháng"],
)
def test_total_rows_are_left_out(label: str) -> None:
    for row in (["", label, "", "99"], [label, "", "", "99"], ["", "", label, "99"]):
        frame = read(semicolons(HEAD, [1, "01/02/2026 01:00", "A", "10"], row))
        assert values(frame) == [10]
        assert problems(frame) == []


@pytest.mark.parametrize("name", ["Cộng Hòa", "Tổng kho", "Toàn Thắng", "Minh Cộng"])
def test_a_site_whose_name_begins_like_a_total_is_a_site(name: str) -> None:
    assert read(semicolons(HEAD, [1, "01/02/2026 01:00", name, "10"]))["site_id"].tolist() == [name]


def test_a_known_site_named_like_a_total_is_a_site() -> None:
    sites = pd.DataFrame(
        [{"site_id": "city", "name_vi": "Toàn thành phố", "name_en": "City", "kind": "city", "area": ""}]
    )
    assert read(semicolons(HEAD, [1, "01/02/2026 01:00", "Toàn thành phố", "10"]), sites=sites)["site_id"].tolist() == [
        "city"
    ]


def test_the_signature_ends_the_table_but_a_note_about_the_director_does_not() -> None:
    head = [*HEAD, "Ghi chú"]
    frame = read(
        semicolons(
            head,
            [1, "01/02/2026 01:00", "A", "", "Giám đốc trạm báo hỏng"],
            [2, "01/02/2026 02:00", "A", "7", ""],
            ["", "Người lập", "", "", ""],
            ["", "01/02/2026 03:00", "A", "8", ""],
        )
    )
    assert frame["quality"].tolist() == ["missing", "not_evaluated"]


def test_the_head_repeated_on_every_page_is_not_data_and_a_second_table_is_read() -> None:
    second = ["Thời gian", "Trạm", "Nhiệt độ (°C)"]
    frame = read(
        semicolons(
            HEAD,
            [1, "01/02/2026 01:00", "A", "1"],
            HEAD,
            [2, "01/02/2026 02:00", "A", "2"],
            [],
            ["Khí tượng"],
            second,
            ["01/02/2026 01:00", "A", "25,5"],
        )
    )
    assert frame["observed_property"].tolist() == ["pm25", "pm25", "temperature"]
    assert problems(frame) == []


def test_each_table_of_a_sheet_has_the_period_of_its_own_title_and_else_that_of_the_table_above() -> None:
    head = ["Đơn vị", "Hồ sơ tiếp nhận"]
    frame = read(
        semicolons(
            ["Tháng 1/2026"], head, ["A", "1"], head, ["B", "2"], ["Người lập"], ["Tháng 2/2026"], head, ["A", "3"]
        )
    )
    assert local_times(frame) == ["2026-02-01 00:00", "2026-02-01 00:00", "2026-03-01 00:00"]


def test_rows_that_nobody_has_filled_yet_are_no_missing_values() -> None:
    """A form for the whole day, filled until 02:00: the hour in between is missing, the evening is still to come."""
    rows = [[i, f"01/02/2026 {i:02d}:00", "A", {1: "10", 3: "30"}.get(i, "")] for i in range(1, 25)]
    frame = read(semicolons(HEAD, *rows))
    assert frame["quality"].tolist() == ["not_evaluated", "missing", "not_evaluated"]


def test_two_sheets_are_read_and_a_hidden_one_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    rows = [HEAD, [1, "01/02/2026 01:00", "A", 10]]
    later = [HEAD, [1, "02/02/2026 01:00", "A", 20]]
    book = openpyxl.load_workbook(
        io.BytesIO(xlsx(rows, later, [HEAD, [1, "03/02/2026 01:00", "A", 30]], [["Hướng dẫn nhập liệu"]]))
    )
    book["Trang 3"].sheet_state = "hidden"
    with caplog.at_level(logging.INFO):
        assert values(read(saved(book))) == [10, 20]
    assert "the sheet Trang 3 is hidden" in caplog.text
    assert "the sheet Trang 4 holds no known table" in caplog.text


def test_a_sheet_named_like_a_station_or_a_title_gives_the_site() -> None:
    rows = [["Thời gian", "PM2,5"], ["01/02/2026 01:00", 10]]
    book = openpyxl.load_workbook(io.BytesIO(xlsx(rows)))
    book.worksheets[0].title = "Láng Hạ"
    assert read(saved(book), sites=SITES)["site_id"].tolist() == ["lang_ha"]
    assert read(xlsx([["Trạm: Láng Hạ"], *rows]), sites=SITES)["site_id"].tolist() == ["lang_ha"]
    assert read(xlsx(rows), options={"site": "gate"})["site_id"].tolist() == ["gate"]
    with pytest.raises(SheetErrors, match="không có cột trạm"):
        read(xlsx(rows))


def test_a_table_without_any_time_says_so() -> None:
    with pytest.raises(SheetErrors, match="không có cột thời gian"):
        read(xlsx([["Trạm", "PM2,5"], ["A", 10]]))


# ---- heads, units, long tables -------------------------------------------------------------------------------------


def test_every_synonym_belongs_to_the_catalogue_and_every_name_finds_its_own_key() -> None:
    properties = load_properties()
    assert properties
    assert set(SYNONYMS) <= {item.key for item in properties}
    vocabulary = Vocabulary(properties, {})
    for item in properties:
        for name in (item.key, item.name_vi, item.name_en, *SYNONYMS.get(item.key, item.key).split("|")):
            found = vocabulary.by_name([name])
            assert found is not None
            assert found.key == item.key, name


@pytest.mark.parametrize(
    ("head", "cell", "key", "value"),
    [
        ("PM2,5 (µg/m³)", "12,5", "pm25", 12.5),
        ("Nồng độ bụi mịn PM2.5 [μg/m3]", "12,5", "pm25", 12.5),
        ("NO₂ (ppb)", "10", "no2", 18.8),
        ("CO, mg/m³", "1,2", "co", 1200.0),
        ("Nhiệt độ °C", "25,5", "temperature", 25.5),
        ("Mức ồn (dB(A))", "65,5", "noise_level", 65.5),
        ("Tốc độ gió (km/h)", "36", "wind_speed", 10.0),
        ("Mực nước (cm)", "350", "river_level", 3.5),
        ("Độ sâu ngập (m)", "0,35", "flood_depth", 35.0),
        ("Tổng số hồ sơ tiếp nhận (hồ sơ)", "1.250", "files_received", 1250.0),
        ("PM10 (TB 1 giờ)", "80", "pm10", 80.0),
        ("LƯỢNG MƯA (mm)", "3,2", "rainfall", 3.2),
        ("Lưu lượng xe (xe/giờ)", "1.800", "traffic_flow", 1800.0),
    ],
)
def test_a_head_names_the_property_and_its_unit(head: str, cell: str, key: str, value: float) -> None:
    frame = read(semicolons(["Thời gian", "Trạm", head], ["01/02/2026 01:00", "A", cell]))
    assert frame["observed_property"].tolist() == [key]
    assert values(frame) == pytest.approx([value])


@pytest.mark.parametrize("head", ["PM2,5 (mm)", "Nhiệt độ (cao nhất)", "Mực nước (%)", "PM2,5 (nghìn µg)"])
def test_a_head_whose_unit_cannot_be_converted_is_named_by_its_cell(head: str) -> None:
    with pytest.raises(SheetErrors, match=r"tệp a\.csv, ô C1: tiêu đề “"):
        read(semicolons(["Thời gian", "Trạm", head], ["01/02/2026 01:00", "A", "1"]), name="a.csv")


def test_a_column_with_a_bad_head_does_not_stop_the_others() -> None:
    frame = read(semicolons([*HEAD, "Nhiệt độ (mm)"], [1, "01/02/2026 01:00", "A", "10", "25"]))
    assert frame["observed_property"].tolist() == ["pm25"]
    assert "ô E1" in problems(frame)[0]


def test_the_same_property_twice_is_not_chosen_by_chance() -> None:
    with pytest.raises(SheetErrors, match=r"có 2 cột cùng là “Bụi PM2\.5”"):
        read(semicolons([*HEAD, "PM2.5"], [1, "01/02/2026 01:00", "A", "10", "25"]))


def test_unknown_columns_are_ignored_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    head = [*HEAD, "AQI", "PM2,5 trung bình 24 giờ", "Ghi chú", "Hồ sơ quá hạn"]
    with caplog.at_level(logging.INFO):
        frame = read(semicolons(head, [1, "01/02/2026 01:00", "A", "10", "158", "99", "Đạt", "3"]))
    assert frame["observed_property"].tolist() == ["pm25"]
    assert problems(frame) == []
    assert "the column AQI is not in the catalogue" in caplog.text


def test_a_mistyped_head_is_told_with_the_name_that_was_meant() -> None:
    """«Ghi chú» is no figure that gets lost, and for «AQI» the house has no guess: nobody meant the American one."""
    head = [*HEAD, "Tốc độ gioos (m/s)", "AQI", "Ghi chú"]
    frame = read(semicolons(head, [1, "01/02/2026 01:00", "A", "10", "2", "3", "Đạt"]), name="so-lieu.csv")
    assert problems(frame) == [], "the file is good: this is said beside it"
    told = frame.attrs["left_out"]
    assert list(told) == ["Tốc độ gioos (m/s)", "AQI"]
    assert told["Tốc độ gioos (m/s)"].startswith("tệp so-lieu.csv: cột “Tốc độ gioos (m/s)” không có trong danh mục")
    assert "gần giống “Tốc độ gió”, nếu đúng thì hãy sửa tiêu đề rồi gửi lại tệp" in told["Tốc độ gioos (m/s)"]
    assert "gần giống" not in told["AQI"]
    assert all(words.endswith("[source.options] columns") for words in told.values())
    clean = read(semicolons(HEAD, [1, "01/02/2026 01:00", "A", "10"]), name="so-lieu.csv")
    assert clean.attrs["left_out"] == {}


def test_a_group_title_does_not_lend_its_name_to_an_unknown_part() -> None:
    """Below «Hồ sơ đang giải quyết» stand «Trong hạn» and «Quá hạn»: only the second is a property of ours."""
    rows = [
        ["Ngày", "Đơn vị", "Hồ sơ đang giải quyết", ""],
        ["", "", "Trong hạn", "Quá hạn"],
        ["01/02/2026", "A", "90", "7"],
    ]
    frame = read(semicolons(*rows))
    assert dict(zip(frame["observed_property"], frame["value"], strict=True)) == {"files_pending_overdue": 7}


def test_a_group_title_ends_at_an_empty_column() -> None:
    rows = [["Ngày", "Đơn vị", "Hồ sơ đang giải quyết", "", ""], ["", "", "Trong hạn", "", "Quá hạn"]]
    with pytest.raises(InputError, match="không thấy cột chỉ số nào quen"):
        read(semicolons(*rows, ["01/02/2026", "A", "90", "", "7"]))


def test_the_operator_can_name_heads_that_the_house_does_not_know() -> None:
    body = semicolons(["Thời gian", "Trạm", "Bụi lơ lửng nhỏ (mg/m³)"], ["01/02/2026 01:00", "A", "0,05"])
    with pytest.raises(
        InputError, match=r"không thấy cột chỉ số nào quen; tìm thấy: “Thời gian”, “Trạm”, “Bụi lơ lửng nhỏ"
    ):
        read(body)
    frame = read(body, options={"columns": {"bụi lơ lửng nhỏ": "pm25"}})
    assert values(frame) == [50.0]
    with pytest.raises(InputError, match="“pm2_5” không có trong danh mục"):
        read(body, options={"columns": {"Bụi lơ lửng nhỏ": "pm2_5"}})


LONG_HEAD = ["Thời gian", "Địa bàn", "Chỉ số", "Giá trị", "Đơn vị"]


def test_a_long_table_takes_property_and_unit_from_each_row() -> None:
    frame = read(
        semicolons(
            LONG_HEAD,
            ["Tháng 2/2026", "P. Tân Tiến", "Hồ sơ tiếp nhận", "1.250", "hồ sơ"],
            ["Tháng 2/2026", "07210", "Độ ẩm", "96,4%", "%"],
            ["Tháng 2/2026", "7210", "CO", "1,5", "mg/m³"],
            ["Tháng 2/2026", "7210", "PM10", "-", "µg/m³"],
            ["Tổng", "", "Hồ sơ tiếp nhận", "1.250", "hồ sơ"],
        ),
        sites=SITES,
    )
    assert frame["observed_property"].tolist() == ["files_received", "relative_humidity", "co", "pm10"]
    assert values(frame)[:3] == [1250, 96.4, 1500]
    assert frame["quality"].tolist()[3] == "missing"
    assert set(frame["site_id"]) == {"ward_07210"}
    assert set(local_times(frame)) == {"2026-03-01 00:00"}


def test_in_a_long_table_don_vi_is_the_reporting_unit_where_it_holds_names() -> None:
    head = ["Ngày", "Đơn vị", "Chỉ tiêu", "ĐVT", "Kết quả"]
    frame = read(semicolons(head, ["01/02/2026", "Sở Nội vụ", "Hồ sơ tiếp nhận", "hồ sơ", "12"]))
    assert frame["site_id"].tolist() == ["Sở Nội vụ"]


def test_a_long_table_reports_an_unknown_indicator_once_and_a_wrong_unit_at_its_cell() -> None:
    frame = read(
        semicolons(
            LONG_HEAD,
            ["01/02/2026", "A", "AQI", "158", ""],
            ["02/02/2026", "A", "AQI", "150", ""],
            ["02/02/2026", "A", "PM2,5", "10", "µg/m³"],
            ["03/02/2026", "A", "PM2,5", "10", "mm"],
        ),
        name="dai.csv",
    )
    assert values(frame) == [10]
    assert problems(frame) == [
        "tệp dai.csv, ô D5: chỉ số “PM2,5”: đơn vị “mm” không đổi được sang µg/m³",
        "tệp dai.csv, ô C2: chỉ số “AQI” không có trong danh mục (2 hàng)",
    ]


# ---- sites ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "site_id"),
    [
        ("Láng Hạ", "lang_ha"),
        ("LÁNG HẠ", "lang_ha"),
        ("lang ha", "lang_ha"),
        ("Trạm Láng Hạ", "lang_ha"),
        ("lang_ha", "lang_ha"),
        ("P.Tân Tiến", "ward_07210"),
        ("Phường Tân Tiến", "ward_07210"),
        ("Tân Tiến", "ward_07210"),
        ("07210", "ward_07210"),
        ("7210", "ward_07210"),
        ("UBND phường Cộng Hòa", "ward_07213"),
        ("2. Cộng Hoà", "ward_07213"),
        ("X. Song Mai", "ward_07222"),
        ("P. Song Mai", "ward_07225"),
        ("Đáp Cầu", "river_dap_cau"),
    ],
)
def test_a_site_is_known_by_its_name_without_accents_case_and_prefix(written: str, site_id: str) -> None:
    frame = read(semicolons(HEAD, [1, "01/02/2026 01:00", unicodedata.normalize("NFD", written), "10"]), sites=SITES)
    assert frame["site_id"].tolist() == [site_id]


def test_a_site_that_is_not_known_gets_a_proposal_and_a_doubtful_one_a_choice() -> None:
    frame = read(
        semicolons(
            HEAD,
            [1, "01/02/2026 01:00", "Lán Hạ", "1"],
            [2, "01/02/2026 01:00", "Song Mai", "2"],
            [3, "01/02/2026 01:00", "Láng Hạ", "3"],
            [4, "01/02/2026 01:00", "", "4"],
        ),
        name="a.csv",
        sites=SITES,
    )
    assert values(frame) == [3]
    assert problems(frame) == [
        "tệp a.csv, ô C2: không có địa điểm “Lán Hạ”; có phải “Láng Hạ” không?",
        "tệp a.csv, ô C3: “Song Mai” có thể là Xã Song Mai (ward_07222), Phường Song Mai (ward_07225); hãy ghi mã",
        "tệp a.csv, ô C5: thiếu tên hoặc mã của trạm, đơn vị",
    ]


def test_code_and_name_must_mean_the_same_site() -> None:
    head = ["Thời gian", "Mã ĐVHC", "Phường/Xã", "PM2,5"]
    frame = read(
        xlsx([head, ["01/02/2026 01:00", 7210, "P. Tân Tiến", 1], ["01/02/2026 01:00", 7210, "Cộng Hòa", 2]]),
        sites=SITES,
    )
    assert frame["site_id"].tolist() == ["ward_07210"]
    assert "mã “7210” và tên “Cộng Hòa” chỉ hai địa điểm khác nhau" in problems(frame)[0]


# ---- errors --------------------------------------------------------------------------------------------------------


def test_a_cell_error_names_file_sheet_and_cell_and_the_good_rows_stay() -> None:
    frame = read(
        xlsx([["Trạm quan trắc"], HEAD, [1, "01/02/2026 01:00", "A", "abc"], [2, "01/02/2026 02:00", "A", 12]])
    )
    assert values(frame) == [12]
    assert problems(frame) == ["tệp bao_cao.xlsx, trang “Trang 1”, ô D3: “abc” không phải là số"]


def test_a_zone_that_lies_nowhere_is_named_by_its_cell() -> None:
    frame = read(
        xlsx([["Trạm quan trắc"], HEAD, [1, "2026-02-01T01:00:00+99:99", "A", 11], [2, "01/02/2026 02:00", "A", 12]])
    )
    assert values(frame) == [12]
    assert problems(frame)[0].startswith("tệp bao_cao.xlsx, trang “Trang 1”, ô B3: “2026-02-01T01:00:00+99:99” không")


def test_formulas_without_a_value_and_with_an_error_are_named() -> None:
    rows = [
        HEAD,
        ["=ROW()", "01/02/2026 01:00", "A", "=1+1"],
        [2, "01/02/2026 02:00", "A", "#DIV/0!"],
        [3, "01/02/2026 03:00", "A", 3],
    ]
    frame = read(xlsx(rows))
    assert values(frame) == [3]  # the number column is a formula too, and nobody needs it
    assert problems(frame) == [
        "tệp bao_cao.xlsx, trang “Trang 1”, ô D2: công thức chưa có giá trị, hãy mở tệp và lưu lại",
        "tệp bao_cao.xlsx, trang “Trang 1”, ô D3: công thức báo lỗi #DIV/0!; hãy sửa công thức hoặc để trống",
    ]


def test_a_formula_with_a_stored_value_is_that_value_and_one_that_gave_empty_text_is_blank() -> None:
    """openpyxl cannot write stored values, so the sheet is edited as Excel would have saved it."""
    body = xlsx(
        [
            HEAD,
            [1, "01/02/2026 01:00", "A", "=1+1"],
            [2, "01/02/2026 02:00", "A", '=""'],
            [3, "01/02/2026 03:00", "A", 3],
        ]
    )

    def computed(content: str) -> str:
        content = content.replace("<f>1+1</f><v />", "<f>1+1</f><v>2</v>").replace(
            "<f>1+1</f><v></v>", "<f>1+1</f><v>2</v>"
        )
        return content.replace('<c r="D3"', '<c t="str" r="D3"')

    frame = read(repacked(body, computed))
    assert values(frame)[::2] == [2, 3]
    assert frame["quality"].tolist()[1] == "missing"
    assert problems(frame) == []


def repacked(body: bytes, change: object) -> bytes:
    """The workbook with its first sheet's XML changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml" and callable(change):
                content = change(content.decode()).encode()
            new.writestr(name, content)
    return stream.getvalue()


def test_text_that_looks_like_a_formula_stays_text() -> None:
    frame = read(
        semicolons(
            HEAD,
            [1, "01/02/2026 01:00", '=HYPERLINK("http://x")', "1"],
            [2, "01/02/2026 01:00", "+84 cmd|' /C calc'", "2"],
            [3, "01/02/2026 01:00", "A", "=1+1"],
        ),
        name="a.csv",
    )
    assert frame["site_id"].tolist() == ['=HYPERLINK("http://x")', "+84 cmd|' /C calc'"]
    assert problems(frame) == ["tệp a.csv, ô D4: “=1+1” không phải là số"]


def test_the_list_of_problems_is_bounded_and_counts_the_rest() -> None:
    rows = [[i, "01/02/2026 01:00", f"S{i}", "abc"] for i in range(PROBLEMS_MAX + 50)]
    frame = read(semicolons(HEAD, *rows, [999, "01/02/2026 01:00", "A", "1"]), name="a.csv")
    assert len(problems(frame)) == PROBLEMS_MAX + 1
    assert problems(frame)[-1] == "tệp a.csv: còn 50 lỗi khác"
    assert values(frame) == [1]


def test_nothing_readable_is_an_error_that_lists_everything() -> None:
    with pytest.raises(SheetErrors, match=r"ô D2: “abc” không phải là số \(và 1 lỗi khác\)") as caught:
        read(semicolons(HEAD, [1, "01/02/2026 01:00", "A", "abc"], [2, "01/02/2026 01:00", "A", "xyz"]))
    assert len(caught.value.problems) == 2


def test_a_table_with_a_head_and_no_row_is_valid_and_empty() -> None:
    frame = read(semicolons(HEAD), name="a.csv")
    assert frame.empty
    assert problems(frame) == []


def test_an_unclosed_quote_does_not_swallow_the_rest_of_the_file() -> None:
    body = 'Thời gian;Trạm;PM2,5\n01/02/2026 01:00;"A;1\n01/02/2026 02:00;A;2\n'.encode()
    with pytest.raises(InputError, match="dấu nháy kép không đóng"):
        read(body, name="a.csv")


# ---- encodings and containers --------------------------------------------------------------------------------------

TEXT = "Thời gian;Trạm;PM2,5 (µg/m3)\r\n01/02/2026 01:00;Láng Hạ;12,5\r\n"


def as_cp1258(text: str) -> bytes:
    """Windows-1258 keeps base letters and writes the five tones as marks behind them."""
    tones = dict.fromkeys("\u0300\u0301\u0303\u0309\u0323")
    out = []
    for mark in unicodedata.normalize("NFC", text):
        parts = unicodedata.normalize("NFD", mark)
        tone = "".join(part for part in parts if part in tones)
        out.append(unicodedata.normalize("NFC", "".join(part for part in parts if part not in tones)) + tone)
    return "".join(out).encode("cp1258")


@pytest.mark.parametrize(
    "body",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        as_cp1258(TEXT),
        unicodedata.normalize("NFD", TEXT).encode(),
        TEXT.replace(";", "\t").encode("utf-16"),
        TEXT.replace(";", "|").encode(),
        ("sep=;\r\n" + TEXT).encode("utf-8-sig"),
        '"Thời gian","Trạm","PM2,5 (µg/m3)"\n"01/02/2026 01:00","Láng Hạ","12,5"\n'.encode(),
        "Thời gian,Trạm,PM2.5\n01/02/2026 01:00,Láng Hạ,12.5\n".encode(),
    ],
    ids=[
        "utf8",
        "bom",
        "utf16",
        "utf16be-bom",
        "utf16le",
        "utf16be",
        "cp1258",
        "nfd",
        "tab",
        "bar",
        "sep",
        "comma-quoted",
        "comma",
    ],
)
def test_csv_in_every_usual_encoding_and_delimiter(body: bytes) -> None:
    frame = read(body, name="a.csv")
    assert frame["site_id"].tolist() == ["Láng Hạ"]
    assert values(frame) == [12.5]
    assert frame["time"][0] == pd.Timestamp("2026-01-31 18:00", tz="UTC")


def test_decomposed_unicode_in_a_workbook_is_composed() -> None:
    rows = [
        [unicodedata.normalize("NFD", text) for text in HEAD],
        [1, "01/02/2026 01:00", unicodedata.normalize("NFD", "Láng Hạ"), 5],
    ]
    assert read(xlsx(rows))["site_id"].tolist() == ["Láng Hạ"]


@pytest.mark.parametrize(
    ("legacy", "name"),
    [
        ("Thêi gian;Tr¹m;PM2,5\n01/02/2026 01:00;L¸ng H¹;5\n", "TCVN3"),
        ("Thôøi gian;Traïm;PM2,5\n01/02/2026 01:00;Laùng Haï;5\n", "VNI"),
    ],
)
def test_legacy_font_encodings_are_named(legacy: str, name: str) -> None:
    with pytest.raises(InputError, match=name):
        read(legacy.encode("latin-1"), name="a.csv")
    with pytest.raises(InputError, match=name):
        read(xlsx([line.split(";") for line in legacy.splitlines()]))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "tệp rỗng"),
        (b"\r\n\r\n", "tệp rỗng"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, r"\.xls hỏng"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "mật khẩu"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"<html><table><tr><td>PM2.5</td></tr></table></html>", "HTML"),
        (b"PK\x03\x04" + b"x" * 100, "XLSX hỏng"),
        (b"abc\0\x01\x02\0def" * 9, "nhị phân"),
        (b"x" * (FILE_BYTES_MAX + 1), "lớn hơn 20 MiB"),
        ("xin chào".encode(), "không thấy cột"),
    ],
    ids=["empty", "blank", "xls", "password", "pdf", "html", "cut-zip", "binary", "large", "prose"],
)
def test_files_of_another_kind_are_named(body: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(body)


def test_a_cut_workbook_and_another_zip_are_errors() -> None:
    whole = xlsx([HEAD, [1, "01/02/2026 01:00", "A", 5]])
    with pytest.raises(InputError, match="XLSX hỏng"):
        read(whole[: len(whole) // 2])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        package.writestr("word/document.xml", "<a/>")
    with pytest.raises(InputError, match="không phải bảng tính XLSX"):
        read(stream.getvalue())


def test_a_zip_bomb_is_refused_before_it_unpacks() -> None:
    def swollen(content: str) -> str:
        return content.replace("<sheetData>", f"<!--{' ' * 30_000_000}--><sheetData>")

    with pytest.raises(InputError, match="giải nén"):
        read(repacked(xlsx([HEAD, [1, "01/02/2026 01:00", "A", 5]]), swollen))


def test_a_range_merged_over_the_whole_sheet_is_refused_and_a_stray_cell_is_not() -> None:
    body = xlsx([HEAD, [1, "01/02/2026 01:00", "A", 5]], merged=["F1:G1"])
    with pytest.raises(InputError, match="ô; hãy chia"):
        read(repacked(body, lambda content: content.replace('ref="F1:G1"', 'ref="A1:XFD1048576"')))
    book = openpyxl.load_workbook(io.BytesIO(body))
    book.worksheets[0]["XFD200000"] = "x"
    assert values(read(saved(book))) == [5]


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"PK\x03\x04", b"\xff\xfe", b"\xef\xbb\xbf", "Thời gian;Trạm;PM2,5\n".encode()]),
)
def test_garbage_never_raises_anything_but_our_errors(garbage: bytes, start: bytes) -> None:
    assert "rac.csv" in error_of(start + garbage, "rac.csv")


WHOLE = xlsx(SERVICE_REPORT, merged=SERVICE_MERGES)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_workbook_never_raises_anything_but_our_errors(damage: list[tuple[int, int]]) -> None:
    body = bytearray(WHOLE)
    for place, value in damage:
        body[place] = value
    assert "bao_cao.xlsx" in error_of(bytes(body), "bao_cao.xlsx")


XML_DAMAGE = ["<v>", "</v>", 't="s"', 't="n"', 'r="', "<row", "</row>", "<c ", "sheetData", "mergeCell", 's="']


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(XML_DAMAGE),
    st.sampled_from(["", "<v>zz", 't="d"', 'r="A0', "<x ", "99999999999999999999", "&a;"]),
    st.integers(1, 3),
)
def test_a_workbook_with_forged_xml_never_raises_anything_but_our_errors(old: str, new: str, count: int) -> None:
    assert "bao_cao.xlsx" in error_of(repacked(WHOLE, lambda content: content.replace(old, new, count)), "bao_cao.xlsx")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(
                lambda at: at.replace(second=0, microsecond=0)
            ),
            st.sampled_from(["Láng Hạ", "Tân Tiến", "=A1", "Cộng Hòa"]),
            st.one_of(st.none(), st.integers(0, 10**7)),
            st.one_of(st.none(), st.integers(0, 10**7)),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_random_tables_come_back_from_xlsx_and_from_csv_alike(
    table: list[tuple[datetime, str, int | None, int | None]],
) -> None:
    """Excel keeps numbers and dates, the CSV their Vietnamese writing; both give the input back."""
    head = ["Thời gian", "Trạm", "PM2,5 (µg/m³)", "Nhiệt độ (°C)"]
    as_numbers = [[at, site, *(None if cell is None else cell / 10 for cell in cells)] for at, site, *cells in table]
    as_text = [
        [f"{at:%d/%m/%Y %H:%M}", site, *("" if cell is None else vietnamese(cell, 1, True) for cell in cells)]
        for at, site, *cells in table
    ]
    book = openpyxl.load_workbook(io.BytesIO(xlsx([head, *as_numbers])))
    for (cell,) in book.worksheets[0].iter_rows(min_row=2, min_col=2, max_col=2):
        cell.data_type = "s"  # openpyxl takes «=A1» for a formula; a clerk typed text
    for (cell,) in book.worksheets[0].iter_rows(min_row=2, min_col=1, max_col=1):
        cell.number_format = "dd/mm/yyyy hh:mm"
    from_xlsx, from_csv = read(saved(book)), read(semicolons(head, *as_text))
    pd.testing.assert_frame_equal(from_xlsx, from_csv)
    filled = [number for number, (_, _, *cells) in enumerate(table) if cells != [None, None]]
    kept = table[: filled[-1] + 1] if filled else []
    assert [None if pd.isna(value) else round(value * 10) for value in from_csv["value"]] == [
        cell for _, _, *cells in kept for cell in cells
    ]
    assert local_times(from_csv) == [f"{at:%Y-%m-%d %H:%M}" for at, *_ in kept for _ in range(2)]
    assert from_csv["site_id"].tolist() == [site for _, site, *_ in kept for _ in range(2)]


def test_folding_knows_d_with_stroke_and_lowered_digits() -> None:
    assert folded("  ĐỘ  ẨM NO₂ ") == "do am no2"


# ---- the drop folder -----------------------------------------------------------------------------------------------


def ask(options: Mapping[str, object]) -> list[Payload]:
    request = FetchRequest(
        source="bang_tinh",
        since=datetime(2026, 1, 1, tzinfo=UTC),
        until=datetime(2026, 2, 1, tzinfo=UTC),
        sites=SITES,
        city_site="city",
        zone=ZoneInfo("Asia/Ho_Chi_Minh"),
        options=options,
    )
    return fetch(requests.Session(), request)


def test_the_folder_gives_its_finished_files_and_one_bad_file_does_not_block_the_others(tmp_path: Path) -> None:
    good = semicolons(HEAD, [1, "01/02/2026 01:00", "Láng Hạ", "5"])
    for name, body in {
        "b.csv": good,
        "a.xlsx": b"PK\x03\x04cut",
        "~$b.xlsx": b"lock",
        ".an.csv": good,
        "c.csv.tmp": good,
        "d.xlsx.part": good,
        "e.pdf": b"%PDF",
        "g.CSV": b"x" * (FILE_BYTES_MAX + 5),
    }.items():
        (tmp_path / name).write_bytes(body)
    (tmp_path / "luu.csv").mkdir()
    payloads = ask({"folder": str(tmp_path)})
    assert [payload.name for payload in payloads] == ["a.xlsx", "b.csv", "g.CSV"]
    outcomes = []
    for payload in payloads:
        try:
            outcomes.append(parse(payload)["site_id"].tolist())
        except InputError as error:
            outcomes.append(str(error).split(":")[0])
    assert outcomes == ["tệp a.xlsx", ["lang_ha"], "tệp g.CSV"]
    assert set(parse(payloads[1])["source"]) == {"bang_tinh"}


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "khoa.csv").write_bytes(b"x")

    def refuse(self: Path, mode: str = "r") -> object:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "open", refuse)
    (payload,) = ask({"folder": str(tmp_path)})
    with pytest.raises(InputError, match=r"tệp khoa\.csv: không mở được \(Permission denied\)"):
        parse(payload)


def test_a_missing_folder_says_which_one_to_make(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="chưa có thư mục data/khong_co_dau; hãy tạo thư mục này"):
        ask({"folder": "data/khong_co_dau"})
    with pytest.raises(InputError, match=r"thiếu \[source.options\] folder"):
        ask({})


# ---- a real table --------------------------------------------------------------------------------------------------


def test_the_hanoi_table_in_office_style() -> None:
    path = ROOT.parent / "shared/datasets/vn/office/derived_quan_trac_vi_semicolon_bom.csv"
    if not path.is_file():
        pytest.skip("the shared data sets are not beside this checkout")
    frame = read(path.read_bytes(), name=path.name)
    assert problems(frame) == []
    assert len(frame) == 744
    assert set(frame["site_id"]) == {"Láng Hạ"}
    assert set(frame["observed_property"]) == {"pm25"}
    assert (frame["quality"] == "missing").sum() == 20
    by_time = frame.set_index("time")["value"]
    assert by_time[pd.Timestamp("2018-01-01 01:00", tz="Asia/Ho_Chi_Minh")] == 69.2
    assert by_time[pd.Timestamp("2018-01-02 00:00", tz="Asia/Ho_Chi_Minh")] == 122.4
    assert by_time[pd.Timestamp("2018-02-03 11:00", tz="Asia/Ho_Chi_Minh")] == 43.0
