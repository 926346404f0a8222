"""Long questions of screens (forecasts, links, satisfaction …), each answered once for all who ask the same.

A page never computes: it asks, shows the newest answer there is with its age, and meanwhile a thread that no cycle
waits for makes the next one. Answers live in memory only; whatever must outlast the process belongs in the store.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar, cast

from core.clock import Clock
from core.errors import HouseError

LOG = logging.getLogger("line")
MOST_KEPT = 128  # questions; the ones not asked for longest are forgotten
T = TypeVar("T")
Tell = Callable[[float], None]  # share of the work that is done, 0 … 1


@dataclass(frozen=True, slots=True)
class Study(Generic[T]):
    """What is known of one question now. An old answer stands until the new one is there."""

    value: T | None = None
    made_at: datetime | None = None  # by the city's clock
    busy: bool = False
    progress: float = 0.0
    problem: str = ""  # why the last try gave no answer, in words for a person


class Studies:
    """One thread answers, in the order of asking. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="study")
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, Study[Any]] = OrderedDict()
        self._tried: dict[Hashable, datetime] = {}

    def ask(self, question: Hashable, compute: Callable[[Tell], T], every: timedelta) -> Study[T]:
        """The newest answer; a new one is begun when there is none, or it is older than `every`.

        `compute` runs in the thread of studies and gets a function to tell its progress. Its HouseError becomes
        `problem`; a defect is logged and becomes a sentence, and either is tried again after `every`.
        """
        now = self._clock.now()
        with self._lock:
            known = self._known.pop(question, Study())
            tried = self._tried.get(question)
            if not known.busy and (tried is None or now - tried >= every):
                known = replace(known, busy=True, progress=0.0)
                self._tried[question] = now
                self._pool.submit(self._answer, question, compute)
            self._known[question] = known
            while len(self._known) > MOST_KEPT:
                gone, _ = self._known.popitem(last=False)
                self._tried.pop(gone, None)
        return cast(Study[T], known)

    def known(self, question: Hashable) -> Study[Any]:
        """What is known, without beginning anything."""
        with self._lock:
            return self._known.get(question, Study())

    def stop(self) -> None:
        """Take no more questions, and let the running one end: the store may be closed once this returns."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, question: Hashable, compute: Callable[[Tell], Any]) -> None:
        def tell(share: float) -> None:
            self._put(question, progress=min(max(share, 0.0), 1.0))

        with self._lock:
            if question not in self._known:  # forgotten for newer ones while it waited: nobody is there to read it
                return
        try:
            value = compute(tell)
        except HouseError as error:
            self._put(question, busy=False, progress=1.0, problem=str(error))
        except Exception:  # a defect of one study is told on its screen; the watch goes on
            LOG.exception("the study %s failed", question)
            self._put(question, busy=False, progress=1.0, problem="Phép tính bị lỗi; nhật ký máy chủ ghi vì sao.")
        else:
            self._put(question, value=value, made_at=self._clock.now(), busy=False, progress=1.0, problem="")

    def _put(self, question: Hashable, **changed: Any) -> None:
        with self._lock:
            if question in self._known:  # else nobody asked for so long that it was forgotten
                self._known[question] = replace(self._known[question], **changed)
