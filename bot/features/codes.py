"""Zoom's codes: exchange one, once, and ask the person whether to link the account.

Where the store does not answer in between, the same code goes on from there when the browser asks again.
"""

from __future__ import annotations

import enum
import logging
import secrets
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from bot.core.context import Context
from bot.domain.records import Ticket
from bot.errors import ZoomError, ZoomRateLimitError, ZoomScopeError, ZoomUnreachableError
from bot.features import tickets
from bot.features.unconfirmed import decline, expiry, opened
from bot.stores import Update
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
    # The app was added on Zoom's own site.
    ADDED = "added"
    # What Zoom's page came back with in place of a code.
    SERVER_ERROR = "server-error"
    BUSY = "busy"
    INVALID_SCOPE = "invalid-scope"
    UNAUTHORIZED = "unauthorized"
    INVALID_REQUEST = "invalid-request"
    NOT_GRANTED = "not-granted"


# Who gave an authorization, where Zoom does not say.
NOBODY = ZoomUser("", "")


@dataclass(frozen=True, slots=True)
class Question:
    """The question to the person after Zoom's redirect. Put ``secret`` into the form and nowhere else."""

    user_name: str
    email: str
    secret: str


async def come_again(ctx: Context, ticket: Ticket, code: str) -> Question | Problem:
    """The same code again: the same question, or go on where the store did not answer."""
    if ticket.sealed_grant or not ctx.exchanges.is_begun(ticket.id):
        ctx.exchanges.end(ticket.id)
        return _asked_again(ctx, ticket)
    return await exchange(ctx, ticket, code, await wanted_email(ctx, ticket))


def _asked_again(ctx: Context, ticket: Ticket) -> Question | Problem:
    if not ticket.sealed_grant or not ticket.sealed_secret:
        return Problem.USED
    if ticket.expires_at < ctx.now():
        return Problem.EXPIRED
    _, zoom_user = opened(ctx, ticket)
    return Question(ticket.user_name, zoom_user.email, ctx.vault.open(ticket.id, ticket.sealed_secret))


async def exchange(ctx: Context, ticket: Ticket, code: str, wanted: str | None) -> Question | Problem:
    """Exchange a code that has used the ticket up. ``wanted``: see :func:`wanted_email`."""
    given = ctx.exchanges.given(ticket.id) or await _given(ctx, ticket, code)
    if isinstance(given, Problem):
        ctx.exchanges.end(ticket.id)
        return given
    ctx.exchanges.note(ticket.id, *given)
    late = ticket.expires_at < ctx.now()
    problem = Problem.EXPIRED if late else _email_problem(wanted, given[1])
    if problem:
        await decline(ctx, ticket, *given)
    outcome = problem or await _question(ctx, ticket, given)
    ctx.exchanges.end(ticket.id)
    return outcome


async def _given(ctx: Context, ticket: Ticket, code: str) -> tuple[Grant, ZoomUser] | Problem:
    """What Zoom gives for a code, and whose it is."""
    grant = None
    try:
        grant = await ctx.oauth.exchange(code, ctx.vault.open(ticket.id, ticket.sealed_verifier))
        return grant, await ctx.zoom.identify(grant)
    except ZoomError as failure:
        log.warning("zoom: nobody is linked: %s", failure, extra={"user": ticket.user_id})
        if grant is not None:
            await decline(ctx, ticket, grant, NOBODY)
        elif _is_unused(failure):
            await tickets.unuse(ctx, ticket)
        return _problem(failure)


async def _question(ctx: Context, ticket: Ticket, given: tuple[Grant, ZoomUser]) -> Question:
    """Keep what Zoom gave until the person has answered."""
    secret = secrets.token_urlsafe(32)
    sealed = ctx.vault.seal(ticket.id, msgspec.json.encode(given).decode())
    asked = Update(
        Ticket,
        ticket.id,
        lambda now: replace(
            now,
            confirm_hash=tickets.digest(secret),
            sealed_grant=sealed,
            sealed_secret=ctx.vault.seal(ticket.id, secret),
        ),
    )
    await ctx.store.commit(asked, expiry(ctx, ticket))
    return Question(ticket.user_name, given[1].email, secret)


def _is_unused(failure: ZoomError) -> bool:
    """Whether Zoom certainly did not take the code: a reload may try it again."""
    return isinstance(failure, ZoomRateLimitError) or (
        isinstance(failure, ZoomUnreachableError) and not failure.maybe_done
    )


def _problem(failure: ZoomError) -> Problem:
    if isinstance(failure, ZoomUnreachableError | ZoomRateLimitError):
        return Problem.UNREACHABLE
    return Problem.SCOPE if isinstance(failure, ZoomScopeError) else Problem.REFUSED


async def wanted_email(ctx: Context, ticket: Ticket) -> str | None:
    """The e-mail address that the Zoom account must have, "" if Mattermost hides it; None if any will do."""
    if not ctx.config.zoom.require_same_email or ctx.config.zoom.app != "user":
        return None
    return (await ctx.people.fresh(ticket.user_id)).email


def _email_problem(wanted: str | None, zoom_user: ZoomUser) -> Problem | None:
    if wanted is None or (wanted and wanted.casefold() == zoom_user.email.casefold()):
        return None
    return Problem.WRONG_EMAIL if wanted else Problem.HIDDEN_EMAIL
