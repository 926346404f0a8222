"""What the shapes share: the head of an official letter in words, the columns of the tables, and files that repeat."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from analysis.brief_words import Told
from core.brief import MONTH, WEEK
from core.i18n import Translator

TEXT_MM = 165.0  # of an A4 page between the margins
OWN_MM, NATION_MM = 74.0, 91.0  # the two columns of the letterhead; «CỘNG HÒA …» of 12 pt takes 88 mm
WIDTHS_MM = {  # of the tables, by the number of their section
    2: (58.0, 73.0, 34.0),
    5: (46.0, 29.0, 47.0, 43.0),
    6: (18.0, 20.0, 14.0, 11.0, 15.0, 11.0, 13.0, 14.0, 14.0, 15.0, 20.0),
    7: (70.0, 95.0),
}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest moment that a ZIP can hold
_MODIFIED = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The parts of Decree 30/2020/NĐ-CP, annex I, that stand around the text of a report."""

    nation: str
    motto: str
    superior: str
    issuer: str
    number: str
    place_date: str
    kind: str
    about: str
    to: str
    receivers: tuple[str, ...]
    signer: str
    sign_here: str


def head(told: Told) -> Head:
    """The words of the frame in the language of the brief. The number is left open: the registry gives it."""
    facts, t = told.facts, Translator(told.language)
    local = facts.made_at.astimezone(facts.tz)
    office = "TTĐH" if told.language == "vi" else "IOC"
    first, last = (_day(one) for one in (facts.first, facts.last))
    about = t("reports.about_day", first=first)
    if facts.period == WEEK:
        about = t("reports.about_week", first=first, last=last)
    elif facts.period == MONTH:
        about = t("reports.about_month", month=facts.first.strftime("%m/%Y"))
    return Head(
        nation=t("reports.nation"),
        motto=t("reports.motto"),
        superior=f"UBND {told.city}".upper() if told.language == "vi" else told.city.upper(),
        issuer=told.centre.upper(),
        number=t("reports.number", office=office),
        place_date=t(
            "reports.place_date",
            city=told.city,
            day=f"{local.day:02d}",
            month=f"{local.month:02d}" if local.month < 3 else str(local.month),
            year=local.year,
        ),
        kind=t("reports.report"),
        about=about,
        to=t("reports.to"),
        receivers=(t("reports.to_leader"), t("reports.to_file", office=office)),
        signer=t("reports.signer"),
        sign_here=t("reports.sign_here"),
    )


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def sections(told: Told) -> list[tuple[str, list[str], list[list[str]]]]:
    """The body as (heading, paragraphs, table with its head row), in the order in which a leader asks."""
    t = Translator(told.language)
    asks = [[t("reports.task"), t("reports.owner"), t("reports.due")]]
    asks += [[one.text, one.detail, one.word] for one in told.asks]
    ahead = [f"{one.name}, {one.place}: {one.says} {one.record}" for one in told.aheads] or [told.no_ahead]
    ahead += [f"{day}: {words}" for day, words in told.events] or [t("brief.no_events")]
    trials = [[t("brief.trial"), t("brief.result"), t("brief.effect"), t("brief.sample")]]
    trials += [
        [
            one.title,
            one.state,
            f"{one.indicator}: {one.effect}",
            ", ".join(p for p in (one.sample, one.trial.source) if p),
        ]
        for one in told.tried
    ]
    chains = [f"{head}: {words}" for head, words in told.chains] or [t("brief.no_chains")]
    names = ("indicator", "place", "value", "at", "usual", "score", "hours", "mean", "before", "sample", "source")
    rows = [[t(f"brief.{name}") for name in names]]
    rows += [
        [one.name, one.place, one.value, one.when, one.usual, one.score, one.hours, one.mean, one.before,
         one.sample or "–", f"{one.source}, {one.age}"]
        for one in told.rows
    ]  # fmt: skip
    facts = [[name, words] for name, words in (*told.trust, *told.counts)]
    return [
        (t("reports.summary"), [told.headline, *told.reasons], []),
        (t("brief.asked"), [] if told.asks else [t("brief.nothing_asked")], asks if told.asks else []),
        (t("brief.ahead"), ahead, []),
        (t("brief.chains"), [_sentence(t("brief.chains_how")), *chains], []),
        (t("brief.trials"), [] if told.tried else [t("brief.no_trials")], trials if told.tried else []),
        (t("brief.figures"), [], rows if told.rows else []),
        (f"{t('brief.trust')} · {t('brief.alerts')}", [], [["", ""], *facts]),
    ]


def _sentence(words: str) -> str:
    """What stands beside a heading on a screen, as a line of its own on paper."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


def repeatable(body: bytes, at: datetime) -> bytes:
    """An OOXML file whose bytes depend on its content alone: fixed times in the ZIP, the brief's time in the file."""
    stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}".encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in _order(given.namelist()):
            part = given.read(name)
            if name == "docProps/core.xml":
                part = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<3>", part)
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(info, part)
    return out.getvalue()


def _order(names: Sequence[str]) -> list[str]:
    return sorted(names, key=lambda name: (name != "[Content_Types].xml", name))
