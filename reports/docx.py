"""The brief as DOCX in the form of Decree 30/2020/NĐ-CP, annex I: A4, margins, Times New Roman, the nine parts.

Left open for the office: the number (given by the registry) and the signature.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from analysis.brief_words import Told, tell
from core.brief import Facts
from reports._layout import NATION_MM, OWN_MM, TEXT_MM, WIDTHS_MM, Head, head, repeatable, sections

FACE = "Times New Roman"
TEXT_PT, TABLE_PT, WIDE_TABLE_PT = 13, 11, 8
WIDE = 8  # a table with more columns gets small letters
DXA_PER_MM = 1440 / 25.4  # twentieths of a point
MOTTO_MM_PER_LETTER = 2.15  # of 13 pt bold: the rule is as long as the motto
CENTRE, JUSTIFY = WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.JUSTIFY


def make(facts: Facts, language: str) -> bytes:
    """The DOCX of a brief."""
    told = tell(facts, language)
    frame = head(told)
    paper = Document()
    _page(paper)
    _letterhead(paper, frame)
    _centred(paper, frame.kind, 14, bold=True, before=12)
    _centred(paper, frame.about, 14, bold=True)
    _rule(paper.add_paragraph(), TEXT_MM, TEXT_MM / 4)
    if told.marks:
        _centred(paper, f"[{' · '.join(told.marks)}]", 12, bold=True, before=6)
    _centred(paper, told.subtitle, 12, italic=True)
    for number, (title, texts, table) in enumerate(sections(told), start=1):
        heading = _paragraph(paper, f"{number}. {title}", bold=True, before=6)
        heading.paragraph_format.keep_with_next = True
        for place, text in enumerate(texts):
            _paragraph(paper, text, bold=number == 1 and place == 0, indent=True, align=JUSTIFY)
        if table:
            headed = table[0] != ["", ""]
            _table(paper, table if headed else table[1:], WIDTHS_MM[number], headed=headed)
    for one in told.notes:  # a signature never stands alone on its page
        _paragraph(paper, one, italic=True, size=11).paragraph_format.keep_with_next = True
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
    _columns(table, (OWN_MM, NATION_MM), side_mm=0.0)
    own, nation = table.rows[0].cells
    _in_cell(own, frame.superior, 12)
    _in_cell(own, frame.issuer, 12, bold=True, more=True)
    _rule(own.add_paragraph(), OWN_MM, OWN_MM / 3)
    _in_cell(nation, frame.nation, 12, bold=True)
    _in_cell(nation, frame.motto, 13, bold=True, more=True)
    _rule(nation.add_paragraph(), NATION_MM, MOTTO_MM_PER_LETTER * len(frame.motto))
    number, dated = table.rows[1].cells
    _in_cell(number, frame.number, 13)
    _in_cell(dated, frame.place_date, 13, italic=True)


def _in_cell(cell: Any, text: str, size: float, *, bold: bool = False, italic: bool = False, more: bool = False) -> Any:
    paragraph = cell.add_paragraph() if more else cell.paragraphs[0]
    paragraph.alignment = CENTRE
    _run(paragraph, text, size, bold=bold, italic=italic)
    return paragraph


def _columns(table: Any, widths_mm: Sequence[float], *, side_mm: float) -> None:
    """Fixed widths in the grid and in every cell (some programs read the one, some the other), and side margins."""
    table.autofit = False
    for column, wide in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(wide)
    for row in table.rows:
        for cell, wide in zip(row.cells, widths_mm, strict=True):
            cell.width = Mm(wide)
    properties = table._tbl.tblPr
    shift = OxmlElement("w:tblInd")  # else the frame of the table stands outside of the margin of the text
    shift.set(qn("w:w"), "0")
    shift.set(qn("w:type"), "dxa")
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(round(side_mm * DXA_PER_MM)))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    for old in properties.findall(qn("w:tblInd")):
        properties.remove(old)
    look = properties.find(qn("w:tblLook"))
    for part in (shift, properties.find(qn("w:tblLayout")), margins):  # in the order of the schema
        properties.append(part) if look is None else look.addprevious(part)


def _rule(paragraph: Any, wide_mm: float, long_mm: float) -> None:
    """A line in the middle of `wide_mm`, as under the motto and the subject: the border of an empty low paragraph."""
    shape = paragraph.paragraph_format
    shape.left_indent = shape.right_indent = Mm((wide_mm - long_mm) / 2)
    shape.line_spacing, shape.space_after = Pt(3), Pt(4)
    _run(paragraph, "", 2)
    borders = OxmlElement("w:pBdr")
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "4"), ("space", "1"), ("color", "000000")):
        top.set(qn(f"w:{name}"), value)
    borders.append(top)
    paragraph._p.get_or_add_pPr().insert_element_before(borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc")


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


def _table(paper: Any, rows: list[list[str]], widths_mm: Sequence[float], *, headed: bool) -> None:
    wide = len(rows[0]) > WIDE
    table = paper.add_table(rows=0, cols=len(rows[0]))
    table.style = "Table Grid"
    for number, row in enumerate(rows):
        made = table.add_row()
        made._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # a row is read on one page
        for cell, text in zip(made.cells, row, strict=True):
            _run(cell.paragraphs[0], text, WIDE_TABLE_PT if wide else TABLE_PT, bold=headed and number == 0)
            # The head keeps its first row, and a short table without a head stays whole.
            cell.paragraphs[0].paragraph_format.keep_with_next = number == 0 or (not headed and number < len(rows) - 1)
    _columns(table, widths_mm, side_mm=0.8 if wide else 1.6)
    if headed:  # the head is repeated on every page that the table runs over
        table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    paper.add_paragraph().paragraph_format.space_after = Pt(0)


def _foot(paper: Any, frame: Head) -> None:
    table = paper.add_table(rows=1, cols=2)
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
    _columns(table, (TEXT_MM / 2, TEXT_MM / 2), side_mm=0.0)
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
