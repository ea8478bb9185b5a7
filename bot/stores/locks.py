"""Locks by id, which exist only while somebody holds them or waits for them."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class Locks:
    """One lock for each id."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, id: str) -> asyncio.Lock:
        """The lock of this id. Keep it for as long as it is needed."""
        return self._locks.setdefault(id, asyncio.Lock())
