"""``help``, and the answer to a command that the bot did not understand."""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.core.declarations import Changes, command
from bot.domain.grammar import NOTHING, Request
from bot.messages.content import Content, Lines, Markdown, Table, text

# Commands that make sense only where people link their own Zoom accounts.
_OWN_ACCOUNT = ("connect-usage", "disconnect-usage")


@command("help", takes=NOTHING, usage="help-usage", help="help-help", position=90)
async def show_help(ctx: Context, job: Job, request: Request) -> Changes:
    """List what the bot can do."""
    table = Table([text("help-write"), text("help-to")], [*_starts(ctx), *_commands(ctx)])
    said = Lines([text("help-title"), table, text("help-direct")], "\n\n")
    return [ctx.tell(job, request, said)]


def _starts(ctx: Context) -> list[list[Content]]:
    """The ways to start a meeting in a channel."""
    bot, keyword = Markdown(ctx.bot.username), ctx.config.mattermost.keyword
    rows: list[list[Content]] = [
        [text("help-mention-usage", bot=bot), text("help-mention-help")],
        [text("help-bare-usage", bot=bot), text("help-bare-help")],
    ]
    if keyword:
        rows.append([text("help-keyword-usage", keyword=Markdown(keyword)), text("help-keyword-help")])
    return rows


def _commands(ctx: Context) -> list[list[Content]]:
    own = ctx.config.zoom.app == "user"
    return [
        [text(each.usage), text(each.help)]
        for each in ctx.requests.helped
        if own or each.usage not in _OWN_ACCOUNT
    ]
