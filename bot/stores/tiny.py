"""The store for one process: SQLite on the disk, and TinyDB in front of it for what is not there yet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from bot.domain.records import Record
from bot.domain.upkeep import SetAside
from bot.errors import StoreError
from bot.stores import PAGE, Change, Insert, Put, R, Update
from bot.stores.answers import MAX_IDS
from bot.stores.documents import UnknownError
from bot.stores.front import Front, name_for, needed
from bot.stores.indexes import Entry, Indexes, indexed, value_of
from bot.stores.locks import Locks
from bot.stores.lookups import Lookups, Row
from bot.stores.memory import Memory
from bot.stores.reading import Reader, Unreadable, slowly
from bot.stores.sqlite import Key
from bot.stores.turns import Turns
from bot.stores.writer import Saved, Writer

T = TypeVar("T")

# Documents looked at before other tasks get their turn.
_SLICE = 100
# How long closing waits for what is being looked up.
_CLOSE_S = 0.5
# How many records a line of the log names.
_NAMED = 10
_LISTING = "`zoombot store list`"


class TinyStore:
    """A :class:`bot.stores.Store`. Without a writer it is a snapshot that refuses changes.

    A change is in memory at once, in the order of the calls, and on the disk when the call returns. If it
    has to look something up first, later calls wait for it. A call that is cancelled in between is not
    undone. An ``insert`` that finds its id taken and an ``update`` that changes nothing return only when what
    they saw is on the disk.
    """

    def __init__(
        self, lookups: Lookups, writer: Writer | None, indexes: Indexes, on_trouble: Callable[[str], None]
    ) -> None:
        self._lookups = lookups
        self._writer = writer
        self._on_trouble = on_trouble
        self._memory = Memory(lookups)
        self._front = Front(self._memory, writer, indexes)
        self._turns = Turns(self._load, self._memory.unpin)
        # What was set aside since the store was opened: several may come across it at once.
        self._set_aside_already: set[tuple[str, str, bytes]] = set()
        self._locks = Locks()
        self._open = True

    @property
    def writable(self) -> bool:
        return self._open and self._writer is not None and self._writer.writable

    @property
    def trouble(self) -> str:
        return "" if self.writable else "writes do not reach the disk"

    async def get(self, kind: type[R], id_: str) -> R | None:
        await self._passed(kind)
        key = (kind.table, id_)
        try:
            body = self._front.body(key)
        except UnknownError:
            body = await self._memory.load(key)
        return next(iter(await self._records(kind, {} if body is None else {id_: body})), None)

    async def find(self, kind: type[R], field: str, value: Any) -> list[R]:
        entry = await self._entry(kind, field, value)
        if (known := self._front.answer(kind.table, entry)) is not None:
            return await self._records(kind, known)
        fresh, matching = self._fresh(kind, entry)
        with self._front.answers.asking(kind.table, entry) as asking:
            rows = await self._lookups.found(kind.table, *entry)
            sound = await self._sound(rows, fresh, entry)
            self._front.answers.keep(asking, sound | matching)
            if len(rows) <= MAX_IDS:
                for id_ in sound.keys() - asking.changed:
                    self._memory.keep((kind.table, id_), sound[id_])
        return await self._records(kind, sound | matching)

    async def has(self, kind: type[Record], field: str, value: Any) -> bool:
        entry = await self._entry(kind, field, value)
        if self._front.documents(kind.table).has(entry):
            return True
        if (known := self._front.answer(kind.table, entry)) is not None:
            return bool(known)
        fresh, _ = self._fresh(kind, entry)
        with self._front.answers.asking(kind.table, entry) as asking:
            ids = await self._lookups.ids(kind.table, *entry, len(fresh) + 1)
            found = [id_ for id_ in ids if id_ not in fresh]
            if len(ids) <= len(fresh):
                # These are all.
                self._front.answers.keep(asking, found)
        return bool(found)

    async def all(self, kind: type[R]) -> list[R]:
        await self._passed(kind)
        fresh, matching = self._fresh(kind)
        rows = await self._lookups.all(kind.table)
        return await self._records(kind, await self._sound(rows, fresh) | matching)

    async def pages(
        self, kind: type[R], field: str = "", value: Any = None, *, size: int = PAGE
    ) -> AsyncIterator[list[R]]:
        after: str | None = None
        more = True
        while more:
            await self._passed(kind)
            entry = await self._entry(kind, field, value) if field else None
            fresh, matching = self._fresh(kind, entry)
            rows = await self._lookups.page(kind.table, entry, after, size)
            more = len(rows) == size
            last = rows[-1].id if more else None
            late = {id_: body for id_, body in matching.items() if _is_between(after, id_, last)}
            bodies = await self._sound(rows, fresh, entry) | late
            yield await self._records(kind, dict(sorted(bodies.items())))
            after = last

    async def insert(self, record: Record, *also: Change) -> bool:
        self._require_ready([Put(record), *also])

        def work() -> tuple[bool, Saved]:
            if self._front.has(record):
                return False, self._front.ready().submit({})
            return True, self._front.apply((Put(record), *also))

        written, saved = await self._change([(record.table, record.id), *needed(also)], work)
        await saved
        return written

    async def commit(self, *changes: Change) -> None:
        self._require_ready(changes)
        await (await self._change(needed(changes), lambda: self._front.apply(changes)))

    async def update(
        self, kind: type[R], id_: str, change: Callable[[R], R | None], *also: Change
    ) -> R | None:
        self._require_ready([Update(kind, id_, change), *also])

        def work() -> tuple[R | None, Saved]:
            record = self._front.get(kind, id_)
            changed = None if record is None else change(record)
            if changed is None:
                # Read again, because `change` may have modified the first copy.
                return self._front.get(kind, id_), self._front.ready().submit({})
            return changed, self._front.apply((Update(kind, id_, lambda _: changed), *also))

        result, saved = await self._change([(kind.table, id_), *needed(also)], work)
        await saved
        return result

    @contextlib.asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[Callable[[], bool]]:
        async with self._locks.of(name):
            yield lambda: True

    async def count(self, kind: type[Record]) -> int:
        await self._passed(kind)
        return await self._lookups.count(kind.table)

    async def inspect(self) -> None:
        await self._lookups.require_sound()
        readers = {kind.table: Reader(kind) for kind in Record.__subclasses__()}
        await self._set_aside(await self._lookups.faults(readers))

    async def close(self) -> None:
        self._open = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._turns.finish()
        # First, because whoever writes has to be the last to close the file.
        await self._lookups.close(_CLOSE_S)
        if self._writer is not None:
            await self._writer.close()

    def _require_open(self) -> None:
        if not self._open:
            raise StoreError("the store is closed")

    def _require_ready(self, changes: Iterable[Change]) -> None:
        self._require_open()
        self._front.ready()
        for change in changes:
            self._front.reader(type(change.record) if isinstance(change, Put | Insert) else change.kind)

    # Reading.

    async def _passed(self, kind: type[Record]) -> None:
        """Wait until changes are applied that were asked for before."""
        self._require_open()
        self._front.reader(kind)
        await self._turns.passed()

    async def _entry(self, kind: type[Record], field: str, value: Any) -> Entry:
        known = indexed(kind).get(field)
        if known is None:
            raise StoreError(f"{kind.__name__} has no index of {field!r}")
        await self._passed(kind)
        return known.field, value_of(msgspec.to_builtins(value))

    def _fresh(
        self, kind: type[Record], entry: Entry | None = None
    ) -> tuple[dict[str, bytes | None], dict[str, bytes]]:
        """The fresh documents of a kind as of now, and those of them that have this entry."""
        documents = self._front.documents(kind.table)
        fresh = documents.fresh()
        if entry is not None:
            return fresh, documents.found(entry)
        return fresh, {id_: body for id_, body in fresh.items() if body is not None}

    async def _sound(
        self, rows: Iterable[Row], fresh: dict[str, bytes | None], entry: Entry | None = None
    ) -> dict[str, bytes]:
        """The documents of the file that are not fresh and not damaged, and that have the entry."""
        sound, faults = {}, []
        async for row in slowly(rows):
            if row.id in fresh:
                continue
            if row.fault:
                faults.append(row.unreadable)
            elif entry is None or self._front.has_entry(row.table, entry, row.body):
                sound[row.id] = row.body
        await self._set_aside(faults)
        return sound

    async def _records(self, kind: type[R], bodies: dict[str, bytes]) -> list[R]:
        """The records of these documents. What cannot be read is set aside."""
        reader, records, faults = self._front.reader(kind), [], []
        async for id_, body in slowly(bodies.items()):
            if record := reader.sound(id_, body):
                records.append(record)
            else:
                faults.append(Unreadable(kind.table, id_, body, reader.fault(id_, body)))
        await self._set_aside([*faults, *self._memory.take_damaged()])
        return records

    async def _set_aside(self, found: Sequence[Unreadable]) -> None:
        named = [name for each in found if (name := await self._aside(each))]
        if named and self._writer is not None:
            some = ", ".join(named[:_NAMED]) + (", …" if len(named) > _NAMED else "")
            self._on_trouble(f"what cannot be read is set aside ({len(named)}): {some}; see {_LISTING}")

    async def _aside(self, found: Unreadable) -> str:
        """Set aside what cannot be read. Returns its name; empty if it was changed meanwhile, or others came
        across it first."""
        row = found.table, found.id, found.body
        taken = 0
        while row not in self._set_aside_already and await self._is_taken(
            (SetAside.table, name_for(found, taken))
        ):
            taken += 1
        if row in self._set_aside_already:
            return ""
        self._set_aside_already.add(row)
        name = name_for(found, taken)
        return name if self._front.set_aside(found, name) else ""

    async def _is_taken(self, key: Key) -> bool:
        with contextlib.suppress(UnknownError):
            return self._front.body(key) is not None
        return await self._memory.load(key) is not None

    # Changing.

    async def _change(self, keys: Sequence[Key], work: Callable[[], T]) -> T:
        """Do the work once what it needs is in memory."""
        if not self._turns.busy and all(map(self._front.knows, keys)):
            return work()
        return await self._turns.take(keys, work)

    async def _load(self, keys: Iterable[Key]) -> None:
        """Bring documents into memory. What cannot be read is set aside."""
        keys = set(keys)
        await self._memory.pin({key: self._front.body(key) for key in keys if self._front.knows(key)}, keys)
        faults = []
        for (table, id_), body in self._memory.pinned():
            if body is not None and (why := self._front.fault(table, id_, body)):
                faults.append(Unreadable(table, id_, body, why))
        await self._set_aside([*faults, *self._memory.take_damaged()])


def _is_between(after: str | None, id_: str, last: str | None) -> bool:
    return (after is None or id_ > after) and (last is None or id_ <= last)
