"""The quality scale of connectors, bronze to platinum: one table of rules, and the grade that follows from those kept.

After the integration quality scale of Home Assistant: a connector stands on the highest step of which it keeps every
rule, and every rule of the steps below. Nobody writes a grade: `python -m tests.connectors.scale` looks at code,
recordings, documents and tests, and writes data/connector_scale.json, from which grades are computed; a test does the
same and compares. A rule that cannot apply is exempt, and the reason stands here.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import ConfigError

LEVELS = ("bronze", "silver", "gold", "platinum")
KEPT = Path(__file__).resolve().parent.parent / "data" / "connector_scale.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: `key` is its name in code and in the file of kept rules."""

    key: str
    level: str
    vi: str
    en: str


def _rule(level: str, key: str, vi: str, en: str) -> Rule:
    return Rule(key=key, level=level, vi=vi, en=en)


RULES = (
    _rule(
        "bronze",
        "docstring",
        "Đầu tệp nói rõ liên kết, giấy phép, khóa, chu kỳ, bẫy",
        "Head tells link, licence, key, refresh, traps",
    ),
    _rule(
        "bronze", "bare_file", "Đọc được một tệp trần, không cần cấu hình", "Reads a bare file without configuration"
    ),
    _rule("bronze", "recording", "Có mẫu trả lời tốt và mẫu lỗi", "Has a good and an error recording"),
    _rule("bronze", "chapter", "Có chương hướng dẫn với ví dụ", "Has a chapter with an example"),
    _rule("silver", "faults", "Mọi kiểu hỏng của máy chủ đều có tên", "Every fault of a server has its name"),
    _rule("silver", "junk", "Rác không làm sập", "Junk never crashes it"),
    _rule(
        "silver",
        "polite",
        "Chỉ hỏi qua lối ra chung, có giới hạn",
        "Asks only through the guarded way out, with limits",
    ),
    _rule("silver", "secret_hidden", "Khóa không lộ trong lời báo", "The secret is in no message"),
    _rule("gold", "real_replies", "Đọc được trả lời thật", "Real replies are read"),
    _rule("gold", "paging", "Đọc hết các trang", "Reads all pages"),
    _rule("gold", "units", "Đơn vị theo tên, không đoán", "Units by name, never guessed"),
    _rule("gold", "personal_data", "Dữ liệu cá nhân bị bỏ ngay khi đọc", "Personal data are dropped at once"),
    _rule("platinum", "real_server", "Đã thử với máy chủ thật", "Tried with a real server"),
    _rule(
        "platinum",
        "fuzzed",
        "60 giây dữ liệu hỏng không gây lỗi lạ",
        "60 s of damaged replies without a stray exception",
    ),
    _rule("platinum", "incremental", "Chỉ hỏi khoảng còn thiếu", "Asks only for the missing period"),
    _rule("platinum", "ten_thousand", "10.000 điểm đo trong hạn mức", "10,000 sites within the budget"),
)
ASKS_NOBODY = "asks no server"
NO_PERSONS = "the interface holds nothing about persons"
WHOLE_STATE = "each reply is the whole present state"
ONE_REPLY = "one reply holds everything"
FIXED = "the standard fixes the unit of every element"
EXEMPT: dict[tuple[str, str], str] = {
    ("demo", "faults"): ASKS_NOBODY,
    ("demo", "polite"): ASKS_NOBODY,
    ("demo", "real_replies"): "there is no service behind it",
    ("demo", "real_server"): "there is no service behind it",
    ("demo", "paging"): ONE_REPLY,
    ("demo", "units"): "made in the units of the catalogue",
    ("spreadsheet", "faults"): ASKS_NOBODY,
    ("spreadsheet", "polite"): ASKS_NOBODY,
    ("spreadsheet", "paging"): ONE_REPLY,
    ("spreadsheet", "real_server"): ASKS_NOBODY,
    ("spreadsheet", "incremental"): "a file is read when it is new or changed",
    ("webhook", "faults"): ASKS_NOBODY,
    ("webhook", "polite"): ASKS_NOBODY,
    ("webhook", "paging"): ONE_REPLY,
    ("webhook", "real_replies"): "the body is this house's own format",
    ("webhook", "real_server"): ASKS_NOBODY,
    ("webhook", "incremental"): "the sender pushes what is new",
    ("mqtt", "paging"): "messages come one by one",
    ("mqtt", "incremental"): "the broker sends what is new",
    ("sql", "paging"): "a cursor reads to the end",
    ("prometheus", "paging"): ONE_REPLY,
    ("generic_json", "real_replies"): "it is no API of its own",
    ("generic_json", "real_server"): "it is no API of its own",
    ("datex2", "units"): FIXED,
    ("gtfs_realtime", "units"): FIXED,
    ("open311", "units"): "counts and hours have no unit of the source",
    ("open_meteo", "paging"): ONE_REPLY,
    ("waqi", "paging"): ONE_REPLY,
    ("waqi", "units"): "index numbers have no unit",
    ("waqi", "incremental"): WHOLE_STATE,
    ("tomtom", "paging"): ONE_REPLY,
    ("tomtom", "incremental"): WHOLE_STATE,
    ("here", "paging"): ONE_REPLY,
    ("here", "incremental"): WHOLE_STATE,
    ("waze", "paging"): ONE_REPLY,
    ("waze", "incremental"): WHOLE_STATE,
    ("datex2", "paging"): ONE_REPLY,
    ("datex2", "incremental"): WHOLE_STATE,
    ("gtfs_realtime", "paging"): ONE_REPLY,
    ("gtfs_realtime", "incremental"): WHOLE_STATE,
    ("dvc_766", "paging"): ONE_REPLY,
    ("dvc_766", "incremental"): WHOLE_STATE,
    **{
        (key, "personal_data"): NO_PERSONS
        for key in (
            "ckan", "datex2", "demo", "dvc_766", "generic_json", "gtfs_realtime", "here", "mqtt", "ngsi",
            "ogc_features", "open_meteo", "openaq", "prometheus", "sensorthings", "spreadsheet", "tomtom", "waqi",
            "webhook",
        )
    },
}  # fmt: skip


def grade(key: str, kept: Collection[str] | None = None) -> str:
    """The step on which a connector stands: one of LEVELS, or «» below bronze. `kept`: else those of the file."""
    found = kept_rules().get(key, frozenset()) if kept is None else frozenset(kept)
    reached = ""
    for level in LEVELS:
        if any(rule.key not in found and (key, rule.key) not in EXEMPT for rule in RULES if rule.level == level):
            break
        reached = level
    return reached


def lacking(key: str, kept: Collection[str] | None = None) -> list[Rule]:
    """The rules that keep a connector from the top, lowest step first."""
    found = kept_rules().get(key, frozenset()) if kept is None else frozenset(kept)
    return [rule for rule in RULES if rule.key not in found and (key, rule.key) not in EXEMPT]


def standing(key: str) -> tuple[tuple[str, str, str, str], ...]:
    """Every rule of the scale in its order as (step, vi, en, kept | lacking | exempt)."""
    absent = {rule.key for rule in lacking(key)}

    def state(rule: Rule) -> str:
        return "lacking" if rule.key in absent else "exempt" if (key, rule.key) in EXEMPT else "kept"

    return tuple((rule.level, rule.vi, rule.en, state(rule)) for rule in RULES)


@cache
def kept_rules() -> dict[str, frozenset[str]]:
    """connector -> the rules that it keeps, as they were last looked at. Raises ConfigError for a broken file."""
    try:
        told = json.loads(KEPT.read_text(encoding="utf-8"))
        return {str(key): frozenset(map(str, rules)) for key, rules in told.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ConfigError(f"{KEPT.name}: cannot be read: python -m tests.connectors.scale makes it anew") from error
