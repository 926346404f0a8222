"""What the page of trends says in words and tables: early warning, record, league, limits, what moved a figure."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Any

import pandas as pd

from analysis.decompose import BEFORE, NEITHER, RATIO, Moved, Part, kind_of
from analysis.forecast import COMPLETE_PCT, Forecast, Record
from control.forecasts import rhythm_of
from control.happened import ALERT, HOLIDAY, REPAIR, Happened, Happening
from control.studies import Study
from core import formats
from core.catalogue import Indicator, ObservedProperty
from core.observations import COLUMNS
from ui import render
from ui.ahead import about
from ui.views import View

MOST_PARTS = 10
MOST_LISTED = 25  # events in words
EXPECTED = "forecast"


def _amount(view: View, value: float, item: ObservedProperty, *, more: int = 0, signed: bool = False) -> str:
    unit, decimals = item.unit_label(view.language), item.decimals + more
    if signed and unit == "%":
        return f"{formats.number(value, decimals, view.language, signed=True)} {view.t('forecast.points')}"
    text = formats.quantity(value, decimals, unit, view.language)
    return f"+{text}" if signed and value > 0 and not text.startswith("+") else text


# -- the outlook ------------------------------------------------------------------------------------------------------


def outlook(view: View, item: ObservedProperty, site_id: str, study: Study[Forecast]) -> dict[str, Any]:
    """One line of trend_outlook.html."""
    t, language = view.t, view.language
    row: dict[str, Any] = {
        "name": item.name(language),
        "place": view.snapshot.city.site_name(site_id, language),
        "kind": "quiet",
        "sentence": "",
        "record": "",
        "notes": [],
    }
    found = study.value
    if found is None:
        working = t("forecast.working", percent=formats.percent(100 * study.progress, 0, language))
        return row | {"sentence": study.problem or working}
    if not found.model:
        return row | {"sentence": _why_not(view, item, found), "notes": _unsaid(view, item, found)}
    crossing = found.crossing
    side = "below" if item.direction == "higher" else "above"
    if crossing is None:
        limits = isinstance(item, Indicator) and bool(item.thresholds) and item.direction != "neutral"
        span = _span(view, found)
        row["sentence"] = t("forecast.no_crossing" if limits else "forecast.no_limit", span=span)
    else:
        level = t(f"trends.threshold_{crossing.level}")
        limit = _amount(view, crossing.limit, item)
        given = {"level": level, "limit": limit, "earliest": about(view, crossing.earliest)}
        if crossing.at is not None:
            row |= {"kind": "may", "sentence": t(f"forecast.may_{side}", at=about(view, crossing.at), **given)}
        else:
            row |= {"kind": "perhaps", "sentence": t(f"forecast.perhaps_{side}", **given)}
        row["record"] = _record(view, found.record)
    best, naive = found.score(found.model), found.score(found.baseline)
    if best is not None and naive is not None and found.issued_at is not None:
        row["notes"] = [
            t(
                "forecast.made",
                model=t(f"forecast.model_{found.model}"),
                at=formats.moment(found.issued_at, view.now, view.zone),
            ),
            t(
                "forecast.record",
                mae=_amount(view, best.mae, item, more=1),
                naive=_amount(view, naive.mae, item, more=1),
                baseline=t(f"forecast.model_{found.baseline}"),
                covered=formats.percent(best.coverage_pct, 0, language),
                n=formats.number(best.origins, 0, language),
                since=formats.day(found.first_origin, view.zone, language) if found.first_origin else "",
            ),
            t("forecast.no_alert"),
        ]
    return row


def _span(view: View, found: Forecast) -> str:
    if found.issued_at is None or not found.times:
        return ""
    return formats.duration(found.times[-1] - found.issued_at, view.language)


def _why_not(view: View, item: ObservedProperty, found: Forecast) -> str:
    t, language = view.t, view.language
    rhythm = rhythm_of(item)
    days = rhythm.least * rhythm.step / timedelta(days=1)
    at = formats.moment(found.issued_at, view.now, view.zone) if found.issued_at else formats.DASH
    broken = formats.moment(found.broken_at, view.now, view.zone) if found.broken_at else formats.DASH
    return t(
        f"forecast.why_{found.why_not}",
        days=formats.number(days, 0, language),
        least=formats.percent(COMPLETE_PCT, 0, language),
        complete=formats.percent(found.complete_pct, 0, language),
        at=at,
        broken=broken,
    )


def _unsaid(view: View, item: ObservedProperty, found: Forecast) -> list[str]:
    naive = found.score(found.baseline)
    rivals = [one for one in found.league if not one.naive]
    if naive is None or not rivals:
        return []
    best = rivals[0]
    return [
        view.t(
            "forecast.lost",
            model=view.t(f"forecast.model_{best.model}"),
            mae=_amount(view, best.mae, item, more=1),
            baseline=view.t(f"forecast.model_{found.baseline}"),
            naive=_amount(view, naive.mae, item, more=1),
            n=formats.number(best.origins, 0, view.language),
        )
    ]


def _record(view: View, record: Record | None) -> str:
    if record is None:
        return ""
    count = partial(formats.number, decimals=0, language=view.language)
    if record.hit_pct is None or record.false_pct is None:
        return view.t(
            "forecast.warned_never",
            origins=count(record.origins),
            warned=count(record.warned),
            happened=count(record.happened),
        )
    return view.t(
        "forecast.warned",
        origins=count(record.origins),
        warned=count(record.warned),
        hits=count(record.hits),
        happened=count(record.happened),
        days=count(record.days),
        hit=formats.percent(record.hit_pct, 0, view.language),
        false=formats.percent(record.false_pct, 0, view.language),
    )


# -- the league table and the limits ----------------------------------------------------------------------------------


def league(view: View, item: ObservedProperty, site_id: str, study: Study[Forecast]) -> str:
    """The folded table of all models; empty while there is none."""
    found, language = study.value, view.language
    if found is None or not found.league:
        return ""
    rows = [
        {
            "name": view.t(f"forecast.model_{one.model}"),
            "naive": one.naive,
            "shown": one.model == found.model,
            "mae": _amount(view, one.mae, item, more=1),
            "pinball": formats.number(one.pinball, item.decimals + 2, language),
            "covered": formats.percent(one.coverage_pct, 0, language),
            "origins": one.origins,
            "skill": formats.percent(100 * one.skill, 0, language, signed=True),
            "low": formats.percent(100 * one.skill_low, 0, language, signed=True),
            "high": formats.percent(100 * one.skill_high, 0, language, signed=True),
            "baseline": one.model == found.baseline,
        }
        for one in found.league
    ]
    return render.html(
        "trend_league.html",
        view.snapshot,
        language,
        rows=rows,
        name=item.name(language),
        place=view.snapshot.city.site_name(site_id, language),
        made_at=study.made_at,
        steps=found.steps,
        first=found.first_origin,
    )


def limits(view: View, item: ObservedProperty) -> str:
    """The limits of an indicator with their dates and where they come from; empty for a property without any."""
    if not isinstance(item, Indicator) or not item.thresholds:
        return ""
    today = view.now.astimezone(view.zone).date()
    rows = [
        {
            "level": view.t(f"trends.threshold_{one.level}"),
            "value": _amount(view, one.value, item),
            "basis": view.t(f"forecast.basis_{one.basis}"),
            "reference": one.reference,
            "since": one.valid_from.strftime("%d/%m/%Y") if one.valid_from else "",
            "until": one.valid_to.strftime("%d/%m/%Y") if one.valid_to else "",
            "holds": one.holds_on(today),
        }
        for one in item.thresholds
    ]
    return render.html("trend_limits.html", view.snapshot, view.language, rows=rows, name=item.name(view.language))


# -- what moved it ----------------------------------------------------------------------------------------------------


def moved(view: View, item: ObservedProperty, study: Study[Moved], areas: Collection[str] | None, against: str) -> str:
    """The panel «what moved it». Units outside of the person's areas stand together without a name."""
    language, found = view.language, study.value
    working = study.problem or view.t("forecast.working", percent=formats.percent(100 * study.progress, 0, language))
    rows: list[dict[str, Any]] = []
    more = 1
    if found is not None and found.change is not None:
        more = _decimals(item, found.change)
        parts = [_part(view, item, one, _place(view, one.unit, areas), more) for one in found.parts]
        rows = _together(view, item, found.parts, parts, areas, more)
    ratio = kind_of(item) == RATIO
    return render.html(
        "trend_moved.html",
        view.snapshot,
        language,
        name=item.name(language),
        splits=kind_of(item) != NEITHER,
        ratio=ratio,
        against=view.t("forecast.against_before" if against == BEFORE else "forecast.against_usual"),
        found=found,
        working=working,
        made_at=study.made_at,
        rows=rows,
        before=_amount(view, found.before, item, more=more) if found and found.before is not None else "",
        after=_amount(view, found.after, item, more=more) if found and found.after is not None else "",
        change=_amount(view, found.change, item, more=more, signed=True) if found and found.change is not None else "",
        numerator=_amount(view, found.numerator, item, more=more, signed=True) if found else "",
        denominator=_amount(view, found.denominator, item, more=more, signed=True) if found else "",
        spans=[
            (formats.moment(since, view.now, view.zone), formats.moment(until, view.now, view.zone))
            for since, until in (found.spans if found else ())
        ],
        parts=[view.snapshot.catalogue[key].name(language) for key in item.parts]
        if isinstance(item, Indicator)
        else [],
    )


def _decimals(item: ObservedProperty, change: float) -> int:
    """How many decimals more than usual show two digits of a change."""
    if change == 0:
        return 1
    return min(max(1 - math.floor(math.log10(abs(change))) - item.decimals, 1), 3)


def _place(view: View, unit: str, areas: Collection[str] | None) -> str:
    """The unit's name; empty when it lies outside of the person's areas."""
    city = view.snapshot.city
    if areas is not None and unit not in city.sites.index:
        return ""
    return city.site_name(unit, view.language)


def _part(view: View, item: ObservedProperty, one: Part, name: str, more: int) -> dict[str, Any]:
    language = view.language
    return {
        "name": name,
        "before": formats.DASH if one.before is None else _amount(view, one.before, item, more=more),
        "after": formats.DASH if one.after is None else _amount(view, one.after, item, more=more),
        "n": f"{formats.number(one.n_before, 0, language)} → {formats.number(one.n_after, 0, language)}",
        "own": _amount(view, one.own, item, more=more, signed=True),
        "mix": _amount(view, one.mix, item, more=more, signed=True),
        "total": _amount(view, one.total, item, more=more, signed=True),
    }


def _together(
    view: View,
    item: ObservedProperty,
    parts: Collection[Part],
    rows: list[dict[str, Any]],
    areas: Collection[str] | None,
    more: int,
) -> list[dict[str, Any]]:
    """The largest parts by name; all others in one line, so that the column still adds up."""
    pairs = list(zip(parts, rows, strict=True))
    named = [pair for pair in pairs if pair[1]["name"]]
    shown = named[:MOST_PARTS]
    hidden = [one for one, row in pairs if not any(row is kept for _, kept in shown)]
    found = [row for _, row in shown]
    if hidden:
        rest = Part(
            unit="", before=None, after=None, n_before=sum(one.n_before for one in hidden),
            n_after=sum(one.n_after for one in hidden), own=sum(one.own for one in hidden),
            mix=sum(one.mix for one in hidden),
        )  # fmt: skip
        word = view.t("forecast.elsewhere" if areas is not None else "forecast.the_others")
        found.append(_part(view, item, rest, f"{word} ({len(hidden)})", more))
    return found


# -- what happened ----------------------------------------------------------------------------------------------------


def happening(view: View, one: Happening) -> str:
    """One event in words, without its time."""
    t = view.t
    if one.kind == HOLIDAY:
        return t("forecast.event_holiday")
    if one.kind == ALERT:
        words = view.snapshot.rules.get(one.rule)
        return f"{t(f'priority.{one.priority}')}: {words.title[view.language] if words else one.rule}"
    if one.kind == REPAIR:
        return t("forecast.event_repair_of", reason=one.reason) if one.reason else t("forecast.event_repair")
    return t("forecast.event_closed")


def happened(view: View, item: ObservedProperty, site_id: str, found: Happened, hours: int) -> str:
    """The folded list under a chart, newest first; empty where nothing is stored."""
    if not found.events:
        return ""
    t, language = view.t, view.language
    newest = sorted(found.events, key=lambda one: one.at, reverse=True)[:MOST_LISTED]
    rows = [
        {
            "kind": one.kind,
            "mark": view.glyph(one.priority, "ACKED", 18) if one.priority else "",
            "when": _when(view, one),
            "words": happening(view, one),
        }
        for one in newest
    ]
    return render.html(
        "trend_events.html",
        view.snapshot,
        language,
        name=item.name(language),
        place=view.snapshot.city.site_name(site_id, language),
        over=t("word.days", n=hours // 24) if hours >= 48 else t("word.hours", n=hours),
        counts=[t(f"forecast.events_{kind}", n=formats.number(n, 0, language)) for kind, n in found.counts],
        rows=rows,
        more=formats.number(found.total - len(rows), 0, language) if found.total > len(rows) else "",
    )


def _when(view: View, one: Happening) -> str:
    """«14/11 07:20 – 09:05», «01/01/2026», «12/11 08:00, chưa xong»."""
    if one.kind == HOLIDAY and one.until is not None:
        first, last = (formats.day(at, view.zone, view.language) for at in (one.at, one.until - timedelta(hours=1)))
        return first if first == last else f"{first} – {last}"
    start = formats.moment(one.at, view.now, view.zone)
    if one.open:
        return view.t("forecast.event_open", at=start)
    if one.until is None:
        return start
    same = one.at.astimezone(view.zone).date() == one.until.astimezone(view.zone).date()
    end = formats.clock(one.until, view.zone) if same else formats.moment(one.until, view.now, view.zone)
    return f"{start} – {end}"


# -- the table of numbers ---------------------------------------------------------------------------------------------


def steps(found: Forecast, *, from_last: bool = False) -> pd.DataFrame:
    """A forecast as a frame: time, low, middle, high; `from_last`: with the last known value before it."""
    start = [found.issued_at] if from_last and found.issued_at is not None else []
    known = (found.last_value,) if start else ()
    return pd.DataFrame(
        {
            "time": pd.to_datetime([*start, *found.times], utc=True),
            "low": known + found.low,
            "middle": known + found.middle,
            "high": known + found.high,
        }
    )


def table(view: View, data: pd.DataFrame, site_id: str, found: Forecast | None) -> pd.DataFrame:
    """What was observed and what is expected, newest first: the one frame + kind, low80, high80.

    Simulated rows say so themselves: a file leaves the screen and its mark.
    """
    mark = view.t("mark.simulated") if view.snapshot.city.simulated else ""
    rows = data.loc[:, list(COLUMNS)].assign(
        kind=view.t("forecast.kind_observed"), low80=float("nan"), high80=float("nan")
    )
    if found is not None and found.model and len(data):
        key = str(data["observed_property"].iloc[0])
        expected = steps(found).rename(columns={"middle": "value", "low": "low80", "high": "high80"})
        expected = expected.assign(
            site_id=site_id, observed_property=key, quality="not_evaluated", source=f"{EXPECTED}:{found.model}",
            kind=view.t("forecast.kind_expected"),
        )  # fmt: skip
        rows = pd.concat([rows, expected[list(rows.columns)]], ignore_index=True)
    if mark:
        rows = rows.assign(source=[f"{mark}: {one}" for one in rows["source"]])
    return rows.sort_values("time", ascending=False, kind="stable", ignore_index=True)


def shown(view: View, rows: pd.DataFrame) -> pd.DataFrame:
    """The same for the screen: city time, and words as heads."""
    t = view.t
    city = view.snapshot.city
    return pd.DataFrame(
        {
            t("forecast.column_time"): rows["time"].dt.tz_convert(view.zone).dt.strftime("%d/%m/%Y %H:%M"),
            t("forecast.column_place"): [city.site_name(one, view.language) for one in rows["site_id"]],
            t("forecast.column_kind"): rows["kind"],
            t("forecast.column_value"): rows["value"],
            t("forecast.column_low"): rows["low80"],
            t("forecast.column_high"): rows["high80"],
            t("forecast.column_quality"): rows["quality"],
            t("forecast.column_source"): rows["source"],
        }
    )
