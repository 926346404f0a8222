"""A page with a defect: what people read then, and what they do not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Viewer, WallStage

SAID = """() => {
  const box = document.querySelector('[data-testid="stException"]')
  return [getComputedStyle(box, "::before").content, box.innerText.trim()]
}"""


@pytest.mark.parametrize(("language", "words"), [("vi", "Phần này gặp lỗi"), ("en", "This part failed")])
def test_a_defect_is_told_in_the_readers_language_and_the_frame_stays(
    language: str, words: str, stage: WallStage, window: Callable[..., Viewer]
) -> None:
    stage.ask("spoil")
    page = window(stage, (1366, 768)).open(f"/brief?lang={language}")
    page.wait_for_selector('[data-testid="stException"]', state="attached")
    page.wait_for_selector(".strip-clock, .wall-clock, [data-part='strip']")
    told, seen = page.evaluate(SAID)
    assert words in told
    assert seen == "", "neither the framework's words nor the server's"
    assert "secret" not in page.content()
