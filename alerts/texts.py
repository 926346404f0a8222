"""What people write into the journal: names and sentences, cleaned or refused.

Siblings of this room take `actor_name` from here, not from deeds: deeds imports all of them.
"""

from __future__ import annotations

import unicodedata

from alerts.refusals import Refused

ENGINE = "engine"  # the actor of everything that no person did
ACTOR_LIMIT_CHARACTERS = 80
TEXT_LIMIT_CHARACTERS = 1000
ALLOWED_CONTROLS = "\n\t"  # a comment may have paragraphs


def actor_name(actor: str) -> str:
    """The name as the journal keeps it: trimmed NFC, at most 80 characters, nothing unseen, not the engine's."""
    name = one_line(actor)
    if not name:
        raise Refused("actor_missing")
    if name.casefold() == ENGINE:
        raise Refused("actor_reserved", who=name)
    return name


def one_line(text: str) -> str:
    """A name, a unit, the number of a work order: one line of at most 80 characters, blanks made single."""
    return " ".join(plain_text(text, ACTOR_LIMIT_CHARACTERS, allowed="").split())


def plain_text(text: str, limit: int = TEXT_LIMIT_CHARACTERS, allowed: str = ALLOWED_CONTROLS) -> str:
    """Trimmed NFC text. Categories C* hold control, bidi and private characters: they can forge a journal line."""
    trimmed = unicodedata.normalize("NFC", text).strip()
    if any(unicodedata.category(character).startswith("C") and character not in allowed for character in trimmed):
        raise Refused("control_characters")
    if len(trimmed) > limit:
        raise Refused("text_too_long", limit=limit)
    return trimmed
