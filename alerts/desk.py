"""What the alert desk knows besides the ledger: rules, playbooks, roster, and how signals meet in place and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from alerts.lifecycle import UNDO_WITHIN
from alerts.playbooks import Playbook, load_playbooks
from alerts.roster import Roster, load_roster
from alerts.rules import Rule, load_rules
from alerts.situations import Places, Policy, load_policy
from core.catalogue import ObservedProperty
from core.config import City
from core.wall import WallPlan

NO_WALL = WallPlan(screens=())


@dataclass(frozen=True)
class Desk:
    """Everything that an operator edits about alerts in config/<city>/, checked."""

    rules: tuple[Rule, ...]
    playbooks: tuple[Playbook, ...]
    roster: Roster
    policy: Policy
    places: Places
    wall: WallPlan = NO_WALL
    undo_within: timedelta = UNDO_WITHIN  # of the clock that people act on: ten of their own seconds

    @cached_property
    def by_key(self) -> Mapping[str, Rule]:
        """The rules by their key."""
        return {rule.key: rule for rule in self.rules}


def load_desk(city: City, catalogue: Mapping[str, ObservedProperty]) -> Desk:
    """Rules, playbooks, roster and policy of a city. Raises ConfigError with file, key and remedy."""
    rules = load_rules(city.folder / "alerts", catalogue, city.sites, city.zone)
    return Desk(
        rules=rules,
        playbooks=load_playbooks(city.folder / "playbooks", [rule.key for rule in rules]),
        roster=load_roster(city.folder / "roster.toml", city.zone),
        policy=load_policy(city.folder / "situations.toml"),
        places=Places.of(city),
        wall=city.wall,
    )
