"""How far from the usual, and which sentence follows: each rule against an answer known beforehand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analysis.brief import farthest, first_limit, hourly, own_band, trail
from analysis.brief_words import tell
from core.brief import DAY, WEEK, Trust
from core.catalogue import Indicator, ObservedProperty, Threshold
from core.outlook import Forecasting, Withheld
from tests.facts_of_a_day import CHAIN, HAPPY, JAM, PILOT, REPORTS, facts

CITY = ZoneInfo("Asia/Ho_Chi_Minh")
START = datetime(2026, 9, 14, 17, tzinfo=UTC)  # Tuesday 00:00 in the city
INDEX = ObservedProperty(key="index", domain="traffic", name_vi="", name_en="", unit="1", decimals=2)


def line(*values: float) -> pd.DataFrame:
    times = [START + timedelta(hours=n + 1) for n in range(len(values))]
    return pd.DataFrame({"site_id": "a", "hour": pd.to_datetime(times, utc=True), "value": values})


def band(low: float, middle: float, high: float, n: int = 8) -> pd.DataFrame:
    return pd.DataFrame({"low": low, "middle": middle, "high": high, "n": n}, index=pd.RangeIndex(192))


def test_a_score_counts_half_widths_on_its_own_side() -> None:
    found = farthest(line(1.0, 1.6, 1.2), band(0.9, 1.0, 1.2), INDEX, CITY, None)
    assert found is not None
    assert found.score == pytest.approx(3.0)  # 0.6 above the middle, the upper half is 0.2 wide
    assert found.at == START + timedelta(hours=2)
    assert (found.hours_out, found.hours) == (1, 3), "1.2 lies on the rim, so inside"
    below = farthest(line(0.7), band(0.9, 1.0, 1.2), INDEX, CITY, None)
    assert below is not None
    assert below.score == pytest.approx(-3.0)


def test_where_the_band_has_no_width_the_limit_reads_three() -> None:
    found = farthest(line(0.0, 30.0), band(0.0, 0.0, 0.0), INDEX, CITY, 30.0)
    assert found is not None
    assert found.score == pytest.approx(3.0)


def test_small_counts_and_thin_history_say_nothing() -> None:
    counts = replace(INDEX, aggregation="sum", decimals=0)
    few = farthest(line(4.0), band(0.0, 1.0, 1.0), counts, CITY, None)
    assert few is not None
    assert few.score == 0.0
    thin = farthest(line(9.0), band(0.0, 1.0, 1.0, n=2), counts, CITY, None)
    assert thin is not None
    assert (thin.score, thin.hours, thin.value) == (None, 0, 9.0)
    assert farthest(line(), None, INDEX, CITY, None) is None


def test_among_equals_the_newest_hour_is_told() -> None:
    found = farthest(line(1.0, 1.0, 1.0), band(0.9, 1.0, 1.2), INDEX, CITY, None)
    assert found is not None
    assert found.at == START + timedelta(hours=3)


def test_an_hour_is_the_mean_of_what_ended_in_it() -> None:
    rows = pd.DataFrame(
        {
            "observed_property": "index",
            "site_id": "a",
            "time": pd.to_datetime([START + timedelta(minutes=m) for m in (5, 60, 65)], utc=True),
            "value": [1.0, 3.0, 9.0],
        }
    )
    found = hourly(rows)
    assert found["value"].tolist() == [2.0, 9.0]
    assert found["hour"].tolist() == [pd.Timestamp(START + timedelta(hours=h)) for h in (1, 2)]
    assert found["n"].tolist() == [2, 1]


def test_a_week_is_told_by_days_that_end_at_local_midnight() -> None:
    days = trail(line(*([1.0] * 24 + [3.0] * 24)), WEEK, CITY)
    assert [(one.at, one.value) for one in days] == [
        (START + timedelta(days=1), 1.0),
        (START + timedelta(days=2), 3.0),
    ]
    assert len(trail(line(1.0, 2.0), DAY, CITY)) == 2


def test_the_first_limit_is_the_one_reached_first() -> None:
    limits = (Threshold(level="watch", value=1.4), Threshold(level="critical", value=2.0))
    item = Indicator(
        key="index", domain="traffic", name_vi="", name_en="", unit="1", code="X", formula="", reference="",
        needs=(), window=timedelta(0), thresholds=limits,
    )  # fmt: skip
    assert first_limit(item, START, CITY) == 1.4
    assert first_limit(replace(item, direction="higher"), START, CITY) == 2.0
    assert first_limit(INDEX, START, CITY) is None


def test_own_band_is_the_range_of_the_time_before() -> None:
    found = own_band(line(*map(float, range(101))), CITY)
    assert found is not None
    assert found.loc[0, ["low", "middle", "high"]].tolist() == [10.0, 50.0, 90.0]


def test_two_days_are_no_time_before() -> None:
    """48 hours touch two days, or three when they do not begin at midnight: three different days are asked for."""
    midnight = START.astimezone(CITY).replace(hour=0, minute=0, second=0, microsecond=0)
    hours = [midnight.astimezone(UTC) + timedelta(hours=number + 1) for number in range(49)]
    two_days = pd.DataFrame({"hour": pd.DatetimeIndex(hours[:48]), "value": 1.0})
    assert own_band(two_days, CITY) is None
    assert own_band(pd.DataFrame({"hour": pd.DatetimeIndex(hours), "value": 1.0}), CITY) is not None


# -- sentences --------------------------------------------------------------------------------------------------------


def test_a_situation_opens_the_brief_and_the_calm_domains_follow() -> None:
    told = tell(facts(), "vi")
    assert told.headline == ("Mưa lớn – Quảng Phú; vụ việc có 2 cảnh báo. Dịch vụ công và người dân như thường lệ.")
    assert told.reasons[0] == "17:20 Mưa lớn (Quảng Phú, 42 mm) → 17:36 Ngập hầm chui (Đông Kiều, 38 cm)"
    assert told.reasons[1] == (
        "Chỉ số ùn tắc 2,18 lần lúc 17:00, toàn thành phố; thường lệ 1,20–1,60, ở ngoài 2/17 giờ."
    )
    assert told.reasons[2] == (
        "Mực nước sông (Trạm Bến Thủy) có thể vượt 4,30 m lúc khoảng 19:40; sớm nhất 18:40 theo khoảng 80%."
    )
    assert told.priority == "critical"
    assert "gây ra" not in " ".join((told.headline, *told.reasons))


def test_without_alerts_the_farthest_figure_opens_it_and_a_calm_city_is_called_calm() -> None:
    told = tell(facts(chains=()), "en")
    assert told.headline.startswith("1 of 3 indicators had hours outside of their usual range, farthest off Congestion")
    calm = facts(chains=(), figures=(HAPPY, REPORTS), outlooks=())
    assert tell(calm, "vi").headline == "Toàn địa bàn như thường lệ, không có cảnh báo đáng kể."
    assert tell(facts(chains=(), figures=()), "vi").headline == "Chưa có số liệu của kỳ này."


def test_a_number_never_stands_without_its_sample_interval_and_usual() -> None:
    told = tell(facts(), "vi")
    share = next(row for row in told.rows if row.figure.key == "satisfaction")
    assert share.sample == "n = 372, 95%: 88,4–94,1%"
    assert tell(facts(figures=(replace(JAM, low=None, high=None, score=None),)), "vi").rows[0].usual == (
        "chưa đủ lịch sử"
    )
    assert told.tried[0].effect == "−11,7% (95%: −12,0 đến −11,4)"
    assert told.tried[0].sample == "5 đơn vị thí điểm, 9 đối chứng, 55 kỳ trước, 30 kỳ sau"
    open_end = replace(PILOT, low=None, high=None)
    assert tell(facts(trials=(open_end,)), "vi").tried[0].effect == "−11,7% (chưa xác định được khoảng)"


def test_what_is_asked_says_by_when() -> None:
    assert [(one.state, one.word) for one in tell(facts(), "vi").asks] == [
        ("due", "trước 18:00"),
        ("overdue", "quá hạn 10/09/2026"),
        ("open", "chưa đặt hạn"),
    ]


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    blind = Trust(up=None, sources=19, silent=(), scores=(), shown=0, figures=10, hidden=(), frozen=0)
    told = tell(facts(trust=blind, outlooks=(), running=False), "vi")
    assert ("Nguồn đang trả lời", "chưa rõ") in told.trust
    assert ("Điểm chất lượng dữ liệu", "chưa rõ") in told.trust
    assert told.no_ahead == "Bản tin của kỳ đã qua không kèm dự báo."
    late = tell(facts(trust=replace(blind, loaded_at=datetime(2026, 9, 20, tzinfo=UTC))), "vi")
    assert any("chỉ được nạp sau khi kỳ kết thúc" in one for one in late.notes)


def test_simulated_drill_late_and_part_of_the_city_are_marked() -> None:
    told = tell(facts(drill=True, late=True, areas=("w1",)), "en")
    assert told.marks[0] == "SIMULATED DATA"
    assert set(told.marks[2:]) == {"MADE LATE", "PART OF THE CITY"}
    assert tell(facts(simulated=False), "en").marks == ()


def test_a_closed_chain_and_a_long_one_are_told_short() -> None:
    many = replace(CHAIN, links=CHAIN.links * 4, closed_at=CHAIN.opened_at)
    head, words = tell(facts(chains=(many,)), "vi").chains[0]
    assert "đã đóng 17:20" in head
    assert words.endswith("và 3 cảnh báo nữa")
    assert date(2026, 9, 15) == facts().first


@pytest.mark.parametrize(
    ("going", "says"),
    [
        (None, "Không có dự báo nào đưa ra được cho 12 giờ tới."),
        (Forecasting(done=0, of=0, ended_at=None), "Chưa có dự báo: lượt tính đầu tiên chưa bắt đầu."),
        (
            Forecasting(done=7, of=44, ended_at=None),
            "Đang tính dự báo: xong 7 trong 44 chuỗi, chưa chuỗi nào có số đáng tin.",
        ),
        (
            Forecasting(
                done=44,
                of=44,
                ended_at=datetime(2026, 9, 15, 9, tzinfo=UTC),
                withheld=(Withheld(why="no_skill", n=30), Withheld(why="short", n=12)),
            ),
            "Không có dự báo. Lượt tính xong lúc 16:00 đã thử 44 chuỗi: 30 chuỗi không cách tính nào hơn cách đoán đơn "
            "giản; 12 chuỗi chưa đủ lịch sử; 2 chuỗi thuộc địa bàn khác. Vì thế không đưa ra con số.",
        ),
    ],
)
def test_a_forecast_that_is_being_made_is_told_from_one_that_there_is_not(going: Forecasting | None, says: str) -> None:
    told = tell(replace(facts(), outlooks=(), running=True, forecasting=going), "vi")
    assert told.no_ahead == says
    assert tell(replace(facts(), running=True, forecasting=going), "vi").no_ahead == "", "there is one"
