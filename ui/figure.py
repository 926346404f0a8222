"""«Vì sao con số này?» of a number that an analysis found: a share with its interval, a verdict, a score, a forecast.

One record for all of them, opened by the same drawer as a measured value (`_why.html`). A table has one drawer per
column, not per cell: what differs from row to row (value, n, interval) stands in the row already.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from core import figures, formats
from core.catalogue import Indicator
from core.snapshot import SourceState
from ui.views import View
from ui.why import MOST_SOURCES, Fact, pulled_words, source_words

PARTS = (
    "value", "formula", "source", "computed", "pulled", "revisions", "owner", "basis", "sample", "interval", "read",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of an analysis with everything that may be asked of it, in the words of one language."""

    key: str  # «pilot_effect:signal_timing»: unlike any other on its page
    label: str
    value: str
    indicator: str  # counted as opened with this drawer; empty where the figure belongs to none
    facts: tuple[Fact, ...]


def figure(
    view: View,
    kind: str,
    value: str = "",
    *,
    own: str = "",
    label: str = "",
    made_at: datetime | None = None,
    sample: str = "",
    interval: str = "",
    owner: str = "",
    basis: str = "",
    indicator: str = "",
    more: Iterable[tuple[str, str]] = (),
    **gaps: str,
) -> Figure:
    """The drawer of one figure of a kind of core.figures. What is not given says that it stands in each row, is not
    known, or does not exist; `own` tells two of one kind apart, `more` are lines of its own (name, words).
    """
    t, known = view.t, figures.kinds()[kind]
    owned = view.snapshot.catalogue.get(indicator or known.indicator)
    item = owned if isinstance(owned, Indicator) else None
    rests_on = (*((item.key,) if item else ()), *known.rests_on)
    sources = _sources(view, rests_on)
    estimated = not value and not known.counted  # what a table estimates, it estimates row by row
    name = label or known.text("name", view.language)

    def said(word: str) -> str:
        return known.text(word, view.language).format(**gaps)

    told = "; ".join([said("source"), *(source_words(view, state) for state in sources)])
    pulls = "; ".join(pulled_words(view, state, len(sources) > 1) for state in sources)
    facts = (
        Fact("value", t("fact.value"), value or t("figure.in_each_row")),
        Fact("formula", t("fact.formula"), said("formula")),
        *((Fact("code", t("fact.code"), f"{item.code} {item.name(view.language)}: {item.formula}"),) if item else ()),
        Fact("source", t("fact.source"), told),
        Fact("computed", t("figure.computed"), _computed(view, made_at)),
        Fact("pulled", t("why.pulled"), pulls or t("figure.not_pulled")),
        Fact("revisions", t("why.revisions"), _revisions(view, rests_on)),
        Fact("owner", t("figure.owner"), owner or (item.owner if item else "") or t("figure.owner_house")),
        Fact("basis", t("fact.reference"), basis or said("basis")),
        Fact("sample", t("figure.sample"), sample or t("figure.in_each_row" if estimated else "figure.no_sample")),
        Fact("interval", t("figure.interval"), interval or t("figure.in_each_row" if estimated else "figure.none")),
        *(Fact("more", title, words) for title, words in more if words),
        *((Fact("kind", t("fact.kind"), t("kind.simulation")),) if view.snapshot.city.simulated else ()),
        Fact("read", t("figure.read"), t("figure.read_in", doc=known.doc)),
    )
    key = f"{kind}:{own}" if own else kind
    return Figure(key=key, label=name, value=value, indicator=item.key if item else "", facts=facts)


def by_key(found: Iterable[Figure]) -> dict[str, Figure]:
    """The figures of a page for its template: `why['satisfied_share']`."""
    return {one.key: one for one in found}


def _computed(view: View, made_at: datetime | None) -> str:
    """When an analysis was last made; what is drawn from the newest picture itself is as old as that."""
    if made_at is None:
        return view.t("figure.with_picture", at=formats.moment(view.now, view.now, view.zone))
    return formats.moment(made_at, view.now, view.zone)


def _sources(view: View, keys: Iterable[str]) -> list[SourceState]:
    found: dict[str, SourceState] = {}
    for key in keys:
        item = view.snapshot.catalogue.get(key)
        for state in view.behind(item, "") if item is not None else ():
            found.setdefault(state.source.key, state)
    return list(found.values())[:MOST_SOURCES]


def _revisions(view: View, keys: Iterable[str]) -> str:
    """Corrections of the last seven days in what a figure rests on, through the indicators between."""
    waiting, seen = list(keys), set[str]()
    if not waiting:
        return view.t("figure.recomputed")
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            owner = view.snapshot.catalogue.indicator_of(key)
            waiting += owner.needs if owner is not None else ()
    n = sum(one.n for (key, _), one in view.snapshot.revised.items() if key in seen)
    if not n:
        return f"{view.t('why.not_revised')}. {view.t('figure.recomputed')}"
    return view.t("figure.revised", n=formats.number(n, 0, view.language))
