"""A machine that never had the internet: what `make wheelhouse` packed is enough for `make run`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import ROOT, _free_port
from tests.offline.namespace import WHY_NOT, entered_by, plain_environment

# Packed by `make test` itself, so that the tests fetch nothing; one packed by hand serves as well.
WHEELHOUSES = [ROOT / ".venv" / "wheelhouse", ROOT / "wheelhouse"]
LEFT_BEHIND = (".venv", ".git", "wheelhouse", "tests", "*.duckdb*", "__pycache__", ".*_cache", ".hypothesis", "*.tar")


@pytest.fixture(scope="module")
def wheelhouse() -> Path:
    found = next((one for one in WHEELHOUSES if (one / "packed").is_file()), None)
    if found is None:
        pytest.skip("no wheelhouse is packed: run `make wheelhouse` (`make test` packs one for itself)")
    return found


@pytest.fixture
def carried(tmp_path: Path, wheelhouse: Path) -> Path:
    """The repository and the wheelhouse, as they arrive on the other machine."""
    folder = tmp_path / "city"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    shutil.copytree(wheelhouse, folder / "wheelhouse")
    return folder


@pytest.mark.skipif(not entered_by(), reason=WHY_NOT)
def test_make_run_starts_where_there_is_no_network(carried: Path) -> None:
    command = [*entered_by(), sys.executable, "-m", "tests.offline.walk", str(carried), str(_free_port())]
    environment = {**plain_environment(), "CITY": "demo", "CITY_STORE": "", "PYTHON": sys.executable}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    met = json.loads(done.stdout)
    print(f"\nfrom nothing to an answer and back: {met['seconds']} s")
    assert met["interfaces"] == ["lo"]
    assert met["health"], met["said"]
    assert met["health"]["city"] == "demo"
    assert met["health"]["snapshot"] >= 1
    assert met["wanted_to_leave"] == 0
    assert (carried / ".venv" / "ready-run").is_file()


def test_a_wheelhouse_that_does_not_fit_is_told_in_one_sentence(carried: Path) -> None:
    """It was packed for another Python, or requirements.txt has moved on: one asks for what is not there."""
    with (carried / "requirements.txt").open("a", encoding="utf-8") as lines:
        lines.write("a-library-that-nobody-packed>=1\n")
    environment = {**plain_environment(), "PYTHON": sys.executable}
    done = subprocess.run(
        ["make", "--silent", "install"], cwd=carried, env=environment, capture_output=True, text=True, check=False
    )
    told = [line for line in done.stderr.splitlines() if line.startswith("error: wheelhouse/")]
    assert done.returncode != 0
    assert len(told) == 1
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]} on {os.uname().machine}" in told[0]
    assert not (carried / ".venv" / "ready-run").exists()
