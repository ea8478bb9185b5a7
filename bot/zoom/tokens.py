"""The tokens of linked accounts: decrypted in memory, sealed in the store, refreshed by one task per link.

Zoom invalidates a refresh token when it is used, so a refresh must neither run twice nor be lost. A separate
task refreshes and saves; callers wait for that task behind ``asyncio.shield``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from bot.clock import Now, now_ms
from bot.domain.records import LinkedAccount, LostLink
from bot.errors import NotLinkedError, StoreError, VaultError, ZoomLinkError, ZoomUnreachableError
from bot.stores import Change, Delete, Put, Store
from bot.zoom.models import Grant, ZoomUser
from bot.zoom.pairs import Pair, Pairs, Sealer
from bot.zoom.timings import DEFAULT_TIMINGS, ZoomTimings

log = logging.getLogger(__name__)

# The id of an account-level app's link, and the owner of a server-to-server app's token.
ACCOUNT = "account"
# The lock that is held while it is decided to whom a Zoom user belongs.
LINKING = "linking"

EARLY_MS = 60_000
CLOSE_S = 5.0


class Endpoint(Protocol):
    """The part of :class:`bot.zoom.oauth.OAuth` that is used here."""

    async def refresh(self, refresh_token: str) -> Grant:
        """Get new tokens for a refresh token."""


class TokenSource(Protocol):
    """Provides access tokens for API calls."""

    async def access(self, user_id: str) -> str:
        """An access token that stays valid for a while."""

    async def refresh(self, user_id: str, stale: str) -> str:
        """An access token other than ``stale``, which Zoom refused."""


class Tokens:
    """The tokens of linked people (or of the account, under :data:`ACCOUNT`).

    If Zoom refuses a refresh, the link is deleted, and a ``LostLink`` record is written in its place.
    Store errors are raised unchanged.
    """

    def __init__(
        self,
        store: Store,
        vault: Sealer,
        oauth: Endpoint,
        now: Now = now_ms,
        timings: ZoomTimings = DEFAULT_TIMINGS,
    ) -> None:
        self._store = store
        self._vault = vault
        self._oauth = oauth
        self._now = now
        self._timings = timings
        self._pairs = Pairs()
        # The current refresh of each link, and all refreshes, including those of links replaced meanwhile.
        self._tasks: dict[str, asyncio.Task[str]] = {}
        self._running: set[asyncio.Task[str]] = set()
        self._savers: dict[str, asyncio.Task[None]] = {}
        self._closing = False
        # Returns the changes to write together with a lost link.
        self.on_lost: Callable[[LostLink], Sequence[Change]] = lambda lost: ()
        # Since the start: how often Zoom gave new tokens, and how often it refused to.
        self.refreshes = 0
        self.refusals = 0

    async def access(self, user_id: str) -> str:
        """An access token that is valid for another minute. No I/O if the one in memory is.

        Raises :class:`NotLinkedError`, :class:`ZoomLinkError` (the link is deleted, unless its encryption key
        is missing), or another :class:`bot.errors.ZoomError` (the link stays).
        """
        pair = self._pairs.get(user_id)
        if pair is None:
            pair, _ = await self._stored(user_id, self._store)
            self._pairs.put(user_id, pair)
        if pair.expires_at - self._now() > EARLY_MS:
            return pair.access
        return await self.refresh(user_id, pair.access)

    async def refresh(self, user_id: str, stale: str) -> str:
        """An access token other than ``stale``. Callers share one refresh. Errors as in :meth:`access`."""
        task = self._tasks.get(user_id)
        if task is None:
            if self._closing:
                raise ZoomUnreachableError("the bot is stopping")
            task = asyncio.create_task(self._refresh(user_id, stale), name=f"refresh {user_id}")
            self._tasks[user_id] = task
            self._running.add(task)
            task.add_done_callback(lambda done: self._ended(user_id, done))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled() and not _is_cancelled():
                raise ZoomUnreachableError("the bot is stopping", maybe_done=True) from None
            raise

    def linked(self, user_id: str, grant: Grant, user: ZoomUser, *, by: str = "") -> list[Change]:
        """The changes that link this Zoom account to the user, replacing an existing link. ``by`` is the user
        who made the link."""
        pair = Pair(grant.access_token, grant.refresh_token, grant.expires_at)
        link = LinkedAccount(
            id=user_id,
            zoom_user_id=user.id,
            zoom_account_id=user.account_id,
            email=user.email,
            sealed_tokens=self._seal(user_id, pair),
            expires_at=grant.expires_at,
            linked_at=self._now(),
            linked_by=by,
            pmi=user.pmi,
        )
        return [Put(link, lambda: self._replace(user_id, pair)), Delete(LostLink, user_id)]

    def unlinked(self, user_id: str) -> list[Change]:
        """The changes that delete a link."""
        return [Delete(LinkedAccount, user_id, lambda: self._disown(user_id))]

    async def held(self, user_id: str, store: Store | None = None) -> Grant | None:
        """The newest tokens of a link; None if there is no link, or its encryption key is missing. ``store``
        is the same store with a limit of the caller's."""
        await self._quiet(user_id)
        try:
            pair, _ = await self._newest(user_id, store or self._store)
        except (ZoomLinkError, NotLinkedError):
            return None
        return Grant(pair.access, pair.refresh, pair.expires_at)

    async def close(self, timeout_s: float = CLOSE_S) -> None:
        """Let running refreshes and saves finish within ``timeout_s`` seconds, then cancel them."""
        self._closing = True
        deadline = asyncio.get_running_loop().time() + timeout_s
        while tasks := [*self._running, *self._savers.values()]:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._pairs.any_unsaved:
            log.error("rotated Zoom tokens could not be saved: these people must link again")

    async def _refresh(self, user_id: str, stale: str) -> str:
        # Zoom takes a refresh token once: no other process may use it meanwhile.
        async with self._store.lock(f"refresh {user_id}") as is_held:
            pair, sealed = await self._newest(user_id, self._store)
            if pair.access == stale or pair.expires_at - self._now() <= EARLY_MS:
                pair = await self._rotate(user_id, pair, sealed, is_held)
        if self._is_current(user_id):
            self._pairs.put(user_id, pair)
        return pair.access

    async def _newest(self, user_id: str, store: Store) -> tuple[Pair, str]:
        """The newest tokens, and the sealed ones in the store. Another process may have saved newer tokens
        than those in memory; unsaved ones are newer still."""
        pair, sealed = await self._stored(user_id, store)
        return self._pairs.unsaved(user_id) or pair, sealed

    async def _rotate(self, user_id: str, pair: Pair, sealed: str, is_held: Callable[[], bool]) -> Pair:
        try:
            grant = await self._oauth.refresh(pair.refresh)
        except ZoomLinkError as error:
            if not is_held():
                raise ZoomUnreachableError("another process may have used the refresh token") from None
            self.refusals += 1
            log.warning("Zoom refused a refresh: %s", error, extra={"user_id": user_id})
            await self._refused(user_id, sealed)
            raise
        self.refreshes += 1
        fresh = Pair(grant.access_token, grant.refresh_token or pair.refresh, grant.expires_at)
        if self._is_current(user_id):
            await self._save(user_id, fresh, sealed)
        return fresh

    async def _refused(self, user_id: str, sealed: str) -> None:
        """Replace the link by a ``LostLink``, unless it has other tokens by now."""
        async with self._store.lock(LINKING):
            link = await self._store.get(LinkedAccount, user_id)
            if link is not None and link.sealed_tokens == sealed:
                await self._lose(link)
        self._pairs.forget(user_id)

    async def _lose(self, link: LinkedAccount) -> None:
        lost = LostLink(
            id=link.id,
            zoom_user_id=link.zoom_user_id,
            zoom_account_id=link.zoom_account_id,
            linked_by=link.linked_by,
            at=self._now(),
        )
        await self._store.commit(Delete(LinkedAccount, link.id), Put(lost), *self.on_lost(lost))

    async def _save(self, user_id: str, pair: Pair, sealed: str) -> None:
        """Save a pair, or go on saving it in the background: a failing store must not lose new tokens."""
        self._pairs.owe(user_id, pair)
        saver = self._savers.get(user_id)
        if saver is None:
            saver = asyncio.create_task(self._saving(user_id, sealed), name=f"save {user_id}")
            self._savers[user_id] = saver
            saver.add_done_callback(lambda done: self._saved(user_id, done))
        await asyncio.wait({saver}, timeout=self._timings.save_s)

    async def _saving(self, user_id: str, sealed: str) -> None:
        failures = 0
        # The sealed tokens that the link may have if it is still the one that was refreshed.
        known = {sealed}
        while pair := self._pairs.unsaved(user_id):
            try:
                await self._write(user_id, pair, known)
                self._pairs.settle(user_id, pair)
            except StoreError as error:
                log.warning("a refreshed token is not saved yet: %s", error, extra={"user_id": user_id})
                failures += 1
                await asyncio.sleep(self._timings.save_backoff.pause_s(failures))

    async def _write(self, user_id: str, pair: Pair, known: set[str]) -> None:
        fresh = self._seal(user_id, pair)
        known.add(fresh)

        def change(link: LinkedAccount) -> LinkedAccount | None:
            if link.sealed_tokens not in known:
                return None
            return msgspec.structs.replace(link, sealed_tokens=fresh, expires_at=pair.expires_at)

        await self._store.update(LinkedAccount, user_id, change)

    async def _stored(self, user_id: str, store: Store) -> tuple[Pair, str]:
        link = await store.get(LinkedAccount, user_id)
        if link is None:
            self._pairs.forget(user_id)
            raise NotLinkedError("no Zoom account is linked")
        return self._open(link), link.sealed_tokens

    def _open(self, link: LinkedAccount) -> Pair:
        try:
            opened = self._vault.open(link.id, link.sealed_tokens)
        except VaultError:
            # The link stays, because the key may be put back. Until then, linking again helps.
            raise ZoomLinkError("the tokens do not open: store.encryption_keys lacks their key") from None
        return Pair.decode(opened, link.expires_at)

    def _seal(self, user_id: str, pair: Pair) -> str:
        return self._vault.seal(user_id, pair.encode())

    def _ended(self, user_id: str, task: asyncio.Task[str]) -> None:
        self._running.discard(task)
        if self._tasks.get(user_id) is task:
            del self._tasks[user_id]
        if not task.cancelled():
            # Retrieves the error. Without callers, asyncio would report it when the task is collected.
            task.exception()

    def _saved(self, user_id: str, task: asyncio.Task[None]) -> None:
        self._savers.pop(user_id, None)
        if not task.cancelled() and task.exception():
            log.error("a refreshed token could not be saved", exc_info=task.exception())

    def _disown(self, user_id: str) -> None:
        """Forget a replaced or removed link: a running refresh must not leave its tokens in memory."""
        self._tasks.pop(user_id, None)
        self._pairs.forget(user_id)

    def _replace(self, user_id: str, pair: Pair) -> None:
        self._disown(user_id)
        self._pairs.put(user_id, pair)

    def _is_current(self, user_id: str) -> bool:
        return self._tasks.get(user_id) is asyncio.current_task()

    async def _quiet(self, user_id: str) -> None:
        """Wait for this link's refresh, if one is running: it may bring new tokens."""
        task = self._tasks.get(user_id)
        if task:
            await asyncio.wait({task}, timeout=2 * CLOSE_S)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
