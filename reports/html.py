"""The brief as one HTML file for mail, intranet and archive: nothing loaded from outside, prints on A4."""

from __future__ import annotations

from pathlib import Path

from analysis.brief_words import tell
from core.brief import Facts
from core.i18n import Translator
from core.templates import templates
from reports._layout import head, sections

TEMPLATES = Path(__file__).resolve().parent / "templates"
HALF_SCALE = 4.0  # as on the page


def make(facts: Facts, language: str) -> bytes:
    """The HTML file of a brief, UTF-8."""
    told = tell(facts, language)
    sticks = [
        {
            "row": row,
            "at": 50 + 50 * max(-HALF_SCALE, min(HALF_SCALE, row.figure.score or 0.0)) / HALF_SCALE,
            "odd": row.figure.outside,
        }
        for row in told.rows
        if row.figure.score is not None
    ]
    text = (
        templates(TEMPLATES)
        .get_template("report.html")
        .render(
            t=Translator(language),
            lang=language,
            told=told,
            head=head(told),
            sections=sections(told),
            sticks=sticks,
            half=HALF_SCALE,
        )
    )
    return text.encode()
