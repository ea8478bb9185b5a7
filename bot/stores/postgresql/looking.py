"""Looks at a database and at the replicas that use it. Changes nothing, and needs no store to be there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from bot.errors import StoreError
from bot.stores.indexes import Indexes
from bot.stores.postgresql.database import Connection, Database
from bot.stores.postgresql.errors import FAILURES, described, translated
from bot.stores.postgresql.schema import is_current
from bot.stores.seen import WATCH_S, Pooler, SeenDatabase, SeenReplica

# How often the replicas' beats are read (s).
_LOOK_S = 0.25
_SCHEMA = "zoombot"
_FACTS = """
    SELECT current_setting('server_version_num')::integer AS version,
        coalesce((SELECT s.version FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid() AND s.ssl), '') AS tls,
        current_setting('search_path') AS path,
        pg_backend_pid() AS backend,
        EXISTS (
            SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'zoombot' AND c.relname = 'about'
        ) AS has_store,
        coalesce(
            (SELECT pg_has_role(n.nspowner, 'USAGE') FROM pg_namespace n WHERE n.nspname = 'zoombot'),
            has_database_privilege(current_database(), 'CREATE')
        ) AND coalesce((
            SELECT bool_and(pg_has_role(c.relowner, 'USAGE'))
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'zoombot' AND c.relkind = 'r'
        ), true) AS is_owner,
        ARRAY(
            SELECT name FROM pg_settings
            WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
        ) AS unsafe,
        current_setting('max_connections')::integer
            - current_setting('superuser_reserved_connections')::integer AS connections
"""
_REPLICAS = """
    SELECT r.number, r.name, r.beats, count(c.grouping) AS groups,
        coalesce(bool_or(c.grouping = 0), false) AS leads
    FROM zoombot.replicas r LEFT JOIN zoombot.claims c ON c.owner = r.number
    GROUP BY r.number, r.name, r.beats ORDER BY r.number
"""
# What the second session of a pooler of transactions meets: the first one's statements.
_SHARED = (asyncpg.DuplicatePreparedStatementError, asyncpg.InvalidSQLStatementNameError)


async def look(database: Database, name: str, indexes: Indexes, watch_s: float = WATCH_S) -> SeenDatabase:
    """Look at a database that need not be open. Takes up to ``watch_s`` seconds, to see which replicas live.

    Raises :class:`StoreError`.
    """
    async with connected(database, name) as connection:
        facts = await connection.fetchrow(_FACTS)
        pooler = await _pooler(database, name, connection, facts)
        replicas: tuple[SeenReplica, ...] = ()
        is_ours = True
        if facts["has_store"] and facts["is_owner"]:
            is_ours = await is_current(connection, indexes)
            replicas = await watch(connection, watch_s)
    return SeenDatabase(
        version=facts["version"],
        tls=facts["tls"],
        pooler=pooler,
        has_store=facts["has_store"],
        is_owner=facts["is_owner"],
        unsafe=tuple(facts["unsafe"]),
        connections=facts["connections"],
        replicas=replicas,
        is_ours=is_ours,
    )


@asynccontextmanager
async def connected(database: Database, name: str) -> AsyncIterator[Connection]:
    """A connection of its own. What fails on it is raised as :class:`StoreError`."""
    shown = database.address.shown
    try:
        connection = await database.connect(name)
        try:
            yield connection
        finally:
            connection.terminate()
    except asyncpg.TargetServerAttributeNotMatched:
        raise StoreError(f"store.url: the database {shown} takes no changes: name its primary") from None
    except FAILURES as error:
        if (lasting := translated(error, shown)) is not None:
            raise lasting from None
        raise StoreError(f"the database {shown} is away: {described(error)}") from None


async def watch(connection: Connection, watch_s: float = WATCH_S) -> tuple[SeenReplica, ...]:
    """Every replica that is registered. Returns once each was seen to live, or after ``watch_s`` seconds."""
    before = {row["number"]: row["beats"] for row in await connection.fetch(_REPLICAS)}
    until = time.monotonic() + watch_s
    while True:
        rows = await connection.fetch(_REPLICAS)
        # One that has registered meanwhile lives.
        seen = tuple(_seen(row, is_alive=before.get(row["number"]) != row["beats"]) for row in rows)
        if all(each.is_alive for each in seen) or time.monotonic() >= until:
            return seen
        await asyncio.sleep(_LOOK_S)


def _seen(row: Any, *, is_alive: bool) -> SeenReplica:
    _, _, host = row["name"].partition(" ")
    host, _, _ = host.rpartition(" ")
    return SeenReplica(row["number"], host or row["name"], row["groups"], row["leads"], is_alive)


async def _pooler(database: Database, name: str, connection: Connection, facts: Any) -> Pooler:
    """What stands between: another process than the server's own has answered."""
    if facts["path"] != _SCHEMA:
        return Pooler.TRANSACTIONS
    if facts["backend"] == connection.get_server_pid():
        return Pooler.NONE
    other = await database.connect(name)
    try:
        backend = await other.fetchval("SELECT pg_backend_pid()")
        shared = backend == await connection.fetchval("SELECT pg_backend_pid()")
    except _SHARED:
        shared = True
    finally:
        other.terminate()
    return Pooler.TRANSACTIONS if shared else Pooler.SESSIONS
