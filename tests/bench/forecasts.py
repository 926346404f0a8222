"""Back-tests of the forecasts on real data: PM2.5 of Hanoi and Beijing, road speeds of Los Angeles. Prints a table.

    python -m tests.bench.forecasts [--origins N]     # N forecasts per series in different weeks, default 6

Each forecast is made from the ten weeks before it, and compared with the day after it, which it has not seen.
The road speeds span five days, too few for the house's own rule (three weeks): for them the models alone are compared,
at all origins after the first two days, over every tenth sensor.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from analysis import forecast
from analysis.forecast_models import HOURLY, NAIVE, RIVALS, known, predictions

DATASETS = Path(__file__).resolve().parents[2].parent / "shared" / "datasets"
WEEKS = 10


def air() -> Iterator[tuple[str, ZoneInfo, pd.Series]]:
    """Name, zone and hourly PM2.5 by END of the hour in UTC; missing hours are NaN."""
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    parts = []
    for path in sorted((DATASETS / "air").glob("hanoi_us_embassy_pm25_*.csv")):
        data = pd.read_csv(path, dtype=str)
        at = pd.to_datetime(data["Date (LT)"], format="%Y-%m-%d %I:%M %p").dt.tz_localize(zone)
        value = pd.to_numeric(data["Raw Conc."], errors="coerce").where(data["QC Name"] == "Valid")
        parts.append(pd.Series(value.where(value >= 0).to_numpy(), index=at.dt.tz_convert("UTC")))
    hanoi = pd.concat(parts)
    yield "Hanoi PM2.5 2016-2018", zone, hanoi[~hanoi.index.duplicated()].sort_index()
    china = ZoneInfo("Asia/Shanghai")
    for path in sorted((DATASETS / "air" / "beijing").glob("*Aotizhongxin*.csv")):
        data = pd.read_csv(path)
        at = pd.to_datetime(data[["year", "month", "day", "hour"]]) + timedelta(hours=1)
        for column in ("PM2.5", "O3", "TEMP"):
            series = pd.Series(data[column].to_numpy(dtype=float), index=at.dt.tz_localize(china).dt.tz_convert("UTC"))
            yield f"Beijing {data['station'].iloc[0]} {column}", china, series


def one_forecast(series: pd.Series, zone: ZoneInfo, end: pd.Timestamp) -> tuple[forecast.Forecast, np.ndarray]:
    """The forecast from the weeks before `end`, and the values of the day after."""
    past = series[(series.index > end - timedelta(weeks=WEEKS)) & (series.index <= end)]
    times = pd.date_range(past.index[0], end, freq="h")
    history = forecast.History(
        times=pd.DatetimeIndex(times), values=past.reindex(times).to_numpy(dtype=float), rhythm=HOURLY, zone=zone
    )
    after = pd.date_range(end, periods=HOURLY.horizon + 1, freq="h")[1:]
    return forecast.forecast(history, now=end.to_pydatetime()), series.reindex(after).to_numpy(dtype=float)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--origins", type=int, default=6)
    given = parser.parse_args()
    print(
        "series | forecasts | shown | why not | skill of shown | MAE / naive | coverage in tests | day after | s each"
    )
    for name, zone, series in air():
        first, last = series.index[0] + timedelta(weeks=WEEKS), series.index[-1] - timedelta(days=2)
        ends = pd.date_range(first, last, periods=given.origins).floor("h")
        shown, reasons, inside, asked, began = [], [], 0, 0, time.process_time()
        for end in ends:
            found, came = one_forecast(series, zone, end)
            if not found.model:
                reasons.append(found.why_not)
                continue
            best, naive = found.score(found.model), found.score(found.baseline)
            shown.append((best.skill, best.mae, naive.mae, best.coverage_pct))
            good = np.isfinite(came)
            inside += int(((came >= found.low) & (came <= found.high))[good].sum())
            asked += int(good.sum())
        took = (time.process_time() - began) / len(ends)
        skill, mae, naive_mae, covered = np.mean(shown, axis=0) if shown else [float("nan")] * 4
        after = 100 * inside / asked if asked else float("nan")
        why = ", ".join(f"{one} {reasons.count(one)}" for one in sorted(set(reasons))) or "-"
        print(
            f"{name} | {len(ends)} | {len(shown)} | {why} | {skill:.2f} | {mae:.1f} / {naive_mae:.1f} | "
            f"{covered:.0f} % | {after:.0f} % of {asked} h | {took:.2f}",
            flush=True,
        )
    roads()


def roads() -> None:
    """The models alone on five days of speeds: mean absolute error over 12 quarter hours ahead [mph]."""
    speeds = pd.read_csv(DATASETS / "traffic" / "los_speed_first5days.csv").iloc[:, ::10]
    quarter = speeds.where(speeds > 0).groupby(np.arange(len(speeds)) // 3).mean()
    rhythm = forecast.replace(HOURLY, step=timedelta(minutes=15), horizon=12, day=96, week=96, every=4)
    parts = (np.arange(len(quarter) + rhythm.horizon) % 96).astype(np.int64)
    losses: dict[str, list[float]] = {}
    for column in quarter:
        values = quarter[column].to_numpy(dtype=float)
        for place in range(2 * 96, len(values) - rhythm.horizon, rhythm.every):
            at = known(values[: place + 1], parts, parts, rhythm, (96, 96))
            came = values[place + 1 : place + 1 + rhythm.horizon]
            for key, answer in predictions(at).items():
                losses.setdefault(key, []).append(float(np.nanmean(np.abs(answer - came))))
    print(f"Los Angeles, {quarter.shape[1]} sensors, {len(losses['last'])} origins, 3 hours ahead, MAE in mph:")
    for key in (*NAIVE, *RIVALS):
        print(f"  {key}: {np.nanmean(losses[key]):.2f}")


if __name__ == "__main__":
    main()
