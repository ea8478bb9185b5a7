"""``help``, and what is said when something was not understood."""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.core.registry import Changes, Router
from bot.domain.grammar import Request
from bot.messages import texts


def register(router: Router) -> None:
    """Register what this room handles."""
    router.command("help")(show_help)
    router.command("usage")(show_usage)


async def show_help(ctx: Context, job: Job, request: Request) -> Changes:
    """Say what the bot can do."""
    settings = ctx.config
    text = texts.help_text(ctx.bot.username, settings.mattermost.keyword, settings.zoom.app)
    return [ctx.tell(job, request, text)]


async def show_usage(ctx: Context, job: Job, request: Request) -> Changes:
    """Say how a command goes that lacks something, or that there is no such command."""
    name = request.argument
    if usage := texts.USAGES.get(name):
        return [ctx.tell(job, request, texts.USAGE.format(name=name, usage=usage))]
    return [ctx.tell(job, request, texts.UNKNOWN)]
