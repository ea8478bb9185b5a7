"""Whoever waits for what is at Zoom waits for just that, and costs no more for it."""

from __future__ import annotations

import asyncio

from bot.flights import Flights


async def test_a_wait_ends_with_the_flights_that_were_under_way() -> None:
    flights = Flights()
    for name in "ab":
        flights.begin(name)
    waiting = asyncio.ensure_future(flights.settled(60))
    await asyncio.sleep(0)
    flights.begin("later")
    flights.end("b")
    await asyncio.sleep(0)
    assert not waiting.done()
    flights.end("a")
    await waiting
    assert flights


async def test_nothing_under_way_is_nothing_to_wait_for() -> None:
    flights = Flights()
    await flights.settled(60)
    flights.begin("a")
    flights.end("a")
    flights.end("a")
    assert not flights
    await flights.settled(60)


async def test_a_wait_is_bounded() -> None:
    flights = Flights()
    flights.begin("a")
    await flights.settled(0)
    flights.end("a")
    assert not flights


async def test_many_who_wait_for_many_make_no_more_tasks() -> None:
    flights = Flights()
    for number in range(500):
        flights.begin(str(number))
    waiting = [asyncio.ensure_future(flights.settled(60)) for _ in range(100)]
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 101
    for number in range(500):
        flights.end(str(number))
    await asyncio.wait(waiting)
