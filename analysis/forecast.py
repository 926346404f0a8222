"""Forecasts with an interval, their league table, and the early warning «may cross the limit at about 20:30».

A forecast is only as good as its record, so every one is made together with it:

    origins     every three hours of the last weeks (daily series: every day). At each one all models see exactly what
                the house knew then (`History.as_of`): no later value, no later correction
    intervals   not from the theory of a model but from its own misses, per step ahead, as quantiles with the
                correction for a finite number of them (split conformal, Vovk et al. 2005); a miss is measured in the
                spread of its hour, so that nights are narrow and rush hours wide (Lei et al. 2018), and always in
                the spread that is known now: one of less history is too small, because the usual was fitted to the
                same few values. An interval of a back-test knows only misses that were seen before its origin
    league      mean absolute error, pinball loss of the three quantiles, coverage of the 80 % interval, number of
                origins, and the skill 1 - MAE/MAE(naive) with its interval: day means of the loss differences with a
                correction for their autocorrelation (Diebold and Mariano 1995; Newey and West 1987), Student's t,
                one-sided at 5 %, shared out among the rivals (Bonferroni)
    shown       only what beats the best of the four naive models with certainty, and whose interval holds what it says
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from scipy import stats

from analysis.forecast_models import NAIVE, RIVALS, Floats, Integers, Known, Rhythm, kinds_of_day, known, predictions
from core.calendar import hour_classes
from core.catalogue import LEVELS, Threshold
from core.outlook import Crossing

SHARE = 0.8  # of the interval
ALPHA = 0.05  # chance that any of the rivals is shown though none is better than naive
COMPLETE_PCT = 80.0  # of the last day's steps that are usually there
LEAST_MISSES = 24  # origins whose misses an interval needs
LEAST_DAYS = 8  # days of origins that a league table needs
FEWEST_COVERED, MOST_COVERED = 70.0, 92.0  # an interval outside of this does not hold what it says
POOLED = 1  # steps before and after whose misses count for a step too
LONGEST_SILENCE = timedelta(hours=6)

# why there is no forecast
SHORT, GAPS, SILENT, BROKEN, NO_SKILL, STILL = "short", "gaps", "silent", "broken", "no_skill", "still"


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A step whose value was not always what it is now: (known since, value), oldest first."""

    place: int
    versions: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A regular series. `times` are the ENDS of its steps in UTC; `late` lists what came or was corrected later."""

    times: pd.DatetimeIndex
    values: Floats
    rhythm: Rhythm
    zone: ZoneInfo
    late: tuple[Late, ...] = ()
    delay: timedelta = timedelta(0)  # after the end of a step its value has usually come
    rows: int = 0  # observations behind it
    breaks: tuple[datetime, ...] = ()  # steps of the data, not of the city

    def as_of(self, place: int) -> Floats:
        """The series up to and with `place`, as it stood when the value of that step had come."""
        found = self.values[: place + 1].copy()
        moment = self.times[place].to_pydatetime() + self.delay
        for one in self.late:
            if one.place <= place:
                seen = [value for since, value in one.versions if since <= moment]
                found[one.place] = seen[-1] if seen else np.nan
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One line of the league table; losses in the unit of the series."""

    model: str
    naive: bool
    mae: float
    pinball: float
    coverage_pct: float
    origins: int
    skill: float  # 1 - mae / mae of the best naive model
    skill_low: float
    skill_high: float
    wins: bool  # beats naive with certainty, and its interval holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How often the warning «may cross» came true in the back-tests. Origins that lay beyond the limit do not count."""

    level: str
    limit: float
    by: str  # middle | interval: what crossed
    origins: int
    warned: int
    hits: int  # warned, and it came
    happened: int  # it came, warned or not
    days: int  # days on which it came

    @property
    def hit_pct(self) -> float | None:
        """Of what came, how much was warned of."""
        return 100.0 * self.hits / self.happened if self.happened else None

    @property
    def false_pct(self) -> float | None:
        """Of the warnings, how many were false."""
        return 100.0 * (self.warned - self.hits) / self.warned if self.warned else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is expected, from which model, with which record; without a model, why not."""

    why_not: str = ""  # short | gaps | silent | broken | no_skill | still
    model: str = ""
    baseline: str = ""  # the best naive model
    issued_at: datetime | None = None  # end of the last known step
    times: tuple[datetime, ...] = ()
    middle: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    league: tuple[Score, ...] = ()
    origins: int = 0
    first_origin: datetime | None = None
    steps: int = 0  # known steps of history
    complete_pct: float = 0.0
    last_value: float = float("nan")
    crossing: Crossing | None = None
    record: Record | None = None
    records: tuple[Record, ...] = ()
    broken_at: datetime | None = None

    def score(self, model: str) -> Score | None:
        """The line of a model."""
        return next((one for one in self.league if one.model == model), None)


Limits = Sequence[Threshold]
Holds = Callable[[Threshold, datetime], bool]


# -- from observations to a regular series -----------------------------------------------------------------------------


def history(
    rows: pd.DataFrame,
    rhythm: Rhythm,
    zone: ZoneInfo,
    *,
    until: datetime,
    revisions: pd.DataFrame | None = None,
    breaks: Sequence[datetime] = (),
) -> History | None:
    """One series of the one frame (time, value, received_at; usable values) as steps; None where there is no row.

    Hours are means of the rows in them; an hour with less than half of its usual rows is missing.
    Days are those of the city. `revisions` has the earlier versions (time, value, received_at, superseded_at). Rows
    older than the first receipt were loaded afterwards: they count as known in their time.
    """
    rows = rows[np.isfinite(rows["value"].to_numpy(dtype=np.float64)) & (rows["time"] <= until)]
    if rows.empty:
        return None
    ends = _ends(rows["time"], rhythm, zone)
    whole = ends <= pd.Timestamp(until)
    rows, ends = rows[whole], ends[whole]
    if rows.empty:
        return None
    stamp = ends.as_unit("us").asi8
    step = round(rhythm.step.total_seconds() * 1e6)
    places = (stamp - stamp.min()) // step
    count = int(places.max()) + 1
    values, n = _stepped(rows["value"].to_numpy(dtype=np.float64), places, count)
    enough = n >= max(float(np.median(n[n > 0])) / 2, 1)
    values = np.where(enough, values, np.nan)
    times = pd.DatetimeIndex(pd.to_datetime(stamp.min() + step * np.arange(count), unit="us", utc=True).as_unit("us"))
    made = History(times=times, values=values, rhythm=rhythm, zone=zone, rows=len(rows), breaks=tuple(sorted(breaks)))
    if "received_at" not in rows:
        return made
    return _with_versions(made, rows, ends, places, revisions)


def _ends(times: pd.Series, rhythm: Rhythm, zone: ZoneInfo) -> pd.DatetimeIndex:
    index = pd.DatetimeIndex(times)
    if rhythm.step < timedelta(days=1):
        return pd.DatetimeIndex(index.ceil(pd.Timedelta(rhythm.step)))
    local = index.tz_convert(zone).tz_localize(None).ceil("D")
    return pd.DatetimeIndex(local.tz_localize(zone).tz_convert("UTC"))


def _stepped(values: Floats, places: Integers, count: int) -> tuple[Floats, Floats]:
    n = np.bincount(places, minlength=count).astype(np.float64)
    total = np.bincount(places, weights=values, minlength=count)
    return np.divide(total, n, out=np.full(count, np.nan), where=n > 0), n


def _with_versions(
    made: History, rows: pd.DataFrame, ends: pd.DatetimeIndex, places: Integers, revisions: pd.DataFrame | None
) -> History:
    """The same with delay, late arrivals and corrections."""
    received = pd.DatetimeIndex(rows["received_at"])
    before = revisions if revisions is not None and not revisions.empty else None
    began = received.min() if before is None else min(received.min(), before["received_at"].min())
    live = np.asarray(ends > began)
    waits = np.asarray((received - ends).total_seconds())[live]
    delay = timedelta(seconds=float(np.clip(np.median(waits), 0.0, 6 * 3600.0))) if len(waits) else timedelta(0)
    patience = pd.Timedelta(delay + made.rhythm.step)
    touched = set(places[live & np.asarray(received > ends + patience)].tolist())
    spots = np.empty(0, dtype=np.int64)
    if before is not None:
        corrected = _ends(before["time"], made.rhythm, made.zone)
        spots = np.asarray((corrected - made.times[0]) // pd.Timedelta(made.rhythm.step), dtype=np.int64)
        inside = (spots >= 0) & (spots < len(made.times))
        before, spots = before[inside], spots[inside]
        touched |= set(spots.tolist())
    late = tuple(
        _versions(place, [*([] if before is None else [before[spots == place]]), rows[places == place]], began)
        for place in sorted(touched)
    )
    return replace(made, late=late, delay=delay)


def _versions(place: int, parts: Sequence[pd.DataFrame], began: pd.Timestamp) -> Late:
    """What one step was worth at each moment at which one of its rows came or changed; `parts`: earlier rows first."""
    told: dict[tuple[pd.Timestamp, str], list[tuple[pd.Timestamp, float]]] = {}
    for part in parts:
        sources = part["source"] if "source" in part else [""] * len(part)
        for time, source, value, received in zip(
            part["time"], sources, part["value"], part["received_at"], strict=True
        ):
            first = (time, source) not in told
            since = time if first and time <= began else received
            told.setdefault((time, source), []).append((since, float(value)))
    found = []
    for moment in sorted({since for versions in told.values() for since, _ in versions}):
        seen = [[value for since, value in versions if since <= moment] for versions in told.values()]
        newest = [values[-1] for values in seen if values and np.isfinite(values[-1])]
        if newest:
            found.append((moment.to_pydatetime(), float(np.mean(newest))))
    return Late(place=place, versions=tuple(found))


# -- back-tests --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Everything that the back-tests gave; arrays are [origins x steps ahead]."""

    places: Integers  # of the origins
    days: Integers  # city day of each origin, as a running number
    actual: Floats
    parts: Integers  # hour of the day of each step ahead
    spreads: Floats  # [origins x parts]: how far values usually lay from the usual, as known at the origin
    now: Floats  # last known value at each origin
    predicted: Mapping[str, Floats]
    low: Mapping[str, Floats]
    high: Mapping[str, Floats]
    judged: np.ndarray  # origins with enough earlier misses for an interval

    def misses(self, model: str, spreads: Floats) -> Floats:
        """What came less what was expected, in spreads: those of the moment at which the misses are used."""
        return (self.actual - self.predicted[model]) / spreads[self.parts]


def _calendar(made: History) -> tuple[Integers, Integers, tuple[int, int]]:
    """Classes and parts of every step and of the steps after the last."""
    rhythm = made.rhythm
    further = pd.DatetimeIndex(
        [made.times[-1] + pd.Timedelta(rhythm.step) * one for one in range(1, rhythm.horizon + 1)]
    )
    times = pd.DatetimeIndex(made.times.append(further))
    if rhythm.step < timedelta(days=1):
        classes, parts = kinds_of_day(hour_classes(times, made.zone))
        return classes, parts, (72, 24)
    weekday = hour_classes(times, made.zone) // 24
    return weekday.astype(np.int64), np.minimum(weekday, 6).astype(np.int64), (8, 7)


def backtest(made: History, tell: Callable[[float], None] | None = None) -> Trials | None:
    """All models at all origins; None where there is too little history. `tell` hears the share that is done."""
    rhythm, size = made.rhythm, len(made.values)
    newest = size - 1 - rhythm.horizon
    first = max(rhythm.train, newest - rhythm.tests)
    places = np.arange(newest, first - 1, -rhythm.every)[::-1].astype(np.int64)
    if newest - first < rhythm.least_tests:
        return None
    classes, parts, counts = _calendar(made)
    keys = (*NAIVE, *RIVALS)
    shape = (len(places), rhythm.horizon)
    predicted = {key: np.full(shape, np.nan) for key in keys}
    spreads = np.ones((len(places), counts[1]))
    now = np.full(len(places), np.nan)
    for row, place in enumerate(places.tolist()):
        seen = made.as_of(place)
        at = known(seen, classes[: place + 1 + rhythm.horizon], parts[: place + 1 + rhythm.horizon], rhythm, counts)
        spreads[row] = at.spreads
        now[row] = at.values[-1]
        if np.isfinite(at.values[-1]):
            for key, answer in predictions(at).items():
                predicted[key][row] = answer
        if tell is not None and row % 16 == 0:
            tell(row / len(places))
    ahead = places[:, None] + np.arange(1, rhythm.horizon + 1)[None, :]
    actual = made.values[ahead]
    local = made.times[places].tz_convert(made.zone).tz_localize(None).normalize()
    days = ((local - local[0]) // pd.Timedelta(days=1)).to_numpy().astype(np.int64)
    low, high = {}, {}
    judged = np.zeros(len(places), dtype=bool)
    for key in keys:
        low[key], high[key], judged = _intervals(predicted[key], actual, spreads, parts[ahead], places, rhythm)
    return Trials(
        places=places, days=days, actual=actual, parts=parts[ahead], spreads=spreads, now=now,
        predicted=predicted, low=low, high=high, judged=judged,
    )  # fmt: skip


def _intervals(
    predicted: Floats, actual: Floats, spreads: Floats, parts: Integers, places: Integers, rhythm: Rhythm
) -> tuple[Floats, Floats, np.ndarray]:
    """The 80 % interval at each origin from misses that had been seen before it; renewed once a day."""
    low, high = np.full(predicted.shape, np.nan), np.full(predicted.shape, np.nan)
    misses = actual - predicted
    judged = np.zeros(len(places), dtype=bool)
    a_day = max(rhythm.day // rhythm.every, 1) if rhythm.step < timedelta(days=1) else 1
    for start in range(0, len(places), a_day):
        group = slice(start, start + a_day)
        seen = int(np.searchsorted(places, places[start] - rhythm.horizon, side="right"))
        if seen < LEAST_MISSES:
            continue
        judged[group] = True
        newest = slice(max(seen - rhythm.misses, 0), seen)
        down, up = _quantiles(misses[newest] / spreads[start][parts[newest]])
        low[group] = predicted[group] + down * spreads[start][parts[group]]
        high[group] = predicted[group] + up * spreads[start][parts[group]]
    return np.minimum(low, predicted), np.maximum(high, predicted), judged


def _quantiles(misses: Floats) -> tuple[Floats, Floats]:
    """Per step ahead the two ends of the middle 80 % of its misses (with those of its neighbours), in spreads."""
    none = np.full((len(misses), POOLED), np.nan)
    padded = np.concatenate((none, misses, none), axis=1)
    steps = misses.shape[1]
    near = np.concatenate([padded[:, one : one + steps] for one in range(2 * POOLED + 1)])
    near = np.sort(near, axis=0)  # what is missing stands last
    count = np.isfinite(near).sum(axis=0)
    own = np.maximum(np.isfinite(misses).sum(axis=0), 1)
    level = np.minimum((1 + SHARE) / 2 * (own + 1) / own, 1.0)
    enough = count >= LEAST_MISSES
    down, up = (np.where(enough, _at_level(near, one, count), np.nan) for one in (1 - level, level))
    return down, up


def _at_level(ordered: Floats, level: Floats, count: Integers) -> Floats:
    """The quantile of each column's first `count` values, between two of them in proportion."""
    place = level * np.maximum(count - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(count - 1, 0))
    column = np.arange(ordered.shape[1])
    low, high = ordered[below, column], ordered[above, column]
    return np.asarray(low + (place - below) * (high - low))


# -- the league table --------------------------------------------------------------------------------------------------


def league(trials: Trials) -> tuple[tuple[Score, ...], str]:
    """Best first, and the best naive model. Only origins with an interval count, for all models alike."""
    losses = {key: np.abs(one - trials.actual) for key, one in trials.predicted.items()}
    fair = trials.judged & np.isfinite(trials.actual).any(axis=1)
    for one in losses.values():
        fair = fair & np.isfinite(one[:, :]).any(axis=1)
    if fair.sum() == 0 or len(np.unique(trials.days[fair])) < LEAST_DAYS:
        return (), ""
    per_origin = {key: np.nanmean(one[fair], axis=1) for key, one in losses.items()}
    baseline = min(NAIVE, key=lambda key: float(np.mean(per_origin[key])))
    found = [_score(key, trials, per_origin, fair, baseline) for key in losses]
    return tuple(sorted(found, key=lambda one: one.mae)), baseline


def _score(key: str, trials: Trials, per_origin: Mapping[str, Floats], fair: np.ndarray, baseline: str) -> Score:
    actual, middle = trials.actual[fair], trials.predicted[key][fair]
    low, high = trials.low[key][fair], trials.high[key][fair]
    seen = np.isfinite(actual) & np.isfinite(low) & np.isfinite(high)
    inside = (actual >= low) & (actual <= high)
    pinball = np.nanmean([_pinball(actual, low, (1 - SHARE) / 2), _pinball(actual, middle, 0.5),
                          _pinball(actual, high, (1 + SHARE) / 2)])  # fmt: skip
    mae, of_naive = float(np.mean(per_origin[key])), float(np.mean(per_origin[baseline]))
    coverage = 100.0 * float(inside[seen].mean()) if seen.any() else 0.0
    skill, low_end, high_end = _skill(per_origin[key], per_origin[baseline], trials.days[fair])
    rival = key in RIVALS
    return Score(
        model=key,
        naive=not rival,
        mae=mae,
        pinball=float(pinball),
        coverage_pct=coverage,
        origins=int(fair.sum()),
        skill=skill if of_naive > 0 else 0.0,
        skill_low=low_end,
        skill_high=high_end,
        wins=rival and low_end > 0 and FEWEST_COVERED <= coverage <= MOST_COVERED,
    )


def _pinball(actual: Floats, quantile: Floats, level: float) -> float:
    apart = actual - quantile
    return float(np.nanmean(np.maximum(level * apart, (level - 1) * apart)))


def _skill(loss: Floats, naive: Floats, days: Integers) -> tuple[float, float, float]:
    """1 - mean(loss)/mean(naive) and its interval, from the means of days and their autocorrelation."""
    spots, place = np.unique(days, return_inverse=True)
    n = len(spots)
    by_day = np.bincount(place, weights=loss)
    naive_by_day = np.bincount(place, weights=naive)
    middle = float(naive_by_day.mean())
    if middle <= 0 or n < 3:
        return 0.0, float("-inf"), float("inf")
    ratio = float(by_day.mean()) / middle
    apart = by_day - ratio * naive_by_day
    lags = min(max(round(n ** (1 / 3)), 1), n - 2)
    variance = float(np.dot(apart, apart)) / n
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(np.dot(apart[lag:], apart[:-lag])) / n
    variance = max(variance, float(np.dot(apart, apart)) / n * 0.5)  # a negative sum of few days is chance
    error = float(np.sqrt(variance / max(n - 1, 1))) / middle
    reach = float(stats.t.ppf(1 - ALPHA / len(RIVALS), n - 2))
    return 1 - ratio, 1 - ratio - reach * error, 1 - ratio + reach * error


# -- the forecast ------------------------------------------------------------------------------------------------------


def forecast(
    made: History | None,
    *,
    now: datetime,
    limits: Limits = (),
    direction: str = "lower",
    bounds: tuple[float, float] = (float("-inf"), float("inf")),
    tell: Callable[[float], None] | None = None,
) -> Forecast:
    """The forecast of the model that won, or why there is none. `bounds`: what is physically possible."""
    if made is None:
        return Forecast(why_not=SHORT)
    cut, broken = _since_break(made)
    steps = int(np.isfinite(cut.values).sum())
    good = np.flatnonzero(np.isfinite(cut.values))
    if not len(good):
        return Forecast(why_not=BROKEN if broken else SHORT, steps=0, broken_at=broken)
    cut = _up_to(cut, int(good[-1]) + 1)
    issued = cut.times[-1].to_pydatetime()
    complete = completeness(cut, now)
    told = {"issued_at": issued, "steps": steps, "complete_pct": complete, "broken_at": broken,
            "last_value": float(cut.values[-1])}  # fmt: skip
    if steps < 0.6 * cut.rhythm.least or len(cut.values) < cut.rhythm.least:
        return Forecast(why_not=BROKEN if broken else SHORT, **told)  # type: ignore[arg-type]
    if now - issued > max(LONGEST_SILENCE, cut.delay + 2 * cut.rhythm.step):
        return Forecast(why_not=SILENT, **told)  # type: ignore[arg-type]
    if complete < COMPLETE_PCT:
        return Forecast(why_not=GAPS, **told)  # type: ignore[arg-type]
    trials = backtest(cut, tell)
    table, baseline = league(trials) if trials is not None else ((), "")
    if trials is None or not table:
        return Forecast(why_not=SHORT, **told)  # type: ignore[arg-type]
    told |= {"league": table, "baseline": baseline, "origins": table[0].origins,
             "first_origin": cut.times[int(trials.places[0])].to_pydatetime()}  # fmt: skip
    if all(one.mae == 0 for one in table if one.naive and one.model == baseline):
        return Forecast(why_not=STILL, **told)  # type: ignore[arg-type]
    winner = next((one for one in table if one.wins), None)
    if winner is None:
        return Forecast(why_not=NO_SKILL, **told)  # type: ignore[arg-type]
    return _ahead(cut, trials, winner.model, told, limits, direction, bounds)


def _ahead(
    made: History, trials: Trials, model: str, told: dict[str, object], limits: Limits, direction: str,
    bounds: tuple[float, float],
) -> Forecast:  # fmt: skip
    classes, parts, counts = _calendar(made)
    at: Known = known(made.values, classes, parts, made.rhythm, counts)
    middle = RIVALS[model](at)
    down, up = _quantiles(trials.misses(model, at.spreads)[-made.rhythm.misses :])
    low, high = middle + down * at.spread, middle + up * at.spread
    low, middle, high = (np.clip(one, *bounds) for one in (np.minimum(low, middle), middle, np.maximum(high, middle)))
    times = tuple(made.times[-1].to_pydatetime() + made.rhythm.step * one for one in range(1, made.rhythm.horizon + 1))
    records = tuple(
        record for limit in limits if limit.holds_on(_day(times[0], made))
        for by in ("middle", "interval")
        for record in [warning_record(trials, model, limit, direction, by)]
    )  # fmt: skip
    crossing = crosses(
        times, tuple(middle.tolist()), tuple((high if direction != "higher" else low).tolist()),
        float(made.values[-1]), made.times[-1].to_pydatetime(), limits, direction, made.zone,
    ) if direction != "neutral" else None  # fmt: skip
    record = None
    if crossing is not None:
        by = "middle" if crossing.at is not None else "interval"
        record = next(
            (one for one in records if one.level == crossing.level and one.limit == crossing.limit and one.by == by),
            None,
        )
    return Forecast(
        model=model, times=times, middle=tuple(middle.tolist()), low=tuple(low.tolist()), high=tuple(high.tolist()),
        crossing=crossing, record=record, records=records, **told,  # type: ignore[arg-type]
    )  # fmt: skip


def _day(moment: datetime, made: History) -> date:
    return moment.astimezone(made.zone).date()


def _since_break(made: History) -> tuple[History, datetime | None]:
    """The history from its newest break on: values before a step of the data tell nothing of those after it."""
    inside = [one for one in made.breaks if pd.Timestamp(one) > made.times[0]]
    if not inside:
        return made, None
    start = int(made.times.searchsorted(pd.Timestamp(inside[-1]), side="left"))
    late = tuple(replace(one, place=one.place - start) for one in made.late if one.place >= start)
    return replace(made, times=made.times[start:], values=made.values[start:], late=late), inside[-1]


def _up_to(made: History, end: int) -> History:
    late = tuple(one for one in made.late if one.place < end)
    return replace(made, times=made.times[:end], values=made.values[:end], late=late)


def completeness(made: History, now: datetime) -> float:
    """Share [%] of the steps of the last day (daily series: week) that are there, of those that usually are."""
    span = made.rhythm.day
    edge = pd.Timestamp(now) - pd.Timedelta(made.delay)
    missing = max(int((edge - made.times[-1]) // pd.Timedelta(made.rhythm.step)), 0)
    values = np.concatenate((made.values, np.full(min(missing, span), np.nan)))
    there = np.isfinite(values)
    if len(there) <= span:
        return 100.0 * float(there.mean())
    before = there[:-span]
    days = min(len(before) // span, 14)
    if days == 0:
        return 100.0 * float(there[-span:].mean())
    expected = before[-days * span :].reshape(days, span).mean(axis=0) >= 0.5
    return 100.0 * float(there[-span:][expected].mean()) if expected.any() else 0.0


# -- the early warning -------------------------------------------------------------------------------------------------


def crosses(
    times: Sequence[datetime],
    middle: Sequence[float],
    bad: Sequence[float],
    value: float,
    at: datetime,
    limits: Limits,
    direction: str,
    zone: ZoneInfo,
) -> Crossing | None:
    """The limit that may be crossed, or None. `bad` is the end of the interval on the bad side, `value` stands at `at`.

    The worst level that the middle reaches; else the mildest that only the interval reaches. A level that is reached
    already is no news. Between two steps the moment is interpolated.
    """
    reached = [place for place, level in enumerate(LEVELS) if _beyond(value, at, limits, level, direction, zone)]
    ahead = LEVELS[max(reached) + 1 :] if reached else LEVELS
    by_interval: Crossing | None = None
    by_middle: Crossing | None = None
    for level in ahead:
        for limit in (one for one in limits if one.level == level):
            centre = _first(times, middle, value, at, limit, direction, zone)
            earliest = _first(times, bad, value, at, limit, direction, zone)
            if centre is not None:
                by_middle = Crossing(
                    level=level, limit=limit.value, at=centre, earliest=min(earliest or centre, centre)
                )
            elif earliest is not None and by_interval is None:
                by_interval = Crossing(level=level, limit=limit.value, at=None, earliest=earliest)
    return by_middle or by_interval


def _beyond(value: float, at: datetime, limits: Limits, level: str, direction: str, zone: ZoneInfo) -> bool:
    day = at.astimezone(zone).date()
    return any(one.level == level and one.holds_on(day) and one.crossed(value, direction) for one in limits)


def _first(
    times: Sequence[datetime], values: Sequence[float], value: float, at: datetime, limit: Threshold, direction: str,
    zone: ZoneInfo,
) -> datetime | None:  # fmt: skip
    before, then = value, at
    for moment, one in zip(times, values, strict=True):
        if limit.holds_on(moment.astimezone(zone).date()) and limit.crossed(one, direction):
            share = (limit.value - before) / (one - before) if one != before else 1.0
            return then + (moment - then) * min(max(share, 0.0), 1.0)
        before, then = one, moment
    return None


def warning_record(trials: Trials, model: str, limit: Threshold, direction: str, by: str) -> Record:
    """How the warning of a limit did at the origins of the back-tests."""
    bad = trials.high[model] if direction != "higher" else trials.low[model]
    told = trials.predicted[model] if by == "middle" else bad

    def beyond(values: Floats) -> np.ndarray:
        if direction == "higher":
            return values <= limit.value if limit.inclusive else values < limit.value
        return values >= limit.value if limit.inclusive else values > limit.value

    open_ = trials.judged & np.isfinite(trials.now) & ~beyond(trials.now) & np.isfinite(trials.actual).any(axis=1)
    warned = beyond(np.nan_to_num(told, nan=-np.inf if direction != "higher" else np.inf)).any(axis=1) & open_
    came = beyond(np.nan_to_num(trials.actual, nan=-np.inf if direction != "higher" else np.inf)).any(axis=1) & open_
    return Record(
        level=limit.level, limit=limit.value, by=by, origins=int(open_.sum()), warned=int(warned.sum()),
        hits=int((warned & came).sum()), happened=int(came.sum()), days=len(np.unique(trials.days[came])),
    )  # fmt: skip
