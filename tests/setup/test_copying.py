"""`zoombot store copy`: from a file into a database, and back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from bot.clock import now_ms
from bot.config import Config
from bot.domain.records import Item, LinkedAccount, Pending, Record
from bot.domain.upkeep import COPYING, SCHEMA, Copying, Schema, SetAside
from bot.errors import ConfigError, StoreError, StoreLockedError
from bot.setup.copying import CONFIG, copy
from bot.setup.progress import Advance
from bot.stores import Delete, Put, Store
from bot.stores.opening import open_store, standstill
from bot.stores.postgresql.schema import COMMITS
from bot.vault import Vault, new_key
from tests.processes import Setting, Shell
from tests.stores.conftest import spoil_row
from tests.stores.kinds import Thing
from tests.stores.replica import replica
from tests.stores.server import execute, in_thread, new_database

ODD = ["", "a\0b", "ä", "x" * 3000, "\U0001f600"]


async def fill(config: Config, count: int = 1_100) -> None:
    """Records of several kinds, more than two pages of one, one with each odd id, and one that is set aside."""
    vault = Vault(config.store.encryption_keys)
    store = await open_store(config.store.url)
    tokens = vault.seal("alice", "tokens")
    link = LinkedAccount(
        id="alice", zoom_user_id="z", email="e", sealed_tokens=tokens, expires_at=1, linked_at=1
    )
    item = Item(id="post:1", kind="request", queue="x", asked_at=now_ms(), received_at=now_ms(), sealed="s")
    aside = SetAside(id="pending/a", of="pending", key="a", why="it is damaged", body=b"\xff\0")
    things = [Thing(id=name, number=5) for name in ODD] + [
        Thing(id=f"t{n:05}", number=n % 3) for n in range(count)
    ]
    await store.commit(Put(link), Put(item), Put(aside), Put(Schema(id=SCHEMA, version=1)), *map(Put, things))
    await store.close()


async def everything(url: str) -> dict[str, list[Record]]:
    """Every record of a store, by its table."""
    store = await open_store(url, readonly=True)
    try:
        found = {
            kind.table: [each async for page in store.pages(kind) for each in page]
            for kind in Record.__subclasses__()
        }
        assert len(await store.find(Thing, "number", 5)) in (0, len(ODD))
    finally:
        await store.close()
    return {table: records for table, records in found.items() if records}


async def test_a_store_goes_there_and_back(stored: Config, tmp_path: Path) -> None:
    await fill(stored)
    before, there, back = await everything(stored.store.url), new_database(), f"tinydb:{tmp_path / 'back.db'}"
    assert set(before) >= {"links", "inbox", "set_aside", "schema", "things"}
    copied = await copy(stored, CONFIG, there)
    assert copied.records == sum(map(len, before.values()))
    assert await everything(there) == before
    moved = replace(stored, store=replace(stored.store, url=there))
    await copy(moved, CONFIG, back)
    assert await everything(back) == before
    # What was copied is as it was.
    assert await everything(stored.store.url) == await everything(there) == before
    store = await open_store(back)
    assert len(await store.find(Thing, "number", 5)) == len(ODD)
    await store.close()


async def test_what_cannot_be_read_is_copied_as_what_is_set_aside(stored: Config, tmp_path: Path) -> None:
    await fill(stored, 3)
    spoil_row(tmp_path / "zoombot.db", "things", "t00001", b"hunter2", 0)
    there = new_database()
    await copy(stored, CONFIG, there)
    store = await open_store(there, readonly=True)
    assert await store.get(Thing, "t00001") is None
    assert {each.id for each in await store.all(SetAside)} == {"pending/a", "things/t00001"}
    await store.close()


@pytest.mark.parametrize("kind", ["tinydb", "postgresql"])
async def test_a_target_that_is_not_empty_is_left_as_it_is(stored: Config, tmp_path: Path, kind: str) -> None:
    await fill(stored, 3)
    there = f"tinydb:{tmp_path / 'there.db'}" if kind == "tinydb" else new_database()
    store = await open_store(there)
    await store.commit(Put(Thing(id="own", number=1)))
    await store.close()
    for _ in range(2):
        with pytest.raises(StoreError, match="is not empty"):
            await copy(stored, CONFIG, there)
    assert await everything(there) == {"things": [Thing(id="own", number=1)]}


async def test_an_empty_store_is_a_target(stored: Config) -> None:
    await fill(stored, 3)
    there = new_database()
    await (await open_store(there)).close()
    await copy(stored, CONFIG, there)
    assert await everything(there) == await everything(stored.store.url)


class BreakError(Exception):
    """What breaks a copy off."""


@contextlib.contextmanager
def breaking(name: str, total: int) -> Iterator[Advance]:
    """Breaks off within the second page of things."""
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if done > 600:
            raise BreakError

    yield advance


@pytest.mark.parametrize("kind", ["tinydb", "postgresql"])
async def test_a_copy_that_was_broken_off_is_no_store_and_is_run_again(
    stored: Config, tmp_path: Path, kind: str
) -> None:
    await fill(stored)
    there = f"tinydb:{tmp_path / 'there.db'}" if kind == "tinydb" else new_database()
    with pytest.raises(BreakError):
        await copy(stored, CONFIG, there, breaking)
    for readonly in (False, True):
        with pytest.raises(StoreError, match=r"unfinished copy of tinydb:.*store copy"):
            await open_store(there, readonly=readonly)
    half = replace(stored, store=replace(stored.store, url=there))
    with pytest.raises(StoreError, match="unfinished copy"):
        await copy(half, CONFIG, f"tinydb:{tmp_path / 'third.db'}")
    # What the source lost since must not be in the target.
    source = await open_store(stored.store.url)
    await source.commit(Delete(Thing, "t00000"), Delete(Pending, "none"))
    await source.close()
    other = replace(stored, store=replace(stored.store, url=f"tinydb:{tmp_path / 'other.db'}"))
    await fill(other, 3)
    with pytest.raises(StoreError, match=r"unfinished copy of tinydb:.*zoombot.db: name a new one"):
        await copy(other, CONFIG, there)
    await copy(stored, CONFIG, there)
    assert await everything(there) == await everything(stored.store.url)


async def test_the_bot_must_run_on_neither(stored: Config) -> None:
    await fill(stored, 3)
    there, empty = new_database(), new_database()
    running = await open_store(stored.store.url)
    with pytest.raises(StoreLockedError, match="stop that zoombot first"):
        await copy(stored, CONFIG, there)
    await running.close()
    async with replica(there):
        for source, target in ((CONFIG, there), (there, empty)):
            with pytest.raises(StoreLockedError, match=r"replicas of the bot .*: stop them all first"):
                await copy(stored, source, target)
    await copy(stored, CONFIG, empty)


async def test_nobody_changes_a_database_while_it_is_copied(stored: Config) -> None:
    url = new_database()
    store, watching = await open_store(url), await asyncpg.connect(url)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1"
    async with standstill(store) as still:
        changing = asyncio.create_task(store.commit(Put(Thing(id="a", number=1))))
        async with asyncio.timeout(4):
            while not await watching.fetchval(waiting, COMMITS & 0xFFFFFFFF):
                await asyncio.sleep(0)
        await still()
        assert not changing.done()
        assert not await watching.fetchval("SELECT count(*) FROM zoombot.documents")
    await changing
    assert await store.get(Thing, "a") is not None
    await watching.close()
    await store.close()


async def test_a_standstill_that_was_lost_is_an_error(stored: Config) -> None:
    url = new_database()
    store = await open_store(url)

    async def ended() -> None:
        async with standstill(store) as still:
            await execute(url, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
            await still()

    with pytest.raises(StoreError):
        await ended()
    await store.close()


async def test_what_something_else_writes_to_the_target_is_noticed(stored: Config) -> None:
    await fill(stored, 3)
    there = new_database()

    @contextlib.contextmanager
    def disturbed(name: str, total: int) -> Iterator[Advance]:
        yield lambda done: None
        other = "INSERT INTO zoombot.documents VALUES ('things', 'x', '{}', '{}')"
        in_thread(execute(there, other))

    with pytest.raises(StoreError, match="something else writes"):
        await copy(stored, CONFIG, there, disturbed)
    with pytest.raises(StoreError, match="unfinished copy"):
        await open_store(there)


async def test_a_name_that_is_none_and_a_source_that_is_not_there(stored: Config, tmp_path: Path) -> None:
    for source, target in (("mysql://x", CONFIG), (CONFIG, "mysql://x")):
        with pytest.raises(ConfigError, match=r"^(FROM|TO): must be"):
            await copy(stored, source, target)
    for nowhere in (CONFIG, new_database()):
        with pytest.raises(StoreError, match="there is no store"):
            await copy(stored, nowhere, f"tinydb:{tmp_path / 'there.db'}")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StoreError, match="the same store"):
        await copy(stored, CONFIG, stored.store.url)


async def test_the_command_says_what_it_did_and_shows_no_password(setting: Setting, shell: Shell) -> None:
    url = new_database().replace("zoombot@", "zoombot:hunter2@")
    shown = url.replace(":hunter2", "")
    store = await open_store(f"tinydb:{setting.store}")
    await store.commit(Put(Schema(id=SCHEMA, version=1)))
    await store.close()
    setting.write(store={"url": url})
    assert await shell.result("store", "copy", f"tinydb:{setting.store}", "config") == (
        0,
        f"1 records of tinydb:{setting.store} are now in {shown}.",
        [],
    )
    status, out, err = await shell.result("store", "copy", f"tinydb:{setting.store}", "config")
    assert (status, out, err) == (1, "", [f"the store {shown} is not empty: name a new one"])
    status, out, err = await shell.result("store", "copy", "nothing", "config")
    assert (status, out, len(err)) == (2, "", 1)
    half = await open_store(url)
    await half.commit(Put(Copying(id=COPYING, source="tinydb:x")))
    await half.close()
    status, out, err = await shell.result("run")
    assert (status, out) == (1, "")
    assert "unfinished copy of tinydb:x" in err[-1]
    assert "hunter2" not in "".join(err)


@pytest.mark.parametrize("arguments", [("store", "copy", "config", "tinydb:there.db"), ("keys", "rotate")])
async def test_a_terminal_shows_how_far_it_is(
    setting: Setting, shell: Shell, arguments: tuple[str, ...]
) -> None:
    key = new_key()
    setting.write(store={"encryption_keys": [key]})
    store: Store = await open_store(f"tinydb:{setting.store}")
    await store.commit(Put(Pending(id="a", user_id="a", sealed=Vault([key]).seal("a", "x"), asked_at=1)))
    await store.close()
    terminal, end = pty.openpty()
    command = await shell.start(arguments, stderr=end)
    os.close(end)
    assert await command.ends() == 0
    assert b"100%" in os.read(terminal, 10_000)
    os.close(terminal)
