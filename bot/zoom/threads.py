"""A few threads of our own for calls that block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """At most ``limit`` blocking calls at a time.

    Not an executor: the interpreter waits for an executor's threads at its end, and a stop must not
    wait for a server that does not answer.
    """

    def __init__(self, limit: int, name: str) -> None:
        self._slots = asyncio.Semaphore(limit)
        self._name = name

    async def run(self, call: Callable[[], T], timeout_s: float) -> T:
        """The result of ``call``; :class:`TimeoutError` if it takes longer than ``timeout_s``, waiting for
        a thread not counted. The thread goes on then, and keeps its place until it ends."""
        await self._slots.acquire()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        future.add_done_callback(self._free)
        threading.Thread(target=_work, args=(call, loop, future), name=self._name, daemon=True).start()
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(future)

    def _free(self, future: asyncio.Future[T]) -> None:
        self._slots.release()
        if not future.cancelled():
            # Else an error that nobody waits for any more is reported when it is collected.
            future.exception()


def _work(call: Callable[[], T], loop: asyncio.AbstractEventLoop, future: asyncio.Future[T]) -> None:
    result: T | None = None
    failure: BaseException | None = None
    try:
        result = call()
    except BaseException as error:  # handed on to whoever waits
        failure = error

    def finish() -> None:
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    try:
        loop.call_soon_threadsafe(finish)
    except RuntimeError:
        # The loop has ended; nobody waits.
        return
