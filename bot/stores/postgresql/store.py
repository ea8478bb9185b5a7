"""The store for several replicas: documents in PostgreSQL, see :mod:`bot.stores.postgresql.schema`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import msgspec

from bot.domain.records import Record
from bot.domain.upkeep import SetAside
from bot.errors import StoreError
from bot.stores import PAGE, Change, Put, R, Update
from bot.stores.front import name_for
from bot.stores.indexes import Indexes, indexed, value_of
from bot.stores.postgresql.commits import Commits, UnreadableError
from bot.stores.postgresql.database import Connection, Database
from bot.stores.postgresql.edits import Edit, Place, Readers, Row, kind_of, place_of, simple_rows
from bot.stores.postgresql.order import Order
from bot.stores.postgresql.rows import entry_of, id_of, key_of
from bot.stores.postgresql.session import Session
from bot.stores.reading import Unreadable, slowly

T = TypeVar("T")

# How long a question about very much may take (s), and how long closing waits for changes.
LONG_S = 120.0
_CLOSE_S = 1.2
# How many records a line of the log names.
_NAMED = 10
_STRANGE = "it is kept under the id of another record"
_ALL = "SELECT d.key, d.body FROM documents d WHERE d.kind = $1"
_FOUND = """
    SELECT d.key, d.body FROM entries e JOIN documents d ON d.kind = e.kind AND d.key = e.key
    WHERE e.kind = $1 AND e.entry = $2
"""
_COUNT = "SELECT count(*) FROM documents WHERE kind = $1"
_HAS = "SELECT FROM entries WHERE kind = $1 AND entry = $2 LIMIT 1"


class PostgresStore:
    """A :class:`bot.stores.Store`. Without ``writes`` it refuses changes.

    A question shows one moment after it was asked. Calls that change the same document are applied in their
    order.
    """

    def __init__(
        self,
        database: Database,
        session: Session,
        indexes: Indexes,
        on_trouble: Callable[[str], None],
        *,
        writes: bool = True,
    ) -> None:
        self.database = database
        self.session = session
        self._on_trouble = on_trouble
        self._writes = writes
        self._readers = Readers()
        self._commits = Commits(database, indexes, self._readers)
        self._order = Order()
        # What cannot be read, as far as it was come across by a store that is opened for reading only.
        self._found: dict[Place, SetAside] = {}
        self._listening = asyncio.create_task(session.run()) if writes else None
        self._open = True

    @property
    def replica(self) -> int:
        """The number of the replica that makes the commits; see :mod:`bot.stores.postgresql.claims`."""
        return self._commits.replica

    @replica.setter
    def replica(self, number: int) -> None:
        self._commits.replica = number

    @property
    def writable(self) -> bool:
        return self._open and self._writes and self.database.reachable

    @property
    def trouble(self) -> str:
        if self.writable:
            return ""
        return f"the database is away: {self.database.trouble}" if self.database.trouble else "it is closed"

    def lock(self, name: str) -> AbstractAsyncContextManager[Callable[[], bool]]:
        return self.session.lock(name)

    # Reading.

    async def get(self, kind: type[R], id_: str) -> R | None:
        place = kind.table, key_of(id_)
        await self._order.passed(place)
        rows = await self._fetch(f"{_ALL} AND d.key = $2", *place)
        return next(iter(await self._records(kind, rows)), None)

    async def some(self, kind: type[R], ids: Iterable[str]) -> list[R]:
        """The records of these ids that are there."""
        rows = await self._fetch(f"{_ALL} AND d.key = ANY ($2)", kind.table, list(map(key_of, ids)))
        return await self._records(kind, rows)

    async def find(self, kind: type[R], field: str, value: Any) -> list[R]:
        rows = await self._fetch(_FOUND, kind.table, self._entry(kind, field, value), limit_s=LONG_S)
        return await self._records(kind, rows)

    async def has(self, kind: type[Record], field: str, value: Any) -> bool:
        return bool(await self._fetch(_HAS, kind.table, self._entry(kind, field, value)))

    async def all(self, kind: type[R]) -> list[R]:
        records = await self._records(kind, await self._fetch(_ALL, kind.table, limit_s=LONG_S))
        return records + [each for each in self._found.values() if isinstance(each, kind)]

    async def pages(
        self, kind: type[R], field: str = "", value: Any = None, *, size: int = PAGE
    ) -> AsyncIterator[list[R]]:
        arguments: tuple[Any, ...] = (kind.table,)
        sql, key = _ALL, "d.key"
        if field:
            arguments = (kind.table, self._entry(kind, field, value))
            sql, key = _FOUND, "e.key"
        order = f"ORDER BY {key} LIMIT {size:d}"
        rows = await self._fetch(f"{sql} {order}", *arguments)
        yield await self._records(kind, rows)
        while len(rows) == size:
            later = f"{sql} AND {key} > ${len(arguments) + 1} {order}"
            rows = await self._fetch(later, *arguments, rows[-1]["key"])
            yield await self._records(kind, rows)

    async def count(self, kind: type[Record]) -> int:
        rows = await self._fetch(_COUNT, kind.table, limit_s=LONG_S)
        return int(rows[0]["count"])

    async def inspect(self) -> None:
        for kind in Record.__subclasses__():
            async for _ in self.pages(kind):
                pass

    async def _fetch(self, sql: str, *arguments: Any, limit_s: float | None = None) -> list[Any]:
        self._require_open()
        await self._order.passed()
        limit = {} if limit_s is None else {"timeout": limit_s}

        async def ask(connection: Connection) -> list[Any]:
            return list(await connection.fetch(sql, *arguments, **limit))

        return await self.database.call(ask)

    def _entry(self, kind: type[Record], field: str, value: Any) -> bytes:
        self._require_open()
        known = indexed(kind).get(field)
        if known is None:
            raise StoreError(f"{kind.__name__} has no index of {field!r}")
        return entry_of((known.field, value_of(msgspec.to_builtins(value))))

    async def _records(self, kind: type[R], rows: Sequence[Any]) -> list[R]:
        """The records of these rows. What cannot be read is set aside."""
        records: list[R] = []
        faults: dict[Place, bytes] = {}
        async for row in slowly(rows):
            key, body = bytes(row["key"]), bytes(row["body"])
            record = self._readers.sound(kind, key, body)
            if record is not None:
                records.append(record)
            else:
                faults[kind.table, key] = body
        if faults:
            await self._set_aside(faults, dict.fromkeys(faults, kind))
        return records

    # Changing.

    async def insert(self, record: Record, *also: Change) -> bool:
        changes = [Put(record), *also]
        self._require_ready()
        rows = simple_rows(changes, self._readers)
        if rows is None:
            return await self._edit(changes, lambda edit: not edit.has(record) and edit.apply(changes))
        guarded = [Row(rows[0].place, rows[0].body, is_insert=True), *rows[1:]]
        while 1 in await self._write(guarded, guards=True):
            # What cannot be read is set aside, and takes no id any more.
            if await self.get(type(record), record.id) is not None:
                return False
        return True

    async def commit(self, *changes: Change) -> None:
        self._require_ready()
        rows = simple_rows(changes, self._readers)
        if rows is None:
            await self._edit(changes, lambda edit: edit.apply(changes))
        elif rows:
            await self._write(rows)
        else:
            await self._order.passed()

    async def update(
        self, kind: type[R], id_: str, change: Callable[[R], R | None], *also: Change
    ) -> R | None:
        self._require_ready()

        def work(edit: Edit) -> R | None:
            record = edit.get(kind, id_)
            changed = None if record is None else change(record)
            if changed is not None:
                edit.apply([Update(kind, id_, lambda _: changed), *also])
            # Read again, because `change` may have modified the first copy.
            return edit.get(kind, id_)

        return await self._edit([Update(kind, id_, change), *also], work)

    async def _write(self, rows: Sequence[Row], *, guards: bool = False) -> list[int]:
        async def write() -> list[int]:
            skipped = await self._commits.write(rows, guards=guards)
            if not (guards and 1 in skipped):
                for number, row in enumerate(rows, start=1):
                    if row.when_done is not None and number not in skipped:
                        row.when_done()
            return skipped

        return await self._order.change([row.place for row in rows], write)

    async def _edit(self, changes: Sequence[Change], work: Callable[[Edit], T]) -> T:
        kinds = {place_of(change): kind_of(change) for change in changes}

        async def edit() -> T:
            while True:
                try:
                    result, done = await self._commits.edit(kinds, work)
                except UnreadableError as error:
                    await self._set_aside(error.bodies, kinds)
                    continue
                for call in done:
                    call()
                return result

        return await self._order.change(list(kinds), edit)

    async def _set_aside(self, bodies: dict[Place, bytes], kinds: dict[Place, type[Record]]) -> None:
        """Keep what cannot be read as :class:`SetAside` records, and free its ids. A store that is opened for
        reading only keeps them to itself."""
        named = []
        for (table, key), body in bodies.items():
            why = self._readers.of(kinds[table, key]).fault("", body) or _STRANGE
            found = Unreadable(table, id_of(key), body, why)
            if not self._writes:
                self._found[table, key] = _aside_of(found, name_for(found, 0))
            elif name := await self._aside(key, found):
                named.append(name)
        if named:
            some = ", ".join(named[:_NAMED]) + (", …" if len(named) > _NAMED else "")
            self._on_trouble(
                f"what cannot be read is set aside ({len(named)}): {some}; see `zoombot store list`"
            )

    async def _aside(self, key: bytes, found: Unreadable) -> str:
        """Set aside one document. Returns its name; empty if it was changed meanwhile."""
        taken = 0
        while True:
            name = name_for(found, taken)
            record = _aside_of(found, name)
            target = record.table, key_of(name)
            made = await self._commits.replace(
                (found.table, key), found.body, target, self._readers.body(record)
            )
            if made is not None:
                return name if made else ""
            taken += 1

    def _require_open(self) -> None:
        if not self._open:
            raise StoreError("the store is closed")

    def _require_ready(self) -> None:
        self._require_open()
        if not self._writes:
            raise StoreError("the store was opened for reading only")

    async def close(self) -> None:
        self._open = False
        late = await self._order.finish(_CLOSE_S)
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self.database.close()
        if late:
            raise StoreError(f"{late} changes did not reach the database")


def _aside_of(found: Unreadable, name: str) -> SetAside:
    return SetAside(id=name, of=found.table, key=found.id, why=found.why, body=found.body)
