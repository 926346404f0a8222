"""The guided tour in a newcomer's browser: over real elements, by keyboard, not in the way, once and no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from core import guide
from core.access import ROLES
from core.i18n import Translator
from tests.browser.conftest import PATIENCE_MS, House, Server, Viewer, WallStage, _viewer

FLOOD = ("underpass_flood", "flood_01")
CARD = "#city-tour"
COVERED = """() => {
  const card = document.querySelector("#city-tour").getBoundingClientRect()
  return [...document.querySelectorAll('.p-critical.a-UNACK')].map((one) => one.getBoundingClientRect())
    .filter((one) => one.width && one.left < card.right && one.right > card.left)
    .filter((one) => one.top < card.bottom && one.bottom > card.top).length
}"""


@pytest.fixture
def newcomer(browser: Browser, house: House) -> Iterator[Viewer]:
    """A browser that has never been here."""
    with browser.new_context(viewport={"width": 1366, "height": 768}) as context:
        yield _viewer(context, house.server)


def shown(page: Page) -> str:
    page.wait_for_selector(CARD, state="visible")
    return page.locator(f"{CARD} h2").inner_text()


def next_step(page: Page, key: str, before: str) -> str:
    page.keyboard.press(key)
    page.wait_for_function("(before) => document.querySelector('#city-tour h2')?.textContent !== before", arg=before)
    return shown(page)


def test_it_comes_once_is_walked_by_keyboard_and_stays_away_after_a_skip(newcomer: Viewer) -> None:
    tour = guide.tour_of("supervisor", "overview")
    assert tour is not None
    titles = [step.title["vi"] for step in tour.steps]
    page = newcomer.open("/")
    assert shown(page) == titles[0]
    assert page.evaluate("document.activeElement.closest('#city-tour') !== null")
    assert page.locator("#city-tour-ring").is_visible()
    assert next_step(page, "ArrowRight", titles[0]) == titles[1]
    assert next_step(page, "ArrowLeft", titles[1]) == titles[0]
    page.keyboard.press("Escape")
    page.wait_for_selector(CARD, state="detached")
    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector(".rows .row")
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', state="attached")
    assert page.locator(CARD).count() == 0
    newcomer.open("/?tour=1")
    assert shown(page) == titles[0], "asked for, it comes again"
    page.locator(CARD).get_by_text(Translator("vi")("tour.skip")).click()
    page.wait_for_selector(CARD, state="detached")
    assert "tour=" not in page.url, "a reload does not begin it again"
    assert newcomer.wrong == []


def test_a_kiosk_and_the_wall_have_none_and_paper_neither(newcomer: Viewer) -> None:
    page = newcomer.open("/?embed=true")
    page.wait_for_selector(".rows .row")
    assert page.locator(CARD).count() == 0
    newcomer.open("/wall?scene=overview")
    page.wait_for_selector(".panel-root [data-part]", state="attached")
    assert page.locator(CARD).count() == 0
    newcomer.open("/")
    shown(page)
    page.emulate_media(media="print")
    assert not page.locator(CARD).is_visible()


def test_it_never_covers_a_critical_alert_that_waits(browser: Browser, stage: WallStage) -> None:
    stage.ask("ring", ":".join(FLOOD))
    for size in ((1366, 768), (390, 844)):
        with browser.new_context(viewport={"width": size[0], "height": size[1]}) as context:
            viewer = _viewer(context, stage)
            page = viewer.open("/")
            page.wait_for_selector(".p-critical.a-UNACK")
            shown(page)
            assert page.evaluate(COVERED) == 0, size


@pytest.mark.parametrize("role", ROLES)
def test_every_step_stands_on_a_real_element(role: str, browser: Browser, house: House) -> None:
    (tour,) = [one for one in guide.tours() if one.role == role]
    with browser.new_context(viewport={"width": 1366, "height": 768}) as context:
        page = as_role(_viewer(context, house.server), house.server, role, tour.page)
        for place, step in enumerate(tour.steps):
            assert shown(page) == step.title["vi"], f"{role}: {step.element} is not on {tour.page}"
            assert page.locator(step.element).first.is_visible()
            if place + 1 < len(tour.steps):
                next_step(page, "ArrowRight", step.title["vi"])
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(CARD, state="detached")
        assert tour.key in page.evaluate("localStorage.getItem('city_tour')")


def as_role(viewer: Viewer, server: Server, role: str, path: str) -> Page:
    """The demo tries a role on the page with the fewest rights, then follows the navigation to the role's own page."""
    t = Translator("vi")
    page = viewer.page
    viewer.page.add_init_script(f"localStorage.setItem('city_tour', '[\"{'supervisor'}.overview.1\"]')")
    viewer.open("/guide")
    page.wait_for_selector(".guide")
    page.locator(".st-key-person_menu button").first.click()
    page.locator(".st-key-demo_role_choice").get_by_role("combobox").click()
    page.get_by_role("option", name=t(f"people.role_{role}"), exact=True).click()
    page.wait_for_selector(f'.guide-way[data-key="way:{role}"][open]', timeout=PATIENCE_MS)
    page.keyboard.press("Escape")
    page.evaluate("localStorage.setItem('city_tour', '[]')")
    if path != "overview":
        inside = page.locator(f".st-key-nav_{path} a")
        if not inside.first.is_visible():
            page.locator(".st-key-nav_menu button").first.click()
        inside.first.click()
    else:
        page.locator(".st-key-nav_overview a").click()
    return page
