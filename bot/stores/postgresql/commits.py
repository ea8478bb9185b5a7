"""Writes documents: all rows of a commit or none, and once, also if the database's answer was lost."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bot.domain.record import Record
from bot.domain.upkeep import SCHEMA_VERSION
from bot.stores.indexes import NO_INDEX, Indexes
from bot.stores.postgresql.database import Connection, Database
from bot.stores.postgresql.edits import Edit, Place, Readers, Row
from bot.stores.postgresql.rows import entries_of, lock_of
from bot.stores.postgresql.schema import fingerprint

T = TypeVar("T")

# A commit of more documents than this takes one lock for all.
_LOCKS = 64
_COMMIT = "SELECT zoombot.commit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_TAKE = "SELECT * FROM zoombot.take($1, $2, $3, $4, $5, $6, $7)"
_WRITE = "SELECT zoombot.write($1, $2, $3, $4, $5, $6, $7, $8)"


class UnreadableError(Exception):
    """A commit needs documents that cannot be read: ``bodies`` has them."""

    def __init__(self, bodies: dict[Place, bytes]) -> None:
        super().__init__()
        self.bodies = bodies


class Commits:
    """``replica`` is the number of the replica whose commits these are; 0 if none can take its work over."""

    def __init__(self, database: Database, indexes: Indexes, readers: Readers) -> None:
        self._database = database
        self._indexes = indexes
        self._fingerprint = fingerprint(indexes)
        self._readers = readers
        self.replica = 0

    async def write(self, rows: Sequence[Row], *, guards: bool = False) -> list[int]:
        """Write rows in one call. Returns the numbers of the skipped inserts, from 1 on.

        ``guards``: if the first is skipped, nothing is written.
        """
        arguments = self._enter([row.place for row in rows]) + self._written(uuid.uuid4(), rows, guards)

        async def write(connection: Connection) -> list[int]:
            return list(await connection.fetchval(_COMMIT, *arguments))

        return await self._database.call(write)

    async def edit(
        self, kinds: dict[Place, type[Record]], work: Callable[[Edit], T]
    ) -> tuple[T, list[Callable[[], object]]]:
        """Let ``work`` edit documents while nobody else can change them.

        Returns what it returned, and what to call now that it is written. It is called once: what it made is
        written again if the database did not answer. Raises :class:`UnreadableError`.
        """
        places = sorted(kinds)
        enter, id_ = self._enter(places), uuid.uuid4()
        made: list[tuple[T, Edit, list[Row]]] = []

        async def edit(connection: Connection) -> None:
            async with connection.transaction():
                bodies = await _take(connection, enter, places)
                if not made:
                    self._require_readable(bodies, kinds)
                    editing = Edit(bodies, self._readers)
                    result = work(editing)
                    made.append((result, editing, editing.rows()))
                if rows := made[0][2]:
                    await connection.fetchval(_WRITE, *self._written(id_, rows, guards=False))

        await self._database.call(edit)
        result, editing, _ = made[0]
        return result, editing.done

    async def replace(self, place: Place, body: bytes, target: Place, new: bytes) -> bool | None:
        """Remove a document that still has this body, and write another. False if it was changed, None if the
        other's place is taken."""
        places = [place, target]
        enter, id_ = self._enter(places), uuid.uuid4()
        rows = [Row(place, None), Row(target, new)]

        async def replace(connection: Connection) -> bool | None:
            async with connection.transaction():
                bodies = await _take(connection, enter, places)
                if bodies.get(place) != body:
                    return False
                if target in bodies:
                    return None
                await connection.fetchval(_WRITE, *self._written(id_, rows, guards=False))
                return True

        return await self._database.call(replace)

    def _require_readable(self, bodies: dict[Place, bytes], kinds: dict[Place, type[Record]]) -> None:
        bad = {
            place: body
            for place, body in bodies.items()
            if self._readers.sound(kinds[place], place[1], body) is None
        }
        if bad:
            raise UnreadableError(bad)

    def _enter(self, places: Sequence[Place]) -> tuple[Any, ...]:
        locks = sorted({lock_of(kind, key) for kind, key in places})
        alone = len(locks) > _LOCKS
        return self.replica, SCHEMA_VERSION, self._fingerprint, [] if alone else locks, alone

    def _written(self, id_: uuid.UUID, rows: Sequence[Row], guards: bool) -> tuple[Any, ...]:
        at: list[int] = []
        entries: list[bytes] = []
        for number, row in enumerate(rows, start=1):
            if row.body is not None:
                found = entries_of(self._indexes.get(row.place[0], NO_INDEX), row.body)
                entries += found
                at += [number] * len(found)
        return (
            id_,
            [row.place[0] for row in rows],
            [row.place[1] for row in rows],
            [row.body for row in rows],
            [row.is_insert for row in rows],
            guards,
            at,
            entries,
        )


async def _take(
    connection: Connection, enter: tuple[Any, ...], places: Sequence[Place]
) -> dict[Place, bytes]:
    """The documents as they are, once nobody else can change them."""
    kinds, keys = [kind for kind, _ in places], [key for _, key in places]
    rows = await connection.fetch(_TAKE, *enter, kinds, keys)
    return {(row["kind"], bytes(row["key"])): bytes(row["body"]) for row in rows}
