"""A network namespace without a route: the only interface is loopback, and the kernel counts who wanted to leave."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
from functools import cache
from pathlib import Path

SIOCSIFFLAGS, UP_AND_RUNNING = 0x8914, 0x1 | 0x40  # linux/sockios.h, linux/if.h
OUTSIDE = (
    (socket.AF_INET, "192.0.2.1"),  # RFC 5737 and RFC 3849: addresses for examples, which are nobody's
    (socket.AF_INET6, "2001:db8::1"),
)


@cache
def entered_by() -> list[str]:
    """The words that start a programme in an empty namespace; empty where this machine does not permit it."""
    ways = [["unshare", "--net"], ["unshare", "--map-root-user", "--net"]]
    for words in ways if shutil.which("unshare") else []:
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
            return words
    return []


WHY_NOT = "this machine permits no network namespace: run as root, or allow `unshare --map-root-user --net`"


def loopback_up() -> None:
    """A new namespace has loopback, but it is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", UP_AND_RUNNING))


def interfaces() -> list[str]:
    """What a packet could leave by."""
    return sorted(name for _, name in socket.if_nameindex())


def wanted_to_leave() -> int:
    """How many connections and datagrams of this namespace found no route: the kernel's count, whoever sent them."""
    counts = 0
    head, values = [line.split() for line in _counters("snmp") if line.startswith("Ip:")]
    counts += int(values[head.index("OutNoRoutes")])
    for line in _counters("snmp6"):
        if line.startswith("Ip6OutNoRoutes"):
            counts += int(line.split()[1])
    return counts


def _counters(name: str) -> list[str]:
    return Path("/proc/self/net", name).read_text(encoding="ascii").splitlines()


def plain_environment() -> dict[str, str]:
    """The environment without proxies and without the package installer's settings: either would be a way out."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith("PIP_")
    }
