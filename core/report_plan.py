"""Which reports are made when, and who gets them: config/<city>/reports.toml. Without the file none is scheduled.

[[report]]
period = "day"              # day | week | month: the one that has ended
at = "06:30"                # every day, on Mondays, on the 1st; city time
formats = ["pdf", "docx"]   # pdf | docx | xlsx | html
to = ["director", "a@b.vn"] # «duty», keys of contacts in roster.toml, or addresses; empty: kept, not sent
channel = "mail"            # an e-mail channel of notices.toml
language = "vi"
keep_months = 24
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from core.brief import DAY, PERIODS, WEEK
from core.errors import ConfigError
from core.i18n import LANGUAGES
from core.toml_files import read_toml, shown_path, take

FORMATS = ("pdf", "docx", "xlsx", "html")
KEYS = ("period", "at", "formats", "to", "channel", "language", "keep_months")
LATE_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One [[report]]."""

    period: str
    at: time
    formats: tuple[str, ...]
    to: tuple[str, ...]
    channel: str
    language: str
    keep_months: int

    def due(self, now: datetime, zone: ZoneInfo) -> tuple[datetime, date]:
        """The last moment up to `now` at which it was due (UTC), and a day of the period that had ended then."""
        local = now.astimezone(zone)
        day = local.date()
        if local.time() < self.at:
            day -= timedelta(days=1)
        if self.period == WEEK:
            day -= timedelta(days=day.weekday())
        elif self.period != DAY:
            day = day.replace(day=1)
        return datetime.combine(day, self.at, zone).astimezone(UTC), day - timedelta(days=1)


def load_reports(path: Path) -> tuple[Report, ...]:
    """Read reports.toml. Raises ConfigError with file, entry and remedy."""
    if not path.is_file():
        return ()
    table, where = read_toml(path), shown_path(path)
    if unknown := sorted(set(table) - {"report"}):
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; write [[report]]")
    found = [
        _report(one, f"{where}: [[report]] number {number}")
        for number, one in enumerate(take(table, "report", list, where, []), start=1)
    ]
    periods = [one.period for one in found]
    if len(set(periods)) < len(periods):
        raise ConfigError(f"{where}: one [[report]] for each period; put all its formats and recipients there")
    return tuple(found)


def _report(table: object, where: str) -> Report:
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: must be a table, not {table!r}")
    if unknown := sorted(set(table) - set(KEYS)):
        raise ConfigError(f"{where}: unknown key {', '.join(unknown)}; known are {', '.join(KEYS)}")
    period, language = take(table, "period", str, where), take(table, "language", str, where, "vi")
    for name, given, known in (("period", period, PERIODS), ("language", language, LANGUAGES)):
        if given not in known:
            raise ConfigError(f"{where}: {name} {given!r} is not one of {', '.join(known)}")
    text = take(table, "at", str, where)
    try:
        at = datetime.strptime(text, "%H:%M").time()
    except ValueError as error:
        raise ConfigError(f"{where}: at {text!r} is no time of day such as 06:30") from error
    lists = {}
    for name in ("formats", "to"):
        lists[name] = take(table, name, list, where, ["pdf"] if name == "formats" else [])
        if not all(isinstance(one, str) and one for one in lists[name]):
            raise ConfigError(f"{where}: {name} must be a list of words, not {lists[name]!r}")
    wrong = [one for one in lists["formats"] if one not in FORMATS]
    if wrong or not lists["formats"]:
        raise ConfigError(f"{where}: formats must be some of {', '.join(FORMATS)}")
    months = take(table, "keep_months", int, where, 24)
    if not 1 <= months <= 1200:
        raise ConfigError(f"{where}: keep_months must lie between 1 and 1200, not {months}")
    return Report(
        period=period,
        at=at,
        formats=tuple(dict.fromkeys(lists["formats"])),
        to=tuple(dict.fromkeys(lists["to"])),
        channel=take(table, "channel", str, where, ""),
        language=language,
        keep_months=months,
    )
