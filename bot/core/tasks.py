"""Tasks: work that the bot schedules for itself. They are kept in the inbox and handled like requests.

A task has the name under which a feature declares its handler, and a struct that says what it is about. It
runs once per id. Writing the same id again postpones it or brings it forward.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from bot.core.inbox import TASK, Inbox
from bot.domain.records import Item

T = TypeVar("T")


class Task(msgspec.Struct):
    """The payload of a task's item: the name under which it was declared, and what it is about."""

    name: str
    about: msgspec.Raw

    def read(self, type: type[T]) -> T:
        """Decode ``about``."""
        return msgspec.json.decode(self.about, type=type)


def task(inbox: Inbox, id: str, name: str, about: msgspec.Struct, *, queue: str, due_at: int = 0) -> Item:
    """Build a task's item, due at ``due_at`` (ms; 0 is at once), in order with others of ``queue``."""
    payload = Task(name, msgspec.Raw(msgspec.json.encode(about)))
    return inbox.item(id, TASK, queue, payload, due_at=due_at)
