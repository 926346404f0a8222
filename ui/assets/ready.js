// Tells the server once whether this browser can draw WebGL, after the fonts that a canvas needs are there.
// Canvases keep what they drew, so that a map can be saved as a picture.
export default function (component) {
  const { setStateValue } = component
  if (window.__cityReady) return
  window.__cityReady = true
  const getContext = HTMLCanvasElement.prototype.getContext
  HTMLCanvasElement.prototype.getContext = function (kind, options) {
    return getContext.call(this, kind, kind.startsWith("webgl") ? { ...options, preserveDrawingBuffer: true } : options)
  }
  const canvas = document.createElement("canvas")
  const context = canvas.getContext("webgl2") || canvas.getContext("webgl")
  const webgl = Boolean(context)
  context?.getExtension("WEBGL_lose_context")?.loseContext()
  const families = ['"IBM Plex Sans"', '"IBM Plex Sans Condensed"']
  const weights = [400, 500, 600]
  const wanted = families.flatMap((family) => weights.map((weight) => document.fonts.load(`${weight} 16px ${family}`, "Ế")))
  Promise.allSettled(wanted).then(() => setStateValue("canvas", webgl ? "webgl" : "none"))
}
