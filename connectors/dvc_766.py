"""Published scores of public service by unit, after QĐ 766/QĐ-TTg: six groups and their total, from a file or address.

Link: https://dichvucong.gov.vn (where the scores are published; there is no documented interface)
Licence: published by the State; name the portal as the source.
Key: none.
Refresh: the portal counts daily, units report monthly; asking once a day is enough.
Traps:
- Six groups of at most 18 + 20 + 12 + 10 + 22 + 18 = 100 points. The decision's own five groups count online services
  and online payment as one of 22: such a table is refused, for nobody can divide it.
- The total is the portal's own number. A row whose groups do not add up to it within 0.05 is refused, and so is one
  above the maximum of a group: a digit was lost on the way. A total is never made up where none is published.
- Some criteria do not hold for communes: a blank group is missing, never 0, and the total may then be what is left.
- «9 tháng 2026» counts from January, «Tháng 9/2026» and «Quý III/2026» do not, and all three end on the same day: one
  file, and one source, holds one kind of period. The row is labelled with the END, midnight in city time.
- The scores jump when a unit repairs its synchronisation: that is no progress.

Rows: dvc766_total and dvc766_transparency, _timeliness, _online, _payment, _digitisation, _satisfaction [points].
Options: folder (CSV, XLSX, JSON) or base_url (JSON); period = "Tháng 9/2026" for what does not say it; sites = { "their
name" = "site_id" } beside the names in sites.toml; records (JSON Pointer to the list, RFC 6901).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from math import isnan, nan
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import requests
from openpyxl.utils import get_column_letter

from connectors._contract import FetchRequest, Payload
from connectors._drop_folder import check_readable, payloads_of_folder
from connectors._http import get, read_json
from connectors._mapping import text_table
from connectors._pointer import ABSENT, at, steps
from connectors._rows import label
from connectors._sheet_cells import Cell, CellError, month_end, period_in_title, read_moment, read_number
from connectors._sheet_files import read_sheets
from connectors._sheet_layout import Sheet
from connectors._site_names import SiteNames
from connectors._vietnamese_text import folded
from core import observations
from core.catalogue import Source
from core.errors import ConfigError, InputError, SourceChanged, SourceRefused

SOURCE = Source(
    key="dvc_766",
    name="Điểm phục vụ người dân, doanh nghiệp (QĐ 766)",
    kind="report",
    homepage="https://dichvucong.gov.vn",
    licence="published by the State",
    attribution="Cổng Dịch vụ công quốc gia",
    every=timedelta(days=1),
    static=True,
    traps=(
        "six groups, refused where they do not add up",
        "blank is missing, never 0",
        "one kind of period per source",
    ),
)
SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".json")
DEFAULT_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TOLERANCE = 0.05  # [points] every group is rounded to 0.01
SUM_MAX = 100.0
HEAD_ROWS = 3
SEARCH_ROWS = 60
PROBLEMS_MAX = 200

TOTAL = "dvc766_total"
GROUPS: Mapping[str, tuple[float, str, str]] = {  # key: (maximum, name, words that a head holds, folded, by |)
    "dvc766_transparency": (18.0, "Công khai, minh bạch", "cong khai minh bach|minh bach|transparency"),
    "dvc766_timeliness": (20.0, "Tiến độ giải quyết", "tien do giai quyet|tien do|timeliness|tiendogiaiquyet"),
    "dvc766_online": (
        12.0, "Dịch vụ công trực tuyến",
        "cung cap dich vu cong truc tuyen|dich vu cong truc tuyen|dvc truc tuyen|cung cap dvc truc tuyen|dvctt|online|"
        "dichvucongtructuyen",
    ),
    "dvc766_payment": (10.0, "Thanh toán trực tuyến", "thanh toan truc tuyen|thanh toan|payment|thanhtoantructuyen"),
    "dvc766_digitisation": (22.0, "Số hóa hồ sơ", "so hoa ho so|so hoa|digitisation|digitization|sohoahoso"),
    "dvc766_satisfaction": (18.0, "Mức độ hài lòng", "muc do hai long|hai long|satisfaction|mucdohailong"),
}  # fmt: skip
_TOTAL_HEAD = "tong diem|tong so diem|tong cong|tong|diem tong|total|tongdiem"
_SITE_HEAD = (
    "don vi|ten don vi|co quan|co quan don vi|ten co quan|dia phuong|phuong xa|xa phuong|ten xa phuong|"
    "so nganh|so nganh dia phuong|bo nganh dia phuong|unit|name|site id|tendonvi|donvi"
)
_PERIOD_HEAD = "ky|ky bao cao|ky danh gia|thoi gian|thang|period|kybaocao|thang nam|ky so lieu"
_ROLE_OF = {
    **dict.fromkeys(_SITE_HEAD.split("|"), "site"),
    **dict.fromkeys(_PERIOD_HEAD.split("|"), "period"),
    **dict.fromkeys(_TOTAL_HEAD.split("|"), TOTAL),
    **{word: key for key, (_, _, words) in GROUPS.items() for word in words.split("|")},
}
_MAXIMUM = re.compile(r"[(\[/]\D{0,12}(\d{1,3})\b")
_LETTERS = re.compile(r"[^a-z0-9]+")
_SINCE_JANUARY = re.compile(
    r"\b(?P<m>1[0-2]|0?[1-9]) ?(?:thang|t)(?: dau)?(?: (?:cua )?nam)?(?:\s?[/.-]\s?| )(?P<y>(?:19|20)\d\d)\b"
)
_NO_UNIT = re.compile(  # averages, maxima, and the row that numbers the columns
    r"(?:tong(?: cong| so| diem)?|(?:diem )?(?:trung binh|binh quan)\b.*|toan (?:tinh|thanh pho|quoc|mang)|ca nuoc"
    r"|diem toi da|\(?(?:\d{1,2}|[a-z])\)?)"
)


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """The files of the folder, or the one reply of the address.

    Raises ConfigError when the options name neither or both, InputError and SourceError.
    """
    base = str(request.options.get("base_url", ""))
    if bool(base) == ("folder" in request.options):
        raise ConfigError(f"source {request.source}: options need folder or base_url, and not both")
    if not base:
        return payloads_of_folder(request, SUFFIXES, "tệp CSV, XLSX hoặc JSON")
    reply = get(http, base)
    context = {"source": request.source, "sites": request.sites, "zone": request.zone, "options": request.options}
    return [Payload(body=reply.body, name=reply.name, media_type=reply.media_type, context=context)]


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame; rows that are refused stand in `frame.attrs["problems"]`, with cell or row, in Vietnamese.

    Raises InputError when the file holds no such table or not one row of it could be taken, SourceRefused for an error
    body, SourceChanged for JSON of another shape, ConfigError.
    """
    context = payload.context
    where = f"tệp {payload.name or 'không tên'}"
    check_readable(payload, where)
    options, sites = context.get("options") or {}, context.get("sites")
    reading = _Reading(
        where=where,
        sites=SiteNames(sites) if sites is not None and len(sites) else None,
        chosen=text_table(options, "sites", f"source {context.get('source', SOURCE.key)}"),
        zone=context.get("zone") or DEFAULT_ZONE,
        period=_period_option(options),
    )
    start = payload.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start in (b"{", b"["):
        sheet, titles = _json_sheet(payload.body, payload.name or SOURCE.key, options)
        sheets = [sheet] if sheet.rows else []
        reading.period = _titled(titles) or reading.period
        reading.tables += not sheet.rows  # no unit is a valid answer
    else:
        sheets = read_sheets(payload.body, where, lambda sheet: _find_head(sheet) is not None)
    for sheet in sheets:
        reading.read(sheet)
    if not reading.tables:
        names = ", ".join(f"“{name}”" for _, name, _ in GROUPS.values())
        raise InputError(f"{where}: không thấy bảng điểm; cần một hàng tiêu đề có “Đơn vị”, {names} và “Tổng điểm”")
    if reading.problems and not reading.rows:
        more = f" (và {len(reading.problems) - 1} lỗi khác)" if len(reading.problems) > 1 else ""
        raise InputError(f"{reading.problems[0]}{more}")
    frame = observations.frame(reading.rows, source=context.get("source", SOURCE.key))
    frame.attrs["problems"] = reading.problems[:PROBLEMS_MAX]
    return frame


# -- the table ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Head:
    """Where a table begins, and the column of every role: site, period, the groups and the total."""

    first_row: int
    columns: Mapping[str, int]
    errors: Sequence[str]  # what is wrong with the head itself
    row: int


@dataclass(slots=True)
class _Reading:
    """What is known before a file is read, and what is gathered from it."""

    where: str
    sites: SiteNames | None
    chosen: Mapping[str, str]
    zone: tzinfo
    period: datetime | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    tables: int = 0
    seen: dict[tuple[str, datetime], str] = field(default_factory=dict)  # unit and period -> row that gave them

    def read(self, sheet: Sheet) -> None:
        """Take every row of the sheet's table."""
        head = _find_head(sheet)
        if head is None:
            return
        self.tables += 1
        if head.errors:
            self.problems += [f"{self._at(sheet, head.row)}: {words}" for words in head.errors]
            return
        titles = " | ".join(cell.text for cells in sheet.rows[: head.row] for cell in cells if not cell.blank)
        titled = _titled(titles) or _titled(sheet.name)
        for row in range(head.first_row, len(sheet.rows)):
            try:
                self.rows += self._unit(sheet, head, row, titled)
            except CellError as error:
                self.problems.append(str(error))

    def _unit(self, sheet: Sheet, head: _Head, row: int, titled: datetime | None) -> list[dict[str, Any]]:
        """The seven rows of one unit; none for what is no unit. Raises CellError, with its address."""
        name = sheet.shown(row, head.columns["site"])
        known = self._known(name.text)
        if name.missing or (known is None and _NO_UNIT.fullmatch(folded(name.text))):
            return []
        if not any(_is_number(sheet.shown(row, head.columns[key])) for key in (*GROUPS, TOTAL)):
            return []  # footers, notes, units that were not scored
        points = {key: self._points(sheet, row, head.columns[key]) for key in (*GROUPS, TOTAL)}
        site_id = known or self._resolved(sheet, row, head.columns["site"], name.text)
        for key, (maximum, group, _) in GROUPS.items():
            if points[key] > maximum or points[key] < 0:
                at = self._at(sheet, row, head.columns[key])
                raise CellError(
                    f"{at}: “{group}” ghi {_shown(points[key])} điểm, tối đa {_shown(maximum)}; hãy sửa lại"
                )
        self._check_sum(sheet, row, points, name.text)
        moment = self._moment(sheet, head, row, titled)
        place = self._at(sheet, row)
        if (first := self.seen.setdefault((site_id, moment), place)) != place:
            raise CellError(f"{place}: “{label(name.text)}” đã có điểm cùng kỳ ở {first}; mỗi tệp chỉ giữ một loại kỳ")
        return [
            {"time": moment, "site_id": site_id, "observed_property": key, "value": value}
            for key, value in points.items()
        ]

    def _check_sum(self, sheet: Sheet, row: int, points: Mapping[str, float], name: str) -> None:
        total = points[TOTAL]
        given = sum(points[key] for key in GROUPS if not isnan(points[key]))
        most = given + sum(maximum for key, (maximum, _, _) in GROUPS.items() if isnan(points[key]))
        if isnan(total) or given - TOLERANCE - 1e-9 <= total <= most + TOLERANCE + 1e-9:
            return
        at = self._at(sheet, row)
        raise CellError(
            f"{at}: “{label(name)}” có tổng {_shown(total)} nhưng các nhóm cộng lại là {_shown(given)}; "
            "hãy kiểm tra từng ô rồi sửa"
        )

    def _points(self, sheet: Sheet, row: int, column: int) -> float:
        cell = sheet.shown(row, column)
        try:
            number = read_number(cell)
        except CellError as error:
            raise CellError(f"{self._at(sheet, row, column)}: {error}") from error
        if number is None:
            return nan
        if number.percent:
            raise CellError(f"{self._at(sheet, row, column)}: “{cell.text}” là phần trăm, cần số điểm")
        return number.value

    def _known(self, name: str) -> str | None:
        """site_id of a unit that the options or sites.toml know by that name."""
        return self.chosen.get(label(name)) or (self.sites.find(label(name)) if self.sites else None)

    def _resolved(self, sheet: Sheet, row: int, column: int, name: str) -> str:
        """The name itself where no sites are known; else CellError that proposes one."""
        if self.sites is None:
            return label(name)
        try:
            return self.sites.resolve(label(name))
        except CellError as error:
            raise CellError(f"{self._at(sheet, row, column)}: {error}") from error

    def _moment(self, sheet: Sheet, head: _Head, row: int, titled: datetime | None) -> datetime:
        """END of the period in UTC: of the row, else of the title, else of the option. Raises CellError."""
        cell = sheet.shown(row, head.columns["period"]) if "period" in head.columns else Cell()
        end = titled or self.period
        at = self._at(sheet, row, head.columns.get("period"))
        if not cell.missing:
            try:
                end = _period(cell)
            except CellError as error:
                raise CellError(f"{at}: {error}; kỳ ghi như Tháng 9/2026, Quý III/2026 hoặc 9 tháng 2026") from error
        if end is None:
            raise CellError(f"{at}: không rõ kỳ; hãy thêm cột “Kỳ” hoặc dòng như “Tháng 9/2026” phía trên bảng")
        try:
            return (end if end.tzinfo else end.replace(tzinfo=self.zone)).astimezone(UTC)
        except OverflowError:
            raise CellError(f"{at}: kỳ “{cell.text}” nằm ngoài lịch") from None

    def _at(self, sheet: Sheet, row: int, column: int | None = None) -> str:
        """«tệp x.xlsx, trang A, ô C7» or «…, hàng 7»."""
        page = f", trang {sheet.name}" if sheet.name else ""
        if column is None:
            return f"{self.where}{page}, hàng {row + 1}"
        return f"{self.where}{page}, ô {get_column_letter(column + 1)}{row + 1}"


def _find_head(sheet: Sheet) -> _Head | None:
    """The first row, or rows stacked, that name a unit and at least three of the groups."""
    for row in range(min(SEARCH_ROWS, len(sheet.rows))):
        if not any(_role(sheet.shown(row, column).text) for column in range(len(sheet.rows[row]))):
            continue  # a title
        for depth in range(1, HEAD_ROWS + 1):
            if row + depth > len(sheet.rows):
                break
            found = _columns(sheet, row, row + depth)
            if sum(key in found for key in GROUPS) >= 3 and "site" in found:
                return _Head(row + depth, found, _head_errors(sheet, row, row + depth, found), row)
    return None


def _columns(sheet: Sheet, first: int, end: int) -> dict[str, int]:
    """Role -> column, by the lowest cell of each column that names one; the first column of a role wins."""
    found: dict[str, int] = {}
    for column in range(sheet.width):
        for row in range(end - 1, first - 1, -1):
            role = _role(sheet.shown(row, column).text)
            if role and role not in found:
                found[role] = column
                break
    return found


def _role(text: str) -> str | None:
    """What a head names: «2. Tiến độ giải quyết (tối đa 20 điểm)» -> dvc766_timeliness."""
    plain = folded(re.sub(r"[(\[].*?[)\]]", " ", text))
    plain = _LETTERS.sub(" ", re.sub(r"^\d{1,2}[.)]?\s+", "", plain)).strip()
    for words in (plain, plain.removeprefix("diem ").removeprefix("nhom ").removeprefix("ve ").strip()):
        if words in _ROLE_OF:
            return _ROLE_OF[words]
    return None


def _head_errors(sheet: Sheet, first: int, end: int, found: Mapping[str, int]) -> list[str]:
    """Groups that are not there, and maxima that are not those of the decision."""
    absent = [name for key, (_, name, _) in GROUPS.items() if key not in found]
    absent += ["Tổng điểm"] if TOTAL not in found else []
    errors = [f"thiếu cột {', '.join(f'“{name}”' for name in absent)}; cần đủ sáu nhóm và tổng điểm"] if absent else []
    for key, (maximum, name, _) in [*GROUPS.items(), (TOTAL, (SUM_MAX, "Tổng điểm", ""))]:
        if key not in found:
            continue
        head = " ".join(sheet.shown(row, found[key]).text for row in range(first, end))
        told = _MAXIMUM.search(folded(head))
        if told and float(told[1]) != maximum:
            cell = f"{get_column_letter(found[key] + 1)}{end}"
            errors.append(f"ô {cell}: “{name}” ghi tối đa {told[1]} điểm, bộ chỉ số này là {_shown(maximum)}")
    return errors


# -- periods -----------------------------------------------------------------------------------------------------------


def _period(cell: Cell) -> datetime:
    """END of the period that a cell names. Raises CellError."""
    moment = _since_january(cell.text) if isinstance(cell.value, str) else None
    return moment or read_moment(cell).end


def _since_january(text: str) -> datetime | None:
    """END of «9 tháng 2026», «6 tháng đầu năm 2026», «9T/2026»; None for anything else («Tháng 9 2026»)."""
    found = _SINCE_JANUARY.search(folded(text))
    return month_end(int(found["y"]), int(found["m"])) if found else None


def _titled(text: str) -> datetime | None:
    """END of the period that a title names, or None."""
    moment = period_in_title(text)
    return _since_january(text) or (moment.end if moment else None)


def _period_option(options: Mapping[str, Any]) -> datetime | None:
    text = options.get("period")
    if text is None:
        return None
    try:
        return _period(Cell(str(text)))
    except CellError as error:
        raise ConfigError(
            f"period {text!r}: {error}; kỳ ghi như Tháng 9/2026, Quý III/2026 hoặc 9 tháng 2026"
        ) from error


# -- JSON --------------------------------------------------------------------------------------------------------------


def _json_sheet(body: bytes, name: str, options: Mapping[str, Any]) -> tuple[Sheet, str]:
    """A list of objects as a sheet, and the texts beside it. Keys are the head, inner objects are laid out flat."""
    document = read_json(body, name)
    if "records" in options:
        found = at(document, steps(options["records"], "the option records"))
        if found is ABSENT:
            raise SourceChanged(f"{name}: nothing stands at {options['records']}: mend `records`")
    else:
        found = document if isinstance(document, list) else next(_lists(document), None)
    if isinstance(document, dict) and found is None:
        told = next((document[key] for key in ("error", "message", "reason", "detail") if document.get(key)), None)
        if told is not None:
            raise SourceRefused(f"{name}: the server refuses: {label(told)[:200]}")
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise SourceChanged(f"{name}: holds no list of units with their points")
    flat = [dict(_flat(record)) for record in found]
    keys = list(dict.fromkeys(key for record in flat for key in record))
    rows = [[Cell(key) for key in keys], *[[_cell(record.get(key)) for key in keys] for record in flat]]
    told = [value for value in document.values() if isinstance(value, str)] if isinstance(document, dict) else []
    return Sheet("", rows if flat else []), " | ".join(label(value) for value in told)


def _lists(document: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Lists of objects, one level down: {"data": […]} and {"data": {"items": […]}}."""
    for value in document.values():
        if isinstance(value, list):
            yield value
        elif isinstance(value, dict):
            yield from (inner for inner in value.values() if isinstance(inner, list))


def _flat(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from ((label(inner), deep) for inner, deep in value.items())
        else:
            yield label(key), value


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, list | dict):
        return Cell()
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return Cell(float(value))
        except OverflowError:
            return Cell(error="số quá lớn")
    return Cell(label(value))


def _is_number(cell: Cell) -> bool:
    try:
        return read_number(cell) is not None
    except CellError:
        return False


def _shown(value: float) -> str:
    """«15,82»: as the unit wrote it."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace(".", ",")
