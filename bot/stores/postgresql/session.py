"""One connection that stays: it hears what other replicas say, and holds locks."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bot.errors import StoreError
from bot.retrying import Backoff
from bot.stores.locks import Locks
from bot.stores.postgresql.database import Connection, Database, unless_broken
from bot.stores.postgresql.errors import FAILURES

log = logging.getLogger(__name__)

CHANNEL = "zoombot"
# How often the connection is tried (s), how often a lock that another replica holds, and for how long.
_LOOK_S = 3.0
_TRY_S = 0.05
LOCK_S = 45.0
_BACKOFF = Backoff(base_s=0.1, cap_s=2.0, least=0.5)


class Session:
    """Keeps its connection open while :meth:`run` runs.

    ``on_open`` is called whenever the connection was opened anew: what was said before that was missed.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self.name = name
        self._connection: Connection = None
        # A connection takes one question at a time.
        self._asking = asyncio.Lock()
        self._locks = Locks()
        self._opened = asyncio.Event()
        self.on_open: Callable[[], None] = _nothing
        self.on_heard: Callable[[str], None] = _ignore

    @property
    def is_open(self) -> bool:
        """Whether the connection is open."""
        return self._connection is not None and not self._connection.is_closed()

    async def run(self) -> None:
        """Keep the connection open until cancelled."""
        failures = 0
        try:
            while True:
                try:
                    await self._listen()
                    failures = 0
                    while True:
                        await asyncio.sleep(_LOOK_S)
                        await self._ask("SELECT 1")
                except Exception as error:
                    # Whatever it is: without this connection nothing is done here any more.
                    failures += 1
                    if failures == 1:
                        log.info(
                            "the connection to other replicas is opened again (%s)", type(error).__name__
                        )
                finally:
                    self._opened.clear()
                    await self._shut()
                await asyncio.sleep(_BACKOFF.pause_s(failures))
        finally:
            await self._shut()

    async def _listen(self) -> None:
        self._connection = await self._database.connect(self.name)
        await self._connection.add_listener(CHANNEL, self._hear)
        self._opened.set()
        self.on_open()

    def _hear(self, connection: object, sender: int, channel: str, said: object) -> None:
        self.on_heard(str(said))

    async def _shut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            # The database would wait for an orderly end of a connection that is broken.
            connection.terminate()

    async def _ask(self, sql: str, *arguments: Any) -> Any:
        """The answer. A connection that does not answer is given up: it might keep a lock that nobody knows
        of."""
        async with self._asking:
            if self._connection is None:
                raise ConnectionResetError("the connection is not open")
            return await unless_broken(self._connection, lambda each: each.fetchval(sql, *arguments))

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[Callable[[], bool]]:
        """Hold a lock over all replicas. Yields what says whether it is still held: the database frees it
        when the connection breaks. Raises :class:`StoreError` if it is not free in time."""
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        # The database gives the lock to the same connection as often as it asks.
        async with self._locks.of(name):
            connection = await self._locked(number)
            try:
                yield lambda: self._connection is connection and not connection.is_closed()
            finally:
                await self._unlock(connection, number)

    async def _locked(self, number: int) -> Connection:
        try:
            async with asyncio.timeout(LOCK_S):
                while True:
                    await self._opened.wait()
                    connection = self._connection
                    with contextlib.suppress(*FAILURES):
                        if await self._try_lock(connection, number):
                            return connection
                    await asyncio.sleep(_TRY_S)
        except TimeoutError:
            raise StoreError("another replica does not let go of a lock") from None

    async def _try_lock(self, connection: Connection, number: int) -> bool:
        asking = asyncio.ensure_future(self._ask("SELECT pg_try_advisory_lock($1)", number))
        try:
            return bool(await asyncio.shield(asking))
        except asyncio.CancelledError:
            with contextlib.suppress(*FAILURES):
                if await asking:
                    await self._unlock(connection, number)
            raise

    async def _unlock(self, connection: Connection, number: int) -> None:
        if self._connection is not connection:
            # The lock went with its connection.
            return
        with contextlib.suppress(*FAILURES):
            await self._ask("SELECT pg_advisory_unlock($1)", number)


def _nothing() -> None:
    pass


def _ignore(said: str) -> None:
    pass
