"""Waiting for changes of the server's state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """Wakes all waiting tasks after each change."""

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self._waiting = 0

    def tell(self) -> None:
        """Wake the waiting tasks."""
        if self._waiting:
            self._next.set()
            self._next = asyncio.Event()

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 10) -> T:  # noqa: ASYNC109
        """Return the predicate's first true value. Raises TimeoutError after `timeout` seconds."""
        self._waiting += 1
        try:
            async with asyncio.timeout(timeout):
                while not (value := predicate()):
                    await self._next.wait()
        finally:
            self._waiting -= 1
        return value
