"""The rows of the table: what is done, for the floor and for the bot in the same run."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.stand import Json, Runner, Stand, cpu_s
from bot.sandbox.zoom import Meeting
from bot.sandbox.zoom.models import Event

# The bot edits a post at most once a second: so long after an edit the next one is made at once.
EDIT_PAUSE_S = 1.3


@dataclass(frozen=True)
class Row:
    """Figures of the floor and of the bot, each the value of one of ``names``, and what is aimed at."""

    work: str
    names: tuple[str, ...]
    floor: tuple[float, ...]
    bot: tuple[float, ...]
    goal: str
    unit: str = "ms"


@dataclass(frozen=True)
class Amounts:
    """How much is done. A quick run only shows that it runs."""

    asks: int
    ends: int
    meetings: int
    seconds: float
    live: int
    live_seconds: float
    events: int


FULL = Amounts(asks=200, ends=60, meetings=100, seconds=30, live=50, live_seconds=15, events=1000)
QUICK = Amounts(asks=10, ends=4, meetings=10, seconds=1.5, live=5, live_seconds=1.5, events=100)
BLOCK = 10


async def asks(stand: Stand, amounts: Amounts, work: str, goal: str) -> Iterator[Row]:
    """How soon a mention is a post, and the CPU time of each."""
    both = (stand.floor, stand.bot)
    took: dict[Runner, list[float]] = {runner: [] for runner in both}
    cpu = dict.fromkeys(both, 0.0)
    for runner in both:
        await stand.ask(runner)
    for _ in range(max(1, amounts.asks // BLOCK)):
        for runner in both:
            before = cpu_s(runner.asked)
            for _ in range(BLOCK):
                took[runner].append((await stand.ask(runner))[0])
            # What is written behind the post belongs to the ask.
            await asyncio.sleep(0.1)
            cpu[runner] += cpu_s(runner.asked) - before
    each_ms = [(cpu[runner] / len(took[runner]) * 1000,) for runner in both]
    floor, bot = (_p50_p99(took[runner]) for runner in both)
    return iter(
        [
            Row(work, P50_P99, floor, bot, goal),
            Row("CPU of it", ("each",), each_ms[0], each_ms[1], "≤ 2.7 ms"),
        ]
    )


async def ends(stand: Stand, amounts: Amounts, work: str, goal: str) -> Row:
    """How soon the post of a meeting shows that it ended."""
    waiting = {}
    for runner in (stand.floor, stand.bot):
        waiting[runner] = await started(stand, runner, amounts.ends)
    await asyncio.sleep(EDIT_PAUSE_S)
    took: dict[Runner, list[float]] = {runner: [] for runner in waiting}
    for number in range(amounts.ends):
        for runner, meetings in waiting.items():
            meeting, post = meetings[number]
            (shown,) = stand.expect([post], "ENDED")
            began = time.perf_counter()
            for event in stand.stage.zoom.meeting_store.close(meeting):
                await stand.tell(runner, event)
            async with asyncio.timeout(60):
                took[runner].append(await shown - began)
    return Row(work, P50_P99, _p50_p99(took[stand.floor]), _p50_p99(took[stand.bot]), goal)


async def started(
    stand: Stand, runner: Runner, number: int, *, with_host: bool = False
) -> list[tuple[Meeting, Json]]:
    """Meetings that are live, with their posts. The bot has shown it; the floor shows only ends."""
    meetings = await stand.meetings(runner, number)
    live = stand.expect([post for _, post in meetings], "STARTED") if runner is stand.bot else []
    events = [stand.stage.zoom.meeting_store.open(meeting, with_host=with_host) for meeting, _ in meetings]
    await stand.tell_all(runner, list(itertools.chain(*events)))
    async with asyncio.timeout(60):
        await asyncio.gather(*live)
    return meetings


async def whole_meetings(stand: Stand, amounts: Amounts) -> Row:
    """Ten webhooks of each meeting, 50 at a time: all answered, and the last post right (s)."""
    found: list[tuple[float, ...]] = []
    for runner in (stand.floor, stand.bot):
        meetings = await stand.meetings(runner, amounts.meetings)
        await asyncio.sleep(EDIT_PAUSE_S)
        # Event by event through all meetings, so that those of one meeting are not under way at once.
        of_each = [_ten_events(stand, meeting) for meeting, _ in meetings]
        events = list(itertools.chain(*zip(*of_each, strict=True)))
        ended = stand.expect([post for _, post in meetings], "ENDED")
        began = time.perf_counter()
        await stand.tell_all(runner, events)
        answered = time.perf_counter() - began
        async with asyncio.timeout(60):
            found.append((answered, max(await asyncio.gather(*ended)) - began))
    work = f"{len(events)} webhooks of {amounts.meetings} meetings, 50 at a time"
    return Row(work, ("all answered", "last post right"), found[0], found[1], "≤ 1.2 ×; ≤ 1.5 ×", "s")


def _ten_events(stand: Stand, meeting: Meeting) -> list[Event]:
    store = stand.stage.zoom.meeting_store
    events = store.open(meeting, with_host=False)
    people = []
    for number in range(4):
        who, joined = store.enter(meeting, f"Guest {number}")
        people.append(who)
        events += joined
    for who in people:
        events += store.leave(meeting, who)
    return events


async def one_meeting(stand: Stand, amounts: Amounts) -> Row:
    """People who come to one meeting and leave it."""
    found: list[tuple[float, ...]] = []
    for runner in (stand.floor, stand.bot):
        meetings = await started(stand, runner, 1, with_host=True)
        found.append(await _evenly(stand, runner, _coming_and_going(stand, meetings), amounts.seconds))
        await asyncio.sleep(EDIT_PAUSE_S)
    work = f"200 webhooks a second for {amounts.seconds:g} s, of one meeting"
    return Row(work, (*P50_P99, "CPU each"), found[0], found[1], "p99 ≤ 20 ms; CPU ≤ 0.8 ms")


async def many_meetings(stand: Stand, amounts: Amounts) -> Iterator[Row]:
    """People who come to many live meetings and leave them; then a burst of the same."""
    evenly: list[tuple[float, ...]] = []
    bursts: list[tuple[float, ...]] = []
    for runner in (stand.floor, stand.bot):
        meetings = await started(stand, runner, amounts.live, with_host=True)
        make = _coming_and_going(stand, meetings)
        evenly.append(await _evenly(stand, runner, make, amounts.live_seconds))
        events = [make() for _ in range(amounts.events)]
        began = time.perf_counter()
        took = await stand.tell_all(runner, events)
        bursts.append((time.perf_counter() - began, max(took)))
        await asyncio.sleep(EDIT_PAUSE_S)
    work = f"200 people a second in {amounts.live} live meetings, {amounts.live_seconds:g} s"
    names, goal = (*P50_P99, "CPU each"), "p50 ≤ 3 ×, p99 ≤ 4 ×; CPU ≤ 1.5 ×"
    yes = Row(work, names, evenly[0], evenly[1], goal)
    burst = Row(
        f"then {amounts.events}, 50 at a time",
        ("all answered", "slowest"),
        bursts[0],
        bursts[1],
        "≤ 2 ×",
        "s",
    )
    return iter([yes, burst])


def _coming_and_going(stand: Stand, meetings: list[tuple[Meeting, Json]]) -> Callable[[], Event]:
    """In turns through the meetings: somebody comes, and the time after the next somebody leaves."""
    store, numbers = stand.stage.zoom.meeting_store, itertools.count()
    inside: dict[int, list[str]] = {meeting.id: [] for meeting, _ in meetings}

    def make() -> Event:
        number = next(numbers)
        meeting = meetings[number % len(meetings)][0]
        if len(inside[meeting.id]) > 4 and number // len(meetings) % 2:
            return store.leave(meeting, inside[meeting.id].pop(0))[0]
        who, events = store.enter(meeting, f"Guest {number}")
        inside[meeting.id].append(who)
        return events[0]

    return make


async def _evenly(
    stand: Stand, runner: Runner, make: Callable[[], Event], seconds: float
) -> tuple[float, ...]:
    before = cpu_s(runner.told)
    took = await stand.tell_evenly(runner, make, 200, seconds)
    # The edits that follow belong to it.
    await asyncio.sleep(EDIT_PAUSE_S)
    return (*_p50_p99(took), (cpu_s(runner.told) - before) / len(took) * 1000)


P50_P99 = ("p50", "p99")


def _p50_p99(seconds: list[float]) -> tuple[float, float]:
    """In ms."""
    ordered = sorted(seconds)
    return statistics.median(ordered) * 1000, ordered[round((len(ordered) - 1) * 0.99)] * 1000
