"""When calls stop going out."""

from __future__ import annotations

from bot.zoom.calls import FAILURES, Breaker
from bot.zoom.timings import DEFAULT_TIMINGS

WINDOW_S = DEFAULT_TIMINGS.away_after_s
PAUSE_S = DEFAULT_TIMINGS.away_s


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        breaker.failed()
        clock.at += WINDOW_S
    assert not breaker.allows()
    return breaker


def test_many_failures_at_one_moment_do_not_open_it() -> None:
    breaker = Breaker(Clock())
    for _ in range(50):
        breaker.failed()
    assert breaker.allows()


def test_what_is_waited_for_in_vain_opens_it_soon() -> None:
    breaker = Breaker(Clock())
    breaker.failed(timed_out=True)
    breaker.worked()
    breaker.failed(timed_out=True)
    assert breaker.allows()
    breaker.failed(timed_out=True)
    assert not breaker.allows()


def test_an_answer_between_failures_keeps_it_closed() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(20):
        breaker.failed()
        breaker.worked()
        clock.at += WINDOW_S
    assert breaker.allows()


def test_after_a_pause_one_call_goes_out() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.at += PAUSE_S
    assert breaker.allows()
    assert not breaker.allows()


def test_its_answer_lets_everybody_through() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.at += PAUSE_S
    assert breaker.allows()
    breaker.worked()
    assert breaker.allows()
    assert breaker.allows()


def test_its_failure_closes_the_way_again() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.at += PAUSE_S
    assert breaker.allows()
    breaker.failed()
    clock.at += PAUSE_S / 2
    assert not breaker.allows()
