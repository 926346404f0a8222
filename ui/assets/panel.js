// Patches named parts of a panel and reports deeds. Parts that did not change are left alone.
export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const root = parentElement.querySelector(".panel-root")
  const seen = (root.__seen ??= {})
  for (const [name, html] of Object.entries(data.parts)) {
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
  for (const part of [...root.children]) {
    if (!(part.dataset.part in data.parts)) {
      delete seen[part.dataset.part]
      part.remove()
    }
  }
  const send = (element) => setTriggerValue("deed", { ...element.dataset, sent: Date.now() })
  root.onclick = (event) => {
    const element = event.target.closest("[data-deed]")
    if (element) send(element)
  }
  root.onkeydown = (event) => {
    const row = event.target.closest("[data-row]")
    if (!row) return
    const rows = [...root.querySelectorAll("[data-row]")]
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key]
    if (step) {
      event.preventDefault()
      rows[Math.min(Math.max(rows.indexOf(row) + step, 0), rows.length - 1)]?.focus()
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault()
      send(row)
    } else if (event.key === "a" || event.key === "A") {
      const button = row.querySelector('[data-deed="acknowledge"]')
      if (button) send(button)
    }
  }
}
