"""What an error of the database means: try again, or say what to do."""

from __future__ import annotations

import ssl

import asyncpg
from asyncpg import exceptions as pg

from bot.errors import FencedError, StoreError

# It passes by itself: the database is away, restarts, moves to another host, or has too much to do.
_PASSING = (
    pg.PostgresConnectionError,
    pg.OperatorInterventionError,
    pg.InsufficientResourcesError,
    pg.TransactionRollbackError,
    pg.ReadOnlySQLTransactionError,
    pg.IdleInTransactionSessionTimeoutError,
    pg.LockNotAvailableError,
    pg.PostgresSystemError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    EOFError,
)
# The operator has to do something.
_LASTING: tuple[tuple[type[BaseException], str], ...] = (
    (
        ssl.SSLCertVerificationError,
        "its certificate does not verify: name its authority's PEM in store.ca_file",
    ),
    (pg.InvalidAuthorizationSpecificationError, "it refuses the user or the password: correct store.url"),
    (pg.InvalidCatalogNameError, "there is no such database: create it, owned by the user in store.url"),
    # PgBouncer, of a setting that it cannot pass on.
    (pg.ProtocolViolationError, "it refuses the session's settings: name PostgreSQL itself, not PgBouncer"),
    (pg.InsufficientPrivilegeError, "the user may not do that: let the user in store.url own the database"),
)
# What asyncpg raises when a call fails. The internal error means that another call broke off before.
FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    EOFError,
)
FENCED = "ZB001"
OUTDATED = "ZB002"


class LastingError(StoreError):
    """The database will not take the program until somebody does something."""


class RefusedError(LastingError):
    """The database does not let the program in. Once it did, that may be about to be mended."""


def translated(error: BaseException, shown: str) -> StoreError | None:
    """The error for the caller; None if the call is to be tried again. Never quotes what was written."""
    state = getattr(error, "sqlstate", None)
    if state == FENCED:
        return FencedError("another replica has taken over this one's work")
    if state == OUTDATED:
        return LastingError("a later zoombot has opened the store: install that version here as well")
    for kind, what in _LASTING:
        if isinstance(error, kind):
            return RefusedError(f"store.url: the database {shown}: {what}")
    if isinstance(error, ssl.SSLError):
        return LastingError(
            f"store.url: the database {shown}: TLS fails ({error.reason or 'no reason given'})"
        )
    if isinstance(error, ValueError):
        # The driver could not send the arguments. Some of its errors of that kind are also "passing" ones.
        return StoreError("what was to be written does not fit the database")
    if isinstance(error, _PASSING):
        return None
    return StoreError(f"the database {shown} refused a call ({type(error).__name__}, {state or 'no state'})")


def described(error: BaseException) -> str:
    """Why the database is away, in a few words."""
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, OSError):
        return error.strerror or "it cannot be reached"
    if isinstance(error, pg.PostgresError):
        return " ".join(str(error).split())[:200]
    return "the connection was lost"
