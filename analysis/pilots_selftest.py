"""Is the arithmetic of pilots honest? Thousands of made-up panels with a known truth, as one table.

    false        null panels in which an effect is claimed (to scale, or to stop for harm); promised at most 5 %
    cover        95 % intervals that hold the truth, without an effect and with one; promised 93 to 97 %
    found        panels with a planted effect of 10 % in which it is claimed
    stated       the power that was computed before, from the time before the start alone

Every panel has levels of its own per unit, shocks and a weekday cycle that all share, and noise that hangs together
from day to day (autoregression of first order); one design has heavy-tailed noise (Student's t, 3 degrees). The planted
effect is 10 % of what each treated unit would show without noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np

from analysis import pilots_power
from analysis.pilots_inference import Design, Examined, Flags, Floats, design_of, examine
from analysis.pilots_synthetic import synthetic
from analysis.pilots_verdict import MOST_NOISIER

PANELS = 1000
EFFECT = 0.10
LEVEL = 100.0
LEVELS_APART = 15.0
SHOCKS = 5.0
WEEKDAYS = np.array([3.0, 4.0, 4.0, 3.0, 5.0, -7.0, -12.0])
STATED_FROM = 5  # of so many panels one states its power: that moves little from one to the next
DRAWS = 500
FALSE_MOST = 0.06
COVER = (0.93, 0.97)
POWER_APART = 0.05
SURE = 3.0  # standard errors of a simulated share that are forgiven
HEAVY_DEGREES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One kind of pilot."""

    name: str
    treated: int
    units: int
    before: int
    after: int
    noise: float  # standard deviation of one day of one unit
    correlation: float
    heavy: bool = False


SETTINGS = (
    Setting(name="2 of 12", treated=2, units=12, before=60, after=30, noise=11.0, correlation=0.5),
    Setting(name="1 of 20", treated=1, units=20, before=60, after=30, noise=8.0, correlation=0.5),
    Setting(name="5 of 30", treated=5, units=30, before=60, after=30, noise=16.0, correlation=0.6),
    Setting(name="3 of 16 heavy", treated=3, units=16, before=90, after=30, noise=14.0, correlation=0.5, heavy=True),
    Setting(name="12 of 40", treated=12, units=40, before=60, after=30, noise=22.0, correlation=0.6),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; shares between 0 and 1."""

    setting: Setting
    method: str
    panels: int
    false: float
    cover: float
    cover_planted: float
    found: float
    stated: float

    def broken(self) -> list[str]:
        """Promises that are not kept, beyond what a simulation of this size may miss by chance."""
        found = []
        if self.false > FALSE_MOST + SURE * self._error(0.05):
            found.append("false")
        for name, share in (("cover", self.cover), ("cover_planted", self.cover_planted)):
            slack = SURE * self._error(0.95) - 0.02  # the promise is two points wide itself
            if not COVER[0] - max(slack, 0) <= share <= COVER[1] + max(slack, 0):
                found.append(name)
        if abs(self.found - self.stated) > POWER_APART + SURE * self._error(self.stated):
            found.append("found")
        return found

    def _error(self, share: float) -> float:
        return sqrt(share * (1 - share) / self.panels)


def rows(panels: int = PANELS, seed: int = 1) -> Iterator[Row]:
    """The table, line by line."""
    for place, setting in enumerate(SETTINGS):
        yield row(setting, panels, np.random.default_rng([seed, place]))


def row(setting: Setting, panels: int, rng: np.random.Generator) -> Row:
    """One kind of pilot: null panels, then others with a planted effect."""
    treated = np.arange(setting.units) < setting.treated
    after = np.arange(setting.before + setting.after) >= setting.before
    design = design_of(treated, after, rng)
    steady, noise = draw_panels(setting, panels, rng)
    null = steady + noise
    seen = examine(null @ design.weights, design)
    claimed = _claimed(null, seen, design)
    steady, noise = draw_panels(setting, panels, rng)
    gains = EFFECT * steady * treated[:, None] * after
    planted = steady + noise + gains
    truth = gains[:, treated][:, :, after].mean(axis=(1, 2))
    seen_planted = examine(planted @ design.weights, design)
    risen = _claimed(planted, seen_planted, design) & (seen_planted.change.effect > 0)
    stated = [_stated(panel, design, rng) for panel in planted[::STATED_FROM]]
    return Row(
        setting=setting,
        method="CR2" if design.many else "permutation",
        panels=panels,
        false=float(claimed.mean()),
        cover=_cover(seen, np.zeros(panels)),
        cover_planted=_cover(seen_planted, truth),
        found=float(risen.mean()),
        stated=float(np.mean(stated)),
    )


def draw_panels(setting: Setting, panels: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Twice (panels, units, times) without any effect: what a unit would show on average, and its noise."""
    units, times = setting.units, setting.before + setting.after
    shape = (panels, units, times)
    if setting.heavy:
        pushes = rng.standard_t(HEAVY_DEGREES, size=shape) / sqrt(HEAVY_DEGREES / (HEAVY_DEGREES - 2))
    else:
        pushes = rng.standard_normal(shape)
    noise = _autoregressive(pushes, setting.correlation) * setting.noise
    shocks = _autoregressive(rng.standard_normal((panels, 1, times)), 0.7) * SHOCKS
    levels = LEVEL + LEVELS_APART * rng.standard_normal((panels, units, 1))
    return levels + WEEKDAYS[np.arange(times) % 7] + shocks, noise


def _autoregressive(pushes: Floats, correlation: float) -> Floats:
    """Unit variance from the first period on."""
    found = np.empty_like(pushes)
    found[..., 0] = pushes[..., 0]
    share = sqrt(1 - correlation**2)
    for place in range(1, pushes.shape[-1]):
        found[..., place] = correlation * found[..., place - 1] + share * pushes[..., place]
    return found


def _claimed(values: Floats, seen: Examined, design: Design) -> Flags:
    """Panels in which the verdict claims an effect: as `pilots_verdict.judge`, for many panels."""
    rose, fell = seen.claims(design)
    claimed = rose | fell
    for place in np.flatnonzero(claimed):
        panel = values[place]
        mix = synthetic(panel[design.treated].mean(axis=0), panel[~design.treated], design.after)
        claimed[place] = (
            mix.effect * seen.change.effect[place] > 0
            and pilots_power.noisier(panel[:, ~design.after], design.treated) <= MOST_NOISIER
        )
    return claimed


def _cover(seen: Examined, truth: Floats) -> float:
    return float(((seen.change.low <= truth) & (truth <= seen.change.high)).mean())


def _stated(panel: Floats, design: Design, rng: np.random.Generator) -> float:
    """The power that would have been stated before this pilot began."""
    before = panel[:, ~design.after]
    drawn = pilots_power.draw(pilots_power.noise_of(before), design, rng, DRAWS)
    return pilots_power.Chances(drawn, design).of(EFFECT * float(before[design.treated].mean()))


HEAD = ("design", "method", "panels", "false %", "cover %", "cover planted %", "found %", "stated %", "kept")
WIDTHS = (14, 11, 6, 8, 8, 15, 8, 8, 4)


def line(cells: tuple[object, ...]) -> str:
    """One line of the printed table."""
    first = [f"{cell!s:<{width}}" for cell, width in zip(cells[:2], WIDTHS[:2], strict=True)]
    return "  ".join([*first, *(f"{cell!s:>{width}}" for cell, width in zip(cells[2:], WIDTHS[2:], strict=True))])


def printed(one: Row) -> str:
    """A row as it is printed, shares in per cent."""
    shares = (one.false, one.cover, one.cover_planted, one.found, one.stated)
    kept = "no: " + " ".join(one.broken()) if one.broken() else "yes"
    return line((one.setting.name, one.method, one.panels, *(f"{100 * share:.1f}" for share in shares), kept))
