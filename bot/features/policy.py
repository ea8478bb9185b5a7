"""``channel allow|restrict|default|list``: where meetings may be started."""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Where, command
from bot.domain.grammar import Request, words
from bot.domain.records import ChannelPolicy
from bot.errors import MattermostDeniedError, MattermostNotFoundError
from bot.features import membership
from bot.messages.content import Content, Lines, Table, Text, text
from bot.stores import Delete, Put

# A request that waited longer than this may be about a channel that was made public or private meanwhile.
CONVERTED_MS = 10_000

_SAID = {"allow": "policy-allowed", "restrict": "policy-restricted", "default": "policy-default"}


async def refusal(ctx: Context, job: Job, request: Request) -> Text | None:
    """Why the bot may not post in the request's channel; None if it may."""
    if await has_left(ctx, request):
        return text("left")
    waited = request.resumed or job.retried or ctx.now() - request.asked_at > CONVERTED_MS
    if await is_restricted(ctx, request.channel_id, request.channel_type, copied=waited):
        return text("restricted")
    return None


async def has_left(ctx: Context, request: Request) -> bool:
    """Whether the person left the channel while their request was waiting for them."""
    if not request.resumed or request.direct:
        return False
    return await membership.has_left(ctx, request.channel_id, request.user_id)


async def is_restricted(ctx: Context, channel_id: str, channel_type: str, *, copied: bool) -> bool:
    """Whether a channel does not allow meetings. Direct and group messages are never restricted.

    ``copied``: the type was noted some time ago. A channel may have been made public or private since, and a
    group message a channel, so Mattermost is asked for the present type if that decides.
    """
    if channel_type == "D":
        return False
    policy = await ctx.store.get(ChannelPolicy, channel_id)
    if policy is not None:
        return policy.rule == "restrict"
    if not ctx.config.meetings.restrict_public_channels:
        return False
    return (await _present_type(ctx, channel_id) or channel_type if copied else channel_type) == "O"


async def _present_type(ctx: Context, channel_id: str) -> str:
    """The channel's type now; empty if Mattermost does not show the channel to the bot."""
    try:
        return (await ctx.mattermost.channel(channel_id)).type
    except (MattermostDeniedError, MattermostNotFoundError):
        return ""


@command(
    "channel",
    takes=words("allow", "restrict", "default", "list"),
    where=Where.CHANNEL,
    usage="channel-usage",
    asks="channel-asks",
    help="channel-help",
    position=80,
)
async def channel(ctx: Context, job: Job, request: Request) -> Changes:
    """Set the channel's rule (channel admins and administrators), or list all rules (administrators)."""
    rule = request.argument.lower()
    if rule == "list":
        return [ctx.tell(job, request, await _list(ctx, request))]
    if request.channel_type in ("D", "G"):
        return [ctx.tell(job, request, text("policy-not-here"))]
    if not await _may_set(ctx, request):
        return [ctx.tell(job, request, text("policy-denied"))]
    said = ctx.answer(job, request, text(_SAID[rule]))
    if rule == "default":
        return [Delete(ChannelPolicy, request.channel_id), said]
    name = request.channel_name or (await ctx.mattermost.channel(request.channel_id)).display_name
    policy = ChannelPolicy(id=request.channel_id, rule=rule, name=name)
    return [Put(policy), said]


async def _may_set(ctx: Context, request: Request) -> bool:
    if await ctx.is_admin(request.user_id):
        return True
    member = await ctx.mattermost.channel_member(request.channel_id, request.user_id)
    return member is not None and member.is_channel_admin


async def _list(ctx: Context, request: Request) -> Content:
    if not await ctx.is_admin(request.user_id):
        return text("policy-list-denied")
    policies = sorted(await ctx.store.all(ChannelPolicy), key=lambda policy: policy.name.casefold())
    closed = ctx.config.meetings.restrict_public_channels
    general = text("policy-public-off") if closed else text("policy-all-on")
    if not policies:
        return general
    rows: list[list[Content]] = [[policy.name, policy.rule] for policy in policies]
    return Lines([general, Table([text("policy-channel"), text("policy-rule")], rows)], "\n\n")
