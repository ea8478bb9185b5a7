"""Tells other replicas what they have to do, and hears it from them.

What is said comes after the commit, by itself: in the commit it would make all commits wait for each other.
If it gets lost, the replica finds the work when it looks through the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator

import msgspec

from bot.errors import StoreError
from bot.stores.postgresql.database import Connection, Database
from bot.stores.postgresql.session import CHANNEL

log = logging.getLogger(__name__)

# A notification has at most 8,000 bytes.
_MOST = 7_000
# What waits to be said; beyond that, everybody looks through the store.
WAITING = 20_000
# Not durable: whoever misses it looks through the store. This commit must not wait for the disk.
_SAY = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)"


class Said(msgspec.Struct, omit_defaults=True):
    """What a replica says. ``work`` are tables and ids of records, ``begun`` and ``ended`` ids of items that
    may create a meeting. ``look``: look at the replicas and claims; ``lost``: look through the store."""

    sender: int
    work: list[tuple[str, str]] = []
    begun: list[str] = []
    ended: list[str] = []
    look: bool = False
    lost: bool = False


class Signals:
    """Says what was told by :meth:`tell` and its like, together, while :meth:`run` runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sender = 0
        self._waiting: list[Said] = []
        self._wanted = asyncio.Event()

    def tell(self, said: Said) -> None:
        """Say something soon."""
        if len(self._waiting) >= WAITING:
            self._waiting = [Said(0, lost=True, look=True)]
        self._waiting.append(said)
        self._wanted.set()

    async def run(self) -> None:
        """Say what waits, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self.say()

    async def say(self) -> None:
        """Say what waits now."""
        waiting, self._waiting = self._waiting, []
        texts = [msgspec.json.encode(said).decode() for said in _together(self.sender, waiting)]

        async def notify(connection: Connection) -> None:
            for text in texts:
                await connection.fetch(_SAY, CHANNEL, text)

        if texts:
            try:
                await self._database.call(notify)
            except StoreError as error:
                log.warning("other replicas were not told of work: %s", error)


def read(text: str) -> Said | None:
    """What was said; None if that is not from a replica of this program."""
    try:
        return msgspec.json.decode(text, type=Said)
    except (msgspec.MsgspecError, UnicodeError):
        return None


def _together(sender: int, waiting: Iterable[Said]) -> Iterator[Said]:
    """What waits in as few texts as it fits into, in its order."""
    current, size = Said(sender), 0
    for said in waiting:
        length = len(msgspec.json.encode(said))
        if length > _MOST:
            said, length = Said(sender, lost=True), 50
        if size + length > _MOST:
            yield current
            current, size = Said(sender), 0
        size += length
        current.work += said.work
        current.begun += said.begun
        current.ended += said.ended
        current.look |= said.look
        current.lost |= said.lost
    if size:
        yield current
