"""Layers: one ground for all offices. A map of what was chosen, what lies around an alert, the list, the import."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from core.access import Denied, may
from core.errors import InputError
from gis.export import Row, to_csv, to_geojson
from gis.faults import Fault
from gis.layers import Layer
from ui import layer_import, layer_live, layer_map, layer_measure, panel, render
from ui import layer_values as worth
from ui.frame import Screen
from ui.layer_map import EXTENTS, RADII_M, Choice, Seen

FIRST_LAYERS = 4
FIRST_RADIUS_M = 300
CLASSES = (3, 4, 5, 6, 7)
METHODS = ("quantile", "equal")


def page(screen: Screen) -> None:
    """The whole page below the strip."""
    _answer(screen)
    left, middle, right = st.columns([3, 8, 3], gap="small")
    with left, st.container(key="layers_choice"):
        choice = _choice(screen)
        legend_place = st.container(key="layers_legend")
    with right, st.container(key="layers_near"):
        choice = _around(screen, choice)

        @st.fragment(run_every=screen.redraw_s)
        def near() -> None:
            panel.panel("layers_near_panel", {"near": layer_map.around(screen, choice)})

        near()
        choice = layer_measure.ask(screen, choice)
    shown: list[Seen] = []  # what the map shows now; a download takes it when it is asked for
    with middle, st.container(key="layer_picture"):

        @st.fragment(run_every=screen.redraw_s)
        def picture() -> None:
            shown[:] = [layer_map.draw(screen, choice, legend_place)]
            _png(screen, shown[0])

        picture()
        _take_away(screen, shown)
    panel.panel("layers_list", {"list": _list(screen)})
    if may(screen.person, "import_layer"):
        layer_import.desk(screen)
        _remove(screen)


def _answer(screen: Screen) -> None:
    kind, text = st.session_state.pop("layers_answer", ("", ""))
    if kind:
        with st.container(key=f"notice_{kind}"):
            st.text(text)


def _choice(screen: Screen) -> Choice:
    """What is shown: layers, colour, hour, day of the boundaries, extent."""
    t, shelf = screen.t, screen.line.shelf
    titles = {one.key: one.title for one in shelf.all() if one.kind != "ward"}
    today = screen.line.clock.now().astimezone(screen.line.city.zone).date()
    current = [one.key for one in shelf.all() if one.key in titles and one.holds_on(today)]
    layers = []
    if titles:  # without one the list below says so, and how to bring one
        layers = st.multiselect(
            t("layers.shown"), list(titles), default=current[:FIRST_LAYERS],
            format_func=lambda key: titles.get(key, key), placeholder=t("layers.none_chosen"), key="layers_shown",
        )  # fmt: skip
    colours = worth.choices(screen)
    asked = str(st.query_params.get("colour", ""))
    keys = ["", *colours]
    colour = st.selectbox(
        t("layers.colour"), keys, index=keys.index(asked) if asked in keys else 0,
        format_func=lambda key: colours.get(key, t("layers.colour_none")), key="layers_colour",
    )  # fmt: skip
    hours_back, classes, method = 0, 5, METHODS[0]
    if colour:
        if not str(colour).startswith(worth.POINTS):
            hours_back = -st.slider(
                t("layers.hour"), min_value=-worth.HOURS_BACK, max_value=0, value=0, format="%d", key="layers_hour"
            )
        with st.container(horizontal=True, gap="small"):
            method = st.selectbox(
                t("layers.method"), METHODS, format_func=lambda one: t(f"layers.method_{one}"), key="layers_method"
            )
            classes = st.selectbox(t("layers.classes"), CLASSES, index=2, key="layers_classes")
    day = st.date_input(
        t("layers.day"), value=today, min_value=date(1990, 1, 1), max_value=today, format="DD/MM/YYYY", key="layers_day"
    )
    extent = st.selectbox(
        t("layers.extent"), EXTENTS, format_func=lambda one: t(f"layers.extent_{one}"), key="layers_extent"
    )
    basemap = False
    if screen.line.city.basemap is not None:
        basemap = st.toggle(t("layers.basemap"), key="layers_basemap")
    return Choice(
        layers=tuple(layers), colour=str(colour or ""), hours_back=int(hours_back), day=day, classes=int(classes),
        method=str(method), extent=str(extent), alert="", radius_m=FIRST_RADIUS_M, basemap=bool(basemap),
    )  # fmt: skip


def _around(screen: Screen, choice: Choice) -> Choice:
    """Which alert, and how far around it."""
    t = screen.t
    alerts = layer_map.placed_alerts(screen.view())
    asked = str(st.query_params.get("alert", ""))
    keys = list(alerts)
    alert = st.selectbox(
        t("layers.around"), keys, index=keys.index(asked) if asked in keys else None,
        format_func=lambda key: alerts.get(key, key), placeholder=t("layers.around_none"), key="layers_alert",
    )  # fmt: skip
    radius = st.selectbox(
        t("layers.radius"), RADII_M, index=RADII_M.index(FIRST_RADIUS_M), format_func=lambda one: f"{one} m",
        key="layers_radius",
    )  # fmt: skip
    return replace(choice, alert=str(alert or ""), radius_m=int(radius))


# -- to take away ----------------------------------------------------------------------------------------------------


def _take_away(screen: Screen, shown: list[Seen]) -> None:
    """What is seen as GeoJSON and CSV, made when it is asked for, which is a line in the audit log.

    Outside of what refreshes itself, and without a run of the page on a click: after either, the file that a button
    names would be gone, and a click in that moment would bring nothing.
    """
    t = screen.t
    city = screen.snapshot.city.name(screen.language)
    with st.container(key="layers_take", horizontal=True, gap="small", vertical_alignment="center"):
        for kind, write, mime in (("geojson", to_geojson, "application/geo+json"), ("csv", to_csv, "text/csv")):
            st.download_button(
                t(f"layers.take_{kind}"), partial(_written, screen, kind, write, shown, city),
                file_name=f"{_stem(screen, '%Y%m%d')}.{kind}", mime=mime, key=f"layers_take_{kind}", on_click="ignore",
            )  # fmt: skip


def _written(
    screen: Screen,
    kind: str,
    write: Callable[[Sequence[Row], Mapping[str, str]], str],
    shown: list[Seen],
    city: str,
) -> str:
    seen = shown[0]
    _taken(screen, kind, seen.title)
    return write(seen.rows, {"title": seen.title, "told": " · ".join(seen.told), "city": city, "at": _now(screen)})


def _png(screen: Screen, seen: Seen) -> None:
    panel.picture(
        "layers_png",
        canvas=".st-key-layer_picture",
        label=screen.t("layers.take_png"),
        failed=screen.t("layers.png_failed"),
        name=f"{_stem(screen, '%Y%m%d-%H%M')}.png",
        title=" · ".join((seen.title, screen.snapshot.city.name(screen.language), _now(screen))),
        told=seen.told,
        legend=seen.legend,
        on_taken=partial(_taken, screen, "png", seen.title),
    )


def _stem(screen: Screen, when: str) -> str:
    city = screen.line.city
    return f"{city.key}-lop-{screen.line.clock.now().astimezone(city.zone):{when}}"


def _now(screen: Screen) -> str:
    return f"{screen.line.clock.now().astimezone(screen.line.city.zone):%d/%m/%Y %H:%M}"


def _taken(screen: Screen, kind: str, title: str) -> None:
    screen.line.audit(screen.person, "export_layers", f"{title} {kind}", "done")


# -- the list --------------------------------------------------------------------------------------------------------


def _list(screen: Screen) -> str:
    today = screen.line.clock.now().astimezone(screen.line.city.zone).date()
    kept = screen.line.shelf.all()
    never = set(screen.line.live_layers.served) - {one.key for one in kept}
    rows = [_row(screen, one, today) for one in kept]
    rows += [_row(screen, screen.line.live_layers.shown(key), today) for key in sorted(never)]
    return render.html("layers_list.html", screen.snapshot, screen.language, rows=rows)


def _row(screen: Screen, layer: Layer, today: date) -> dict[str, Any]:
    t = screen.t
    trouble = ""
    if layer.version:
        try:
            screen.line.shelf.read(layer.key)
        except Fault as fault:
            trouble = fault.words(screen.language)
        except OSError:
            trouble = t("layers.file_gone")
    return {
        "title": layer.title,
        "key": layer.key,
        "kind": t(f"layers.kind_{layer.kind}"),
        "geometry": t(f"layers.geometry_{layer.geometry}"),
        "n": layer.features,
        "owner": layer.owner,
        "licence": layer.licence,
        "dated": _day(layer.dated) if layer.version else "",
        "span": _span(screen, layer),
        "over": not layer.holds_on(today),
        "version": layer.version,
        "by": layer.imported_by,
        "at": layer.imported_at,
        "trouble": trouble,
        "live": layer_live.row(screen, layer.key),
    }


def _day(day: date | None) -> str:
    return "" if day is None else day.strftime("%d/%m/%Y")


def _span(screen: Screen, layer: Layer) -> str:
    if layer.valid_from and layer.valid_to:
        return f"{_day(layer.valid_from)} – {_day(layer.valid_to)}"
    if layer.valid_from:
        return screen.t("layers.span_from", day=_day(layer.valid_from))
    return screen.t("layers.span_to", day=_day(layer.valid_to)) if layer.valid_to else screen.t("layers.span_open")


def _remove(screen: Screen) -> None:
    """Take a layer off; it asks twice, because everybody's map loses it."""
    t = screen.t
    served = screen.line.live_layers.served
    titles = {one.key: one.title for one in screen.line.shelf.all() if one.key not in served}
    if not titles:
        return
    with st.container(key="layers_remove", horizontal=True, gap="small", vertical_alignment="bottom"):
        key = st.selectbox(
            t("layers.remove_which"), list(titles), index=None, format_func=lambda one: titles.get(one, one),
            placeholder=t("layers.remove_none"), key="layers_remove_key",
        )  # fmt: skip
        sure = st.checkbox(t("layers.remove_sure"), key="layers_remove_sure", disabled=not key)
        st.button(
            t("layers.remove"), key="do_remove_layer", disabled=not (key and sure), on_click=_do_remove,
            args=(screen, str(key or ""), titles.get(str(key or ""), "")),
        )  # fmt: skip


def _do_remove(screen: Screen, key: str, title: str) -> None:
    try:
        screen.line.remove_layer(screen.person, key)
    except (Fault, Denied) as error:
        st.session_state["layers_answer"] = ("error", error.words(screen.language))
    except InputError as error:
        st.session_state["layers_answer"] = ("error", str(error))
    else:
        st.session_state["layers_answer"] = ("done", screen.t("layers.removed", title=title))
    st.session_state["layers_remove_sure"] = False
