"""The register of pilots: config/<city>/pilots/<key>.toml, each locked by a hash of its plan before the start.

A plan is a file, because it is decided on paper, reviewed and kept under versions like every other setting. Its lock
`<key>.lock`, beside the plan or (sealed on the page) beside the store, holds the SHA-256 of the plan's canonical text
(all keys sorted, JSON, NFC; blanks and comments do not count) and the moment. What was changed after the lock is shown
as changed; a lock from after the start as late.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from core.config import City
from core.errors import ConfigError
from core.pilot_faults import PlanFault
from core.toml_files import read_toml, shown_path, take

BETTER = ("up", "down")
UNLOCKED, LOCKED, LATE, CHANGED = "unlocked", "locked", "late", "changed"
PLANNED, RUNNING, FINISHED = "planned", "running", "finished"
TEXTS = ("title", "problem", "what", "gate", "owner", "money", "indicator_note")
KEYS = {
    *(f"{name}_{language}" for name in TEXTS for language in ("vi", "en")),
    "indicator",
    "better",
    "worthwhile_pct",
    "treated",
    "controls",
    "looks_back_to",
    "starts",
    "ends",
    "decide_by",
    "cost_million_vnd",
    "private_share_pct",
    "panel",
    "seed",
}
KINDS_VI: dict[type, str] = {
    str: 'chữ trong dấu "…"',
    int: "số",
    date: "ngày như 2026-10-05",
    datetime: "thời điểm có múi giờ",
    list: "danh sách […]",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pilot:
    """One plan, and what its lock says about it."""

    key: str
    words: Mapping[str, str]  # «title_vi», «problem_en» …
    indicator: str  # of the catalogue
    better: str  # up | down
    worthwhile_pct: float  # the smallest gain that pays
    treated: tuple[str, ...]  # site_ids
    controls: tuple[str, ...]
    looks_back_to: date  # the first day of the figures: part of the plan, or whoever dislikes a verdict would trim it
    starts: date
    ends: date  # the last day
    decide_by: date | None  # by when what follows is decided; None where the plan does not say
    cost_million_vnd: float
    private_share_pct: float
    panel: Path | None  # the figures, frozen; None while there are none
    seed: int
    digest: str  # SHA-256 of the canonical text, hex
    lock: str  # unlocked | locked | late | changed
    locked_at: datetime | None

    def text(self, name: str, language: str) -> str:
        """One of TEXTS in `vi` or `en`."""
        return self.words[f"{name}_{'en' if language == 'en' else 'vi'}"]

    def state(self, today: date) -> str:
        """planned | running | finished on that local day."""
        return PLANNED if today < self.starts else RUNNING if today <= self.ends else FINISHED


def canonical(table: Mapping[str, Any]) -> str:
    """The text that is hashed: the same for the same plan, however the file is laid out."""
    text = json.dumps(table, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return unicodedata.normalize("NFC", text)


def digest(table: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical text, 64 hex digits."""
    return hashlib.sha256(canonical(table).encode()).hexdigest()


def lock_text(plan: Path, now: datetime) -> str:
    """What `<key>.lock` must hold so that this plan is locked now. Raises PlanFault."""
    return f'sha256 = "{digest(_read(plan))}"\nlocked_at = {now.astimezone(UTC).isoformat(timespec="seconds")}\n'


def load_pilots(city: City) -> tuple[Pilot, ...]:
    """All plans of a city, the newest start first. Raises PlanFault; without the folder there are none."""
    folder = city.folder / "pilots"
    found = [_pilot(path, city) for path in sorted(folder.glob("*.toml"))]
    return tuple(sorted(found, key=lambda one: (one.starts, one.key), reverse=True))


def _pilot(path: Path, city: City) -> Pilot:
    table, where = _read(path), shown_path(path)
    unknown = sorted(set(table) - KEYS)
    if unknown:
        raise PlanFault("key_unknown", where=where, names=", ".join(unknown), known=", ".join(sorted(KEYS)))
    words = {f"{name}_{one}": str(_take(table, f"{name}_{one}", str, where)) for name in TEXTS for one in ("vi", "en")}
    starts, ends = _day(table, "starts", where), _day(table, "ends", where)
    if ends < starts:
        raise PlanFault("ends_first", where=where, ends=ends, starts=starts)
    decide_by = _day(table, "decide_by", where) if "decide_by" in table else None
    if decide_by is not None and decide_by <= ends:
        raise PlanFault("decide_early", where=where, decide_by=decide_by, ends=ends)
    looks_back_to = _day(table, "looks_back_to", where)
    if looks_back_to >= starts:
        raise PlanFault("back_late", where=where, back=looks_back_to, starts=starts)
    better = _take(table, "better", str, where)
    if better not in BETTER:
        raise PlanFault("better", where=where, known=", ".join(BETTER), given=better)
    treated, controls = (_sites(table, name, where, city) for name in ("treated", "controls"))
    both = sorted(set(treated) & set(controls))
    if both:
        raise PlanFault("both", where=where, unit=both[0])
    sealed = digest(table)
    kept = [one for one in (path.with_suffix(".lock"), city.pilot_locks / f"{path.stem}.lock") if one.is_file()]
    lock, locked_at = _lock(kept[0], sealed, starts, city) if kept else (UNLOCKED, None)
    panel = _take(table, "panel", str, where, "")
    return Pilot(
        key=path.stem,
        words=words,
        indicator=_take(table, "indicator", str, where),
        better=better,
        worthwhile_pct=_share(table, "worthwhile_pct", where),
        treated=treated,
        controls=controls,
        looks_back_to=looks_back_to,
        starts=starts,
        ends=ends,
        decide_by=decide_by,
        cost_million_vnd=_amount(table, "cost_million_vnd", where),
        private_share_pct=_share(table, "private_share_pct", where),
        panel=city.data_folder / "pilots" / Path(panel).name if panel else None,
        seed=int(_take(table, "seed", int, where)),
        digest=sealed,
        lock=lock,
        locked_at=locked_at,
    )


def _lock(path: Path, sealed: str, starts: date, city: City) -> tuple[str, datetime | None]:
    table, where = _read(path), shown_path(path)
    at = _take(table, "locked_at", datetime, where)
    if at.tzinfo is None:
        raise PlanFault("lock_zone", where=where)
    if _take(table, "sha256", str, where) != sealed:
        return CHANGED, at
    return (LATE if at.astimezone(city.zone).date() >= starts else LOCKED), at


def _day(table: Mapping[str, Any], name: str, where: str) -> date:
    given = _take(table, name, date, where)
    if isinstance(given, datetime):
        raise PlanFault("clock_time", where=where, key=name)
    return date(given.year, given.month, given.day)


def _sites(table: Mapping[str, Any], name: str, where: str, city: City) -> tuple[str, ...]:
    given = _take(table, name, list, where)
    unknown = [one for one in given if one not in city.sites.index]
    if unknown:
        raise PlanFault("site_unknown", where=where, key=name, unit=unknown[0])
    if not given or len(set(given)) < len(given):
        raise PlanFault("site_twice", where=where, key=name)
    return tuple(map(str, given))


def _amount(table: Mapping[str, Any], name: str, where: str) -> float:
    value = float(_take(table, name, (int, float), where))
    if not 0 <= value < 1e9:
        raise PlanFault("amount", where=where, key=name, given=value)
    return value


def _share(table: Mapping[str, Any], name: str, where: str) -> float:
    value = _amount(table, name, where)
    if value > 100:
        raise PlanFault("share", where=where, key=name, given=value)
    return value


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_toml(path)
    except ConfigError as error:
        where, place = shown_path(path), ""
        if not path.is_file():
            raise PlanFault("plan_gone", where=where) from error
        reason = str(error).partition("not valid TOML: ")[2]
        if at := re.search(r"at line (\d+), column (\d+)", reason):
            place = f", dòng {at[1]}, cột {at[2]}"
        raise PlanFault("plan_broken", where=where, place=place, reason=reason) from error


def _take(table: Mapping[str, Any], name: str, kind: type | tuple[type, ...], where: str, default: Any = ...) -> Any:
    try:
        return take(table, name, kind, where, default)
    except ConfigError as error:
        if name not in table:
            raise PlanFault("key_missing", where=where, key=name) from error
        wanted = KINDS_VI[kind[0] if isinstance(kind, tuple) else kind]
        raise PlanFault(
            "key_kind", where=where, key=name, kind=wanted, given=repr(table[name]), english=str(error)
        ) from error
