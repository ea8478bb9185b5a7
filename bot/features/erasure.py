"""What is kept about a person because they linked their Zoom account: deleted when that is over for good."""

from __future__ import annotations

from bot.core.context import Context
from bot.domain.records import LostLink, Pending, Preference, Question, Subscription, Ticket
from bot.features import tickets
from bot.stores import Change, Delete


async def erased(ctx: Context, user_id: str) -> list[Change]:
    """Return the changes that delete a person's records, except for the link itself."""
    store = ctx.store
    changes: list[Change] = [Delete(Preference, user_id), Delete(LostLink, user_id)]
    changes += [Delete(Pending, each.id) for each in await store.find(Pending, "user_id", user_id)]
    changes += [Delete(Question, each.id) for each in await store.find(Question, "user_id", user_id)]
    changes += [Delete(Subscription, each.id) for each in await store.find(Subscription, "user_id", user_id)]
    for ticket in [each for each in await store.all(Ticket) if each.user_id == user_id]:
        changes += [*tickets.withdrawn(ctx, ticket), Delete(Ticket, ticket.id)]
    return changes
