"""`python -m alerts`: data to stdout, words to stderr, exit 2 and one line for bad input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alerts.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
RULE = """title_vi = "Ngập đường"
title_en = "Road flooded"
observed_property = "flood_depth"
direction = "above"
setpoint = 25
priority = "critical"
deadband = 3
on_delay_min = 5
off_delay_min = 5
cause = "a"
consequence = "b"
action = "c"
owner = "d"
time_to_act_min = 10
"""
SILENT = """kind = "missing"
title_vi = "Mất tín hiệu"
title_en = "Silent"
observed_property = "rainfall"
stale_after_min = 10
priority = "low"
cause = "a"
consequence = "b"
action = "c"
owner = "d"
time_to_act_min = 10
"""
OBSERVATIONS = """time,site_id,observed_property,value
2026-09-15T10:00:00Z,flood_01,flood_depth,30
2026-09-15T17:05:00+07:00,flood_01,flood_depth,38
2026-09-15T10:00:00Z,rain_01,rainfall,1.2
2026-09-15T10:10:00Z,flood_01,flood_depth,12
2026-09-15T10:15:00Z,flood_01,flood_depth,5
2026-09-15T10:20:00Z,flood_01,flood_depth,
2026-09-15T10:25:00Z,rain_01,rainfall,0
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "flood.toml").write_text(RULE, encoding="utf-8")
    (tmp_path / "rules" / "idle.toml").write_text(RULE.replace('owner = "d"\n', ""), encoding="utf-8")
    (tmp_path / "rules" / "silent.toml").write_text(SILENT, encoding="utf-8")
    (tmp_path / "observations.csv").write_text(OBSERVATIONS, encoding="utf-8")
    return tmp_path


def replay(folder, *more):
    return main(["replay", "--rules", str(folder / "rules"), "--input", str(folder / "observations.csv"), *more])


def test_check_lists_rules_with_reasons(folder, capsys):
    assert main(["check", "--rules", str(folder / "rules")]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "rule,state,observed_property,levels,off_because",
        "flood,on,flood_depth,above 25 critical,",
        "idle,off,flood_depth,above 25 critical,it does not say owner",
        "silent,on,rainfall,silent min > 10 low,",
    ]
    assert err == "2 of 3 rules are on\n"


def test_check_of_the_demo_city(capsys):
    assert main(["check", "--rules", str(ROOT / "config/demo/alerts"), "--city", "demo"]) == 0
    out = capsys.readouterr().out
    assert "site:threshold_cm critical" in out
    assert ",off," not in out


def test_replay_prints_the_transitions(folder, capsys):
    assert replay(folder) == 0
    assert capsys.readouterr().out.splitlines() == [
        "time,rule,site_id,from,to,value",
        "2026-09-15T10:05:00Z,flood,flood_01,NORM,UNACK,38",
        "2026-09-15T10:15:00Z,flood,flood_01,UNACK,RTNUN,5",
        "2026-09-15T10:15:00Z,silent,rain_01,NORM,UNACK,",
        "2026-09-15T10:25:00Z,silent,rain_01,UNACK,RTNUN,",
    ]


def test_replay_with_acknowledgements(folder, capsys):
    acks = folder / "acks.csv"
    acks.write_text(
        "time,rule,site_id,actor\n"
        "2026-09-15T10:30:00Z,silent,rain_01,Lê Thu Hà\n"
        "2026-09-15T17:07:00+07:00,flood,flood_01,Lê Thu Hà\n",
        encoding="utf-8",
    )
    assert replay(folder, "--acks", str(acks)) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "2026-09-15T10:05:00Z,flood,flood_01,NORM,UNACK,38",
        "2026-09-15T10:07:00Z,flood,flood_01,UNACK,ACKED,38",
        "2026-09-15T10:15:00Z,flood,flood_01,ACKED,NORM,5",
        "2026-09-15T10:15:00Z,silent,rain_01,NORM,UNACK,",
        "2026-09-15T10:25:00Z,silent,rain_01,UNACK,RTNUN,",
        "2026-09-15T10:30:00Z,silent,rain_01,RTNUN,NORM,",
    ]


def test_replay_says_on_stderr_what_the_shift_would_have_lived_through(folder, capsys):
    """Water that laps at the limit every five minutes: eleven rings in ten minutes over four places, and chattering."""
    quick = RULE.replace("on_delay_min = 5", "on_delay_min = 0").replace("off_delay_min = 5", "off_delay_min = 0")
    (folder / "rules" / "flood.toml").write_text(quick, encoding="utf-8")
    lines = [
        f"2026-09-15T10:{minute:02d}:00Z,flood_{place:02d},flood_depth,{30 if minute % 4 == 0 else 0}"
        for minute in range(0, 21, 2)
        for place in range(4)
    ]
    (folder / "observations.csv").write_text(
        "time,site_id,observed_property,value\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    assert replay(folder) == 0
    err = capsys.readouterr().err.splitlines()
    assert err == [
        "flood: would have rung 24 times in 0.0 days, 1 floods, 24 chattering",
        "all rules: would have rung 24 times in 0.0 days, 1 floods, 24 chattering",
    ]


def test_replay_judges_every_kind_of_rule(tmp_path, capsys):
    """Deviations by what is usual in the file itself; suppression and alert() as in the live engine."""
    texts = RULE.partition("cause")[2]
    common = 'title_vi = "a"\ntitle_en = "a"\ncause' + texts
    rules = {
        "rise": 'kind = "rate"\nobserved_property = "river_level"\ndirection = "above"\nover_min = 60\n'
        "setpoint = 0.5\n",
        "odd": 'kind = "deviation"\nobserved_property = "river_level"\ndirection = "outside"\nleast_spread = 0.1\n'
        "setpoint = [-3, 3]\n",
        "often": 'kind = "count"\nobserved_property = "river_level"\nat_least = 3\nwindow_min = 120\nsetpoint = 2\n',
        "alarm": 'kind = "threshold"\nobserved_property = "river_level"\ndirection = "above"\nsetpoint = 3\n'
        "suppress_when = 'river_level > 4'\n",
        "asks": 'kind = "expression"\nexpression = "alert(\'rise\') and river_level > 3.5"\n',
    }
    (tmp_path / "rules").mkdir()
    for key, text in rules.items():
        (tmp_path / "rules" / f"{key}.toml").write_text(text + 'priority = "low"\n' + common, encoding="utf-8")
    hours = [(f"2026-09-{day:02d}T10:00:00Z", 2.0) for day in (1, 8, 15, 22)]
    hours += [("2026-09-29T08:00:00Z", 2.0), ("2026-09-29T09:00:00Z", 3.0), ("2026-09-29T10:00:00Z", 3.6)]
    hours += [("2026-09-29T11:00:00Z", 4.5), ("2026-09-29T12:00:00Z", 2.0)]
    text = "".join(f"{time},river_01,river_level,{value}\n" for time, value in hours)
    (tmp_path / "observations.csv").write_text("time,site_id,observed_property,value\n" + text, encoding="utf-8")
    assert replay(tmp_path) == 0
    rows = [line.split(",")[0:6] for line in capsys.readouterr().out.splitlines()[1:]]
    assert [(time[11:16], rule, before, after) for time, rule, _, before, after, _ in rows] == [
        ("09:00", "alarm", "NORM", "UNACK"),
        ("09:00", "rise", "NORM", "UNACK"),
        ("10:00", "odd", "NORM", "UNACK"),
        ("10:00", "often", "NORM", "UNACK"),
        ("10:00", "asks", "NORM", "UNACK"),
        ("11:00", "alarm", "UNACK", "DSUPR"),
        ("12:00", "alarm", "DSUPR", "RTNUN"),
        ("12:00", "rise", "UNACK", "RTNUN"),
        ("12:00", "often", "UNACK", "RTNUN"),
        ("12:00", "asks", "UNACK", "RTNUN"),
    ]


def test_a_file_that_is_judged_at_once_keeps_the_times_of_its_values(folder, capsys):
    """Without a rule about silence the file is judged in one piece; nothing in it came late for that."""

    def lines():
        assert replay(folder) == 0
        return [line for line in capsys.readouterr().out.splitlines() if ",flood," in line]

    row_by_row = lines()
    (folder / "rules" / "silent.toml").unlink()
    assert row_by_row
    assert lines() == row_by_row
    assert "measured_at" not in "".join(row_by_row)


HEAD = "time,rule,site_id,actor\n"


@pytest.mark.parametrize(
    ("acks", "words"),
    [
        ("time,rule\n", "acks.csv: the column site_id, actor is missing"),
        (HEAD + "yesterday,flood,flood_01,Hà\n", "acks.csv: line 2: the time 'yesterday' is not ISO 8601"),
        (HEAD + "2026-09-15T10:07:00,flood,flood_01,Hà\n", "carries no zone"),
        (HEAD + "2026-09-15T10:07:00Z,flood,flood_09,Hà\n", "acks.csv: line 2: Không có cảnh báo"),
        (HEAD + "2026-09-15T10:01:00Z,flood,flood_01,Hà\n", "acks.csv: line 2: Cảnh báo đang bình thường"),
        (HEAD + "2026-09-15T10:07:00Z,flood,flood_01,\n", "acks.csv: line 2: Phải ghi tên"),
    ],
)
def test_bad_acknowledgements(folder, capsys, acks, words):
    (folder / "acks.csv").write_text(acks, encoding="utf-8")
    assert replay(folder, "--acks", str(folder / "acks.csv")) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert words in err


def test_bad_input(folder, capsys):
    assert replay(folder, "--city", "atlantis") == 2
    assert "there is no folder config/atlantis" in capsys.readouterr().err
    (folder / "observations.csv").write_bytes(b"\xff\xfe\x00")
    assert replay(folder) == 2
    assert (
        capsys.readouterr().err == "error: observations.csv: cannot be read (it is not UTF-8); give a UTF-8 CSV file\n"
    )
    (folder / "observations.csv").unlink()
    assert replay(folder) == 2
    assert "observations.csv: cannot be read (No such file" in capsys.readouterr().err
    for name in ("flood", "silent"):
        (folder / "rules" / f"{name}.toml").unlink()
    (folder / "observations.csv").write_text(OBSERVATIONS, encoding="utf-8")
    assert replay(folder) == 2
    assert "every rule is off" in capsys.readouterr().err


def test_an_empty_file_gives_the_header_alone(folder, capsys):
    (folder / "observations.csv").write_text("time,site_id,observed_property,value\n", encoding="utf-8")
    assert replay(folder) == 0
    assert capsys.readouterr().out == "time,rule,site_id,from,to,value\n"


def test_as_a_module(folder):
    command = [sys.executable, "-m", "alerts", "check", "--rules", str(folder / "nowhere")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: nowhere: no alert rule")
    assert "Traceback" not in done.stderr
