"""The event loop's default executor. Nobody waits for its threads when the process ends."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LIMIT = 32


class DaemonExecutor(ThreadPoolExecutor):
    """Runs calls in at most ``limit`` daemon threads at a time; further calls wait.

    Host names are resolved and files are opened in asyncio's default executor. With asyncio's own one, the
    loop and then the interpreter would wait for a resolver or a disk that does not answer.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        super().__init__(max_workers=limit)
        self._limit = limit
        self._guard = threading.Lock()
        self._jobs: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._running = 0
        self._closed = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``fn`` in a thread."""
        future: Future[T] = Future()
        with self._guard:
            if self._closed:
                raise RuntimeError("the executor is closed")
            self._jobs.append((future, partial(fn, *args, **kwargs)))
            if self._running < self._limit:
                threading.Thread(target=self._work, name="executor", daemon=True).start()
                self._running += 1
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls and drop those that wait. Threads that still run are left behind."""
        with self._guard:
            self._closed = True
            dropped, self._jobs = self._jobs, deque()
        for future, _ in dropped:
            future.cancel()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                done = partial(future.set_result, call())
            except BaseException as error:  # raised again by whoever waits for it
                done = partial(future.set_exception, error)
            # After that the loop is closed, and nobody waits any more.
            if not self._closed:
                done()

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._guard:
            if self._jobs:
                return self._jobs.popleft()
            self._running -= 1
            return None
