"""Damaged replies against parse of every connector: whatever comes, the answer is rows or an error in words.

    python -m tests.connectors.fuzz                      every connector for 60 seconds, and a note of it in fuzzed.json
    python -m tests.connectors.fuzz ckan here --seconds 5 --seed 7

The recordings of this repository, and those beside it where they are, are damaged as networks, gateways and other
versions of a service damage them: bytes, numbers, nodes of JSON, elements of XML, ends. A finding is any exception that
is no SourceError and no InputError, or a frame that is not the one frame; it is printed with the body that made it, and
the command ends with 1. The same seed gives the same damage.
"""

from __future__ import annotations

import argparse
import base64
import copy
import json
import logging
import random
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from connectors import Payload, discover, load
from core import observations
from core.errors import InputError, SourceError
from tests.connectors.test_recordings import ASKED

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "tests" / "recordings"
BESIDE = (ROOT / ".." / "shared" / "recordings").resolve()
FOLDERS = {"gtfs_realtime": "gtfs-rt"}  # connector -> folder beside, where the names differ by more than a dash
NOTE = Path(__file__).with_name("fuzzed.json")
SECONDS = 60.0
LARGEST = 60_000  # bytes of a recording: large ones are damaged no better, only more slowly
NUMBERS = ["0", "-1", "9999", "1e999", "-1e308", "NaN", "1" * 400, "0.1", "1e-320", "９", "1.234,5", "-0"]
WORDS = [
    "", " ", "\x00", "null", "NaN", "-", "=1+1", "‮", "𝟙", "\ud800", "x" * 5000, "2026-02-30T25:61:00Z", "9999-12-31",
    "0000-00-00", "2026-01-01T00:00:00+99:99", "-999999999", "1e400", "inf", "Thứ hai", "01/13/2026", "🛑", "%s{}[]<>&",
]  # fmt: skip
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    10**400,
    1e308,
    -1e308,
    float("inf"),
    float("nan"),
    [],
    {},
    [[]],
    [{}],
    "",
    *WORDS,
]
SITES = pd.DataFrame(
    [("city", "city", "Thanh Lâm", "", 10.5, 106.5), ("07654", "area", "Phường", "07654", 10.51, 106.5),
     ("road_01", "road_segment", "Hùng Vương", "07654", 10.52, 106.5),
     ("air_01", "air_station", "Trạm Ga", "07654", None, None)],
    columns=["site_id", "kind", "name_vi", "area", "latitude", "longitude"],
).set_index("site_id", drop=False)  # fmt: skip
CONTEXT = {
    "source": "fuzz", "sites": SITES, "city_site": "city", "zone": ZoneInfo("Asia/Ho_Chi_Minh"), "options": {},
    "until": datetime(2026, 6, 1, tzinfo=UTC), "since": datetime(2026, 5, 1, tzinfo=UTC),
}  # fmt: skip


class Finding(AssertionError):
    """A body that parse could not take: the message says which, and how to make it again."""


def recordings(key: str) -> list[Path]:
    """What is damaged: small files of both folders, in a fixed order."""
    folders = [OURS / key, BESIDE / FOLDERS.get(key, key.replace("_", "-"))]
    found = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())]
    return [path for path in found if path.is_file() and path.suffix != ".md" and 0 < path.stat().st_size <= LARGEST]


def damaged(body: bytes, chance: random.Random) -> bytes:
    """The body after one to four kinds of damage."""
    for _ in range(chance.randint(1, 4)):
        how = chance.choice([_bytes, _cut, _twice, _number, _json, _json, _json, _words])
        body = how(body, chance)[: 4 * LARGEST]
    return body


def _bytes(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(min(chance.randint(1, 8), len(changed))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(body: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(body) + 1) for _ in range(2))
    return chance.choice([body[:start], body[:start] + body[end:], body[start:end]])


def _twice(body: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.randrange(len(body) + 1) for _ in range(2))
    return body[:end] + body[start:end] + body[end:]


def _number(body: bytes, chance: random.Random) -> bytes:
    digits = [place for place, byte in enumerate(body) if 48 <= byte <= 57]
    if not digits:
        return body
    start = end = chance.choice(digits)
    while end < len(body) and body[end] in b"0123456789.":
        end += 1
    return body[:start] + chance.choice(NUMBERS).encode() + body[end:]


def _words(body: bytes, chance: random.Random) -> bytes:
    """One token between separators becomes an odd one: cells of CSV, texts and attributes of XML."""
    marks = [place for place, byte in enumerate(body) if byte in b"<>,;\"'\n\t"]
    if len(marks) < 2:
        return body
    number = chance.randrange(len(marks) - 1)
    word = chance.choice(WORDS).encode("utf-8", "surrogatepass")
    return body[: marks[number] + 1] + word + body[marks[number + 1] :]


def _json(body: bytes, chance: random.Random) -> bytes:
    """One node of a JSON text is replaced, removed, doubled, nested or given another's value."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return body
    places = list(_places(document))
    if not places:
        return json.dumps(chance.choice(VALUES)).encode("utf-8", "surrogatepass")
    parent, key = chance.choice(places)
    how = chance.randrange(5)
    if how == 0:
        parent[key] = chance.choice(VALUES)
    elif how == 1:
        del parent[key]
    elif how == 2:
        other, there = chance.choice(places)
        parent[key] = copy.deepcopy(other[there])
    elif how == 3:
        parent[key] = [parent[key]]
    elif isinstance(parent, list):
        parent.insert(key, copy.deepcopy(parent[key]))
    else:
        parent[chance.choice([str(key).upper(), f"{key}2", *WORDS[:6]])] = parent.pop(key)
    return json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    level = [node]
    while level:
        parent = level.pop()
        keys = list(parent) if isinstance(parent, dict) else range(len(parent)) if isinstance(parent, list) else ()
        for key in keys:
            yield parent, key
            level.append(parent[key])


def check(key: str, payload: Payload) -> None:
    """Raises Finding unless parse gives the one frame or an error in words."""
    try:
        frame = load(key).parse(payload)
    except (SourceError, InputError) as error:
        if not str(error).strip():
            raise Finding(f"{key}: an error without a word") from error
        return
    except Exception as error:
        raise Finding(f"{key}: {type(error).__name__}: {error}") from error
    wanted = observations.empty()
    if not isinstance(frame, pd.DataFrame):
        raise Finding(f"{key}: no frame but {type(frame).__name__}")
    if list(frame.columns) != list(observations.COLUMNS) or frame.dtypes.to_dict() != wanted.dtypes.to_dict():
        raise Finding(f"{key}: not the one frame: {frame.dtypes.to_dict()}")
    if (
        not frame["quality"].isin(observations.QUALITY).all()
        or frame["value"].isin([float("inf"), -float("inf")]).any()
    ):
        raise Finding(f"{key}: a quality that is none, or an infinite value")


def cases(key: str, seed: int) -> Iterator[Payload]:
    """Damaged recordings for ever; every second one as the line hands it over, the others as bare files."""
    files = [(path.name, path.read_bytes()) for path in recordings(key)]
    chance = random.Random(f"{key} {seed}")
    while True:
        name, body = chance.choice(files)
        context = dict(CONTEXT) if chance.random() < 0.5 else {}
        if context and key in ASKED:
            context["options"] = ASKED[key][0]
        yield Payload(body=damaged(body, chance), name=name, context=context)


def fuzz(key: str, seconds: float, seed: int) -> tuple[int, list[str]]:
    """How many bodies were tried, and what was found (each kind of exception once)."""
    ends_at, tried, found = time.monotonic() + seconds, 0, {}
    for payload in cases(key, seed):
        if time.monotonic() > ends_at:
            break
        tried += 1
        try:
            check(key, payload)
        except Finding as finding:
            last = traceback.extract_tb(finding.__cause__.__traceback__)[-1] if finding.__cause__ else None
            place = f"{Path(last.filename).name}:{last.lineno}" if last else ""
            body = base64.b64encode(payload.body[:400]).decode()
            found.setdefault(
                (str(finding)[:60], place),
                f"{finding} at {place}; {payload.name}; context {bool(payload.context)}; {body}",
            )
    return tried, list(found.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 1 after a finding."""
    parser = argparse.ArgumentParser(prog="python -m tests.connectors.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("keys", nargs="*", help="connectors; without it all")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    failed = False
    for key in given.keys or list(discover()):
        tried, found = fuzz(key, given.seconds, given.seed)
        print(f"{key:15s} {tried:8d} bodies, {len(found)} findings", flush=True)
        for words in found:
            print(f"    {words}", flush=True)
        failed |= bool(found)
        note(key, given.seconds if not found else 0.0, tried)
    return int(failed)


def note(key: str, seconds: float, tried: int) -> None:
    """Remember the longest run without a finding; a finding forgets it."""
    known = json.loads(NOTE.read_text(encoding="utf-8")) if NOTE.is_file() else {}
    if seconds == 0.0 or seconds >= known.get(key, {}).get("seconds", 0.0):
        known[key] = {"seconds": seconds, "bodies": tried}
    NOTE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
