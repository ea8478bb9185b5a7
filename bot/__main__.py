"""The ``zoombot`` command, also available as ``python -m bot``."""

from __future__ import annotations

import os
import signal
import sys

# Commands that run until a signal stops them. For these, a signal is a normal end.
_LASTING = ("run", "demo")


def main() -> None:
    """Install signal handlers, then run the command. Its imports take a while."""
    if sys.argv[1:2] and sys.argv[1] in _LASTING:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)
    from bot.cli import main as command

    command()


def _leave(number: int, frame: object) -> None:
    """Exit at once. Until the event loop takes over the signals, there is nothing to clean up."""
    os._exit(0)


if __name__ == "__main__":
    main()
