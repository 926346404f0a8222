"""A small city for tests of situations: five places on a line, a few rules, and alerts made in one word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alerts.rules import Level, Limit, Rule
from alerts.situations import Places
from core.alert import Alert, Key
from core.ledger import Ledger, Outcome

T0 = datetime(2026, 11, 19, 10, 0, tzinfo=UTC)
PLACES = Places(  # km east, km north
    points={
        "gauge": (0.0, 0.0),
        "underpass": (0.6, 0.0),
        "road": (1.2, 0.0),
        "far_gauge": (20.0, 0.0),
        "far_road": (20.5, 0.0),
        **{f"road_{number:02d}": (40.0 + 10.0 * number, 0.0) for number in range(40)},
    },
    areas={"gauge": "A", "ward": "A", "far_gauge": "B"},
)


def at(minute: float) -> datetime:
    """So many minutes after the story began."""
    return T0 + timedelta(minutes=minute)


def rule(
    key: str, domain: str, observed_property: str = "", causes: tuple[str, ...] = (), kind: str = "threshold"
) -> Rule:
    """A rule that is on; only what grouping reads differs."""
    return Rule(
        key=key,
        kind=kind,
        title_vi=key,
        title_en=key,
        observed_property=observed_property or key,
        direction="above",
        inclusive=True,
        levels=(Level(priority="high", setpoint=1.0),),
        limits=(Limit(priority="high", on_at=1.0, off_at=0.0),),
        site_limits=None,
        only_sites=None,
        deadband=1.0,
        on_delay=timedelta(0),
        off_delay=timedelta(0),
        stale_after=None,
        time_to_act=timedelta(minutes=10),
        domain=domain,
        consequence_of=causes,
    )


RULES = {
    one.key: one
    for one in (
        rule("rain", "weather"),
        rule("flood", "weather", "depth", causes=("rain",)),
        rule("flood_unusual", "weather", "depth", kind="deviation"),
        rule("flood_silent", "operations", "depth", kind="missing", causes=("source",)),
        rule("flood_and_rain", "weather", "depth", kind="expression"),
        rule("jam", "traffic", causes=("flood",)),
        rule("jam_city", "traffic", causes=("jam",)),
        rule("calls", "reports", causes=("jam", "flood")),
        rule("files", "services"),
        rule("source", "operations"),
        rule("hen", "weather", causes=("egg",)),
        rule("egg", "weather", causes=("hen",)),
    )
}


def alert(name: str, site_id: str, minute: float = 0, priority: str = "high", **facts: object) -> Alert:
    """An active, unacknowledged alert that began at that minute; `facts` override."""
    usual: dict[str, object] = {"active": True, "acked": False, "began_at": at(minute), "raised_at": at(minute)}
    return Alert(rule=name, site_id=site_id, priority=priority, **(usual | facts))  # type: ignore[arg-type]


def normal(name: str, site_id: str, cleared: float, **facts: object) -> Alert:
    """One that is over and acknowledged since that minute."""
    return alert(
        name, site_id, **({"active": False, "acked": True, "cleared_at": at(cleared), "acked_at": at(cleared)} | facts)
    )


def ledger(*alerts: Alert, **more: object) -> Ledger:
    """The desk with these alerts."""
    return Ledger(alerts={one.key: one for one in alerts}, **more)  # type: ignore[arg-type]


def after(before: Ledger, outcome: Outcome) -> Ledger:
    """What the store holds once the outcome is written."""
    situations = {**before.situations, **{one.id: one for one in outcome.situations}}
    new = sum(one.id not in before.situations for one in outcome.situations)
    return Ledger(
        alerts={**before.alerts, **{one.key: one for one in outcome.alerts}},
        situations={key: one for key, one in situations.items() if one.closed_at is None},
        next_situation=before.next_situation + new,
    )


def keys(*alerts: Alert) -> set[Key]:
    """Their keys."""
    return {one.key for one in alerts}
