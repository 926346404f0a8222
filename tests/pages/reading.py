"""How the tests open a page as a viewer does, and read what its panels show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
HOME = "overview"


def screens() -> list[str]:
    """Every screen by name: dashboard.py is the overview, each file of pages/ is one more."""
    return [HOME, *sorted(path.stem for path in (ROOT / "pages").glob("*.py"))]


def open_page(name: str, language: str = "vi", **query: str) -> AppTest:
    """A new viewer's session on that page; the page has not run yet."""
    viewer = AppTest.from_file(ROOT / "dashboard.py", default_timeout=60)
    if name != HOME:
        viewer.switch_page(f"pages/{name}.py")
    viewer.query_params["lang"] = language
    if name == "wall":
        viewer.query_params["scene"] = "overview"  # else it is the clock that says which scene is shown
    for key, value in query.items():
        viewer.query_params[key] = value
    return viewer


def parts(viewer: AppTest) -> dict[str, str]:
    """The HTML of all panels on the page, by part."""
    found: dict[str, str] = {}
    for component in viewer.get("bidi_component"):
        sent: dict[str, Any] = json.loads(component.proto.json or component.proto.mixed.json or "{}") or {}
        found |= sent.get("parts", {})
    return found


def html(viewer: AppTest) -> str:
    """All panels as one text."""
    return "\n".join(parts(viewer).values())


def problems(viewer: AppTest) -> list[str]:
    """What went wrong, in words; empty when the page stands."""
    return [str(found.value) for found in (*viewer.exception, *viewer.error)]
