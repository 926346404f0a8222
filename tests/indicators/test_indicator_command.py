"""python -m indicators: data to stdout, words to stderr, and a wrong input is one line that says what to do."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

import indicators
from core import observations
from indicators.__main__ import main
from tests.indicators.frames import series


def written(folder: Path, rows: pd.DataFrame) -> str:
    path = folder / "obs.csv"
    path.write_text(observations.to_csv(rows), encoding="utf-8")
    return str(path)


def test_without_a_key_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    listed = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert set(listed["key"]) == set(indicators.discover())


def test_a_file_is_computed_over_its_whole_span(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = written(tmp_path, series("pm25", "station", "2026-11-20 07:00", [25.0, 25.0, 50.0]))
    assert main(["vn_aqi", "--input", name]) == 0
    out, err = capsys.readouterr()
    computed = observations.from_csv(out)
    assert computed.loc[computed["observed_property"] == "vn_aqi", "value"].tolist() == [50, 79]
    assert err == ""


def test_the_period_in_which_the_last_row_lies_is_still_computed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = written(tmp_path, series("rainfall", "gauge", "2026-11-20 07:03", [1.0] * 12, every_min=10))
    assert main(["rain_1h", "--input", name]) == 0
    assert "2026-11-20T00:10:00Z,gauge,rain_1h,6.0" in capsys.readouterr().out


def test_with_a_city_the_attributes_of_its_sites_are_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from core.config import load_city

    roads = load_city("demo").sites.query("kind == 'road_segment'")
    road = roads.index[0]
    rows = series("speed", road, "2026-11-20 08:00", [float(roads["free_flow_kmh"].iloc[0]) / 2], every_min=5)
    assert main(["relative_speed", "--input", written(tmp_path, rows), "--city", "demo"]) == 0
    assert f"2026-11-20T01:00:00Z,{road},relative_speed,50.0" in capsys.readouterr().out


def test_what_is_missing_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = written(tmp_path, series("no2", "station", "2026-11-20 07:00", [25.0]))
    assert main(["pm25_24h", "--input", name]) == 0
    out, err = capsys.readouterr()
    assert out == ",".join(observations.COLUMNS) + "\n"
    assert err.startswith("pm25_24h: no result; it needs pm25")


def test_an_empty_table_gives_a_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vn_aqi", "--input", written(tmp_path, observations.empty())]) == 0
    assert capsys.readouterr().out == ",".join(observations.COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["aqi"], "there is no such indicator"),
        (["vn_aqi"], "--input obs.csv"),
        (["vn_aqi", "--input", "nowhere.csv"], "nowhere.csv: cannot be read"),
        (["--input", "obs.csv"], "name the indicator"),
        (["vn_aqi", "--colour"], "--help"),
    ],
)
def test_a_wrong_call_is_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert words in err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"time,site,value\n1,2,3\n", "site_id"),
        (b"", "not a CSV table"),
        (b"\xff\xfe\x00", "bad.csv"),
        (b"time,site_id,observed_property,value\nyesterday,a,pm25,1\n", "line 2"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: bytes, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(text)
    assert main(["vn_aqi", "--input", str(path)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert words in err


def test_an_unknown_city_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = written(tmp_path, series("pm25", "station", "2026-11-20 07:00", [25.0]))
    assert main(["vn_aqi", "--input", name, "--city", "atlantis"]) == 2
    assert "config/atlantis" in capsys.readouterr().err
