"""What a person reads where Zoom refused what their command needed."""

from __future__ import annotations

import logging

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Command, Hook, hook
from bot.domain.grammar import Request
from bot.errors import NotLinkedError, ZoomError, ZoomLinkError
from bot.features import connect

log = logging.getLogger(__name__)


@hook(Hook.ZOOM_REFUSED)
async def explain(ctx: Context, job: Job, request: Request, command: Command, error: ZoomError) -> Changes:
    """Ask to connect where the link is missing or dead; else say what went wrong and what to do."""
    if isinstance(error, NotLinkedError | ZoomLinkError):
        revoked = isinstance(error, ZoomLinkError)
        return await connect.ask_to_link(ctx, job, request, revoked=revoked)
    log.warning("zoom: %s failed for %s: %s", command.name, job.id, error, extra={"user": request.user_id})
    return [ctx.tell(job, request, ctx.problem(error))]
