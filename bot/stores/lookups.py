"""The one thread that reads the file, and what it is asked."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from bot.errors import StoreError
from bot.stores.indexes import Entry
from bot.stores.reading import Reader, Unreadable
from bot.stores.sqlite import Key, checksum, damaged, trouble

T = TypeVar("T")

# Keys that may be looked up together. Some builds of SQLite take no more than 999 parameters.
TOGETHER = 400
# Questions that may wait for the disk.
WAITING = 10_000
_ALL = "SELECT kind, id, body, crc FROM documents"
# Each key is looked up; with "IN" SQLite would read the whole table.
_BY_KEY = """
    WITH wanted(kind, id) AS (VALUES {})
    SELECT d.kind, d.id, d.body, d.crc
    FROM wanted CROSS JOIN documents d ON d.kind = wanted.kind AND d.id = wanted.id
"""
_OF_KIND = f"{_ALL} WHERE kind = ?"
_FOUND = """
    SELECT d.kind, d.id, d.body, d.crc FROM entries e JOIN documents d ON d.kind = e.kind AND d.id = e.id
    WHERE e.kind = ? AND e.field = ? AND e.value = ?
"""
_COUNT = "SELECT count(*) FROM documents WHERE kind = ?"
_IDS = "SELECT id FROM entries WHERE kind = ? AND field = ? AND value = ? LIMIT ?"


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Row:
    """A document as it is in the file. ``fault`` says why it is damaged; it is empty if it is not."""

    table: str
    id: str
    body: bytes
    fault: str = ""

    @property
    def unreadable(self) -> Unreadable:
        """The document as one that cannot be read."""
        return Unreadable(self.table, self.id, self.body, self.fault)


@dataclass(slots=True)
class _Question(Generic[T]):
    sql: str
    parameters: Sequence[Any]
    take: Callable[[Iterator[Any]], T]
    answer: asyncio.Future[T]


class Lookups:
    """Answers questions about the file, in the order in which they are asked.

    :meth:`wait_begun` lets the writer wait until a question sees the file: so an answer shows the moment at
    which it was asked. Raises :class:`StoreError`. Owns the connection and closes it.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, when_closed: Callable[[], None] = _nothing
    ) -> None:
        self._path = path
        self._when_closed = when_closed
        self._connection = connection
        # One row that is not UTF-8 must not end the reading.
        connection.text_factory = bytes
        self._loop = asyncio.get_running_loop()
        self._closed: asyncio.Future[None] = self._loop.create_future()
        # How many questions were asked, and how many of them see the file.
        self.asked = 0
        # Guarded by the condition.
        self._changed = threading.Condition()
        self._begun = 0
        self._questions: deque[_Question[Any]] = deque()
        self._closing = False
        threading.Thread(target=self._run, name="store reader", daemon=True).start()

    def bodies(self, keys: Sequence[Key]) -> asyncio.Future[list[Row]]:
        """The documents with these keys, as far as they exist: at most :data:`TOGETHER` keys."""
        some = [key for key in keys if _is_text(key)]
        values = ",".join(["(?,?)"] * len(some))
        return self._ask(_BY_KEY.format(values), [part for key in some for part in key], _rows)

    def found(self, table: str, field: str, value: bytes) -> asyncio.Future[list[Row]]:
        """The documents of a table whose indexed field has this value, as JSON."""
        return self._ask(_FOUND, (table, field, value), _rows)

    def ids(self, table: str, field: str, value: bytes, limit: int) -> asyncio.Future[list[str]]:
        """Ids of such documents, at most ``limit``."""
        return self._ask(_IDS, (table, field, value, limit), _ids)

    def all(self, table: str) -> asyncio.Future[list[Row]]:
        """Every document of a table."""
        return self._ask(_OF_KIND, (table,), _rows)

    def page(
        self, table: str, entry: Entry | None, after: str | None, limit: int
    ) -> asyncio.Future[list[Row]]:
        """The next documents of a table, in the order of their ids, or only those with an entry. ``after`` is
        the last id before, None at first."""
        sql, name, parameters = (_FOUND, "e.id", [table, *entry]) if entry else (_OF_KIND, "id", [table])
        if after is not None:
            sql, parameters = f"{sql} AND {name} > ?", [*parameters, after]
        return self._ask(f"{sql} ORDER BY {name} LIMIT ?", [*parameters, limit], _rows)

    def count(self, table: str) -> asyncio.Future[int]:
        """How many documents a table has."""
        return self._ask(_COUNT, (table,), lambda rows: sum(int(number) for (number,) in rows))

    def faults(self, readers: dict[str, Reader[Any]]) -> asyncio.Future[list[Unreadable]]:
        """Look at every document of the file, and return those that cannot be read."""
        return self._ask(_ALL, (), lambda rows: list(_faults(rows, readers)))

    async def require_sound(self) -> None:
        """Raise :class:`StoreDamagedError` if any page of the file is damaged."""
        verdict = await self._ask("PRAGMA quick_check(1)", (), lambda rows: _text(next(rows)[0]))
        if verdict != "ok":
            raise damaged(self._path, verdict)

    def wait_begun(self, number: int) -> None:
        """Wait until the first ``number`` questions see the file. To be called in another thread."""
        with self._changed:
            self._changed.wait_for(lambda: self._begun >= number or self._closing)

    async def close(self, timeout_s: float) -> None:
        """Answer what was asked, then close, within this time."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._closed)

    def _ask(
        self, sql: str, parameters: Sequence[Any], take: Callable[[Iterator[Any]], T]
    ) -> asyncio.Future[T]:
        question = _Question(sql, parameters, take, self._loop.create_future())
        if not all(map(_is_encodable, parameters)):
            # SQLite knows no such text.
            question.answer.set_result(take(iter(())))
            return question.answer
        with self._changed:
            if refusal := self._refusal():
                question.answer.set_exception(StoreError(refusal))
                return question.answer
            self.asked += 1
            self._questions.append(question)
            self._changed.notify_all()
        return question.answer

    def _refusal(self) -> str:
        """Why no more may be asked; empty if there is room."""
        if self._closing:
            return "the store is closed"
        waiting = len(self._questions)
        return f"{waiting} questions wait for the disk: no more are accepted" if waiting >= WAITING else ""

    # In the thread.

    def _run(self) -> None:
        while (question := self._next()) is not None:
            try:
                result = self._answer(question)
            except BaseException as error:
                self._tell(_set_exception, question.answer, self._error(error))
            else:
                self._tell(_set_result, question.answer, result)
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._when_closed()
        self._tell(_set_result, self._closed, None)

    def _next(self) -> _Question[Any] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._questions or self._closing)
            return self._questions.popleft() if self._questions else None

    def _answer(self, question: _Question[T]) -> T:
        try:
            # The first step is taken here, so that from now on later writes are not seen.
            rows = self._connection.execute(question.sql, question.parameters)
        finally:
            with self._changed:
                self._begun += 1
                self._changed.notify_all()
        try:
            return question.take(rows)
        finally:
            rows.close()

    def _error(self, error: BaseException) -> StoreError:
        if isinstance(error, sqlite3.DatabaseError):
            return trouble(self._path, error)
        return StoreError(f"the store {self._path} cannot be read: {type(error).__name__}")

    def _tell(self, callback: Callable[..., None], *args: object) -> None:
        # If the loop is closed, nobody waits any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *args)


def _set_result(answer: asyncio.Future[T], result: T) -> None:
    if not answer.done():
        answer.set_result(result)


def _set_exception(answer: asyncio.Future[Any], error: StoreError) -> None:
    if not answer.done():
        answer.set_exception(error)


def _rows(rows: Iterator[Any]) -> list[Row]:
    return [_row(*row) for row in rows]


def _ids(rows: Iterator[Any]) -> list[str]:
    return [_text(id_) for (id_,) in rows]


def _row(kind: object, id_: object, body: object, crc: object) -> Row:
    table, name = _text(kind), _text(id_)
    kept = body if isinstance(body, bytes) else str(body).encode()
    return Row(table, name, kept, _fault(table, name, body, crc))


def _faults(rows: Iterator[Any], readers: dict[str, Reader[Any]]) -> Iterator[Unreadable]:
    for row in (_row(*each) for each in rows):
        reader = readers.get(row.table)
        fault = row.fault or (reader.fault(row.id, row.body) if reader else "")
        if fault:
            yield Unreadable(row.table, row.id, row.body, fault)


def _text(value: object) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def _fault(kind: str, id_: str, body: object, crc: object) -> str:
    try:
        right = isinstance(body, bytes) and crc == checksum(kind, id_, body)
    except UnicodeEncodeError:
        return "its id is not UTF-8"
    return "" if right else "its checksum is wrong"


def _is_text(key: Key) -> bool:
    return all(map(_is_encodable, key))


def _is_encodable(value: object) -> bool:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
    return True
