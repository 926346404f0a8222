"""A small safe language for rules over several indicators and places: text -> a checked tree -> what it says at times.

    rain_1h >= 30 and flood_depth > 10                     values at the alert's own site
    max(rain_1h) >= 30 and count(flood_depth > 10) >= 2    over the sites of the scope (ward, city)
    at("rain_gauges", source_up) < 1                       one named site or source
    alert("underpass_flood") and not age(speed) > 15       an alert that stands in the scope; minutes since a value came

Nothing here runs Python: the text is parsed and every node is checked against a short list. Every part is judged as an
interval [low, high] of what it may be: a known value has no width, an unknown one is everything, an unknown condition
is 0 to 1. So `False and unknown` is False, `True or unknown` is True, and the maximum of a ward with one dead gauge is
at least what the others measure. A result with width is unknown, and an unknown result neither raises nor clears.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from core.errors import ConfigError

LONGEST = 500  # characters
DEEPEST = 12  # nodes from the top down
NAMES_SHOWN = 3
MOST = 1e12  # no number of a city is larger, and products of a few of them stay finite
CALLS = ("max", "min", "mean", "sum", "count", "at", "alert", "age")
NUMBER, CONDITION = "a number", "a condition"

Floats = npt.NDArray[np.float64]


class Span(NamedTuple):
    """What something may be at each of some times: arrays of the same length, low <= high, infinite where unknown."""

    low: Floats
    high: Floats

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """True where there is one value only."""
        return np.asarray(np.isfinite(self.low) & (self.low == self.high))


class Member(NamedTuple):
    """A site of the scope, and when it counts: one that has been silent for long is no longer there."""

    known: Known
    there: npt.NDArray[np.bool_]


class Known(Protocol):
    """What is known at some times, from where the alert stands. Each answer holds one entry per time."""

    def value(self, observed_property: str) -> Span:
        """The newest value at the own site as of each time; unknown where it is too old."""

    def value_at(self, site_id: str, observed_property: str) -> Span:
        """The same at a named site or source."""

    def age(self, observed_property: str) -> Span:
        """Minutes since the newest value at the own site; unknown where there never was one."""

    def stands(self, rule: str) -> Span:
        """1 where an alert of that rule is active in the scope, covered or not, else 0."""

    def members(self, properties: Collection[str]) -> list[Member]:
        """The same seen from each site of the scope that reports one of the properties."""

    @property
    def length(self) -> int:
        """How many times are asked for."""


@dataclass(frozen=True)
class Expression:
    """A checked text. `properties`, `sites` and `rules` are what it reads; `condition` tells it from a number."""

    text: str
    body: ast.expr
    condition: bool
    properties: tuple[str, ...]  # in the order of the text
    own: tuple[str, ...]  # those that are read at the alert's own site
    sites: tuple[tuple[str, str], ...]  # (site, property) of every at()
    rules: tuple[str, ...]

    @property
    def reported(self) -> tuple[str, ...]:
        """What it reads at the own site or at the sites of the scope, not at a named one."""
        named = {observed_property for _, observed_property in self.sites}
        return tuple(name for name in self.properties if name in self.own or name not in named)

    def evaluate(self, known: Known) -> Span:
        """What it says at each time; a condition is 1, 0, or 0 to 1."""
        return _evaluate(self.body, known)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def parse(text: str, where: str, properties: Collection[str] | None = None) -> Expression:
    """Check a text. `properties` are the known names, None where nobody knows them.

    Raises ConfigError that says where, what is wrong and what is allowed, with near names for an unknown one.
    """
    if len(text) > LONGEST:
        raise ConfigError(f"{where}: the expression is longer than {LONGEST} characters; split it into two rules")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SyntaxWarning)  # «1and 2» reads, but nobody means it
            body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = f" at character {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        raise ConfigError(f"{where}: the expression {text!r} cannot be read{place}") from error
    checked = _Checked(where, text, properties)
    condition = checked.kind(body, DEEPEST) == CONDITION
    return Expression(
        text=text.strip(),
        body=body,
        condition=condition,
        properties=tuple(dict.fromkeys(checked.properties)),
        own=tuple(dict.fromkeys(checked.own)),
        sites=tuple(dict.fromkeys(checked.sites)),
        rules=tuple(dict.fromkeys(checked.rules)),
    )


def near(name: str, known: Iterable[str]) -> str:
    """« (near: a, b)» for a message about an unknown name, or nothing where no known name resembles it."""
    found = get_close_matches(name, list(known), n=NAMES_SHOWN, cutoff=0.5)
    return f" (near: {', '.join(found)})" if found else ""


class _Checked:
    """The walk that lets nothing through that is not listed, and notes what the expression reads."""

    def __init__(self, where: str, text: str, known: Collection[str] | None) -> None:
        self._where, self._text, self._known = where, text, known
        self._in_aggregate = False
        self.properties: list[str] = []
        self.own: list[str] = []
        self.sites: list[tuple[str, str]] = []
        self.rules: list[str] = []

    def kind(self, node: ast.expr, room: int) -> str:
        """NUMBER or CONDITION, or ConfigError."""
        if room < 1:
            self._refuse(node, f"is nested more than {DEEPEST} deep")
        match node:
            case ast.BoolOp(values=values):
                for value in values:
                    self._want(value, CONDITION, room)
                return CONDITION
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._want(operand, CONDITION, room)
                return CONDITION
            case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
                self._want(operand, NUMBER, room)
                return NUMBER
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), left=left, right=right):
                self._want(left, NUMBER, room)
                self._want(right, NUMBER, room)
                return NUMBER
            case ast.Compare(ops=ops, left=left, comparators=others) if all(type(op) in _COMPARE for op in ops):
                for value in (left, *others):
                    self._want(value, NUMBER, room)
                return CONDITION
            case ast.Constant(value=value) if isinstance(value, int | float) and not isinstance(value, bool):
                if not _finite(value):
                    self._refuse(node, f"is no number up to {MOST:g}")
                return NUMBER
            case ast.Name(id=name):
                self._property(node, name)
                self.own.append(name)
                return NUMBER
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(node, name, arguments, room)
        self._refuse(
            node, "is not allowed; allowed are numbers, properties, + - * /, comparisons, and, or, not and calls"
        )
        raise AssertionError

    def _call(self, node: ast.expr, name: str, arguments: list[ast.expr], room: int) -> str:
        match name, arguments:
            case "count" | "max" | "min" | "mean" | "sum", [argument]:
                if self._in_aggregate:
                    self._refuse(node, "stands inside another call over sites")
                self._in_aggregate = True
                own = list(self.own)
                self._want(argument, CONDITION if name == "count" else NUMBER, room)
                if len(self.own) == len(own):
                    self._refuse(node, "names no property to look for at the sites")
                self.own = own  # read at the members, not at the alert's own site
                self._in_aggregate = False
                return NUMBER
            case "at", [ast.Constant(value=str(site_id)), ast.Name(id=property_name) as named]:
                self._property(named, property_name)
                self.sites.append((site_id, property_name))
                return NUMBER
            case "alert", [ast.Constant(value=str(rule))]:
                self.rules.append(rule)
                return CONDITION
            case "age", [ast.Name(id=property_name) as named]:
                self._property(named, property_name)
                self.own.append(property_name)
                return NUMBER
        if name not in CALLS:
            self._refuse(node, f"calls {name!r}, which is not one of {', '.join(CALLS)}{near(name, CALLS)}")
        usage = {"at": 'at("site_id", property)', "alert": 'alert("rule_key")', "age": "age(property)"}
        form = usage.get(name, f"{name}({'condition' if name == 'count' else 'number'})")
        self._refuse(node, f"must be written {form}")
        raise AssertionError

    def _property(self, node: ast.expr, name: str) -> None:
        if self._known is not None and name not in self._known:
            self._refuse(node, f"is not a property of the catalogue{near(name, self._known)}")
        self.properties.append(name)

    def _want(self, node: ast.expr, wanted: str, room: int) -> None:
        kind = self.kind(node, room - 1)
        if kind != wanted:
            self._refuse(node, f"is {kind} where {wanted} must stand")

    def _refuse(self, node: ast.expr, words: str) -> None:
        part = ast.get_source_segment(self._text.strip(), node) or self._text
        raise ConfigError(f"{self._where}: in the expression {part!r} {words}")


def _finite(value: float) -> bool:
    return abs(value) <= MOST


def _evaluate(node: ast.expr, known: Known) -> Span:
    match node:
        case ast.BoolOp(op=op, values=values):
            parts = [_evaluate(value, known) for value in values]
            choose: Callable[..., Floats] = np.minimum.reduce if isinstance(op, ast.And) else np.maximum.reduce
            return Span(choose([part.low for part in parts]), choose([part.high for part in parts]))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            part = _evaluate(operand, known)
            return Span(1.0 - part.high, 1.0 - part.low)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            part = _evaluate(operand, known)
            return Span(-part.high, -part.low)
        case ast.UnaryOp(operand=operand):
            return _evaluate(operand, known)
        case ast.BinOp(op=operator, left=left, right=right):
            return _calculate(operator, _evaluate(left, known), _evaluate(right, known))
        case ast.Compare(left=left, ops=ops, comparators=others):
            parts = [_evaluate(value, known) for value in (left, *others)]
            steps = [_COMPARE[type(op)](parts[place], parts[place + 1]) for place, op in enumerate(ops)]
            return Span(
                np.minimum.reduce([step.low for step in steps]), np.minimum.reduce([step.high for step in steps])
            )
        case ast.Constant(value=value):
            number = np.full(known.length, float(value))  # type: ignore[arg-type]  # checked: a finite number
            return Span(number, number)
        case ast.Name(id=name):
            return known.value(name)
        case ast.Call(func=ast.Name(id=name), args=[argument, *more]):
            return _called(name, argument, more, known)
    raise AssertionError(f"unchecked {type(node).__name__}")


def _called(name: str, argument: ast.expr, more: list[ast.expr], known: Known) -> Span:
    if name == "at":
        assert isinstance(argument, ast.Constant)
        assert isinstance(more[0], ast.Name)
        return known.value_at(str(argument.value), more[0].id)
    if name == "alert":
        assert isinstance(argument, ast.Constant)
        return known.stands(str(argument.value))
    if name == "age":
        assert isinstance(argument, ast.Name)
        return known.age(argument.id)
    wanted = {node.id for node in ast.walk(argument) if isinstance(node, ast.Name)} - set(CALLS)
    members = known.members(wanted)
    if not members:
        return unknown(known.length)
    there = np.array([member.there for member in members])
    parts = [_evaluate(argument, member.known) for member in members]
    nobody = ~there.any(axis=0)
    over_sites, absent = _OVER_SITES[name]
    low = over_sites(np.where(there, [part.low for part in parts], absent), there)
    high = over_sites(np.where(there, [part.high for part in parts], absent), there)
    return Span(np.where(nobody, -np.inf, low), np.where(nobody, np.inf, high))


def unknown(length: int) -> Span:
    """Anything at all, at each time."""
    return Span(np.full(length, -np.inf), np.full(length, np.inf))


def _calculate(operator: ast.operator, left: Span, right: Span) -> Span:
    if isinstance(operator, ast.Add):
        return Span(left.low + right.low, left.high + right.high)
    if isinstance(operator, ast.Sub):
        return Span(left.low - right.high, left.high - right.low)
    divide = isinstance(operator, ast.Div)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ends = np.array([
            first / second if divide else first * second
            for first in left for second in right
        ])  # fmt: skip
    zero_inside = (right.low <= 0) & (right.high >= 0) if divide else np.zeros(len(left.low), dtype=bool)
    lost = zero_inside | np.isnan(ends).any(axis=0)  # 0 × unknown, x ÷ 0: nobody knows
    return Span(np.where(lost, -np.inf, ends.min(axis=0)), np.where(lost, np.inf, ends.max(axis=0)))


def _truth(surely: npt.NDArray[np.bool_], possibly: npt.NDArray[np.bool_]) -> Span:
    return Span(surely.astype(np.float64), possibly.astype(np.float64))


def _less(left: Span, right: Span) -> Span:
    return _truth(left.high < right.low, left.low < right.high)


def _at_most(left: Span, right: Span) -> Span:
    return _truth(left.high <= right.low, left.low <= right.high)


def _equal(left: Span, right: Span) -> Span:
    same = left.known & right.known & (left.low == right.low)
    return _truth(same, (left.low <= right.high) & (right.low <= left.high))


def _different(left: Span, right: Span) -> Span:
    equal = _equal(left, right)
    return Span(1.0 - equal.high, 1.0 - equal.low)


_COMPARE: dict[type[ast.cmpop], Callable[[Span, Span], Span]] = {
    ast.Lt: _less,
    ast.LtE: _at_most,
    ast.Gt: lambda left, right: _less(right, left),
    ast.GtE: lambda left, right: _at_most(right, left),
    ast.Eq: _equal,
    ast.NotEq: _different,
}
Present = npt.NDArray[np.bool_]
_OVER_SITES: dict[str, tuple[Callable[[Floats, Present], Floats], float]] = {  # and what an absent site counts as
    "max": (lambda parts, _: np.asarray(parts.max(axis=0)), -np.inf),
    "min": (lambda parts, _: np.asarray(parts.min(axis=0)), np.inf),
    "mean": (lambda parts, there: np.asarray(parts.sum(axis=0) / np.maximum(there.sum(axis=0), 1)), 0.0),
    "sum": (lambda parts, _: np.asarray(parts.sum(axis=0)), 0.0),
    "count": (lambda parts, _: np.asarray(parts.sum(axis=0)), 0.0),
}
