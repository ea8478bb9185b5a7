"""The context of one request from outside: whoever sent it waits three seconds at most.

A change that was given up may or may not hold, so the answer must have the caller repeat the request, and the
repetition must do no harm.
"""

from __future__ import annotations

from dataclasses import replace

from bot.core.context import Context
from bot.core.inbox import Inbox
from bot.stores.limited import Limit, LimitedStore


def in_time(ctx: Context) -> Context:
    """The context for one request: all that it asks of the store may take ``store_s`` together. Zoom and
    Mattermost have limits of their own: what was begun there is not broken off.

    Raises :class:`bot.errors.StoreTimeoutError` where the store is used.
    """
    limit = Limit(ctx.timings.store_s)
    store = LimitedStore(ctx.store, limit)
    return replace(
        ctx,
        store=store,
        inbox=Inbox(store, ctx.vault, ctx.now),
    )
