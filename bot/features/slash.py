"""``/zoom …``: Mattermost says little about the channel, and the bot may not even be a member of it."""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Hook, hook
from bot.domain.grammar import Request
from bot.errors import MattermostDeniedError, MattermostNotFoundError
from bot.messages.content import Markdown, text


@hook(Hook.PLACEMENT)
async def in_channel(ctx: Context, job: Job, request: Request) -> Changes | None:
    """Gate: the bot is in the channel. Adds the channel's type and name to the request."""
    if not request.slash or request.channel_type:
        return None
    try:
        channel = await ctx.mattermost.channel(request.channel_id)
        member = await ctx.mattermost.channel_member(request.channel_id, ctx.bot.id)
    except (MattermostDeniedError, MattermostNotFoundError):
        member = None
    if member is None:
        return [ctx.tell(job, request, text("not-in-channel", bot=Markdown(ctx.bot.username)))]
    request.channel_type, request.channel_name = channel.type, channel.display_name
    return None
