"""Did the pilot work? Known truths, a published table, and every way in which nobody can tell."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import pilots, pilots_power
from analysis.__main__ import main
from analysis.pilots_inference import MANY, contrast, design_of, examine
from analysis.pilots_panel import Panel, panel_of, read_panel
from analysis.pilots_selftest import SETTINGS, Setting, draw_panels, printed, row
from analysis.pilots_synthetic import synthetic
from analysis.pilots_verdict import Facts, judge, least_controls
from core.i18n import LANGUAGES
from core.pilot_faults import PilotFault

RNG_SEED = 7


def city(
    treated: int = 3, units: int = 20, before: int = 40, after: int = 20, effect: float = 0.0, noise: float = 1.0
) -> Panel:
    """Wards with levels of their own, a storm and a weekday that all share, and an effect on the first ones."""
    rng = np.random.default_rng(RNG_SEED)
    times = before + after
    values = 100 + 10 * rng.standard_normal((units, 1)) + 5 * np.sin(np.arange(times)) + 8 * (np.arange(times) == 33)
    values = values + noise * rng.standard_normal((units, times))
    values[:treated, before:] += effect
    return Panel(
        units=tuple(f"u{one:02d}" for one in range(units)),
        times=tuple(map(str, range(times))),
        values=values,
        treated=np.arange(units) < treated,
        after=np.arange(times) >= before,
    )


def rows_of(panel: Panel) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (unit, time, panel.values[i, j], int(panel.treated[i]), int(panel.after[j]))
            for i, unit in enumerate(panel.units)
            for j, time in enumerate(panel.times)
        ],
        columns=["unit", "time", "value", "treated", "after"],
    )


# -- the effect -------------------------------------------------------------------------------------------------------


def test_fast_food_in_two_states() -> None:
    """Card and Krueger 1994, table 3: full-time jobs per restaurant before and after New Jersey's minimum wage.

    The printed difference of differences is 2.76 (from unrounded means). Two states are two units: no interval.
    """
    jobs = {"NJ": (20.44, 21.03), "PA": (23.33, 21.17)}
    rows = [
        (unit, str(place), value, unit == "NJ", place) for unit, two in jobs.items() for place, value in enumerate(two)
    ]
    frame = pd.DataFrame(rows, columns=["unit", "time", "value", "treated", "after"]).astype({"treated": int})
    found = pilots.analyse(panel_of(frame))
    assert found.effect.value == pytest.approx(2.76, abs=0.015)
    assert not found.effect.bounded
    assert found.verdict == "cannot_tell"
    assert [one.key for one in found.reasons] == ["few_times", "few_units"]


def test_the_effect_is_that_of_two_way_fixed_effects() -> None:
    """A least-squares fit with a dummy for every unit and time gives the same number."""
    panel = city(effect=2.5)
    units, times = panel.values.shape
    columns = [np.repeat(np.eye(units), times, axis=0), np.tile(np.eye(times)[:, 1:], (units, 1))]
    both = np.outer(panel.treated, panel.after).reshape(-1, 1).astype(float)
    fitted = np.linalg.lstsq(np.hstack([*columns, both]), panel.values.reshape(-1), rcond=None)[0][-1]
    assert pilots.analyse(panel).effect.value == pytest.approx(fitted, abs=1e-9)


def test_what_all_units_share_and_levels_of_their_own_change_nothing() -> None:
    panel = city(effect=2.0)
    moved = replace(panel, values=panel.values + 50 * np.cos(np.arange(60)) + np.arange(20)[:, None] * 30)
    one, two = pilots.analyse(panel), pilots.analyse(moved)
    assert (one.effect.value, one.effect.low, one.effect.high) == pytest.approx(
        (two.effect.value, two.effect.low, two.effect.high)
    )
    assert one.verdict == two.verdict


@pytest.mark.parametrize(("treated", "units"), [(1, 20), (2, 8), (3, 6), (2, 12)])
def test_the_interval_holds_exactly_the_effects_that_the_permutation_test_does_not_refuse(
    treated: int, units: int
) -> None:
    """By brute force: for every effect on a fine grid, take it away and count the choices that look as extreme."""
    rng = np.random.default_rng(treated * 100 + units)
    design = design_of(np.arange(units) < treated, np.arange(4) >= 2, rng)
    changes = rng.standard_normal(units) + 3.0 * (np.arange(units) < treated)
    found = contrast(changes[None], design)
    kept = []
    for effect in np.linspace(-15, 15, 1501):
        freed = changes - effect * design.treated
        seen = np.array([freed[one].mean() - freed[~one].mean() for one in design.choices])
        own = freed[design.treated].mean() - freed[~design.treated].mean()
        if (np.abs(seen) >= abs(own) - 1e-9).mean() > 0.05:
            kept.append(effect)
    low, high = max(found.low[0], -15.0), min(found.high[0], 15.0)
    assert (min(kept), max(kept)) == pytest.approx((low, high), abs=0.0201)
    assert len(kept) == pytest.approx((high - low) / 0.02, abs=2), "the effects kept are one piece"


def test_one_of_twenty_can_just_be_sure_and_one_of_nineteen_cannot() -> None:
    for units, bounded in ((20, True), (19, False)):
        found = pilots.analyse(city(treated=1, units=units, effect=30.0))
        assert found.effect.bounded is bounded
        assert found.effect.p == pytest.approx(1 / units)
    assert (least_controls(1), least_controls(2), least_controls(3)) == (19, 5, 3)


def test_many_units_are_judged_by_clustered_errors_that_are_welchs() -> None:
    panel = city(treated=MANY, units=30, effect=1.0)
    found = pilots.analyse(panel)
    assert found.method == "cr2"
    change = panel.values[:, panel.after].mean(axis=1) - panel.values[:, ~panel.after].mean(axis=1)
    welch = stats.ttest_ind(change[panel.treated], change[~panel.treated], equal_var=False)
    interval = welch.confidence_interval(0.95)
    assert found.effect.p == pytest.approx(welch.pvalue)
    assert (found.effect.low, found.effect.high) == pytest.approx((interval.low, interval.high))


def test_per_cent_are_of_what_there_would_have_been() -> None:
    found = pilots.analyse(city(effect=10.0))
    assert found.percent is not None
    without = found.own[found.panel.after].mean() - found.effect.value
    assert found.percent.value == pytest.approx(100 * found.effect.value / without)
    assert found.percent.low < found.percent.value < found.percent.high
    assert found.percent.low == pytest.approx(
        100 * found.effect.low / (without + found.effect.value - found.effect.low)
    )


def test_the_same_seed_gives_the_same_answer() -> None:
    panel = city(treated=5, units=30, effect=1.0)
    assert pilots.as_json(pilots.analyse(panel)) == pilots.as_json(pilots.analyse(panel))
    assert pilots.analyse(panel).compared == 1000


# -- synthetic control ------------------------------------------------------------------------------------------------


def test_the_mix_is_found_again() -> None:
    controls = city(units=8).values
    own = 0.3 * controls[1] + 0.7 * controls[4] + 12.0
    after = np.arange(60) >= 40
    own[after] += 5.0
    found = synthetic(own, controls, after)
    assert found.weights[[1, 4]] == pytest.approx([0.3, 0.7], abs=1e-3)
    assert found.weights.sum() == pytest.approx(1.0)
    assert (found.weights >= 0).all()
    assert found.effect == pytest.approx(5.0, abs=0.01)
    assert found.gap_before < 0.01


def test_nobody_outside_of_the_controls_path_is_mixed_with_negative_weights() -> None:
    controls = np.vstack([np.arange(20.0), 2 * np.arange(20.0)])
    found = synthetic(-np.arange(20.0), controls, np.arange(20) >= 10)
    assert found.weights == pytest.approx([1.0, 0.0])
    assert found.gap_before > 1


def test_the_rank_among_nine_placebos_counts_the_pilot_itself() -> None:
    found = pilots.analyse(city(treated=1, units=10, effect=30.0))
    assert found.synthetic_p == pytest.approx(1 / 10), "the largest of ten, never «impossible»"
    assert found.synthetic is not None
    assert found.synthetic.effect == pytest.approx(30.0, abs=1.0)


# -- power ------------------------------------------------------------------------------------------------------------


def test_the_noise_of_the_time_before_is_read_without_the_bias_of_short_series() -> None:
    setting = Setting(name="", treated=1, units=40, before=60, after=1, noise=3.0, correlation=0.6)
    steady, noise = draw_panels(setting, 20, np.random.default_rng(RNG_SEED))
    found = [pilots_power.noise_of(one[:, :60]) for one in steady + noise]
    assert np.mean([one.correlation for one in found]) == pytest.approx(0.6, abs=0.02)
    assert np.mean([one.spread for one in found]) == pytest.approx(3.0, abs=0.1)


def test_a_pilot_of_one_street_among_ten_can_see_nothing_and_more_units_see_smaller_effects() -> None:
    def smallest(treated: int, units: int) -> float | None:
        return pilots.plan_power(city(treated=treated, units=units), 20).smallest

    few, some, more = smallest(1, 10), smallest(2, 12), smallest(6, 30)
    assert few is None
    assert some is not None
    assert more is not None
    assert more < some


def test_the_smallest_visible_effect_is_seen_eighty_times_of_a_hundred() -> None:
    panel = city(treated=2, units=12)
    found = pilots.plan_power(panel, 20)
    assert found.smallest is not None
    assert found.noise is not None
    design = design_of(panel.treated, panel.after, np.random.default_rng(1))
    rng = np.random.default_rng(2)
    drawn = pilots_power.draw(found.noise, design, rng, 2000)
    drawn[:, panel.treated, 0] += found.smallest
    rose, _ = examine(drawn, design).claims(design)
    assert rose.mean() == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize(("treated", "units"), [(2, 8), (3, 20), (MANY, 24)])
@pytest.mark.parametrize("effect", [0.0, 0.5, -0.8, 1.5])
def test_stated_power_counts_what_the_examination_would_claim(treated: int, units: int, effect: float) -> None:
    """The quick count for many sizes of an effect, against the examination itself on the same draws."""
    panel = city(treated=treated, units=units)
    design = design_of(panel.treated, panel.after, np.random.default_rng(1))
    noise = pilots_power.Noise(spread=1.0, correlation=0.4)
    drawn = pilots_power.draw(noise, design, np.random.default_rng(2), 400)
    stated = pilots_power.Chances(drawn, design).of(effect)
    drawn[:, panel.treated, 0] += effect
    rose, fell = examine(drawn, design).claims(design)
    assert stated == (rose if effect >= 0 else fell).mean()


@pytest.mark.parametrize("setting", [SETTINGS[0], SETTINGS[3], SETTINGS[4]], ids=lambda one: one.name)
def test_the_arithmetic_is_honest_on_panels_with_a_known_truth(setting: Setting) -> None:
    """A short form of the selftest: permutation, heavy tails, clustered errors. The long one: docs/pilots.md."""
    found = row(setting, 300, np.random.default_rng([1, SETTINGS.index(setting)]))
    assert found.broken() == [], printed(found)
    assert found.found > 0.5


# -- the verdict ------------------------------------------------------------------------------------------------------

CLEAN = Facts(
    better="up", worthwhile=5.0, effect=8.0, low=3.0, high=13.0, checkable=True, treated=3, controls=17, before=40,
    trend_p=0.5, early_p=0.5, early=0.3, placebo_share=0.0, noisier=1.0, synthetic=7.0, resolvable=True,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "verdict", "reason"),
    [
        ({}, "scale", "gain"),
        ({"effect": 3.0, "low": 1.0, "high": 6.0}, "extend", "gain_perhaps_small"),
        ({"effect": 2.0, "low": 1.0, "high": 4.0}, "stop", "too_small"),
        ({"effect": 0.5, "low": -3.0, "high": 4.0}, "stop", "too_small"),
        ({"effect": -8.0, "low": -13.0, "high": -3.0, "synthetic": -7.0}, "stop", "harm"),
        ({"effect": 8.0, "better": "down"}, "stop", "harm"),
        ({"effect": -8.0, "low": -13.0, "high": -3.0, "synthetic": -7.0, "better": "down"}, "scale", "gain"),
        ({"effect": 3.0, "low": -2.0, "high": 8.0}, "extend", "not_yet"),
        ({"effect": 3.0, "low": -2.0, "high": 8.0, "resolvable": False}, "cannot_tell", "not_yet"),
        ({"checkable": False}, "cannot_tell", "few_times"),
        ({"low": -np.inf, "high": np.inf}, "cannot_tell", "few_units"),
        ({"trend_p": 0.05}, "cannot_tell", "trend"),
        ({"early_p": 0.04}, "cannot_tell", "early"),
        ({"noisier": 2.5}, "cannot_tell", "noisier"),
        ({"placebo_share": 0.06}, "cannot_tell", "placebo_space"),
        ({"early": -8.0}, "cannot_tell", "placebo_time"),
        ({"synthetic": -0.1}, "cannot_tell", "synthetic"),
        ({"effect": 0.5, "low": -3.0, "high": 4.0, "early": 0.6, "placebo_share": 0.9}, "stop", "too_small"),
    ],
)
def test_the_rule_of_the_verdict(change: dict[str, float], verdict: str, reason: str) -> None:
    found, reasons = judge(replace(CLEAN, **change))
    assert (found, reasons[0].key) == (verdict, reason)
    for one in reasons:
        for language in LANGUAGES:
            assert one.words(language)


def test_a_ward_that_was_rising_before_is_no_success() -> None:
    """The treated wards had been gaining 0.1 a day for weeks; the pilot did nothing."""
    panel = city()
    rising = replace(panel, values=panel.values + 0.1 * np.outer(panel.treated, np.arange(60)))
    found = pilots.analyse(rising)
    assert found.effect.low > 0, "the plain comparison would have praised it"
    assert found.verdict == "cannot_tell"
    assert "trend" in [one.key for one in found.reasons]


def test_a_clear_gain_is_scaled_and_a_clear_loss_stopped() -> None:
    assert pilots.analyse(city(effect=10.0), better="up").verdict == "scale"
    assert pilots.analyse(city(effect=10.0), better="down").verdict == "stop"
    assert pilots.analyse(city(effect=0.0), better="up").verdict == "stop", "a gain of 5 % can be ruled out"


def test_a_treated_ward_that_swings_far_more_than_the_controls_is_not_compared() -> None:
    panel = city(effect=30.0)
    wild = 20 * np.random.default_rng(3).standard_normal((3, 60))
    values = panel.values.copy()
    values[:3] += wild
    assert "noisier" in [one.key for one in pilots.analyse(replace(panel, values=values)).reasons]


# -- the panel --------------------------------------------------------------------------------------------------------


def broken_rows() -> list[tuple[str, pd.DataFrame, str]]:
    good = rows_of(city(units=8, before=10, after=5))
    text = good.astype(str)

    def changed(where: int, column: str, value: object) -> pd.DataFrame:
        found = text.copy()
        found.loc[where, column] = value
        return found

    early = good.copy()
    early.loc[(early["unit"] == "u01") & (early["time"] == "8"), "after"] = 1
    early.loc[(early["unit"] == "u01") & (early["time"] == "9"), "after"] = 1
    back = good.copy()
    back.loc[back["time"] == "14", "after"] = 0
    return [
        ("no column", good.drop(columns="after"), "no column after"),
        ("no rows", good.iloc[:0], "no rows"),
        ("no number", changed(3, "value", "12,5"), "row 5: value '12,5' is no number"),
        ("infinite", changed(3, "value", "inf"), "row 5"),
        ("no flag", changed(0, "treated", "yes"), "row 2: treated 'yes' must be 0 or 1"),
        ("no time", changed(1, "time", "soon"), "row 3: time 'soon'"),
        ("no unit", changed(1, "unit", " "), "row 3: unit is empty"),
        ("twice", pd.concat([good, good.iloc[[4]]]), "u00 at 4 is given twice"),
        ("sometimes treated", changed(2, "treated", "0"), "u00 is treated in some rows"),
        ("all treated", good.assign(treated=1), "no control"),
        ("none treated", good.assign(treated=0), "no treated unit"),
        ("no after", good.assign(after=0), "no time after the start"),
        ("no before", good.assign(after=1), "no time before the start"),
        ("staggered", early, "start at different times"),
        ("for the treated only", good.assign(after=good["after"] * good["treated"]), "after is 1 for all units"),
        ("pauses", back, "goes back to 0"),
        ("holes", good[~((good["unit"] == "u05") & (good["time"].astype(int) < 4))], "most of all u05"),
    ]


VIETNAMESE = {  # the same table on the page: file, row, column, and what to do
    "no flag": "panel.csv, dòng 2, cột treated: «yes» phải là 0 hoặc 1; hãy sửa",
    "no time": "panel.csv, dòng 3, cột time: «soon» không phải",
    "no unit": "panel.csv, dòng 3, cột unit: ô trống; hãy điền",
    "twice": "nơi u00, kỳ 4 có hai dòng; hãy giữ một dòng",
    "sometimes treated": "panel.csv, cột treated: nơi u00 khi thì 1, khi thì 0 (lần đầu khác là dòng 4)",
    "all treated": "không có nơi so sánh; hãy thêm",
    "none treated": "không có nơi làm thí điểm; hãy ghi 1",
    "no after": "không có kỳ nào sau ngày bắt đầu; hãy thêm",
    "no before": "không có kỳ nào trước ngày bắt đầu; hãy thêm",
    "staggered": "các nơi làm bắt đầu khác ngày nhau (",
    "for the treated only": "cột after: kỳ ",
    "pauses": "cột after: trở lại 0 ở kỳ ",
    "holes": "nhiều nhất là u05; hãy bổ sung",
}


@pytest.mark.parametrize(("name", "rows"), [(name, rows) for name, rows, _ in broken_rows()])
def test_every_refusal_of_a_panel_is_said_in_vietnamese_too(name: str, rows: pd.DataFrame) -> None:
    with pytest.raises(PilotFault) as refused:
        read_panel(io.StringIO(rows.to_csv(index=False)), "panel.csv")
    vietnamese = refused.value.words("vi")
    assert vietnamese.startswith("panel.csv")
    assert VIETNAMESE.get(name, "hãy") in vietnamese
    assert refused.value.words("en") == str(refused.value) != vietnamese


def test_a_pause_is_told_with_the_first_row_that_goes_back() -> None:
    rows = next(rows for name, rows, _ in broken_rows() if name == "pauses")
    with pytest.raises(PilotFault, match=r"row (\d+)") as refused:
        panel_of(rows, "panel.csv")
    row = int(re.search(r"dòng (\d+)", refused.value.words("vi"))[1])
    there = rows.iloc[row - 2]
    assert int(there["after"]) == 0
    earlier = rows[rows["time"].astype(float) < float(there["time"])]
    assert (earlier["after"].astype(int) == 1).any()


@pytest.mark.parametrize(
    ("rows", "said"), [(rows, said) for _, rows, said in broken_rows()], ids=[one[0] for one in broken_rows()]
)
def test_a_panel_that_cannot_be_used_is_refused_in_one_line(
    rows: pd.DataFrame, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "panel.csv"
    rows.to_csv(path, index=False)
    assert main(["pilots", "--input", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: panel.csv: ")
    assert said in err
    assert err.count("\n") == 1


def test_rows_may_come_in_any_order_with_dates_and_single_gaps() -> None:
    panel = city(units=8, before=20, after=10, effect=3.0)
    rows = rows_of(panel)
    rows["time"] = [f"2026-10-{int(one) + 1:02d}" for one in rows["time"]]
    shuffled = rows.sample(frac=1, random_state=1)
    shuffled.loc[shuffled.index[5], "value"] = np.nan
    found = read_panel(io.StringIO(shuffled.to_csv(index=False)), "panel.csv")
    assert found.left_out == 1
    assert found.start in ("2026-10-21", "2026-10-22")
    assert list(found.times) == sorted(found.times)
    assert found.values.shape == (8, 29)
    assert not np.isnan(found.values).any()
    order = [panel.units.index(one) for one in found.units]
    places = [int(one[-2:]) - 1 for one in found.times]
    assert found.values == pytest.approx(panel.values[order][:, places])


# -- the command ------------------------------------------------------------------------------------------------------


def test_the_command_prints_one_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "panel.csv"
    rows_of(city(treated=1, units=6, effect=10.0)).to_csv(path, index=False)
    assert main(["pilots", "--input", str(path), "--better", "down", "--worthwhile", "3"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "cannot_tell"
    assert found["effect"]["low"] is None, "no interval is null, not a word that JSON does not know"
    assert found["sample"] == {
        "units": 6, "treated": 1, "controls": 5, "times_before": 40, "times_after": 20, "times_left_out": 0,
        "start": "40",
    }  # fmt: skip
    assert sum(found["synthetic_control"]["weights"].values()) == pytest.approx(1.0, abs=1e-4)
    assert "19" in found["reasons"][0]["vi"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pilots"], "one of the arguments"),
        (["pilots", "--input", "gone.csv"], "gone.csv: cannot be read"),
        (["pilots", "--selftest", "--panels", "3"], "--panels must lie"),
        (["pilots", "--selftest", "--seed", "-1"], "--seed"),
        (["pilots", "--input", "x.csv", "--worthwhile", "nan"], "--worthwhile"),
        (["weather"], "invalid choice"),
        (["pilots", "--lock", "gone.toml"], "the file is missing"),
    ],
)
def test_a_wrong_question_is_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_the_selftest_prints_its_table_and_its_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pilots", "--selftest", "--panels", "20", "--seed", "5"]) in (0, 1)
    out, err = capsys.readouterr()
    assert "seed 5" in err
    lines = out.splitlines()
    assert lines[0].split()[:2] == ["design", "method"]
    assert [line[:14].strip() for line in lines[1:]] == [one.name for one in SETTINGS]
