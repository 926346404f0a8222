"""The brief as a file, from the store or from the archive.

    python -m reports daily --city demo --date 2026-11-20 --out f.pdf      daily | weekly | monthly
    python -m reports weekly --out f.docx --language en                    .pdf | .docx | .xlsx | .html

What the server archived for that date is taken as it was sent; else the report is made from the store, which a
running server owns. Data goes to the file, words to stderr; what a person can mend ends with exit code 2 and one
line. A door, so it may open the rooms it needs: tests/test_architecture.py knows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from core.brief import DAY, MONTH, WEEK, Facts, span
from core.config import City, load_city
from core.errors import HouseError, InputError, StoreBusy
from core.files import write_whole
from core.report_plan import FORMATS
from reports import render

OLDEST = date(1970, 1, 1)
PERIODS = {"daily": DAY, "weekly": WEEK, "monthly": MONTH}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"error: {message}; see python -m reports --help", file=sys.stderr)
        raise SystemExit(2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; exit code 0, or 2 with one `error:` line."""
    parser = _Parser(prog="python -m reports", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=tuple(PERIODS))
    parser.add_argument("--city", default=None)
    parser.add_argument(
        "--date", metavar="YYYY-MM-DD", help="a day of the period; default: the last one that has ended"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help=f"the file; its ending says which: {', '.join(FORMATS)}"
    )
    parser.add_argument("--language", choices=("vi", "en"), default="vi")
    given = parser.parse_args(arguments)
    try:
        shape = given.out.suffix.lower().lstrip(".")
        if shape not in FORMATS:
            raise InputError(f"--out {given.out}: end the name in {', '.join('.' + one for one in FORMATS)}")
        city = load_city(given.city)
        period = PERIODS[given.kind]
        facts = _facts(city, period, _day(given.date, period, city))
        body = render(facts, shape, given.language)
        if not given.out.parent.is_dir():
            raise InputError(f"--out {given.out}: No such file or directory")
        try:
            write_whole(given.out, body)  # a full disk must not leave half a report where a whole one was
        except OSError as error:
            raise InputError(f"--out {given.out}: {error.strerror}") from error
    except HouseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{given.out}: {given.kind} {facts.first.isoformat()}, {len(body)} bytes", file=sys.stderr)
    return 0


def _day(text: str | None, period: str, city: City) -> date:
    now = datetime.now(UTC).astimezone(city.zone)
    if text is None:
        first, _, _, _ = span(period, now.date(), city.zone)
        return first - timedelta(days=1)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--date {text!r} is no date; write 2026-11-20") from error
    if day > now.date():
        raise InputError(f"--date {text} lies in the future")
    if day < OLDEST:
        raise InputError(f"--date {text}: no report reaches back before {OLDEST.isoformat()}")
    return day


def _facts(city: City, period: str, day: date) -> Facts:
    """From the archive, else from the store. Raises HouseError."""
    from control.briefs import Archive

    archive = Archive(city.reports_path)
    first, _, _, _ = span(period, day, city.zone)
    if archive.has(period, first):
        print("taken from the archive, as it was sent", file=sys.stderr)
        return archive.read(period, first)
    if not city.store_path.is_file():
        raise InputError(f"{city.store_path.name} is not there: start the server once, or set CITY_STORE")
    try:
        return _gathered(city, period, day)
    except StoreBusy as busy:
        raise InputError(
            f"the server owns the store, and its archive has no {period} report of {first.isoformat()}: "
            "download it from the page «Bản tin lãnh đạo», or stop the server"
        ) from busy


def _gathered(city: City, period: str, day: date) -> Facts:
    import connectors
    import indicators
    from alerts.desk import load_desk
    from alerts.words import rule_words
    from control.brief import Material, gather
    from control.pilots import Pilots
    from store.duck import DuckStore

    catalogue = indicators.catalogue()
    desk = load_desk(city, catalogue)
    store = DuckStore(city.store_path, zone=str(city.zone))
    try:
        material = Material(
            city=city,
            catalogue=catalogue,
            store=store,
            words={rule.key: rule_words(rule) for rule in desk.rules},
            pilots=Pilots(city).on,
            asked=lambda today, areas: (),
            ahead=lambda: (),
            snapshot=lambda: None,
            kinds=_kinds(city, connectors.discover()),
        )
        return gather(material, period, day, datetime.now(UTC))
    finally:
        store.close()


def _kinds(city: City, known: Mapping[str, Any]) -> dict[str, str]:
    """What each source that is switched on tells: measurement, model, report or simulation."""
    return {one.key: known[one.connector].SOURCE.kind for one in city.sources if one.enabled and one.connector in known}


if __name__ == "__main__":
    sys.exit(main())
