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


class Index:
    """The indexed fields of a table, and what reads them from a document."""

    __slots__ = ("_decoder", "_defaults", "fields")

    def __init__(self, fields: Iterable[Indexed]) -> None:
        self.fields = tuple(fields)
        self._defaults = [value_of(each.default) for each in self.fields]
        # Only these fields are read, as they are written.
        raw = [(f"f{number}", msgspec.Raw, msgspec.Raw()) for number in range(len(self.fields))]
        names = {f"f{number}": each.field for number, each in enumerate(self.fields)}
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Indexed", raw, rename=names))

    @property
    def text(self) -> str:
        """What the file remembers of it: if this changes, the index is made anew."""
        return "\n".join(each.text for each in self.fields)

    def entries(self, body: bytes) -> set[Entry]:
        """The entries of a document, from its JSON; none if it is not a JSON object."""
        if not self.fields:
            return set()
        try:
            found = msgspec.structs.astuple(self._decoder.decode(body))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return set()
        values = zip(self.fields, found, self._defaults, strict=True)
        return {(each.field, bytes(raw) or default) for each, raw, default in values}


# Table → its indexed fields.
Indexes = Mapping[str, Index]
NO_INDEX = Index(())


def indexes_of(kinds: Iterable[type[Record]]) -> dict[str, Index]:
    """The indexed fields of each kind's table."""
    return {kind.table: _index_of(kind) for kind in kinds}


@functools.cache
def _index_of(kind: type[Record]) -> Index:
    return Index(indexed(kind).values())


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


def value_of(value: Any) -> bytes:
    """A value as JSON, which tells 1, "1" and true apart."""
    return msgspec.json.encode(value)
