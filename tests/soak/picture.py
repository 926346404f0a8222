"""The picture of a soak: memory of the server and of every page over time, with what was done to them."""

from __future__ import annotations

from collections import defaultdict
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM = 1200, 420, 70, 40
GREYS = ("#15202B", "#4B5763", "#7D8A97", "#A9B2BB", "#0A63B8", "#7A5B00")


def picture(rows: list[dict[str, object]], events: list[tuple[float, str]]) -> str:
    """An SVG of 1200 x 420: one line per page [MB of its scripts], and one for the server."""
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        at = float(row["at_s"])  # type: ignore[arg-type]
        if "heap_mb" in row:
            series[str(row["page"])].append((at, float(row["heap_mb"])))  # type: ignore[arg-type]
        if not series["server"] or series["server"][-1][0] < at:
            series["server"].append((at, float(row["server_mb"])))  # type: ignore[arg-type]
    last = max((at for points in series.values() for at, _ in points), default=1.0) or 1.0
    most = max((mb for points in series.values() for _, mb in points), default=1.0) * 1.1 or 1.0

    def x(at: float) -> float:
        return LEFT + (WIDTH - LEFT - 190) * at / last

    def y(mb: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 20) * mb / most

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="14"><rect width="100%" height="100%" fill="#fff"/>'
    ]
    for share in range(5):
        mb = most * share / 4
        parts.append(
            f'<path d="M{LEFT} {y(mb):.0f}H{WIDTH - 190}" stroke="#D3DAE1"/>'
            f'<text x="{LEFT - 8}" y="{y(mb) + 5:.0f}" text-anchor="end">{mb:.0f} MB</text>'
        )
    for at, name in events:
        parts.append(f'<path d="M{x(at):.0f} 20V{HEIGHT - BOTTOM}" stroke="#E97A12" stroke-dasharray="3 4"/>')
        parts.append(f'<text x="{x(at) + 3:.0f}" y="14" font-size="11">{escape(name)}</text>')
    for number, (name, points) in enumerate(sorted(series.items(), key=lambda one: -one[1][-1][1] if one[1] else 0)):
        colour = GREYS[number % len(GREYS)]
        line = " ".join(f"{x(at):.1f},{y(mb):.1f}" for at, mb in points)
        label = 40 + 22 * number
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(
            f'<path d="M{WIDTH - 180} {label}h18" stroke="{colour}" stroke-width="3"/>'
            f'<text x="{WIDTH - 156}" y="{label + 5}">{escape(name)}</text>'
        )
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 12}">0</text>')
    parts.append(f'<text x="{x(last):.0f}" y="{HEIGHT - 12}" text-anchor="end">{last / 60:.0f} min</text></svg>')
    return "\n".join(parts)
