"""A brief as facts for tests: an evening with a flood, a forecast, a pilot and every kind of thing asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from core.brief import (
    DAY,
    VERSION,
    Ask,
    Chain,
    Counts,
    Event,
    Facts,
    Figure,
    Link,
    Outlook,
    Point,
    QualityLine,
    Said,
    Silent,
    Trial,
    Trust,
)

UNTIL = datetime(2026, 9, 15, 10, 40, tzinfo=UTC)  # 17:40 in the city
EVERY_LETTER = "ăâđêôơư ÀẢÃÁẠ ằẳẵắặ ầẩẫấậ èẻẽéẹ ềểễếệ ìỉĩíị òỏõóọ ồổỗốộ ờởỡớợ ùủũúụ ừửữứự ỳỷỹýỵ ĐĂÂÊÔƠƯ"


def hours(*values: float) -> tuple[Point, ...]:
    """A line that ends at UNTIL's hour."""
    last = UNTIL.replace(minute=0)
    return tuple(Point(last - timedelta(hours=len(values) - 1 - n), value) for n, value in enumerate(values))


JAM = Figure(
    key="travel_time_index",
    domain="traffic",
    name=Said("Chỉ số thời gian đi lại", "Travel time index"),
    unit=Said("lần", "×"),
    decimals=2,
    direction="lower",
    site_id="city",
    place=Said("toàn thành phố", "whole city"),
    area="",
    at=UNTIL.replace(minute=0),
    value=2.18,
    low=1.2,
    middle=1.4,
    high=1.6,
    score=3.9,
    hours_out=2,
    hours=17,
    places=15,
    places_out=3,
    latest=2.18,
    latest_at=UNTIL,
    mean=1.5,
    mean_n=204,
    before=1.4,
    before_n=24,
    source=Said("Hệ thống này tính", "Computed by this system"),
    kind="computed",
    priority="high",
    trail=hours(1.3, 1.4, 1.9, 2.18),
)
HAPPY = replace(
    JAM,
    key="satisfaction",
    domain="services",
    name=Said("Hài lòng", "Satisfaction"),
    unit=Said("%", "%"),
    decimals=1,
    direction="higher",
    place=Said("Một cửa Lê Lợi", "Le Loi one-stop office"),
    value=91.4,
    low=90.0,
    middle=92.0,
    high=94.0,
    score=-0.3,
    hours_out=0,
    sample=372,
    sample_low=88.4,
    sample_high=94.1,
    priority="",
)
REPORTS = replace(
    HAPPY, key="reports_60min", domain="reports", name=Said("Phản ánh", "Reports"), unit=Said("tin", "reports"),
    decimals=0, value=4.0, low=2.0, middle=4.0, high=6.0, score=0.0, sample=None, sample_low=None, sample_high=None,
)  # fmt: skip
RIVER = Outlook(
    key="river_level",
    name=Said("Mực nước sông", "River level"),
    place=Said("Trạm Bến Thủy", "Ben Thuy station"),
    area="",
    unit=Said("m", "m"),
    decimals=2,
    model="harmonic",
    issued_at=UNTIL,
    middle=tuple(Point(UNTIL + timedelta(hours=n), 4.1 + 0.1 * n) for n in range(1, 13)),
    low=tuple(4.0 + 0.08 * n for n in range(1, 13)),
    high=tuple(4.2 + 0.12 * n for n in range(1, 13)),
    mae=0.11,
    naive_mae=0.19,
    coverage_pct=81.0,
    tests=120,
    past=hours(3.5, 3.7, 4.0, 4.1),
    level="watch",
    limit=4.3,
    crosses_at=UNTIL + timedelta(hours=2),
    earliest=UNTIL + timedelta(hours=1),
)
CHAIN = Chain(
    id="VV-0042",
    priority="critical",
    opened_at=UNTIL - timedelta(minutes=20),
    closed_at=None,
    lead="Trần Quốc Bảo",
    links=(
        Link(
            at=UNTIL - timedelta(minutes=20), title=Said("Mưa lớn", "Heavy rain"),
            place=Said("Quảng Phú", "Quang Phu"), value=Said("42 mm", "42 mm"), priority="high", active=True,
        ),
        Link(
            at=UNTIL - timedelta(minutes=4), title=Said("Ngập hầm chui", "Flooded underpass"),
            place=Said("Đông Kiều", "Dong Kieu"), value=Said("38 cm", "38 cm"), priority="critical", active=True,
        ),
    ),
)  # fmt: skip
PILOT = Trial(
    key="kerb_watch",
    title=Said("Dẹp đỗ xe lấn làn", "Keeping the kerb free"),
    indicator=Said("Chỉ số thời gian đi lại", "Travel time index"),
    state="finished",
    verdict="scale",
    lock="locked",
    effect=-11.7,
    low=-12.0,
    high=-11.4,
    unit=Said("%", "%"),
    decimals=1,
    treated=5,
    controls=9,
    periods_before=55,
    periods_after=30,
    ends=date(2026, 7, 10),
    owner=Said("Công an thành phố", "City police"),
    source="kerb_watch.csv",
)


def asked(kind: str, text: str, **changed: Any) -> Ask:
    """One thing asked."""
    found = Ask(
        kind=kind, key=text, text=Said(text, text), detail=Said("Chi tiết", "Detail"), owner="Sở Xây dựng",
        due_at=None, due=None, overdue=False, page="roadmap",
    )  # fmt: skip
    return replace(found, **changed)


def facts(**changed: Any) -> Facts:
    """The brief of that evening, with some facts changed."""
    found = Facts(
        version=VERSION,
        period=DAY,
        first=date(2026, 9, 15),
        last=date(2026, 9, 15),
        until=UNTIL,
        made_at=UNTIL,
        running=True,
        late=False,
        city_key="demo",
        city=Said("TP. Thanh Lâm", "Thanh Lam City"),
        centre=Said("Trung tâm Điều hành đô thị", "Urban Operations Centre"),
        zone="Asia/Ho_Chi_Minh",
        simulated=True,
        drill=False,
        areas=None,
        figures=(JAM, HAPPY, REPORTS),
        chains=(CHAIN,),
        asks=(
            asked("alert", "Cấm xe vào hầm chui", due_at=UNTIL + timedelta(minutes=20), priority="critical"),
            asked("task", "Rà soát dịch vụ", due=date(2026, 9, 10), overdue=True),
            asked("pilot", "Quyết định nhân rộng"),
        ),
        outlooks=(RIVER,),
        events=(Event(day=date(2026, 9, 20), text=Said("Ngày nghỉ lễ", "Public holiday")),),
        trials=(PILOT,),
        trust=Trust(
            up=17,
            sources=19,
            silent=(Silent(name=Said("Trạm tiếng ồn", "Noise station"), kind="unavailable", since=UNTIL),),
            scores=(QualityLine(key="correct", percent=99.2, n=12000.0),),
            shown=9,
            figures=10,
            hidden=(Said("Tiếng ồn", "Noise"),),
            frozen=1,
        ),
        counts=Counts(raised=34, ended=23, open=11, unacked=1, ack_median_min=2.2, ack_n=20),
    )
    return replace(found, **changed)
