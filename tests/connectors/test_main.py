"""The door on the command line: data to stdout, words to stderr, exit 2 and one line for whatever is wrong."""

import json

import pytest

import connectors
from connectors.__main__ import main
from connectors._http import MAX_BODY_BYTES

OBSERVATIONS = '{"value": [{"phenomenonTime": "2026-06-01T00:00:00", "result": "20"}]}'


@pytest.fixture
def reply(tmp_path):
    path = tmp_path / "gate.json"
    path.write_text(OBSERVATIONS)
    return path


def test_without_a_key_all_connectors_are_listed(capsys):
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "key,name,licence,refresh_min"
    assert [line.split(",")[0] for line in lines[1:]] == sorted(connectors.discover())


def test_zone_source_and_options_reach_the_connector(capsys, reply):
    options = [
        "--zone",
        "Asia/Ho_Chi_Minh",
        "--source",
        "gate",
        "--set",
        "property=no2",
        "--set",
        "unit=ppb",
        "--set",
        "site=ga",
    ]
    assert main(["sensorthings", "--file", str(reply), *options]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "2026-05-31T17:00:00Z,ga,no2,37.6,not_evaluated,gate"


def test_an_option_may_be_a_table_or_a_number(capsys, reply):
    stream = {"name": "kenh 4", "unitOfMeasurement": {"symbol": "ug/m3"}, "Thing": {"@iot.id": 3}}
    told = [{"phenomenonTime": "2026-06-01T00:00:00Z", "result": 20}]
    reply.write_text(json.dumps({**stream, "Observations": told}))
    options = ["--set", 'properties={"kenh 4" = "pm25"}', "--set", "start_label_min=60", "--set", 'sites={"3" = "ga"}']
    assert main(["sensorthings", "--file", str(reply), *options]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "2026-06-01T01:00:00Z,ga,pm25,20.0,not_evaluated,sensorthings"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "the file is empty"), (b"\x89PNG\r\n\x1a\n\x00\xff", "not text in UTF-8"), (b"{", "broken JSON at line 1")],
)
def test_a_file_that_is_no_reply_gets_one_line(capsys, tmp_path, content, words):
    path = tmp_path / "reply.json"
    path.write_bytes(content)
    assert main(["sensorthings", "--file", str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert told.err.startswith("error: ")
    assert "reply.json" in told.err
    assert words in told.err


def test_a_file_beyond_measure_is_not_read(capsys, tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as stream:
        stream.truncate(MAX_BODY_BYTES + 1)
    assert main(["open311", "--file", str(path)]) == 2
    assert "larger than 32 MiB" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], "known are"),
        (["open311"], "--file F"),
        (["open311", "--file", "."], "Is a directory"),
        (["open311", "--file", "absent.json"], "No such file"),
        (["open311", "--file", "x", "--set", "site"], "NAME=VALUE"),
        (["open311", "--file", "x", "--zone", "Mars/Base"], "Mars/Base"),
    ],
)
def test_wrong_arguments_get_one_line(capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text("[]")
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert words in told.err
    assert len(told.err.splitlines()) == 1
