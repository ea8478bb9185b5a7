"""Links that Zoom has ended: tell their owners, once, however the bot learned of it.

A person whose request needed the link learns it from the answer. Everybody else gets a message a little
later: the bot also uses links by itself, and an account's link has keepers who did not ask for anything.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Hook, hook, task
from bot.domain.records import LostLink
from bot.messages.content import text
from bot.stores import Change, Insert, Update
from bot.zoom import ACCOUNT

GRACE_MS = 30_000


class Lost(msgspec.Struct):
    """The id of a lost link, and when it was lost (ms)."""

    link: str
    at: int


@hook(Hook.LINK_LOST)
def tell_later(ctx: Context, lost: LostLink) -> Changes:
    """Schedule a message to the link's owner, in case no answer tells them first."""
    id = f"lost:{lost.id}:{lost.at}"
    about = Lost(lost.id, lost.at)
    return [Insert(ctx.task(id, "tell_lost", about, queue=id, due_at=lost.at + GRACE_MS).record)]


@task("tell_lost", Lost)
async def tell(ctx: Context, job: Job, about: Lost) -> Changes:
    """Tell the link's owner, unless they know already or have connected again."""
    lost = await ctx.store.get(LostLink, about.link)
    if lost is None or lost.told or lost.at != about.at:
        return []
    return [*_news(ctx, lost), told(lost.id)]


def told(id: str) -> Update[LostLink]:
    """Return the change that marks the owner as told, for an answer that tells them."""
    return Update(LostLink, id, lambda lost: replace(lost, told=True))


def keepers(ctx: Context, linked_by: str) -> list[str]:
    """The people who look after an account's link: its creator and the configured admins."""
    return list(dict.fromkeys(user_id for user_id in (linked_by, *ctx.admins.ids) if user_id))


def _news(ctx: Context, lost: LostLink) -> list[Change]:
    users, said = [lost.id], text("unlinked")
    if lost.id == ACCOUNT:
        users, said = keepers(ctx, lost.linked_by), text("unlinked-account")
    return [ctx.tell_user(f"lost:{user_id}:{lost.at}", user_id, said) for user_id in users]
