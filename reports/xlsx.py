"""The figures of the brief as a workbook: numbers as numbers, with unit, n, interval, usual range, source and time.

Text from outside never becomes a formula: it is written as text, and what begins like one gets one ' in front
(core/safe_csv).
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from analysis.brief_words import Told, tell
from core import formats
from core.brief import Facts
from core.i18n import Translator
from core.safe_csv import safe_text
from reports._layout import repeatable

WIDEST = 48  # letters; longer texts are wrapped
NARROWEST = 8
A4 = 9  # as ECMA-376 numbers the papers
LINE_PT = 15.0
VIETNAMESE = "[$-42A]"  # decimal comma also on a machine of another language, where its program obeys


@dataclass(frozen=True, slots=True)
class Number:
    """A figure with the decimals in which its indicator is told; the cell keeps the whole value."""

    value: float | None
    decimals: int


Value = str | float | int | date | datetime | Number | None


def make(facts: Facts, language: str) -> bytes:
    """The workbook of a brief."""
    told, t = tell(facts, language), Translator(language)
    book = Workbook(write_only=True)
    book.properties.creator, book.properties.title = told.centre, f"{told.title} {told.subtitle}"
    _sheet(book, t("reports.sheet_about"), _about(told, t), language)
    _sheet(book, t("reports.sheet_figures"), _figures(told, t), language)
    _sheet(book, t("reports.sheet_trail"), _trail(told, t), language)
    _sheet(book, t("reports.sheet_asks"), _asks(told, t), language)
    _sheet(book, t("reports.sheet_trials"), _trials(told, t), language)
    _sheet(book, t("reports.sheet_ahead"), _ahead(told, t), language)
    out = io.BytesIO()
    book.save(out)
    return repeatable(out.getvalue(), facts.made_at)


def _about(told: Told, t: Translator) -> list[Sequence[Value]]:
    rows: list[Sequence[Value]] = [(told.title, told.subtitle), (told.centre, told.city)]
    rows += [("", one) for one in told.marks]
    rows += [(t("reports.summary"), told.headline)]
    rows += [("", one) for one in told.reasons]
    rows += [*told.trust, *told.counts]
    return rows + [("", one) for one in told.notes]


def _figures(told: Told, t: Translator) -> list[Sequence[Value]]:
    names = ("indicator", "place", "value")
    rows: list[Sequence[Value]] = [
        (
            *(t(f"brief.{name}") for name in names),
            t("reports.unit"),
            t("brief.at"),
            f"{t('brief.usual')} p10",
            f"{t('brief.usual')} p50",
            f"{t('brief.usual')} p90",
            t("brief.score"),
            t("brief.hours"),
            t("reports.n_values"),
            t("brief.mean"),
            t("brief.before"),
            f"n ({t('brief.sample')})",
            f"95% {t('reports.low')}",
            f"95% {t('reports.high')}",
            t("brief.source"),
            t("brief.newest"),
        )
    ]
    zone = told.facts.tz
    for row in told.rows:
        one = row.figure
        rows.append(
            (
                row.name,
                row.place,
                Number(one.value, one.decimals),
                one.unit.text(told.language),
                _local(one.at, zone),
                *(Number(edge, one.decimals) for edge in (one.low, one.middle, one.high)),
                Number(one.score, 1),
                f"{one.hours_out}/{one.hours}",
                one.mean_n,
                Number(one.mean, one.decimals),
                Number(one.before, one.decimals),
                one.sample,
                Number(one.sample_low, max(one.decimals, 1)),
                Number(one.sample_high, max(one.decimals, 1)),
                row.source,
                None if one.latest_at is None else _local(one.latest_at, zone),
            )
        )
    return rows


def _trail(told: Told, t: Translator) -> list[Sequence[Value]]:
    zone = told.facts.tz
    rows: list[Sequence[Value]] = [
        (t("brief.indicator"), t("brief.place"), t("brief.at"), t("brief.value"), t("reports.unit"))
    ]
    for row in told.rows:
        unit = row.figure.unit.text(told.language)
        decimals = row.figure.decimals
        rows += [
            (row.name, row.place, _local(point.at, zone), Number(point.value, decimals), unit)
            for point in row.figure.trail
        ]
    return rows


def _asks(told: Told, t: Translator) -> list[Sequence[Value]]:
    rows: list[Sequence[Value]] = [(t("reports.task"), t("reports.owner"), t("reports.due"))]
    return rows + [(one.text, one.detail, one.word) for one in told.asks]


def _trials(told: Told, t: Translator) -> list[Sequence[Value]]:
    rows: list[Sequence[Value]] = [
        (
            t("brief.trial"),
            t("brief.indicator"),
            t("brief.result"),
            t("brief.effect"),
            f"95% {t('reports.low')}",
            f"95% {t('reports.high')}",
            t("reports.unit"),
            t("brief.sample"),
            t("brief.source"),
        )
    ]
    for one in told.tried:
        trial = one.trial
        unit = trial.unit.text(told.language)
        rows.append(
            (
                one.title,
                one.indicator,
                one.state,
                *(Number(value, trial.decimals) for value in (trial.effect, trial.low, trial.high)),
                unit,
                one.sample,
                trial.source,
            )
        )
    return rows


def _ahead(told: Told, t: Translator) -> list[Sequence[Value]]:
    zone = told.facts.tz
    rows: list[Sequence[Value]] = [
        (
            t("brief.indicator"),
            t("brief.place"),
            t("brief.at"),
            t("brief.value"),
            f"80% {t('reports.low')}",
            f"80% {t('reports.high')}",
            t("reports.unit"),
            t("brief.sample"),
        )
    ]
    for one in told.aheads:
        outlook = one.outlook
        unit = outlook.unit.text(told.language)
        for point, low, high in zip(outlook.middle, outlook.low, outlook.high, strict=True):
            figures = (Number(value, outlook.decimals) for value in (point.value, low, high))
            rows.append((one.name, one.place, _local(point.at, zone), *figures, unit, outlook.tests))
    return rows if told.aheads else [*rows, (told.no_ahead,)]


def _local(at: datetime, zone: Any) -> datetime:
    """City time; a workbook knows no zones."""
    return at.astimezone(zone).replace(tzinfo=None)


def _sheet(book: Any, title: str, rows: list[Sequence[Value]], language: str) -> None:
    """A sheet with its head frozen and repeated on paper: A4 across, all columns on one page's width."""
    sheet = book.create_sheet(title)
    widths = _widths(rows, language)
    for number, wide in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = wide
    for number, row in enumerate(rows, start=1):  # no program computes the height of what a writer wrapped
        lines = max((_lines(value, wide) for value, wide in zip(row, widths, strict=False)), default=1)
        if lines > 1:
            sheet.row_dimensions[number].height = LINE_PT * lines
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", A4
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    for number, row in enumerate(rows):
        sheet.append([_cell(sheet, value, language, head=number == 0) for value in row])


def _widths(rows: Sequence[Sequence[Value]], language: str) -> list[float]:
    """Letters per column: what is shown and not what is stored; a long head wraps and does not widen its column."""
    columns = max((len(row) for row in rows), default=0)
    found = []
    for number in range(columns):
        texts = [_shown(row[number], language) for row in rows[1:] if number < len(row)]
        head = _shown(rows[0][number], language) if number < len(rows[0]) else ""
        longest = max([*map(len, texts), *map(len, head.split())], default=0)
        found.append(float(min(max(longest + 3, NARROWEST), WIDEST)))
    return found


def _shown(value: Value, language: str) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return "00/00/0000 00:00"
    if isinstance(value, Number):
        return formats.number(value.value, value.decimals, language)
    return str(value)


def _lines(value: Value, wide: float) -> int:
    """Lines that a text takes in its cell; letters of a head are wider than digits, hence the tenth."""
    parts = value.split("\n") if isinstance(value, str) else [""]
    return sum(max(1, len(textwrap.wrap(part, max(int((wide - 1) / 1.1), 1)))) for part in parts)


def _cell(sheet: Any, value: Value, language: str, *, head: bool) -> Any:
    cell = WriteOnlyCell(sheet, value=None)
    if isinstance(value, str):
        text = safe_text("".join(one for one in value if one in "\t\n" or one.isprintable() or one == "\xa0"))
        cell.value = text
        cell.data_type = "s"
        cell.alignment = Alignment(vertical="top", wrap_text=True, indent=1)
    elif isinstance(value, Number):
        cell.value = value.value
        cell.number_format = _format(value.decimals, language)
        cell.alignment = Alignment(vertical="top")
    else:
        cell.value = value
        cell.alignment = Alignment(vertical="top")
        if isinstance(value, datetime):
            cell.number_format = "dd/mm/yyyy hh:mm"
        elif isinstance(value, int):
            cell.number_format = _format(0, language)
    if head:
        cell.font = Font(bold=True)
    return cell


def _format(decimals: int, language: str) -> str:
    own = "" if language == "en" else VIETNAMESE
    return f"{own}#,##0.{'0' * decimals}" if decimals else f"{own}#,##0"
