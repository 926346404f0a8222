"""The template that a unit fills in comes back without a question, whatever the unit is called."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from connectors._contract import Payload
from connectors._sheet_template import Template, write_template
from connectors.spreadsheet import SheetReading, read
from core.catalogue import ObservedProperty, load_properties
from core.config import load_city

CITY = load_city("bac_giang")
EVERY_PROPERTY = load_properties()
FIRST_ROW, FIRST_VALUE = 6, 4


def template(
    *properties: ObservedProperty, times: tuple[str, ...] = ("10/2026",), name: str = "Phường Đa Mai"
) -> bytes:
    return write_template(
        Template(
            title="Báo cáo tháng",
            owner="Sở Nội vụ",
            unit_code="07228",
            unit_name=name,
            period="10/2026",
            times=times,
            properties=properties,
            due="trước 17:00 ngày 05/11/2026",
        )
    )


def filled(body: bytes, *rows: tuple[object, ...]) -> bytes:
    """What an office makes of it: numbers typed into the yellow cells, then saved."""
    book = openpyxl.load_workbook(io.BytesIO(body))
    sheet = book.worksheets[0]
    for row, values in enumerate(rows, start=FIRST_ROW):
        for column, value in enumerate(values, start=FIRST_VALUE):
            sheet.cell(row, column).value = value
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def reading(body: bytes) -> SheetReading:
    context = {"sites": CITY.sites, "zone": ZoneInfo("Asia/Ho_Chi_Minh"), "source": "form_files"}
    return read(Payload(body=body, name="mau.xlsx", context=context))


@pytest.mark.parametrize("item", EVERY_PROPERTY, ids=lambda item: item.key)
def test_every_property_of_the_catalogue_comes_back_from_its_own_template(item: ObservedProperty) -> None:
    value = min(max(item.low, 1.0), item.high)
    found = reading(filled(template(item), (value,)))
    assert (found.problems, found.ignored) == ((), ())
    (row,) = found.rows.to_dict("records")
    assert (row["site_id"], row["observed_property"], row["value"]) == ("07228", item.key, value)
    assert row["time"].isoformat() == "2026-10-31T17:00:00+00:00", "the END of October in city time"
    assert row["cell"] == "trang “Số liệu”, ô D6"


def test_the_hours_of_a_day_are_rows_of_their_own() -> None:
    (level,) = [item for item in EVERY_PROPERTY if item.key == "river_level"]
    body = template(level, times=("21/11/2026 07:00", "21/11/2026 19:00"))
    found = reading(filled(body, (2.1,), ("KPS",)))
    assert found.problems == ()
    assert [moment.isoformat() for moment in found.rows["time"]] == [
        "2026-11-21T00:00:00+00:00",
        "2026-11-21T12:00:00+00:00",
    ]
    assert found.rows["quality"].tolist() == ["not_evaluated", "missing"]


def test_a_template_that_nobody_filled_in_holds_no_value_and_no_problem() -> None:
    found = reading(template(*EVERY_PROPERTY[:6]))
    assert found.rows.empty
    assert found.problems == ()


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "+84", "-1+1", "@SUM(A1)", "Phường\x07 Đa\x00 Mai"])
def test_a_name_that_looks_like_a_formula_stays_text(name: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template(EVERY_PROPERTY[0], name=name)))
    cell = book.worksheets[0].cell(FIRST_ROW, 2)
    assert cell.data_type == "s"
    assert cell.quotePrefix
    assert not any(one.data_type == "f" for sheet in book.worksheets for row in sheet.iter_rows() for one in row)


def test_the_code_keeps_its_leading_zero_in_excel() -> None:
    book = openpyxl.load_workbook(io.BytesIO(template(EVERY_PROPERTY[0])))
    cell = book.worksheets[0].cell(FIRST_ROW, 1)
    assert (cell.value, cell.number_format) == ("07228", "@")
