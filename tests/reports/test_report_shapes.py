"""The brief on paper: every letter, embedded fonts, the office's form, real numbers, nothing alive from outside."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from docx import Document
from docx.shared import Pt
from openpyxl import load_workbook
from pypdf import PdfReader

from core.brief import Facts, Said
from core.errors import InputError
from core.report_plan import FORMATS
from reports import file_name, render
from tests.facts_of_a_day import CHAIN, EVERY_LETTER, HAPPY, JAM, PILOT, asked, facts

HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>'


def pdf_text(body: bytes) -> str:
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages)
    return unicodedata.normalize("NFC", text)


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def with_letters() -> Facts:
    return facts(asks=(asked("task", EVERY_LETTER),))


@pytest.mark.parametrize("shape", FORMATS)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_same_facts_give_the_same_bytes(shape: str, language: str) -> None:
    assert render(facts(), shape, language) == render(facts(), shape, language)
    assert file_name(facts(), shape) == f"demo-day-2026-09-15.{shape}"


def test_an_unknown_shape_is_refused() -> None:
    with pytest.raises(InputError, match="no report format"):
        render(facts(), "doc")


# -- PDF --------------------------------------------------------------------------------------------------------------


def test_the_pdf_holds_every_vietnamese_letter_as_text() -> None:
    text = flat(pdf_text(render(with_letters(), "pdf")))
    for word in EVERY_LETTER.split():
        assert word in text, word
    for words in ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "DỮ LIỆU MÔ PHỎNG", "n = 372"):
        assert words in text


def test_every_font_of_the_pdf_is_embedded_and_pictures_are_lines() -> None:
    reader = PdfReader(io.BytesIO(render(facts(), "pdf")))
    names = set()
    for page in reader.pages:
        resources: Any = page["/Resources"]
        assert not page.images, "charts are vectors, text is text"
        for font in resources["/Font"].values():
            (inner,) = font.get_object()["/DescendantFonts"]
            descriptor = inner.get_object()["/FontDescriptor"].get_object()
            assert "/FontFile2" in descriptor
            names.add(str(descriptor["/FontName"]))
    assert len(names) >= 2
    assert all("LiberationSerif" in name for name in names)


def test_the_pdf_numbers_its_pages_from_the_second_on() -> None:
    pages = [page.extract_text().strip().splitlines() for page in PdfReader(io.BytesIO(render(facts(), "pdf"))).pages]
    assert len(pages) > 1
    assert pages[0][0] != "1"
    assert [page[0] for page in pages[1:]] == [str(number) for number in range(2, len(pages) + 1)]


def test_a_pdf_says_when_it_is_late_a_drill_or_simulated_and_not_otherwise() -> None:
    assert "LẬP MUỘN" in pdf_text(render(facts(late=True), "pdf"))
    real = pdf_text(render(facts(simulated=False), "pdf"))
    assert "MÔ PHỎNG" not in real


# -- DOCX -------------------------------------------------------------------------------------------------------------


def test_the_docx_has_the_form_of_decree_30() -> None:
    paper = Document(io.BytesIO(render(facts(), "docx")))
    section = paper.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    assert 20 <= round(section.top_margin.mm, 1) <= 25
    assert 20 <= round(section.bottom_margin.mm, 1) <= 25
    assert 30 <= round(section.left_margin.mm, 1) <= 35
    assert 15 <= round(section.right_margin.mm, 1) <= 20
    assert section.different_first_page_header_footer
    assert "PAGE" in section.header._element.xml
    assert 'w:val="center"' in section.header._element.xml
    assert section.first_page_header.paragraphs[0].text == ""
    assert (paper.styles["Normal"].font.name, paper.styles["Normal"].font.size) == ("Times New Roman", Pt(13))
    top = paper.tables[0]
    assert [cell.text.rstrip() for cell in top.rows[0].cells] == [
        "UBND TP. THANH LÂM\nTRUNG TÂM ĐIỀU HÀNH ĐÔ THỊ",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc",
    ]
    assert top.cell(1, 0).text.startswith("Số:")
    assert "/BC-" in top.cell(1, 0).text
    assert top.cell(1, 1).text == "TP. Thanh Lâm, ngày 15 tháng 9 năm 2026"
    ruled = [paragraph for cell in top.rows[0].cells for paragraph in cell.paragraphs if "pBdr" in paragraph._p.xml]
    assert [paragraph.text for paragraph in ruled] == ["", ""], "a rule must not squeeze the words above it"
    left = [one.paragraph_format.left_indent.mm for one in ruled]
    short, long = 74 - 2 * left[0], 91 - 2 * left[1]
    assert 74 / 3 - 1 < short < 74 / 2, "a third to a half of the line"
    assert 52 < long < 64, "as long as the motto"
    for table in paper.tables:
        grid = [round(column.width.mm) for column in table.columns]
        assert grid == [round(cell.width.mm) for cell in table.rows[0].cells], "programs read the one or the other"
        assert sum(grid) in (164, 165, 166), "the text is 165 mm wide"
    words = [paragraph.text for paragraph in paper.paragraphs]
    assert words[0:2] == ["BÁO CÁO", "Tình hình điều hành đô thị ngày 15/09/2026"]
    assert paper.tables[-1].cell(0, 0).text.startswith("Nơi nhận:")
    assert paper.tables[-1].cell(0, 1).text.startswith("THỦ TRƯỞNG ĐƠN VỊ")


def test_every_letter_of_the_docx_is_times_new_roman_13_or_14_in_the_text() -> None:
    paper = Document(io.BytesIO(render(with_letters(), "docx")))
    runs = [run for paragraph in paper.paragraphs for run in paragraph.runs]
    assert {run.font.name for run in runs} == {"Times New Roman"}
    text = [
        run for paragraph in paper.paragraphs if paragraph.paragraph_format.first_line_indent for run in paragraph.runs
    ]
    assert text
    assert {run.font.size for run in text} <= {Pt(13), Pt(14)}
    assert EVERY_LETTER in [cell.text for table in paper.tables for row in table.rows for cell in row.cells]


# -- XLSX -------------------------------------------------------------------------------------------------------------


def test_the_workbook_can_be_read_and_printed_as_it_opens() -> None:
    book = load_workbook(io.BytesIO(render(facts(), "xlsx")))
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.print_title_rows == "$1:$1"
        for number, row in enumerate(sheet.iter_rows(), start=1):
            for cell in row:
                wide = sheet.column_dimensions[cell.column_letter].width
                if isinstance(cell.value, str) and len(cell.value) > wide:
                    lines = len(cell.value) / wide
                    assert (sheet.row_dimensions[number].height or 0) >= 15 * lines, "what is wrapped must be seen"
                elif isinstance(cell.value, datetime):
                    assert wide > len("21/11/2026 11:00"), "else it reads ####"


def test_the_workbook_holds_numbers_with_unit_n_interval_and_source() -> None:
    book = load_workbook(io.BytesIO(render(facts(), "xlsx")))
    rows = list(book["Chỉ số"].iter_rows(values_only=True))
    share = dict(zip(rows[0], rows[2], strict=True))
    assert share["Giá trị"] == 91.4
    assert share["Đơn vị"] == "%"
    assert share["n (Cỡ mẫu)"] == 372
    assert (share["95% Cận dưới"], share["95% Cận trên"]) == (88.4, 94.1)
    assert (share["Thường lệ p10"], share["Thường lệ p90"]) == (90.0, 94.0)
    assert share["Nguồn"] == "Hệ thống này tính"
    assert share["Lúc"] == datetime(2026, 9, 15, 17, 0)
    shown = {cell.value: cell.number_format for cell in book["Chỉ số"][3]}
    assert shown[91.4] == "[$-42A]#,##0.0", "as many decimals as the indicator has, not two of everything"
    assert shown[372] == "[$-42A]#,##0"
    ahead = list(book["Dự báo"].iter_rows(values_only=True))
    assert len(ahead) == 13
    assert ahead[1][3:6] == (pytest.approx(4.2), pytest.approx(4.08), pytest.approx(4.32))
    about = [cell for row in book["Về bản này"].iter_rows(values_only=True) for cell in row]
    assert "DỮ LIỆU MÔ PHỎNG" in about


def test_nothing_from_outside_comes_alive_in_any_shape() -> None:
    evil = Said(HOSTILE, HOSTILE)
    link = replace(CHAIN.links[0], place=evil, value=evil)
    hostile = facts(
        figures=(replace(JAM, place=evil, source=evil), HAPPY),
        asks=(asked("task", HOSTILE, owner=HOSTILE),),
        chains=(replace(CHAIN, lead=HOSTILE, links=(link, link)),),
        trials=(replace(PILOT, title=evil, source=HOSTILE),),
    )
    book = load_workbook(io.BytesIO(render(hostile, "xlsx")))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", cell.value
                assert not str(cell.value or "").startswith("=")
    html = render(hostile, "html").decode()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    with zipfile.ZipFile(io.BytesIO(render(hostile, "docx"))) as paper:
        assert b"<script" not in paper.read("word/document.xml")
    assert "<script>" in flat(pdf_text(render(hostile, "pdf"))), "on paper it is but text"


def test_letters_that_a_font_or_xml_lacks_do_not_stop_a_report() -> None:
    odd = facts(asks=(asked("task", "tên\x00lạ \x07 🚦 漢字"),))
    for shape in FORMATS:
        assert render(odd, shape)


# -- HTML -------------------------------------------------------------------------------------------------------------


def test_the_html_loads_nothing_from_outside() -> None:
    text = render(with_letters(), "html").decode()
    assert EVERY_LETTER in text
    assert not re.search(r"(src|href)\s*=|@import|url\(", text)
    assert 'lang="vi"' in text
    assert "@page" in text


def test_a_task_that_waits_for_thirty_others_does_not_end_the_report() -> None:
    waits = "; đang chờ: " + ", ".join(f"Rà soát dịch vụ số {number} của mọi bộ phận một cửa" for number in range(120))
    long = facts(asks=(asked("task", f"Nâng tỷ lệ{waits}"),))
    assert len(waits) > 5000
    for shape in FORMATS:
        assert render(long, shape)
    text = flat(pdf_text(render(long, "pdf")))
    assert "Nâng tỷ lệ; đang chờ: Rà soát dịch vụ số 0" in text
    assert "…" in text


@pytest.mark.parametrize("tasks", range(16))
def test_a_signature_never_stands_alone_on_its_page(tasks: int) -> None:
    """However long the report is, wherever its pages break."""
    told = facts(asks=tuple(asked("task", f"Việc {number}") for number in range(tasks)))
    last = flat(unicodedata.normalize("NFC", PdfReader(io.BytesIO(render(told, "pdf"))).pages[-1].extract_text()))
    assert "(Ký, ghi rõ họ tên)" in last
    assert "Thường lệ: khoảng p10–p90" in last
    paper = Document(io.BytesIO(render(told, "docx")))
    note = next(one for one in paper.paragraphs if one.text.startswith("Thường lệ: khoảng p10–p90"))
    behind = paper.paragraphs[[one.text for one in paper.paragraphs].index(note.text) :]
    assert all(one.paragraph_format.keep_with_next for one in behind if one.text)
