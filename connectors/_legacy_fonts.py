"""TCVN3 (ABC) and VNI text -> Unicode, for cells whose font says beyond doubt how their bytes are meant.

Neither is an encoding that a file could declare: the letters are ordinary Latin-1 characters which only a font of the
family (.VnTime, VNI-Times …) draws as Vietnamese. With the font a cell is converted; without it (CSV, a font that was
changed later) nothing is guessed: _vietnamese_text.py names it. TCVN3 after TCVN 5712:1993 (VN3), one byte per letter;
VNI writes a vowel and, behind it, a mark. Fonts named …H draw small letters as capitals.
"""

from __future__ import annotations

import re

_TCVN3 = dict(
    zip(
        "¡¢£¤¥¦§¨©ª«¬\xad®µ¶·¸¹»¼½¾ÆÇÈÉÊËÌÎÏÐÑÒÓÔÕÖ×ØÜÝÞßáâãäåæçèéêëìíîïñòóôõö÷øùúûüýþ",
        "ĂÂÊÔƠƯĐăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",
        strict=True,
    )
)
_VNI_MARKS = {
    "a": ("ùøûõïâáàåãäêéèúüë", "áàảãạâấầẩẫậăắằẳẵặ"),
    "e": ("ùøûõïâáàåãä", "éèẻẽẹêếềểễệ"),
    "o": ("ùøûõïâáàåãä", "óòỏõọôốồổỗộ"),
    "u": ("ùøûõï", "úùủũụ"),
    "y": ("ùøûõ", "ýỳỷỹ"),
    "ô": ("ùøûõï", "ớờởỡợ"),
    "ö": ("ùøûõï", "ứừửữự"),
}
_VNI_ALONE = dict(zip("æóòôöîñ", "ỉĩịơưỵđ", strict=True))
_VNI = _VNI_ALONE | {
    base + mark: letter
    for base, (marks, letters) in _VNI_MARKS.items()
    for mark, letter in zip(marks, letters, strict=True)
}
_VNI |= {written.upper(): letter.upper() for written, letter in _VNI.items()}
_VNI |= {written[0].upper() + written[1]: letter.upper() for written, letter in _VNI.items() if len(written) == 2}
_VNI_PARTS = re.compile("|".join(sorted(map(re.escape, _VNI), key=len, reverse=True)))
_HIGHEST_BYTE = "\xff"


def unicode_text(text: str, font: str) -> str:
    """The text as its font shows it; the text itself where the font is an ordinary one or the text is Unicode already.

    A letter beyond Latin-1 (ơ, ư, đ, ạ …) is in neither font: somebody typed Unicode and kept the font.
    """
    name = font.strip().casefold()
    legacy = name.startswith((".vn", "vni-", "vni "))
    if not legacy or text.isascii() or max(text) > _HIGHEST_BYTE:
        return text
    if name.startswith(".vn"):
        shown = "".join(_TCVN3.get(mark, mark) for mark in text)
        return shown.upper() if name.endswith("h") else shown
    return _VNI_PARTS.sub(lambda found: _VNI[found[0]], text)
