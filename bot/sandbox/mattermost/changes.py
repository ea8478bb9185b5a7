"""Telling whoever waits that something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """Wakes all who wait after every change of state."""

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self._waiting = 0

    def tell(self) -> None:
        """Something changed."""
        if self._waiting:
            self._next.set()
            self._next = asyncio.Event()

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 10) -> T:  # noqa: ASYNC109
        """The predicate's first true value; raises TimeoutError after `timeout` seconds."""
        self._waiting += 1
        try:
            async with asyncio.timeout(timeout):
                while not (value := predicate()):
                    await self._next.wait()
        finally:
            self._waiting -= 1
        return value
