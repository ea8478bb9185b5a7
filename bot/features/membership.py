"""Channel membership: what a person asked for in a channel counts only while they are a member."""

from __future__ import annotations

from bot.core.context import Context
from bot.errors import MattermostDeniedError


async def has_left(ctx: Context, channel_id: str, user_id: str) -> bool:
    """Whether a person is no longer in a channel, or was deactivated."""
    try:
        member = await ctx.mattermost.channel_member(channel_id, user_id)
    except MattermostDeniedError:
        # The bot itself was removed. It cannot post there anyway, and may be invited again.
        return False
    return member is None or bool((await ctx.people.get(user_id)).delete_at)
