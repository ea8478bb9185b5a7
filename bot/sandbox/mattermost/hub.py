"""All WebSocket connections, and which of them get an event."""

from __future__ import annotations

import time
from collections.abc import Container

from bot.sandbox.mattermost.connection import Connection

# Seconds for which a lost connection can be resumed.
KEEP_S = 300.0


class Hub:
    """The open connections, and the lost ones that can still be resumed."""

    def __init__(self) -> None:
        self._connections: dict[str, Connection] = {}

    def connections(self, user_id: str = "") -> list[Connection]:
        """The open connections of one user, or of all users."""
        return [
            connection
            for connection in self._connections.values()
            if connection.open and user_id in ("", connection.user_id)
        ]

    def everybody(self) -> set[str]:
        """The ids of all users with a connection."""
        return {connection.user_id for connection in self._connections.values()}

    def register(self, connection: Connection) -> None:
        """Add an authenticated connection and drop those lost too long ago."""
        now = time.monotonic()
        for old in [
            one for one in self._connections.values() if not one.open and now - one.dropped_at > KEEP_S
        ]:
            del self._connections[old.id]
        self._connections[connection.id] = connection

    def resumable(self, connection_id: str, user_id: str, seq: int) -> Connection | None:
        """The user's lost connection, if it can be resumed at this sequence number."""
        connection = self._connections.get(connection_id)
        if (
            connection is None
            or connection.open
            or connection.deaf
            or connection.user_id != user_id
            or not connection.resumes_at(seq)
        ):
            return None
        return connection

    def tell(self, event: str, users: Container[str], *, omit: str = "") -> None:
        """Send an event to these users, except `omit`."""
        for connection in self._connections.values():
            if connection.user_id in users and connection.user_id != omit:
                connection.tell(event)

    def deafen(self, user_id: str, *, revoked: bool = False) -> None:
        """Keep the user's sockets open but send no more events. If ``revoked``, requests are refused;
        otherwise nothing answers them."""
        for connection in self._connections.values():
            if connection.user_id == user_id:
                connection.deaf = True
                connection.revoked = connection.revoked or revoked

    def cut(self, user_id: str = "") -> None:
        """Cut the sockets. Their connections can be resumed."""
        for connection in self.connections(user_id):
            connection.cut()

    def forget(self) -> None:
        """Drop all lost connections, so that none can be resumed."""
        self._connections = {
            connection.id: connection for connection in self._connections.values() if connection.open
        }
