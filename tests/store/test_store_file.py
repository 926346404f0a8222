"""The store's file in good and bad times: in use, broken, older, newer, copied, restored; and its command line."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from core.alert import Alert, AlertEvent
from core.catalogue import Catalogue, load_properties
from core.config import load_city
from core.errors import StoreBusy, StoreError
from core.observations import frame
from store.__main__ import main
from store._file import MIGRATIONS, migrate
from store.duck import DuckStore, open_store, restore

ROOT = Path(__file__).resolve().parents[2]
TEN = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)  # 10:00 in the city
LONG_AGO, FAR_AHEAD = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def write(store: DuckStore, value: float, time: datetime = TEN, site: str = "air_1") -> None:
    row = {"time": time, "site_id": site, "observed_property": "pm25", "value": value, "source": "air"}
    store.write_observations(frame([row]), time)


def a_store(path: Path, value: float, area: str = "") -> Path:
    DuckStore(path).close()
    if area:
        with duckdb.connect(str(path)) as hand:
            hand.execute("INSERT INTO sites VALUES ('air_1', 'air_station', 'x', 'x', ?, 0, 0, '{}')", [area])
    store = DuckStore(path)
    write(store, value)
    store.close()
    return path


def values(path: Path) -> list[float]:
    store = DuckStore(path)
    found = store.read_observations(["pm25"], LONG_AGO, FAR_AHEAD)["value"].tolist()
    store.close()
    return found


# Opening ----------------------------------------------------------------------------------------------------------


def test_a_second_process_gets_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "demo.duckdb"
    store = DuckStore(path)
    for command in (
        ["stats"],
        ["backup", str(tmp_path / "copy.duckdb")],
        ["restore", str(a_store(tmp_path / "b", 1.0)), "--force"],
    ):
        second = subprocess.run(
            [sys.executable, "-m", "store", *command, "--path", str(path)], cwd=ROOT, capture_output=True, text=True
        )
        assert second.returncode == 2
        assert second.stdout == ""
        (line,) = second.stderr.splitlines()
        assert line.startswith(f"error: {path} is in use by another process (PID ")
        assert "stop it, or give this one another CITY or CITY_STORE" in line
        assert ("Store.backup" in line) == (command[0] == "backup")
    write(store, 1.0)
    store.close()
    assert values(path) == [1.0], "the refused restore touched nothing"


def test_closing_gives_the_file_free_and_a_closed_store_says_so(tmp_path: Path) -> None:
    path = a_store(tmp_path / "demo.duckdb", 1.0)
    other = "import sys; from store.duck import DuckStore; DuckStore(sys.argv[1]).close()"
    store = DuckStore(path)
    store.latest()
    store.close()
    subprocess.run([sys.executable, "-c", other, str(path)], cwd=ROOT, check=True)
    with pytest.raises(StoreError, match=r"demo\.duckdb"):
        store.latest()


def test_two_stores_on_one_file_in_one_process_write_in_turn(tmp_path: Path) -> None:
    first, second = DuckStore(tmp_path / "demo.duckdb"), DuckStore(tmp_path / "." / "demo.duckdb")
    write(first, 1.0)
    first.close()
    write(second, 2.0)
    assert second.stats()["revisions"] == 1
    second.close()


@pytest.mark.parametrize("content", [b"", b"time;value\n" * 5000], ids=["empty", "a table of words"])
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "demo.duckdb"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"demo\.duckdb cannot be opened as a store .*restore a backup"):
        DuckStore(path)
    assert path.read_bytes() == content


def test_a_damaged_store_is_not_called_busy(tmp_path: Path) -> None:
    path = a_store(tmp_path / "demo.duckdb", 1.0)
    damaged = bytearray(path.read_bytes())
    damaged[4096:12288] = bytes(8192)
    path.write_bytes(damaged)
    with pytest.raises(StoreError) as caught:
        DuckStore(path)
    assert not isinstance(caught.value, StoreBusy)


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "demo.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE budget (year INTEGER)")
    with pytest.raises(StoreError, match="not a store of this house"):
        DuckStore(path)
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("budget",)]


def test_a_place_that_cannot_hold_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder is meant")
    with pytest.raises(StoreError, match=r"data/demo\.duckdb cannot be created"):
        DuckStore(tmp_path / "data" / "demo.duckdb")


def test_open_store_makes_folders_and_knows_no_servers(tmp_path: Path) -> None:
    open_store(tmp_path / "new" / "demo.duckdb").close()
    assert (tmp_path / "new" / "demo.duckdb").is_file()
    with pytest.raises(StoreError, match="kind postgresql is not known here") as caught:
        open_store("postgresql://city:secret@host/city")
    assert "secret" not in str(caught.value)


def test_a_failed_write_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last step of a write fails (here: the hours by area): not one row of it stays, and the next write works."""
    store = DuckStore(a_store(tmp_path / "demo.duckdb", 1.0, area="00001"))
    with monkeypatch.context() as patch:
        patch.setattr(DuckStore, "_area_hours", lambda self, condition: "SELECT no_such_column FROM observations")
        with pytest.raises(StoreError, match="no_such_column"):
            write(store, 2.0)
    assert store.read_observations(["pm25"], LONG_AGO, FAR_AHEAD)["value"].tolist() == [1.0]
    assert store.stats()["revisions"] == 0
    write(store, 3.0)
    assert store.latest()["value"].tolist() == [3.0]
    store.close()


# Schema and zone --------------------------------------------------------------------------------------------------


def test_the_migrations_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:3]) for path in MIGRATIONS.glob("*.sql"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 2


def test_a_version_1_file_is_brought_up_to_date_with_its_history(tmp_path: Path) -> None:
    """A file from before the serve tables: two hours of one station, one of them missing."""
    path = tmp_path / "demo.duckdb"
    with duckdb.connect(str(path)) as old:
        only_first = tmp_path / "migrations"
        only_first.mkdir()
        (first,) = MIGRATIONS.glob("001_*.sql")
        (only_first / first.name).write_text(first.read_text(encoding="utf-8"), encoding="utf-8")
        migrate(old, "demo.duckdb", only_first)
        assert old.execute("SELECT version FROM schema_version").fetchall() == [(1,)]
        old.execute("INSERT INTO series VALUES (1, 'air_1', 'pm25', 'air')")
        old.execute("INSERT INTO sites VALUES ('air_1', 'air_station', 'x', 'x', '00001', 0, 0, '{}')")
        old.execute(
            """INSERT INTO observations VALUES
            (1, '2026-03-10 02:00:00', 31, 'pass', '2026-03-10 02:05:00'),
            (1, '2026-03-10 03:00:00', NULL, 'missing', '2026-03-10 03:05:00')"""
        )
    store = DuckStore(path)
    assert store.stats()["schema_version"] == 9
    assert store.latest()["value"].tolist() == [31.0]
    assert store.area_hourly("pm25", LONG_AGO, FAR_AHEAD)["mean"].tolist() == [31.0]
    assert store.verify() == []
    store.close()


def test_a_version_2_file_keeps_its_alerts_and_its_journal(tmp_path: Path) -> None:
    """A file from before the alert desk: one alert stands and is acknowledged, one is shelved, one is normal."""
    path = tmp_path / "demo.duckdb"
    with duckdb.connect(str(path)) as old:
        first_two = tmp_path / "migrations"
        first_two.mkdir()
        for step in sorted(MIGRATIONS.glob("00[12]_*.sql")):
            (first_two / step.name).write_text(step.read_text(encoding="utf-8"), encoding="utf-8")
        migrate(old, "demo.duckdb", first_two)
        assert old.execute("SELECT max(version) FROM schema_version").fetchall() == [(2,)]
        old.execute(
            """INSERT INTO alerts VALUES
            ('pm25_high', 'air_1', true, true, NULL, NULL, '', 'high', 91.5, '2026-03-10 03:00:00', NULL,
                '2026-03-10 02:00:00', NULL, '2026-03-10 02:05:00', 'Lan', false),
            ('pm25_high', 'air_2', true, false, 'SHLVD', '2026-03-10 08:00:00', 'bảo trì', 'low', 60, NULL, NULL,
                '2026-03-10 01:00:00', NULL, NULL, '', true),
            ('pm25_high', 'air_3', false, true, NULL, NULL, '', 'low', 10, NULL, NULL, NULL, NULL, NULL, '', false)"""
        )
        old.execute(
            """INSERT INTO journal VALUES
            (1, '2026-03-10 01:10:00', 'pm25_high', 'air_2', 'UNACK', 'SHLVD', 'low', 60, 'Hà', 'shelve', 'thử'),
            (2, '2026-03-10 01:20:00', 'pm25_high', 'air_2', 'SHLVD', 'UNACK', 'low', 60, 'Hà', 'unshelve', ''),
            (3, '2026-03-10 01:30:00', 'pm25_high', 'air_2', 'UNACK', 'SHLVD', 'low', 60, 'Minh', 'shelve', 'bảo trì'),
            (4, '2026-03-10 02:05:00', 'pm25_high', 'air_1', 'UNACK', 'ACKED', 'high', 91, 'Lan', 'acknowledge', '')"""
        )
    store = DuckStore(path)
    hour = datetime(2026, 3, 10, tzinfo=UTC) + timedelta(hours=1)
    standing, shelved, normal = store.read_alerts()
    assert standing == Alert(
        rule="pm25_high", site_id="air_1", active=True, acked=True, priority="high", value=91.5,
        seen_at=hour + timedelta(hours=2), began_at=hour + timedelta(hours=1), raised_at=hour + timedelta(hours=1),
        acked_at=hour + timedelta(minutes=65), acked_by="Lan", handled_at=hour + timedelta(minutes=65),
    )  # fmt: skip
    assert shelved == Alert(
        rule="pm25_high", site_id="air_2", active=True, acked=False, hidden="SHLVD",
        hidden_until=hour + timedelta(hours=7), hidden_reason="bảo trì", hidden_by="Minh",
        hidden_at=hour + timedelta(minutes=30), value=60.0, began_at=hour, raised_at=hour, stale=True,
    )  # fmt: skip
    assert normal == Alert(rule="pm25_high", site_id="air_3", value=10.0)
    journal = store.read_journal(LONG_AGO)
    assert journal["entry"].tolist() == [4, 3, 2, 1]
    assert journal["detail"].tolist() == [""] * 4
    assert store.audit_head()[0] == 0
    assert store.verify() == []
    said = AlertEvent(
        happened_at=hour, rule="r", site_id="s", state_before="NORM", state_after="UNACK", priority="low", detail="{}"
    )
    store.change_alerts(lambda ledger: ([replace(ledger["pm25_high", "air_3"], active=True)], [said]))
    assert store.read_alerts()[2].active
    assert store.read_journal(LONG_AGO)["detail"].tolist() == ["{}", "", "", "", ""]
    store.close()


def test_a_newer_file_is_not_touched(tmp_path: Path) -> None:
    path = a_store(tmp_path / "demo.duckdb", 1.0)
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (99, now()::TIMESTAMP)")
    with pytest.raises(StoreError, match="schema version 99, but this programme knows only 9: install the newer"):
        DuckStore(path)


def test_a_broken_step_leaves_the_version_before_it(tmp_path: Path) -> None:
    (tmp_path / "001_good.sql").write_text("CREATE TABLE good (a INTEGER);")
    (tmp_path / "002_bad.sql").write_text("CREATE TABLE half (a INTEGER); SELECT nothing_like_it;")
    with duckdb.connect() as connection:
        for _ in range(2):
            with pytest.raises(duckdb.Error):
                migrate(connection, "demo.duckdb", tmp_path)
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(1,)]
        tables = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
        assert tables == [("good",), ("schema_version",)]


def test_hours_of_a_city_need_not_begin_with_those_of_greenwich(tmp_path: Path) -> None:
    """Kathmandu is UTC+5:45: its 09:00-10:00 ends at 04:15 UTC."""
    path = a_store(tmp_path / "demo.duckdb", 1.0, area="00001")
    store = DuckStore(path, "Asia/Kathmandu")
    write(store, 8.0, datetime(2026, 3, 10, 3, 15, tzinfo=UTC))
    write(store, 2.0, datetime(2026, 3, 10, 3, 16, tzinfo=UTC))
    write(store, 4.0, datetime(2026, 3, 10, 4, 15, tzinfo=UTC))
    hours = store.area_hourly("pm25", LONG_AGO, FAR_AHEAD)
    assert [str(hour)[11:16] for hour in hours["hour"]] == ["03:15", "04:15"]
    assert hours["mean"].tolist() == [4.5, 3.0]
    assert store.verify() == []
    store.close()
    remembered = DuckStore(path, zone=None)
    assert remembered.stats()["zone"] == "Asia/Kathmandu"
    remembered.close()
    moved = DuckStore(path, "Asia/Ho_Chi_Minh")
    assert [str(hour)[11:16] for hour in moved.area_hourly("pm25", LONG_AGO, FAR_AHEAD)["hour"]] == [
        "03:00",
        "04:00",
        "05:00",
    ]
    assert moved.verify() == []
    moved.close()
    with pytest.raises(StoreError, match="hours that begin at changing minutes"):
        DuckStore(path, "Australia/Lord_Howe")


def test_the_usual_band_follows_summer_time(tmp_path: Path) -> None:
    """Berlin, Mondays 07:00-08:00: 07:00 UTC in winter, 06:00 UTC from 29 March on; both are hour 7 of the week."""
    store = DuckStore(tmp_path / "berlin.duckdb", "Europe/Berlin")
    write(store, 0.0, datetime(2026, 3, 16, 7, 0, tzinfo=UTC))
    write(store, 10.0, datetime(2026, 3, 23, 7, 0, tzinfo=UTC))
    write(store, 20.0, datetime(2026, 3, 30, 6, 0, tzinfo=UTC))
    for week in range(3):  # Sunday 01:00-02:00, the last time the last hour of winter
        write(store, 99.0, datetime(2026, 3, 29, 1, 0, tzinfo=UTC) - timedelta(weeks=week))
    assert store.rebuild_usual_band(["pm25"], datetime(2026, 4, 1, tzinfo=UTC)) == 2
    band = store.usual_band(["pm25"])
    assert band[["hour_of_week", "middle", "n"]].values.tolist() == [[7, 10.0, 3], [6 * 24 + 1, 99.0, 3]]
    store.close()


def test_verify_tells_what_a_stray_hand_did(tmp_path: Path) -> None:
    path = a_store(tmp_path / "demo.duckdb", 1.0, area="00001")
    with duckdb.connect(str(path)) as hand:
        hand.execute("UPDATE latest SET value = 5")
        hand.execute("UPDATE area_hourly SET total = 5")
        hand.execute("INSERT INTO observations SELECT 7, time, value, quality, received_at FROM observations")
        hand.execute("INSERT INTO revisions SELECT 1, now(), 1, 'pass', now(), now()")
    store = DuckStore(path)
    findings = " / ".join(store.verify())
    for words in ("has no series", "no observation that replaced it", "`latest` differs", "`area_hourly` differs"):
        assert words in findings
    store.close()
    assert main(["verify", "--path", str(path)]) == 1


def test_a_person_with_sql_finds_names_units_and_attributes(tmp_path: Path) -> None:
    """The demo city: every site has its own further keys, and none carries those of another kind as NaN."""
    city, catalogue = load_city("demo"), Catalogue(load_properties())
    path = tmp_path / "demo.duckdb"
    store = DuckStore(path, city.zone)
    store.write_dimensions(city, catalogue)
    store.close()
    with duckdb.connect(str(path)) as hand:
        sites = dict(hand.execute("SELECT site_id, attributes FROM sites").fetchall())
        counts = hand.execute(
            "SELECT (SELECT count(*) FROM areas), (SELECT count(*) FROM sources), (SELECT count(*) FROM properties)"
        ).fetchall()
        units = dict(hand.execute("SELECT observed_property, unit FROM properties").fetchall())
    assert counts == [(len(city.areas), len(city.sources), len(catalogue))]
    assert units["pm25"] == "ug/m3"
    assert set(sites) == set(city.sites.index)
    further = {site_id: json.loads(text, parse_constant=pytest.fail) for site_id, text in sites.items()}
    assert any(further.values())
    assert all(None not in attributes.values() for attributes in further.values())
    assert not any("name_vi" in attributes for attributes in further.values())


# Backup, restore, command line ------------------------------------------------------------------------------------


def test_restore_keeps_the_old_store_beside(tmp_path: Path) -> None:
    backup, place = a_store(tmp_path / "backup.duckdb", 1.0), a_store(tmp_path / "demo.duckdb", 2.0)
    with pytest.raises(StoreError, match="exists already: add --force"):
        restore(backup, place)
    assert values(place) == [2.0]
    kept = restore(backup, place, force=True)
    assert kept is not None
    assert values(place) == [1.0]
    assert values(kept) == [2.0]
    assert values(backup) == [1.0]
    assert restore(backup, tmp_path / "new" / "demo.duckdb") is None
    assert sorted(path.name for path in tmp_path.glob("*restoring*")) == []


def test_restore_replaces_a_broken_store_with_its_log(tmp_path: Path) -> None:
    """The log of the broken store must not be played into the restored one."""
    backup, place = a_store(tmp_path / "backup.duckdb", 1.0), tmp_path / "demo.duckdb"
    place.write_bytes(b"broken")
    log = tmp_path / "demo.duckdb.wal"
    log.write_bytes(b"log of the broken store")
    kept = restore(backup, place, force=True)
    assert kept is not None
    assert kept.read_bytes() == b"broken"
    assert kept.with_name(kept.name + ".wal").read_bytes() == b"log of the broken store"
    assert values(place) == [1.0]


def test_restore_refuses_what_is_no_good_backup(tmp_path: Path) -> None:
    place = a_store(tmp_path / "demo.duckdb", 2.0)
    with pytest.raises(StoreError, match="is not there"):
        restore(tmp_path / "nowhere.duckdb", place, force=True)
    (tmp_path / "words.duckdb").write_text("no database")
    with pytest.raises(StoreError, match="cannot be opened"):
        restore(tmp_path / "words.duckdb", place, force=True)
    damaged = a_store(tmp_path / "damaged.duckdb", 1.0)
    with duckdb.connect(str(damaged)) as hand:
        hand.execute("DELETE FROM series")
    with pytest.raises(StoreError, match="is damaged"):
        restore(damaged, place, force=True)
    assert values(place) == [2.0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged.duckdb", "demo.duckdb", "words.duckdb"]


def test_backup_refuses_itself_and_names_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    store = DuckStore(tmp_path / "demo.duckdb")
    with pytest.raises(StoreError, match="onto itself"):
        store.backup(tmp_path / "demo.duckdb")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="is not there: make or mount it"):
        store.backup(tmp_path / "file" / "copy.duckdb")
    store.close()


def test_the_command_line_speaks_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, copy = tmp_path / "demo.duckdb", tmp_path / "copy.duckdb"
    now = datetime.now(UTC)
    store = DuckStore(path)
    write(store, 2.0, now - timedelta(days=9))
    write(store, 3.0, now - timedelta(days=11))
    store.close()

    def said(*arguments: str) -> dict[str, object]:
        assert main([*arguments, "--path", str(path)]) == 0
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found

    assert said("stats")["observations"] == 2
    assert said("backup", str(copy))["file_bytes"] == copy.stat().st_size
    assert said("prune", "--keep-days", "10")["removed"] == 1
    assert said("stats")["observations"] == 1
    assert said("restore", str(copy), "--force")["kept"] is not None
    assert said("stats")["observations"] == 2
    assert main(["verify", "--path", str(path)]) == 0
    spoken = capsys.readouterr()
    assert (spoken.out, spoken.err) == ("", "0 findings\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["stats", "--path", "nowhere/demo.duckdb"], "nowhere/demo.duckdb is not there"),
        (["stats", "--city", "atlantis"], "CITY=atlantis"),
        (["restore", "nowhere.duckdb", "--path", "demo.duckdb"], "nowhere.duckdb is not there"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    spoken = capsys.readouterr()
    assert spoken.out == ""
    (line,) = spoken.err.splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [[], ["polish"], ["audit"], ["audit", "--format", "xml"], ["prune", "--keep-days", "many"]]
)
def test_a_wrong_command_is_one_line_too(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")


def test_prune_keeps_at_least_a_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = a_store(tmp_path / "demo.duckdb", 1.0)
    assert main(["prune", "--keep-days", "0", "--path", str(path)]) == 2
    assert "keep at least 1 day" in capsys.readouterr().err
