"""Did the pilot work, how sure are we, and what now? Difference-in-differences, checks, and a verdict.

The rule of the verdict, with its sources, stands in docs/pilots.md. It claims an effect only where the 95 % interval
excludes none, both groups went the same way before the start, and no placebo is as large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis import pilots_power
from analysis.pilots_inference import Design, Examined, Floats, design_of, examine
from analysis.pilots_panel import Panel
from analysis.pilots_power import Chances, Noise
from analysis.pilots_synthetic import Synthetic, placebo_ratios, synthetic
from analysis.pilots_verdict import Facts, Reason, judge

SEED = 20261120
WORTHWHILE_PCT = 5.0  # where a plan does not say which gain would pay


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An effect with its 95 % interval; infinite where the units are too few to bound it. Unit of the indicator."""

    value: float
    low: float
    high: float
    p: float

    @property
    def sure(self) -> bool:
        """The interval excludes «no effect»."""
        return self.low > 0 or self.high < 0

    @property
    def bounded(self) -> bool:
        """There is an interval at all."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What such a pilot can see, by the noise of the time before. None: it cannot be said."""

    noise: Noise | None
    smallest: float | None  # found 80 times of 100
    smallest_pct: float | None  # of the treated units' mean before the start
    at_worthwhile: float | None  # share of such pilots in which the worthwhile effect is found


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All that is known of a pilot after its data. Series are (times,) of the panel."""

    panel: Panel
    better: str  # up | down
    worthwhile_pct: float
    method: str  # permutation | cr2
    compared: int  # choices of units that the test compared
    effect: Estimate
    percent: Estimate | None  # of what the treated units would have shown without the pilot
    trend: Estimate | None
    early: Estimate | None
    placebo_share: float
    placebos: tuple[float, ...]  # change of each control as if treated
    synthetic: Synthetic | None
    synthetic_p: float | None
    noisier: float
    power: Power
    own: Floats  # mean of the treated units
    others: Floats  # mean of the controls, brought to the treated units' level before the start
    verdict: str  # scale | extend | stop | cannot_tell
    reasons: tuple[Reason, ...]
    seed: int


def analyse(panel: Panel, *, better: str = "up", worthwhile_pct: float = WORTHWHILE_PCT, seed: int = SEED) -> Result:
    """What the panel says. `worthwhile_pct`: the smallest gain that would pay, in % of the values without a pilot."""
    rng = np.random.default_rng(seed)
    design = design_of(panel.treated, panel.after, rng)
    found = examine((panel.values @ design.weights)[None], design)
    effect = _estimate(found, "change")
    own = panel.values[panel.treated].mean(axis=0)
    without = float(own[panel.after].mean()) - effect.value
    worthwhile = abs(without) * worthwhile_pct / 100
    before = panel.values[:, ~panel.after]
    noise = pilots_power.noise_of(before) if design.checkable and len(before) > 2 else None
    mix = _mix(panel, own)
    facts = Facts(
        better=better,
        worthwhile=worthwhile,
        effect=effect.value,
        low=effect.low,
        high=effect.high,
        checkable=design.checkable,
        treated=int(panel.treated.sum()),
        controls=int((~panel.treated).sum()),
        before=int((~panel.after).sum()),
        trend_p=float(found.trend.p[0]),
        early_p=float(found.early.p[0]),
        early=float(found.early.effect[0]),
        placebo_share=float(found.placebo_share[0]),
        noisier=pilots_power.noisier(before, panel.treated) if noise else 1.0,
        synthetic=mix.effect if mix else None,
        resolvable=_resolvable(panel, noise, worthwhile, rng),
    )
    verdict, reasons = judge(facts)
    return Result(
        panel=panel,
        better=better,
        worthwhile_pct=worthwhile_pct,
        method="cr2" if design.many else "permutation",
        compared=len(design.choices),
        effect=effect,
        percent=_percent(effect, without),
        trend=_estimate(found, "trend") if design.checkable else None,
        early=_estimate(found, "early") if design.checkable else None,
        placebo_share=facts.placebo_share,
        placebos=_placebos(panel, design),
        synthetic=mix,
        synthetic_p=_synthetic_p(panel, mix),
        noisier=facts.noisier,
        power=power_of(design, noise, float(own[~panel.after].mean()), worthwhile, rng),
        own=own,
        others=_levelled(panel, own),
        verdict=verdict,
        reasons=reasons,
        seed=seed,
    )


def power_of(design: Design, noise: Noise | None, level: float, worthwhile: float, rng: np.random.Generator) -> Power:
    """What a pilot of this design and noise can see; `level` is the treated units' usual value."""
    if noise is None:
        return Power(noise=None, smallest=None, smallest_pct=None, at_worthwhile=None)
    if noise.spread <= 0:
        return Power(noise=noise, smallest=0.0, smallest_pct=0.0, at_worthwhile=1.0)
    chances = Chances(pilots_power.draw(noise, design, rng), design)
    smallest = chances.smallest(noise.spread / 4)
    return Power(
        noise=noise,
        smallest=smallest,
        smallest_pct=None if smallest is None or level == 0 else abs(smallest / level) * 100,
        at_worthwhile=chances.of(worthwhile) if worthwhile > 0 else None,
    )


def plan_power(before: Panel, periods: int, *, worthwhile_pct: float = WORTHWHILE_PCT, seed: int = SEED) -> Power:
    """Before spending: what a pilot of `periods` times can see, from the times of the panel before the start."""
    rng = np.random.default_rng(seed)
    values = before.values[:, ~before.after]
    design = design_of(before.treated, np.arange(values.shape[1] + periods) >= values.shape[1], rng)
    noise = pilots_power.noise_of(values) if design.checkable and len(values) > 2 else None
    level = float(values[before.treated].mean())
    return power_of(design, noise, level, abs(level) * worthwhile_pct / 100, rng)


def _estimate(found: Examined, name: str) -> Estimate:
    tested = getattr(found, name)
    return Estimate(
        value=float(tested.effect[0]), low=float(tested.low[0]), high=float(tested.high[0]), p=float(tested.p[0])
    )


def _percent(effect: Estimate, without: float) -> Estimate | None:
    """The same in % of what there would have been; each end against its own «without»."""
    seen = without + effect.value
    ends = [effect.low, effect.high]
    if without <= 0 or seen <= 0 or not effect.bounded or max(ends) >= seen:
        return None
    value, low, high = (100 * one / (seen - one) for one in (effect.value, *ends))
    return Estimate(value=value, low=low, high=high, p=effect.p)


def _levelled(panel: Panel, own: Floats) -> Floats:
    others: Floats = panel.values[~panel.treated].mean(axis=0)
    levelled: Floats = others + (own[~panel.after].mean() - others[~panel.after].mean())
    return levelled


def _placebos(panel: Panel, design: Design) -> tuple[float, ...]:
    changes = (panel.values @ design.weights)[~panel.treated, 0]
    if len(changes) < 2:
        return ()
    rest = (changes.sum() - changes) / (len(changes) - 1)
    return tuple(float(one) for one in changes - rest)


def _mix(panel: Panel, own: Floats) -> Synthetic | None:
    if (~panel.treated).sum() < 2 or (~panel.after).sum() < 2:
        return None
    return synthetic(own, panel.values[~panel.treated], panel.after)


def _synthetic_p(panel: Panel, mix: Synthetic | None) -> float | None:
    """Rank of the pilot among the placebos of all controls, by the ratio of gaps."""
    controls = panel.values[~panel.treated]
    if mix is None or len(controls) < 3:
        return None
    ratios = placebo_ratios(controls, panel.after)
    return float((1 + (ratios >= mix.ratio).sum()) / (1 + len(ratios)))


def _resolvable(panel: Panel, noise: Noise | None, worthwhile: float, rng: np.random.Generator) -> bool:
    """Would twice the time after the start find the worthwhile effect in 80 of 100 such pilots?"""
    if noise is None or noise.spread <= 0 or worthwhile <= 0:
        return False
    longer = np.append(panel.after, np.ones(int(panel.after.sum()), dtype=np.bool_))
    design = design_of(panel.treated, longer, rng)
    return Chances(pilots_power.draw(noise, design, rng), design).of(worthwhile) >= pilots_power.WANTED


def as_json(result: Result) -> dict[str, Any]:
    """The result as plain values; what is not known or not bounded is null."""
    panel, power, mix = result.panel, result.power, result.synthetic
    controls = [name for name, own in zip(panel.units, panel.treated, strict=True) if not own]
    return {
        "verdict": result.verdict,
        "reasons": [{"key": one.key, "vi": one.words("vi"), "en": one.words("en")} for one in result.reasons],
        "better": result.better,
        "worthwhile_pct": result.worthwhile_pct,
        "effect": _plain(result.effect),
        "effect_pct": _plain(result.percent),
        "method": {"name": result.method, "choices": result.compared, "alpha": 0.05, "seed": result.seed},
        "sample": {
            "units": len(panel.units),
            "treated": int(panel.treated.sum()),
            "controls": len(controls),
            "times_before": int((~panel.after).sum()),
            "times_after": int(panel.after.sum()),
            "times_left_out": panel.left_out,
            "start": panel.start,
        },
        "checks": {
            "trend_before": _plain(result.trend),
            "placebo_in_time": _plain(result.early),
            "placebos_in_space_as_large": result.placebo_share,
            "placebos_in_space": dict(zip(controls, result.placebos, strict=False)),
            "noise_of_treated_to_controls": _finite(result.noisier),
        },
        "synthetic_control": None
        if mix is None
        else {
            "effect": mix.effect,
            "weights": {name: float(one) for name, one in zip(controls, mix.weights, strict=True) if one > 1e-6},
            "gap_before": mix.gap_before,
            "gap_after": mix.gap_after,
            "p": result.synthetic_p,
        },
        "power": {
            "smallest_effect": power.smallest,
            "smallest_effect_pct": power.smallest_pct,
            "of_worthwhile_effect": power.at_worthwhile,
            "noise": None
            if power.noise is None
            else {"standard_deviation": power.noise.spread, "correlation": power.noise.correlation},
        },
    }


def _plain(estimate: Estimate | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    return {name: _finite(getattr(estimate, name)) for name in ("value", "low", "high", "p")}


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
