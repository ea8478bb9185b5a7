"""``connect`` and ``disconnect``: link and unlink a Zoom account. The browser's part is in ``linking``."""

from __future__ import annotations

import logging

from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, command
from bot.domain.grammar import NOTHING, PERSON, Request
from bot.domain.records import LinkedAccount, LostLink, Question
from bot.errors import NotLinkedError, ZoomError, ZoomLinkError
from bot.features import lost_links, pending, tickets, zoom_people
from bot.messages.content import Text, address, text
from bot.stores import Delete
from bot.zoom import ACCOUNT, Grant

log = logging.getLogger(__name__)


@command("connect", takes=PERSON, usage="connect-usage", help="connect-help", position=10)
async def connect(ctx: Context, job: Job, request: Request) -> Changes:
    """Send the person a link to connect, or say why they cannot or need not connect."""
    if request.argument:
        return await _of_another(ctx, job, request)
    if refusal := await _refusal(ctx, request):
        return [ctx.tell(job, request, refusal)]
    id = link_id(ctx, request.user_id)
    linked = await ctx.store.get(LinkedAccount, id)
    if linked and await _works(ctx, request.user_id):
        return [ctx.tell(job, request, text("connect-again", email=address(linked.email)))]
    return [*tickets.invitation(ctx, job, request, "connect"), lost_links.told(id)]


@command("disconnect", takes=NOTHING, usage="disconnect-usage", help="disconnect-help", position=11)
async def disconnect(ctx: Context, job: Job, request: Request) -> Changes:
    """Revoke the link at Zoom and delete it here."""
    if refusal := await _refusal(ctx, request):
        return [ctx.tell(job, request, refusal)]
    if not await is_linked(ctx, request.user_id) and not job.retried:
        return [ctx.tell(job, request, text("not-connected"))]
    # Revoke before deleting: after a crash in between, a retry does it again.
    revoked = await revoke_link(ctx, request.user_id)
    id = link_id(ctx, request.user_id)
    forgotten = [*ctx.tokens.unlinked(id), Delete(LostLink, id), *await pending.dropped(ctx, request.user_id)]
    forgotten += [
        Delete(Question, each.id) for each in await ctx.store.find(Question, "user_id", request.user_id)
    ]
    said = text("disconnected") if revoked else text("disconnected-here")
    return [ctx.tell(job, request, said), *forgotten]


async def ask_to_link(ctx: Context, job: Job, request: Request, *, revoked: bool) -> Changes:
    """Store the request, and ask the person privately to connect first."""
    if ctx.config.zoom.app != "user" and not await ctx.is_admin(request.user_id):
        return [ctx.tell(job, request, text("connect-admin"))]
    key = "connect-for-meeting" if request.command == "start" else "connect-first"
    said = tickets.invitation(ctx, job, request, "connect-revoked" if revoked else key)
    asked = [pending.kept(ctx, request), *said]
    return [*asked, lost_links.told(request.user_id)]


def link_id(ctx: Context, user_id: str) -> str:
    """The id of a person's linked account. In an account-level app all people share one."""
    return user_id if ctx.config.zoom.app == "user" else ACCOUNT


async def is_linked(ctx: Context, user_id: str) -> bool:
    """Whether the bot can call Zoom on a person's behalf."""
    if ctx.config.zoom.app == "server-to-server":
        return True
    return await ctx.store.get(LinkedAccount, link_id(ctx, user_id)) is not None


async def revoke(ctx: Context, grant: Grant) -> bool:
    """Revoke tokens at Zoom. Returns False if that fails; they then expire by themselves."""
    try:
        await ctx.oauth.revoke(grant.access_token)
    except ZoomLinkError:
        # They are already invalid.
        return True
    except ZoomError as error:
        log.warning("zoom: a token could not be revoked: %s", error)
        return False
    return True


async def _of_another(ctx: Context, job: Job, request: Request) -> Changes:
    """``connect @name``: for administrators of apps of a whole account. Where people link their own accounts,
    these words are a topic like any others."""
    if ctx.config.zoom.app == "user":
        command, words = ("usage", "connect") if request.direct else ("start", f"connect {request.argument}")
        return await ctx.requests.respond(ctx, job, replace(request, command=command, argument=words))
    if not await ctx.is_admin(request.user_id):
        return [ctx.tell(job, request, text("connect-denied"))]
    return await zoom_people.confirm(ctx, job, request)


async def _refusal(ctx: Context, request: Request) -> Text | None:
    """Why this person may not connect or disconnect; None if they may."""
    match ctx.config.zoom.app:
        case "server-to-server":
            return text("connect-not-needed")
        case "account" if not await ctx.is_admin(request.user_id):
            linked = await is_linked(ctx, request.user_id)
            return text("connect-denied") if linked else text("connect-admin")
    return None


async def _works(ctx: Context, user_id: str) -> bool:
    """Whether Zoom still accepts a person's link. True also if Zoom cannot tell."""
    try:
        await ctx.zoom.me(await ctx.zoom_people.known_caller(user_id))
    except (NotLinkedError, ZoomLinkError):
        return False
    except ZoomError as error:
        log.info("zoom: whether a link works is not known: %s", error)
    return True


async def revoke_link(ctx: Context, user_id: str) -> bool:
    """End a person's authorization at Zoom. An expired token cannot do that, so get a new one first."""
    id = link_id(ctx, user_id)
    if await _is_shared(ctx, id):
        return True
    try:
        await ctx.tokens.access(id)
    except (NotLinkedError, ZoomLinkError):
        return True
    except ZoomError as error:
        log.warning("zoom: no fresh token to revoke a link with: %s", error)
    grant = await ctx.tokens.held(id)
    return grant is None or await _revoke_held(ctx, id, grant)


async def _is_shared(ctx: Context, id: str) -> bool:
    """Whether somebody else is linked to the same Zoom user, as older versions allowed. Revoking one person's
    tokens could end the other's."""
    link = await ctx.store.get(LinkedAccount, id)
    return (
        link is not None and len(await ctx.store.find(LinkedAccount, "zoom_user_id", link.zoom_user_id)) > 1
    )


async def _revoke_held(ctx: Context, id: str, grant: Grant) -> bool:
    try:
        await ctx.oauth.revoke(grant.access_token)
    except ZoomLinkError:
        # Only the access token is known to be invalid. The refresh token may still work.
        return await _revoke_next(ctx, id, grant)
    except ZoomError as error:
        log.warning("zoom: a link could not be revoked: %s", error)
        return False
    return True


async def _revoke_next(ctx: Context, id: str, grant: Grant) -> bool:
    try:
        await ctx.tokens.refresh(id, grant.access_token)
    except (NotLinkedError, ZoomLinkError):
        return True
    except ZoomError as error:
        log.warning("zoom: no fresh token to revoke a link with: %s", error)
        return False
    fresh = await ctx.tokens.held(id)
    return fresh is None or await revoke(ctx, fresh)
