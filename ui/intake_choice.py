"""What the person at the spreadsheet desk is busy with: form, unit and period, and what stands for each of them.

The choice lives in the address (?form=&unit=&period=), so that a reload, a link and the Back button keep it. Without
one the first unit that is late comes first, and stays until somebody chooses another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import streamlit as st

from core import forms
from core.forms import LATE, WAITING, Delivery, Form, Period
from ui.frame import Screen

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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


def usable(screen: Screen) -> list[Form]:
    """The forms that have a unit in the person's areas and a period that can be told already."""
    line, now, zone = screen.line, screen.line.clock.now(), screen.line.city.zone
    return [
        form
        for form in line.intake.forms
        if line.intake.units(form, screen.person) and forms.recent(form, now, zone, 1)
    ]


def choose(screen: Screen, known: Sequence[Form]) -> Choice:
    """Three boxes that follow the address and write into it; the template goes with them."""
    t, city, language = screen.t, screen.line.city, screen.language
    by_key = {form.key: form for form in known}
    form = by_key.get(str(st.query_params.get("form", "")), known[0])
    by_unit = {row[0].unit: row for row in cells(screen, form)}
    first = _first(form, by_unit)
    asked = str(st.query_params.get("unit", ""))
    unit = asked if asked in by_unit else first.unit
    by_day = {cell.period.first.isoformat(): cell for cell in by_unit[unit]}
    missing = first if unit == first.unit else _missing(by_unit[unit])
    asked = str(st.query_params.get("period", ""))
    day = asked if asked in by_day else missing.period.first.isoformat()
    with st.container(key="intake_form"):
        _box(t("intake.form"), list(by_key), form.key, lambda key: by_key[key].title(language), "intake_form_key")
    with st.container(key="intake_choice", horizontal=True, gap="small", vertical_alignment="bottom"):
        _box(t("intake.unit"), list(by_unit), unit, lambda one: city.site_name(one, language), "intake_unit")
        _box(t("intake.period"), list(by_day), day, lambda one: by_day[one].period.label, "intake_period")
        choice = Choice(form=form, unit=unit, period=by_day[day].period)
        st.download_button(
            t("intake.template"),
            partial(screen.line.sheets.template, form, unit, choice.period),
            file_name=f"{form.key}_{unit}_{choice.period.first:%Y%m%d}.xlsx",
            mime=XLSX,
            key=f"intake_template:{choice.key}",
            on_click="ignore",
        )
    return choice


def _first(form: Form, by_unit: Mapping[str, Sequence[Cell]]) -> Cell:
    """Where a person begins: the first unit that is late, at its newest missing period.

    It is kept: what a person looks at must not give way to another unit when this one has delivered.
    """
    kept = st.session_state.setdefault("intake_first", {})
    found = {(cell.unit, cell.period): cell for row in by_unit.values() for cell in row}
    if kept.get(form.key) not in found:
        late = [row for row in by_unit.values() if any(cell.state == LATE for cell in row)]
        begin = _missing((late or list(by_unit.values()))[0])
        kept[form.key] = (begin.unit, begin.period)
    return found[kept[form.key]]


def _missing(row: Sequence[Cell]) -> Cell:
    return next((cell for cell in row if cell.state in (LATE, WAITING)), row[0])


def _box(label: str, options: Sequence[str], chosen: str, shown: Callable[[str], str], key: str) -> None:
    st.session_state[key] = chosen
    st.selectbox(label, options, format_func=shown, key=key, on_change=_boxed, args=(key,))


def _boxed(key: str) -> None:
    """Somebody chose in a box. Another form has other units; another unit keeps the period."""
    name = {"intake_form_key": "form", "intake_unit": "unit", "intake_period": "period"}[key]
    st.query_params[name] = str(st.session_state[key])
    if name == "form":
        for other in ("unit", "period"):
            st.query_params.pop(other, None)
    let_go()


def pick(form: str, unit: str, period: str) -> None:
    """Somebody chose a cell of the matrix or a line of what is late; `period` is its first day in ISO 8601."""
    st.query_params.update({"form": form, "unit": unit, "period": period})
    let_go()
    st.session_state["intake_moved"] = True


def follow() -> None:
    """At the start of a fragment: what was chosen or delivered in one region concerns the others."""
    if st.session_state.pop("intake_moved", False):
        st.rerun()


def let_go() -> None:
    """The preview of another place, its answer and an old version that was taken out. The dropped file stays:
    whoever chose the wrong month need not look for it again.
    """
    for name in ("intake_again", "intake_seen", "intake_trial", "intake_reason", "intake_answer"):
        st.session_state.pop(name, None)


def forget() -> None:
    """Begin anew: also without the dropped file."""
    st.session_state["intake_turn"] = int(st.session_state.get("intake_turn", 0)) + 1
    let_go()


def tell(kind: str, words: str) -> None:
    """Keep an answer (done | error) for the next run."""
    st.session_state["intake_answer"] = (kind, words)


def answer() -> None:
    """What came of the last deed."""
    kind, text = st.session_state.get("intake_answer", ("", ""))
    if kind:
        with st.container(key=f"notice_{kind}"):
            st.text(text)
