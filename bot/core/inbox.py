"""The inbox: stores requests, webhooks and tasks before the bot acts on them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from bot.clock import Now
from bot.domain.grammar import Request
from bot.domain.records import Item
from bot.errors import VaultError
from bot.stores import Change, Put, Store, Update
from bot.vault import Vault

T = TypeVar("T")

# Kinds of items.
REQUEST = "request"
WEBHOOK = "webhook"
TASK = "task"


class UnopenedItemError(VaultError):
    """No key opens an item's payload. The key may be put back."""


class Inbox:
    """Stores items, each once, and reads their payloads."""

    def __init__(self, store: Store, vault: Vault, now: Now) -> None:
        self._store = store
        self._vault = vault
        self._now = now
        # How many senders wait for an answer.
        self._receiving = 0
        self._received = asyncio.Event()
        self._received.set()

    @property
    def receiving(self) -> bool:
        """Whether something that came in is being written down, for which its sender waits."""
        return self._receiving > 0

    async def received(self) -> None:
        """Wait until nothing is being written down."""
        await self._received.wait()

    @contextmanager
    def receive(self) -> Iterator[None]:
        """Count what comes in as being written down, until the block ends."""
        self._receiving += 1
        self._received.clear()
        try:
            yield
        finally:
            self._receiving -= 1
            if not self._receiving:
                self._received.set()

    async def add(self, item: Item, *also: Change) -> bool:
        """Write an item, and ``also`` in the same commit. If the item exists, write nothing and return False.
        On return the item is durable."""
        with self.receive():
            return await self._store.insert(item, *also)

    async def has(self, id: str) -> bool:
        """Whether the inbox has an item with this id, handled or not."""
        return await self._store.get(Item, id) is not None

    def item(
        self,
        id: str,
        kind: str,
        queue: str,
        payload: object,
        *,
        asked_at: int = 0,
        due_at: int = 0,
        sender: str = "",
        urgent: bool = False,
    ) -> Item:
        """Build an item. ``payload`` is JSON as bytes, or anything that JSON can encode."""
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
            sender=sender,
            urgent=urgent,
        )

    def read_request(self, item: Item) -> Request:
        """Read an item's request. Versions before 0.2 stored the command of a ``/zoom`` among the choices."""
        request = self.read(item, Request)
        if request.command == "slash":
            return msgspec.structs.replace(request, command=request.choices[0], choices=[], slash=True)
        return request

    def read(self, item: Item, type: type[T]) -> T:
        """Decrypt and decode an item's payload. Raises :class:`UnopenedItemError` if no key opens it."""
        try:
            payload = self._vault.open(item.id, item.sealed)
        except VaultError as error:
            raise UnopenedItemError(str(error)) from None
        return msgspec.json.decode(payload, type=type)


def closed(item: Item, by: Item) -> Change:
    """The change that ends an item as ``by``. A task that was written again meanwhile must run again."""
    if item.kind != TASK:
        return Put(by)
    return Update(Item, item.id, lambda now: by if now == item else None)
