"""A machine without any way out: every page is complete, and neither the server nor a page ever tries to leave.

Three instruments look at it: the kernel's own count of what found no route, whoever sent it; an audit hook in the
server, which names who was called; and the browser's log, which tells what a page wanted from what the browser wanted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.browser.conftest import ROOT
from tests.browser.test_every_screen import SCREENS
from tests.offline.namespace import OUTSIDE, WHY_NOT, entered_by, plain_environment

pytestmark = pytest.mark.skipif(not entered_by(), reason=WHY_NOT)


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was met when everything was opened once, in a namespace that has loopback and nothing else."""
    command = [*entered_by(), sys.executable, "-m", "tests.offline.visit", str(tmp_path_factory.mktemp("visit"))]
    done = subprocess.run(command, cwd=ROOT, env=plain_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout))


def test_there_is_no_way_out_and_whoever_looks_for_one_is_seen(met: dict[str, Any]) -> None:
    assert met["interfaces"] == ["lo"]
    assert met["instruments"]["kernel"] >= len(OUTSIDE)
    called = [f"socket.connect {host}" for _, host in OUTSIDE]
    assert met["instruments"]["server"] == [*called, "socket.getaddrinfo example.org"]


def test_every_page_is_complete(met: dict[str, Any]) -> None:
    assert met["health"]
    assert len(SCREENS) >= 9
    assert met["pages"] == {name: [] for name in SCREENS}


def test_the_server_calls_nobody(met: dict[str, Any]) -> None:
    assert met["server"] == []


def test_a_page_asks_nothing_of_another_host(met: dict[str, Any]) -> None:
    assert met["for_pages"] == []


def test_with_the_flags_of_a_kiosk_nothing_leaves_whoever_sends_it(met: dict[str, Any]) -> None:
    """The browser's question whether there is IPv6 sends nothing and is counted apart; what else it would tell its
    maker ends at the rule that knows one name."""
    print(f"\nthe browser would have asked for itself: {met['for_itself']}; IPv6 probes: {met['probes']}")
    assert met["called"] == []
    assert met["kernel"] - met["probes"] == 0
