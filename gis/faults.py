"""What is wrong with a map file, in both languages: what, where, and what to do."""

from __future__ import annotations

from core.errors import ToldInBoth


class Fault(ToldInBoth):
    """A map file or a choice about it that a person can mend."""
