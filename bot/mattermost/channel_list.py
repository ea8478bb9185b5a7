"""Lists the channels of the bot. The server does not page the list, so it is read item by item."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from bot.errors import (
    MattermostDeniedError,
    MattermostError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostTokenError,
    MattermostUnreachableError,
)
from bot.mattermost.errors import AWAY, asked_wait, error_from
from bot.mattermost.models import Channel, Team
from bot.mattermost.nesting import decode_nested
from bot.mattermost.rest import Rest
from bot.retrying import Backoff, retrying

log = logging.getLogger(__name__)

T = TypeVar("T", Channel, Team)

MINE = "/users/me/channels"
TEAMS = "/users/me/teams"
# The longest wait between two tries.
RETRY_CAP_S = 5.0


class ChannelList:
    """Reads the bot's channels. Memory grows with the wanted channels only, not with all of them."""

    def __init__(self, rest: Rest, backoff: Backoff) -> None:
        self._rest = rest
        self._backoff = backoff

    async def read(self, wanted: Callable[[Channel], bool]) -> list[Channel]:
        """The ``wanted`` channels in all teams and in none, each once. Archived ones are left out."""
        try:
            found = await self._items(MINE, Channel, wanted)
        except (MattermostTokenError, MattermostRateLimitError):
            raise
        except MattermostError as error:
            # Servers before 6.1 do not know the path, newer ones say 404 where there is no channel, and a
            # proxy may let only some paths pass.
            log.debug("mattermost: %s; asking for the channels of each team", error)
            found = await self._by_team(wanted)
        return list({channel.id: channel for channel in found if not channel.delete_at}.values())

    async def _by_team(self, wanted: Callable[[Channel], bool]) -> list[Channel]:
        """Direct and group channels belong to no team, and every team lists them."""
        found: list[Channel] = []
        for team in await self._items(TEAMS, Team, lambda team: True):
            try:
                found += await self._items(f"{TEAMS}/{team.id}/channels", Channel, wanted)
            except (MattermostDeniedError, MattermostNotFoundError):
                # The bot was just removed from the team, or (on old servers) is in none of its channels.
                continue
        return found

    async def _items(self, endpoint: str, type: type[T], wanted: Callable[[T], bool]) -> list[T]:
        async def once() -> list[T]:
            items = _Items(type, wanted)
            try:
                await self._rest.read_list(endpoint, items.take)
            except MattermostUnreachableError:
                if items.error is not None:
                    raise items.error from None
                raise
            if items.unreadable:
                log.warning("mattermost: %d items of %s cannot be read", items.unreadable, endpoint)
            return items.found

        return await retrying(once, self._backoff, on=AWAY, asks_for=asked_wait(RETRY_CAP_S))


class _Written(msgspec.Struct):
    """What an error has in a list that the server had begun to write."""

    status_code: int


class _Items(Generic[T]):
    """The wanted items of one list, the number of those that cannot be read, and the error that ended it."""

    def __init__(self, type: type[T], wanted: Callable[[T], bool]) -> None:
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(type)
        self._wanted: Callable[[T], bool] = wanted
        self.found: list[T] = []
        self.unreadable = 0
        self.error: MattermostError | None = None

    def take(self, item: bytes) -> None:
        """Take the next item as JSON."""
        try:
            if b'"status_code"' in item:
                self.error = error_from(msgspec.json.decode(item, type=_Written).status_code, {}, item)
                return
            read = decode_nested(self._decoder, item)
        except (msgspec.MsgspecError, UnicodeError):
            self.unreadable += 1
            return
        if self._wanted(read):
            self.found.append(read)
