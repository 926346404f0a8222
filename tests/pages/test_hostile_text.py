"""Names, titles, notes and operators' names may hold anything: no page ever turns them into markup."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from threading import Event

import pytest
from shapely.geometry import Point

from alerts import deeds
from core.alert import Alert
from core.config import load_city
from core.ledger import Notice, Outcome
from gis.layers import described
from gis.read import Feature
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock
from tests.conftest import EVENING
from tests.pages.conftest import FLOOD, JAM, RAIN
from tests.pages.reading import ROOT, html, open_page, parts, problems, screens

BAD = (
    "<script>alert(1)</script>\"><img src=x onerror=alert(1)>' "
    "**đậm** [x](javascript:alert(1)) ![x](//evil.example/x.png) {{ 7*7 }}"
)
LONG = "Ờ" * 10_000
COMPUTED = {"brief", "citizens", "links", "roadmap"}  # they show what studies found: only then names are on them
NAMED = re.compile(
    r'^((?:name|title|cause|consequence|action|owner|centre)(?:_vi|_en)?|contact) = "(.*)"$', re.MULTILINE
)
NAMED_PEOPLE = re.compile(r'^((?:name|unit)(?:_vi|_en)?) = "(.*)"$', re.MULTILINE)  # «contact» is a key there
ACTIVE = {"script", "img", "iframe", "object", "embed", "link", "style", "form", "base", "meta", "a", "video", "audio"}


class Markup(HTMLParser):
    """Tags and attributes that a browser would see."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


@pytest.fixture(scope="module")
def hostile_line(demo_line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The demo city, with every name in its configuration replaced by an attack, and alerts with hostile deeds."""
    root = tmp_path_factory.mktemp("hostile")
    shutil.copytree(ROOT / "config" / "demo", root / "config" / "demo")
    shutil.copytree(ROOT / "data" / "demo", root / "data" / "demo")
    files = [path for path in (root / "config" / "demo").rglob("*.toml") if "scenarios" not in path.parts]
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        named = NAMED_PEOPLE if path.name == "roster.toml" else NAMED
        path.write_text(
            named.sub(lambda found: f"{found[1]} = {json.dumps(f'{found[2]} {BAD}', ensure_ascii=False)}", text),
            encoding="utf-8",
        )
    city = load_city("demo", root)
    first, *others = city.sources
    city = replace(city, sources=(replace(first, name_vi=LONG, name_en=LONG), *others))
    path = root / "hostile.duckdb"
    demo_line.store.backup(path)
    line = Line(city, DuckStore(path, zone=str(city.zone)), SetClock(EVENING))
    line.quality.measure(line.clock.now())
    line.run_once()
    said = {"kind": "other", "title": BAD, "owner": BAD, "licence": BAD, "dated": EVENING.date()}
    works = [Feature(Point(106.2, 21.28), {"ten": BAD, BAD: BAD})]
    line.shelf.put(described(works, key="works", **said), works, by=BAD, now=EVENING)
    raised = EVENING - timedelta(minutes=6)
    alerts = [
        Alert(rule=key[0], site_id=key[1], active=True, acked=False, priority=priority, value=38.0, raised_at=raised)
        for key, priority in ((FLOOD, "critical"), (RAIN, "high"), (JAM, "medium"))
    ]
    line.change(lambda _: (alerts, ()))
    name = "<img src=x onerror=alert(1)> **Hà**"
    line.change(lambda known: deeds.acknowledge(known, [FLOOD], name, EVENING))
    line.change(lambda known: deeds.comment(known, FLOOD, name, EVENING, BAD + "Ờ" * 500))
    undelivered = Notice(
        id="n1",
        made_at=raised,
        rule=FLOOD[0],
        site_id=FLOOD[1],
        deed="raise",
        happened_at=raised,
        priority="critical",
        channel="truc_ban",
        recipient=BAD,
        subject=BAD + "Ờ" * 10_000,
        text=BAD,
        state="failed",
        error=f"refused: {BAD}",
    )
    line.change(lambda _: Outcome(notices=[undelivered]))
    yield line
    line.stop()


def answered(line: Line) -> None:
    """Wait until every study that was asked so far has its answer."""
    for room in (line.studies, line.short_studies, line.briefs._studies):
        done = Event()
        room.ask(("answered", object()), lambda _, done=done: done.set(), timedelta(hours=1))
        assert done.wait(120)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", screens())
def test_text_from_outside_never_becomes_markup(
    name: str, language: str, hostile_line: Line, serve: Callable[[Line], Line]
) -> None:
    serve(hostile_line)
    query = {"alert": ":".join(FLOOD)} if name == "alert_desk" else {"ward": "90001"} if name == "map" else {}
    viewer = open_page(name, language, **query).run()
    if name in COMPUTED:
        answered(hostile_line)
        viewer.run()
    assert problems(viewer) == []
    for part, text in parts(viewer).items():
        seen = Markup(text)
        assert seen.tags & ACTIVE == set(), f"{part} of {name}"
        assert [one for one in seen.attributes if one[0].startswith("on")] == []
        assert [one for one in seen.attributes if one[0] in ("href", "src", "xlink:href")] == []
    shown = html(viewer)
    if name not in ("trends", "map", "guide", "links"):  # there names stand in charts and choices, or nowhere
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown, "the text itself is shown, as text"
    assert not any(block.proto.allow_html for block in [*viewer.markdown, *viewer.caption])
    for block in [*viewer.markdown, *viewer.caption, *viewer.info]:
        assert "](javascript:" not in str(block.value), "markdown of a name is no link"
        assert "![x](//evil" not in str(block.value), "markdown of a name loads no picture"


def test_the_journal_shows_hostile_names_as_they_were_typed(hostile_line: Line, serve: Callable[[Line], Line]) -> None:
    serve(hostile_line)
    body = parts(open_page("alert_desk", alert=":".join(FLOOD)).run())["body"]
    assert "&lt;img src=x onerror=alert(1)&gt; **Hà**" in body
    assert "{{ 7*7 }}" in body, "no template of ours reads what people type"


def test_the_tooltips_of_the_live_map_are_escaped(hostile_line: Line, serve: Callable[[Line], Line]) -> None:
    serve(hostile_line)
    viewer = open_page("map")
    viewer.session_state["canvas_known"] = "webgl"
    viewer.run()
    assert problems(viewer) == []
    (drawn,) = viewer.get("deck_gl_json_chart")
    assert "&lt;script&gt;" in drawn.proto.json
    for tooltip in re.findall(r'"tooltip": "((?:[^"\\]|\\.)*)"', drawn.proto.json):
        assert Markup(json.loads(f'"{tooltip}"')).tags <= {"b", "br"}


def test_a_name_of_ten_thousand_letters_stands_in_its_row(hostile_line: Line, serve: Callable[[Line], Line]) -> None:
    serve(hostile_line)
    assert LONG in parts(open_page("source_health").run())["body"]
