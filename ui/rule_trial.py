"""Trying a rule on history: as it stands, with other figures, and the cure that its own history suggests.

The replay runs in the line, never in a page; a page asks how far it is. Nothing here writes a configuration: the
changed figures are shown as text to copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

import streamlit as st

from alerts.rules import Rule
from alerts.trial import RINGING, Cure, Trial
from analysis import alarm_health as figures
from charts import alarm_rate, rule_trial
from core import formats
from core.access import may
from core.calendar import LEAST_DAYS
from core.formats import DASH
from ui import panel, render
from ui.frame import Screen

DAYS = (7, 30, 90)
LOOK_S = 2.0  # how often a page asks how far a trial is
DEFAULT_PERIOD = timedelta(minutes=5)
SPANS_MIN = ("on_delay_min", "off_delay_min")
LONGEST_DELAY_MIN = 10_080.0  # a week


class TrialJob(Protocol):
    """A trial that the line runs beside its cycles; the same question twice is the same job."""

    @property
    def done(self) -> bool:
        """True when there is a result, or a reason why not."""

    @property
    def progress(self) -> float:
        """0 … 1."""

    @property
    def result(self) -> Trial | None:
        """What the rule would have done."""

    @property
    def cure(self) -> Cure | None:
        """What its history suggests; only for the rule as it stands."""

    @property
    def error(self) -> str:
        """Why there is no result, in words; empty while all is well."""


def trials(screen: Screen) -> None:
    """The whole page below the strip. Rule and span live in the address; other figures in the viewer's session."""
    t = screen.t
    if not may(screen.person, "try_rule"):
        st.info(t("rule_trial.not_allowed"))
        return
    rules = {rule.key: rule for rule in screen.line.desk.rules}
    if not rules:
        st.info(t("rule_trial.no_rules"))
        return
    rule, days = _choose(screen, rules)
    changes = _changes(screen, rule)
    waiting = not all(job.done for job in _jobs(screen, rule, days, changes))

    @st.fragment(run_every=LOOK_S if waiting else None)
    def region() -> None:
        jobs = _jobs(screen, rule, days, changes)
        if all(job.done for job in jobs):
            if waiting:
                st.rerun()
            _results(screen, rule, days, changes, jobs)
        else:
            st.progress(min(job.progress for job in jobs), text=t("rule_trial.running"))

    region()


def _jobs(screen: Screen, rule: Rule, days: int, changes: Mapping[str, float]) -> list[TrialJob]:
    """The trial of the rule as it stands, and the one with other figures where there are any."""
    jobs: list[TrialJob] = [screen.line.trial(rule.key, days)]
    if changes:
        jobs.append(screen.line.trial(rule.key, days, changes))
    return jobs


# -- what to try ------------------------------------------------------------------------------------------------------


def _choose(screen: Screen, rules: Mapping[str, Rule]) -> tuple[Rule, int]:
    t, known = screen.t, sorted(rules, key=lambda key: rules[key].title(screen.language))
    with st.container(key="trial_choice", border=True, horizontal=True, gap="small", vertical_alignment="bottom"):
        asked = str(st.query_params.get("rule", ""))
        key = st.selectbox(
            t("rule_trial.rule"),
            known,
            index=known.index(asked) if asked in known else 0,
            format_func=lambda one: rules[one].title(screen.language),
            key="trial_rule",
        )
        wanted = str(st.query_params.get("days", ""))
        start = next((one for one in DAYS if str(one) == wanted), DAYS[1])
        days = st.segmented_control(
            t("rule_trial.span"), DAYS, default=start, format_func=lambda n: t("word.days", n=n), key="trial_days"
        )
    days = days or start
    st.query_params.update({"rule": key, "days": str(days)})
    rule = rules[key]
    head = render.html(
        "trial_head.html", screen.snapshot, screen.language, rule=rule, why=rule.off_because, mute=_mute(screen, rule)
    )
    panel.panel("trial_head", {"head": head})
    return rule, days


def _mute(screen: Screen, rule: Rule) -> str:
    """Where a rule that compares with the usual cannot speak at this hour; «» where it can, or compares with none."""
    snapshot = screen.snapshot
    if rule.kind != "deviation":
        return ""
    sites = [one.site_id for one in snapshot.of(rule.observed_property) if rule.limits_at(one.site_id)]
    mute = sum(snapshot.usual(rule.observed_property, site_id, snapshot.made_at) is None for site_id in sites)
    return screen.t("rule_trial.mute", n=mute, of=len(sites), need=LEAST_DAYS) if mute else ""


def stands(rule: Rule) -> dict[str, float]:
    """The figures of a rule that can be tried otherwise, by the names of `alerts.rules.altered`."""
    if rule.kind == "missing":
        return {}
    found: dict[str, float] = {}
    if rule.kind != "scale" and rule.direction != "outside":
        found = {
            f"setpoint:{level.priority}": float(level.setpoint)
            for level in rule.levels
            if isinstance(level.setpoint, (int, float))
        }
    minute = timedelta(minutes=1)
    return found | {
        "deadband": rule.deadband,
        "on_delay_min": rule.on_delay / minute,
        "off_delay_min": rule.off_delay / minute,
    }


def _changes(screen: Screen, rule: Rule) -> dict[str, float]:
    """A form with the figures of the rule; what was sent last and differs from the rule."""
    t, now = screen.t, stands(rule)
    if not now:
        st.caption(t("rule_trial.nothing_to_change"))
        return {}
    unit = rule.unit_of_value(screen.language)
    kept = st.session_state.setdefault(f"trial_changes:{rule.key}", {})
    with (
        st.expander(t("rule_trial.other_figures"), expanded=bool(kept)),
        st.form(f"trial_form:{rule.key}", border=False),
    ):
        given: dict[str, float] = {}
        for column, (name, value) in zip(st.columns(len(now)), now.items(), strict=True):
            minutes = name in SPANS_MIN
            given[name] = column.number_input(
                _label(screen, name, unit),
                value=float(kept.get(name, value)),
                min_value=0.0 if not name.startswith("setpoint") else None,
                max_value=LONGEST_DELAY_MIN if minutes else None,
                step=1.0 if minutes else None,
                format="%g",
                key=f"trial_{name}:{rule.key}",
            )
        if st.form_submit_button(t("rule_trial.try"), type="primary"):
            kept.clear()
            kept.update({name: value for name, value in given.items() if value is not None and value != now[name]})
    return dict(kept)


def _label(screen: Screen, name: str, unit: str) -> str:
    t = screen.t
    if name in SPANS_MIN:
        return t("rule_trial.on_delay") if name == "on_delay_min" else t("rule_trial.off_delay")
    if name == "deadband":
        return t("rule_trial.deadband", unit=unit or "1")
    return t("rule_trial.setpoint", priority=t(f"priority.{name.partition(':')[2]}"), unit=unit or "1")


def as_toml(rule: Rule, changes: Mapping[str, float]) -> str:
    """The changed figures as lines of a rule file; all levels where one of several was changed."""
    lines = [f"{name} = {changes[name]:g}" for name in ("deadband", *SPANS_MIN) if name in changes]
    setpoints = {name.partition(":")[2]: value for name, value in changes.items() if name.startswith("setpoint:")}
    if setpoints and len(rule.levels) == 1:
        lines.insert(0, f"setpoint = {setpoints[rule.levels[0].priority]:g}")
    elif setpoints:
        for level in rule.levels:
            value = setpoints.get(level.priority, level.setpoint)
            written = f"{value:g}" if isinstance(value, (int, float)) else f'"{value}"'
            lines += ["", "[[level]]", f"setpoint = {written}", f'priority = "{level.priority}"']
    return "\n".join(lines).strip()


# -- what came out ----------------------------------------------------------------------------------------------------


def _results(screen: Screen, rule: Rule, days: int, changes: Mapping[str, float], jobs: Sequence[TrialJob]) -> None:
    t = screen.t
    for job in jobs:
        if job.error:
            st.text(t("rule_trial.failed", why=job.error))
    found = [job.result for job in jobs if job.result is not None]
    if len(found) < len(jobs):
        return
    panel.panel("trial_verdict", {"verdict": _verdict(screen, found)})
    if changes:
        with st.container(key="trial_toml", border=True):
            st.markdown(f"**{t('rule_trial.copy')}**")
            st.code(as_toml(rule, changes), language="toml")
            st.caption(t("rule_trial.copy_note", file=f"alerts/{rule.key}.toml"))
    _pictures(screen, found)
    with st.container(key="trial_cure", border=True):
        _cure(screen, rule, jobs[0].cure)


def _verdict(screen: Screen, found: Sequence[Trial]) -> str:
    language = screen.language

    def span(value: timedelta | None) -> str:
        return DASH if value is None else formats.duration(value, language)

    rows = [
        ("rings", [formats.number(one.rings, 0, language) for one in found]),
        ("floods", [formats.number(one.floods, 0, language) for one in found]),
        ("chattering", [formats.number(one.chattering, 0, language) for one in found]),
        ("fleeting", [formats.number(one.fleeting, 0, language) for one in found]),
        ("suppressed", [formats.number(one.suppressed, 0, language) for one in found]),
        ("longest", [span(one.longest) for one in found]),
        ("median", [span(one.median) for one in found]),
    ]
    words = found[-1].words(language)
    newest = found[-1]
    begins = newest.judged["time"].min().to_pydatetime() if len(newest.judged) else newest.since
    return render.html(
        "trial_verdict.html",
        screen.snapshot,
        language,
        words=words[:1].upper() + words[1:] + ".",
        rows=rows,
        compared=len(found) > 1,
        sites=[(site, n) for site, n in newest.by_site.items() if _seen(screen, site)][:10],
        judged=len(newest.judged),
        begins=formats.moment(begins, screen.snapshot.made_at, screen.snapshot.city.zone),
    )


def _seen(screen: Screen, site_id: str) -> bool:
    areas, area = screen.person.areas, screen.line.city.area_of(site_id)
    return areas is None or not area or area in areas


def _pictures(screen: Screen, found: Sequence[Trial]) -> None:
    """The series of one place with its rings, and rings per day: of the other figures where some were tried."""
    t, language, zone = screen.t, screen.language, screen.snapshot.city.zone
    shown = found[-1]
    rule = shown.rule
    judged = [str(site) for site in shown.judged["site_id"].unique() if _seen(screen, str(site))]
    sites = sorted(judged, key=lambda site: (-shown.by_site.get(site, 0), site))
    mark = f"{t('mark.simulated')} · " if screen.snapshot.city.simulated else ""
    with st.container(key="trial_pictures", border=True):
        if not sites:
            st.info(t("rule_trial.no_data"))
            return
        site_id = st.selectbox(
            t("rule_trial.site"),
            sites,
            format_func=lambda one: screen.line.city.site_name(one, language),
            key=f"trial_site:{rule.key}",
        )
        rung = {event.happened_at for event in shown.events if event.deed in RINGING and event.site_id == site_id}
        rows = shown.judged[shown.judged["site_id"] == site_id]
        chart = rule_trial.tried(
            rows[["time", "value"]],
            rings=[
                (one.began_at, one.ended_at, one.priority)
                for one in shown.activations
                if one.site_id == site_id and one.began_at in rung
            ],
            setpoints=_setpoints(rule, site_id),
            since=shown.since,
            until=shown.until,
            period=rule.cycle or DEFAULT_PERIOD,
            decimals=max(rule.decimals, 1),
            unit=rule.unit_of_value(language),
            zone=zone,
            language=language,
            theme=screen.look,
        )
        st.altair_chart(chart, theme=None, width="stretch", key="trial_chart")
        st.caption(mark + t("rule_trial.chart_note"))
        days = [figures.per_day(one.rung_at, one.since, one.until, zone) for one in found]
        chart = alarm_rate.per_day(
            days[-1], compared=days[0] if len(days) > 1 else None, language=language, theme=screen.look
        )
        st.altair_chart(chart, theme=None, width="stretch", key="trial_per_day")
        st.caption(mark + (t("rule_trial.per_day_compared") if len(days) > 1 else t("rule_trial.per_day")))


def _setpoints(rule: Rule, site_id: str) -> list[tuple[str, float]]:
    """Where each level begins at a site; both ends of a range. The setpoint of a silence is minutes, not a value."""
    if rule.kind == "missing" or (rule.expression is not None and rule.expression.condition):
        return []
    found: list[tuple[str, float]] = []
    for limit in rule.limits_at(site_id):
        ends = limit.on_at if isinstance(limit.on_at, tuple) else (limit.on_at,)
        found += [(limit.priority, end) for end in ends]
    return found


# -- the cure ---------------------------------------------------------------------------------------------------------


def cure(screen: Screen, rule_key: str, days: int) -> bool:
    """What the history of a rule suggests, once somebody asks for it. True while it is being computed."""
    t = screen.t
    asked = st.session_state.setdefault("cures_asked", set())
    if rule_key not in asked:
        st.button(t("rule_trial.ask_cure", n=days), key=f"ask_cure:{rule_key}", on_click=asked.add, args=(rule_key,))
        return False
    job = screen.line.trial(rule_key, days)
    if not job.done:
        st.progress(job.progress, text=t("rule_trial.running"))
        return True
    if job.error:
        st.text(t("rule_trial.failed", why=job.error))
        return False
    if job.result is not None:
        words = job.result.words(screen.language)
        st.text(words[:1].upper() + words[1:] + ".")
        _cure(screen, job.result.rule, job.cure)
    return False


def _cure(screen: Screen, rule: Rule, found: Cure | None) -> None:
    t = screen.t
    st.markdown(f"**{t('rule_trial.cure')}**")
    if found is None:
        st.caption(t("rule_trial.no_cure_known"))
        return
    st.text(found.words(screen.language))
    if found.outcome == "found":
        st.code(as_toml(rule, found.changes), language="toml")
        st.caption(t("rule_trial.copy_note", file=f"alerts/{rule.key}.toml"))
