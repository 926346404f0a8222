"""Every connector found in the folder keeps the contract; nobody has to list it here.

tests/recordings/<key>/ holds small hand-made replies; those whose name begins with `error` must be refused.
"""

import inspect
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import connectors
from connectors import Payload
from core import observations
from core.catalogue import Source
from core.errors import InputError, SourceError
from tests.connectors.asking import JUNK

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDINGS = ROOT / "tests" / "recordings"
FOUND = connectors.discover()


def recordings(key):
    return sorted(path for path in (RECORDINGS / key).glob("*") if path.is_file() and not path.name.startswith("."))


EVERY = [pytest.param(key, path, id=f"{key}/{path.name}") for key in FOUND for path in recordings(key)]
GOOD = [each for each in EVERY if not each.values[1].name.startswith("error")]
BAD = [each for each in EVERY if each.values[1].name.startswith("error")]


def payload(path):
    return Payload(body=path.read_bytes(), name=path.name)


def test_there_are_connectors_and_recordings():
    assert {"open_meteo", "sensorthings", "open311"} <= set(FOUND)
    assert GOOD
    assert BAD


@pytest.mark.parametrize("key", FOUND)
def test_a_connector_describes_itself(key):
    source = FOUND[key].SOURCE
    assert isinstance(source, Source)
    assert source.key == key
    assert source.name
    assert source.licence
    assert source.every > timedelta(0)
    assert source.kind in ("measurement", "model", "report", "simulation")


@pytest.mark.parametrize("key", FOUND)
@pytest.mark.parametrize("word", ["licence", "key", "refresh", "trap"])
def test_the_head_of_the_file_tells_what_a_newcomer_asks(key, word):
    assert word in (FOUND[key].__doc__ or "").casefold()


@pytest.mark.parametrize("key", FOUND)
def test_a_source_with_a_homepage_gives_the_link_of_its_interface(key):
    if FOUND[key].SOURCE.homepage:
        assert "https://" in FOUND[key].__doc__


@pytest.mark.parametrize("key", FOUND)
def test_fetch_and_parse_are_called_the_same_everywhere(key):
    assert list(inspect.signature(FOUND[key].fetch).parameters) == ["http", "request"]
    assert list(inspect.signature(FOUND[key].parse).parameters) == ["payload"]


@pytest.mark.parametrize("key", FOUND)
def test_every_connector_has_a_recording_that_can_be_read_and_a_chapter_in_the_handbook(key):
    assert [path for path in recordings(key) if not path.name.startswith("error")]
    assert f"\n## {key}" in (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("key", "path"), GOOD)
def test_a_recording_gives_the_one_frame_and_always_the_same(key, path):
    frame = FOUND[key].parse(payload(path))
    expected = observations.empty()
    assert list(frame.columns) == list(observations.COLUMNS)
    assert frame.dtypes.to_dict() == expected.dtypes.to_dict()
    assert frame["quality"].isin(observations.QUALITY).all()
    assert (frame["quality"] == "missing").equals(frame["value"].isna())
    assert isinstance(frame.index, pd.RangeIndex)
    assert_frame_equal(FOUND[key].parse(payload(path)), frame)


@pytest.mark.parametrize(("key", "path"), BAD)
def test_an_error_reply_is_an_error(key, path):
    with pytest.raises((SourceError, InputError)):
        FOUND[key].parse(payload(path))


@pytest.mark.parametrize("key", FOUND)
@pytest.mark.parametrize("body", JUNK)
def test_junk_is_refused_in_words_and_never_crashes(key, body):
    try:
        rows = len(FOUND[key].parse(Payload(body=body, name="junk")))
        told = "a valid reply without observations"
    except (SourceError, InputError) as error:
        rows, told = 0, str(error)
    assert rows == 0
    assert told


def test_an_unknown_key_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"'openmeteo'; known are .*open_meteo"):
        connectors.load("openmeteo")
    with pytest.raises(InputError):
        connectors.load("_http")
