"""Meetings that were asked for before linking: of each channel the newest starts afterwards."""

from __future__ import annotations

import msgspec

from bot.core.context import Context
from bot.core.inbox import REQUEST
from bot.domain.grammar import Request
from bot.domain.records import Item, Pending, Ticket
from bot.stores import Change, Delete, Put

# A meeting that was asked for longer ago than this is not started by linking.
PENDING_MS = 60 * 60_000


def kept(ctx: Context, request: Request) -> Put:
    """The request, to be remembered in place of an older one of the same person and channel."""
    id = f"{request.user_id}:{request.channel_id}"
    sealed = ctx.vault.seal(id, msgspec.json.encode(request).decode())
    return Put(Pending(id=id, user_id=request.user_id, sealed=sealed, asked_at=request.asked_at))


async def dropped(ctx: Context, user_id: str) -> list[Change]:
    """What is to be written so that nothing waits for this person any more."""
    return [Delete(Pending, each.id) for each in await ctx.store.find(Pending, "user_id", user_id)]


async def resume(ctx: Context, ticket: Ticket) -> list[Change]:
    """What is to be written so that the meetings which wait for this link start, each where it was asked."""
    changes: list[Change] = []
    for pending in await ctx.store.find(Pending, "user_id", ticket.user_id):
        changes.append(Delete(Pending, pending.id))
        if ctx.now() - pending.asked_at <= PENDING_MS:
            changes.append(Put(_asked_again(ctx, ticket, pending)))
    return changes


def _asked_again(ctx: Context, ticket: Ticket, pending: Pending) -> Item:
    request = msgspec.json.decode(ctx.vault.open(pending.id, pending.sealed), type=Request)
    request.resumed = True
    # It was missed by nobody: the person was busy linking.
    request.asked_at = ctx.now()
    # The ``/zoom`` that asked has had its answer.
    request.response_url = ""
    return ctx.inbox.item(f"pending:{ticket.id}:{pending.id}", REQUEST, request.channel_id, request)
