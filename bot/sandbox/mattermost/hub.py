"""All WebSocket connections: who is told what."""

from __future__ import annotations

import time
from collections.abc import Container

from bot.sandbox.mattermost.line import Line

# How long, in seconds, a lost connection can be resumed.
KEEP_S = 300.0


class Hub:
    """The connections, open ones and those that may come back."""

    def __init__(self) -> None:
        self._lines: dict[str, Line] = {}

    def lines(self, user_id: str = "") -> list[Line]:
        """The open connections of a user, or of everybody."""
        return [line for line in self._lines.values() if line.open and user_id in ("", line.user_id)]

    def everybody(self) -> set[str]:
        """The users who have a connection that may see events."""
        return {line.user_id for line in self._lines.values()}

    def register(self, line: Line) -> None:
        """A connection was authenticated."""
        now = time.monotonic()
        for old in [one for one in self._lines.values() if not one.open and now - one.dropped_at > KEEP_S]:
            del self._lines[old.id]
        self._lines[line.id] = line

    def resumable(self, connection_id: str, user_id: str, seq: int) -> Line | None:
        """The lost connection that can go on at this sequence number."""
        line = self._lines.get(connection_id)
        if line is None or line.open or line.deaf or line.user_id != user_id or not line.resumes_at(seq):
            return None
        return line

    def tell(self, event: str, users: Container[str], *, omit: str = "") -> None:
        """Tell an event to all of these users but one."""
        for line in self._lines.values():
            if line.user_id in users and line.user_id != omit:
                line.tell(event)

    def deafen(self, user_id: str) -> None:
        """The user's sockets stay open, and deliver and answer nothing any more."""
        for line in self._lines.values():
            if line.user_id == user_id:
                line.deaf = True

    def cut(self, user_id: str = "") -> None:
        """Cut the sockets; their queues stay."""
        for line in self.lines(user_id):
            line.cut()

    def forget(self) -> None:
        """No lost connection can be resumed any more."""
        self._lines = {line.id: line for line in self._lines.values() if line.open}
