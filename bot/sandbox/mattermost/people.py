"""Methods for tests and the demo that do what people do in a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bot.sandbox.mattermost import membership, posting
from bot.sandbox.mattermost.integrations import Integrations
from bot.sandbox.mattermost.records import Channel, Command, Dialog, Json, Post, Team, User
from bot.sandbox.mattermost.refusals import Refusal, denied
from bot.sandbox.mattermost.wire import event, new_id
from bot.sandbox.mattermost.world import World


class People:
    """Looks up accounts and channels by name, and acts for them.

    Methods that write or change something raise `Refusal` where the server would refuse. Buttons, dialogs and
    commands return the client's JSON, which may be an error.
    """

    def __init__(self, world: World, integrations: Integrations) -> None:
        self.world = world
        self.integrations = integrations
        self._tokens: dict[str, str] = {}
        self._furnish()

    def _furnish(self) -> None:
        team = self.add_team("demo", "Demo")
        for name in ("alice", "bob", "carol"):
            roles = "system_admin system_user" if name == "alice" else "system_user"
            self.add_user(name, roles=roles, team=team)
        bot = self.add_user("zoom", email="zoom@localhost", is_bot=True, team=team)
        self.bot_id = bot.id
        self.bot_token = self.token("zoom")
        everybody = ("alice", "bob", "carol", "zoom")
        self.add_channel("town-square", members=everybody, display_name="Town Square")
        self.add_channel("dev", members=everybody)
        self.add_channel("ops", type="P", members=("alice", "bob", "zoom"))

    def user(self, name: str | User) -> User:
        return name if isinstance(name, User) else self.world.directory.named(name)

    @property
    def bot(self) -> User:
        """The bot's account, whatever it is called."""
        return self.world.directory.user(self.bot_id)

    def team(self, name: str = "demo") -> Team:
        return self.world.directory.team_named(name)

    def channel(self, name: str | Channel) -> Channel:
        """The channel with this id, or the first with this name in any team."""
        if isinstance(name, Channel):
            return name
        return self.world.channels.by_id.get(name) or self.world.channels.find(name)

    def token(self, user: str | User) -> str:
        """A valid token for the account, created if needed."""
        account = self.user(user)
        known = self._tokens.get(account.id, "")
        if not known or self.world.directory.holder(known) is None:
            self._tokens[account.id] = known = self.world.directory.issue(account)
        return known

    def add_team(self, name: str, display_name: str = "") -> Team:
        return self.world.directory.add_team(name, display_name or name.title())

    def add_user(
        self,
        name: str,
        *,
        email: str = "",
        roles: str = "system_user",
        is_bot: bool = False,
        team: Team | None = None,
    ) -> User:
        """Create an account in a team (`demo` by default) and no channel."""
        directory = self.world.directory
        email = email or f"{name}@demo.example"
        user = directory.add_user(name, email=email, roles=roles, is_bot=is_bot)
        directory.team_members[(team or self.team()).id][user.id] = None
        return user

    def add_channel(
        self,
        name: str,
        *,
        type: str = "O",
        display_name: str = "",
        members: Iterable[str | User] = (),
        team: str = "demo",
    ) -> Channel:
        """Create a channel with these members, without sending events."""
        channels = self.world.channels
        channel = channels.add(
            name, type, display_name=display_name or name.title(), team_id=self.team(team).id
        )
        for user in members:
            channels.join(channel, self.user(user))
        return channel

    def direct(self, one: str | User, other: str | User) -> Channel:
        return membership.direct(self.world, self.user(one), self.user(other))

    def group(self, *users: str | User) -> Channel:
        return membership.group(self.world, [self.user(user) for user in users])

    def join(self, user: str | User, channel: str | Channel, by: str | User = "") -> None:
        """Add a user to a channel, optionally as another user."""
        account = self.user(user)
        membership.join(self.world, self.channel(channel), account, self.user(by) if by else account)

    def leave(self, user: str | User, channel: str | Channel, by: str | User = "") -> None:
        """Remove a user from a channel, optionally as another user."""
        account = self.user(user)
        membership.leave(self.world, self.channel(channel), account, self.user(by) if by else account)

    def convert(self, channel: str | Channel, by: str | User = "alice") -> None:
        """Make a public channel private, or a private one public."""
        membership.convert(self.world, self.channel(channel), self.user(by))

    def rename(self, user: str | User, username: str, *, tell: bool = True) -> None:
        """Give an account another user name. Without `tell`, the event about it gets lost."""
        account = self.user(user)
        self.world.directory.rename(account, username)
        if tell:
            self._tell_updated(account)

    def change_email(self, user: str | User, email: str) -> None:
        """Give an account another e-mail address."""
        account = self.user(user)
        self.world.directory.change_email(account, email)
        self._tell_updated(account)

    def archive(self, channel: str | Channel) -> None:
        membership.archive(self.world, self.channel(channel))

    def unarchive(self, channel: str | Channel) -> None:
        membership.unarchive(self.world, self.channel(channel))

    async def post(
        self,
        user: str | User,
        channel: str | Channel,
        message: str,
        root_id: str = "",
        props: Json | None = None,
        type: str = "",
        create_at: int = 0,
    ) -> Post:
        """Post as a user; `create_at` (ms) as an administrator's script that brings in old messages."""
        post = posting.create(
            self.world,
            self.user(user),
            self.channel(channel),
            message,
            root_id=root_id,
            props=props,
            type=type,
            create_at=create_at,
        )
        # Let the sockets write when a test posts in a loop.
        await asyncio.sleep(0)
        return post

    async def webhook(self, channel: str | Channel, message: str, username: str = "Hook") -> Post:
        """Post through an incoming webhook that alice owns."""
        props = {"from_webhook": "true", "override_username": username, "webhook_display_name": "hook"}
        return await self.post("alice", channel, message, props=props)

    async def edit(self, user: str | User, post_id: str, message: str) -> Post:
        """Edit a post. Only its author and admins may."""
        post = self.world.history.post(post_id)
        if post.user_id != self.user(user).id and not self.user(user).is_admin:
            raise denied()
        posting.edit(self.world, post, {"message": message})
        return post

    async def delete(self, post_id: str, by: str | User = "") -> None:
        """Delete a post, as its author unless `by` is given."""
        post = self.world.history.post(post_id)
        posting.delete(self.world, post, self.user(by) if by else self.world.directory.user(post.user_id))

    async def copy_thread(self, root_id: str, channel: str | Channel) -> list[Post]:
        """Post a thread anew in another channel, under the same authors, as the Wrangler plugin does."""
        root = self.world.history.post(root_id)
        copies: list[Post] = []
        for post in [root, *self.world.history.replies(root.id)]:
            author = self.world.directory.user(post.user_id)
            new_root = copies[0].id if copies else ""
            props = post.props | {"wrangler": True}
            copies.append(await self.post(author, channel, post.message, new_root, props, post.type))
        return copies

    async def move_thread(self, root_id: str, channel: str | Channel) -> list[Post]:
        """Copy a thread, then delete the original."""
        copies = await self.copy_thread(root_id, channel)
        await self.delete(root_id)
        return copies

    async def press(self, user: str | User, post_id: str, action_id: str, selected_option: str = "") -> Json:
        """Press a button or choose from a menu."""
        try:
            return await self.integrations.press(self.user(user), post_id, action_id, selected_option)
        except Refusal as refusal:
            return refusal.json()

    def register_command(
        self, trigger: str, url: str, token: str = "", username: str = "", method: str = "P"
    ) -> Command:
        """Add a slash command, replacing any with the same trigger word. `method` is "P" or "G"."""
        now = self.world.now()
        command = Command(
            id=new_id(),
            token=token or new_id(),
            create_at=now,
            update_at=now,
            creator_id=self.user("alice").id,
            team_id=self.team().id,
            trigger=trigger,
            username=username,
            url=url,
            method=method,
        )
        self.world.commands[trigger] = command
        return command

    async def command(self, user: str | User, channel: str | Channel, text: str, root_id: str = "") -> Json:
        account, place = self.user(user), self.channel(channel)
        team_id = place.team_id or self._home(account)
        try:
            return await self.integrations.execute(account, place, text, root_id, team_id)
        except Refusal as refusal:
            return refusal.json()

    async def submit(
        self,
        user: str | User,
        dialog: str | Dialog,
        values: Json | None = None,
        cancelled: bool = False,
        channel: str | Channel = "",
    ) -> Json:
        """Submit or cancel a dialog, given as such or by trigger id; returns the integration's JSON."""
        account = self.user(user)
        shown = dialog if isinstance(dialog, Dialog) else self._dialog(dialog)
        if cancelled and not shown.dialog.get("notify_on_cancel"):
            return {}
        place = self.channel(channel or shown.channel_id)
        body = {
            "url": shown.url,
            "callback_id": shown.dialog.get("callback_id", ""),
            "state": shown.dialog.get("state", ""),
            "channel_id": place.id,
            # Clients send the current team even from a direct channel.
            "team_id": place.team_id or self._home(account),
            "submission": {} if cancelled else values or {},
            "cancelled": cancelled,
        }
        try:
            return await self.integrations.submit_dialog(account, body)
        except Refusal as refusal:
            return refusal.json()

    async def set_token(self, user: str | User, new: str = "") -> str:
        """Revoke the account's tokens, end its sockets' sessions, and return a new token."""
        account = self.user(user)
        self.world.directory.revoke(account)
        self.world.hub.deafen(account.id, revoked=True)
        token = self._tokens[account.id] = self.world.directory.issue(account, new)
        if account.id == self.bot_id:
            self.bot_token = token
        return token

    def disable(self, user: str | User) -> None:
        """Deactivate an account: its tokens are refused, and its sockets stay open without events."""
        account = self.user(user)
        account.delete_at = self.world.now()
        self.world.hub.deafen(account.id, revoked=True)

    def enable(self, user: str | User) -> None:
        """Reactivate an account: its tokens are valid again, but its old sockets still refuse requests."""
        self.user(user).delete_at = 0

    def _tell_updated(self, account: User) -> None:
        shown = account.json() | ({} if self.world.show_email_address else {"email": ""})
        self.world.hub.tell(event("user_updated", {"user": shown}), self.world.hub.everybody())
        self.world.changes.tell()

    def _home(self, user: User) -> str:
        teams = self.world.directory.teams_of(user.id)
        return teams[0].id if teams else ""

    def _dialog(self, trigger_id: str) -> Dialog:
        return next(one for one in reversed(self.world.dialogs) if one.trigger_id == trigger_id)
