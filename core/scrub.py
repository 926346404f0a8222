"""What may name a person is taken out of a citizen's own words before anything keeps them.

Phone numbers, e-mail addresses, numbers of identity papers, passports and vehicle plates (Law 91/2025/QH15 on personal
data names them all). Pure: text in, text out. A name that somebody types cannot be found by a pattern; the question
asks not to write one, and what is stored is shown only where at least five people answered.
"""

from __future__ import annotations

import re
import unicodedata

MOST_LETTERS = 500
GONE = "[…]"
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_EMAIL = re.compile(r"[\w.+%-]+\s*(?:@|\(at\)|\[at\])\s*[\w-]+(?:\s*(?:\.|\(dot\))\s*[\w-]+)+", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|www\.|zalo\.me/|facebook\.com/|fb\.com/)\S+", re.IGNORECASE)
# 29A-123.45, 98B1 12345, 30 F 123 45, 29-LD 123.45, and red or blue plates such as TM 12-34
_PLATE = re.compile(
    r"(?<!\w)\d{2}\s?-?\s?[A-ZĐ]{1,2}\d?\s?[-. ]?\s?\d{3}[. ]?\d{1,2}(?!\d)"
    r"|(?<!\w)[A-Z]{2}\s?-?\s?\d{2}\s?-\s?\d{2}(?!\d)",
    re.IGNORECASE,
)
_PASSPORT = re.compile(r"(?<!\w)[A-Z]\s?\d{7,8}(?!\d)", re.IGNORECASE)
# Nine digits and more, however they are grouped: phones (0912 345 678, +84 …), identity numbers (9 or 12), accounts.
_NUMBER = re.compile(r"(?<!\w)\+?\(?\d(?:[\s.\-()/_,]{0,3}\d){8,}(?!\w)")
_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{4}(?!\d)")


def scrub(text: str) -> str:
    """The words without what names a person, composed (NFC), on one line, at most MOST_LETTERS letters."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    plain = "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in plain)
    for pattern in (_LINK, _EMAIL, _PLATE, _PASSPORT):
        plain = pattern.sub(GONE, plain)
    plain = _NUMBER.sub(_unless_a_date, plain)
    return " ".join(plain.split())[:MOST_LETTERS].rstrip()


def _unless_a_date(found: re.Match[str]) -> str:
    """«15/09/2026 10:30» is no phone number; everything else of nine digits and more goes."""
    rest = _DATE.sub("", found[0])
    return found[0] if rest != found[0] and sum(letter.isdigit() for letter in rest) <= 4 else GONE
