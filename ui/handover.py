"""The shift handover on a screen: shift and next one, what is open, figures of the shift, note, two signatures.

Facts come from alerts/handover.py: live while nobody has signed, frozen after that. One list of sections serves the
screen, the printer and the text to copy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from alerts import handover as notes
from alerts.deeds import Deed
from alerts.refusals import Refused
from analysis.alarm_health import report
from core import formats
from core.access import Denied, may
from core.alert import COVERS, SITUATION
from core.duty import DutyShift
from core.errors import InputError
from core.ledger import Handover, Ledger
from core.snapshot import Snapshot
from ui import panel, render
from ui.alert_items import TITLES
from ui.frame import Screen
from ui.views import View

EARLIER = 20  # notes that can be read again here; all of them are in the store
JOURNAL_BEFORE = timedelta(days=1)  # what the figures want to know from before the shift
MOST_LINES = 20_000
MOST_NOTE_CHARACTERS = 1000
FIGURES = ("rate", "split_critical", "split_high", "split_rest", "ack_median", "ack_expired")
SHARES = ("split_critical", "split_high", "split_rest")
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a section: what it is, what is known about it, and whether it is late."""

    text: str
    more: str = ""
    priority: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A list of the note with its heading. An empty one says so: nothing is left out."""

    key: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A figure of the shift, with its target where there is one."""

    name: str
    value: str
    target: str
    over: bool


def page(screen: Screen) -> None:
    """The whole page below the strip."""

    @st.fragment(run_every=screen.redraw_s)
    def region() -> None:
        view = screen.view()
        if view.snapshot.duty is None:
            st.info(screen.t("handover.no_roster"))
            return
        roster = screen.line.desk.roster
        shift = notes.leaving(roster, view.snapshot.handovers, view.now) or view.snapshot.duty
        name = notes.handover_id(shift, roster.zone)
        whole_city = screen.person.areas is None
        stored = screen.line.store.read_handovers(EARLIER) if whole_city else []
        note = next((one for one in stored if one.id == name), None)
        live = notes.content(_ledger(view.snapshot), screen.line.desk, shift, view.now)
        frozen = note is not None and note.signed_out_at is not None
        facts = json.loads(note.content) if note is not None and frozen else live
        panel.panel("handover_head", {"head": _head(view, facts, note, shift)})
        if not whole_city:
            st.caption(screen.t("handover.only_areas"))
        elif may(screen.person, "draft_handover"):
            _answer(screen)
            _deeds(screen, name, note, [one for one in stored if _half_signed(one) and one.id != name])
        panel.panel("handover_note", {"note": _body(screen, view, facts, note)})
        if whole_city:
            _earlier(screen, view, [one for one in stored if one.id != name or frozen])

    region()


def _ledger(snapshot: Snapshot) -> Ledger:
    """What the screen knows of the desk, as the ledger has it."""
    return Ledger(
        alerts={alert.key: alert for alert in snapshot.alerts},
        situations=snapshot.situations,
        steps={(step.rule, step.site_id, step.began_at, step.step): step for step in snapshot.steps},
        switches=snapshot.switches,
        handovers=snapshot.handovers,
        undelivered=snapshot.undelivered,
    )


def _half_signed(note: Handover) -> bool:
    return note.signed_out_at is not None and note.signed_in_at is None


# -- what is to be read ----------------------------------------------------------------------------------------------


def _head(view: View, facts: Facts, note: Handover | None, shift: DutyShift) -> str:
    review = notes.to_review({alert.key: alert for alert in view.snapshot.alerts}, shift, view.now)
    return render.html(
        "handover.html",
        view.snapshot,
        view.language,
        part="head",
        shift=_shift(view, facts["shift"]),
        following=_shift(view, facts["next"]),
        state=_state(view, note, facts),
        review=[_covered(view, alert.rule, alert.site_id, {"until": _iso(alert.hidden_until)}) for alert in review],
        left=formats.duration(shift.ends_at - view.now, view.language) if view.now < shift.ends_at else "",
    )


def _body(screen: Screen, view: View, facts: Facts, note: Handover | None) -> str:
    return render.html(
        "handover.html",
        view.snapshot,
        view.language,
        part="body",
        view=view,
        sections=sections(view, facts),
        numbers=_numbers(screen, view, facts, note),
        remark=note.note if note else "",
    )


def sections(view: View, facts: Facts) -> list[Section]:
    """The lists of a note in the words of the screen, most urgent first."""
    t = view.t
    found = {
        "open": [_open(view, one) for one in facts["open"]],
        "unassigned": [
            Row(
                text=_title(view, one),
                more=t("handover.acked_by", who=one["acked_by"] or formats.DASH, at=_at(view, one["acked_at"])),
                priority=one["priority"],
            )
            for one in facts["unassigned"]
        ],
        "steps": [_steps(view, one) for one in facts["steps"]],
        "situations": [_situation(view, one, facts["open"]) for one in facts["situations"]],
        "shelved": [_cover(view, one) for one in facts["shelved"]],
        "out_of_service": [_cover(view, one) for one in facts["out_of_service"]],
        "others": list(_others(view, facts)),
    }
    return [Section(key=key, title=t(f"handover.section_{key}"), rows=tuple(rows)) for key, rows in found.items()]


def _open(view: View, one: Facts) -> Row:
    t = view.t
    given = " · ".join(part for part in (one["assignee"], one["unit"]) if part)
    parts = [t(f"alert_state.{one['state']}"), t("handover.since", at=_at(view, one["raised_at"]))]
    if given:
        parts.append(t("handover.given_to", who=given))
    if one["due_at"]:
        parts.append(t("handover.due", at=_at(view, one["due_at"])))
    if one["situation"]:
        parts.append(one["situation"])
    late = bool(one["due_at"]) and datetime.fromisoformat(one["due_at"]) < view.now
    return Row(text=_title(view, one), more=" · ".join(parts), priority=one["priority"], late=late)


def _steps(view: View, one: Facts) -> Row:
    t = view.t
    late = [step for step in one["open"] if step["overdue"]]
    first = one["open"][0]
    words = t("handover.next_step", n=first["step"], action=first[f"action_{view.language}"], role=first["role"])
    if first["due_at"]:
        words += f" · {t('handover.due', at=_at(view, first['due_at']))}"
    if late:
        words += f" · {t('handover.late_steps', n=len(late))}"
    done = t("handover.steps_done", done=one["done"], total=one["total"])
    return Row(text=f"{_title(view, one)} · {done}", more=words, priority=one["priority"], late=bool(late))


def _situation(view: View, one: Facts, opened: Sequence[Facts]) -> Row:
    """«VV-0042 Ngập hầm chui, Mưa to cục bộ»: what is open in it, worst first, and how far it is."""
    t = view.t
    inside = dict.fromkeys(_rule_title(view, alert) for alert in opened if alert["situation"] == one["id"])
    names = ", ".join(list(inside)[:TITLES])
    lead = " · ".join(part for part in (one["lead"], one["unit"]) if part)
    parts = [
        t(f"handover.status_{one['status']}"),
        t("handover.led_by", who=lead) if lead else t("handover.no_lead"),
        t("handover.alerts", n=one["alerts"]),
    ]
    return Row(
        text=" · ".join(part for part in (f"{one['id']} {names}".strip(), one["note"]) if part),
        more=" · ".join(parts),
        late=not lead,
    )


def _cover(view: View, one: Facts) -> Row:
    text = _covered(view, one["rule"], one["site_id"], one)
    order = one.get("work_order", "")
    words = [view.t("handover.work_order", order=order)] if order else []
    if one["by"]:
        words.append(view.t("handover.covered_by", who=one["by"]))
    if one["reason"]:
        words.append(f"«{one['reason']}»")
    return Row(text=text, more=" · ".join(words), priority=one["priority"])


def _others(view: View, facts: Facts) -> Iterator[Row]:
    """What has no list of its own: messages that reached nobody, and what is hidden by design."""
    t = view.t
    if facts["undelivered"] is None:
        yield Row(text=t("handover.undelivered_unknown"))
    elif facts["undelivered"]:
        yield Row(text=t("handover.undelivered", n=facts["undelivered"]), late=True)
    for one in facts.get("not_told") or ():  # notes from before this list have the count alone
        words = t("handover.not_told", channels=", ".join(one["channels"]), n=one["notices"])
        text = one["site_id"] if one["rule"] == SITUATION else _title(view, one)
        yield Row(text=text, more=words, priority=one["priority"], late=True)
    if facts["suppressed"]:
        yield Row(text=t("handover.suppressed", n=facts["suppressed"]))


def _numbers(screen: Screen, view: View, facts: Facts, note: Handover | None) -> list[Number]:
    """What happened in the shift, up to its end or to the first signature; read from the journal, which only grows."""
    t, language = view.t, view.language
    since = datetime.fromisoformat(facts["shift"]["starts_at"])
    signed_at = note.signed_out_at if note else None
    until = signed_at or min(view.now, datetime.fromisoformat(facts["shift"]["ends_at"]))
    own = screen.person.areas is not None
    journal = view.snapshot.journal if own else screen.line.store.read_journal(since - JOURNAL_BEFORE, limit=MOST_LINES)
    made = report(
        journal,
        since=since,
        until=until,
        rules=view.snapshot.rules,
        positions={},
        alerts=view.snapshot.alerts,
        cycles_min={},
    )
    in_shift = journal[(journal["happened_at"] > since) & (journal["happened_at"] <= until)]
    rang = made.position().figure("rate").n
    acked = int(((in_shift["deed"] == "acknowledge") & ~in_shift["state_after"].isin(COVERS)).sum())
    found = [
        Number(name=t("handover.raised"), value=formats.number(rang, 0, language), target="", over=False),
        Number(name=t("handover.acknowledged"), value=formats.number(acked, 0, language), target="", over=False),
    ]
    for key in FIGURES:
        figure = made.position().figure(key)
        whole = key == "ack_expired"
        value = formats.percent(figure.value, 0, language) if key in SHARES else formats.number(
            figure.value, 0 if whole else 1, language
        )  # fmt: skip
        if key == "ack_median" and figure.value is not None:
            value = formats.duration(timedelta(minutes=figure.value), language)
        target = t(f"handover.target_{key}") if key in ("rate", *SHARES) else ""
        found.append(Number(name=t(f"handover.{key}"), value=value, target=target, over=figure.verdict == "over"))
    if made.rules and made.rules[0].annunciations:
        worst = made.rules[0]
        words = view.snapshot.rules.get(worst.rule)
        title = words.title[language] if words else worst.rule
        found.append(
            Number(
                name=t("handover.most_repeated"),
                value=t("handover.times", n=worst.annunciations, title=title),
                target="",
                over=False,
            )
        )
    return found


def _state(view: View, note: Handover | None, facts: Facts) -> list[str]:
    """Who made and signed the note, in sentences."""
    t = view.t
    if note is None:
        return [t("handover.not_made")]
    said = [t("handover.made", id=note.id, who=note.made_by, at=_moment(view, note.made_at))]
    if note.signed_out_at is None:
        return [*said, t("handover.not_signed")]
    who = _signer(view, note.signed_out_by, facts["shift"])
    said.append(t("handover.signed_out", who=who, at=_moment(view, note.signed_out_at)))
    if note.signed_in_at is None:
        return [*said, t("handover.waits_for_next")]
    who = _signer(view, note.signed_in_by, facts["next"])
    return [*said, t("handover.signed_in", who=who, at=_moment(view, note.signed_in_at))]


def _signer(view: View, name: str, shift: Facts | None) -> str:
    """The name, and that it is not in the roster of that shift, where it is not."""
    known = {one.casefold() for one in (shift["lead"], shift["deputy"]) if one} if shift else set()
    return name if name.casefold() in known else view.t("handover.off_roster", who=name)


def _shift(view: View, shift: Facts | None) -> dict[str, str] | None:
    if shift is None:
        return None
    begin, end = (datetime.fromisoformat(shift[name]) for name in ("starts_at", "ends_at"))
    day = formats.day(begin, view.zone, view.language)
    return {
        "name": shift["name_en" if view.language == "en" else "name_vi"],
        "span": f"{formats.clock(begin, view.zone)} – {formats.clock(end, view.zone)} · {day}",
        "lead": shift["lead"],
        "deputy": shift["deputy"],
    }


def _title(view: View, one: Facts) -> str:
    """«Ngập hầm chui: Hầm chui Đông Kiều»; by the title that the note kept, else by today's."""
    return f"{_rule_title(view, one)}: {view.snapshot.city.site_name(one['site_id'], view.language)}"


def _rule_title(view: View, one: Facts) -> str:
    words = view.snapshot.rules.get(one["rule"])
    kept: str = one["title_en" if view.language == "en" else "title_vi"]
    return kept or (words.title[view.language] if words else str(one["rule"]))


def _covered(view: View, rule: str, site_id: str, one: Facts) -> str:
    title = _title(view, {"title_vi": "", "title_en": "", **one, "rule": rule, "site_id": site_id})
    return f"{title} · {view.t('handover.until', at=_at(view, one['until']))}"


def _at(view: View, text: str | None) -> str:
    return formats.DASH if text is None else _moment(view, datetime.fromisoformat(text))


def _moment(view: View, at: datetime) -> str:
    return formats.moment(at, view.now, view.zone)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


# -- what is to be done ----------------------------------------------------------------------------------------------


def _deeds(screen: Screen, name: str, note: Handover | None, waiting: Sequence[Handover]) -> None:
    """Name (without a login), remark, and the signatures that the note is ready for."""
    t, person = screen.t, screen.person
    signed = note is not None and note.signed_out_at is not None
    with st.container(key="handover_deeds", horizontal=True, gap="small", vertical_alignment="bottom"):
        if person.kind == "demo":
            if "handover_actor" not in st.session_state:
                st.session_state["handover_actor"] = st.session_state.get("duty_name", "")
            st.text_input(t("alert.name"), key="handover_actor", placeholder=t("alert.name_hint"), max_chars=80)
        if not signed:
            own = f"handover_remark:{name}:{note.made_at if note else ''}"  # somebody else's remark is shown, not lost
            if own not in st.session_state:
                st.session_state[own] = note.note if note else ""
            st.text_area(t("handover.remark"), key=own, max_chars=MOST_NOTE_CHARACTERS, height=80)
            word = t("handover.draft_again") if note else t("handover.draft")
            st.button(word, key="do_draft_handover", on_click=_draft, args=(screen, own))
            if note is not None:
                st.button(
                    t("handover.sign_out"),
                    type="primary",
                    key=f"do_sign_out:{name}",
                    on_click=_sign_out,
                    args=(screen, note, own),
                )
        for one in [*([note] if note is not None and _half_signed(note) else []), *waiting]:
            st.button(
                t("handover.sign_in", id=one.id),
                type="primary",
                key=f"do_sign_in:{one.id}",
                on_click=_sign_in,
                args=(screen, one.id),
            )


def _draft(screen: Screen, own: str) -> None:
    _done(screen, Deed(action="draft_handover", text=str(st.session_state.get(own, ""))))


def _sign_out(screen: Screen, note: Handover, own: str) -> None:
    """Sign over. A remark that was typed and not sent belongs to what is signed."""
    remark = str(st.session_state.get(own, ""))
    if remark.strip() == note.note or _done(screen, Deed(action="draft_handover", text=remark)):
        _done(screen, Deed(action="sign_out", handover=note.id))


def _sign_in(screen: Screen, name: str) -> None:
    _done(screen, Deed(action="sign_in", handover=name))


def _done(screen: Screen, deed: Deed) -> bool:
    """Through the gate; what came of it stands above the note at the next run. True when it was done."""
    if screen.person.kind == "demo":
        st.session_state["duty_name"] = str(st.session_state.get("handover_actor", ""))
    try:
        screen.line.act(screen.person, deed)
    except (Refused, Denied) as error:
        st.session_state["handover_answer"] = ("error", error.words(screen.language))
    except InputError as error:
        st.session_state["handover_answer"] = ("error", str(error))
    else:
        st.session_state["handover_answer"] = ("done", screen.t(f"handover.done_{deed.action}"))
        return True
    return False


def _answer(screen: Screen) -> None:
    kind, text = st.session_state.get("handover_answer", ("", ""))
    if kind:
        with st.container(key=f"notice_{kind}"):
            st.text(text)


# -- earlier notes ---------------------------------------------------------------------------------------------------


def _earlier(screen: Screen, view: View, found: Sequence[Handover]) -> None:
    t = screen.t
    if not found:
        st.caption(t("handover.none_earlier"))
        return
    by_id = {note.id: note for note in found}
    with st.container(key="handover_earlier", border=True):
        chosen = st.selectbox(
            t("handover.earlier"),
            list(by_id),
            index=None,
            placeholder=t("handover.choose"),
            format_func=lambda one: _label(view, by_id[one]),
            key="handover_chosen",
        )
        if chosen is None or chosen not in by_id:
            return
        note = by_id[chosen]
        facts = json.loads(note.content)
        numbers = _numbers(screen, view, facts, note)
        panel.panel(
            "handover_read",
            {
                "read": render.html(
                    "handover.html",
                    view.snapshot,
                    view.language,
                    part="read",
                    view=view,
                    id=note.id,
                    shift=_shift(view, facts["shift"]),
                    following=_shift(view, facts["next"]),
                    state=_state(view, note, facts),
                    sections=sections(view, facts),
                    numbers=numbers,
                    remark=note.note,
                )
            },
        )
        with st.expander(t("handover.as_text")):
            st.code(as_text(view, note, facts, numbers), language=None, wrap_lines=True)


def _label(view: View, note: Handover) -> str:
    word = "open" if note.signed_out_at is None else "half" if note.signed_in_at is None else "whole"
    return f"{note.id} · {view.t(f'handover.label_{word}')}"


def as_text(view: View, note: Handover, facts: Facts, numbers: Sequence[Number]) -> str:
    """The note as plain text: for a message, a paper log, a printer without a browser."""
    t, shift, following = view.t, _shift(view, facts["shift"]), _shift(view, facts["next"])
    marks = [t("mark.simulated")] if view.snapshot.city.simulated else []
    marks += [t("people.drill")] if view.snapshot.drill else []
    lines = [f"{t('handover.title')} {note.id} · {view.snapshot.city.name(view.language)}", *marks]
    for word, one in (("leaving", shift), ("following", following)):
        if one is not None:
            lines.append(f"{t(f'handover.{word}')}: {one['name']} · {one['span']} · {one['lead']}")
    lines += _state(view, note, facts)
    if note.note:
        lines += ["", f"{t('handover.remark')}: {note.note}"]
    lines += ["", t("handover.figures")]
    lines += [f"- {one.name}: {one.value}" + (f" ({one.target})" if one.target else "") for one in numbers]
    for section in sections(view, facts):
        lines += ["", f"{section.title} ({len(section.rows)})"]
        for row in section.rows:
            word = f"[{t(f'priority.{row.priority}')}] " if row.priority else ""
            lines.append(f"- {word}{row.text}" + (f" · {row.more}" if row.more else ""))
    return "\n".join(lines)
