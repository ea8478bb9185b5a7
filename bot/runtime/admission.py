"""Limits how much of one source is in the queues at once. The rest waits in the store, by its ids."""

from __future__ import annotations

import logging
from collections import Counter, deque
from dataclasses import dataclass, field

from bot.domain.records import Item

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many items of one source are in the queues.

    A person may ask in many channels at once, but in each of them others wait behind a few requests of theirs
    at most. Webhooks of one meeting come by the hundred. ``held`` is how many ids a source may have waiting;
    beyond that, the store is read again once they are done.
    """

    per_sender: int = 50
    per_sender_and_queue: int = 8
    per_queue: int = 1_000
    held: int = 10_000


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class _Source:
    """A person, or the queue of items that no person sent."""

    admitted: Counter[str] = field(default_factory=Counter)
    # Ids in order, by queue. While one is fetched its queue stays here, so that nothing overtakes it.
    held: dict[str, deque[str]] = field(default_factory=dict)
    fetching: set[str] = field(default_factory=set)
    waiting: int = 0
    overflowed: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The id of an item that may be queued now."""

    source: str
    queue: str
    id: str


class Admission:
    """Decides which items are queued at once, and which wait until others of their source are done."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._sources: dict[str, _Source] = {}
        self._ids: set[str] = set()

    @property
    def per_sender(self) -> int:
        """How many items of one person are queued at once."""
        return self._limits.per_sender

    @property
    def held(self) -> int:
        """How many ids wait."""
        return len(self._ids)

    def admit(self, item: Item) -> bool:
        """Count the item as queued and return True, or keep its id for later."""
        source = self._sources.setdefault(_source_of(item), _Source())
        if item.id in self._ids:
            return False
        if item.queue in source.held or not self._has_room(source, item.sender, item.queue):
            self._hold(source, item)
            return False
        source.admitted[item.queue] += 1
        return True

    def forget(self) -> None:
        """Count nothing any more."""
        self._sources.clear()
        self._ids.clear()

    def leave(self, item: Item) -> None:
        """Count an admitted item no longer."""
        name = _source_of(item)
        source = self._sources.get(name)
        if source is None:
            # It was forgotten.
            return
        _decrease(source.admitted, item.queue)
        self._forget_if_idle(name, source)

    def take(self, done: Item) -> Held | None:
        """Count the next item of the same source as queued and return its id; None if none may be queued.

        :meth:`fetched` must follow.
        """
        name = _source_of(done)
        source = self._sources.get(name)
        if source is None or (done.sender and source.admitted.total() >= self._limits.per_sender):
            return None
        for queue, ids in source.held.items():
            if ids and queue not in source.fetching and self._has_room(source, done.sender, queue):
                source.admitted[queue] += 1
                source.fetching.add(queue)
                source.waiting -= 1
                return Held(name, queue, ids.popleft())
        return None

    def fetched(self, held: Held, *, queued: bool) -> None:
        """The item was read from the store, and ``queued`` if it still waits."""
        source = self._sources[held.source]
        self._ids.discard(held.id)
        source.fetching.discard(held.queue)
        if not source.held[held.queue]:
            del source.held[held.queue]
        if not queued:
            _decrease(source.admitted, held.queue)
        self._forget_if_idle(held.source, source)

    def overflowed(self, done: Item) -> bool:
        """Whether the source has nothing left here but something in the store; asked once."""
        source = self._sources.get(_source_of(done))
        if source is None or source.held or not source.overflowed:
            return False
        source.overflowed = False
        return True

    def _hold(self, source: _Source, item: Item) -> None:
        if not source.held:
            log.info("more is asked than is done at once: the rest waits", extra={"source": _source_of(item)})
        if source.waiting >= self._limits.held:
            source.overflowed = True
            return
        source.waiting += 1
        source.held.setdefault(item.queue, deque()).append(item.id)
        self._ids.add(item.id)

    def _has_room(self, source: _Source, sender: str, queue: str) -> bool:
        if not sender:
            return source.admitted[queue] < self._limits.per_queue
        if source.admitted[queue] >= self._limits.per_sender_and_queue:
            return False
        return source.admitted.total() < self._limits.per_sender

    def _forget_if_idle(self, name: str, source: _Source) -> None:
        if not source.admitted and not source.held and not source.overflowed:
            self._sources.pop(name, None)


def _source_of(item: Item) -> str:
    return item.sender or item.queue


def _decrease(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
