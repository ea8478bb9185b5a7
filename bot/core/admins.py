"""The administrators that ``mattermost.admins`` names.

A name is looked up once, and the account's id is kept. An administrator who is renamed stays one, and whoever
takes the old name does not become one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from bot.domain.identities import NamedAdmin
from bot.errors import MattermostError, MattermostNotFoundError
from bot.mattermost import Mattermost
from bot.stores import Delete, Put, Store

log = logging.getLogger(__name__)


class Admins:
    """The ids of the named administrators. ``names`` are in lower case."""

    def __init__(self, store: Store, names: Iterable[str]) -> None:
        self._store = store
        self._names = tuple(dict.fromkeys(names))
        self._ids: dict[str, str] = {}
        # Names that are not looked up yet.
        self._open = list(self._names)

    @property
    def ids(self) -> list[str]:
        """The administrators' ids, in the order of the configuration, without duplicates."""
        known = [self._ids[name] for name in self._names if name in self._ids]
        return list(dict.fromkeys(known))

    async def load(self) -> None:
        """Read the ids that are kept, and forget those of names that are not configured any more."""
        for known in await self._store.all(NamedAdmin):
            if known.id in self._names:
                self._ids[known.id] = known.user_id
            else:
                await self._store.commit(Delete(NamedAdmin, known.id))
        self._open = [name for name in self._names if name not in self._ids]

    async def look_up(self, mattermost: Mattermost) -> None:
        """Look up the names whose ids are not known. A name that nobody has is not looked up again until the
        next start. One that could not be looked up does not keep the others from it."""
        for name in list(self._open):
            try:
                user = await mattermost.user_by_name(name)
            except MattermostNotFoundError:
                log.warning("mattermost.admins: there is no user @%s", name)
            except MattermostError as error:
                log.warning("mattermost.admins: @%s is not looked up yet: %s; trying again", name, error)
                continue
            else:
                await self._store.commit(Put(NamedAdmin(id=name, user_id=user.id)))
                self._ids[name] = user.id
            self._open.remove(name)
