"""Who is in a channel: what a person asked for there counts only while they are."""

from __future__ import annotations

from bot.core.context import Context
from bot.errors import MattermostDeniedError


async def has_left(ctx: Context, channel_id: str, user_id: str) -> bool:
    """Whether a person is not in a channel any more, or was deactivated."""
    try:
        member = await ctx.mattermost.channel_member(channel_id, user_id)
    except MattermostDeniedError:
        # The bot itself was removed: it cannot post there either, and may be invited again.
        return False
    return member is None or bool((await ctx.people.get(user_id)).delete_at)
