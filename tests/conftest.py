"""What all tests share: nobody reaches the network, and one demo city that ran for a month is made once per session."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest

from core.config import load_city
from pipeline import Line
from store.duck import DuckStore
from tests.clockwork import SetClock

EVENING = datetime.fromisoformat("2026-11-19T18:00:00+07:00")  # a Thursday, in the evening rush
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")


class NetworkRefused(ConnectionRefusedError):
    """A test wanted to leave this machine. It is an OSError, so the product meets it as a dead network."""


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.split("%")[0])
    except ValueError:
        return None


def _refuse_connection(host: str) -> None:
    address = _address(host)
    if host not in ("", "localhost") and not (address and address.is_loopback):
        raise NetworkRefused(f"the tests run offline: refused a connection to {host!r}")


def _refuse_look_up(host: str | bytes | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host or ""
    if name not in ("", "localhost") and _address(name) is None:
        raise socket.gaierror(socket.EAI_NONAME, f"the tests run offline: refused to look up {name!r}")


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse every connection, datagram and name look-up that is not for 127.0.0.1, ::1 or a unix socket.

    A proxy on this machine would be a way out, so the environment names none while the tests run.
    """
    connect, connect_ex, sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
    look_up = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_connection(address[0])
        return connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_connection(address[0])
        return connect_ex(self, address)

    def guarded_sendto(self: socket.socket, data: Any, *rest: Any) -> int:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_connection(rest[-1][0])
        return sendto(self, data, *rest)

    def guarded_look_up(host: Any, *rest: Any, **named: Any) -> Any:
        _refuse_look_up(host)
        return look_up(host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.lower() in PROXIES:
                patch.delenv(name)
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket.socket, "sendto", guarded_sendto)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands at EVENING."""
    return SetClock(EVENING)


@pytest.fixture(scope="session")
def demo_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The demo city after its first cycle at EVENING, with 30 days of history. Shared: read it, do not act on it."""
    city = load_city("demo")
    store = DuckStore(tmp_path_factory.mktemp("demo_line") / "demo.duckdb", zone=str(city.zone))
    line = Line(city, store, SetClock(EVENING))
    line.run_once()
    yield line
    deeds = line.store.audit_head()[0]
    line.stop()
    assert deeds == 0, "a test acted on the city that all tests share: let it take a copy"
