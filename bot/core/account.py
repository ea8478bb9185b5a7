"""The bot's own account at Mattermost, which may be renamed while the bot runs."""

from __future__ import annotations

from collections.abc import Iterable

from bot.mattermost import User


class OwnAccount:
    """The account as Mattermost showed it last. ``username`` changes, ``id`` does not.

    ``former`` are names that it is known to have had: Mattermost keeps them in the names of group channels.
    """

    def __init__(self, user: User, former: Iterable[str] = ()) -> None:
        self.id = user.id
        self.username = user.username
        # The name that it has, and behind it the one before its last renaming since the start.
        self.names: tuple[str, ...] = (user.username,)
        self.former = set(former) - {user.username}
        # When Mattermost last changed the account (server's clock, ms).
        self._updated_at = user.update_at
        # When it was last renamed since the start (server's clock, ms).
        self._renamed_at = 0

    def see(self, user: User) -> bool:
        """Take over what Mattermost shows now. Returns True if the account has another name.

        An answer may be older than an event that came before it: the older one is ignored.
        """
        if user.id != self.id or user.update_at < self._updated_at:
            return False
        self._updated_at = user.update_at
        if not user.username or user.username == self.username:
            return False
        self._renamed_at = user.update_at
        self.names = (user.username, self.username)
        self.former = (self.former | {self.username}) - {user.username}
        self.username = user.username
        return True

    def names_at(self, create_at: int) -> tuple[str, ...]:
        """The names that a post of this time (server's clock, ms) may address: also the previous one, if the
        account still had it then."""
        return self.names if create_at < self._renamed_at else self.names[:1]
