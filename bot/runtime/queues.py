"""Runs the jobs of each queue in order, and all queues in parallel."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from bot.errors import FencedError

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]

MAX_WAITING = 10_000


class Queues:
    """Runs the jobs of each queue one at a time and in order; a stuck queue does not delay the others.

    At most ``max_waiting`` jobs are accepted at a time. Further ones are refused and stay with the caller;
    ``on_room`` is called once half of the room is free again.
    """

    def __init__(
        self,
        name: str,
        *,
        max_waiting: int = MAX_WAITING,
        on_room: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._name = name
        self._max_waiting = max_waiting
        self._on_room = on_room
        self._refused = False
        self._queues: dict[str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # What each queue is claimed by.
        self._claimed_by: dict[str, str] = {}
        self._waiting = 0
        self._closing = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """How many jobs have not ended."""
        return self._waiting

    def offer(self, queue: str, job: Job, claimed_by: str = "") -> bool:
        """Append a job to its queue; return False if there is no room or the queues are closing.

        ``claimed_by``: the queue by which other processes know this one, if it has another name.
        """
        if self._closing or self._waiting >= self._max_waiting:
            self._refused = True
            return False
        self._waiting += 1
        self._idle.clear()
        if queue in self._queues:
            self._queues[queue].append(job)
            return True
        self._queues[queue] = deque([job])
        self._claimed_by[queue] = claimed_by or queue
        task = asyncio.create_task(self._drive(queue), name=queue)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def idle(self) -> None:
        """Wait until no job is left."""
        await self._idle.wait()

    async def drained(self, is_leaving: Callable[[str], bool]) -> None:
        """Wait until no job is left in the queues that are leaving."""
        while leaving := [
            task for task in self._tasks if is_leaving(self._claimed_by.get(task.get_name(), ""))
        ]:
            await asyncio.wait(leaving)

    async def break_off(self) -> None:
        """Cancel the jobs that run, then call those that wait: they find out that nothing is to be done."""
        waiting = [job for jobs in self._queues.values() for job in jobs]
        for jobs in self._queues.values():
            jobs.clear()
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for job in waiting:
            await self._run(job)

    async def close(self, grace_s: float) -> None:
        """Refuse new jobs, drop waiting ones, and cancel those still running after ``grace_s`` seconds."""
        self._closing = True
        for jobs in self._queues.values():
            self._waiting -= len(jobs)
            jobs.clear()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _drive(self, queue: str) -> None:
        jobs = self._queues[queue]
        try:
            while jobs:
                await self._run(jobs.popleft())
                await self._ask_again()
        finally:
            self._waiting -= len(jobs)
            del self._queues[queue], self._claimed_by[queue]
            self._note_idle()

    async def _run(self, job: Job) -> None:
        try:
            await job()
        except asyncio.CancelledError:
            # Either this queue was cancelled, or something that the job awaited; then the queue continues.
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            log.exception("%s: a job was cancelled from within", self._name)
        except FencedError:
            log.info("%s: another process does what was begun here", self._name)
        except Exception:
            # Jobs handle expected failures themselves. Anything else is a bug, and must not stop the queue.
            log.exception("%s: a job failed", self._name)
        finally:
            self._waiting -= 1

    async def _ask_again(self) -> None:
        if not self._refused or self._closing or self._waiting > self._max_waiting // 2:
            return
        self._refused = False
        try:
            if self._on_room is not None:
                await self._on_room()
        except Exception:
            log.exception("%s: what was refused could not be taken up", self._name)
            self._refused = True

    def _note_idle(self) -> None:
        if not self._queues:
            self._idle.set()
