"""Changes that have to look something up first, applied in the order in which they were asked for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bot.errors import StoreError
from bot.stores.sqlite import Key

T = TypeVar("T")

# Changes that may wait for the disk.
WAITING = 10_000


@dataclass(slots=True)
class _Turn(Generic[T]):
    needed: Sequence[Key]
    work: Callable[[], T]
    done: asyncio.Future[T]


class Turns:
    """Runs each work once its documents are in memory. Those that wait are looked up together.

    ``load`` brings documents into memory, ``unload`` lets them go. A caller that is cancelled does not stop
    its work.
    """

    def __init__(self, load: Callable[[list[Key]], Awaitable[None]], unload: Callable[[], None]) -> None:
        self._load = load
        self._unload = unload
        self._waiting: deque[_Turn[Any]] = deque()
        self._runner: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether earlier changes wait."""
        return self._runner is not None

    async def take(self, needed: Sequence[Key], work: Callable[[], T]) -> T:
        """Run ``work`` after all earlier ones, once ``needed`` are in memory; return what it returns.

        Raises :class:`StoreError` if too many wait.
        """
        if len(self._waiting) >= WAITING:
            raise StoreError(f"{len(self._waiting)} changes wait for the disk: no more are accepted")
        turn = _Turn(needed, work, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await asyncio.shield(turn.done)

    async def passed(self) -> None:
        """Wait until the changes are applied that were asked for before."""
        if self._waiting:
            await asyncio.wait([self._waiting[-1].done])

    async def finish(self) -> None:
        """Wait until no change waits."""
        if self._runner is not None:
            await asyncio.wait([self._runner])

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._together(list(self._waiting))
        finally:
            self._runner = None

    async def _together(self, turns: list[_Turn[Any]]) -> None:
        try:
            try:
                await self._load([key for turn in turns for key in turn.needed])
            except Exception as error:
                for turn in turns:
                    self._waiting.popleft()
                    _fail(turn, error)
                return
            for turn in turns:
                try:
                    _succeed(turn, turn.work())
                except Exception as error:
                    _fail(turn, error)
                finally:
                    self._waiting.popleft()
        finally:
            self._unload()


def _succeed(turn: _Turn[T], result: T) -> None:
    if not turn.done.done():
        turn.done.set_result(result)


def _fail(turn: _Turn[Any], error: Exception) -> None:
    if not turn.done.done():
        turn.done.set_exception(error)
        # Whoever asked may be cancelled. Without this, asyncio would report the error when it is collected.
        turn.done.exception()
