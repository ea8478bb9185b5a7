"""Announcements whose post is not there. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from bot.domain.records import Announcement

# In ``failed``: a person deleted the post.
DELETED = "deleted"


def is_lost(announcement: Announcement) -> bool:
    """Whether nothing more is posted about a meeting here: its post was refused or deleted."""
    return announcement.failed == DELETED or bool(announcement.failed and not announcement.post_id)


def without_post(announcement: Announcement) -> Announcement:
    """The announcement after a person deleted its post."""
    return replace(announcement, stale=False, held=False, failed=DELETED)
