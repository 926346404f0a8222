"""Which rules of the quality scale a connector keeps: looked up in code, recordings, documents and tests.

    python -m tests.connectors.scale          writes data/connector_scale.json and the table of docs/connectors.md

What only the recordings beside this repository can show stays as it was last seen where they are absent.
"""

from __future__ import annotations

import ast
import json
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from connectors import Payload, _scale, discover, session
from connectors._http import Pace
from core import observations
from core.errors import HouseError, InputError, SourceError, SourceUnavailable
from tests.connectors.asking import HANOI, JUNK, Answers, request_for
from tests.connectors.fuzz import BESIDE, NOTE, recordings
from tests.connectors.test_recordings import ASKED, CITY
from tests.connectors.test_ten_thousand import MADE

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
DOCS = ROOT / "docs" / "connectors.md"
BEGIN, END = "<!-- scale -->", "<!-- end of scale -->"
SECRET = "s3cr3t-Zx9-0123456789-0123456789-abcdef"
OFFICE = BESIDE.parent / "datasets" / "vn" / "office"
NETWORK = {"socket", "urllib3", "http", "httpx", "aiohttp", "urllib.request", "http.client", "ftplib"}
OTHER_ROADS = {"mqtt": "mqtt://reader@127.0.0.1:{port}", "sql": "postgresql://reader@127.0.0.1:{port}/city"}
OTHER_OPTIONS: dict[str, dict[str, Any]] = {
    "mqtt": {"persistent": False},
    "sql": {"query": "select 1", "property": "pm25"},
}
# What a test must prove, and the test that does: it must exist, and the suite must be green.
PROVED: dict[str, dict[str, str]] = {
    "paging": {
        "ckan": "test_a_table_that_cannot_be_sorted_is_read_whole",
        "generic_json": "test_the_period_and_the_pages_of_a_server",
        "ngsi": "test_all_pages_of_a_type_are_asked_for_in_the_normalized_form_and_the_secret_stays_in_a_header",
        "ogc_features": "test_next_links_are_followed_to_the_end",
        "open311": "test_half_a_year_is_asked_in_parts_of_90_days_both_states_and_every_page_and_no_person_comes_along",
        "openaq": "test_a_station_gives_the_hours_of_its_known_sensors_all_pages_and_the_key_stays_in_the_header",
        "sensorthings": "test_fetch_follows_the_pages_to_the_end_sorts_by_result_time_and_counts_repeats_once",
    },
    "personal_data": {
        "open311": "test_half_a_year_is_asked_in_parts_of_90_days_both_states_and_every_page_and_no_person_comes_along",
        "waze": "test_jams_become_our_roads_and_no_word_of_a_driver_leaves_fetch",
        "sql": "test_a_query_of_the_period",
    },
    "real_server": {
        "mqtt": "test_a_real_broker_takes_the_subscription",
        "prometheus": "test_a_real_server_answers_and_refuses",
        "ogc_features": "test_a_real_wfs_is_read_to_the_last_page_and_refuses_in_xml",
        "sensorthings": "test_a_real_server_gives_every_hour_once",
        "sql": "test_a_query_of_the_period",
    },
}  # fmt: skip


def docstring(key: str, module: ModuleType) -> bool:
    text = (module.__doc__ or "").casefold()
    linked = not module.SOURCE.homepage or "https://" in text
    return linked and all(f"{word}:" in text for word in ("licence", "key", "refresh", "traps"))


def bare_file(key: str, module: ModuleType) -> bool:
    good = [path for path in _own(key) if not path.name.startswith("error")]
    frames = [module.parse(Payload(body=path.read_bytes(), name=path.name)) for path in good]
    return bool(frames) and all(list(frame.columns) == list(observations.COLUMNS) for frame in frames)


def recording(key: str, module: ModuleType) -> bool:
    names = [path.name for path in _own(key)]
    return any(name.startswith("error") for name in names) and any(not name.startswith("error") for name in names)


def chapter(key: str, module: ModuleType) -> bool:
    text = DOCS.read_text(encoding="utf-8")
    part = text.partition(f"\n## {key}\n")[2].partition("\n## ")[0]
    return "[[source]]" in part


def faults(key: str, module: ModuleType) -> bool:
    """Each fault of the replay server is told by test_recordings for what stands in ASKED; others meet a dead end."""
    if key not in OTHER_ROADS:
        return key in ASKED
    try:
        _dead_end(key, module)
    except SourceUnavailable as error:
        return len(str(error).splitlines()) == 1
    return False


def junk(key: str, module: ModuleType) -> bool:
    for body in JUNK:
        try:
            if len(module.parse(Payload(body=body, name="junk"))):
                return False
        except (SourceError, InputError) as error:
            if not str(error):
                return False
    return True


def polite(key: str, module: ModuleType) -> bool:
    """Only connectors/_http.get leaves the house; the other two roads pass the same guard."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    calls = {
        f"{node.func.value.id}.{node.func.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }
    if (
        imported & NETWORK
        or {f"{who}.{how}" for who in ("http", "requests") for how in ("get", "post", "request")} & calls
    ):
        return False
    if key in OTHER_ROADS:
        return any(call.startswith("_guard.") for call in calls)
    return "connectors._http" in imported


def secret_hidden(key: str, module: ModuleType) -> bool:
    """A server that echoes everything, and a dead end: no message and no trace holds the secret."""
    if module.SOURCE.secret is None:
        return True
    secret = f"user:{SECRET}" if key == "mqtt" else SECRET
    if key in OTHER_ROADS:
        return SECRET not in _told(lambda: _dead_end(key, module, secret))
    if key not in ASKED:
        return SECRET not in _told(lambda: module.fetch(session(), request_for("x", {}, secret, sites=CITY)))
    echo = Answers(lambda query: (403, json.dumps({"message": f"the key {secret} of {query} is unknown"}).encode(), {}))
    http = session(Pace(sleep=lambda seconds: None))
    http.mount("https://", echo)
    if key == "waze":
        secret = f"https://feed.example.vn/{SECRET}?token={SECRET}"
        return SECRET not in _told(lambda: module.fetch(http, request_for("x", {}, secret, sites=CITY)))
    options = {"base_url": "https://api.example.vn", **ASKED[key][0]}
    told = _told(lambda: module.fetch(http, request_for("x", options, secret, sites=CITY)))
    return bool(told) and SECRET not in told


def real_replies(key: str, module: ModuleType) -> bool | None:
    """A recording of the API gives rows; where a real server stands in the tests, its replies are real ones."""
    if key in PROVED["real_server"]:
        return real_server(key, module)
    if not BESIDE.is_dir():
        return None
    for path in [*recordings(key), *sorted(OFFICE.glob("*"))] if key == "spreadsheet" else recordings(key):
        if not path.is_relative_to(ROOT):
            options = ASKED.get(key, ({},))[0]
            for context in ({}, {"options": options, "zone": HANOI}):
                try:
                    if len(module.parse(Payload(body=path.read_bytes(), name=path.name, context=context))):
                        return True
                except HouseError:
                    continue
    return False


def units(key: str, module: ModuleType) -> bool:
    """Values go through `convert` of the one table of units, in the connector itself or in a module that it uses."""
    seen: set[str] = set()
    waiting = [key]
    while waiting:
        seen.add(name := waiting.pop())
        tree = ast.parse((ROOT / "connectors" / f"{name}.py").read_text(encoding="utf-8"))
        used = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        if any(node.module == "connectors._units" and "convert" in {one.name for one in node.names} for node in used):
            return True
        used_names = {str(node.module).removeprefix("connectors.") for node in used}
        waiting += [name for name in used_names - seen if (ROOT / "connectors" / f"{name}.py").is_file()]
    return False


def fuzzed(key: str, module: ModuleType) -> bool:
    known = json.loads(NOTE.read_text(encoding="utf-8")) if NOTE.is_file() else {}
    return bool(known.get(key, {}).get("seconds", 0.0) >= 60.0)


def incremental(key: str, module: ModuleType) -> bool:
    return "request.since" in Path(str(module.__file__)).read_text(encoding="utf-8")


def ten_thousand(key: str, module: ModuleType) -> bool:
    return key in MADE


def _proved(rule: str) -> Callable[[str, ModuleType], bool]:
    def check(key: str, module: ModuleType) -> bool:
        path = HERE / f"test_{key}.py"
        name = PROVED[rule].get(key, "")
        return bool(name) and path.is_file() and f"def {name}(" in path.read_text(encoding="utf-8")

    return check


real_server = _proved("real_server")
EVIDENCE: dict[str, Callable[[str, ModuleType], bool | None]] = {
    **{one.__name__: one for one in (docstring, bare_file, recording, chapter, faults, junk, polite, secret_hidden)},
    **{one.__name__: one for one in (real_replies, units, fuzzed, incremental, ten_thousand)},
    **{rule: _proved(rule) for rule in PROVED},
}


def kept(key: str) -> list[str]:
    """The rules that a connector keeps, in the order of the table."""
    before = _scale.kept_rules().get(key, frozenset()) if _scale.KEPT.is_file() else frozenset()
    module = discover()[key]
    found = {rule.key: EVIDENCE[rule.key](key, module) for rule in _scale.RULES}  # type: ignore[arg-type]
    return [rule for rule, answer in found.items() if (rule in before if answer is None else answer)]


def table(known: dict[str, list[str]]) -> str:
    """The grades as markdown, with what is lacking for the next step."""
    lines = ["| connector | grade | lacking for more |", "|---|---|---|"]
    for key, rules in known.items():
        missing = ", ".join(rule.en.lower() for rule in _scale.lacking(key, rules)) or "nothing"
        lines.append(f"| `{key}` | {_scale.grade(key, rules) or 'none'} | {missing} |")
    return "\n".join(lines)


def _own(key: str) -> list[Path]:
    folder = ROOT / "tests" / "recordings" / key
    return sorted(path for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))


def _dead_end(key: str, module: ModuleType, secret: str | None = None) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = OTHER_ROADS[key].format(port=free.getsockname()[1])
    if key == "mqtt":
        address = address.replace("reader@", "")
    try:
        module.fetch(session(), request_for(f"scale_{key}", {"base_url": address, **OTHER_OPTIONS[key]}, secret))
    finally:
        if key == "mqtt":
            module.close(f"scale_{key}")


def _told(deed: Callable[[], object]) -> str:
    try:
        deed()
    except HouseError as error:
        return "".join(traceback.format_exception(error))
    return ""


def main() -> int:
    """Look at everything, write both files."""
    known = {key: kept(key) for key in discover()}
    _scale.KEPT.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = DOCS.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    DOCS.write_text(f"{head}{BEGIN}\n{table(known)}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    print(table(known))
    return 0


if __name__ == "__main__":
    sys.exit(main())
