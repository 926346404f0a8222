"""NGSI entities in every form that brokers send, as one: identity, type, and attributes with value, unit and time.

Forms: NGSIv2 and NGSI-LD normalized, keyValues (simplified), NGSI-LD concise, temporal (a list of instances, or
`values` of [value, time]), expanded JSON-LD with full IRIs, GeoJSON features, and normalized CSV (a__value_, b__0_).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors._rows import label
from core.errors import SourceChanged, SourceRefused

NO_ATTRIBUTE = frozenset({"id", "type", "@context", "scope", "createdAt", "modifiedAt", "geometry"})
TIMES = ("observedAt", "dateObserved", "timestamp", "TimeInstant")  # of an attribute, or in its metadata
CELLS_MAX = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One value of an attribute, with what stands beside it."""

    value: Any
    unit: str = ""
    time: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity; an attribute has several instances in a temporal reply, else one."""

    identity: str
    kind: str
    attributes: Mapping[str, list[Instance]]

    def text(self, name: str) -> str:
        """The newest value of an attribute as text, empty when there is none."""
        found = self.attributes.get(name)
        value = found[-1].value if found else None
        return label(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def entities(reply: object) -> list[Entity]:
    """The entities of a JSON reply. Raises SourceRefused for an error body, SourceChanged for anything else."""
    if isinstance(reply, dict) and reply.get("type") == "FeatureCollection":
        reply = reply.get("features")
    found = [reply] if isinstance(reply, dict) else reply
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise SourceChanged("no NGSI reply (an entity, or a list of entities, is promised)")
    return [_entity(each) for each in found]


def entities_of_csv(text: str) -> list[Entity]:
    """The entities of a normalized CSV. Raises SourceChanged when its head is another."""
    try:
        lines = list(csv.reader(io.StringIO(text), skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise SourceChanged("a broken CSV") from error
    head = lines[0] if lines else []
    if "id_" not in head or "type_" not in head:
        raise SourceChanged("a CSV without the columns id_ and type_: no normalized CSV of NGSI entities")
    if len(head) * len(lines) > CELLS_MAX:
        raise SourceChanged("a CSV of more cells than any honest export has")
    found = []
    for cells in lines[1:]:
        nested: dict[str, Any] = {}
        for name, cell in zip(head, cells, strict=False):
            *path, last = name.removesuffix("_").split("__")
            node = nested
            for step in path:
                below = node.setdefault(step, {})
                node = below if isinstance(below, dict) else {}
            if cell != "":
                node[last] = cell
        if nested:
            found.append(_entity(nested))
    return found


def _entity(told: Mapping[str, Any]) -> Entity:
    identity = told.get("id", told.get("@id", told.get("entityId")))
    kind = told.get("type", told.get("@type", told.get("entityType")))
    if kind == "Feature" and isinstance(told.get("properties"), dict):
        told = {**told["properties"], "id": identity}
        kind = told.get("type")
    if identity is None:
        _refuse(told)
    if isinstance(kind, list):
        kind = kind[0] if kind else ""
    attributes = {
        _local(name): instances
        for name, value in told.items()
        if _local(name) not in NO_ATTRIBUTE and not name.startswith("@") and (instances := list(_instances(value)))
    }
    return Entity(identity=label(identity), kind=_local(label(kind or "")), attributes=attributes)


def _refuse(told: Mapping[str, Any]) -> None:
    """Always raises: what an object without an id says of itself."""
    words = told.get("description") or told.get("detail") or told.get("title")
    if words and ("error" in told or "type" in told or "status" in told):
        raise SourceRefused(f"the broker refuses: {label(words)[:300]}")
    raise SourceChanged("no NGSI reply: an entity has no id")


def _instances(told: Any) -> Iterator[Instance]:
    """The instances of an attribute, whatever its form. A relationship has none, but its target is told."""
    if isinstance(told, list):
        if told and all(isinstance(each, dict) for each in told):
            for each in told:
                yield from _instances(each)
        return
    if not isinstance(told, dict):
        yield Instance(value=told)
        return
    fields = {_local(name): value for name, value in told.items()}
    if isinstance(fields.get("values"), list):  # temporalValues
        for pair in fields["values"]:
            if isinstance(pair, list) and len(pair) >= 2:
                yield Instance(value=_plain(pair[0]), unit=_text(fields.get("unitCode")), time=pair[1])
        return
    value = next((fields[name] for name in ("value", "hasValue", "object", "hasObject") if name in fields), told)
    metadata = fields.get("metadata")
    beside = {**(metadata if isinstance(metadata, dict) else {}), **fields}
    yield Instance(
        value=_plain(value),
        unit=_text(_plain(beside.get("unitCode"))),
        time=next((moment for name in TIMES if (moment := _plain(beside.get(name))) is not None), None),
    )


def _plain(value: Any) -> Any:
    """The value inside {"@value": …}, {"value": …} and lists of one, three layers deep at most."""
    for _ in range(3):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        elif isinstance(value, dict) and "@value" in value:
            value = value["@value"]
        elif isinstance(value, dict) and "value" in value:
            value = value["value"]
        else:
            break
    return value


def _local(name: str) -> str:
    """The last part of an IRI: «https://…#BeeHive» is «BeeHive»."""
    return name.rpartition("#")[2].rpartition("/")[2] if "://" in name else name


def _text(value: object) -> str:
    return label(value) if isinstance(value, str | int) else ""
