"""The browser's part of linking: from the link in the direct message to Zoom, back, and to the answer.

Before it links an account, the bot asks "Link this Zoom account to @name?". The answer needs a secret that
only the page with the question contains. Somebody who forwards their link to another person therefore cannot
get that person's account linked to themselves unnoticed, and cannot answer in the other person's place.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.context import Context
from bot.domain.records import LinkedAccount, Ticket
from bot.features import codes, pending, tickets
from bot.features.codes import Problem as Problem
from bot.features.codes import Question as Question
from bot.features.connect import link_id, revoke
from bot.features.unconfirmed import decline, opened
from bot.messages.content import address, text
from bot.stores import Change, Put
from bot.zoom import ACCOUNT, LINKING, Grant, ZoomUser

log = logging.getLogger(__name__)


# The values of OAuth's ``error``. All others are NOT_GRANTED, and shown nowhere: anybody can write them.
_ERRORS = {
    "access_denied": Problem.DENIED,
    "server_error": Problem.SERVER_ERROR,
    "temporarily_unavailable": Problem.BUSY,
    "invalid_scope": Problem.INVALID_SCOPE,
    "unauthorized_client": Problem.UNAUTHORIZED,
    "invalid_client": Problem.UNAUTHORIZED,
    "invalid_request": Problem.INVALID_REQUEST,
    "unsupported_response_type": Problem.INVALID_REQUEST,
}


@dataclass(frozen=True, slots=True)
class Linked:
    """The account is linked."""

    user_name: str
    email: str


async def authorize_url(ctx: Context, token: str) -> str | Problem:
    """Zoom's URL for the link in the direct message. Does not use up the ticket: previews fetch links."""
    ticket = await _open_ticket(ctx, token)
    if isinstance(ticket, Problem):
        return ticket
    return ctx.oauth.authorize_url(token, ctx.vault.open(ticket.id, ticket.sealed_verifier))


async def receive_code(ctx: Context, token: str, code: str, error: str) -> Question | Problem:
    """Handle Zoom's redirect: exchange the code, once, and prepare the question.

    Browsers fetch it more than once (ahead of the click, on a reload, on the way back): the same code gets
    the same question until it is answered or expires.
    """
    if error:
        return await _not_granted(ctx, token, error)
    if not code:
        # This is not from Zoom, which always sends a code or an error: do not use up the ticket.
        return Problem.UNKNOWN
    if not token:
        return Problem.ADDED
    # Before it waits for others with this ticket: if the store does not answer, all learn it at once.
    await tickets.find(ctx, token)
    async with ctx.store.lock(f"ticket {tickets.digest(token)}"):
        known = await tickets.find(ctx, token)
        if known is not None and tickets.is_used_by(known, code):
            return await codes.come_again(ctx, known, code)
        ticket = await _open_ticket(ctx, token)
        if isinstance(ticket, Problem):
            return ticket
        # While Mattermost cannot tell this, nothing is used up.
        wanted = await codes.wanted_email(ctx, ticket)
        ctx.exchanges.begin(ticket.id)
        if await tickets.use(ctx, ticket, code):
            return await codes.exchange(ctx, ticket, code, wanted)
        ctx.exchanges.end(ticket.id)
        return Problem.USED


async def _not_granted(ctx: Context, token: str, error: str) -> Problem:
    """Name what Zoom's page came back with. It uses nothing up: the link may be opened again."""
    ticket = await _open_ticket(ctx, token) if token else None
    if isinstance(ticket, Problem):
        return ticket
    found = _ERRORS.get(error.strip().lower(), Problem.NOT_GRANTED)
    if ticket is not None and found is not Problem.DENIED:
        log.warning(
            "zoom: nobody is linked: Zoom's page says %s", found.value, extra={"user": ticket.user_id}
        )
    return found


async def confirm(ctx: Context, token: str, secret: str, *, cancelled: bool) -> Linked | Problem:
    """Handle the person's answer: link the account, tell them, and start the meetings they had asked for."""
    ticket = await tickets.find(ctx, token)
    if ticket is None or not tickets.is_confirmed_by(ticket, secret):
        return Problem.UNKNOWN
    if ticket.linked_email:
        # The same click again.
        return Linked(ticket.user_name, ticket.linked_email)
    if not ticket.sealed_grant:
        # It was declined, or its time was over.
        return Problem.CANCELLED if cancelled else Problem.USED
    grant, zoom_user = opened(ctx, ticket)
    if cancelled or ticket.expires_at < ctx.now():
        await decline(ctx, ticket, grant, zoom_user)
        return Problem.CANCELLED if cancelled else Problem.EXPIRED
    if not ticket.sealed_secret:
        return Problem.USED
    if await _link(ctx, ticket, grant, zoom_user):
        log.info("zoom account linked", extra={"user": ticket.user_id})
    return Linked(ticket.user_name, zoom_user.email)


async def _open_ticket(ctx: Context, token: str) -> Ticket | Problem:
    ticket = await tickets.find(ctx, token)
    if ticket is None:
        return Problem.UNKNOWN
    if ticket.used:
        return Problem.USED
    return Problem.EXPIRED if ticket.expires_at < ctx.now() else ticket


async def _link(ctx: Context, ticket: Ticket, grant: Grant, zoom_user: ZoomUser) -> bool:
    """Write the link, the messages about it, the pending requests and the closed ticket in one commit.

    An old link is replaced, never removed first: a request in between would be told to connect again.
    Returns False if another click was faster.
    """
    id = link_id(ctx, ticket.user_id)
    old = await ctx.tokens.held(id, ctx.store)
    async with ctx.store.lock(LINKING):
        before = await ctx.store.get(LinkedAccount, id)
        now = await ctx.store.get(Ticket, ticket.id)
        if now is None or not now.sealed_grant or not now.sealed_secret:
            return False
        waiting = await pending.resume(ctx, ticket)
        key = "connected-and-on" if any(isinstance(each, Put) for each in waiting) else "connected"
        said = text(key, email=address(zoom_user.email))
        told = ctx.tell_user(f"linked:{ticket.id}", ticket.user_id, said)
        closed = tickets.close(ticket, linked_email=zoom_user.email)
        same_user = await ctx.store.find(LinkedAccount, "zoom_user_id", zoom_user.id)
        grant = await _latest(ctx, same_user, grant)
        taken = _taken_over(
            ctx, ticket, zoom_user, [each for each in same_user if each.id not in (id, ACCOUNT)]
        )
        linked = ctx.tokens.linked(id, grant, zoom_user, by=ticket.user_id)
        await ctx.store.commit(*taken, *linked, closed, told, *waiting)
    if old and before and await _is_done_with(ctx, before, zoom_user):
        await revoke(ctx, old)
    return True


async def _latest(ctx: Context, same_user: Sequence[LinkedAccount], grant: Grant) -> Grant:
    """The tokens that Zoom still accepts: each authorization of a Zoom user ends the earlier ones, and the
    person may have confirmed a later one before this one."""
    newest = max(same_user, key=lambda link: link.expires_at, default=None)
    if newest is None or newest.expires_at <= grant.expires_at:
        return grant
    return await ctx.tokens.held(newest.id, ctx.store) or grant


def _taken_over(
    ctx: Context, ticket: Ticket, zoom_user: ZoomUser, links: Sequence[LinkedAccount]
) -> list[Change]:
    """Return the changes that unlink other people from this Zoom user and tell them. Their tokens are not
    revoked: Zoom has ended them, and revoking could end the new ones as well."""
    said = text("connection-taken-over", name=ticket.user_name, email=address(zoom_user.email))
    changes: list[Change] = []
    for link in links:
        log.info("a zoom account goes to another person", extra={"user": link.id})
        told = ctx.tell_user(f"taken-over:{ticket.id}:{link.id}", link.id, said)
        changes += [*ctx.tokens.unlinked(link.id), told]
    return changes


async def _is_done_with(ctx: Context, before: LinkedAccount, zoom_user: ZoomUser) -> bool:
    """Whether the replaced link's tokens may be revoked: that must not end those of a present link."""
    if before.zoom_user_id == zoom_user.id:
        return False
    if before.id == ACCOUNT and before.zoom_account_id == zoom_user.account_id:
        return False
    return not await ctx.store.has(LinkedAccount, "zoom_user_id", before.zoom_user_id)
