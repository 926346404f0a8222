"""Who is before the screen: the only place that turns a browser's session into a `core.access.Person`.

Three ways in: a sign-in at the identity provider (st.login), the token of a wall screen, and, where no login is
configured, the demo operator of this machine. What a page then may show, and what a deed may do, is decided on the
server by `core.access`; a hidden button protects nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from secrets import token_hex
from typing import Any

import streamlit as st

from core.access import NO_ROLE, ROLES, Person, Wall
from core.door import ENDED, NEW, SOURCE_HEADER, WALL_COOKIE, Door, Source, failed_sign_in, read_source, session_of
from core.snapshot import Snapshot
from pipeline import Line
from ui import server

DEMO = "demo"
DEMO_ROLE = "supervisor"  # all deeds of the desk, so that a pilot can try them
STRANGER, OVER, ROLELESS = "stranger", "over", "roleless"
_HEARD = "_people_heard"  # what this browser session has already told the audit


class Stopped(Exception):
    """Nobody who may see anything: `why` is stranger, over (the sign-in has ended) or roleless."""

    def __init__(self, why: str, person: Person | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.person = person


def who(page: str) -> Person:
    """The person before this screen. Raises Stopped; writes sign-ins and their failures into the audit."""
    door, source = server.door(), _source()
    claims = _claims()
    if door.login and claims.get("is_logged_in") is True:
        return _signed_in(door, source, claims)
    wall = _wall(door, source)
    if wall is not None and (door.login or page in wall.pages):
        return _screen(wall, source)
    if door.login:
        raise Stopped(STRANGER)
    return _demo(source)


def present(person: Person) -> Person:
    """The same person now: under the name that the demo operator gave, or without any right when a sign-in ended."""
    if person.kind == DEMO:
        return replace(person, name=str(st.session_state.get("duty_name", "")).strip())
    if person.kind == "person" and not server.door().sessions.alive(person.session):
        return replace(person, role=NO_ROLE, areas=frozenset())
    return person


def seen_by(person: Person, line: Line) -> Snapshot | None:
    """The newest picture of the person's areas, outside of any run of a page; None once their sign-in has ended."""
    if person.kind == "person" and not server.door().sessions.alive(person.session):
        return None
    return line.scoped(person.areas)


def sign_in() -> None:
    """Off to the identity provider; the browser comes back to the first page."""
    st.login()


def sign_out(person: Person) -> None:
    """End this sign-in in every window, say so in the audit, and tell the provider."""
    door = server.door()
    door.sessions.end(person.session)
    door.audit(person, "log_out", "", "done", "")
    st.logout()


def refused(person: Person, page: str) -> None:
    """Somebody opened a page that is not theirs: the audit hears of it once per browser session."""
    if _first("refused", page):
        server.door().audit(person, "open_page", page, "denied", "")


def opened(person: Person, action: str) -> None:
    """Somebody reads what is watched: the audit hears of it once per browser session."""
    if _first("opened", action):
        tell(person, action, "")


def counted(line: Line, person: Person, page: str) -> None:
    """One more look at a page by that role; wall screens are counted by their hours instead."""
    if person.kind != "wall":
        line.usage.opened(_visit(), page, person.role)


def looked_at(line: Line, indicators: Collection[str]) -> None:
    """Somebody opened the trends of these indicators; nobody writes down who."""
    line.usage.looked_at(_visit(), indicators)


def asks_why(line: Line, person: Person) -> Callable[[str], None] | None:
    """What the page's own connection calls when a drawer is opened; None on a wall, which nobody can open.

    The word comes from a browser: anything but a known indicator, or a part of one, is passed over.
    """
    if person.kind == "wall":
        return None
    visit = _visit()

    def asked(key: str) -> None:
        indicator = line.catalogue.indicator_of(key)
        if indicator is not None:
            line.usage.asked_why(visit, indicator.key)

    return asked


def _visit() -> str:
    """A mark of this connection, so that a page that runs anew is not a second look."""
    return str(st.session_state.setdefault("_usage_visit", _source().visit or token_hex(8)))


def tell(person: Person, action: str, thing: str) -> None:
    """Write a deed that was done into the audit."""
    server.door().audit(person, action, thing, "done", "")


def demo_only() -> bool:
    """True while nobody has to sign in, which every screen says."""
    return not server.door().login


def choose_role(role: str) -> None:
    """The demo operator tries the screens of another role."""
    st.session_state["demo_role"] = role if role in ROLES else DEMO_ROLE


def _signed_in(door: Door, source: Source, claims: Mapping[str, Any]) -> Person:
    session, signed_in_at = session_of(claims)
    state = door.sessions.arrive(session, source.visit, signed_in_at)
    person = door.people.person(claims, session=session, address=source.address, port=source.port)
    if state == ENDED:
        if _first("over", session):
            door.audit(person, "session_end", "", "done", "")
        raise Stopped(OVER, person)
    if person.role not in ROLES:
        if _first("roleless", session):
            door.attempts.failed(source.address)
            door.audit(person, "log_in", "", "denied", "no role")
        raise Stopped(ROLELESS, person)
    if state == NEW:
        door.audit(person, "log_in", "", "done", "")
    return person


def _wall(door: Door, source: Source) -> Wall | None:
    """The wall whose cookie this browser carries. A wrong one counts as a failed sign-in, once per page opened."""
    token = _cookie(WALL_COOKIE)
    if not token or door.attempts.wait_s(source.address) > 0:
        return None
    wall = door.people.wall(token, source.address)
    if wall is None:
        failed_sign_in(door, source, "open_wall", "", "unknown token in a cookie")
    return wall


def _screen(wall: Wall, source: Source) -> Person:
    person = Person(
        account=wall.key,
        name=wall.name,
        role="viewer",
        kind="wall",
        areas=wall.areas,
        pages=wall.pages,
        session=source.visit,
        source_address=source.address,
        source_port=source.port,
    )
    if _first("wall", wall.key):
        server.door().audit(person, "open_wall", "", "done", "")
    return person


def _demo(source: Source) -> Person:
    return Person(
        account=DEMO,
        name=str(st.session_state.get("duty_name", "")).strip(),
        role=str(st.session_state.get("demo_role", DEMO_ROLE)),
        kind=DEMO,
        session=source.visit,
        source_address=source.address,
        source_port=source.port,
    )


def _first(what: str, which: str) -> bool:
    """True the first time that this browser session comes with that: the audit need not hear of every page."""
    heard: set[tuple[str, str]] = st.session_state.setdefault(_HEARD, set())
    new = (what, which) not in heard
    heard.add((what, which))
    return new


def _claims() -> Mapping[str, Any]:
    """The claims of the ID token as Streamlit keeps them in its signed cookie; empty for a stranger."""
    return dict(st.user.to_dict())


def _cookie(name: str) -> str:
    value = st.context.cookies.get(name)
    return value if isinstance(value, str) else ""


def _source() -> Source:
    header = st.context.headers.get(SOURCE_HEADER)
    return read_source(header if isinstance(header, str) else "")
