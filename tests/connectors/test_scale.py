"""The quality scale: grades follow from what code, recordings, documents and tests show, and from nothing else."""

from __future__ import annotations

import pytest

from connectors import _scale, discover
from core.errors import ConfigError
from tests.connectors import fuzz, scale
from tests.connectors.test_recordings import ASKED

EVERY = [rule.key for rule in _scale.RULES]


def up_to(level: str) -> list[str]:
    return [rule.key for rule in _scale.RULES if _scale.LEVELS.index(rule.level) <= _scale.LEVELS.index(level)]


@pytest.mark.parametrize("key", discover())
def test_the_file_of_kept_rules_says_what_can_be_seen_today(key: str) -> None:
    assert list(scale.kept(key)) == [rule for rule in EVERY if rule in _scale.kept_rules()[key]], (
        "python -m tests.connectors.scale looks again"
    )


def test_the_handbook_shows_the_grades_that_follow() -> None:
    known = {key: [rule for rule in EVERY if rule in _scale.kept_rules()[key]] for key in discover()}
    text = scale.DOCS.read_text(encoding="utf-8")
    assert f"{scale.BEGIN}\n{scale.table(known)}\n{scale.END}" in text


def test_a_step_needs_every_rule_of_it_and_of_those_below() -> None:
    assert _scale.grade("openaq", EVERY) == "platinum"
    for level in _scale.LEVELS:
        assert _scale.grade("openaq", up_to(level)) == level
    assert _scale.grade("openaq", [rule for rule in EVERY if rule != "chapter"]) == ""
    assert _scale.grade("openaq", [rule for rule in EVERY if rule != "junk"]) == "bronze"
    assert [rule.key for rule in _scale.lacking("openaq", [rule for rule in EVERY if rule != "junk"])] == ["junk"]
    assert _scale.grade("nobody", []) == ""


def test_what_cannot_apply_is_exempt_with_a_reason_and_nothing_else_is() -> None:
    known = {(key, rule) for key in discover() for rule in EVERY}
    assert set(_scale.EXEMPT) <= known, "an exemption of a connector or rule that is gone"
    assert all(_scale.EXEMPT.values())
    assert _scale.grade("webhook", [rule for rule in EVERY if rule not in ("faults", "polite", "paging")]) != ""
    kept = {(key, rule) for key in discover() for rule in _scale.kept_rules()[key]}
    proved = {(key, rule) for rule, tests in scale.PROVED.items() for key in tests}
    assert not proved & set(_scale.EXEMPT)
    assert proved <= kept, "a test that should prove a rule is gone"


def test_every_rule_has_one_way_to_be_looked_up() -> None:
    assert set(scale.EVIDENCE) == set(EVERY)
    assert len(set(EVERY)) == len(EVERY)
    assert {rule.level for rule in _scale.RULES} == set(_scale.LEVELS)


def test_a_file_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    broken = tmp_path / "connector_scale.json"
    broken.write_text("[1]", encoding="utf-8")
    monkeypatch.setattr(_scale, "KEPT", broken)
    _scale.kept_rules.cache_clear()
    try:
        with pytest.raises(ConfigError, match=r"connector_scale\.json"):
            _scale.kept_rules()
    finally:
        _scale.kept_rules.cache_clear()


@pytest.mark.parametrize("key", discover())
def test_a_short_form_of_the_fuzzing_finds_nothing(key: str) -> None:
    """The first bodies of the long run, the same every time; the long one is a command."""
    bodies = fuzz.cases(key, seed=1)
    for _ in range(40):
        fuzz.check(key, next(bodies))


def test_the_fuzzing_itself_finds_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser with a common defect is found within a moment: a check that finds nothing may be blind."""

    class Careless:
        @staticmethod
        def parse(payload):
            return payload.body.decode("utf-8")

    monkeypatch.setattr(fuzz, "load", lambda key: Careless)
    tried, found = fuzz.fuzz("openaq", 0.2, seed=3)
    assert tried
    assert found


def test_every_connector_has_bodies_to_be_damaged() -> None:
    for key in discover():
        assert fuzz.recordings(key), key
    assert set(ASKED) <= set(discover())
