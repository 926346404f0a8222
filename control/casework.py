"""Files, citizen reports, the score of Decision 766 and proposals of citizens: what their screens ask of the line.

Everything that takes time is a study: computed once for all who ask the same and see the same areas. The public page
gets figures of its own (control/open_figures.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pandas as pd

from alerts.deeds import Deed
from analysis import cases, late_files, qd766
from analysis.cases import Share, Summary
from analysis.late_files import Warnings
from analysis.qd766 import Mark, Unit
from control.gate import Gate
from control.open_figures import OpenFigures, PublicPicture
from control.pilots import Known
from control.studies import Studies, Study
from core import deadlines
from core.access import Person
from core.cases import FILE, REPORT
from core.clock import Clock
from core.config import City
from core.errors import InputError
from core.pilots import FINISHED, RUNNING
from core.proposals import Proposal, load_proposals
from core.quality import Quality
from core.scores766 import load_scores766, read_counts
from core.working_hours import load_office_hours
from store.base import Store

SPAN = timedelta(days=30)
MEMORY = timedelta(days=120)  # of files: as far back as risks are counted
REPORTS_EVERY = timedelta(minutes=5)
WARNINGS_EVERY = timedelta(minutes=15)
SCORES_EVERY = timedelta(minutes=30)
SCORES_MEMORY = timedelta(days=400)
REMIND = "remind_unit"
WARNING = "late_files"  # stands for the rule in the key of such a deed
PUBLISHED = "dvc766_"
Areas = frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreBoard:
    """The newest period of which there are counts or published scores."""

    period_end: datetime
    units: tuple[Unit, ...]
    ranks: tuple[tuple[int, Unit], ...]
    ranked: int  # units with a rank in the whole city
    marks: tuple[Mark, ...]
    repairs: Mapping[tuple[str, date], str]  # what people wrote about a repair
    history: pd.DataFrame  # unit, time, value of the published totals
    counts_from: str  # file of the counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A proposal, where it stands among the others, and what became of it."""

    proposal: Proposal
    support: Share
    best_rank: int  # ranks that its interval allows
    worst_rank: int
    pilot: Known | None
    verdict: str  # scale | extend | stop | cannot_tell | early | before | none


class Casework:
    """The questions and deeds of one city. Thread-safe."""

    def __init__(
        self,
        city: City,
        store: Store,
        clock: Clock,
        gate: Gate,
        studies: Studies,
        *,
        published: Callable[[Path], pd.DataFrame],
        pilots: Callable[[], tuple[Known, ...]],
        quality: Callable[[], Quality | None],
    ) -> None:
        """`published` reads a file of published scores as the one frame. Raises ConfigError for wrong settings."""
        self._city = city
        self._store = store
        self._clock = clock
        self._gate = gate
        self._studies = studies
        self._published = published
        self._pilots = pilots
        self._quality = quality
        self.office = load_office_hours(city.folder, city.zone)
        self.deadlines = deadlines.load_deadlines(city.folder)
        self._scores = load_scores766(city)
        self._proposals = load_proposals(city.folder, {one.pilot.key for one in pilots()})
        self._open = OpenFigures(
            city,
            store,
            clock,
            studies,
            reports=lambda since: self._cases(REPORT, since, None),
            proposals=self._proposals,
        )

    def reports(self, areas: Areas) -> Study[Summary]:
        """Citizen reports of the last SPAN in these areas (None: the whole city)."""
        return self._studies.ask(("reports", areas), lambda _: self._reports(areas), REPORTS_EVERY)

    def warnings(self, areas: Areas) -> Study[Warnings | None]:
        """Files that may run late; the value is None while too few have a known end."""
        return self._studies.ask(("late_files", areas), lambda _: self._warnings(areas), WARNINGS_EVERY)

    def scores(self, areas: Areas) -> Study[ScoreBoard]:
        """The scores of Decision 766 of the units in these areas."""
        return self._studies.ask(("scores766", areas), lambda _: self._board(areas), SCORES_EVERY)

    def public(self) -> Study[PublicPicture]:
        """The figures of the newest closed period, the same for everybody and for ever."""
        return self._open.shown()

    def remind(self, person: Person, agency: str, category: str) -> None:
        """Note that a person reminded a unit of its files at risk. Raises Denied or InputError; both are audited."""

        def note() -> str:
            if agency not in self._city.sites.index or (FILE, category) not in self.deadlines:
                raise InputError(f"Không có đơn vị {agency} hay loại hồ sơ {category}.")
            self._store.remind_unit(agency, category, self._clock.now(), person.account)
            return f"{agency}: {category}"

        self._gate.pass_by(person, Deed(action=REMIND, keys=((WARNING, agency),)), note)

    def spoken(self, picture: PublicPicture | None = None) -> tuple[Spoken, ...]:
        """The register of proposals, those with the most support first; with the votes that a `picture` tells."""
        known = {one.pilot.key: one for one in self._pilots()}
        support = {
            one.key: picture.support(one) if picture else Share(one.votes, one.voters) for one in self._proposals
        }
        bounds = {key: share.bounds or (0.0, 100.0) for key, share in support.items()}
        found = [
            Spoken(
                proposal=one,
                support=support[one.key],
                best_rank=1 + sum(low > bounds[one.key][1] for low, _ in bounds.values()),
                worst_rank=len(bounds) - sum(high < bounds[one.key][0] for _, high in bounds.values()),
                pilot=known.get(one.pilot),
                verdict=_verdict(known.get(one.pilot)),
            )
            for one in self._proposals
        ]
        return tuple(sorted(found, key=lambda one: (-(one.support.percent or 0.0), one.proposal.key)))

    # -- computed in the thread of studies ----------------------------------------------------------------------------

    def _cases(self, kind: str, since: datetime, areas: Areas) -> pd.DataFrame:
        found = self._store.read_cases(kind, since)
        if areas is not None:
            found = found[found["ward"].isin(sorted(areas))]
        return deadlines.with_due(found, self.deadlines, self.office)

    def _reports(self, areas: Areas) -> Summary:
        now = self._clock.now()
        found = self._cases(REPORT, now - SPAN, areas)
        return cases.summarise(found, since=now - SPAN, now=now, population=self._people(areas))

    def _people(self, areas: Areas) -> dict[str, float]:
        """Inhabitants of the wards in these areas; NaN where nobody wrote them down."""
        people = self._city.areas["population"]
        return {str(code): float(people[code]) for code in people.index if areas is None or code in areas}

    def _warnings(self, areas: Areas) -> Warnings | None:
        now = self._clock.now()
        return late_files.warn(
            self._cases(FILE, now - MEMORY, areas), self.office, now, reminders=self._store.read_reminders(now - MEMORY)
        )

    def _board(self, areas: Areas) -> ScoreBoard:
        now = self._clock.now()
        history, counts = self._history(now), self._counts()
        ends = [frame[name].max() for frame, name in ((counts, "period_end"), (history, "time")) if len(frame)]
        if not ends:
            raise InputError("Chưa có số đếm hay điểm công bố nào theo QĐ 766.")
        period_end = max(ends)
        current = history[history["time"] == period_end]
        told = {
            (str(row["site_id"]), str(row["observed_property"]).removeprefix(PUBLISHED)): float(row["value"])
            for row in current.to_dict("records")
            if pd.notna(row["value"])
        }
        units = qd766.recompute(counts[counts["period_end"] == period_end], told)
        totals = history[history["observed_property"] == f"{PUBLISHED}{qd766.TOTAL}"]
        totals = totals.rename(columns={"site_id": "unit"})[["unit", "time", "value"]].dropna().reset_index(drop=True)
        marks = qd766.guard(totals, self._events())
        end = period_end.to_pydatetime()
        # Steps and ranks are those of all units; a person sees those of their own areas.
        return ScoreBoard(
            period_end=end,
            units=tuple(one for one in units if self._inside(one.unit, areas)),
            ranks=tuple(one for one in qd766.ranked(units, marks, end) if self._inside(one[1].unit, areas)),
            ranked=len(qd766.ranked(units, marks, end)),
            marks=tuple(one for one in marks if self._inside(one.unit, areas)),
            repairs={(unit, day): words for unit, day, _, words in self._scores.repairs},
            history=totals[totals["unit"].map(lambda unit: self._inside(str(unit), areas)).astype(bool)],
            counts_from=self._scores.counts.name if self._scores.counts else "",
        )

    def _history(self, now: datetime) -> pd.DataFrame:
        """Published scores of all units; what a source brought comes before what lies in the city's file."""
        keys = [f"{PUBLISHED}{name}" for name in (*qd766.GROUPS, qd766.TOTAL)]
        found = [self._store.read_observations(keys, now - SCORES_MEMORY, now)]
        if self._scores.published is not None:
            found.append(self._published(self._scores.published))
        both = pd.concat([one[["time", "site_id", "observed_property", "value"]] for one in found], ignore_index=True)
        return both.drop_duplicates(["time", "site_id", "observed_property"])

    def _counts(self) -> pd.DataFrame:
        if self._scores.counts is None:
            return pd.DataFrame(columns=["period_end", *qd766.COLUMNS])
        found = read_counts(self._scores.counts, self._city.zone)
        foreign = sorted(set(found["unit"]) - set(self._city.sites.index))
        if foreign:
            raise InputError(f"{self._scores.counts.name}: không có đơn vị {', '.join(foreign)} trong sites.toml")
        return found

    def _inside(self, unit: str, areas: Areas) -> bool:
        return areas is None or self._city.area_of(unit) in areas

    def _events(self) -> pd.DataFrame:
        """What happened to data: what people wrote down, and what the house saw itself."""
        rows = [
            {"unit": unit, "at": pd.Timestamp(datetime.combine(day, time(12), self._city.zone)), "cause": cause}
            for unit, day, cause, _ in self._scores.repairs
        ]
        quality = self._quality()
        rows += [
            {"unit": mark.site_id, "at": pd.Timestamp(mark.at), "cause": mark.cause}
            for mark in (quality.artefacts if quality else ())
        ]
        found = pd.DataFrame(rows, columns=["unit", "at", "cause"])
        return found.assign(at=pd.to_datetime(found["at"], utc=True))


def _verdict(known: Known | None) -> str:
    if known is None:
        return "none"
    if known.state == FINISHED and known.result is not None:
        return str(known.result.verdict)
    return "early" if known.state == RUNNING else "before"
