"""The documents of one table in memory, kept as JSON, with their indexes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, MutableMapping
from typing import Any

import msgspec

Fields = dict[str, Any]


class Index:
    """Maps the values of one field to ids. A value that only one document has needs no container."""

    __slots__ = ("_ids", "default", "field")

    def __init__(self, field: str, default: Hashable) -> None:
        self.field = field
        self.default = default
        self._ids: dict[Hashable, str | dict[str, None]] = {}

    def ids(self, value: Hashable) -> list[str]:
        """The ids of the documents whose field has this value."""
        found = self._ids.get(value)
        if found is None:
            return []
        return [found] if isinstance(found, str) else list(found)

    def __contains__(self, value: Hashable) -> bool:
        return value in self._ids

    def add(self, id_: str, document: Fields) -> None:
        """Add a document."""
        value = document.get(self.field, self.default)
        found = self._ids.setdefault(value, id_)
        if isinstance(found, dict):
            found[id_] = None
        elif found != id_:
            self._ids[value] = {found: None, id_: None}

    def remove(self, id_: str, document: Fields) -> None:
        """Remove a document that was added."""
        value = document.get(self.field, self.default)
        found = self._ids[value]
        if isinstance(found, dict):
            del found[id_]
            if found:
                return
        del self._ids[value]


class Documents(Mapping[str, Fields]):
    """Maps ids to documents. Each read decodes a new copy, which the reader may change."""

    __slots__ = ("_bodies", "_indexes")

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self._bodies = bodies
        self._indexes: dict[str, Index] = {}

    def __getitem__(self, id_: str) -> Fields:
        return _decode(self._bodies[id_])

    def __contains__(self, id_: object) -> bool:
        return id_ in self._bodies

    def __iter__(self) -> Iterator[str]:
        return iter(self._bodies)

    def __len__(self) -> int:
        return len(self._bodies)

    def body(self, id_: str) -> bytes | None:
        """The document's JSON."""
        return self._bodies.get(id_)

    def bodies(self) -> list[bytes]:
        """The JSON of every document."""
        return list(self._bodies.values())

    def found(self, field: str, value: Hashable) -> list[bytes]:
        """The JSON of the documents whose indexed field has this value."""
        return [self._bodies[id_] for id_ in self._indexes[field].ids(value)]

    def has(self, field: str, value: Hashable) -> bool:
        """Whether any document's indexed field has this value."""
        return value in self._indexes[field]

    def index(self, field: str, default: Hashable) -> None:
        """Keep an index of a field; ``default`` is its value in documents that lack it."""
        if field in self._indexes:
            return
        index = self._indexes[field] = Index(field, default)
        for id_, body in self._bodies.items():
            index.add(id_, _decode(body))

    def change(self, id_: str, body: bytes | None) -> bytes | None:
        """Replace the JSON of a document, or remove the document if ``body`` is None. Returns the old one."""
        before = self._bodies.get(id_)
        if self._indexes:
            self._reindex(id_, before, body)
        if body is None:
            self._bodies.pop(id_, None)
        else:
            self._bodies[id_] = body
        return before

    def _reindex(self, id_: str, before: bytes | None, after: bytes | None) -> None:
        if before is not None:
            document = _decode(before)
            for index in self._indexes.values():
                index.remove(id_, document)
        if after is not None:
            document = _decode(after)
            for index in self._indexes.values():
                index.add(id_, document)


class Edits(MutableMapping[str, Fields]):
    """Documents for TinyDB to change; they stay as they are until :meth:`changes` is applied."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._touched: dict[str, Fields | None] = {}

    def __getitem__(self, id_: str) -> Fields:
        if id_ not in self._touched:
            self._touched[id_] = self._documents[id_]
        found = self._touched[id_]
        if found is None:
            raise KeyError(id_)
        return found

    def __setitem__(self, id_: str, document: Fields) -> None:
        self._touched[id_] = document

    def __delitem__(self, id_: str) -> None:
        if id_ not in self:
            raise KeyError(id_)
        self._touched[id_] = None

    def __contains__(self, id_: object) -> bool:
        if id_ in self._touched:
            return self._touched[str(id_)] is not None
        return id_ in self._documents

    def __iter__(self) -> Iterator[str]:
        yield from (id_ for id_ in self._documents if id_ in self)
        yield from (id_ for id_ in self._touched if id_ not in self._documents and id_ in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def changes(self) -> dict[str, bytes | None]:
        """The new JSON of each document that changed; None for one that was removed."""
        bodies = {
            id_: None if document is None else msgspec.json.encode(document)
            for id_, document in self._touched.items()
        }
        return {id_: body for id_, body in bodies.items() if body != self._documents.body(id_)}


def _decode(body: bytes) -> Fields:
    document: Fields = msgspec.json.decode(body)
    return document
