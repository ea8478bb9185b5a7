"""The browser's part of linking: from the link in the direct message to Zoom, back, and to the answer.

Before it links an account, the bot asks "Link this Zoom account to @name?". The answer needs a secret that
only the page with the question contains. Somebody who forwards their link to another person therefore cannot
get that person's account linked to themselves unnoticed, and cannot answer in the other person's place.
"""

from __future__ import annotations

import enum
import logging
import secrets
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from bot.core.context import Context
from bot.domain.records import LinkedAccount, Ticket
from bot.errors import ZoomError, ZoomRateLimitError, ZoomScopeError, ZoomUnreachableError
from bot.features import pending, tickets
from bot.features.connect import address, link_id, revoke
from bot.messages.content import text
from bot.stores import Put
from bot.zoom import Grant, ZoomUser

log = logging.getLogger(__name__)


class Problem(enum.Enum):
    """Why linking stopped. The pages explain it to the person."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    DENIED = "denied"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    SCOPE = "scope"
    WRONG_EMAIL = "wrong-email"
    HIDDEN_EMAIL = "hidden-email"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Question:
    """The question to the person after Zoom's redirect. Put ``secret`` into the form and nowhere else."""

    user_name: str
    email: str
    secret: str


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
    """Handle Zoom's redirect: exchange the code, once, and prepare the question."""
    if not error and not code:
        # This is not from Zoom, which always sends one of them: do not use up the ticket.
        return Problem.UNKNOWN
    ticket = await _open_ticket(ctx, token)
    if isinstance(ticket, Problem):
        return ticket
    if not await tickets.use(ctx, ticket):
        return Problem.USED
    if error:
        return Problem.DENIED
    return await _exchange(ctx, ticket, code)


async def confirm(ctx: Context, token: str, secret: str, *, cancelled: bool) -> Linked | Problem:
    """Handle the person's answer: link the account, tell them, and start the meetings they had asked for."""
    ticket = await tickets.find(ctx, token)
    if ticket is None or not tickets.is_confirmed_by(ticket, secret):
        return Problem.UNKNOWN
    if ticket.linked_email:
        # The same click again.
        return Linked(ticket.user_name, ticket.linked_email)
    if not ticket.sealed_grant:
        return Problem.USED
    grant, zoom_user = _open_grant(ctx, ticket)
    if cancelled or ticket.expires_at < ctx.now():
        await ctx.store.commit(tickets.close(ticket))
        await revoke(ctx, grant)
        return Problem.CANCELLED if cancelled else Problem.EXPIRED
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


async def _exchange(ctx: Context, ticket: Ticket, code: str) -> Question | Problem:
    grant = None
    try:
        grant = await ctx.oauth.exchange(code, ctx.vault.open(ticket.id, ticket.sealed_verifier))
        zoom_user = await ctx.zoom.identify(grant)
    except ZoomError as failure:
        log.warning("zoom: nobody is linked: %s", failure, extra={"user": ticket.user_id})
        if grant is not None:
            await revoke(ctx, grant)
        return _problem(failure)
    if problem := await _email_problem(ctx, ticket, zoom_user):
        await revoke(ctx, grant)
        return problem
    secret = secrets.token_urlsafe(32)
    sealed = ctx.vault.seal(ticket.id, msgspec.json.encode([grant, zoom_user]).decode())
    await ctx.store.update(
        Ticket,
        ticket.id,
        lambda now: replace(now, confirm_hash=tickets.digest(secret), sealed_grant=sealed),
    )
    return Question(ticket.user_name, zoom_user.email, secret)


def _problem(failure: ZoomError) -> Problem:
    if isinstance(failure, ZoomUnreachableError | ZoomRateLimitError):
        return Problem.UNREACHABLE
    return Problem.SCOPE if isinstance(failure, ZoomScopeError) else Problem.REFUSED


async def _email_problem(ctx: Context, ticket: Ticket, zoom_user: ZoomUser) -> Problem | None:
    if not ctx.config.zoom.require_same_email or ctx.config.zoom.app != "user":
        return None
    email = (await ctx.people.get(ticket.user_id)).email
    if email and email.casefold() == zoom_user.email.casefold():
        return None
    return Problem.WRONG_EMAIL if email else Problem.HIDDEN_EMAIL


async def _link(ctx: Context, ticket: Ticket, grant: Grant, zoom_user: ZoomUser) -> bool:
    """Write the link, the message about it, the pending requests and the closed ticket in one commit.

    An old link is replaced, never removed first: a request in between would be told to connect again.
    Returns False if another click was faster.
    """
    id = link_id(ctx, ticket.user_id)
    before = await ctx.store.get(LinkedAccount, id)
    old = await ctx.tokens.held(id)
    waiting = await pending.resume(ctx, ticket)
    key = "connected-and-on" if any(isinstance(each, Put) for each in waiting) else "connected"
    said = text(key, email=address(zoom_user.email))
    told = ctx.tell_user(f"linked:{ticket.id}", ticket.user_id, said)
    now = await ctx.store.get(Ticket, ticket.id)
    if now is None or not now.sealed_grant:
        return False
    closed = tickets.close(ticket, linked_email=zoom_user.email)
    linked = ctx.tokens.linked(id, grant, zoom_user, by=ticket.user_id)
    await ctx.store.commit(*linked, closed, told, *waiting)
    # Revoking the old tokens of the same Zoom account could also revoke the new ones.
    if old and before and before.zoom_user_id != zoom_user.id:
        await revoke(ctx, old)
    return True


def _open_grant(ctx: Context, ticket: Ticket) -> tuple[Grant, ZoomUser]:
    return msgspec.json.decode(ctx.vault.open(ticket.id, ticket.sealed_grant), type=tuple[Grant, ZoomUser])
