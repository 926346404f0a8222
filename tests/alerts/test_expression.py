"""The language of expressions: what it lets in, what it refuses in which words, what it says when data are missing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.expression import Member, Span, parse, unknown
from core.errors import ConfigError

NAMES = {"rain_1h", "flood_depth", "speed", "source_up"}


@dataclass
class Place:
    """One site at one time: None is unknown; `others` are the sites of the scope, absent ones not there."""

    values: dict[str, float | None] = field(default_factory=dict)
    others: list[tuple[Place, bool]] = field(default_factory=list)
    named: dict[tuple[str, str], float] = field(default_factory=dict)
    alerts: frozenset[str] = frozenset()
    length: int = 1

    def value(self, observed_property: str) -> Span:
        value = self.values.get(observed_property)
        return unknown(1) if value is None else Span(np.array([value]), np.array([value]))

    def value_at(self, site_id: str, observed_property: str) -> Span:
        return Place({"x": self.named.get((site_id, observed_property))}).value("x")

    def age(self, observed_property: str) -> Span:
        return Place({"x": self.values.get(f"age {observed_property}")}).value("x")

    def stands(self, rule: str) -> Span:
        return Place({"x": float(rule in self.alerts)}).value("x")

    def members(self, properties: Collection[str]) -> list[Member]:
        return [Member(place, np.array([there])) for place, there in self.others if set(properties) & set(place.values)]


def says(text: str, place: Place) -> float | None:
    span = parse(text, "rule.toml").evaluate(place)
    assert span.low[0] <= span.high[0]
    return float(span.low[0]) if span.known[0] else None


@pytest.mark.parametrize(
    ("text", "rain", "flood", "expected"),
    [
        ("rain_1h >= 30", 30.0, None, 1),
        ("rain_1h > 30", 30.0, None, 0),
        ("rain_1h <= 30", 30.0, None, 1),
        ("rain_1h < 30", 30.0, None, 0),
        ("rain_1h == 30", 30.0, None, 1),
        ("rain_1h != 30", 30.0, None, 0),
        ("10 < rain_1h <= 30", 30.0, None, 1),
        ("10 < rain_1h < 30", 30.0, None, 0),
        ("rain_1h + flood_depth * 2 - 1", 30.0, 10.0, 49),
        ("rain_1h / flood_depth", 30.0, 10.0, 3),
        ("rain_1h / flood_depth > 5", 30.0, 0.0, None),  # nobody knows what a division by nothing is
        ("rain_1h / flood_depth > -1", 30.0, None, None),
        ("-rain_1h", 30.0, None, -30),
        ("+rain_1h", 30.0, None, 30),
        ("rain_1h / flood_depth", 30.0, 0.0, None),
        ("not rain_1h > 30", 30.0, None, 1),
        # three values, as in SQL
        ("rain_1h > 40 and flood_depth > 10", 30.0, None, 0),
        ("rain_1h > 20 and flood_depth > 10", 30.0, None, None),
        ("rain_1h > 20 or flood_depth > 10", 30.0, None, 1),
        ("rain_1h > 40 or flood_depth > 10", 30.0, None, None),
        ("not flood_depth > 10", 30.0, None, None),
        ("flood_depth == flood_depth", 30.0, None, None),
        ("flood_depth != 3", 30.0, None, None),
        ("flood_depth * 0 > 1", 30.0, None, None),
        ("flood_depth - rain_1h > 1", 30.0, None, None),
    ],
)
def test_what_it_says(text, rain, flood, expected):
    assert says(text, Place({"rain_1h": rain, "flood_depth": flood})) == expected


WARD = Place(others=[(Place({"rain_1h": 12.0}), True), (Place({"rain_1h": 34.0}), True)])
ONE_DEAD = Place(others=[*WARD.others, (Place({"rain_1h": None}), True)])
ONE_GONE = Place(others=[*WARD.others, (Place({"rain_1h": None}), False)])


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("max(rain_1h)", WARD, 34),
        ("min(rain_1h)", WARD, 12),
        ("mean(rain_1h)", WARD, 23),
        ("sum(rain_1h)", WARD, 46),
        ("count(rain_1h > 10)", WARD, 2),
        ("count(rain_1h > 10 and rain_1h < 20)", WARD, 1),
        ("max(rain_1h * 2) - 8", WARD, 60),
        ("max(rain_1h) >= 30", ONE_DEAD, 1),  # whatever the dead gauge would say
        ("max(rain_1h) >= 40", ONE_DEAD, None),  # it might be pouring there
        ("min(rain_1h) <= 12", ONE_DEAD, 1),
        ("count(rain_1h > 10) >= 2", ONE_DEAD, 1),
        ("count(rain_1h > 10) >= 3", ONE_DEAD, None),
        ("count(rain_1h > 10) >= 4", ONE_DEAD, 0),
        ("mean(rain_1h) > 1", ONE_DEAD, None),
        ("max(rain_1h) >= 40", ONE_GONE, 0),  # silent for days: it no longer belongs to the ward
        ("min(rain_1h)", ONE_GONE, 12),
        ("mean(rain_1h)", ONE_GONE, 23),
        ("sum(rain_1h)", ONE_GONE, 46),
        ("max(speed) > 1", WARD, None),  # nobody measures it
        ("max(rain_1h) > 1", Place(others=[(Place({"rain_1h": 5.0}), False)]), None),
    ],
)
def test_over_the_sites_of_a_ward(text, place, expected):
    assert says(text, place) == expected


def test_named_sites_alerts_and_ages():
    place = Place({"age speed": 20.0}, named={("rain_gauges", "source_up"): 0.0}, alerts=frozenset({"underpass_flood"}))
    assert says('at("rain_gauges", source_up) < 1', place) == 1
    assert says('at("hydrology", source_up) < 1', place) is None
    assert says('alert("underpass_flood")', place) == 1
    assert says('alert("road_flood")', place) == 0
    assert says("age(speed) > 15", place) == 1
    assert says("age(rain_1h) > 15", place) is None


def test_what_an_expression_reads():
    found = parse('max(rain_1h) > 3 and speed < 2 and at("a", source_up) < 1 and alert("r")', "x", NAMES)
    assert found.condition
    assert found.properties == ("rain_1h", "speed", "source_up")
    assert found.own == ("speed",)
    assert found.reported == ("rain_1h", "speed")
    assert found.sites == (("a", "source_up"),)
    assert found.rules == ("r",)
    assert not parse("speed + 1", "x", NAMES).condition


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("rain_1h > > 3", "cannot be read at character"),
        ("rain_1h\x00", "cannot be read"),
        ("(" * 250 + "1", "cannot be read"),
        ("rain_1h > 1 " + "and rain_1h > 1 " * 40, "longer than 500 characters"),
        ("-" * 20 + "rain_1h", "nested more than 12 deep"),
        ("rain_1h > 1e13", "no number up to 1e+12"),
        ("rian_1h > 3", "is not a property of the catalogue (near: rain_1h)"),
        ("xyz > 3", "'xyz' is not a property of the catalogue"),
        (
            "cuont(rain_1h > 3)",
            "calls 'cuont', which is not one of max, min, mean, sum, count, at, alert, age (near: count",
        ),
        ("rain_1h and flood_depth > 3", "'rain_1h' is a number where a condition must stand"),
        ("(rain_1h > 3) + 1", "is a condition where a number must stand"),
        ("(rain_1h > 3) > 1", "is a condition where a number must stand"),
        ("count(rain_1h)", "is a number where a condition must stand"),
        ("max(rain_1h > 3)", "is a condition where a number must stand"),
        ("max(max(rain_1h))", "stands inside another call over sites"),
        ("max(3)", "names no property"),
        ("max(rain_1h, flood_depth)", "must be written max(number)"),
        ("count()", "must be written count(condition)"),
        ("at(rain_01, rain_1h) > 1", 'must be written at("site_id", property)'),
        ("alert(underpass)", 'must be written alert("rule_key")'),
        ("age(3)", "must be written age(property)"),
        ("rain_1h is 3", "is not allowed"),
        ("rain_1h in [3]", "is not allowed"),
        ("rain_1h ** 3", "is not allowed"),
        ("rain_1h.real", "is not allowed"),
        ("rain_1h[0]", "is not allowed"),
        ("True", "is not allowed"),
        ("'text'", "is not allowed"),
        ("3j", "is not allowed"),
        ("[rain_1h for rain_1h in ()]", "is not allowed"),
        ("(lambda: 1)()", "is not allowed"),
        ("1 if rain_1h > 1 else 2", "is not allowed"),
        ("max(rain_1h, key=1)", "is not allowed"),
        ("max(*rain_1h)", "is not allowed"),
        ("__import__('os')", "calls '__import__'"),
        ("().__class__", "is not allowed"),
    ],
)
def test_refused(text, words):
    with pytest.raises(ConfigError) as refusal:
        parse(text, "config/demo/alerts/x.toml: expression", NAMES)
    assert words in str(refusal.value)
    assert str(refusal.value).startswith("config/demo/alerts/x.toml: expression: ")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="rain_1hflodept()<>=!+-*/. 0123456789andortmxcu\"'[]{}:,", max_size=60))
def test_whatever_somebody_types_it_is_read_or_refused(text):
    try:
        found = parse(text, "x", NAMES)
    except ConfigError:
        return
    span = found.evaluate(Place({"rain_1h": 3.0}))
    assert span.low[0] <= span.high[0]


numbers = st.one_of(st.none(), st.floats(-50, 50))
conditions = st.recursive(
    st.sampled_from(["rain_1h > 10", "flood_depth <= 5", "speed == 3", "rain_1h + speed < flood_depth * 2"]),
    lambda parts: st.one_of(
        st.tuples(parts, parts).map(lambda pair: f"({pair[0]} and {pair[1]})"),
        st.tuples(parts, parts).map(lambda pair: f"({pair[0]} or {pair[1]})"),
        parts.map(lambda part: f"(not {part})"),
    ),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(conditions, numbers, numbers, numbers, st.tuples(*[st.floats(-50, 50)] * 3))
def test_what_is_said_with_missing_values_holds_whatever_they_were(text, rain, flood, speed, instead):
    """A verdict from part of the data must be the verdict of all completions: nothing rings on a guess."""
    given_values = {"rain_1h": rain, "flood_depth": flood, "speed": speed}
    said = says(text, Place(given_values))
    if said is not None:
        filled = {
            name: instead[place] if value is None else value for place, (name, value) in enumerate(given_values.items())
        }
        assert says(text, Place(filled)) == said
