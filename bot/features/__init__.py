"""One room per behaviour. Importing a room registers nothing: :func:`register_all` does."""

from __future__ import annotations

from bot.features import (
    deauthorize,
    end,
    files,
    join,
    lifecycle,
    link,
    occurrences,
    personal,
    policy,
    questions,
    recordings,
    slash,
    start,
    subscriptions,
    summaries,
    talk,
    webinars,
)
from bot.router import Router

ROOMS = (
    start,
    link,
    lifecycle,
    personal,
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
    talk,
)


def register_all() -> Router:
    """A router that knows every feature."""
    router = Router()
    for room in ROOMS:
        room.register(router)
    return router
