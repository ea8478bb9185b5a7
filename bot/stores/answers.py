"""What questions about an index were answered, for as long as that holds."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cachetools import LRUCache

from bot.stores.indexes import Entry
from bot.stores.sqlite import Key

# How many answers are kept, and how many ids one may have.
MAX_ANSWERS = 20_000
MAX_IDS = 20


@dataclass(slots=True, eq=False)
class Asking:
    """A question that is being asked. ``changed`` are the ids of its table that were changed since;
    ``stale`` says that one of these got the entry."""

    table: str
    entry: Entry
    changed: set[str] = field(default_factory=set)
    stale: bool = False


class Answers:
    """The ids that were found for an entry of an index.

    An answer is dropped when a document gets the entry. A document may lose the entry unseen: whoever uses an
    answer looks whether its documents still have it.
    """

    def __init__(self) -> None:
        self._kept: LRUCache[tuple[str, Entry], tuple[str, ...]] = LRUCache(MAX_ANSWERS)
        self._asked: set[Asking] = set()

    def get(self, table: str, entry: Entry) -> tuple[str, ...] | None:
        """The only ids that may have the entry; None if these are not known."""
        return self._kept.get((table, entry))

    @contextmanager
    def asking(self, table: str, entry: Entry) -> Iterator[Asking]:
        """While a question is asked, note what changes meanwhile."""
        asking = Asking(table, entry)
        self._asked.add(asking)
        try:
            yield asking
        finally:
            self._asked.discard(asking)

    def keep(self, asking: Asking, ids: Collection[str]) -> None:
        """Keep the answer to a question, unless it does not hold any more or is long."""
        if not asking.stale and len(ids) <= MAX_IDS:
            self._kept[asking.table, asking.entry] = tuple(ids)

    def change(self, key: Key, entries: Collection[Entry]) -> None:
        """Say that a document was changed, and has these entries now."""
        table, id_ = key
        for asking in self._asked:
            if asking.table == table:
                asking.changed.add(id_)
                asking.stale = asking.stale or asking.entry in entries
        for entry in entries:
            self._kept.pop((table, entry), None)
