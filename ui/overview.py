"""The overview: the city in one picture, on the desk and on the wall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate

from alerts.deeds import MUTE_WALL
from charts.theme import text_width_px
from core import formats
from core.alert import PRIORITIES
from core.ledger import Item, Switch
from ui import alert_items, maps, render
from ui.frame import strip as status_strip
from ui.views import Card, View

MOST_CARDS = 4
# The wall's column of cards in u (one pixel of a 1080p wall), as ui/assets/wall.css draws it: nothing may be cut off.
COLUMN_U, COLUMN_HEIGHT_U = 334.0, 690.0
CARD_PADDING_U, STALE_U = 25.0, 29.0
LINE_HEIGHT = 1.32
TITLE_U, VALUE_U, PLACE_U, OWNER_U = 28.0, 25.0, 24.0, 24.0


def desk(view: View) -> dict[str, str]:
    """Parts of the overview on a laptop or phone."""
    return {"strip": status_strip(view), **_parts(view, map_size=(560, 600), map_text_px=15.0, strip=(1800, 64, 14.0))}


def wall(view: View) -> dict[str, str]:
    """Parts of the overview scene on the wall."""
    head = _html(
        "wall_head.html",
        view,
        weekday=formats.weekday(view.now, view.zone, view.language),
        trouble=view.trouble() if view.situation().known else "",  # the banner says it while nothing is known
        day=formats.day(view.now, view.zone, view.language),
        ring=" ".join(_ringing(view)),
        muted=_muted(view),
    )
    shown = _parts(view, map_size=(680, 720), map_text_px=22.0, strip=(1420, 84, 20.0), fitting=fitting)
    return {"head": head, **shown}


def _parts(
    view: View,
    *,
    map_size: tuple[int, int],
    map_text_px: float,
    strip: tuple[int, int, float],
    fitting: Callable[[list[Card]], list[Card]] = lambda cards: cards,
) -> dict[str, str]:
    items = view.snapshot.items
    cards = fitting([_card(view, item) for item in items[:MOST_CARDS]])
    groups = [(domain, [view.row(key, pick) for key, pick in rows]) for domain, rows in view.snapshot.city.overview]
    headline, support = view.sentence()
    return {
        "banner": _html(
            "banner.html", view, headline=headline, support=support, counts=view.counts(), lead=view.situation().lead
        ),
        "rows": _html("overview_rows.html", view, groups=groups),
        "map": _html("overview_map.html", view, picture=maps.whole_city(view, *map_size, text_px=map_text_px)),
        "todo": _html(
            "overview_todo.html",
            view,
            cards=cards,
            total=len(items),
            alerts=len(view.snapshot.open_alerts()),
            rest=_rest(items[len(cards) :]),
        ),
        "foot": _html("overview_foot.html", view, picture=maps.day(view, *strip)),
    }


def _card(view: View, item: Item) -> Card:
    """A thing to do as a card: the leading alert, under the title of the whole."""
    alert = next(one for one in view.snapshot.alerts if one.key == item.lead)
    card = view.card(alert)
    if item.kind == "single":
        return card
    count = alert_items.count(view, item)
    if item.kind == "situation":
        return replace(card, place=f"{item.id} · {count}", owner=alert_items.led_by(view, item))
    return replace(card, title=alert_items.title(view, item), place=count)


def fitting(cards: list[Card]) -> list[Card]:
    """As many cards, worst first, as the wall's column holds whole; the first one always."""
    heights = list(accumulate(_height_u(card) for card in cards))
    return [card for card, bottom in zip(cards, heights, strict=True) if bottom <= COLUMN_HEIGHT_U or card is cards[0]]


def _height_u(card: Card) -> float:
    last = card.state_word if card.state == "UNACK" else " · ".join(part for part in (card.owner, _acked(card)) if part)
    value = " · ".join(part for part in (card.value, card.limit) if part)
    place_u = COLUMN_U - text_width_px(card.age, PLACE_U, condensed=True) - PLACE_U
    texts = [
        (card.title, TITLE_U, COLUMN_U, False),
        (value, VALUE_U, COLUMN_U, False),
        (card.place, PLACE_U, place_u, True),
        (last, OWNER_U, COLUMN_U, False),
    ]
    lines = sum(size_u * _lines(text, size_u, width_u, condensed) for text, size_u, width_u, condensed in texts)
    return CARD_PADDING_U + LINE_HEIGHT * lines + (STALE_U if card.stale else 0.0)


def _acked(card: Card) -> str:
    return f"{card.state_word}: {card.acked_by}" if card.acked_by else ""


def _lines(text: str, size_u: float, width_u: float, condensed: bool) -> int:
    """How many lines the words of a text take, broken between words."""
    lines, used = (1, 0.0) if text else (0, 0.0)
    for word in text.split():
        wide = text_width_px(f"{word} ", size_u, condensed=condensed)
        if used and used + wide > width_u:
            lines, used = lines + 1, 0.0
        used += wide
    return lines


def _rest(items: Sequence[Item]) -> dict[str, int]:
    return {name: sum(item.priority == name for item in items) for name in reversed(PRIORITIES)}


def _ringing(view: View) -> list[str]:
    """Critical annunciations that nobody has acknowledged: each rings once on a wall."""
    return sorted(
        f"{alert.rule}:{alert.site_id}:{int(alert.raised_at.timestamp())}"
        for alert in view.snapshot.alerts
        if alert.state == "UNACK" and alert.priority == "critical" and alert.raised_at
    )


def _muted(view: View) -> Switch | None:
    muted = view.snapshot.switches.get(MUTE_WALL)
    return muted if muted is not None and muted.until > view.now else None


def _html(template: str, view: View, **values: object) -> str:
    return render.html(template, view.snapshot, view.language, view=view, **values)
