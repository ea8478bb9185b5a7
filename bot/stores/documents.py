"""The documents of one table that are in memory, as JSON, with the indexes of those not in the file yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final

import msgspec

from bot.stores.indexes import NO_INDEX, Entry, Index

Fields = dict[str, Any]


class UnknownError(KeyError):
    """Whether there is such a document is not known in memory."""


class _Absent:
    """Says that a document is not among the fresh ones."""


_ABSENT: Final = _Absent()
# The JSON of a fresh document, None if it was removed.
State = bytes | None | _Absent
# The JSON of a document that is not fresh, None if there is none. May raise :class:`UnknownError`.
Rest = Callable[[str], bytes | None]


def nothing(id_: str) -> bytes | None:
    """The rest of a table that has only fresh documents."""
    return None


class Documents(Mapping[str, Fields]):
    """Maps ids to documents. Each read decodes a new copy, which the reader may change.

    The *fresh* documents are those that were changed and are not in the file yet. Iteration, the length and
    the indexes know only these; a single one may also be among the ``rest``.
    """

    __slots__ = ("_entries", "_fresh", "_having", "_index", "_rest")

    def __init__(
        self, bodies: Mapping[str, bytes] = {}, rest: Rest = nothing, index: Index = NO_INDEX
    ) -> None:
        self._fresh: dict[str, bytes | None] = {}
        self._rest = rest
        self._index = index
        # The entries of each fresh document, and an entry → the ids of those that have it, in order.
        self._entries: dict[str, set[Entry]] = {}
        self._having: dict[Entry, dict[str, None]] = {}
        for id_, body in bodies.items():
            self.change(id_, body)

    def __getitem__(self, id_: str) -> Fields:
        body = self.body(id_)
        if body is None:
            raise KeyError(id_)
        return _decode(body)

    def __contains__(self, id_: object) -> bool:
        return self.body(str(id_)) is not None

    def __iter__(self) -> Iterator[str]:
        return (id_ for id_, body in self._fresh.items() if body is not None)

    def __len__(self) -> int:
        return sum(body is not None for body in self._fresh.values())

    def body(self, id_: str) -> bytes | None:
        """The document's JSON, None if there is none. Raises :class:`UnknownError`."""
        return self._fresh[id_] if id_ in self._fresh else self._rest(id_)

    def may_have(self, id_: str) -> bool:
        """Whether there is such a document, or may be."""
        try:
            return self.body(id_) is not None
        except UnknownError:
            return True

    def fresh(self) -> dict[str, bytes | None]:
        """The fresh documents as of now; None for one that was removed."""
        return dict(self._fresh)

    def found(self, entry: Entry) -> dict[str, bytes]:
        """The fresh documents that have this entry."""
        bodies = ((id_, self._fresh[id_]) for id_ in self._having.get(entry, ()))
        return {id_: body for id_, body in bodies if body is not None}

    def has(self, entry: Entry) -> bool:
        """Whether a fresh document has this entry."""
        return entry in self._having

    def entries(self, id_: str) -> set[Entry]:
        """The entries of a fresh document."""
        return self._entries.get(id_, set())

    def change(self, id_: str, body: bytes | None) -> State:
        """Change a document, or remove it if ``body`` is None. Returns what to give to :meth:`undo`."""
        before = self._fresh.get(id_, _ABSENT)
        self._set(id_, body)
        return before

    def undo(self, id_: str, before: State) -> None:
        """Make a document what it was before it was changed."""
        if isinstance(before, _Absent):
            self.settle(id_)
        else:
            self._set(id_, before)

    def settle(self, id_: str) -> None:
        """Forget a fresh document: it is in the file now."""
        self._unlist(id_)
        self._fresh.pop(id_, None)

    def _set(self, id_: str, body: bytes | None) -> None:
        self._unlist(id_)
        self._fresh[id_] = body
        if body is not None and self._index.fields:
            self._entries[id_] = self._index.entries(body)
            for entry in self._entries[id_]:
                self._having.setdefault(entry, {})[id_] = None

    def _unlist(self, id_: str) -> None:
        for entry in self._entries.pop(id_, ()):
            ids = self._having[entry]
            del ids[id_]
            if not ids:
                del self._having[entry]


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
        return self._documents.may_have(str(id_))

    def __iter__(self) -> Iterator[str]:
        yield from (id_ for id_ in self._documents if id_ in self)
        yield from (id_ for id_ in self._touched if not self._documents.may_have(id_) and id_ in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def changes(self) -> dict[str, bytes | None]:
        """The new JSON of each document that changed; None for one that was removed."""
        bodies = {
            id_: None if document is None else msgspec.json.encode(document)
            for id_, document in self._touched.items()
        }
        return {id_: body for id_, body in bodies.items() if self._differs(id_, body)}

    def _differs(self, id_: str, body: bytes | None) -> bool:
        try:
            return body != self._documents.body(id_)
        except UnknownError:
            return True


def _decode(body: bytes) -> Fields:
    document: Fields = msgspec.json.decode(body)
    return document
