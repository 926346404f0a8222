"""One pass over the tables of a file: which rows are data, when and where each value is, and what is wrong by cell."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from math import nan
from zoneinfo import ZoneInfo

from openpyxl.utils import get_column_letter

from connectors._sheet_cells import Cell, CellError, Moment, joined_moment, period_in_title, read_number
from connectors._sheet_crosstab import Crosstab, find_crosstab
from connectors._sheet_layout import (
    TIME_ROLES,
    Column,
    Sheet,
    Table,
    Vocabulary,
    find_table,
    read_head,
    starts_head,
    unit_for,
)
from connectors._site_names import SiteNames
from connectors._units import convert
from connectors._vietnamese_text import composed, folded
from core.catalogue import ObservedProperty

log = logging.getLogger(__name__)

PROBLEMS_MAX = 200
WORDS_MAX = 400  # a cell may hold 32,767 characters

_TOTAL = re.compile(
    r"(?:tong(?: cong| so| hop)?|cong|toan (?:tinh|thanh pho|tp|huyen|quan|thi xa|phuong|xa|vung|khu vuc|dia ban|mang)"
    r"|ca (?:tinh|nuoc|thanh pho)|(?:gia tri )?(?:trung binh|binh quan|tb|lon nhat|nho nhat|cao nhat|thap nhat)"
    r"|max|min|avg|average|total|sum|luy ke|cung ky(?: nam truoc)?|so (?:voi )?cung ky|ty le)"
    r"(?: (?:cong|toan|ca|thang|quy|nam|ngay|tuan|cac|khu vuc|phuong|xa|cum)\b.*)?\s*(?:[:(=%].*)?"
)
_FOOTER = re.compile(
    r"nguoi (?:lap|tong hop|bao cao|kiem tra|kiem soat|nhap|ky|phu trach)|thu truong|ke toan|(?:pho )?giam doc"
    r"|(?:pho )?chu tich|(?:tm|kt|tl)\.|lanh dao|(?:pho )?truong phong|can bo|noi nhan|xac nhan|\(?ky(?:,| ten)"
)
_GROUP_NUMBER = re.compile(r"[IVX]+|[A-Z]")
_TITLE_SITE = re.compile(r"^(?:trạm(?: đo| quan trắc)?|địa điểm|điểm đo)\s*:\s*(.+)$", re.IGNORECASE)
_TITLE_UNIT = re.compile(r"(?:đơn vị tính|đvt)\s*:\s*([^;)]+)", re.IGNORECASE)
_NOT_A_PERIOD = re.compile(r"kem theo|quyet dinh|cong van|bao cao so|nghi quyet|^[^:]{2,40}, ngay \d")

Row = tuple[datetime, str, str, float, str]  # time, site_id, observed_property, value, cell


@dataclass(slots=True)
class Reading:
    """What parse() knows, and what it gathers on its way through one file."""

    where: str
    vocabulary: Vocabulary
    sites: SiteNames | None
    default_site: str
    fallback_site: str
    zone: ZoneInfo
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)  # addresses of values in hidden rows and columns
    unlisted: int = 0
    ignored: Counter[str] = field(default_factory=Counter)

    def finds_table(self, sheet: Sheet) -> bool:
        """True for a grid in which something can be read: decides between the delimiters of a CSV."""
        return bool(find_table(sheet, 0, self.vocabulary) or find_crosstab(sheet, 0, self.vocabulary, None))

    def hidden_note(self) -> Iterator[str]:
        """Values that nobody saw who looked at the sheet."""
        if self.hidden:
            more = f" và {len(self.hidden) - 1} ô khác" if len(self.hidden) > 1 else ""
            yield f"Có số nằm ở hàng hoặc cột ẩn, vẫn được đọc: {self.hidden[0]}{more}."

    def read(self, sheet: Sheet) -> int:
        """Read every table of a sheet; returns how many there were."""
        count, row = 0, 0
        period, site = None, ""
        while True:
            table = find_table(sheet, row, self.vocabulary)
            across = find_crosstab(sheet, row, self.vocabulary, period)
            if across and (not table or across.head_row <= table.first_row):
                row = self._read_crosstab(sheet, row, across, site)
                count += 1
                continue
            if not table:
                break
            titles = _titles(sheet, row, table.head_row)
            period = _title_period(titles) or period or period_in_title(sheet.name)
            site, unit = _site_and_unit(titles, site)
            row = TableReading(self, sheet, table, period, site, unit).read()
            count += 1
        if not count and sheet.name and sheet.rows:
            log.info("%s: the sheet %s holds no known table and is left out", self.where, sheet.name)
        return count

    def _read_crosstab(self, sheet: Sheet, first: int, across: Crosstab, site: str) -> int:
        """Every period column in its turn; returns the row from which the next table is to be looked for."""
        site, unit = _site_and_unit(_titles(sheet, first, across.head_row), site)
        end = across.head_row + 1
        for table, period in across.parts:
            value = table.columns[-1]
            if isinstance(period, CellError):
                self.problem(sheet, value.head_row, value.index, str(period))
            elif not table.measured and not table.is_long:
                words = "các kỳ xếp theo cột mà phía trên không ghi rõ là chỉ số nào"
                remedy = f"hãy ghi tên một chỉ số ở tiêu đề, như {self.vocabulary.expected()}"
                self.problem(sheet, across.head_row, across.parts[0][0].columns[-1].index, f"{words}; {remedy}")
            else:
                end = max(end, TableReading(self, sheet, table, period, site, unit).read())
        return end

    def problem(self, sheet: Sheet, row: int, column: int, words: str) -> None:
        """Note once what is wrong with one cell: file, sheet and address, as Excel shows them."""
        told = f"{self.where}, {address_of(sheet, row, column)}: {words[:WORDS_MAX]}"
        if told in self.told:
            return
        self.told.add(told)
        if len(self.problems) >= PROBLEMS_MAX:
            self.unlisted += 1
            return
        self.problems.append(told)

    def bounded_problems(self) -> list[str]:
        """At most PROBLEMS_MAX problems, and a line that counts the others."""
        return [*self.problems, *([f"{self.where}: còn {self.unlisted} lỗi khác"] if self.unlisted else [])]


def address_of(sheet: Sheet, row: int, column: int) -> str:
    """«trang “T10”, ô D7»: a cell as Excel shows it; a CSV has no pages."""
    page = f"trang “{sheet.name}”, " if sheet.name else ""
    return f"{page}ô {get_column_letter(column + 1)}{row + 1}"


def _titles(sheet: Sheet, first: int, head_row: int) -> list[str]:
    """What stands in words above a table."""
    return [cell.text for cells in sheet.rows[first:head_row] for cell in cells if isinstance(cell.value, str)]


def _site_and_unit(titles: Iterable[str], site: str) -> tuple[str, str]:
    """«Trạm: …» (else that of the table above) and «Đơn vị tính: …» (else empty) of the titles."""
    told = list(titles)
    site = next((found[1] for text in told if (found := _TITLE_SITE.match(text))), site)
    return site, next((found[1] for text in told if (found := _TITLE_UNIT.search(text))), "")


def _title_period(titles: Iterable[str]) -> Moment | None:
    """The period in the rows above a table; dates of signing and of covering letters do not count."""
    return period_in_title(" | ".join(text for text in titles if not _NOT_A_PERIOD.search(folded(text))))


class TableReading:
    """One pass over the rows of one table."""

    def __init__(
        self, reading: Reading, sheet: Sheet, table: Table, period: Moment | None, title_site: str, title_unit: str
    ) -> None:
        self.reading, self.sheet, self.table = reading, sheet, table
        self.period, self.title_unit = period, title_unit
        self.times = {role: column for role in TIME_ROLES if (column := table.one(role))}
        self.site_columns = [column for role in ("site_code", "site") if (column := table.one(role))]
        self.ordinal, self.indicator, self.unit = table.one("ordinal"), table.one("indicator"), table.one("unit")
        self.values = (
            [column for column in (table.one("value"),) if column] if table.is_long else self._usable_columns()
        )
        self.fixed_site = "" if self.site_columns else self._site_without_column(title_site)
        self.numbered = self.ordinal is not None and any(cell.text.isdigit() for cell in self._cells(self.ordinal))
        self.instants = "hour" not in self.times and self._dates_have_clock()
        self.dotted = {column.index for column in self.values if self._uses_decimal_dot(column)}
        self.moments: dict[tuple[Cell, ...], datetime] = {}
        self.meanings: dict[tuple[str, str], tuple[ObservedProperty | None, str]] = {}
        self.unknown_indicators: dict[str, list[int]] = {}

    # ---- the head and whole columns

    def _usable_columns(self) -> list[Column]:
        """Property columns whose head is clear; the others are reported once, at their head cell."""
        self.reading.ignored.update(column.head for column in self.table.columns if column.head and not column.role)
        times_named = Counter(column.observed for column in self.table.measured)
        usable = []
        for column in self.table.measured:
            words = column.error
            if column.observed and not words:
                column.unit, words = unit_for(column.unit or self.title_unit, column.observed)
                if times_named[column.observed] > 1:
                    words = (
                        f"có {times_named[column.observed]} cột cùng là “{column.observed.name_vi}”; hãy giữ một cột"
                    )
            if words:
                self.reading.problem(self.sheet, column.head_row, column.index, f"tiêu đề “{column.head}”: {words}")
            else:
                usable.append(column)
        return usable

    def _site_without_column(self, title_site: str) -> str:
        """The site of a table without a site column: option, title «Trạm: …», or a sheet named like a site."""
        sites = self.reading.sites
        if self.reading.default_site:
            return self.reading.default_site
        if title_site:
            return (sites.find(title_site) or "") if sites else title_site
        named = sites.find(composed(self.sheet.name)) if sites and self.sheet.name else None
        if not named and self.reading.fallback_site:
            self.reading.notes.append("Bảng không ghi tên đơn vị: mọi số được tính cho đơn vị đang chọn.")
        return named or self.reading.fallback_site

    def _cells(self, column: Column) -> Iterator[Cell]:
        return (self.sheet.own(row, column.index) for row in range(self.table.first_row, len(self.sheet.rows)))

    def _dates_have_clock(self) -> bool:
        """True when stored dates carry a time of day: then 00:00 in the same column is midnight, not a day."""
        column = self.times.get("date")
        return column is not None and any(
            (isinstance(cell.value, datetime) and cell.value.time() != time())
            or (isinstance(cell.value, float) and not cell.value.is_integer())
            for cell in self._cells(column)
        )

    def _uses_decimal_dot(self, column: Column) -> bool:
        for cell in self._cells(column):
            with suppress(CellError):
                number = read_number(cell) if isinstance(cell.value, str) else None
                if number and number.dot_decimal:
                    return True
        return False

    # ---- rows

    def read(self) -> int:
        """Read all rows; returns the row from which the next table is to be looked for."""
        if not self.values or not self._placed():
            return self.table.first_row
        end = self._read_rows()
        for name, rows in self.unknown_indicators.items():
            assert self.indicator is not None  # only long tables meet unknown indicators
            words = f"chỉ số “{name}” không có trong danh mục ({len(rows)} hàng)"
            self.reading.problem(self.sheet, rows[0], self.indicator.index, words)
        return end

    def _placed(self) -> bool:
        """True when rows can get a time and a site; else the head is reported."""
        head_row = self.table.head_row
        if not self.times and not self.period:
            words = "bảng không có cột thời gian và phía trên không ghi kỳ báo cáo"
            remedy = "hãy thêm cột “Thời gian” hoặc dòng như “Tháng 2/2026”"
            self.reading.problem(self.sheet, head_row, 0, f"{words}; {remedy}")
            return False
        if not self.site_columns and not self.fixed_site:
            words = "bảng không có cột trạm hoặc đơn vị; hãy thêm cột “Trạm” hoặc khai site ở [source.options]"
            self.reading.problem(self.sheet, head_row, 0, words)
            return False
        return True

    def _read_rows(self) -> int:
        prepared: list[
            Row
        ] = []  # rows without any entry count only when a filled row follows: else nobody has written yet
        for row in range(self.table.first_row, len(self.sheet.rows)):
            if not self.sheet.rows[row]:
                continue
            if starts_head(self.sheet, row, self.reading.vocabulary):
                following = find_table(self.sheet, row, self.reading.vocabulary)
                if following and following.head_row == row:
                    return row
            values = [(column, self._value_cell(row, column)) for column in self.values]
            numeric = any(_is_number(cell) for _, cell in values)
            if not numeric and self._is_footer(row):
                return row + 1
            if self._is_total(row):
                continue
            filled = any(not cell.blank for _, cell in values)
            if not self._is_record(row, filled, numeric):
                continue
            found = self._observations(row, values)
            if filled:
                self.reading.rows.extend(prepared + found)
                prepared = []
            else:
                prepared.extend(found)
        return len(self.sheet.rows)

    def _value_cell(self, row: int, column: Column) -> Cell:
        """The cell of a value; a merged value belongs to no single row, a merged «KPS» to all of them."""
        anchor = self.sheet.anchors.get((row, column.index))
        if anchor is None:
            return self.sheet.own(row, column.index)
        cell = self.sheet.own(*anchor)
        if cell.missing or anchor[1] not in {one.index for one in self.values}:
            return Cell()
        return Cell(error="nằm trong ô gộp; hãy bỏ gộp và ghi giá trị cho từng ô")

    def _shown(self, row: int, columns: Collection[Column]) -> list[Cell]:
        """Cells of time and site: merged downwards they hold for every row, merged across only for their own column."""
        anchors = [self.sheet.anchors.get((row, column.index), (row, column.index)) for column in columns]
        return [
            self.sheet.own(*anchor) if anchor[1] == column.index else Cell()
            for anchor, column in zip(anchors, columns, strict=True)
        ]

    def _is_footer(self, row: int) -> bool:
        """The signature block: nothing below it is data. A row with a time is none, whatever its note says."""
        if not any(_FOOTER.match(folded(cell.text)) for cell in self.sheet.rows[row] if isinstance(cell.value, str)):
            return False
        if not self.times:
            return True
        try:
            self._moment(row)
        except CellError:
            return True
        return False

    def _is_total(self, row: int) -> bool:
        """Totals, averages and numbered groups («I», «A»). A known site of that name is a site."""
        sites = self.reading.sites
        labels = [cell.text for cell in self._shown(row, [*self.site_columns, *self.times.values()])]
        first = next((cell for cell in self.sheet.rows[row] if not cell.blank), Cell())
        if sites and any(sites.find(label) for label in labels[: len(self.site_columns)] if label):
            return False
        if any(_TOTAL.fullmatch(folded(label)) for label in (first.text, *labels)):
            return True
        return (
            self.numbered
            and self.ordinal is not None
            and bool(_GROUP_NUMBER.fullmatch(self.sheet.shown(row, self.ordinal.index).text))
        )

    def _is_record(self, row: int, filled: bool, numeric: bool) -> bool:
        """False for region names, notes and names under a signature: rows that place no value in time and at a site."""
        time_given = any(not cell.missing for cell in self._shown(row, self.times.values()))
        names = [cell.text for cell in self._shown(row, self.site_columns) if not cell.missing]
        if not numeric and not time_given and not names:
            return False
        if filled:
            return True
        if self.times:
            return time_given and (bool(names) or not self.site_columns)
        return self.reading.sites is not None and any(self.reading.sites.find(name) for name in names)

    def _moment(self, row: int) -> datetime:
        """END of the row's period in UTC. Raises CellError."""
        cells = tuple(self._shown(row, self.times.values()))
        if cells not in self.moments:
            named = dict(zip(self.times, cells, strict=True))
            end = joined_moment(named, self.period, self.instants, self.sheet.epoch).end
            if end.tzinfo is None:
                end = end.replace(
                    tzinfo=UTC if any(column.utc for column in self.times.values()) else self.reading.zone
                )
            self.moments[cells] = end.astimezone(UTC)
        return self.moments[cells]

    def _site(self, row: int) -> str:
        """site_id of the row; a code goes before a name, and both must mean the same. Raises CellError."""
        if not self.site_columns:
            return self.fixed_site
        cells = self._shown(row, self.site_columns)
        for cell in cells:
            if cell.error:
                raise CellError(cell.error)
        texts = [cell.text for cell in cells if not cell.missing]
        if not texts:
            raise CellError("thiếu tên hoặc mã của trạm, đơn vị")
        sites = self.reading.sites
        if sites is None:
            return texts[0]
        site_id = sites.resolve(texts[0])
        if len(texts) > 1 and sites.find(texts[1]) not in (None, site_id):
            raise CellError(f"mã “{texts[0]}” và tên “{texts[1]}” chỉ hai địa điểm khác nhau; hãy sửa một trong hai")
        return site_id

    def _observations(self, row: int, values: Sequence[tuple[Column, Cell]]) -> list[Row]:
        """The rows of the one frame that one row of the table gives; what is wrong becomes a problem."""
        problem, placed = self.reading.problem, True
        moment, site_id = datetime.min, ""
        try:
            moment = self._moment(row)
        except CellError as error:
            problem(self.sheet, row, next(iter(self.times.values())).index, str(error))
            placed = False
        try:
            site_id = self._site(row)
        except CellError as error:
            problem(self.sheet, row, self.site_columns[0].index, str(error))
            placed = False
        if not placed:
            return []
        found: list[Row] = []
        for column, cell in values:
            try:
                observed, unit = self._meaning(row, column, cell)
                if observed:
                    value = self._value(cell, column, observed, unit)
                    if row in self.sheet.hidden[0] or column.index in self.sheet.hidden[1]:
                        self.reading.hidden.append(address_of(self.sheet, row, column.index))
                    found.append((moment, site_id, observed.key, value, address_of(self.sheet, row, column.index)))
            except CellError as error:
                problem(self.sheet, row, column.index, str(error))
        return found

    def _meaning(self, row: int, column: Column, cell: Cell) -> tuple[ObservedProperty | None, str]:
        """(property, unit) of a value: from the head, in long tables from the row. Raises CellError."""
        if self.indicator is None or not self.table.is_long:
            return column.observed, column.unit
        name = self.sheet.shown(row, self.indicator.index).text
        written = self.sheet.shown(row, self.unit.index).text if self.unit else ""
        if not name:
            raise CellError("giá trị không có tên chỉ số bên cạnh")
        if (name, written) not in self.meanings:
            head = read_head(0, row, [name], self.reading.vocabulary)
            unit, words = head.unit, head.error
            if head.observed and not words:
                unit, words = unit_for(written or head.unit or column.unit or self.title_unit, head.observed)
            if words:
                raise CellError(f"chỉ số “{name}”: {words}")
            self.meanings[name, written] = head.observed, unit
        observed, unit = self.meanings[name, written]
        if observed is None and not cell.blank:
            self.unknown_indicators.setdefault(name, []).append(row)
        return observed, unit

    def _value(self, cell: Cell, column: Column, observed: ObservedProperty, unit: str) -> float:
        """The value in the unit of the catalogue, NaN when missing. Raises CellError."""
        number = read_number(cell)
        if number is None:
            return nan
        if number.doubtful and column.index in self.dotted:
            raise CellError(
                f"“{cell.text}” có thể đọc hai cách vì cột này có ô dùng dấu chấm thập phân; "
                "hãy ghi cả cột theo kiểu 1.234,5"
            )
        if number.percent:
            if observed.unit != "%":
                raise CellError(
                    f"“{cell.text}” là phần trăm, còn {observed.name_vi} tính bằng {observed.unit_vi or observed.unit}"
                )
            return number.value
        return number.value if unit == observed.unit else convert(number.value, unit, observed.unit, observed.key)


def _is_number(cell: Cell) -> bool:
    try:
        return read_number(cell) is not None
    except CellError:
        return False
