"""The examples of the handbook: each connector has one, it loads as configuration, and the connector asks with it."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from connectors import discover, hosts_of, load, mqtt, session
from core.config import load_city
from core.errors import SourceUnavailable
from tests.connectors.asking import Answers, request_for
from tests.connectors.scale import DOCS
from tests.connectors.test_faults_in_the_line import FILES

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {"mqtt": "user:word", "webhook": "x" * 32, "waze": "https://feed.example.vn/partner/1"}
ASKS_NOBODY = ("demo", "spreadsheet", "webhook")
SITES = pd.DataFrame(
    [("city", "city", 21.27, 106.19), ("24040", "area", 21.28, 106.2), ("road_01", "road_segment", 21.27, 106.19),
     ("road_02", "road_segment", 21.26, 106.18), ("07654", "area", 21.28, 106.2)],
    columns=["site_id", "kind", "latitude", "longitude"],
).set_index("site_id", drop=False)  # fmt: skip


def chapter(key: str) -> str:
    return DOCS.read_text(encoding="utf-8").partition(f"\n## {key}\n")[2].partition("\n## ")[0]


def examples(key: str) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", chapter(key), re.DOTALL)


@pytest.mark.parametrize("key", discover())
def test_every_connector_has_an_example_that_loads_as_the_sources_of_a_city(key: str, tmp_path: Path) -> None:
    shown = examples(key)
    assert shown
    for name, text in {**FILES, "sources": "\n".join(shown)}.items():
        path = tmp_path / "config" / "ward" / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    sources = load_city("ward", root=tmp_path).sources
    assert {source.connector for source in sources} == {key}
    assert all(source.every >= timedelta(minutes=1) for source in sources)


def options_of(key: str) -> list[dict[str, Any]]:
    return [source.get("options", {}) for text in examples(key) for source in tomllib.loads(text)["source"]]


def test_every_option_of_an_example_is_explained_where_the_connector_or_its_mapping_is() -> None:
    for key in discover():
        told = (load(key).__doc__ or "") + chapter(key)
        for name in ("_mapping.py", "_columns.py"):
            if name in told:
                told += (ROOT / "connectors" / name).read_text(encoding="utf-8")
        for options in options_of(key):
            assert [name for name in options if name not in told] == [], key


@pytest.mark.parametrize("key", [key for key in discover() if key not in ASKS_NOBODY])
def test_a_connector_asks_the_hosts_of_its_example_and_has_nothing_against_its_options(key: str) -> None:
    """Nobody answers here, and that is all that may be wrong."""
    for options in options_of(key):
        secret = SECRETS.get(key, "k3y-of-the-example")
        asked = Answers(lambda query: (503, b"", {}))
        http = session(hosts=hosts_of(options, secret, load(key).SOURCE.hosts))
        http.pace.sleep = lambda seconds: None
        http.mount("https://", asked)
        try:
            with pytest.raises(SourceUnavailable):
                load(key).fetch(http, request_for("example", options, secret, sites=SITES))
        finally:
            mqtt.close("example")
        assert asked.asked or key in ("mqtt", "sql", "dvc_766")  # their own roads, and a folder
