// The guided tour: a card in a corner that outlines real elements of the page, one after the other. It blocks nothing.
// The browser remembers which tours it has seen; in a kiosk, on paper and in a browser without a memory there is none.
const MEMORY = "city_tour"
const TRIES = 12 // looks for an element that is drawn late, 250 ms apart, before its step is passed over
const GAP = 12

export default function (component) {
  const { data } = component
  const asked = new URLSearchParams(location.search)
  const forced = asked.get("tour") === "1"
  const running = window.__cityTour
  if (running?.data.key === data.key && running.data.language === data.language) return () => end(data.key)
  running?.close(false)
  if (asked.get("embed") === "true" || (!forced && seen(data.key))) return
  window.__cityTour = new Tour(data)
  return () => end(data.key)
}

// The page is left: its card goes with it, and comes back unless somebody skipped or ended it.
function end(key) {
  if (window.__cityTour?.data.key === key) window.__cityTour.close(false)
}

function known() {
  try {
    return JSON.parse(localStorage.getItem(MEMORY) ?? "[]")
  } catch {
    return null
  }
}

function seen(key) {
  const list = known()
  return !Array.isArray(list) || list.includes(key) || list.includes("all")
}

function remember(key) {
  const list = known()
  try {
    if (Array.isArray(list) && !list.includes(key)) localStorage.setItem(MEMORY, JSON.stringify([...list, key]))
  } catch { /* a browser without a memory has no tours of its own accord */ }
}

class Tour {
  constructor(data) {
    this.data = data
    this.place = 0
    this.tries = 0
    this.way = 1
    this.card = document.createElement("section")
    this.card.id = "city-tour"
    this.card.setAttribute("role", "dialog")
    this.card.setAttribute("aria-modal", "false")
    this.card.setAttribute("aria-labelledby", "city-tour-title")
    this.card.hidden = true
    this.ring = document.createElement("div")
    this.ring.id = "city-tour-ring"
    this.ring.hidden = true
    const words = document.createElement("div")
    words.setAttribute("aria-live", "polite")
    this.count = this.piece("small", words)
    this.title = this.piece("h2", words)
    this.title.id = "city-tour-title"
    this.text = this.piece("p", words)
    const row = document.createElement("div")
    row.className = "city-tour-deeds"
    this.skip = this.button(row, data.words.skip, () => this.close(true))
    this.back = this.button(row, data.words.back, () => this.step(-1))
    this.next = this.button(row, data.words.next, () => this.step(1))
    this.next.className = "main"
    this.card.append(words, row)
    document.body.append(this.ring, this.card)
    this.onKey = (event) => this.key(event)
    this.onMove = () => this.follow()
    document.addEventListener("keydown", this.onKey, true)
    addEventListener("scroll", this.onMove, true)
    addEventListener("resize", this.onMove)
    this.timer = setInterval(() => this.look(), 250)
    this.look()
  }

  piece(tag, into) {
    const element = document.createElement(tag)
    into.append(element)
    return element
  }

  button(into, words, deed) {
    const element = this.piece("button", into)
    element.type = "button"
    element.textContent = words
    element.onclick = deed
    return element
  }

  // The element of this step as the page has it now: the page may have drawn it anew since the last look.
  target() {
    const all = [...document.querySelectorAll(this.data.steps[this.place].element)]
    return all.find((one) => one.getClientRects().length)
  }

  look() {
    if (this.target()) {
      if (this.shown !== this.place) this.show()
      else this.follow()
      return
    }
    this.ring.hidden = true
    if (this.shown === this.place || this.tries++ < TRIES) return
    this.step(this.way)
  }

  show() {
    const first = this.shown === undefined
    const step = this.data.steps[this.place]
    this.shown = this.place
    this.count.textContent = `${this.place + 1}/${this.data.steps.length}`
    this.title.textContent = step.title
    this.text.textContent = step.text
    this.back.disabled = this.place === 0
    this.next.textContent = this.place === this.data.steps.length - 1 ? this.data.words.done : this.data.words.next
    this.target().scrollIntoView({ block: "nearest" })
    this.card.hidden = false
    this.ring.hidden = false
    this.follow()
    if (first && !document.activeElement?.closest("input, textarea, select, [contenteditable]")) {
      this.before = document.activeElement
      this.next.focus({ preventScroll: true })
    }
  }

  follow() {
    const element = this.target()
    if (!element || this.card.hidden) return
    const box = element.getBoundingClientRect()
    Object.assign(this.ring.style, {
      left: `${box.left - 3}px`, top: `${box.top - 3}px`, width: `${box.width + 6}px`, height: `${box.height + 6}px`,
    })
    this.settle(box)
  }

  // The corner in which the card hides least: never a critical alert that waits, then not what it speaks of.
  settle(box) {
    const waiting = [...document.querySelectorAll(".p-critical.a-UNACK")].map((one) => one.getBoundingClientRect())
    const { offsetWidth: width, offsetHeight: height } = this.card
    const right = innerWidth - width - GAP
    const bottom = innerHeight - height - GAP
    const corners = [[right, bottom], [GAP, bottom], [right, GAP], [GAP, GAP]]
    const hides = ([left, top], other) =>
      Math.max(0, Math.min(left + width, other.right) - Math.max(left, other.left))
      * Math.max(0, Math.min(top + height, other.bottom) - Math.max(top, other.top))
    const cost = (corner) => 1000 * waiting.reduce((sum, one) => sum + hides(corner, one), 0) + hides(corner, box)
    const costs = corners.map(cost)
    const best = corners[costs.indexOf(Math.min(...costs))]
    Object.assign(this.card.style, { left: `${Math.max(best[0], 0)}px`, top: `${Math.max(best[1], 0)}px` })
  }

  step(way) {
    const next = this.place + way
    if (next >= this.data.steps.length) return this.close(this.shown !== undefined)
    if (next < 0) {
      this.way = 1
      return
    }
    this.way = way
    this.place = next
    this.tries = 0
    this.look()
  }

  key(event) {
    const inside = this.card.contains(event.target)
    if (this.card.hidden || (!inside && event.target !== document.body)) return
    const deed = { Escape: () => this.close(true), ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1) }[event.key]
    if (!deed) return
    event.preventDefault()
    event.stopPropagation()
    deed()
  }

  close(done) {
    clearInterval(this.timer)
    document.removeEventListener("keydown", this.onKey, true)
    removeEventListener("scroll", this.onMove, true)
    removeEventListener("resize", this.onMove)
    const held = this.card.contains(document.activeElement)
    this.card.remove()
    this.ring.remove()
    if (window.__cityTour === this) window.__cityTour = undefined
    if (!done) return
    remember(this.data.key)
    if (held && this.before?.isConnected) this.before.focus({ preventScroll: true })
    const address = new URL(location.href)
    if (!address.searchParams.has("tour")) return
    address.searchParams.delete("tour") // a reload does not begin it again
    history.replaceState(history.state, "", address)
  }
}
