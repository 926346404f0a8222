"""Any sequence of batches leaves what a plain dict would hold, now and at every moment before."""

from __future__ import annotations

import math
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from core.observations import USABLE, frame
from store.duck import DuckStore

START = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)
LONG_AGO, FAR_AHEAD = START - timedelta(days=30), START + timedelta(days=30)

Identity = tuple[datetime, str, str, str]
Known = dict[Identity, tuple[float | None, str]]

identities = st.tuples(
    st.integers(0, 5).map(lambda number: START + number * timedelta(minutes=20)),
    st.sampled_from(["air_1", "air_2"]),
    st.sampled_from(["pm25", "no2"]),
    st.sampled_from(["station", "model"]),
)
readings = st.one_of(
    st.tuples(st.sampled_from([0.0, 1.0, 2.5, -3.0]), st.sampled_from(["pass", "not_evaluated", "suspect", "fail"])),
    st.just((None, "missing")),
)
batches = st.lists(st.lists(st.tuples(identities, readings), min_size=1, max_size=12), min_size=1, max_size=6)


def batch_frame(batch: list[tuple[Identity, tuple[float | None, str]]]) -> object:
    names = ("time", "site_id", "observed_property", "source", "value", "quality")
    return frame(dict(zip(names, (*identity, *reading), strict=True)) for identity, reading in batch)


def stored(store: DuckStore, as_known_at: datetime | None = None) -> Known:
    found = store.read_observations(["pm25", "no2"], LONG_AGO, FAR_AHEAD, as_known_at=as_known_at)
    keys = list(zip(found["time"], found["site_id"], found["observed_property"], found["source"], strict=True))
    assert len(set(keys)) == len(keys), "an identity is given once"
    values = [None if math.isnan(value) else value for value in found["value"]]
    return dict(zip(keys, zip(values, found["quality"], strict=True), strict=True))


def newest_usable(known: Known) -> dict[tuple[str, str, str], tuple[datetime, float | None]]:
    newest: dict[tuple[str, str, str], tuple[datetime, float | None]] = {}
    for (time, *series), (value, quality) in sorted(known.items(), key=lambda item: item[0][0]):
        if quality in USABLE:
            newest[tuple(series)] = (time, value)  # type: ignore[index]
    return newest


@settings(max_examples=20, deadline=None, database=None)
@given(batches)
def test_any_sequence_of_batches_equals_a_dict(sequence: list[list[tuple[Identity, tuple[float | None, str]]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = DuckStore(Path(folder) / "city.duckdb")
        known: Known = {}
        history: list[tuple[datetime, Known]] = []
        for number, batch in enumerate(sequence):
            received_at = START + number * timedelta(minutes=5)
            written = store.write_observations(batch_frame(batch), received_at)  # type: ignore[arg-type]
            before, known = known, known | dict(batch)
            touched = [identity for identity in known if before.get(identity) != known[identity]]
            revised = [identity for identity in touched if identity in before]
            assert (written.new, written.revised) == (len(touched) - len(revised), len(revised))
            assert written.new + written.revised + written.unchanged == len(batch)
            assert written.earliest == {
                name: min(identity[0] for identity in touched if identity[2] == name)
                for name in {identity[2] for identity in touched}
            }
            history.append((received_at, known))
        assert stored(store) == known
        for received_at, then in history:
            assert stored(store, as_known_at=received_at) == then
        latest = store.latest()
        series = zip(latest["site_id"], latest["observed_property"], latest["source"], strict=True)
        assert dict(zip(series, zip(latest["time"], latest["value"], strict=True), strict=True)) == newest_usable(known)
        assert store.verify() == []
        store.close()
