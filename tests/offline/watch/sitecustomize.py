"""Notes every connection, datagram and name look-up of a Python process that is not for this machine.

Python imports this file by itself at the start, when its folder stands in PYTHONPATH. The file of CITY_ATTEMPTS gets
one line per attempt: what was asked for, and of whom.
"""

import os
import sys
from ipaddress import ip_address

ATTEMPTS = os.environ.get("CITY_ATTEMPTS", "")
CALLS = ("socket.connect", "socket.sendto", "socket.sendmsg")
LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")


def _at_home(host):
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False


def _note(event, arguments):
    if event in CALLS:
        address = arguments[1]
        if not isinstance(address, tuple):  # a unix socket, or a socket that is connected already
            return
        host = address[0]
    elif event in LOOK_UPS:
        host = arguments[0][0] if isinstance(arguments[0], tuple) else arguments[0]
    else:
        return
    if not _at_home(host):
        with open(ATTEMPTS, "a", encoding="utf-8") as notes:
            notes.write(f"{event} {host}\n")


if ATTEMPTS:
    sys.addaudithook(_note)
