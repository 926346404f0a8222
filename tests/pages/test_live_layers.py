"""A layer of another office's server on the page, from the entry in layers.toml to the words when it falls silent."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from shapely.geometry import Point

from gis.faults import Fault
from gis.intake import draft
from gis.layers import described
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.gis.files import collection
from tests.pages.reading import html, parts, problems
from tests.pages.test_layers import ADMIN, BOX, deck_of, with_map

Serve = Callable[[Line], Line]
GAUGE = collection([Point(106.0, 21.3)], [{"ten": "Trạm <b>Cầu</b>"}])


class Office(ThreadingHTTPServer):
    """A server on this machine; `answer` is what it says: status, type, body, and where it sends on."""

    def __init__(self) -> None:
        self.answer: tuple[int, str, bytes, str] = (200, "application/geo+json", GAUGE, "")
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Desk)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Desk(BaseHTTPRequestHandler):
    server: Office

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, kind, body, elsewhere = self.server.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if elsewhere:
            self.send_header("Location", elsewhere)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a test reads `asked`."""


@pytest.fixture
def office() -> Iterator[Office]:
    found = Office()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def line(demo_line: Line, office: Office, tmp_path: Path) -> Iterator[Line]:
    """The demo city with one live layer in its configuration."""
    folder = tmp_path / "config" / "demo"
    shutil.copytree(demo_line.city.folder, folder)
    (folder / "layers.toml").write_text(
        f"""
        [[layer]]
        key = "tram_do"
        title = "Trạm đo"
        kind = "environment"
        owner = "Sở Nông nghiệp và Môi trường"
        licence = "Nội bộ"
        url = "http://127.0.0.1:{office.server_port}/ogc"
        service = "ogc_features"
        collection = "gauges"
        refresh = "1h"
        """,
        encoding="utf-8",
    )
    path = tmp_path / "own.duckdb"
    demo_line.store.backup(path)
    city = replace(demo_line.city, folder=folder, store_path=path)
    own = Line(city, DuckStore(path, zone=str(city.zone)), SetClock(demo_line.clock.now()))
    own.feeds.pace.sleep = lambda seconds: None
    own.run_once()
    settled(own)
    yield own
    own.stop()


def settled(line: Line) -> None:
    """Until the question that is under way is answered."""
    line.layer_turns.running["tram_do"].result(timeout=60)


def an_hour_later(line: Line) -> None:
    line.clock.advance(timedelta(hours=1))
    line.layer_turns.turn(line.clock.now())
    settled(line)


def test_a_live_layer_is_on_the_map_with_the_time_of_its_data(line: Line, office: Office, serve: Serve) -> None:
    serve(line)
    assert office.asked[0].startswith("/ogc/collections/gauges/items?")
    viewer = with_map()
    assert problems(viewer) == []
    shown = next(one for one in deck_of(viewer)["layers"] if one["id"] == "layer-tram_do")
    assert shown["data"][0]["p"] == [106.0, 21.3]
    assert "Trạm &lt;b&gt;Cầu&lt;/b&gt;" in shown["data"][0]["tooltip"], "what a server says is text, never markup"
    listed = parts(viewer)["list"]
    assert "dữ liệu lúc 18:" in listed
    assert "1 giờ một lần" in listed
    assert "127.0.0.1" in listed
    assert "Trạm đo: dữ liệu lúc" in parts(viewer)["legend"], "the picture and the export carry it too"
    line.layer_turns.turn(line.clock.now())
    assert len(office.asked) == 1, "before its time nobody asks"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((503, "text/plain", b"later", ""), "Không trả lời"),
        ((200, "text/html", b"<html>login</html>", ""), "Trả lời lạ"),
        ((302, "text/plain", b"", "http://169.254.169.254/latest/meta-data"), "Từ chối"),
        ((200, "application/json", b'{"type": "FeatureCollection", "features": [', ""), "Trả lời lạ"),
        ((404, "application/json", b'{"code": "NotFound", "description": "no gauges"}', ""), "Từ chối"),
        ((200, "application/geo+json", collection([Point(21.3, 106.0)], [{}]), ""), "đổi chỗ"),
    ],
    ids=["silent", "html", "redirected to metadata", "cut off", "gone", "turned axes"],
)
def test_what_goes_wrong_is_told_and_the_last_good_map_stays(
    line: Line, office: Office, serve: Serve, answer: tuple[int, str, bytes, str], words: str
) -> None:
    serve(line)
    office.answer = answer
    an_hour_later(line)
    viewer = with_map()
    assert problems(viewer) == []
    assert words in parts(viewer)["list"]
    assert words in parts(viewer)["legend"]
    assert "layer-tram_do" in [one["id"] for one in deck_of(viewer)["layers"]]
    office.answer = (200, "application/geo+json", GAUGE, "")
    an_hour_later(line)
    assert words not in html(with_map())


def test_a_reply_without_end_is_cut_off(
    line: Line, office: Office, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connectors import _http

    monkeypatch.setattr(_http, "LIMITS", replace(_http.LIMITS, body_bytes=1000))
    monkeypatch.setitem(_http.get.__kwdefaults__, "limits", _http.LIMITS)
    serve(line)
    office.answer = (200, "application/geo+json", b"[" * 5000, "")
    an_hour_later(line)
    assert "larger than 1000 bytes" in parts(with_map())["list"]


def test_a_live_layer_that_has_never_answered_is_in_the_list(line: Line, serve: Serve) -> None:
    serve(line)
    (line.city.layers_path / "live.json").unlink()
    shutil.rmtree(line.city.layers_path / "tram_do")
    line.shelf._listed = None
    line.live_layers._known = {}
    viewer = with_map()
    assert problems(viewer) == []
    assert "chưa nhận được lần nào" in parts(viewer)["list"]


def test_nobody_imports_over_a_live_layer_or_takes_it_off(line: Line, serve: Serve) -> None:
    found = draft(collection([Point(106.0, 21.3)], [{}]), "a.geojson", box=BOX)
    layer = described(
        found.features, key="tram_do", title="Lớp", kind="other", owner="a", licence="a", dated=date(2026, 1, 1)
    )
    with pytest.raises(Fault, match=r"layers\.toml"):
        line.import_layer(ADMIN, found, layer)
    with pytest.raises(Fault, match=r"layers\.toml"):
        line.remove_layer(ADMIN, "tram_do")
    serve(line)
    admin = with_map()
    admin.selectbox(key="demo_role_choice").select("admin").run()
    assert not [one for one in admin.selectbox if one.key == "layers_remove_key"], "there is nothing to take off"
    assert json.loads((line.city.layers_path / "live.json").read_text())["tram_do"]["answered_at"]
