"""Signed JSON that a sender pushes to this house: POST /api/push/<source>, taken in beside the cycle.

Link: https://datatracker.ietf.org/doc/html/rfc2104 (HMAC)
Licence: that of the sender.
Key: the secret WEBHOOK_SECRET, at least 32 characters, shared with the sender and never sent.
Refresh: whenever the sender pushes; the line takes in what has come at every turn of the source.
Traps:
- Signed is «timestamp.body» as it goes over the wire: HMAC-SHA256, hexadecimal, in X-City-Signature as sha256=…; the
  timestamp, whole seconds since 1970, goes into X-City-Timestamp. Clocks may differ by 5 minutes.
- 202 taken · 401 not signed, too old, or no such source · 409 taken before · 413 over 1 MiB · 503 no room or not ready
  yet: send it again later, signed anew.
- 202 means in memory: what has not been stored when the process ends is lost. Push values again that matter.
- Pushes come only to the process that serves the screens; `pipeline.py` alone listens to nobody.
- No push is no failure: that a sender has fallen silent is seen by the age of its values.

Options: those of connectors/_mapping.py. Without them the body is {"observations": [{"time", "site_id",
"observed_property", "value", "unit", "quality"}]}. A bare file is one such body.
"""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import requests

from connectors._contract import FetchRequest, Payload
from connectors._mapping import read_mapped, recipe
from core.catalogue import Source
from core.errors import ConfigError
from core.inbox import open_box

SOURCE = Source(
    key="webhook",
    name="Webhook có chữ ký",
    kind="measurement",
    homepage="https://datatracker.ietf.org/doc/html/rfc2104",
    licence="that of the sender",
    every=timedelta(minutes=1),
    secret="WEBHOOK_SECRET",
    traps=("signed over timestamp and body", "409 means taken before", "202 means in memory"),
)
SHORTEST_SECRET = 32


def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]:
    """One payload per push that has come since the last turn; `http` is not used. Raises ConfigError.

    The first turn opens the source's box: until then the route answers 503.
    """
    where = f"source {request.source}"
    recipe(SOURCE.key, request.options, {"source": request.source})  # told before anybody pushes
    if not request.secret or len(request.secret) < SHORTEST_SECRET:
        name = request.secret_name or SOURCE.secret
        raise ConfigError(f"{where}: set the secret {name} to at least {SHORTEST_SECRET} random characters")
    context = {"source": request.source, "options": request.options}
    return [
        Payload(body=body, name=f"push to {request.source}", media_type="application/json", context=context)
        for body in open_box(request.source, request.secret).drain()
    ]


def parse(payload: Payload) -> pd.DataFrame:
    """The one frame from one body; see connectors/_mapping.py for what the options mean.

    Raises SourceChanged for a body of another shape, InputError for a time that only a guess could place, ConfigError.
    """
    return read_mapped(payload, SOURCE.key)
