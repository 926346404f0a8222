"""Spreadsheet drop folder: CSV, XLSX and XLS in Vietnamese office style -> observations.

API: none; a folder into which units put their files (option `folder`, relative to the repository's root).
Licence: the unit's own data. Key: none. Refresh: whenever a file is put there or replaced.
Options: `folder`; `columns` {head: catalogue key}, for heads that the house does not know; `site`, the site_id for
tables without a site column.
Traps: totals among the data rows, merged heads, numbers as text with a decimal comma, «-» and «KPS» for missing, day
first, day and month labels that mean the END of the day or month, 24:00, NFD, cp1258, UTF-16, TCVN3 and VNI fonts,
formulas that nobody computed, periods across instead of down. How a cell is read stands in _sheet_cells.py, how a
table is found in _sheet_layout.py and _sheet_crosstab.py, what its rows are in _sheet_table.py.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._drop_folder import check_readable, payloads_of_folder
from connectors._sheet_cells import CellError, read_number
from connectors._sheet_files import CELLS_MAX, read_sheets
from connectors._sheet_layout import SEARCH_ROWS, Sheet, Vocabulary
from connectors._sheet_table import Reading, address_of
from connectors._site_names import SiteNames
from connectors._vietnamese_text import folded, legacy_encoding, legacy_error
from core import observations
from core.catalogue import Source, load_properties
from core.errors import InputError

log = logging.getLogger(__name__)

SOURCE = Source(
    key="spreadsheet",
    name="Bảng tính CSV, XLSX trong thư mục",
    kind="report",
    licence="của đơn vị báo cáo",
    every=timedelta(minutes=5),
    static=True,
    attribution="Báo cáo của đơn vị",
    traps=(
        "a label without a clock means the END of its day or month",
        "1.234 is 1234 and 1,234 is 1.234; where the column also uses the dot as decimal sign, both are refused",
        "totals, region rows and everything below the signature line are left out",
    ),
)

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls")
DEFAULT_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

REMARKS = ("ghi chu", "note", "notes", "remarks")  # words beside the figures: nothing is lost without them
_FORMULA = re.compile(r"[=+\-@＝＋－＠]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetReading:
    """What was read of one file, for people who want to see it before it counts."""

    rows: pd.DataFrame  # the one frame, and `cell`: where each value stands («trang “T10”, ô D7»)
    problems: tuple[str, ...]  # what is wrong with single cells, in Vietnamese
    ignored: tuple[str, ...]  # heads of columns that are not in the catalogue
    left_out: Mapping[str, str] = field(default_factory=dict)  # the same heads: what to do about each, in Vietnamese
    notes: tuple[str, ...] = ()  # what else a person should know: hidden sheets and cells, macros, a unit not named
    formulas: tuple[str, ...] = ()  # cells of a CSV that would be computed by whoever opens the file in Excel


class SheetErrors(InputError):
    """Nothing of a file could be read. `problems` lists every reason, cell by cell."""

    def __init__(self, problems: Sequence[str]) -> None:
        more = f" (và {len(problems) - 1} lỗi khác)" if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{more}")
        self.problems = list(problems)


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """Every finished table file of the drop folder, by name; `http` is not used.

    Raises SourceUnavailable when the folder is missing, InputError when the option `folder` is.
    """
    return payloads_of_folder(request, SUFFIXES, "tệp CSV hoặc XLSX")


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from one file; what is wrong with single cells stands in `frame.attrs["problems"]`, in Vietnamese.

    `frame.attrs["left_out"]` tells by head which columns nobody reads, and what to do about each.

    Context, all of it optional: source, sites (City.sites), zone, options {columns, site}. Without sites the text of
    the site cell is the site_id. Raises SheetErrors when no row could be read, InputError when the file is no table.
    """
    reading = read(payload)
    frame = reading.rows.drop(columns="cell")
    frame.attrs["problems"] = list(reading.problems)
    frame.attrs["left_out"] = {
        head: f"tệp {payload.name or 'không tên'}: {words}, hoặc khai tiêu đề này ở [source.options] columns"
        for head, words in reading.left_out.items()
    }
    return frame


def read(payload: Payload) -> SheetReading:
    """The same with the cell of every value. `fallback_site` in the context is the site of a table that names none,
    `most_cells` how large a file may be.

    Raises what parse() raises.
    """
    where = f"tệp {payload.name or 'không tên'}"
    check_readable(payload, where)
    options = payload.context.get("options") or {}
    vocabulary = Vocabulary(load_properties(), options.get("columns") or {})
    sites = payload.context.get("sites")
    reading = Reading(
        where=where,
        vocabulary=vocabulary,
        sites=SiteNames(sites) if sites is not None and len(sites) else None,
        default_site=str(options.get("site") or ""),
        fallback_site=str(payload.context.get("fallback_site") or ""),
        zone=payload.context.get("zone") or DEFAULT_ZONE,
    )
    most_cells = int(payload.context.get("most_cells") or CELLS_MAX)
    sheets = read_sheets(payload.body, where, reading.finds_table, reading.notes, most_cells)
    tables = sum(reading.read(sheet) for sheet in sheets)
    if not tables:
        raise _no_table(sheets, reading)
    for head, count in reading.ignored.items():
        log.info("%s: the column %s is not in the catalogue and is left out (%d times)", where, head, count)
    problems = reading.bounded_problems()
    if problems and not reading.rows:
        if legacy := legacy_encoding(_first_texts(sheets)):
            raise legacy_error(where, legacy)
        raise SheetErrors(problems)
    frame = observations.empty().assign(cell=pd.Series([], dtype="str"))
    if reading.rows:
        data = pd.DataFrame(reading.rows, columns=["time", "site_id", "observed_property", "value", "cell"])
        data["time"] = pd.to_datetime(data["time"], utc=True)
        frame = observations.frame(data, source=str(payload.context.get("source") or SOURCE.key))
        frame["cell"] = data["cell"].astype("str")
    return SheetReading(
        rows=frame,
        problems=tuple(problems),
        ignored=tuple(reading.ignored),
        left_out={head: _left_out(head, reading.vocabulary) for head in reading.ignored if folded(head) not in REMARKS},
        notes=tuple(dict.fromkeys([*reading.notes, *reading.hidden_note()])),
        formulas=tuple(_formulas(sheets)),
    )


def _left_out(head: str, vocabulary: Vocabulary) -> str:
    """«cột “Nhiệt đoọ” không có trong danh mục nên không được đọc; gần giống “Nhiệt độ”, nếu đúng thì …»."""
    near = vocabulary.nearest(head)
    advice = (
        f"gần giống “{near.name_vi}”, nếu đúng thì hãy sửa tiêu đề rồi gửi lại tệp"
        if near
        else "nếu cần số của cột này, hãy đặt tiêu đề theo tên trong danh mục rồi gửi lại tệp"
    )
    return f"cột “{head}” không có trong danh mục nên không được đọc; {advice}"


def _formulas(sheets: Iterable[Sheet]) -> Iterator[str]:
    """Cells of a CSV that begin a formula in Excel. A cell of a workbook says itself whether it is one."""
    for sheet in sheets:
        for row, cells in enumerate(sheet.rows if not sheet.name else ()):
            for column, cell in enumerate(cells):
                if isinstance(cell.value, str) and _FORMULA.match(cell.value) and not cell.missing:
                    try:
                        read_number(cell)
                    except CellError:
                        yield address_of(sheet, row, column)


def _no_table(sheets: Sequence[Sheet], reading: Reading) -> InputError:
    """Why a file holds no table that the house can read."""
    where, vocabulary = reading.where, reading.vocabulary
    for sheet in sheets if reading.sites else ():
        for row, cells in enumerate(sheet.rows[:SEARCH_ROWS]):
            named = [cell.text for cell in cells if cell.text and reading.sites and reading.sites.find(cell.text)]
            if len(named) > 1:
                shown = ", ".join(f"“{name}”" for name in named[:3])
                return InputError(
                    f"{where}, {address_of(sheet, row, 0)}: các đơn vị xếp theo cột ({shown}); "
                    "hãy xếp mỗi đơn vị một hàng, hoặc điền vào mẫu trống"
                )
    if legacy := legacy_encoding(_first_texts(sheets)):
        return legacy_error(where, legacy)
    found = list(dict.fromkeys(text for text in _first_texts(sheets) if text and len(text) <= 40))[:8]
    seen = ", ".join(f"“{text}”" for text in found) if found else "không có chữ nào"
    return InputError(
        f"{where}: không thấy cột chỉ số nào quen; tìm thấy: {seen}; cần một hàng tiêu đề có cột thời gian, "
        f"cột trạm hoặc đơn vị và cột chỉ số như {vocabulary.expected()} …, hay hai cột “Chỉ số” và “Giá trị”; "
        "tiêu đề khác thì khai ở [source.options] columns" + "".join(f"; {note}" for note in reading.notes)
    )


def _first_texts(sheets: Sequence[Sheet]) -> list[str]:
    return [
        cell.text for sheet in sheets for cells in sheet.rows[:100] for cell in cells if isinstance(cell.value, str)
    ]
