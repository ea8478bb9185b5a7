"""API routes for channels and their members."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.mattermost import membership
from bot.sandbox.mattermost.api_request import ApiRequest, Route
from bot.sandbox.mattermost.records import Channel
from bot.sandbox.mattermost.refusals import Refusal, bad_body, denied, not_found
from bot.sandbox.mattermost.wire import answer

MAX_PER_PAGE = 200


async def channel(request: ApiRequest) -> web.StreamResponse:
    return answer(_visible(request, request.world.channels.channel(request.id("channel_id"))))


async def channel_by_name(request: ApiRequest) -> web.StreamResponse:
    """Direct and group channels belong to no team, and are found in every one."""
    found = request.world.channels.named_in(request.team().id, request.part("name"))
    return answer(_visible(request, found))


async def team_channels(request: ApiRequest) -> web.StreamResponse:
    """The team's public channels."""
    team = request.team()
    found = request.world.channels.by_id.values()
    return answer([one for one in found if one.team_id == team.id and one.type == "O" and not one.delete_at])


async def stats(request: ApiRequest) -> web.StreamResponse:
    found = request.channel()
    pinned = sum(post.is_pinned for post in request.world.history.in_channel(found.id))
    return answer(
        {
            "channel_id": found.id,
            "member_count": len(request.world.channels.members[found.id]),
            "guest_count": 0,
            "pinnedpost_count": pinned,
        }
    )


async def members(request: ApiRequest) -> web.StreamResponse:
    page, per_page = request.number("page", 0), min(request.number("per_page", 60), MAX_PER_PAGE)
    found = list(request.world.channels.members[request.channel().id].values())
    return answer(found[page * per_page : (page + 1) * per_page])


async def member(request: ApiRequest) -> web.StreamResponse:
    found = request.world.channels.members[request.channel().id].get(request.named_user().id)
    if found is None:
        raise not_found(
            "app.channel.get_member.missing.app_error",
            "No channel member found for that user ID and channel ID.",
        )
    return answer(found)


async def add_member(request: ApiRequest) -> web.StreamResponse:
    """Users may join public channels of their team, and add others to channels that they are in."""
    world, by = request.world, request.user
    target = world.channels.channel(request.id("channel_id"))
    user = world.directory.user(request.text("user_id"))
    if not target.team_id:
        raise Refusal(
            400, "api.channel.add_user_to_channel.type.app_error", "Can not add user to this channel type."
        )
    joins = user is by and target.type == "O" and world.may_see(by, target)
    if not joins and not world.may_read(by, target):
        raise denied()
    if user.id not in world.directory.team_members[target.team_id]:
        raise denied()
    if target.delete_at:
        raise Refusal(
            400, "api.channel.add_user.to.channel.failed.deleted.app_error", "Failed to add user to channel."
        )
    return answer(membership.join(world, target, user, by), 201)


async def remove_member(request: ApiRequest) -> web.StreamResponse:
    target, user = request.channel(), request.named_user()
    membership.leave(request.world, target, user, request.user)
    return answer({"status": "OK"})


async def direct(request: ApiRequest) -> web.StreamResponse:
    if len(request.list) != 2:
        raise bad_body("user_ids")
    users = [request.world.directory.user(known) for known in request.list]
    if request.user not in users and not request.user.is_admin:
        raise denied()
    may = "create_direct_channel" in request.world.permissions or request.user.is_admin
    # Checked before the channel is looked for: the answer is the same where it exists already.
    if not may or request.world.no_direct & set(request.list):
        raise denied()
    return answer(membership.direct(request.world, users[0], users[1]), 201)


async def group(request: ApiRequest) -> web.StreamResponse:
    """Takes three to eight user ids, including the caller's."""
    ids = dict.fromkeys([*request.list, request.user.id])
    if not 3 <= len(ids) <= 8:
        raise Refusal(
            400, "api.channel.create_group.bad_size.app_error", "Group message channels must contain 3 to 8."
        )
    return answer(
        membership.group(request.world, [request.world.directory.user(known) for known in ids]), 201
    )


async def archive(request: ApiRequest) -> web.StreamResponse:
    membership.archive(request.world, request.channel())
    return answer({"status": "OK"})


async def view(request: ApiRequest) -> web.StreamResponse:
    """Unread counts are not stored."""
    return answer({"status": "OK", "last_viewed_at_times": {request.text("channel_id"): request.world.now()}})


def _visible(request: ApiRequest, found: Channel) -> Channel:
    if not request.world.may_see(request.user, found):
        raise denied()
    return found


ROUTES = (
    Route("POST", "/channels/direct", direct),
    Route("POST", "/channels/group", group),
    Route("POST", "/channels/members/{user_id}/view", view),
    Route("GET", "/channels/{channel_id}", channel),
    Route("DELETE", "/channels/{channel_id}", archive),
    Route("GET", "/channels/{channel_id}/stats", stats),
    Route("GET", "/channels/{channel_id}/members", members),
    Route("POST", "/channels/{channel_id}/members", add_member),
    Route("GET", "/channels/{channel_id}/members/{user_id}", member),
    Route("DELETE", "/channels/{channel_id}/members/{user_id}", remove_member),
    Route("GET", "/teams/{team_id}/channels", team_channels),
    Route("GET", "/teams/{team_id}/channels/name/{name}", channel_by_name),
)
