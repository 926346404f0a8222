"""How many alerts (rules x sites) one process judges per second, beside a reference in the same run. Not a test.

    python tests/bench/alerts.py

2,000 instances: 40 rules of all kinds at 50 sites with 5-minute values. «first» judges three hours anew, «live» one
new value per series, «idle» a round in which nothing came. The reference is one sort of 1,000,000 random numbers.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from alerts.engine import evaluate
from alerts.rules import load_rules
from alerts.series import usual_of
from core.calendar import VIETNAM
from core.catalogue import ObservedProperty
from core.observations import frame
from tests.bench.timing import reference_s, timed

SITES = [f"site_{number:02d}" for number in range(50)]
PROPERTIES = [f"level_{number}" for number in range(4)]
STEP = timedelta(minutes=5)
NOW = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
HEAD = (
    'title_vi = "a"\ntitle_en = "a"\ncause = "a"\nconsequence = "a"\naction = "a"\nowner = "a"\ntime_to_act_min = 30\n'
    'off_delay_min = 10\n'
)  # fmt: skip
PLAIN = 'observed_property = "{0}"\n'
KINDS = (
    PLAIN + 'direction = "above"\nsetpoint = 2.0\ndeadband = 0.2\npriority = "high"\n',
    PLAIN + 'kind = "rate"\nover_min = 60\ndirection = "above"\nsetpoint = 2.0\npriority = "high"\n',
    PLAIN + 'kind = "deviation"\nleast_spread = 0.1\ndirection = "outside"\nsetpoint = [-3, 3]\npriority = "high"\n',
    PLAIN + 'kind = "count"\nat_least = 1.5\nwindow_min = 60\nsetpoint = 3\npriority = "high"\n',
    'kind = "expression"\nexpression = "{0} > 2 and level_0 > 1"\npriority = "high"\n',
)
COUNT = 8  # of each kind


def values(since: datetime, until: datetime) -> pd.DataFrame:
    """Random 5-minute values of every property at every site, for since < time <= until."""
    times = pd.date_range(since + STEP, until, freq=STEP)
    index = pd.MultiIndex.from_product([PROPERTIES, SITES, times], names=["observed_property", "site_id", "time"])
    data = index.to_frame(index=False)
    data["value"] = np.random.default_rng(1).normal(0.0, 1.0, len(data))
    return frame(data, source="bench")


def main() -> int:
    """One table on stdout."""
    reference = reference_s()
    catalogue = {
        key: ObservedProperty(key=key, domain="traffic", name_vi=key, name_en=key, unit="1", baseline=True)
        for key in PROPERTIES
    }
    with tempfile.TemporaryDirectory() as folder:
        for kind, text in enumerate(KINDS):
            for number in range(COUNT):
                path = Path(folder) / f"rule_{kind}_{number}.toml"
                path.write_text(HEAD + text.format(PROPERTIES[number % len(PROPERTIES)]), encoding="utf-8")
        rules = load_rules(Path(folder), catalogue, None)
    band = usual_of(values(NOW - timedelta(days=28), NOW), PROPERTIES, VIETNAM)
    history = values(NOW - timedelta(hours=3), NOW)
    changed, _ = evaluate(rules, history, {}, now=NOW, band=band)
    alerts = {alert.key: alert for alert in changed}
    later = NOW + STEP
    live = pd.concat([history, values(NOW, later)], ignore_index=True)
    settled = alerts | {alert.key: alert for alert in evaluate(rules, live, alerts, now=later, band=band)[0]}
    rounds = [
        ("first: 36 new values per series", lambda: evaluate(rules, history, {}, now=NOW, band=band)),
        ("live: 1 new value per series", lambda: evaluate(rules, live, alerts, now=later, band=band)),
        ("idle: nothing new", lambda: evaluate(rules, live, settled, now=later, band=band)),
    ]
    print(f"{'sort of 1,000,000 numbers (reference)':40s} {reference * 1000:9.1f} ms")
    for name, work in rounds:
        seconds = timed(work)
        print(
            f"{name:40s} {seconds * 1000:9.1f} ms {seconds / reference:8.1f} x {len(alerts) / seconds:10,.0f} alerts/s "
            f"({len(alerts)} instances)"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
