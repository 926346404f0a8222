"""What an eye before the wall would object to: text too small, cut off, lying over other text, or bars to scroll."""

from __future__ import annotations

from playwright.sync_api import Page

from core.wall import LEAST_ARCMIN, arcmin

ROUNDING = 0.05  # of a minute of arc: browsers round pixels

# Every visible text: what it says, its size in pixels as drawn, and whether anything of it is cut off or covered.
TEXTS = """() => {
  const roots = [...document.querySelectorAll(".panel-root")].filter((root) => root.getClientRects().length)
  const wall = roots.find((root) => root.dataset.scene) ?? roots[0]
  const found = [], wrong = []
  const tag = (e) => `${e.tagName.toLowerCase()}.${e.getAttribute("class") ?? ""}`
  const walk = document.createTreeWalker(wall, NodeFilter.SHOW_TEXT)
  while (walk.nextNode()) {
    const text = walk.currentNode, e = text.parentElement
    if (!text.data.trim() || !e.getClientRects().length || e.closest("title, desc, style")) continue
    if (getComputedStyle(e).visibility === "hidden") continue
    const range = document.createRange()
    range.selectNodeContents(text)
    const rects = [...range.getClientRects()].filter((r) => r.width > 0)
    if (!rects.length) continue
    const picture = e.closest("svg")
    const px = parseFloat(getComputedStyle(e).fontSize) * (picture ? Math.abs(e.getScreenCTM().d) : 1)
    const words = text.data.trim().slice(0, 50)
    const part = e.closest("[data-part]")?.dataset.part ?? ""
    const slack = 0.18 * px // a line box is higher than its letters
    for (const r of rects) {
      if (r.left < -1 || r.top + slack < -1 || r.right > innerWidth + 1 || r.bottom - slack > innerHeight + 1) {
        wrong.push(`off the screen: ${part} ${tag(e)} "${words}"`)
      }
    }
    for (let up = e; up && up !== wall.parentElement; up = up.parentElement) {
      const style = getComputedStyle(up)
      if (style.display === "inline" || (up.closest("svg") && up.tagName !== "svg")) continue
      if (style.overflowX === "visible" && style.overflowY === "visible") continue
      const box = up.getBoundingClientRect()
      const out = rects.some((r) => r.left < box.left - 1.5 || r.right > box.right + 1.5
        || r.top + slack < box.top - 1 || r.bottom - slack > box.bottom + 1)
      if (out) {
        wrong.push(`cut off: ${part} ${tag(e)} "${words}" by ${tag(up)}`)
        break
      }
    }
    for (const r of rects) {
      found.push({ words, px, part, drawn: Boolean(picture), tag: tag(e), node: found.length,
        left: r.left + 1, right: r.right - 1, top: r.top + 0.24 * r.height, bottom: r.bottom - 0.24 * r.height })
    }
  }
  for (let i = 0; i < found.length; i += 1) {
    for (let j = i + 1; j < found.length; j += 1) {
      const a = found[i], b = found[j]
      if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom && a.words !== b.words) {
        wrong.push(`over each other: ${a.part} ${a.tag} "${a.words}" and ${b.part} ${b.tag} "${b.words}"`)
      }
    }
  }
  for (const e of document.querySelectorAll("html, body, .stApp, .stMain, .panel-root")) {
    const style = getComputedStyle(e), rolls = /auto|scroll/
    const bars = (e.scrollWidth > e.clientWidth + 1 && rolls.test(style.overflowX))
      || (e.scrollHeight > e.clientHeight + 1 && rolls.test(style.overflowY))
    if (bars) wrong.push(`a bar to scroll: ${tag(e)}`)
  }
  return { texts: found.map(({ words, px, part, tag }) => ({ words, px, part, tag })), wrong: [...new Set(wrong)] }
}"""


def objections(page: Page, width_mm: float, viewer_m: float) -> list[str]:
    """Everything that must not be, in words; empty before a good picture."""
    seen = page.evaluate(TEXTS)
    across = page.evaluate("innerWidth")
    small = {
        f"{high:.1f} arc minutes: {one['part']} {one['tag']} {one['px']:.1f} px «{one['words']}»"
        for one in seen["texts"]
        if (high := arcmin(one["px"] * 1920 / across, width_mm, viewer_m)) < LEAST_ARCMIN - ROUNDING
    }
    return [*sorted(small), *seen["wrong"]]


SHOWN = """(scene) => {
  const root = document.querySelector(`.panel-root[data-scene="${scene}"]`)
  return Boolean(root?.__live?.painted) && root.__live.told.stage.scene === scene
    && !document.getAnimations().some((one) => one.animationName === "arrive")
}"""


def shows(page: Page, scene: str, patience_ms: float = 30_000) -> None:
    """Wait until the wall has come to rest on a scene."""
    page.wait_for_function(SHOWN, arg=scene, timeout=patience_ms)
