"""POST one message, and tell «surely not delivered» from «nobody can know»."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, SSLError

from notices._contract import NotSent, Unclear

CONNECT_S = 5.0
AGENT = "city-dashboard/1.0 (alert notices)"
BUSY = (408, 425, 429)
LOGIN = (401, 403)
WORDS_MAX = 200  # of a server's own explanation


def post(url: str, body: bytes, headers: Mapping[str, str], *, read_s: float, ca_file: str = "") -> None:
    """Returns when the server answered 2xx. Raises NotSent, or Unclear when it may have taken the message.

    A new connection each time: one that was kept open may die just when the message is written, which nobody could
    tell from a lost answer. Proxies and .netrc of the machine are not asked: a message goes where the file says.
    """
    host = urlsplit(url).hostname
    with requests.Session() as http:
        http.trust_env = False
        try:
            with http.post(
                url,
                data=body,
                headers={"User-Agent": AGENT, "Content-Type": "application/json", **headers},
                timeout=(CONNECT_S, read_s),
                verify=ca_file or True,
                allow_redirects=False,
                stream=True,
            ) as reply:
                if reply.status_code >= 300:
                    raise _refused(reply, str(host))
        except requests.ConnectionError as error:
            raise _broken(error, str(host)) from None
        except requests.ReadTimeout:
            raise Unclear("no_answer", f"{host}: no answer within {read_s:g} s") from None
        except (requests.RequestException, ValueError) as error:
            raise NotSent("refused", f"{host}: {type(error).__name__}: check url and secret", retry=False) from None


def _broken(error: requests.ConnectionError, host: str) -> NotSent | Unclear:
    """Before the message was written nothing can have been delivered; afterwards it can."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, SSLError):
        cause = reason.args[0] if reason.args else None
        if not isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)):
            words = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "no TLS"
            return NotSent("tls", f"{host}: {words}", retry=True, whole_channel=True)
    if isinstance(reason, (NewConnectionError, ConnectTimeoutError)):
        return NotSent("no_connection", f"{host}: no connection", retry=True, whole_channel=True)
    return Unclear("interrupted", f"{host}: the connection broke before the answer")


def _refused(reply: requests.Response, host: str) -> NotSent:
    """What a status other than 2xx means. 5xx counts as not sent: the receiver knows a repetition by its id."""
    status = reply.status_code
    words = f"{host}: HTTP {status}"
    if status in BUSY or status >= 500:
        return NotSent("busy", words, retry=True, whole_channel=True, wait=_retry_after(reply))
    if status < 400:
        return NotSent("refused", f"{words}: redirects are not followed, mend url", retry=False)
    return NotSent("login" if status in LOGIN else "refused", f"{words}{_own_words(reply)}", retry=False)


def _retry_after(reply: requests.Response) -> timedelta | None:
    text = reply.headers.get("Retry-After", "").strip()
    return timedelta(seconds=min(int(text), 3600)) if text.isdigit() and len(text) < 9 else None


def _own_words(reply: requests.Response) -> str:
    try:
        start = next(reply.iter_content(4 * WORDS_MAX), b"")
    except (requests.RequestException, ValueError):
        return ""
    words = " ".join(start.decode("utf-8", errors="replace").split())
    shown = "".join(letter for letter in words if letter.isprintable())[:WORDS_MAX]
    return f" ({shown})" if shown else ""
