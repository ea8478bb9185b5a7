"""Reads the records of one kind, and says why one cannot be read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from bot.stores import R

T = TypeVar("T")

# Documents decoded before other tasks get their turn.
_SLICE = 100


class UnreadableError(Exception):
    """A record cannot be read. The text says why and does not quote the record."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot be read: where it was, what it was, and why."""

    table: str
    id: str
    body: bytes
    why: str


class Reader(Generic[R]):
    """Reads records of one kind from JSON."""

    __slots__ = ("_decoder",)

    def __init__(self, kind: type[R]) -> None:
        self._decoder = msgspec.json.Decoder(kind)

    def read(self, body: bytes) -> R:
        """The record. Raises :class:`UnreadableError`."""
        try:
            return self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise UnreadableError(_reason(error)) from None

    def readable(self, body: bytes) -> R | None:
        """The record; None if it cannot be read, or not be written again."""
        try:
            record = self.read(body)
            msgspec.json.encode(record)
        except (UnreadableError, TypeError, ValueError, OverflowError):
            return None
        return record

    def sound(self, id_: str, body: bytes) -> R | None:
        """The record that is kept under this id, None if it cannot be used; see :meth:`fault`."""
        record = self.readable(body)
        return record if record is not None and record.id == id_ else None

    def fault(self, id_: str, body: bytes) -> str:
        """Why the record that is kept under this id cannot be used; empty if it can."""
        try:
            record = self.read(body)
            msgspec.json.encode(record)
        except UnreadableError as error:
            return str(error)
        except (TypeError, ValueError, OverflowError):
            return "it has a value that cannot be written again"
        return "" if record.id == id_ else "it is kept under the id of another record"


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, UnicodeError):
        return "it is not UTF-8"
    # The decoder quotes values of the record.
    text = re.sub(r"""(['"]).*\1""", "(hidden)", str(error), flags=re.DOTALL)
    return text[:1].lower() + text[1:200]


async def slowly(each: Iterable[T]) -> AsyncIterator[T]:
    """The same, and other tasks get their turn in between."""
    for number, one in enumerate(each):
        if number and not number % _SLICE:
            await asyncio.sleep(0)
        yield one
