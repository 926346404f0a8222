// A button that saves what a map shows as a PNG, with title, legend and sources below it. All happens in the browser.
export default function (component) {
  const { parentElement, data, setTriggerValue } = component
  const button = parentElement.querySelector("button")
  button.textContent = data.label
  button.onclick = () => {
    const maps = [...document.querySelectorAll(`${data.canvas} canvas`)].filter((one) => one.width && one.height)
    if (!maps.length) {
      button.textContent = data.failed
      return
    }
    const ratio = maps[0].width / maps[0].clientWidth || 1
    const width = maps[0].width
    const line = 22 * ratio
    const rows = Math.ceil(data.legend.length / 3)
    const below = (data.told.length + rows + 1) * line + line
    const sheet = document.createElement("canvas")
    sheet.width = width
    sheet.height = maps[0].height + below + 2 * line
    const pen = sheet.getContext("2d")
    pen.fillStyle = "#fff"
    pen.fillRect(0, 0, sheet.width, sheet.height)
    pen.fillStyle = "#15202b"
    pen.font = `600 ${18 * ratio}px "IBM Plex Sans", sans-serif`
    pen.fillText(data.title, 12 * ratio, 1.3 * line, width - 24 * ratio)
    for (const map of maps) pen.drawImage(map, 0, 2 * line, width, maps[0].height)
    pen.font = `${14 * ratio}px "IBM Plex Sans", sans-serif`
    const top = maps[0].height + 3 * line
    data.legend.forEach(([colour, text], index) => {
      const x = 12 * ratio + (index % 3) * (width / 3)
      const y = top + Math.floor(index / 3) * line
      pen.fillStyle = colour
      pen.fillRect(x, y - 12 * ratio, 20 * ratio, 14 * ratio)
      pen.strokeStyle = "#7d8a97"
      pen.strokeRect(x, y - 12 * ratio, 20 * ratio, 14 * ratio)
      pen.fillStyle = "#15202b"
      pen.fillText(text, x + 28 * ratio, y, width / 3 - 40 * ratio)
    })
    data.told.forEach((text, index) => pen.fillText(text, 12 * ratio, top + (rows + index) * line, width - 24 * ratio))
    sheet.toBlob((blob) => {
      const link = document.createElement("a")
      link.href = URL.createObjectURL(blob)
      link.download = data.name
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
      setTriggerValue("taken", { bytes: blob.size, sent: Date.now() })
    }, "image/png")
  }
}
