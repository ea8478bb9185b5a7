"""Requests under way: a webhook may speak of a meeting whose creation is not written down yet."""

from __future__ import annotations

import asyncio


class Flights:
    """Which inbox items may yet bring a meeting into being."""

    def __init__(self) -> None:
        self._landed: dict[str, asyncio.Event] = {}

    def __bool__(self) -> bool:
        return bool(self._landed)

    def begin(self, id: str) -> None:
        """An item was taken up."""
        self._landed.setdefault(id, asyncio.Event())

    def end(self, id: str) -> None:
        """Whatever the item brought is written down."""
        landed = self._landed.pop(id, None)
        if landed is not None:
            landed.set()

    async def settled(self, timeout_s: float) -> None:
        """Wait for those that are under way now, no longer than ``timeout_s`` seconds."""
        waits = [asyncio.ensure_future(landed.wait()) for landed in self._landed.values()]
        if not waits:
            return
        try:
            await asyncio.wait(waits, timeout=timeout_s)
        finally:
            for wait in waits:
                wait.cancel()
