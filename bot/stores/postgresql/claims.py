"""Divides the queues among the replicas, in the database.

Each queue belongs to a group, each group to one replica. A replica proves that it lives by counting up its
beats. Whoever sees another's beats stand still for ``dead_s`` seconds, or for ``gone_s`` seconds if
it has no connection either, removes that replica: its groups are free, and the database refuses its commits
from then on. So nothing depends on clocks, and a replica that was frozen and comes back late can finish
nothing that others have taken over.

A replica acts outside the store only while it is connected, and for ``sure_s`` seconds after its last
beat. Until then nobody can have taken over its work.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

from bot.domain.records import Record
from bot.errors import FencedError, StoreError
from bot.stores.claims import DEFAULT_CLAIM_TIMINGS, ClaimTimings, Holder, Standing, Work, queue_of
from bot.stores.postgresql.creations import Creations
from bot.stores.postgresql.hearing import Hearing
from bot.stores.postgresql.replicas import Replicas, View, group_of
from bot.stores.postgresql.schema import GROUPS
from bot.stores.postgresql.signals import Said, Signals, read
from bot.stores.postgresql.silence import Silence
from bot.stores.postgresql.store import PostgresStore
from bot.stores.postgresql.unclaimed import Unclaimed

log = logging.getLogger(__name__)

# How often the leader forgets old commits.
_FORGET_S = 600.0
_LEADERS = 0
_CLOSE_S = 0.8


class Replica:
    """The :class:`bot.stores.claims.Claims` of one replica. Its connections have the name ``name``."""

    shared = True

    def __init__(self, store: PostgresStore, name: str, timing: ClaimTimings = DEFAULT_CLAIM_TIMINGS) -> None:
        self._store = store
        self._replicas = Replicas(store.database)
        self._signals = Signals(store.database)
        self._name = name
        self._timing = timing
        # The groups that are its own by the database, and those that it works on.
        self._claimed: set[int] = set()
        self._held: set[int] = set()
        self._changed = asyncio.Event()
        self._release: asyncio.Task[None] | None = None
        # Until when nobody can have taken over the work of this replica.
        self._sure_until = float("-inf")
        self._certain = asyncio.Event()
        self._silence = Silence(timing)
        self._wanted = asyncio.Event()
        # For what to look through the store: groups that a replica of this number claimed; all if empty.
        self._looks: asyncio.Queue[tuple[int, set[int]]] = asyncio.Queue()
        self._hearing = Hearing(store, self._look_everywhere)
        self._looked_at = self._forgot_at = time.monotonic()
        self._creations = Creations()
        self._creating: set[str] = set()
        self._leader = 0
        self._unclaimed = Unclaimed(store)
        self.taken_over = 0
        self.replicas = 0

    @property
    def number(self) -> int:
        """The number of this replica; 0 while it has none."""
        return self._store.replica

    @property
    def held(self) -> frozenset[int]:
        """The groups that this replica works on."""
        return frozenset(self._held)

    @property
    def leads(self) -> bool:
        return _LEADERS in self._held

    async def leads_is(self, wanted: bool) -> None:
        while self.leads is not wanted:
            self._changed.clear()
            await self._changed.wait()

    def owns(self, queue: str) -> bool:
        return group_of(queue) in self._held

    def shares(self, work: Record) -> bool:
        return self.owns(queue_of(work))

    async def assured(self) -> None:
        while time.monotonic() >= self._sure_until or not self._store.session.is_open:
            self._certain.clear()
            await self._certain.wait()

    def tell(self, work: Work) -> None:
        self._signals.tell(Said(0, work=[(work.table, work.id)]))

    def tell_creation(self, id: str, *, begun: bool) -> None:
        (self._creating.add if begun else self._creating.discard)(id)
        if self.replicas > 1:
            self._signals.tell(Said(0, begun=[id]) if begun else Said(0, ended=[id]))

    def standing(self) -> Standing:
        return Standing(
            number=self.number,
            leader=self.number if self.leads else self._leader,
            processes=self.replicas,
            taken_over=self.taken_over,
            oldest_unclaimed_s=self._unclaimed.oldest_s,
            connections=self._store.database.in_use,
        )

    async def run(self, holder: Holder) -> None:
        session = self._store.session
        session.on_open = self._note_return
        session.on_heard = lambda text: self._hear(text, holder)
        if lacking := self._claimed - self._held:
            # It was broken off before it took them up, or gave them back.
            self._looks.put_nowait((self.number, lacking))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._signals.run())
                tasks.create_task(self._unclaimed.run())
                tasks.create_task(self._keep_up(holder))
                tasks.create_task(self._keep_looking(holder))
                tasks.create_task(self._hearing.run(holder.hear))
        finally:
            if self._release is not None:
                self._release.cancel()
                await asyncio.gather(self._release, return_exceptions=True)

    async def close(self) -> None:
        """Give everything back at once: nothing is being done any more."""
        number, self._store.replica = self.number, 0
        self._hold(set())
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._signals.say()
                if number:
                    await self._replicas.leave(number)
                    self._signals.tell(Said(0, look=True, lost=True))
                    await self._signals.say()

    # The replicas.

    async def _keep_up(self, holder: Holder) -> None:
        while True:
            self._wanted.clear()
            try:
                await self._look_at_replicas(holder)
            except FencedError:
                await self._begin_anew(holder)
                continue
            except StoreError as error:
                self._silence.forget()
                log.info("claims: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._timing.beat_s):
                    await self._wanted.wait()

    async def _look_at_replicas(self, holder: Holder) -> None:
        if not self.number:
            self._store.replica = self._signals.sender = await self._replicas.join(self._name)
            log.info("this is replica %d", self.number)
            self._signals.tell(Said(0, look=True))
        sent_at = time.monotonic()
        view = await self._replicas.beat(self.number)
        self._sure_until = sent_at + self._timing.sure_s
        self._certain.set()
        self.replicas = len(view.beats)
        freed = await self._remove_dead(view, holder)
        await self._balance(view, freed, holder)
        self._leader = view.owners.get(_LEADERS) or 0
        free = (view.of(None) | freed) - self._held
        self._unclaimed.note((lambda queue: group_of(queue) in free) if free else None)
        await self._do_rounds()

    async def _remove_dead(self, view: View, holder: Holder) -> set[int]:
        """Remove replicas whose beats have stood still for too long. Returns their groups."""
        freed: set[int] = set()
        for number, beats in self._silence.dead(view, self.number).items():
            if await self._replicas.remove(number, beats):
                log.warning("replica %d does not answer any more: others do its work", number)
                freed |= view.of(number)
                del view.beats[number]
        self._creations.keep(view.beats, holder)
        return freed

    async def _balance(self, view: View, freed: set[int], holder: Holder) -> None:
        """Claim free groups up to this replica's share, or give back what is more."""
        has = len(view.of(self.number))
        free = view.of(None) | freed
        if has < view.share and free:
            claimed = await self._replicas.claim(self.number, view.share - has)
            self.taken_over += sum(claimed.values())
            log.info("this replica works on %d of %d groups of queues", has + len(claimed), GROUPS)
            self._claimed |= claimed.keys()
            self._looks.put_nowait((self.number, set(claimed)))
        elif len(self._held) > view.share and self._release is None:
            surplus = sorted(self._held - {_LEADERS}, reverse=True)[: len(self._held) - view.share]
            self._release = asyncio.create_task(self._give_back(set(surplus), holder))

    async def _give_back(self, groups: set[int], holder: Holder) -> None:
        """Let other replicas have groups, once what is being done for them is done."""
        try:
            self._hold(self._held - groups)
            await holder.let_go(lambda queue: group_of(queue) in groups)
            await self._replicas.free(self.number, groups)
            self._claimed -= groups
            self._signals.tell(Said(0, look=True))
        except StoreError as error:
            # Still its own by the database. What came meanwhile was passed over.
            self._looks.put_nowait((self.number, groups))
            log.info("claims: %s", error)
        finally:
            self._release = None

    async def _begin_anew(self, holder: Holder) -> None:
        """Others have taken everything over: break everything off, and begin as a new replica."""
        log.warning("this replica did not answer for too long: others have taken over its work")
        self._hold(set())
        self._claimed.clear()
        self._sure_until = float("-inf")
        if self._release is not None:
            self._release.cancel()
        await holder.abandon()
        self._store.replica = self._signals.sender = 0
        self._silence.forget()

    async def _do_rounds(self) -> None:
        now = time.monotonic()
        if now - self._looked_at >= self._timing.look_s:
            self._look_everywhere()
        if self.leads and now - self._forgot_at >= _FORGET_S:
            self._forgot_at = now
            await self._replicas.forget_commits()

    def _hold(self, groups: set[int]) -> None:
        self._held = groups
        self._changed.set()

    # The work.

    def _note_return(self) -> None:
        """The connection was opened again: what others said meanwhile was missed."""
        self._silence.note_return()
        self._look_everywhere()

    def _look_everywhere(self) -> None:
        """Look through the store: something that was told may have been missed."""
        self._looked_at = time.monotonic()
        if self._looks.empty():
            self._looks.put_nowait((self.number, set()))

    async def _keep_looking(self, holder: Holder) -> None:
        """Look through the store for what waits: for new groups, and for all that this replica has."""
        while True:
            number, new = await self._looks.get()
            try:
                await self._look(number, new, holder)
            except StoreError as error:
                log.warning("what waits in the store is looked for again: %s", error)
                self._looks.put_nowait((number, new))
                await asyncio.sleep(self._timing.beat_s)

    async def _look(self, number: int, new: set[int], holder: Holder) -> None:
        if not new:
            await holder.take_up(self.owns, lambda: None, begun=False)
            return

        def own() -> None:
            # Unless others have taken this replica for dead meanwhile.
            if number == self.number:
                self._hold(self._held | new)

        await holder.take_up(lambda queue: group_of(queue) in new, own, begun=True)
        # What was written meanwhile was told to nobody.
        self._look_everywhere()

    def _hear(self, text: str, holder: Holder) -> None:
        said = read(text)
        if said is None or said.sender == self.number:
            return
        if said.lost:
            self._look_everywhere()
        if said.look:
            self._wanted.set()
            for id in self._creating:
                self._signals.tell(Said(0, begun=[id]))
        self._creations.note(said, holder)
        self._hearing.note(said.work)
