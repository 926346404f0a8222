"""Self-assessment of a city against texts that ask something of it: data/maturity/*.toml, answers per city.

Only what a text itself names is a criterion here. Where its annex is not held, that stands beside its name and nothing
is made up in its place. Some criteria are answered by the house itself with a live figure; the others by a person, with
evidence: a screen of this house, the name of a document, or on the page a link for people, which the house never
fetches. The configured answer is the starting value; answers of the page come after it, version by version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.config import ROOT, City
from core.errors import ConfigError
from core.plans import LEGAL_STATES, PlanRefused, a_day, known
from core.toml_files import read_toml, shown_path, take

FOLDER = ROOT / "data" / "maturity"
YES, PARTLY, NO, UNANSWERED = ANSWERS = ("yes", "partly", "no", "unanswered")
MOST_LINK = 400
ANNEXES = ("none", "held", "missing")
CHECKS = (
    "freshness", "completeness", "correct", "complete", "clean", "live", "audit_chain", "backup_age_h", "sources_owned",
    "sites_placed", "roles",
)  # fmt: skip
DOCUMENT_KEYS = {
    "code",
    "title_vi",
    "title_en",
    "status",
    "annex",
    "note_vi",
    "note_en",
    "levels_vi",
    "levels_en",
    "criterion",
}
CRITERION_KEYS = {"key", "text_vi", "text_en", "check", "least", "most", "unit"}
ANSWER_KEYS = {"criterion", "answer", "evidence", "note_vi", "note_en", "by", "on"}
EVIDENCE_KEYS = {"text_vi", "text_en", "screen", "document"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One thing that a text asks for. `check` names the live figure that answers it, with its limit."""

    key: str  # «nd269.backup»
    words: Mapping[str, str]
    check: str  # one of CHECKS, or empty: a person answers
    least: float | None
    most: float | None
    unit: str

    def text(self, language: str) -> str:
        """The criterion in `vi` or `en`."""
        return self.words[f"text_{'en' if language == 'en' else 'vi'}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One text with the criteria that it names itself."""

    key: str
    words: Mapping[str, str]
    code: str
    status: str  # one of LEGAL_STATES
    annex: str  # none | held | missing
    criteria: tuple[Criterion, ...]

    def text(self, name: str, language: str) -> str:
        """title, note or levels in `vi` or `en`."""
        return self.words.get(f"{name}_{'en' if language == 'en' else 'vi'}", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an answer rests on: a screen (file stem of pages/) or the name of a document."""

    words: Mapping[str, str]
    screen: str
    document: str

    def text(self, language: str) -> str:
        """What it shows, in `vi` or `en`."""
        return self.words[f"text_{'en' if language == 'en' else 'vi'}"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person answered, and when."""

    criterion: str
    answer: str  # yes | partly | no
    evidence: tuple[Evidence, ...]
    note: Mapping[str, str]
    by: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer as a person gave it on the page: a version, added to those before it."""

    criterion: str
    version: int  # from 1 on; 0 is what is configured, or nothing
    answer: str  # yes | partly | no | unanswered
    document: str  # name of what proves it
    link: str  # http or https, or empty; shown, never fetched
    note: str
    day: date  # as of when it holds
    restores: int | None  # the version that was put back
    deed: str
    changed_at: datetime
    changed_by: str

    @property
    def proven(self) -> bool:
        """True when evidence is named."""
        return bool(self.document or self.link)


def checked_link(text: str) -> str:
    """A link that may stand on a page: http or https, a host, and nothing that hides where it leads. «» stays «».

    Raises PlanRefused.
    """
    link = text.strip()
    if not link:
        return ""
    try:
        parts = urlsplit(link)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        fine = fine and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine or not link.isprintable() or len(link) > MOST_LINK or set(link) & set(" <>\"'`\\"):
        raise PlanRefused(
            f"Liên kết phải bắt đầu bằng https:// hoặc http://, có tên máy chủ, dài không quá {MOST_LINK} ký tự và "
            "không có dấu cách; hãy sửa lại, hoặc chỉ ghi tên văn bản.",
            f"A link begins with https:// or http://, names a host, has at most {MOST_LINK} letters and no blanks; "
            "mend it, or give the name of a document only.",
        )
    return link


def load_documents(folder: Path = FOLDER) -> tuple[Document, ...]:
    """All texts, in the order of their file names. Raises ConfigError."""
    return tuple(_document(path) for path in sorted(folder.glob("*.toml")))


def load_answers(city: City, documents: tuple[Document, ...]) -> dict[str, Answer]:
    """The city's answers by criterion; without the file nobody has answered. Raises ConfigError."""
    path = city.folder / "plans" / "maturity.toml"
    if not path.is_file():
        return {}
    table, where = read_toml(path), shown_path(path)
    known(table, {"answer"}, where)
    asked = {one.key: one for document in documents for one in document.criteria}
    found: dict[str, Answer] = {}
    for number, one in enumerate(take(table, "answer", list, where, []), start=1):
        answer = _answer(one, f"{where}: [[answer]] number {number}")
        if answer.criterion not in asked:
            raise ConfigError(f"{where}: there is no criterion {answer.criterion}")
        if asked[answer.criterion].check:
            raise ConfigError(f"{where}: {answer.criterion} is answered by the house itself")
        if answer.criterion in found:
            raise ConfigError(f"{where}: {answer.criterion} is answered twice")
        found[answer.criterion] = answer
    return found


def _document(path: Path) -> Document:
    table, where = read_toml(path), shown_path(path)
    known(table, DOCUMENT_KEYS, where)
    words = {f"title_{one}": take(table, f"title_{one}", str, where) for one in ("vi", "en")}
    words |= {
        f"{name}_{one}": take(table, f"{name}_{one}", str, where, "")
        for name in ("note", "levels")
        for one in ("vi", "en")
    }
    status, annex = take(table, "status", str, where), take(table, "annex", str, where)
    if status not in LEGAL_STATES or annex not in ANNEXES:
        raise ConfigError(f"{where}: status or annex is none of the known words")
    criteria = []
    for number, one in enumerate(take(table, "criterion", list, where, []), start=1):
        place = f"{where}: [[criterion]] number {number}"
        known(one, CRITERION_KEYS, place)
        check = take(one, "check", str, place, "")
        least, most = (take(one, name, (int, float), place, None) for name in ("least", "most"))
        if check and (check not in CHECKS or (least is None) == (most is None)):
            raise ConfigError(f"{place}: check must be one of {', '.join(CHECKS)}, with least or most")
        criteria.append(
            Criterion(
                key=f"{path.stem}.{take(one, 'key', str, place)}",
                words={f"text_{language}": take(one, f"text_{language}", str, place) for language in ("vi", "en")},
                check=check,
                least=least,
                most=most,
                unit=take(one, "unit", str, place, ""),
            )
        )
    return Document(
        key=path.stem,
        words=words,
        code=take(table, "code", str, where),
        status=status,
        annex=annex,
        criteria=tuple(criteria),
    )


def _answer(table: Mapping[str, Any], where: str) -> Answer:
    known(table, ANSWER_KEYS, where)
    answer = take(table, "answer", str, where)
    if answer not in (YES, PARTLY, NO):
        raise ConfigError(f"{where}: answer must be yes, partly or no, not {answer!r}")
    evidence = tuple(_evidence(one, f"{where}: evidence") for one in take(table, "evidence", list, where, []))
    if answer in (YES, PARTLY) and not evidence:
        raise ConfigError(f"{where}: «{answer}» needs evidence")
    return Answer(
        criterion=take(table, "criterion", str, where),
        answer=answer,
        evidence=evidence,
        note={one: take(table, f"note_{one}", str, where, "") for one in ("vi", "en")},
        by=take(table, "by", str, where),
        on=a_day(table, "on", where),
    )


def _evidence(table: Mapping[str, Any], where: str) -> Evidence:
    known(table, EVIDENCE_KEYS, where)
    screen, document = take(table, "screen", str, where, ""), take(table, "document", str, where, "")
    if bool(screen) == bool(document):
        raise ConfigError(f"{where}: give screen or document")
    if screen and not (ROOT / "pages" / f"{Path(screen).name}.py").is_file():
        raise ConfigError(f"{where}: there is no screen {screen!r}")
    words = {f"text_{one}": take(table, f"text_{one}", str, where) for one in ("vi", "en")}
    return Evidence(words=words, screen=screen, document=document)
