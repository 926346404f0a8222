"""Vietnamese as offices write it: folding for comparison, bytes to text, and the two legacy encodings by name.

Unicode arrives composed and decomposed (NFD from macOS), in UTF-8, UTF-16 or Windows code page 1258. TCVN3 (ABC) and
VNI are not encodings but fonts: the bytes are valid text in any 8-bit code page and only look right with .VnTime or
VNI-Times. They are recognised by the words that every table holds («Ngµy», «Ngaøy» for «Ngày») and named, not guessed.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from core.errors import InputError

HEAD_BYTES = 200_000  # a table head stands in front; 20 MB of anything else would be searched for half a minute
# How the words of a table head look when the text was typed with a legacy font.
_LEGACY_WORDS = {
    "TCVN3 (ABC)": ("thêi gian", "tr¹m", "ngµy", "th¸ng", "§¬n vÞ", "ph­êng", "§Þa ®iÓm", "gi¸ trÞ", "chØ sè", "céng"),
    "VNI": ("thôøi gian", "traïm", "ngaøy", "thaùng", "ñôn vò", "phöôøng", "ñòa ñieåm", "giaù trò", "chæ soá", "coäng"),
}
_ENCODINGS_WITH_MARK = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


def composed(text: str) -> str:
    """Text in NFC with single blanks, for showing and for site ids."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@lru_cache(maxsize=65536)
def folded(text: str) -> str:
    """Text for comparison: no accents, no case, đ as d, ₂ as 2, single blanks («Độ  ẩm» -> «do am»)."""
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    return " ".join(plain.casefold().replace("đ", "d").split())


def legacy_encoding(texts: Iterable[str]) -> str | None:
    """«TCVN3 (ABC)» or «VNI» when words of a table head appear as those fonts store them, else None."""
    haystack = "\n".join(unicodedata.normalize("NFC", text) for text in texts).casefold()
    for name, words in _LEGACY_WORDS.items():
        pattern = "|".join(rf"(?<!\w){re.escape(word.casefold())}(?!\w)" for word in words)
        if re.search(pattern, haystack):
            return name
    return None


def legacy_error(where: str, encoding: str) -> InputError:
    """The error for a file in a legacy font encoding: what it is and what to do."""
    return InputError(
        f"{where}: chữ được gõ bằng bảng mã {encoding}, không phải Unicode; "
        "hãy chuyển mã sang Unicode (Unikey: Ctrl+Shift+F6) rồi lưu lại"
    )


def decoded(body: bytes, where: str) -> str:
    """Bytes of a text file as NFC text. Raises InputError that names the encoding that is wrong or not supported.

    Order: byte order mark; UTF-16 without a mark (a zero byte in every second place); UTF-8; cp1258 as the last 8-bit
    guess, after TCVN3 and VNI have been looked for.
    """
    for mark, encoding, name in _ENCODINGS_WITH_MARK:
        if body.startswith(mark):
            return _strict(body, encoding, name, where)
    sample = body[:4096]
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(sample) >= 4 and sample[start::2].count(0) > 0.5 * len(sample[start::2]) > sample[1 - start :: 2].count(
            0
        ):
            return _strict(body, encoding, "UTF-16", where)
    if b"\0" in body:
        raise InputError(
            f"{where}: không phải tệp văn bản CSV (có ký tự nhị phân); hãy lưu lại dạng .xlsx hoặc CSV UTF-8"
        )
    try:
        return unicodedata.normalize("NFC", body.decode("utf-8"))
    except UnicodeDecodeError:
        legacy = legacy_encoding([body[:HEAD_BYTES].decode("latin-1")])
    if legacy:
        raise legacy_error(where, legacy)
    return _strict(body, "cp1258", "UTF-8 hay Windows-1258", where)


def _strict(body: bytes, encoding: str, name: str, where: str) -> str:
    try:
        return unicodedata.normalize("NFC", body.decode(encoding))
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where}: không đọc được chữ theo bảng mã {name}; hãy lưu lại dạng CSV UTF-8 hoặc .xlsx"
        ) from error
