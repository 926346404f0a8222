"""The situation sentence, the same on every screen."""

from __future__ import annotations

from ui import render
from ui.views import View


def banner(view: View) -> str:
    """What the city is like, in one sentence with its counts."""
    headline, support = view.sentence()
    return render.html(
        "banner.html",
        view.snapshot,
        view.language,
        view=view,
        headline=headline,
        support=support,
        counts=view.counts(),
        lead=view.situation().lead,
    )
