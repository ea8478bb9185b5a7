"""The lock that keeps a second process from writing to the same file."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from bot.errors import StoreError, StoreLockedError
from bot.stores.access import access_trouble


class FileLock:
    """Held from construction to :meth:`release`; the system frees it when the process dies.

    Raises :class:`StoreLockedError` at once if it is taken, even by this process itself. The lock file
    (``<store>-lock``) is never removed: two processes could then lock two files of the same name.
    """

    def __init__(self, path: Path) -> None:
        lock = path.with_name(path.name + "-lock")
        try:
            self._descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            why = access_trouble(path) or error.strerror
            raise StoreError(f"the store's lock {lock} cannot be created: {why}") from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            if not isinstance(error, BlockingIOError):
                raise StoreError(f"the store's lock {lock} does not work here: {error.strerror}") from None
            raise StoreLockedError(
                f"the store {path} is in use by process {holder or '(unknown)'}: "
                "stop that zoombot first, or give this one its own store.url"
            ) from None
        # Only for the message above. The lock works without it, for instance on a full disk.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Free the lock."""
        os.close(self._descriptor)
