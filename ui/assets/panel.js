// Patches named parts of a panel and reports deeds. Parts that did not change are left alone.
export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".panel-root")
  const heard = root.__live?.told
  if (!data.live || !heard || data.live.number >= heard.number) paint(root, data.parts, leftOver(root, data.parts))
  if (data.live) {
    if (data.live.stage) stage(root, data.live.stage)
    const take = (parts, gone, told) => {
      if (told.stage) stage(root, told.stage)
      paint(root, parts, gone)
    }
    follow(root, data.live, take, () => setTriggerValue("deed", { deed: "look_again", sent: Date.now() }))
  }
  const send = (element) => setTriggerValue("deed", { ...element.dataset, sent: Date.now() })
  root.onclick = (event) => {
    if (asked(event.target)) return
    const summary = event.target.closest("summary")
    if (summary && !summary.parentElement.open) counted(summary.parentElement)
    const element = event.target.closest("[data-deed]")
    if (element) send(element)
  }
  root.onkeydown = (event) => {  // arrows go from cell to cell of a matrix, Escape closes a drawer
    if (event.key === "Escape" && closed(event.target)) return
    const place = event.target.dataset?.cell?.split(",").map(Number)
    const way = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key]
    if (!place || !way) return
    event.preventDefault()
    root.querySelector(`[data-cell="${place[0] + way[0]},${place[1] + way[1]}"]`)?.focus()
  }
  // Letters work wherever the focus is, but never while somebody writes. C and R belong to Streamlit.
  const opens = { g: "open_assign", s: "open_shelve", n: "open_comment" }
  const onKey = (event) => {
    if (!root.isConnected) return document.removeEventListener("keydown", root.__keys)
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const writing = event.target.closest?.("input, textarea, select, [contenteditable]")
    if (writing) {
      if (event.key === "Escape") (root.querySelector('[data-row][aria-current="true"]') ?? root.querySelector("[data-row]"))?.focus()
      return
    }
    const rows = [...root.querySelectorAll("[data-row]")].filter((row) => row.offsetParent)
    const here = event.target.closest?.("[data-row]")
    const row = here ?? rows.find((one) => one.ariaCurrent === "true")
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[key]
    if (step && (here || key === "j" || key === "k")) {
      event.preventDefault()
      rows[Math.min(Math.max(rows.indexOf(row) + step, 0), rows.length - 1)]?.focus()
    } else if ((key === "Enter" || key === " ") && event.target === here) {
      event.preventDefault()
      send(here)
    } else if (key === "a" && row) {
      const button = row.querySelector('[data-deed="acknowledge"]')
      if (button) send(button)
    } else if (key === "x" && row) {
      const button = row.querySelector('[data-deed="tick"]')
      if (button) send(button)
    } else if (key in opens) {
      document.querySelector(`[class*="st-key-${opens[key]}"] button:not(:disabled)`)?.click()
    } else if (key === "/") {
      event.preventDefault()
      document.querySelector(".st-key-search input")?.focus()
    }
  }
  if (root.__keys) document.removeEventListener("keydown", root.__keys)
  root.__keys = undefined
  if (root.querySelector("[data-row]")) {
    root.__keys = onKey
    document.addEventListener("keydown", onKey)
  }
}

// Buttons of a drawer: to another page of this server in the same language, or its words to the clipboard.
function asked(target) {
  const go = target.closest("[data-go]")
  if (go && /^[a-z_]+$/.test(go.dataset.go)) {
    const to = new URL(location.href)
    const language = to.searchParams.get("lang")
    to.pathname = to.pathname.replace(/[^/]*$/, go.dataset.go === "overview" ? "" : go.dataset.go)
    to.search = go.dataset.query ?? ""
    if (language) to.searchParams.set("lang", language)
    location.assign(to)
    return true
  }
  const opener = target.closest("[data-opens]")
  if (opener) opened(opener)
  if (opener) return true
  const copy = target.closest("[data-copy]")
  if (copy) copyDrawer(copy)
  return Boolean(copy)
}

// The mark at a tile or a column opens the drawer that stands below; Escape there closes it and comes back.
function opened(opener) {
  const root = opener.closest(".panel-root")
  const drawer = root.querySelector(`details[data-key="${CSS.escape(opener.dataset.opens)}"]`)
  if (!drawer) return
  if (!drawer.open) counted(drawer)
  for (let one = drawer; one; one = one.parentElement.closest("details")) one.open = true
  drawer.dataset.back = opener.dataset.focus
  const summary = drawer.querySelector("summary")
  summary.focus({ preventScroll: true })
  drawer.scrollIntoView({ block: "nearest" })
}

function closed(target) {
  const drawer = target.closest("details[open]:has(> .why)")
  if (!drawer) return false
  const back = drawer.dataset.back && drawer.closest(".panel-root").querySelector(`[data-focus="${CSS.escape(drawer.dataset.back)}"]`)
  const set = back ? drawer.closest("details.why-set") : null
  ;(set ?? drawer).open = false
  delete drawer.dataset.back
  ;(back || drawer.querySelector("summary")).focus()
  return true
}

// That a drawer was opened, not by whom: the page's open connection tells the server which indicator it was of.
function counted(details) {
  const key = details.querySelector(":scope > .why")?.dataset.indicator
  if (key) dispatchEvent(new CustomEvent("city-asked", { detail: key }))
}

async function copyDrawer(button) {
  const drawer = button.closest(".why")
  const shown = drawer.closest("details")?.querySelector("summary")?.innerText.replace(/\s+/g, " ").trim()
  const lines = [...drawer.querySelectorAll("dl > div")].map((line) => [...line.children].map((e) => e.textContent).join(": "))
  const text = [shown, ...lines].filter(Boolean).join("\n")
  const done = () => {
    const said = button.textContent
    button.textContent = button.dataset.copied
    setTimeout(() => { button.textContent = said }, 2000)
  }
  if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text).then(done)
  const field = document.createElement("textarea")  // plain http in a closed network has no clipboard of its own
  field.value = text
  document.body.append(field)
  field.select()
  if (document.execCommand("copy")) done()
  field.remove()
  button.focus()
}

// Parts by name; what is the same is left alone, so nothing flashes, an open detail stays open, the focus stays.
function paint(root, parts, gone) {
  const seen = (root.__seen ??= {})
  for (const [name, html] of Object.entries(parts)) {
    let part = root.querySelector(`:scope > [data-part="${name}"]`)
    if (!part) {
      part = document.createElement("div")
      part.dataset.part = name
      root.append(part)
    }
    if (seen[name] === html) continue
    const open = [...part.querySelectorAll("details[open]")].map((d) => d.dataset.key)
    const focused = part.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined
    const scrolled = [...part.querySelectorAll("[data-scroll]")].map((e) => [e.dataset.scroll, e.scrollTop])
    part.innerHTML = html
    seen[name] = html
    for (const key of open) {
      const detail = part.querySelector(`details[data-key="${CSS.escape(key ?? "")}"]`)
      if (detail) detail.open = true
    }
    for (const [key, top] of scrolled) {
      const element = part.querySelector(`[data-scroll="${CSS.escape(key)}"]`)
      if (element) element.scrollTop = top
    }
    if (focused) part.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true })
  }
  for (const name of gone) {
    delete seen[name]
    root.querySelector(`:scope > [data-part="${name}"]`)?.remove()
  }
  const bell = root.querySelector("[data-ring]")
  if (bell) ring(bell, root)
}

function leftOver(root, parts) {
  return [...root.children].map((part) => part.dataset.part).filter((name) => !(name in parts))
}

// How a wall's picture is laid out: scene, density, night, the orbit against burn-in.
function stage(root, set) {
  for (const [name, value] of Object.entries(set)) {
    if (root.dataset[name] === value) continue
    root.dataset[name] = value
    if (name === "scale") document.documentElement.style.setProperty("--wall-scale", value)
  }
}

// Two tones, once per new critical alert and browser: a reload does not ring again, a mute only puts it off.
const RUNG = "city_rung"
const MOST_REMEMBERED = 500
async function ring(bell, root) {
  const wanted = bell.dataset.ring.split(" ").filter(Boolean)
  const rung = JSON.parse(localStorage.getItem(RUNG) ?? "[]")
  const fresh = wanted.filter((id) => !rung.includes(id))
  if (!fresh.length || bell.dataset.muted === "yes") return
  const sound = (root.__sound ??= new AudioContext())
  if (sound.state === "suspended") await Promise.race([sound.resume(), new Promise((done) => setTimeout(done, 500))])
  bell.hidden = sound.state === "running"
  if (sound.state !== "running") return
  localStorage.setItem(RUNG, JSON.stringify([...rung, ...fresh].slice(-MOST_REMEMBERED)))
  for (const [start, pitch] of [[0, 880], [0.35, 660]]) {
    const tone = sound.createOscillator()
    const loudness = sound.createGain()
    tone.frequency.value = pitch
    loudness.gain.setValueAtTime(0.25, sound.currentTime + start)
    loudness.gain.exponentialRampToValueAtTime(0.001, sound.currentTime + start + 0.3)
    tone.connect(loudness).connect(sound.destination)
    tone.start(sound.currentTime + start)
    tone.stop(sound.currentTime + start + 0.3)
  }
}
