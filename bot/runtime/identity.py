"""Who the bot is: the names that it answers to, and who its named administrators are."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from bot.core.account import OwnAccount
from bot.core.context import Context
from bot.domain.grammar import Grammar
from bot.domain.identities import OwnName
from bot.errors import EventError, MattermostError, StoreError
from bot.mattermost import Mattermost, User
from bot.mattermost.events import read_user
from bot.mattermost.frames import Event
from bot.stores import Put, Store

log = logging.getLogger(__name__)

PERIOD_S = 30.0


@dataclass(frozen=True, slots=True)
class Identity:
    """The account and the keyword that the bot answers to, and the grammar of its commands."""

    account: OwnAccount
    keyword: str
    grammar: Grammar


class IdentityWatch:
    """Follows the bot account's name, and looks up the named administrators.

    Mattermost tells of a changed account in an event. An event may be missed, so the account is also fetched
    every ``period_s`` seconds.
    """

    def __init__(self, ctx: Context, *, period_s: float = PERIOD_S) -> None:
        self._ctx = ctx
        self._period_s = period_s

    async def run(self) -> None:
        """Look every period, until cancelled."""
        while True:
            await asyncio.sleep(self._period_s)
            try:
                await self.look()
            except (MattermostError, StoreError) as error:
                log.info("identity: %s", error)

    async def look(self) -> None:
        """Fetch the bot account, and look up the administrators whose ids are not known yet."""
        await self.look_at_self()
        await self._ctx.admins.look_up(self._ctx.mattermost)

    async def look_at_self(self) -> None:
        """Fetch the bot account."""
        await self._see(await self._ctx.mattermost.me())

    async def note(self, event: Event) -> None:
        """Take in an event of Mattermost that tells of a changed account."""
        try:
            user = read_user(event)
        except EventError as error:
            log.warning("mattermost: %s", error)
            return
        if user is not None:
            self._ctx.people.forget(user.id)
            await self._see(user)

    async def _see(self, user: User) -> None:
        if self._ctx.bot.see(user):
            log.info("mattermost: the bot account is now called @%s", user.username)
            await self._ctx.store.commit(Put(OwnName(id=user.username)))


async def own_account(store: Store, user: User) -> OwnAccount:
    """The bot's account with the names that it had in earlier runs."""
    former = [known.id for known in await store.all(OwnName)]
    if user.username not in former:
        await store.commit(Put(OwnName(id=user.username)))
    return OwnAccount(user, former)


async def look_up_admins(ctx: Context, mattermost: Mattermost, patience_s: float) -> None:
    """Find out at start who the named administrators are. What takes longer than ``patience_s`` seconds is
    left to :class:`IdentityWatch`: until then, only those known from earlier runs count."""
    await ctx.admins.load()
    try:
        async with asyncio.timeout(patience_s):
            await ctx.admins.look_up(mattermost)
    except TimeoutError:
        log.warning("mattermost.admins: they are not all looked up yet; trying again")
