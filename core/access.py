"""Who may do what: roles, deeds and areas. The one table, asked in one place (`pipeline.Line.act`).

Least privilege with the administration kept apart from the audit (domain reference 9): an administrator neither
handles alerts nor reads the audit log, an auditor reads everything and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import InputError

ROLES = ("viewer", "operator", "supervisor", "admin", "auditor")
DESK = frozenset({"operator", "supervisor"})
SUPERVISOR = frozenset({"supervisor"})
MAY: dict[str, frozenset[str]] = {
    "acknowledge": DESK,
    "unacknowledge": DESK,
    "reset": DESK,
    "shelve": DESK,
    "unshelve": DESK,
    "take_out_of_service": SUPERVISOR,
    "return_to_service": SUPERVISOR,
    "assign": DESK,
    "comment": DESK,
    "tick_step": DESK,
    "untick_step": DESK,
    "join": DESK,
    "split": DESK,
    "lead": DESK,
    "status": DESK,
    "mute_wall": DESK,
    "unmute_wall": DESK,
    "draft_handover": DESK,
    "sign_out": DESK,
    "sign_in": DESK,
    "resend_notice": frozenset({"supervisor", "admin"}),
    "drop_notice": SUPERVISOR,
    "end_drill": SUPERVISOR,
    "try_rule": frozenset({"operator", "supervisor", "admin"}),
    "export_cap": DESK,
    "read_audit": frozenset({"auditor"}),
    "export_audit": frozenset({"auditor"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody (or a wall screen) before the city's screens. `areas` None means the whole city."""

    account: str  # stable: the subject of the identity provider, «demo», or the key of a wall
    name: str  # as it stands in journal and handover
    role: str  # one of ROLES
    kind: str = "person"  # person | demo | wall | system
    areas: frozenset[str] | None = None
    pages: frozenset[str] | None = None  # only these pages; None means all that the role may see
    session: str = ""
    source_address: str = ""
    source_port: int | None = None


class Denied(InputError):
    """The person's role or area does not allow this."""

    def __init__(self, vietnamese: str, english: str) -> None:
        self._words = {"vi": vietnamese, "en": english}
        super().__init__(vietnamese)

    def words(self, language: str) -> str:
        """The sentence for the person in `vi` or `en`."""
        return self._words["en" if language == "en" else "vi"]


def may(person: Person, action: str) -> bool:
    """True when the role allows the action; unknown actions are allowed to nobody."""
    return person.kind != "wall" and person.role in MAY.get(action, frozenset())


def check(person: Person, action: str, areas: Iterable[str] = ()) -> None:
    """Raises Denied when the role does not allow the action, or one of `areas` («» = the whole city) is not theirs."""
    if not may(person, action):
        raise Denied(
            f"Vai trò của {person.name} không được phép làm việc này.",
            f"The role of {person.name} does not allow this.",
        )
    if person.areas is not None and not set(areas) <= person.areas:
        raise Denied(
            f"Địa bàn này nằm ngoài phạm vi của {person.name}.",
            f"This area is outside the scope of {person.name}.",
        )
