"""The tables of replicas and claims: one function for each thing that is done with them.

A group of queues is free, or one replica's. Group 0 is the leader's.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from bot.errors import FencedError
from bot.stores.postgresql.database import Connection, Database
from bot.stores.postgresql.schema import FENCE, GROUPS

T = TypeVar("T")

_BEAT = "UPDATE replicas SET beats = beats + 1 WHERE number = $1 RETURNING beats"
# Whether a beat outlasts a crash of the database does not matter.
_QUICK = "SELECT set_config('synchronous_commit', 'off', true)"
_REPLICAS = """
    SELECT r.number, r.beats,
        EXISTS (SELECT FROM pg_stat_activity a WHERE a.application_name = r.name) AS connected
    FROM replicas r
"""
_CLAIM = """
    WITH free AS (
        SELECT grouping, lost FROM claims WHERE owner IS NULL ORDER BY grouping LIMIT $2
        FOR UPDATE SKIP LOCKED
    )
    UPDATE claims c SET owner = $1, lost = false FROM free WHERE c.grouping = free.grouping
    RETURNING c.grouping, free.lost
"""
_IS_STILL = "SELECT number FROM replicas WHERE number = $1 AND beats = $2 FOR UPDATE"
_OUTSTANDING = """
    SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN replicas r ON a.application_name = r.name
    WHERE r.number = $1 AND r.beats = $2
"""


@dataclass(frozen=True, slots=True)
class View:
    """The beats of each replica, which of them are connected, and who owns each group, at one moment."""

    beats: dict[int, int]
    connected: set[int]
    owners: dict[int, int | None]

    @property
    def share(self) -> int:
        """How many groups a replica is to have."""
        return math.ceil(len(self.owners) / max(1, len(self.beats)))

    def of(self, owner: int | None) -> set[int]:
        """The groups of a replica; those that are free for None."""
        return {group for group, each in self.owners.items() if each == owner}


def group_of(queue: str) -> int:
    """The group of a queue. The leader's group has none."""
    return 1 + zlib.crc32(queue.encode("utf-8", "surrogateescape")) % (GROUPS - 1)


class Replicas:
    """Calls fail at once while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def join(self, name: str) -> int:
        """Add a replica whose connections have this name. Returns its number."""
        sql = "INSERT INTO replicas (name) VALUES ($1) RETURNING number"
        return await self._call(lambda connection: connection.fetchval(sql, name))

    async def beat(self, number: int) -> View:
        """Count up the beats of a replica, and look at all. Raises :class:`FencedError` if it was removed."""

        async def beat(connection: Connection) -> View:
            async with connection.transaction():
                await connection.fetch(_QUICK)
                if await connection.fetchval(_BEAT, number) is None:
                    raise FencedError("another replica has taken over this one's work")
                rows = await connection.fetch(_REPLICAS)
                return View(
                    beats={row["number"]: row["beats"] for row in rows},
                    connected={row["number"] for row in rows if row["connected"]},
                    owners=dict(await connection.fetch("SELECT grouping, owner FROM claims")),
                )

        return await self._call(beat)

    async def claim(self, number: int, count: int) -> dict[int, bool]:
        """Claim up to so many free groups. Returns of each whether its last owner was removed by others."""
        return dict(await self._call(lambda connection: connection.fetch(_CLAIM, number, count)))

    async def free(self, number: int, groups: Collection[int]) -> None:
        """Give groups back."""
        sql = "UPDATE claims SET owner = NULL WHERE owner = $1 AND grouping = ANY ($2)"
        await self._call(lambda connection: connection.execute(sql, number, sorted(groups)))

    async def remove(self, number: int, beats: int) -> bool:
        """Remove a replica whose beats still are ``beats``; its groups are free. False if they are not."""

        async def remove(connection: Connection) -> bool:
            async with connection.transaction():
                # A commit of it that is open would hold up what follows.
                await connection.fetch(_OUTSTANDING, number, beats)
                await connection.fetch("SELECT pg_advisory_xact_lock($1, $2)", FENCE, number)
                if await connection.fetchval(_IS_STILL, number, beats) is None:
                    return False
                await connection.execute("UPDATE claims SET lost = true WHERE owner = $1", number)
                await connection.execute("DELETE FROM replicas WHERE number = $1", number)
                return True

        return await self._call(remove)

    async def leave(self, number: int) -> None:
        """Remove a replica that stops."""

        async def leave(connection: Connection) -> None:
            async with connection.transaction():
                await connection.fetch("SELECT pg_advisory_xact_lock($1, $2)", FENCE, number)
                await connection.execute("DELETE FROM replicas WHERE number = $1", number)

        await self._call(leave)

    async def forget_commits(self) -> None:
        """Forget commits that nobody makes again."""
        sql = "DELETE FROM commits WHERE made_at < now() - interval '1 hour'"
        await self._call(lambda connection: connection.execute(sql))

    async def _call(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        return await self._database.call(work, patience_s=0)
