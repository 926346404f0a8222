"""The shift handover: made from the state, signed by two people, and after that the same for ever."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from alerts.deeds import Deed, perform
from alerts.desk import Desk, load_desk
from alerts.handover import content, draft, handover_id, leaving, sign_in, sign_out, to_review
from alerts.playbooks import tick
from alerts.refusals import Refused
from alerts.roster import Roster, load_roster
from core.alert import Alert
from core.config import load_city
from core.ledger import Handover, Ledger, Notice, Outcome, Situation
from indicators import catalogue
from store.duck import DuckStore

HA, BAO, TUAN = "Nguyễn Thị Minh Hà", "Trần Quốc Bảo", "Phạm Văn Tuấn"
CITY = load_city("demo")
FLOOD, RAIN, JAM, AIR = (
    ("underpass_flood", "flood_01"), ("heavy_rain", "rain_01"), ("congestion_segment", "road_01"),
    ("air_quality", "air_01"),
)  # fmt: skip
AFTERNOON = "BG-20261119-2200"


def at(text: str, day: int = 19) -> datetime:
    """City time of a day in November 2026; 19 is a Thursday."""
    return datetime.fromisoformat(f"2026-11-{day:02}T{text}:00+07:00")


@pytest.fixture(scope="module")
def desk() -> Desk:
    return load_desk(CITY, catalogue())


def alert(key: tuple[str, str], **changes: object) -> Alert:
    began = at("21:30")
    made = Alert(
        rule=key[0], site_id=key[1], active=True, acked=False, priority="high", value=38.0, began_at=began,
        raised_at=began, seen_at=began,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


EVENING = (
    alert(FLOOD, priority="critical", situation="VV-0042"),
    alert(RAIN, acked=True, acked_by=HA, acked_at=at("21:35"), situation="VV-0042"),
    alert(JAM, hidden="SHLVD", hidden_until=at("23:30"), hidden_by=HA, hidden_reason="thi công", hidden_at=at("21:31")),
    alert(
        AIR, hidden="OOSRV", hidden_until=at("17:00", 25), hidden_by=BAO, hidden_reason="hiệu chuẩn",
        work_order="PYC-17",
    ),
    alert(("road_flood", "flood_02"), hidden="DSUPR"),
    alert(("noise_over_limit", "noise_01"), active=False, acked=True),
)  # fmt: skip
HA_MAIL = "ha@thanhlam.example"
STUCK = tuple(
    Notice(
        id=f"n{number}", made_at=at("21:30"), rule=key[0], site_id=key[1], deed="raise", happened_at=at("21:30"),
        priority=priority, channel=channel, recipient=HA_MAIL, subject="", text="", state=state,
    )
    for number, (key, priority, channel, state) in enumerate(
        [
            (RAIN, "high", "mail", "failed"), (FLOOD, "high", "mail", "unclear"),
            (FLOOD, "critical", "gateway", "failed"), (("situation", "VV-0041"), "", "mail", "failed"),
        ]
    )
)  # fmt: skip
RAINY = Situation(id="VV-0042", opened_at=at("21:32"), status="handling", lead=HA, unit="Thoát nước")


@pytest.fixture
def evening() -> Ledger:
    return Ledger({one.key: one for one in EVENING}, situations={RAINY.id: RAINY})


def written(before: Ledger, outcome: Outcome) -> Ledger:
    """The ledger as the store gives it back: unsigned notes, and the last complete one."""
    notes = {one.id: one for one in (*before.handovers, *outcome.handovers)}
    return replace(
        before,
        alerts={**before.alerts, **{one.key: one for one in outcome.alerts}},
        steps={**before.steps, **{(one.rule, one.site_id, one.began_at, one.step): one for one in outcome.steps}},
        handovers=tuple(sorted(notes.values(), key=lambda one: one.made_at, reverse=True)),
    )


def facts(note: Handover) -> dict[str, Any]:
    return json.loads(note.content)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.words("en") != caught.value.words("vi")
    return caught.value.code


# -- what the note says ----------------------------------------------------------------------------------------------


def test_the_note_is_made_from_the_state(desk: Desk, evening: Ledger) -> None:
    (note,) = draft(
        replace(evening, undelivered=STUCK), desk, f" {BAO} ", at("21:50"), note=" Bơm số 2 hỏng. "
    ).handovers
    assert (note.id, note.shift, note.made_by, note.made_at) == (AFTERNOON, "afternoon", BAO, at("21:50"))
    assert (note.note, note.signed_out_at, note.signed_in_at) == ("Bơm số 2 hỏng.", None, None)
    said = facts(note)
    assert [(one["rule"], one["priority"], one["state"]) for one in said["open"]] == [
        ("underpass_flood", "critical", "UNACK"), ("heavy_rain", "high", "ACKED"),
    ]  # fmt: skip
    assert said["open"][0]["title_vi"] == desk.by_key["underpass_flood"].title_vi
    assert said["open"][0]["raised_at"] == at("21:30").isoformat()
    assert [(one["rule"], one["acked_by"]) for one in said["unassigned"]] == [("heavy_rain", HA)]
    (shelved,) = said["shelved"]
    assert (shelved["rule"], shelved["until"], shelved["by"], shelved["reason"]) == (
        "congestion_segment", at("23:30").isoformat(), HA, "thi công",
    )  # fmt: skip
    (service,) = said["out_of_service"]
    assert (service["rule"], service["work_order"], service["until"]) == (
        "air_quality", "PYC-17", at("17:00", 25).isoformat(),
    )  # fmt: skip
    assert said["suppressed"] == 1, "counted, not listed"
    (situation,) = said["situations"]
    assert (situation["id"], situation["status"], situation["lead"], situation["alerts"]) == (
        "VV-0042", "handling", HA, 2,
    )  # fmt: skip
    assert (said["shift"]["lead"], said["next"]["key"], said["next"]["lead"]) == (BAO, "night", TUAN)
    assert said["undelivered"] == 4
    assert [(one["rule"], one["priority"], one["notices"], one["channels"]) for one in said["not_told"]] == [
        ("underpass_flood", "critical", 2, ["gateway", "mail"]), ("heavy_rain", "high", 1, ["mail"]),
        ("situation", "", 1, ["mail"]),
    ]  # fmt: skip
    assert said["not_told"][0]["title_vi"] == desk.by_key["underpass_flood"].title_vi
    assert HA_MAIL not in note.content, "addresses are forgotten with the notices; a note is kept"


def test_what_is_not_known_is_not_called_none(desk: Desk, evening: Ledger) -> None:
    said = facts(draft(evening, desk, BAO, at("21:50")).handovers[0])
    assert (said["undelivered"], said["not_told"]) == (None, None)


def test_assigned_work_is_not_listed_as_nobodys(desk: Desk, evening: Ledger) -> None:
    for given in ({"assignee": HA}, {"unit": "Thoát nước"}):
        rain = replace(evening[RAIN], **given)
        said = facts(draft(replace(evening, alerts={RAIN: rain}), desk, BAO, at("21:50")).handovers[0])
        assert said["unassigned"] == []
        assert len(said["open"]) == 1


def test_open_playbook_steps_with_what_is_late(desk: Desk, evening: Ledger) -> None:
    known = written(evening, tick(evening, desk.playbooks, FLOOD, 1, BAO, at("21:31")))
    said = content(known, desk, desk.roster.shift_at(at("21:50")), at("21:50"))  # type: ignore[arg-type]
    (flood,) = [one for one in said["steps"] if one["rule"] == FLOOD[0]]
    assert (flood["playbook"], flood["done"], flood["total"]) == ("flooding", 1, 6)
    assert [(one["step"], one["overdue"]) for one in flood["open"]] == [
        (2, True), (3, True), (4, False), (5, False), (6, False),
    ]  # fmt: skip
    assert flood["open"][0]["due_at"] == at("21:35").isoformat()
    assert not any(one["rule"] == "road_flood" for one in said["steps"]), "suppressed by design: nobody's work"


def test_a_playbook_that_is_through_is_no_pending_work(desk: Desk, evening: Ledger) -> None:
    known = evening
    for step in range(1, 7):
        known = written(known, tick(known, desk.playbooks, FLOOD, step, BAO, at("21:40"), "đã làm"))
    said = facts(draft(known, desk, BAO, at("21:50")).handovers[0])
    assert not any(one["rule"] == FLOOD[0] for one in said["steps"])


# -- which shift hands over ------------------------------------------------------------------------------------------


def named(roster: Roster, now: datetime, *notes: Handover) -> str:
    shift = leaving(roster, notes, now)
    assert shift is not None
    return handover_id(shift, roster.zone)


def complete(id: str) -> Handover:
    return Handover(
        id=id, shift="x", made_at=at("12:00"), made_by=HA, content="{}", signed_out_at=at("12:00"), signed_out_by=HA,
        signed_in_at=at("12:01"), signed_in_by=BAO,
    )  # fmt: skip


def test_the_night_shift_hands_over_on_the_morning_after(desk: Desk) -> None:
    assert named(desk.roster, at("05:50", 20)) == "BG-20261120-0600"
    assert named(desk.roster, at("22:30"), complete(AFTERNOON)) == "BG-20261120-0600"


def test_for_two_hours_a_late_note_is_still_that_of_the_shift_before(desk: Desk) -> None:
    assert named(desk.roster, at("21:59")) == AFTERNOON
    assert named(desk.roster, at("22:10")) == AFTERNOON
    assert named(desk.roster, at("23:59")) == AFTERNOON
    assert named(desk.roster, at("00:00", 20)) == "BG-20261120-0600"
    signed_out = replace(complete(AFTERNOON), signed_in_at=None)
    assert named(desk.roster, at("22:10"), signed_out) == AFTERNOON, "half signed is not done"
    assert named(desk.roster, at("22:10"), complete(AFTERNOON)) == "BG-20261120-0600"
    assert named(desk.roster, at("22:10"), complete("BG-20261119-1400")) == AFTERNOON


def test_without_a_roster_there_is_no_handover(desk: Desk, evening: Ledger, tmp_path: Path) -> None:
    nobody = replace(desk, roster=load_roster(tmp_path / "roster.toml", CITY.zone))
    assert refusal(lambda: draft(evening, nobody, BAO, at("21:50"))) == "no_roster"


# -- signatures ------------------------------------------------------------------------------------------------------


def test_two_people_sign_and_then_nothing_changes(desk: Desk, evening: Ledger) -> None:
    known = written(evening, draft(evening, desk, BAO, at("21:40"), note="Lần một"))
    known = written(known, draft(known, desk, BAO, at("21:45"), note="Lần hai"))
    assert [one.note for one in known.handovers] == ["Lần hai"], "a draft may be made anew"
    known = written(known, sign_out(known, AFTERNOON, BAO, at("21:58"), desk))
    (note,) = known.handovers
    assert (note.signed_out_at, note.signed_out_by, note.signed_in_at) == (at("21:58"), BAO, None)
    assert refusal(lambda: draft(known, desk, HA, at("21:59"), note="khác")) == "handover_signed"
    assert refusal(lambda: sign_out(known, AFTERNOON, HA, at("21:59"), desk)) == "handover_signed"
    known = written(known, sign_in(known, AFTERNOON, TUAN, at("22:03")))
    (done,) = known.handovers
    assert done == replace(note, signed_in_at=at("22:03"), signed_in_by=TUAN)
    assert refusal(lambda: sign_in(known, AFTERNOON, HA, at("22:04"))) == "handover_closed"
    assert refusal(lambda: sign_out(known, AFTERNOON, HA, at("22:04"), desk)) == "handover_signed"


def test_signing_out_makes_the_note_once_more_from_that_moment(desk: Desk, evening: Ledger) -> None:
    known = written(evening, draft(replace(evening, undelivered=()), desk, BAO, at("21:40")))
    assert facts(known.handovers[0])["not_told"] == []
    worked = tick(known, desk.playbooks, FLOOD, 2, BAO, at("21:55"), "35 cm")
    known = written(written(known, worked), Outcome([replace(evening[JAM], hidden=None)]))
    (note,) = sign_out(replace(known, undelivered=STUCK), AFTERNOON, BAO, at("21:58"), desk).handovers
    said = facts(note)
    assert note.made_at == at("21:58")
    assert len(said["open"]) == 3
    assert said["shelved"] == []
    assert [one["done"] for one in said["steps"] if one["rule"] == FLOOD[0]] == [1]
    assert (said["undelivered"], len(said["not_told"])) == (4, 3)
    assert said["shift"]["key"] == "afternoon"


def test_frozen_means_frozen(desk: Desk, evening: Ledger) -> None:
    known = written(evening, draft(evening, desk, BAO, at("21:40")))
    known = written(known, sign_out(known, AFTERNOON, BAO, at("21:58"), desk))
    before = known.handovers[0].content
    known = replace(known, alerts={})
    assert sign_in(known, AFTERNOON, TUAN, at("22:03")).handovers[0].content == before


def test_signing_out_keeps_the_messages_that_were_drafted_where_it_knows_none(desk: Desk, evening: Ledger) -> None:
    known = written(evening, draft(replace(evening, undelivered=STUCK), desk, BAO, at("21:40")))
    said = facts(sign_out(known, AFTERNOON, BAO, at("21:58"), desk).handovers[0])
    assert (said["undelivered"], len(said["not_told"])) == (4, 3)


@pytest.mark.parametrize("same", [BAO, f"  {BAO.upper()} ", "Trần  Quốc Bảo"])
def test_nobody_hands_over_to_themselves(same: str, desk: Desk, evening: Ledger) -> None:
    known = written(evening, draft(evening, desk, BAO, at("21:40")))
    known = written(known, sign_out(known, AFTERNOON, BAO, at("21:58"), desk))
    assert refusal(lambda: sign_in(known, AFTERNOON, same, at("22:03"))) == "handover_same_person"


def test_the_order_of_signatures(desk: Desk, evening: Ledger) -> None:
    known = written(evening, draft(evening, desk, BAO, at("21:40")))
    assert refusal(lambda: sign_in(known, AFTERNOON, TUAN, at("22:03"))) == "handover_not_signed_out"
    assert refusal(lambda: sign_in(known, "BG-20261119-1400", TUAN, at("22:03"))) == "unknown_handover"
    assert refusal(lambda: sign_out(known, "BG-20261119-1400", TUAN, at("22:03"), desk)) == "unknown_handover"
    for nameless in (
        lambda: draft(known, desk, " ", at("21:50")),
        lambda: sign_out(known, AFTERNOON, "", at("21:50"), desk),
        lambda: sign_in(known, AFTERNOON, "", at("21:50")),
    ):
        assert refusal(nameless) == "actor_missing"


def test_a_forgotten_draft_is_not_signed_behind_a_later_note(desk: Desk, evening: Ledger) -> None:
    """The ledger holds only the last complete note: writing an older one could overwrite what two people signed."""
    forgotten = draft(evening, desk, BAO, at("21:40")).handovers[0]
    known = replace(evening, handovers=(complete("BG-20261120-0600"), forgotten))
    assert refusal(lambda: sign_out(known, AFTERNOON, BAO, at("06:30", 20), desk)) == "handover_superseded"
    assert refusal(lambda: draft(known, desk, BAO, at("21:50"))) == "handover_superseded", "a clock that was put back"


def test_a_leaving_shift_that_was_not_relieved_may_be_signed_in_later(desk: Desk, evening: Ledger) -> None:
    known = written(evening, draft(evening, desk, BAO, at("21:40")))
    known = written(known, sign_out(known, AFTERNOON, BAO, at("21:58"), desk))
    known = replace(known, handovers=(complete("BG-20261120-0600"), *known.handovers))
    assert sign_in(known, AFTERNOON, TUAN, at("07:00", 20)).handovers[0].signed_in_by == TUAN


def test_while_the_lead_is_on_leave_the_note_names_the_deputy_who_leads_next(desk: Desk, evening: Ledger) -> None:
    """Phạm Văn Tuấn is away over Christmas: the afternoon of the 24th hands over to his deputy."""
    christmas = datetime.fromisoformat("2026-12-24T21:50:00+07:00")
    said = facts(draft(evening, desk, BAO, christmas).handovers[0])
    assert said["next"]["lead"] == desk.roster.contacts["director"].name
    assert said["next"]["deputy"] == ""


# -- shelves to look at ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("moment", "asked"), [("20:59", False), ("21:00", True), ("21:59", True), ("22:00", False)])
def test_in_the_last_hour_of_a_shift_its_shelves_are_to_be_reviewed(
    moment: str, asked: bool, desk: Desk, evening: Ledger
) -> None:
    shift = desk.roster.shift_at(at("20:00"))
    assert shift is not None
    assert [one.key for one in to_review(evening, shift, at(moment))] == ([JAM] if asked else [])


# -- in the store, through the one gate of deeds ---------------------------------------------------------------------


def test_a_restart_between_the_signatures(tmp_path: Path, desk: Desk) -> None:
    path = tmp_path / "desk.duckdb"

    def act(store: DuckStore, now: datetime, actor: str, **deed: Any) -> None:
        store.change_alerts(lambda ledger: perform(Deed(**deed), ledger, desk, actor=actor, now=now))

    store = DuckStore(path, zone=str(CITY.zone))
    store.change_alerts(lambda _: Outcome(EVENING))
    act(store, at("21:40"), BAO, action="draft_handover", text="Bơm số 2 hỏng.")
    act(store, at("21:58"), BAO, action="sign_out", handover=AFTERNOON)
    signed = store.read_handovers()[0]
    store.close()

    store = DuckStore(path, zone=str(CITY.zone))
    (again,) = store.read_handovers()
    assert again == signed
    with pytest.raises(Refused):
        act(store, at("22:01"), HA, action="draft_handover", text="khác")
    act(store, at("22:03"), TUAN, action="sign_in", handover=AFTERNOON)
    (done,) = store.read_handovers()
    assert (done.signed_out_by, done.signed_in_by, done.content) == (BAO, TUAN, signed.content)
    with pytest.raises(Refused):
        act(store, at("22:04"), HA, action="sign_in", handover=AFTERNOON)
    act(store, at("22:10"), TUAN, action="draft_handover")
    assert [one.id for one in store.read_handovers()] == ["BG-20261120-0600", AFTERNOON]
    store.close()
