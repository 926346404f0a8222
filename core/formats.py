"""Numbers, ages and times as people in Vietnam read them (vi-VN by default, English beside it).

Written by hand because the general library rounds 4.000 s to «1 giờ» and shortens 12,5 triệu to «12 Tr».
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EM DASH}"
WEEKDAYS = {
    "vi": ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def number(value: float | None, decimals: int = 0, language: str = "vi", *, signed: bool = False) -> str:
    """«1.284,5» in vi, «1,284.5» in en; half-up; a dash for a missing value; U+2212 as minus."""
    if value is None or math.isnan(value) or math.isinf(value):
        return DASH
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{abs(rounded):,.{decimals}f}"
    if language == "vi":
        text = text.replace(",", "\0").replace(".", ",").replace("\0", ".")
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return sign + text


def percent(value: float | None, decimals: int = 0, language: str = "vi", *, signed: bool = False) -> str:
    """«96,4%» without a space, as CLDR has it for vi."""
    text = number(value, decimals, language, signed=signed)
    return text if text == DASH else f"{text}%"


def quantity(value: float | None, decimals: int, unit: str, language: str = "vi") -> str:
    """«38 cm», but «96,4%»: only the percent sign stands without a space. A dash stays alone."""
    text = number(value, decimals, language)
    if not unit or text == DASH:
        return text
    return f"{text}%" if unit == "%" else f"{text} {unit}"


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """«17:42» in city time."""
    return moment.astimezone(zone).strftime("%H:%M")


def day(moment: datetime, zone: ZoneInfo, language: str = "vi") -> str:
    """«15/09/2026», or «15 Sep 2026»."""
    local = moment.astimezone(zone)
    return f"{local.day} {MONTHS_EN[local.month - 1]} {local.year}" if language == "en" else local.strftime("%d/%m/%Y")


def weekday(moment: datetime, zone: ZoneInfo, language: str = "vi") -> str:
    """«Thứ Ba», or «Tuesday»."""
    return WEEKDAYS["en" if language == "en" else "vi"][moment.astimezone(zone).weekday()]


def duration(span: timedelta, language: str = "vi") -> str:
    """«6 phút», «1 giờ 06», «3 ngày»; below a minute «dưới 1 phút»."""
    minutes = int(abs(span.total_seconds()) // 60)
    if minutes < 1:
        return "under 1 min" if language == "en" else "dưới 1 phút"
    if minutes < 60:
        return f"{minutes} min" if language == "en" else f"{minutes} phút"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        tail = f" {rest:02d}" if rest else ""
        return f"{hours} h{tail}" if language == "en" else f"{hours} giờ{tail}"
    return f"{hours // 24} days" if language == "en" else f"{hours // 24} ngày"


def moment(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """«17:42» today, «20/11 17:42» on any other day: never a bare clock time that could be yesterday's."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    return local.strftime("%H:%M") if local.date() == today.date() else local.strftime("%d/%m %H:%M")
