"""Tables that an open-data portal of the CKAN family keeps in its datastore, as observations.

Link: https://docs.ckan.org/en/2.10/maintaining/datastore.html
Licence: that of the dataset; the portal names it.
Key: public tables need none; the secret CKAN_TOKEN is sent as Authorization where one is set.
Refresh: that of the publisher, mostly daily or slower; asking every hour is plenty.
Traps:
- `success: false` may come with HTTP 200 (behind a proxy); the reason is `message`, or a table of parameters.
- A page holds 100 records unless more are asked, and 32,000 at most: all pages are read, newest record first.
- Numbers come as text, as null or as -999; only the number itself, if any, becomes a value.
- Times have no offset: the zone of the city holds, and a bare file needs --zone.
- Column names have blanks, dots and signs: «PM2.5 (µg/m³)».
- package_search and package_show tell about datasets: they hold no observations, and are refused by name.
- What a column means is nowhere said: the options say it.

Options: base_url (…/api/3/action), resource_id; columns, time, site, sites, site_id, missing, start_label_min: see the
head of connectors/_columns.py. sorted = false where the portal cannot sort by the column of the time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import PurePath
from typing import Any

import pandas as pd
import requests

from connectors import _columns
from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json
from connectors._reply import reading
from connectors._rows import label, told_frame
from connectors._text import instant
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceRefused

SOURCE = Source(
    key="ckan",
    name="CKAN datastore",
    kind="measurement",
    homepage="https://docs.ckan.org/",
    licence="that of the dataset",
    every=timedelta(hours=1),
    secret="CKAN_TOKEN",
    traps=("success may be false with HTTP 200", "numbers as text, -999 for none", "times without an offset"),
)

PAGE = 1000
PAGES_MAX = 100
OVERLAP = timedelta(days=2)  # publishers correct and deliver late


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """All records of the table since two days before `since`, in ONE payload of the shape of a single reply.

    Raises ConfigError when base_url, resource_id or the columns are not given, else SourceError.
    """
    base = str(request.options.get("base_url", "")).rstrip("/")
    resource = request.options.get("resource_id")
    if not base or not resource:
        raise ConfigError(f"source {request.source}: options need base_url (…/api/3/action) and resource_id")
    time = request.options.get("time")
    if not time or not request.options.get("columns"):
        raise ConfigError(f"source {request.source}: options need time and columns: what the columns of the table mean")
    asked = {"resource_id": str(resource), "limit": str(PAGE)}
    newest_first = request.options.get("sorted", True)
    if newest_first:
        asked["sort"] = '"{}" desc'.format(str(time).replace('"', '""'))
    headers = {"Authorization": request.secret} if request.secret else {}
    oldest = request.since - OVERLAP
    records: list[Any] = []
    for page in range(PAGES_MAX):
        url = f"{base}/datastore_search"
        payload = get(http, url, {**asked, "offset": str(len(records))}, headers, secret=request.secret)
        result = _table(payload)
        if result["records"] and result["records"] == records[-len(result["records"]) :]:
            break  # the portal does not know `offset`
        records += result["records"]
        last = instant(result["records"][-1].get(time), request.zone) if result["records"] else None
        reached = newest_first and last is not None and last < oldest
        if reached or not result["records"] or _complete(result, len(records)):
            break
        if page == PAGES_MAX - 1:
            raise SourceChanged(f"{payload.name}: more than {PAGES_MAX * PAGE} records: the table cannot be sorted?")
    told = {"resource_id": resource, "fields": result.get("fields", []), "records": records}
    context = {"source": request.source, "zone": request.zone, "options": request.options}
    body = json.dumps({"success": True, "result": told}).encode()
    return [Payload(body=body, name=payload.name, media_type="application/json", context=context)]


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from a reply of datastore_search.

    Raises SourceRefused for success: false, SourceChanged for another action, InputError where the options do not say
    what the columns mean, or a time has no offset and there is no zone.
    """
    result = _table(payload)
    if not result["records"]:
        return told_frame([], source=SOURCE.key, name=payload.name)
    options, zone = payload.context.get("options", {}), payload.context.get("zone")
    fields = result.get("fields")
    told = [each.get("id") for each in fields if isinstance(each, Mapping)] if isinstance(fields, list) else []
    names = [name for name in told if isinstance(name, str)] or list(result["records"][0])
    place = str(result.get("resource_id") or PurePath(payload.name).stem)
    with reading(payload.name):
        meaning = _columns.layout(names, options)
        rows = _columns.rows([(record, place) for record in result["records"]], meaning, options, zone)
    return told_frame(rows, source=payload.context.get("source", SOURCE.key), name=payload.name)


def _table(payload: Payload) -> Mapping[str, Any]:
    """The `result` of a datastore_search: `records` is a list of objects. Raises for every other reply."""
    reply, name = read_json(payload.body, payload.name), payload.name
    if not isinstance(reply, dict) or not isinstance(reply.get("success"), bool):
        raise SourceChanged(f"{name}: no reply of the CKAN action API (an object with `success` is promised)")
    if not reply["success"]:
        raise SourceRefused(f"{name}: the portal refuses: {_words(reply.get('error'))}")
    result = reply.get("result")
    if isinstance(result, dict) and "method" in result:
        raise SourceChanged(f"{name}: holds no observations: it confirms that a table was written")
    if isinstance(result, list) or (isinstance(result, dict) and not {"results", "resources"}.isdisjoint(result)):
        raise SourceChanged(f"{name}: holds no observations: it tells about datasets; ask datastore_search")
    if not isinstance(result, dict) or not isinstance(result.get("records"), list):
        raise SourceChanged(f"{name}: no list of records (records_format must be objects): ask datastore_search")
    if not all(isinstance(record, dict) for record in result["records"]):
        raise SourceChanged(f"{name}: the records are not objects: ask with records_format=objects")
    return result


def _complete(result: Mapping[str, Any], held: int) -> bool:
    """True when the reply says that nothing follows. Without a total, a page that is not full is the last."""
    total = result.get("total")
    if isinstance(total, int) and not isinstance(total, bool):
        return held >= total
    return len(result["records"]) < PAGE


def _words(error: object) -> str:
    if isinstance(error, Mapping):
        parts = [str(error["message"])] if error.get("message") else []
        parts += [f"{name}: {json.dumps(value)}" for name, value in error.items() if name not in ("message", "__type")]
        return label("; ".join(parts) or error.get("__type", "no reason given"))[:300]
    return label(error or "no reason given")[:300]
