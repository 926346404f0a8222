"""Where a request may go: the hosts of the configured source, and never to addresses that no source of data has.

    link-local, metadata services, multicast, reserved, unspecified    never, whatever the configuration says
    loopback                                                           only where the address itself says 127.0.0.1,
                                                                       ::1 or localhost
    private, shared (RFC 1918, RFC 6598, fc00::/7)                     where the address itself says so (a number, or a
                                                                       name of an own network), or the source says
                                                                       private_network = true
    all others                                                         yes

A name is looked up once, every number that it stands for is judged, and the connection goes to the judged number
itself: a name that says something else a moment later (DNS rebinding) finds nobody asking. The address that is
connected in the end is compared once more before a byte is sent.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit

from core.errors import SourceRefused

ADDRESS_OPTIONS: Final = ("base_url", "vehicle_positions", "trip_updates", "alerts")  # options that hold an address
OWN_NAMES: Final = (".local", ".lan", ".internal", ".intranet", ".home.arpa", ".localdomain")
METADATA: Final = frozenset(
    {
        "169.254.169.254",  # the usual one; link-local anyway
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
    }
)
NEVER: Final = tuple(
    ip_network(text) for text in ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "fe80::/10", "ff00::/8")
)
NUMBERS_MAX: Final = 4  # of a name with many, so many are tried: each may cost the time of a connection
NAT64: Final = ip_network("64:ff9b::/96")
Address = IPv4Address | IPv6Address


class Forbidden(SourceRefused):
    """A connection that the guard does not let out. Its text holds the host and the reason, nothing else."""


def kind_of(text: str) -> str:
    """never | loopback | private | public: what a numeric address is. Raises ValueError for what is none."""
    address = _plain(ip_address(text.partition("%")[0]))
    if str(address) in METADATA or any(address in network for network in NEVER) or address.is_unspecified:
        return "never"
    if address.is_loopback:
        return "loopback"
    return "public" if address.is_global else "private"


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one only wraps (mapped, 6to4, Teredo, NAT64), else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None) or address


def check_address(host: str, address: str, *, private_network: bool = False) -> None:
    """Raises Forbidden unless a source whose configured host is `host` may be asked at this numeric address."""
    kind = kind_of(address)
    named = host.casefold().rstrip(".")
    if kind == "never":
        raise Forbidden(
            f"{host} stands for {address}, where no source of data can be (link-local, metadata, multicast)"
        )
    if kind == "loopback" and not _says_loopback(named):
        raise Forbidden(f"{host} stands for this machine ({address}): write 127.0.0.1 or localhost if that is meant")
    if kind == "private" and not (private_network or _says_private(named)):
        raise Forbidden(
            f"{host} stands for {address} in a private network: write private_network = true beside the source in "
            "sources.toml if that is meant"
        )


def _says_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return _kind_or_none(host) == "loopback"


def _says_private(host: str) -> bool:
    """True for a number of a private network, a name without a dot, and names that only an own network can have."""
    kind = _kind_or_none(host)
    return kind == "private" if kind else "." not in host or host.endswith(OWN_NAMES)


def _kind_or_none(host: str) -> str | None:
    try:
        return kind_of(host)
    except ValueError:
        return None


def addresses(host: str, port: int, *, private_network: bool = False) -> list[str]:
    """The numbers of a host in the order of the look-up, all of them judged.

    One forbidden number forbids the host: an honest name does not stand for a public and for a metadata address.
    Raises Forbidden, and OSError for a name that nobody knows.
    """
    found = [str(told[4][0]) for told in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        check_address(host, address, private_network=private_network)
    return list(dict.fromkeys(found))[:NUMBERS_MAX]


def check_peer(host: str, connection: Any, *, private_network: bool = False) -> None:
    """Raises Forbidden when a connected socket has another end than `host` may have. A unix socket has none."""
    peer = connection.getpeername()
    if isinstance(peer, tuple):
        check_address(host, str(peer[0]), private_network=private_network)


def hosts_of(options: Mapping[str, Any], secret: str | None, defaults: Iterable[str]) -> frozenset[str]:
    """The hosts that a source may be asked at: those of its address options, of a secret that is an address, else
    the connector's own.
    """
    told = [str(options[name]) for name in ADDRESS_OPTIONS if options.get(name)]
    if secret and "://" in secret:
        told.append(secret)
    return frozenset(_hosts(told) or (host.casefold() for host in defaults))


def _hosts(told: Iterable[str]) -> set[str]:
    return {host for text in told for host in _hosts_in(text)}


def _hosts_in(text: str) -> Iterator[str]:
    try:
        host = urlsplit(text).hostname
    except ValueError:
        return
    if host:
        yield host.rstrip(".")


def check_host(host: str | None, allowed: Collection[str] | None, name: str) -> None:
    """Raises SourceRefused for a host that is none of the source's own; `allowed` None allows every one."""
    if allowed is not None and (host or "").casefold().rstrip(".") not in allowed:
        raise SourceRefused(f"{name}: {host} is no host of this source: check the addresses in sources.toml")
