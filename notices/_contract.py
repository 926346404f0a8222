"""What a channel is: it sends one notice, or says for sure that it did not, or that nobody can know.

The difference decides what happens next: what was surely not sent is tried again, what may have gone out never is
(unless the channel is `repeatable`), because a second «critical» for one event costs the shift its trust.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from core.errors import HouseError
from core.ledger import Notice

TROUBLES = (  # first word of Notice.error; the screen has a sentence for each
    "no_connection", "tls", "login", "refused", "busy", "no_answer", "interrupted", "no_address", "no_duty",
    "no_channel", "no_file", "overtaken", "defect",
)  # fmt: skip
ADDRESSES = ("email", "phone", "")  # which address of a contact a channel uses; «» is a channel with one receiver


class NotSent(HouseError):
    """Surely not delivered. `whole_channel`: the next notice would fare alike; `wait`: the server asked for it."""

    def __init__(
        self, trouble: str, words: str, *, retry: bool, whole_channel: bool = False, wait: timedelta | None = None
    ) -> None:
        self.trouble, self.retry, self.whole_channel, self.wait = trouble, retry, whole_channel, wait
        super().__init__(words)


class Unclear(HouseError):
    """It may have been delivered: the connection broke, or fell silent, after the message had gone out."""

    def __init__(self, trouble: str, words: str) -> None:
        self.trouble = trouble
        super().__init__(words)


class Channel(Protocol):
    """One configured way out. Safe to use from one thread; holds its secrets, never shows them."""

    @property
    def key(self) -> str:
        """Name in notices.toml."""

    @property
    def kind(self) -> str:
        """File of this room that speaks the protocol."""

    @property
    def address(self) -> str:
        """One of ADDRESSES. Channels with addresses write to people, the others to machines."""

    @property
    def repeatable(self) -> bool:
        """True where the receiver tells a repetition from news and keeps the newest: a doubt may be sent again."""

    def send(self, notice: Notice) -> None:
        """Deliver it. Raises NotSent or Unclear, whose words hold no secret."""
