"""Trials of rules on history: heavy work in a thread of its own, asked for by screens, which only look at the job."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from alerts.desk import Desk
from alerts.engine import lookback, properties
from alerts.rules import Rule, altered
from alerts.trial import Cure, Trial, asked_about, suggest_cure, try_rule
from core.clock import Clock
from core.errors import HouseError, InputError
from store.base import Store

LOG = logging.getLogger("line")
LONGEST_DAYS = 400
MOST_KEPT = 32  # results; the oldest are forgotten


@dataclass
class TrialJob:
    """One trial: a screen looks at it until `done`, then shows result and cure, or the error."""

    rule: str
    days: int
    done: bool = False
    progress: float = 0.0  # 0 … 1
    result: Trial | None = None
    cure: Cure | None = None
    samples: pd.DataFrame | None = None  # the one frame of the tried property, for the picture
    error: str = ""


class Trials:
    """Runs one trial at a time; the same question on the same day is answered once."""

    def __init__(
        self, store: Store, clock: Clock, desk: Desk, band: Callable[[], Mapping[tuple[str, str], pd.DataFrame]]
    ) -> None:
        self._store = store
        self._clock = clock
        self._desk = desk
        self._band = band
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="trial")
        self._lock = threading.Lock()
        self._jobs: OrderedDict[tuple[object, ...], TrialJob] = OrderedDict()

    def ask(self, rule_key: str, days: int, changes: Mapping[str, float] | None = None) -> TrialJob:
        """The job for a rule over its last days, perhaps with other numbers. Raises InputError for an unknown rule."""
        if rule_key not in self._desk.by_key:
            raise InputError(f"rule {rule_key!r} is unknown; known: {', '.join(sorted(self._desk.by_key))}")
        if not 1 <= days <= LONGEST_DAYS:
            raise InputError(f"{days} days: give 1 to {LONGEST_DAYS}")
        until = self._clock.now().replace(minute=0, second=0, microsecond=0)
        question = (rule_key, days, tuple(sorted((changes or {}).items())), until)
        with self._lock:
            job = self._jobs.get(question)
            if job is None:
                job = TrialJob(rule=rule_key, days=days)
                self._jobs[question] = job
                while len(self._jobs) > MOST_KEPT:
                    self._jobs.popitem(last=False)
                self._pool.submit(self._run, job, dict(changes or {}), until)
            return job

    def stop(self) -> None:
        """Take no more questions, and let the running trial end: the store may be closed once this returns."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: TrialJob, changes: dict[str, float], until: datetime) -> None:
        try:
            rule = altered(self._desk.by_key[job.rule], changes)
            others = self._desk.rules
            since = until - timedelta(days=job.days)
            asked = [rule, *asked_about(rule, others)]
            rows = self._store.read_observations(properties(asked), since - _reach(asked), until)
            latest, band = self._store.latest(properties(asked)), self._band()

            def tell(share: float) -> None:
                job.progress = share

            job.result = try_rule(
                rule, rows, since=since, until=until, latest=latest, band=band, others=others, progress=tell
            )
            job.samples = rows[rows["observed_property"] == rule.observed_property]
            job.cure = suggest_cure(rule, rows, since=since, until=until, latest=latest, band=band, others=others)
        except HouseError as error:
            job.error = str(error)
        except Exception:  # a defect of one trial is told on its screen; the watch goes on
            LOG.exception("trial of %s failed", job.rule)
            job.error = f"{job.rule}: the trial failed; the server's log says why"
        finally:
            job.progress = 1.0
            job.done = True


def _reach(asked: Sequence[Rule]) -> timedelta:
    """How far before the trial its rows begin: what is looked over, and slow values that still hold at its start."""
    return max(lookback(asked), *(span for rule in asked for span in rule.stale_by_property.values()), timedelta(0))
