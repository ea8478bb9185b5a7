"""Trying again: how often, how long in between, and when not."""

from __future__ import annotations

import pytest

from bot.retrying import Backoff, retrying

AT_ONCE = Backoff(base_s=0.0, cap_s=0.0, attempts=3)


class Call:
    """Fails as often as it is told to, and counts."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.tries = 0

    async def __call__(self) -> str:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        return "done"


async def test_it_is_tried_until_it_works() -> None:
    call = Call(OSError("one"), OSError("two"))
    told: list[tuple[str, int]] = []
    done = await retrying(
        call, AT_ONCE, on=OSError, on_retry=lambda error, count: told.append((str(error), count))
    )
    assert (done, call.tries, told) == ("done", 3, [("one", 1), ("two", 2)])


async def test_the_last_error_is_raised_as_it_is() -> None:
    last = OSError("three")
    call = Call(OSError("one"), OSError("two"), last)
    with pytest.raises(OSError, match="three") as raised:
        await retrying(call, AT_ONCE, on=OSError)
    assert raised.value is last
    assert call.tries == 3


async def test_another_error_is_not_tried_again() -> None:
    call = Call(KeyError("x"))
    with pytest.raises(KeyError):
        await retrying(call, AT_ONCE, on=OSError)
    assert call.tries == 1


async def test_an_error_may_say_that_another_try_makes_no_sense() -> None:
    call = Call(OSError("final"))
    with pytest.raises(OSError, match="final"):
        await retrying(call, AT_ONCE, on=OSError, asks_for=lambda error: None)
    assert call.tries == 1


async def test_without_an_end_it_goes_on() -> None:
    call = Call(*(OSError("again") for _ in range(50)))
    assert await retrying(call, Backoff(base_s=0.0, cap_s=0.0), on=OSError) == "done"


def test_waits_double_up_to_the_ceiling_and_differ() -> None:
    backoff = Backoff(base_s=1.0, cap_s=5.0, least=0.5)
    for failures, ceiling in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 5.0), (1000, 5.0)):
        waits = [backoff.pause_s(failures) for _ in range(50)]
        assert all(ceiling / 2 <= wait <= ceiling for wait in waits)
        assert len(set(waits)) > 1


async def test_any_callable_that_returns_an_awaitable_will_do() -> None:
    call = Call(OSError("one"))
    assert await retrying(lambda: call(), AT_ONCE, on=OSError) == "done"
    assert call.tries == 2
