"""CAP out of the store: Alert, Update and Cancel refer to each other, a ward is drawn, every export is written down."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from alerts.cap import NAMESPACE
from alerts.refusals import Refused
from alerts.rules import load_rules
from alerts.words import rule_words
from control import cap
from control.__main__ import main
from core.alert import Alert
from core.config import ROOT, City, load_city, read_geometry
from core.errors import ConfigError
from core.ledger import AuditEntry
from store.duck import DuckStore
from tests.clockwork import SetClock

NOW = datetime.fromisoformat("2026-11-19T18:00:00+07:00")
FLOOD, CALLS = ("underpass_flood", "flood_01"), ("reports_surge", "90007")
MINUTE = timedelta(minutes=1)


def ringing(key: tuple[str, str], **facts: object) -> Alert:
    given = {"active": True, "acked": False, "priority": "high", "value": 38.5, "situation": "VV-0042"}
    begun = {"began_at": NOW - 5 * MINUTE, "raised_at": NOW - 5 * MINUTE}
    return Alert(rule=key[0], site_id=key[1], **{**given, **begun, **facts})


@pytest.fixture(scope="module")
def city() -> City:
    return load_city("demo")


@pytest.fixture
def path(tmp_path: Path, city: City) -> Path:
    store = DuckStore(tmp_path / "cap.duckdb", zone=str(city.zone))
    quiet = Alert(rule="road_flood", site_id="flood_02", situation="VV-0042")
    store.change_alerts(lambda _: ([ringing(FLOOD), ringing(CALLS, began_at=NOW - MINUTE), quiet], ()))
    store.close()
    return tmp_path / "cap.duckdb"


@pytest.fixture
def store(path: Path, city: City) -> Iterator[DuckStore]:
    opened = DuckStore(path, zone=str(city.zone))
    yield opened
    opened.close()


def made(store: DuckStore, city: City, key: tuple[str, str] = FLOOD, at: datetime = NOW, exercise: bool = False):
    rules = load_rules(city.folder / "alerts", None, city.sites, city.zone)
    words = {rule.key: rule_words(rule) for rule in rules}
    return cap.message(store, city, words, key, now=at, exercise=exercise, geometry=read_geometry(city))


def handed_over(store: DuckStore, one: cap.Message, at: datetime, result: str = "done") -> None:
    entry = AuditEntry(
        happened_at=at, account="ha", account_type="person", session="", source_address="", source_port=None,
        action=cap.EXPORT, object=":".join(one.key), result=result, reason=one.reference,
    )  # fmt: skip
    store.write_audit([entry])


def text(xml: bytes | str, path: str) -> str | None:
    return ET.fromstring(xml).findtext("/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/")))


def test_an_alert_is_told_then_updated_and_at_last_cancelled(store: DuckStore, city: City) -> None:
    first = made(store, city)
    assert (text(first.xml, "msgType"), text(first.xml, "references")) == ("Alert", None)
    assert first.reference.split(",")[0] == text(first.xml, "sender") == city.cap_sender
    assert first.reference.split(",")[1:] == [text(first.xml, "identifier"), text(first.xml, "sent")]
    assert first.reference.endswith("T18:00:00+07:00"), "an offset in numbers"
    assert text(first.xml, "scope") == "Restricted"
    assert text(first.xml, "incidents") == "VV-0042"
    assert text(made(store, city, at=NOW + MINUTE).xml, "msgType") == "Alert", "looked at, not handed over"
    handed_over(store, first, NOW, result="denied")
    assert text(made(store, city, at=NOW + MINUTE).xml, "msgType") == "Alert", "denied: nobody has it"
    handed_over(store, first, NOW)
    assert text(made(store, city).xml, "references") is None, "a message never refers to itself"
    second = made(store, city, at=NOW + MINUTE)
    assert (text(second.xml, "msgType"), text(second.xml, "references")) == ("Update", first.reference)
    handed_over(store, second, NOW + MINUTE)
    store.change_alerts(lambda _: ([ringing(FLOOD, active=False)], ()))
    last = made(store, city, at=NOW + 2 * MINUTE)
    assert text(last.xml, "msgType") == "Cancel"
    assert text(last.xml, "references") == f"{first.reference} {second.reference}"
    again = ringing(FLOOD, began_at=NOW + 3 * MINUTE, raised_at=NOW + 3 * MINUTE)
    store.change_alerts(lambda _: ([again], ()))
    assert text(made(store, city, at=NOW + 4 * MINUTE).xml, "msgType") == "Alert", "another activation"


def test_an_alert_of_a_ward_is_drawn_by_its_boundary_and_a_sensor_by_a_circle(store: DuckStore, city: City) -> None:
    ward = made(store, city, CALLS).xml
    corners = (text(ward, "info/area/polygon") or "").split()
    assert len(corners) >= 4
    assert corners[0] == corners[-1]
    assert text(ward, "info/area/geocode/value") == "90007"
    sensor = made(store, city).xml
    assert text(sensor, "info/area/polygon") is None
    assert (text(sensor, "info/area/circle") or "").endswith(" 0.5")


def test_a_city_without_a_sender_tells_nothing_and_says_where_to_mend_it(store: DuckStore, city: City) -> None:
    with pytest.raises(ConfigError, match=r"config/demo/city\.toml: cap_sender is missing"):
        made(store, replace(city, cap_sender=""))


@pytest.mark.parametrize("key", [("underpass_flood", "flood_99"), ("nobody", "flood_01")])
def test_an_alert_that_nobody_knows_is_refused(store: DuckStore, city: City, key: tuple[str, str]) -> None:
    store.change_alerts(lambda _: ([ringing(("nobody", "flood_01"))], ()))
    with pytest.raises(Refused) as refusal:
        made(store, city, key)
    assert refusal.value.code == "unknown_alert"


# -- the door on the command line -------------------------------------------------------------------------------------


def door(*words: str | Path, at: datetime = NOW) -> int:
    return main(["cap", *map(str, words)], clock=SetClock(at))


def test_one_alert_on_stdout_is_written_down_and_the_next_follows_it(
    path: Path, city: City, capsys: pytest.CaptureFixture[str]
) -> None:
    assert door("--alert", "underpass_flood:flood_01", "--path", path, "--exercise") == 0
    out, err = capsys.readouterr()
    assert text(out, "status") == "Exercise"
    assert err.startswith("underpass_flood:flood_01: ioc.thanhlam.example,demo-underpass_flood-flood_01-")
    assert door("--alert", "underpass_flood:flood_01", "--path", path, at=NOW + MINUTE) == 0
    out, _ = capsys.readouterr()
    assert (text(out, "status"), text(out, "msgType")) == ("Test", "Update"), "simulated data are no truth"
    store = DuckStore(path, zone=str(city.zone))
    rows = store.read_audit(NOW - MINUTE)
    store.close()
    assert rows["action"].tolist() == ["export_cap", "export_cap"]
    assert set(rows["account_type"]) == {"system"}


def test_a_situation_is_one_file_per_active_alert(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out" / "cap"
    assert door("--situation", "VV-0042", "--path", path, "--to", folder) == 0
    files = sorted(one.name for one in folder.iterdir())
    assert files == ["reports_surge-90007.cap.xml", "underpass_flood-flood_01.cap.xml"]
    assert {text((folder / name).read_bytes(), "incidents") for name in files} == {"VV-0042"}
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(": ")[0] for line in err.splitlines()] == ["underpass_flood:flood_01", "reports_surge:90007"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--situation", "VV-0042"], "give a folder with --to"),
        (["--situation", "VV-9999", "--to", "out"], "no active alert belongs to it"),
        (["--alert", "road_flood:flood_02"], "chưa"),
        (["--alert", "underpass_flood:nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    path: Path, city: City, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert door(*words, "--path", path) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert told in err
    assert err.count("\n") == 1
    store = DuckStore(path, zone=str(city.zone))
    assert store.read_audit(NOW - MINUTE).empty
    store.close()


def test_a_folder_that_cannot_be_and_a_store_that_is_not_there(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert door("--alert", "underpass_flood:flood_01", "--path", path, "--to", tmp_path / "file") == 2
    assert "name a folder of yours" in capsys.readouterr().err
    assert door("--alert", "underpass_flood:flood_01", "--path", tmp_path / "none.duckdb") == 2
    assert "start the dashboard once" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        door("--alert", "underpass_flood")
    assert stop.value.code == 2
    assert "rule:site" in capsys.readouterr().err


def test_the_door_opens_from_a_shell(path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "control", "cap", "--alert", "underpass_flood:flood_01", "--path", str(path)],
        cwd=ROOT, env={**os.environ, "CITY": "demo"}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (run.returncode, text(run.stdout, "sender")) == (0, "ioc.thanhlam.example"), run.stderr
