"""Which fields of a table are indexed, and the entries of a document in those indexes. Pure."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.domain.records import Record

# A field, and its value as JSON.
Entry = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Indexed:
    """An indexed field, and the value that counts in documents which lack it."""

    field: str
    default: Hashable

    @property
    def text(self) -> str:
        """What the file remembers of it: if this changes, the index is made anew."""
        return msgspec.json.encode([self.field, self.default]).decode()


# Table → its indexed fields.
Indexes = Mapping[str, tuple[Indexed, ...]]


def indexes_of(kinds: Iterable[type[Record]]) -> dict[str, tuple[Indexed, ...]]:
    """The indexed fields of each kind's table."""
    return {kind.table: tuple(indexed(kind).values()) for kind in kinds}


# To look at the fields of a struct takes as long as some hundred lookups.
@functools.cache
def indexed(kind: type[Record]) -> dict[str, Indexed]:
    """The indexed fields of a kind, by their names in the program."""
    fields = msgspec.structs.fields(kind) if kind.indexes else ()
    return {
        field.name: Indexed(field.encode_name, _default(field))
        for field in fields
        if field.name in kind.indexes
    }


def _default(field: msgspec.structs.FieldInfo) -> Hashable:
    value = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    default: Hashable = None if value is msgspec.NODEFAULT else msgspec.to_builtins(value)
    return default


def entries(fields: Iterable[Indexed], body: bytes) -> set[Entry]:
    """The entries of a document, from its JSON; none if it is not a JSON object."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return set()
    if not isinstance(document, dict):
        return set()
    return {(each.field, value_of(document.get(each.field, each.default))) for each in fields}


def value_of(value: Any) -> bytes:
    """A value as JSON, which tells 1, "1" and true apart."""
    return msgspec.json.encode(value)
