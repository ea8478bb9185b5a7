"""Stops the process in time, whatever hangs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

from bot.log.streams import Unblocked

log = logging.getLogger(__name__)

# A stop takes at most 5 s. The steps of an orderly one take less in all, unless something does not keep to
# its limit.
LONGEST_S = 4.7
_LAST_WORD_S = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def stopping_on_signals(stop: asyncio.Event, longest_s: float = LONGEST_S) -> Iterator[None]:
    """Set ``stop`` at SIGINT or SIGTERM. If the process still runs ``longest_s`` seconds later, it ends there
    with exit status 0: what it left undone is taken up at the next start.

    Python writes the signals to a pipe, which a thread reads: that works while the event loop is blocked.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    watch = (reader, asyncio.get_running_loop(), stop, longest_s)
    threading.Thread(target=_watch, args=watch, name="stopping", daemon=True).start()
    pipe = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = [(number, signal.signal(number, _note)) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler or signal.SIG_DFL)
        signal.set_wakeup_fd(pipe)
        # Ends the thread, unless a signal came: then it watches on until the process has ended.
        os.close(writer)


def _note(number: int, frame: FrameType | None) -> None:
    """Do nothing. A signal without a handler would not be written to the pipe."""


def _watch(reader: int, loop: asyncio.AbstractEventLoop, stop: asyncio.Event, longest_s: float) -> None:
    while (number := os.read(reader, 1)) and number[0] not in _SIGNALS:
        pass
    if not number:
        os.close(reader)
        return
    # If the loop is closed, the stop is nearly over.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)
    time.sleep(longest_s)
    _end(longest_s)


def _end(longest_s: float) -> None:
    log.error("stopping took longer than %.1f s; what still hangs is left behind", longest_s)
    if isinstance(sys.stderr, Unblocked):
        sys.stderr.drain(_LAST_WORD_S)
    os._exit(0)
