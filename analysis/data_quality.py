"""How good the data are, as four numbers after the words of Công văn 1709/BKHCN-CĐSQG: đúng, đủ, sạch, sống.

The words are the ministry's, the arithmetic is ours, after ISO/IEC 25012 (which characteristics data have) and ISO/IEC
25024 (how a characteristic becomes a ratio of counts). With n the number that a score rests on, per series (source,
site, property) and summed over series:

    correct   = (received + set aside - wrong) / (received + set aside)         25012 accuracy, consistency
                wrong: set aside by validation, quality fail, or not consistent with its parts (WHOLES, AT_MOST, rising)
    complete  = min(usable received, due) / due                                 25012 completeness
                due: time since the series' first word / its period, at every configured site of the source
    clean     = (received - revised - contradicted) / (received + lost)         25012 consistency, precision
                revised: one identity corrected more than MOST_REVISIONS times; contradicted: two sources of one kind
                say different things about one site, property and time; lost: due values in gaps longer than stale_after
    live      = minutes in which the newest known value was no older than stale_after / minutes watched
                                                                                25012 currentness

A day is closed LATENESS after its last label, as much as the catalogue lets a value be late. Tallies of days add up, so
a month is thirty sums and not one reading of a month. Everything here is pure: frames in, frames out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from core.catalogue import Catalogue, Indicator, ObservedProperty
from core.observations import IDENTITY, USABLE
from core.quality import CLEAN, COMPLETE, CORRECT, FAILING_COLUMNS, LIVE, Place, Score, Scored
from core.wilson import bounds, rank_ranges

SERIES = ["source", "site_id", "observed_property"]
COUNTS = (
    "received", "wrong", "aside", "usable", "due", "unclean", "lost", "fresh_min", "watched_min", "days",
)  # fmt: skip
MOST_REVISIONS = 2  # the first value, then a provisional and a final correction are an honest source's habit
LATENESS_MAX = timedelta(hours=6)
GRACE_PERIODS = 2.5  # of a slow source, as in core.snapshot.freshness
SAME_SHARE = 0.05  # two instruments at one place may differ by so much, ours
HOLE_PERIODS = 1.5
MOST_FAILING = 2_000  # rows that are kept of one span, worst first
EVENT_DOMAIN = "reports"  # counts at their instant: nobody can say how many are due
WHOLES: Mapping[str, tuple[tuple[str, ...], float]] = {  # whole -> its parts, and how far rounding may part them
    "dvc766_total": (
        (
            "dvc766_transparency", "dvc766_timeliness", "dvc766_online", "dvc766_payment", "dvc766_digitisation",
            "dvc766_satisfaction",
        ),
        0.05,
    ),
}  # fmt: skip
AT_MOST: tuple[tuple[str, str], ...] = (  # the first can never be more than the second
    ("pm25", "pm10"),
    ("reports_due_met", "reports_due"),
    ("reports_received_flooding", "reports_received"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What happened in (since, until]: `counts` by SERIES with COUNTS, `last` time per series, the rows that failed."""

    since: datetime
    until: datetime
    counts: pd.DataFrame
    last: pd.Series[Any]
    failing: pd.DataFrame
    failed: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What is known about a source: how often it reports, which sites it should speak of, its kind and its owner."""

    every: timedelta
    kind: str
    owner: str
    sites: tuple[str, ...] = ()


def lateness(item: ObservedProperty, every: timedelta = timedelta(0)) -> timedelta:
    """How long after its label a value may come before it counts as missing; at most LATENESS_MAX."""
    return min(max(item.stale_after - item.period, 0.5 * every), LATENESS_MAX)


def measured(catalogue: Catalogue) -> list[str]:
    """What sources report: neither computed here nor about the house itself."""
    own = {part.key for one in catalogue.indicators() for part in one.companions}
    return [
        key
        for key, item in catalogue.items()
        if not isinstance(item, Indicator) and key not in own and item.domain != "operations"
    ]


# -- what is due ------------------------------------------------------------------------------------------------------


def heard(rows: pd.DataFrame) -> pd.DataFrame:
    """Per series of the one frame: first and last time, number of times, and the most common spacing [s].

    Indexed by SERIES: first, last, n, spacing_s (NaN where a series spoke once).
    """
    ordered = rows.sort_values([*SERIES, "time"], kind="stable")
    seconds = _seconds(ordered["time"])
    series = ordered.groupby(SERIES, sort=False).ngroup().to_numpy()
    gap = np.where(np.diff(series, prepend=-1) == 0, np.diff(seconds, prepend=0.0), np.nan)
    spaced = ordered[SERIES].assign(gap=np.round(gap))
    counted = spaced.dropna().groupby([*SERIES, "gap"]).size().reset_index(name="times")
    counted = counted[counted["gap"] > 0].sort_values([*SERIES, "times", "gap"], ascending=[True] * 3 + [False, True])
    usual = counted.drop_duplicates(SERIES).set_index(SERIES)["gap"]
    found = ordered.groupby(SERIES)["time"].agg(first="min", last="max", n="size")
    result: pd.DataFrame = found.assign(spacing_s=usual.reindex(found.index))
    return result


def due_series(
    known: pd.DataFrame, supplies: Mapping[str, Supply], kinds: Mapping[str, str], catalogue: Catalogue
) -> pd.DataFrame:
    """Every series that should speak, indexed by SERIES: period_s, stale_s, late_s, first (NaT: never heard).

    `known` is what `heard` gave over a longer time; `kinds` is site_id -> kind. A configured site of which nothing came
    owes what at least half of the source's other sites of its kind give. The period is the catalogue's, or that of the
    source where it reports more slowly (its usual spacing, within its configured rhythm). Events are never due.
    """
    rows = [
        (*key, first, spacing)
        for key, first, spacing in zip(known.index, known["first"], known["spacing_s"], strict=True)
    ]
    by_source: dict[str, dict[str, set[str]]] = {}
    for (source, site_id, key), *_ in ((row[:3], row) for row in rows):
        by_source.setdefault(source, {}).setdefault(site_id, set()).add(key)
    for source, supply in supplies.items():
        told = by_source.get(source, {})
        for site_id in supply.sites:
            if site_id in told or site_id not in kinds:
                continue
            peers = [keys for other, keys in told.items() if kinds.get(other) == kinds[site_id]]
            for key in sorted(set().union(*peers)):
                if 2 * sum(key in keys for keys in peers) >= len(peers):
                    rows.append((source, site_id, key, pd.NaT, np.nan))
    made = []
    for source, site_id, key, first, spacing in rows:
        item, supply_or_none = catalogue.get(key), supplies.get(source)
        if item is None or item.domain == EVENT_DOMAIN:
            continue
        every = supply_or_none.every if supply_or_none else timedelta(0)
        shortest = item.period.total_seconds()
        period = min(max(spacing if np.isfinite(spacing) else shortest, shortest), max(shortest, every.total_seconds()))
        stale = max(item.stale_after.total_seconds(), GRACE_PERIODS * every.total_seconds(), GRACE_PERIODS * period)
        late = lateness(item, every).total_seconds()
        made.append((source, site_id, key, period, stale, late, first))
    frame = pd.DataFrame(made, columns=[*SERIES, "period_s", "stale_s", "late_s", "first"])
    frame["first"] = pd.to_datetime(frame["first"], utc=True)
    return frame.set_index(SERIES)


# -- one span ---------------------------------------------------------------------------------------------------------


def tally(
    rows: pd.DataFrame,
    aside: pd.DataFrame,
    revisions: pd.DataFrame,
    due: pd.DataFrame,
    catalogue: Catalogue,
    kinds: Mapping[str, str],
    *,
    since: datetime,
    until: datetime,
    watched_since: Mapping[str, datetime],
    last: pd.Series[Any] | None = None,
) -> Tally:
    """Count (since, until].

    `rows`: the one frame + received_at, from `since` - LATENESS_MAX on. `aside`: the one frame + reason + received_at.
    `revisions`: one row per correction (IDENTITY). `due`: due_series(). `kinds`: source -> kind. `last`: the last time
    per series before the span, of the tally before. `watched_since`: since when a source has been watched; one that is
    not in it was not, and what the house loaded from before it watched was not late.
    """
    rows = rows[rows["time"] <= pd.Timestamp(until)].copy()
    index = pd.MultiIndex.from_frame(rows[SERIES])
    late_s = due["late_s"].reindex(index).fillna(0).to_numpy(dtype=np.float64)
    label_s = _seconds(rows["time"])
    everything = rows
    rows = rows[(label_s > since.timestamp() - late_s) & (label_s <= until.timestamp() - late_s)].reset_index(drop=True)
    said = rows["value"].notna() & (rows["quality"] != "missing")
    wrong = _wrong(rows[said], catalogue)
    repeated = _revised(rows[said], revisions)
    other = _contradicted(rows[said], catalogue, kinds)
    moment = aside["time"].where(aside["time"] <= aside["received_at"], aside["received_at"])  # of no or a future time
    aside = aside[(moment > pd.Timestamp(since)) & (moment <= pd.Timestamp(until))]
    holes = _holes(rows[rows["value"].notna() & rows["quality"].isin(USABLE)], due, since, until, last)
    watched = _watched(everything, due, since, until, last, watched_since)

    def size(frame: pd.DataFrame) -> pd.Series[Any]:
        return frame.groupby(SERIES).size()

    received = size(rows[said])
    unclean = rows.loc[said, SERIES].assign(bad=repeated["bad"].to_numpy() | other["bad"].to_numpy())
    lost = holes[holes["long"]].groupby(SERIES)["n"].sum()
    columns = {
        "received": received,
        "wrong": wrong[wrong["why"] != ""].groupby(SERIES).size(),
        "aside": size(aside),
        "usable": size(rows[rows["value"].notna() & rows["quality"].isin(USABLE)]),
        "due": _due(due, since, until),
        "unclean": unclean[unclean["bad"]].groupby(SERIES).size(),
        "lost": lost,
        "fresh_min": watched["fresh_min"],
        "watched_min": watched["watched_min"],
    }
    counts = pd.DataFrame(columns).fillna(0.0).astype("float64")
    counts.index.names = SERIES
    counts["days"] = (until - since) / timedelta(days=1)
    failing = [
        _failing(CORRECT, aside.assign(why=aside["reason"], n=1.0, until=aside["time"], since=aside["time"])),
        _failing(CORRECT, wrong[wrong["why"] != ""].assign(n=1.0)),
        _failing(COMPLETE, holes.assign(why="gap")),
        _failing(CLEAN, holes[holes["long"]].assign(why="long_gap")),
        _failing(CLEAN, repeated[repeated["bad"]].assign(why="revised")),
        _failing(CLEAN, other[other["bad"]].assign(why="contradicted", n=1.0)),
        _failing(
            LIVE, watched.reset_index().query("stale_min > 0").assign(why="stale").rename(columns={"stale_min": "n"})
        ),
    ]
    told = pd.concat([one for one in failing if len(one)] or failing[:1], ignore_index=True)
    newest = rows.groupby(SERIES)["time"].max()
    if last is not None:
        newest = pd.concat([last, newest]).groupby(level=SERIES).max()
    return Tally(
        since=since,
        until=until,
        counts=counts,
        last=newest,
        failing=bounded(told),
        failed=_numbers(told),
    )


def _numbers(failing: pd.DataFrame) -> dict[tuple[str, str], int]:
    """(source, score) -> how many rows."""
    sizes = failing.groupby(["source", "score"]).size().reset_index(name="rows")
    return {
        (str(source), str(score)): int(n)
        for source, score, n in zip(sizes["source"], sizes["score"], sizes["rows"], strict=True)
    }


def _failing(score: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows as FAILING_COLUMNS."""
    data = frame.reset_index(drop=True).assign(score=score)
    if "since" not in data:
        data["since"] = data.get("time", pd.NaT)
    if "until" not in data:
        data["until"] = data["since"]
    for name in ("value", "n"):
        if name not in data:
            data[name] = np.nan
    return data.loc[:, list(FAILING_COLUMNS)]


def bounded(failing: pd.DataFrame) -> pd.DataFrame:
    """The rows that weigh most, newest first among equals; as many of every source and score as there is room for."""
    if len(failing) <= MOST_FAILING:
        return failing.sort_values(["n", "since"], ascending=[False, False], kind="stable").reset_index(drop=True)
    ordered = failing.sort_values(["n", "since"], ascending=[False, False], kind="stable")
    turn = ordered.groupby(["source", "score"]).cumcount()  # one of each in turn: a bad source must not hide the others
    chosen = ordered.assign(turn=turn).sort_values("turn", kind="stable").head(MOST_FAILING)
    return (
        chosen.sort_values(["n", "since"], ascending=[False, False], kind="stable")
        .drop(columns="turn")
        .reset_index(drop=True)
    )


def _wrong(rows: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The rows with `why`: fail, out_of_range, sum, part, falling; empty where nothing is wrong."""
    why = pd.Series("", index=rows.index, dtype="str")
    low = rows["observed_property"].map({key: item.low for key, item in catalogue.items()}).astype("float64")
    high = rows["observed_property"].map({key: item.high for key, item in catalogue.items()}).astype("float64")
    why = why.mask((rows["value"] < low) | (rows["value"] > high), "out_of_range")
    why = why.mask(rows["quality"] == "fail", "fail")
    places = ["time", "site_id", "source"]

    def wide(keys: Iterable[str]) -> pd.DataFrame:
        some = rows[rows["observed_property"].isin(list(keys))]
        return some.pivot_table(index=places, columns="observed_property", values="value", aggfunc="last")

    def blame(key: str, at: pd.Index, word: str) -> None:
        nonlocal why
        if len(at):
            where = pd.MultiIndex.from_frame(rows[places]).isin(at) & (rows["observed_property"] == key).to_numpy()
            why = why.mask(where & (why == ""), word)

    present = set(rows["observed_property"].unique())
    for whole, (parts, tolerance) in WHOLES.items():
        if not {whole, *parts} <= present:
            continue
        full = wide((whole, *parts)).dropna()
        blame(whole, full.index[(full[list(parts)].sum(axis=1) - full[whole]).abs() > tolerance], "sum")
    for part, whole in AT_MOST:
        if {part, whole} <= present:
            both = wide((part, whole)).dropna()
            blame(part, both.index[both[part] > both[whole] * (1 + SAME_SHARE)], "part")
    for key in [key for key, item in catalogue.items() if item.rising]:
        some = rows[rows["observed_property"] == key].sort_values("time")
        fell = some[some.groupby(["site_id", "source"])["value"].diff() < 0]
        blame(key, pd.MultiIndex.from_frame(fell[places]), "falling")
    return rows.assign(why=why)


def _revised(rows: pd.DataFrame, revisions: pd.DataFrame) -> pd.DataFrame:
    """The rows with n, how often each was corrected, and `bad` where that is more than MOST_REVISIONS times."""
    if revisions.empty or rows.empty:
        return rows.assign(n=0.0, bad=False)
    times = revisions.groupby(IDENTITY).size().astype("float64")
    n = times.reindex(pd.MultiIndex.from_frame(rows[IDENTITY])).fillna(0.0).to_numpy()
    return rows.assign(n=n, bad=n > MOST_REVISIONS)


def _contradicted(rows: pd.DataFrame, catalogue: Catalogue, kinds: Mapping[str, str]) -> pd.DataFrame:
    """The rows with `bad`: another source of the same kind says another thing about that site, property and time."""
    place = ["time", "site_id", "observed_property"]
    kind = rows["source"].map(lambda key: kinds.get(key, "measurement"))
    groups = rows.assign(kind=kind).groupby([*place, "kind"])["value"]
    spread = groups.transform("max") - groups.transform("min")
    step = rows["observed_property"].map({key: 10.0**-item.decimals for key, item in catalogue.items()}).fillna(1.0)
    allowed = np.maximum(step.astype("float64"), SAME_SHARE * groups.transform("max").abs())
    return rows.assign(bad=spread > allowed)


def _due(due: pd.DataFrame, since: datetime, until: datetime) -> pd.Series[Any]:
    """How many values were due, with fractions: a month is due once in thirty days. Never heard: due all the time."""
    late = pd.to_timedelta(due["late_s"], unit="s")
    begin, end = pd.Timestamp(since) - late, pd.Timestamp(until) - late
    first = due["first"] - pd.to_timedelta(due["period_s"], unit="s")  # the first value was due itself
    begin = begin.where(first.isna() | (first < begin), first)
    return ((end - begin).dt.total_seconds() / due["period_s"]).clip(lower=0.0)


def _holes(
    rows: pd.DataFrame, due: pd.DataFrame, since: datetime, until: datetime, last: pd.Series[Any] | None
) -> pd.DataFrame:
    """Silences of more than HOLE_PERIODS periods: SERIES, since, until, n values that should lie in it, long."""
    late = pd.to_timedelta(due["late_s"], unit="s")
    begin, end = pd.Timestamp(since) - late, pd.Timestamp(until) - late
    start = begin.where(due["first"].isna() | (due["first"] < begin), due["first"])
    carried = start if last is None else last.reindex(due.index).fillna(start).clip(upper=start)
    edges = pd.concat(
        [
            rows.loc[:, [*SERIES, "time"]].set_index(SERIES)["time"],
            start[start <= end].rename("time"),
            end[start <= end].rename("time"),
        ]
    ).reset_index()
    edges["place"] = [1] * len(rows) + [0] * int((start <= end).sum()) + [2] * int((start <= end).sum())
    spoken = due[["period_s", "stale_s"]].assign(carried=carried)
    edges = edges.merge(spoken.reset_index(), on=SERIES).sort_values([*SERIES, "time", "place"])
    before = edges.groupby(SERIES)["time"].shift()
    gap_s = (edges["time"] - before).dt.total_seconds()
    at_end = edges["place"] == 2
    n = np.where(at_end, np.floor(gap_s / edges["period_s"] + 1e-6), np.round(gap_s / edges["period_s"]) - 1)
    begun = before.where(edges.groupby(SERIES).cumcount() > 1, edges["carried"])  # the first edge is no value
    silent_s = (edges["time"] - begun).dt.total_seconds()
    holes = edges.assign(since=before, until=edges["time"], n=n, long=silent_s > edges["stale_s"])
    silent = (gap_s > HOLE_PERIODS * edges["period_s"]) & (holes["n"] > 0)
    result: pd.DataFrame = holes.loc[silent, [*SERIES, "since", "until", "n", "long"]].reset_index(drop=True)
    return result


def _watched(
    rows: pd.DataFrame,
    due: pd.DataFrame,
    since: datetime,
    until: datetime,
    last: pd.Series[Any] | None,
    watched_since: Mapping[str, datetime],
) -> pd.DataFrame:
    """Minutes watched and minutes fresh per due series (indexed by SERIES), and where the longest staleness lay.

    At a moment x the house knows what it received by then; the newest label m of that is fresh while x - m <= stale_s.
    """
    begin_of = {key: max(moment, since) for key, moment in watched_since.items()}
    begins = pd.Series([begin_of.get(str(key[0]), until) for key in due.index], index=due.index)
    start = _seconds(pd.to_datetime(begins, utc=True))
    first = due["first"]
    alive = first.notna() & (first > pd.Timestamp(since))
    start = np.where(alive, np.maximum(start, _seconds(first.fillna(pd.Timestamp(since)))), start)
    until_s = until.timestamp()
    table = due.assign(start=start, until=until_s)
    known = rows[rows["value"].notna() & rows["quality"].isin(USABLE)]
    known = known.assign(received=_seconds(known["received_at"]), label=_seconds(known["time"]))
    known = known[[*SERIES, "received", "label"]].sort_values([*SERIES, "received", "label"])
    if last is not None and len(last):
        carried = last.reset_index()
        carried = carried.assign(label=_seconds(carried["time"]), received=-np.inf)[[*SERIES, "received", "label"]]
        known = pd.concat([carried, known]).sort_values([*SERIES, "received", "label"], kind="stable")
    known = known.merge(table[["stale_s", "start", "until"]].reset_index(), on=SERIES)
    newest = known.groupby(SERIES)["label"].cummax()
    following = known.groupby(SERIES)["received"].shift(-1).fillna(np.inf)
    opens = np.maximum(np.maximum(known["received"], newest), known["start"])
    closes = np.minimum(np.minimum(following, newest + known["stale_s"]), known["until"])
    fresh = known.assign(fresh=np.maximum(closes - opens, 0.0) / 60).groupby(SERIES)["fresh"].sum()
    watched = np.maximum(until_s - table["start"], 0.0) / 60
    minutes = pd.DataFrame({"watched_min": watched}, index=due.index)
    minutes["fresh_min"] = np.minimum(fresh.reindex(due.index).fillna(0.0), minutes["watched_min"])
    minutes["stale_min"] = (minutes["watched_min"] - minutes["fresh_min"]).where(lambda gap: gap > 0.5, 0.0)
    return minutes.assign(since=pd.Timestamp(since), until=pd.Timestamp(until))


def _seconds(times: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Aware times as seconds since 1970; NaT as NaN."""
    whole = pd.DatetimeIndex(times).as_unit("us")
    return np.where(whole.isna(), np.nan, whole.asi8 / 1e6)


# -- scores -----------------------------------------------------------------------------------------------------------


def added(tallies: Sequence[Tally]) -> tuple[pd.DataFrame, pd.DataFrame, dict[tuple[str, str], int]]:
    """Counts, failing rows and their true numbers of several spans together."""
    counts = pd.concat([one.counts for one in tallies]).groupby(level=SERIES).sum()
    failing = bounded(pd.concat([one.failing for one in tallies], ignore_index=True))
    failed: dict[tuple[str, str], int] = {}
    for one in tallies:
        for key, n in one.failed.items():
            failed[key] = failed.get(key, 0) + n
    return counts, failing, failed


def scored(counts: pd.DataFrame, key_of: Callable[[str, str], str]) -> dict[str, Scored]:
    """Scores of the groups that `key_of(source, site_id)` names; «» leaves a series out. COUNTS by SERIES in.

    What came beyond what was due helps no other series: received is capped series by series.
    """
    if counts.empty:
        return {}
    keys = [key_of(str(source), str(site_id)) for source, site_id, _ in counts.index]
    sums = counts.assign(came=counts[["usable", "due"]].min(axis=1)).groupby(np.array(keys, dtype=object)).sum()
    found = {}
    for key, values in zip(sums.index.tolist(), sums.to_numpy(dtype=np.float64).tolist(), strict=True):
        row = SimpleNamespace(**dict(zip(sums.columns, values, strict=True)))
        if key:
            found[key] = Scored(
                key=key,
                scores={
                    CORRECT: Score(good=row.received - row.wrong, n=row.received + row.aside),
                    COMPLETE: Score(good=row.came, n=row.due),
                    CLEAN: Score(good=row.received - row.unclean, n=row.received + row.lost),
                    LIVE: Score(good=row.fresh_min, n=row.watched_min),
                },
                series_days=row.days,
            )
    return found


def wilson(share: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share that n independent cases gave (Wilson 1927); (0, 1) without a case."""
    if n <= 0:
        return 0.0, 1.0
    low, high = bounds(np.float64(share * n), np.float64(n))
    return float(low), float(high)


def league(suppliers: Mapping[str, Scored]) -> tuple[Place, ...]:
    """Suppliers, best first, with the interval of their overall score and the ranks that it leaves open.

    Values of one series on one day fail together, so not the values but the series-days count as independent cases.
    The interval of the mean is the mean of the four Wilson intervals: wider than the truth, never narrower. One stands
    above another only where their intervals part.
    """
    intervals: dict[str, tuple[float, float]] = {}
    for key, one in suppliers.items():
        found = [
            wilson(score.percent / 100, one.series_days) for score in one.scores.values() if score.percent is not None
        ]
        if found:
            intervals[key] = (
                100 * sum(low for low, _ in found) / len(found),
                100 * sum(high for _, high in found) / len(found),
            )
    ranks = rank_ranges(intervals)
    places = [
        Place(
            scored=suppliers[key],
            low=low,
            high=high,
            best_rank=ranks[key][0],
            worst_rank=ranks[key][1],
        )
        for key, (low, high) in intervals.items()
    ]
    return tuple(sorted(places, key=lambda one: (-(one.scored.overall or 0.0), one.scored.key)))
