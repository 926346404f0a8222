"""The audit log as a chain of hashes: how an entry is sealed, how a chain is proved, and how it leaves the house.

Pure functions. Fields after domain reference 9 (a level-3 system): time, account, type, session, source address and
port, action, object, result, before and after. The format of the seal is written down in docs/store.md, so that
somebody else can check an export without this programme.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, NamedTuple

import pandas as pd

from core.errors import InputError
from core.ledger import AuditEntry
from core.safe_csv import safe_text

GENESIS: Final = "0" * 64  # previous_hash of entry 1
KEEP: Final = timedelta(days=365)
PRUNED: Final = "prune_audit"  # the entry that bears witness to what was forgotten
SEALED: Final = (
    "happened_at", "account", "account_type", "session", "source_address", "source_port", "action", "object",
    "result", "before", "after", "reason",
)  # fmt: skip
AUDIT_COLUMNS: Final = ("entry", *SEALED, "previous_hash", "hash")
WORDS_LIMIT_CHARACTERS: Final = 1000  # a name of 100 kB from outside must not fill the log
MOST_FINDINGS: Final = 20
_CUT: Final = "…"
_VENDOR: Final = "City operations centre|Dashboard|1"
_FACILITY_AUDIT: Final = 13  # RFC 5424: log audit
_SEVERITIES: Final = {"done": (6, 3), "refused": (5, 5), "denied": (4, 7)}  # syslog severity, CEF severity


class Head(NamedTuple):
    """The newest entry of a chain: what an auditor notes outside, as ENTRY:HASH."""

    entry: int
    hash: str

    def __str__(self) -> str:
        return f"{self.entry}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry with its place in the chain."""

    entry: int
    content: AuditEntry
    previous_hash: str
    hash: str


START: Final = Head(0, GENESIS)


def parsed_head(text: str) -> Head:
    """«ENTRY:HASH» as a Head. Raises InputError."""
    entry, _, digest = text.strip().partition(":")
    if not re.fullmatch(r"\d{1,15}", entry, re.ASCII) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise InputError(
            f"audit head {text!r}: give ENTRY:HASH as `python -m store audit --head` prints it, 64 hex digits"
        )
    return Head(int(entry), digest)


def cleaned(entry: AuditEntry) -> AuditEntry:
    """The entry as it can be kept for ever: text that UTF-8 knows, and words of bounded length.

    Raises InputError for a time without a zone.
    """
    texts = [name for name in SEALED if isinstance(getattr(entry, name), str)]
    limits = {name: None if name in ("before", "after") else WORDS_LIMIT_CHARACTERS for name in texts}
    changes: dict[str, Any] = {name: _writable(getattr(entry, name), limit) for name, limit in limits.items()}
    if entry.happened_at.tzinfo is None:
        raise InputError(f"happened_at {entry.happened_at.isoformat()} carries no time zone: give it as aware UTC")
    return replace(entry, happened_at=entry.happened_at.astimezone(UTC), **changes)


def _writable(text: str, limit: int | None) -> str:
    whole = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return whole if limit is None or len(whole) <= limit else whole[: limit - 1] + _CUT


def seal(number: int, entry: AuditEntry, previous_hash: str) -> str:
    """SHA-256 in hex over the canonical JSON of [entry number, the fields in the order of SEALED, previous hash]."""
    content = [_plain(getattr(entry, name)) for name in SEALED]
    line = json.dumps([number, *content, previous_hash], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(line.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    return _stamp(value) if isinstance(value, datetime) else value


def _stamp(moment: datetime) -> str:
    """Always six digits of a second, always Z; the year with four digits on every machine."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def chained(entries: Iterable[AuditEntry], head: Head) -> list[Sealed]:
    """The entries numbered and sealed in their order, after `head`."""
    found = []
    for entry in entries:
        content = cleaned(entry)
        row = Sealed(head.entry + 1, content, head.hash, seal(head.entry + 1, content, head.hash))
        found.append(row)
        head = Head(row.entry, row.hash)
    return found


def walked(rows: Iterable[Sealed], anchor: Head) -> Iterator[tuple[Sealed, list[str]]]:
    """Every entry with what is wrong with it and with the way to it from the entry before; `rows` sorted by number."""
    last = anchor
    for row in rows:
        wrong = []
        if row.entry <= last.entry:
            wrong.append(f"entry {row.entry} stands there twice or was put in")
        elif row.entry > last.entry + 1:
            wrong.append(f"{_span(last.entry + 1, row.entry - 1)} missing")
        elif row.previous_hash != last.hash:
            wrong.append(f"entry {row.entry} does not follow from the entry before it: changed or reordered")
        if seal(row.entry, row.content, row.previous_hash) != row.hash:
            wrong.append(f"entry {row.entry} was changed: its content does not give its hash")
        yield row, wrong
        last = Head(row.entry, row.hash)


def defects(rows: Iterable[Sealed], anchor: Head, head: Head, noted: Head | None = None) -> list[str]:
    """What is wrong with a log, in words; empty when it is whole.

    `rows` come sorted by number; `anchor` is the last entry that was pruned (START: none was), `head` the newest one
    as it was remembered apart from the rows, `noted` one that somebody wrote down outside.
    """
    found: list[str] = []
    last, witness, outside = anchor, START, anchor
    for row, wrong in walked(rows, anchor):
        found += wrong
        last = Head(row.entry, row.hash)
        if row.content.action == PRUNED:
            witness = _witnessed(row.content)
        if noted is not None and row.entry == noted.entry:
            outside = last
    if witness != anchor:
        found.append(f"what is missing up to entry {anchor.entry} does not agree with the newest entry «{PRUNED}»")
    if last.entry < head.entry:
        found.append(f"{_span(last.entry + 1, head.entry)} missing at the end")
    elif last != head:
        found.append(f"entry {last.entry} at the end is not the head that was remembered (entry {head.entry})")
    return found if noted is None else found + _against(noted, outside, anchor)


def pruning(anchor: Head, last: Head, now: datetime) -> AuditEntry:
    """The witness: what was forgotten, and the hash from which the rest can still be proved."""
    return AuditEntry(
        happened_at=now,
        account="store",
        account_type="system",
        session="",
        source_address="",
        source_port=None,
        action=PRUNED,
        object=f"entries {anchor.entry + 1} to {last.entry}",
        result="done",
        before=json.dumps({"entry": anchor.entry, "hash": anchor.hash}),
        after=json.dumps({"entry": last.entry, "hash": last.hash}),
    )


def _span(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"


def _witnessed(content: AuditEntry) -> Head:
    try:
        said = json.loads(content.after)
        return Head(int(said["entry"]), str(said["hash"]))
    except (ValueError, KeyError, TypeError):
        return START


def _against(noted: Head, there: Head, anchor: Head) -> list[str]:
    if noted.entry < anchor.entry:
        return [f"entry {noted.entry} was noted outside but has been pruned since: note a newer head"]
    if there.entry != noted.entry:
        return [f"entry {noted.entry} was noted outside but is not in the log: the end was cut off"]
    if there != noted:
        return [f"entry {noted.entry} is not the one that was noted outside: the log was written anew"]
    return []


def shortened(findings: Sequence[str]) -> list[str]:
    """The first findings, and how many more there are."""
    more = len(findings) - MOST_FINDINGS
    return [*findings[:MOST_FINDINGS], *([f"and {more} more findings"] if more > 0 else [])]


# Export -----------------------------------------------------------------------------------------------------------


def audit_csv(frame: pd.DataFrame) -> str:
    """The log (`Store.read_audit`) as CSV, oldest entry first, lines ended by CRLF (RFC 4180).

    A spreadsheet computes a text that begins with = + - @ or a control character: such a text, and one that begins
    with ' itself, gets one ' in front. Taking that one off gives the text back, so a seal can be checked in the file.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(AUDIT_COLUMNS)
    writer.writerows([_cell(row[name]) for name in AUDIT_COLUMNS] for row in _oldest_first(frame))
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return safe_text(value)
    return "" if value is None else str(_plain(value))


def audit_cef(frame: pd.DataFrame) -> str:
    """The log as syslog lines (RFC 5424, facility 13) that carry CEF:0, oldest entry first, each ended by a newline."""
    return "".join(f"{_syslog(row)}\n" for row in _oldest_first(frame))


def _syslog(row: Mapping[str, Any]) -> str:
    level, severity = _SEVERITIES.get(row["result"], (4, 7))
    action = _header(row["action"])
    extension = " ".join(f"{key}={_extension(str(value))}" for key, value in _cef_fields(row) if value != "")
    return (
        f"<{_FACILITY_AUDIT * 8 + level}>1 {_stamp(row['happened_at'])} - city-operations-centre - audit - "
        f"CEF:0|{_VENDOR}|{action}|{action}|{severity}|{extension}"
    )


def _cef_fields(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "externalId", row["entry"]
    yield "rt", int(row["happened_at"].timestamp() * 1000)
    yield "suser", row["account"]
    yield _address_field(row["source_address"]), row["source_address"]
    yield "spt", "" if row["source_port"] is None else row["source_port"]
    yield "act", row["action"]
    yield "outcome", row["result"]
    yield "reason", row["reason"]
    labels = {1: "account_type", 2: "session", 3: "object", 4: "before", 5: "after", 6: "hash"}
    for number, name in labels.items():
        if row[name] != "":
            yield f"cs{number}Label", name
            yield f"cs{number}", row[name]
    if isinstance(_address(row["source_address"]), IPv6Address):
        yield "c6a2Label", "source_address"
    yield "flexString1Label", "previous_hash"
    yield "flexString1", row["previous_hash"]


@lru_cache(maxsize=1024)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _address_field(text: str) -> str:
    """CEF has one key for each kind of address: src takes IPv4 only."""
    address = _address(text)
    return "shost" if address is None else "src" if isinstance(address, IPv4Address) else "c6a2"


def _header(text: str) -> str:
    return re.sub(r"([\\|])", r"\\\1", _one_line(text, " "))


def _extension(text: str) -> str:
    return _one_line(re.sub(r"([\\=])", r"\\\1", text).replace("\r", r"\r"), r"\n")


def _one_line(text: str, line_end: str) -> str:
    """No line break of any script, control or bidi character gets through: one entry is one line, read as it is."""
    if text.isprintable():
        return text
    broken = re.sub("[\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", lambda _: line_end, text)
    return re.sub("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", " ", broken)


def _oldest_first(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    ordered = frame.sort_values("entry", kind="stable")
    for row in ordered.loc[:, list(AUDIT_COLUMNS)].astype({"source_port": "object"}).to_dict("records"):
        port = row["source_port"]
        yield {
            **{str(name): value for name, value in row.items()},
            "happened_at": row["happened_at"].to_pydatetime(),
            "source_port": None if pd.isna(port) else int(port),
        }
