"""Weather, air quality and river discharge of the Open-Meteo models, for any place, without a key.

Link: https://open-meteo.com/en/docs (also /air-quality-api and /flood-api).
Licence: data CC BY 4.0 with attribution; the free service is for non-commercial use only.
Key: none; a customer's key (secret OPEN_METEO_API_KEY) goes with the customer- host in `base_url`.
Refresh: models run every 1 to 12 hours; asking every 30 minutes is plenty (limits: 600 a minute, 10,000 a day).
Traps:
- A model is no measurement: kind is «model»; air quality in Viet Nam is CAMS global, tens of kilometres wide.
- The rest of the reply is a forecast: rows after `until` are dropped, and so are nulls at both ends of a series
  (the model has nothing to say there); a null between values is a missing value.
- Times have no offset: local time of the reply, whose `utc_offset_seconds` leads to UTC.
- Label: `precipitation` and `rain` are sums of the interval that ENDS at the label; the others are instantaneous at the
  label and stand for the interval that ends there. A daily value belongs to the day that begins at the label and is
  moved to its end. Daily maxima and codes have no place among hourly values and are left out.
- A sum is read from one block only (hourly before 15 minutes before current): both together would count rain twice.
- µ comes as U+03BC, an index has the unit «», a bad daily variable «undefined» (refused, unless its values are null).
- HTTP 200 may hold {"error": true}; a 429 tells the wait in words only; several places give a LIST in their order.

Options: kind = weather | air_quality | flood; sites = [site_id, …] (default: the city); base_url to ask another host.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._http import get, read_json
from connectors._units import catalogue_units, convert
from core import observations
from core.catalogue import Source
from core.errors import ConfigError, SourceChanged, SourceRefused, SourceUnavailable

SOURCE = Source(
    key="open_meteo",
    name="Open-Meteo",
    kind="model",
    homepage="https://open-meteo.com",
    licence="CC BY 4.0; free service for non-commercial use",
    every=timedelta(minutes=30),
    secret="OPEN_METEO_API_KEY",  # only customers have one
    hosts=("api.open-meteo.com", "air-quality-api.open-meteo.com", "flood-api.open-meteo.com"),
    attribution="Weather data by Open-Meteo.com (CC BY 4.0); air quality: CAMS; rivers: GloFAS",
    traps=("a model, not a measurement", "forecast hours are dropped", "HTTP 200 may hold an error"),
)

# theirs -> ours; where two lead to one property the first that a block holds is taken (precipitation includes showers)
VARIABLE_MAP = {
    "weather": {
        "temperature_2m": "temperature",
        "relative_humidity_2m": "relative_humidity",
        "precipitation": "rainfall",
        "rain": "rainfall",
        "wind_speed_10m": "wind_speed",
        "pressure_msl": "pressure",
        "cloud_cover": "cloud_cover",
        "weather_code": "weather_code",
    },
    "air_quality": {
        "pm2_5": "pm25",
        "pm10": "pm10",
        "nitrogen_dioxide": "no2",
        "sulphur_dioxide": "so2",
        "carbon_monoxide": "co",
        "ozone": "o3",
        "uv_index": "uv_index",
    },
    "flood": {"river_discharge": "river_discharge"},
}
ADDRESSES = {
    "weather": ("https://api.open-meteo.com", "/v1/forecast"),
    "air_quality": ("https://air-quality-api.open-meteo.com", "/v1/air-quality"),
    "flood": ("https://flood-api.open-meteo.com", "/v1/flood"),
}
SUMS = ("rainfall",)
DAILY = VARIABLE_MAP["flood"]
SUB_DAILY = VARIABLE_MAP["weather"] | VARIABLE_MAP["air_quality"]
BLOCKS = ("hourly", "minutely_15", "current", "daily")
PLACES_PER_CALL = 50  # keeps the address short
PAST_DAYS_MAX = 92  # the service refuses more


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """Past and present hours of the configured sites, one payload per 50 places.

    Raises ConfigError for a wrong option or a site without coordinates, else SourceError.
    """
    kind = request.options.get("kind", "weather")
    if kind not in ADDRESSES:
        raise ConfigError(f"source {request.source}: kind {kind!r} is not one of {', '.join(ADDRESSES)}")
    default_base, path = ADDRESSES[kind]
    base = str(request.options.get("base_url", default_base)).rstrip("/")
    site_ids = list(request.options.get("sites", [request.city_site]))
    places = request.sites.reindex(site_ids)[["latitude", "longitude"]].astype("float64")
    nowhere = places.index[places.isna().any(axis=1)].tolist()
    if nowhere or not site_ids:
        raise ConfigError(f"source {request.source}: no coordinates for {', '.join(nowhere) or 'any site'}")
    asked = {
        "daily" if kind == "flood" else "hourly": ",".join(name for name in VARIABLE_MAP[kind] if name != "rain"),
        "past_days": str(min(max((request.until.date() - request.since.date()).days, 0), PAST_DAYS_MAX)),
        "forecast_days": "1",
        "timezone": "GMT",
        **({"apikey": request.secret} if request.secret else {}),
    }
    payloads = []
    for first in range(0, len(site_ids), PLACES_PER_CALL):
        part = places.iloc[first : first + PLACES_PER_CALL]
        payload = get(
            http,
            base if base.endswith(path) else base + path,
            {**asked, "latitude": _joined(part["latitude"]), "longitude": _joined(part["longitude"])},
            secret=request.secret,
            wait_in_words=_asked_wait_s,
        )
        context = {"source": request.source, "site_ids": tuple(part.index), "until": request.until}
        payloads.append(replace(payload, context=context))
    return payloads


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame. Sites are those of the context, in the order of the reply; of a bare file «latitude,longitude».

    Raises SourceUnavailable or SourceRefused for an error body, SourceChanged for anything else that is no series.
    """
    reply = read_json(payload.body, payload.name)
    places = reply if isinstance(reply, list) else [reply]
    site_ids = payload.context.get("site_ids")
    if not places or not all(isinstance(place, dict) for place in places):
        raise SourceChanged(f"{payload.name}: neither a place nor a list of places with their series")
    if places[0].get("error"):
        reason = str(places[0].get("reason", "no reason given"))
        if (wait_s := _asked_wait_s(reason)) is not None:
            raise SourceUnavailable(f"{payload.name}: {reason}", retry_after_s=wait_s)
        raise SourceRefused(f"{payload.name}: the service refuses: {reason}")
    if site_ids is not None and len(site_ids) != len(places):
        raise SourceChanged(f"{payload.name}: {len(site_ids)} places were asked for, {len(places)} came back")
    rows = []
    for number, place in enumerate(places):
        try:
            rows += list(_rows(place, None if site_ids is None else site_ids[number]))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise SourceChanged(f"{payload.name}: place {number + 1}: missing or of another shape: {error}") from error
        except SourceChanged as error:
            raise SourceChanged(f"{payload.name}: place {number + 1}: {error}") from error
    until = payload.context.get("until", datetime.max.replace(tzinfo=UTC))
    source = payload.context.get("source", SOURCE.key)
    return observations.frame([row for row in rows if row["time"] <= until], source=source)


def _rows(place: Mapping[str, Any], site_id: str | None) -> Iterator[dict[str, Any]]:
    """Rows of one place from all its blocks; the first block that tells a (time, property) is believed."""
    blocks = [block for block in BLOCKS if block in place]
    if not blocks:
        raise SourceChanged(f"holds no observations (none of {', '.join(BLOCKS)}): a place search or another service?")
    zone = timezone(timedelta(seconds=place["utc_offset_seconds"]))
    site_id = site_id or f"{place['latitude']},{place['longitude']}"
    told: set[tuple[datetime, str]] = set()
    summed: set[str] = set()
    known = False
    for block in blocks:
        names = DAILY if block == "daily" else SUB_DAILY
        times = _times(place, block, zone)
        in_block: set[str] = set()
        for variable, key in names.items():
            if variable not in place[block] or key in in_block or key in summed:
                continue
            known = True
            in_block.add(key)
            for moment, value in _series(place, block, variable, key, times):
                if (moment, key) not in told:
                    told.add((moment, key))
                    yield {"time": moment, "site_id": site_id, "observed_property": key, "value": value}
        summed |= in_block.intersection(SUMS)
    if not known:
        raise SourceChanged("holds none of the variables that this house knows")


def _times(place: Mapping[str, Any], block: str, zone: timezone) -> list[datetime]:
    if place[f"{block}_units"]["time"] != "iso8601":
        raise SourceChanged(f"{block}: times are {place[f'{block}_units']['time']!r}, not iso8601")
    texts = place[block]["time"] if block != "current" else [place[block]["time"]]
    shift = timedelta(days=1) if block == "daily" else timedelta(0)
    return [(datetime.fromisoformat(text).replace(tzinfo=zone) + shift).astimezone(UTC) for text in texts]


def _series(
    place: Mapping[str, Any], block: str, variable: str, key: str, times: list[datetime]
) -> list[tuple[datetime, float]]:
    """(time, value in the catalogue's unit) without the nulls at both ends."""
    values = place[block][variable] if block != "current" else [place[block][variable]]
    if len(values) != len(times):
        raise SourceChanged(f"{block}: {variable} has {len(values)} values for {len(times)} times")
    given = [number for number, value in enumerate(values) if value is not None]
    if not given:
        return []
    unit, wanted = place[f"{block}_units"][variable], catalogue_units()[key]
    series = []
    for number in range(given[0], given[-1] + 1):
        value = values[number]
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise SourceChanged(f"{block}: {variable} holds {value!r}, which is no number")
        series.append((times[number], math.nan if value is None else convert(float(value), unit, wanted, key)))
    return series


def _asked_wait_s(words: str) -> float | None:
    """The wait that the service asks for in its text; None when the text is not about a limit."""
    if "limit exceeded" not in words:
        return None
    if "minute" in words:
        return 60.0
    return 3600.0 if "hour" in words else 86_400.0


def _joined(degrees: pd.Series[float]) -> str:
    return ",".join(f"{value:.4f}" for value in degrees)
