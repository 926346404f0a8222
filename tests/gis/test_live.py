"""Layers that another office's server keeps: the last good version stays on the map, and what is wrong is said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from shapely.geometry import Point, box

from core.errors import ConfigError, SourceChanged, SourceRefused, SourceUnavailable
from gis.layers import LIVE_VERSIONS, Shelf
from gis.live import ASK_AGAIN, LiveLayers, Served, load_served
from tests.connectors.answering import Server, ask
from tests.gis.files import collection, moved

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
GAUGES = Served(
    key="tram_do", title="Trạm đo mực nước", kind="environment", owner="Sở Nông nghiệp và Môi trường", licence="Nội bộ",
    url="https://gis.example.vn/ogc", service="ogc_features", options={"collection": "gauges"},
)  # fmt: skip


class Office:
    """A server whose answer a test holds in its hand: a body, or an error."""

    def __init__(self) -> None:
        self.answer: bytes | Exception = points(106.1)
        self.asked = 0

    def __call__(self, served: Served, now: datetime) -> tuple[bytes, str]:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer, "gis.example.vn/ogc/collections/gauges/items"


def points(*longitudes: float) -> bytes:
    return collection([Point(x, 21.2) for x in longitudes], [{"ten": f"Trạm {x}"} for x in longitudes])


def city_of(folder: Path, office: Callable[..., tuple[bytes, str]], *served: Served) -> tuple[Shelf, LiveLayers]:
    shelf = Shelf(folder)
    return shelf, LiveLayers(shelf, served or (GAUGES,), office, ZONE, "24")


def test_what_a_server_gives_is_a_layer_with_the_time_of_its_data(tmp_path: Path) -> None:
    shelf, live = city_of(tmp_path, Office())
    assert live.due(NOW) == ("tram_do",)
    assert live.stale("tram_do", NOW), "nothing has come yet"
    live.turn("tram_do", NOW)
    kept = shelf.read("tram_do")
    assert (kept.layer.title, kept.layer.owner, kept.name(0)) == (GAUGES.title, GAUGES.owner, "Trạm 106.1")
    state = live.freshness("tram_do")
    assert state is not None
    assert (state.answered_at, state.kind) == (NOW, "")
    assert not live.stale("tram_do", NOW + 2 * HOUR)
    assert live.stale("tram_do", NOW + 2 * HOUR + timedelta(seconds=1))
    assert live.due(NOW + HOUR - timedelta(seconds=1)) == ()
    assert live.due(NOW + HOUR) == ("tram_do",)
    assert live.freshness("tu_tep") is None, "a layer from a file has no server"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (SourceUnavailable("gis.example.vn/ogc: HTTP 503"), "unavailable", "503"),
        (SourceRefused("gis.example.vn/ogc: redirects to another host, evil.example"), "refused", "another host"),
        (SourceChanged("gis.example.vn/ogc: broken or unsafe XML, or an HTML page"), "changed", "HTML"),
        (b'{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": 5}]}', "changed", "hỏng"),
        (collection([Point(21.2, 106.1)], [{}]), "changed", "đổi chỗ"),
        (b'{"type": "FeatureCollection", "features": [' + b" " * 51 * 2**20 + b"1]}", "changed", "lớn hơn"),
    ],
    ids=["silent", "redirected", "html", "broken", "turned axes", "too big"],
)
def test_what_cannot_be_kept_leaves_the_last_good_version(
    tmp_path: Path, answer: bytes | Exception, kind: str, words: str
) -> None:
    office = Office()
    shelf, live = city_of(tmp_path, office)
    live.turn("tram_do", NOW)
    office.answer = answer
    state = live.turn("tram_do", NOW + HOUR)
    assert (state.kind, state.answered_at) == (kind, NOW)
    assert words in state.why("vi")
    assert shelf.read("tram_do").name(0) == "Trạm 106.1"
    assert live.due(NOW + HOUR + ASK_AGAIN) == ("tram_do",), "a failure is tried again before the hour is over"
    office.answer = points(106.3)
    assert live.turn("tram_do", NOW + 2 * HOUR).kind == ""
    assert shelf.read("tram_do").name(0) == "Trạm 106.3"


def test_a_wait_that_the_server_asks_for_is_kept(tmp_path: Path) -> None:
    office = Office()
    _, live = city_of(tmp_path, office)
    office.answer = SourceUnavailable("HTTP 429", retry_after_s=1800)
    live.turn("tram_do", NOW)
    assert live.due(NOW + timedelta(minutes=29)) == ()
    assert live.due(NOW + timedelta(minutes=30)) == ("tram_do",)


def test_the_same_reply_is_no_new_version_and_only_a_few_are_kept(tmp_path: Path) -> None:
    office = Office()
    shelf, live = city_of(tmp_path, office)
    for hour in range(3):
        live.turn("tram_do", NOW + hour * 24 * HOUR)
    assert [one.version for one in shelf.history("tram_do")] == [1]
    for hour in range(6):
        office.answer = points(107.0 + hour)
        live.turn("tram_do", NOW + hour * HOUR)
    assert [one.version for one in shelf.history("tram_do")] == [7, 6, 5]
    assert len(list((tmp_path / "tram_do").iterdir())) == 2 * LIVE_VERSIONS
    assert shelf.read("tram_do").name(0) == "Trạm 112.0"


def test_nothing_there_now_is_an_answer_too(tmp_path: Path) -> None:
    office = Office()
    shelf, live = city_of(tmp_path, office)
    live.turn("tram_do", NOW)
    office.answer = b'{"type": "FeatureCollection", "features": []}'
    assert live.turn("tram_do", NOW + HOUR).kind == ""
    kept = shelf.read("tram_do")
    assert (kept.layer.features, kept.shapes, kept.layer.name_field) == (0, (), "ten")
    assert kept.reach.within_m(106.1, 21.2, 500) == []
    office.answer = points(106.2)
    live.turn("tram_do", NOW + 2 * HOUR)
    assert shelf.read("tram_do").name(0) == "Trạm 106.2"


def test_the_state_outlives_the_process(tmp_path: Path) -> None:
    office = Office()
    _, live = city_of(tmp_path, office)
    live.turn("tram_do", NOW)
    office.answer = SourceUnavailable("gis.example.vn: HTTP 503")
    live.turn("tram_do", NOW + HOUR)
    shelf, again = city_of(tmp_path, office)
    state = again.freshness("tram_do")
    assert state is not None
    assert (state.kind, state.answered_at, state.tried_at) == ("unavailable", NOW, NOW + HOUR)
    assert shelf.read("tram_do").layer.features == 1
    (tmp_path / "live.json").write_text('{"tram_do": 1}')
    assert city_of(tmp_path, office)[1].due(NOW) == ("tram_do",), "a broken note costs one more question"


def test_metres_of_vn2000_and_northing_first_are_read_as_the_entry_says(tmp_path: Path) -> None:
    office = Office()
    flat = moved(box(106.1, 21.2, 106.11, 21.21), "9214")
    office.answer = collection([flat], [{"ten": "Lô 1"}], "urn:ogc:def:crs:EPSG::9214")
    shelf, live = city_of(tmp_path, office)
    live.turn("tram_do", NOW)
    assert shelf.read("tram_do").features[0].geometry.distance(Point(106.105, 21.205)) == 0
    turned = Served(**{**_fields(GAUGES), "swap": True})
    office.answer = collection([Point(21.2, 106.1)], [{"ten": "A"}])
    shelf, live = city_of(tmp_path, office, turned)
    live.turn("tram_do", NOW + HOUR)
    assert shelf.read("tram_do").features[0].geometry.equals(Point(106.1, 21.2))


def _fields(one: Served) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Served.__dataclass_fields__}


# -- config/<city>/layers.toml ---------------------------------------------------------------------------------------

ENTRY = {
    "key": "dat", "title": "Sử dụng đất", "kind": "land_use", "owner": "Sở NNMT", "licence": "Nội bộ",
    "url": "https://gis.example.vn/wfs", "service": "wfs", "type_name": "ms:dat", "refresh": "6h", "crs": "EPSG:9214",
}  # fmt: skip


def entry(folder: Path, **more: Any) -> Path:
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in (ENTRY | more).items()]
    path = folder / "layers.toml"
    path.write_text("[[layer]]\n" + "\n".join(lines), encoding="utf-8")
    return path


def test_an_entry_says_what_to_ask_whom_and_when(tmp_path: Path) -> None:
    (one,) = load_served(entry(tmp_path))
    assert (one.every, one.system, one.host) == (6 * HOUR, "9214", "gis.example.vn")
    assert one.options == {"type_name": "ms:dat", "srs_name": "EPSG:9214"}
    assert load_served(tmp_path / "none.toml") == ()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"key": "../dat"}, "key"),
        ({"owner": " "}, "owner is empty"),
        ({"url": "file:///etc/passwd"}, "https://host/path"),
        ({"url": "https://me:secret@gis.example.vn/"}, "password"),
        ({"service": "wms"}, "service 'wms'"),
        ({"refresh": "30s"}, "a minute or more"),
        ({"refresh": "often"}, "a minute or more"),
        ({"crs": "EPSG:32648"}, "crs '32648'"),
        ({"axis": "yx"}, "axis"),
        ({"kind": "anything"}, "kind"),
        ({"collection": "dat", "service": "ogc_features", "type_name": "x", "colour": "red"}, "unknown key colour"),
    ],
)
def test_a_wrong_entry_stops_at_the_start_with_its_place(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=r"layers\.toml: \[\[layer\]\] number 1") as told:
        load_served(entry(tmp_path, **more))
    assert words in str(told.value)
    assert "secret@" not in str(told.value)


def test_a_key_stands_once(tmp_path: Path) -> None:
    path = entry(tmp_path)
    path.write_text(path.read_text() * 1 + "\n" + path.read_text())
    with pytest.raises(ConfigError, match="stands twice"):
        load_served(path)


# -- by the connector ------------------------------------------------------------------------------------------------


def by_connector(server: Server) -> Callable[[Served, datetime], tuple[bytes, str]]:
    def asked(served: Served, now: datetime) -> tuple[bytes, str]:
        (payload,) = ask("ogc_features", server, base_url=served.url, **served.options)
        return payload.body, payload.name

    return asked


def test_the_connector_turns_the_pages_and_keeps_the_shapes(tmp_path: Path) -> None:
    square = json.loads(collection([box(106.1, 21.2, 106.2, 21.3)], [{"ten": "Hồ"}]))

    def page(query: dict[str, str]) -> dict[str, Any]:
        following = [] if query.get("page") else [{"rel": "next", "href": "?f=json&page=2"}]
        return square | {"links": following}

    shelf, live = city_of(tmp_path, by_connector(Server(gauges=page)))
    live.turn("tram_do", NOW)
    assert [one.geometry.geom_type for one in shelf.read("tram_do").features] == ["Polygon", "Polygon"]


def test_an_office_in_vn2000_is_asked_in_its_own_system(tmp_path: Path) -> None:
    flat = moved(Point(106.1, 21.2), "9214")
    server = Server(wfs=json.loads(collection([flat], [{"ten": "Lô"}])))
    (one,) = load_served(entry(tmp_path))
    shelf, live = city_of(tmp_path / "kept", by_connector(server), one)
    assert live.turn("dat", NOW).kind == ""
    assert server.asked[0][1]["srsName"] == "EPSG:9214"
    assert shelf.read("dat").features[0].geometry.distance(Point(106.1, 21.2)) < 1e-7


def test_pages_that_together_are_too_much_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors import ogc_features

    monkeypatch.setattr(ogc_features, "WHOLE_BYTES_MAX", 300)
    page = json.loads(points(106.1)) | {"links": [{"rel": "next", "href": "?more"}]}
    _, live = city_of(tmp_path, by_connector(Server(gauges=page)))
    state = live.turn("tram_do", NOW)
    assert (state.kind, "larger than 300 bytes" in state.why_vi) == ("changed", True)


def real(name: str, words: str) -> str:
    address = os.environ.get(name, "")
    if not address:
        pytest.skip(f"{name} names no {words} server")
    return address


@pytest.mark.parametrize(
    ("variable", "service", "options", "count"),
    [
        ("CITY_LAB_PYGEOAPI", "ogc_features", {"collection": "bac_ninh_wards"}, 99),
        ("CITY_LAB_WFS", "wfs", {"type_name": "wards", "output_format": "geojson"}, 99),
    ],
)
def test_the_wards_come_from_real_servers(
    tmp_path: Path, variable: str, service: str, options: dict[str, str], count: int
) -> None:
    """CITY_LAB_PYGEOAPI=http://127.0.0.1:8740, CITY_LAB_WFS=http://127.0.0.1:8741/wfs."""
    from connectors import session
    from connectors.ogc_features import fetch
    from tests.connectors.answering import SITES, UNTIL, FetchRequest

    address = real(variable, service)

    def asked(served: Served, now: datetime) -> tuple[bytes, str]:
        request = FetchRequest(
            source=served.key, since=UNTIL - HOUR, until=UNTIL, sites=SITES, city_site="thanh_lam", zone=ZONE,
            options={"base_url": served.url, **served.options},
        )  # fmt: skip
        (payload,) = fetch(session(), request)
        return payload.body, payload.name

    served = Served(**{**_fields(GAUGES), "url": address, "service": service, "options": options})
    shelf, live = city_of(tmp_path, asked, served)
    state = live.turn("tram_do", NOW)
    assert state.kind == "", state.why_vi
    assert shelf.read("tram_do").layer.features == count
    assert shelf.read("tram_do").layer.geometry == "polygon"
