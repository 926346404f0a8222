"""Any table that an office might make: what was meant is what is read, or a problem names the very cell.

hypothesis makes the table: titles, heads of one or two rows with merged groups, region rows, blank rows, totals and a
signature, numbers as numbers or as text in three styles, times as text, serials or real dates, NFD, hidden sheets.
"""

from __future__ import annotations

import io
import math
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from connectors._contract import Payload
from connectors._sheet_cells import EPOCH_1900
from connectors.spreadsheet import SheetErrors, SheetReading, read
from core.errors import InputError

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SITES = pd.DataFrame(
    [
        ("ward_07210", "Phường Tân Tiến", "Tan Tien Ward", "area", "07210"),
        ("ward_07213", "Phường Cộng Hòa", "Cong Hoa Ward", "area", "07213"),
        ("ward_07228", "Phường Đa Mai", "Da Mai Ward", "area", "07228"),
        ("ward_07795", "Phường Nếnh", "Nenh Ward", "area", "07795"),
    ],
    columns=["site_id", "name_vi", "name_en", "kind", "area"],
).set_index("site_id", drop=False)
WRITTEN = {  # how offices write each of them
    "ward_07210": ["Phường Tân Tiến", "P. Tân Tiến", "tân tiến", "UBND phường Tân Tiến", "07210", 7210],
    "ward_07213": ["Phường Cộng Hòa", "P.Cộng Hòa", "CỘNG HÒA", "07213", 7213],
    "ward_07228": ["Phường Đa Mai", "Đa Mai", "da mai", "1. P. Đa Mai", "07228"],
    "ward_07795": ["Nếnh", "Phường  Nếnh", "UBND P. Nếnh", "7795"],
}
HEADS = {  # group title above, name with its unit below
    "files_received": ("Hồ sơ", "Tiếp nhận hồ sơ"),
    "pm25": ("Không khí", "PM2,5 (µg/m³)"),
    "rainfall": ("Thời tiết", "Lượng mưa (mm)"),
    "temperature": ("Thời tiết", "Nhiệt độ (°C)"),
    "river_level": ("Thủy văn", "Mực nước (m)"),
}
NOTHING = ["", "-", "KPS", "…", "x", "n/a"]
START = datetime(2026, 10, 1)
Meant = dict[tuple[datetime, str, str], tuple[float | None, str]]  # (value, address of its cell)


def vietnamese(value: float, grouped: bool) -> str:
    text = f"{value:,.2f}".rstrip("0").rstrip(".")
    swapped = text.replace(",", "\0").replace(".", ",").replace("\0", ".")
    return swapped if grouped else swapped.replace(".", "")


@dataclass
class Made:
    """A workbook, and what its maker meant."""

    body: bytes = field(repr=False)
    meant: Meant = field(default_factory=dict)


@st.composite
def tables(draw: Any) -> Made:
    properties = draw(st.lists(st.sampled_from(sorted(HEADS)), min_size=1, max_size=4, unique=True))
    nfd = draw(st.booleans())
    two_rows = draw(st.booleans())
    time_style = draw(st.sampled_from(["text", "serial", "date", "iso"]))
    merged_times = draw(st.booleans())
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = draw(st.sampled_from(["Sheet1", "Số liệu", "T10"]))

    def put(row: int, column: int, value: object) -> None:
        shown = unicodedata.normalize("NFD", value) if nfd and isinstance(value, str) else value
        sheet.cell(row, column).value = shown  # type: ignore[assignment]

    row = 1
    for title in draw(
        st.lists(st.sampled_from(["UBND THÀNH PHỐ", "BÁO CÁO TỔNG HỢP", "(Kèm theo Công văn số 12)"]), max_size=3)
    ):
        put(row, 1, title)
        sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=3 + len(properties))
        row += 1
    row += draw(st.integers(0, 2))
    fixed = ["STT", "Thời gian", "Đơn vị"]
    for column, words in enumerate(fixed, start=1):
        put(row, column, words)
        if two_rows:
            sheet.merge_cells(start_row=row, start_column=column, end_row=row + 1, end_column=column)
    for column, key in enumerate(properties, start=4):
        group, name = HEADS[key]
        if two_rows:
            put(row, column, group)
            put(row + 1, column, name)
        else:
            put(row, column, name)
    row += 2 if two_rows else 1

    meant: Meant = {}
    days = draw(st.lists(st.integers(0, 30), min_size=1, max_size=4, unique=True))
    number = 0
    for day in days:
        at = START + timedelta(days=day)
        end = (at + timedelta(days=1)).replace(tzinfo=ZONE).astimezone(UTC)
        if draw(st.booleans()):
            put(row, 1, draw(st.sampled_from(["I", "A", ""])))
            put(row, 3, "Khu vực trung tâm")
            row += 1
        sites = draw(st.lists(st.sampled_from(sorted(WRITTEN)), min_size=1, max_size=4, unique=True))
        first = row
        for place, site in enumerate(sites):
            number += 1
            put(row, 1, number)
            if not (merged_times and place):
                shown = {
                    "text": f"{at:%d/%m/%Y}",
                    "iso": f"{at:%Y-%m-%d}",
                    "serial": (at - EPOCH_1900).days,
                    "date": at,
                }[time_style]
                put(row, 2, shown)
                if time_style == "date":
                    sheet.cell(row, 2).number_format = "dd/mm/yyyy"  # with hours in it, 00:00 would be an instant
            put(row, 3, draw(st.sampled_from(WRITTEN[site])))
            for column, key in enumerate(properties, start=4):
                value = draw(st.one_of(st.none(), st.integers(0, 2_000), st.integers(0, 99_999).map(lambda n: n / 100)))
                style = draw(st.sampled_from(["number", "grouped", "plain", "english"]))
                if value is None:
                    put(row, column, draw(st.sampled_from(NOTHING)) or None)
                elif style == "number":
                    put(row, column, value)
                else:
                    put(row, column, f"{value:g}" if style == "english" else vietnamese(value, style == "grouped"))
                address = f"ô {get_column_letter(column)}{row}"
                meant[end, site, key] = (None if value is None else float(value), address)
            row += 1
        if merged_times and len(sites) > 1:
            sheet.merge_cells(start_row=first, start_column=2, end_row=row - 1, end_column=2)
        if draw(st.booleans()):
            put(row, 1, draw(st.sampled_from(["Tổng cộng", "Cộng", "Toàn thành phố", "Trung bình"])))
            for column in range(4, 4 + len(properties)):
                put(row, column, 999_999)
            row += 1
        row += draw(st.integers(0, 1))
    if draw(st.booleans()):
        put(row + 1, 2, "Người lập biểu")
        put(row + 1, 4, "Thủ trưởng đơn vị")
        put(row + 2, 2, "(ký, ghi rõ họ tên)")
        put(row + 4, 2, "Nguyễn Văn An")
    if draw(st.booleans()):
        other = book.create_sheet("Nháp")
        other.sheet_state = "hidden"
        for line in (["Thời gian", "Đơn vị", "PM2,5"], ["01/10/2026", "Nếnh", 888_888]):
            other.append(line)
    stream = io.BytesIO()
    book.save(stream)
    return Made(stream.getvalue(), meant)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(made=tables())
def test_what_an_office_meant_is_read_or_its_cell_is_named(made: Made) -> None:
    try:
        found = read(Payload(body=made.body, name="bang.xlsx", context={"sites": SITES, "zone": ZONE}))
    except SheetErrors as error:
        found = SheetReading(rows=pd.DataFrame(), problems=tuple(error.problems), ignored=())
    except InputError:
        assert all(value is None for value, _ in made.meant.values()), "a table with a value is a table"
        return
    told = "\n".join(f"{problem}\n" for problem in found.problems)
    came = {
        (row["time"].to_pydatetime(), row["site_id"], row["observed_property"]): (row["value"], row["cell"])
        for row in found.rows.to_dict("records")
    }
    assert not set(came) - set(made.meant), "nothing that nobody meant: no total, no hidden sheet, no signature"
    for place, (value, address) in made.meant.items():
        named = f"{address}: " in told
        if place in came:
            got, cell = came[place]
            assert cell.endswith(address), (place, cell, address)
            assert not named
            assert (math.isnan(got) and value is None) or (value is not None and math.isclose(got, value)), (place, got)
        elif value is not None:
            assert named, (place, value, address, found.problems)
