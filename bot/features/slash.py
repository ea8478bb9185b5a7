"""``/zoom …``: the same grammar, from where the bot may not even be."""

from __future__ import annotations

from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.registry import Changes, Router
from bot.domain.grammar import Request
from bot.errors import MattermostDeniedError, MattermostNotFoundError
from bot.messages import texts

# What needs the channel: everything else is answered wherever it is asked.
_POSTING = frozenset(
    {"start", "join", "end", "channel", "subscribe", "unsubscribe", "subscriptions", "webinar"}
)


def register(router: Router) -> None:
    """Register what this room handles."""

    async def slash(ctx: Context, job: Job, request: Request) -> Changes:
        name = request.choices[0]
        asked = replace(request, command=name, choices=[])
        if name in _POSTING:
            try:
                asked = await _placed(ctx, asked)
            except (MattermostDeniedError, MattermostNotFoundError):
                return [ctx.tell(job, asked, texts.BOT_NOT_IN_CHANNEL.format(bot=ctx.bot.username))]
        handler = router.commands.get(name) or router.commands["usage"]
        return await handler(ctx, job, asked)

    router.command("slash")(slash)


async def _placed(ctx: Context, request: Request) -> Request:
    """The request with what Mattermost's form leaves out; denied where the bot is not a member."""
    channel = await ctx.mattermost.channel(request.channel_id)
    if await ctx.mattermost.channel_member(request.channel_id, ctx.bot.id) is None:
        raise MattermostDeniedError("the bot is not in this channel", status=403)
    return replace(request, channel_type=channel.type, channel_name=channel.display_name)
