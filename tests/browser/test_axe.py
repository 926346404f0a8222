"""Accessibility: axe-core finds nothing serious or critical on any screen of the desk, in the hour of the storm."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

from tests.browser.conftest import Viewer, WallStage
from tests.browser.test_every_screen import SCREENS, address, complete

Window = Callable[..., Viewer]
GRAVE = ("serious", "critical")
NOT_OURS: dict[str, tuple[str, str]] = {}  # rule -> (what of Streamlit's own it stands on, why it cannot be mended)
RUN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map(
  (one) => ({ id: one.id, impact: one.impact, help: one.help,
    nodes: one.nodes.map((node) => ({ target: node.target.join(" "), html: node.html.slice(0, 200) })) }))"""


def grave(page: Page) -> list[str]:
    """Serious and critical findings, but for what is known of Streamlit's own widgets."""
    page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['target']} {node['html']}"
        for one in page.evaluate(RUN)
        if one["impact"] in GRAVE
        for node in one["nodes"]
        if NOT_OURS.get(one["id"], ("\0", ""))[0] not in f"{node['target']} {node['html']}"
    ]


@pytest.mark.parametrize("name", [name for name in SCREENS if name != "wall"])
def test_a_screen_of_the_desk_has_no_grave_finding(name: str, stage: WallStage, window: Window) -> None:
    stage.ask("storm")
    viewer = window(stage, (1366, 768))
    page = viewer.open(address(name, "vi"))
    complete(page, name)
    assert grave(page) == []


def test_the_wall_has_none_either(stage: WallStage, window: Window) -> None:
    viewer = window(stage)
    page = viewer.open("/wall?embed=true")
    complete(page, "wall")
    assert grave(page) == []
