"""The database is away, refuses, or is not the one that was meant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trustme

from bot.domain.records import Cursor
from bot.errors import StoreError
from bot.stores import Put
from bot.stores.opening import open_store
from bot.stores.postgresql.store import PostgresStore
from tests.stores.server import OwnServer, execute, new_database, own_server, server


@pytest.fixture
def own() -> Iterator[OwnServer]:
    """A server of this test alone, to be stopped and started."""
    own = own_server()
    own.start()
    yield own
    own.remove()


@pytest.fixture
async def store(own: OwnServer) -> AsyncIterator[PostgresStore]:
    store = await open_store(own.url)
    assert isinstance(store, PostgresStore)
    yield store
    await store.close()


@pytest.mark.parametrize("mode", ["immediate", "fast"])
async def test_calls_wait_while_the_database_restarts(
    own: OwnServer, store: PostgresStore, mode: str
) -> None:
    await store.commit(Put(Cursor(id="before", at=1)))
    await asyncio.to_thread(own.stop, mode)
    writing = [asyncio.ensure_future(store.insert(Cursor(id=f"{n}", at=n))) for n in range(20)]
    reading = asyncio.ensure_future(store.get(Cursor, "before"))
    while store.writable:
        await asyncio.sleep(0.01)
    assert "away" in store.trouble
    await asyncio.to_thread(own.start)
    async with asyncio.timeout(15):
        assert all(await asyncio.gather(*writing))
        assert await reading == Cursor(id="before", at=1)
    assert not store.trouble


async def test_a_running_bot_waits_for_a_database_that_refuses_it(own: OwnServer) -> None:
    await execute(own.url, "CREATE ROLE tenant LOGIN")
    await execute(own.url, "CREATE DATABASE flat OWNER tenant")
    url = own.url.replace("zoombot@", "tenant@").replace("/postgres", "/flat")
    store = await open_store(url)
    await store.commit(Put(Cursor(id="before", at=1)))
    await execute(own.url, "ALTER ROLE tenant NOLOGIN")
    await execute(own.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tenant'")
    writing = asyncio.ensure_future(store.insert(Cursor(id="after", at=1)))
    while store.writable:
        await asyncio.sleep(0.01)
    assert not writing.done()
    await execute(own.url, "ALTER ROLE tenant LOGIN")
    async with asyncio.timeout(15):
        assert await writing
    await store.close()


async def test_a_commit_whose_answer_was_lost_is_made_once(store: PostgresStore, own: OwnServer) -> None:
    """Every connection is cut again and again while commits are made: each insert wins, each count is exact."""
    await store.commit(Put(Cursor(id="count", at=0)))
    left, cuts = [f"new{number}" for number in range(40)], 0
    made = asyncio.Event()

    async def grow() -> None:
        while left:
            assert await store.insert(Cursor(id=left.pop(), at=1))
            await store.update(Cursor, "count", lambda now: Cursor(id="count", at=now.at + 1))
            made.set()

    async def cut() -> None:
        nonlocal cuts
        sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'zoombot%'"
        while left:
            await made.wait()
            made.clear()
            await execute(own.url, sql)
            cuts += 1

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(cut())
        for _ in range(4):
            tasks.create_task(grow())
    assert cuts >= 5
    assert await store.get(Cursor, "count") == Cursor(id="count", at=40)
    assert len(await store.all(Cursor)) == 41


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"path": "/missing"}, "there is no such database"),
        ({"user": "nobody_here"}, "refuses the user or the password"),
    ],
)
async def test_what_is_wrong_is_said_at_once(change: dict[str, str], says: str) -> None:
    url = server().url
    if "path" in change:
        url = server().database("missing")
    else:
        url = url.replace("//zoombot", f"//{change['user']}:hunter2")
    with pytest.raises(StoreError, match=says) as caught:
        await open_store(url, patience_s=120)
    assert "hunter2" not in str(caught.value)


async def test_a_database_that_is_away_is_waited_for(own: OwnServer) -> None:
    await asyncio.to_thread(own.stop)
    with pytest.raises(StoreError, match="is away"):
        await open_store(own.url, patience_s=0.3)
    opening = asyncio.ensure_future(open_store(own.url, patience_s=60))
    await asyncio.sleep(0)
    await asyncio.to_thread(own.start)
    await (await opening).close()


async def test_many_replicas_that_start_at_once_make_the_tables_once() -> None:
    url = new_database()
    stores = await asyncio.gather(*(open_store(url) for _ in range(6)))
    assert [await each.insert(Cursor(id="one", at=1)) for each in stores].count(True) == 1
    await asyncio.gather(*(each.close() for each in stores))


async def test_a_running_program_that_is_older_writes_nothing_any_more() -> None:
    url = new_database()
    store = await open_store(url)
    await execute(url, "UPDATE zoombot.about SET version = version + 1")
    with pytest.raises(StoreError, match="later zoombot"):
        await store.commit(Put(Cursor(id="one", at=1)))
    with pytest.raises(StoreError, match="later zoombot"):
        await open_store(url)
    await store.close()


async def test_other_indexes_are_made_anew() -> None:
    url = new_database()
    store = await open_store(url)
    await store.commit(Put(Cursor(id="one", at=1)))
    await store.close()
    await execute(url, "UPDATE zoombot.indexed SET fields = 'others'")
    await execute(url, "UPDATE zoombot.about SET indexes = 'others'")
    await execute(url, "DELETE FROM zoombot.entries")
    store = await open_store(url)
    assert await store.get(Cursor, "one") == Cursor(id="one", at=1)
    await store.close()


@pytest.fixture
def secured(own: OwnServer, tmp_path: Path) -> tuple[str, str]:
    """The same server with TLS; its URL and the PEM of its authority."""
    own.stop("fast")
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    own.put("server.crt", b"".join(each.bytes() for each in leaf.cert_chain_pems))
    own.put("server.key", leaf.private_key_pem.bytes())
    own.start("-c ssl=on")
    pem = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(pem))
    return own.url.replace("127.0.0.1", "localhost"), str(pem)


async def test_certificates_are_verified(secured: tuple[str, str], tmp_path: Path) -> None:
    url, pem = secured
    store = await open_store(f"{url}?sslmode=verify-full", ca_file=pem)
    await store.commit(Put(Cursor(id="one", at=1)))
    await store.close()
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with pytest.raises(StoreError, match="certificate does not verify"):
        await open_store(f"{url}?sslmode=verify-full", ca_file=str(other), patience_s=60)
    with pytest.raises(StoreError, match=r"store\.ca_file"):
        await open_store(f"{url}?sslmode=verify-full", ca_file=__file__)


async def test_a_name_that_is_not_the_certificates_is_refused(secured: tuple[str, str]) -> None:
    url, pem = secured
    url = url.replace("localhost", "127.0.0.2")
    with pytest.raises(StoreError, match=r"certificate does not verify|is away"):
        await open_store(f"{url}?sslmode=verify-full", ca_file=pem, patience_s=0.1)


async def test_without_tls_a_secured_connection_is_refused(own: OwnServer) -> None:
    with pytest.raises(StoreError):
        await open_store(f"{own.url}?sslmode=require", patience_s=0.1)
