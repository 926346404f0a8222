"""The city's spreadsheets, read and written by the connectors that know their habits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path

import pandas as pd

import connectors
from connectors import spreadsheet
from connectors._contract import Payload
from connectors._ratings_table import read_ratings
from connectors._sheet_template import Template, write_template
from core.catalogue import Catalogue
from core.clock import Clock
from core.config import City
from core.errors import InputError
from core.forms import Form, Period, due_at
from core.ratings import RatingCount

CELLS_MAX = 100_000  # a form asks for some hundred values; a million cells would hold up everybody's screens


class Sheets:
    """What files of this city say, and the empty ones it hands out."""

    def __init__(self, city: City, catalogue: Catalogue, clock: Clock) -> None:
        self._city = city
        self._catalogue = catalogue
        self._clock = clock

    def read(self, name: str, body: bytes, unit: str, source: str) -> spreadsheet.SheetReading:
        """A workbook or CSV file of one unit. Raises InputError."""
        context = {
            "source": source,
            "sites": self._city.sites,
            "zone": self._city.zone,
            "fallback_site": unit,
            "most_cells": CELLS_MAX,
        }
        return spreadsheet.read(Payload(body=body, name=name, context=context))

    def ratings(self, name: str, body: bytes) -> list[RatingCount]:
        """The portal's ratings by office and service, which may be called by code or by name. Raises InputError."""
        words: dict[str, dict[str, str]] = {"office": {}, "service": {}}
        for site in self._city.sites[self._city.sites["kind"].isin(list(words))].to_dict("records"):
            words[site["kind"]] |= {str(site[name]): str(site["site_id"]) for name in ("site_id", "name_vi", "name_en")}
        return read_ratings(name, body, words["office"], words["service"], self._city.zone)

    def published_scores(self, path: Path) -> pd.DataFrame:
        """A file of published scores (QĐ 766) as the one frame. Raises InputError."""
        try:
            body = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path.name}: {error.strerror}") from error
        context = {"source": "published", "sites": self._city.sites, "zone": self._city.zone}
        return connectors.load("dvc_766").parse(Payload(body=body, name=path.name, context=context))

    def template(self, form: Form, unit: str, period: Period) -> bytes:
        """The empty workbook of one unit and period, as an .xlsx file."""
        return self._workbook(form, unit, period, form.hours)

    def withdrawal(self, form: Form, unit: str, period: Period) -> bytes:
        """The same workbook with «KPS» in every value that can be told by now: what a withdrawn delivery leaves."""
        now = self._clock.now()
        told = [hour for hour in form.hours if datetime.combine(period.first, hour, self._city.zone) <= now]
        return self._workbook(form, unit, period, told, said="KPS")

    def _workbook(self, form: Form, unit: str, period: Period, hours: Sequence[time], said: str = "") -> bytes:
        day = f"{period.first:%d/%m/%Y}"
        due = due_at(form, unit, period, self._city.zone).astimezone(self._city.zone)
        return write_template(
            Template(
                title=form.title_vi,
                owner=form.owner,
                unit_code=unit,
                unit_name=self._city.site_name(unit, "vi"),
                period=period.label,
                times=[f"{day} {hour:%H:%M}" for hour in hours] or [period.label],
                properties=[self._catalogue[key] for key in form.properties],
                due=f"trước {due:%H:%M} ngày {due:%d/%m/%Y}",
                said=said,
            )
        )
