"""Who is who at Zoom in apps of a whole account, which find people by their e-mail address.

A person may change their address in Mattermost to somebody else's. Therefore the Zoom user that an address
led to at the first use is kept. From then on that Zoom user is meant, until an administrator confirms
another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from bot.clock import Now
from bot.config import Config
from bot.core.people import People
from bot.domain.identities import ZoomPerson
from bot.errors import (
    MattermostDeniedError,
    MattermostNotFoundError,
    ZoomUserChangedError,
    ZoomUserUnknownError,
)
from bot.mattermost import Mattermost, User
from bot.stores import Change, Delete, Put, Store
from bot.zoom import Caller, Zoom, ZoomUser


class ZoomPeople:
    """The Zoom users of Mattermost users. In a ``user`` app people link them, and nothing is kept here."""

    def __init__(
        self, config: Config, store: Store, mattermost: Mattermost, people: People, zoom: Zoom, now: Now
    ) -> None:
        self._app = config.zoom.app
        self._client_id = config.zoom.client_id
        self._store = store
        self._mattermost = mattermost
        self._people = people
        self._zoom = zoom
        self._now = now
        # Held while it is decided whose a Zoom user is.
        self._deciding = asyncio.Lock()

    async def caller(self, user_id: str) -> Caller:
        """The caller for what a person asks for. The first use costs one call to Zoom.

        Raises :class:`ZoomUserChangedError` if the person's e-mail address leads to another Zoom user than
        before, or to somebody else's.
        """
        if self._app == "user":
            return Caller(user_id)
        person, user = await self.known(user_id), await self._people.get(user_id)
        if person is None:
            return _as(await self._first(user))
        moved = person.client_id != self._client_id
        if moved or (user.email and user.email.casefold() != person.email.casefold()):
            person = await self._compare(person, user, moved=moved)
        return _as(person)

    async def known_caller(self, user_id: str) -> Caller:
        """The caller for what the bot does by itself or finishes. Asks Zoom nothing and refuses nobody."""
        if self._app == "user":
            return Caller(user_id)
        person = await self.known(user_id)
        return _as(person) if person else Caller(user_id, (await self._people.get(user_id)).email)

    async def known(self, user_id: str) -> ZoomPerson | None:
        """What is kept of a person; None before their first use."""
        return await self._store.get(ZoomPerson, user_id)

    async def holders(self, zoom_user_id: str) -> list[str]:
        """The Mattermost users whose Zoom user this is. Deactivated ones are left out."""
        found = await self._store.find(ZoomPerson, "zoom_user_id", zoom_user_id) if zoom_user_id else []
        return [each.id for each in found if not (await self._people.get(each.id)).delete_at]

    async def with_email(self, email: str, zoom_user_id: str) -> list[str]:
        """The person who has the e-mail address of this Zoom user, if this is their first use."""
        try:
            user = await self._mattermost.user_by_email(email)
        except (MattermostDeniedError, MattermostNotFoundError):
            return []
        if user.email.casefold() != email.casefold() or user.delete_at:
            return []
        try:
            person = await self._keep(user, ZoomUser(zoom_user_id, email))
        except ZoomUserChangedError:
            return []
        return [user.id] if person.zoom_user_id == zoom_user_id else []

    async def confirmed(self, user: User, zoom_user: ZoomUser) -> list[Change]:
        """The changes that give a person this Zoom user, which an administrator has confirmed, and take it
        from anybody else."""
        others = await self.others(user.id, zoom_user.id)
        return [*(Delete(ZoomPerson, other) for other in others), Put(self._record(user, zoom_user))]

    async def others(self, user_id: str, zoom_user_id: str) -> Sequence[str]:
        """The other people whose Zoom user this is, deactivated or not."""
        found = await self._store.find(ZoomPerson, "zoom_user_id", zoom_user_id)
        return [each.id for each in found if each.id != user_id]

    async def forgotten(self) -> list[Change]:
        """The changes that delete everything that is kept here."""
        return [Delete(ZoomPerson, each.id) for each in await self._store.all(ZoomPerson)]

    async def _first(self, user: User) -> ZoomPerson:
        return await self._keep(user, await self._zoom.me(Caller(user.id, user.email)))

    async def _keep(self, user: User, zoom_user: ZoomUser) -> ZoomPerson:
        """Keep the Zoom user of a person's first use. If another request was faster, return what it kept."""
        async with self._deciding:
            if known := await self.known(user.id):
                return known
            if await self.others(user.id, zoom_user.id):
                raise _changed(user, claimed=True)
            person = self._record(user, zoom_user)
            await self._store.insert(person)
            return person

    async def _compare(self, person: ZoomPerson, user: User, *, moved: bool) -> ZoomPerson:
        """Look at whom a changed address leads to. ``moved``: the operator has configured another Zoom app,
        which may be that of another account."""
        try:
            found = await self._zoom.me(Caller(user.id, user.email or person.email))
        except ZoomUserUnknownError:
            # Nobody else is meant. The address at Zoom may be changed later, or never.
            return person
        elsewhere = bool(person.account_id and found.account_id) and person.account_id != found.account_id
        if found.id != person.zoom_user_id and not (moved and elsewhere):
            raise _changed(user)
        fresh = self._record(user, found)
        if not user.email:
            fresh = replace(fresh, email=person.email)
        await self._store.commit(Put(fresh))
        return fresh

    def _record(self, user: User, zoom_user: ZoomUser) -> ZoomPerson:
        return ZoomPerson(
            id=user.id,
            zoom_user_id=zoom_user.id,
            account_id=zoom_user.account_id,
            client_id=self._client_id,
            email=user.email,
            since=self._now(),
        )


def _as(person: ZoomPerson) -> Caller:
    return Caller(person.id, person.email, person.zoom_user_id)


def _changed(user: User, *, claimed: bool = False) -> ZoomUserChangedError:
    return ZoomUserChangedError(user.username, user.email, claimed=claimed)
