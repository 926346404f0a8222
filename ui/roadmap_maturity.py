"""Self-assessment against the texts: answers with evidence, live figures of the house, and the list of gaps."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from control.maturity import RESTORE, Stand
from core import formats
from core.maturity import ANSWERS, NO, PARTLY, UNANSWERED, YES, Answer, Given
from ui import panel, render, roadmap_answers
from ui.figure import figure
from ui.frame import Screen
from ui.plan_deeds import age, day
from ui.views import View

GAPS = (NO, PARTLY, UNANSWERED)


def show(screen: Screen) -> None:
    """Counts, the form for whoever may answer, then every text with its criteria, and the gaps."""
    view, study = screen.view(), screen.line.maturity.stands()
    known = {one.key: (study.value or {}).get(one.key, ()) for one in screen.line.maturity.documents}
    documents = [_document(view, one, known[one.key]) for one in screen.line.maturity.documents]
    rows = [row for document in documents for row in document["rows"]]
    panel.panel(
        "roadmap_maturity",
        {
            "maturity": render.html(
                "roadmap_maturity.html",
                view.snapshot,
                view.language,
                view=view,
                counts=[(answer, sum(row["answer"] == answer for row in rows)) for answer in ANSWERS],
                total=len(rows),
                met=sum(row["answer"] == YES for row in rows),
                missing=[one for one in documents if one["annex"] == "missing"],
                waiting=study.made_at is None,
                age=age(screen, study),
                why=figure(
                    view,
                    "maturity_answer",
                    f"{sum(row['answer'] == YES for row in rows)}/{len(rows)}" if study.made_at else "",
                    made_at=study.made_at,
                ),
            )
        },
    )
    if roadmap_answers.may_answer(screen):
        roadmap_answers.form(
            screen,
            [
                (document.code, stand)
                for document in screen.line.maturity.documents
                for stand in known[document.key]
                if not stand.criterion.check
            ],
        )
    panel.panel(
        "roadmap_maturity_texts",
        {
            "texts": render.html(
                "roadmap_maturity_texts.html",
                view.snapshot,
                view.language,
                view=view,
                documents=documents,
                gaps=[row for answer in GAPS for row in rows if row["answer"] == answer and not row["waiting"]],
            )
        },
    )


def _document(view: View, document: Any, stands: tuple[Stand, ...]) -> dict[str, Any]:
    language = view.language
    return {
        "code": document.code,
        "title": document.text("title", language),
        "note": document.text("note", language),
        "levels": document.text("levels", language),
        "status": document.status,
        "annex": document.annex,
        "rows": [_row(view, document.code, one) for one in stands],
    }


def _row(view: View, code: str, one: Stand) -> dict[str, Any]:
    language, given = view.language, one.given
    return {
        "code": code,
        "key": one.criterion.key,
        "text": one.criterion.text(language),
        "answer": one.answer,
        "told": one.told,
        "unproven": one.unproven,
        "history": [_past(view, past) for past in reversed(one.history)],
        "waiting": one.figure is not None and one.figure.why == "computing",
        "live": _live(view, one),
        "checked": bool(one.criterion.check),
        **(_own(one.own, language) if one.own else _configured(view, given)),
    }


def _configured(view: View, given: Answer | None) -> dict[str, Any]:
    language = view.language
    return {
        "evidence": [
            {
                "text": proof.text(language),
                "link": f"/{proof.screen}" if proof.screen else "",
                "name": view.t(f"page.{proof.screen}") if proof.screen else proof.document,
                "outside": False,
            }
            for proof in (given.evidence if given else ())
        ],
        "note": given.note["en" if language == "en" else "vi"] if given else "",
        "by": given.by if given else "",
        "on": day(given.on, language) if given else "",
    }


def _own(own: Given, language: str) -> dict[str, Any]:
    """An answer of the page. A link tells its host beside it, whatever the document is called."""
    host = urlsplit(own.link).hostname or ""
    name = own.document or host
    proof = {"link": own.link, "name": name, "text": host if own.document else "", "outside": True}
    return {
        "evidence": [proof] if own.proven else [],
        "note": own.note,
        "by": own.changed_by,
        "on": day(own.day, language),
    }


def _past(view: View, past: Given) -> dict[str, Any]:
    return {
        "version": formats.number(past.version, 0, view.language),
        "answer": past.answer,
        "by": past.changed_by,
        "at": formats.moment(past.changed_at, view.now, view.zone),
        "on": day(past.day, view.language),
        "rests": " · ".join(one for one in (past.document, past.link, past.note) if one),
        "back": past.deed == RESTORE,
    }


def _live(view: View, one: Stand) -> str:
    """«99,2% (n = 1.240), ngưỡng 98%»; why there is none, where there is none."""
    figure, criterion, language = one.figure, one.criterion, view.language
    if figure is None:
        return ""
    if figure.value is None:
        return view.t(f"roadmap.live_{figure.why}")
    decimals = 0 if criterion.unit == "1" else 1
    unit = {"%": "%", "h": view.t("roadmap.hours")}.get(criterion.unit, "")
    limit = criterion.least if criterion.least is not None else criterion.most
    word = "roadmap.live_least" if criterion.least is not None else "roadmap.live_most"
    value = formats.quantity(figure.value, decimals, unit, language)
    n = "" if figure.n is None else f" ({view.t('roadmap.n', n=formats.number(figure.n, 0, language))})"
    return f"{value}{n}, {view.t(word, limit=formats.quantity(limit, 0, unit, language))}"
