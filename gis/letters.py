"""Tables of old map files whose letters are right only with a font of their time: they are recognised and named.

TCVN3 (ABC) and VNI are fonts, not code pages: no .dbf can declare them. Read as an 8-bit code page, TCVN3 has signs
inside of words («Hµ Néi», «Ph­êng»), VNI a second vowel behind the first («Haø Noäi»); Vietnamese has neither. Nothing
is converted here: a name that was guessed wrongly stays on the map for years.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

TCVN3, VNI = "TCVN3 (ABC)", "VNI"
LEAST_WORDS = 2  # one odd word is a slip of the keyboard
LEAST_SHARE = 0.1  # of the words with letters beyond ASCII
_WORD = re.compile(r"\S*[^\x00-\x7f]\S*")
_SIGN_IN_WORD = re.compile(r"[a-zđ][¡-¬\xad®µ-¹»-¾]|[¡-¬\xad®µ-¹»-¾][a-z]", re.IGNORECASE)
_SECOND_VOWEL = re.compile(r"[aeouyôö][ùøûõï]|[aeo][âáàåãä]|a[êéèúüë]", re.IGNORECASE)


def legacy(texts: Iterable[str]) -> str:
    """TCVN3, VNI, or «» where the words look like words; `texts` are values read in an 8-bit code page."""
    words = [word for text in texts for word in _WORD.findall(text)]
    for name, pattern in ((TCVN3, _SIGN_IN_WORD), (VNI, _SECOND_VOWEL)):
        odd = sum(1 for word in words if pattern.search(word))
        if odd >= LEAST_WORDS and odd >= LEAST_SHARE * len(words):
            return name
    return ""
