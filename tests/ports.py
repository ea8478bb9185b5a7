"""Ports for tests that run side by side."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections import deque

from bot import demo

# On Linux a bound socket keeps others from the port, but not a server that listens there later. The newest are
# kept: by the time that one goes, its server has long been listening.
_kept: deque[socket.socket] = deque(maxlen=32)


def free_port() -> int:
    """A port that is free, and that no other test is given before a server listens there."""
    while True:
        port = demo.free_port()
        if sys.platform != "linux":
            return port
        keeper = socket.socket()
        with contextlib.suppress(OSError):
            keeper.bind(("127.0.0.1", port))
            keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if len(_kept) == _kept.maxlen:
                _kept.popleft().close()
            _kept.append(keeper)
            return port
        keeper.close()
