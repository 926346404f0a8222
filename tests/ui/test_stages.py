"""The stage of a wall: a scene with a defect costs its own turn and nothing else."""

from __future__ import annotations

import pytest

from core.snapshot import Snapshot
from core.wall import INCIDENT
from tests.ui.alert_stories import screen
from tests.ui.domain_stories import words
from ui.scenes import stages


@pytest.mark.parametrize(("scene", "title"), [("traffic", "Giao thông"), (INCIDENT, "Vụ việc")])
def test_a_scene_with_a_defect_says_so_and_the_sentence_above_it_stays_true(
    scene: str, title: str, storm_hour: Snapshot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> dict[str, str]:
        raise ZeroDivisionError("a corridor of no length")

    sentence = screen(storm_hour, "overview")["banner"]
    monkeypatch.setattr(stages, "SCENES", {**stages.SCENES, scene: broken})
    parts = screen(storm_hour, scene)
    assert parts["banner"] == sentence
    assert set(parts) == {"head", "banner", "broken"}
    assert f"«{title}» không dựng được" in words(parts["broken"])
    assert "a corridor of no length" in caplog.text
