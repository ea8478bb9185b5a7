"""Standard output and error that never make the process wait for whoever reads them.

A full pipe that nobody reads would block every write, and with it the event loop. Here a thread writes, and
what does not fit in its queue is dropped and counted.
"""

from __future__ import annotations

import atexit
import io
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

# How many characters may wait for the reader.
LIMIT = 4 * 1024 * 1024
# How many characters are written at a time.
PIECE = 64 * 1024
# How long the process waits at its end for what is still to be written.
DRAIN_S = 0.3


class Unblocked(io.TextIOBase):
    """A text stream to the file ``descriptor``, which stays open. Writing returns at once.

    At most ``limit`` characters wait. Text beyond that is dropped, as is text that the descriptor refuses
    (the reader is gone, the disk is full). ``dropped`` counts its lines. Once text gets through again,
    ``notice(lines)`` is written, which says how many lines are missing.
    """

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, descriptor: int, *, limit: int = LIMIT) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self.notice: Callable[[int], str] = lambda lines: ""
        # Guarded by the condition: what waits, its size with what is being written, lines dropped in all and
        # since the last notice.
        self._changed = threading.Condition()
        self._waiting: deque[str] = deque()
        self._size = 0
        self._unsaid = 0
        self.dropped = 0
        threading.Thread(target=self._run, name="output", daemon=True).start()

    def write(self, text: str) -> int:
        """Queue ``text``, or drop it if the queue is full."""
        if not isinstance(text, str):
            raise TypeError("only text can be written")
        with self._changed:
            if self._size + len(text) > self._limit:
                self._drop(text)
            elif text:
                self._waiting.append(text)
                self._size += len(text)
                self._changed.notify_all()
        return len(text)

    def drain(self, timeout_s: float) -> bool:
        """Wait up to ``timeout_s`` seconds until everything is written; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._size, timeout_s)

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def _drop(self, text: str) -> None:
        lines = text.count("\n")
        self.dropped += lines
        self._unsaid += lines

    # In the thread. It writes to the descriptor itself: at the end of the process, Python would wait for the
    # lock of its own stream.

    def _run(self) -> None:
        while True:
            text = self._take()
            written = self._send(text)
            if written:
                self._say_dropped()
            with self._changed:
                self._size -= len(text)
                if not written:
                    self._drop(text)
                self._changed.notify_all()

    def _take(self) -> str:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
            pieces, size = [], 0
            while self._waiting and size < PIECE:
                pieces.append(self._waiting.popleft())
                size += len(pieces[-1])
            return "".join(pieces)

    def _say_dropped(self) -> None:
        with self._changed:
            # What waits was written before the dropped lines.
            lines = 0 if self._waiting else self._unsaid
        if lines and self._send(self.notice(lines)):
            with self._changed:
                self._unsaid -= lines

    def _send(self, text: str) -> bool:
        left = memoryview(text.encode(self.encoding, self.errors))
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                # Another process has made the descriptor non-blocking, which holds for all that share it.
                select.select([], [self._descriptor], [], 1.0)
            except OSError:
                return False
        return True


def unblock() -> None:
    """Replace ``sys.stdout`` and ``sys.stderr``. At its end the process waits ``DRAIN_S`` for them."""
    made = []
    for name in ("stdout", "stderr"):
        descriptor = _descriptor_of(getattr(sys, name))
        if descriptor is not None:
            made.append(Unblocked(descriptor))
            setattr(sys, name, made[-1])
    atexit.register(_drain, made)


def lines_dropped() -> int:
    """How many lines of ``sys.stderr`` were dropped since the start."""
    stream = sys.stderr
    return stream.dropped if isinstance(stream, Unblocked) else 0


def _descriptor_of(stream: TextIO | None) -> int | None:
    # Python sets a stream to None if it was closed when the process began. Its number may be a file of ours.
    if stream is None or isinstance(stream, Unblocked):
        return None
    try:
        return stream.fileno()
    except OSError:
        return None


def _drain(streams: list[Unblocked]) -> None:
    deadline = time.monotonic() + DRAIN_S
    for stream in streams:
        stream.drain(max(0.0, deadline - time.monotonic()))
