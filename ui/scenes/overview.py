"""The overview scene: is the city normal, what is worst, and where."""

from __future__ import annotations

from ui import overview
from ui.scenes._stage import FULL, Stage

# Drawn for the least room of each density, in u: the map, its letters, and the column of cards (width, height).
MAPS = {"full": (640, 660, 22.0), "sparse": (330, 420, 22.0), "huge": (330, 420, 22.0)}
COLUMNS = {"full": (334.0, 630.0), "sparse": (296.0, 390.0), "huge": (306.0, 265.0)}
ROWS = {"full": None, "sparse": 5, "huge": 4}
AHEAD = {"full": (2, 704.0), "sparse": (2, 556.0), "huge": (2, 640.0)}  # lines about the next hours, and their room


def scene(stage: Stage) -> dict[str, str]:
    """Rows of the city's figures, the map, what is to be done."""
    width, height, text_px = MAPS[stage.density]
    lines, line_u = AHEAD[stage.density]
    told = stage.view.situation().known and stage.view.trouble()  # the line about silent sources takes the room of one
    return overview.wall(
        stage.view,
        rows=ROWS[stage.density],
        map_size=(width, height),
        map_text_px=text_px,
        column_u=COLUMNS[stage.density],
        places=stage.density == FULL,
        ahead_most=lines - 1 if told else lines,
        ahead_u=line_u,
    )
