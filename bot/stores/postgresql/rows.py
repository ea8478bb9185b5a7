"""How documents and their indexes look in the database. Pure."""

from __future__ import annotations

import hashlib
import zlib

from bot.stores.indexes import Entry, Index

# An index of the database takes at most 2,700 bytes a row. What is longer is cut to this many, and a hash.
_LONGEST = 800


def key_of(id_: str) -> bytes:
    """The key of a document. The order of keys is that of the ids."""
    return _short(id_.encode("utf-8", "surrogateescape"))


def id_of(key: bytes) -> str:
    """The id of a document whose own one cannot be read. A very long one is cut."""
    return key.decode("utf-8", "surrogateescape")


def entry_of(entry: Entry) -> bytes:
    """An entry of an index."""
    field, value = entry
    return _short(field.encode() + b"\0" + value)


def entries_of(index: Index, body: bytes) -> list[bytes]:
    """The entries of a document, in order."""
    return sorted(map(entry_of, index.entries(body)))


def lock_of(kind: str, key: bytes) -> int:
    """The number of the lock for changes of a document. Two documents may share one."""
    return (zlib.crc32(kind.encode()) << 31) | (zlib.crc32(key) >> 1)


def _short(text: bytes) -> bytes:
    if len(text) <= _LONGEST:
        return text
    return text[:_LONGEST] + hashlib.sha256(text).digest()
