"""What is asked of a leader, by when: one line that plans, pilots and alerts hand to the brief and to reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Something that waits for a decision or a deed of a named unit."""

    kind: str  # task | decision | pilot | target | alert
    key: str
    text_vi: str
    text_en: str
    owner: str
    due: date | None  # local day; None where no day was set
    overdue: bool
    page: str  # the screen where it is dealt with, e.g. «roadmap»

    def text(self, language: str) -> str:
        """The line in `vi` or `en`."""
        return self.text_en if language == "en" else self.text_vi
