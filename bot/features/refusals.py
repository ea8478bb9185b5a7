"""The answer to a person if Zoom refuses what their command needs."""

from __future__ import annotations

import logging

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Command, Hook, hook
from bot.domain.grammar import Request
from bot.errors import NotLinkedError, ZoomError, ZoomLinkError, ZoomUserUnknownError
from bot.features import connect
from bot.messages.content import Code, address, text
from bot.messages.problems import problem

log = logging.getLogger(__name__)


@hook(Hook.ZOOM_REFUSED)
async def explain(ctx: Context, job: Job, request: Request, command: Command, error: ZoomError) -> Changes:
    """Ask the person to connect if their link is missing or dead. Otherwise explain the error."""
    if isinstance(error, NotLinkedError | ZoomLinkError):
        revoked = isinstance(error, ZoomLinkError)
        return await connect.ask_to_link(ctx, job, request, revoked=revoked)
    known = await ctx.zoom_people.known(request.user_id)
    if type(error) is ZoomUserUnknownError and known is not None:
        name = (await ctx.people.get(request.user_id)).username
        said = text("zoom-user-gone", email=address(known.email), command=Code(f"connect @{name}"))
        return [ctx.tell(job, request, problem(said))]
    log.warning("zoom: %s failed for %s: %s", command.name, job.id, error, extra={"user": request.user_id})
    return [ctx.tell(job, request, ctx.problem(error))]
