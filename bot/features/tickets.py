"""Tickets: one-time links to connect, each for one person and ten minutes. The store has only a hash.

Once a link is used or has expired, the message that carried it says so instead.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

import msgspec
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, task
from bot.domain.grammar import Request
from bot.domain.records import Notice, Ticket
from bot.errors import VaultError
from bot.messages.content import Url, text
from bot.stores import Change, Put, Update

TICKET_MS = 10 * 60_000


def invitation(ctx: Context, job: Job, request: Request, key: str) -> list[Change]:
    """Return the changes that send the person a link to connect; the message with this key says why."""
    token = secrets.token_urlsafe(32)
    id = digest(token)
    ticket = Ticket(
        id=id,
        user_id=request.user_id,
        user_name=request.user_name,
        expires_at=ctx.now() + TICKET_MS,
        sealed_verifier=ctx.vault.seal(id, secrets.token_urlsafe(48)),
    )
    # Only its owner may see a one-time link: ``tell`` answers privately.
    url = ctx.url("/oauth2/connect", state=token)
    said = ctx.tell(job, request, text(key, url=Url(url)), until=ticket.expires_at)
    ticket.notice = said.record.id
    over = f"ticket:{id}"
    expiry = ctx.task(over, "withdraw_link", Expired(id), queue=over, due_at=ticket.expires_at + 1)
    return [Put(ticket), said, expiry]


class Expired(msgspec.Struct):
    """The id of a ticket whose time is over."""

    ticket: str


@task("withdraw_link", Expired)
async def withdraw_link(ctx: Context, job: Job, about: Expired) -> Changes:
    """Say that a link has expired, in place of the link. One that was used says so already."""
    ticket = await ctx.store.get(Ticket, about.ticket)
    return withdrawn(ctx, ticket) if ticket else []


def withdrawn(ctx: Context, ticket: Ticket) -> list[Change]:
    """Return the change that says that a link has expired, in place of the link; none if it was used."""
    if ticket.used or not ticket.notice:
        return []
    said = ctx.restate(ticket.notice, text("link-expired"))
    # Somebody who has not got the message yet is told that it came too late.
    return [Update(Notice, ticket.notice, lambda now: None if now.held else said.change(now))]


async def find(ctx: Context, token: str) -> Ticket | None:
    """The ticket with this token; None if there is none, or if no key opens what it holds."""
    ticket = await ctx.store.get(Ticket, digest(token))
    return ticket if ticket is not None and _opens(ctx, ticket) else None


def _opens(ctx: Context, ticket: Ticket) -> bool:
    try:
        for sealed in filter(None, (ticket.sealed_verifier, ticket.sealed_grant, ticket.sealed_secret)):
            ctx.vault.open(ticket.id, sealed)
    except VaultError:
        return False
    return True


async def use(ctx: Context, ticket: Ticket, code: str) -> bool:
    """Use up a ticket for this code, and say so in place of its link. Returns False if another call was
    faster."""
    won = False

    def change(now: Ticket) -> Ticket | None:
        nonlocal won
        won = not now.used
        return replace(now, used=True, code_hash=digest(code)) if won else None

    said = [ctx.restate(ticket.notice, text("link-used"))] if ticket.notice else []
    await ctx.store.update(Ticket, ticket.id, change, *said)
    return won


async def unuse(ctx: Context, ticket: Ticket) -> None:
    """Make a ticket usable again: its code never reached Zoom."""
    await ctx.store.update(Ticket, ticket.id, lambda now: replace(now, used=False, code_hash=""))


def is_used_by(ticket: Ticket, code: str) -> bool:
    """Whether this code has used the ticket up."""
    return bool(ticket.code_hash) and ticket.code_hash == digest(code)


def close(ticket: Ticket, *, linked_email: str = "") -> Update[Ticket]:
    """Remove a ticket's secrets. It stays until the janitor deletes it, and says what it was used for."""
    return Update(
        Ticket,
        ticket.id,
        lambda now: replace(
            now, sealed_verifier="", sealed_grant="", sealed_secret="", linked_email=linked_email
        ),
    )


def is_confirmed_by(ticket: Ticket, secret: str) -> bool:
    """Whether ``secret`` is the one in the ticket's form."""
    return bool(ticket.confirm_hash) and hmac.compare_digest(
        ticket.confirm_hash.encode(), digest(secret).encode()
    )


def digest(secret: str) -> str:
    """The hash that is stored in place of a token or a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
