"""Every habit of the offices that the house knows of, as a real file: it works, or it is named precisely.

One line of the table is one habit: what the file looks like, and either the values that must come of it or the words
that must be said about it.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import openpyxl
import pandas as pd
import pytest
import xlwt
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from connectors._contract import Payload
from connectors.spreadsheet import SheetErrors, SheetReading, read
from core.errors import InputError

SITES = pd.DataFrame(
    [
        ("07210", "Phường Tân Tiến", "Tan Tien", "area", "07210"),
        ("07213", "Phường Cộng Hòa", "Cong Hoa", "area", "07213"),
    ],
    columns=["site_id", "name_vi", "name_en", "kind", "area"],
).set_index("site_id", drop=False)
TIEN, HOA = "07210", "07213"
RECEIVED, RESOLVED, ON_TIME, HUMID = "files_received", "files_resolved", "files_resolved_on_time", "relative_humidity"
Value = tuple[str, str, str, float | None]  # site, property, END of the period in city time, value
Rows = Sequence[Sequence[object]]
HEAD = ["Kỳ", "Đơn vị", "Hồ sơ tiếp nhận"]


@dataclass(frozen=True)
class Habit:
    """A file, and what must come of it: values, and words among problems or notes."""

    body: bytes
    values: Sequence[Value] = ()
    words: str = ""
    name: str = "bao_cao.xlsx"


def xlsx(rows: Rows, change: Callable[[Worksheet], None] = lambda _: None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    change(book.worksheets[0])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def xls(rows: Rows, change: Callable[[Any], None] = lambda _: None, **styles: Any) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("T2")
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if cell is not None:
                sheet.write(row, column, cell, styles.get(f"{'ABCDEFG'[column]}{row + 1}", xlwt.Style.default_style))
    change(sheet)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def merged(*areas: str) -> Callable[[Worksheet], None]:
    def change(sheet: Worksheet) -> None:
        for area in areas:
            sheet.merge_cells(area)

    return change


def february(*pairs: tuple[str, float | None], key: str = RECEIVED) -> list[Value]:
    return [(site, key, "2026-03-01 00:00", value) for site, value in pairs]


def typed(text: object) -> bytes:
    """One value of February as somebody typed it."""
    return xlsx([HEAD, ["Tháng 2/2026", "Tân Tiến", text]])


def formula_without_value(sheet: Worksheet) -> None:
    sheet["C2"] = "=1+2"


def struck(sheet: Worksheet) -> None:
    sheet["C2"].font = Font(strike=True)


def hidden_row(sheet: Worksheet) -> None:
    sheet.row_dimensions[3].hidden = True


def hidden_column(sheet: Worksheet) -> None:
    sheet.column_dimensions.group("B", "C", hidden=True)  # the file says it once for both


def hidden_sheet(sheet: Worksheet) -> None:
    draft = sheet.parent.create_sheet("Nháp")
    for row in (HEAD, ["Tháng 2/2026", "Tân Tiến", 999]):
        draft.append(row)
    draft.sheet_state = "hidden"


def month_shown(*cells: str) -> Callable[[Worksheet], None]:
    def change(sheet: Worksheet) -> None:
        for cell in cells:
            sheet[cell].number_format = "mm/yyyy"

    return change


def percent_shown(sheet: Worksheet) -> None:
    sheet["C2"].number_format = "0.0%"


def font_of(name: str) -> Callable[[Worksheet], None]:
    def change(sheet: Worksheet) -> None:
        for row in sheet.iter_rows():
            for cell in row:
                cell.font = Font(name=name)

    return change


BOTH = [["Tháng 2/2026", "Tân Tiến", 10], ["Tháng 2/2026", "Cộng Hòa", 20]]
TWO = february((TIEN, 10), (HOA, 20))
FULL = [
    ["UBND THÀNH PHỐ"],
    ["BÁO CÁO HỒ SƠ THÁNG 2 NĂM 2026"],
    ["(Kèm theo Công văn số 12 ngày 05/03/2026)"],
    ["STT", "Đơn vị", "Tiếp nhận hồ sơ", "Hồ sơ đã giải quyết", None],
    [None, None, None, "Hồ sơ đã giải quyết", "Giải quyết đúng hạn"],
    ["(1)", "(2)", "(3)", "(4)", "(5)"],
    ["I", "Khu vực trung tâm", 10, 9, 8],
    [1, "P. Tân Tiến", 10, 9, 8],
    ["II", "Khu vực ngoài", 20, 18, 17],
    [2, "phường  CỘNG HÒA", 20, 18, 17],
    [None, "Tổng cộng", 30, 27, 25],
    [],
    [None, "Người lập biểu", None, "Chủ tịch"],
    [None, "Nguyễn Văn A", None, 999],
]
ACROSS = ["Đơn vị", "Tháng 1", "Tháng 2", "Cộng"]
HALF = "2026-07-01 00:00"
HABITS = {
    "merged heads, number rows, regions, totals, footer": Habit(
        xlsx(FULL, merged("A1:E1", "A2:E2", "A4:A5", "B4:B5", "C4:C5", "D4:E4")),
        [*february((TIEN, 10), (HOA, 20)), *february((TIEN, 9), (HOA, 18), key=RESOLVED),
         *february((TIEN, 8), (HOA, 17), key=ON_TIME)],
    ),
    "the same as .xls of Excel 97": Habit(
        xls(FULL, lambda sheet: [sheet.merge(*area) for area in ((3, 4, 0, 0), (3, 4, 1, 1), (3, 4, 2, 2))]),
        [*february((TIEN, 10), (HOA, 20)), *february((TIEN, 9), (HOA, 18), key=RESOLVED),
         *february((TIEN, 8), (HOA, 17), key=ON_TIME)],
        name="bao_cao.xls",
    ),
    "a number as text, dots and a comma": Habit(typed("1.234,5"), february((TIEN, 1234.5))),
    "a thin blank between thousands": Habit(typed("1 234"), february((TIEN, 1234))),
    "an apostrophe in front": Habit(typed("'1.234"), february((TIEN, 1234))),
    "the letter O for a zero": Habit(typed("1O"), words="ô C2: “1O” không phải là số"),
    "a unit behind the number": Habit(typed("10 hồ sơ"), words="ô C2: “10 hồ sơ” không phải là số"),
    "a dash for nothing": Habit(typed("-"), february((TIEN, None))),
    "KPS": Habit(typed("KPS"), february((TIEN, None))),
    "three dots in one sign": Habit(typed("…"), february((TIEN, None))),
    "percent as text": Habit(xlsx([["Kỳ", "Đơn vị", "Độ ẩm (%)"], ["Tháng 2/2026", "Tân Tiến", "12,5%"]]),
                             february((TIEN, 12.5), key=HUMID)),
    "percent as a format": Habit(xlsx([["Kỳ", "Đơn vị", "Độ ẩm"], ["Tháng 2/2026", "Tân Tiến", 0.125]], percent_shown),
                                 february((TIEN, 12.5), key=HUMID)),
    "percent where files are counted": Habit(typed("12,5%"), words="ô C2: “12,5%” là phần trăm"),
    "a serial of Excel": Habit(xlsx([HEAD, [46081, "Tân Tiến", 10]]), [(TIEN, RECEIVED, "2026-03-01 00:00", 10)]),
    "a serial as text beside dd/mm/yyyy": Habit(
        xlsx([HEAD, ["46080", "Tân Tiến", 10], ["28/02/2026", "Tân Tiến", 11]]),
        [(TIEN, RECEIVED, "2026-02-28 00:00", 10), (TIEN, RECEIVED, "2026-03-01 00:00", 11)],
    ),
    "month before day": Habit(xlsx([HEAD, ["02/25/2026", "Tân Tiến", 10]]), words="ô A2: không có ngày “02/25/2026”"),
    "a week by its number": Habit(xlsx([HEAD, ["Tuần 8/2026", "Tân Tiến", 10]]),
                                  words="ô A2: “Tuần 8/2026” là số tuần, mỗi nơi đếm một khác"),
    "a week by its last day": Habit(
        xlsx([HEAD, ["Tuần 8 (từ 16/02/2026 đến 22/02/2026)", "Tân Tiến", 10]]),
        [(TIEN, RECEIVED, "2026-02-23 00:00", 10)],
    ),
    "a week in the title is not its month or year": Habit(
        xlsx([["BÁO CÁO TUẦN 8, THÁNG 2/2026"], HEAD[1:], ["Tân Tiến", 10]]), words="không có cột thời gian"
    ),
    "six months in the title": Habit(
        xlsx([["BÁO CÁO 6 THÁNG ĐẦU NĂM 2026"], HEAD[1:], ["Tân Tiến", 10]]), [(TIEN, RECEIVED, HALF, 10)]
    ),
    "the last six months": Habit(
        xlsx([["6 tháng cuối năm 2026"], HEAD[1:], ["Tân Tiến", 10]]), [(TIEN, RECEIVED, "2027-01-01 00:00", 10)]
    ),
    "months across, the indicator in the title": Habit(
        xlsx([["SỐ HỒ SƠ TIẾP NHẬN NĂM 2026"], ACROSS, ["Tân Tiến", 5, 10, 15], ["Tổng số", 5, 10, 15]]),
        [(TIEN, RECEIVED, "2026-02-01 00:00", 5), *february((TIEN, 10))],
    ),
    "T1, T2 across, months to come still blank": Habit(
        xls([["Hồ sơ tiếp nhận, năm 2026"], ["TT", "Đơn vị", "T1", "T2", "T3"], [1, "Tân Tiến", 5, 10]]),
        [(TIEN, RECEIVED, "2026-02-01 00:00", 5), *february((TIEN, 10))],
        name="bao_cao.xls",
    ),
    "months across as real dates": Habit(
        xlsx([["Hồ sơ tiếp nhận"], ["Đơn vị", datetime(2026, 1, 1), datetime(2026, 2, 1)], ["Tân Tiến", 5, 10]],
             month_shown("B2", "C2")),
        [(TIEN, RECEIVED, "2026-02-01 00:00", 5), *february((TIEN, 10))],
    ),
    "months across, two indicators under each": Habit(
        xlsx([["Đơn vị", "Tháng 1/2026", None, "Tháng 2/2026", None],
              [None, "Hồ sơ tiếp nhận", "Hồ sơ đã giải quyết", "Hồ sơ tiếp nhận", "Hồ sơ đã giải quyết"],
              ["Tân Tiến", 1, 2, 3, 4]], merged("A1:A2", "B1:C1", "D1:E1")),
        [(TIEN, RECEIVED, "2026-02-01 00:00", 1), (TIEN, RESOLVED, "2026-02-01 00:00", 2),
         *february((TIEN, 3)), *february((TIEN, 4), key=RESOLVED)],
    ),
    "months across, indicators down": Habit(
        xlsx([["Trạm: Tân Tiến"], ["Chỉ tiêu", "ĐVT", "Tháng 1/2026", "Tháng 2/2026"],
              ["Hồ sơ tiếp nhận", "hồ sơ", 5, 10], ["Hồ sơ đã giải quyết", "hồ sơ", 4, 9]]),
        [(TIEN, RECEIVED, "2026-02-01 00:00", 5), (TIEN, RESOLVED, "2026-02-01 00:00", 4),
         *february((TIEN, 10)), *february((TIEN, 9), key=RESOLVED)],
    ),
    "months across of one indicator whose name begins like another's": Habit(
        xlsx([["HỒ SƠ ĐANG XỬ LÝ QUÁ HẠN NĂM 2026"], ACROSS, ["Tân Tiến", 5, 10, 15]]),
        [(TIEN, "files_pending_overdue", "2026-02-01 00:00", 5), *february((TIEN, 10), key="files_pending_overdue")],
    ),
    "months across without a year": Habit(
        xlsx([["Hồ sơ tiếp nhận"], ACROSS, ["Tân Tiến", 5, 10, 15]]), words="ô B2: “Tháng 1” thiếu năm"
    ),
    "months across, nobody says of what": Habit(
        xlsx([["BÁO CÁO NĂM 2026"], ACROSS, ["Tân Tiến", 5, 10, 15]]),
        words="ô B2: các kỳ xếp theo cột mà phía trên không ghi rõ là chỉ số nào",
    ),
    "units across": Habit(
        xlsx([["Hồ sơ tiếp nhận"], ["Kỳ", "Tân Tiến", "Cộng Hòa"], ["Tháng 2/2026", 1, 2]]),
        words="ô A2: các đơn vị xếp theo cột (“Tân Tiến”, “Cộng Hòa”)",
    ),
    "a typing slip in a name": Habit(
        xlsx([HEAD, ["Tháng 2/2026", "Tân Tến", 10]]),
        words="ô B2: không có địa điểm “Tân Tến”; có phải “Phường Tân Tiến” không?",
    ),
    "a code that lost its zero": Habit(
        xlsx([["Kỳ", "Mã đơn vị", "Hồ sơ tiếp nhận"], ["Tháng 2/2026", 7210, 10]]), february((TIEN, 10))
    ),
    "thousands in the head": Habit(
        xlsx([["Tháng 2/2026. Đơn vị tính: nghìn hồ sơ"], HEAD[1:], ["Tân Tiến", 10]]),
        words="không có đơn vị “nghìn hồ sơ”",
    ),
    "decomposed Unicode of a Mac": Habit(
        xlsx([[unicodedata.normalize("NFD", str(cell)) for cell in row] for row in (HEAD, BOTH[0])]),
        february((TIEN, 10)),
    ),
    "TCVN3 with its font": Habit(
        xlsx([["Kú", "§¬n vÞ", "Hå s¬ tiÕp nhËn"], ["Th¸ng 2/2026", "T©n TiÕn", 10]], font_of(".VnTime")),
        february((TIEN, 10)),
    ),
    "TCVN3 without its font": Habit(
        xlsx([["Kú", "§¬n vÞ", "Hå s¬ tiÕp nhËn"], ["Th¸ng 2/2026", "T©n TiÕn", 10]]), words="bảng mã TCVN3 (ABC)"
    ),
    "VNI with its font": Habit(
        xlsx([["Kyø", "Ñôn vò", "Hoà sô tieáp nhaän"], ["Thaùng 2/2026", "Taân Tieán", 10]], font_of("VNI-Times")),
        february((TIEN, 10)),
    ),
    "a hidden sheet": Habit(xlsx([HEAD, *BOTH], hidden_sheet), TWO, words="Trang ẩn “Nháp” không được đọc."),
    "a hidden row": Habit(xlsx([HEAD, *BOTH], hidden_row), TWO, words="ẩn, vẫn được đọc: trang “Sheet”, ô C3."),
    "a hidden row of .xls": Habit(
        xls([HEAD, *BOTH], lambda sheet: setattr(sheet.row(2), "hidden", True)), TWO, words="ô C3.", name="a.xls"
    ),
    "hidden columns": Habit(xlsx([HEAD, *BOTH], hidden_column), TWO, words="trang “Sheet”, ô C2 và 1 ô khác."),
    "a formula that nobody computed": Habit(
        xlsx([HEAD, BOTH[0]], formula_without_value), words="ô C2: công thức chưa có giá trị"
    ),
    "a figure that is struck through": Habit(
        xlsx([HEAD, *BOTH], struck), february((HOA, 20)), words="ô C2: số bị gạch ngang"
    ),
    "a struck figure of .xls": Habit(
        xls([HEAD, *BOTH], C2=xlwt.easyxf("font: struck_out on")),
        february((HOA, 20)),
        words="ô C2: số bị gạch ngang",
        name="a.xls",
    ),
}  # fmt: skip


def seen(habit: Habit) -> tuple[list[Value], str]:
    """The values, and everything that was said."""
    try:
        found: SheetReading = read(Payload(body=habit.body, name=habit.name, context={"sites": SITES}))
    except SheetErrors as error:
        return [], "\n".join(error.problems)
    except InputError as error:
        return [], str(error)
    rows = found.rows.assign(end=found.rows["time"].dt.tz_convert("Asia/Ho_Chi_Minh").dt.strftime("%Y-%m-%d %H:%M"))
    values = [
        (row["site_id"], row["observed_property"], row["end"], None if pd.isna(row["value"]) else row["value"])
        for row in rows.to_dict("records")
    ]
    return values, "\n".join([*found.problems, *found.notes])


def test_a_wrong_name_beside_twelve_months_is_said_once() -> None:
    months = [f"Tháng {month}" for month in range(1, 13)]
    body = xlsx([["Hồ sơ tiếp nhận năm 2026"], ["Đơn vị", *months], ["Tân Tiến", *months], ["Tân Hiệp", *range(12)]])
    values, said = seen(Habit(body))
    assert values == []
    assert said.count("không có địa điểm “Tân Hiệp”") == 1
    assert said.count("không phải là số") == 12


@pytest.mark.parametrize("habit", HABITS.values(), ids=HABITS.keys())
def test_a_habit_works_or_is_named_precisely(habit: Habit) -> None:
    values, said = seen(habit)
    assert sorted(values, key=str) == sorted(habit.values, key=str)
    if habit.words:
        assert habit.words in said
    else:
        assert said == ""
