"""Secrets of sources: from the environment first, then from the file that no repository holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError
from core.secrets import secret


def wrote(folder: Path, text: str) -> Path:
    (folder / ".streamlit").mkdir(exist_ok=True)
    path = folder / ".streamlit" / "secrets.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_environment_comes_before_the_file_and_the_file_before_nothing(tmp_path: Path) -> None:
    wrote(tmp_path, '[auth]\ncookie_secret = "x"\n[sources]\nRIVER_DB = "from the file"\nEMPTY = ""\n')
    assert secret("RIVER_DB", {"RIVER_DB": "from the environment"}, tmp_path) == "from the environment"
    assert secret("RIVER_DB", {"RIVER_DB": ""}, tmp_path) == "from the file"
    for name in ("EMPTY", "UNKNOWN", "cookie_secret", "", None):
        assert secret(name, {}, tmp_path) is None


def test_other_files_may_be_named_and_an_absent_one_holds_nothing(tmp_path: Path) -> None:
    other = tmp_path / "city.toml"
    other.write_text('[sources]\nRIVER_DB = "elsewhere"\n', encoding="utf-8")
    named = {"STREAMLIT_SECRETS_FILES": f"{tmp_path / 'nobody.toml'}:{other}"}
    assert secret("RIVER_DB", named, tmp_path) == "elsewhere"
    assert secret("RIVER_DB", {}, tmp_path) is None


@pytest.mark.parametrize("text", ['[sources]\nRIVER_DB = "s3cr3t', "sources = 's3cr3t'\n"])
def test_a_broken_file_is_told_without_a_word_of_it(tmp_path: Path, text: str) -> None:
    wrote(tmp_path, text)
    with pytest.raises(ConfigError, match=r"secrets\.toml") as caught:
        secret("RIVER_DB", {}, tmp_path)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None
