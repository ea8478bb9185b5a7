"""Records about the store itself: which version its records have, and which of them could not be read."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

# So that their kinds are known, whichever part of the program asks.
from bot.domain import identities, reading, records  # noqa: F401
from bot.domain.records import Record

# The version of the records that this program writes. It is the number of migrations that there are.
SCHEMA_VERSION = 2
# The ids of the only :class:`Schema` and the only :class:`Copying`.
SCHEMA = "store"
COPYING = "store"


class Schema(Record, kw_only=True):
    """The version of a store's records. A store without one is of version 0."""

    table: ClassVar[str] = "schema"

    version: int


class Copying(Record, kw_only=True):
    """A store that has it is being copied from another, or is what is left of a copy that was broken off.

    It is written before all else and removed last. ``source`` is the other store, without its password.
    """

    table: ClassVar[str] = "copying"

    source: str


class SetAside(Record, kw_only=True):
    """A record that could not be read. It is kept as it was found, out of the way of its table.

    ``of`` is its table, ``key`` its id, ``why`` the reason, which does not quote the record. ``seen_at`` is
    when the janitor first saw it (ms), 0 before.
    """

    table: ClassVar[str] = "set_aside"

    of: str
    key: str
    why: str
    body: bytes
    seen_at: int = 0


def known_kinds() -> list[type[Record]]:
    """Every kind of record that the bot has."""
    return [kind for kind in Record.__subclasses__() if kind.__module__.startswith("bot.")]


def name_of(table: str, id_: str) -> str:
    """The name of a record for the operator: its table and its id, printable and without a space."""
    return quote(f"{table}/{id_}", safe=":/@+=~,", errors="surrogateescape")
