"""Keeps everybody from changing the store in a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.errors import StoreError
from bot.stores.postgresql.database import Database
from bot.stores.postgresql.looking import connected
from bot.stores.postgresql.schema import COMMITS

# How long to wait for commits that run (s).
_WAIT_S = 30.0


@asynccontextmanager
async def hold(database: Database, name: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """No commit is made meanwhile: they wait, and are tried again. Yields what raises :class:`StoreError` if
    the connection that holds them up has been lost."""
    async with connected(database, name) as connection:
        await connection.fetchval("SELECT pg_advisory_lock($1)", COMMITS, timeout=_WAIT_S)

        async def still() -> None:
            if connection.is_closed():
                raise StoreError(f"the connection to the database {database.address.shown} was lost")
            await connection.fetchval("SELECT 1")

        yield still
