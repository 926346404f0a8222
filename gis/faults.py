"""What is wrong with a map file, in both languages: what, where, and what to do."""

from __future__ import annotations

from core.errors import InputError


class Fault(InputError):
    """A map file or a choice about it that a person can mend."""

    def __init__(self, vietnamese: str, english: str) -> None:
        self._words = {"vi": vietnamese, "en": english}
        super().__init__(vietnamese)

    def words(self, language: str) -> str:
        """The sentence in `vi` or `en`."""
        return self._words["en" if language == "en" else "vi"]
