"""Opens the adapters and builds the context that features receive."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

import aiohttp

from bot.clock import Now
from bot.config import Config
from bot.core.account import OwnAccount
from bot.core.admins import Admins
from bot.core.clocks import Clocks
from bot.core.context import Context
from bot.core.creations import PendingCreations
from bot.core.inbox import Inbox
from bot.core.people import People
from bot.core.registry import Registry
from bot.core.zoom_people import ZoomPeople
from bot.domain.records import LinkedAccount
from bot.errors import (
    MattermostCertificateError,
    MattermostError,
    MattermostTokenError,
    StartError,
    VaultError,
)
from bot.mattermost import Mattermost, User
from bot.mattermost.errors import AWAY
from bot.retrying import Backoff, retrying
from bot.runtime.metrics import Metrics
from bot.runtime.timings import Timings
from bot.stores.claims import Claims
from bot.stores.notifying import NotifyingStore
from bot.vault import Vault
from bot.zoom import AccountToken, OAuth, Tokens, Zoom
from bot.zoom import open_session as open_zoom_session
from bot.zoom.calls import OnCall
from bot.zoom.tokens import TokenSource

log = logging.getLogger(__name__)

TOKENS_GRACE_S = 0.6
# No jitter, because at start nobody else waits.
START_BACKOFF = Backoff(base_s=0.5, cap_s=15.0, least=1.0)


async def open_context(
    config: Config,
    registry: Registry,
    store: NotifyingStore,
    vault: Vault,
    mattermost: Mattermost,
    bot: OwnAccount,
    metrics: Metrics,
    clocks: Clocks,
    stack: AsyncExitStack,
    timings: Timings,
    claims: Claims,
) -> Context:
    """Build the context for features. Everything that must be closed is pushed on ``stack``."""
    zoom, now = config.zoom, clocks.now
    oauth = _oauth(config, now, timings)
    stack.push_async_callback(oauth.close)
    tokens = Tokens(store, vault, oauth, now, timings.zoom)
    stack.push_async_callback(tokens.close, TOKENS_GRACE_S)
    shared = AccountToken(oauth, now) if zoom.app == "server-to-server" else None
    if shared is not None:
        stack.push_async_callback(shared.close, TOKENS_GRACE_S)
    http = open_zoom_session(zoom.ca_file)
    stack.push_async_callback(http.close)
    people = People(mattermost, now)
    api = _zoom(config, http, shared or tokens, clocks, timings, metrics.count_zoom_call, claims)
    ctx = Context(
        config=config,
        bot=bot,
        store=store,
        vault=vault,
        mattermost=mattermost,
        people=people,
        admins=Admins(store, config.mattermost.admins),
        zoom=api,
        zoom_people=ZoomPeople(config, store, mattermost, people, api, now),
        tokens=tokens,
        oauth=oauth,
        inbox=Inbox(store, vault, now),
        creations=PendingCreations(),
        requests=registry,
        now=now,
        clocks=clocks,
        timings=timings.features,
    )
    tokens.on_lost = partial(registry.link_lost, ctx)
    return ctx


def _zoom(
    config: Config,
    http: aiohttp.ClientSession,
    tokens: TokenSource,
    clocks: Clocks,
    timings: Timings,
    count: OnCall,
    claims: Claims,
) -> Zoom:
    zoom = config.zoom
    return Zoom(
        http,
        zoom.api_url,
        tokens,
        app=zoom.app,
        now=clocks.now,
        timings=timings.zoom,
        on_call=count,
        on_date=clocks.zoom.note_date,
        assured=claims.assured,
    )


def _oauth(config: Config, now: Now, timings: Timings) -> OAuth:
    zoom = config.zoom
    return OAuth(
        zoom.url,
        zoom.client_id,
        zoom.client_secret,
        config.web.public_url + "/oauth2/complete",
        ca_file=zoom.ca_file,
        account_id=zoom.account_id,
        now=now,
        backoff=timings.zoom.token_backoff,
    )


async def introduce(mattermost: Mattermost, patience_s: float, on_failure: Callable[[str], None]) -> User:
    """Fetch the bot's own account, waiting up to ``patience_s`` seconds for Mattermost to be reachable.

    ``on_failure`` is told each time why it is not. Raises :class:`StartError`.
    """
    failure = "no answer"

    def note(error: BaseException, failures: int) -> None:
        nonlocal failure
        failure = str(error)
        on_failure(failure)
        log.warning("mattermost: %s; trying again", error)

    try:
        async with asyncio.timeout(patience_s):
            return await retrying(mattermost.me, START_BACKOFF, on=AWAY, on_retry=note)
    except MattermostTokenError:
        raise StartError(
            "mattermost.token: Mattermost does not accept it; create a new access token for the bot"
        ) from None
    except MattermostCertificateError as error:
        raise StartError(f"mattermost.url: {error}") from None
    except MattermostError as error:
        raise StartError(f"mattermost.url: {error}") from None
    except TimeoutError:
        raise StartError(f"mattermost.url: Mattermost is not reachable: {failure}") from None


# Of how many linked people it is tried at the start whether their tokens open.
SAMPLE = 50


async def look_at_keys(store: NotifyingStore, vault: Vault) -> None:
    """Log an error if an encryption key is missing, before people run into it when they start meetings."""
    links: list[LinkedAccount] = await anext(store.pages(LinkedAccount, size=SAMPLE), [])
    locked = sum(not _opens(vault, link) for link in links)
    if locked:
        log.error(
            "store.encryption_keys: of %d people whose links were looked at, the tokens of %d do not open: "
            "put the key back that they were sealed under, behind the first; until then they are asked to "
            "connect again (`zoombot store list` looks at all)",
            len(links),
            locked,
        )


def _opens(vault: Vault, link: LinkedAccount) -> bool:
    try:
        vault.open(link.id, link.sealed_tokens)
    except VaultError:
        return False
    return True


def override_props(config: Config) -> dict[str, str]:
    """The props that give posts another name and icon; the server must allow it."""
    settings = config.mattermost
    if not settings.override_username and not settings.override_icon_url:
        return {}
    shown = {"override_username": settings.override_username, "override_icon_url": settings.override_icon_url}
    return {"from_webhook": "true", **{key: value for key, value in shown.items() if value}}
