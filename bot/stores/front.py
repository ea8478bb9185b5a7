"""What the store knows without asking the file, and how changes are applied to it. Nothing here waits."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from tinydb.table import Document

from bot.domain.records import Record
from bot.domain.upkeep import SetAside, name_of
from bot.errors import StoreError
from bot.stores import Change, Delete, Insert, Put, R, Update, WhenDone
from bot.stores.answers import Answers
from bot.stores.documents import Documents, UnknownError
from bot.stores.indexes import NO_INDEX, Entry, Indexes
from bot.stores.memory import Memory
from bot.stores.reading import Reader, Unreadable, UnreadableError
from bot.stores.sqlite import Changes, Key
from bot.stores.table import DocumentDatabase
from bot.stores.writer import Saved, Writer


class Front:
    """The fresh documents, in TinyDB, in front of those in ``memory``.

    Whoever changes or reads a document here must have looked it up before, except to put or delete it.
    Without a writer, what is changed stays here.
    """

    def __init__(self, memory: Memory, writer: Writer | None, indexes: Indexes) -> None:
        self._memory = memory
        self._writer = writer
        self._indexes = indexes
        self._database = DocumentDatabase({}, self._save, memory.body, indexes)
        self._readers: dict[type[Any], Reader[Any]] = {}
        self._readers_of: dict[str, Reader[Any]] = {}
        self._saving: Saved | None = None
        self.answers = Answers()
        # What is not on the disk yet: the number of each document's last write, and what each write had.
        self._unwritten: dict[Key, int] = {}
        self._writes: deque[tuple[int, list[Key]]] = deque()
        if writer is not None:
            writer.on_written = self._settle

    def documents(self, table: str) -> Documents:
        """The documents of a table that are in memory."""
        return self._database.storage.documents(table)

    def body(self, key: Key) -> bytes | None:
        """A document's JSON. Raises :class:`UnknownError`."""
        return self.documents(key[0]).body(key[1])

    def knows(self, key: Key) -> bool:
        """Whether a document is in memory, or is known not to exist."""
        try:
            self.body(key)
        except UnknownError:
            return False
        return True

    def has_entry(self, table: str, entry: Entry, body: bytes) -> bool:
        """Whether a document has an entry."""
        return entry in self._indexes.get(table, NO_INDEX).entries(body)

    def answer(self, table: str, entry: Entry) -> dict[str, bytes] | None:
        """The documents that have an entry, if all of them are in memory and known to be all."""
        ids = self.answers.get(table, entry)
        if ids is None:
            return None
        try:
            bodies = {id_: self.body((table, id_)) for id_ in ids}
        except UnknownError:
            return None
        return {id_: body for id_, body in bodies.items() if body and self.has_entry(table, entry, body)}

    def reader(self, kind: type[R]) -> Reader[R]:
        """What reads the records of a kind."""
        reader = self._readers.get(kind)
        if reader is None:
            if kind.indexes and kind.table not in self._indexes:
                raise StoreError(f"{kind.__name__} was not known when the store was opened")
            reader = self._readers[kind] = Reader(kind)
            self._readers_of.setdefault(kind.table, reader)
        return reader

    def fault(self, table: str, id_: str, body: bytes) -> str:
        """Why a document cannot be read; empty if it can."""
        reader = self._readers_of.get(table)
        return reader.fault(id_, body) if reader else ""

    def get(self, kind: type[R], id_: str) -> R | None:
        """The record of this id, which is in memory."""
        body = self.body((kind.table, id_))
        return None if body is None else self.decode(kind, body)

    def has(self, record: Record) -> bool:
        """Whether the id of this record is taken."""
        return self.body((record.table, record.id)) is not None

    def decode(self, kind: type[R], body: bytes) -> R:
        """A record from its JSON."""
        try:
            return self.reader(kind).read(body)
        except UnreadableError:
            # What cannot be read is set aside when it is looked up. Only if two kinds share a table.
            raise StoreError(f"a record of {kind.table} is of another kind") from None

    def ready(self) -> Writer:
        """The writer. Raises :class:`StoreError` if nothing can be written."""
        if self._writer is None:
            raise StoreError("the store was opened for reading only")
        self._writer.require_room()
        return self._writer

    def apply(self, changes: Sequence[Change]) -> Saved:
        """Apply all changes or none; the future is done when they are on the disk."""
        writer = self.ready()
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

    def set_aside(self, found: Unreadable, name: str) -> bool:
        """Keep what cannot be read as a :class:`SetAside` of this name, and free its id; False if it was
        changed meanwhile."""
        if found.id in self.documents(found.table).fresh():
            return False
        of, key = _writable(found.table), _writable(found.id)
        with self._database.storage.transaction():
            self._database.storage.change(found.table, found.id, None)
            self._put(SetAside(id=name, of=of, key=key, why=found.why, body=found.body))
        return True

    def _write(self, change: Change, done: list[WhenDone]) -> None:
        if isinstance(change, Put):
            self._put(change.record)
            done.append(change.when_done)
        elif isinstance(change, Insert):
            if not self.has(change.record):
                self._put(change.record)
                done.append(change.when_done)
        elif isinstance(change, Update):
            record = self.get(change.kind, change.id)
            changed = None if record is None else change.change(record)
            if changed is not None and changed.id != change.id:
                raise StoreError(f"an update of {change.kind.table} may not change the id")
            if changed is not None:
                self._put(changed)

    def _put(self, record: Record) -> None:
        table = self._database.table(record.table)
        try:
            # Records are not checked when they are made. One with a wrong value must not come into the table.
            self.reader(type(record)).read(msgspec.json.encode(record))
            table.put(Document(msgspec.to_builtins(record), record.id))  # type: ignore[arg-type]
        except (UnreadableError, TypeError, ValueError, OverflowError) as error:
            # Without the error's text, which could quote the record.
            raise StoreError(
                f"a record of {record.table} cannot be written as JSON ({type(error).__name__})"
            ) from None

    def _remove(self, kind: type[Record], ids: Iterable[str]) -> None:
        # Each id only once: TinyDB fails at a duplicate.
        self._database.table(kind.table).remove(doc_ids=ids)  # type: ignore[arg-type]

    def _save(self, changes: Changes) -> None:
        for key in changes:
            self._memory.outdate(key)
            self.answers.change(key, self.documents(key[0]).entries(key[1]))
        if self._writer is None:
            return
        self._saving = self._writer.submit(changes)
        # Nobody may wait for it. Without this, asyncio would report its error when it is collected.
        self._saving.add_done_callback(lambda saved: saved.cancelled() or saved.exception())
        if changes:
            number = self._writer.submitted
            self._unwritten |= dict.fromkeys(changes, number)
            self._writes.append((number, list(changes)))

    def _settle(self, number: int) -> None:
        """Forget the fresh documents of all writes up to this one: they are in the file."""
        while self._writes and self._writes[0][0] <= number:
            written, keys = self._writes.popleft()
            for key in keys:
                if self._unwritten.get(key) == written:
                    del self._unwritten[key]
                    self._memory.keep(key, self.body(key))
                    self.documents(key[0]).settle(key[1])


def name_for(found: Unreadable, taken: int) -> str:
    """The name under which a record is set aside if ``taken`` such names are taken."""
    name = name_of(found.table, found.id)
    return f"{name}~{taken + 1}" if taken else name


def _removed_kind(change: Change) -> type[Record] | None:
    return change.kind if isinstance(change, Delete) else None


def _writable(text: str) -> str:
    """The text, with bytes that are not UTF-8 escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def needed(changes: Iterable[Change]) -> list[Key]:
    """What has to be in memory before these changes can be applied."""
    keys: list[Key] = []
    for change in changes:
        if isinstance(change, Insert):
            keys.append((change.record.table, change.record.id))
        elif isinstance(change, Update):
            keys.append((change.kind.table, change.id))
    return keys
