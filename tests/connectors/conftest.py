"""The replay server of recorded replies, with faults on demand: one for all tests of connectors."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

RECORDINGS = (Path(__file__).resolve().parents[3] / "shared" / "recordings").resolve()  # its server looks at real paths
OURS = Path(__file__).parent.parent / "recordings"


@pytest.fixture(scope="session")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The replay server over the recordings beside it and, in the folder `ours`, those of this repository."""
    path = RECORDINGS / "replay.py"
    if not path.is_file():
        pytest.skip("the replay server in ../shared is not here")
    root = tmp_path_factory.mktemp("replay").resolve()
    shutil.copytree(RECORDINGS, root, dirs_exist_ok=True)
    shutil.copytree(OURS, root / "ours")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(path), "0", str(root)])
        patch.setattr(sys, "dont_write_bytecode", True)
        spec = importlib.util.spec_from_file_location("replay", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    # A reply of ten seconds outlives these tests, and its thread would write into what a later test captures.
    quiet = type("Quiet", (module.Replay,), {"log_message": lambda *_: None})
    alone = type("Alone", (ThreadingHTTPServer,), {"handle_error": lambda *_: None, "block_on_close": False})
    with alone(("127.0.0.1", 0), quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
