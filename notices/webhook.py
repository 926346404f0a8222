"""Webhook: one JSON document per transition, POSTed to a system of the operator, signed with a shared secret.

The body is `Notice.payload` (docs/notices.md). `Idempotency-Key` carries the id of the notice, so a receiver that
answered 5xx after all can drop the repetition. Signature: HMAC-SHA256 of «timestamp.body» in hex.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.ledger import Notice
from notices import _http, _options

KIND = "webhook"
OPTIONS = frozenset({"url", "url_env", "secret_env", "ca_file", "timeout_s"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One receiver of JSON."""

    key: str
    url: str = field(repr=False)
    secret: str = field(repr=False, default="")
    ca_file: str = ""
    timeout_s: float = 10.0
    kind: str = KIND
    address: str = ""
    repeatable: bool = False

    def send(self, notice: Notice) -> None:
        """POST the payload; 2xx is delivered. Raises NotSent, Unclear."""
        body = notice.payload.encode()
        headers = {"Idempotency-Key": notice.id}
        if self.secret:
            sent_at = str(int(time.time()))
            headers |= {"X-Timestamp": sent_at, "X-Signature": f"sha256={signature(self.secret, sent_at, body)}"}
        _http.post(self.url, body, headers, read_s=self.timeout_s, ca_file=self.ca_file)


def signature(secret: str, sent_at: str, body: bytes) -> str:
    """HMAC-SHA256 in hex over «timestamp.body»: the time is signed too, so an old message cannot be played again."""
    return hmac.new(secret.encode(), sent_at.encode() + b"." + body, hashlib.sha256).hexdigest()


def build(key: str, options: Mapping[str, Any], environ: Mapping[str, str], where: str) -> Webhook:
    """The channel of that entry. Raises ConfigError."""
    return Webhook(
        key=key,
        url=_options.url(options, environ, where, guarded=False),
        secret=_options.secret(options, "secret_env", environ, where),
        ca_file=_options.ca_file(options, where),
        timeout_s=_options.seconds(options, "timeout_s", where, 10.0),
    )
