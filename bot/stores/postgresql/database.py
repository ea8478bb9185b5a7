"""Connections to the database. A call is made again until the database has answered it.

asyncpg is the driver: it speaks the wire protocol itself on asyncio, so that no thread stands between, and it
has a pool and listens for notifications. Apache 2.0, kept by the makers of EdgeDB since 2016.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from bot.config.database import Database as Address
from bot.errors import StoreError
from bot.retrying import Backoff
from bot.stores.postgresql.errors import FAILURES, RefusedError, described, translated

log = logging.getLogger(__name__)

T = TypeVar("T")
Connection = Any

# Connections of one replica besides the one that listens.
CONNECTIONS = 10
# How long a connection may take to open, and the database to answer a call (s).
OPEN_S = 3.0
ANSWER_S = 5.0
# Calls that may wait while the database is away.
WAITING = 10_000
_BACKOFF = Backoff(base_s=0.1, cap_s=2.0, least=0.5)
_SETTINGS = {
    "search_path": "zoombot",
    # The database frees the locks of a replica that hangs in the middle of a commit.
    "idle_in_transaction_session_timeout": "5000",
    # Every question has its index. Without statistics the planner would read small tables whole, and keep
    # that plan while they grow.
    "enable_seqscan": "off",
    "jit": "off",
    "timezone": "UTC",
}


class Database:
    """A pool of connections, opened by :meth:`open`. All errors are :class:`StoreError`.

    While the database is away, calls wait for it, and ``reachable`` is False.
    """

    def __init__(
        self, address: Address, ca_file: str, on_trouble: Callable[[str], None], *, size: int = CONNECTIONS
    ) -> None:
        self.address = address
        self._ssl = _tls(address, ca_file)
        self._on_trouble = on_trouble
        self._size = size
        self._pool: Any = None
        self._waiting = 0
        # Why the database is away; empty while it is not.
        self.trouble = ""
        self._open = False
        # A running bot waits also for a database that refuses it: a password may be changed at one end first.
        self._was_there = False

    @property
    def reachable(self) -> bool:
        """Whether the last call was answered."""
        return self._open and not self.trouble

    @property
    def in_use(self) -> int:
        """How many connections are being used."""
        return self._pool.get_size() - self._pool.get_idle_size() if self._pool else 0

    @property
    def size(self) -> int:
        """How many connections are open."""
        return self._pool.get_size() if self._pool else 0

    async def connect(self, name: str, *, session: str | None = None) -> Connection:
        """One connection, outside the pool. Raises what asyncpg raises."""
        return await asyncpg.connect(**self._arguments(name, session), timeout=OPEN_S)

    async def open(self, name: str, patience_s: float, *, session: str | None = None) -> None:
        """Open the pool, under this name of the program; wait ``patience_s`` seconds for a database that is
        away. Raises :class:`StoreError`."""
        self._pool = asyncpg.create_pool(
            **self._arguments(name, session),
            min_size=0,
            max_size=self._size,
            timeout=OPEN_S,
            max_inactive_connection_lifetime=300.0,
            reset=_leave_as_it_is,
        )
        await self._pool
        self._open = True
        try:
            await self.call(_alive, patience_s=patience_s)
        except BaseException:
            await self.close()
            raise

    def _arguments(self, name: str, session: str | None) -> dict[str, Any]:
        address = self.address
        return {
            "host": [host for host, _ in address.hosts],
            "port": [port for _, port in address.hosts],
            "user": address.user,
            "password": address.password or None,
            "database": address.name,
            "ssl": self._ssl,
            "command_timeout": ANSWER_S,
            "server_settings": {**_SETTINGS, "application_name": name},
            "target_session_attrs": session or address.session,
        }

    async def call(self, work: Callable[[Connection], Awaitable[T]], *, patience_s: float | None = None) -> T:
        """What ``work`` returns. It gets a connection of its own, and is called again if that breaks.

        Waits ``patience_s`` seconds for a database that is away; by default until the store is closed.
        """
        began, failures = time.monotonic(), 0
        while True:
            self._require_open()
            try:
                async with self._pool.acquire(timeout=2 * OPEN_S) as connection:
                    found = await unless_broken(connection, work)
            except FAILURES as error:
                self._require_open()
                lasting = translated(error, self.address.shown)
                if lasting is not None and not (self._was_there and isinstance(lasting, RefusedError)):
                    raise lasting from None
                failures += 1
                self._note(described(error))
                if patience_s is not None and time.monotonic() - began > patience_s:
                    raise StoreError(f"the database {self.address.shown} is away: {self.trouble}") from None
                await self._pause(failures)
            else:
                self._was_there = True
                self._note("")
                return found

    async def _pause(self, failures: int) -> None:
        if self._waiting >= WAITING:
            raise StoreError("too many calls wait for the database")
        self._waiting += 1
        try:
            await asyncio.sleep(_BACKOFF.pause_s(failures))
        finally:
            self._waiting -= 1

    def _note(self, trouble: str) -> None:
        if bool(trouble) is not bool(self.trouble):
            shown = self.address.shown
            self._on_trouble(
                f"the database {shown} is away: {trouble}; trying again"
                if trouble
                else f"the database {shown} is back"
            )
        self.trouble = trouble

    def _require_open(self) -> None:
        if not self._open:
            raise StoreError("the store is closed")

    async def close(self, timeout_s: float = 1.0) -> None:
        """Close all connections; those that are used after ``timeout_s`` seconds are cut."""
        self._open = False
        if self._pool is None:
            return
        with contextlib.suppress(*FAILURES):
            async with asyncio.timeout(timeout_s):
                await self._pool.close()
                return
        self._pool.terminate()


async def unless_broken(connection: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
    """What ``work`` returns. A connection on which something did not end is used no more."""
    try:
        return await work(connection)
    except FAILURES as error:
        if not isinstance(error, asyncpg.PostgresError):
            connection.terminate()
        raise


async def _alive(connection: Connection) -> None:
    await connection.fetchval("SELECT 1")


async def _leave_as_it_is(connection: Connection) -> None:
    """Nothing here changes a connection for longer than a transaction. To reset it would be another call."""


def _tls(address: Address, ca_file: str) -> ssl.SSLContext | str | bool:
    """What asyncpg takes for the ``sslmode``: its own contexts would read files in the home directory."""
    if address.sslmode in ("disable", "allow", "prefer"):
        return False if address.sslmode == "disable" or address.is_local else address.sslmode
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError):
        raise StoreError(f"store.ca_file: {ca_file} is no PEM file of certificates") from None
    context.check_hostname = address.sslmode == "verify-full"
    if address.sslmode == "require" and not ca_file:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
