"""The spreadsheet desk: who has delivered what, and a file on its way from the template to its signature.

Left: what is late, and the periods of the chosen form. Right: template, file, problems by cell, differences, dry run,
sign-off, and every version ever delivered. Nothing counts before somebody has signed, and no version is overwritten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from control.dry_run import Consequence
from control.intake import DELIVER, READ, Examined, words_of
from core import formats, forms
from core.access import may
from core.errors import InputError
from core.forms import LATE, WAITING, Delivery, Difference, Form, Period
from ui import panel, render
from ui.frame import Screen
from ui.views import View

TYPES = ("xlsx", "xlsm", "xls", "csv", "tsv", "txt")
LATE_SHOWN = 12
ROWS_SHOWN = 60
PROBLEMS_IN_SIGHT = 8
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_FILE_MB = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the person is busy with."""

    form: Form
    unit: str
    period: Period

    @property
    def key(self) -> str:
        """One word per choice, for the state of widgets."""
        return f"{self.form.key}:{self.unit}:{self.period.first:%Y-%m-%d}"


def page(screen: Screen) -> None:
    """The whole page below the strip."""
    known = [form for form in screen.line.intake.forms if screen.line.intake.units(form, screen.person)]
    if not known:
        st.info(screen.t("intake.no_forms"))
        return
    left, right = st.columns((9, 11), gap="small")
    with right:
        form = _form(screen, known)

        @st.fragment
        def desk() -> None:
            _desk(screen, form)

        desk()
    with left:

        @st.fragment(run_every=screen.refresh_s)
        def overview() -> None:
            view = screen.view()
            panel.panel("intake_state", {"late": _late(screen, view, known), "matrix": _matrix(screen, view, form)})

        overview()


def _form(screen: Screen, known: Sequence[Form]) -> Form:
    by_key = {form.key: form for form in known}
    with st.container(key="intake_form"):
        chosen = st.selectbox(
            screen.t("intake.form"),
            list(by_key),
            format_func=lambda key: by_key[key].title(screen.language),
            key="intake_form_key",
            on_change=_forget,
        )
    return by_key[str(chosen)]


# -- who has delivered what ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """One unit and period: its state, and the versions that were delivered."""

    unit: str
    period: Period
    state: str
    versions: tuple[Delivery, ...]


def cells(screen: Screen, form: Form) -> list[list[Cell]]:
    """Per unit of the person's areas its newest periods, newest first."""
    line, now, zone = screen.line, screen.line.clock.now(), screen.line.city.zone
    units = line.intake.units(form, screen.person)
    by_place: dict[tuple[str, datetime], list[Delivery]] = {}
    for one in line.intake.history(form, form.units):
        by_place.setdefault((one.unit, one.period_end), []).append(one)
    periods = forms.recent(form, now, zone)
    begun = forms.begun(form, [end for _, end in by_place], now, zone)
    found = []
    for unit in units:
        row = []
        for period in periods:
            versions = tuple(by_place.get((unit, period.end_at(zone)), ()))
            first_at = versions[-1].delivered_at if versions else None
            state = forms.state(form, unit, period, first_at, now, zone, begun)
            row.append(Cell(unit, period, state, versions))
        found.append(row)
    return found


def _late(screen: Screen, view: View, known: Sequence[Form]) -> str:
    waiting = [
        (forms.due_at(form, cell.unit, cell.period, view.zone), form, cell)
        for form in known
        for row in cells(screen, form)
        for cell in row
        if cell.state == LATE
    ]
    rows = [
        {
            "unit": view.snapshot.city.site_name(cell.unit, view.language),
            "form": form.title(view.language),
            "period": cell.period.label,
            "span": formats.duration(view.now - due, view.language),
        }
        for due, form, cell in sorted(waiting, key=lambda one: (one[0], one[1].key, one[2].unit))
    ]
    return render.html(
        "intake_late.html",
        view.snapshot,
        view.language,
        glyph=view.glyph("medium", "UNACK", 18),
        rows=rows[:LATE_SHOWN],
        count=len(rows),
        hidden=max(len(rows) - LATE_SHOWN, 0),
    )


def _matrix(screen: Screen, view: View, form: Form) -> str:
    found = cells(screen, form)
    rows = [
        {
            "unit": view.snapshot.city.site_name(row[0].unit, view.language),
            "code": row[0].unit,
            "cells": [_cell(view, form, cell) for cell in row],
        }
        for row in found
    ]
    return render.html(
        "intake_matrix.html",
        view.snapshot,
        view.language,
        title=form.title(view.language),
        owner=form.owner,
        periods=[_short(cell.period) for cell in found[0]],
        rows=rows,
        glyph=view.glyph("medium", "UNACK", 18),
    )


def _cell(view: View, form: Form, cell: Cell) -> dict[str, Any]:
    due = forms.due_at(form, cell.unit, cell.period, view.zone)
    newest = cell.versions[0] if cell.versions else None
    if newest is not None:
        more = f"v{newest.version} · {_day(newest.delivered_at, view)}"
        said = view.t("intake.by", who=newest.delivered_by)
    elif cell.state in (LATE, WAITING):
        more = view.t("intake.due", at=f"{due.astimezone(view.zone):%d/%m %H:%M}")
        said = ""
    else:
        more = said = ""
    return {"state": cell.state, "word": view.t(f"intake.state_{cell.state}"), "more": more, "who": said}


def _short(period: Period) -> str:
    return f"{period.first:%m/%Y}" if period.is_month else f"{period.first:%d/%m}"


def _day(moment: datetime, view: View) -> str:
    return f"{moment.astimezone(view.zone):%d/%m}"


# -- a file on its way -----------------------------------------------------------------------------------------------


def _desk(screen: Screen, form: Form) -> None:
    view, t = screen.view(), screen.t
    _answer()
    choice = _choose(screen, view, form)
    if not may(screen.person, DELIVER):
        st.caption(t("intake.only_reads"))
    else:
        given = _file(screen, choice)
        if given is not None:
            _examined(screen, view, choice, *given)
    _history(screen, view, choice)


def _choose(screen: Screen, view: View, form: Form) -> Choice:
    """Unit and period; the first one that is still missing comes first, and the template goes with them."""
    t, line = screen.t, screen.line
    found = cells(screen, form)
    by_unit = {row[0].unit: row for row in found}
    first = next((row[0].unit for row in found if any(cell.state == LATE for cell in row)), found[0][0].unit)
    with st.container(key="intake_choice", horizontal=True, gap="small", vertical_alignment="bottom"):
        unit = st.selectbox(
            t("intake.unit"),
            list(by_unit),
            index=list(by_unit).index(first),
            format_func=lambda one: view.snapshot.city.site_name(one, view.language),
            key=f"intake_unit:{form.key}",
            on_change=_forget,
        )
        row = by_unit[str(unit)]
        missing = next((place for place, cell in enumerate(row) if cell.state in (LATE, WAITING)), 0)
        by_day = {cell.period.first.isoformat(): cell.period for cell in row}
        day = st.selectbox(
            t("intake.period"),
            list(by_day),
            index=missing,
            format_func=lambda one: by_day[one].label,
            key=f"intake_period:{form.key}:{unit}",
            on_change=_forget,
        )
        choice = Choice(form=form, unit=str(unit), period=by_day[str(day)])
        st.download_button(
            t("intake.template"),
            partial(line.template, form, choice.unit, choice.period),
            file_name=f"{form.key}_{choice.unit}_{choice.period.first:%Y%m%d}.xlsx",
            mime=XLSX,
            key=f"intake_template:{choice.key}",
            on_click="ignore",
        )
    return choice


def _file(screen: Screen, choice: Choice) -> tuple[str, bytes] | None:
    """Name and bytes of what was dropped here, or of an older version that somebody took out again."""
    t = screen.t
    turn = int(st.session_state.get("intake_turn", 0))
    with st.container(key=f"intake_drop_{screen.language}"):
        dropped = st.file_uploader(
            t("intake.file", mb=MOST_FILE_MB),
            type=list(TYPES),
            key=f"intake_file:{choice.key}:{turn}",
            max_upload_size=MOST_FILE_MB,
        )
    if dropped is not None:
        return str(dropped.name), dropped.getvalue()
    kept: tuple[str, str, bytes] | None = st.session_state.get("intake_again")
    if kept is None or kept[0] != choice.key:
        return None
    st.caption(t("intake.again_shown", name=kept[1]))
    return kept[1], kept[2]


def _seen(screen: Screen, choice: Choice, name: str, body: bytes) -> Examined:
    """The file examined, once per file and version that it meets."""
    line = screen.line
    newest = [
        one.version
        for one in line.intake.history(choice.form, [choice.unit])
        if one.period_end == choice.period.end_at(line.city.zone)
    ]
    mark = (choice.key, name, hashlib.sha256(body).hexdigest(), max(newest, default=0))
    kept = st.session_state.get("intake_seen")
    if kept is None or kept[0] != mark:
        kept = (mark, line.intake.examine(choice.form, choice.unit, choice.period, name, body))
        st.session_state["intake_seen"] = kept
        st.session_state.pop("intake_trial", None)
    seen: Examined = kept[1]
    return seen


def _examined(screen: Screen, view: View, choice: Choice, name: str, body: bytes) -> None:
    t = screen.t
    try:
        seen = _seen(screen, choice, name, body)
    except InputError as error:
        st.session_state["intake_answer"] = ("error", words_of(error, screen.language))
        _answer()
        return
    panel.panel("intake_seen", {"seen": _preview(view, seen, "head")})
    if seen.problems:
        st.caption(t("intake.copy_problems"))
        many = len(seen.problems) > PROBLEMS_IN_SIGHT
        st.code("\n".join(seen.problems), language=None, wrap_lines=True, height=320 if many else "content")
    panel.panel("intake_rows", {"rows": _preview(view, seen, "rows")})
    if seen.problems:
        return
    with st.container(key="intake_trial_deed", horizontal=True, gap="small", vertical_alignment="center"):
        st.button(t("intake.trial"), key="intake_do_trial", on_click=_try, args=(screen, seen))
        st.caption(t("intake.trial_how"))
    tried = st.session_state.get("intake_trial")
    if tried is not None and tried[0] == seen.sha256:
        panel.panel("intake_trial", {"trial": _trial(view, tried[1])})
    if not seen.same_file:
        _sign(screen, seen, body)


def _preview(view: View, seen: Examined, part: str) -> str:
    place = {key: number for number, key in enumerate(seen.form.properties)}
    shown = sorted(seen.changes, key=lambda one: (one.kind == "same", one.time, place.get(one.observed_property, 0)))
    cell_of = {
        (row["observed_property"], row["time"].to_pydatetime()): row["cell"] for row in seen.rows.to_dict("records")
    }
    return render.html(
        "intake_preview.html",
        view.snapshot,
        view.language,
        part=part,
        name=seen.file_name,
        version=seen.version,
        problems=len(seen.problems),
        values=len(seen.rows),
        missing=int(seen.rows["value"].isna().sum()),
        notes=seen.notes,
        counts={kind: seen.count(kind) for kind in ("new", "changed", "gone", "same")},
        replaces=seen.newest,
        replaced_at=_moment(view, seen.newest.delivered_at) if seen.newest else "",
        same=seen.same_file,
        rows=[_difference(view, seen, one, cell_of) for one in shown[:ROWS_SHOWN]] or _read_rows(view, seen),
        hidden=max(len(shown) - ROWS_SHOWN, 0),
    )


def _difference(
    view: View, seen: Examined, one: Difference, cell_of: dict[tuple[str, datetime], str]
) -> dict[str, str]:
    return {
        "name": _name(view, one.observed_property),
        "time": _label(view, seen, one.time),
        "before": "" if one.kind == "new" else _value(view, one.observed_property, one.before),
        "after": "" if one.kind == "gone" else _value(view, one.observed_property, one.after),
        "kind": one.kind,
        "word": view.t(f"intake.kind_{one.kind}"),
        "cell": cell_of.get((one.observed_property, one.time), ""),
    }


def _read_rows(view: View, seen: Examined) -> list[dict[str, str]]:
    """Of a file with problems, what could be read, without any comparison."""
    return [
        {
            "name": _name(view, row["observed_property"]),
            "time": _label(view, seen, row["time"].to_pydatetime()),
            "before": "",
            "after": _value(view, row["observed_property"], row["value"]),
            "kind": "read",
            "word": view.t("intake.kind_read"),
            "cell": row["cell"],
        }
        for row in seen.rows.head(ROWS_SHOWN).to_dict("records")
    ]


def _trial(view: View, found: Sequence[Consequence]) -> str:
    rows = [
        {
            "name": _name(view, one.indicator),
            "site": view.snapshot.city.site_name(one.site_id, view.language),
            "changed": one.changed,
            "time": _moment(view, one.time),
            "before": _value(view, one.indicator, one.before),
            "after": _value(view, one.indicator, one.after),
        }
        for one in found
    ]
    return render.html(
        "intake_trial.html",
        view.snapshot,
        view.language,
        rows=rows[:ROWS_SHOWN],
        hidden=max(len(rows) - ROWS_SHOWN, 0),
    )


def _sign(screen: Screen, seen: Examined, body: bytes) -> None:
    """Name, reason where something is replaced, and the signature."""
    t, person = screen.t, screen.person
    with st.container(key="intake_sign", horizontal=True, gap="small", vertical_alignment="bottom"):
        if person.kind == "demo":  # whoever signs says who they are
            if "intake_actor" not in st.session_state:
                st.session_state["intake_actor"] = st.session_state.get("duty_name", "")
            st.text_input(t("alert.name"), key="intake_actor", placeholder=t("alert.name_hint"), max_chars=80)
        else:
            st.text(t("intake.signs", who=person.name))
        if seen.newest is not None:
            st.text_input(t("intake.reason"), key="intake_reason", placeholder=t("intake.reason_hint"), max_chars=300)
        st.button(
            t("intake.deliver", n=seen.version),
            type="primary",
            key="do_deliver_file",
            on_click=_deliver,
            args=(screen, seen, body),
        )


def _try(screen: Screen, seen: Examined) -> None:
    st.session_state["intake_trial"] = (seen.sha256, screen.line.consequences(seen))


def _deliver(screen: Screen, seen: Examined, body: bytes) -> None:
    """Through the gate. What came of it stands above the choice at the next run."""
    if screen.person.kind == "demo":
        st.session_state["duty_name"] = str(st.session_state.get("intake_actor", ""))
    reason = str(st.session_state.get("intake_reason", "")) if seen.newest is not None else ""
    try:
        made = screen.line.deliver(screen.person, seen, body, reason)
    except InputError as error:
        st.session_state["intake_answer"] = ("error", words_of(error, screen.language))
        return
    _forget()
    name = screen.line.city.site_name(made.unit, screen.language)
    words = screen.t("intake.done", n=made.version, unit=name, period=seen.period.label, who=made.delivered_by)
    st.session_state["intake_answer"] = ("done", words)


def _forget() -> None:
    """Begin anew: no file, no preview, no reason that belonged to another file."""
    st.session_state["intake_turn"] = int(st.session_state.get("intake_turn", 0)) + 1
    for name in ("intake_again", "intake_seen", "intake_trial", "intake_reason", "intake_answer"):
        st.session_state.pop(name, None)


def _answer() -> None:
    kind, text = st.session_state.get("intake_answer", ("", ""))
    if kind:
        with st.container(key=f"notice_{kind}"):
            st.text(text)


# -- earlier versions ------------------------------------------------------------------------------------------------


def _history(screen: Screen, view: View, choice: Choice) -> None:
    """Every version of the chosen unit and period: who, when, why; each can be taken out, and delivered again."""
    t, line = screen.t, screen.line
    end = choice.period.end_at(line.city.zone)
    found = [one for one in line.intake.history(choice.form, [choice.unit]) if one.period_end == end]
    rows = [
        {
            "version": one.version,
            "at": _moment(view, one.delivered_at),
            "who": one.delivered_by,
            "name": one.file_name,
            "count": one.row_count,
            "missing": one.missing,
            "reason": one.reason,
            "sha256": one.sha256[:12],
        }
        for one in found
    ]
    html = render.html("intake_history.html", view.snapshot, view.language, rows=rows, period=choice.period.label)
    panel.panel("intake_history", {"history": html})
    if not found or not may(screen.person, READ):
        return
    by_version = {one.version: one for one in found}
    with st.container(key="intake_versions", horizontal=True, gap="small", vertical_alignment="bottom"):
        version = st.selectbox(
            t("intake.version"),
            list(by_version),
            format_func=lambda n: t("intake.version_n", n=n),
            key=f"intake_version:{choice.key}",
        )
        chosen = by_version[int(version)]
        st.download_button(
            t("intake.download"),
            partial(line.intake.file_of, screen.person, chosen),
            file_name=chosen.file_name,
            key=f"intake_download:{choice.key}:{version}",
            on_click="ignore",
        )
        if may(screen.person, DELIVER) and chosen is not found[0]:
            st.button(t("intake.again"), key="intake_do_again", on_click=_again, args=(screen, choice, chosen))


def _again(screen: Screen, choice: Choice, chosen: Delivery) -> None:
    """Take an older version out as if it had been dropped here: it is examined and signed like any other."""
    _forget()
    try:
        body = screen.line.intake.file_of(screen.person, chosen)
    except InputError as error:
        st.session_state["intake_answer"] = ("error", words_of(error, screen.language))
        return
    st.session_state["intake_again"] = (choice.key, chosen.file_name, body)


# -- words -----------------------------------------------------------------------------------------------------------


def _name(view: View, key: str) -> str:
    item = view.snapshot.catalogue.get(key)
    return item.name(view.language) if item else key


def _value(view: View, key: str, value: float | None) -> str:
    item = view.snapshot.catalogue.get(key)
    shown = formats.number(value, item.decimals if item else 2, view.language)
    unit = item.unit_label(view.language) if item and shown != formats.DASH else ""
    return f"{shown} {unit}".strip()


def _label(view: View, seen: Examined, end: datetime) -> str:
    """A reading by its clock, a whole period by its name."""
    if not seen.form.hours and end == seen.period.end_at(view.zone):
        return seen.period.label
    return f"{end.astimezone(view.zone):%H:%M %d/%m/%Y}"


def _moment(view: View, at: datetime) -> str:
    return formats.moment(at, view.now, view.zone)
