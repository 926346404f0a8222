"""Is the alarm system itself healthy? Figures of EEMUA 191 and ISA-18.2, worked out by hand on small journals."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import alarm_health as health
from core.alert import MEASURED_AT, Alert
from core.snapshot import RuleWords

NOW = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
DAY_BEFORE = NOW - timedelta(hours=24)
FLOOD = ("underpass_flood", "flood_01")
JAM = ("congestion_segment", "road_01")
RAIN = ("heavy_rain", "rain_01")
HA = "Nguyễn Thị Minh Hà"


def at(minute: float) -> datetime:
    """That many minutes after the beginning of the day."""
    return DAY_BEFORE + timedelta(minutes=minute)


def line(
    minute: float,
    deed: str,
    key: tuple[str, str] = JAM,
    *,
    before: str = "NORM",
    after: str = "UNACK",
    priority: str = "medium",
    actor: str = "engine",
) -> dict[str, object]:
    return {
        "happened_at": at(minute), "rule": key[0], "site_id": key[1], "state_before": before, "state_after": after,
        "priority": priority, "value": 1.0, "actor": actor, "deed": deed, "reason": "", "detail": "",
    }  # fmt: skip


def ring(minute: float, key: tuple[str, str] = JAM, priority: str = "medium") -> dict[str, object]:
    return line(minute, "raise", key, priority=priority)


def ack(minute: float, key: tuple[str, str] = JAM) -> dict[str, object]:
    return line(minute, "acknowledge", key, before="UNACK", after="ACKED", actor=HA)


def clear(minute: float, key: tuple[str, str] = JAM, after: str = "RTNUN") -> dict[str, object]:
    return line(minute, "clear", key, before="UNACK", after=after)


def journal(lines: Iterable[dict[str, object]]) -> pd.DataFrame:
    """As the store gives it: newest first, numbered in the order of writing."""
    rows = list(lines)
    columns = list(line(0, "raise"))
    frame = pd.DataFrame(rows, columns=columns)
    frame["happened_at"] = pd.to_datetime(frame["happened_at"], utc=True)
    frame.insert(0, "entry", range(1, len(rows) + 1))
    return frame.sort_values("entry", ascending=False).reset_index(drop=True)


def words(key: str, time_to_act_min: float | None = 20) -> RuleWords:
    both = {"vi": key, "en": key}
    return RuleWords(
        key=key, title=both, cause=both, consequence=both, action=both, owner=both,
        time_to_act=None if time_to_act_min is None else timedelta(minutes=time_to_act_min),
        observed_property="x", direction="above", setpoints={}, missing=False, enabled=True, off_because="",
    )  # fmt: skip


RULES = {key: words(key) for key in ("underpass_flood", "congestion_segment", "heavy_rain")}


def told(
    lines: Iterable[dict[str, object]],
    *,
    since: datetime = DAY_BEFORE,
    positions: dict[str, str] | None = None,
    alerts: Iterable[Alert] = (),
    cycles_min: dict[str, float] | None = None,
    audit: pd.DataFrame | None = None,
) -> health.Report:
    return health.report(
        journal(lines), since=since, until=NOW, rules=RULES, positions=positions or {}, alerts=alerts,
        cycles_min=cycles_min or {}, audit=audit,
    )  # fmt: skip


def figure(key: str, lines: Iterable[dict[str, object]], **more: object) -> health.Figure:
    return told(lines, **more).position().figure(key)  # type: ignore[arg-type]


def rings_every_minute(count: int, start: float = 0, step: float = 1.0) -> list[dict[str, object]]:
    """Alarms of as many sites, one after the other."""
    return [ring(start + step * place, ("congestion_segment", f"road_{place:03}")) for place in range(count)]


# -- rate and floods --------------------------------------------------------------------------------------------------


def test_eleven_alarms_in_eleven_minutes_are_no_flood() -> None:
    """The vector of the domain reference: at minute 10 the window (0, 10] holds ten, not eleven."""
    page = told(rings_every_minute(11, start=60)).position()
    assert page.floods == ()
    assert page.figure("peak").value == 10
    assert page.figure("peak").verdict == "on_target"


def test_eleven_alarms_within_ten_minutes_are_a_flood_until_fewer_than_five_are_left() -> None:
    page = told(rings_every_minute(11, start=60, step=0.9)).position()
    (flood,) = page.floods
    assert flood.started_at == at(69), "the eleventh alarm opens it"
    assert flood.ended_at == at(60 + 6 * 0.9 + 10), "the seventh leaves the window: four are left"
    assert (flood.peak, flood.first) == (11, ("congestion_segment", "road_000"))
    share = page.figure("flood_share")
    assert share.value == pytest.approx(100 * 6.4 / 1440)
    assert (share.verdict, share.n) == ("on_target", 1)
    assert page.figure("peak").verdict == "over"


def test_a_flood_that_was_on_before_midnight_counts_from_midnight() -> None:
    (flood,) = told(rings_every_minute(12, start=-5, step=0.4)).position().floods
    assert flood.started_at == DAY_BEFORE


def test_a_flood_that_goes_on_ends_with_the_picture() -> None:
    (flood,) = told(rings_every_minute(12, start=1435, step=0.4)).position().floods
    assert flood.ended_at == NOW


def test_a_flood_of_yesterday_is_over_and_one_that_grows_tells_its_height() -> None:
    assert told(rings_every_minute(12, start=-60, step=0.4)).position().floods == ()
    (flood,) = told(rings_every_minute(15, start=60, step=0.4)).position().floods
    assert flood.peak == 15


def test_two_hundred_alarms_a_day_are_acceptable_and_four_hundred_are_not() -> None:
    for count, verdict in ((144, "on_target"), (200, "acceptable"), (400, "over")):
        rate = figure("rate", rings_every_minute(count, start=1, step=3.5))
        assert rate.value == pytest.approx(count / 144)
        assert rate.verdict == verdict


def test_the_histogram_counts_quiet_slots_too() -> None:
    page = told([ring(5), ring(10, RAIN), ring(10.5, FLOOD)]).position()
    assert page.histogram == ((0, 142), (1, 1), (2, 1)), "the slot (0, 10] holds the alarm of minute 10"


def test_a_share_above_one_per_cent_of_the_day_in_flood_is_over() -> None:
    storm = rings_every_minute(30, start=100, step=0.8)
    share = figure("flood_share", storm)
    assert share.value is not None
    assert share.value > 1
    assert share.verdict == "over"


# -- what is an annunciation ------------------------------------------------------------------------------------------


def test_what_rings_under_a_cover_calls_nobody() -> None:
    lines = [
        ring(10),
        line(20, "raise", RAIN, before="SHLVD", after="SHLVD"),
        line(30, "realarm", before="ACKED"),
        line(40, "ack_expired", before="ACKED"),
        line(50, "raise_priority", before="UNACK", priority="high"),
    ]
    assert figure("rate", lines).n == 4
    assert figure("ack_expired", lines).value == 1


def test_a_lifted_shelf_rings_anew_where_the_condition_is_unanswered() -> None:
    lifted = line(60, "shelf_expired", before="SHLVD", after="UNACK")
    assert figure("rate", [lifted]).n == 1
    assert figure("rate", [line(60, "shelf_expired", before="SHLVD", after="ACKED")]).n == 0


def test_acknowledging_and_situations_are_no_annunciations() -> None:
    joined = line(5, "join", ("situation", "VV-0001"))
    assert figure("rate", [ring(1), ack(3), joined]).n == 1


# -- bad actors -------------------------------------------------------------------------------------------------------


def test_three_activations_within_ten_cycles_chatter() -> None:
    thrice = [one for start in (0, 25, 50) for one in (ring(start + 1), clear(start + 4))]
    assert figure("chattering", thrice, cycles_min={"congestion_segment": 5.1}).value == 1
    assert figure("chattering", thrice, cycles_min={"congestion_segment": 5}).value == 0, "the window is half-open"
    assert figure("chattering", thrice[:4], cycles_min={"congestion_segment": 5}).value == 0, "twice is not chattering"


def test_what_chatters_under_a_shelf_disturbs_nobody() -> None:
    hidden = [line(start + 1, "raise", before="SHLVD", after="SHLVD") for start in (0, 5, 10)]
    assert figure("chattering", hidden).value == 0


def test_an_alert_that_went_by_itself_before_it_could_be_acted_on_was_fleeting() -> None:
    gone = [ring(10), clear(19)]
    assert figure("fleeting", gone).value == 1, "half of its 20 minutes to act"
    assert figure("fleeting", [ring(10), clear(20)]).value == 0
    assert figure("fleeting", [ring(10), ack(12), clear(19, after="NORM")]).value == 0, "somebody dealt with it"
    undone = [
        ring(10), ack(12), line(12.1, "unacknowledge", before="ACKED", after="UNACK", actor=HA), clear(19),
    ]  # fmt: skip
    assert figure("fleeting", undone).value == 1, "the acknowledgement was taken back"


def test_ten_alarms_that_make_all_the_noise_are_named() -> None:
    lines = [ring(place * 4 + 1) for place in range(30)] + rings_every_minute(20, start=200)
    page = told(lines).position()
    assert page.contributors[0].key == JAM
    assert page.contributors[0].annunciations == 30
    assert page.contributors[0].share == pytest.approx(60)
    assert len(page.contributors) == 10
    top = page.figure("top_share")
    assert top.value == pytest.approx(100 * 39 / 50)
    assert top.verdict == "over"


def test_a_handful_of_alarms_has_no_verdict_on_its_top_ten() -> None:
    assert figure("top_share", rings_every_minute(5)).verdict == "few"
    assert figure("top_share", [ring(place * 4 + 1) for place in range(40)]).verdict == "few", (
        "one alarm is its own top"
    )
    assert figure("top_share", []).verdict == "unknown"


def test_an_alarm_that_stands_longer_than_a_day_is_stale_unless_a_cover_hides_it() -> None:
    old = Alert(rule=JAM[0], site_id=JAM[1], active=True, acked=True, began_at=NOW - timedelta(hours=25))
    young = Alert(rule=RAIN[0], site_id=RAIN[1], active=True, began_at=NOW - timedelta(hours=23))
    hidden = Alert(
        rule=FLOOD[0], site_id=FLOOD[1], active=True, began_at=NOW - timedelta(hours=90), hidden="OOSRV"
    )  # fmt: skip
    page = told([], alerts=[old, young, hidden])
    assert page.position().figure("stale").value == 1
    assert [one.rule for one in page.rules if one.stale] == [JAM[0]]


def test_over_a_month_the_stale_ones_are_the_mean_of_its_days() -> None:
    month = NOW - timedelta(days=30)
    stood = [ring(-10 * 1440 + 60), line(-7 * 1440 + 60, "clear", before="UNACK", after="RTNUN")]
    assert figure("stale", stood, since=month).value == pytest.approx(2 / 30), (
        "two ends of days saw it older than a day"
    )


def test_the_priority_split_is_judged_against_5_15_80() -> None:
    def rang(critical: int, high: int, rest: int) -> list[dict[str, object]]:
        levels = ["critical"] * critical + ["high"] * high + ["medium"] * (rest - 1) + ["low"]
        return [ring(place * 10 + 1, ("r", f"s{place}"), name) for place, name in enumerate(levels)]

    good = told(rang(5, 15, 80)).position()
    assert [good.figure(f"split_{part}").value for part in ("critical", "high", "rest")] == [5, 15, 80]
    assert {good.figure(f"split_{part}").verdict for part in ("critical", "high", "rest")} == {"on_target"}
    bad = told(rang(30, 31, 39)).position()
    assert [bad.figure(f"split_{part}").verdict for part in ("critical", "high", "rest")] == ["over"] * 3
    middling = told(rang(10, 25, 65)).position()
    assert {middling.figure(f"split_{part}").verdict for part in ("critical", "high", "rest")} == {"acceptable"}
    assert told(rang(1, 1, 2)).position().figure("split_critical").verdict == "few"


# -- answering --------------------------------------------------------------------------------------------------------


def test_the_time_to_acknowledge_runs_from_the_first_unanswered_ring() -> None:
    lines = [ring(10), line(15, "raise_priority", before="UNACK", priority="high"), ack(18)]
    assert figure("ack_median", lines).value == 8


def test_an_acknowledgement_that_was_undone_did_not_answer() -> None:
    undo = line(12.1, "unacknowledge", before="ACKED", after="UNACK", actor=HA)
    one = figure("ack_median", [ring(10), ack(12), undo, ack(17)])
    assert (one.value, one.n) == (7, 1)


def test_each_ring_after_an_answer_waits_for_its_own() -> None:
    one = figure("ack_median", [ring(10), ack(12), line(50, "ack_expired", before="ACKED"), ack(56)])
    assert (one.value, one.n) == (2, 2)


def test_open_alerts_make_the_median_longer_never_shorter() -> None:
    """Ten answered in 1 … 10 minutes; as many still open from before: half are not over, there is no p90."""
    answered = [
        step for place in range(10) for step in (ring(100, ("r", f"s{place}")), ack(101 + place, ("r", f"s{place}")))
    ]
    closed = told(answered).position()
    assert (closed.figure("ack_median").value, closed.figure("ack_p90").value) == (5, 9)
    assert closed.figure("ack_median").verdict == "no_target"
    assert closed.figure("ack_p90").verdict == "few", "a p90 of ten cases hangs on one of them"
    opened = told(answered + [ring(100, ("r", f"open{place}")) for place in range(8)]).position()
    assert opened.figure("ack_median").value == 9
    assert opened.figure("ack_median").open == 8
    assert opened.figure("ack_p90").value is None
    assert opened.figure("ack_p90").verdict == "unknown"


def test_a_shelved_alert_is_cut_off_not_answered() -> None:
    lines = [ring(10), line(14, "shelve", before="UNACK", after="SHLVD", actor=HA)]
    one = figure("ack_median", lines)
    assert (one.value, one.n, one.open) == (None, 1, 1)


def test_after_a_shelf_the_wait_begins_anew() -> None:
    shelve = line(14, "shelve", before="UNACK", after="SHLVD", actor=HA)
    lifted = line(40, "shelf_expired", before="SHLVD", after="UNACK")
    one = figure("ack_median", [ring(10), shelve, lifted, ack(42)])
    assert (one.value, one.n, one.open) == (2, 2, 1)


def test_what_began_under_a_shelf_was_nobodys_to_resolve() -> None:
    hidden = [line(10, "raise", before="SHLVD", after="SHLVD"), clear(20, after="SHLVD")]
    assert figure("resolve_median", hidden).n == 0


def test_resolved_is_when_the_condition_is_over() -> None:
    lines = [ring(10), ack(12), clear(50, after="NORM"), ring(100, RAIN), line(160, "latch", RAIN, after="LATUN")]
    one = figure("resolve_median", lines)
    assert (one.value, one.n, one.open) == (40, 2, 0)


def test_what_a_rule_costs_in_minutes_of_attention() -> None:
    """Answered after 4 minutes (4), never answered (10 at most), two deeds of persons (2 minutes each)."""
    note = line(20, "comment", before="ACKED", after="ACKED", actor=HA)
    (rule,) = told([ring(10), ack(14), note, ring(100, ("congestion_segment", "road_02"))]).rules
    assert rule.attention_min == 4 + 10 + 2 * 2
    assert (rule.annunciations, rule.activations, rule.ack_median) == (2, 2, 4)
    assert rule.by_priority == {"medium": 2}


# -- counts, positions, spans -----------------------------------------------------------------------------------------


def test_shelved_now_and_denied_by_the_gate() -> None:
    shelved = Alert(rule=JAM[0], site_id=JAM[1], active=True, hidden="SHLVD")
    normal = Alert(rule=RAIN[0], site_id=RAIN[1])
    one = figure("shelved", [], alerts=[shelved, normal])
    assert (one.value, one.n) == (1, 1), "one of one alert that is not normal"
    assert figure("denied", []).verdict == "unknown", "nobody kept an audit"
    audit = pd.DataFrame(
        {
            "happened_at": pd.to_datetime([at(-5), at(5), at(6), at(7)], utc=True),
            "result": ["denied", "denied", "done", "refused"],
        }
    )
    one = figure("denied", [], audit=audit)
    assert (one.value, one.verdict) == (1, "over")
    assert figure("denied", [], audit=audit.iloc[:1]).verdict == "on_target"
    seat = told([ring(1)], positions={"congestion_segment": "traffic"}, audit=audit).position("traffic")
    assert seat.figure("denied").value is None, "who was denied sat at no known position"


def test_each_position_has_its_own_load() -> None:
    page = told(
        [ring(10), ring(11, RAIN), ring(12, FLOOD)],
        positions={"congestion_segment": "traffic", "heavy_rain": "weather"},
    )
    assert [(one.key, one.figure("rate").n) for one in page.positions] == [
        (health.WHOLE, 3), ("traffic", 1), ("weather", 1), (health.UNPLACED, 1),
    ]  # fmt: skip
    assert page.position("traffic").contributors[0].key == JAM
    assert page.annunciations["position"].tolist() == ["traffic", "weather", "unplaced"]
    assert {one.rule: one.position for one in page.rules}["heavy_rain"] == "weather"


def test_without_positions_there_is_one_desk() -> None:
    assert [one.key for one in told([ring(10)]).positions] == [health.WHOLE]


def test_yesterdays_rings_are_not_todays() -> None:
    page = told([ring(-30), clear(-20), ring(30, RAIN)])
    assert page.position().figure("rate").n == 1
    assert page.journal_from == at(-30)
    assert [one.rule for one in page.rules] == [RAIN[0]]


def test_a_month_knows_its_last_day() -> None:
    month = told([ring(-30), ring(30, RAIN)], since=NOW - timedelta(days=30))
    assert month.position().figure("rate").n == 2
    assert month.day is not None
    assert (month.day.since, month.day.until, month.day.position().figure("rate").n) == (DAY_BEFORE, NOW, 1)
    assert told([ring(30)]).day is None, "a day is its own last day"


def test_a_house_without_a_journal_has_figures_that_say_so() -> None:
    page = told([])
    assert page.journal_from is None
    assert [one.key for one in page.position().figures] == list(health.FIGURES)
    assert {one.verdict for one in page.position().figures} <= set(health.VERDICTS)
    assert page.rules == ()


# -- laws -------------------------------------------------------------------------------------------------------------

MINUTES = st.lists(st.integers(min_value=1, max_value=1439), max_size=60)


@given(MINUTES)
def test_slots_lose_no_annunciation(minutes: list[int]) -> None:
    counted = health.slots([at(minute) for minute in minutes], DAY_BEFORE, NOW)
    assert len(counted) == 144
    assert sum(counted) == len(minutes)


@given(MINUTES)
def test_the_load_is_the_count_of_a_half_open_window(minutes: list[int]) -> None:
    moments = sorted(at(minute) for minute in minutes)
    for turn, load in health.loads(moments):
        assert load == sum(turn - health.WINDOW < moment <= turn for moment in moments)


@given(st.lists(st.tuples(st.floats(min_value=0, max_value=500), st.booleans()), max_size=40))
def test_an_answer_that_is_still_out_never_shortens_a_quantile(cases: list[tuple[float, bool]]) -> None:
    before = health.quantile(cases, 0.5)
    after = health.quantile([*cases, (501.0, False)], 0.5)
    assert after is None or (before is not None and after >= before)


# -- for the pictures -------------------------------------------------------------------------------------------------


def test_days_are_days_of_the_city() -> None:
    """18:30 UTC of the 19th is the 20th in Hanoi."""
    rung = datetime(2026, 11, 19, 18, 30, tzinfo=UTC)
    days = health.per_day([rung], NOW - timedelta(days=2), NOW, ZoneInfo("Asia/Ho_Chi_Minh"))
    assert [(day.day, count) for day, count in days] == [(18, 0), (19, 0), (20, 1)]


def test_lengths_fall_into_classes_and_floods_are_not_averaged_away() -> None:
    assert health.by_length([4.9, 5, 14, 5000]) == [1, 2, 0, 0, 0, 1]
    assert health.busiest([0, 12, 1, 2, 3], 3) == [12, 3]


def test_an_answer_to_a_late_sheet_is_timed_from_its_coming() -> None:
    """The jam stood from minute 10 to 40; the house heard of it at minute 600, and Hà answered at 603."""

    def late(one: dict[str, object], measured_min: float) -> dict[str, object]:
        return one | {"detail": json.dumps({MEASURED_AT: at(measured_min).isoformat()})}

    lines = [late(ring(600), 10), late(clear(600), 40), ack(603)]
    page = told(lines)
    (one,) = page.activations
    assert (one.began_at, one.heard_at, one.known_since) == (at(10), at(600), at(600))
    assert one.ended_at == at(40), "it lasted half an hour, and was no flutter of the minute in which it was told"
    assert page.position().figure("ack_median").value == 3
