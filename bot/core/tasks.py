"""Work that the bot gives to itself, now or for later: kept in the inbox, handled like what people ask.

A task is named like the feature's function that does it, and carries a struct that says what it is about. Its
id makes it be done once; whoever writes the same id again puts it off, or brings it forward.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from bot.core.inbox import TASK, Inbox
from bot.domain.records import Item

T = TypeVar("T")


class Task(msgspec.Struct):
    """A task's payload: the name under which it was declared, and what it is about."""

    name: str
    about: msgspec.Raw

    def read(self, type: type[T]) -> T:
        """What it is about."""
        return msgspec.json.decode(self.about, type=type)


def task(inbox: Inbox, id: str, name: str, about: msgspec.Struct, *, queue: str, due_at: int = 0) -> Item:
    """A task to be written down, due at ``due_at`` (ms; 0 is at once), in order with others of ``queue``."""
    payload = Task(name, msgspec.Raw(msgspec.json.encode(about)))
    return inbox.item(id, TASK, queue, payload, due_at=due_at)
