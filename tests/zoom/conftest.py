"""The bot's side of Zoom against the sandbox, over real sockets and a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.domain.records import LinkedAccount
from bot.retrying import Backoff
from bot.sandbox.zoom import Zoom as Sandbox
from bot.stores import Put, Store
from bot.stores.opening import open_store
from bot.vault import Vault, new_key
from bot.zoom import Caller, Grant, OAuth, Tokens, Zoom, ZoomTimings, ZoomUser, open_session

REDIRECT = "https://chat.example.com/plugins/zoom/oauth2/complete"
QUICK = ZoomTimings(
    listed_after_s=0.05,
    backoff=Backoff(0.05, 0.4, attempts=3, least=0.5),
    token_backoff=Backoff(0.05, 0.1, attempts=3, least=0.5),
)
# For a Zoom that is away for as long as its server takes to start again.
PATIENT = Backoff(0.05, 0.1, attempts=100, least=0.5)
ALICE = Caller("alice-id", "alice@demo.example")
BOB = Caller("bob-id", "bob@demo.example")


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(redirect_uri=REDIRECT) as zoom:
        # Zoom says that it lists no instant meeting; where it does, the bot finds what it made there.
        zoom.lists_waiting = True
        yield zoom
        assert zoom.unknown == []


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(f"tinydb:{tmp_path / 'zoombot.db'}")
    yield store
    await store.close()


@pytest.fixture
def vault() -> Vault:
    return Vault([new_key()])


@pytest.fixture
async def oauth(sandbox: Sandbox) -> OAuth:
    return oauth_of(sandbox)


@pytest.fixture
async def tokens(sandbox: Sandbox, store: Store, vault: Vault, oauth: OAuth) -> AsyncIterator[Tokens]:
    tokens = Tokens(store, vault, oauth, sandbox.clock.now_ms)
    yield tokens
    await tokens.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


@pytest.fixture
async def zoom(sandbox: Sandbox, http: aiohttp.ClientSession, tokens: Tokens) -> Zoom:
    await link(sandbox, tokens, ALICE)
    return Zoom(http, sandbox.api_url, tokens, timeout_s=2, timings=QUICK)


def oauth_of(
    sandbox: Sandbox, *, ca_file: str = "", timeout_s: float = 10.0, backoff: Backoff = QUICK.token_backoff
) -> OAuth:
    return OAuth(
        sandbox.url,
        sandbox.client_id,
        sandbox.client_secret,
        REDIRECT,
        ca_file=ca_file,
        account_id=sandbox.account_id,
        timeout_s=timeout_s,
        now=sandbox.clock.now_ms,
        backoff=backoff,
    )


def grant_of(sandbox: Sandbox, email: str) -> Grant:
    """What consenting gives."""
    given = sandbox.grant(email)
    return Grant(str(given["access_token"]), str(given["refresh_token"]), sandbox.clock.now_ms() + 3_599_000)


async def link(sandbox: Sandbox, tokens: Tokens, caller: Caller, user_id: str = "") -> LinkedAccount:
    person = sandbox.user(caller.email)
    user = ZoomUser(person.id, person.email, person.account_id, pmi=person.pmi)
    linked = tokens.linked(user_id or caller.user_id, grant_of(sandbox, caller.email), user)
    await tokens._store.commit(*linked)
    record = next(change.record for change in linked if isinstance(change, Put))
    assert isinstance(record, LinkedAccount)
    return record
