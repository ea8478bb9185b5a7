"""Makes the post of an announcement show its meeting's newest state, and notes what the post shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from bot.domain.announcements import DELETED, is_lost, without_post
from bot.domain.records import Announcement, Meeting
from bot.errors import MattermostError
from bot.messages.card import shown
from bot.messages.cards import meeting_card
from bot.messages.catalogue import catalogue
from bot.runtime.edit_turns import EditTurns
from bot.runtime.posting import Edit, Posting
from bot.runtime.refusals import Refusals
from bot.stores.notifying import NotifyingStore


@dataclass(frozen=True, slots=True)
class Stale:
    """An announcement whose post is out of date, and the meeting that it is to show."""

    announcement: Announcement
    meeting: Meeting

    @property
    def is_shown(self) -> bool:
        """Whether there is nothing to edit: the post says so already, or a person deleted it."""
        return is_lost(self.announcement) or self.announcement.posted_revision == self.meeting.revision

    def edit(self) -> Edit:
        """What the post is to say."""
        message, props = shown(meeting_card(self.meeting, self.announcement), catalogue())
        return Edit(self.announcement.post_id, message, props)


class Editing:
    """Edits posts of announcements that this process ``owns``. ``on_taken`` is called with the id of a held
    one that Mattermost took."""

    def __init__(
        self,
        store: NotifyingStore,
        posting: Posting,
        refusals: Refusals,
        turns: EditTurns,
        owns: Callable[[Announcement], bool],
        on_taken: Callable[[str], None],
    ) -> None:
        self._store = store
        self._posting = posting
        self._refusals = refusals
        self._turns = turns
        self._owns = owns
        self._on_taken = on_taken

    async def read(self, id: str, known: Stale | None = None) -> Stale | None:
        """What an announcement's post is to show; None if that is noted already, or another process's.

        ``known`` is what was read before: if nothing was marked since, its meeting is still the newest.
        """
        announcement = await self._store.get(Announcement, id)
        if announcement is None or not announcement.stale or not self._owns(announcement):
            return None
        if known is not None and known.announcement.marks == announcement.marks:
            return Stale(announcement, known.meeting)
        meeting = await self._store.get(Meeting, announcement.meeting)
        return Stale(announcement, meeting) if meeting is not None else None

    async def edit(self, id: str) -> None:
        """Bring a post up to date once it is its turn."""
        newest = await self.read(id)
        if newest is not None and not newest.is_shown:
            newest = await self._edit(newest)
        if newest is None:
            return
        if is_lost(newest.announcement):
            await self._store.update(Announcement, id, without_post)
        else:
            await self.note_shown(newest, newest.announcement.post_id)

    async def note_shown(self, stale: Stale, post_id: str) -> None:
        """Write down what a post shows now, and which post that is."""
        announcement, meeting = stale.announcement, stale.meeting

        def note(now: Announcement) -> Announcement | None:
            if now.post_id != announcement.post_id or now.failed == DELETED:
                # The post was moved meanwhile; another job edits it at its new place. Or it was deleted.
                return None
            return replace(
                now,
                post_id=post_id,
                posted_revision=meeting.revision,
                stale=now.marks != announcement.marks,
                held=False,
                failed="",
            )

        await self._store.update(Announcement, announcement.id, note)
        if announcement.held:
            self._on_taken(announcement.id)

    async def _edit(self, stale: Stale) -> Stale | None:
        """Edit the post, and return what it shows now; None if that is noted already."""
        newest: Stale | None = stale

        async def content() -> Edit | None:
            # Whatever came while the edit waited is in it.
            nonlocal newest
            newest = await self.read(stale.announcement.id, newest)
            return newest.edit() if newest is not None and not newest.is_shown else None

        try:
            with self._turns.turn(stale.announcement, stale.meeting) as turn:
                await self._posting.show(content, turn)
        except MattermostError as error:
            if newest is not None:
                await self._refusals.of_edit(newest.announcement, newest.meeting, error)
            return None
        self._turns.note_edited(stale.announcement.id)
        return newest
