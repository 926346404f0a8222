"""Pilots: the register with its locks, and one pilot with verdict, power, pictures, placebos and checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import streamlit as st

from analysis.pilots import Estimate, Power, Result
from analysis.pilots_inference import ALPHA
from analysis.pilots_power import WANTED
from analysis.pilots_verdict import MOST_NOISIER
from charts import pilot as pictures
from control.pilots import Known
from core import formats
from core.access import Denied, may
from core.catalogue import ObservedProperty
from core.errors import InputError
from core.formats import DASH
from core.pilot_faults import PilotFault
from core.pilots import CHANGED, FINISHED, LATE, PLANNED, RUNNING, UNLOCKED, Pilot
from ui import panel, render
from ui.figure import Figure, by_key, figure
from ui.frame import Screen
from ui.views import View

ABNORMAL = (CHANGED, LATE)
MARK_LENGTH = 12  # of the hash that a person compares by eye; the whole stands in the tooltip


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the table of checks."""

    name: str  # pilots.check_<name>
    found: str
    passed: bool | None  # None: could not be tested


def register(screen: Screen) -> None:
    """The whole page below the strip."""

    @st.fragment(run_every=screen.redraw_s)
    def region() -> None:
        screen.leave_waiting()
        view, t = screen.view(), screen.t
        known = [one for one in screen.line.pilots() if _own(screen, one.pilot)]
        panel.panel("pilot_register", {"register": _register(screen, view, known)})
        if not known:
            return
        keys = [one.pilot.key for one in known]
        titles = {one.pilot.key: one.pilot.text("title", screen.language) for one in known}
        asked = str(st.query_params.get("pilot", ""))
        first = next((place for place, one in enumerate(known) if one.result is not None), 0)
        with st.container(key="pilot_choice", border=True):
            chosen = st.selectbox(
                t("pilots.choose"),
                keys,
                index=keys.index(asked) if asked in keys else first,
                format_func=lambda key: titles.get(key, key),
                key="pilot_chosen",
            )
        st.query_params["pilot"] = chosen
        _one(screen, view, known[keys.index(chosen)])
        _lock(screen, known[keys.index(chosen)].pilot, known[keys.index(chosen)].state)

    region()


def _lock(screen: Screen, pilot: Pilot, state: str) -> None:
    """Seal an open plan before its start: by those who may, once, and never to be taken back."""
    said = st.session_state.pop("pilot_lock_said", "")
    if said:
        st.text(said)
    if pilot.lock != UNLOCKED or state != PLANNED or not may(screen.person, "lock_pilot"):
        return
    with st.container(key="pilot_lock", horizontal=True, gap="small", vertical_alignment="center"):
        st.text(screen.t("pilots.lock_how", start=_day(pilot.starts, screen.language)))
        st.button(
            screen.t("pilots.lock_now"), key=f"do_lock_pilot:{pilot.key}", on_click=_seal, args=(screen, pilot.key)
        )


def _seal(screen: Screen, key: str) -> None:
    try:
        screen.line.lock_pilot(screen.person, key)
    except (Denied, PilotFault) as error:
        st.session_state["pilot_lock_said"] = error.words(screen.language)
    except InputError as error:
        st.session_state["pilot_lock_said"] = str(error)
    else:
        st.session_state["pilot_lock_said"] = screen.t("pilots.lock_done")


def _own(screen: Screen, pilot: Pilot) -> bool:
    """True when one of the treated places lies in the person's areas."""
    areas, city = screen.person.areas, screen.line.city
    return areas is None or any(city.area_of(site_id) in areas for site_id in pilot.treated)


def _one(screen: Screen, view: View, known: Known) -> None:
    item = screen.line.catalogue.get(known.pilot.indicator)
    panel.panel("pilot_verdict", {"verdict": _verdict(view, known, item)})
    result = known.result
    if result is None:
        return
    left, right = st.columns([3, 2], gap="small")
    with left, st.container(key="pilot_picture", border=True):
        _picture(screen, known, result, item)
    with right, st.container(key="pilot_placebos", border=True):
        _placebos(screen, known, result, item)
    panel.panel("pilot_tables", {"tables": _tables(view, known, result, item)})


# -- the register -----------------------------------------------------------------------------------------------------


def _register(screen: Screen, view: View, known: Sequence[Known]) -> str:
    rows = [_row(view, one, screen.line.catalogue.get(one.pilot.indicator)) for one in known]
    why = figure(
        view,
        "pilot_plan",
        owner=view.t("figure.in_each_row"),
        more=[(row["title"], f"SHA-256 {row['digest']}") for row in rows],
    )
    return render.html("pilot_register.html", view.snapshot, view.language, view=view, rows=rows, why=why)


def _row(view: View, known: Known, item: ObservedProperty | None) -> dict[str, Any]:
    pilot, language = known.pilot, view.language
    verdict = known.result.verdict if known.result else "early" if known.state == RUNNING else "before"
    return {
        "key": pilot.key,
        "title": pilot.text("title", language),
        "what": pilot.text("what", language),
        "indicator": item.name(language) if item else pilot.indicator,
        "indicator_note": pilot.text("indicator_note", language),
        "places": ", ".join(view.snapshot.city.site_name(one, language) for one in pilot.treated),
        "treated": len(pilot.treated),
        "controls": len(pilot.controls),
        "back_to": _day(pilot.looks_back_to, language),
        "since": _day(pilot.starts, language),
        "until": _day(pilot.ends, language),
        "decide_by": _day(pilot.decide_by, language) if pilot.decide_by else "",
        "state": known.state,
        "cost": formats.number(pilot.cost_million_vnd, 0, language),
        "money": pilot.text("money", language),
        "private": formats.percent(pilot.private_share_pct, 0, language),
        "owner": pilot.text("owner", language),
        "gate": pilot.text("gate", language),
        "lock": pilot.lock,
        "wrong": pilot.lock in ABNORMAL or (pilot.lock == UNLOCKED and known.state != "planned"),
        "locked_at": _moment(view, pilot.locked_at),
        "mark": pilot.digest[:MARK_LENGTH],
        "digest": pilot.digest,
        "verdict": verdict,
    }


def _moment(view: View, at: datetime | None) -> str:
    return DASH if at is None else formats.day(at, view.zone, view.language)


def _day(day: date, language: str) -> str:
    return f"{day.day} {formats.MONTHS_EN[day.month - 1]} {day.year}" if language == "en" else day.strftime("%d/%m/%Y")


# -- the verdict ------------------------------------------------------------------------------------------------------


def _verdict(view: View, known: Known, item: ObservedProperty | None) -> str:
    result = known.result
    return render.html(
        "pilot_verdict.html",
        view.snapshot,
        view.language,
        pilot=known.pilot,
        title=known.pilot.text("title", view.language),
        problem=known.pilot.text("problem", view.language),
        what=known.pilot.text("what", view.language),
        trouble=known.problem.words(view.language) if known.problem else "",
        state=known.state,
        waiting=known.state != FINISHED,
        result=result,
        verdict=result.verdict if result else "",
        reasons=[one.words(view.language) for one in result.reasons] if result else [],
        effect=_said(view, result, item) if result else {},
        sample=_sample(result) if result else {},
        source=known.pilot.panel.name if known.pilot.panel else "",
        why=by_key(_why(view, known, item)),
        **_power(view, known, item),
    )


def _why(view: View, known: Known, item: ObservedProperty | None) -> list[Figure]:
    """The drawers of one pilot: effect and verdict of a finished one, and what it can see."""
    t, pilot, result = view.t, known.pilot, known.result
    file = pilot.panel.name if pilot.panel else DASH
    owned: dict[str, Any] = {
        "owner": pilot.text("owner", view.language),
        "indicator": pilot.indicator,
        "made_at": known.made_at,
    }
    lock = t(f"pilots.lock_{pilot.lock}", at=_moment(view, pilot.locked_at))
    named = item.name(view.language) if item else pilot.indicator
    since, until = (_day(one, view.language) for one in (pilot.starts, pilot.ends))
    plan = [
        (t("pilots.measure"), pilot.text("indicator_note", view.language) or named),
        (t("pilots.lock"), f"{lock}; SHA-256 {pilot.digest}"),
        (t("pilots.dates"), t("pilots.from_to", since=since, until=until)),
    ]
    found = []
    if result is not None:
        sample, said = _sample(result), _said(view, result, item)
        based = t(
            "pilots.rests_on",
            treated=formats.number(sample["treated"], 0, view.language),
            controls=formats.number(sample["controls"], 0, view.language),
            before=formats.number(sample["before"], 0, view.language),
            after=formats.number(sample["after"], 0, view.language),
            source=file,
        )
        rests: dict[str, Any] = {"sample": based, "more": plan, **owned}
        compared = formats.number(result.compared, 0, view.language)
        method = t(f"pilots.method_{result.method}", n=compared, seed=result.seed)
        interval = f"{said['low']} … {said['high']}" if said["bounded"] else t("figure.none")
        verdict = t(f"pilots.verdict_{result.verdict}")
        found += [
            figure(view, "pilot_effect", said["value"], interval=interval, method=method, file=file, **rests),
            figure(view, "pilot_verdict", verdict, interval=interval, **rests),
        ]
    if known.power is not None and known.power.noise is not None:
        power = _power(view, known, item)
        value = power["smallest"] or t("pilots.power_never")
        wanted = formats.percent(100 * WANTED, 0, view.language)
        found.append(figure(view, "pilot_power", value, more=plan, wanted=wanted, file=file, **owned))
    return found


def _said(view: View, result: Result, item: ObservedProperty | None) -> dict[str, Any]:
    """The effect and the ends of its interval in %, or in the indicator's unit where % mean nothing."""
    if result.percent is not None:
        one = result.percent
        found = [formats.percent(value, 1, view.language, signed=True) for value in (one.value, one.low, one.high)]
    else:
        one = result.effect
        found = [_amount(value, item, view.language) for value in (one.value, one.low, one.high)]
    return {"value": found[0], "low": found[1], "high": found[2], "bounded": one.bounded, "sure": one.sure}


def _sample(result: Result) -> dict[str, int]:
    shown = result.panel
    return {
        "treated": int(shown.treated.sum()),
        "controls": int((~shown.treated).sum()),
        "before": int((~shown.after).sum()),
        "after": int(shown.after.sum()),
        "left_out": shown.left_out,
    }


def _amount(value: float, item: ObservedProperty | None, language: str, *, signed: bool = True) -> str:
    """A value with one decimal more than usual: differences are finer than what is measured."""
    decimals = (item.decimals if item else 1) + 1
    text = formats.number(value, decimals, language, signed=signed)
    unit = item.unit_label(language) if item else ""
    return f"{text} {unit}".strip() if text != DASH else DASH


def _power(view: View, known: Known, item: ObservedProperty | None) -> dict[str, Any]:
    power, language = known.power, view.language
    chance = None if power is None else power.at_worthwhile
    return {
        "power": power,
        "smallest": _smallest(view, power, item),
        "worthwhile": formats.percent(known.pilot.worthwhile_pct, 1, language),
        "chance": "" if chance is None else _share(view, chance),
        "enough": chance is not None and chance >= WANTED,
        "spread": _amount(power.noise.spread, item, language, signed=False) if power and power.noise else DASH,
        "correlation": formats.number(power.noise.correlation, 2, language) if power and power.noise else DASH,
    }


def _smallest(view: View, power: Power | None, item: ObservedProperty | None) -> str:
    if power is None or power.smallest is None:
        return ""
    amount = _amount(power.smallest, item, view.language, signed=False)
    if power.smallest_pct is None:
        return amount
    return f"{formats.percent(power.smallest_pct, 1, view.language)} ({amount})"


def _share(view: View, share: float) -> str:
    return formats.percent(100 * share, 0, view.language)


# -- the pictures -----------------------------------------------------------------------------------------------------


def _mark(screen: Screen) -> str:
    return f"{screen.t('mark.simulated')} · " if screen.snapshot.city.simulated else ""


def _picture(screen: Screen, known: Known, result: Result, item: ObservedProperty | None) -> None:
    t = screen.t
    lines = {pictures.OWN: result.own.tolist(), pictures.OTHERS: result.others.tolist()}
    if result.synthetic is not None:
        lines[pictures.MIX] = result.synthetic.mix.tolist()
    st.markdown(f"**{t('pilots.picture')}**")
    chart = pictures.path(
        [date.fromisoformat(one[:10]) for one in result.panel.times],
        lines,
        starts=known.pilot.starts,
        names={key: t(f"pilots.series_{key}") for key in lines},
        start_word=t("pilots.start"),
        unit=item.unit_label(screen.language) if item else "",
        decimals=(item.decimals if item else 1) + 1,
        language=screen.language,
        theme=screen.look,
    )
    st.altair_chart(chart, theme=None, width="stretch", key="pilot_path")
    st.caption(_mark(screen) + t("pilots.picture_note", start=_day(known.pilot.starts, screen.language)))


def _placebos(screen: Screen, known: Known, result: Result, item: ObservedProperty | None) -> None:
    t, areas, city = screen.t, screen.person.areas, screen.line.city
    controls = [unit for unit, treated in zip(result.panel.units, result.panel.treated, strict=True) if not treated]
    names = [
        city.site_name(unit, screen.language)
        if areas is None or city.area_of(unit) in areas
        else t("alarm_health.elsewhere")
        for unit in controls[: len(result.placebos)]
    ]
    effect = result.effect
    st.markdown(f"**{t('pilots.placebos')}**")
    chart = pictures.among_placebos(
        list(zip(names, result.placebos, strict=True)),
        effect=effect.value,
        low=effect.low if effect.bounded else None,
        high=effect.high if effect.bounded else None,
        name=known.pilot.text("title", screen.language),
        unit=item.unit_label(screen.language) if item else "",
        decimals=(item.decimals if item else 1) + 1,
        language=screen.language,
        theme=screen.look,
    )
    st.altair_chart(chart, theme=None, width="stretch", key="pilot_cloud")
    st.caption(_mark(screen) + t("pilots.placebos_note"))


# -- the tables -------------------------------------------------------------------------------------------------------


def _tables(view: View, known: Known, result: Result, item: ObservedProperty | None) -> str:
    shown, language = result.panel, view.language
    groups = []
    for name, chosen in (("own", shown.treated), ("others", ~shown.treated)):
        mean = shown.values[chosen].mean(axis=0)
        before, after = float(mean[~shown.after].mean()), float(mean[shown.after].mean())
        groups.append(
            {
                "name": name,
                "n": int(chosen.sum()),
                "before": _amount(before, item, language, signed=False),
                "after": _amount(after, item, language, signed=False),
                "change": _amount(after - before, item, language),
            }
        )
    one = result.effect
    return render.html(
        "pilot_tables.html",
        view.snapshot,
        language,
        groups=groups,
        net=_amount(one.value, item, language),
        net_low=_amount(one.low, item, language) if one.bounded else "",
        net_high=_amount(one.high, item, language) if one.bounded else "",
        sure=one.sure,
        checks=_checks(view, result, item),
        method=result.method,
        compared=formats.number(result.compared, 0, language),
        seed=result.seed,
        source=known.pilot.panel.name if known.pilot.panel else "",
        why=figure(
            view,
            "pilot_checks",
            made_at=known.made_at,
            indicator=known.pilot.indicator,
            owner=known.pilot.text("owner", language),
            file=known.pilot.panel.name if known.pilot.panel else DASH,
        ),
    )


def _checks(view: View, result: Result, item: ObservedProperty | None) -> list[Check]:
    t, language, mix = view.t, view.language, result.synthetic

    def tested(name: str, found: Estimate | None) -> Check:
        if found is None:
            return Check(name=name, found=DASH, passed=None)
        return Check(
            name=name, found=t("pilots.chance", p=formats.number(found.p, 3, language)), passed=found.p > ALPHA
        )

    rows = [tested("trend", result.trend), tested("early", result.early)]
    share = result.placebo_share
    rows.append(
        Check(name="space", found=t("pilots.share_as_large", share=_share(view, share)), passed=share <= ALPHA)
        if result.placebos
        else Check(name="space", found=DASH, passed=None)
    )
    times = formats.number(result.noisier, 1, language)
    rows.append(Check(name="noise", found=t("pilots.times_noisy", times=times), passed=result.noisier <= MOST_NOISIER))
    if mix is None:
        return [*rows, Check(name="synthetic", found=DASH, passed=None)]
    chance = DASH if result.synthetic_p is None else formats.number(result.synthetic_p, 3, language)
    said = t("pilots.mix_says", effect=_amount(mix.effect, item, language), p=chance)
    return [*rows, Check(name="synthetic", found=said, passed=mix.effect * result.effect.value > 0)]
