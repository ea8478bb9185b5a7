"""``help``, and what is said when something was not understood."""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Hook, command, hook
from bot.domain.grammar import NOTHING, Request
from bot.messages import texts, usage


@command("help", takes=NOTHING, usage=usage.HELP, help=usage.HELP_HELP, position=90)
async def show_help(ctx: Context, job: Job, request: Request) -> Changes:
    """Say what the bot can do."""
    shown = ctx.config
    rows = [(each.usage, each.help) for each in ctx.requests.helped]
    text = usage.help_text(ctx.bot.username, shown.mattermost.keyword, shown.zoom.app, rows)
    return [ctx.tell(job, request, text)]


@hook(Hook.NOT_UNDERSTOOD)
async def show_usage(ctx: Context, job: Job, request: Request) -> Changes:
    """Say how a command goes that lacks something, or that there is no such command."""
    name = request.argument
    if shown := ctx.requests.usage_of(name):
        return [ctx.tell(job, request, texts.USAGE.format(name=name, usage=shown))]
    return [ctx.tell(job, request, texts.UNKNOWN)]
