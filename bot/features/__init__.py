"""One room per behaviour. Importing a room registers nothing: :func:`register_all` does."""

from __future__ import annotations

from bot.core.registry import Router
from bot.features import (
    connect,
    deauthorize,
    end,
    files,
    help,  # noqa: A004
    join,
    lifecycle,
    occurrences,
    personal_room,
    policy,
    questions,
    recordings,
    slash,
    start,
    subscriptions,
    summaries,
    webinars,
)

ROOMS = (
    start,
    connect,
    lifecycle,
    personal_room,
    policy,
    questions,
    slash,
    join,
    end,
    webinars,
    subscriptions,
    occurrences,
    recordings,
    files,
    summaries,
    deauthorize,
    help,
)


def register_all() -> Router:
    """A router that knows every feature."""
    router = Router()
    for room in ROOMS:
        room.register(router)
    return router
