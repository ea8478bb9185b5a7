"""``channel allow|restrict|default|list``: where meetings may be started."""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Where, command
from bot.domain.grammar import Request, words
from bot.domain.records import ChannelPolicy
from bot.features import membership
from bot.messages import texts, usage
from bot.messages.markdown import escape
from bot.stores import Delete, Put

_SAID = {
    "allow": texts.POLICY_ALLOWED,
    "restrict": texts.POLICY_RESTRICTED,
    "default": texts.POLICY_DEFAULT,
}


async def refusal(ctx: Context, request: Request) -> str:
    """Why nothing may be posted for this request where it was asked; empty if it may."""
    if await has_left(ctx, request):
        return texts.LEFT
    if await is_restricted(ctx, request.channel_id, request.channel_type):
        return texts.RESTRICTED
    return ""


async def has_left(ctx: Context, request: Request) -> bool:
    """Whether the person left the channel while their request waited for them."""
    if not request.resumed or request.direct:
        return False
    return await membership.has_left(ctx, request.channel_id, request.user_id)


async def is_restricted(ctx: Context, channel_id: str, channel_type: str) -> bool:
    """Whether no meetings may be started in a channel. Direct and group messages are always free."""
    if channel_type in ("D", "G"):
        return False
    policy = await ctx.store.get(ChannelPolicy, channel_id)
    if policy is not None:
        return policy.rule == "restrict"
    return ctx.config.meetings.restrict_public_channels and channel_type == "O"


@command(
    "channel",
    takes=words("allow", "restrict", "default", "list"),
    where=Where.CHANNEL,
    usage=usage.CHANNEL,
    help=usage.CHANNEL_HELP,
    position=80,
)
async def channel(ctx: Context, job: Job, request: Request) -> Changes:
    """Set or list the rules; only for those who administer the channel, or everything."""
    rule = request.argument.lower()
    if rule == "list":
        return [ctx.tell(job, request, await _list(ctx, request))]
    if request.channel_type in ("D", "G"):
        return [ctx.tell(job, request, texts.POLICY_NOT_HERE)]
    if not await _may_set(ctx, request):
        return [ctx.tell(job, request, texts.POLICY_DENIED)]
    said = ctx.answer(job, request, _SAID[rule])
    if rule == "default":
        return [Delete(ChannelPolicy, request.channel_id), said]
    name = request.channel_name or (await ctx.mattermost.channel(request.channel_id)).display_name
    policy = ChannelPolicy(id=request.channel_id, rule=rule, name=name, public=request.channel_type == "O")
    return [Put(policy), said]


async def _may_set(ctx: Context, request: Request) -> bool:
    if await ctx.is_admin(request.user_id):
        return True
    member = await ctx.mattermost.channel_member(request.channel_id, request.user_id)
    return member is not None and member.is_channel_admin


async def _list(ctx: Context, request: Request) -> str:
    if not await ctx.is_admin(request.user_id):
        return texts.POLICY_LIST_DENIED
    policies = sorted(await ctx.store.all(ChannelPolicy), key=lambda policy: policy.name.casefold())
    general = texts.POLICY_PUBLIC_OFF if ctx.config.meetings.restrict_public_channels else texts.POLICY_ALL_ON
    lines = [f"| {escape(policy.name)} | {policy.rule} |" for policy in policies]
    table = ["", "| Channel | Rule |", "| --- | --- |", *lines] if lines else []
    return "\n".join([general, *table])
