"""The guided tour of a role: offered on the page that data/guide/tour.toml names, walked by the browser alone."""

from __future__ import annotations

from core.access import Person
from core.guide import tour_of
from core.i18n import Translator
from ui import panel


def offer(person: Person, page: str, t: Translator) -> None:
    """Hand the steps to the browser, which shows them on its first visit or with ?tour=1; nothing on other pages."""
    found = tour_of(person.role, page)
    if found is None or person.kind == "wall":
        return
    language = t.language
    panel.tour(
        f"tour_{page}",
        {
            "key": found.key,
            "language": language,
            "steps": [
                {"element": one.element, "title": one.title[language], "text": one.text[language]}
                for one in found.steps
            ],
            "words": {name: t(f"tour.{name}") for name in ("next", "back", "skip", "done")},
        },
    )
