"""The records of what could not be read at Mattermost. See :mod:`bot.domain.records`."""

from __future__ import annotations

from typing import ClassVar

from bot.domain.records import Record


class UnreadChannel(Record, kw_only=True):
    """A channel whose history cannot be read, though Mattermost answers otherwise; ``id`` is the channel's.
    It is tried again by itself, from ``at`` (by the server's clock) on, and holds up no other channel."""

    table: ClassVar[str] = "unread"

    at: int
    # The display name; empty for direct channels.
    name: str = ""
    failing_since: int
    reason: str = ""
