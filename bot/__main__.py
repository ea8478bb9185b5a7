"""The command ``zoombot``; ``python -m bot`` is the same."""

from __future__ import annotations

import os
import signal
import sys

# What runs until it is told to stop: being told so is how it ends well.
_LASTING = ("run", "demo")


def main() -> None:
    """Take signals from the first moment, then run the command: its imports take a while."""
    if sys.argv[1:2] and sys.argv[1] in _LASTING:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)
    from bot.cli import main as command

    command()


def _leave(number: int, frame: object) -> None:
    """Until the loop takes the signals over nothing was begun that would have to be put in order."""
    os._exit(0)


if __name__ == "__main__":
    main()
