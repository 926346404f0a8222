"""An evening at the desk, as people see and hear it: marks of a drill, keys, and the sound of the wall.

One drill of the storm serves all tests of this file, in their order; its critical alert rings some eighty minutes of
the city after the start.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from core.i18n import Translator
from tests.browser.conftest import PATIENCE_MS, Server
from tests.browser.test_every_screen import SCREENS, address, complete
from tests.browser.test_living_screens import follow

T = Translator("vi")
HA = "Lê Thu Hà"
STORM_MS = 300_000  # until the storm has brought what a test waits for
TONES = [880, 660]  # of one ring
HERE = "document.activeElement.dataset.focus"
SPY = """
window.__tones = []
window.AudioContext = class {
  state = "running"
  currentTime = 0
  destination = {}
  resume() { return Promise.resolve() }
  createOscillator() {
    const frequency = { value: 0 }
    return { frequency, connect: (next) => next, start: () => window.__tones.push(frequency.value), stop() {} }
  }
  createGain() {
    return { gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} }, connect: (next) => next }
  }
}
"""
RINGING = "(document.querySelector('[data-ring]')?.dataset.ring ?? '').split(' ').filter(Boolean)"
RUNG = "JSON.parse(localStorage.getItem('city_rung') ?? '[]')"


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The evening storm as an exercise of the afternoon shift, at thirty times its speed."""
    server = Server(tmp_path_factory.mktemp("drill"), SCENARIO="evening_storm", SPEED="30", DRILL="Ca chiều")
    server.start()
    server.wait_until((200, 503))
    yield server
    server.stop()


@pytest.fixture
def desk_window(drill: Server, browser: Browser) -> Iterator[Page]:
    """A desk of its own, with nobody's name on it yet."""
    with browser.new_context(viewport={"width": 1366, "height": 768}) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield at_desk(context, drill)


@pytest.fixture(scope="module")
def wall_browser(browser: Browser) -> Iterator[BrowserContext]:
    """The browser behind a wall, with an ear at its loudspeaker."""
    with listening(browser) as context:
        yield context


def listening(browser: Browser) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(SPY)
    return context


def at_desk(context: BrowserContext, server: Server) -> Page:
    page = context.new_page()
    page.goto(f"{server.address}/alert_desk", wait_until="domcontentloaded")
    complete(page, "alert_desk")
    return page


def wall(context: BrowserContext, server: Server) -> Page:
    page = context.new_page()
    page.goto(f"{server.address}/wall?embed=true&scene=overview", wait_until="domcontentloaded")
    page.wait_for_selector("[data-ring]", state="attached")
    return page


def give_name(page: Page) -> None:
    page.locator(".st-key-actor input").fill(HA)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")  # out of the field, onto the list


def test_every_screen_of_a_drill_says_so(drill: Server, browser: Browser) -> None:
    with browser.new_context(viewport={"width": 1366, "height": 768}) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        for name in SCREENS:
            page.goto(f"{drill.address}{address(name, 'vi')}", wait_until="domcontentloaded")
            mark = page.locator(".drill-mark")
            expect(mark).to_be_visible()
            assert "DIỄN TẬP" in mark.inner_text(), name
            assert mark.evaluate("(e) => getComputedStyle(e).pointerEvents") == "none", "it stands over all, in no way"
            box = mark.bounding_box()
            assert box
            assert (box["width"], box["height"]) == (1366, 768), name


def test_the_desk_is_worked_with_letters(desk_window: Page) -> None:
    """j and k go up and down, X ticks, N notes, S shelves, Esc goes back, A acknowledges; the name is asked first."""
    page = desk_window
    page.wait_for_function("document.querySelectorAll('[data-row]').length >= 3", timeout=STORM_MS)
    give_name(page)
    page.wait_for_function(f"{HERE}?.includes(':')")
    page.locator("[data-row]").first.focus()
    rows = page.evaluate("[...document.querySelectorAll('[data-row]')].map((row) => row.dataset.focus)")
    page.keyboard.press("j")
    assert page.evaluate(HERE) == rows[1]
    page.keyboard.press("k")
    assert page.evaluate(HERE) == rows[0]

    page.keyboard.press("x")
    ticked = page.locator(f'.tick.on[data-focus="t:{rows[0]}"]')
    expect(ticked).to_have_count(1)
    expect(page.get_by_text(T("item.ticked", n=1))).to_be_visible()
    page.locator(f'[data-row][data-focus="{rows[0]}"]').focus()
    page.keyboard.press("x")
    expect(ticked).to_have_count(0)

    page.locator('[class*="st-key-open_comment"] button').wait_for()
    page.keyboard.press("n")
    note = page.locator('[class*="st-key-comment_text"] textarea')
    expect(note).to_be_visible()
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    page.keyboard.press("s")
    reason = page.locator('[class*="st-key-shelve_reason"] input')
    expect(reason).to_be_visible()
    page.keyboard.press("Escape")
    expect(reason).to_be_hidden()

    waiting = page.locator('[data-row].a-UNACK:not([data-rule="underpass_flood"])').first  # that one is to ring
    chosen = waiting.get_attribute("data-focus")
    waiting.focus()
    page.keyboard.press("a")
    done = page.locator(".st-key-notice_done")
    expect(done).to_be_visible()
    expect(done.get_by_role("button", name=T("alert.undo"))).to_be_visible()
    expect(page.locator(f'[data-row].a-ACKED[data-focus="{chosen}"]')).to_contain_text(HA)


def test_a_new_critical_alert_rings_once_on_a_wall(drill: Server, wall_browser: BrowserContext) -> None:
    page = wall(wall_browser, drill)
    page.wait_for_function("window.__tones.length > 0", timeout=STORM_MS)
    follow(page, 2)
    rung = page.evaluate(RUNG)
    assert page.evaluate("window.__tones") == TONES * len(rung), "two tones for each, and never again"
    assert all(one.startswith("underpass_flood:") for one in rung)
    second = wall(wall_browser, drill)
    follow(second, 2)
    page.reload(wait_until="domcontentloaded")
    page.wait_for_function(f"{RINGING}.length > 0")
    follow(page, 2)
    news = [one for one in page.evaluate(RUNG) if one not in rung]
    heard = page.evaluate("window.__tones") + second.evaluate("window.__tones")
    assert heard == TONES * len(news), "neither a second window nor a reload rings for what has rung"
    second.close()


def test_a_muted_wall_keeps_silent_and_says_by_whom(drill: Server, desk_window: Page, browser: Browser) -> None:
    """Muted for ten minutes, by name; what is put off rings when the sound is back."""
    give_name(desk_window)
    with listening(browser) as other:
        warm = other.new_page()
        warm.goto(drill.address, wait_until="domcontentloaded")
        warm.wait_for_selector(".banner h1")
        desk_window.locator(".st-key-do_mute_wall button").click()
        desk_window.locator(".st-key-do_unmute_wall button").wait_for()
        page = wall(other, drill)
        page.wait_for_selector('[data-ring][data-muted="yes"]', state="attached")
        assert page.evaluate(RINGING), "there is something to ring for"
        expect(page.locator(".wall-muted", has_text=HA)).to_be_visible()
        assert page.evaluate("window.__tones") == []
        desk_window.locator(".st-key-do_unmute_wall button").click()
        page.wait_for_function("window.__tones.length > 0")
        assert page.evaluate("window.__tones")[:2] == TONES
