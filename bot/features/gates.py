"""The common gates. A gate returns None to let a request pass, or the changes that answer and end it."""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.domain.grammar import Request
from bot.features import connect, policy
from bot.messages.content import ago, text
from bot.stores import Change


async def may_post(ctx: Context, job: Job, request: Request) -> list[Change] | None:
    """Gate: the person is still in the channel, and meetings may be posted there."""
    refusal = await policy.refusal(ctx, job, request)
    return [ctx.tell(job, request, refusal)] if refusal else None


async def fresh(ctx: Context, job: Job, request: Request) -> list[Change] | None:
    """Gate: the request is recent enough to start something now."""
    return [apology(ctx, job, request)] if is_missed(ctx, request) else None


async def linked(ctx: Context, job: Job, request: Request) -> list[Change] | None:
    """Gate: the bot can call Zoom on the person's behalf. Otherwise ask them to connect first."""
    if await connect.is_linked(ctx, request.user_id):
        return None
    return list(await connect.ask_to_link(ctx, job, request, revoked=False))


def is_missed(ctx: Context, request: Request) -> bool:
    """Whether the request is older than ``mattermost.catch_up``."""
    return ctx.now() - request.asked_at > ctx.config.mattermost.catch_up_ms


def apology(ctx: Context, job: Job, request: Request) -> Change:
    """Tell the person that the bot was away and did nothing."""
    return ctx.tell(job, request, text("missed", ago=ago(ctx.now() - request.asked_at)))
