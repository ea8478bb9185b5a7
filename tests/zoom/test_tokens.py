"""Tokens are refreshed once, saved, and never lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.records import LinkedAccount, LostLink
from bot.errors import NotLinkedError, StoreError, ZoomClientError, ZoomLinkError, ZoomUnreachableError
from bot.retrying import Backoff
from bot.sandbox.zoom import Zoom as Sandbox
from bot.stores import Change, R, Store
from bot.vault import Vault, new_key
from bot.zoom import AccountToken, Grant, OAuth, Tokens, ZoomTimings
from bot.zoom.pairs import Pair, Pairs
from tests.zoom.conftest import ALICE, BOB, link, oauth_of


class FailingStore:
    """A store whose updates fail until it is mended."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.broken = True
        self.failures = 0
        self.failed = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def update(
        self, kind: type[R], record_id: str, change: Callable[[R], R | None], *also: Change
    ) -> R | None:
        if self.broken:
            self.failures += 1
            self.failed.set()
            raise StoreError("the disk is full")
        return await self._store.update(kind, record_id, change, *also)


class HeldOAuth:
    """Zoom has answered, and the answer is held back until released."""

    def __init__(self, oauth: OAuth) -> None:
        self._oauth = oauth
        self.reached = asyncio.Event()
        self.release = asyncio.Event()

    async def refresh(self, refresh_token: str) -> Grant:
        try:
            return await self._oauth.refresh(refresh_token)
        finally:
            self.reached.set()
            await self.release.wait()


@pytest.fixture
def held(oauth: OAuth) -> HeldOAuth:
    return HeldOAuth(oauth)


@pytest.fixture
async def slow(sandbox: Sandbox, store: Store, vault: Vault, held: HeldOAuth) -> AsyncIterator[Tokens]:
    """Tokens whose refreshes are held back."""
    tokens = Tokens(store, vault, held, sandbox.clock.now_ms)
    yield tokens
    await tokens.close()


def forgetful(sandbox: Sandbox, store: Store, vault: Vault) -> Tokens:
    """The same after a restart."""
    return Tokens(store, vault, oauth_of(sandbox), sandbox.clock.now_ms)


async def test_a_fresh_token_costs_nothing(sandbox: Sandbox, tokens: Tokens, store: Store) -> None:
    await link(sandbox, tokens, ALICE)
    first = await tokens.access(ALICE.user_id)
    await store.close()
    assert await tokens.access(ALICE.user_id) == first
    assert sandbox.token_requests == []


async def test_tokens_survive_a_restart(sandbox: Sandbox, tokens: Tokens, store: Store, vault: Vault) -> None:
    await link(sandbox, tokens, ALICE)
    after = forgetful(sandbox, store, vault)
    assert await after.access(ALICE.user_id) == await tokens.access(ALICE.user_id)


async def test_who_has_not_linked_is_told_so(tokens: Tokens) -> None:
    with pytest.raises(NotLinkedError):
        await tokens.access("nobody")
    with pytest.raises(NotLinkedError):
        await tokens.refresh("nobody", "x")
    assert await tokens.held("nobody") is None


async def test_a_token_is_refreshed_a_minute_before_its_end(sandbox: Sandbox, tokens: Tokens) -> None:
    await link(sandbox, tokens, ALICE)
    old = await tokens.access(ALICE.user_id)
    sandbox.clock.advance(3600 - 59)
    assert await tokens.access(ALICE.user_id) != old
    assert sandbox.refreshes == 1


async def test_a_hundred_callers_make_one_refresh(
    sandbox: Sandbox, tokens: Tokens, store: Store, vault: Vault
) -> None:
    await link(sandbox, tokens, ALICE)
    sandbox.clock.advance(3600)
    got = await asyncio.gather(*(tokens.access(ALICE.user_id) for _ in range(100)))
    assert len(set(got)) == 1
    assert (sandbox.refreshes, sandbox.refresh_refused) == (1, 0)
    assert await forgetful(sandbox, store, vault).access(ALICE.user_id) == got[0]


async def test_a_hundred_people_each_get_their_own(sandbox: Sandbox, tokens: Tokens) -> None:
    for number in range(100):
        user = sandbox.add_user(f"person{number}@demo.example")
        await link(sandbox, tokens, replace(ALICE, email=user.email), f"user-{number}")
    sandbox.clock.advance(3600)
    got = await asyncio.gather(*(tokens.access(f"user-{number}") for number in range(100)))
    assert len(set(got)) == 100
    assert sandbox.refreshes == 100


async def test_a_cancelled_caller_loses_nothing(
    sandbox: Sandbox, slow: Tokens, held: HeldOAuth, store: Store, vault: Vault
) -> None:
    await link(sandbox, slow, ALICE)
    sandbox.clock.advance(3600)
    caller = asyncio.create_task(slow.access(ALICE.user_id))
    await held.reached.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    held.release.set()
    await slow.close()
    after = forgetful(sandbox, store, vault)
    await after.access(ALICE.user_id)
    sandbox.clock.advance(3600)
    await after.access(ALICE.user_id)
    assert (sandbox.refreshes, sandbox.refresh_refused) == (2, 0)


async def test_a_refused_token_is_replaced_once(sandbox: Sandbox, tokens: Tokens) -> None:
    await link(sandbox, tokens, ALICE)
    stale = await tokens.access(ALICE.user_id)
    sandbox.expire_tokens()
    fresh = await tokens.refresh(ALICE.user_id, stale)
    assert fresh != stale
    assert await tokens.refresh(ALICE.user_id, stale) == fresh
    assert sandbox.refreshes == 1


async def test_what_another_process_saved_is_used(
    sandbox: Sandbox, tokens: Tokens, store: Store, vault: Vault
) -> None:
    await link(sandbox, tokens, ALICE)
    other = forgetful(sandbox, store, vault)
    stale = await tokens.access(ALICE.user_id)
    fresh = await other.refresh(ALICE.user_id, stale)
    assert await tokens.refresh(ALICE.user_id, stale) == fresh
    assert sandbox.refreshes == 1


async def test_a_revoked_link_is_forgotten_until_it_is_made_anew(
    sandbox: Sandbox, tokens: Tokens, store: Store
) -> None:
    await link(sandbox, tokens, ALICE)
    sandbox.revoke(ALICE.email)
    sandbox.clock.advance(3600)
    answers = await asyncio.gather(*(tokens.access(ALICE.user_id) for _ in range(20)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {ZoomLinkError}
    assert [lost.id for lost in await store.all(LostLink)] == [ALICE.user_id]
    assert await store.get(LinkedAccount, ALICE.user_id) is None
    with pytest.raises(NotLinkedError):
        await tokens.access(ALICE.user_id)
    await link(sandbox, tokens, ALICE)
    assert await store.all(LostLink) == []


async def test_an_unreachable_zoom_leaves_the_link(sandbox: Sandbox, tokens: Tokens, store: Store) -> None:
    await link(sandbox, tokens, ALICE)
    sandbox.clock.advance(3600)
    sandbox.faults.add(503, path="/oauth/token")
    with pytest.raises(ZoomUnreachableError):
        await tokens.access(ALICE.user_id)
    assert await store.get(LinkedAccount, ALICE.user_id)
    assert await tokens.access(ALICE.user_id)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}),
        (400, {"reason": "Invalid client secret", "error": "invalid_grant"}),
        (400, {"reason": "Invalid Token!", "error": "invalid_grant", "code": 4717}),
    ],
)
async def test_what_the_operator_has_to_mend_leaves_the_link(
    sandbox: Sandbox, tokens: Tokens, store: Store, status: int, body: object
) -> None:
    await link(sandbox, tokens, ALICE)
    sandbox.clock.advance(3600)
    sandbox.faults.add(status, path="/oauth/token", body=body)
    with pytest.raises(ZoomClientError):
        await tokens.access(ALICE.user_id)
    assert await store.get(LinkedAccount, ALICE.user_id)
    assert await tokens.access(ALICE.user_id)


async def test_a_late_refusal_spares_a_new_link(
    sandbox: Sandbox, slow: Tokens, held: HeldOAuth, store: Store
) -> None:
    await link(sandbox, slow, ALICE)
    sandbox.revoke(ALICE.email)
    stale = await slow.access(ALICE.user_id)
    waiting = asyncio.create_task(slow.refresh(ALICE.user_id, stale))
    await held.reached.wait()
    await link(sandbox, slow, ALICE)
    held.release.set()
    with pytest.raises(ZoomLinkError):
        await waiting
    assert await store.get(LinkedAccount, ALICE.user_id)
    assert await slow.access(ALICE.user_id) != stale


async def test_a_refresh_of_a_replaced_link_leaves_nothing_behind(
    sandbox: Sandbox, slow: Tokens, held: HeldOAuth, store: Store, vault: Vault
) -> None:
    await link(sandbox, slow, ALICE)
    waiting = asyncio.create_task(slow.refresh(ALICE.user_id, await slow.access(ALICE.user_id)))
    await held.reached.wait()
    await link(sandbox, slow, BOB, ALICE.user_id)
    of_bob = await slow.access(ALICE.user_id)
    held.release.set()
    of_alice = await waiting
    assert of_alice != of_bob
    assert await slow.access(ALICE.user_id) == of_bob
    assert await forgetful(sandbox, store, vault).access(ALICE.user_id) == of_bob


async def test_what_cannot_be_saved_is_kept_and_saved_later(
    sandbox: Sandbox, store: Store, vault: Vault
) -> None:
    timings = ZoomTimings(save_s=0.05, save_backoff=Backoff(0.01, 0.01))
    failing = FailingStore(store)
    here = Tokens(failing, vault, oauth_of(sandbox), sandbox.clock.now_ms, timings)
    await link(sandbox, here, ALICE)
    for _ in range(2):
        sandbox.clock.advance(3600)
        rotated = await here.access(ALICE.user_id)
        assert await here.access(ALICE.user_id) == rotated
    assert failing.failures > 1
    failing.broken = False
    await here.close()
    after = forgetful(sandbox, store, vault)
    assert await after.access(ALICE.user_id) == rotated
    assert (sandbox.refreshes, sandbox.refresh_refused) == (2, 0)


async def test_closing_with_something_unsaved_says_so(
    sandbox: Sandbox,
    store: Store,
    vault: Vault,
    caplog: pytest.LogCaptureFixture,
) -> None:
    here = Tokens(
        FailingStore(store), vault, oauth_of(sandbox), sandbox.clock.now_ms, ZoomTimings(save_s=0.05)
    )
    await link(sandbox, here, ALICE)
    sandbox.clock.advance(3600)
    await here.access(ALICE.user_id)
    await here.close(timeout_s=0.05)
    assert "must link again" in caplog.text


async def test_unlinking_gives_the_newest_tokens_back(sandbox: Sandbox, tokens: Tokens, store: Store) -> None:
    await link(sandbox, tokens, ALICE)
    fresh = await tokens.refresh(ALICE.user_id, await tokens.access(ALICE.user_id))
    grant = await tokens.held(ALICE.user_id)
    await store.commit(*tokens.unlinked(ALICE.user_id))
    assert grant
    assert grant.access_token == fresh
    assert await store.get(LinkedAccount, ALICE.user_id) is None
    with pytest.raises(NotLinkedError):
        await tokens.access(ALICE.user_id)


async def test_the_newest_tokens_are_those_of_a_refresh_under_way(
    sandbox: Sandbox, slow: Tokens, held: HeldOAuth, oauth: OAuth
) -> None:
    await link(sandbox, slow, ALICE)
    sandbox.clock.advance(3600)
    waiting = asyncio.create_task(slow.access(ALICE.user_id))
    await held.reached.wait()
    holding = asyncio.create_task(slow.held(ALICE.user_id))
    held.release.set()
    grant = await holding
    assert grant
    assert grant.access_token == await waiting
    await oauth.revoke(grant.refresh_token)


async def test_after_closing_nothing_new_starts(sandbox: Sandbox, tokens: Tokens) -> None:
    await link(sandbox, tokens, ALICE)
    await tokens.close()
    with pytest.raises(ZoomUnreachableError):
        await tokens.refresh(ALICE.user_id, "x")


async def test_closing_ends_what_does_not_end(sandbox: Sandbox, slow: Tokens, held: HeldOAuth) -> None:
    await link(sandbox, slow, ALICE)
    sandbox.clock.advance(3600)
    waiting = asyncio.create_task(slow.access(ALICE.user_id))
    await held.reached.wait()
    await slow.close(timeout_s=0.05)
    with pytest.raises(ZoomUnreachableError, match="stopping"):
        await waiting


async def test_nothing_readable_is_stored(
    sandbox: Sandbox, tokens: Tokens, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = await link(sandbox, tokens, ALICE)
    access = await tokens.access(ALICE.user_id)
    fresh = await tokens.refresh(ALICE.user_id, access)
    stored = await store.get(LinkedAccount, ALICE.user_id)
    shown = f"{made} {stored} {caplog.text} {tokens!r} {Pair(access, fresh, 1)}"
    assert access not in shown
    assert fresh not in shown


async def test_a_lost_key_does_not_unlink(sandbox: Sandbox, tokens: Tokens, store: Store) -> None:
    await link(sandbox, tokens, ALICE)
    other = Tokens(store, Vault([new_key()]), oauth_of(sandbox))
    with pytest.raises(ZoomLinkError):
        await other.access(ALICE.user_id)
    assert await store.get(LinkedAccount, ALICE.user_id)
    assert await other.held(ALICE.user_id) is None


def test_memory_is_bounded_but_not_for_what_is_unsaved() -> None:
    pairs = Pairs(limit=2)
    for name in "abc":
        pair = Pair(name, name, 1)
        pairs.owe(name, pair)
        pairs.put(name, pair)
    assert pairs.get("a") is not None
    pairs.settle("a")
    assert pairs.get("a") is None
    assert pairs.get("b")


async def test_one_shared_token_for_everybody() -> None:
    async with Sandbox(app="server-to-server") as sandbox:
        shared = AccountToken(oauth_of(sandbox), sandbox.clock.now_ms)
        got = await asyncio.gather(*(shared.access(f"user-{number}") for number in range(50)))
        assert len(set(got)) == 1
        assert len(sandbox.token_requests) == 1
        fresh = await asyncio.gather(*(shared.refresh("", got[0]) for _ in range(50)))
        assert set(fresh).isdisjoint(got)
        assert len(sandbox.token_requests) == 2
        await shared.close()


async def test_a_shared_token_is_renewed_early_or_used_to_its_end() -> None:
    async with Sandbox(app="server-to-server") as sandbox:
        shared = AccountToken(oauth_of(sandbox), sandbox.clock.now_ms)
        first = await shared.access()
        sandbox.clock.advance(3600 - 200)
        sandbox.faults.add(503, path="/oauth/token")
        assert await shared.access() == first
        assert await shared.access() == first
        sandbox.clock.advance(20)
        assert await shared.access() != first
        await shared.close()
        sandbox.clock.advance(3600)
        with pytest.raises(ZoomUnreachableError):
            await shared.access()
