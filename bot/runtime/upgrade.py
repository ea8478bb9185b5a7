"""Converts unfinished work that an older version left in the store.

Version 0.1 stored its own tasks as requests and webhooks with internal names; now they are tasks. It also
stored a notice as its final text; now the message's key is stored.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from bot.core.context import Body, Context
from bot.core.inbox import REQUEST, TASK, WEBHOOK
from bot.core.tasks import Task
from bot.domain.grammar import Request
from bot.domain.records import Item, ItemState, LostLink, Notice, Orphan
from bot.errors import VaultError
from bot.features import lost_links, orphans
from bot.messages.card import as_written
from bot.stores import Change, Put
from bot.zoom.webhooks import Webhook

log = logging.getLogger(__name__)

_FILES = {"zoombot.chat": "CHAT", "zoombot.transcript": "TRANSCRIPT"}


class OldBody(msgspec.Struct):
    """The body of a notice in version 0.1."""

    message: str
    props: dict[str, Any] = {}
    response_url: str = ""
    file_ids: list[str] = []


async def upgrade(ctx: Context) -> None:
    """Convert waiting items and notices, and add tasks to search for orphans and to report lost links."""
    waiting = await ctx.store.find(Item, "state", ItemState.WAITING)
    changes = [Put(fresh) for item in waiting if (fresh := _upgraded(ctx, item))]
    notices = await ctx.store.find(Notice, "waiting", True)
    said = [Put(notice) for each in notices if (notice := _upgraded_notice(ctx, each))]
    await ctx.store.commit(*changes, *said, *await _searches(ctx), *await _lost(ctx))
    if changes or said:
        log.info("rewrote %d waiting items and %d notices of an older version", len(changes), len(said))


async def _lost(ctx: Context) -> list[Change]:
    """Tasks to report lost links. Version 0.1 looked for unreported ones every few minutes instead."""
    untold = await ctx.store.find(LostLink, "told", False)
    return [change for lost in untold for change in lost_links.tell_later(ctx, lost)]


async def _searches(ctx: Context) -> list[Put]:
    """Tasks to search for orphans right after a restart, even if the next search was due much later."""
    people = {orphan.user_id for orphan in await ctx.store.all(Orphan)}
    return [orphans.search(ctx, orphans.Search(user_id)) for user_id in people]


def _upgraded(ctx: Context, item: Item) -> Item | None:
    """The item converted to a task; None if it needs no conversion or cannot be read."""
    try:
        found = _task_in(ctx, item)
    except (VaultError, msgspec.MsgspecError):
        # The worker will report it.
        return None
    if found is None:
        return None
    name, about = found
    payload = msgspec.json.encode(Task(name, msgspec.Raw(msgspec.json.encode(about)))).decode()
    return msgspec.structs.replace(item, kind=TASK, sealed=ctx.vault.seal(item.id, payload))


def _upgraded_notice(ctx: Context, notice: Notice) -> Notice | None:
    """The notice in the current format; None if it has that already or cannot be read."""
    try:
        old = msgspec.json.decode(ctx.vault.open(notice.id, notice.sealed_body), type=OldBody)
    except (VaultError, msgspec.MsgspecError):
        return None
    body = Body(as_written(old.message, old.props), old.response_url, old.file_ids)
    sealed = ctx.vault.seal(notice.id, msgspec.json.encode(body).decode())
    return msgspec.structs.replace(notice, sealed_body=sealed)


def _task_in(ctx: Context, item: Item) -> tuple[str, dict[str, object]] | None:
    if item.kind == REQUEST:
        request = ctx.inbox.read(item, Request)
        if request.command == "answered":
            return "go_on", {"question": request.trigger, "word": request.argument}
        if request.command == "unposted":
            return "drop_unposted", {"announcement": request.argument}
    elif item.kind == WEBHOOK:
        webhook = ctx.inbox.read(item, Webhook)
        if kind := _FILES.get(webhook.event):
            return "fetch_file", {"webhook": msgspec.to_builtins(webhook), "kind": kind}
    return None
