"""Gateway: the documented hook for SMS, Zalo and Telegram gateways of the operator.

POST {id, to, text, priority, deed, rule, site_id, happened_at, drill, simulated} as JSON; `text` has at most 160
characters. The gateway answers 2xx when it has taken the message over; what it does then is its own protocol, so no
provider's library, token or price list lives in this house. `Authorization: Bearer …` from an environment variable.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.ledger import Notice
from core.toml_files import take
from notices import _http, _options

KIND = "gateway"
OPTIONS = frozenset({"url", "token_env", "ca_file", "timeout_s", "plain_letters"})
TEXT_LIMIT = 160  # characters
TOLD = ("rule", "site_id", "happened_at", "drill", "simulated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One gateway; `plain_letters` writes Vietnamese without marks, for lines that take only the GSM alphabet."""

    key: str
    url: str
    token: str = field(repr=False, default="")
    ca_file: str = ""
    timeout_s: float = 10.0
    plain_letters: bool = False
    kind: str = KIND
    address: str = "phone"
    repeatable: bool = False

    def send(self, notice: Notice) -> None:
        """Hand the short text over; 2xx is delivered. Raises NotSent, Unclear."""
        facts = json.loads(notice.payload or "{}")
        document = {
            "id": notice.id,
            "to": notice.recipient,
            "text": (without_marks(notice.text) if self.plain_letters else notice.text)[:TEXT_LIMIT],
            "priority": notice.priority,
            "deed": notice.deed,
            **{name: facts.get(name) for name in TOLD},
        }
        headers = {"Idempotency-Key": notice.id}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        body = json.dumps(document, ensure_ascii=False).encode()
        _http.post(self.url, body, headers, read_s=self.timeout_s, ca_file=self.ca_file)


def without_marks(text: str) -> str:
    """«Ngập hầm chui Đông Kiều» as «Ngap ham chui Dong Kieu»; anything else that is not ASCII becomes «?»."""
    bare = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D").replace("…", "..."))
    kept = (letter for letter in bare if unicodedata.category(letter) != "Mn")
    return "".join(letter if letter.isascii() else "?" for letter in kept)


def build(key: str, options: Mapping[str, Any], environ: Mapping[str, str], where: str) -> Gateway:
    """The channel of that entry. Raises ConfigError."""
    token = _options.secret(options, "token_env", environ, where)
    return Gateway(
        key=key,
        url=_options.url(options, environ, where, guarded=bool(token)),
        token=token,
        ca_file=_options.ca_file(options, where),
        timeout_s=_options.seconds(options, "timeout_s", where, 10.0),
        plain_letters=take(options, "plain_letters", bool, where, False),
    )
