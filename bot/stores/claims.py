"""Which queues this process works on, where several processes share a store.

A queue is what is done in order: the requests of a channel, the webhooks of a meeting, the posts of a
channel. Each queue belongs to one process at a time. One of the processes leads: it does what is done once
for all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from bot.domain.records import Announcement, Item, Meeting, Notice, Record

IsMine = Callable[[str], bool]
Work = Item | Announcement | Notice | Meeting


@dataclass(frozen=True, slots=True)
class ClaimTimings:
    """In seconds. ``beat_s``: how often a process proves that it lives. ``sure_s``: for how long after that
    it acts outside the store. ``dead_s``: after how long without a proof others take its work over,
    ``gone_s`` if it is not connected either. ``return_s``: for how long after its own connection was lost a
    process takes no other for gone: the store was away for all. ``look_s``: how often the store is looked
    through for what was told and got lost."""

    beat_s: float = 1.5
    sure_s: float = 6.0
    dead_s: float = 8.0
    gone_s: float = 1.5
    return_s: float = 6.0
    look_s: float = 30.0


DEFAULT_CLAIM_TIMINGS = ClaimTimings()


@dataclass(frozen=True, slots=True)
class Standing:
    """What the operator may know of the claims of a process.

    ``number`` is its own and ``leader`` that of the process which leads; 0 if there is none. ``taken_over``:
    how many claims it has taken over from processes that had died. ``oldest_unclaimed_s``: for how long (s)
    the oldest item waits that belongs to no process. ``connections``: how many to the store are in use.
    """

    number: int = 0
    leader: int = 0
    processes: int = 1
    taken_over: int = 0
    oldest_unclaimed_s: float = 0.0
    connections: int = 0


class Holder(Protocol):
    """What works on the queues that a process has claimed."""

    async def take_up(self, is_mine: IsMine, own: Callable[[], None], *, begun: bool) -> None:
        """Take up what waits in the store for these queues. ``begun``: another process may have begun it.

        ``own`` is called once it is known what that is: from then on the queues are this process's. Earlier
        it could take for new what it is told of meanwhile, though another process had begun it.
        """

    async def let_go(self, is_leaving: IsMine) -> None:
        """Finish what is being done for these queues, and begin nothing more."""

    async def abandon(self) -> None:
        """Break everything off: other processes do it now."""

    def hear(self, work: Iterable[Work]) -> None:
        """Another process wrote these records, for queues of this one."""

    def note_creation(self, id: str, *, begun: bool) -> None:
        """Another process has begun or ended an item that may create a meeting."""


class Claims(Protocol):
    """The claims of this process."""

    @property
    def leads(self) -> bool:
        """Whether this process does what is done once for all."""

    async def leads_is(self, wanted: bool) -> None:
        """Wait until :attr:`leads` is ``wanted``."""

    @property
    def shared(self) -> bool:
        """Whether other processes may use the store at the same time."""

    def owns(self, queue: str) -> bool:
        """Whether this process works on a queue."""

    def shares(self, work: Record) -> bool:
        """Whether this process works on a record that another one may have written."""

    async def assured(self) -> None:
        """Wait until it is certain that no other process has taken over what this one owns. Awaited before
        whatever may be done only once outside of the store."""

    async def run(self, holder: Holder) -> None:
        """Claim queues, and pass them to ``holder``, until cancelled."""

    def tell(self, work: Work) -> None:
        """Say that this record was written for a queue of another process."""

    def tell_creation(self, id: str, *, begun: bool) -> None:
        """Say that an item which may create a meeting has begun or ended."""

    def standing(self) -> Standing:
        """What the operator may know of it, now."""

    async def close(self) -> None:
        """Give everything back."""


def queue_of(work: Record) -> str:
    """The queue of what is to be done; empty if nothing is."""
    if isinstance(work, Item):
        return work.queue
    if isinstance(work, Announcement):
        return work.channel_id
    if isinstance(work, Notice):
        return work.channel_id or work.user_id or work.under
    return ""


async def leading(claims: Claims, work: Callable[[], Awaitable[None]]) -> None:
    """Do ``work`` for as long as this process leads, each time that it does. Raises what ``work`` raises."""
    while True:
        await claims.leads_is(True)
        working = asyncio.ensure_future(work())
        led = asyncio.ensure_future(claims.leads_is(False))
        try:
            await asyncio.wait({working, led}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
        finally:
            for task in (working, led):
                task.cancel()
            await asyncio.gather(working, led, return_exceptions=True)


class Alone:
    """The claims of the only process that uses a store: it owns everything."""

    leads = True
    shared = False

    async def leads_is(self, wanted: bool) -> None:
        """See :class:`Claims`, as for all that follows."""
        if not wanted:
            await asyncio.Event().wait()

    def owns(self, queue: str) -> bool:
        """Everything is its own."""
        return True

    def shares(self, work: Record) -> bool:
        """Nobody else writes."""
        return False

    async def assured(self) -> None:
        """Nobody takes anything over."""

    async def run(self, holder: Holder) -> None:
        """Nothing changes."""
        await asyncio.Event().wait()

    def tell(self, work: Work) -> None:
        """There is nobody."""

    def tell_creation(self, id: str, *, begun: bool) -> None:
        """There is nobody."""

    def standing(self) -> Standing:
        """It is alone."""
        return Standing()

    async def close(self) -> None:
        """There is nobody."""


ALONE = Alone()
