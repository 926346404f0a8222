"""The duty roster: who leads the shift of a moment, at night, on leave and at Tết, and what a roster may not say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.roster import Roster, load_roster
from core.config import ROOT, load_city
from core.errors import ConfigError

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
BASE = """
[[shift]]
key = "morning"
name_vi = "Ca sáng"
name_en = "Morning shift"
starts = "06:00"

[[shift]]
key = "afternoon"
name_vi = "Ca chiều"
starts = "14:00"

[[shift]]
key = "night"
name_vi = "Ca đêm"
starts = "22:00"

[[contact]]
key = "ha"
name = "Nguyễn Thị Minh Hà"

[[contact]]
key = "bao"
name = "Trần Quốc Bảo"

[[contact]]
key = "tuan"
name = "Phạm Văn Tuấn"

[[duty]]
shift = "morning"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
lead = "ha"
deputy = "bao"

[[duty]]
shift = "afternoon"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
lead = "bao"

[[duty]]
shift = "night"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
lead = "tuan"
deputy = "ha"
"""
Write = Callable[[str], Roster]


def at(text: str) -> datetime:
    """City time, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Roster:
        path = tmp_path / "config" / "here" / "roster.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return load_roster(path, ZONE)

    return written


def on_duty(roster: Roster, moment: str) -> tuple[str, str, str]:
    shift = roster.shift_at(at(moment))
    assert shift is not None
    return shift.key, shift.lead.key, shift.deputy.key if shift.deputy else ""


def test_without_a_file_nobody_is_known(tmp_path: Path) -> None:
    roster = load_roster(tmp_path / "roster.toml", ZONE)
    assert roster.shift_at(at("2026-11-21T10:00")) is None
    assert roster.resolve("lead", at("2026-11-21T10:00")) == ()
    assert (dict(roster.contacts), dict(roster.ladder), roster.positions) == ({}, {}, ())


def test_a_day_of_three_shifts(write: Write) -> None:
    roster = write(BASE)
    assert on_duty(roster, "2026-11-21T05:59:59.999999") == ("night", "tuan", "ha")
    assert on_duty(roster, "2026-11-21T06:00") == ("morning", "ha", "bao")
    assert on_duty(roster, "2026-11-21T13:59") == ("morning", "ha", "bao")
    assert on_duty(roster, "2026-11-21T14:00") == ("afternoon", "bao", "")
    assert on_duty(roster, "2026-11-21T22:00") == ("night", "tuan", "ha")


def test_the_night_shift_goes_on_after_midnight(write: Write) -> None:
    shift = write(BASE).shift_at(at("2026-11-22T02:30"))
    assert shift is not None
    assert (shift.key, shift.starts_at, shift.ends_at) == ("night", at("2026-11-21T22:00"), at("2026-11-22T06:00"))
    assert shift.name("vi") == "Ca đêm"
    assert shift.name("en") == "Ca đêm", "a name that nobody translated stands in both languages"


def test_a_house_with_one_shift_has_it_all_day() -> None:
    roster = load_roster(ROOT / "config" / "bac_giang" / "roster.toml", ZONE)
    shift = roster.shift_at(at("2026-11-22T03:00"))
    assert shift is not None
    assert shift.ends_at - shift.starts_at == timedelta(hours=12)


def test_one_shift_of_24_hours_follows_itself(write: Write) -> None:
    one = BASE[: BASE.index('[[shift]]\nkey = "afternoon"')] + BASE[BASE.index("[[contact]]") :]
    one = one[: one.index('[[duty]]\nshift = "afternoon"')]
    shift = write(one).shift_at(at("2026-11-22T05:00"))
    assert shift is not None
    assert (shift.starts_at, shift.ends_at) == (at("2026-11-21T06:00"), at("2026-11-22T06:00"))


# -- leave and holidays ----------------------------------------------------------------------------------------------

LEAVE = BASE + '\n[[absence]]\ncontact = "tuan"\nfrom = 2026-11-21\nto = 2026-11-22\n'


def test_on_leave_the_deputy_leads_and_nobody_stands_in_for_the_deputy(write: Write) -> None:
    roster = write(LEAVE)
    assert on_duty(roster, "2026-11-20T23:00") == ("night", "tuan", "ha")
    assert on_duty(roster, "2026-11-21T23:00") == ("night", "ha", "")
    assert on_duty(roster, "2026-11-22T23:00") == ("night", "ha", ""), "the last day of the leave is leave too"
    assert on_duty(roster, "2026-11-23T23:00") == ("night", "tuan", "ha")


def test_a_leave_counts_for_shifts_not_for_midnights(write: Write) -> None:
    """Leave from the 21st on does not end the night shift of the 20th at midnight."""
    roster = write(LEAVE)
    assert on_duty(roster, "2026-11-21T02:00") == ("night", "tuan", "ha")
    assert on_duty(roster, "2026-11-23T02:00") == ("night", "ha", ""), "nor does it begin the shift of the 22nd anew"


def test_somebody_goes_home_sick_in_the_middle_of_a_shift(write: Write) -> None:
    roster = write(BASE + '\n[[absence]]\ncontact = "ha"\nfrom = 2026-11-21T10:30:00\nto = 2026-11-21T14:00:00\n')
    assert on_duty(roster, "2026-11-21T10:29") == ("morning", "ha", "bao")
    assert on_duty(roster, "2026-11-21T10:30") == ("morning", "bao", "")
    assert on_duty(roster, "2026-11-21T23:00") == ("night", "tuan", "ha"), "back for the evening"


def test_a_deputy_on_leave_is_not_called(write: Write) -> None:
    roster = write(
        BASE + '\n[[absence]]\ncontact = "bao"\nfrom = 2026-11-21T06:00:00+07:00\nto = 2026-11-21T14:00:00+07:00\n'
    )
    assert on_duty(roster, "2026-11-21T09:00") == ("morning", "ha", "")


TET = (
    BASE
    + """
[[duty]]
shift = "morning"
days = ["holiday"]
lead = "tuan"
deputy = "ha"

[[duty]]
shift = "morning"
days = [2027-02-06]
lead = "bao"
"""
)


def test_at_tet_the_row_for_holidays_holds(write: Write) -> None:
    """Tết Đinh Mùi: the first day of the lunar year is Saturday, 6 February 2027."""
    roster = write(TET)
    assert on_duty(roster, "2027-02-01T09:00") == ("morning", "ha", "bao"), "a working Monday"
    assert on_duty(roster, "2027-02-06T09:00") == ("morning", "bao", ""), "a row of its own day beats the holiday"
    assert on_duty(roster, "2027-02-07T09:00") == ("morning", "tuan", "ha")
    assert on_duty(roster, "2027-02-07T15:00") == ("afternoon", "bao", ""), "a shift without such a row works as ever"


def test_independence_day_is_a_holiday_too(write: Write) -> None:
    assert on_duty(write(TET), "2026-09-02T08:00") == ("morning", "tuan", "ha")


# -- whom a rung calls -----------------------------------------------------------------------------------------------


def test_whom_a_rung_calls(write: Write) -> None:
    roster, morning, afternoon = write(BASE), at("2026-11-21T09:00"), at("2026-11-21T15:00")
    assert [one.key for one in roster.resolve("lead", morning)] == ["ha"]
    assert [one.key for one in roster.resolve("deputy", morning)] == ["bao"]
    assert [one.key for one in roster.resolve("deputy", afternoon)] == ["bao"], "without a deputy the lead, once more"
    assert [one.name for one in roster.resolve("tuan", morning)] == ["Phạm Văn Tuấn"]
    assert roster.resolve("nobody", morning) == ()


def test_seats_of_the_room(write: Write) -> None:
    seat = '\n[[position]]\nkey = "east"\nname_vi = "Bàn giao thông"\nname_en = "Traffic desk"\ndomains = ["traffic"]\n'
    roster = write(BASE + seat)
    assert roster.position_of["traffic"].name("en") == "Traffic desk"
    assert roster.position_of["traffic"].name("vi") == "Bàn giao thông"
    assert "weather" not in roster.position_of


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('starts = "14:00"', 'starts = "14h"', r"\[\[shift\]\] number 2: starts '14h' must be a time of day"),
        ('starts = "14:00"', 'starts = "06:00"', "starts 06:00 is given twice"),
        ('key = "night"', 'key = "morning"', "key morning is given twice"),
        ('starts = "06:00"', 'starts = "06:00"\nends = "13:00"', "morning ends at 13:00.*afternoon.*14:00.*gap"),
        ('starts = "22:00"', 'starts = "22:00"\nends = "05:00"', "night ends at 05:00.*morning.*06:00"),
        ('lead = "ha"', 'lead = "minh"', r"\[\[duty\]\] number 1: lead 'minh' is unknown; known are ha, bao, tuan"),
        ('deputy = "bao"', 'deputy = "ha"', "ha cannot be lead and deputy"),
        ('"sat", "sun"]\nlead = "bao"', '"sat"]\nlead = "bao"', "nobody is on duty in the shift afternoon on sun"),
        ('"sat", "sun"]\nlead = "bao"', '"sat", "sun", "sun"]\nlead = "bao"', "afternoon has a row for sun already"),
        ('"sat", "sun"]\nlead = "bao"', '"sat", "cn"]\nlead = "bao"', "days must list mon.*not 'cn'"),
        ('[[contact]]\nkey = "bao"', '[[contact]]\nkey = "lead"', "the key lead means whoever is on duty"),
        ('[[contact]]\nkey = "bao"', '[[contact]]\nkey = "ha"', "the key ha is given twice"),
        ('name = "Nguyễn Thị Minh Hà"', 'name = " "', r"\[\[contact\]\] number 1: name is empty"),
        ('name = "Nguyễn Thị Minh Hà"', 'name = "Hà"\nzalo = "x"', r"\[\[contact\]\] number 1: unknown key zalo"),
        ("[[shift]]\n", "least = 1\n[[shift]]\n", "here/roster.toml: unknown key least"),
    ],
)  # fmt: skip
def test_a_wrong_roster_is_refused_with_its_place(old: str, new: str, words: str, write: Write) -> None:
    assert old in BASE
    with pytest.raises(ConfigError, match=words) as refused:
        write(BASE.replace(old, new, 1))
    assert str(refused.value).startswith("config/here/roster.toml")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ('[[absence]]\ncontact = "ha"\nfrom = 2026-11-22\nto = 2026-11-21\n', "to must lie after from"),
        ('[[absence]]\ncontact = "ha"\nfrom = 2026-11-22\nto = 2028-11-21\n', "not more than 366 days"),
        ('[[absence]]\ncontact = "ha"\nfrom = 2026-11-22\nto = 2026-11-22T10:00:00\n', "both be days, or both be t"),
        ('[[absence]]\ncontact = "an"\nfrom = 2026-11-22\nto = 2026-11-22\n', "contact 'an' is unknown"),
        ('[[absence]]\ncontact = "bao"\nfrom = 2026-11-22\nto = 2026-11-22\n',
         "in the shift afternoon of 2026-11-22 neither lead nor deputy is there"),
        ('[[absence]]\ncontact = "tuan"\nfrom = 2026-11-21\nto = 2026-11-23\n'
         '[[absence]]\ncontact = "ha"\nfrom = 2026-11-22T01:00:00\nto = 2026-11-22T02:00:00\n',
         "in the shift night of 2026-11-21 neither"),
        ('[[ladder]]\npriority = "critical"\nafter_min = 5\nto = "boss"\n', "to 'boss' is unknown; known are lead, de"),
        ('[[ladder]]\npriority = "severe"\nafter_min = 5\nto = "lead"\n', "priority 'severe' is unknown"),
        ('[[ladder]]\npriority = "high"\nafter_min = 0\nto = "lead"\n', "after_min 0 must be 1 or more"),
        ('[[ladder]]\npriority = "high"\nafter_min = 9\nto = "lead"\n[[ladder]]\npriority = "high"\nafter_min = 9\n'
         'to = "ha"\n', "number 2: after_min 9 must be.*more than that of the rung before"),
        ('[[position]]\nkey = "a"\nname_vi = "A"\ndomains = ["air"]\n', "domain 'air' is not one of traffic"),
        ('[[position]]\nkey = "a"\nname_vi = "A"\ndomains = ["traffic"]\n'
         '[[position]]\nkey = "b"\nname_vi = "B"\ndomains = ["traffic"]\n', "a watches traffic already"),
        ('[[position]]\nkey = "a"\nname_vi = "A"\ndomains = ["traffic"]\n'
         '[[position]]\nkey = "a"\nname_vi = "B"\ndomains = ["weather"]\n', "position.*key a is given twice"),
    ],
)  # fmt: skip
def test_absences_ladder_and_seats_that_cannot_be(more: str, words: str, write: Write) -> None:
    with pytest.raises(ConfigError, match=words):
        write(f"{BASE}\n{more}")


def test_a_ladder_to_the_lead_needs_shifts(write: Write) -> None:
    with pytest.raises(ConfigError, match="to 'lead' is unknown; known are ha"):
        write('[[contact]]\nkey = "ha"\nname = "Hà"\n[[ladder]]\npriority = "high"\nafter_min = 5\nto = "lead"\n')


def test_entries_must_be_tables(write: Write) -> None:
    with pytest.raises(ConfigError, match=r"must be written as \[\[contact\]\]"):
        write('contact = ["ha"]\n')


# -- the shipped rosters ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["demo", "bac_giang"])
def test_the_shipped_cities_have_somebody_on_duty_at_any_hour_of_two_years(key: str) -> None:
    city = load_city(key)
    roster = load_roster(city.folder / "roster.toml", city.zone)
    moment, end = at("2026-01-01T00:00"), at("2028-01-01T00:00")
    while moment < end:
        shift = roster.shift_at(moment)
        assert shift is not None
        assert shift.starts_at <= moment < shift.ends_at
        moment += timedelta(hours=7)
    assert set(roster.ladder) >= {"critical", "high"}, "the loudest alerts climb"


def test_the_demo_city_keeps_the_three_shifts_of_its_wall() -> None:
    roster = load_roster(ROOT / "config" / "demo" / "roster.toml", ZONE)
    names = [roster.shift_at(at(f"2026-11-19T{hour}")) for hour in ("06:00", "14:00", "22:00")]
    assert [(one.name("vi"), one.lead.name) for one in names if one] == [
        ("Ca sáng", "Nguyễn Thị Minh Hà"), ("Ca chiều", "Trần Quốc Bảo"), ("Ca đêm", "Phạm Văn Tuấn"),
    ]  # fmt: skip
    assert set(roster.position_of) == {"traffic", "environment", "weather", "services", "reports", "operations"}


DEMO = load_roster(ROOT / "config" / "demo" / "roster.toml", ZONE)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)))
def test_one_shift_after_the_other_without_gap_or_overlap(naive: datetime) -> None:
    now = naive.replace(tzinfo=UTC)
    shift = DEMO.shift_at(now)
    assert shift is not None
    assert shift.starts_at <= now < shift.ends_at
    following = DEMO.shift_at(shift.ends_at)
    assert following is not None
    assert following.starts_at == shift.ends_at
    assert following.key != shift.key
