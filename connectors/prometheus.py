"""Time series of a Prometheus server (or one that speaks its API: Thanos, Mimir, VictoriaMetrics), by range queries.

Link: https://prometheus.io/docs/prometheus/latest/querying/api/
Licence: that of the operator of the server.
Key: usually none; the secret PROMETHEUS_TOKEN is sent as a bearer token, or as `user:password` with auth = "basic".
Refresh: that of the scrapes; asking every minute is usual.
Traps:
- A range query evaluates at start, start + step …: starts are put on whole steps, or each turn would give other times.
- A value is text: "NaN", "+Inf" and "-Inf" are missing values, never 0. A stale marker ends a series: a gap, no row.
- For five minutes after its last sample a silent target goes on with its old value (the look-back of the server).
- A query has no unit: say it. A counter is no rate: ask for rate(…).
- Two series that become one site are refused: join them in the query (sum by, max by).
- At most 11,000 points per series and request: longer periods are asked in parts.
- An error may come with HTTP 200: {"status": "error", "errorType", "error"}. Warnings are told, the rows are kept.
- Native histograms and strings are no observations: ask for histogram_quantile(…) or a number.

Options: base_url; queries = [{ query = "avg by (station) (pm25)", property = "pm25", unit = "ug/m3" }, …], each with
site_label = "station" and step_s = 60 if wanted; sites = {label = site_id}; auth. Of a bare file: property, unit,
site_label; without them the rows are «prometheus:<name of the metric>» in the unit of the source, and the site is the
value of the only label, else all labels.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json
from connectors._mapping import in_house, read_time
from connectors._rows import known_property, label, option_number, site_of, told_frame
from connectors._text import number
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceRefused, SourceUnavailable

SOURCE = Source(
    key="prometheus",
    name="Prometheus",
    kind="measurement",
    homepage="https://prometheus.io/",
    licence="that of the server's operator",
    every=timedelta(minutes=1),
    secret="PROMETHEUS_TOKEN",
    traps=("starts on whole steps", "NaN and Inf are missing", "errors may come with HTTP 200"),
)
STEP_S = 60.0
POINTS_MAX = 10_000  # the server refuses more than 11,000
PASSING = ("timeout", "canceled", "unavailable", "internal", "too_many_requests")  # errorTypes that mend themselves
QUERY_KEYS = {"query", "property", "unit", "site_label", "step_s"}


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """One payload per query and part of the period. Raises ConfigError for unusable options, else SourceError."""
    options, where = request.options, f"source {request.source}"
    base = str(options.get("base_url", "")).rstrip("/")
    if not base:
        raise ConfigError(f"{where}: options need base_url, the address before /api/v1/query_range")
    queries = options.get("queries")
    if not isinstance(queries, list) or not queries or not all(isinstance(one, Mapping) for one in queries):
        raise ConfigError(
            f'{where}: queries is a list such as [{{ query = "pm25", property = "pm25", unit = "ug/m3" }}]'
        )
    headers = _headers(options, request.secret, where)
    payloads = []
    for one in queries:
        if wrong := set(one) - QUERY_KEYS:
            raise ConfigError(
                f"{where}: queries: unknown {', '.join(sorted(wrong))}; known: {', '.join(sorted(QUERY_KEYS))}"
            )
        if not isinstance(one.get("query"), str) or not one["query"].strip():
            raise ConfigError(f"{where}: queries: one has no text `query`")
        known_property(one.get("property"))
        step_s = option_number(one, "step_s", STEP_S)
        if step_s < 1:
            raise ConfigError(f"{where}: queries: step_s is at least 1 second")
        told = {name: one[name] for name in ("property", "unit", "site_label") if name in one}
        context = {"source": request.source, "options": {**told, **_sites(options)}}
        for start, end in _spans(request.since, request.until, step_s):
            asked = {"query": one["query"], "start": _seconds(start), "end": _seconds(end), "step": _seconds(step_s)}
            reply = get(http, f"{base}/api/v1/query_range", asked, headers, secret=request.secret)
            payloads.append(Payload(body=reply.body, name=reply.name, media_type=reply.media_type, context=context))
    return payloads


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from a matrix or a vector; warnings of the server stand in `frame.attrs["problems"]`.

    Raises SourceRefused for an error body (SourceUnavailable for one that mends itself), SourceChanged for another
    kind of reply, a unit that is unknown, or two series that become one.
    """
    name, context = payload.name or SOURCE.key, payload.context
    options = context.get("options", {})
    reply = read_json(payload.body, name)
    data = _data(reply, name)
    series = data.get("result")
    if data.get("resultType") not in ("matrix", "vector") or not isinstance(series, list):
        raise SourceChanged(
            f"{name}: a {label(data.get('resultType'))} came where a matrix is expected: ask a range query"
        )
    chosen = known_property(options["property"]) if "property" in options else None
    rows: list[dict[str, Any]] = []
    of_site: set[tuple[str, str]] = set()
    for one in series:
        metric, samples = _series(one, name)
        site_id = _site(metric, options, PurePath(name).stem)
        if site_id is None:
            continue
        key = chosen or f"{SOURCE.key}:{label(metric.get('__name__', '')) or 'value'}"
        if (site_id, key) in of_site:
            raise SourceChanged(f"{name}: two series are {site_id}: join them in the query, e.g. max by (…) (…)")
        of_site.add((site_id, key))
        for moment, value in samples:
            if chosen:
                value = _in_house(chosen, value, options.get("unit"), name)
            rows.append({"time": moment, "site_id": site_id, "observed_property": key, "value": value})
    frame = told_frame(rows, source=context.get("source", SOURCE.key), name=name)
    told_too = [*_list(reply, "warnings"), *_list(reply, "infos")]
    frame.attrs["problems"] = [f"{name}: the server warns: {label(words)[:300]}" for words in told_too]
    return frame


def _in_house(key: str, value: float, unit: Any, name: str) -> float:
    try:
        return in_house(key, value, None if unit is None else str(unit), SOURCE.key)[1]
    except SourceChanged as error:
        raise SourceChanged(f"{name}: {error}") from error


def _data(reply: Any, name: str) -> Mapping[str, Any]:
    """The `data` of a reply that succeeded."""
    if not isinstance(reply, dict) or "status" not in reply:
        raise SourceChanged(f"{name}: no reply of a Prometheus (an object with status and data is promised)")
    if reply["status"] != "success":
        kind = label(reply.get("errorType", "error"))
        words = f"{name}: the server refuses: {kind}: {label(reply.get('error', ''))[:300]}"
        raise (SourceUnavailable if kind in PASSING else SourceRefused)(words)
    data = reply.get("data")
    if not isinstance(data, dict):
        raise SourceChanged(f"{name}: holds no observations: it is no answer to a query")
    return data


def _series(one: Any, name: str) -> tuple[Mapping[str, Any], list[tuple[datetime | None, float]]]:
    """Labels and samples of one series."""
    if not isinstance(one, dict) or not isinstance(one.get("metric"), dict):
        raise SourceChanged(f"{name}: a series has no labels `metric`")
    if "histograms" in one or "histogram" in one:
        raise SourceChanged(f"{name}: a native histogram is no observation: ask for histogram_quantile(…)")
    pairs = one.get("values", [one["value"]] if "value" in one else None)
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise SourceChanged(f"{name}: a series has no samples of the form [time, value]")
    return one["metric"], [(read_time(moment, "s"), number(value)) for moment, value in pairs]


def _site(metric: Mapping[str, Any], options: Mapping[str, Any], stem: str) -> str | None:
    """The site of a series: by its label `site_label`, else its only label, else all; None if not asked for."""
    labels = {label(key): label(value) for key, value in metric.items() if key != "__name__"}
    if "site_label" in options:
        names = [labels.get(str(options["site_label"]), "")]
    elif len(labels) == 1:
        names = list(labels.values())
    else:
        names = [",".join(f"{key}={value}" for key, value in sorted(labels.items()))]
    return site_of(names, options) if any(names) else site_of([stem], options)


def _list(reply: Mapping[str, Any], name: str) -> list[Any]:
    found = reply.get(name)
    return found if isinstance(found, list) else []


def _sites(options: Mapping[str, Any]) -> dict[str, Any]:
    return {"sites": options["sites"]} if "sites" in options else {}


def _headers(options: Mapping[str, Any], secret: str | None, where: str) -> dict[str, str]:
    way = options.get("auth", "bearer")
    if way not in ("bearer", "basic"):
        raise ConfigError(f"{where}: auth {way!r} is not bearer or basic")
    if not secret:
        return {}
    if way == "bearer":
        return {"Authorization": f"Bearer {secret}"}
    return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}


def _spans(since: datetime, until: datetime, step_s: float) -> Iterator[tuple[float, float]]:
    """The period on whole steps (since exclusive, until inclusive), in parts the server accepts; [s] since 1970."""
    first = math.floor(since.timestamp() / step_s) + 1
    last = math.floor(until.timestamp() / step_s)
    while first <= last:
        stop = min(first + POINTS_MAX - 1, last)
        yield first * step_s, stop * step_s
        first = stop + 1


def _seconds(moment: float) -> str:
    return f"{moment:.3f}".rstrip("0").rstrip(".")
