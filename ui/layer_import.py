"""A file becomes a layer: what was found in it, what is wrong and what to do, and only then the deed."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

import streamlit as st

from core import formats
from core.access import Denied
from core.errors import InputError
from gis.crs import GRIDS, Remedy
from gis.faults import Fault
from gis.intake import Draft, draft
from gis.layers import KINDS, described
from gis.provinces import PROVINCES
from gis.read import FILE_BYTES_MAX
from ui import layer_values as worth
from ui import panel, render
from ui.frame import Screen

FILE_TYPES = ("geojson", "json", "zip", "gpkg", "kml", "kmz")
BY_FILE = ""  # the zone that the file, or the province, says
MOST_COLUMNS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person says about the file."""

    key: str
    title: str
    kind: str
    owner: str
    licence: str
    dated: date
    valid_from: date | None
    valid_to: date | None
    heat: bool


def desk(screen: Screen) -> None:
    """The whole of the import: file, reading, preview, description, deed."""
    t = screen.t
    with st.container(key="layers_import", border=True):
        given = st.file_uploader(t("layers.file"), type=list(FILE_TYPES), key="layers_file")
        st.caption(t("layers.file_how", mib=FILE_BYTES_MAX // 2**20))
        if given is None:
            return
        body, name = given.getvalue(), str(given.name)
        mark = hashlib.sha256(body).hexdigest()
        if st.session_state.get("layers_mark") != mark:  # another file: nothing of the last one holds for it
            st.session_state.update(layers_mark=mark, layers_zone=BY_FILE, layers_swap=False)
        with st.container(key="layers_reading", horizontal=True, gap="small", vertical_alignment="bottom"):
            zone = st.selectbox(
                t("layers.zone"),
                [BY_FILE, *GRIDS, "4326"],
                key="layers_zone",
                format_func=lambda one: _zone(screen, one),
            )
            swap = st.toggle(t("layers.swap"), key="layers_swap")
        found = _draft(screen, body, name, str(zone), bool(swap))
        if isinstance(found, str):
            with st.container(key="notice_error"):
                st.text(found)
            return
        panel.panel("layers_preview", {"preview": _preview(screen, found)})
        for number, remedy in enumerate(found.located.remedies):
            label = t("layers.try", what=remedy.said.words(screen.language))
            st.button(label, key=f"layers_try:{number}", on_click=_take, args=(remedy,))
        if not found.problems:
            _describe(screen, found)


def _zone(screen: Screen, code: str) -> str:
    if code in GRIDS:
        return GRIDS[code].name(screen.language)
    return "WGS 84 (EPSG:4326)" if code else screen.t("layers.zone_by_file")


def _take(remedy: Remedy) -> None:
    """Read the file as the guard suggests."""
    if remedy.zone:
        st.session_state["layers_zone"] = remedy.zone
    st.session_state["layers_swap"] = remedy.swap


def _draft(screen: Screen, body: bytes, name: str, zone: str, swap: bool) -> Draft | str:
    """The file as it would be kept, or why it cannot be read."""
    city = screen.line.city
    province = city.province if city.province in PROVINCES else ""
    try:
        return _read(body, name, zone, province, worth.box(screen), swap)
    except Fault as fault:
        return fault.words(screen.language)


@st.cache_data(max_entries=4, show_spinner=False)
def _read(
    body: bytes, name: str, zone: str, province: str, box: tuple[float, float, float, float] | None, swap: bool
) -> Draft:
    return draft(body, name, zone=zone, province=province, box=box, swap=swap)


def _preview(screen: Screen, found: Draft) -> str:
    language = screen.language
    box = [formats.number(edge, 5, language) for edge in found.located.box]
    return render.html(
        "layers_preview.html",
        screen.snapshot,
        language,
        file=found.file.name,
        format=found.file.format,
        count=len(found.file.features),
        kinds=[(kind, count) for kind, count in found.geometries],
        system=found.located.system.name(language),
        swapped=found.located.swapped,
        box=None if found.located.system.key == "" else box,
        columns=found.columns[:MOST_COLUMNS],
        more=max(len(found.columns) - MOST_COLUMNS, 0),
        notes=[one.words(language) for one in found.notes],
        problems=[one.words(language) for one in found.problems],
    )


def _describe(screen: Screen, found: Draft) -> None:
    """Owner, licence, dates: without them nobody knows in a year what the layer is."""
    t, today = screen.t, screen.line.clock.now().astimezone(screen.line.city.zone).date()
    with st.form("layers_form", border=False):
        first, second, third = st.columns(3)
        title = first.text_input(t("layers.title"), value=_title(found.file.name), max_chars=120, key="layers_title")
        kind = second.selectbox(
            t("layers.kind"),
            KINDS,
            index=len(KINDS) - 1,
            format_func=lambda one: t(f"layers.kind_{one}"),
            key="layers_kind",
        )
        heat = third.toggle(t("layers.heat"), key="layers_heat", help=t("layers.heat_how"))
        owner = first.text_input(t("layers.owner"), max_chars=120, key="layers_owner")
        licence = second.text_input(t("layers.licence"), max_chars=200, key="layers_licence")
        dated = third.date_input(t("layers.dated"), value=today, format="DD/MM/YYYY", key="layers_dated")
        begins = first.date_input(t("layers.valid_from"), value=None, format="DD/MM/YYYY", key="layers_from")
        ends = second.date_input(t("layers.valid_to"), value=None, format="DD/MM/YYYY", key="layers_to")
        key = third.text_input(
            t("layers.key"), value=_key(found.file.name), max_chars=40, key="layers_key", help=t("layers.key_how")
        )
        if st.form_submit_button(t("layers.import"), type="primary", key="do_import_layer"):
            said = Said(
                key=key.strip(), title=title, kind=str(kind), owner=owner, licence=licence, dated=dated,
                valid_from=begins, valid_to=ends, heat=bool(heat),
            )  # fmt: skip
            _import(screen, found, said)


def _import(screen: Screen, found: Draft, said: Said) -> None:
    try:
        layer = described(
            found.features, key=said.key, title=said.title, kind=said.kind, owner=said.owner, licence=said.licence,
            dated=said.dated, valid_from=said.valid_from, valid_to=said.valid_to,
            style="heat" if said.heat else "plain", system=found.located.system.vi, file_name=found.file.name,
        )  # fmt: skip
        kept = screen.line.import_layer(screen.person, found, layer)
    except (Fault, Denied) as error:
        st.session_state["layers_answer"] = ("error", error.words(screen.language))
    except InputError as error:
        st.session_state["layers_answer"] = ("error", str(error))
    else:
        words = screen.t("layers.imported", title=kept.title, n=kept.features, version=kept.version)
        st.session_state["layers_answer"] = ("done", words)
    st.rerun()


def _title(file_name: str) -> str:
    return file_name.rpartition(".")[0].replace("_", " ").strip()[:120]


def _key(file_name: str) -> str:
    """«Cấp phép 2026.zip» as «cap_phep_2026»."""
    plain = unicodedata.normalize("NFD", _title(file_name).casefold().replace("đ", "d"))
    words = re.findall(r"[a-z0-9]+", "".join(sign for sign in plain if not unicodedata.combining(sign)))
    return "_".join(words)[:40].lstrip("0123456789_") or "lop"
