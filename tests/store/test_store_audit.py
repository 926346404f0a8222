"""The audit log: append-only, proved by a chain of hashes, kept twelve months, exported without harm."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.ledger import AuditEntry, Outcome
from store.__main__ import _months_ago, main
from store.audit import AUDIT_COLUMNS, GENESIS, SEALED, Head, audit_cef, audit_csv, cleaned, parsed_head, seal
from store.duck import DuckStore

ROOT = Path(__file__).resolve().parents[2]
TEN = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Hand = Callable[[duckdb.DuckDBPyConnection], object]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckStore]:
    opened = DuckStore(tmp_path / "city.duckdb")
    yield opened
    opened.close()


def entry(number: int = 0, **further: object) -> AuditEntry:
    known = {
        "happened_at": TEN + number * MINUTE, "account": "lan", "account_type": "person", "session": "s1",
        "source_address": "10.0.0.7", "source_port": 50123, "action": "acknowledge",
        "object": f"flood_depth_high/underpass_{number}", "result": "done", "before": '{"state":"UNACK"}',
        "after": '{"state":"ACKED"}', "reason": "đã xem",
    }  # fmt: skip
    return AuditEntry(**{**known, **further})  # type: ignore[arg-type]


def ten_entries(store: DuckStore) -> None:
    """Five by a deed, five beside the desk (logins, refusals)."""
    store.change_alerts(lambda ledger: Outcome(audit=[entry(number) for number in range(5)]))
    for number in range(5, 10):
        store.write_audit([entry(number, result="denied", source_port=None)])


def by_hand(store: DuckStore, deed: Hand) -> DuckStore:
    store.close()
    with duckdb.connect(str(store.path)) as hand:
        deed(hand)
    return DuckStore(store.path)


# The chain --------------------------------------------------------------------------------------------------------


def test_every_entry_carries_the_hash_of_the_one_before(store: DuckStore) -> None:
    assert store.audit_head() == (0, GENESIS)
    assert store.verify_audit() == []
    ten_entries(store)
    log = store.read_audit(LONG_AGO).sort_values("entry")
    assert log["entry"].tolist() == list(range(1, 11))
    assert log["previous_hash"].tolist() == [GENESIS, *log["hash"].tolist()[:-1]]
    assert store.audit_head() == (10, log["hash"].iloc[-1])
    assert store.verify_audit() == store.verify() == []


def test_a_seal_is_the_hash_that_the_page_promises() -> None:
    """Worked by hand from docs/store.md: one entry with a quote, a line break and Vietnamese letters in it."""
    one = entry(account='Lan "trực"', reason="dòng 1\ndòng 2", source_port=None, before="", after="")
    line = (
        '[7,"2026-03-10T03:00:00.000000Z","Lan \\"trực\\"","person","s1","10.0.0.7",null,"acknowledge",'
        '"flood_depth_high/underpass_0","done","","","dòng 1\\ndòng 2","' + GENESIS + '"]'
    )
    assert seal(7, one, GENESIS) == hashlib.sha256(line.encode()).hexdigest()


def test_every_field_of_an_entry_is_sealed() -> None:
    assert set(SEALED) == {one.name for one in fields(AuditEntry)}


def test_the_log_is_read_by_time_newest_first(store: DuckStore) -> None:
    ten_entries(store)
    some = store.read_audit(TEN + 2 * MINUTE, TEN + 5 * MINUTE)
    assert some["entry"].tolist() == [5, 4, 3], "since is inclusive, until exclusive"
    assert store.read_audit(TEN, limit=2)["entry"].tolist() == [10, 9]
    assert len(store.read_audit(TEN, limit=None)) == 10
    assert tuple(some.columns) == AUDIT_COLUMNS
    empty = store.read_audit(TEN + DAY)
    for frame in (some, empty):
        assert str(frame["happened_at"].dtype) == "datetime64[us, UTC]"
        assert str(frame["source_port"].dtype) == "Int64"
    assert store.read_audit(TEN)["source_port"].isna().tolist() == [True] * 5 + [False] * 5


def test_nothing_to_write_is_no_entry(store: DuckStore) -> None:
    store.write_audit([])
    assert store.audit_head() == (0, GENESIS)


def test_a_name_of_100_kilobytes_and_half_a_character_do_not_stop_the_log(store: DuckStore) -> None:
    """A failed login may bring anything as its name; the entry is cut, marked, and can be proved."""
    state = '{"note":"' + "x" * 5000 + '"}'
    store.write_audit([entry(account="A" * 100_000, object="\ud800\0", before=state)])
    (kept,) = store.read_audit(LONG_AGO).to_dict("records")
    assert kept["account"] == "A" * 999 + "…"
    assert kept["object"] == "?\N{REPLACEMENT CHARACTER}"
    assert kept["before"] == state, "JSON is not cut: half of it would be none"
    assert store.verify_audit() == []


def test_1000_characters_are_kept_whole() -> None:
    assert cleaned(entry(account="A" * 1000)).account == "A" * 1000


# Tampering --------------------------------------------------------------------------------------------------------

COLUMNS_BY_HAND = {
    "happened_at": "happened_at + INTERVAL 1 MICROSECOND",
    "source_port": "source_port + 1",
    "entry": "50",
} | {name: f"\"{name}\" || ' '" for name in AUDIT_COLUMNS if name not in ("happened_at", "source_port", "entry")}


@pytest.mark.parametrize("column", AUDIT_COLUMNS)
def test_one_changed_value_in_any_column_is_found(store: DuckStore, column: str) -> None:
    ten_entries(store)
    changed = COLUMNS_BY_HAND[column]
    again = by_hand(store, lambda hand: hand.execute(f'UPDATE audit SET "{column}" = {changed} WHERE entry = 4'))
    findings = again.verify_audit()
    assert findings
    assert any(re.search(r"entr(y|ies) [45]\b", words) for words in findings), findings
    assert findings[0].startswith(f"{again.path}: audit log: ")
    again.close()
    assert main(["verify", "--path", str(store.path)]) == 1


def swap(hand: duckdb.DuckDBPyConnection) -> None:
    hand.execute("UPDATE audit SET entry = CASE entry WHEN 4 THEN 5 ELSE 4 END WHERE entry IN (4, 5)")


def swap_contents(hand: duckdb.DuckDBPyConnection) -> None:
    """Two deeds change places and keep their numbers and hashes."""
    hand.execute(
        """UPDATE audit SET object = o.object, happened_at = o.happened_at FROM audit o
        WHERE audit.entry IN (4, 5) AND o.entry = 9 - audit.entry"""
    )


def sealed_again(hand: duckdb.DuckDBPyConnection, first: int, doctor_head: bool) -> None:
    """Somebody who knows the code: every seal from `first` on is made anew, and the remembered head as well."""
    names = ", ".join(f'"{name}"' for name in SEALED)
    rows = hand.execute(f"SELECT entry, {names} FROM audit WHERE entry >= {first} ORDER BY entry").fetchall()
    ((last,),) = hand.execute(
        f"SELECT coalesce(max(hash), '{GENESIS}') FROM audit WHERE entry = {first - 1}"
    ).fetchall()
    for number, *content in rows:
        known = dict(zip(SEALED, content, strict=True))
        known["happened_at"] = known["happened_at"].replace(tzinfo=UTC)
        digest = seal(number, AuditEntry(**known), last)
        hand.execute("UPDATE audit SET previous_hash = ?, hash = ? WHERE entry = ?", [last, digest, number])
        last = digest
    if doctor_head:
        hand.execute("UPDATE settings SET value = ? WHERE name = 'audit_head'", [f"{rows[-1][0]}:{last}"])


def blame_somebody_else(hand: duckdb.DuckDBPyConnection) -> None:
    hand.execute("UPDATE audit SET account = 'minh' WHERE entry = 4")
    sealed_again(hand, 4, doctor_head=False)


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        (lambda hand: hand.execute("DELETE FROM audit WHERE entry = 4"), "entry 4 is missing"),
        (lambda hand: hand.execute("DELETE FROM audit WHERE entry IN (4, 5)"), "entries 4 to 5 are missing"),
        (lambda hand: hand.execute("DELETE FROM audit WHERE entry = 1"), "entry 1 is missing"),
        (lambda hand: hand.execute("DELETE FROM audit WHERE entry = 10"), "entry 10 is missing at the end"),
        (lambda hand: hand.execute("DELETE FROM audit WHERE entry > 6"), "entries 7 to 10 are missing at the end"),
        (lambda hand: hand.execute("DELETE FROM audit"), "entries 1 to 10 are missing at the end"),
        (swap, "entry 4 does not follow from the entry before it"),
        (swap_contents, "entry 4 was changed"),
        (
            lambda hand: hand.execute("INSERT INTO audit SELECT * FROM audit WHERE entry = 4"),
            "entry 4 stands there twice",
        ),
        (
            lambda hand: hand.execute("INSERT INTO audit SELECT * REPLACE (11 AS entry) FROM audit WHERE entry = 10"),
            "entry 11 does not follow",
        ),
        (blame_somebody_else, "entry 10 at the end is not the head that was remembered (entry 10)"),
        (
            lambda hand: hand.execute("UPDATE settings SET value = '12:x' WHERE name = 'audit_head'"),
            "the remembered head or anchor was changed",
        ),
        (
            lambda hand: hand.execute("DELETE FROM settings WHERE name = 'audit_head'"),
            "entry 10 at the end is not the head that was remembered (entry 0)",
        ),
    ],
)
def test_every_kind_of_tampering_is_found(store: DuckStore, deed: Hand, words: str) -> None:
    ten_entries(store)
    again = by_hand(store, deed)
    assert words in " / ".join(again.verify_audit())
    again.close()


def test_a_cut_end_stays_visible_after_the_next_entries(store: DuckStore) -> None:
    ten_entries(store)
    again = by_hand(store, lambda hand: hand.execute("DELETE FROM audit WHERE entry > 8"))
    again.write_audit([entry(11)])
    assert again.audit_head()[0] == 11
    assert "entries 9 to 10 are missing" in " / ".join(again.verify_audit())
    again.close()


def cut_with_the_head(hand: duckdb.DuckDBPyConnection) -> None:
    hand.execute("DELETE FROM audit WHERE entry > 6")
    hand.execute(
        "UPDATE settings SET value = (SELECT '6:' || hash FROM audit WHERE entry = 6) WHERE name = 'audit_head'"
    )


def written_anew(hand: duckdb.DuckDBPyConnection) -> None:
    hand.execute("UPDATE audit SET account = 'minh' WHERE entry = 4")
    sealed_again(hand, 4, doctor_head=True)


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        (cut_with_the_head, "entry 10 was noted outside but is not in the log: the end was cut off"),
        (written_anew, "entry 10 is not the one that was noted outside: the log was written anew"),
    ],
)
def test_even_a_doctored_head_is_found_by_one_that_was_noted_outside(
    store: DuckStore, deed: Hand, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ten_entries(store)
    noted = "{}:{}".format(*store.audit_head())
    assert store.verify(parsed_head(noted)) == []
    again = by_hand(store, deed)
    assert again.verify() == [], "somebody who may write to the file can make it look whole"
    again.close()
    assert main(["verify", "--path", str(store.path)]) == 0
    assert main(["verify", "--audit-head", noted, "--path", str(store.path)]) == 1
    assert words in capsys.readouterr().out


def test_a_head_of_last_week_still_proves_the_log_of_today(store: DuckStore) -> None:
    ten_entries(store)
    noted = Head(*store.audit_head())
    store.write_audit([entry(20)])
    assert store.verify_audit(noted) == []
    assert store.verify_audit(Head(10, "f" * 64)) != []


def test_many_findings_are_counted_not_poured_out(store: DuckStore) -> None:
    store.write_audit([entry(number) for number in range(60)])
    again = by_hand(store, lambda hand: hand.execute("UPDATE audit SET account = 'x'"))
    findings = again.verify_audit()
    assert len(findings) == 21
    assert findings[-1].endswith("and 40 more findings")
    again.close()


@settings(max_examples=15, deadline=None, database=None)
@given(st.lists(st.tuples(st.text(max_size=20), st.sampled_from([None, 0, 65535])), min_size=1, max_size=4))
def test_whatever_the_text_the_chain_can_be_proved(given_: list[tuple[str, int | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = DuckStore(Path(folder) / "city.duckdb")
        store.write_audit([entry(object=text, reason=text, source_port=port) for text, port in given_])
        assert store.verify_audit() == []
        proved = read_back(audit_csv(store.read_audit(LONG_AGO)), Path(folder))
        assert proved == f"newest hash: {store.audit_head()[1]}\n"
        assert audit_cef(store.read_audit(LONG_AGO)).count("\n") == len(given_)
        store.close()


# Keeping and forgetting -------------------------------------------------------------------------------------------

NEXT_YEAR = TEN + timedelta(days=400)


def test_what_is_younger_than_twelve_months_is_not_forgotten(store: DuckStore) -> None:
    ten_entries(store)
    with pytest.raises(InputError, match="younger than 365 days must be kept; 2026-03-11 is later than 2026-03-10"):
        store.prune_audit(TEN + DAY, now=TEN + timedelta(days=365))
    assert store.prune_audit(TEN, now=TEN + timedelta(days=365)) == 0
    assert store.prune_audit(TEN + 5 * MINUTE, timedelta(days=30), now=TEN + timedelta(days=31)) == 5


def test_what_is_left_after_pruning_can_still_be_proved(store: DuckStore, capsys: pytest.CaptureFixture[str]) -> None:
    ten_entries(store)
    old = Head(*store.audit_head())
    assert store.prune_audit(TEN + 4 * MINUTE, now=NEXT_YEAR) == 4
    log = store.read_audit(LONG_AGO)
    assert log["entry"].tolist() == [11, 10, 9, 8, 7, 6, 5]
    witness = log.iloc[0]
    assert (witness["account"], witness["action"], witness["object"]) == ("store", "prune_audit", "entries 1 to 4")
    assert witness["happened_at"] == pd.Timestamp(NEXT_YEAR)
    assert store.verify_audit() == store.verify_audit(old) == []
    assert "has been pruned since" in store.verify_audit(Head(3, "0" * 64))[0]
    assert store.verify_audit(Head(4, json.loads(witness["after"])["hash"])) == []
    assert store.prune_audit(TEN + 4 * MINUTE, now=NEXT_YEAR) == 0, "nothing more to forget, and no second witness"
    assert store.audit_head()[0] == 11
    assert store.prune_audit(TEN + 6 * MINUTE, now=NEXT_YEAR + MINUTE) == 2
    assert store.read_audit(LONG_AGO)["object"].tolist()[:2] == ["entries 5 to 6", "entries 1 to 4"]
    assert store.verify_audit() == []
    assert store.prune_audit(NEXT_YEAR + DAY, now=NEXT_YEAR + timedelta(days=400)) == 6, "the old witnesses as well"
    assert store.verify_audit() == []
    assert len(store.read_audit(LONG_AGO)) == 1


def test_forgetting_observations_does_not_touch_the_log(store: DuckStore) -> None:
    ten_entries(store)
    store.prune(NEXT_YEAR)
    assert len(store.read_audit(LONG_AGO)) == 10
    assert store.verify() == []


def test_a_clock_that_stepped_back_tears_no_hole(store: DuckStore) -> None:
    """Entry 3 is dated before entry 2: forgetting ends before the first entry that must stay."""
    store.write_audit([entry(0), entry(60), entry(1), entry(61)])
    assert store.prune_audit(TEN + 30 * MINUTE, now=NEXT_YEAR) == 1
    assert store.read_audit(LONG_AGO)["entry"].tolist() == [5, 4, 3, 2]
    assert store.verify_audit() == []


def test_evidence_is_not_thrown_away(store: DuckStore) -> None:
    ten_entries(store)
    again = by_hand(store, lambda hand: hand.execute("UPDATE audit SET account = 'minh' WHERE entry = 2"))
    with pytest.raises(InputError, match=r"entry 2 was changed.*nothing was forgotten"):
        again.prune_audit(TEN + 4 * MINUTE, now=NEXT_YEAR)
    assert len(again.read_audit(LONG_AGO)) == 10
    again.close()


@pytest.mark.parametrize("moved", [True, False])
def test_old_entries_cannot_be_removed_with_a_forged_anchor(store: DuckStore, moved: bool) -> None:
    """Somebody deletes the first three entries and moves the anchor; no entry of the log bears witness to that."""
    ten_entries(store)
    if moved:
        store.prune_audit(TEN + MINUTE, now=NEXT_YEAR)

    def forge(hand: duckdb.DuckDBPyConnection) -> None:
        ((digest,),) = hand.execute("SELECT hash FROM audit WHERE entry = 3").fetchall()
        hand.execute("DELETE FROM audit WHERE entry <= 3")
        hand.execute("DELETE FROM settings WHERE name = 'audit_anchor'")
        hand.execute("INSERT INTO settings VALUES ('audit_anchor', ?)", [f"3:{digest}"])

    again = by_hand(store, forge)
    assert "what is missing up to entry 3 does not agree with the newest entry «prune_audit»" in again.verify_audit()[0]
    again.close()


# Export -----------------------------------------------------------------------------------------------------------


def read_back(text: str, folder: Path) -> str:
    """The programme of docs/store.md, run on an export by a bare Python: what it prints, or the error it ends with."""
    (programme,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/store.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(programme.strip().splitlines()) <= 20, "short enough to be read by an auditor"
    (folder / "audit.csv").write_bytes(text.encode())
    done = subprocess.run([sys.executable, "-I", "-c", programme], cwd=folder, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


HOSTILE = [
    '=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "'quoted", 'a,b"c', "x\r\ny",
    "<script>", "＝1",
]  # fmt: skip


def test_an_export_as_csv_is_harmless_in_a_spreadsheet_and_loses_nothing(store: DuckStore) -> None:
    store.write_audit([entry(number, account=text, reason=text) for number, text in enumerate(HOSTILE)])
    text = audit_csv(store.read_audit(LONG_AGO))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert tuple(rows[0]) == AUDIT_COLUMNS
    for row, original in zip(rows, HOSTILE, strict=True):
        risky = original not in ('a,b"c', "x\r\ny", "<script>")
        assert row["account"] == row["reason"] == (f"'{original}" if risky else original)
    assert rows[0]["happened_at"] == "2026-03-10T03:00:00.000000Z"
    assert rows[0]["source_port"] == "50123"
    assert text.count("\r\n") == 1 + len(HOSTILE) + 2, "one line each, and the two within quotes"


def test_a_stranger_proves_an_export_with_the_page_alone(store: DuckStore, tmp_path: Path) -> None:
    store.write_audit([entry(number, account=text, reason=text) for number, text in enumerate(HOSTILE)])
    store.write_audit([entry(source_port=None, source_address="", before="", after="")])
    text = audit_csv(store.read_audit(LONG_AGO))
    assert read_back(text, tmp_path) == f"newest hash: {store.audit_head()[1]}\n"
    assert read_back(text.replace("<script>", "<Script>", 1), tmp_path) == "AssertionError: entry 11 was changed"
    lines = text.splitlines(keepends=True)
    cut = "".join(lines[:2] + lines[3:])
    assert read_back(cut, tmp_path) == "AssertionError: entry 3 does not follow"


def test_an_export_without_a_port_leaves_the_cell_empty(store: DuckStore) -> None:
    store.write_audit([entry(source_port=None)])
    (row,) = csv.DictReader(io.StringIO(audit_csv(store.read_audit(LONG_AGO)), newline=""))
    assert row["source_port"] == ""


def test_an_export_for_a_siem_is_one_syslog_line_per_entry(store: DuckStore) -> None:
    store.write_audit([entry(reason="", session="", before="", after="")])
    ((kept),) = store.read_audit(LONG_AGO).to_dict("records")
    assert audit_cef(store.read_audit(LONG_AGO)) == (
        "<110>1 2026-03-10T03:00:00.000000Z - city-operations-centre - audit - "
        "CEF:0|City operations centre|Dashboard|1|acknowledge|acknowledge|3|"
        "externalId=1 rt=1773111600000 suser=lan src=10.0.0.7 spt=50123 act=acknowledge outcome=done "
        "cs1Label=account_type cs1=person cs3Label=object cs3=flood_depth_high/underpass_0 "
        f"cs6Label=hash cs6={kept['hash']} flexString1Label=previous_hash flexString1={GENESIS}\n"
    )


@pytest.mark.parametrize(
    ("further", "part"),
    [
        ({"result": "refused"}, "<109>1 "),
        ({"result": "refused"}, "|acknowledge|5|"),
        ({"result": "denied"}, "<108>1 "),
        ({"result": "denied"}, "|acknowledge|7|"),
        ({"action": "a|b\\c\nd=e"}, "|a\\|b\\\\c d=e|a\\|b\\\\c d=e|3|"),
        ({"action": "a|b\\c\nd=e"}, " act=a|b\\\\c\\nd\\=e "),
        ({"object": "a\r\nb\u2028c\u202ed\x07"}, " cs3=a\\r\\nb\\nc d  "),
        ({"account": "x outcome=done\nCEF:0|evil"}, " suser=x outcome\\=done\\nCEF:0|evil "),
        ({"source_address": "2001:db8::1"}, " c6a2=2001:db8::1 "),
        ({"source_address": "2001:db8::1"}, " c6a2Label=source_address "),
        ({"source_address": "proxy.local"}, " shost=proxy.local "),
        ({"session": "s9"}, " cs2Label=session cs2=s9 "),
        ({"reason": "quên"}, " reason=quên "),
        ({"before": '{"a":1}'}, ' cs4Label=before cs4={"a":1} '),
        ({"after": '{"a":2}'}, ' cs5Label=after cs5={"a":2} '),
    ],
)
def test_text_from_outside_stays_in_its_field(store: DuckStore, further: dict[str, object], part: str) -> None:
    store.write_audit([entry(**further)])
    text = audit_cef(store.read_audit(LONG_AGO))
    assert part in text
    assert len(text.splitlines()) == 1


def test_exports_go_from_the_oldest_to_the_newest(store: DuckStore) -> None:
    ten_entries(store)
    newest_first = store.read_audit(LONG_AGO)
    assert re.findall(r"externalId=(\d+)", audit_cef(newest_first)) == [str(number) for number in range(1, 11)]
    assert [row["entry"] for row in csv.DictReader(io.StringIO(audit_csv(newest_first)))] == [
        str(number) for number in range(1, 11)
    ]


def test_an_empty_log_is_a_header_and_nothing(store: DuckStore) -> None:
    assert audit_csv(store.read_audit(LONG_AGO)) == ",".join(AUDIT_COLUMNS) + "\r\n"
    assert audit_cef(store.read_audit(LONG_AGO)) == ""


# Command line -----------------------------------------------------------------------------------------------------


def test_the_command_line_exports_and_prints_the_head(store: DuckStore, capsys: pytest.CaptureFixture[str]) -> None:
    ten_entries(store)
    head = "{}:{}".format(*store.audit_head())
    store.close()
    place = ["--path", str(store.path)]
    assert main(["audit", "--head", *place]) == 0
    assert capsys.readouterr().out == f"{head}\n"
    assert main(["audit", "--format", "csv", *place]) == 0
    spoken = capsys.readouterr()
    assert read_back(spoken.out, store.path.parent) == f"newest hash: {head.partition(':')[2]}\n"
    assert spoken.err == f"10 of 10 entries; the newest is {head}\n"
    times = ["--since", "2026-03-10T10:02", "--until", "2026-03-10T03:04+00:00"]  # time of the city where none is said
    assert main(["audit", "--format", "cef", *times, *place]) == 0
    assert re.findall(r"externalId=(\d+)", capsys.readouterr().out) == ["3", "4"]
    assert main(["verify", "--audit-head", head, *place]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["verify", "--audit-head", "ten"], "give ENTRY:HASH"),
        (["verify", "--audit-head", "10:abc"], "give ENTRY:HASH"),
        (["verify", "--audit-head", "١٠:" + "a" * 64], "give ENTRY:HASH"),
        (["audit", "--format", "csv", "--since", "yesterday"], "time 'yesterday': give 2026-11-21"),
        (["prune"], "say what to forget"),
        (["prune", "--audit-months", "11"], "younger than 365 days must be kept"),
        (["prune", "--audit-months", "11", "--keep-days", "1"], "younger than 365 days must be kept"),
        (["prune", "--audit-months", "-1"], "--audit-months -1"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(
    store: DuckStore, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ten_entries(store)
    store.close()
    assert main([*arguments, "--path", str(store.path)]) == 2
    spoken = capsys.readouterr()
    assert spoken.out == ""
    (line,) = spoken.err.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_the_command_line_forgets_after_twelve_months(store: DuckStore, capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC)
    store.write_audit([entry(happened_at=now - timedelta(days=500)), entry(happened_at=now - timedelta(days=20))])
    store.close()
    place = ["--path", str(store.path)]
    assert main(["prune", "--audit-months", "12", "--keep-days", "30", *place]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["audit_removed"], said["removed"]) == (1, 0)
    assert main(["verify", *place]) == 0


def test_twelve_months_before_a_leap_day_is_the_last_of_february() -> None:
    assert _months_ago(datetime(2028, 2, 29, 5, tzinfo=UTC), 12) == datetime(2027, 2, 28, 5, tzinfo=UTC)
    assert _months_ago(datetime(2026, 11, 21, tzinfo=UTC), 12) == datetime(2025, 11, 21, tzinfo=UTC)
    assert _months_ago(datetime(2026, 12, 31, tzinfo=UTC), 13) == datetime(2025, 11, 30, tzinfo=UTC)


def test_a_backup_with_a_broken_log_is_restored_and_told(
    store: DuckStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A city must not stay without its data because somebody touched the log; but it must not be silent either."""
    ten_entries(store)
    by_hand(store, lambda hand: hand.execute("DELETE FROM audit WHERE entry = 4")).close()
    target = tmp_path / "new.duckdb"
    assert main(["restore", str(store.path), "--path", str(target)]) == 0
    spoken = capsys.readouterr()
    assert "entry 4 is missing" in spoken.err
    assert json.loads(spoken.out)["restored"] == str(target)
