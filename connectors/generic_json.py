"""Any REST interface that answers with JSON, by a mapping in the options instead of code.

Link: https://www.rfc-editor.org/rfc/rfc6901 (JSON Pointer)
Licence: that of the operator of the server.
Key: server-specific; the secret GENERIC_JSON_TOKEN is sent as a bearer token, in secret_header or as secret_param.
Refresh: that of the operator; asking every 10 minutes is usual.
Traps:
- Nothing is guessed: a number as a time needs time_format, a time without an offset needs zone, a value needs its unit.
- A factor («multiplier») is refused: say the unit of the source. 0.85 of «1» never becomes 85 %.
- A field that stands in no record is a change of the interface; one that some records lack is a missing value.
- The next page is followed on the same host only, and a circle of pages is refused.
- A reply of more than 64 levels is refused. Errors with HTTP 200 are not known by themselves: name one with `error`.

Options: those of connectors/_mapping.py, and base_url; params = { from = "{since}" } where {since}, {until} become ISO
8601 in UTC, {since_s}, {until_s} seconds and {since_ms}, {until_ms} milliseconds since 1970; next = "/links/next";
error = "/error/message"; secret_header = "X-Api-Key"; secret_param = "key". Without options, and of a bare file, the
shape of this house is read: {"observations": [{"time", "site_id", "observed_property", "value", "unit", "quality"}]}.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json, same_host
from connectors._mapping import read_mapped, recipe, text_table
from connectors._pointer import at, steps
from connectors._rows import utc_text
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceRefused

SOURCE = Source(
    key="generic_json",
    name="JSON theo bảng ánh xạ",
    kind="measurement",
    homepage="https://www.rfc-editor.org/rfc/rfc6901",
    licence="that of the server's operator",
    every=timedelta(minutes=10),
    secret="GENERIC_JSON_TOKEN",
    traps=("units and zones are told, never guessed", "a factor is refused", "pages on the same host only"),
)
OWN_OPTIONS = ("base_url", "params", "next", "error", "secret_header", "secret_param")
PAGES_MAX = 200


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """One payload per page. Raises ConfigError for options that cannot work, else SourceError."""
    options, where = request.options, f"source {request.source}"
    recipe(SOURCE.key, options, {"source": request.source}, also=OWN_OPTIONS)  # told before anybody is asked
    following: str | None = str(options.get("base_url", ""))
    if not following:
        raise ConfigError(f"{where}: options need base_url, the address that answers with JSON")
    base = following
    onward = steps(options["next"], where) if "next" in options else None
    headers, key = _secret(options, request.secret, where)
    asked: Mapping[str, str] | None = {**_filled(text_table(options, "params", where), request), **key}
    payloads: list[Payload] = []
    seen: set[str] = set()
    while following:
        if following in seen or len(seen) >= PAGES_MAX:
            name = payloads[-1].name
            raise SourceChanged(f"{name}: the pages do not end (a circle, or over {PAGES_MAX}): ask for fewer days")
        seen.add(following)
        page = get(http, following, asked, headers, secret=request.secret)
        context = {"source": request.source, "options": options}
        body = page.body.replace(request.secret.encode(), b"***") if request.secret else page.body  # an echo of the key
        payloads.append(Payload(body=body, name=page.name, media_type=page.media_type, context=context))
        if onward is None:
            break
        link = at(read_json(page.body, page.name), onward)
        following, asked = (urljoin(following, link) if isinstance(link, str) and link.strip() else None), key or None
        if following and not same_host(base, following):
            raise SourceRefused(
                f"{page.name}: the next page lies on another host: check `next` and the server's address"
            )
    return payloads


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from one reply; see connectors/_mapping.py for what the options mean.

    Raises SourceRefused where the place named by `error` holds something, SourceChanged for a reply of another shape,
    InputError for a time that only a guess could place, ConfigError for options that cannot work.
    """
    return read_mapped(payload, SOURCE.key, also=OWN_OPTIONS)


def _secret(options: Mapping[str, Any], secret: str | None, where: str) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and query parameters that carry the secret."""
    header, param = options.get("secret_header"), options.get("secret_param")
    for name in (header, param):
        if name is not None and (not isinstance(name, str) or not name.strip()):
            raise ConfigError(f"{where}: secret_header and secret_param are names, for example X-Api-Key")
    if not secret:
        return {}, {}
    if param:
        return {}, {param: secret}
    return ({header: secret} if header else {"Authorization": f"Bearer {secret}"}), {}


def _filled(params: Mapping[str, str], request: FetchRequest) -> dict[str, str]:
    """The parameters of the query, with the period where they ask for it."""
    period = {}
    for name, moment in (("since", request.since), ("until", request.until)):
        period[f"{{{name}}}"] = utc_text(moment)
        period[f"{{{name}_s}}"] = str(int(moment.timestamp()))
        period[f"{{{name}_ms}}"] = str(int(moment.timestamp() * 1000))
    filled = {}
    for name, text in params.items():
        for mark, moment_text in period.items():
            text = text.replace(mark, moment_text)
        filled[name] = text
    return filled
