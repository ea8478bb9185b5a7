"""What the store asks the file: no question reads a whole table, however large it is."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bot.errors import StoreDamagedError, StoreError
from bot.stores import Delete, Put, Update
from bot.stores import lookups as lookups_module
from bot.stores.lookups import Lookups, Row
from bot.stores.opening import open_store
from tests.stores.kinds import Thing
from tests.stores.test_opening import fill

Ask = Callable[[Lookups], asyncio.Future[Any]]
ENTRY = ("on", b"true")
QUESTIONS: dict[str, Ask] = {
    "one": lambda lookups: lookups.bodies([("things", "7")]),
    "some": lambda lookups: lookups.bodies([("things", "7"), ("things", "9"), ("others", "x")]),
    "found": lambda lookups: lookups.found("things", *ENTRY),
    "ids": lambda lookups: lookups.ids("things", *ENTRY, 2),
    "page": lambda lookups: lookups.page("things", None, None, 5),
    "next page": lambda lookups: lookups.page("things", None, "7", 5),
    "page found": lambda lookups: lookups.page("things", ENTRY, None, 5),
    "next page found": lambda lookups: lookups.page("things", ENTRY, "7", 5),
}


class Noting(sqlite3.Connection):
    """Notes how SQLite answers each question."""

    plans: list[str]

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        for row in super().execute(f"EXPLAIN QUERY PLAN {sql}", parameters):
            self.plans.append(row[3].decode() if isinstance(row[3], bytes) else row[3])
        return super().execute(sql, parameters)


def held_up(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set it to let the disk answer."""
    released, answer = threading.Event(), Lookups._answer

    def slow(self: Lookups, question: Any) -> Any:
        assert released.wait(30)
        return answer(self, question)

    monkeypatch.setattr(Lookups, "_answer", slow)
    return released


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
async def test_every_question_is_answered_by_an_index(tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    connection = sqlite3.connect(path, check_same_thread=False, factory=Noting)
    connection.plans = []
    lookups = Lookups(path, connection)
    assert await ask(lookups)
    await lookups.close(5)
    read = [plan for plan in connection.plans if "SCAN" in plan and "CONSTANT" not in plan]
    assert [plan for plan in read if not plan.startswith(("SCAN wanted", "SCAN 2"))] == []
    assert any("PRIMARY KEY" in plan for plan in connection.plans)
    assert not any("TEMP B-TREE" in plan for plan in connection.plans)


async def test_what_the_disk_does_not_answer_is_an_error_for_whoever_asked(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    store = await open_store(f"tinydb:{path}")
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("ALTER TABLE documents RENAME TO elsewhere")
        with pytest.raises(StoreError, match="cannot be read"):
            await store.get(Thing, "499")
        connection.execute("ALTER TABLE elsewhere RENAME TO documents")
    assert await store.get(Thing, "499") is not None
    await store.close()


async def test_a_change_that_could_look_nothing_up_leaves_nothing_stale(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    store = await open_store(f"tinydb:{path}")
    assert await store.get(Thing, "7") is not None
    with closing(sqlite3.connect(path, timeout=5)) as connection:
        connection.execute("ALTER TABLE documents RENAME TO elsewhere")
        with pytest.raises(StoreError, match="cannot be read"):
            await store.commit(*(Update(Thing, id_, lambda thing: thing) for id_ in ("7", "8")))
        connection.execute("ALTER TABLE elsewhere RENAME TO documents")
    await store.commit(Put(Thing(id="7", number=99)))
    found = await store.get(Thing, "7")
    assert found is not None
    assert found.number == 99
    changed = await store.update(Thing, "7", lambda thing: replace(thing, note="new"))
    assert changed is not None
    assert changed.number == 99
    await store.close()


async def test_a_question_after_closing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    lookups = Lookups(path, sqlite3.connect(path, check_same_thread=False))
    await lookups.close(5)
    with pytest.raises(StoreError, match="closed"):
        await asyncio.wait_for(lookups.all("things"), 5)


async def test_a_disk_that_does_not_answer_is_not_asked_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    store = await open_store(f"tinydb:{path}")
    released = held_up(monkeypatch)
    monkeypatch.setattr(lookups_module, "WAITING", 3)
    asked = [asyncio.ensure_future(store.get(Thing, f"{number}")) for number in range(9)]
    refused, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    for each in refused:
        with pytest.raises(StoreError, match="3 questions wait"):
            await each
    released.set()
    results = await asyncio.gather(*asked, return_exceptions=True)
    # The thread has taken the first one already, or not yet.
    assert sum(isinstance(each, Thing) for each in results) in (3, 4)
    assert await store.get(Thing, "8") is not None
    await store.close()


async def test_a_change_of_very_many_looks_them_all_up(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    store = await open_store(f"tinydb:{path}")
    await store.commit(*(Update(Thing, f"{n}", lambda thing: replace(thing, note="new")) for n in range(500)))
    assert {thing.note for thing in await store.all(Thing)} == {"new"}
    await store.close()


async def test_a_row_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE documents SET crc = 1 WHERE id = '7'")
    lookups = Lookups(path, sqlite3.connect(path, check_same_thread=False))
    (row,) = await lookups.bodies([("things", "7")])
    assert isinstance(row, Row)
    assert "checksum" in row.fault
    await lookups.require_sound()
    await lookups.close(5)


async def test_a_page_that_is_damaged_is_named_as_damage(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xaa" * 4096 + content[8192:])
    lookups = Lookups(path, sqlite3.connect(path, check_same_thread=False))
    with pytest.raises(StoreDamagedError):
        await lookups.require_sound()
    await lookups.close(5)


async def test_whoever_goes_away_while_something_is_looked_up_leaves_nothing_stale(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    store = await open_store(f"tinydb:{path}")
    left = asyncio.ensure_future(store.get(Thing, "7"))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait([left])
    await store.update(Thing, "7", lambda thing: replace(thing, note="new"))
    for number in range(100):
        await store.get(Thing, f"{number}")
    found = await store.get(Thing, "7")
    assert found is not None
    assert found.note == "new"
    await store.close()


async def test_the_writer_waits_for_what_was_asked_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    store = await open_store(f"tinydb:{path}")
    released = held_up(monkeypatch)
    listing = asyncio.ensure_future(store.find(Thing, "on", True))
    await asyncio.sleep(0)
    deleting = asyncio.ensure_future(store.commit(*(Delete(Thing, f"{number}") for number in range(500))))
    _, waiting = await asyncio.wait([deleting], timeout=0.1)
    assert waiting
    released.set()
    assert len(await listing) == 500
    await deleting
    assert await store.find(Thing, "on", True) == []
    await store.close()


@pytest.mark.parametrize("found", [False, True])
async def test_an_answer_that_comes_after_a_change_was_written_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    store = await open_store(f"tinydb:{path}")
    released, rows = threading.Event(), lookups_module._rows

    def slow(read: Any) -> list[Row]:
        taken = rows(read)
        assert released.wait(30)
        return taken

    async def seven() -> list[Thing | None]:
        return [*await store.find(Thing, "number", 7)] if found else [await store.get(Thing, "7")]

    with monkeypatch.context() as patch:
        patch.setattr(lookups_module, "_rows", slow)
        asking = asyncio.ensure_future(seven())
        await asyncio.sleep(0)
    # The file is read by now, but nobody has the answer.
    await store.commit(Put(Thing(id="7", number=99)))
    released.set()
    (before,) = await asking
    assert before is not None
    assert before.number == 7
    now = await store.get(Thing, "7")
    assert now is not None
    assert now.number == 99
    assert await store.find(Thing, "number", 7) == []
    await store.close()


@pytest.mark.parametrize("ask", ["find", "all"])
async def test_a_long_answer_is_looked_at_in_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    store = await open_store(f"tinydb:{path}")
    await store.commit(*(Put(Thing(id=f"many{number}", number=5)) for number in range(2_000)))
    await store.close()
    store = await open_store(f"tinydb:{path}")
    looked, slices = 0, [0]

    def look(row: Row) -> str:
        nonlocal looked
        looked += 1
        return ""

    async def others() -> None:
        nonlocal looked
        while True:
            slices.append(looked)
            looked = 0
            await asyncio.sleep(0)

    # Each row that is looked at is asked for this.
    monkeypatch.setattr(Row, "fault", property(look, lambda row, fault: None))
    other = asyncio.create_task(others())
    found = await (store.find(Thing, "number", 5) if ask == "find" else store.all(Thing))
    other.cancel()
    await store.close()
    assert len(found) >= 2_000
    assert max(*slices, looked) <= 200
