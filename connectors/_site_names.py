"""Names of sites as offices write them -> site_id: no accents, no case, P. for Phường, codes without their zero."""

from __future__ import annotations

import re
from difflib import get_close_matches

import pandas as pd

from connectors._sheet_cells import CellError
from connectors._vietnamese_text import folded

_ABBREVIATIONS = {
    "p": "phuong",
    "x": "xa",
    "tt": "thi tran",
    "tx": "thi xa",
    "tp": "thanh pho",
    "q": "quan",
    "h": "huyen",
}
_KIND = re.compile(
    r"^(?:ubnd|uy ban nhan dan|phuong|xa|thi tran|thi xa|thanh pho|quan|huyen|dac khu|duong"
    r"|tram(?: do| quan trac)?(?: khong khi)?|diem do) (?=.)"
)
AREA_CODE_DIGITS = 5  # wards have 5-digit codes as text; Excel drops the leading zero


class SiteNames:
    """Answers which site a cell means. `sites` is City.sites: site_id, name_vi, name_en, kind, area."""

    def __init__(self, sites: pd.DataFrame) -> None:
        self._ids = {str(site_id) for site_id in sites["site_id"]}
        self._codes: dict[str, str] = {}
        self._full: dict[str, set[str]] = {}
        self._bare: dict[str, set[str]] = {}
        self._shown: dict[str, str] = {}
        for row in sites.to_dict("records"):
            site_id = str(row["site_id"])
            if row.get("kind") == "area" and row.get("area"):
                self._codes[str(row["area"])] = site_id
            for column in ("site_id", "name_vi", "name_en"):
                name = _spelled_out(str(row.get(column) or ""))
                if name:
                    self._full.setdefault(name, set()).add(site_id)
                    self._bare.setdefault(_without_kind(name), set()).add(site_id)
            self._shown[site_id] = str(row.get("name_vi") or site_id)

    def find(self, text: str) -> str | None:
        """The site_id that a text names without doubt, or None."""
        if text in self._ids:
            return text
        code = text.zfill(AREA_CODE_DIGITS) if text.isdigit() else text
        if code in self._codes:
            return self._codes[code]
        name = _spelled_out(text)
        for names, key in ((self._full, name), (self._bare, _without_kind(name))):
            found = names.get(key, set())
            if len(found) == 1:
                return next(iter(found))
        return None

    def resolve(self, text: str) -> str:
        """The site_id, or CellError that proposes the closest name or lists those among which it cannot choose."""
        site_id = self.find(text)
        if site_id is not None:
            return site_id
        name = _without_kind(_spelled_out(text))
        several = sorted(self._bare.get(name, set()))
        if several:
            choices = ", ".join(f"{self._shown[one]} ({one})" for one in several)
            raise CellError(f"“{text}” có thể là {choices}; hãy ghi mã")
        close = get_close_matches(name, list(self._bare), n=1, cutoff=0.6)
        hint = (
            f"có phải “{self._shown[min(self._bare[close[0]])]}” không?"
            if close
            else "hãy ghi đúng tên hoặc mã trong sites.toml"
        )
        raise CellError(f"không có địa điểm “{text}”; {hint}")


def _spelled_out(text: str) -> str:
    """«1. P.Láng Hạ» -> «phuong lang ha»."""
    words = re.sub(r"[\W_]+", " ", re.sub(r"^\d+[.)]\s+", "", folded(text))).split()
    kind = 1 if words[:1] == ["ubnd"] else 0  # «UBND P. An Hòa»
    if len(words) > kind + 1:
        words[kind] = _ABBREVIATIONS.get(words[kind], words[kind])
    return " ".join(words)


def _without_kind(name: str) -> str:
    """«ubnd phuong lang ha» -> «lang ha»."""
    while (shorter := _KIND.sub("", name)) != name:
        name = shorter
    return name
