"""``connect`` and ``disconnect``: whose Zoom account is whose.

A ticket is made for one person, lives ten minutes and works once; the store holds only its hash. The
question "Link this Zoom account to @name?" stands before the link is made, and its answer needs a secret
that is in the question alone: whoever forwards their link cannot have a stranger's account linked to
themselves unseen, and cannot answer in the stranger's place.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import logging
import re
import secrets
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from bot import texts
from bot.commands import Request
from bot.context import Context, Job
from bot.errors import VaultError, ZoomError
from bot.features import pending
from bot.markdown import escape
from bot.records import Link, Lost, Question, Ticket
from bot.router import Changes, Router
from bot.stores import Change, Delete, Put, Update
from bot.zoom import ACCOUNT, Grant, ZoomUser

log = logging.getLogger(__name__)

TICKET_MS = 10 * 60_000

_PLAIN_EMAIL = re.compile(r"[\w.%+'-]{1,64}@[\w.-]{1,255}")


class Problem(enum.Enum):
    """Why linking did not go on; the pages say it to the person."""

    UNKNOWN = "unknown"
    EXPIRED = "expired"
    USED = "used"
    DENIED = "denied"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    WRONG_EMAIL = "wrong_email"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Zoom came back: what the person is asked. ``secret`` goes into the form and nowhere else."""

    user_name: str
    email: str
    secret: str


@dataclass(frozen=True, slots=True)
class Linked:
    """The account is linked."""

    user_name: str
    email: str


def register(router: Router) -> None:
    """Register what this room handles."""
    router.command("connect")(connect)
    router.command("disconnect")(disconnect)


async def connect(ctx: Context, job: Job, request: Request) -> Changes:
    """Give the person a link to connect, or say why there is nothing to connect."""
    if refusal := await _refusal(ctx, request):
        return [ctx.tell(job, request, refusal)]
    if linked := await ctx.store.get(Link, link_id(ctx, request.user_id)):
        return [ctx.tell(job, request, texts.CONNECT_AGAIN.format(email=_address(linked.email)))]
    return _invitation(ctx, job, request, texts.CONNECT)


async def disconnect(ctx: Context, job: Job, request: Request) -> Changes:
    """Revoke the link at Zoom and delete it here."""
    if refusal := await _refusal(ctx, request):
        return [ctx.tell(job, request, refusal)]
    grant = await ctx.tokens.unlink(link_id(ctx, request.user_id))
    if grant is None and not job.retried:
        return [ctx.tell(job, request, texts.NOT_CONNECTED)]
    if grant is not None:
        await revoke(ctx, grant)
    asked = await ctx.store.find(Question, "user_id", request.user_id)
    dropped = [*await pending.dropped(ctx, request.user_id), *(Delete(Question, each.id) for each in asked)]
    return [ctx.tell(job, request, texts.DISCONNECTED), *dropped]


async def ask_to_link(
    ctx: Context, job: Job, request: Request, *, revoked: bool, text: str = texts.CONNECT_FOR_MEETING
) -> Changes:
    """Keep the request, and ask the person privately to connect first."""
    if ctx.config.zoom.app != "user" and not await ctx.is_admin(request.user_id):
        return [ctx.tell(job, request, texts.CONNECT_ADMIN)]
    said = texts.CONNECT_REVOKED if revoked else text
    asked = [pending.kept(ctx, request), *_invitation(ctx, job, request, said)]
    return [*asked, Delete(Lost, request.user_id)]


def link_id(ctx: Context, user_id: str) -> str:
    """Under which id a person's tokens are kept: in an account-level app all share one link."""
    return user_id if ctx.config.zoom.app == "user" else ACCOUNT


async def is_linked(ctx: Context, user_id: str) -> bool:
    """Whether Zoom can be asked on behalf of a person."""
    if ctx.config.zoom.app == "server-to-server":
        return True
    return await ctx.store.get(Link, link_id(ctx, user_id)) is not None


async def authorize_url(ctx: Context, token: str) -> str | Problem:
    """Where the browser goes from the link in the direct message. Uses nothing up: previews fetch links."""
    ticket = await _open_ticket(ctx, token)
    if isinstance(ticket, Problem):
        return ticket
    return ctx.oauth.authorize_url(token, ctx.vault.open(ticket.id, ticket.sealed_verifier))


async def receive_code(ctx: Context, token: str, code: str, error: str) -> Confirmation | Problem:
    """Zoom sent the browser back: exchange the code, once, and prepare the question."""
    if not error and not code:
        # Not from Zoom, which sends one of them: nothing is used up.
        return Problem.UNKNOWN
    ticket = await _use_ticket(ctx, token)
    if isinstance(ticket, Problem):
        return ticket
    if error:
        return Problem.DENIED
    try:
        grant = await ctx.oauth.exchange(code, ctx.vault.open(ticket.id, ticket.sealed_verifier))
        zoom_user = await ctx.zoom.identify(grant)
    except ZoomError as failure:
        log.warning("zoom: the code was not exchanged: %s", failure, extra={"user": ticket.user_id})
        return Problem.REFUSED if failure.status and failure.status < 500 else Problem.UNREACHABLE
    if not await _may_link(ctx, ticket, zoom_user):
        await revoke(ctx, grant)
        return Problem.WRONG_EMAIL
    secret = secrets.token_urlsafe(32)
    await ctx.store.update(
        Ticket,
        ticket.id,
        lambda now: replace(
            now, confirm_hash=_hash(secret), sealed_grant=_seal_grant(ctx, now, grant, zoom_user)
        ),
    )
    return Confirmation(ticket.user_name, zoom_user.email, secret)


async def confirm(ctx: Context, token: str, secret: str, *, cancelled: bool) -> Linked | Problem:
    """The person answered: link, tell them, and start what they had asked for."""
    ticket = await ctx.store.get(Ticket, _hash(token))
    if ticket is None or not ticket.used:
        return Problem.UNKNOWN
    if not ticket.sealed_grant:
        return Problem.USED
    if not hmac.compare_digest(ticket.confirm_hash.encode(), _hash(secret).encode()):
        return Problem.UNKNOWN
    grant, zoom_user = _open_grant(ctx, ticket)
    if cancelled or ticket.expires_at < ctx.now():
        await ctx.store.commit(_used_up(ticket))
        await revoke(ctx, grant)
        return Problem.CANCELLED if cancelled else Problem.EXPIRED
    if not await _link(ctx, ticket, grant, zoom_user):
        return Problem.USED
    log.info("zoom account linked", extra={"user": ticket.user_id})
    return Linked(ticket.user_name, zoom_user.email)


async def revoke(ctx: Context, grant: Grant) -> None:
    """Give tokens back to Zoom; where that fails they end by themselves."""
    try:
        await ctx.oauth.revoke(grant.access_token)
    except ZoomError as error:
        log.warning("zoom: a token could not be revoked: %s", error)


async def _refusal(ctx: Context, request: Request) -> str:
    """Why this person may not connect or disconnect; empty if they may."""
    match ctx.config.zoom.app:
        case "server-to-server":
            return texts.CONNECT_NOT_NEEDED
        case "account" if not await ctx.is_admin(request.user_id):
            linked = await is_linked(ctx, request.user_id)
            return texts.CONNECT_DENIED if linked else texts.CONNECT_ADMIN
    return ""


def _invitation(ctx: Context, job: Job, request: Request, text: str) -> list[Change]:
    token = secrets.token_urlsafe(32)
    id = _hash(token)
    ticket = Ticket(
        id=id,
        user_id=request.user_id,
        user_name=request.user_name,
        expires_at=ctx.now() + TICKET_MS,
        sealed_verifier=ctx.vault.seal(id, secrets.token_urlsafe(48)),
    )
    # A one-time link is for its owner's eyes: a direct message even where the request was one.
    url = ctx.url("/oauth2/connect", state=token)
    return [Put(ticket), ctx.tell(job, request, text.format(url=url))]


async def _open_ticket(ctx: Context, token: str) -> Ticket | Problem:
    ticket = await ctx.store.get(Ticket, _hash(token))
    if ticket is None:
        return Problem.UNKNOWN
    if ticket.used:
        return Problem.USED
    return Problem.EXPIRED if ticket.expires_at < ctx.now() else ticket


async def _use_ticket(ctx: Context, token: str) -> Ticket | Problem:
    """The ticket, used up by this very call."""
    ticket = await _open_ticket(ctx, token)
    if isinstance(ticket, Problem):
        return ticket
    won = False

    def use(now: Ticket) -> Ticket | None:
        nonlocal won
        won = not now.used
        return replace(now, used=True) if won else None

    await ctx.store.update(Ticket, ticket.id, use)
    return ticket if won else Problem.USED


async def _may_link(ctx: Context, ticket: Ticket, zoom_user: ZoomUser) -> bool:
    if not ctx.config.zoom.require_same_email or ctx.config.zoom.app != "user":
        return True
    email = (await ctx.people.get(ticket.user_id)).email
    return bool(email) and email.casefold() == zoom_user.email.casefold()


async def _link(ctx: Context, ticket: Ticket, grant: Grant, zoom_user: ZoomUser) -> bool:
    """One commit: the link, the news of it, the meetings that waited for it, and the end of the ticket.

    An old link is replaced, never first removed: who asks meanwhile would be told to connect once more.
    False if the ticket was used by another click.
    """
    id = link_id(ctx, ticket.user_id)
    before = await ctx.store.get(Link, id)
    old = await _held(ctx, id)
    waiting = await pending.resume(ctx, ticket)
    said = texts.CONNECTED_AND_ON if any(isinstance(each, Put) for each in waiting) else texts.CONNECTED
    told = ctx.tell_user(f"linked:{ticket.id}", ticket.user_id, said.format(email=_address(zoom_user.email)))
    now = await ctx.store.get(Ticket, ticket.id)
    if now is None or not now.sealed_grant:
        return False
    await ctx.tokens.link(id, grant, zoom_user, _used_up(ticket), told, *waiting, by=ticket.user_id)
    # Revoking the old tokens of the same Zoom account could take the new ones with them.
    if old and before and before.zoom_user_id != zoom_user.id:
        await revoke(ctx, old)
    return True


async def _held(ctx: Context, id: str) -> Grant | None:
    try:
        return await ctx.tokens.held(id)
    except VaultError:
        # They were sealed under a key that is gone: whoever links again is helped by that.
        return None


def _used_up(ticket: Ticket) -> Update[Ticket]:
    """What is left of a ticket until the janitor comes: that it was used."""
    return Update(
        Ticket, ticket.id, lambda now: replace(now, confirm_hash="", sealed_verifier="", sealed_grant="")
    )


def _seal_grant(ctx: Context, ticket: Ticket, grant: Grant, zoom_user: ZoomUser) -> str:
    return ctx.vault.seal(ticket.id, msgspec.json.encode([grant, zoom_user]).decode())


def _open_grant(ctx: Context, ticket: Ticket) -> tuple[Grant, ZoomUser]:
    return msgspec.json.decode(ctx.vault.open(ticket.id, ticket.sealed_grant), type=tuple[Grant, ZoomUser])


def _address(email: str) -> str:
    """An e-mail address as it is, to be read and copied, where it is a plain one."""
    return f"`{email}`" if _PLAIN_EMAIL.fullmatch(email) else escape(email)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
