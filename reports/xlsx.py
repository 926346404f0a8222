"""The figures of the brief as a workbook: numbers as numbers, with unit, n, interval, usual range, source and time.

Text from outside never becomes a formula: it is written as text, and what begins like one gets one ' in front
(core/safe_csv).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from analysis.brief_words import Told, tell
from core.brief import Facts
from core.i18n import Translator
from core.safe_csv import safe_text
from reports._layout import repeatable

WIDEST = 48
Value = str | float | int | date | datetime | None


def make(facts: Facts, language: str) -> bytes:
    """The workbook of a brief."""
    told, t = tell(facts, language), Translator(language)
    book = Workbook(write_only=True)
    book.properties.creator, book.properties.title = told.centre, f"{told.title} {told.subtitle}"
    _sheet(book, t("reports.sheet_about"), _about(told, t))
    _sheet(book, t("reports.sheet_figures"), _figures(told, t))
    _sheet(book, t("reports.sheet_trail"), _trail(told, t))
    _sheet(book, t("reports.sheet_asks"), _asks(told, t))
    _sheet(book, t("reports.sheet_trials"), _trials(told, t))
    _sheet(book, t("reports.sheet_ahead"), _ahead(told, t))
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
                one.value,
                one.unit.text(told.language),
                _local(one.at, zone),
                one.low,
                one.middle,
                one.high,
                one.score,
                f"{one.hours_out}/{one.hours}",
                one.mean_n,
                one.mean,
                one.before,
                one.sample,
                one.sample_low,
                one.sample_high,
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
        rows += [(row.name, row.place, _local(point.at, zone), point.value, unit) for point in row.figure.trail]
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
            (one.title, one.indicator, one.state, trial.effect, trial.low, trial.high, unit, one.sample, trial.source)
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
            rows.append((one.name, one.place, _local(point.at, zone), point.value, low, high, unit, outlook.tests))
    return rows if told.aheads else [*rows, (told.no_ahead,)]


def _local(at: datetime, zone: Any) -> datetime:
    """City time; a workbook knows no zones."""
    return at.astimezone(zone).replace(tzinfo=None)


def _sheet(book: Any, title: str, rows: list[Sequence[Value]]) -> None:
    sheet = book.create_sheet(title)
    columns = max((len(row) for row in rows), default=0)
    for number in range(columns):
        texts = [str(row[number]) for row in rows if number < len(row) and row[number] is not None]
        sheet.column_dimensions[get_column_letter(number + 1)].width = min(max(map(len, texts), default=0) + 2, WIDEST)
    sheet.freeze_panes = "A2"
    for number, row in enumerate(rows):
        sheet.append([_cell(sheet, value, head=number == 0) for value in row])


def _cell(sheet: Any, value: Value, *, head: bool) -> Any:
    cell = WriteOnlyCell(sheet, value=None)
    if isinstance(value, str):
        text = safe_text("".join(one for one in value if one in "\t\n" or one.isprintable() or one == "\xa0"))
        cell.value = text
        cell.data_type = "s"
        cell.alignment = Alignment(vertical="top", wrap_text=True)
    else:
        cell.value = value
        if isinstance(value, datetime):
            cell.number_format = "dd/mm/yyyy hh:mm"
        elif isinstance(value, float):
            cell.number_format = "#,##0.00"
    if head:
        cell.font = Font(bold=True)
    return cell
