"""Self-assessment against the texts: answers with evidence, live figures of the house, and the list of gaps."""

from __future__ import annotations

from typing import Any

from control.maturity import Stand
from core import formats
from core.maturity import ANSWERS, NO, PARTLY, UNANSWERED, YES
from ui import panel, render
from ui.figure import figure
from ui.frame import Screen
from ui.plan_deeds import age, day
from ui.views import View

GAPS = (NO, PARTLY, UNANSWERED)


def show(screen: Screen) -> None:
    """Counts, gaps, then every text with its criteria. Read only: answers are configured, reviewed and dated."""
    view, study = screen.view(), screen.line.maturity.stands()
    documents = [_document(view, one, (study.value or {}).get(one.key, ())) for one in screen.line.maturity.documents]
    rows = [row for document in documents for row in document["rows"]]
    panel.panel(
        "roadmap_maturity",
        {
            "maturity": render.html(
                "roadmap_maturity.html",
                view.snapshot,
                view.language,
                view=view,
                documents=documents,
                counts=[(answer, sum(row["answer"] == answer for row in rows)) for answer in ANSWERS],
                total=len(rows),
                met=sum(row["answer"] == YES for row in rows),
                missing=[one for one in documents if one["annex"] == "missing"],
                gaps=[row for answer in GAPS for row in rows if row["answer"] == answer and not row["waiting"]],
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
        "text": one.criterion.text(language),
        "answer": one.answer,
        "waiting": one.figure is not None and one.figure.why == "computing",
        "live": _live(view, one),
        "checked": bool(one.criterion.check),
        "evidence": [
            {
                "text": proof.text(language),
                "link": f"/{proof.screen}" if proof.screen else "",
                "name": view.t(f"page.{proof.screen}") if proof.screen else proof.document,
            }
            for proof in (given.evidence if given else ())
        ],
        "note": given.note["en" if language == "en" else "vi"] if given else "",
        "by": given.by if given else "",
        "on": day(given.on, language) if given else "",
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
