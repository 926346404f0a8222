"""What screens and messages say about a rule: the rule in words, without the means to judge."""

from __future__ import annotations

from alerts.rules import Rule
from core.i18n import LANGUAGES
from core.snapshot import RuleWords


def rule_words(rule: Rule) -> RuleWords:
    """Both languages, and how its figures are written."""

    def both(name: str) -> dict[str, str]:
        return {language: rule.text(name, language) for language in LANGUAGES}

    return RuleWords(
        key=rule.key,
        title={language: rule.title(language) for language in LANGUAGES},
        cause=both("cause"),
        consequence=both("consequence"),
        action=both("action"),
        owner=both("owner"),
        time_to_act=rule.time_to_act,
        observed_property=rule.observed_property,
        direction=rule.direction,
        setpoints={level.priority: level.setpoint for level in rule.levels},
        lows={level.priority: level.low for level in rule.levels if level.low is not None},
        missing=rule.kind == "missing",
        enabled=rule.on,
        off_because=rule.off_because,
        domain=rule.domain,
        in_unit_of_property=rule.in_unit_of_property or rule.kind == "missing",
        against_usual=rule.kind == "deviation",
        condition=rule.expression is not None and rule.expression.condition,
        value_text=rule.value_text,
        decimals=rule.value_decimals,
    )
