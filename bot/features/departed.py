"""People who left Mattermost: a month after their account was deactivated or deleted, their link ends."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from functools import partial

import msgspec
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, task
from bot.domain.records import LinkedAccount
from bot.errors import MattermostDeniedError, MattermostError, MattermostNotFoundError
from bot.features.connect import revoke_link
from bot.features.erasure import erased
from bot.stores import Change, Put, Update
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
        async for link, exists, deactivated_at in _looked_up(ctx):
            # Mattermost does not tell when an account was deleted for good: that counts from the first look.
            missing_since = 0 if exists else link.missing_since or ctx.now()
            if _is_long_ago(ctx, deactivated_at or missing_since):
                changes += await _ended(ctx, link.id)
            elif missing_since != link.missing_since:
                changes.append(Update(LinkedAccount, link.id, partial(replace, missing_since=missing_since)))
    except MattermostError as error:
        log.info("mattermost: who left is not known: %s", error)
    return [*changes, _later(ctx, DAY_MS)]


async def _looked_up(ctx: Context) -> AsyncIterator[tuple[LinkedAccount, bool, int]]:
    """Every person's link, whether Mattermost has the person's account, and when it was deactivated (ms)."""
    async for page in ctx.store.pages(LinkedAccount, size=BATCH):
        links = [each for each in page if each.id != ACCOUNT]
        found = await ctx.mattermost.users([each.id for each in links]) if links else []
        known = {user.id: user for user in found}
        for link in links:
            if user := known.get(link.id):
                yield link, True, user.delete_at
            else:
                yield link, not await _is_gone(ctx, link.id), 0


async def _is_gone(ctx: Context, user_id: str) -> bool:
    """Whether an account was deleted for good: people whom the bot may not see are left out of lists too."""
    try:
        await ctx.mattermost.user(user_id)
    except MattermostNotFoundError:
        return True
    except MattermostDeniedError:
        return False
    return False


def _is_long_ago(ctx: Context, left_at: int) -> bool:
    """Whether somebody left long ago. A wrong clock makes nobody look so."""
    return 0 < left_at < ctx.now() - GONE_MS and not ctx.clocks.trouble


async def _ended(ctx: Context, user_id: str) -> list[Change]:
    await revoke_link(ctx, user_id)
    log.info("a link is deleted: its owner left", extra={"user": user_id})
    return [*ctx.tokens.unlinked(user_id), *await erased(ctx, user_id)]


def _later(ctx: Context, pause_ms: int) -> Put:
    return ctx.task(_ID, "look_for_departed", Everybody(), queue=_ID, due_at=ctx.now() + pause_ms)
