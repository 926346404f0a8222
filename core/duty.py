"""Who is on duty: the words that roster, notices, handover and screens share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person or an office that can be reached. Addresses are personal data: they stay in config and notices."""

    key: str
    name: str
    unit: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyShift:
    """The shift of a moment: who leads it and who stands in. Times are aware UTC."""

    key: str
    name_vi: str
    name_en: str
    starts_at: datetime
    ends_at: datetime
    lead: Contact
    deputy: Contact | None = None

    def name(self, language: str) -> str:
        """Name of the shift in `vi` or `en`."""
        return self.name_en if language == "en" else self.name_vi
