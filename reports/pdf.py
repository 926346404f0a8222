"""The brief as PDF by fpdf2: real text, embedded fonts with every Vietnamese letter, pictures as vector lines."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any, cast

from fpdf import FPDF, FontFace
from fpdf.enums import MethodReturnValue, TableBordersLayout, XPos, YPos

from analysis.brief_words import Ahead, Row, Told, tell
from core.brief import Facts
from core.i18n import Translator
from reports._layout import NATION_MM, OWN_MM, WIDTHS_MM, Head, head, sections

FONTS = Path(__file__).resolve().parent / "fonts"
FACE = "Liberation Serif"  # metric-compatible with Times New Roman, which may not be shipped
LEFT, RIGHT, TOP, BOTTOM = 30.0, 15.0, 20.0, 20.0  # mm, after Decree 30/2020/NĐ-CP annex I
TEXT_PT, SMALL_PT, TABLE_PT = 13.0, 10.5, 9.0
INK, GREY, BAND = 20, 110, 226
FOOT_MM = 44.0  # receivers and signature
HALF_SCALE = 4.0  # as on the page
MOST_LETTERS = 600  # of one cell; whoever needs more of it finds it on the screen and in the workbook
logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table of every face
NEXT: dict[str, Any] = {"new_x": XPos.LMARGIN, "new_y": YPos.NEXT}


class Paper(FPDF):
    """An A4 page whose number stands in the middle of the top margin from the second page on."""

    def header(self) -> None:
        """Called by the library on every new page."""
        if self.page_no() > 1:
            self.set_y(10)
            self.set_font(FACE, size=TEXT_PT)
            self.cell(0, 6, str(self.page_no()), align="C", **NEXT)
            self.set_y(TOP)


def make(facts: Facts, language: str) -> bytes:
    """The PDF of a brief."""
    told = tell(facts, language)
    paper = Paper(format="A4")
    paper.set_creation_date(facts.made_at)
    paper.set_title(f"{told.title} {told.subtitle}")
    paper.set_lang(language)
    paper.set_margins(LEFT, TOP, RIGHT)
    paper.set_auto_page_break(True, BOTTOM)
    for style, name in (("", "Regular"), ("B", "Bold"), ("I", "Italic")):
        paper.add_font(FACE, style, FONTS / f"LiberationSerif-{name}.ttf")
    paper.add_page()
    paper.set_text_color(INK)
    frame = head(told)
    _letterhead(paper, frame)
    _marks(paper, told)
    for number, (title, texts, table) in enumerate(sections(told), start=1):
        _heading(paper, f"{number}. {title}", room=22.0 if number < 7 else 12.0 + 5.6 * len(table))
        for place, text in enumerate(texts):
            _text(paper, text, bold=number == 1 and place == 0)
        if number == 1:
            _sticks(paper, told)
        if number == 3:
            for one in told.aheads:
                _curve(paper, one)
        if table:
            _table(paper, table, number)
    _notes(paper, told)
    _foot(paper, frame)
    return bytes(paper.output())


def _letterhead(paper: Paper, frame: Head) -> None:
    width, top = paper.epw, paper.get_y()
    own, nation = OWN_MM, NATION_MM

    def line(text: str, x: float, wide: float, y: float, size: float, style: str) -> float:
        paper.set_xy(x, y)
        paper.set_font(FACE, style, size)
        paper.multi_cell(wide, 5.6, text, align="C", new_x=XPos.LEFT, new_y=YPos.NEXT)
        return float(paper.get_y())

    y = line(frame.superior, LEFT, own, top, 12, "")
    y = line(frame.issuer, LEFT, own, y, 12, "B")
    _rule(paper, LEFT + own / 2, y + 0.6, own / 3)
    y = line(frame.number, LEFT, own, y + 2.5, 13, "")
    z = line(frame.nation, LEFT + own, nation, top, 12, "B")
    z = line(frame.motto, LEFT + own, nation, z, 13, "B")
    paper.set_font(FACE, "B", 13)
    _rule(paper, LEFT + own + nation / 2, z + 0.6, paper.get_string_width(frame.motto))
    z = line(frame.place_date, LEFT + own, nation, z + 2.5, 13, "I")
    paper.set_xy(LEFT, max(y, z) + 5)
    paper.set_font(FACE, "B", 14)
    paper.multi_cell(0, 6.4, frame.kind, align="C", **NEXT)
    paper.multi_cell(0, 6.4, frame.about, align="C", **NEXT)
    _rule(paper, LEFT + width / 2, paper.get_y() + 1, width / 4)
    paper.ln(4)


def _rule(paper: Paper, middle: float, y: float, wide: float) -> None:
    paper.set_line_width(0.25)
    paper.set_draw_color(INK)
    paper.line(middle - wide / 2, y, middle + wide / 2, y)


def _marks(paper: Paper, told: Told) -> None:
    """Simulated, drill, late: said on the first page in a box, before any number."""
    if told.marks:
        paper.set_font(FACE, "B", 11)
        paper.set_draw_color(GREY)
        paper.set_dash_pattern(dash=1.2, gap=0.8)
        paper.multi_cell(0, 7, " · ".join(told.marks), align="C", border=1, **NEXT)
        paper.set_dash_pattern()
    paper.set_font(FACE, "I", SMALL_PT)
    paper.multi_cell(0, 6, told.subtitle, align="C", **NEXT)


def _heading(paper: Paper, text: str, *, room: float) -> None:
    """A heading with at least so many millimetres below it on its page: it never stands alone at the foot."""
    if paper.will_page_break(room):
        paper.add_page()
    paper.ln(2)
    paper.set_font(FACE, "B", TEXT_PT)
    paper.multi_cell(0, 6.4, text, **NEXT)


def _text(paper: Paper, text: str, *, bold: bool = False) -> None:
    paper.set_font(FACE, "B" if bold else "", TEXT_PT)
    paper.multi_cell(0, 6.2, text, align="J", **NEXT)
    paper.ln(1)


def _table(paper: Paper, rows: list[list[str]], number: int) -> None:
    """Columns by what they hold; the words of the last section have no head."""
    paper.set_font(FACE, size=TABLE_PT if number != 6 else 7.5)
    paper.set_draw_color(170)
    paper.set_fill_color(255)
    paper.set_line_width(0.15)
    # A row higher than a page ends the whole report, for everybody: one task that waits for thirty others is enough.
    shown = rows if number != 7 else rows[1:]
    body = [[cell if len(cell) <= MOST_LETTERS else f"{cell[:MOST_LETTERS]}…" for cell in row] for row in shown]
    with paper.table(
        body,
        col_widths=WIDTHS_MM[number],
        first_row_as_headings=number != 7,
        headings_style=FontFace(emphasis="BOLD", fill_color=(240, 240, 240)),
        borders_layout=TableBordersLayout.ALL,
        line_height=paper.font_size * 1.32,
        padding=0.8,
        text_align="LEFT",
        align="LEFT",
        markdown=False,
    ):
        paper.ln(0)
    paper.ln(1)


def _sticks(paper: Paper, told: Told) -> None:
    """How far each figure was from its usual: a stick from the middle, the grey band is the usual range."""
    shown = [row for row in told.rows if row.figure.score is not None]
    if not shown:
        return
    t = Translator(told.language)
    step, label, tail = 5.0, 48.0, 18.0
    if paper.will_page_break(step * len(shown) + 12):
        paper.add_page()
    paper.set_font(FACE, "I", SMALL_PT)
    paper.multi_cell(0, 5.4, f"{t('brief.deviation')}: {t('brief.deviation_how')}", **NEXT)
    top, left, wide = paper.get_y() + 0.5, LEFT + label, paper.epw - label - tail
    middle, unit = left + wide / 2, wide / 2 / HALF_SCALE
    paper.set_fill_color(BAND)
    paper.rect(middle - unit, top, 2 * unit, step * len(shown), style="F")
    paper.set_draw_color(GREY)
    paper.set_line_width(0.2)
    paper.line(middle, top, middle, top + step * len(shown))
    for number, row in enumerate(shown):
        _stick(paper, row, top + step * (number + 0.5), middle, unit, label, tail)
    paper.set_xy(LEFT, top + step * len(shown) + 2)


def _stick(paper: Paper, row: Row, y: float, middle: float, unit: float, label: float, tail: float) -> None:
    score = row.figure.score or 0.0
    x = middle + unit * max(-HALF_SCALE, min(HALF_SCALE, score))
    odd = row.figure.outside
    paper.set_font(FACE, "B" if odd else "", SMALL_PT)
    paper.set_xy(LEFT, y - 2.5)
    paper.cell(label - 2, 5, row.name, align="R")
    paper.set_xy(LEFT + paper.epw - tail, y - 2.5)
    paper.cell(tail, 5, row.score, align="R")
    paper.set_draw_color(INK)
    paper.set_fill_color(INK)
    paper.set_line_width(0.5)
    paper.line(middle, y, x, y)
    if odd:  # a diamond: seen without colour
        paper.polygon([(x, y - 1.7), (x + 1.7, y), (x, y + 1.7), (x - 1.7, y)], style="F")
    else:
        paper.circle(x, y, 1.0, style="F")


def _curve(paper: Paper, one: Ahead) -> None:
    """The forecast as lines: past, middle dashed, the 80 % interval as an area, the limit."""
    outlook, high, label = one.outlook, 30.0, 14.0
    if paper.will_page_break(high + 10):
        paper.add_page()
    past = [(point.at.timestamp(), point.value) for point in outlook.past]
    middle = [(point.at.timestamp(), point.value) for point in outlook.middle]
    times = [at for at, _ in (*past, *middle)]
    limits = [] if outlook.limit is None else [outlook.limit]
    values = [value for _, value in past] + [*outlook.low, *outlook.high, *limits]
    low, top = min(values), max(values)
    room = max(top - low, 1e-9)
    y0, x0, wide = paper.get_y() + 1, LEFT + label, paper.epw - label

    def at(moment: float, value: float) -> tuple[float, float]:
        across = (moment - min(times)) / max(max(times) - min(times), 1.0)
        return x0 + wide * across, y0 + high * (1 - (value - low) / room)

    rim = [at(moment, value) for (moment, _), value in zip(middle, outlook.high, strict=True)]
    rim += [at(moment, value) for (moment, _), value in reversed(list(zip(middle, outlook.low, strict=True)))]
    paper.set_fill_color(BAND)
    paper.polygon(rim, style="F")
    paper.set_draw_color(INK)
    paper.set_line_width(0.5)
    if len(past) > 1:
        paper.polyline([at(*point) for point in past])
    paper.set_dash_pattern(dash=0.8, gap=0.8)
    paper.polyline([at(*point) for point in (*past[-1:], *middle)])
    if outlook.limit is not None:
        paper.set_dash_pattern(dash=2, gap=1.2)
        paper.set_line_width(0.25)
        y = at(min(times), outlook.limit)[1]
        paper.line(x0, y, x0 + wide, y)
    paper.set_dash_pattern()
    paper.set_font(FACE, size=TABLE_PT)
    for value in (low, top):
        paper.set_xy(LEFT, at(min(times), value)[1] - 2)
        paper.cell(label - 1, 4, f"{value:.{outlook.decimals}f}".replace(".", ","), align="R")
    paper.set_xy(LEFT, y0 + high + 3)


def _notes(paper: Paper, told: Told) -> None:
    paper.ln(1)
    paper.set_font(FACE, "I", SMALL_PT)
    measure = partial(paper.multi_cell, 0, 5, dry_run=True, output=MethodReturnValue.HEIGHT)
    high = sum(cast(float, measure(one)) for one in told.notes)
    if paper.will_page_break(high + FOOT_MM):  # a signature never stands alone on its page
        paper.add_page()
    for one in told.notes:
        paper.multi_cell(0, 5, one, **NEXT)


def _foot(paper: Paper, frame: Head) -> None:
    if paper.will_page_break(FOOT_MM):
        paper.add_page()
    paper.ln(4)
    top, half = paper.get_y(), paper.epw / 2
    paper.set_font(FACE, "I", 12)
    paper.set_draw_color(INK)
    with paper.local_context(text_mode="FILL_STROKE", line_width=0.12):  # bold italic, without a fourth face
        paper.cell(half, 5.5, frame.to, **NEXT)
    paper.set_font(FACE, size=11)
    for one in frame.receivers:
        paper.cell(half, 5, one, **NEXT)
    paper.set_xy(LEFT + half, top)
    paper.set_font(FACE, "B", TEXT_PT)
    paper.cell(half, 6, frame.signer, align="C", new_x=XPos.LEFT, new_y=YPos.NEXT)
    paper.set_font(FACE, "I", 12)
    paper.cell(half, 6, frame.sign_here, align="C", **NEXT)
