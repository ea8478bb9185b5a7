"""Brings a store that an older version wrote to the version of this program, once and before anything else.

A migration gets the store and the vault, and returns its changes. They are written in one commit together
with the version that they lead to. What it cannot read it leaves as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from bot.core.context import Body
from bot.core.inbox import REQUEST, TASK, WEBHOOK
from bot.core.tasks import Task
from bot.domain.grammar import Request
from bot.domain.records import Item, ItemState, Notice
from bot.domain.upkeep import SCHEMA, Schema
from bot.errors import VaultError
from bot.messages.card import as_written
from bot.stores import Change, Put, Store
from bot.vault import Vault
from bot.zoom.webhooks import Webhook

log = logging.getLogger(__name__)

Migration = Callable[[Store, Vault], Awaitable[list[Change]]]

_FILES = {"zoombot.chat": "CHAT", "zoombot.transcript": "TRANSCRIPT"}


async def migrate(store: Store, vault: Vault, migrations: tuple[Migration, ...] | None = None) -> None:
    """Do the migrations that the store lacks, in order. Each is done wholly or not at all."""
    # Another replica may be starting as well.
    async with store.lock("migration"):
        schema = await store.get(Schema, SCHEMA)
        for version, migration in enumerate(migrations or MIGRATIONS, start=1):
            if schema is not None and schema.version >= version:
                continue
            changes = await migration(store, vault)
            await store.commit(*changes, Put(Schema(id=SCHEMA, version=version)))
            if changes:
                log.info("the store now has version %d: %d records were rewritten", version, len(changes))


class OldBody(msgspec.Struct):
    """The body of a notice in version 0.1."""

    message: str
    props: dict[str, Any] = {}
    response_url: str = ""
    file_ids: list[str] = []


async def tasks_and_cards(store: Store, vault: Vault) -> list[Change]:
    """To version 1. Version 0.1 stored its own tasks as requests and webhooks with internal names; now they
    are tasks. It also stored a notice as its final text; now the message's key is stored."""
    items = await store.find(Item, "state", ItemState.WAITING)
    notices = await store.find(Notice, "waiting", True)
    return [
        *(Put(task) for item in items if (task := _as_task(vault, item))),
        *(Put(fresh) for notice in notices if (fresh := _with_card(vault, notice))),
    ]


async def crowds(store: Store, vault: Vault) -> list[Change]:
    """To version 2. The people of large meetings got records of their own, of which earlier versions know
    nothing: they must not open the store any more. A meeting's people move when the next event comes."""
    return []


MIGRATIONS: tuple[Migration, ...] = (tasks_and_cards, crowds)


def _as_task(vault: Vault, item: Item) -> Item | None:
    """The item converted to a task; None if it needs no conversion or cannot be read."""
    try:
        found = _task_in(item, vault.open(item.id, item.sealed))
    except (VaultError, msgspec.MsgspecError):
        # The worker will report it.
        return None
    if found is None:
        return None
    name, about = found
    payload = msgspec.json.encode(Task(name, msgspec.Raw(msgspec.json.encode(about)))).decode()
    return msgspec.structs.replace(item, kind=TASK, sealed=vault.seal(item.id, payload))


def _with_card(vault: Vault, notice: Notice) -> Notice | None:
    """The notice in the current format; None if it has that already or cannot be read."""
    try:
        old = msgspec.json.decode(vault.open(notice.id, notice.sealed_body), type=OldBody)
    except (VaultError, msgspec.MsgspecError):
        return None
    body = Body(as_written(old.message, old.props), old.response_url, old.file_ids)
    sealed = vault.seal(notice.id, msgspec.json.encode(body).decode())
    return msgspec.structs.replace(notice, sealed_body=sealed)


def _task_in(item: Item, payload: str) -> tuple[str, dict[str, object]] | None:
    if item.kind == REQUEST:
        request = msgspec.json.decode(payload, type=Request)
        if request.command == "answered":
            return "go_on", {"question": request.trigger, "word": request.argument}
        if request.command == "unposted":
            return "drop_unposted", {"announcement": request.argument}
    elif item.kind == WEBHOOK:
        webhook = msgspec.json.decode(payload, type=Webhook)
        if kind := _FILES.get(webhook.event):
            return "fetch_file", {"webhook": msgspec.to_builtins(webhook), "kind": kind}
    return None
