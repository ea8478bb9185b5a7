"""Makes inbox items of the posts that ask the bot for something, and tells most others at a glance."""

from __future__ import annotations

from functools import partial

from bot.core.inbox import REQUEST, Inbox
from bot.domain.grammar import ParsedCommand, Request
from bot.domain.mentions import calls
from bot.domain.records import Item
from bot.mattermost.events import POSTED, Posted, glance_at
from bot.mattermost.frames import Event
from bot.mattermost.unreadable import Unreadable
from bot.runtime.identity import Identity


class Requests:
    """Finds the request in a post. A post in which this fails is noted in ``unreadable``."""

    def __init__(self, inbox: Inbox, identity: Identity, unreadable: Unreadable) -> None:
        self._inbox = inbox
        self._identity = identity
        self._unreadable = unreadable
        # What calls the bot, and the names for which it was made.
        self._calls: tuple[str, ...] = ()
        self._names: tuple[str, ...] = ()
        self._newest_talk = 0

    def is_talk(self, event: Event) -> bool:
        """Whether a post is talk: by somebody else, outside a direct channel, without anything that calls the
        bot. False for what cannot be told at a glance."""
        data = event.data
        if data is None or data.channel_type == "D" or event.name != POSTED:
            return False
        post, account = glance_at(data), self._identity.account
        if post is None or post.user_id == account.id:
            return False
        if self._names is not account.names:
            self._names = account.names
            self._calls = calls(self._names, self._identity.keyword)
        folded = post.message.casefold()
        for call in self._calls:
            if call in folded:
                return False
        if post.create_at > self._newest_talk:
            self._newest_talk = post.create_at
        return True

    def take_newest_talk(self) -> int:
        """When the newest post that passed since the last call was written (ms, server's clock); 0 if none
        did."""
        newest, self._newest_talk = self._newest_talk, 0
        return newest

    def item_of(self, posted: Posted, asked_at: int) -> Item | None:
        """The inbox item for a post that was written then (ms, our clock); None if it is not for the bot."""
        message = posted.message
        try:
            command = self._command_in(posted)
            return self._item(posted, command, asked_at) if command else None
        except Exception as error:
            # One post must not keep the bot from reading the others.
            self._unreadable.note(message.id, type(error).__name__, error=error)
            return None

    def _item(self, posted: Posted, command: ParsedCommand, asked_at: int) -> Item:
        message = posted.message
        request = Request(
            command=command.name,
            argument=command.argument,
            trigger=message.id,
            user_id=message.user_id,
            user_name=posted.sender_name,
            channel_id=message.channel_id,
            channel_type=posted.channel_type,
            channel_name=posted.channel_name,
            team_id=posted.team_id,
            root_id=message.root_id,
            asked_at=asked_at,
        )
        id, queue, user = f"post:{message.id}", message.channel_id, message.user_id
        return self._inbox.item(id, REQUEST, queue, request, asked_at=asked_at, sender=user)

    def _command_in(self, posted: Posted) -> ParsedCommand | None:
        message, identity = posted.message, self._identity
        if message.user_id == identity.account.id or not message.by_person or not message.message:
            return None
        if message.is_copy:
            # The original was the request.
            return None
        parse = partial(
            identity.grammar.parse_message, keyword=identity.keyword, direct=posted.channel_type == "D"
        )
        found = (
            parse(message.message, bot_name=name) for name in identity.account.names_at(message.create_at)
        )
        return next((command for command in found if command is not None), None)
