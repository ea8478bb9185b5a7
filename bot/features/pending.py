"""Requests made before linking. Once the person has linked, the newest of each channel starts."""

from __future__ import annotations

import logging

import msgspec

from bot.core.context import Context
from bot.core.inbox import REQUEST
from bot.domain.grammar import Request
from bot.domain.records import Item, Pending, Ticket
from bot.errors import VaultError
from bot.stores import Change, Delete, Put

log = logging.getLogger(__name__)

# Linking does not start a meeting that was requested longer ago than this.
PENDING_MS = 60 * 60_000


def kept(ctx: Context, request: Request) -> Put:
    """Return the change that stores a request, in place of an older one by the same person and channel."""
    id = f"{request.user_id}:{request.channel_id}"
    sealed = ctx.vault.seal(id, msgspec.json.encode(request).decode())
    return Put(Pending(id=id, user_id=request.user_id, sealed=sealed, asked_at=request.asked_at))


async def dropped(ctx: Context, user_id: str) -> list[Change]:
    """Return the changes that delete a person's pending requests."""
    return [Delete(Pending, each.id) for each in await ctx.store.find(Pending, "user_id", user_id)]


async def resume(ctx: Context, ticket: Ticket) -> list[Change]:
    """Return the changes that start the requests waiting for this link, each in its own channel."""
    changes: list[Change] = []
    for pending in await ctx.store.find(Pending, "user_id", ticket.user_id):
        if ctx.now() - pending.asked_at > PENDING_MS:
            # While a clock is wrong it may not be old.
            changes += [] if ctx.clocks.trouble else [Delete(Pending, pending.id)]
        elif item := _asked_again(ctx, ticket, pending):
            changes += [Delete(Pending, pending.id), Put(item)]
    return changes


def _asked_again(ctx: Context, ticket: Ticket, pending: Pending) -> Item | None:
    """The item of a pending request; None if no key opens it."""
    try:
        request = msgspec.json.decode(ctx.vault.open(pending.id, pending.sealed), type=Request)
    except (VaultError, msgspec.MsgspecError):
        log.error("a request that waits for a link cannot be read", extra={"user": ticket.user_id})
        return None
    request.resumed = True
    # The request is not late: the person was busy linking.
    request.asked_at = ctx.now()
    # The ``/zoom`` command has already been answered.
    request.response_url = ""
    id, queue = f"pending:{ticket.id}:{pending.id}", request.channel_id
    return ctx.inbox.item(id, REQUEST, queue, request, sender=pending.user_id)
