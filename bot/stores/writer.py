"""The one thread that writes. Changes that arrive while it writes go into its next transaction."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVarTuple

from bot.errors import StoreError
from bot.retrying import Backoff
from bot.stores.lookups import Lookups
from bot.stores.sqlite import Changes, DocumentFile, Key

_A = TypeVarTuple("_A")

Saved = asyncio.Future[None]

_BACKOFF = Backoff(base_s=0.1, cap_s=5.0, least=1.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a writer waits for the disk, and how much may wait with it."""

    # The pauses between tries of a write that failed.
    backoff: Backoff = _BACKOFF
    # How often a closing writer tries, ``backoff.base_s`` apart, before it gives up.
    last_tries: int = 4
    # How long closing takes at most: a disk may never answer.
    close_s: float = 1.5
    # Changes that may wait for the disk.
    waiting: int = 100_000
    # How much longer (s) each write takes than the disk takes. Only benches set it, to try a slower disk.
    extra_s: float = 0.0


DEFAULT_LIMITS = Limits()


@dataclass(slots=True)
class _Batch:
    changes: dict[Key, bytes | None] = field(default_factory=dict)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    # How many changes were submitted; only the last one of each document is written.
    size: int = 0
    # The number of the last submission, and how many questions about the file had been asked by then.
    number: int = 0
    asked: int = 0

    def add(self, other: _Batch) -> None:
        self.changes.update(other.changes)
        self.waiters += other.waiters
        self.size += other.size
        self.number = max(self.number, other.number)
        self.asked = max(self.asked, other.asked)


def _ignore(number: int) -> None:
    pass


class Writer:
    """Writes changes in the order they are submitted, and reports when they are durable.

    A write that fails (the disk is full) is retried until it succeeds. Until then :attr:`writable` is False,
    and later changes join the write. ``on_trouble`` is called in the loop with a line for the log when that
    begins and when it is over. Owns ``file`` and closes it.
    """

    def __init__(
        self,
        file: DocumentFile,
        lookups: Lookups,
        on_trouble: Callable[[str], None],
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._file = file
        self._lookups = lookups
        self._limits = limits
        self._on_trouble = on_trouble
        self._loop = asyncio.get_running_loop()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._unwritten = 0
        self._lost = 0
        self.writable = True
        # How many times something was submitted. What is told which of these are durable.
        self.submitted = 0
        self.on_written: Callable[[int], None] = _ignore
        # Guarded by the condition: what the thread takes next, and whether it has to end.
        self._ready = threading.Condition()
        self._next = _Batch()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    def require_room(self) -> None:
        """Raise :class:`StoreError` if the writer is closed or too many changes wait for the disk."""
        if self._closing:
            raise StoreError("the store is closed")
        if self._unwritten >= self._limits.waiting:
            raise StoreError(f"{self._unwritten} changes wait for the disk: no more are accepted")

    def submit(self, changes: Changes) -> Saved:
        """Queue changes for one transaction; the future is done when all up to these are durable."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        if not changes and not self._unwritten:
            waiter.set_result(None)
            return waiter
        self.submitted += 1
        batch = _Batch(dict(changes), [waiter], max(len(changes), 1), self.submitted, self._lookups.asked)
        self._unwritten += batch.size
        with self._ready:
            self._next.add(batch)
            self._ready.notify()
        return waiter

    async def close(self) -> None:
        """Write what waits, then close the file. Raises :class:`StoreError` if changes were lost."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        try:
            async with asyncio.timeout(self._limits.close_s):
                await asyncio.shield(self._closed)
        except TimeoutError:
            raise StoreError(
                f"the store was closed without {self._unwritten} changes: the disk does not answer"
            ) from None
        self._thread.join()
        lost, self._lost = self._lost, 0
        if lost:
            raise StoreError(f"the store was closed without {lost} changes: the disk refused them")

    # In the thread.

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            self._write(batch)
        # What could not be moved into the file stays in the log.
        with contextlib.suppress(sqlite3.Error):
            self._file.close()
        self._tell(self._closed.set_result, None)

    def _take(self) -> _Batch | None:
        with self._ready:
            self._ready.wait_for(lambda: self._next.waiters or self._closing)
            if not self._next.waiters:
                return None
            batch, self._next = self._next, _Batch()
            return batch

    def _write(self, batch: _Batch) -> None:
        failures, tries = 0, self._limits.last_tries
        while (error := self._attempt(batch)) is not None:
            self._tell(self._when_refused, error, batch.size)
            tries -= self._closing
            if not tries:
                self._tell(self._when_lost, batch)
                return
            failures += 1
            self._pause(failures, batch)
        self._tell(self._when_written, batch)

    def _attempt(self, batch: _Batch) -> str | None:
        try:
            if batch.changes:
                # What was asked before these changes must not see them.
                self._lookups.wait_begun(batch.asked)
                if self._limits.extra_s:
                    # In this thread, so that it holds up what a slow disk would hold up, and nothing else.
                    time.sleep(self._limits.extra_s)
                self._file.write(batch.changes)
        except Exception as error:
            # Any error at all: callers wait for this thread.
            return str(error)
        return None

    def _pause(self, failures: int, batch: _Batch) -> None:
        with self._ready:
            closing = self._closing
            pause_s = self._limits.backoff.pause_s(1 if closing else failures)
            self._ready.wait_for(lambda: self._closing and not closing, pause_s)
            batch.add(self._next)
            self._next = _Batch()

    def _tell(self, callback: Callable[[*_A], None], *args: *_A) -> None:
        # If the loop is closed, nobody waits any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *args)

    # In the loop.

    def _when_refused(self, error: str, size: int) -> None:
        if self.writable:
            self.writable = False
            self._on_trouble(f"the store cannot be written ({error}): {size} changes wait and are retried")

    def _when_written(self, batch: _Batch) -> None:
        self._unwritten -= batch.size
        self.on_written(batch.number)
        for waiter in batch.waiters:
            if not waiter.done():
                waiter.set_result(None)
        if not self.writable:
            self.writable = True
            self._on_trouble("the store can be written again, nothing was lost")

    def _when_lost(self, batch: _Batch) -> None:
        self._unwritten -= batch.size
        self._lost += len(batch.changes)
        for waiter in batch.waiters:
            if not waiter.done():
                waiter.set_exception(StoreError("the store was closed before this was written"))
