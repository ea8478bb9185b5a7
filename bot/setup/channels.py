"""The doctor's check of the channels that the running bot could not read."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.domain.reading import UnreadChannel
from bot.setup.findings import Finding, wrong
from bot.stores import Store


async def check_channels(store: Store) -> list[Finding]:
    """One finding for each channel whose history could not be read at the last try."""
    unread = sorted(await store.all(UnreadChannel), key=lambda each: each.failing_since)
    return [_finding(each) for each in unread]


def _finding(channel: UnreadChannel) -> Finding:
    since = datetime.fromtimestamp(channel.failing_since / 1000, UTC)
    fix = "see Mattermost's log; the bot answers there only what it hears live"
    name = f"{channel.name} ({channel.id})" if channel.name else channel.id
    return wrong(
        "mattermost channels",
        f"channel {name} could not be read since {since:%Y-%m-%d %H:%M} UTC: {channel.reason}; {fix}",
    )
