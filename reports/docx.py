"""The brief as DOCX in the form of Decree 30/2020/NĐ-CP, annex I: A4, margins, Times New Roman, the nine parts.

Left open for the office: the number (given by the registry) and the signature.
"""

from __future__ import annotations

import io
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from analysis.brief_words import Told, tell
from core.brief import Facts
from reports._layout import Head, head, repeatable, sections

FACE = "Times New Roman"
TEXT_PT, TABLE_PT, WIDE_TABLE_PT = 13, 11, 8.5
WIDE = 8  # a table with more columns gets small letters
CENTRE, JUSTIFY = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.JUSTIFY


def make(facts: Facts, language: str) -> bytes:
    """The DOCX of a brief."""
    told = tell(facts, language)
    frame = head(told)
    paper = Document()
    _page(paper)
    _letterhead(paper, frame)
    _centred(paper, frame.kind, 14, bold=True, before=12)
    _underlined(_centred(paper, frame.about, 14, bold=True))
    if told.marks:
        _centred(paper, f"[{' · '.join(told.marks)}]", 12, bold=True, before=6)
    _centred(paper, told.subtitle, 12, italic=True)
    for number, (title, texts, table) in enumerate(sections(told), start=1):
        heading = _paragraph(paper, f"{number}. {title}", bold=True, before=6)
        heading.paragraph_format.keep_with_next = True
        for place, text in enumerate(texts):
            _paragraph(paper, text, bold=number == 1 and place == 0, indent=True, align=JUSTIFY)
        if table:
            _table(paper, table if table[0] != ["", ""] else table[1:], headed=table[0] != ["", ""])
    for one in told.notes:
        _paragraph(paper, one, italic=True, size=11)
    _foot(paper, frame)
    _properties(paper, told)
    out = io.BytesIO()
    paper.save(out)
    return repeatable(out.getvalue(), facts.made_at)


def _page(paper: Any) -> None:
    section = paper.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin = section.bottom_margin = Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(15)
    section.header_distance = Mm(10)
    section.different_first_page_header_footer = True  # the number stands from the second page on
    normal = paper.styles["Normal"]
    normal.font.name, normal.font.size = FACE, Pt(TEXT_PT)
    fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(script), FACE)
    normal.paragraph_format.space_before = normal.paragraph_format.space_after = Pt(0)
    number = section.header.paragraphs[0]
    number.alignment = CENTRE
    run = number.add_run()
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        else:
            part.text = text
        run._r.append(part)


def _letterhead(paper: Any, frame: Head) -> None:
    table = paper.add_table(rows=2, cols=2)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    for row in table.rows:
        for cell, wide in zip(row.cells, (Mm(68), Mm(97)), strict=True):
            cell.width = wide
    own, nation = table.rows[0].cells
    _in_cell(own, frame.superior, 12)
    _underlined(_in_cell(own, frame.issuer, 12, bold=True, more=True))
    _in_cell(nation, frame.nation, 12, bold=True)
    _underlined(_in_cell(nation, frame.motto, 13, bold=True, more=True))
    number, dated = table.rows[1].cells
    _in_cell(number, frame.number, 13)
    _in_cell(dated, frame.place_date, 13, italic=True)


def _in_cell(cell: Any, text: str, size: float, *, bold: bool = False, italic: bool = False, more: bool = False) -> Any:
    paragraph = cell.add_paragraph() if more else cell.paragraphs[0]
    paragraph.alignment = CENTRE
    _run(paragraph, text, size, bold=bold, italic=italic)
    return paragraph


def _underlined(paragraph: Any) -> None:
    """A rule below the line, as under the motto and the subject: a border of the paragraph, drawn in its middle."""
    paragraph.paragraph_format.space_after = Pt(4)
    borders = OxmlElement("w:pBdr")
    bottom = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "4"), ("space", "1"), ("color", "000000")):
        bottom.set(qn(f"w:{name}"), value)
    borders.append(bottom)
    properties = paragraph._p.get_or_add_pPr()
    properties.insert_element_before(borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc")
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Mm(18)


def _run(paragraph: Any, text: str, size: float, *, bold: bool = False, italic: bool = False) -> None:
    run = paragraph.add_run(_printable(text))
    run.font.size, run.font.name, run.bold, run.italic = Pt(size), FACE, bold, italic


def _printable(text: str) -> str:
    """XML has no control characters; a name from outside may."""
    return "".join(one for one in text if one in "\t\n" or one.isprintable() or one == "\xa0")


def _centred(paper: Any, text: str, size: float, *, bold: bool = False, italic: bool = False, before: float = 0) -> Any:
    paragraph = paper.add_paragraph()
    paragraph.alignment = CENTRE
    paragraph.paragraph_format.space_before = Pt(before)
    _run(paragraph, text, size, bold=bold, italic=italic)
    return paragraph


def _paragraph(
    paper: Any,
    text: str,
    *,
    bold: bool = False,
    italic: bool = False,
    before: float = 0,
    indent: bool = False,
    align: Any = None,
    size: float = TEXT_PT,
) -> Any:
    paragraph = paper.add_paragraph()
    paragraph.alignment = align
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(before), Pt(6)
    if indent:
        paragraph.paragraph_format.first_line_indent = Mm(10)
    _run(paragraph, text, size, bold=bold, italic=italic)
    return paragraph


def _table(paper: Any, rows: list[list[str]], *, headed: bool) -> None:
    size = WIDE_TABLE_PT if len(rows[0]) > WIDE else TABLE_PT
    table = paper.add_table(rows=0, cols=len(rows[0]))
    table.style = "Table Grid"
    for number, row in enumerate(rows):
        cells = table.add_row().cells
        for cell, text in zip(cells, row, strict=True):
            _run(cell.paragraphs[0], text, size, bold=headed and number == 0)
    if headed:  # the head is repeated on every page that the table runs over
        mark = OxmlElement("w:tblHeader")
        table.rows[0]._tr.get_or_add_trPr().append(mark)
    paper.add_paragraph().paragraph_format.space_after = Pt(0)


def _foot(paper: Any, frame: Head) -> None:
    table = paper.add_table(rows=1, cols=2)
    receivers, signer = table.rows[0].cells
    _run(receivers.paragraphs[0], frame.to, 12, bold=True, italic=True)
    for one in frame.receivers:
        _run(receivers.add_paragraph(), one, 11)
    _in_cell(signer, frame.signer, TEXT_PT, bold=True)
    _in_cell(signer, frame.sign_here, TEXT_PT, italic=True, more=True)


def _properties(paper: Any, told: Told) -> None:
    properties = paper.core_properties
    properties.title, properties.author = f"{told.title} {told.subtitle}", told.centre
    properties.language = told.language
    properties.comments = " · ".join(told.marks)
