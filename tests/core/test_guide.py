"""The guide: a part for every screen, a way for every role, one list of terms, and a search that knows no marks."""

from __future__ import annotations

import pytest

from core import guide
from core.access import ROLES, Person, may_see
from core.i18n import LANGUAGES
from tests.pages.reading import screens


def person(role: str) -> Person:
    return Person(account="someone", name="", role=role)


def test_every_screen_is_explained_in_both_languages() -> None:
    known = {one.key: one for one in guide.screens()}
    assert set(known) == set(screens())
    for one in known.values():
        for words in (one.answers, one.read, one.act):
            assert set(words) == set(LANGUAGES)
            assert words["vi"] != words["en"]
        assert one.answers["vi"].endswith("?"), f"{one.key}: a screen answers a question"


@pytest.mark.parametrize("role", ROLES)
def test_a_way_leads_only_where_its_role_may_go(role: str) -> None:
    stations = guide.ways()[role]
    assert 3 <= len(stations) <= 6
    for station in stations:
        assert station.page in screens()
        assert may_see(person(role), station.page), f"{role} is sent to {station.page}"


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_a_tour_of_four_to_six_steps_on_a_page_that_it_may_see(role: str) -> None:
    (tour,) = [one for one in guide.tours() if one.role == role]
    assert 4 <= len(tour.steps) <= 6
    assert tour.page != "wall"
    assert may_see(person(role), tour.page)
    assert guide.tour_of(role, tour.page) is tour
    assert guide.tour_of(role, "wall") is None
    for step in tour.steps:
        assert "e1" not in step.element.split("."), "no generated class names"


def test_the_terms_are_those_of_the_glossary_and_each_is_told_in_vietnamese() -> None:
    rows = [line for line in guide.GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert len(guide.terms()) == len(rows) - 1 >= 30
    for term in guide.terms():
        assert term.meaning["vi"], term.word["en"]
        assert term.meaning["vi"] != term.meaning["en"], f"«{term.word['en']}» has no Vietnamese meaning"


@pytest.mark.parametrize("asked", ["tạm gác", "tam gac", "TAM GAC", "gác tạm", ""])
def test_people_find_a_word_as_they_type_it(asked: str) -> None:
    assert guide.matches(asked, "Cảnh báo đã TẠM GÁC", "che bởi một người")


def test_a_word_that_is_not_there_is_not_found() -> None:
    assert not guide.matches("tam gac xyz", "tạm gác")
    assert guide.plain("Độ trễ Đống Đa") == "do tre dong da"


def test_priorities_freshness_and_kinds_of_numbers_are_explained() -> None:
    topics = {one.key: dict(one.lines["vi"]) for one in guide.topics()}
    assert {"tươi", "trễ", "cũ", "không có"} <= set(topics["freshness"])
    assert {"mô phỏng", "ước tính", "dự báo", "mô hình"} <= set(topics["marks"])
    assert "A" in topics["keys"]
