"""The store for one process: TinyDB in memory, SQLite on the disk."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import msgspec
from tinydb.table import Document

from bot.domain.records import Record
from bot.domain.upkeep import SetAside, name_of
from bot.errors import StoreError
from bot.stores import Change, Delete, Insert, Put, R, Update, WhenDone
from bot.stores.documents import Documents
from bot.stores.reading import Reader, Unreadable, UnreadableError
from bot.stores.sqlite import Bodies, Changes
from bot.stores.table import DocumentDatabase, DocumentTable
from bot.stores.writer import Writer

# Documents decoded before other tasks get their turn.
_SLICE = 500


@dataclass(frozen=True, slots=True)
class _Kind(Generic[R]):
    table: DocumentTable
    reader: Reader[R]


class TinyStore:
    """A :class:`bot.stores.Store`. Without a writer it is a snapshot that refuses changes.

    A change is in memory at once, in the order of the calls, and on the disk when the call returns. A call
    that is cancelled in between is not undone. An ``insert`` that finds its id taken and an ``update`` that
    changes nothing return only when what they saw is on the disk.
    """

    def __init__(self, bodies: Bodies, writer: Writer | None) -> None:
        self._writer = writer
        self._saving: asyncio.Future[None] | None = None
        self._database = DocumentDatabase(bodies, self._save)
        self._kinds: dict[type[Any], _Kind[Any]] = {}
        self._open = True
        # The names of the records that were set aside since it was opened.
        self.asides: list[str] = []

    def set_aside(self, found: Unreadable) -> None:
        """Keep what cannot be read as a :class:`SetAside`, and free its id."""
        asides = self._kind(SetAside).table.documents
        name = name_of(found.table, found.id)
        numbered = (f"{name}~{number}" for number in itertools.count(2))
        free = next(each for each in itertools.chain([name], numbered) if each not in asides)
        of, key = _writable(found.table), _writable(found.id)
        aside = SetAside(id=free, of=of, key=key, why=found.why, body=found.body)
        with self._database.storage.transaction():
            self._database.storage.change(found.table, found.id, None)
            self._put(aside)
        self.asides.append(free)

    def look_through(self, kinds: Iterable[type[Record]]) -> None:
        """Set aside what cannot be read of these kinds. Later this happens when a kind is first used."""
        for kind in kinds:
            self._kind(kind)

    @property
    def writable(self) -> bool:
        return self._open and self._writer is not None and self._writer.writable

    async def get(self, kind: type[R], id_: str) -> R | None:
        return self._get(kind, id_)

    async def find(self, kind: type[R], field: str, value: Any) -> list[R]:
        documents = self._indexed(kind, field)
        return await _decoded(kind, self._kind(kind), documents.found(field, msgspec.to_builtins(value)))

    async def has(self, kind: type[Record], field: str, value: Any) -> bool:
        return self._indexed(kind, field).has(field, msgspec.to_builtins(value))

    async def all(self, kind: type[R]) -> list[R]:
        known = self._kind(kind)
        return await _decoded(kind, known, known.table.documents.bodies())

    async def insert(self, record: Record, *also: Change) -> bool:
        writer = self._ready()
        if self._has(record):
            await writer.submit({})
            return False
        await self.commit(Put(record), *also)
        return True

    async def commit(self, *changes: Change) -> None:
        await self._apply(changes)

    async def update(
        self, kind: type[R], id_: str, change: Callable[[R], R | None], *also: Change
    ) -> R | None:
        writer = self._ready()
        record = self._get(kind, id_)
        changed = None if record is None else change(record)
        if changed is None:
            # Read again, because `change` may have modified the first copy.
            unchanged = self._get(kind, id_)
            await writer.submit({})
            return unchanged
        await self._apply((Update(kind, id_, lambda _: changed), *also))
        return changed

    async def close(self) -> None:
        self._open = False
        if self._writer is not None:
            await self._writer.close()

    def _indexed(self, kind: type[Record], field: str) -> Documents:
        if field not in kind.indexes:
            raise StoreError(f"{kind.__name__} has no index of {field!r}")
        return self._kind(kind).table.documents

    def _get(self, kind: type[R], id_: str) -> R | None:
        known = self._kind(kind)
        body = known.table.documents.body(id_)
        return None if body is None else _decode(kind, known, body)

    def _has(self, record: Record) -> bool:
        return record.id in self._kind(type(record)).table.documents

    def _kind(self, kind: type[R]) -> _Kind[R]:
        if not self._open:
            raise StoreError("the store is closed")
        known = self._kinds.get(kind)
        if known is None:
            table = self._database.table(kind.table)
            known = self._kinds[kind] = _Kind(table, Reader(kind))
            for unreadable in _unreadable(known):
                self.set_aside(unreadable)
            for field in msgspec.structs.fields(kind):
                if field.name in kind.indexes:
                    table.documents.index(field.encode_name, _default(field))
        return known

    def _ready(self) -> Writer:
        if self._writer is None:
            raise StoreError("the store was opened for reading only")
        self._writer.require_room()
        return self._writer

    def _apply(self, changes: Sequence[Change]) -> asyncio.Future[None]:
        """Change the memory; the future is done when the changes are on the disk."""
        writer = self._ready()
        # Before the transaction: what cannot be read of a kind is set aside although the commit may fail.
        self.look_through({_kind_of(change) for change in changes})
        self._saving = None
        done: list[WhenDone] = []
        with self._database.storage.transaction():
            # A clean-up is a long row of deletes, which are removed from the table together.
            for removed, row in itertools.groupby(changes, _removed_kind):
                if removed is not None:
                    deletes = [change for change in row if isinstance(change, Delete)]
                    self._remove(removed, {change.id: None for change in deletes})
                    done += [change.when_done for change in deletes]
                else:
                    for change in row:
                        self._write(change, done)
        for call in done:
            call()
        return self._saving or writer.submit({})

    def _write(self, change: Change, done: list[WhenDone]) -> None:
        if isinstance(change, Put):
            self._put(change.record)
            done.append(change.when_done)
        elif isinstance(change, Insert):
            if not self._has(change.record):
                self._put(change.record)
                done.append(change.when_done)
        elif isinstance(change, Update):
            record = self._get(change.kind, change.id)
            changed = None if record is None else change.change(record)
            if changed is not None and changed.id != change.id:
                raise StoreError(f"an update of {change.kind.table} may not change the id")
            if changed is not None:
                self._put(changed)

    def _put(self, record: Record) -> None:
        known = self._kind(type(record))
        try:
            # Records are not checked when they are made. One with a wrong value must not come into the table.
            known.reader.read(msgspec.json.encode(record))
            known.table.put(Document(msgspec.to_builtins(record), record.id))  # type: ignore[arg-type]
        except (UnreadableError, TypeError, ValueError, OverflowError) as error:
            # Without the error's text, which could quote the record.
            raise StoreError(
                f"a record of {record.table} cannot be written as JSON ({type(error).__name__})"
            ) from None

    def _remove(self, kind: type[Record], ids: Iterable[str]) -> None:
        # Each id only once: TinyDB fails at a duplicate.
        self._kind(kind).table.remove(doc_ids=ids)  # type: ignore[arg-type]

    def _save(self, changes: Changes) -> None:
        if self._writer is not None:
            self._saving = self._writer.submit(changes)
            # Nobody may wait for it. Without this, asyncio would report its error when it is collected.
            self._saving.add_done_callback(lambda saved: saved.cancelled() or saved.exception())


def _removed_kind(change: Change) -> type[Record] | None:
    return change.kind if isinstance(change, Delete) else None


def _default(field: msgspec.structs.FieldInfo) -> Hashable:
    value = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    default: Hashable = None if value is msgspec.NODEFAULT else msgspec.to_builtins(value)
    return default


def _kind_of(change: Change) -> type[Record]:
    return type(change.record) if isinstance(change, Put | Insert) else change.kind


def _writable(text: str) -> str:
    """The text, with bytes that are not UTF-8 escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def _unreadable(known: _Kind[Any]) -> list[Unreadable]:
    """What is in the table and cannot be read as records of this kind."""
    table, documents = known.table.name, known.table.documents
    bodies = ((id_, documents.body(id_) or b"") for id_ in documents)
    faults = ((id_, body, known.reader.fault(id_, body)) for id_, body in bodies)
    return [Unreadable(table, id_, body, fault) for id_, body, fault in faults if fault]


def _decode(kind: type[R], known: _Kind[R], body: bytes) -> R:
    try:
        return known.reader.read(body)
    except UnreadableError:
        # Only if two kinds share a table: what could not be read was set aside at the kind's first use.
        raise StoreError(f"a record of {kind.table} is of another kind") from None


async def _decoded(kind: type[R], known: _Kind[R], bodies: Sequence[bytes]) -> list[R]:
    records: list[R] = []
    for start in range(0, len(bodies), _SLICE):
        if start:
            await asyncio.sleep(0)
        records += [_decode(kind, known, body) for body in bodies[start : start + _SLICE]]
    return records
