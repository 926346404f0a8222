"""The list of the alert desk: things to do, each with its lines, its count of hidden consequences and its title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from core.alert import PRIORITIES, Alert, Key
from core.ledger import Item
from ui.views import Card, View

LINES = 6  # of one item that stand open; every critical one and the first-out always do
GLYPH_PX = 24
TITLES = 3  # rule titles in the name of a situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One alert as a row."""

    card: Card
    first_out: bool
    ticked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One item: head («» for single alerts), rows that stand open, rows that open on demand."""

    id: str
    kind: str
    title: str
    side: str
    lines: tuple[Line, ...]
    more: tuple[Line, ...]
    hidden: tuple[Line, ...]  # consequences behind their cause


def groups(view: View, shown: Iterable[Alert], ticked: Collection[Key]) -> list[Group]:
    """Items of the snapshot with those members that pass the filters; single ones under one head."""
    alerts = {alert.key: alert for alert in shown if alert.hidden is None}
    found: list[Group] = []
    singles: list[Line] = []
    for item in view.snapshot.items:
        members = [key for key in item.members if key in alerts]
        hidden = [key for key in item.inhibited if key in alerts]
        if not members and not hidden:
            continue
        lines = {key: _line(view, alerts[key], item, ticked) for key in (*members, *hidden)}
        if item.kind == "single" and not hidden:
            singles += [lines[key] for key in members]
            continue
        kept = [key for key in members if key in item.shown]
        kept += [key for key in members if key not in item.shown][: max(LINES - len(kept), 0)]
        found.append(
            Group(
                id=item.id,
                kind=item.kind,
                title=title(view, item),
                side=side(view, item, len(members) + len(hidden)),
                lines=tuple(lines[key] for key in members if key in kept),
                more=tuple(lines[key] for key in members if key not in kept),
                hidden=tuple(lines[key] for key in hidden),
            )
        )
    if singles:
        found.append(
            Group(
                id="single",
                kind="single",
                title=view.t("item.single"),
                side=str(len(singles)),
                lines=tuple(singles),
                more=(),
                hidden=(),
            )
        )
    return found + _covered(view, shown, ticked)


def title(view: View, item: Item) -> str:
    """«VV-0042 Ngập hầm chui, mưa to, ùn tắc · Phường Quảng Phú», «Cảm biến im lặng × 12», or the alert's own title."""
    by_key = {alert.key: alert for alert in view.snapshot.alerts}
    alerts = [by_key[key] for key in item.members if key in by_key]
    if item.kind == "rest":
        return view.t("item.rest")
    names = list(dict.fromkeys(_rule_title(view, alert) for alert in alerts))
    if item.kind == "group":
        return f"{names[0]} × {len(alerts)}" if names else item.id
    if item.kind == "single":
        return names[0] if names else item.id
    first, *others = names[:TITLES]
    text = ", ".join([first, *(name[:1].lower() + name[1:] for name in others)])
    area = _area(view, alerts)
    return f"{item.id} {text}" + (f" · {area}" if area else "")


def _rule_title(view: View, alert: Alert) -> str:
    words = view.snapshot.rules.get(alert.rule)
    return words.title[view.language] if words else alert.rule


def _area(view: View, alerts: Iterable[Alert]) -> str:
    """The area in which most of the alerts lie."""
    areas = Counter(view.snapshot.city.area_name(alert.site_id, view.language) for alert in alerts)
    areas.pop("", None)
    return areas.most_common(1)[0][0] if areas else ""


def side(view: View, item: Item, shown: int | None = None) -> str:
    """How many alerts, who leads, how far it is: «4 cảnh báo · chủ trì: Trần Minh Hải · Đang xử lý»."""
    situation = view.snapshot.situations.get(item.id)
    status = view.t(f"situation.status_{situation.status}") if situation is not None else ""
    return " · ".join(part for part in (count(view, item, shown), led_by(view, item), status) if part)


def count(view: View, item: Item, shown: int | None = None) -> str:
    """«4 cảnh báo», hidden consequences among them; or as many as a filter shows."""
    return view.t("item.count", n=len(item.members) + len(item.inhibited) if shown is None else shown)


def led_by(view: View, item: Item) -> str:
    """«chủ trì: Trần Minh Hải», or that nobody leads; «» of what is no situation."""
    situation = view.snapshot.situations.get(item.id)
    if situation is None:
        return ""
    lead = situation.lead or situation.unit
    return view.t("item.led_by", name=lead) if lead else view.t("item.nobody_leads")


def _line(view: View, alert: Alert, item: Item | None, ticked: Collection[Key]) -> Line:
    first = item is not None and item.first_out == alert.key and len(item.members) > 1
    return Line(card=view.card(alert, GLYPH_PX), first_out=first, ticked=alert.key in ticked)


def _covered(view: View, shown: Iterable[Alert], ticked: Collection[Key]) -> list[Group]:
    """Shelved, out of service and suppressed, each under its own head, with how long or until when."""
    found = []
    for cover in ("SHLVD", "OOSRV", "DSUPR"):
        alerts = sorted(
            (alert for alert in shown if alert.hidden == cover),
            key=lambda alert: (-PRIORITIES.index(alert.priority), alert.key),
        )
        if alerts:
            lines = tuple(_line(view, alert, None, ticked) for alert in alerts)
            few = cover != "DSUPR"
            found.append(
                Group(
                    id=cover,
                    kind="covered",
                    title=view.t(f"alert_state.{cover}"),
                    side=str(len(alerts)),
                    lines=lines if few else (),
                    more=() if few else lines,
                    hidden=(),
                )
            )
    return found
