"""Where the table lies on a sheet: title rows, a head of up to four rows with merged cells, and what its columns mean.

Two shapes: wide (one row per time and site, a column per property, its unit in the head) and long (columns for
indicator, value and unit). A head is found by its words, not by its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property, lru_cache
from itertools import pairwise

from connectors._sheet_cells import EPOCH_1900, Cell, CellError, read_moment, read_number
from connectors._units import canonical, convert
from connectors._vietnamese_text import composed, folded
from core.catalogue import ObservedProperty
from core.errors import InputError, SourceChanged

HEAD_ROWS_MAX = 4
LIKE, LIKE_LEAST = 0.7, 4  # of difflib, and letters: a head is mistyped rather than another word
TITLE_NAME_LEAST = 6  # letters; «CO» stands in many words
SEARCH_ROWS = 100  # how far below the last table the next head may begin

# Role of a column -> its head in folded words; within a role the first column in this order wins.
ROLES: dict[str, str] = {
    "date": "thoi gian|thoi diem|ngay gio|gio ngay|ngay|ngay thang|ngay thang nam|thoi gian do|thoi diem do|"
    "thoi gian quan trac|thoi diem quan trac|ngay do|ngay quan trac|ngay bao cao|ky bao cao|ky so lieu|ky|thang nam|"
    "time|date|datetime|date time|timestamp",
    "hour": "gio|gio do|gio quan trac|khung gio|hour",
    "month": "thang|thang bao cao|month",
    "quarter": "quy|quy bao cao|quarter",
    "year": "nam|nam bao cao|year",
    "site_code": "ma tram|ma diem do|ma diem|ma dia diem|ma doan duong|ma don vi|ma dvhc|ma don vi hanh chinh|"
    "ma phuong xa|ma xa phuong|ma xa|ma phuong|ma dia ban|site id|site_id|station id",
    "site": "tram|ten tram|tram do|tram quan trac|diem do|diem quan trac|vi tri|vi tri do|vi tri quan trac|dia diem|"
    "ten dia diem|noi do|doan duong|tuyen duong|site|station|location|don vi bao cao|ten don vi|co quan|"
    "don vi hanh chinh|phuong xa|xa phuong|phuong xa thi tran|xa phuong thi tran|xa phuong dac khu|phuong xa dac khu|"
    "phuong|xa|ten xa|ten phuong|ten phuong xa|ten xa phuong|dia ban|ten dia ban|khu vuc",
    "unit_or_site": "don vi",
    "indicator": "chi so|chi tieu|ten chi so|ten chi tieu|thong so|ten thong so|thong so quan trac|dai luong|ma chi so|"
    "ma chi tieu|indicator|parameter|observed property",
    "value": "gia tri|gia tri do|so lieu|ket qua|ket qua do|ket qua quan trac|thuc hien|value",
    "unit": "don vi tinh|dvt|don vi do|unit",
    "ordinal": "stt|tt|so tt|so thu tu|no",
}
_ROLE_OF = {word: (role, rank) for role, words in ROLES.items() for rank, word in enumerate(words.split("|"))}
TIME_ROLES = ("date", "hour", "month", "quarter", "year")

# Catalogue key -> what offices call it, beside the names of the catalogue itself. A bare «tốc độ» is left out on
# purpose (wind or cars?), and so is «hồ sơ quá hạn» (pending or resolved late?).
SYNONYMS: dict[str, str] = {
    "pm25": "pm2.5|pm25|bụi mịn|bụi mịn pm2.5|bụi pm2.5",
    "pm10": "pm10|bụi pm10",
    "no2": "no2|nitơ điôxít|nito dioxit|nitrogen dioxide",
    "so2": "so2|lưu huỳnh điôxít|luu huynh dioxit|sulfur dioxide|sulphur dioxide",
    "co": "co|cacbon monoxit|cacbon mônôxít|carbon monoxide",
    "o3": "o3|ozon|ozone|ôzôn",
    "uv_index": "uv|tia uv|chỉ số uv|uv index",
    "noise_level": "tiếng ồn|độ ồn|mức ồn|laeq|leq|mức ồn tương đương|noise",
    "temperature": "nhiệt độ|nhiệt độ không khí|temperature|temp",
    "relative_humidity": "độ ẩm|độ ẩm không khí|độ ẩm tương đối|humidity|rh",
    "rainfall": "lượng mưa|mưa|rain|rainfall",
    "wind_speed": "tốc độ gió|vận tốc gió|gió tốc độ|gió vận tốc|wind speed",
    "pressure": "khí áp|khí áp mực biển|khí áp quy về mực biển",
    "cloud_cover": "lượng mây|độ che phủ mây|mây",
    "weather_code": "mã thời tiết|weather code",
    "river_level": "mực nước|mực nước sông|river level|water level",
    "river_discharge": "lưu lượng sông|lưu lượng nước|lưu lượng nước sông|lưu lượng dòng chảy|river discharge",
    "flood_depth": "độ sâu ngập|mức ngập|chiều sâu ngập|độ sâu ngập nước|mức ngập nước|flood depth",
    "speed": "tốc độ xe|tốc độ dòng xe|tốc độ lưu thông|tốc độ giao thông|tốc độ trung bình dòng xe|vận tốc dòng xe|"
    "traffic speed",
    "traffic_flow": "lưu lượng xe|lưu lượng giao thông|lưu lượng phương tiện|traffic flow",
    "open_incidents": "sự cố giao thông|vụ sự cố giao thông|sự cố giao thông đang xử lý",
    "files_received": "hồ sơ tiếp nhận|hồ sơ đã tiếp nhận|hồ sơ mới tiếp nhận|tiếp nhận hồ sơ",
    "files_received_online": "hồ sơ trực tuyến|hồ sơ nộp trực tuyến|hồ sơ tiếp nhận trực tuyến|"
    "hồ sơ tiếp nhận qua mạng",
    "files_resolved": "hồ sơ đã giải quyết|hồ sơ giải quyết|hồ sơ đã xử lý",
    "files_resolved_on_time": "hồ sơ giải quyết đúng hạn|hồ sơ đã giải quyết đúng hạn|giải quyết đúng hạn|"
    "đã giải quyết đúng hạn",
    "files_pending": "hồ sơ đang xử lý|hồ sơ đang giải quyết|hồ sơ tồn",
    "files_pending_overdue": "hồ sơ đang xử lý quá hạn|hồ sơ đang giải quyết quá hạn|hồ sơ đang xử lý đã quá hạn|"
    "đang giải quyết quá hạn|đang xử lý quá hạn|hồ sơ tồn quá hạn",
    "ratings_valid": "lượt đánh giá|lượt đánh giá hợp lệ|phiếu đánh giá hợp lệ",
    "ratings_satisfied": "lượt hài lòng|lượt đánh giá hài lòng|phiếu hài lòng",
    "reports_received": "phản ánh mới|phản ánh tiếp nhận|phản ánh đã tiếp nhận|"
    "phản ánh kiến nghị tiếp nhận|pakn tiếp nhận",
    "reports_received_flooding": "phản ánh ngập|phản ánh ngập nước|phản ánh về ngập",
    "reports_closed": "phản ánh đã đóng|phản ánh đã xử lý|phản ánh đã giải quyết|pakn đã xử lý",
    "reports_due": "phản ánh đến hạn",
    "reports_due_met": "phản ánh đến hạn đã xử lý|phản ánh xử lý đúng hạn|phản ánh đã xử lý đúng hạn",
    "report_first_response": "thời gian phản hồi đầu|thời gian phản hồi đầu tiên",
    "report_resolution": "thời gian xử lý phản ánh|thời gian xử lý",
}
_FILLER = re.compile(
    r"^(?:(?:nong do|ham luong|thong so|gia tri|so luong|tong so|tong|so) )+"
    r"|(?: (?:trung binh(?: 1)? (?:gio|h)|tb(?: ?1 ?| )(?:gio|h)|1 ?(?:gio|h)|trong (?:ky|ngay|thang|gio)"
    r"|(?:tong )?so|gia tri|ket qua))+$"
)
_BRACKET = re.compile(r"\s*[(\[]\s*([^()\[\]]*?)\s*[)\]]\s*$")
_UNIT_PREFIX = re.compile(r"^(?:đơn vị(?: tính)?|đvt)\s*:?\s*", re.IGNORECASE)
_NO_UNIT = re.compile(  # in brackets, but no unit and no change of meaning
    r"\d*|tb ?1 ?h|tb 1 gio|tb gio|trung binh(?: 1)? gio|1 ?h|1 gio|[dmyhs:/ .-]{4,}"
    r"|gio viet nam|(?:utc|gmt)(?: ?\+ ?0?7)?"
)
_BARE_UNITS = ("mm", "cm", "ppb", "ppm", "hpa", "dba", "mg", "ug")
_TABLE_NUMBER = re.compile(r"\(?\[?(\d{1,2}|[a-z])\]?\)?(?:\s*=.*)?")


@dataclass(frozen=True)
class Sheet:
    """A grid of cells. `anchors` maps every covered cell of a merged range to the cell that holds its value."""

    name: str  # empty for CSV
    rows: Sequence[Sequence[Cell]]
    anchors: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    epoch: datetime = EPOCH_1900
    hidden: tuple[frozenset[int], frozenset[int]] = (frozenset(), frozenset())  # rows, columns that nobody sees

    def own(self, row: int, column: int) -> Cell:
        """The cell itself; blank under a merged range and beyond the end of a short row."""
        cells = self.rows[row]
        return cells[column] if column < len(cells) and (row, column) not in self.anchors else Cell()

    def shown(self, row: int, column: int) -> Cell:
        """The cell as a person sees it: everywhere under a merged range its one value."""
        return self.own(*self.anchors.get((row, column), (row, column)))

    @cached_property
    def width(self) -> int:
        """Number of columns."""
        return max((len(cells) for cells in self.rows), default=0)


@dataclass(slots=True)
class Column:
    """One column of a table: its head and what it means. `error` names a head that cannot be used."""

    index: int
    head_row: int  # row of its lowest head cell, for messages
    head: str
    role: str = ""
    rank: int = 0
    observed: ObservedProperty | None = None
    unit: str = ""  # UCUM; empty where the head gives none
    utc: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table on a sheet: rows [first_row, …) below the head that begins at `head_row`."""

    head_row: int
    first_row: int
    columns: Sequence[Column]

    def one(self, role: str) -> Column | None:
        """The best column of a role."""
        return min(
            (column for column in self.columns if column.role == role), key=lambda it: (it.rank, it.index), default=None
        )

    @property
    def measured(self) -> list[Column]:
        """Columns that hold a known property, also those whose head is wrong."""
        return [column for column in self.columns if column.role == "property"]

    @property
    def is_long(self) -> bool:
        """True when indicator and value stand in columns of their own."""
        return self.one("indicator") is not None and self.one("value") is not None


@lru_cache(maxsize=4096)
def unit_code(text: str) -> str | None:
    """UCUM code of a unit as people write it, None for anything else (and for blank, which is no unit)."""
    plain = _UNIT_PREFIX.sub("", composed(text)).strip("()[] ")
    if not plain or plain == "-" or plain.isdigit():
        return None
    try:
        return canonical(plain)
    except SourceChanged:
        return None


def unit_for(unit: str, observed: ObservedProperty) -> tuple[str, str]:
    """(UCUM unit of the values, what is wrong with it) for a unit as written; blank means the unit of the catalogue."""
    label = observed.unit_vi or observed.unit
    if not unit or folded(unit) in {folded(name) for name in (observed.unit, observed.unit_vi, observed.unit_en)}:
        return observed.unit, ""
    code = "1" if unit == "1" else unit_code(unit)
    if code is None:
        return "", f"không có đơn vị “{unit}”; {observed.name_vi} tính bằng {label}"
    try:
        convert(1.0, code, observed.unit, observed.key)
    except SourceChanged:
        return "", f"đơn vị “{unit}” không đổi được sang {label}"
    return code, ""


class Vocabulary:
    """Heads and indicator names -> observed properties. `overrides` maps a head of the file to a catalogue key."""

    def __init__(self, properties: Iterable[ObservedProperty], overrides: Mapping[str, str]) -> None:
        self.properties = {item.key: item for item in properties}
        self._keys: dict[str, str] = {}
        self._names: dict[str, str] = {}  # long enough to be looked for inside of a sentence
        for item in self.properties.values():
            for name in (item.key, item.name_vi, item.name_en, *SYNONYMS.get(item.key, "").split("|")):
                self._keys[_compact(folded(name))] = item.key
                if len(name) >= TITLE_NAME_LEAST:
                    self._names[folded(name)] = item.key
        self._keys.pop("", None)
        unknown = sorted(set(overrides.values()) - set(self.properties))
        if unknown:
            raise InputError(
                f"sources.toml, [source.options] columns: “{unknown[0]}” không có trong danh mục; "
                f"các mã có thể dùng: {', '.join(sorted(self.properties))}"
            )
        self._overrides = {folded(head): key for head, key in overrides.items()}

    def by_configuration(self, head: str) -> ObservedProperty | None:
        """The property that the operator gave to a head, written with or without its unit."""
        key = self._overrides.get(folded(head)) or self._overrides.get(folded(_BRACKET.sub("", head)))
        return self.properties[key] if key else None

    def by_name(self, names: Sequence[str]) -> ObservedProperty | None:
        """The property of the head texts from top to bottom; the lowest one must take part.

        «Hồ sơ đã giải quyết / Đúng hạn» is looked up as a whole first; «Quá hạn» below the same text is not its parent.
        """
        words = [folded(name) for name in names if name]
        for start in range(len(words)):
            text = " ".join(words[start:])
            for candidate in (text, _FILLER.sub("", text), _FILLER.sub("", _FILLER.sub("", text))):
                key = self._keys.get(_compact(candidate))
                if key:
                    return self.properties[key]
        return None

    def in_title(self, titles: Iterable[str]) -> ObservedProperty | None:
        """The one property whose name stands in the titles; of names within names the longest. None when in doubt."""
        text = " " + re.sub(r"[^\w,.]+|[,.](?!\d)", " ", " ".join(folded(title) for title in titles)) + " "
        named = {name: key for name, key in self._names.items() if f" {name} " in text}
        longest = [name for name in named if not any(name != other and name in other for other in named)]
        keys = {named[name] for name in longest}
        return self.properties[keys.pop()] if len(keys) == 1 else None

    def nearest(self, head: str) -> ObservedProperty | None:
        """The property whose name is most like a head that is not known; None where none is, and for a short word:
        whoever writes AQI does not mean the American one.
        """
        name = _compact(folded(_BRACKET.sub("", head)))
        found = get_close_matches(name, self._keys, 1, LIKE) if len(name) >= LIKE_LEAST else []
        return self.properties[self._keys[found[0]]] if found else None

    def expected(self) -> str:
        """Some names that a head may hold, for messages."""
        return ", ".join(f"“{item.name_vi}”" for item in list(self.properties.values())[:6])


def _compact(text: str) -> str:
    return "".join(mark for mark in text if mark.isalnum())


def _without_unit(text: str) -> tuple[str, str, str]:
    """(name, UCUM unit or empty, bracket that is neither unit nor harmless) of one head text."""
    text = re.sub(r"dB\s*[(\[]\s*A\s*[)\]]", "dBA", text, flags=re.IGNORECASE)
    if found := _BRACKET.search(text):
        inside, name = found[1], text[: found.start()]
        if unit := unit_code(inside):
            return name, unit, ""
        return (name, "", "") if _NO_UNIT.fullmatch(folded(inside)) else (name, "", inside)
    name, _, last = text.rpartition(" ")
    if name and (not last.isalpha() or last.casefold() in _BARE_UNITS) and (unit := unit_code(last)):
        return name.rstrip(" ,:;-–"), unit, ""
    name, comma, last = text.rpartition(",")
    if comma and not last[:1].isdigit() and (unit := unit_code(last)):
        return name, unit, ""
    return text, "", ""


def read_head(index: int, head_row: int, parts: Sequence[str], vocabulary: Vocabulary) -> Column:
    """What the head texts of one column, from top to bottom, mean; also the name in an indicator cell."""
    column = Column(index, head_row, " / ".join(parts))
    if not parts:
        return column
    names, bad = [], ""
    for place, part in enumerate(parts):
        if place and (unit := unit_code(part)):
            column.unit = unit
            continue
        name, unit, wrong = _without_unit(part)
        names.append(name)
        column.unit, bad = unit or column.unit, wrong or bad
    configured = vocabulary.by_configuration(parts[-1]) or vocabulary.by_configuration(" ".join(parts))
    observed = configured or vocabulary.by_name(names)
    if not observed and bad and (observed := vocabulary.by_name(parts)):
        bad = ""  # the bracket belongs to the name: «Hệ số ùn tắc HERE (0–10)»
    if observed:
        column.role, column.observed = "property", observed
        own = {folded(label) for label in (observed.unit, observed.unit_vi, observed.unit_en)}
        if bad and folded(bad) not in own and not configured:
            column.error = f"không hiểu “{bad}”; hãy ghi đơn vị, ví dụ ({observed.unit_vi or observed.unit})"
        return column
    plain = [folded(re.sub(r"[:*/,.]+", " ", _BRACKET.sub("", part))) for part in parts]
    for words in (" ".join(plain), " ".join(reversed(plain)), plain[-1]):
        if words in _ROLE_OF:
            column.role, column.rank = _ROLE_OF[words]
            break
    column.utc = column.role in TIME_ROLES and re.search(r"\b(utc|gmt)\b(?! ?\+ ?0?7)", folded(column.head)) is not None
    return column


def _headlike(sheet: Sheet, row: int) -> bool:
    """True when a row holds words and no number or date; a dash (an index has no unit) does no harm."""
    filled = False
    for column in range(len(sheet.rows[row])):
        cell = sheet.own(row, column)
        if cell.missing:
            continue
        if cell.error or not isinstance(cell.value, str):
            return False
        filled = True
        if cell.text[:1].isdigit() or cell.text[:1] in "+-−":
            for read in (read_number, read_moment):
                try:
                    read(cell)
                except CellError:
                    continue
                return False
    return filled


def _roles(sheet: Sheet, row: int, vocabulary: Vocabulary) -> int:
    """How many columns of a row name something known."""
    return sum(
        1
        for column in range(len(sheet.rows[row]))
        if not (cell := sheet.own(row, column)).blank and read_head(column, row, [cell.text], vocabulary).role
    )


def starts_head(sheet: Sheet, row: int, vocabulary: Vocabulary) -> bool:
    """True when a row among the data is the head of the next table or page."""
    return _headlike(sheet, row) and _roles(sheet, row, vocabulary) >= 2


def _columns(sheet: Sheet, first: int, last: int, vocabulary: Vocabulary) -> list[Column]:
    """The columns of the head rows first..last, with merged and left-filled group titles."""
    parts: list[list[str]] = [[] for _ in range(sheet.width)]
    lowest = [first] * sheet.width
    for row in range(first, last + 1):
        group = ""
        for column in range(sheet.width):
            anchor = sheet.anchors.get((row, column), (row, column))
            text = sheet.own(*anchor).text
            if text:
                group = text
            elif anchor == (row, column) and any(sheet.own(below, column).text for below in range(row + 1, last + 1)):
                text = group  # a group title over several columns that was not merged, as in every CSV
            else:
                group = ""
            if text and not (parts[column] and anchor[0] < row):
                parts[column].append(text)
                lowest[column] = anchor[0]
    return [read_head(index, lowest[index], parts[index], vocabulary) for index in range(sheet.width)]


def _continues_head(sheet: Sheet, row: int, columns: Sequence[Column], vocabulary: Vocabulary) -> bool:
    """True when a row below a head row belongs to the head: nothing but head words under time, site and number."""
    if row >= len(sheet.rows) or not _headlike(sheet, row) or _numbers_columns(sheet, row):
        return False
    for column in columns:
        if column.role in (*TIME_ROLES, "site", "site_code", "ordinal", "unit_or_site", "indicator"):
            cell = (
                sheet.own(row, column.index)
                if sheet.anchors.get((row, column.index), (row, 0))[0] < row
                else sheet.shown(row, column.index)
            )
            if (
                cell.text
                and not cell.text.startswith("(")
                and not read_head(column.index, row, [cell.text], vocabulary).role
            ):
                return False
    return True


def _numbers_columns(sheet: Sheet, row: int) -> bool:
    """True for the row below a head that numbers its columns: (1) (2) (3=1+2)."""
    texts = [cell.text for column in range(len(sheet.rows[row])) if not (cell := sheet.own(row, column)).blank]
    found = [_TABLE_NUMBER.fullmatch(folded(text)) for text in texts]
    numbers = [int(match[1]) for match in found if match and match[1].isdigit()]
    return len(numbers) >= 2 and all(found) and all(after - before == 1 for before, after in pairwise(numbers))


def find_table(sheet: Sheet, first: int, vocabulary: Vocabulary) -> Table | None:
    """The next table whose head begins at row `first` or below, or None."""
    for row in range(first, min(first + SEARCH_ROWS, len(sheet.rows))):
        if not _headlike(sheet, row) or not _roles(sheet, row, vocabulary):
            continue
        last = row
        columns = _columns(sheet, row, last, vocabulary)
        while last - row + 1 < HEAD_ROWS_MAX and _continues_head(sheet, last + 1, columns, vocabulary):
            last += 1
            columns = _columns(sheet, row, last, vocabulary)
        table = Table(row, last + 1, columns)
        if not table.measured and not table.is_long:
            continue
        if last + 1 < len(sheet.rows) and _numbers_columns(sheet, last + 1):
            table = Table(row, last + 2, columns)
        settle_unit_or_site(sheet, table)
        return table
    return None


def settle_unit_or_site(sheet: Sheet, table: Table) -> None:
    """«Đơn vị» is the unit of measurement when its cells hold nothing but units, else the reporting unit."""
    for column in table.columns:
        if column.role == "unit_or_site":
            texts = {sheet.own(row, column.index).text for row in range(table.first_row, len(sheet.rows))} - {""}
            column.role = "unit" if texts and all(unit_code(text) for text in texts) else "site"
            column.rank = len(ROLES["site"])  # any other site column is more precise
