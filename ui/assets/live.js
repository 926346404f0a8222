// One open connection per region: it paints what the server sends, says what it has painted, and finds its way back
// after a restart of the server, a cut of the network or the machine's sleep, without a hand on the keyboard.
const SILENT_MS = 7000 // the server speaks every three seconds: without a word for so long, the connection is dead
const BEAT_MS = 3000
const RETRY_MS = [300, 1000, 2000, 4000, 8000]
const NO_TICKET = 4404 // the server was restarted: Streamlit runs the page anew and brings another ticket
const NOT_YOURS = 4401 // the sign-in has ended
const PATIENCE_FOR_TICKET_MS = 3000
const QUIET_RELOAD_HOUR = 4 // of a wall, by the city's clock, so that a browser stays young for months
const YOUNGEST_RELOAD_MS = 3600000

function follow(root, live, paint, over) {
  let state = root.__live
  if (!state) {
    state = root.__live = { known: {}, tries: 0, painted: 0, told: {}, heardAt: 0, born: performance.now() }
    state.timer = setInterval(() => watch(root, state), 1000)
    state.ears = new AbortController() // a page that was left behind hears nothing any more
    addEventListener("pagehide", () => say(state, { bye: true }), { signal: state.ears.signal })
    addEventListener("city-asked", (event) => say(state, { asked: event.detail }), { signal: state.ears.signal })
    if (live.wall) addEventListener("keydown", enlarge, { signal: state.ears.signal })
  }
  Object.assign(state, { paint, over, wall: live.wall, path: live.path })
  if (state.ticket === live.ticket && state.socket) return
  state.ticket = live.ticket
  state.hopelessAt = undefined
  connect(root, state)
}

// +A and -A of a wall: the letters one step larger or smaller, kept in the address of this screen.
function enlarge(event) {
  const step = { "+": 1, "=": 1, "-": -1 }[event.key]
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return
  const address = new URL(location.href)
  address.searchParams.set("size", String(Number(address.searchParams.get("size") ?? 0) + step))
  location.replace(address)
}

function connect(root, state) {
  clearTimeout(state.retry)
  state.socket?.close()
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${state.path}`)
  state.socket = socket
  state.heardAt = performance.now()
  socket.onopen = () => socket.send(JSON.stringify({ ticket: state.ticket, known: state.known }))
  socket.onmessage = (event) => {
    if (state.socket !== socket) return
    state.tries = 0
    state.heardAt = performance.now()
    take(root, state, JSON.parse(event.data))
  }
  socket.onclose = (event) => {
    if (state.socket !== socket) return
    state.socket = null
    if (event.code === NOT_YOURS) return state.over()
    if (event.code === NO_TICKET) {
      state.hopelessAt ??= performance.now() + PATIENCE_FOR_TICKET_MS
      return
    }
    const wait = RETRY_MS[Math.min(state.tries, RETRY_MS.length - 1)]
    state.tries += 1
    state.retry = setTimeout(() => root.isConnected && connect(root, state), wait * (0.7 + 0.6 * Math.random()))
  }
}

function take(root, state, message) {
  const { parts, gone, ...told } = message
  if (state.wall && state.told.build && told.build !== state.told.build) return reloadWhenAnswered()
  state.told = told
  for (const name of gone) delete state.known[name]
  for (const [name, [digest]] of Object.entries(parts)) state.known[name] = digest
  state.paint(
    Object.fromEntries(Object.entries(parts).map(([name, [, html]]) => [name, html])),
    gone,
    told,
  )
  beat(told)
  stamp(root, state)
  requestAnimationFrame(() => requestAnimationFrame(() => (state.painted = told.number))) // when it can be seen
}

// When this picture was painted, by the server's clock: a player's own may be wrong.
function stamp(root, state) {
  const place = root.querySelector("[data-painted]")
  if (!place) return
  const { now_ms, offset_min, speed } = state.told
  const at = new Date(now_ms + (performance.now() - state.heardAt) * speed + offset_min * 60000)
  const text = at.toISOString().slice(11, 19)
  if (place.textContent !== text) place.textContent = text
}

// Every second: is the connection alive, is it time to say so, has a new ticket failed to come, is the browser old?
function watch(root, state) {
  if (!root.isConnected) {
    clearInterval(state.timer)
    state.ears.abort()
    say(state, { bye: true })
    state.socket?.close()
    delete root.__live
    return
  }
  const now = performance.now()
  if (state.socket && now - state.heardAt > SILENT_MS) connect(root, state)
  if (state.hopelessAt && now > state.hopelessAt) reloadWhenAnswered()
  if (now - (state.saidAt ?? 0) >= BEAT_MS) {
    state.saidAt = now
    say(state, {
      painted: state.painted,
      scene: state.told.scene ?? "",
      errors: window.__cityErrors.count,
      last_error: window.__cityErrors.last,
      heap_mb: performance.memory ? performance.memory.usedJSHeapSize / 1048576 : null,
      size: `${innerWidth}x${innerHeight}@${devicePixelRatio}`,
    })
  }
  if (state.wall && now - state.born > YOUNGEST_RELOAD_MS && cityHour(state) === QUIET_RELOAD_HOUR) reloadWhenAnswered()
}

function say(state, told) {
  if (state.socket?.readyState === WebSocket.OPEN) state.socket.send(JSON.stringify(told))
}

function cityHour(state) {
  const { now_ms, offset_min, speed } = state.told
  return speed === 1 ? new Date(now_ms + offset_min * 60000).getUTCHours() : -1
}

// Never into the browser's own error page: only when the server answers is the page opened anew, at the same address.
async function reloadWhenAnswered() {
  if (window.__cityReloading) return
  window.__cityReloading = true
  for (let tries = 0; ; tries += 1) {
    try {
      await fetch(location.href, { cache: "no-store" }).then((reply) => {
        if (!reply.ok) throw new Error(String(reply.status))
      })
      return location.reload()
    } catch {
      await new Promise((done) => setTimeout(done, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]))
    }
  }
}

function beat(told) {
  const state = window.__cityBeat
  if (!state?.data) return
  Object.assign(state.data, told)
  state.at = performance.now()
  state.tick?.() // a head that was drawn anew has no clock yet
}

if (!window.__cityErrors) {
  window.__cityErrors = { count: 0, last: "" }
  const note = (text) => {
    window.__cityErrors.count += 1
    window.__cityErrors.last = String(text).slice(0, 200)
  }
  addEventListener("error", (event) => note(event.message))
  addEventListener("unhandledrejection", (event) => note(event.reason))
}
