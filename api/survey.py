"""GET and POST /y-kien/<token>: one question to citizens, for a phone and for a tablet at a counter.

Plain HTML from autoescaped templates, no script, nothing from outside. Nobody signs in: the signed link is all that is
asked for, and it opens nothing else. Where no login is configured the front door answers its own machine alone, and
these pages too. Against robots, without a service from outside: a form that counts once, not before two seconds and not
after an hour, a field that no person sees, small bodies of one kind, and an allowance per link and neighbourhood. An
address is only ever a salted hash in memory (`core.survey.Allowance`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core import survey
from core.clock import Clock, SystemClock
from core.door import SOURCE_HEADER, read_source
from core.i18n import DEFAULT_LANGUAGE, LANGUAGES, Translator
from core.scrub import MOST_LETTERS
from core.survey import COUNTER, EARLY, FINE, LATE, USED, Allowance, Link, Stamps
from core.templates import templates
from pipeline import Line

LOG = logging.getLogger("survey")
PATH = "/y-kien/{token}"
TEMPLATES = Path(__file__).resolve().parent / "templates"
MOST_BYTES = 8 * 1024  # five hundred letters with marks take up to 4.5 kB in a form
BODY_WITHIN_S = 20.0
FORM = "application/x-www-form-urlencoded"
HONEYPOT = "website"
POINTS = (1, 2, 3, 4, 5)
SHORT = timedelta(minutes=10)
PER_PHONE = 20  # answers of one neighbourhood on one link in SHORT: a family, an office's own network
PER_COUNTER = 40
LINK_SPAN = timedelta(hours=1)
PER_LINK = 300
NEXT_S = 8  # a tablet thanks so long before it asks the next citizen
FRESH_S = 1800  # a tablet that nobody touches fetches a form anew before its stamp is too old
HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: which link, in which language."""

    token: str
    link: Link
    language: str

    @property
    def address(self) -> str:
        """Where its question stands."""
        return f"/y-kien/{quote(self.token)}?lang={self.language}"


class Survey:
    """The pages of one server process. `clock` is the machine's, also while a scenario plays on another."""

    def __init__(self, line: Callable[[], Line], clock: Clock) -> None:
        self._line = line
        self._stamps = Stamps(clock)
        self._near = {
            survey.PHONE: Allowance(clock, PER_PHONE, SHORT),
            survey.COUNTER: Allowance(clock, PER_COUNTER, SHORT),
        }
        self._link = Allowance(clock, PER_LINK, LINK_SPAN)
        self._said = Allowance(clock, 1, SHORT)  # a flood must not fill the disk with lines of the log

    async def question(self, request: Request) -> Response:
        """The question, or its answer."""
        asked = await self._asked(request)
        if asked is None:
            return self._closed(request)
        if request.method == "POST":
            return await self._taken(request, asked)
        return self._page("survey_question.html", asked, stamp=self._stamps.give(asked.link.key_id), problem="")

    async def thanks(self, request: Request) -> Response:
        """Thank you; a tablet goes back to the question by itself."""
        asked = await self._asked(request)
        return self._closed(request) if asked is None else self._page("survey_thanks.html", asked)

    async def _asked(self, request: Request) -> _Asked | None:
        token = request.path_params["token"]
        link = await asyncio.to_thread(self._line().citizens.opened, token)
        return None if link is None else _Asked(token, link, _language(request))

    async def _taken(self, request: Request, asked: _Asked) -> Response:
        if _foreign(request):
            return self._again(asked, "foreign", 403)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return self._again(asked, "kind", 415)
        link, near = asked.link, survey.near(read_source(request.headers.get(SOURCE_HEADER, "")).address)
        if not self._near[link.channel].take(link.key_id, near) or not self._link.take(link.key_id):
            if self._said.take(link.key_id):
                LOG.warning("the link %s got more answers than its allowance", link.key_id)
            reply = self._again(asked, "many", 429)
            reply.headers["Retry-After"] = str(int(SHORT.total_seconds()))
            return reply
        form = await _form(request)
        if form is None:
            return self._again(asked, "large", 413)
        if form.get(HONEYPOT):
            return self._done(asked)  # what fills a field that no person sees is thanked and not counted
        points = form.get("points", "")
        if points not in {str(one) for one in POINTS}:
            return self._again(asked, "choose", 422)
        spent = self._stamps.spend(form.get("stamp", ""), link.key_id)
        if spent == USED:
            return self._done(asked)  # pressed twice: counted once
        if spent != FINE:
            return self._again(asked, {EARLY: "early", LATE: "late"}.get(spent, "stale"), 422)
        await asyncio.to_thread(
            self._line().citizens.answer, link, int(points), form.get("reason", "")[: 2 * MOST_LETTERS]
        )
        return self._done(asked)

    def _again(self, asked: _Asked, problem: str, status: int) -> Response:
        stamp = self._stamps.give(asked.link.key_id)
        return self._page("survey_question.html", asked, status, stamp=stamp, problem=problem)

    def _done(self, asked: _Asked) -> Response:
        """Off to the thanks, so that reloading that page sends nothing again."""
        to = f"/y-kien/{quote(asked.token)}/cam-on?lang={asked.language}"
        return RedirectResponse(to, status_code=303, headers=HEADERS)

    def _closed(self, request: Request) -> Response:
        """For a link that is not ours, or was revoked: the same words for both."""
        language = _language(request)
        city = self._line().city
        html = templates(TEMPLATES).get_template("survey_closed.html")
        return HTMLResponse(
            html.render(t=Translator(language), lang=language, city=city.name(language)), 404, headers=HEADERS
        )

    def _page(self, name: str, asked: _Asked, status: int = 200, **values: object) -> Response:
        city, link, language = self._line().city, asked.link, asked.language
        other = next(one for one in LANGUAGES if one != language)
        html = templates(TEMPLATES).get_template(name)
        text = html.render(
            t=Translator(language),
            lang=language,
            city=city.name(language),
            simulated=city.simulated,
            service=city.site_name(link.service, language),
            office=city.site_name(link.office, language),
            counter=link.channel == COUNTER,
            address=asked.address,
            other=f"/y-kien/{quote(asked.token)}?lang={other}",
            points=POINTS,
            most=MOST_LETTERS,
            honeypot=HONEYPOT,
            next_s=NEXT_S,
            fresh_s=FRESH_S,
            **values,
        )
        return HTMLResponse(text, status, headers=HEADERS)


def routes(line: Callable[[], Line], clock: Clock | None = None) -> list[BaseRoute]:
    """The question and the thanks, before Streamlit's routes."""
    pages = Survey(line, clock or SystemClock())
    return [
        Route(PATH, pages.question, methods=["GET", "POST"]),
        Route(f"{PATH}/cam-on", pages.thanks, methods=["GET"]),
    ]


def _language(request: Request) -> str:
    asked = request.query_params.get("lang", "")
    return asked if asked in LANGUAGES else DEFAULT_LANGUAGE


def _foreign(request: Request) -> bool:
    """True for a form that another site sent. Our own carries «null» or nothing: its page tells nobody where it is."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("origin", "null")
    try:
        return origin != "null" and urlsplit(origin).netloc.casefold() != request.headers.get("host", "").casefold()
    except ValueError:
        return True


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of the form; None for a body that is too large, too slow, or has fields beyond number."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for piece in request.stream():
                body += piece
                if len(body) > MOST_BYTES:
                    return None
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8)
    except (TimeoutError, ClientDisconnect, ValueError):
        return None
    return {name: values[0] for name, values in fields.items()}
