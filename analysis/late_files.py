"""Which pending files will run late in the next 24, 48 or 72 working hours, and how far that warning can be trusted.

A file's margin is the working hours between its end and its deadline, below 0 when it ended late. A pending file with r
hours left is like all earlier files that were still pending with r hours left; of those, the share that ended late is
its risk:

    risk(r) = #{margin < 0} / #{margin < r}      among files whose deadline has passed

counted for the same office and service, and drawn towards the service and then the city where there are few (each
counts like SHRINK files). The warning is trusted only as far as it was right before: on every past working morning it
is made again from what was known THEN, and compared with what happened. The threshold of a morning is the one that
served best on the mornings whose outcome was known by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
from statsmodels.stats.proportion import confint_proportions_2indep

from analysis.cases import Share
from core.working_hours import OfficeHours

HORIZONS_H = (24, 48, 72)
SHRINK = 20.0
LEAST_PAST = 200  # files with a known end before anything is said
FIRST_THRESHOLD = 0.25
THRESHOLDS = np.round(np.arange(0.05, 0.95, 0.05), 2)
LEAST_FOR_THRESHOLD = 100  # earlier predictions with a known end, of which at least one was late
MEASURED_FROM = 20  # files on either side below which no effect is told
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How a warning of one horizon did in the back-test. `base`: late among all that could have been warned of."""

    horizon_h: int
    mornings: int
    precision: Share
    recall: Share
    base: Share
    threshold: float  # that of today


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """Late among files warned of whose unit was reminded, against comparable ones (same risk) of units that were not.
    `difference` [points] with its 95 % interval; None where too few were reminded."""

    reminded: Share
    others: Share
    difference: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warnings:
    """`files`: agency, category, due_at, left_h, risk, warned of the pending files with at most 72 hours left, the
    riskiest first; `overdue`: pending files that are late already."""

    made_for: datetime
    files: pd.DataFrame
    overdue: int
    pending: int
    past: int  # files with a known end, from which the risks come
    scores: tuple[Score, ...]
    effect: Effect | None


@dataclass(frozen=True, slots=True)
class _Measured:
    """Files as arrays: working hours since a common beginning."""

    group: npt.NDArray[np.int64]
    service: npt.NDArray[np.int64]
    received: Floats  # seconds, for what was known when
    ended: Floats  # seconds; infinity while open
    due: Floats
    received_h: Floats
    due_h: Floats
    margin: Floats  # [working h]; -infinity while open
    elapsed: pd.DatetimeIndex  # mornings
    mornings_h: Floats
    now_h: float


def warn(
    files: pd.DataFrame,
    office: OfficeHours,
    now: datetime,
    *,
    reminders: pd.DataFrame | None = None,
    days: int = 30,
) -> Warnings | None:
    """core.cases.frame of files -> Warnings; None while fewer than LEAST_PAST files have a known end.

    `reminders`: agency, category, reminded_at of people who acted on the warning; `days`: how far the back-test goes.
    """
    known = files[files["due_at"].notna() & (files["received_at"] <= now)].reset_index(drop=True)
    if known.empty:
        return None
    data = _measure(known, office, now, days)
    now_s = now.timestamp()
    past = data.due <= now_s
    if int(past.sum()) < LEAST_PAST:
        return None
    predictions = _rolling(data, now_s)
    scores = tuple(_score(predictions, horizon) for horizon in HORIZONS_H)
    left = data.due_h - data.now_h
    pending = ~(data.ended <= now_s)
    chosen = pending & (data.due > now_s) & (left <= HORIZONS_H[-1])
    risk = _risk(data, past, chosen, left)
    of_horizon = {score.horizon_h: score.threshold for score in scores}
    limit = np.array([of_horizon[_horizon(one)] for one in left[chosen]])
    found = known.loc[chosen, ["agency", "category", "due_at"]].assign(
        left_h=left[chosen], risk=risk[chosen], warned=risk[chosen] >= limit
    )
    return Warnings(
        made_for=now,
        files=found.sort_values(["risk", "due_at"], ascending=[False, True], ignore_index=True),
        overdue=int((pending & (data.due <= now_s)).sum()),
        pending=int(pending.sum()),
        past=int(past.sum()),
        scores=scores,
        effect=None if reminders is None or reminders.empty else _effect(known, predictions, reminders),
    )


def _measure(known: pd.DataFrame, office: OfficeHours, now: datetime, days: int) -> _Measured:
    ended = known["resolved_at"].fillna(known["closed_at"])
    ended = ended.where(ended <= now)
    first, last = known["received_at"].min(), max(known["due_at"].max(), pd.Timestamp(now))
    bounds = (first.tz_convert(office.zone).date(), last.tz_convert(office.zone).date())
    due_h = office.elapsed(known["due_at"], *bounds)
    ended_h = office.elapsed(ended, *bounds)
    mornings = _mornings(office, now, days, bounds[0])
    group = np.asarray(known.groupby(["agency", "category"], sort=True).ngroup(), dtype=np.int64)
    return _Measured(
        group=group,
        service=np.asarray(known.groupby("category", sort=True).ngroup(), dtype=np.int64),
        received=_seconds(known["received_at"]),
        ended=np.where(ended.notna(), _seconds(ended), np.inf),
        due=_seconds(known["due_at"]),
        received_h=office.elapsed(known["received_at"], *bounds),
        due_h=due_h,
        margin=np.where(ended.notna(), _margin(due_h, ended_h, known["due_at"], ended), -np.inf),
        elapsed=mornings,
        mornings_h=office.elapsed(mornings, *bounds) if len(mornings) else np.zeros(0),
        now_h=float(office.elapsed(pd.DatetimeIndex([now]), *bounds)[0]),
    )


def _margin(due_h: Floats, ended_h: Floats, due: pd.Series, ended: pd.Series) -> Floats:
    """Working hours to spare. An end after closing time costs no working hour, and is late all the same."""
    return np.where((ended > due).to_numpy(), np.minimum(due_h - ended_h, -1e-9), np.maximum(due_h - ended_h, 0.0))


def _seconds(times: pd.Series) -> Floats:
    return np.asarray(times.dt.as_unit("us").astype("int64").to_numpy() / 1e6, dtype=np.float64)


def _mornings(office: OfficeHours, now: datetime, days: int, first: date) -> pd.DatetimeIndex:
    """Openings of the working days before now, oldest first."""
    today = now.astimezone(office.zone).date()
    found = [today - timedelta(days=back) for back in range(days, 0, -1)]
    return pd.DatetimeIndex(
        [
            datetime.combine(day, office.open[0][0], office.zone)
            for day in found
            if day > first and office.is_working_day(day)
        ]
    )


def _risk(data: _Measured, past: Bools, asked: Bools, left: Floats) -> Floats:
    """Risk of the asked files from the past ones; NaN for the others."""
    risk = np.full(len(left), np.nan)
    city_late, city_n = _like(data.margin[past], left[asked])
    base = np.divide(city_late, city_n, out=np.full(len(city_n), 0.5), where=city_n > 0)
    positions = np.flatnonzero(asked)
    for labels in (data.service, data.group):
        drawn = base.copy()
        for label in np.unique(labels[positions]):
            inside = labels[positions] == label
            late, n = _like(data.margin[past & (labels == label)], left[positions[inside]])
            drawn[inside] = (late + SHRINK * base[inside]) / (n + SHRINK)
        base = drawn
    risk[positions] = base
    return risk


def _like(margins: Floats, left: Floats) -> tuple[Floats, Floats]:
    """Of the past files still pending with so many hours left: how many ended late, and how many there were."""
    ordered = np.sort(margins)
    n = np.searchsorted(ordered, left, side="left").astype(np.float64)
    late = np.minimum(float(np.searchsorted(ordered, 0.0, side="left")), n)
    return late, n


def _rolling(data: _Measured, now_s: float) -> pd.DataFrame:
    """The warning made again on every morning: morning, place, horizon, risk, late, threshold, warned.

    A file counts once per horizon, on the first morning on which it has so few hours left.
    """
    rows: list[pd.DataFrame] = []
    seen = {horizon: np.zeros(len(data.due), dtype=np.bool_) for horizon in HORIZONS_H}
    late = data.ended > data.due
    for moment, morning_h in zip(data.elapsed, data.mornings_h, strict=True):
        at = moment.timestamp()
        past = data.due <= at
        if int(past.sum()) < LEAST_PAST:
            continue
        left = data.due_h - morning_h
        pending = (data.received <= at) & (data.ended > at) & (data.due > at)
        asked = pending & (left <= HORIZONS_H[-1])
        # What was not over by then counts as late: its deadline had passed.
        then = _as_known(data, at)
        risk = _risk(then, past, asked, left)
        for horizon in HORIZONS_H:
            fresh = asked & (left <= horizon) & ~seen[horizon]
            seen[horizon] |= fresh
            places = np.flatnonzero(fresh)
            rows.append(
                pd.DataFrame(
                    {
                        "at": at,
                        "place": places,
                        "horizon": horizon,
                        "risk": risk[places],
                        "late": late[places],
                        "due": data.due[places],
                    }
                )
            )
    columns = ["at", "place", "horizon", "risk", "late", "due"]
    found = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)
    found = found[found["due"] <= now_s].reset_index(drop=True)
    return found.assign(**_judged(found, now_s))


def _as_known(data: _Measured, at: float) -> _Measured:
    """The margins as they were known at a moment: a file that had not ended by then was simply late."""
    margin = np.where((data.ended <= at) | (data.due > at), data.margin, -np.inf)
    return _Measured(
        group=data.group,
        service=data.service,
        received=data.received,
        ended=data.ended,
        due=data.due,
        received_h=data.received_h,
        due_h=data.due_h,
        margin=margin,
        elapsed=data.elapsed,
        mornings_h=data.mornings_h,
        now_h=data.now_h,
    )


def _judged(found: pd.DataFrame, now_s: float) -> dict[str, pd.Series]:
    threshold = pd.Series(FIRST_THRESHOLD, index=found.index, dtype="float64")
    for (horizon, at), rows in found.groupby(["horizon", "at"]):
        earlier = found[(found["horizon"] == horizon) & (found["due"] <= at) & (found["at"] < at)]
        threshold[rows.index] = best_threshold(earlier["risk"].to_numpy(np.float64), earlier["late"].to_numpy(np.bool_))
    return {"threshold": threshold, "warned": found["risk"] >= threshold}


def best_threshold(risk: Floats, late: Bools) -> float:
    """The threshold of the highest F1 (harmonic mean of precision and recall); FIRST_THRESHOLD for too few."""
    if len(risk) < LEAST_FOR_THRESHOLD or not late.any():
        return FIRST_THRESHOLD
    hits = np.array([(late & (risk >= one)).sum() for one in THRESHOLDS], dtype=np.float64)
    warned = np.array([(risk >= one).sum() for one in THRESHOLDS], dtype=np.float64)
    return float(THRESHOLDS[int(np.argmax(2.0 * hits / (warned + late.sum())))])


def _score(predictions: pd.DataFrame, horizon: int) -> Score:
    rows = predictions[predictions["horizon"] == horizon]
    warned, late = rows["warned"].to_numpy(np.bool_), rows["late"].to_numpy(np.bool_)
    hits = int((warned & late).sum())
    return Score(
        horizon_h=horizon,
        mornings=int(rows["at"].nunique()),
        precision=Share(hits, int(warned.sum())),
        recall=Share(hits, int(late.sum())),
        base=Share(int(late.sum()), len(rows)),
        threshold=best_threshold(rows["risk"].to_numpy(np.float64), late),
    )


def _horizon(left_h: float) -> int:
    return next(one for one in HORIZONS_H if left_h <= one)


def _effect(known: pd.DataFrame, predictions: pd.DataFrame, reminders: pd.DataFrame) -> Effect:
    """Files warned of on some morning, by whether their unit was reminded between the warning and the deadline."""
    warned = predictions[predictions["warned"]].sort_values("horizon").drop_duplicates("place", keep="last")
    rows = known.loc[warned["place"].to_numpy(np.int64), ["agency", "category"]].reset_index(drop=True)
    rows = rows.assign(
        at=warned["at"].to_numpy(),
        due=warned["due"].to_numpy(),
        late=warned["late"].to_numpy(),
        risk=warned["risk"].to_numpy(),
    )
    told = reminders.assign(reminded=_seconds(reminders["reminded_at"]))
    pairs = rows.reset_index().merge(told[["agency", "category", "reminded"]], on=["agency", "category"])
    reminded = pairs.loc[(pairs["reminded"] >= pairs["at"]) & (pairs["reminded"] <= pairs["due"]), "index"].unique()
    mine = rows.index.isin(reminded)
    # Comparable: only such risks as occur among the reminded ones.
    risks: Sequence[float] = rows.loc[mine, "risk"].tolist()
    alike = ~mine & rows["risk"].between(min(risks, default=1.0), max(risks, default=0.0)).to_numpy()
    return effect(
        Share(int(rows.loc[mine, "late"].sum()), int(mine.sum())),
        Share(int(rows.loc[alike, "late"].sum()), int(alike.sum())),
    )


def effect(reminded: Share, others: Share) -> Effect:
    """The difference of two shares of late files with Newcombe's 95 % interval; untold below MEASURED_FROM files."""
    if min(reminded.n, others.n) < MEASURED_FROM:
        return Effect(reminded=reminded, others=others)
    low, high = confint_proportions_2indep(
        reminded.good, reminded.n, others.good, others.n, compare="diff", method="newcomb", alpha=0.05
    )
    difference = 100.0 * (reminded.good / reminded.n - others.good / others.n)
    return Effect(reminded=reminded, others=others, difference=difference, low=100.0 * low, high=100.0 * high)
