"""Ratings of a portal as a file: read whole, or refused with the cells that are wrong."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook

from connectors._ratings_table import read_ratings
from core.errors import InputError
from core.ratings import RatingCount

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
OFFICES = {"office_01": "office_01", "Một cửa Cầu Gỗ": "office_01", "Một cửa Yên Hòa": "office_02"}
SERVICES = {"Đăng ký khai sinh": "sv_birth", "Chứng thực bản sao": "sv_certify"}
HEAD = ["Kỳ", "Đơn vị", "Dịch vụ", "1 điểm", "2 điểm", "3 điểm", "4 điểm", "5 điểm", "Tổng phiếu", "Số mời"]
GOOD = ["10/2026", "Một cửa Cầu Gỗ", "Đăng ký khai sinh", 1, 2, 3, 40, 54, 100, 310]


def read(*rows: list[object], head: list[str] | None = None) -> list[RatingCount]:
    text = "\n".join(";".join(str(cell) for cell in row) for row in (head or HEAD, *rows))
    return read_ratings("hai-long.csv", text.encode("utf-8-sig"), OFFICES, SERVICES, ZONE)


def test_a_month_of_one_service_at_one_office() -> None:
    (row,) = read(GOOD)
    assert (row.office, row.service, row.n5, row.asked) == ("office_01", "sv_birth", 54, 310)
    assert (row.period_first, row.period_end) == (date(2026, 10, 1), datetime(2026, 10, 31, 17, tzinfo=UTC))


def test_a_workbook_with_a_title_above_its_head_and_a_day_as_period() -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["KẾT QUẢ ĐÁNH GIÁ"])
    sheet.append(HEAD[:-1])
    sheet.append(["15/10/2026", "một cửa yên hòa", "Chứng thực bản sao", 0, 0, 0, 3, 4, 7])
    stream = io.BytesIO()
    book.save(stream)
    (row,) = read_ratings("thang10.xlsx", stream.getvalue(), OFFICES, SERVICES, ZONE)
    assert (row.office, row.n4, row.asked) == ("office_02", 3, 0)
    assert (row.period_first, row.period_end) == (date(2026, 10, 15), datetime(2026, 10, 15, 17, tzinfo=UTC))


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (8, 4215, "ô I2: 1 + 2 + 3 + 40 + 54 = 100, ít hơn"),
        (8, 90, "ô I2: 1 + 2 + 3 + 40 + 54 = 100, nhiều hơn tổng số 90 phiếu là 10"),
        (1, "Một cửa Không Có", "ô B2: «Một cửa Không Có» không có trong danh mục"),
        (2, "Cấp hộ chiếu", "ô C2"),
        (5, -3, "ô F2: phải là số phiếu"),
        (5, "2,5", "ô F2: phải là số phiếu"),
        (5, "nhiều", "ô F2"),
        (0, "Quý III/2026", "ô A2: «Quý III/2026» phải là một tháng"),
        (0, "hôm qua", "ô A2"),
        (9, 50, "ô J2: số mời 50 ít hơn số phiếu 100"),
    ],
)
def test_what_is_wrong_is_named_by_its_cell_and_nothing_is_taken(place: int, value: object, words: str) -> None:
    row = list(GOOD)
    row[place] = value
    with pytest.raises(InputError) as refused:
        read(row)
    assert words in str(refused.value)


def test_the_same_service_twice_and_a_file_without_a_head_are_refused() -> None:
    with pytest.raises(InputError, match="ô C3: trùng với dòng 2"):
        read(GOOD, GOOD)
    with pytest.raises(InputError, match="không thấy dòng tiêu đề"):
        read(GOOD, head=["a"] * 10)
    with pytest.raises(InputError, match="không có dòng số liệu"):
        read()
