"""Roles after the law: least privilege, the administration apart from the audit; and who is meant by people.toml."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.access import MAY, NO_ROLE, ROLES, SEE, Denied, People, Person, check, load_people, may, may_see
from core.config import ROOT, load_city
from core.errors import ConfigError

DESK = {
    "acknowledge", "unacknowledge", "reset", "shelve", "unshelve", "assign", "comment", "tick_step", "untick_step",
    "join", "split", "lead", "status", "mute_wall", "unmute_wall", "show_on_wall", "release_wall", "draft_handover",
    "sign_out", "sign_in", "export_cap", "try_rule", "deliver_file", "read_delivery", "remind_unit",
}  # fmt: skip
RIGHTS = {  # written down once more, by hand: the table of the product must agree with this one
    "viewer": set(),
    "operator": DESK,
    "supervisor": DESK
    | {"take_out_of_service", "return_to_service", "resend_notice", "drop_notice", "end_drill", "lock_pilot"}
    | {"plan_task", "change_task", "start_task", "finish_task", "reopen_task", "drop_task", "undo_task"}
    | {"record_decision", "enter_number", "export_decisions", "answer_criterion", "restore_answer"}
    | {"make_survey_link", "revoke_survey_link", "import_ratings"},
    "admin": {
        "resend_notice",
        "try_rule",
        "import_layer",
        "remove_layer",
        "make_survey_link",
        "revoke_survey_link",
        "import_ratings",
    },
    "auditor": {"read_audit", "export_audit"},
    NO_ROLE: set(),
}
OPEN = {
    "overview", "traffic", "environment", "services", "map", "trends", "alert_desk", "source_health", "wall", "layers",
}  # fmt: skip
PAGES = {
    "viewer": OPEN,
    "operator": OPEN | {"handover", "drill", "rule_trial", "messages"},
    "supervisor": OPEN | {"handover", "drill", "rule_trial", "messages"},
    "admin": OPEN | {"rule_trial", "messages"},
    "auditor": OPEN | {"handover", "drill", "rule_trial", "messages", "audit"},
    NO_ROLE: set(),
}
EVERY_PAGE = sorted(OPEN | set(SEE))
TOKEN = "a-token-that-is-long-and-random-0123456789"
HASH = hashlib.sha256(TOKEN.encode()).hexdigest()


def person(role: str) -> Person:
    return Person(account="u-1", name="Nguyễn Thị Bình", role=role)


def people(tmp_path: Path, text: str, **environ: str) -> People:
    path = tmp_path / "config" / "demo" / "people.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load_people(path, environ, areas={"90001", "90002"}, pages=EVERY_PAGE)


# -- every role with every deed and every page -------------------------------------------------------------------------


@pytest.mark.parametrize("role", RIGHTS)
@pytest.mark.parametrize("action", [*MAY, "invented"])
def test_every_role_with_every_deed(role: str, action: str) -> None:
    allowed = action in RIGHTS[role]
    assert may(person(role), action) == allowed
    if allowed:
        check(person(role), action)
    else:
        with pytest.raises(Denied):
            check(person(role), action)


@pytest.mark.parametrize("role", PAGES)
@pytest.mark.parametrize("page", EVERY_PAGE)
def test_every_role_with_every_page(role: str, page: str) -> None:
    assert may_see(person(role), page) == (page in PAGES[role])


def test_the_tables_know_the_same_roles_and_deeds() -> None:
    assert set(ROLES) == set(RIGHTS) - {NO_ROLE}
    assert set(MAY) == set().union(*RIGHTS.values())


def test_the_administration_is_apart_from_the_audit() -> None:
    """Domain reference 9: who runs the system must not be able to look after the trace, nor the other way round."""
    assert not RIGHTS["admin"] & RIGHTS["auditor"]
    assert not RIGHTS["auditor"] & RIGHTS["supervisor"]
    assert not may(person("admin"), "acknowledge")


@pytest.mark.parametrize("action", MAY)
@pytest.mark.parametrize("role", ROLES)
def test_a_wall_does_nothing_whatever_its_role_says(action: str, role: str) -> None:
    assert not may(replace(person(role), kind="wall"), action)


def test_a_wall_sees_the_pages_of_its_entry_alone() -> None:
    wall = Person(account="wall_1", name="Tường", role="viewer", kind="wall", pages=frozenset({"wall"}))
    assert may_see(wall, "wall")
    assert [page for page in EVERY_PAGE if may_see(wall, page)] == ["wall"]


def test_an_operator_of_a_ward_acts_in_the_ward_and_not_on_the_whole_city() -> None:
    of_ward = replace(person("operator"), areas=frozenset({"90001"}))
    check(of_ward, "acknowledge", ["90001"])
    for areas in (["90002"], ["90001", "90002"], [""]):
        with pytest.raises(Denied, match="Nguyễn Thị Bình") as denied:
            check(of_ward, "acknowledge", areas)
        assert "outside the scope" in denied.value.words("en")
        assert "ngoài phạm vi" in denied.value.words("vi")
    check(person("operator"), "acknowledge", ["90002", ""])


# -- people.toml -------------------------------------------------------------------------------------------------------

FILE = f"""
proxies = ["10.0.0.5"]

[session]
idle_min = 15
longest_h = 8

[[role]]
account = "sub-chief"
role = "supervisor"

[[role]]
email = "Lan@Thanhlam.example"
role = "auditor"

[[role]]
claim = "groups"
value = "ward-90001"
role = "operator"
areas = ["90001"]

[[role]]
claim = "department"
value = "ioc"
role = "viewer"

[[wall]]
key = "wall_1"
name = "Tường phòng trực"
token_hash = "{HASH}"
pages = ["wall", "overview"]
networks = ["10.1.2.0/24", "fd00::/8"]
"""


def signed_in(found: People, **claims: object) -> Person:
    return found.person(claims, session="s", address="10.9.9.9", port=5555)


def test_a_role_comes_from_account_e_mail_or_claim(tmp_path: Path) -> None:
    found = people(tmp_path, FILE)
    assert found.idle == timedelta(minutes=15)
    assert found.longest == timedelta(hours=8)
    assert signed_in(found, sub="sub-chief").role == "supervisor"
    assert signed_in(found, sub="x", email="lan@thanhlam.example").role == "auditor"
    of_ward = signed_in(found, sub="x", groups=["all", "ward-90001"])
    assert (of_ward.role, of_ward.areas) == ("operator", frozenset({"90001"}))
    assert signed_in(found, sub="x", department="ioc").role == "viewer"
    assert signed_in(found, sub="x", department="ioc").areas is None
    assert (of_ward.session, of_ward.source_address, of_ward.source_port) == ("s", "10.9.9.9", 5555)


def test_the_first_entry_that_fits_counts(tmp_path: Path) -> None:
    assert signed_in(people(tmp_path, FILE), sub="sub-chief", email="lan@thanhlam.example").role == "supervisor"


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "somebody"},
        {"sub": "x", "email": "lan@thanhlam.example", "email_verified": False},
        {"sub": "x", "groups": "ward-90001-not"},
        {"sub": "x", "groups": ["WARD-90001"]},
        {"sub": "x", "groups": None, "email": 7},
        {"email": "lan@thanhlam.example"},
        {},
    ],
)
def test_whom_the_file_does_not_name_has_no_role_and_no_area(tmp_path: Path, claims: dict[str, object]) -> None:
    """An address that the provider calls unverified is nobody's; a token without a subject is nobody at all."""
    stranger = signed_in(people(tmp_path, FILE), **claims)
    assert stranger.role == NO_ROLE
    assert stranger.areas == frozenset()


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"sub": "u7", "name": "Trần Văn An", "email": "an@x"}, "Trần Văn An"),
        ({"sub": "u7", "name": "  ", "preferred_username": "an.tv"}, "an.tv"),
        ({"sub": "u7", "email": "an@x"}, "an@x"),
        ({"sub": "u7", "name": 5}, "u7"),
        ({"sub": "u7"}, "u7"),
    ],
)
def test_a_name_is_found_even_where_the_provider_leaves_it_out(claims: dict[str, object], name: str) -> None:
    assert signed_in(People(), **claims).name == name


def test_the_token_of_a_wall_fits_its_hash_and_its_network(tmp_path: Path) -> None:
    found = people(tmp_path, FILE)
    wall = found.wall(TOKEN, "10.1.2.77")
    assert wall is not None
    assert wall.pages == {"wall", "overview"}
    assert found.wall(TOKEN, "fd00::7") is not None
    assert found.wall(TOKEN, "10.1.3.1") is None, "a token that was carried elsewhere"
    assert found.wall(TOKEN, "") is None
    assert found.wall(HASH, "10.1.2.77") is None, "the hash is no key"
    assert found.wall("", "10.1.2.77") is None
    assert found.wall("\udcff", "10.1.2.77") is None


def test_a_hash_may_come_from_the_environment(tmp_path: Path) -> None:
    text = FILE.replace(HASH, "env:WALL_1")
    assert people(tmp_path, text, WALL_1=HASH).wall(TOKEN, "10.1.2.3") is not None
    with pytest.raises(ConfigError, match="WALL_1"):
        people(tmp_path, text)


def test_without_the_file_nobody_has_a_role(tmp_path: Path) -> None:
    found = load_people(tmp_path / "people.toml", {})
    assert signed_in(found, sub="anybody", groups=["ioc-admin"]).role == NO_ROLE
    assert found.wall(TOKEN, "127.0.0.1") is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('colour = "red"', "unknown key colour"),
        ("[session]\nidle = 5", r"\[session\]: unknown key idle"),
        ("[session]\nidle_min = 0", "idle_min must be more than 0"),
        ("[session]\nlongest_h = true", "longest_h must be int or float"),
        ('[[role]]\naccount = "a"\nrole = "king"', "'king' is not one of viewer"),
        ('[[role]]\nrole = "viewer"', "say who"),
        ('[[role]]\naccount = "a"\nemail = "b"\nrole = "viewer"', "say who"),
        ('[[role]]\nclaim = "groups"\nrole = "viewer"', "say who"),
        ('[[role]]\naccount = "a"\nvalue = "b"\nrole = "viewer"', "say who"),
        ('[[role]]\naccount = ""\nrole = "viewer"', "account is empty"),
        ('[[role]]\naccount = "a"\nrole = "viewer"\nareas = ["99999"]', "area 99999 is not in areas.toml"),
        ('[[role]]\naccount = "a"\nrole = "viewer"\nareas = []', "areas is empty"),
        ('role = ["viewer"]', r"\[\[role\]\] number 1: must be a table"),
        ('[[wall]]\nkey = "w"\nname = "W"\ntoken_hash = "secret"', "64 small hex digits"),
        (f'[[wall]]\nkey = "w"\nname = "W"\ntoken_hash = "{HASH}"\npages = ["attic"]', "no page attic"),
        (f'[[wall]]\nkey = "w"\nname = "W"\ntoken_hash = "{HASH}"\npages = ["audit"]', "a wall only reads"),
        (f'[[wall]]\nkey = "w"\nname = "W"\ntoken_hash = "{HASH}"\nnetworks = ["hall 3"]', "'hall 3' is no address"),
        ('proxies = ["10.0.0.5/99"]', "proxies"),
        ('proxies = [""]', "list of words"),
    ],
)
def test_a_wrong_file_stops_the_start_and_says_where(tmp_path: Path, wrong: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"config/demo/people.toml.*{says}"):
        people(tmp_path, wrong)


@pytest.mark.parametrize("key", ["key", "token_hash"])
def test_two_walls_never_share_a_key_or_a_token(tmp_path: Path, key: str) -> None:
    one = f'[[wall]]\nkey = "a"\nname = "A"\ntoken_hash = "{HASH}"\n'
    other = one.replace(HASH, "0" * 64) if key == "key" else one.replace('"a"', '"b"')
    with pytest.raises(ConfigError, match=f"the same {key}"):
        people(tmp_path, one + other)


@pytest.mark.parametrize("city", ["demo", "bac_giang"])
def test_the_cities_name_a_group_for_every_role_and_no_wall(city: str) -> None:
    """A fresh installation must not know any token."""
    path = ROOT / "config" / city / "people.toml"
    found = load_people(path, {}, areas=set(load_city(city).areas.index), pages=EVERY_PAGE)
    assert {grant.role for grant in found.grants} == set(ROLES)
    assert found.walls == ()
