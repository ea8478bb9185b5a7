"""Opens the store in a database."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack

from bot.config.database import Database as Address
from bot.config.database import WrongAddressError, read_address
from bot.domain.upkeep import SCHEMA, SCHEMA_VERSION, Schema
from bot.errors import StoreError
from bot.stores.indexes import Indexes
from bot.stores.postgresql.database import Connection, Database
from bot.stores.postgresql.looking import look
from bot.stores.postgresql.schema import is_there, prepare
from bot.stores.postgresql.session import Session
from bot.stores.postgresql.store import PostgresStore
from bot.stores.seen import SeenDatabase


async def open_database(
    url: str,
    indexes: Indexes,
    *,
    ca_file: str,
    readonly: bool,
    on_trouble: Callable[[str], None],
    patience_s: float,
) -> PostgresStore:
    """The store in the database of this URL. Makes its tables where they are missing.

    ``readonly`` refuses changes, and makes no tables. ``patience_s``: how long to wait for a database that is
    away. Raises :class:`StoreError`.
    """
    address = _address(url)
    async with AsyncExitStack() as stack:
        database = Database(address, ca_file, on_trouble)
        name = name_here()
        await database.open(name, patience_s)
        stack.push_async_callback(database.close)
        await database.call(lambda connection: _prepared(connection, indexes, address.shown, readonly))
        session = Session(database, name)
        store = PostgresStore(database, session, indexes, on_trouble, writes=not readonly)
        schema = await store.get(Schema, SCHEMA)
        if schema is not None and schema.version > SCHEMA_VERSION:
            raise StoreError(
                f"the store {address.shown} was written by a later zoombot: install that version again"
            )
        stack.pop_all()
    return store


async def look_at(url: str, ca_file: str, indexes: Indexes, watch_s: float) -> SeenDatabase:
    """The database of this URL as its user sees it; see :func:`bot.stores.postgresql.looking.look`."""
    return await look(Database(_address(url), ca_file, _ignore), name_here(), indexes, watch_s)


def _address(url: str) -> Address:
    try:
        return read_address(url)
    except WrongAddressError as error:
        raise StoreError(f"store.url: {error}") from None


def _ignore(line: str) -> None:
    pass


def name_here() -> str:
    """What the database calls this process. A container may have the host name of its predecessor."""
    return f"zoombot {socket.gethostname()[:30]} {secrets.token_hex(4)}"


async def _prepared(connection: Connection, indexes: Indexes, shown: str, readonly: bool) -> None:
    if not readonly:
        await prepare(connection, indexes, shown)
    elif not await is_there(connection):
        raise StoreError(f"there is no store in {shown} yet: `zoombot run` creates it")
