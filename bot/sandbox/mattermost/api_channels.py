"""`/channels` and what leads to them."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.mattermost import membership
from bot.sandbox.mattermost.ask import Ask, Route
from bot.sandbox.mattermost.records import Channel
from bot.sandbox.mattermost.refusals import Refusal, bad_body, denied, not_found
from bot.sandbox.mattermost.wire import answer

MAX_PER_PAGE = 200


async def channel(ask: Ask) -> web.StreamResponse:
    """`GET /channels/{id}`."""
    return answer(_visible(ask, ask.world.rooms.channel(ask.id("channel_id"))))


async def channel_by_name(ask: Ask) -> web.StreamResponse:
    """`GET /teams/{id}/channels/name/{name}`."""
    found = ask.world.rooms.named(ask.team().id, ask.part("name"))
    return answer(_visible(ask, found))


async def team_channels(ask: Ask) -> web.StreamResponse:
    """`GET /teams/{id}/channels`: the public ones."""
    team = ask.team()
    found = ask.world.rooms.channels.values()
    return answer([one for one in found if one.team_id == team.id and one.type == "O" and not one.delete_at])


async def stats(ask: Ask) -> web.StreamResponse:
    """`GET /channels/{id}/stats`."""
    found = ask.channel()
    pinned = sum(post.is_pinned for post in ask.world.history.in_channel(found.id))
    return answer(
        {
            "channel_id": found.id,
            "member_count": len(ask.world.rooms.members[found.id]),
            "guest_count": 0,
            "pinnedpost_count": pinned,
        }
    )


async def members(ask: Ask) -> web.StreamResponse:
    """`GET /channels/{id}/members`, in pages."""
    page, per_page = ask.number("page", 0), min(ask.number("per_page", 60), MAX_PER_PAGE)
    found = list(ask.world.rooms.members[ask.channel().id].values())
    return answer(found[page * per_page : (page + 1) * per_page])


async def member(ask: Ask) -> web.StreamResponse:
    """`GET /channels/{id}/members/{id}`."""
    found = ask.world.rooms.members[ask.channel().id].get(ask.named_user().id)
    if found is None:
        raise not_found(
            "app.channel.get_member.missing.app_error",
            "No channel member found for that user ID and channel ID.",
        )
    return answer(found)


async def add_member(ask: Ask) -> web.StreamResponse:
    """`POST /channels/{id}/members`: oneself into a public channel of one's team, others into one's own."""
    world, by = ask.world, ask.user
    target = world.rooms.channel(ask.id("channel_id"))
    user = world.directory.user(ask.text("user_id"))
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


async def remove_member(ask: Ask) -> web.StreamResponse:
    """`DELETE /channels/{id}/members/{id}`."""
    target, user = ask.channel(), ask.named_user()
    membership.leave(ask.world, target, user, ask.user)
    return answer({"status": "OK"})


async def direct(ask: Ask) -> web.StreamResponse:
    """`POST /channels/direct`: two ids."""
    if len(ask.list) != 2:
        raise bad_body("user_ids")
    users = [ask.world.directory.user(known) for known in ask.list]
    if ask.user not in users and not ask.user.is_admin:
        raise denied()
    return answer(membership.direct(ask.world, users[0], users[1]), 201)


async def group(ask: Ask) -> web.StreamResponse:
    """`POST /channels/group`: three to eight ids, among them who asks."""
    ids = dict.fromkeys([*ask.list, ask.user.id])
    if not 3 <= len(ids) <= 8:
        raise Refusal(
            400, "api.channel.create_group.bad_size.app_error", "Group message channels must contain 3 to 8."
        )
    return answer(membership.group(ask.world, [ask.world.directory.user(known) for known in ids]), 201)


async def archive(ask: Ask) -> web.StreamResponse:
    """`DELETE /channels/{id}`: archives it."""
    membership.archive(ask.world, ask.channel())
    return answer({"status": "OK"})


async def view(ask: Ask) -> web.StreamResponse:
    """`POST /channels/members/{id}/view`: the unread marks are not kept."""
    return answer({"status": "OK", "last_viewed_at_times": {ask.text("channel_id"): ask.world.now()}})


def _visible(ask: Ask, found: Channel) -> Channel:
    if not ask.world.may_see(ask.user, found):
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
