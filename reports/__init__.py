"""The brief on paper: one file = one shape, each a pure function Facts -> bytes; see docs/reports.md."""

from __future__ import annotations

from importlib import import_module

from core.brief import Facts
from core.errors import InputError
from core.report_plan import FORMATS

MIME = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
}


def render(facts: Facts, shape: str, language: str = "vi") -> bytes:
    """The report in one of FORMATS; the same bytes for the same facts. Raises InputError for another shape."""
    if shape not in FORMATS:
        raise InputError(f"{shape!r} is no report format: {', '.join(FORMATS)}")
    return bytes(import_module(f"reports.{shape}").make(facts, language))  # libraries of one shape load with its first


def file_name(facts: Facts, shape: str) -> str:
    """«demo-day-2026-11-20.pdf»."""
    return f"{facts.city_key}-{facts.period}-{facts.first.isoformat()}.{shape}"
