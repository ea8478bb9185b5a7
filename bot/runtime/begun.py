"""Which items of an earlier process had been begun. The others only waited, and were never attempted. Pure.

Nothing is written when an attempt begins, because that would delay every request. But the items of one queue
are handled one after the other. So of those that are left in a queue, only the first can have been begun.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from bot.domain.records import Item

# The ``error`` of an item that waits because no key opens it. The worker passes it over.
UNOPENED = "unopened"

Order = Callable[[Item], tuple[int, ...]]


def begun(items: Iterable[Item], now: int, per_sender: int) -> set[str]:
    """The ids of those items (all that wait) that an earlier process may have begun, at ``now`` (ms).

    ``per_sender``: a person with more items than this may have had to wait where others went on.
    """
    due = [item for item in items if item.due_at <= now]
    asked = Counter(item.sender for item in due if item.sender)
    queues: dict[str, list[Item]] = defaultdict(list)
    for item in due:
        queues[item.queue].append(item)
    found: set[str] = set()
    for waiting in queues.values():
        # Items are queued as they arrive. After a restart, all that wait are queued by their age.
        for order in (arrival, age):
            found |= _first(sorted(waiting, key=order), order, asked, per_sender)
    return found


def arrival(item: Item) -> tuple[int, ...]:
    """When the item could be queued."""
    return (max(item.received_at, item.due_at),)


def age(item: Item) -> tuple[int, ...]:
    """The order in which items that wait at the start are queued."""
    return item.asked_at, item.received_at


def _first(waiting: list[Item], order: Order, asked: Counter[str], per_sender: int) -> set[str]:
    """The first item, those that arrived with it, and whatever follows one that may have been passed over."""
    found: set[str] = set()
    last: tuple[int, ...] | None = None
    for item in waiting:
        if last is not None and order(item) != last:
            break
        found.add(item.id)
        passed_over = item.error == UNOPENED or asked[item.sender] > per_sender
        if last is None and not passed_over:
            last = order(item)
    return found
