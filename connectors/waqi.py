"""Air quality index numbers of the World Air Quality Index project (aqicn.org), on the scale of the United States.

Link: https://aqicn.org/json-api/doc/
Licence: no archive, no redistribution, no commercial use without an agreement, attribution always: off by default.
Key: required; the secret WAQI_TOKEN is sent as token.
Refresh: hourly.
Traps:
- The terms forbid to keep what was fetched, and this house keeps all: nothing is fetched until the option
  `licence_accepted = true` says that somebody has an agreement which allows it.
- `iaqi.pm25.v` is an index number, not µg/m³: it becomes us_aqi_pm25, never pm25. VN_AQI is another scale.
- Errors come with HTTP 200 as {"status": "error", "data": "words"}.
- `aqi` is a number, a text («4», in searches) or «-» for none; `dominentpol` may be anything and is not used.
- `time.v` is local time that pretends to be UTC, and 0 of a station without data: `iso` is read, else `s` with `tz`.
  A station without a time gives no row.
- t, h, p, w, wg, dew in `iaqi` are weather of unknown origin and unit, `forecast` is a model of indices: not used.
- `/feed/geo:…` and `/feed/here` answer with the nearest station, however far: stations are asked by their number.

Options: licence_accepted; sites = {station number = site_id}; base_url.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json
from connectors._reply import each_answer, objects, one_frame, reading
from connectors._rows import label, site_or_name
from connectors._text import instant, number
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceRefused, SourceUnavailable

SOURCE = Source(
    key="waqi",
    name="WAQI (aqicn.org)",
    kind="measurement",
    homepage="https://aqicn.org/",
    licence="no archive, no redistribution, no commercial use without an agreement",
    every=timedelta(hours=1),
    secret="WAQI_TOKEN",
    hosts=("api.waqi.info",),
    attribution="World Air Quality Index Project and the originating agency",
    traps=("off until the licence is accepted", "index numbers, not concentrations", "errors with HTTP 200"),
)

BASE = "https://api.waqi.info"
VARIABLE_MAP = {name: f"us_aqi_{name}" for name in ("pm25", "pm10", "no2", "so2", "co", "o3")}
BUSY = ("over quota", "can not connect", "cannot connect", "timeout")


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """One payload per configured station.

    Raises ConfigError before anything is asked unless the licence is accepted and `sites` is given, else SourceError.
    """
    if request.options.get("licence_accepted") is not True:
        raise ConfigError(
            f"source {request.source}: WAQI allows no archive; only with an agreement that allows it set "
            "licence_accepted = true, else remove this source"
        )
    sites = request.options.get("sites")
    if not isinstance(sites, Mapping) or not sites:
        raise ConfigError(f'source {request.source}: options need sites = {{ "station number" = "site_id" }}')
    return each_answer(
        partial(_station, http, request, str(station), str(site_id)) for station, site_id in sites.items()
    )


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from a feed, a search or a list of the map: us_aqi, and us_aqi_<pollutant> where it is told.

    Raises SourceRefused or SourceUnavailable for an error body, SourceChanged for anything else.
    """
    reply = read_json(payload.body, payload.name)
    with reading(payload.name):
        if not isinstance(reply, dict) or "status" not in reply or "data" not in reply:
            raise SourceChanged("no WAQI reply (`status` and `data` are promised)")
        data = reply["data"]
        if reply["status"] != "ok":
            words = label(data) or "no reason given"
            if any(each in words.casefold() for each in BUSY):
                raise SourceUnavailable(f"{payload.name}: {words}")
            raise SourceRefused(f"the service refuses: {words}")
        stations = [data] if isinstance(data, dict) else objects(data, "data")
        rows = [row for station in stations for row in _rows(station, payload.context)]
    return one_frame(rows, payload, SOURCE.key)


def _rows(station: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "aqi" not in station:
        raise SourceChanged("holds no observations: no `aqi`")
    moment = _time(station)
    if moment is None:
        return
    told = {"us_aqi": number(station["aqi"])}
    parts = station.get("iaqi") or {}
    told |= {key: number(parts[name]["v"]) for name, key in VARIABLE_MAP.items() if name in parts}
    site_id = _site(station, context)
    for key, value in told.items():
        yield {"time": moment, "site_id": site_id, "observed_property": key, "value": value}


def _time(station: Mapping[str, Any]) -> datetime | None:
    """`iso`, else local text with its offset; of a list of the map the station's own. None when nothing was told."""
    told = station.get("time") or {}
    shown = told.get("iso") or (station.get("station") or {}).get("time")
    if shown:
        return instant(shown)
    local = told.get("s") or told.get("stime")
    return instant(f"{local}{told['tz']}") if local and told.get("tz") else None


def _site(station: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    if "site_id" in context:
        return str(context["site_id"])
    identity = label(station.get("idx") or station.get("uid") or "")
    name = label((station.get("city") or station.get("station") or {}).get("name") or "")
    return site_or_name([name, identity], context.get("options", {})) or SOURCE.key


def _station(http: requests.Session, request: FetchRequest, identity: str, site_id: str) -> list[Payload]:
    base = str(request.options.get("base_url", BASE)).rstrip("/")
    params = {"token": request.secret} if request.secret else {}
    payload = get(http, f"{base}/feed/@{identity.removeprefix('@')}/", params, secret=request.secret)
    context = {"source": request.source, "options": request.options, "site_id": site_id}
    return [replace(payload, context=context)]
