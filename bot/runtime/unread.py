"""Channels that cannot be read: each waits for its next try by itself, and the store keeps from where on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from bot.clock import Now
from bot.domain.reading import UnreadChannel
from bot.errors import MattermostError
from bot.http_client import one_line
from bot.mattermost import Channel
from bot.stores import Delete, Put, Store

log = logging.getLogger(__name__)

# If more channels than this cannot be read, something is wrong with Mattermost and not with the channels.
MAX_UNREAD = 100
# Older posts of such a channel are passed over. It must be less than the janitor keeps handled items for.
MAX_AGE_MS = 24 * 60 * 60_000
# How many channels the operator is told of by name.
MAX_NAMED = 10


@dataclass(slots=True)
class _Entry:
    record: UnreadChannel
    failures: int = 1
    due_at: float = 0.0


class UnreadChannels:
    """The channels that could not be read, and when each is tried again.

    The pause begins with ``retry_s`` seconds and doubles up to ``cap_s``.
    """

    def __init__(self, store: Store, now: Now, *, retry_s: float, cap_s: float) -> None:
        self._store = store
        self._now = now
        self._retry_s = retry_s
        self._cap_s = cap_s
        self._entries: dict[str, _Entry] = {}
        self._changed = asyncio.Event()

    def __contains__(self, channel_id: str) -> bool:
        return channel_id in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def reason(self) -> str:
        """What the operator must know; empty if every channel can be read."""
        records = [entry.record for entry in self._entries.values()]
        named = [f"{name_of(each)}: {each.reason}" for each in records[:MAX_NAMED]]
        more = len(records) - len(named)
        return "; ".join([*named, f"and {more} more"] if more else named)

    async def load(self) -> None:
        """Read what an earlier process left."""
        self._entries = {each.id: _Entry(each) for each in await self._store.all(UnreadChannel)}
        self._changed.set()

    def start_of(self, channel_id: str, server_now: int) -> int:
        """From when on to read this channel (ms, server's clock)."""
        return max(self._entries[channel_id].record.at, server_now - MAX_AGE_MS)

    async def add(self, channel: Channel, at: int, error: MattermostError) -> None:
        """Note that a channel could not be read from ``at`` on. Raises ``error`` if there are too many."""
        known = self._entries.get(channel.id)
        if known is None and len(self._entries) >= MAX_UNREAD:
            raise error
        name = one_line(channel.display_name) if channel.type != "D" else ""
        record = UnreadChannel(
            id=channel.id,
            at=known.record.at if known else at,
            name=name or (known.record.name if known else ""),
            failing_since=known.record.failing_since if known else self._now(),
            reason=one_line(str(error)),
        )
        failures = known.failures + 1 if known else 1
        self._entries[channel.id] = _Entry(record, failures, self._clock() + self._pause_s(failures))
        self._changed.set()
        if known is None:
            log.warning("mattermost: channel %s cannot be read: %s; it is tried again", channel.id, error)
        if known is None or known.record.reason != record.reason:
            await self._store.commit(Put(record))

    async def move(self, channel_id: str, at: int) -> None:
        """Note that a channel was read up to ``at``, and that there may be more: it is read again at once."""
        record = replace(self._entries[channel_id].record, at=at)
        self._entries[channel_id] = _Entry(record)
        self._changed.set()
        await self._store.commit(Put(record))

    async def remove(self, channel_id: str) -> None:
        """Note that a channel was read, or that the bot is no longer in it."""
        if self._entries.pop(channel_id, None) is not None:
            log.info("mattermost: channel %s is no longer waiting to be read", channel_id)
            await self._store.commit(Delete(UnreadChannel, channel_id))

    async def due(self) -> list[str]:
        """Wait until channels are to be tried again, and return their ids."""
        while True:
            self._changed.clear()
            now = self._clock()
            if found := [id for id, entry in self._entries.items() if entry.due_at <= now]:
                return found
            try:
                async with asyncio.timeout_at(min(self._due_times(), default=None)):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _due_times(self) -> Iterator[float]:
        return (entry.due_at for entry in self._entries.values())

    def _pause_s(self, failures: int) -> float:
        return min(self._cap_s, self._retry_s * 2.0 ** min(failures - 1, 30))

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()


def name_of(channel: UnreadChannel) -> str:
    """How to name a channel to the operator."""
    return f"channel {channel.name} ({channel.id})" if channel.name else f"channel {channel.id}"
