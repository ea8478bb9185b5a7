"""How replicas share out what is to be done."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

import pytest

from bot.domain.records import Cursor, Item
from bot.errors import FencedError
from bot.stores import Put
from bot.stores.claims import ClaimTimings, IsMine, Work
from bot.stores.opening import open_claims, open_store
from bot.stores.postgresql.claims import Replica
from bot.stores.postgresql.replicas import group_of
from bot.stores.postgresql.schema import GROUPS
from bot.stores.postgresql.store import PostgresStore
from tests.stores.server import new_database

QUICK = ClaimTimings(beat_s=0.03, sure_s=0.4, dead_s=0.6, gone_s=0.2, return_s=0.6, look_s=30.0)


@dataclass
class Hands:
    """A holder that only notes what it is told."""

    taken_up: list[tuple[IsMine, bool]] = field(default_factory=list)
    heard: list[Work] = field(default_factory=list)
    creations: set[str] = field(default_factory=set)
    abandoned: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    looking: asyncio.Event = field(default_factory=asyncio.Event)
    # Set while what is being done can be finished.
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def take_up(self, is_mine: IsMine, own: Callable[[], None], *, begun: bool) -> None:
        if begun:
            self.asked.set()
            await self.looking.wait()
        own()
        self.taken_up.append((is_mine, begun))

    async def let_go(self, is_leaving: IsMine) -> None:
        await self.free.wait()

    async def abandon(self) -> None:
        self.abandoned += 1

    def hear(self, work: Iterable[Work]) -> None:
        self.heard += work

    def note_creation(self, id: str, *, begun: bool) -> None:
        (self.creations.add if begun else self.creations.discard)(id)


@dataclass
class Member:
    """A replica that runs."""

    store: PostgresStore
    claims: Replica
    hands: Hands
    running: asyncio.Task[None]

    async def freeze(self) -> None:
        """Do nothing any more, with all connections open."""
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    def wake(self) -> None:
        """Go on."""
        self.running = asyncio.create_task(self.claims.run(self.hands))

    async def die(self) -> None:
        """Lose all connections, as a process that is killed."""
        await self.freeze()
        await self.store.close()


class Members:
    """Replicas on one database."""

    def __init__(self) -> None:
        self.url = new_database()
        self.all: list[Member] = []

    async def join(self, *, looks: bool = True) -> Member:
        """Another replica; returns once it has looked at the claims. ``looks``: it may look through the store."""
        store = await open_store(self.url)
        claims = open_claims(store, QUICK)
        assert isinstance(store, PostgresStore)
        assert isinstance(claims, Replica)
        hands = Hands()
        hands.free.set()
        if looks:
            hands.looking.set()
        member = Member(store, claims, hands, asyncio.create_task(claims.run(hands)))
        self.all.append(member)
        await until(lambda: claims.replicas > 0)
        return member

    async def close(self) -> None:
        for member in self.all:
            await member.freeze()
            with contextlib.suppress(Exception):
                await member.store.close()


@pytest.fixture
async def members() -> AsyncIterator[Members]:
    members = Members()
    yield members
    await members.close()


async def until(what: object) -> None:
    """Wait until a condition holds: it depends on the database, which tells nobody."""
    assert callable(what)
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.01)


def are_even(one: Member, two: Member) -> bool:
    """Whether two replicas have everything, and each about half."""
    counts = [len(one.claims.held), len(two.claims.held)]
    return sum(counts) == GROUPS and max(counts) - min(counts) <= 1


async def test_one_replica_does_everything_and_leads(members: Members) -> None:
    one = await members.join()
    await until(lambda: len(one.claims.held) == GROUPS)
    assert one.claims.leads
    assert all(one.claims.owns(f"queue{number}") for number in range(100))


async def test_two_replicas_share_and_each_queue_belongs_to_one(members: Members) -> None:
    one, two = await members.join(), await members.join()
    await until(lambda: are_even(one, two))
    assert abs(len(one.claims.held) - len(two.claims.held)) <= 1
    for number in range(200):
        assert one.claims.owns(f"queue{number}") is not two.claims.owns(f"queue{number}")
    assert [one.claims.leads, two.claims.leads].count(True) == 1


async def test_nothing_is_given_away_before_it_is_finished(members: Members) -> None:
    one = await members.join()
    one.hands.free.clear()
    two = await members.join()
    await until(lambda: len(one.claims.held) < GROUPS)
    assert two.claims.held == frozenset()
    one.hands.free.set()
    await until(lambda: are_even(one, two))


@pytest.mark.parametrize("way", ["freeze", "die"])
async def test_what_a_lost_replica_did_passes_to_the_others(members: Members, way: str) -> None:
    one, two = await members.join(), await members.join()
    await until(lambda: are_even(one, two))
    await getattr(one, way)()
    await until(lambda: len(two.claims.held) == GROUPS)
    assert two.claims.leads
    assert two.claims.taken_over > 0
    assert any(begun for _, begun in two.hands.taken_up)


async def test_nothing_is_its_own_before_it_is_known_what_others_had_begun(members: Members) -> None:
    """Whatever it is told of earlier (by its socket, by another replica) it would take for new."""
    one = await members.join()
    await until(lambda: len(one.claims.held) == GROUPS)
    await one.die()
    two = await members.join(looks=False)
    await until(lambda: two.claims.taken_over == GROUPS)
    assert two.claims.held == frozenset()
    two.hands.looking.set()
    await until(lambda: len(two.claims.held) == GROUPS)
    assert any(begun for _, begun in two.hands.taken_up)


async def test_who_breaks_off_in_between_takes_up_what_it_has_claimed(members: Members) -> None:
    one = await members.join(looks=False)
    await one.hands.asked.wait()
    assert one.claims.held == frozenset()
    await one.freeze()
    one.hands.looking.set()
    one.wake()
    await until(lambda: len(one.claims.held) == GROUPS)


async def test_who_comes_back_late_can_finish_nothing_and_begins_anew(members: Members) -> None:
    one, two = await members.join(), await members.join()
    await one.freeze()
    await until(lambda: len(two.claims.held) == GROUPS)
    with pytest.raises(FencedError):
        await one.store.commit(Put(Cursor(id="late", at=1)))
    assert await two.store.get(Cursor, "late") is None
    number = one.claims.number
    one.wake()
    await until(lambda: one.claims.number not in (0, number) and one.claims.held)
    assert one.hands.abandoned == 1
    await one.store.commit(Put(Cursor(id="late", at=1)))


async def test_nothing_is_done_outside_once_others_may_have_taken_it_over(members: Members) -> None:
    one = await members.join()
    await one.claims.assured()
    await one.freeze()
    await asyncio.sleep(QUICK.sure_s)
    assured = asyncio.ensure_future(one.claims.assured())
    await asyncio.sleep(0)
    assert not assured.done()
    one.wake()
    await assured


async def test_a_replica_that_stops_gives_everything_back_at_once(members: Members) -> None:
    one, two = await members.join(), await members.join()
    await until(lambda: are_even(one, two))
    await one.freeze()
    await one.claims.close()
    await until(lambda: len(two.claims.held) == GROUPS)
    assert two.claims.taken_over == 0


async def test_who_writes_wakes_the_owner(members: Members) -> None:
    one, two = await members.join(), await members.join()
    await until(lambda: are_even(one, two))
    queue = next(f"queue{number}" for number in range(100) if two.claims.owns(f"queue{number}"))
    item = Item(id="item", kind="request", queue=queue, asked_at=1, received_at=1)
    await one.store.commit(Put(item))
    one.claims.tell(item)
    await until(lambda: two.hands.heard == [item])
    assert one.hands.heard == []


async def test_others_know_of_creations_until_they_end_or_their_replica_does(members: Members) -> None:
    one = await members.join()
    # Whoever joins is told of what has begun, also if it is more than fits into one notification.
    early = {f"post:{number:026}" for number in range(400)}
    for name in early:
        one.claims.tell_creation(name, begun=True)
    two = await members.join()
    await until(lambda: are_even(one, two) and two.hands.creations == early)
    for name in early:
        one.claims.tell_creation(name, begun=False)
    for name in ("first", "second"):
        one.claims.tell_creation(name, begun=True)
    await until(lambda: two.hands.creations == {"first", "second"})
    one.claims.tell_creation("first", begun=False)
    await until(lambda: two.hands.creations == {"second"})
    await one.die()
    await until(lambda: two.hands.creations == set())


async def test_a_lock_is_held_by_one_replica_at_a_time(members: Members) -> None:
    one, two = await members.join(), await members.join()
    order: list[str] = []

    async def hold(member: Member, name: str) -> None:
        async with member.store.lock("refresh alice") as is_held:
            assert is_held()
            order.append(f"{name} begins")
            await asyncio.sleep(0.05)
            order.append(f"{name} ends")

    await asyncio.gather(hold(one, "one"), hold(two, "two"), hold(one, "three"))
    assert all(order[at].split()[0] == order[at + 1].split()[0] for at in (0, 2, 4))


async def test_a_lock_is_free_when_its_holder_is_lost(members: Members) -> None:
    one, two = await members.join(), await members.join()
    holding = asyncio.Event()

    async def hold() -> None:
        async with one.store.lock("name"):
            holding.set()
            await asyncio.Event().wait()

    held = asyncio.ensure_future(hold())
    await holding.wait()
    await one.die()
    async with asyncio.timeout(10), two.store.lock("name"):
        pass
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)


def test_the_queues_are_spread_over_all_groups_but_the_leaders() -> None:
    groups = {group_of(f"queue{number}") for number in range(2000)}
    assert groups == set(range(1, GROUPS))
