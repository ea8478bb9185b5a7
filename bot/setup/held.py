"""The doctor's look at posts that Mattermost refuses for now."""

from __future__ import annotations

import msgspec

from bot.domain.records import Announcement, Notice
from bot.errors import MattermostError
from bot.mattermost import User
from bot.mattermost.rest import Rest
from bot.setup.findings import Finding, note, wrong
from bot.stores import Store

_DIRECT = "mattermost direct messages"


class _Role(msgspec.Struct):
    name: str
    permissions: list[str] = []


async def held_posts(store: Store) -> list[Finding]:
    """What the store holds until Mattermost takes it: private answers, and posts of channels."""
    notices = await store.find(Notice, "held", True)
    channels = {each.channel_id for each in await store.find(Announcement, "held", True)}
    channels |= {each.channel_id for each in notices if each.channel_id}
    people = sorted({each.user_id for each in notices if each.user_id})
    found = []
    if people:
        which = ", ".join(people[:5]) + (", …" if len(people) > 5 else "")
        fix = "give the bot account's role the permission create_direct_channel, or put both into one team"
        text = f"{len(people)} people wait for an answer, because Mattermost refuses the message ({which})"
        found.append(wrong(_DIRECT, f"{text}: {fix}"))
    if channels:
        which = ", ".join(sorted(channels)[:5]) + (", …" if len(channels) > 5 else "")
        fix = "restore the channels or invite the bot again"
        text = f"posts wait for {len(channels)} channels that are archived or that the bot was removed from"
        found.append(note("mattermost channels", f"{text} ({which}): {fix}"))
    return found


async def direct_messages(rest: Rest, me: User) -> list[Finding]:
    """Whether the bot's roles let it open direct channels. Nothing is said if the server does not tell."""
    try:
        body = await rest.post("/roles/names", options=me.roles.split())
        roles = msgspec.json.decode(body, type=list[_Role])
    except (MattermostError, msgspec.MsgspecError):
        return []
    if not roles or any("create_direct_channel" in role.permissions for role in roles):
        return []
    fix = "without it, private answers such as links to connect reach nobody new: give it back"
    return [wrong(_DIRECT, f"the roles of @{me.username} lack the permission create_direct_channel; {fix}")]


def edit_limit(seconds: str) -> list[Finding]:
    """What ``PostEditTimeLimit`` means for the posts of meetings. -1 means no limit."""
    if not seconds.isdecimal():
        return []
    means = "the post of a longer meeting stays as it is then, and the end is said in a reply below it"
    fix = "to change that, set ServiceSettings.PostEditTimeLimit to -1"
    return [note("mattermost settings", f"posts can be edited for {int(seconds)} s only; {means}; {fix}")]
