"""The law of the house: who may import whom, which room owns which library, what a page may be called."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PURE = {"core"}
UPPER = {"control", "store", "alerts", "indicators", "analysis", "notices", "reports", "gis", "core"}
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "alerts": PURE,
    "store": PURE,
    "connectors": PURE,
    "indicators": PURE,
    "charts": PURE,
    "analysis": PURE,
    "notices": PURE,
    "gis": PURE,
    "reports": {"charts", "analysis", "core"},
    "control": {"alerts", "analysis", "notices", "reports", "store", "core"},
    "cycle": {"connectors", "indicators", "control", "gis", "store", "core"},
    "pipeline": UPPER | {"connectors", "cycle"},
    "ui": UPPER | {"pipeline", "charts"},
    "api": UPPER | {"pipeline", "charts"},
    "pages": {"ui", "charts", "core"},
    "dashboard": {"ui", "api", "charts", "core"},
}
DOORS = {  # a command line opens what it needs
    "reports/__main__.py": {"control", "store", "alerts", "indicators", "connectors"},
}
OWNS = {
    "requests": {"connectors", "notices"},
    "smtplib": {"notices"},
    "duckdb": {"store"},
    "altair": {"charts"},
    "pydeck": {"charts"},
    "segno": {"charts"},
    "streamlit": {"ui", "pages", "dashboard"},
    "starlette": {"api"},
    "openpyxl": {"connectors", "reports"},
    "fpdf": {"reports"},
    "docx": {"reports"},
    "xlrd": {"connectors"},
    "paho": {"connectors"},
    "psycopg": {"connectors"},
    "defusedxml": {"connectors", "gis"},
    "shapely": {"gis"},
    "pyproj": {"gis"},
    "shapefile": {"gis"},
    "pmtiles": {"api"},
    "jinja2": {"core"},
    "scipy": {"analysis"},
}
MOST_PAGE_LINES = 120


def rooms() -> list[str]:
    """Folders with Python in them, besides tests."""
    return sorted(path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name not in {"tests"})


def files_of(room: str) -> list[Path]:
    """The Python files of a room, or the one file of that name."""
    single = ROOT / f"{room}.py"
    return [single] if single.is_file() else sorted((ROOT / room).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """First words of everything that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_every_room_has_a_place_in_the_law() -> None:
    assert len(rooms()) >= 9, "the walk must find the rooms"
    assert set(rooms()) <= set(MAY_IMPORT), "a new room needs its line in the law and a page in docs/adr/"


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_imports_only_what_lies_below_it(room: str) -> None:
    files = files_of(room)
    assert files, f"{room} is empty"
    for path in files:
        door = DOORS.get(str(path.relative_to(ROOT)), set())
        foreign = (imported(path) & set(MAY_IMPORT)) - MAY_IMPORT[room] - {room} - door
        assert not foreign, f"{path.relative_to(ROOT)} imports {', '.join(sorted(foreign))}"


@pytest.mark.parametrize("library", sorted(OWNS))
def test_one_room_owns_one_library(library: str) -> None:
    users = {room for room in MAY_IMPORT for path in files_of(room) if library in imported(path)}
    assert users, f"nobody imports {library}: is it still needed?"
    assert users <= OWNS[library], f"{library} is imported by {', '.join(sorted(users - OWNS[library]))}"


def test_pages_are_tables_of_contents_with_names_of_their_own() -> None:
    pages = sorted((ROOT / "pages").glob("*.py"))
    assert pages, "the walk must find pages"
    for path in [*pages, ROOT / "dashboard.py"]:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_PAGE_LINES, f"{path.name} is too long"
    taken = set(MAY_IMPORT) | set(sys.stdlib_module_names)
    assert not {path.stem for path in pages} & taken


def test_no_room_hides_a_library() -> None:
    taken = set(sys.stdlib_module_names) | set(packages_distributions())
    assert not set(MAY_IMPORT) & taken


def test_only_templates_and_the_panel_write_html() -> None:
    """Text from outside must never become markup: HTML is written by autoescaped templates alone."""
    for path in [*files_of("ui"), *files_of("pages"), ROOT / "dashboard.py"]:
        text = path.read_text(encoding="utf-8")
        assert "unsafe_allow_html" not in text, path.name
        if "st.html(" in text:
            assert path.name == "frame.py", f"{path.name} writes HTML past the templates"
    assert "autoescape=True" in (ROOT / "core" / "templates.py").read_text(encoding="utf-8")
    templates = [path for room in ("ui", "api", "reports") for path in (ROOT / room / "templates").glob("*.html")]
    assert {path.parent.parent.name for path in templates} == {"ui", "api", "reports"}
    for path in templates:
        text = path.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", ""), f"{path.name} switches escaping off"
        assert "autoescapefalse" not in text.replace(" ", ""), f"{path.name} switches escaping off"
