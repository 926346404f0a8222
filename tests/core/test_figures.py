"""The words of analyses: both languages, the same gaps, indicators and documents that exist, and each kind in use."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

import indicators
from core import figures
from core.errors import ConfigError
from core.i18n import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_kind_says_all_in_both_languages_with_the_same_gaps() -> None:
    assert len(figures.kinds()) >= 40
    for kind in figures.kinds().values():
        for word in figures.WORDS:
            vietnamese, english = (kind.text(word, language) for language in LANGUAGES)
            assert all(text.strip() for text in (vietnamese, english)), f"{kind.key}: {word}"
            left_open = vietnamese == f"{{{word}}}"
            assert vietnamese != english or left_open, f"{kind.key}: {word} is not translated"
            assert gaps(vietnamese) == gaps(english), f"{kind.key}: {word}"


def test_what_a_kind_names_exists() -> None:
    catalogue = indicators.catalogue()
    known = {one.key for one in catalogue.indicators()}
    for kind in figures.kinds().values():
        assert (ROOT / kind.doc).is_file(), kind.key
        assert not kind.indicator or kind.indicator in known, kind.key
        assert set(kind.rests_on) <= set(catalogue), kind.key


def test_every_kind_is_shown_somewhere_and_its_gaps_are_filled() -> None:
    asked: dict[str, set[str]] = {}
    for path in sorted((ROOT / "ui").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "figure":
                words = [one.value for one in call.args if isinstance(one, ast.Constant)]
                given = {one.arg for one in call.keywords if one.arg}
                for word in words:
                    if word in figures.kinds():
                        asked.setdefault(str(word), set()).update(given)
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "ui").glob("*.py"))
    families = {match.group(1) for match in re.finditer(r'f"([a-z]+_)\{key\}"', text)}
    for key, kind in figures.kinds().items():
        if any(key.startswith(family) for family in families):
            continue
        named = key in asked or f'"{key}"' in text
        assert named, f"{key} is shown nowhere"
        wanted = set().union(*(gaps(kind.text(word, "vi")) for word in figures.WORDS))
        if key in asked:
            assert wanted <= asked[key], f"{key} needs {wanted - asked[key]}"


def test_a_broken_kind_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "figures.toml"
    broken.write_text('[share]\ndoc = "docs/citizens.md"\nvi = ["a", "b", "c", "d"]\n', encoding="utf-8")
    monkeypatch.setattr(figures, "PATH", broken)
    figures.kinds.cache_clear()
    with pytest.raises(ConfigError, match=r"figures\.toml: \[share\]: en must be a list of 4 texts"):
        figures.kinds()
    figures.kinds.cache_clear()
