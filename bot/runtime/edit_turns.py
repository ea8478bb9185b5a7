"""When each post may be edited.

What is urgent (a start, an end, a recording) waits for nothing but the second since the post's last edit. A
new number of people lets the webhooks go first that may change it again, and waits for one of few places and
for a pause that grows with the load (:mod:`bot.runtime.pace`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from cachetools import TTLCache

from bot.domain.records import Announcement, Meeting
from bot.runtime.answers_first import AnswersFirst
from bot.runtime.pace import DEFAULT_LIMITS, EditLimits, Pace

# How many of the posts edited lately are remembered: more than Mattermost takes in a second, which is the
# pause that must be kept.
MAX_EDITED = 10_000


class EditTurns:
    """Gives each edit its turn."""

    def __init__(self, first: AnswersFirst, limits: EditLimits = DEFAULT_LIMITS) -> None:
        self._first = first
        self._limits = limits
        self._pace = Pace(limits)
        self._urgent = asyncio.Semaphore(limits.urgent_at_once)
        self._patient = asyncio.Semaphore(limits.at_once)
        # When each post was last edited, as long as that matters.
        self._edited_at: TTLCache[str, float] = TTLCache(MAX_EDITED, limits.most_s, timer=time.monotonic)
        # The turns that are not over, by the meeting's id.
        self._open: defaultdict[str, set[Turn]] = defaultdict(set)
        # Those of them that can wait.
        self._patient_turns: set[Turn] = set()

    @property
    def pause_s(self) -> float:
        """The pause between two edits of one post now, in seconds."""
        return self._pace.pause_s(len(self._patient_turns), time.monotonic())

    @property
    def _patience_s(self) -> float:
        return self._pace.patience_s(len(self._patient_turns), time.monotonic())

    def note_edited(self, id: str) -> None:
        """Note that an announcement's post was made or edited just now."""
        self._edited_at[id] = time.monotonic()

    def note_meeting(self, meeting: Meeting) -> None:
        """Let the edits go at once that have something urgent to show from now on."""
        for turn in self._open.get(meeting.id, ()):
            if turn.posted_revision < meeting.urgent_revision:
                self._hurry(turn)

    @contextmanager
    def turn(self, announcement: Announcement, meeting: Meeting) -> Iterator[Turn]:
        """The turn of one edit: a context manager, to be entered for each try."""
        turn = Turn(self, announcement.id, announcement.posted_revision)
        self._open[meeting.id].add(turn)
        self._patient_turns.add(turn)
        if announcement.posted_revision < meeting.urgent_revision:
            self._hurry(turn)
        try:
            yield turn
        finally:
            self._patient_turns.discard(turn)
            self._open[meeting.id].discard(turn)
            if not self._open[meeting.id]:
                del self._open[meeting.id]
            if turn.began:
                now = time.monotonic()
                self._pace.note(now - turn.began, now)

    async def enter_urgently(self, id: str) -> asyncio.Semaphore:
        """Wait until the post may be edited again, and take a place for urgent edits."""
        await asyncio.sleep(self._left(id, self._limits.least_s))
        await self._urgent.acquire()
        return self._urgent

    async def enter_patiently(self, id: str) -> asyncio.Semaphore:
        """Wait for the pause and the webhooks, and take a place for edits that can wait."""
        begun = time.monotonic()
        while (left := self._left(id, self.pause_s)) > 0:
            await self._sleep(left)
        while self._first.busy and (left := begun + self._patience_s - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._first.quiet()
        await self._patient.acquire()
        return self._patient

    def _hurry(self, turn: Turn) -> None:
        if turn in self._patient_turns:
            self._patient_turns.discard(turn)
            turn.hurry()

    async def _sleep(self, left_s: float) -> None:
        """Sleep for a part of these seconds: the pause may become shorter meanwhile."""
        await asyncio.sleep(min(left_s, max(left_s / 2, self._limits.least_s / 4)))

    def _left(self, id: str, pause_s: float) -> float:
        return max(0.0, self._edited_at.get(id, float("-inf")) + pause_s - time.monotonic())


class Turn:
    """The turn of one edit, which holds a place for it within the block."""

    def __init__(self, turns: EditTurns, id: str, posted_revision: int) -> None:
        self._turns = turns
        self._id = id
        self.posted_revision = posted_revision
        self._is_urgent = False
        # When the first try began (monotonic, in seconds); 0 until then.
        self.began = 0.0
        self._patience: asyncio.Timeout | None = None
        self._place: asyncio.Semaphore | None = None

    def hurry(self) -> None:
        """Wait no longer than something urgent must."""
        self._is_urgent = True
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())

    async def __aenter__(self) -> None:
        self._place = await self._wait()
        self.began = self.began or time.monotonic()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._place is not None, "the turn was entered"
        self._place.release()

    async def _wait(self) -> asyncio.Semaphore:
        if not self._is_urgent:
            try:
                async with asyncio.timeout(None) as self._patience:
                    return await self._turns.enter_patiently(self._id)
            except TimeoutError:
                pass
            finally:
                self._patience = None
        return await self._turns.enter_urgently(self._id)
