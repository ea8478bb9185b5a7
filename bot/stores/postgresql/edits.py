"""What a commit makes of the documents it touches. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.domain.records import Record
from bot.errors import StoreError
from bot.stores import Change, Delete, Insert, Put, R, Update, WhenDone
from bot.stores.postgresql.rows import key_of
from bot.stores.reading import Reader, UnreadableError

# A document's table and key in the database.
Place = tuple[str, bytes]


class Readers:
    """One reader for each kind."""

    def __init__(self) -> None:
        self._known: dict[type[Any], Reader[Any]] = {}

    def of(self, kind: type[R]) -> Reader[R]:
        """What reads the records of a kind."""
        reader = self._known.get(kind)
        if reader is None:
            reader = self._known[kind] = Reader(kind)
        return reader

    def sound(self, kind: type[R], key: bytes, body: bytes) -> R | None:
        """The record that is kept under this key; None if it cannot be used."""
        record = self.of(kind).readable(body)
        return record if record is not None and key_of(record.id) == key else None

    def body(self, record: Record) -> bytes:
        """A record's JSON. Raises :class:`StoreError` if it could not be read again."""
        try:
            body = msgspec.json.encode(record)
            # Records are not checked when they are made.
            self.of(type(record)).read(body)
        except (UnreadableError, TypeError, ValueError, OverflowError) as error:
            # Without the error's text, which could quote the record.
            raise StoreError(
                f"a record of {record.table} cannot be written as JSON ({type(error).__name__})"
            ) from None
        return body


@dataclass(frozen=True, slots=True)
class Row:
    """A document to write; None removes it. An insert is skipped if its place is taken."""

    place: Place
    body: bytes | None
    is_insert: bool = False
    when_done: WhenDone | None = None


def place_of(change: Change) -> Place:
    """The document that a change is about."""
    if isinstance(change, Put | Insert):
        return change.record.table, key_of(change.record.id)
    return change.kind.table, key_of(change.id)


def kind_of(change: Change) -> type[Record]:
    """The kind of record that a change is about."""
    return type(change.record) if isinstance(change, Put | Insert) else change.kind


def simple_rows(changes: Sequence[Change], readers: Readers) -> list[Row] | None:
    """The rows that these changes write whatever is there; None if that depends on it."""
    places = [place_of(change) for change in changes]
    if any(isinstance(change, Update) for change in changes) or len(set(places)) < len(places):
        return None
    return [_row(change, place, readers) for change, place in zip(changes, places, strict=True)]


def _row(change: Change, place: Place, readers: Readers) -> Row:
    if isinstance(change, Put | Insert):
        return Row(place, readers.body(change.record), isinstance(change, Insert), change.when_done)
    assert isinstance(change, Delete)
    return Row(place, None, when_done=change.when_done)


class Edit:
    """Applies changes to documents as they are, in their order."""

    def __init__(self, bodies: Mapping[Place, bytes], readers: Readers) -> None:
        self._before = bodies
        self._after: dict[Place, bytes | None] = {}
        self._readers = readers
        self._done: list[WhenDone] = []

    def get(self, kind: type[R], id_: str) -> R | None:
        """The record of this id."""
        body = self._body((kind.table, key_of(id_)))
        if body is None:
            return None
        try:
            return self._readers.of(kind).read(body)
        except UnreadableError:
            # What cannot be read was set aside before. Only if two kinds share a table.
            raise StoreError(f"a record of {kind.table} is of another kind") from None

    def has(self, record: Record) -> bool:
        """Whether the id of this record is taken."""
        return self._body((record.table, key_of(record.id))) is not None

    def apply(self, changes: Iterable[Change]) -> bool:
        """Apply changes. Returns True."""
        for change in changes:
            self._apply(change)
        return True

    def rows(self) -> list[Row]:
        """What to write."""
        return [Row(place, body) for place, body in self._after.items() if body != self._before.get(place)]

    @property
    def done(self) -> list[WhenDone]:
        """What to call once it is written."""
        return self._done

    def _body(self, place: Place) -> bytes | None:
        return self._after[place] if place in self._after else self._before.get(place)

    def _apply(self, change: Change) -> None:
        if isinstance(change, Put):
            self._put(change.record, change.when_done)
        elif isinstance(change, Insert):
            if not self.has(change.record):
                self._put(change.record, change.when_done)
        elif isinstance(change, Update):
            self._update(change)
        else:
            self._after[change.kind.table, key_of(change.id)] = None
            self._done.append(change.when_done)

    def _update(self, update: Update[Any]) -> None:
        record = self.get(update.kind, update.id)
        changed = None if record is None else update.change(record)
        if changed is None:
            return
        if changed.id != update.id:
            raise StoreError(f"an update of {update.kind.table} may not change the id")
        self._put(changed)

    def _put(self, record: Record, when_done: Callable[[], object] | None = None) -> None:
        self._after[record.table, key_of(record.id)] = self._readers.body(record)
        if when_done is not None:
            self._done.append(when_done)
