"""``version``: tell the bot's version."""

from __future__ import annotations

from bot import __version__
from bot.core.context import Context, Job
from bot.core.declarations import Changes, command
from bot.domain.grammar import NOTHING, Request
from bot.messages.content import Markdown, text


@command("version", takes=NOTHING, usage="version-usage", help="version-help", position=85)
async def show_version(ctx: Context, job: Job, request: Request) -> Changes:
    """Tell the person the bot's version."""
    return [ctx.tell(job, request, text("version", version=Markdown(__version__)))]
