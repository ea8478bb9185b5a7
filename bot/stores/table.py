"""TinyDB in front of the store's file: a storage and a table that save only what changed.

In memory is what the file does not have yet, and what the store has looked up of the rest. So single
documents are read, put and removed; a search sees only what is fresh. The store itself searches the file.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, cast

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document, Table

from bot.stores.documents import Documents, Edits, State
from bot.stores.indexes import NO_INDEX, Indexes
from bot.stores.sqlite import Changes, Key

Bodies = Mapping[str, Mapping[str, bytes]]


class DocumentStorage(Storage):
    """The fresh documents of all tables. Each :meth:`transaction` passes its changes to ``save`` together.

    ``rest`` tells of documents that are not fresh.
    """

    def __init__(
        self,
        bodies: Bodies,
        save: Callable[[Changes], object],
        rest: Callable[[Key], bytes | None] = lambda key: None,
        indexes: Indexes = MappingProxyType({}),
    ) -> None:
        self._save = save
        self._rest = rest
        self._indexes = indexes
        self._tables = {name: self._documents(name, documents) for name, documents in bodies.items()}
        # While a transaction runs: each changed document as it was before.
        self._before: dict[Key, State] | None = None

    def documents(self, table: str) -> Documents:
        """The documents of a table; always the same object for the same table."""
        if table not in self._tables:
            self._tables[table] = self._documents(table, {})
        return self._tables[table]

    def _documents(self, table: str, bodies: Mapping[str, bytes]) -> Documents:
        return Documents(bodies, lambda id_: self._rest((table, id_)), self._indexes.get(table, NO_INDEX))

    def change(self, table: str, id_: str, body: bytes | None) -> None:
        """Change one document, see :meth:`bot.stores.documents.Documents.change`."""
        with self.transaction():
            before = self.documents(table).change(id_, body)
            if self._before is not None:
                self._before.setdefault((table, id_), before)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Save everything changed inside together; undo all of it if an error is raised."""
        if self._before is not None:
            yield
            return
        before = self._before = {}
        try:
            yield
        except BaseException:
            for (table, id_), state in before.items():
                self.documents(table).undo(id_, state)
            raise
        finally:
            self._before = None
        self._save({(table, id_): self.documents(table).body(id_) for table, id_ in before})

    def read(self) -> dict[str, dict[str, Any]] | None:
        """The tables that are not empty, for TinyDB; their documents are decoded when read."""
        tables: dict[str, Any] = {name: documents for name, documents in self._tables.items() if documents}
        return tables or None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace the tables by ``data``, for TinyDB's ``drop_table`` and ``drop_tables``."""
        with self.transaction():
            for name, documents in self._tables.items():
                wanted = data.get(name, {})
                if wanted is not documents:
                    self.rewrite(name, partial(_replace, wanted=wanted))

    def rewrite(self, table: str, updater: Callable[[Edits], object]) -> None:
        """Let ``updater`` edit the table, then apply what it changed."""
        edits = Edits(self.documents(table))
        updater(edits)
        with self.transaction():
            for id_, body in edits.changes().items():
                self.change(table, id_, body)


class DocumentTable(Table):
    """A table whose ids are strings and that is never copied as a whole for one change."""

    document_id_class = str  # type: ignore[assignment]

    def __init__(self, storage: DocumentStorage, name: str, **_: object) -> None:
        # No query cache: it would return documents that an earlier reader changed.
        super().__init__(storage, name, cache_size=0)
        self._documents = storage.documents(name)
        self._rewrite = storage.rewrite

    @property
    def documents(self) -> Documents:
        """The documents as they are kept."""
        return self._documents

    def put(self, document: Document) -> None:
        """Write a document, replacing any that has its id (TinyDB's ``upsert`` would merge the two)."""
        id_ = str(document.doc_id)
        self._rewrite(self.name, lambda edits: edits.update({id_: dict(document)}))

    def _read_table(self) -> Any:
        return self._documents

    def _update_table(self, updater: Callable[[Any], object]) -> None:
        self._rewrite(self.name, updater)

    def _get_next_id(self) -> str:
        return secrets.token_hex(16)


class DocumentDatabase(TinyDB):
    """TinyDB whose tables are :class:`DocumentTable`, on a :class:`DocumentStorage` of these arguments."""

    table_class = DocumentTable  # type: ignore[assignment]

    def __init__(self, *args: Any) -> None:
        super().__init__(*args, storage=DocumentStorage)

    @property
    def storage(self) -> DocumentStorage:
        """The storage of all tables."""
        return cast(DocumentStorage, super().storage)

    def table(self, name: str, **_: object) -> DocumentTable:
        """The table of this name; it is created when it is first written to."""
        return cast(DocumentTable, super().table(name))


def _replace(edits: Edits, wanted: dict[str, Any]) -> None:
    edits.clear()
    edits.update(wanted)
