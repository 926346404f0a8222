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
