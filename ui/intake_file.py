"""A file on its way: dropped, examined cell by cell, compared with what stands, tried, and signed by name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from control.dry_run import Consequence
from control.intake import Examined, words_of
from core import formats, forms
from core.errors import InputError
from core.forms import Difference
from ui import panel, render
from ui.frame import Screen
from ui.intake_choice import Choice, forget, pick, tell
from ui.views import View

ROWS_SHOWN = 60
PROBLEMS_IN_SIGHT = 8
MOST_FILE_MB = 20


def deliver(screen: Screen, choice: Choice) -> None:
    """From the dropped file to the signature."""
    given = _file(screen, choice)
    if given is not None:
        _examined(screen, screen.view(), choice, *given)


def _file(screen: Screen, choice: Choice) -> tuple[str, bytes] | None:
    """Name and bytes of what was dropped here, or of an older version that somebody took out again.

    Files of every kind are let in: what is no spreadsheet the reader says in words, not the browser in English.
    """
    t = screen.t
    turn = int(st.session_state.get("intake_turn", 0))
    with st.container(key=f"intake_drop_{screen.language}"):
        dropped = st.file_uploader(
            t("intake.file", mb=MOST_FILE_MB), key=f"intake_file:{turn}", max_upload_size=MOST_FILE_MB
        )
        st.caption(t("intake.unsigned"))
    if dropped is not None:
        return str(dropped.name), dropped.getvalue()
    kept: tuple[str, str, bytes, str] | None = st.session_state.get("intake_again")
    if kept is None or kept[0] != choice.key:
        return None
    st.caption(t(kept[3], name=kept[1]))
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
        with st.container(key="notice_error"):
            st.text(words_of(error, screen.language))
        return
    panel.panel("intake_seen", {"seen": _preview(view, seen, "head")})
    if seen.problems:
        _elsewhere(screen, seen)
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


def _elsewhere(screen: Screen, seen: Examined) -> None:
    """A file that belongs to another unit or period throughout goes there with one click, and is examined there."""
    if seen.belongs is None:
        return
    unit, period = seen.belongs
    form, line = seen.form, screen.line
    shown = forms.recent(form, line.clock.now(), line.city.zone)
    if unit in line.intake.units(form, screen.person) and period in shown:
        name = line.city.site_name(unit, screen.language)
        st.button(
            screen.t("intake.belongs", unit=name, period=period.label),
            key="intake_do_belong",
            on_click=pick,
            args=(form.key, unit, period.first.isoformat()),
        )


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
        unit=view.snapshot.city.site_name(seen.unit, view.language),
        period=seen.period.label,
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
    mark = (seen.form.key, seen.unit, seen.period, seen.version, seen.sha256)
    if st.session_state.get("intake_signed") == mark:
        return  # the second half of a double click: it is delivered already, and the answer says so
    if screen.person.kind == "demo":
        st.session_state["duty_name"] = str(st.session_state.get("intake_actor", ""))
    reason = str(st.session_state.get("intake_reason", "")) if seen.newest is not None else ""
    try:
        made = screen.line.deliver(screen.person, seen, body, reason)
    except InputError as error:
        tell("error", words_of(error, screen.language))
        return
    forget()
    name = screen.line.city.site_name(made.unit, screen.language)
    tell("done", screen.t("intake.done", n=made.version, unit=name, period=seen.period.label, who=made.delivered_by))
    st.session_state.update(intake_signed=mark, intake_moved=True)


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
