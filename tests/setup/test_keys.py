from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace as replace_record

from bot.config import Config, StoreConfig
from bot.domain.records import LinkedAccount, Pending, Ticket
from bot.errors import StoreError, StoreLockedError
from bot.setup.keys import new_key, rotate, rotate_in
from bot.setup.progress import Advance
from bot.setup.sealed import sealed_kinds
from bot.stores import Put, Store
from bot.stores.opening import open_store
from bot.vault import Vault
from tests.stores.replica import replica
from tests.stores.server import new_database


@pytest.fixture(params=["tinydb", "postgresql"])
def stored(request: pytest.FixtureRequest, stored: Config) -> Config:
    """A configuration with each kind of store."""
    if request.param == "tinydb":
        return stored
    return replace(stored, store=replace(stored.store, url=new_database()))


def with_keys(config: Config, *keys: str) -> Config:
    return replace(config, store=StoreConfig(url=config.store.url, encryption_keys=keys))


async def fill(config: Config) -> None:
    vault = Vault(config.store.encryption_keys)
    store = await open_store(config.store.url)
    link = LinkedAccount(
        id="alice",
        zoom_user_id="z",
        email="a@b",
        sealed_tokens=vault.seal("alice", "tok"),
        expires_at=1,
        linked_at=1,
    )
    ticket = Ticket(
        id="t", user_id="alice", user_name="alice", expires_at=1, sealed_verifier=vault.seal("t", "verifier")
    )
    pending = Pending(id="alice:dev", user_id="alice", sealed=vault.seal("alice", "request"), asked_at=1)
    await store.commit(Put(link), Put(ticket), Put(pending))
    await store.close()


async def opened(config: Config) -> list[str]:
    vault = Vault(config.store.encryption_keys)
    store = await open_store(config.store.url, readonly=True)
    (link,), (ticket,), (pending,) = (
        await store.all(LinkedAccount),
        await store.all(Ticket),
        await store.all(Pending),
    )
    await store.close()
    assert ticket.sealed_grant == ""
    return [
        vault.open("alice", link.sealed_tokens),
        vault.open("t", ticket.sealed_verifier),
        vault.open("alice", pending.sealed),
    ]


def test_every_kind_with_sealed_fields_is_known() -> None:
    assert sealed_kinds()[Ticket] == ("sealed_verifier", "sealed_grant", "sealed_secret")
    assert {"LinkedAccount", "Ticket", "Pending", "Notice", "Item"} <= {
        kind.__name__ for kind in sealed_kinds()
    }


async def test_after_a_rotation_the_first_key_is_enough(stored: Config) -> None:
    (old,), new = stored.store.encryption_keys, new_key()
    await fill(stored)
    done = await rotate(with_keys(stored, new, old))
    assert (done.done, done.unreadable) == (3, 0)
    assert await opened(with_keys(stored, new)) == ["tok", "verifier", "request"]


async def test_a_rotation_may_be_repeated(stored: Config) -> None:
    (old,), new = stored.store.encryption_keys, new_key()
    await fill(stored)
    await rotate(with_keys(stored, new, old))
    seen: list[int] = []

    @contextlib.contextmanager
    def noting(name: str, total: int) -> Iterator[Advance]:
        seen.append(-total)
        yield seen.append

    done = await rotate(with_keys(stored, new, old), noting)
    assert (done.done, sum(seen)) == (3, 0)
    assert await opened(with_keys(stored, new)) == ["tok", "verifier", "request"]


async def test_what_does_not_open_is_left_and_counted(stored: Config) -> None:
    await fill(stored)
    done = await rotate(with_keys(stored, new_key()))
    assert (done.done, done.unreadable) == (0, 3)
    assert await opened(stored) == ["tok", "verifier", "request"]


async def test_the_bot_must_not_be_running(stored: Config) -> None:
    async with replica(stored.store.url):
        with pytest.raises(StoreLockedError):
            await rotate(stored)


async def test_a_link_that_a_replica_renews_meanwhile_is_not_put_back(stored: Config) -> None:
    """Between the reading of a page and the writing: only a replica that starts then could do that."""
    (old,), new = stored.store.encryption_keys, new_key()
    await fill(stored)
    store = await open_store(stored.store.url)
    (link,) = await store.all(LinkedAccount)
    tokens = Vault([old]).seal("alice", "renewed")

    @contextlib.contextmanager
    def renewing(name: str, total: int) -> Iterator[Advance]:
        assert (name, total) == ("re-encrypting", 3)
        yield lambda done: None

    class Renewing:
        """The store, whose first page is out of date before it is used."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def pages(self, kind: type[Any], **how: Any) -> AsyncIterator[list[Any]]:
            async for page in store.pages(kind, **how):
                if kind is LinkedAccount:
                    await store.commit(Put(replace_record(link, sealed_tokens=tokens)))
                yield page

    await rotate_in(cast("Store", Renewing()), Vault([new, old]), renewing)
    await store.close()
    assert await opened(with_keys(stored, new)) == ["renewed", "verifier", "request"]


async def test_a_store_that_is_not_there_is_named_and_not_made(stored: Config, tmp_path: Path) -> None:
    name = stored.store.shown.removeprefix("tinydb:")
    with pytest.raises(StoreError, match=re.escape(f"there is no store {name}: is it the one")):
        await rotate(stored)
    with pytest.raises(StoreError, match="there is no store"):
        await open_store(stored.store.url, readonly=True)
    assert list(tmp_path.iterdir()) == []
