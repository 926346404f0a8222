"""The overview scene: is the city normal, what is worst, and where."""

from __future__ import annotations

from ui import overview
from ui.scenes._stage import Stage


def scene(stage: Stage) -> dict[str, str]:
    """Rows of the city's figures, the map, what is to be done."""
    parts = overview.wall(stage.view)
    return {name: parts[name] for name in ("rows", "map", "todo")}
