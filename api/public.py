"""GET /cong-khai: the figures on citizen reports that everybody may read, as a page, a CSV and JSON.

No sign-in, no script, no cookie, nothing from outside; off unless city.toml says `public = true`. What is shown is one
closed period, the same for all who ask and for ever (control/open_figures.py): figures that move could be subtracted
from each other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from control.casework import Spoken
from control.open_figures import PublicPicture
from core import formats
from core.cases import REPORT
from core.i18n import DEFAULT_LANGUAGE, LANGUAGES, Translator
from core.open_figures import SETTLE
from core.safe_csv import safe_csv
from core.templates import templates
from pipeline import Line

PATH = "/cong-khai"
PATHS = (PATH, f"{PATH}.csv", f"{PATH}.json")
TEMPLATES = Path(__file__).resolve().parent / "templates"
MAX_AGE_S = 900
SOON_S = "5"
LATER_S = "86400"  # until the first period is whole and settled
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def is_public(method: str, path: str) -> bool:
    """True for exactly what these routes answer."""
    return method in ("GET", "HEAD") and path in PATHS


def routes(line: Callable[[], Line]) -> list[BaseRoute]:
    """The page and its two files; 404 for a city that publishes nothing."""

    def answer(request: Request, media: str, make: Callable[[Line, PublicPicture, str], str]) -> Response:
        city = line().city
        if not city.public:
            return PlainTextResponse("Not found\n", status_code=404)
        language = str(request.query_params.get("lang", DEFAULT_LANGUAGE))
        language = language if language in LANGUAGES else DEFAULT_LANGUAGE
        study = line().casework.public()
        picture = study.value
        if picture is None:
            text = Translator(language)("public.none_yet" if study.problem else "public.computing") + "\n"
            wait = LATER_S if study.problem else SOON_S
            return PlainTextResponse(text, status_code=503, headers={"Retry-After": wait, "Cache-Control": "no-store"})
        body = make(line(), picture, language).encode()
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {
            "Cache-Control": f"public, max-age={MAX_AGE_S}",
            "Content-Security-Policy": POLICY,
            "ETag": tag,
            "X-Robots-Tag": "all",
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=media, headers=headers)

    def page(request: Request) -> Response:
        return answer(request, "text/html", html)

    def table(request: Request) -> Response:
        return answer(request, "text/csv", csv)

    def data(request: Request) -> Response:
        return answer(request, "application/json", as_json)

    # Plain functions run in a thread of the server: drawing the page must not hold up everybody's screens.
    return [Route(path, each) for path, each in zip(PATHS, (page, table, data), strict=True)]


def html(line: Line, picture: PublicPicture, language: str) -> str:
    """The page."""
    city, t, kept = line.city, Translator(language), picture.tables.kept
    pleased = picture.tables.satisfied.columns
    return (
        templates(TEMPLATES)
        .get_template("public.html")
        .render(
            t=t,
            lang=language,
            other="en" if language == "vi" else "vi",
            city=city.name(language),
            simulated=city.simulated,
            licence=city.public_licence,
            as_of=formats.day(_last_day(picture), city.zone, language),
            since=formats.day(picture.since, city.zone, language),
            made=f"{formats.day(picture.made_at, city.zone, language)} {formats.clock(picture.made_at, city.zone)}",
            period=t(f"public.every_{city.public_period}"),
            settle=formats.number(SETTLE.days, 0, language),
            sources=[city.site_name(one, language) for one in picture.tables.sources],
            k=kept.k,
            rows=[_row(line, picture, language, category) for category in kept.cells.index],
            all={name: _said(kept.columns[name], t, language) for name in kept.columns.index},
            total=_said(kept.total, t, language),
            all_share=_share(kept.columns["on_time"], kept.columns["late"], t, language),
            all_satisfied=_share(pleased["satisfied"], pleased["not_satisfied"], t, language),
            wards=_wards(line, picture, language),
            spoken=[_spoken(one, t, language) for one in line.casework.spoken(picture)],
        )
    )


def _last_day(picture: PublicPicture) -> datetime:
    """An instant of the last day that is counted: a period ends with a midnight."""
    return picture.until - timedelta(seconds=1)


def _said(value: Any, t: Translator, language: str) -> str:
    """A count, or that it is too small or stands for one that is."""
    return t("public.hidden") if value is None or pd.isna(value) else formats.number(float(value), 0, language)


def _name(line: Line, language: str, category: str) -> str:
    known = line.casework.deadlines.get((REPORT, category))
    return known.text("name", language) if known else category


def _row(line: Line, picture: PublicPicture, language: str, category: str) -> dict[str, str]:
    t, cells = Translator(language), picture.tables.kept.cells.loc[category]
    known = line.casework.deadlines.get((REPORT, category))
    pleased = picture.tables.satisfied.cells.loc[category]
    return {
        "name": _name(line, language, category),
        "deadline": formats.DASH if known is None else t("cases.hours", n=formats.number(known.hours, 0, language)),
        "n": _said(picture.tables.kept.rows[category], t, language),
        **{name: _said(cells[name], t, language) for name in cells.index},
        "waits": _waits(picture, language, category),
        "share": _share(cells["on_time"], cells["late"], t, language),
        "satisfied": _share(pleased["satisfied"], pleased["not_satisfied"], t, language),
    }


def _share(good: Any, bad: Any, t: Translator, language: str) -> str:
    """A share only where both of its counts are told: a percentage is a count in disguise."""
    if pd.isna(good) or pd.isna(bad) or not int(good) + int(bad):
        return t("public.hidden")
    n = int(good) + int(bad)
    return f"{formats.percent(100.0 * int(good) / n, 1, language)} (n = {formats.number(n, 0, language)})"


def _wards(line: Line, picture: PublicPicture, language: str) -> list[dict[str, str]]:
    t, areas = Translator(language), line.city.areas
    rows = []
    for code, count in picture.tables.wards.cells["reports"].items():
        named = str(areas.at[code, "name_en" if language == "en" else "name_vi"]) if code else t("public.no_ward")
        people = float(areas["population"].get(code, float("nan")))
        rate = formats.DASH
        if not pd.isna(count) and people > 0:
            rate = formats.number(1000.0 * int(count) / people, 1, language)
        rows.append({"name": named, "n": _said(count, t, language), "rate": rate})
    return rows


def _waits(picture: PublicPicture, language: str, category: str) -> str:
    """«14,7 giờ (14,3–15,2)»: the median alone; a curve would draw the time of every single report."""
    found = picture.tables.waits.get(category)
    if found is None or found.median is None:
        return formats.DASH
    median, low, high = (
        formats.DASH if one is None else formats.number(one, 1, language)
        for one in (found.median, found.low, found.high)
    )
    return f"{Translator(language)('cases.hours', n=median)} ({low}–{high})"


def _spoken(one: Spoken, t: Translator, language: str) -> dict[str, str]:
    proposal, bounds = one.proposal, one.support.bounds
    low, high = (formats.number(each, 1, language) for each in bounds or (0.0, 100.0))
    return {
        "title": proposal.text("title", language),
        "asked": proposal.text("asked", language),
        "support": formats.percent(one.support.percent, 1, language) if one.support.n else t("public.hidden"),
        "bounds": f"{low}–{high}%" if one.support.n else "",
        "votes": f"{formats.number(one.support.good, 0, language)}/{formats.number(one.support.n, 0, language)}"
        if one.support.n
        else "",
        "ranks": str(one.best_rank) if one.best_rank == one.worst_rank else f"{one.best_rank}–{one.worst_rank}",
        "answer": proposal.text("answer", language),
        "unit": proposal.text("unit", language),
        "answered": "" if proposal.answered_on is None else f"{proposal.answered_on:%d/%m/%Y}",
        "pilot": "" if one.pilot is None else one.pilot.pilot.text("title", language),
        "verdict": t(f"pilots.verdict_{one.verdict}") if one.pilot is not None else "",
    }


def rows_of(line: Line, picture: PublicPicture) -> pd.DataFrame:
    """The open data: table, group, measure, count (missing: not said), one row per number."""
    made = picture.tables
    tables = (("category", made.kept), ("ward", made.wards), ("satisfaction", made.satisfied))
    rows = [
        {"table": name, "group": group or "unplaced", "measure": measure, "count": safe.cells.at[group, measure]}
        for name, safe in tables
        for group in safe.cells.index
        for measure in safe.cells.columns
    ]
    rows += [
        {"table": f"proposal_{name}", "group": key, "measure": name, "count": count}
        for key, told in made.votes.items()
        for name, count in zip(("votes", "voters"), told, strict=True)
    ]
    return pd.DataFrame(rows, columns=["table", "group", "measure", "count"])


def _about(line: Line, picture: PublicPicture) -> dict[str, str]:
    return {
        "city": line.city.name_vi,
        "simulated": "yes" if line.city.simulated else "no",
        "since": picture.since.isoformat(),
        "until": picture.until.isoformat(),
        "as_of": (picture.until + SETTLE).isoformat(),
        "licence": line.city.public_licence,
        "source": ", ".join(line.city.site_name(one, "vi") for one in picture.tables.sources),
    }


def csv(line: Line, picture: PublicPicture, language: str) -> str:
    """CSV (RFC 4180) with where it is from in every row, so that a row that is copied keeps it."""
    return "\ufeff" + safe_csv(rows_of(line, picture).assign(**_about(line, picture)))


def as_json(line: Line, picture: PublicPicture, language: str) -> str:
    """JSON: `about` and `rows`; a count that is not said is null."""
    rows = [
        {**row, "count": None if pd.isna(row["count"]) else int(row["count"])}
        for row in rows_of(line, picture).to_dict("records")
    ]
    k = picture.tables.kept.k
    about = {**_about(line, picture), "k": k, "null": f"under {k}, or hidden to protect such"}
    return json.dumps({"about": about, "rows": rows}, ensure_ascii=False)
