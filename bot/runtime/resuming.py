"""Work that every start adds to what waits in the store."""

from __future__ import annotations

from bot.core.context import Context
from bot.domain.meeting_record import day_of
from bot.domain.records import LostLink, Meeting, Orphan
from bot.features import departed, lost_links, news, orphans
from bot.stores import Change, Put


async def resume(ctx: Context) -> None:
    """Add tasks to search for orphans right away, to report links that nobody was told of, and to ask for
    recordings and summaries of which the bot may have missed the webhooks. Later, to look for who left."""
    found = [*await _searches(ctx), *await _lost(ctx), *await _news(ctx)]
    await ctx.store.commit(*found, departed.look_at_start(ctx))


async def _lost(ctx: Context) -> list[Change]:
    """Tasks to report lost links. Version 0.1 looked for unreported ones every few minutes instead."""
    untold = await ctx.store.find(LostLink, "told", False)
    return [change for lost in untold for change in lost_links.tell_later(ctx, lost)]


async def _news(ctx: Context) -> list[Change]:
    """Tasks to ask once about each meeting that ended within the last day."""
    since = ctx.now() - news.LATELY_MS
    days = range(day_of(since), day_of(ctx.now()) + 1)
    over = [each for day in days for each in await ctx.store.find(Meeting, "over_on", day)]
    lately = [each for each in over if each.host_id and max(each.ended_at, each.given_up_at) > since]
    return [change for meeting in lately for change in news.at_start(ctx, meeting)]


async def _searches(ctx: Context) -> list[Put]:
    """Tasks to search for orphans right after a restart, even if the next search was due much later."""
    people = {orphan.user_id for orphan in await ctx.store.all(Orphan)}
    return [orphans.search(ctx, orphans.Search(user_id)) for user_id in people]
