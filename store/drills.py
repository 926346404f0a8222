"""Scores of drills, one JSON line each in a file beside the city's store: a drill's own store is thrown away."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import StoreError
from store._file import shown

LOG = logging.getLogger("store")


def write_drill_score(path: Path, score: Mapping[str, Any]) -> None:
    """Append one score; it is on the disk when this returns. Raises StoreError."""
    try:
        with path.open("a+b") as stream:
            if stream.tell() and not _ends_whole(path):
                stream.write(b"\n")  # a line that a crash cut short must not swallow this one
            stream.write(json.dumps(score, ensure_ascii=False, default=str).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise StoreError(f"{shown(path)} cannot be written: {error.strerror}") from error


def read_drill_scores(path: Path) -> list[dict[str, Any]]:
    """All scores, newest first; none where there was no drill yet. A damaged line is told in the log and left out."""
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        score = _parsed(line)
        if score is not None:
            found.append(score)
        elif line.strip():
            LOG.warning("%s: line %d is damaged and left out", shown(path), number)
    return found[::-1]


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        score = json.loads(line)
    except ValueError:
        return None
    return score if isinstance(score, dict) else None


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"
