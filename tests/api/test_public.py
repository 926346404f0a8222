"""The open figures: off unless the city says so, without cookie or script, and never a small number."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pandas as pd
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api import public
from control.open_figures import PublicPicture
from control.studies import Study
from core.open_figures import SETTLE
from pipeline import Line
from tests.control.test_casework import answer


@pytest.fixture(scope="module")
def picture(demo_line: Line) -> PublicPicture:
    """The demo city's picture."""
    found = answer(demo_line.casework.public).value
    assert found is not None
    return found


@pytest.fixture
def client(demo_line: Line, picture: PublicPicture) -> TestClient:
    """A browser of anybody."""
    return TestClient(Starlette(routes=public.routes(lambda: demo_line)))


def test_the_page_needs_no_script_no_cookie_and_nothing_from_outside(client: TestClient) -> None:
    reply = client.get("/cong-khai")
    assert reply.status_code == 200
    assert "set-cookie" not in reply.headers
    assert "script-src" not in reply.headers["content-security-policy"]
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "<script" not in reply.text
    assert "http://" not in reply.text.replace("http://www.w3.org/2000/svg", "")
    assert "DỮ LIỆU MÔ PHỎNG" in reply.text
    assert "CC BY 4.0" in reply.text
    assert client.get("/cong-khai", headers={"If-None-Match": reply.headers["etag"]}).status_code == 304
    assert "SIMULATED" in client.get("/cong-khai?lang=en").text


def test_no_number_of_one_to_four_people_is_in_any_of_the_three(client: TestClient, picture: PublicPicture) -> None:
    rows = json.loads(client.get("/cong-khai.json").content)["rows"]
    told = [row["count"] for row in rows]
    assert not [one for one in told if one is not None and 0 < one < picture.tables.kept.k]
    table = list(csv.DictReader(io.StringIO(client.get("/cong-khai.csv").content.decode("utf-8-sig"))))
    assert [row["count"] for row in table] == ["" if row["count"] is None else str(row["count"]) for row in rows]
    assert {row["licence"] for row in table} == {"CC BY 4.0"}
    assert {row["simulated"] for row in table} == {"yes"}


def test_a_hidden_count_hides_its_percentage_too() -> None:
    hidden = public._share(pd.NA, 20, lambda _: "ẩn", "vi")
    assert hidden == "ẩn"
    assert public._share(19, 1, lambda _: "ẩn", "vi") == "95,0% (n = 20)"


def test_the_picture_is_one_closed_week_and_the_page_says_so(
    client: TestClient, demo_line: Line, picture: PublicPicture
) -> None:
    local = picture.until.astimezone(demo_line.city.zone)
    assert (local.hour, local.minute, local.weekday()) == (0, 0, 0)
    assert picture.until - picture.since == timedelta(days=7)
    assert picture.until + SETTLE <= picture.made_at
    page = client.get("/cong-khai").text
    assert "Mỗi tuần công khai một lần." in page
    assert "không chồng lên nhau" in page
    about = json.loads(client.get("/cong-khai.json").content)["about"]
    assert (about["since"], about["until"]) == (picture.since.isoformat(), picture.until.isoformat())


def test_before_the_first_whole_period_the_page_says_that_there_is_none_yet(demo_line: Line) -> None:
    waiting = SimpleNamespace(public=lambda: Study(problem="not watched"))
    young = SimpleNamespace(city=demo_line.city, casework=waiting)
    outside = TestClient(Starlette(routes=public.routes(lambda: young)))  # type: ignore[arg-type, return-value]
    reply = outside.get("/cong-khai")
    assert (reply.status_code, reply.headers["retry-after"]) == (503, public.LATER_S)
    assert "Chưa có kỳ nào" in reply.text
    assert "No period has closed yet" in outside.get("/cong-khai?lang=en").text


def test_votes_that_may_not_be_told_read_hidden(demo_line: Line, picture: PublicPicture) -> None:
    tables = replace(picture.tables, votes={})
    hidden = replace(picture, tables=tables)
    rows = public.rows_of(demo_line, hidden)
    assert not rows["table"].str.startswith("proposal").any()
    page = public.html(demo_line, hidden, "vi")
    assert page.count('<td class="num">ẩn<small>') == len(demo_line.casework.spoken())


def test_a_city_that_does_not_publish_answers_404(demo_line: Line) -> None:
    silent = SimpleNamespace(city=replace(demo_line.city, public=False), casework=demo_line.casework)
    outside = TestClient(Starlette(routes=public.routes(lambda: silent)))  # type: ignore[arg-type, return-value]
    assert [outside.get(path).status_code for path in public.PATHS] == [404, 404, 404]


def test_only_reading_of_exactly_these_paths_is_open() -> None:
    assert public.is_public("GET", "/cong-khai")
    assert public.is_public("HEAD", "/cong-khai.csv")
    for method, path in (("POST", "/cong-khai"), ("GET", "/cong-khai/x"), ("GET", "/cong-khai/../services")):
        assert not public.is_public(method, path)
