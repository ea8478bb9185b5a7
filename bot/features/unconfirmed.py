"""Authorizations that nobody confirms: Zoom gets their tokens back when their ticket expires."""

from __future__ import annotations

import logging

import msgspec
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, task
from bot.domain.records import LinkedAccount, Ticket
from bot.errors import VaultError
from bot.features import tickets
from bot.features.connect import revoke
from bot.stores import Put
from bot.zoom import ACCOUNT, LINKING, Grant, ZoomUser

log = logging.getLogger(__name__)

# While Zoom cannot be reached. After the last pause the access token has expired.
PAUSES_MS = (60_000, 5 * 60_000, 15 * 60_000, 30 * 60_000)


class Unconfirmed(msgspec.Struct):
    """The id of a ticket, and how often Zoom could not be told yet."""

    ticket: str
    tries: int = 0


def expiry(ctx: Context, ticket: Ticket) -> Put:
    """The change that schedules the return of this ticket's authorization, unless it is confirmed."""
    return _later(ctx, Unconfirmed(ticket.id), ticket.expires_at + 1)


@task("return_unconfirmed", Unconfirmed)
async def expire(ctx: Context, job: Job, about: Unconfirmed) -> Changes:
    """Give back what nobody confirmed. While Zoom cannot be reached, try again a few times."""
    ticket = await ctx.store.get(Ticket, about.ticket)
    if ticket is None or not ticket.sealed_grant:
        return []
    try:
        grant, zoom_user = opened(ctx, ticket)
    except VaultError:
        log.warning("zoom: an authorization that nobody confirmed cannot be revoked: no key opens it")
        return [tickets.close(ticket)]
    if not await give_back(ctx, grant, zoom_user) and about.tries < len(PAUSES_MS):
        due_at = ctx.now() + PAUSES_MS[about.tries]
        return [_later(ctx, Unconfirmed(ticket.id, about.tries + 1), due_at)]
    return [tickets.close(ticket)]


async def decline(ctx: Context, ticket: Ticket, grant: Grant, zoom_user: ZoomUser) -> None:
    """Give back tokens that are not confirmed and no longer can be. While Zoom cannot be told, the ticket
    keeps them, sealed, and Zoom is told later."""
    # First of all nobody may confirm any more.
    sealed = ctx.vault.seal(ticket.id, msgspec.json.encode([grant, zoom_user]).decode())
    await ctx.store.update(Ticket, ticket.id, lambda now: replace(now, sealed_grant=sealed, sealed_secret=""))
    if await give_back(ctx, grant, zoom_user):
        await ctx.store.commit(tickets.close(ticket))
    else:
        await ctx.store.commit(_later(ctx, Unconfirmed(ticket.id), ctx.now() + PAUSES_MS[0]))


async def give_back(ctx: Context, grant: Grant, zoom_user: ZoomUser) -> bool:
    """Give back tokens that nobody confirmed. Returns False if Zoom could not be told.

    With these tokens Zoom has ended those of a link to the same Zoom user: that link continues with these.
    Only if there is none, they are revoked.
    """
    async with ctx.store.lock(LINKING):
        links = await ctx.store.find(LinkedAccount, "zoom_user_id", zoom_user.id)
        if newest := max(links, key=lambda link: link.expires_at, default=None):
            if newest.expires_at < grant.expires_at:
                by = newest.linked_by
                await ctx.store.commit(*ctx.tokens.linked(newest.id, grant, zoom_user, by=by))
            return True
    shared = await ctx.store.get(LinkedAccount, ACCOUNT)
    if shared is not None and shared.zoom_account_id == zoom_user.account_id:
        return True
    return await revoke(ctx, grant)


def opened(ctx: Context, ticket: Ticket) -> tuple[Grant, ZoomUser]:
    """The tokens and the Zoom user that wait for the person's answer."""
    return msgspec.json.decode(ctx.vault.open(ticket.id, ticket.sealed_grant), type=tuple[Grant, ZoomUser])


def _later(ctx: Context, about: Unconfirmed, due_at: int) -> Put:
    id = f"unconfirmed:{about.ticket}"
    return ctx.task(id, "return_unconfirmed", about, queue=id, due_at=due_at)
