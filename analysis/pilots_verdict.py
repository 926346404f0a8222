"""The verdict on a pilot: scale, extend, stop or cannot tell, with the reasons a leader reads.

Conservative on purpose: whoever would spend on a claim may ask for a clean past, an interval that excludes «nothing»
and placebos that stay smaller. docs/pilots.md writes the rule down with its sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import comb, isfinite

from analysis.pilots_inference import ALPHA, LEAST_BEFORE
from core.formats import number
from core.i18n import Translator

SCALE, EXTEND, STOP, CANNOT_TELL = "scale", "extend", "stop", "cannot_tell"
VERDICTS = (SCALE, EXTEND, STOP, CANNOT_TELL)
MOST_NOISIER = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the verdict rests on. Amounts in the unit of the indicator."""

    better: str  # up | down: where a gain lies
    worthwhile: float  # the smallest gain that pays, >= 0
    effect: float
    low: float
    high: float
    checkable: bool
    treated: int
    controls: int
    before: int  # times before the start
    trend_p: float
    early_p: float
    early: float
    placebo_share: float
    noisier: float
    synthetic: float | None
    resolvable: bool  # a run twice as long would find the worthwhile gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One sentence: `pilots.why_<key>` of the locales."""

    key: str
    values: Mapping[str, float] = field(default_factory=dict)

    def words(self, language: str) -> str:
        """The sentence in `vi` or `en`."""
        shown = {name: number(value, 0 if value == int(value) else 1, language) for name, value in self.values.items()}
        return Translator(language)(f"pilots.why_{self.key}", **shown)


def judge(facts: Facts) -> tuple[str, tuple[Reason, ...]]:
    """The verdict and its reasons, the heaviest first."""
    doubts = _doubts(facts)
    if doubts:
        return CANNOT_TELL, tuple(doubts)
    sign = 1 if facts.better == "up" else -1
    gain = sign * facts.effect
    low, high = sorted((sign * facts.low, sign * facts.high))
    if high < 0:
        return STOP, (Reason(key="harm"), Reason(key="checks_passed"))
    if high < facts.worthwhile:
        return STOP, (Reason(key="too_small"), Reason(key="checks_passed"))
    if low > 0:
        if gain >= facts.worthwhile:
            return SCALE, (Reason(key="gain"), Reason(key="checks_passed"))
        return EXTEND, (Reason(key="gain_perhaps_small"), Reason(key="checks_passed"))
    if facts.resolvable:
        return EXTEND, (Reason(key="not_yet"), Reason(key="longer_helps"))
    return CANNOT_TELL, (Reason(key="not_yet"), Reason(key="longer_does_not_help"))


def _doubts(facts: Facts) -> list[Reason]:
    """Why nothing may be claimed; empty when nothing stands against it."""
    found = []
    if not facts.checkable:
        found.append(Reason(key="few_times", values={"n": facts.before, "least": LEAST_BEFORE}))
    if not (isfinite(facts.low) and isfinite(facts.high)):
        found.append(
            Reason(
                key="few_units",
                values={
                    "treated": facts.treated,
                    "controls": facts.controls,
                    "least": least_controls(facts.treated),
                },
            )
        )
    if facts.checkable and facts.trend_p <= ALPHA:
        found.append(Reason(key="trend"))
    if facts.checkable and facts.early_p <= ALPHA:
        found.append(Reason(key="early"))
    if facts.noisier > MOST_NOISIER:
        found.append(Reason(key="noisier", values={"times": min(facts.noisier, 1000.0)}))
    if facts.low > 0 or facts.high < 0:
        if facts.placebo_share > ALPHA:
            found.append(Reason(key="placebo_space", values={"share": 100 * facts.placebo_share}))
        if facts.checkable and abs(facts.early) >= abs(facts.effect):
            found.append(Reason(key="placebo_time"))
        if facts.synthetic is not None and facts.synthetic * facts.effect <= 0:
            found.append(Reason(key="synthetic"))
    return found


def least_controls(treated: int) -> int:
    """With so many controls randomisation over the units can reach 5 % at all."""
    controls = 1
    while comb(treated + controls, treated) * ALPHA < 1 - 1e-9:
        controls += 1
    return controls
