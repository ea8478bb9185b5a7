"""Lets a test of many at once have the machine to itself, whatever the other workers do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock
from pathlib import Path


class Room:
    """Where tests run. Those of one ``place`` know of each other, in all processes. ``place`` is a file."""

    def __init__(self, place: Path) -> None:
        # Locks are held by a descriptor; they go with the process.
        self._inside = os.open(place, os.O_RDONLY)
        self._door = os.open(place.parent, os.O_RDONLY)

    @contextmanager
    def entered(self, *, alone: bool) -> Iterator[None]:
        """Wait until there is room: side by side with others, or with nobody else inside."""
        how = LOCK_EX if alone else LOCK_SH
        # Who wants to be alone shuts the door, or there would always be somebody inside.
        flock(self._door, how)
        flock(self._inside, how)
        if not alone:
            flock(self._door, LOCK_UN)
        try:
            yield
        finally:
            flock(self._inside, LOCK_UN)
            flock(self._door, LOCK_UN)

    def close(self) -> None:
        """Give the descriptors back."""
        os.close(self._inside)
        os.close(self._door)
