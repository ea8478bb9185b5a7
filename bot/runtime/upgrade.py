"""Work that the version before this one left in the store, in the form that this one does.

Version 0.1 kept what it told itself as requests and webhooks of names that no person and no Zoom uses; now
these are tasks. It also kept a notice as it would be posted; now the message's key is kept.
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
    """What a notice of version 0.1 says."""

    message: str
    props: dict[str, Any] = {}
    response_url: str = ""
    file_ids: list[str] = []


async def upgrade(ctx: Context) -> None:
    """Rewrite what waits in an old form, and have orphans looked for at once."""
    waiting = await ctx.store.find(Item, "state", ItemState.WAITING)
    changes = [Put(fresh) for item in waiting if (fresh := _upgraded(ctx, item))]
    notices = await ctx.store.find(Notice, "waiting", True)
    said = [Put(notice) for each in notices if (notice := _upgraded_notice(ctx, each))]
    await ctx.store.commit(*changes, *said, *await _searches(ctx), *await _lost(ctx))
    if changes or said:
        log.info("rewrote %d waiting items and %d notices of an older version", len(changes), len(said))


async def _lost(ctx: Context) -> list[Change]:
    """Version 0.1 looked every few minutes for links whose end nobody was told of."""
    untold = await ctx.store.find(LostLink, "told", False)
    return [change for lost in untold for change in lost_links.tell_later(ctx, lost)]


async def _searches(ctx: Context) -> list[Put]:
    """After a restart orphans are looked for at once, however long the last look had put it off."""
    people = {orphan.user_id for orphan in await ctx.store.all(Orphan)}
    return [orphans.search(ctx, orphans.Search(user_id)) for user_id in people]


def _upgraded(ctx: Context, item: Item) -> Item | None:
    """The item as a task; None if it is what it should be."""
    try:
        found = _task_in(ctx, item)
    except (VaultError, msgspec.MsgspecError):
        # The worker will say so.
        return None
    if found is None:
        return None
    name, about = found
    payload = msgspec.json.encode(Task(name, msgspec.Raw(msgspec.json.encode(about)))).decode()
    return msgspec.structs.replace(item, kind=TASK, sealed=ctx.vault.seal(item.id, payload))


def _upgraded_notice(ctx: Context, notice: Notice) -> Notice | None:
    """The notice in today's form; None if that is what it has, or if it cannot be read."""
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
