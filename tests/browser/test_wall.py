"""The wall lives: scenes turn in step, the critical takes it, and whatever is cut, killed or moved, it never lies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import provide
from tests.browser.conftest import FLAGS, PATIENCE_MS, Viewer, WallStage, _free_port
from tests.browser.wall_eye import shows
from tests.soak.proxy import Cable

Window = Callable[..., Viewer]
ROUND = ("overview", "traffic", "environment", "free")  # each for five seconds
TITLES = {"overview": "Tổng quan", "traffic": "Giao thông", "environment": "Môi trường", "free": "Phía nam"}
DWELL_S = 5
FLOOD, OTHER = "underpass_flood:flood_01", "underpass_flood:flood_02"
TWO_SECONDS, TEN_SECONDS = 2.0, 10.0  # the wall's own promises
CUT_S, SLEEP_S, BLINK_S = 60, 12, 6
LOST = "#city-lost"

COUNT_BLINKS = """(span) => new Promise((done) => {
  const dots = ["critical", "high"].map((one) => [one, document.querySelector(`.card.p-${one} .dot`)])
  const look = () => Object.fromEntries(dots.map(([one, dot]) => [one, getComputedStyle(dot).opacity]))
  const changes = { critical: 0, high: 0 }
  let before = look()
  const timer = setInterval(() => {
    const now = look()
    for (const one in now) changes[one] += now[one] !== before[one]
    before = now
  }, 40)
  setTimeout(() => { clearInterval(timer); done(changes) }, span)
})"""
# Notes when what is shown becomes something else: [moment, scene, which alert, what was announced just before].
NOTE_SCENES = """() => {
  const wall = () => document.querySelector(".panel-root[data-scene]")
  window.__turns = []
  let before = "", announced = ""
  const look = () => {
    const root = wall()
    const what = root ? `${root.dataset.scene} ${root.querySelector(".incident-title h1")?.textContent ?? ""}` : ""
    if (root && what !== before && before) window.__turns.push([Date.now() / 1000, what.trim(), announced])
    before = what
    announced = root?.querySelector(".wall-turn span")?.textContent ?? ""
    requestAnimationFrame(look)
  }
  look()
}"""
PAINTED = "document.querySelector('.panel-root[data-scene]')?.__live?.painted ?? 0"
CLOCK = "document.querySelector('.wall-clock [data-clock], .incident-clock [data-clock]')?.textContent ?? ''"
# Somebody sets the browser's clock an hour on: everything that asks for the date hears the new one.
SET_THE_CLOCK = """(ms) => {
  const Real = Date, now = Real.now.bind(Real)
  window.Date = class extends Real {
    constructor(...given) { given.length ? super(...given) : super(now() + ms) }
    static now() { return now() + ms }
  }
}"""


@pytest.fixture(autouse=True)
def quiet_city(stage: WallStage) -> None:
    """Each story begins with no alert and nothing put on the wall."""
    stage.ask("calm")
    stage.ask("release")


def opened(window: Window, stage: WallStage, screen: str = "man_1") -> Viewer:
    viewer = window(stage)
    page = viewer.open(f"/wall?screen={screen}&embed=true")
    page.wait_for_function(f"{PAINTED} > 0")
    page.evaluate(NOTE_SCENES)
    return viewer


def turns(page: Page) -> list[tuple[float, str, str]]:
    """When the picture became another, what it became, and what had been announced."""
    return [(moment, what, announced) for moment, what, announced in page.evaluate("window.__turns")]


def turned(page: Page, count: int) -> list[tuple[float, str, str]]:
    page.wait_for_function("(count) => window.__turns.length >= count", arg=count)
    return turns(page)


def whose_turn(moment: float) -> str:
    """The scene of a round of equal dwells that began with the epoch: the server's clock alone says it."""
    return ROUND[int(moment // DWELL_S) % len(ROUND)]


def test_scenes_turn_by_the_servers_clock_two_screens_in_step_and_the_next_is_announced(
    stage: WallStage, window: Window
) -> None:
    one, two = opened(window, stage, "man_1"), opened(window, stage, "man_2")
    count = len(ROUND)
    for viewer in (two, one):
        seen = turned(viewer.page, count)[:count]
        assert [what for _, what, _ in seen] == [whose_turn(moment) for moment, _, _ in seen]
        assert {what for _, what, _ in seen} == set(ROUND), "a whole round"
        for _, what, announced in seen:
            assert TITLES[what] in announced, "the next scene is named before it comes"
    both = sorted([*turns(one.page), *turns(two.page)])
    last = min(turns(one.page)[-1][0], turns(two.page)[-1][0])
    first = max(turns(one.page)[0][0], turns(two.page)[0][0])
    common = [what for moment, what, _ in both if first - 1 < moment < last + 1]
    assert common[0::2] == common[1::2], "no screen is a scene ahead of the other"
    assert one.wrong == two.wrong == []


def test_a_scene_is_put_on_the_wall_from_the_desk_and_given_back(stage: WallStage, window: Window) -> None:
    wall, desk = opened(window, stage), window(stage, (1366, 768))
    page = desk.open("/alert_desk")  # a deed has a name under it
    page.locator(".st-key-actor input").fill("Lê Thu Hà")
    page.locator(".st-key-actor input").press("Enter")
    page.locator(".st-key-nav_more button").click()
    page.locator(".st-key-nav_wall_desk a").click()
    page.locator(".st-key-wall_scene input").click()
    page.get_by_role("option", name="Bản tin", exact=True).click()
    page.locator(".st-key-do_show_on_wall button").click()
    shows(wall.page, "brief")
    expect(wall.page.locator(".wall-turn")).to_contain_text("Lê Thu Hà đưa lên")
    page.locator(".st-key-do_release_wall button").click()
    wall.page.wait_for_function("!document.querySelector('.panel-root[data-scene=\"brief\"]')")
    assert wall.page.locator(".panel-root[data-scene]").get_attribute("data-scene") in ROUND
    assert wall.wrong == desk.wrong == []


def test_a_critical_alert_takes_the_wall_within_two_seconds_and_leaves_it_when_seen(
    stage: WallStage, window: Window
) -> None:
    """Three times on two screens; the middle figures count, so that a machine with other work may hiccup once."""
    screens = [opened(window, stage, name).page for name in ("man_1", "man_2")]
    stage.ask("put", "traffic")
    for page in screens:
        shows(page, "traffic")
    came, went = [], []
    for _ in range(3):
        for page in screens:
            page.evaluate("window.__turns.length = 0")
        born = stage.ask("ring", FLOOD, minutes=1)
        for page in screens:
            moment, what, _ = turned(page, 1)[0]
            assert what.startswith("incident")
            came.append(moment - born)
        seen = stage.ask("acknowledge", FLOOD)
        for page in screens:
            moment, what, _ = turned(page, 2)[1]
            assert what == "traffic", "back to what was chosen before"
            went.append(moment - seen)
        stage.ask("calm")
    print(f"\ncame after {came}, went after {went} s")
    assert median(came) <= TWO_SECONDS
    assert median(went) <= TWO_SECONDS


def test_what_is_acknowledged_at_once_is_still_seen_for_ten_seconds(stage: WallStage, window: Window) -> None:
    viewer = opened(window, stage)
    stage.ask("put", "traffic")
    shows(viewer.page, "traffic")
    viewer.page.evaluate("window.__turns.length = 0")
    born = stage.ask("ring", FLOOD)
    turned(viewer.page, 1)
    stage.ask("acknowledge", FLOOD)
    moment, what, _ = turned(viewer.page, 2)[1]
    assert what == "traffic"
    assert moment - born >= TEN_SECONDS - 0.1
    assert moment - born <= TEN_SECONDS + TWO_SECONDS
    assert viewer.wrong == []


def test_two_critical_alerts_take_turns(stage: WallStage, window: Window) -> None:
    stage.ask("ring", FLOOD, OTHER, minutes=1)
    viewer = opened(window, stage)
    shows(viewer.page, "incident")
    at_first = viewer.page.locator(".incident-title h1").inner_text()
    (_, what, _), *_ = turned(viewer.page, 1)
    assert what.startswith("incident")
    assert at_first not in what
    assert viewer.wrong == []


def test_only_the_unacknowledged_critical_blinks_and_slowly(stage: WallStage, window: Window) -> None:
    """Under three times a second (WCAG 2.2, 2.3.1); a wall that blinks everywhere calls for nothing."""
    stage.ask("ring", FLOOD, minutes=1)
    stage.ask("ring", OTHER, minutes=1, priority="high")
    viewer = window(stage)
    viewer.open("/")
    viewer.page.wait_for_selector(".card.p-critical .dot")
    viewer.page.wait_for_selector(".card.p-high .dot")
    changes = viewer.page.evaluate(COUNT_BLINKS, BLINK_S * 1000)
    assert BLINK_S / 2 <= changes["critical"] < 2 * 3 * BLINK_S, "every blink is two changes"
    assert changes["high"] == 0
    assert viewer.wrong == []


def test_a_killed_server_is_said_over_the_last_picture_and_comes_back_to_the_same_scene(
    stage: WallStage, window: Window
) -> None:
    """And the very first request that the fresh server gets from a new window is a deep link."""
    stage.ask("put", "map", "man_1")
    viewer = opened(window, stage)
    page = viewer.page
    shows(page, "map")
    last = stage.ask("clock_text")
    before = page.locator('[data-part="left"]').inner_html()
    stage.kill()
    killed = time.time()
    page.wait_for_selector(LOST)
    assert time.time() - killed <= TEN_SECONDS
    assert "MẤT KẾT NỐI MÁY CHỦ" in page.locator(LOST).inner_text()
    assert last[:2] in page.locator(LOST).inner_text(), "of when the picture is"
    assert page.locator('[data-part="left"]').inner_html() == before, "the last picture stays"
    assert page.get_by_role("dialog").filter(visible=True).count() == 0, "nothing of Streamlit's over it"
    stage.start()
    stage.wait_until((200, 503))
    link = window(stage)
    link.open("/wall?screen=man_2&embed=true&lang=en")
    link.page.wait_for_function(f"{PAINTED} > 0", timeout=PATIENCE_MS)
    assert link.page.locator(".panel-root[data-scene]").get_attribute("data-scene") in ROUND
    page.wait_for_selector(LOST, state="detached", timeout=PATIENCE_MS)
    shows(page, "map")
    page.wait_for_function(f"{PAINTED} > 0")
    known = page.evaluate(PAINTED)
    stage.ask("advance", 1)
    page.wait_for_function(f"(least) => {PAINTED} > least", arg=known)
    assert [one for one in viewer.wrong if one.startswith(("page error", "outside"))] == []


def test_a_cut_network_is_said_and_comes_back_without_a_hand(stage: WallStage, window: Window) -> None:
    """For a minute nothing passes and nobody is told, as when a switch loses power; hours are the soak's."""
    port = stage.port
    cable = Cable(_free_port(), port)
    viewer = window(stage)
    page = viewer.page
    page.goto(f"http://127.0.0.1:{cable.port}/wall?screen=near&embed=true", wait_until="domcontentloaded")
    stage.ask("put", "environment", "near")
    shows(page, "environment")
    cable.cut()
    cut = time.time()
    page.wait_for_selector(LOST)
    assert time.time() - cut <= TEN_SECONDS
    stage.ask("advance", 7)
    known = page.evaluate(PAINTED)
    page.wait_for_timeout(max(0.0, CUT_S - (time.time() - cut)) * 1000)  # the cut itself lasts
    assert page.locator(LOST).is_visible()
    assert page.evaluate(PAINTED) == known
    cable.mend()
    page.wait_for_selector(LOST, state="detached")
    page.wait_for_function(f"(least) => {PAINTED} > least", arg=known)
    shows(page, "environment")
    assert page.evaluate(CLOCK) == stage.ask("clock_text")
    assert [one for one in viewer.wrong if one.startswith("page error")] == []


def test_a_machine_that_slept_shows_the_present_when_it_wakes(stage: WallStage, browser: Browser) -> None:
    """A sleeping machine runs nothing and closes nothing: every process of its browser stops, and goes on later."""
    with browser.browser_type.launch(executable_path=provide.find(), args=FLAGS) as asleep:
        page = asleep.new_page(viewport={"width": 1920, "height": 1080})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{stage.address}/wall?screen=near&embed=true", wait_until="domcontentloaded")
        stage.ask("put", "environment", "near")
        shows(page, "environment")
        known = page.evaluate(PAINTED)
        found = asleep.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        processes = [one["id"] for one in found if Path(f"/proc/{one['id']}").is_dir()]
        assert len(processes) > 1, "the browser and its pages"
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            stage.ask("advance", 7)
            time.sleep(SLEEP_S)  # the sleep itself
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)
        page.wait_for_function(f"(least) => {PAINTED} > least", arg=known)
        page.wait_for_selector(LOST, state="detached")
        shows(page, "environment")
        page.wait_for_function(f"(text) => ({CLOCK}) === text", arg=stage.ask("clock_text"))


def test_somebody_sets_a_clock_wrong(stage: WallStage, window: Window) -> None:
    """The browser's clock: nothing changes. The city's: every wall follows with the next picture."""
    viewer = opened(window, stage, "near")
    page = viewer.page
    stage.ask("put", "overview", "near")
    shows(page, "overview")
    page.evaluate(SET_THE_CLOCK, 3_600_000)
    assert page.evaluate("Date.now()") / 1000 > datetime.now(UTC).timestamp() + 3000
    known = page.evaluate(PAINTED)
    stage.ask("advance", 0)
    page.wait_for_function(f"(least) => {PAINTED} > least", arg=known)
    page.wait_for_function(f"(shown) => {CLOCK} === shown", arg=stage.ask("clock_text"))
    assert page.locator(LOST).count() == 0
    assert page.locator(".panel-root[data-scene]").get_attribute("data-scene") == "overview"
    before = page.evaluate(CLOCK)
    stage.ask("advance", 60)
    assert stage.ask("clock_text") != before
    page.wait_for_function(f"(shown) => {CLOCK} === shown", arg=stage.ask("clock_text"))
    stage.ask("advance", -60)
    page.wait_for_function(f"(shown) => {CLOCK} === shown", arg=stage.ask("clock_text"))
    assert viewer.wrong == []


def test_a_stalled_source_greys_its_rows_says_how_old_and_why(stage: WallStage, window: Window) -> None:
    viewer = opened(window, stage, "near")
    page = viewer.page
    stage.ask("stall", "traffic_sensors")
    stage.ask("advance", 45, cycle=True)
    stage.ask("calm")
    stage.ask("put", "overview", "near")
    shows(page, "overview")
    row = page.locator('.row[data-key^="travel_time_index"]')
    row.and_(page.locator(".s-old")).wait_for()
    words = row.locator(".row-note").inner_text()
    assert "phút" in words or "giờ" in words, "how old it is"
    grey = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink3')")
    assert row.locator(".row-value b").evaluate("(e) => getComputedStyle(e).color") == as_rgb(grey)
    assert page.locator(".row.s-fresh").count() > 0, "the others go on"
    trouble = page.locator(".wall-trouble").inner_text()
    assert "Cảm biến giao thông" in trouble
    assert "không trả lời" in trouble, "why, in words"
    stage.ask("put", "traffic", "near")
    shows(page, "traffic")
    assert page.locator(".scene-row.s-old").count() > 0
    stage.ask("mend", "traffic_sensors")
    stage.ask("advance", 10, cycle=True)
    stage.ask("calm")
    page.wait_for_selector(".wall-trouble", state="detached")
    page.wait_for_selector(".scene-row.s-fresh")
    assert viewer.wrong == []


def test_a_day_of_ticks_leaves_nothing_behind(stage: WallStage, window: Window) -> None:
    """1,440 snapshots as fast as they come: no heap, no nodes, no listeners, no pictures pile up."""
    viewer = opened(window, stage, "near")
    page = viewer.page
    stage.ask("put", "overview", "near")
    shows(page, "overview")
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")

    def held() -> dict[str, float]:
        tools.send("HeapProfiler.collectGarbage")
        metrics = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
        return {name: metrics[name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners", "Documents")}

    stage.ask("ticks", 240, 0.01)
    young, young_server = held(), stage.ask("kept")
    old_server = stage.ask("ticks", 1200, 0.01)
    page.wait_for_function(f"(newest) => {PAINTED} >= newest", arg=old_server["number"])
    old = held()
    print(f"\nafter 240 ticks {young} {young_server}\nafter 1440 {old} {old_server}")
    assert old["JSHeapUsedSize"] <= young["JSHeapUsedSize"] + 2e6
    assert old["Nodes"] <= young["Nodes"] + 3000, "at most a picture or two that is still to be swept up"
    assert old["JSEventListeners"] <= young["JSEventListeners"] + 5
    assert old["Documents"] <= young["Documents"]
    assert old_server["pictures"] <= 64
    assert old_server["frames"] <= 256
    assert old_server["tickets"] == young_server["tickets"]
    assert old_server["memory_mb"] <= young_server["memory_mb"] + 60
    assert viewer.wrong == [], "the console is silent"


def as_rgb(colour: str) -> str:
    """«rgb(140, 154, 168)» of «#8C9AA8»."""
    digits = colour.strip().lstrip("#")
    return f"rgb({', '.join(str(int(digits[place : place + 2], 16)) for place in (0, 2, 4))})"
