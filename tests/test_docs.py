"""What the documents promise is there: links, files, commands and their options, settings, words of the screens."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

import connectors
import indicators
from alerts.rules import COMMON_KEYS, KIND_KEYS, TEXTS, load_rules
from connectors.demo import list_scenarios
from core.alert import COVERS
from core.config import load_city
from core.i18n import words
from core.wall import load_wall
from store.duck import DuckStore

ROOT = Path(__file__).resolve().parent.parent
DOCS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PARTS = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
TOLD = {"title_vi", "title_en", *TEXTS}
COMMAND = re.compile(r"python (?:-m (?P<room>\w+)|(?P<file>\w+\.py))(?P<rest>[^`#\n]*)")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def named_files(text: str) -> Iterator[str]:
    """Paths in code marks that begin with a folder or file of the repository and have no blank to fill in."""
    for code in CODE.findall(text):
        address = code.startswith("/")  # of the server, as «/api/health»
        if re.fullmatch(r"[\w./-]+", code) and "/" in code and not address and (ROOT / code.split("/")[0]).exists():
            yield code


def commands() -> Iterator[tuple[str, str, str]]:
    """Document, file that answers, and what follows its name."""
    for path in DOCS:
        for found in COMMAND.finditer(path.read_text(encoding="utf-8")):
            if found["room"] == "venv":
                continue
            yield path.name, found["file"] or f"{found['room']}/__main__.py", found["rest"]


def test_there_are_documents_with_links_files_and_commands() -> None:
    assert {"README.md", "CHANGELOG.md", "architecture.md", "operations.md"} <= {path.name for path in DOCS}
    assert len(LINK.findall(text_of("README.md"))) >= 5
    assert sum(1 for path in DOCS for _ in named_files(path.read_text(encoding="utf-8"))) >= 15
    assert len(list(commands())) >= 15


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_files_of_a_document_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = [link for link in LINK.findall(text) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []
    assert [name for name in named_files(text) if not (ROOT / name).exists()] == []
    assert unicodedata.is_normalized("NFC", text)


@pytest.mark.parametrize(("document", "answers", "rest"), list(commands()))
def test_a_command_that_a_document_shows_knows_its_words_and_options(document: str, answers: str, rest: str) -> None:
    source = text_of(answers)
    for option in re.findall(r"--[a-z-]+", rest):
        assert f'"{option}"' in source, f"{document}: {answers} {option}"
    for word in re.findall(r"(?:^ |\| )([a-z][a-z-]*)", rest):
        if word in connectors.discover() or answers in ("connectors/__main__.py", "indicators/__main__.py"):
            continue  # a key, not a word of the command
        assert f'"{word}"' in source, f"{document}: {answers} {word}"


def test_make_targets_that_the_documents_show_exist() -> None:
    line = re.compile(r"^\s+(?:[A-Z_]+=\S+ )*make ([a-z]+)", re.MULTILINE)
    shown = {word for path in DOCS for word in line.findall(path.read_text(encoding="utf-8"))}
    assert {"run", "test", "check"} <= shown
    assert shown <= set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))


def test_settings_of_the_readme_are_read_somewhere() -> None:
    table = text_of("README.md").partition("| setting")[2].partition("\n\n")[0]
    named = re.findall(r"`([A-Z_]+)`", table)
    assert {"PORT", "CITY", "CITY_STORE", "SCENARIO", "SPEED"} <= set(named)
    read = text_of("Makefile") + text_of("core/config.py") + text_of("ui/server.py")
    assert [name for name in named if not re.search(rf"\b{name}\b", read)] == []
    assert re.search(r"`PORT`.*\| 8501 \|", table)
    assert "PORT ?= 8501" in text_of("Makefile")


def test_the_readme_lists_every_room_and_every_scenario() -> None:
    house = text_of("README.md").partition("## The house")[2]
    assert [room for room in PARTS if f"{room}/" not in house] == []
    listed = re.search(r"^Scenarios: (.*?)\(", text_of("README.md"), re.MULTILINE)
    assert listed is not None
    assert sorted(CODE.findall(listed[1])) == sorted(list_scenarios())


def test_every_connector_has_its_chapter() -> None:
    chapters = re.findall(r"^## ([a-z_0-9]+)$", text_of("docs/connectors.md"), re.MULTILINE)
    assert sorted(chapters) == sorted(connectors.discover())


def test_every_key_of_a_rule_is_explained() -> None:
    text = text_of("docs/alerts.md")
    keys = COMMON_KEYS.union(*KIND_KEYS.values())
    assert [key for key in sorted(keys) if not re.search(rf"`{key}\b", text) and not key.endswith("_en")] == []
    assert [kind for kind in KIND_KEYS if f"`{kind}`" not in text] == []


def test_the_rule_files_that_the_document_shows_load_and_are_one_of_each_kind(tmp_path: Path) -> None:
    shown = re.findall(r"^```toml\n(.*?)^```", text_of("docs/alerts.md"), re.DOTALL | re.MULTILINE)
    first = tomllib.loads(shown[0])
    told = "".join(f'{key} = "a"\n' for key, value in first.items() if key in TOLD and isinstance(value, str))
    for number, block in enumerate(shown):
        key = "road_flood" if number == 0 else f"example_{number}"
        (tmp_path / f"{key}.toml").write_text(
            block if number == 0 else f"time_to_act_min = 10\n{told}{block}", encoding="utf-8"
        )
    city = load_city("demo")
    rules = load_rules(tmp_path, indicators.catalogue(), city.sites, city.zone)
    assert [rule.off_because for rule in rules if not rule.on] == []
    assert {rule.kind for rule in rules} == set(KIND_KEYS)
    assert {rule.direction for rule in rules} >= {"above", "outside"}
    assert rules[-1].latching, "the first one is complete"


def test_every_table_of_the_store_is_explained(tmp_path: Path) -> None:
    store = DuckStore(tmp_path / "city.duckdb")
    tables = {row[0] for row in store._connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    store.close()
    rows = re.findall(r"^\| (`.*?) \|", text_of("docs/store.md"), re.MULTILINE)
    assert {name for row in rows for name in CODE.findall(row)} == tables


def test_words_of_the_screens_that_operations_quote_are_on_the_screens() -> None:
    table = text_of("docs/operations.md").partition("| you see |")[2]
    quoted = re.findall(r"«([^»]+)»", table)
    assert len(quoted) >= 4
    texts = list(words("vi").values())
    for quote in quoted:
        stem = re.sub(r" \d+ phút$", "", quote)
        assert any(stem in text for text in texts), quote


def test_the_glossary_speaks_like_the_screens() -> None:
    glossary = text_of("docs/glossary.md")
    vi = words("vi")
    for key in ("critical", "high", "medium", "low"):
        assert vi[f"priority.{key}"] in glossary
    for key in ("UNACK", "ACKED", "RTNUN", *COVERS):
        assert vi[f"alert_state.{key}"].lower() in glossary.lower(), key


def test_decisions_are_numbered_without_a_gap_and_titled_by_their_number() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert pages
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert page.read_text(encoding="utf-8").startswith(f"# {int(page.name[:4])}. "), page.name


def test_the_plan_of_a_wall_that_the_document_shows_loads(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```", text_of("docs/wall.md"), re.DOTALL | re.MULTILINE)
    path = tmp_path / "wall.toml"
    path.write_text(block, encoding="utf-8")
    plan = load_wall(path)
    assert [screen.key for screen in plan.screens] == ["man_1"]
    assert [scene.key for scene in plan.free] == ["river"]
