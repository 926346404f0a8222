"""Both languages say everything that a screen asks for, with the same gaps to fill, and nothing that none asks for."""

from __future__ import annotations

import ast
import re
import string
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from jinja2 import Environment, nodes

import connectors
import indicators
from alerts.deeds import ACTIONS
from core import i18n, observations
from core.alert import COVERS, DEEDS, PRIORITIES, STATES, STATUSES
from core.catalogue import DOMAINS, LEVELS
from core.config import OVERVIEW_GROUPS, ROOT
from core.errors import ConfigError, SourceChanged, SourceRefused, SourceUnavailable, StoreError
from cycle.feeds import error_kind
from ui import alert_desk, alert_detail, city_layers, domains, frame

VI, EN = i18n.words("vi"), i18n.words("en")
CODE = [ROOT / "dashboard.py", *sorted((ROOT / "ui").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py"))]
ROOMS = ("api", "reports", "control", "analysis", "alerts", "notices", "core", "cycle")
CODE += [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
TEMPLATES = [path for room in ("ui", "api", "reports") for path in sorted((ROOT / room / "templates").glob("*.html"))]
# Where, a regular expression of the keys, and the values that are given (None: an unpacked mapping).
Asked = tuple[str, str, frozenset[str] | None]


def gaps(text: str) -> set[str]:
    """Names of the placeholders of a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def in_code(path: Path) -> Iterator[Asked]:
    """Calls t(...) and something.t(...) of a Python file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "t":
            unpacked = any(one.arg is None for one in node.keywords)
            given = None if unpacked else frozenset(str(one.arg) for one in node.keywords)
            for pattern in patterns_in_code(node.args[0]):
                yield f"{path.name}:{node.lineno}", pattern, given


def in_full(path: Path) -> set[str]:
    """Keys that stand whole in a Python file: chosen first, asked for later."""
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in tree if isinstance(node, ast.Constant) and isinstance(node.value, str)} & set(VI)


def patterns_in_code(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from patterns_in_code(node.body)
        yield from patterns_in_code(node.orelse)
    elif isinstance(node, ast.Constant):
        yield re.escape(str(node.value))
    elif isinstance(node, ast.JoinedStr):
        yield "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values)


def in_template(path: Path) -> Iterator[Asked]:
    """Calls t(...) of a template."""
    tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
    for node in tree.find_all(nodes.Call):
        if isinstance(node.node, nodes.Name) and node.node.name == "t":
            given = frozenset(one.key for one in node.kwargs)
            yield f"{path.name}:{node.lineno}", pattern_in_template(node.args[0]), given


def pattern_in_template(node: nodes.Expr) -> str:
    if isinstance(node, nodes.Const):
        return re.escape(str(node.value))
    if isinstance(node, nodes.Concat):
        return "".join(re.escape(str(part.value)) if isinstance(part, nodes.Const) else ".+" for part in node.nodes)
    return ".+"


ASKED = [one for path in CODE for one in in_code(path)] + [one for path in TEMPLATES for one in in_template(path)]


def test_the_scan_sees_code_and_templates():
    assert len(CODE) > 10
    assert len(TEMPLATES) > 10
    assert len({pattern for _, pattern, _ in ASKED}) > 100
    assert any(where.startswith("frame.py") and pattern == r"page\..+" for where, pattern, _ in ASKED)
    assert any(where.startswith("banner.html") and pattern == r"priority\..+" for where, pattern, _ in ASKED)


def test_both_languages_hold_the_same_keys():
    assert len(VI) > 150
    assert list(VI) == list(EN)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_texts_are_composed_trimmed_and_there(language):
    for key, text in i18n.words(language).items():
        assert text.strip(), key
        assert text == text.strip(), key
        assert unicodedata.is_normalized("NFC", text), key


def test_both_languages_leave_the_same_gaps():
    assert {key: gaps(text) for key, text in VI.items()} == {key: gaps(text) for key, text in EN.items()}


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked[0]}:{asked[1]}")
def test_what_a_screen_asks_for_is_there_with_its_gaps_filled(asked):
    where, pattern, given = asked
    found = [key for key in VI if re.fullmatch(pattern, key)]
    assert found, f"{where} asks for {pattern}"
    if given is not None and pattern == re.escape(found[0]):
        either = len([other for place, other, _ in ASKED if place == where]) > 1  # one of two, the values of both
        assert gaps(VI[found[0]]) <= given if either else gaps(VI[found[0]]) == given, where


def test_nothing_is_translated_for_nobody():
    asked = {pattern for _, pattern, _ in ASKED} | {r"short\..+"}
    assert not [pattern for pattern in asked if re.fullmatch(pattern, "any.key")], "what asks for all asks for none"
    asked |= {re.escape(key) for path in CODE for key in in_full(path)}
    assert [key for key in VI if not any(re.fullmatch(pattern, key) for pattern in asked)] == []


# -- families whose last word comes from the code --------------------------------------------------------------------


def given_to(call: ast.Call, function: str) -> list[ast.expr]:
    """What a call hands to that function: its own arguments, or those of a button's `on_click`."""
    if function == (call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")):
        return call.args
    named = {one.arg: one.value for one in call.keywords}
    later = named.get("args")
    return later.elts if getattr(named.get("on_click"), "id", "") == function and isinstance(later, ast.Tuple) else []


def spoken(module: ModuleType, function: str, place: int) -> set[str]:
    """The words that a module gives to a function at that place."""
    calls = [
        given_to(node, function)
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    found = {word for given in calls if len(given) > place for word in patterns_in_code(given[place])}
    assert found, f"{module.__name__} does not call {function} with a word"
    return found


def named_beside(module: ModuleType, function: str) -> set[str]:
    """First words of the tuples whose second part calls that function: («air», _by_site(…))."""
    found = {
        str(pair.elts[0].value)
        for pair in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")))
        if isinstance(pair, ast.Tuple) and len(pair.elts) == 2 and isinstance(pair.elts[0], ast.Constant)
        if isinstance(pair.elts[1], ast.Call) and getattr(pair.elts[1].func, "id", "") == function
    }
    assert found, f"{module.__name__} has no pair with {function}"
    return found


ERROR_KINDS = {
    error_kind(error)
    for error in (SourceUnavailable(""), SourceRefused(""), SourceChanged(""), ConfigError(""), StoreError(""), None)
}
FAMILIES = {
    "priority.": set(PRIORITIES),
    "alert_state.": {*STATES, *COVERS},
    "domain.": set(DOMAINS),
    "group.": set(OVERVIEW_GROUPS),
    "page.": set(frame.pages()),
    "deed.": {"engine", *DEEDS},
    "reason.": spoken(observations, "mark", 1),
    "kind.": {"measurement", "model", "report", "simulation"},
    "environment.": named_beside(domains, "_by_site"),
    "map.theme_": set(city_layers.THEMES),
    "map.layer_": set(city_layers.LAYERS),
    "alert.filter_": set(alert_desk.FILTERS),
    "alert.done_": set(ACTIONS) - {"draft_handover", "sign_out", "sign_in"},
    "situation.status_": set(STATUSES),
    "source.error_": ERROR_KINDS,
    "trends.threshold_": set(LEVELS),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_exactly_the_words_that_the_code_knows(family):
    assert {key.removeprefix(family) for key in VI if key.startswith(family)} == FAMILIES[family]


def test_families_that_share_their_table_with_other_words():
    for word in alert_detail.SHELVES:
        assert f"alert.{word}" in VI
    for word in ("up", "unavailable", "refused", "changed", "input", "late", "waiting"):
        assert f"source.{word}" in VI


def test_every_connector_is_of_a_kind_that_has_a_word():
    assert {module.SOURCE.kind for module in connectors.discover().values()} <= FAMILIES["kind."]


def test_short_names_stand_for_properties_of_the_catalogue_and_are_shorter():
    catalogue = indicators.catalogue()
    for language in i18n.LANGUAGES:
        for key, text in i18n.words(language).items():
            if key.startswith("short."):
                assert len(text) <= 24, key
                assert key.removeprefix("short.") in catalogue


# -- the translator -------------------------------------------------------------------------------------------------


def test_the_translator_fills_gaps_and_knows_what_it_has():
    t = i18n.Translator("vi")
    assert t("priority.critical") == "Khẩn cấp"
    assert i18n.Translator("en")("priority.critical") == "Critical"
    assert t("word.left", span="4 phút") == "còn 4 phút"
    assert "priority.critical" in t
    assert "priority.urgent" not in t
    with pytest.raises(KeyError):
        t("priority.urgent")


def test_an_unknown_language_is_read_as_vietnamese_and_has_no_file():
    assert i18n.Translator("fr").language == "vi"
    with pytest.raises(ConfigError, match=r"locales/fr\.toml"):
        i18n.words("fr")
