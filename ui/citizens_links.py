"""Links and QR codes of the one question, and ratings that others counted: for those who may."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import streamlit as st

from alerts.refusals import Refused
from charts import qr
from core.access import Denied
from core.errors import HouseError
from core.survey import CHANNELS, IssuedLink
from ui import panel, render
from ui.alert_deeds import allowed
from ui.frame import Screen

PATH = "/y-kien/"
LOCAL = ("localhost", "127.0.0.1", "::1")
KINDS = ["xlsx", "xls", "csv"]
LONGEST_ADDRESS = 200


def desk(screen: Screen) -> None:
    """Links, then the import; nothing for those who may do neither."""
    if allowed(screen, "make_survey_link"):
        _links(screen)
    if allowed(screen, "import_ratings"):
        _import(screen)


# -- links ------------------------------------------------------------------------------------------------------------


@st.fragment
def _links(screen: Screen) -> None:
    t, line, city = screen.t, screen.line, screen.snapshot.city
    offices, services = line.citizens.offices(screen.person.areas), line.citizens.services
    with st.container(key="citizens_links"):
        st.markdown(f"**{t('citizens.links')}**")
        st.caption(t("citizens.links_note"))
        if not offices or not services:
            st.text(t("citizens.nothing_to_ask"))
            return
        _name(screen)
        with st.container(key="citizens_link_form", horizontal=True, gap="small", vertical_alignment="bottom"):
            names = {one: city.site_name(one, screen.language) for one in (*services, *offices)}
            st.selectbox(t("citizens.service"), services, format_func=lambda one: names[one], key="survey_service")
            st.selectbox(t("citizens.office"), offices, format_func=lambda one: names[one], key="survey_office")
            st.selectbox(
                t("citizens.channel"),
                CHANNELS,
                format_func=lambda one: t(f"citizens.channel_{one}"),
                key="survey_channel",
            )
            st.button(
                t("citizens.make_link"), type="primary", key="do_make_survey_link", on_click=_make, args=(screen,)
            )
        _told("citizens_links_told")
        known = line.citizens.links(screen.person.areas)
        if known:
            _one(screen, known)


def _name(screen: Screen) -> None:
    """Whoever changes something says who they are; a signed-in person has said so."""
    if screen.person.kind == "demo":
        if "citizens_actor" not in st.session_state:
            st.session_state["citizens_actor"] = st.session_state.get("duty_name", "")
        st.session_state["duty_name"] = st.text_input(
            screen.t("alert.name"), key="citizens_actor", placeholder=screen.t("alert.name_hint"), max_chars=80
        )


def _one(screen: Screen, known: list[IssuedLink]) -> None:
    """One link: its code to print, its address, and the way to revoke it."""
    t, city, language = screen.t, screen.snapshot.city, screen.language

    def label(key_id: str) -> str:
        one = next(link for link in known if link.key_id == key_id)
        words = f"{city.site_name(one.service, language)}, {city.site_name(one.office, language)}"
        mark = f" ({t('citizens.revoked')})" if one.revoked_at else ""
        return f"{words}, {t(f'citizens.channel_{one.channel}')}, {key_id}{mark}"

    keys = [one.key_id for one in known]
    newest = st.session_state.get("survey_newest")
    if newest in keys:
        st.session_state["survey_link"] = newest
        st.session_state.pop("survey_newest")
    with st.container(key="citizens_link_choice", horizontal=True, gap="small", vertical_alignment="bottom"):
        chosen = st.selectbox(t("citizens.link"), keys, format_func=label, key="survey_link")
        base = st.text_input(
            t("citizens.base"), value=_own_address(), key="survey_base", max_chars=LONGEST_ADDRESS
        ).rstrip("/ ")
    link = next(one for one in known if one.key_id == chosen)
    address = f"{base}{PATH}{screen.line.citizens.token(link)}" if _plausible(base) else ""
    shown = {
        "link": link,
        "address": address,
        "local": bool(address) and urlsplit(base).hostname in LOCAL,
        "code": render.picture(qr.svg(address)) if address and link.revoked_at is None else "",
        "issued": link.issued_on,
    }
    panel.panel("citizens_link", {"link": render.html("citizens_link.html", screen.snapshot, language, **shown)})
    if link.revoked_at is None:
        with st.container(key="citizens_link_deeds", horizontal=True, gap="small"):
            if address:
                st.download_button(
                    t("citizens.card"),
                    data=render.html("citizens_card.html", screen.snapshot, language, **shown),
                    file_name=f"y-kien-{link.key_id}.html",
                    mime="text/html",
                    key="survey_card",
                    on_click="ignore",
                )
            st.button(t("citizens.revoke"), key="do_revoke_survey_link", on_click=_revoke, args=(screen, link.key_id))


def _own_address() -> str:
    """Where this page itself was asked for; a person may write what citizens see in its place."""
    try:
        parts = urlsplit(st.context.url or "")
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


def _plausible(base: str) -> bool:
    try:
        parts = urlsplit(base)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and not parts.fragment


def _make(screen: Screen) -> None:
    chosen = [str(st.session_state[f"survey_{name}"]) for name in ("service", "office", "channel")]

    def work() -> str:
        screen.line.citizens.make_link(screen.person, *chosen)
        st.session_state["survey_newest"] = screen.line.citizens.links(screen.person.areas)[0].key_id
        return screen.t("citizens.made")

    _do(screen, "citizens_links_told", work)


def _revoke(screen: Screen, key_id: str) -> None:
    def work() -> str:
        screen.line.citizens.revoke_link(screen.person, key_id)
        return screen.t("citizens.revoked_now")

    _do(screen, "citizens_links_told", work)


# -- ratings of others ------------------------------------------------------------------------------------------------


@st.fragment
def _import(screen: Screen) -> None:
    t = screen.t
    with st.container(key="citizens_import"):
        st.markdown(f"**{t('citizens.import')}**")
        st.caption(t("citizens.import_note"))
        given = st.file_uploader(t("citizens.file"), type=KINDS, key="ratings_file")
        if given is not None:
            st.button(
                t("citizens.take_in"),
                type="primary",
                key="do_import_ratings",
                on_click=_take_in,
                args=(screen, given.name, given.getvalue()),
            )
        _told("citizens_import_told")


def _take_in(screen: Screen, name: str, body: bytes) -> None:
    def work() -> str:
        return screen.t("citizens.taken_in", n=len(screen.line.citizens.import_ratings(screen.person, name, body)))

    _do(screen, "citizens_import_told", work)


def _do(screen: Screen, told: str, work: Callable[[], str]) -> None:
    """Carry out a deed and keep what came of it, to be read below the button."""
    try:
        st.session_state[told] = ("done", work())
    except (Denied, Refused) as error:
        st.session_state[told] = ("error", error.words(screen.language))
    except HouseError as error:
        st.session_state[told] = ("error", str(error))


def _told(key: str) -> None:
    kind, text = st.session_state.get(key, ("", ""))
    if kind:
        with st.container(key=f"notice_{kind}_{key}"):
            st.text(text)
