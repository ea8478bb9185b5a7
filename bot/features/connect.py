"""``connect`` and ``disconnect``: whose Zoom account is whose. What the browser does is in ``linking``."""

from __future__ import annotations

import logging
import re

from bot.core.context import Context, Job
from bot.core.declarations import Changes, command
from bot.domain.grammar import NOTHING, Request
from bot.domain.records import LinkedAccount, LostLink, Question
from bot.errors import NotLinkedError, ZoomError, ZoomLinkError
from bot.features import lost_links, pending, tickets
from bot.messages import texts, usage
from bot.messages.markdown import escape
from bot.stores import Delete
from bot.zoom import ACCOUNT, Grant

log = logging.getLogger(__name__)

_PLAIN_EMAIL = re.compile(r"[\w.%+'-]{1,64}@[\w.-]{1,255}")


@command("connect", takes=NOTHING, usage=usage.CONNECT, help=usage.CONNECT_HELP, position=10)
async def connect(ctx: Context, job: Job, request: Request) -> Changes:
    """Give the person a link to connect, or say why there is nothing to connect."""
    if refusal := await _refusal(ctx, request):
        return [ctx.tell(job, request, refusal)]
    id = link_id(ctx, request.user_id)
    linked = await ctx.store.get(LinkedAccount, id)
    if linked and await _works(ctx, request.user_id):
        return [ctx.tell(job, request, texts.CONNECT_AGAIN.format(email=address(linked.email)))]
    return [*tickets.invitation(ctx, job, request, texts.CONNECT), lost_links.told(id)]


@command("disconnect", takes=NOTHING, usage=usage.DISCONNECT, help=usage.DISCONNECT_HELP, position=11)
async def disconnect(ctx: Context, job: Job, request: Request) -> Changes:
    """Revoke the link at Zoom and delete it here."""
    if refusal := await _refusal(ctx, request):
        return [ctx.tell(job, request, refusal)]
    if not await is_linked(ctx, request.user_id) and not job.retried:
        return [ctx.tell(job, request, texts.NOT_CONNECTED)]
    # Revoked before it is forgotten: after a crash in between it is done again.
    said = texts.DISCONNECTED if await _revoke_link(ctx, request.user_id) else texts.DISCONNECTED_HERE
    id = link_id(ctx, request.user_id)
    await ctx.tokens.unlink(id, Delete(LostLink, id))
    asked = await ctx.store.find(Question, "user_id", request.user_id)
    dropped = [*await pending.dropped(ctx, request.user_id), *(Delete(Question, each.id) for each in asked)]
    return [ctx.tell(job, request, said), *dropped]


async def ask_to_link(ctx: Context, job: Job, request: Request, *, revoked: bool) -> Changes:
    """Keep the request, and ask the person privately to connect first."""
    if ctx.config.zoom.app != "user" and not await ctx.is_admin(request.user_id):
        return [ctx.tell(job, request, texts.CONNECT_ADMIN)]
    text = texts.CONNECT_FOR_MEETING if request.command == "start" else texts.CONNECT_FIRST
    said = texts.CONNECT_REVOKED if revoked else text
    asked = [pending.kept(ctx, request), *tickets.invitation(ctx, job, request, said)]
    return [*asked, lost_links.told(request.user_id)]


def link_id(ctx: Context, user_id: str) -> str:
    """Under which id a person's tokens are kept: in an account-level app all share one link."""
    return user_id if ctx.config.zoom.app == "user" else ACCOUNT


async def is_linked(ctx: Context, user_id: str) -> bool:
    """Whether Zoom can be asked on behalf of a person."""
    if ctx.config.zoom.app == "server-to-server":
        return True
    return await ctx.store.get(LinkedAccount, link_id(ctx, user_id)) is not None


async def revoke(ctx: Context, grant: Grant) -> bool:
    """Give tokens back to Zoom; False where that fails, and they end by themselves."""
    try:
        await ctx.oauth.revoke(grant.access_token)
    except ZoomLinkError:
        # Dead already.
        return True
    except ZoomError as error:
        log.warning("zoom: a token could not be revoked: %s", error)
        return False
    return True


def address(email: str) -> str:
    """An e-mail address as it is, to be read and copied, where it is a plain one."""
    return f"`{email}`" if _PLAIN_EMAIL.fullmatch(email) else escape(email)


async def _refusal(ctx: Context, request: Request) -> str:
    """Why this person may not connect or disconnect; empty if they may."""
    match ctx.config.zoom.app:
        case "server-to-server":
            return texts.CONNECT_NOT_NEEDED
        case "account" if not await ctx.is_admin(request.user_id):
            linked = await is_linked(ctx, request.user_id)
            return texts.CONNECT_DENIED if linked else texts.CONNECT_ADMIN
    return ""


async def _works(ctx: Context, user_id: str) -> bool:
    """Whether Zoom still takes a person's link; true also where Zoom cannot say."""
    try:
        await ctx.zoom.me(await ctx.caller(user_id))
    except (NotLinkedError, ZoomLinkError):
        return False
    except ZoomError as error:
        log.info("zoom: whether a link works is not known: %s", error)
    return True


async def _revoke_link(ctx: Context, user_id: str) -> bool:
    """End a person's authorization at Zoom. A token that has ended revokes nothing: a new one first."""
    id = link_id(ctx, user_id)
    try:
        await ctx.tokens.access(id)
    except (NotLinkedError, ZoomLinkError):
        return True
    except ZoomError as error:
        log.warning("zoom: no fresh token to revoke a link with: %s", error)
    grant = await ctx.tokens.held(id)
    return grant is None or await _revoke_held(ctx, id, grant)


async def _revoke_held(ctx: Context, id: str, grant: Grant) -> bool:
    try:
        await ctx.oauth.revoke(grant.access_token)
    except ZoomLinkError:
        # Of the access token alone this says nothing yet: what follows it may live on.
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
