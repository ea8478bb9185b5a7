"""Why Mattermost refused a post or an edit. Pure."""

from __future__ import annotations

import enum

from bot.errors import (
    MattermostBlockedError,
    MattermostDeniedError,
    MattermostError,
    MattermostNotFoundError,
)


class Refusal(enum.StrEnum):
    """The reasons that the bot tells apart. Records keep the values, and they select sentences."""

    DENIED = "denied"
    ARCHIVED = "archived"
    # Posting in a direct channel with somebody whom the server lets nobody write to.
    RESTRICTED = "restricted"
    TOO_LONG = "long"
    # The root of the thread was deleted.
    THREAD_GONE = "thread"
    # The post is older than the server lets people edit.
    TIME_LIMIT = "time"
    NOT_FOUND = "unknown"
    # No answer of Mattermost's own, while it answers other calls.
    BLOCKED = "blocked"
    OTHER = "other"


# Those that may pass: somebody restores the channel, invites the bot or gives it a permission.
PASSING = frozenset({Refusal.DENIED, Refusal.ARCHIVED, Refusal.RESTRICTED})

# Parts of Mattermost's error ids. Versions differ in the rest of the id.
_CODES = (
    ("can_not_post_to_deleted", Refusal.ARCHIVED),
    ("can_not_update_post_in_deleted", Refusal.ARCHIVED),
    ("in_restricted_dm", Refusal.RESTRICTED),
    ("permissions_time_limit", Refusal.TIME_LIMIT),
    ("create_post.root_id", Refusal.THREAD_GONE),
    ("is_valid.message_length", Refusal.TOO_LONG),
    ("is_valid.msg", Refusal.TOO_LONG),
)


def refusal_of(error: MattermostError) -> Refusal:
    """Why a post or an edit was refused for good."""
    for part, refusal in _CODES:
        if part in error.code:
            return refusal
    match error:
        case MattermostBlockedError():
            return Refusal.BLOCKED
        case MattermostDeniedError():
            return Refusal.DENIED
        case MattermostNotFoundError():
            return Refusal.NOT_FOUND
    return Refusal.TOO_LONG if error.status == 413 else Refusal.OTHER
