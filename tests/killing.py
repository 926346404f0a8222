"""A programme that is killed (-9) while it works, and what it had said by then."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def said_before_a_kill(programme: str, path: Path, patience_s: float) -> list[str]:
    """Run Python text on a store for a while after its first line, kill it, and return every whole line it printed."""
    child = subprocess.Popen(
        [sys.executable, "-c", programme, str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    lines = [child.stdout.readline()]
    assert lines[0], child.stderr.read()
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:  # the child must not wait for a full pipe
        lines.append(child.stdout.readline())
    child.kill()
    lines += child.stdout.read().splitlines(keepends=True)
    child.wait()
    child.stdout.close()
    child.stderr.close()
    return [line.rstrip("\n") for line in lines if line.endswith("\n")]
