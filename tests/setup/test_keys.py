from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import Config, StoreConfig
from bot.domain.records import LinkedAccount, Pending, Ticket
from bot.errors import StoreError, StoreLockedError
from bot.setup.keys import new_key, rotate
from bot.setup.sealed import sealed_kinds
from bot.stores import Put
from bot.stores.opening import open_store
from bot.vault import Vault


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
    seen: list[tuple[int, int]] = []
    done = await rotate(with_keys(stored, new, old), lambda *progress: seen.append(progress))
    assert (done.done, seen[-1]) == (3, (3, 3))
    assert await opened(with_keys(stored, new)) == ["tok", "verifier", "request"]


async def test_what_does_not_open_is_left_and_counted(stored: Config) -> None:
    await fill(stored)
    done = await rotate(with_keys(stored, new_key()))
    assert (done.done, done.unreadable) == (0, 3)
    assert await opened(stored) == ["tok", "verifier", "request"]


async def test_the_bot_must_not_be_running(stored: Config) -> None:
    store = await open_store(stored.store.url)
    with pytest.raises(StoreLockedError):
        await rotate(stored)
    await store.close()


async def test_a_store_that_is_not_there_is_named_and_not_made(stored: Config, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=str(tmp_path / "zoombot.db")):
        await rotate(stored)
    assert list(tmp_path.iterdir()) == []
