"""Free ports of the loopback for what a test starts."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from itertools import count

_FIRST, _MANY = 20_000, 12_000
_numbers = count(os.getpid() * 101)


def unused_tcp_port() -> int:
    """One that nobody listens at, and that no outgoing connection is given by the system (those begin at 32768): one of
    these took a port once while the process that listened there was started again."""
    for number in _numbers:
        port = _FIRST + number % _MANY
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there is always a next number")
