"""What can be seen of a database from outside: its server, and the replicas that use it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

# How long replicas are looked at (s): one whose beats stand still for so long is dead to the others, too.
WATCH_S = 8.0


class Pooler(enum.Enum):
    """What stands between the bot and the database."""

    NONE = "nothing"
    # It keeps a connection to the server for each of ours.
    SESSIONS = "a pooler of sessions"
    # It loses what a session has set or locked.
    TRANSACTIONS = "a pooler of transactions"


@dataclass(frozen=True, slots=True)
class SeenReplica:
    """A replica that is registered. ``is_alive``: its beats counted up while one looked."""

    number: int
    host: str
    groups: int
    leads: bool
    is_alive: bool


@dataclass(frozen=True, slots=True)
class SeenDatabase:
    """A database as its user sees it.

    ``version`` is the server's, such as 150004. ``tls`` is the version of TLS, empty without. ``is_owner``:
    the user owns the store's tables, or may create them if there are none. ``unsafe`` names settings with
    which the server may lose what it has confirmed. ``connections``: how many the server takes. ``is_ours``:
    the newest program that has opened the store keeps its records as this one does.
    """

    version: int
    tls: str
    pooler: Pooler
    has_store: bool
    is_owner: bool
    unsafe: Sequence[str]
    connections: int
    replicas: Sequence[SeenReplica] = ()
    is_ours: bool = True

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.version // 10_000
