"""Reports on schedule: once, also after a pause; kept whole; sent once to each; the command takes what was sent."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from control import briefs as room
from control.briefs import Archive, Briefs
from core.brief import DAY
from core.errors import ConfigError, InputError
from core.ledger import Notice
from notices.courier import Courier
from notices.routes import Routes
from pipeline import Line
from reports.__main__ import main
from tests.facts_of_a_day import facts
from tests.notices.outbox import mail_channel
from tests.notices.servers import Post, post_office
from tests.pages.conftest import copy_of

REPORTS = """
[[report]]
period = "day"
at = "06:30"
formats = ["pdf", "xlsx"]
to = ["director", "vp@thanhlam.example"]
channel = "mail"
"""


@pytest.fixture
def line(demo_line: Line, tmp_path: Path) -> Iterator[Line]:
    own = copy_of(demo_line, tmp_path / "own.duckdb")
    yield own
    own.stop()


def desk_of(line: Line, tmp_path: Path, routes: Routes, text: str = REPORTS) -> Briefs:
    folder = tmp_path / "config"
    folder.mkdir(exist_ok=True)
    (folder / "reports.toml").write_text(text, encoding="utf-8")
    material = replace(line.briefs._material, city=replace(line.city, folder=folder))
    return Briefs(
        material,
        line.clock,
        routes,
        change=line.gate.change,
        contacts=line.desk.roster.contacts,
        shift_at=line.desk.roster.shift_at,
        folder=tmp_path / "reports",
        wake=lambda: None,
    )


def mail_routes(post: Post, archive: Path) -> Routes:
    channel = replace(mail_channel(post.port), archive=archive)
    return Routes(channels={channel.key: channel}, known=((channel.key, "email", True),))


def sent(line: Line) -> list[Notice]:
    return [one for one in line.store.read_notices() if one.rule == "report"]


def at(line: Line, day: date, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=line.city.zone)


def test_a_report_is_made_once_sent_once_and_made_once_after_a_pause(line: Line, tmp_path: Path) -> None:
    today = line.clock.now().astimezone(line.city.zone).date()
    with post_office() as post:
        routes = mail_routes(post, tmp_path / "reports")
        text = REPORTS.replace('"mail"', f'"{next(iter(routes.channels))}"')
        desk = desk_of(line, tmp_path, routes, text)
        (first,) = desk.turn(at(line, today, "06:30"))
        assert first.first == today - timedelta(days=1)
        assert not sent(line), "a new house begins its archive in silence"

        assert desk.turn(at(line, today, "23:00")) == []
        (second,) = desk.turn(at(line, today + timedelta(days=1), "06:31"))
        assert not second.late
        assert desk.turn(at(line, today + timedelta(days=1), "06:32")) == []
        assert len(sent(line)) == 2

        courier = Courier(line.store, routes, line.clock)
        line.clock.set(at(line, today + timedelta(days=1), "06:33"))
        courier.deliver_once()
        courier.deliver_once()
        assert sorted(to[0] for _, to, _ in post.mails) == ["nam@thanhlam.example", "vp@thanhlam.example"]
        mail: Any = post.mails[0][2]
        attached = {one.get_filename(): one.get_content() for one in mail.iter_attachments()}
        assert set(attached) == {f"demo-day-{today}.pdf", f"demo-day-{today}.xlsx"}
        kept = desk.archive.path(DAY, today, "pdf").read_bytes()
        assert attached[f"demo-day-{today}.pdf"] == kept
        assert "Tình hình điều hành" in PdfReader(io.BytesIO(kept)).pages[0].extract_text()
        assert "[DỮ LIỆU MÔ PHỎNG]" in str(mail["Subject"])

        again = desk_of(line, tmp_path, routes, text)  # the server was down for three days
        (late,) = again.turn(at(line, today + timedelta(days=4), "09:00"))
        assert late.late
        assert late.first == today + timedelta(days=3), "one late report, not three"
        assert again.turn(at(line, today + timedelta(days=4), "09:05")) == []
        assert len(sent(line)) == 4


def test_dying_before_the_facts_are_written_sends_nothing_twice(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = line.clock.now().astimezone(line.city.zone).date()
    with post_office() as post:
        routes = mail_routes(post, tmp_path / "reports")
        desk = desk_of(line, tmp_path, routes, REPORTS.replace('"mail"', f'"{next(iter(routes.channels))}"'))
        desk.turn(at(line, today, "06:30"))
        morning = at(line, today + timedelta(days=1), "06:30")
        with monkeypatch.context() as patch:
            patch.setattr(desk.archive, "settle", lambda facts: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                desk.turn(morning)
        assert len(sent(line)) == 2
        assert not desk.archive.has(DAY, today)
        assert len(desk.turn(morning + timedelta(minutes=5))) == 1
        assert len(sent(line)) == 2


def test_whoever_has_no_address_is_shown_as_not_told(line: Line, tmp_path: Path) -> None:
    today = line.clock.now().astimezone(line.city.zone).date()
    with post_office() as post:
        routes = mail_routes(post, tmp_path / "reports")
        text = REPORTS.replace('"mail"', f'"{next(iter(routes.channels))}"')
        desk = desk_of(line, tmp_path, routes, text)
        desk._contacts = {key: replace(one, email="") for key, one in desk._contacts.items()}
        desk.turn(at(line, today, "06:30"))
        desk.turn(at(line, today + timedelta(days=1), "06:30"))
    states = {one.recipient: (one.state, one.error.partition(":")[0]) for one in sent(line)}
    assert states == {"director": ("failed", "no_address"), "vp@thanhlam.example": ("queued", "")}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('"director"', '"nobody"'), "neither «duty», a contact"),
        (('channel = "mail"', 'channel = "sms"'), "no e-mail channel"),
    ],
)
def test_a_wrong_recipient_or_channel_stops_the_start(
    demo_line: Line, tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    routes = Routes(known=(("mail", "email", False), ("sms", "gateway", False)))
    with pytest.raises(ConfigError, match=words):
        desk_of(demo_line, tmp_path, routes, REPORTS.replace(*change))


def test_a_channel_that_is_off_keeps_and_does_not_send(demo_line: Line, tmp_path: Path) -> None:
    line = demo_line
    today = line.clock.now().astimezone(line.city.zone).date()
    desk = desk_of(line, tmp_path, Routes(known=(("mail", "email", False),)))
    desk.turn(at(line, today, "06:30"))
    desk.turn(at(line, today + timedelta(days=1), "06:30"))
    assert [one.first for one in desk.archive.kept()] == [today, today - timedelta(days=1)]
    assert not sent(line)


def test_the_archive_forgets_what_is_older_than_it_keeps(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for month in (1, 5, 9):
        one = facts(first=date(2026, month, 1), last=date(2026, month, 1))
        archive.write(one, {"pdf": b"x"})
        archive.settle(one)
    (tmp_path / DAY / "notes.json").write_text("{}")
    assert archive.prune(DAY, date(2026, 6, 1)) == 2
    assert [(one.first, one.formats) for one in archive.kept()] == [(date(2026, 9, 1), ("pdf",))]
    assert not (tmp_path / DAY / "2026-01-01.pdf").exists()
    with pytest.raises(InputError, match="no such report"):
        archive.read(DAY, date(2026, 1, 1))


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = Archive(tmp_path)
    archive.write(facts(), {"pdf": b"first"})
    with monkeypatch.context() as patch:
        patch.setattr(room.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(Exception, match="cannot be kept in the archive"):
            archive.write(facts(), {"pdf": b"second"})
    assert archive.path(DAY, facts().first, "pdf").read_bytes() == b"first"


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def city_store(demo_line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "city" / "demo.duckdb"
    path.parent.mkdir()
    demo_line.store.backup(path)
    monkeypatch.setenv("CITY_STORE", str(path))
    return path


@pytest.mark.parametrize("kind", ["daily", "weekly", "monthly"])
def test_the_command_makes_a_report_from_the_store(
    kind: str, city_store: Path, tmp_path: Path, demo_line: Line
) -> None:
    line = demo_line
    day = line.clock.now().astimezone(line.city.zone).date() - timedelta(days=3)
    out = tmp_path / "f.pdf"
    assert main([kind, "--city", "demo", "--date", day.isoformat(), "--out", str(out)]) == 0
    text = "".join(page.extract_text() for page in PdfReader(out).pages)
    assert "Tình hình điều hành đô thị" in text
    assert "chỉ được nạp sau khi kỳ kết thúc" in text or kind != "daily"


def test_the_command_takes_what_was_sent_and_says_in_one_line_what_is_wrong(
    city_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = Archive(city_store.parent / "reports" / "demo")
    archive.settle(facts(first=date(2026, 9, 14), last=date(2026, 9, 14)))
    out = tmp_path / "f.html"
    assert main(["daily", "--city", "demo", "--date", "2026-09-14", "--out", str(out)]) == 0
    assert "Ngập hầm chui" in out.read_text(encoding="utf-8")
    assert "taken from the archive" in capsys.readouterr().err
    for arguments, words in (
        (["daily", "--out", "f.doc"], "end the name in .pdf"),
        (["daily", "--date", "14/09/2026", "--out", "f.pdf"], "is no date"),
        (["daily", "--date", "2999-01-01", "--out", "f.pdf"], "in the future"),
        (["weekly", "--date", "0001-01-01", "--out", "f.pdf"], "no report reaches back"),
        (["daily", "--date", "2026-09-14", "--out", str(tmp_path / "gone" / "f.html")], "No such file"),
        (["daily", "--city", "atlantis", "--out", "f.pdf"], "there is no folder config/atlantis"),
    ):
        assert main(["daily", "--city", "demo", *arguments[1:]] if "--city" not in arguments else arguments) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.startswith("error: ")
        assert words in error


def test_while_the_server_owns_the_store_the_command_says_what_to_do(
    city_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.errors import StoreBusy
    from store import duck

    def busy(*_: object, **__: object) -> None:
        raise StoreBusy("demo.duckdb is in use by another process")

    monkeypatch.setattr(duck, "connect", busy)
    assert main(["daily", "--city", "demo", "--date", "2026-09-10", "--out", str(tmp_path / "f.pdf")]) == 2
    assert "download it from the page" in capsys.readouterr().err
