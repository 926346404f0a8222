"""The overview: the city in one picture, on the desk and on the wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from charts.theme import text_width_px
from core.alert import PRIORITIES
from core.ledger import Item
from ui import ahead, alert_items, maps, render
from ui.banner import banner
from ui.frame import strip as status_strip
from ui.views import Card, Row, View

MOST_CARDS = 4
MOST_AHEAD = 2  # lines about the next hours on the wall
LIVE = ("fresh", "late")
# The wall's column of cards in u (one pixel of a 1080p wall), as ui/assets/wall.css draws it: nothing may be cut off.
COLUMN_U, COLUMN_HEIGHT_U = 334.0, 650.0
ROW_U = 704.0  # what such a line may take of the column of rows
CARD_PADDING_U, STALE_U = 25.0, 29.0
LINE_HEIGHT = 1.32
TITLE_U, VALUE_U, PLACE_U, OWNER_U = 28.0, 25.0, 24.0, 24.0


def desk(view: View) -> dict[str, str]:
    """Parts of the overview on a laptop or phone."""
    return {
        "strip": status_strip(view),
        "banner": banner(view),
        "rows": _html("overview_rows.html", view, groups=_groups(view)),
        "map": _html("overview_map.html", view, picture=maps.whole_city(view, 560, 600, text_px=15.0)),
        "todo": _todo(view, _cards(view)),
        "foot": _html("overview_foot.html", view, picture=maps.day(view, 1800, 64, 14.0)),
    }


def wall(
    view: View,
    *,
    rows: int | None = None,
    map_size: tuple[int, int] = (680, 720),
    map_text_px: float = 22.0,
    column_u: tuple[float, float] = (COLUMN_U, COLUMN_HEIGHT_U),
    places: bool = True,
    ahead_most: int = MOST_AHEAD,
    ahead_u: float = ROW_U,
) -> dict[str, str]:
    """The overview scene's own parts: rows, map and what is to be done, no more of each than there is room for.

    `ahead_most`: for how many lines of `ahead_u` about the next hours there is room.
    """
    names = None if places else ()
    cards = fitting(_cards(view), *column_u)
    picture = maps.whole_city(view, *map_size, text_px=map_text_px, names=names)
    return {
        "rows": _html("overview_rows.html", view, groups=_groups(view, rows, ahead_most, ahead_u)),
        "map": _html("overview_map.html", view, picture=picture),
        "todo": _todo(view, cards, roomy=rows is None),
    }


def _groups(
    view: View, room: int | None = None, ahead_most: int | None = None, ahead_u: float | None = None
) -> list[tuple[str, list[Row]]]:
    """The city's figures by domain, with what is forecast of them. Where there is no room for all: those that call
    first, then the silent ones, then those that may cross a limit, then the first of each domain; all in their places.
    """
    plain = [(domain, [view.row(key, pick) for key, pick in rows]) for domain, rows in view.snapshot.city.overview]
    groups = ahead.marked(view, plain, most=ahead_most, room_u=ahead_u)
    if room is None:
        return groups
    order = sorted(
        (not row.priority, row.state in LIVE, not row.ahead, place, row.key, row.site_id)
        for _, rows in groups
        for place, row in enumerate(rows)
    )
    kept = {(key, site_id) for *_, key, site_id in order[:room]}
    chosen = [(domain, [row for row in rows if (row.key, row.site_id) in kept]) for domain, rows in groups]
    return [(domain, rows) for domain, rows in chosen if rows]


def _cards(view: View) -> list[Card]:
    return [_card(view, item) for item in view.snapshot.items[:MOST_CARDS]]


def _todo(view: View, cards: list[Card], *, roomy: bool = True) -> str:
    items = view.snapshot.items
    return _html(
        "overview_todo.html", view, cards=cards, total=len(items), rest=_rest(items[len(cards) :]),
        sources=len(items) < 3 if roomy else not items,
    )  # fmt: skip


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


def fitting(cards: list[Card], column_u: float = COLUMN_U, height_u: float = COLUMN_HEIGHT_U) -> list[Card]:
    """As many cards, worst first, as the wall's column holds whole; the first one always."""
    heights = list(accumulate(_height_u(card, column_u) for card in cards))
    return [card for card, bottom in zip(cards, heights, strict=True) if bottom <= height_u or card is cards[0]]


def _height_u(card: Card, column_u: float = COLUMN_U) -> float:
    last = card.state_word if card.state == "UNACK" else " · ".join(part for part in (card.owner, _acked(card)) if part)
    value = " · ".join(part for part in (card.value, card.limit) if part)
    place_u = column_u - text_width_px(card.age, PLACE_U, condensed=True) - PLACE_U
    texts = [
        (card.title, TITLE_U, column_u, False),
        (value, VALUE_U, column_u, False),
        (card.place, PLACE_U, place_u, True),
        (last, OWNER_U, column_u, False),
    ]
    lines = sum(size_u * _lines(text, size_u, width_u, condensed) for text, size_u, width_u, condensed in texts)
    return CARD_PADDING_U + LINE_HEIGHT * lines + STALE_U * (bool(card.stale) + bool(card.measured))


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


def _html(template: str, view: View, **values: object) -> str:
    return render.html(template, view.snapshot, view.language, view=view, **values)
