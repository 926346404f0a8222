"""One cell of an office table: what number, which end of which period, or why it is neither.

Numbers as text follow the Vietnamese rule: the comma is the decimal sign, dots group thousands.
    1.234,5  1 234,5 -> 1234.5       1.234   -> 1234     (groups of exactly three digits, the first not starting with 0)
    1,234            -> 1.234        12.5    -> 12.5     (not a group of three: the dot can only be a decimal sign)
    0.123            -> 0.123        1,234.5 -> 1234.5   (comma before dot: English style, not ambiguous)
Times are read day first. A period is labelled with its END: a day ends at the next midnight, «Tháng 2/2026» on 1 March
2026 00:00, «24:00» is the next day 00:00, «07:00-08:00» ends at 08:00.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from connectors._vietnamese_text import composed, folded

MISSING_WORDS = frozenset({
    "", "-", "--", "---", "–", "—", "_", ".", "..", "...", "....", "/", "x", "kps", "kxd", "kph", "kcsl", "khong co",
    "khong co so lieu", "chua co so lieu", "mat so lieu", "khong phat sinh", "khong xac dinh",
    "n/a", "na", "null", "nan", "none",
})  # fmt: skip
STRUCK = "số bị gạch ngang; hãy xoá số ấy hoặc bỏ gạch ngang"  # withdrawn, or still good? Nobody can know
EARLIEST_YEAR, LATEST_YEAR = 1990, 2100
EPOCH_1900 = datetime(1899, 12, 30)  # day 0 of Excel's serial days; workbooks of old Macs count from 1904
_LAST_SERIAL = 80_000

_GROUPED = re.compile(r"[1-9]\d{0,2}(\.\d{3})+(,\d+)?|[1-9]\d{0,2}( \d{3})+(,\d+)?")
_COMMA = re.compile(r"\d+(,\d+)?(e[+-]?\d{1,3})?|,\d+")
_DOT = re.compile(r"\d+\.\d+(e[+-]?\d{1,3})?|\.\d+")
_ENGLISH = re.compile(r"\d{1,3}(,\d{3})+\.\d+|\d{1,3}(,\d{3}){2,}")
_DOUBTFUL = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_DIGITS_MAX = 30  # longer is no measurement
_TIME_TEXT_MAX = 80


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as its file holds it. `error` is why it holds nothing, e.g. a formula that nobody has computed."""

    value: str | float | datetime | time | timedelta | None = None
    number_format: str = ""
    error: str = ""

    @property
    def text(self) -> str:
        """The cell as NFC text; whole numbers without a decimal point."""
        if isinstance(self.value, str):
            return composed(self.value)
        if isinstance(self.value, float) and self.value.is_integer():
            return str(int(self.value))
        if isinstance(self.value, datetime):
            return f"{self.value:%d/%m/%Y %H:%M}"
        return "" if self.value is None else str(self.value)

    @property
    def blank(self) -> bool:
        """True when the cell holds neither a value nor an error."""
        return not self.error and (self.value is None or (isinstance(self.value, str) and not self.value.strip()))

    @property
    def missing(self) -> bool:
        """True when the cell is blank or says in words that there is no value."""
        return not self.error and (
            self.value is None or (isinstance(self.value, str) and folded(self.value) in MISSING_WORDS)
        )


class CellError(ValueError):
    """What is wrong with one cell, in Vietnamese, without its address."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number, whether it was given in per cent, and what its text says about the decimal sign of its column."""

    value: float
    percent: bool = False
    dot_decimal: bool = False  # 12.5: proves that somebody uses the dot as decimal sign
    doubtful: bool = False  # 1.234 or 1,234: means something else where the dot is the decimal sign


def read_number(cell: Cell) -> Number | None:
    """The number in a cell, None when it is missing. Raises CellError."""
    if cell.error:
        raise CellError(cell.error)
    if cell.missing:
        return None
    if isinstance(cell.value, float):
        if not math.isfinite(cell.value):
            raise CellError(f"“{cell.text}” không phải là số")
        if "%" in cell.number_format:
            return Number(float(Decimal(repr(cell.value)) * 100), percent=True)
        return Number(cell.value)
    if isinstance(cell.value, str):
        return _number_of_text(composed(cell.value))
    raise CellError(f"“{cell.text}” là ngày giờ, không phải là số")


@lru_cache(maxsize=65536)
def _number_of_text(shown: str) -> Number:
    """«1.234,5», «12,5%», «−3» as a number. Raises CellError."""
    text = shown.removeprefix("'").strip().casefold()
    percent = text.endswith("%")
    text = text.removesuffix("%").rstrip()
    sign = 1.0
    if text[:1] in ("-", "+", "−", "–"):
        sign = 1.0 if text[0] == "+" else -1.0
        text = text[1:].lstrip()
    if not text.isascii() or sum(map(str.isdigit, text)) > _DIGITS_MAX:
        raise CellError(f"“{_short(shown)}” không phải là số")
    dot_decimal = False
    if _GROUPED.fullmatch(text):
        plain = text.replace(".", "").replace(" ", "").replace(",", ".")
    elif _COMMA.fullmatch(text):
        plain = text.replace(",", ".")
    elif _DOT.fullmatch(text) or _ENGLISH.fullmatch(text):
        dot_decimal, plain = True, text.replace(",", "")
    else:
        raise CellError(f"“{_short(shown)}” không phải là số")
    value = float(plain)
    if not math.isfinite(value):
        raise CellError(f"“{_short(shown)}” quá lớn")
    return Number(sign * value, percent, dot_decimal, doubtful=_DOUBTFUL.fullmatch(text) is not None)


# ---- periods -------------------------------------------------------------------------------------------------------

_DATE = (
    r"(?:ngay )?(?:(?P<d>\d{1,2})\s?[/.-]\s?(?P<m>\d{1,2})\s?[/.-]\s?(?P<y>\d{4}|\d{2})"
    r"|(?P<d2>\d{1,2}) thang (?P<m2>\d{1,2}) nam (?P<y2>\d{4}))"
)
_ISO = r"(?P<iy>\d{4})[-/](?P<im>\d{1,2})[-/](?P<id>\d{1,2})"
_CLOCK = r"(\d{1,2})\s?(?::|h|g|gio)\s?(\d{1,2})?(?:\s?(?::|phut|p|m)\s?(\d{1,2})?(?:\.\d+)?)?"
_CLOCKS = re.compile(rf"(?:tu )?(?:(?P<from>{_CLOCK})\s?(?:-|–|—|den)\s?)?(?:luc )?(?P<to>{_CLOCK})")
_CLOCK_ONLY = re.compile(_CLOCK)
_DAY = re.compile(rf"{_DATE}|{_ISO}")
_DAY_CLOCK = re.compile(rf"{_DATE}\s*,?\s*(?P<clock>(?:luc |tu )?\d.*)")
_CLOCK_DAY = re.compile(rf"(?P<clock>\d.*?)\s*,?\s*{_DATE}")
_ISO_CLOCK = re.compile(rf"{_ISO}(?:\s+|t)(?P<clock>\d.*?)(?P<offset>z|\s?[+-]\d{{2}}:?\d{{2}})?")
_MONTH = re.compile(
    r"(?:thang )?(?P<m>\d{1,2})\s?[/.-]\s?(?P<y>\d{4})|thang (?P<m2>\d{1,2}) (?:nam )?(?P<y2>\d{4})"
    r"|(?P<y3>\d{4})[-/](?P<m3>\d{1,2})"
)
_QUARTER = re.compile(r"quy (?P<q>i{1,3}|iv|[1-4])(?:\s?[/.-]\s?| nam | )(?P<y>\d{4})")
_YEAR = re.compile(r"nam (?P<y>\d{4})|(?P<y2>\d{4})")
_FORMAT_NOISE = re.compile(
    r'\[[^\]]*\]|"[^"]*"'
)  # colours, locales and quoted words of a number format hold letters too
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class Moment:
    """What a time cell names: a clock time, a whole day, or a longer span (`at` is its END already)."""

    at: datetime  # naive local time, or aware when the text carried an offset
    kind: Literal["instant", "day", "span"] = "instant"

    @property
    def end(self) -> datetime:
        """END of the period that the label names."""
        return self.at + timedelta(days=1) if self.kind == "day" else self.at


def month_end(year: int, month: int) -> datetime:
    """Midnight after the last day of a month."""
    return datetime(year + month // 12, month % 12 + 1, 1)


def read_moment(cell: Cell, instants: bool = False, epoch: datetime = EPOCH_1900) -> Moment:
    """A date or period cell. `instants` says that its column holds clock times, so a stored date alone means 00:00.

    Raises CellError.
    """
    if cell.error:
        raise CellError(cell.error)
    value = cell.value
    if isinstance(value, str):
        return _moment_of_text(composed(value), epoch)
    if isinstance(value, float):
        if EARLIEST_YEAR <= value <= LATEST_YEAR and value.is_integer():
            return Moment(month_end(int(value), 12), "span")
        if not LATEST_YEAR < value <= _LAST_SERIAL:
            raise CellError(f"“{cell.text}” không phải là ngày giờ; hãy ghi dd/mm/yyyy HH:MM")
        value = rounded(epoch + timedelta(days=value))
    if not isinstance(value, datetime):
        raise CellError(f"“{cell.text}” không phải là ngày; hãy ghi dd/mm/yyyy HH:MM")
    if not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
        raise CellError(f"năm {value.year} nằm ngoài {EARLIEST_YEAR}-{LATEST_YEAR}")
    if value.time() == _MIDNIGHT and not instants:
        shape = _FORMAT_NOISE.sub("", cell.number_format.casefold())
        if "m" in shape and "d" not in shape and "h" not in shape:
            return Moment(month_end(value.year, value.month), "span")
        return Moment(value, "instant" if "h" in shape else "day")
    return Moment(rounded(value))


def rounded(value: datetime) -> datetime:
    """To the second: Excel keeps times as binary fractions of a day, so 07:00 arrives as 06:59:59.999997."""
    return (value + timedelta(microseconds=500_000)).replace(microsecond=0)


def _moment_of_text(shown: str, epoch: datetime = EPOCH_1900) -> Moment:
    text = folded(shown).removeprefix("'")
    if text.startswith("tuan "):  # offices number weeks in more than one way; a week that says its last day is clear
        if last := _PERIOD_IN_TITLE[0].search(text):
            return _moment_of_text(last["text"])
        raise CellError(f"“{_short(shown)}” là số tuần, mỗi nơi đếm một khác; hãy ghi “… đến ngày dd/mm/yyyy”")
    wrong = CellError(f"“{_short(shown)}” không phải là ngày giờ; hãy ghi dd/mm/yyyy HH:MM")
    if len(text) > _TIME_TEXT_MAX or not re.sub("[–—]", "-", text).isascii():
        raise wrong
    if found := _DAY.fullmatch(text):
        return Moment(datetime.combine(_day(found, shown), _MIDNIGHT), "day")
    if found := _DAY_CLOCK.fullmatch(text) or _ISO_CLOCK.fullmatch(text) or _CLOCK_DAY.fullmatch(text):
        at = _day_and_clock(_day(found, shown), found["clock"], shown)
        offset = found.groupdict().get("offset")
        if offset:
            stamp = "+00:00" if offset == "z" else offset.strip()
            try:
                return Moment(datetime.fromisoformat(at.isoformat() + stamp))
            except ValueError:  # +99:99 is no zone on earth
                raise wrong from None
        return Moment(at)
    if found := _MONTH.fullmatch(text):
        year, month = int(found["y"] or found["y2"] or found["y3"]), int(found["m"] or found["m2"] or found["m3"])
        if 1 <= month <= 12 and EARLIEST_YEAR <= year <= LATEST_YEAR:
            return Moment(month_end(year, month), "span")
    elif found := _QUARTER.fullmatch(text):
        quarter, year = found["q"], int(found["y"])
        if EARLIEST_YEAR <= year <= LATEST_YEAR:
            return Moment(month_end(year, 3 * (_ROMAN.get(quarter) or int(quarter))), "span")
    elif found := _YEAR.fullmatch(text):
        year = int(found["y"] or found["y2"])
        if EARLIEST_YEAR <= year <= LATEST_YEAR:
            return Moment(month_end(year, 12), "span")
    elif re.fullmatch(r"\d{5}([.,]\d+)?", text):  # an Excel serial that was saved as text
        return read_moment(Cell(float(text.replace(",", "."))), epoch=epoch)
    raise wrong


def _day(found: re.Match[str], shown: str) -> date:
    groups = found.groupdict()
    digits = [
        next(groups[name] for name in names if groups.get(name))
        for names in (("y", "y2", "iy"), ("m", "m2", "im"), ("d", "d2", "id"))
    ]
    year, month, day = (int(one) for one in digits)
    year += 2000 if len(digits[0]) == 2 else 0  # «26» is 2026; «0001» is a slip of the hand
    try:
        whole = date(year, month, day)
    except ValueError:
        raise CellError(f"không có ngày “{_short(shown)}”; hãy ghi dd/mm/yyyy") from None
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise CellError(f"năm {year} nằm ngoài {EARLIEST_YEAR}-{LATEST_YEAR}")
    return whole


def _day_and_clock(day: date, clock: str, shown: str) -> datetime:
    """A day with «07:00», «7h30», «24:00» or «23:00-24:00» (the end counts)."""
    found = _CLOCKS.fullmatch(clock)
    if not found:
        raise CellError(f"“{_short(shown)}” không phải là ngày giờ; hãy ghi dd/mm/yyyy HH:MM")
    end = _since_midnight(found["to"], shown)
    if found["from"] and end <= _since_midnight(found["from"], shown):
        end += timedelta(days=1)  # 23:00-00:00 ends on the next day
    return datetime.combine(day, _MIDNIGHT) + end


def _since_midnight(clock: str, shown: str) -> timedelta:
    found = _CLOCK_ONLY.fullmatch(clock)
    hour, minute, second = (int(digits or 0) for digits in (found.groups() if found else ("99", "", "")))
    if minute > 59 or second > 59 or 3600 * hour + 60 * minute + second > 86400:
        raise CellError(f"không có giờ “{_short(shown)}”; giờ đi từ 00:00 đến 24:00")
    return timedelta(hours=hour, minutes=minute, seconds=second)


def at_hour(day: Moment, cell: Cell) -> Moment:
    """A date with the hour of the column beside it: «7», «07:00», «24:00», «0h-1h», an Excel time. Raises CellError."""
    if cell.error:
        raise CellError(cell.error)
    if day.kind == "span" or (day.kind == "instant" and day.at.time() != _MIDNIGHT):
        raise CellError(f"giờ “{cell.text}” đi kèm một cột ngày không chỉ ghi ngày; hãy ghi ngày dd/mm/yyyy")
    value, midnight = cell.value, day.at
    if isinstance(value, datetime):  # an Excel time with a stray date part
        value = value.time()
    if isinstance(value, time):
        value = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, microseconds=value.microsecond)
    elif isinstance(value, float):
        as_time = 0 < value < 1 or any(mark in cell.number_format for mark in ":h")
        value = timedelta(days=value) if as_time else timedelta(hours=value)
    if isinstance(value, timedelta) and timedelta(0) <= value <= timedelta(days=1):
        return Moment(rounded(midnight + value))
    if isinstance(value, str):
        clock = folded(value)
        return Moment(_day_and_clock(midnight.date(), f"{clock}:00" if clock.isdigit() else clock, composed(value)))
    raise CellError(f"“{cell.text}” không phải là giờ; hãy ghi HH:MM")


def joined_moment(
    cells: Mapping[str, Cell], period: Moment | None, instants: bool = False, epoch: datetime = EPOCH_1900
) -> Moment:
    """What the time cells of one row name together. `cells` by role: date, hour, month, quarter, year.

    `period` is what the title of the table says («Tháng 2/2026»): the whole answer where no cell is there, and the
    missing month or year of cells like «15» or «Tháng 2». Raises CellError.
    """
    given = {role: cell for role, cell in cells.items() if not cell.missing}
    hour = given.pop("hour", None)
    if "hour" in cells and hour is None:
        raise CellError("thiếu giờ; hãy ghi HH:MM")
    if hour and set(cells) == {"hour"}:  # «Giờ» alone: a whole moment, or a time of the day in the title
        try:
            return read_moment(hour, True, epoch)
        except CellError:
            if period is None or period.kind != "day":
                raise
            return at_hour(period, hour)
    if not given and cells:
        raise CellError("thiếu thời gian; hãy ghi dd/mm/yyyy HH:MM")
    day = _longest(given, period, instants, epoch)
    return at_hour(day, hour) if hour else day


def _longest(given: Mapping[str, Cell], period: Moment | None, instants: bool, epoch: datetime) -> Moment:
    """The day or span of the cells without the hour, from the finest cell that is there."""
    titled = period.at - timedelta(days=1) if period and period.kind == "span" else None  # a day inside that span
    year = _whole(given.get("year")) or (titled.year if titled else None)
    if "date" in given:
        day, month = _whole(given["date"]), _whole(given.get("month")) or (titled.month if titled else None)
        if day is None or day > 31:
            return read_moment(given["date"], instants, epoch)
        if month is None or year is None:
            raise CellError(f"ngày “{day}” thiếu tháng và năm; hãy ghi dd/mm/yyyy")
        return _moment_of_text(f"{day}/{month}/{year}")
    for role, length in (("month", 1), ("quarter", 3)):
        if role not in given:
            continue
        number = _whole(given[role])
        if number is None or number > 12 // length:
            moment = read_moment(given[role], epoch=epoch)
            return Moment(month_end(moment.at.year, moment.at.month), "span") if moment.kind == "day" else moment
        if year is None:
            raise CellError(f"“{given[role].text}” thiếu năm; hãy ghi như Tháng 2/2026")
        return Moment(month_end(year, number * length), "span")
    if "year" in given:
        return read_moment(given["year"], epoch=epoch)
    if period is None:
        raise CellError("thiếu thời gian; hãy ghi dd/mm/yyyy HH:MM")
    return period


def _whole(cell: Cell | None) -> int | None:
    """The number in «2», 2.0, «Tháng 2», «Quý II» or «Năm 2026», else None."""
    text = folded(cell.text) if cell else ""
    text = re.sub(r"^(?:ngay|thang|quy|nam) ", "", text)
    return _ROMAN.get(text) or (int(text) if text.isdigit() and len(text) <= 4 else None)


_PERIOD_IN_TITLE = (
    re.compile(r"den (?:het )?(?:ngay )?(?P<text>\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{1,2} thang \d{1,2} nam \d{4})"),
    re.compile(r"(?P<text>tuan (?:thu )?\d{1,2}\b)"),  # comes to nothing, rather than to the month or year behind it
    re.compile(r"(?P<text>ngay \d{1,2}[/.-]\d{1,2}[/.-]\d{4}|ngay \d{1,2} thang \d{1,2} nam \d{4})"),
    re.compile(r"(?P<text>thang \d{1,2}(?:\s?[/.-]\s?| nam | )\d{4})"),
    re.compile(r"(?P<text>quy (?:i{1,3}|iv|[1-4])(?:\s?[/.-]\s?| nam | )\d{4})"),
    re.compile(r"(?P<months>[369]) thang (?:(?P<half>dau|cuoi) )?(?:nam )?(?P<year>\d{4})"),
    re.compile(r"(?P<text>nam \d{4})"),
)


def period_in_title(text: str) -> Moment | None:
    """The period that a title names («… đến ngày 31/3/2026», «THÁNG 2 NĂM 2026», «6 tháng đầu năm 2026»), or None."""
    plain = folded(text)
    for pattern in _PERIOD_IN_TITLE:
        if found := pattern.search(plain):
            if "months" in found.groupdict():
                last = 12 if found["half"] == "cuoi" else int(found["months"])
                return Moment(month_end(int(found["year"]), last), "span")
            words = found["text"]
            try:
                return _moment_of_text(words)
            except CellError:
                return None
    return None


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
