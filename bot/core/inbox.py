"""What was asked of the bot, written down before anything is done about it."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from bot.clock import Now
from bot.domain.grammar import Request
from bot.domain.records import Item
from bot.stores import Change, Store
from bot.vault import Vault

T = TypeVar("T")

# Kinds of items.
REQUEST = "request"
WEBHOOK = "webhook"
TASK = "task"


class Inbox:
    """Writes items down, each once, and reads their payloads."""

    def __init__(self, store: Store, vault: Vault, now: Now) -> None:
        self._store = store
        self._vault = vault
        self._now = now

    async def add(self, item: Item, *also: Change) -> bool:
        """Write an item down, and ``also`` with it; False if it was there already, and nothing is written. On
        return it is durable."""
        return await self._store.insert(item, *also)

    async def has(self, id: str) -> bool:
        """Whether this was taken in already, handled or not."""
        return await self._store.get(Item, id) is not None

    def item(
        self, id: str, kind: str, queue: str, payload: object, *, asked_at: int = 0, due_at: int = 0
    ) -> Item:
        """An item to be written down; ``payload`` is anything that JSON holds."""
        now = self._now()
        text = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        return Item(
            id=id,
            kind=kind,
            queue=queue,
            sealed=self._vault.seal(id, text.decode()),
            asked_at=asked_at or now,
            received_at=now,
            due_at=due_at,
        )

    def read_request(self, item: Item) -> Request:
        """A request. One that a version before 0.2 took from ``/zoom`` has its command among the choices."""
        request = self.read(item, Request)
        if request.command == "slash":
            return msgspec.structs.replace(request, command=request.choices[0], choices=[], slash=True)
        return request

    def read(self, item: Item, type: type[T]) -> T:
        """An item's payload."""
        return msgspec.json.decode(self._vault.open(item.id, item.sealed), type=type)
