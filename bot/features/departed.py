"""People who left Mattermost: a month after their account was deactivated, their link to Zoom is ended."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import msgspec

from bot.core.context import Context, Job
from bot.core.declarations import Changes, task
from bot.domain.records import LinkedAccount
from bot.errors import MattermostError
from bot.features.connect import revoke_link
from bot.features.erasure import erased
from bot.stores import Change, Put
from bot.zoom import ACCOUNT

log = logging.getLogger(__name__)

HOUR_MS = 60 * 60_000
DAY_MS = 24 * HOUR_MS
# Accounts are sometimes deactivated for a while.
GONE_MS = 30 * DAY_MS
# How many people are asked about at once.
BATCH = 100
_ID = "departed"


class Everybody(msgspec.Struct):
    """The look at everybody who is linked."""


def look_at_start(ctx: Context) -> Put:
    """The change that schedules the next look at everybody, after a start."""
    return _later(ctx, HOUR_MS)


@task("look_for_departed", Everybody)
async def look(ctx: Context, job: Job, about: Everybody) -> Changes:
    """End the links of people who left, and look again tomorrow."""
    changes: list[Change] = []
    try:
        async for user_id in _departed(ctx):
            await revoke_link(ctx, user_id)
            log.info("a link is deleted: its owner left", extra={"user": user_id})
            changes += [*ctx.tokens.unlinked(user_id), *await erased(ctx, user_id)]
    except MattermostError as error:
        log.info("mattermost: who left is not known: %s", error)
    return [*changes, _later(ctx, DAY_MS)]


async def _departed(ctx: Context) -> AsyncIterator[str]:
    """The ids of people who are linked and left long ago. A wrong clock makes nobody look so."""
    linked = [each.id for each in await ctx.store.all(LinkedAccount) if each.id != ACCOUNT]
    for start in range(0, len(linked), BATCH):
        for user in await ctx.mattermost.users(linked[start : start + BATCH]):
            if 0 < user.delete_at < ctx.now() - GONE_MS and not ctx.clocks.trouble:
                yield user.id


def _later(ctx: Context, pause_ms: int) -> Put:
    return ctx.task(_ID, "look_for_departed", Everybody(), queue=_ID, due_at=ctx.now() + pause_ms)
