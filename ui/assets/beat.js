// The server's clock, and the watch over the server: no beat for eight seconds means that the picture is not live.
const PATIENCE_MS = 8000
export default function (component) {
  const { data } = component
  const state = (window.__cityBeat ??= { timer: null })
  state.data = data
  state.at = performance.now()
  if (state.timer === null) {
    state.timer = setInterval(() => tick(state), 500)
    state.tick = () => tick(state)
    if (!data.wall) {
      textSize()
      addEventListener("resize", chartSize)
      document.addEventListener("click", (event) => {
        if (event.target.closest?.("[data-print]")) print()
      })
    }
    if (document.fonts) document.fonts.load('600 16px "IBM Plex Sans"', "Ế")
  }
  tick(state)
}
function tick(state) {
  const { data } = state
  const silent = performance.now() - state.at
  const city = new Date(data.now_ms + silent * data.speed + data.offset_min * 60000)
  const clock = hoursAndMinutes(city)
  for (const element of document.querySelectorAll("[data-clock]")) {
    if (element.textContent !== clock) element.textContent = clock
  }
  // By the browser's own seconds: those of a city that runs sixty times as fast would always be even.
  document.documentElement.classList.toggle("beat-odd", Math.floor(performance.now() / 1000) % 2 === 1)
  let bar = document.getElementById("city-lost")
  if (silent > PATIENCE_MS) {
    if (!bar) {
      bar = document.createElement("div")
      bar.id = "city-lost"
      bar.setAttribute("role", "alert")
      document.body.append(bar)
    }
    const words = data.lost.replace("{at}", hoursAndMinutes(new Date(data.made_ms + data.offset_min * 60000)))
    if (bar.textContent !== words) bar.textContent = words
    document.documentElement.classList.add("city-lost")
  } else if (bar) {
    bar.remove()
    document.documentElement.classList.remove("city-lost")
  }
}
function hoursAndMinutes(moment) {
  const pad = (n) => String(n).padStart(2, "0")
  return `${pad(moment.getUTCHours())}:${pad(moment.getUTCMinutes())}`
}

// The reader's own size of letters, on every desk page of this browser; the wall has its own by the room.
const SIZES = [0.9, 1, 1.15, 1.3, 1.5]
const SIZE_KEPT = "city_text_size"
function textSize() {
  let place = SIZES.indexOf(Number(kept()))
  if (place < 0) place = SIZES.indexOf(1)
  const show = () => {
    document.documentElement.style.setProperty("--text-size", SIZES[place])
    for (const button of document.querySelectorAll("[data-text-size]")) {
      const next = place + Number(button.dataset.textSize)
      button.setAttribute("aria-disabled", next < 0 || next >= SIZES.length)
    }
    chartSize()
  }
  show()
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-text-size]")
    if (!button) return
    place = Math.min(Math.max(place + Number(button.dataset.textSize), 0), SIZES.length - 1)
    try {
      localStorage.setItem(SIZE_KEPT, SIZES[place])
    } catch {}  // a browser that keeps nothing: the size holds for this page
    show()
  })
}
// Charts are drawn in pixels for a rem of 16: on a wide screen, or with A+, they are shown as much larger as the rem is.
function chartSize() {
  const root = document.documentElement
  const larger = Math.max(1, parseFloat(getComputedStyle(root).fontSize) / 16)
  root.style.setProperty("--chart-zoom", larger.toFixed(3))
}
function kept() {
  try {
    return localStorage.getItem(SIZE_KEPT)
  } catch {
    return null
  }
}
