"""What a connector is: SOURCE, fetch() and parse(). Files that start with an underscore are not connectors.

fetch(http, request) -> list[Payload]     the only code with a network; raises SourceError
parse(payload)       -> observations      pure: every connector can be run on a file; raises SourceError, InputError
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pandas as pd
import requests

from core.catalogue import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """What the line asks of a connector. A new wish becomes a field here, and no connector changes."""

    source: str  # the configured key: goes into the `source` column
    since: datetime  # UTC, exclusive
    until: datetime  # UTC, inclusive
    sites: pd.DataFrame  # City.sites
    city_site: str
    zone: ZoneInfo
    options: Mapping[str, Any] = field(default_factory=dict)  # [source.options] of sources.toml
    secret: str | None = None
    secret_name: str = ""  # where the secret is looked for; empty: under the connector's own name
    private_network: bool = False  # the configured host may stand for an address of a private network

    def told(self, **more: Any) -> dict[str, Any]:
        """What parse must know of this request and the reply does not say: a payload's context."""
        return {
            "source": self.source,
            "sites": self.sites,
            "city_site": self.city_site,
            "options": self.options,
            **more,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One reply or file, with what the request knew and the reply does not say."""

    body: bytes
    name: str = ""  # file name, or address without its query: for messages
    media_type: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)  # source, sites, zone, options …; empty for a bare file


class Connector(Protocol):
    """A module in connectors/."""

    SOURCE: Source

    @staticmethod
    def fetch(http: requests.Session, request: FetchRequest) -> list[Payload]: ...

    @staticmethod
    def parse(payload: Payload) -> pd.DataFrame: ...

    # Optional: cases(payload) -> core.cases.frame, the single files or reports behind the counts, pure like parse; and
    # offers_cases(options) -> bool where only some configurations have them.
