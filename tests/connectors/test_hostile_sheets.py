"""Spreadsheets that were made to harm: bombs, entities, forged sizes, links, macros, formulas for the next reader."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

import openpyxl
import pytest
import xlwt
from openpyxl.drawing.image import Image
from PIL import Image as Picture

from connectors._contract import Payload
from connectors.spreadsheet import SheetReading, read
from core.errors import InputError

HEAD = ("Kỳ", "Đơn vị", "Hồ sơ tiếp nhận")
ROW = ("Tháng 2/2026", "Tân Tiến", 10)
SHEET = "xl/worksheets/sheet1.xml"


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in (HEAD, *rows):
        book.worksheets[0].append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def forged(body: bytes, parts: Mapping[str, bytes]) -> bytes:
    """The package with these parts in place of its own, or beside them."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *parts]):
            new.writestr(name, parts[name] if name in parts else old.read(name))
    return stream.getvalue()


def part(body: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        return package.read(name)


def reading(body: bytes, name: str = "bao_cao.xlsx", **context: object) -> SheetReading:
    return read(Payload(body=body, name=name, context=context))


DTD = {
    "a laugh a billion times": b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c '
    b'"&b;&b;&b;&b;&b;&b;&b;&b;">]>',
    "a file of the server": b'<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/passwd">]>',
    "an address inside the house": b'<!DOCTYPE x [<!ENTITY c SYSTEM "http://169.254.169.254/latest/">]>',
}


@pytest.mark.parametrize("dtd", DTD.values(), ids=DTD.keys())
@pytest.mark.parametrize("name", [SHEET, "[Content_Types].xml", "xl/workbook.xml", "xl/styles.xml"])
def test_xml_with_entities_is_refused(name: str, dtd: bytes) -> None:
    body = workbook(ROW)
    hostile = dtd + part(body, name).replace("Tân Tiến".encode(), b"&c;").replace(b"<v>10</v>", b"<v>&c;</v>")
    with pytest.raises(InputError, match="XLSX hỏng"):
        reading(forged(body, {name: hostile}))


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    book = openpyxl.Workbook()
    for row in (HEAD, ROW):
        book.worksheets[0].append(row)
    small = io.BytesIO()
    Picture.new("RGB", (4, 4)).save(small, "PNG")
    book.worksheets[0].add_image(Image(small), "E5")
    stream = io.BytesIO()
    book.save(stream)
    assert reading(stream.getvalue()).rows["value"].tolist() == [10], "an emblem of the office does no harm"

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    size = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    with pytest.raises(InputError, match="XLSX hỏng"):
        reading(forged(stream.getvalue(), {"xl/media/image1.png": bomb}))


def test_a_package_that_lies_about_its_size_is_refused() -> None:
    padded = part(workbook(ROW), SHEET).replace(b"<sheetData>", b"<sheetData>" + b" " * 300_000_000)
    body = bytearray(forged(workbook(ROW), {SHEET: padded}))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # the size, in both directories of the zip
        at = body.find(mark)
        while at >= 0:
            if int.from_bytes(body[at + place : at + place + 4], "little") == len(padded):
                body[at + place : at + place + 4] = (4_000).to_bytes(4, "little")
            at = body.find(mark, at + 4)
    with pytest.raises(InputError, match="XLSX hỏng"):
        reading(bytes(body))


@pytest.mark.parametrize("kind", ["xlsx", "xls", "csv"])
def test_a_file_of_more_cells_than_a_report_can_have_is_refused_before_it_is_read(kind: str) -> None:
    rows = [ROW] * 400
    body = workbook(*rows)
    if kind == "xls":
        book = xlwt.Workbook()
        sheet = book.add_sheet("T2")
        for line, cells in enumerate((HEAD, *rows)):
            for column, cell in enumerate(cells):
                sheet.write(line, column, cell)
        stream = io.BytesIO()
        book.save(stream)
        body = stream.getvalue()
    elif kind == "csv":
        body = "\n".join(";".join(map(str, row)) for row in (HEAD, *rows)).encode()
    assert len(reading(body, f"a.{kind}", most_cells=1_203).rows) == 400
    with pytest.raises(InputError, match="có hơn 1202 ô"):
        reading(body, f"a.{kind}", most_cells=1_202)


def test_macros_and_links_are_told_and_never_followed() -> None:
    link = b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    body = forged(workbook(ROW), {"xl/vbaProject.bin": b"x", "xl/externalLinks/externalLink1.xml": link})
    found = reading(body, "bao_cao.xlsm")
    assert found.rows["value"].tolist() == [10]
    assert found.notes == (
        "Tệp có macro; macro không được chạy ở đây.",
        "Tệp có liên kết tới tệp khác; chỉ đọc số đã lưu trong tệp này.",
    )
    assert reading(workbook(ROW)).notes == ()


def test_cells_of_a_csv_that_excel_would_compute_are_found() -> None:
    lines = [
        "Kỳ;Đơn vị;Hồ sơ tiếp nhận;Ghi chú",
        "Tháng 2/2026;A;-3;-",
        "Tháng 2/2026;B;+4;=HYPERLINK(\"http://x\")",
        "Tháng 2/2026;C;5;@SUM(A1)",
        "Tháng 2/2026;D;6;-2+cmd|' /C calc'!A0",
    ]  # fmt: skip
    found = reading("\n".join(lines).encode(), "a.csv")
    assert found.formulas == ("ô D3", "ô D4", "ô D5"), "a negative number and a dash are none"
    assert reading(workbook(("Tháng 2/2026", "'=1+1", 10))).formulas == ()
