"""The composition root: opens everything, runs until stopped, then closes everything in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import aiohttp

from bot.clock import Now, now_ms
from bot.config import Config
from bot.core.clocks import Clocks
from bot.core.context import Context
from bot.core.migrations import migrate
from bot.core.registry import Registry
from bot.domain.grammar import Grammar
from bot.errors import MattermostError
from bot.features import collect
from bot.mattermost import Mattermost, Socket
from bot.mattermost import open_session as open_mattermost_session
from bot.mattermost.socket import Deliver
from bot.runtime import health
from bot.runtime.answers_first import AnswersFirst
from bot.runtime.claiming import Claiming
from bot.runtime.identity import Identity, IdentityWatch, look_up_admins, own_account
from bot.runtime.janitor import Janitor
from bot.runtime.listener import Listener
from bot.runtime.metrics import Metrics
from bot.runtime.ports import Ports
from bot.runtime.publisher import Publisher
from bot.runtime.publishing import Publishing, open_publishing
from bot.runtime.reconciler import Reconciler
from bot.runtime.resuming import resume
from bot.runtime.second_tries import EVENTS
from bot.runtime.stopping import stopping_on_signals
from bot.runtime.timings import BROKEN_PAUSE_S, DEFAULT_TIMINGS, Timings
from bot.runtime.wiring import introduce, look_at_keys, open_context
from bot.runtime.worker import Worker
from bot.stores.claims import Claims, leading
from bot.stores.notifying import NotifyingStore
from bot.stores.opening import open_claims, open_store
from bot.vault import Vault
from bot.web import public_app

log = logging.getLogger(__name__)

# Shutdown takes at most 5 s. First the socket is closed (0.4 s) and the listener writes down what it holds
# (0.2 s). These three steps run one after another while the servers finish their open requests (1.4 s). Then
# the tokens (0.6 s) and the store (1.5 s) are closed. The log has 0.3 s. What takes longer is left behind:
# see bot.runtime.stopping.
CURSOR_GRACE_S = 0.2
WORKER_GRACE_S = 0.8
PUBLISHER_GRACE_S = 0.4


class App:
    """A running bot, made by :func:`opened`."""

    def __init__(
        self,
        ctx: Context,
        worker: Worker,
        out: Publishing,
        listener: Listener,
        reconciler: Reconciler,
        identity: IdentityWatch,
        claiming: Claiming,
        *,
        broken_pause_s: float = BROKEN_PAUSE_S,
    ) -> None:
        self.ctx = ctx
        self.worker = worker
        self.publisher = out.publisher
        self.out = out
        self.listener = listener
        self.socket = listener.socket
        self.reconciler = reconciler
        self.identity = identity
        self.claiming = claiming
        self.claims = claiming.claims
        self._broken_pause_s = broken_pause_s
        # The ports it listens on; 0 until then.
        self.public_port = 0
        self.admin_port = 0

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep("listener", self.listener.run))
            tasks.create_task(self._keep("identity", self.identity.run))
            tasks.create_task(self._keep("claims", self.claiming.run))
            tasks.create_task(self._keep("reconciler", partial(leading, self.claims, self.reconciler.run)))
            tasks.create_task(self._keep("second tries", self.out.second_tries.run))
            tasks.create_task(self._keep("timer", self.worker.timer.run))
            ctx = self.ctx
            look = partial(ctx.clocks.look, ctx.mattermost, ctx.zoom)
            janitor = Janitor(ctx.store, ctx.now, look)
            tasks.create_task(self._keep("janitor", partial(leading, self.claims, janitor.run)))
            watch = partial(ctx.clocks.watch, ctx.mattermost, ctx.zoom)
            tasks.create_task(self._keep("clocks", watch))

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` again whenever it fails: a failed part must not stop the others."""
        while True:
            try:
                await work()
            except* MattermostError as errors:
                for error in errors.exceptions:
                    log.error("mattermost: %s", error)
            except* Exception:
                log.exception("the %s broke; it begins again in %.0f s", name, self._broken_pause_s)
            await asyncio.sleep(self._broken_pause_s)


async def run(config: Config, *, timings: Timings = DEFAULT_TIMINGS) -> None:
    """Run the bot until SIGINT or SIGTERM. Raises the same errors as :func:`opened`."""
    stop = asyncio.Event()
    with stopping_on_signals(stop):
        stopping = asyncio.ensure_future(stop.wait())
        serving = asyncio.ensure_future(_serve(config, timings))
        try:
            await asyncio.wait({stopping, serving}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                log.info("stopping")
                serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving
        finally:
            stopping.cancel()


async def _serve(config: Config, timings: Timings) -> None:
    async with opened(config, timings=timings) as app:
        log.info("ready", extra={"bot": app.ctx.bot.username, "port": app.public_port})
        await app.run()


@asynccontextmanager
async def opened(
    config: Config, *, timings: Timings = DEFAULT_TIMINGS, now: Now = now_ms
) -> AsyncIterator[App]:
    """Open the adapters, serve the routes and yield the bot; close everything on exit.

    Raises :class:`StartError`, :class:`bot.errors.StoreError`, :class:`bot.errors.ConfigError` or
    :class:`bot.errors.VaultError`, each with a one-line message for the operator.
    """
    for warning in config.warnings:
        log.warning("%s", warning)
    vault = Vault(config.store.encryption_keys)
    metrics = Metrics()
    registry = collect()
    async with AsyncExitStack() as stack:
        ports = Ports(config.web, metrics.text, timings.web)
        stack.push_async_callback(ports.close)
        await ports.open()
        ports.wait_for("store", "it is being opened")
        opened_store = await open_store(
            config.store.url,
            ca_file=config.store.ca_file,
            patience_s=timings.start_patience_s,
            on_trouble=log.error,
            limits=timings.store,
        )
        claims = open_claims(opened_store, timings.claims)
        store = NotifyingStore(opened_store, claims.shares)
        stack.push_async_callback(store.close)
        await migrate(store, vault)
        await look_at_keys(store, vault)
        http = open_mattermost_session(config.mattermost.ca_file)
        stack.push_async_callback(http.close)
        clocks = Clocks(now, period_s=timings.clocks_s)
        mattermost = _client(http, config, clocks)
        ports.wait_for("mattermost", "it has not answered yet")
        note = partial(ports.wait_for, "mattermost")
        bot = await own_account(store, await introduce(mattermost, timings.start_patience_s, note))
        ctx = await open_context(
            config, registry, store, vault, mattermost, bot, metrics, clocks, stack, timings, claims
        )
        # Before anything is written down with the wrong time.
        await clocks.settle(mattermost, ctx.zoom)
        # Before the worker watches the store: it treats the items it sees written as new, and those it
        # recovers as possibly begun.
        await resume(ctx)
        await look_up_admins(ctx, mattermost, timings.admins_s)
        yield await _started(ctx, registry, store, claims, http, metrics, ports, timings, stack)


async def _started(
    ctx: Context,
    registry: Registry,
    store: NotifyingStore,
    claims: Claims,
    http: aiohttp.ClientSession,
    metrics: Metrics,
    ports: Ports,
    timings: Timings,
    stack: AsyncExitStack,
) -> App:
    """Put the parts of the bot together, take up what the last run left, and serve the routes."""
    first = AnswersFirst(ctx.inbox, timings.courtesy)
    out = open_publishing(ctx, registry, store, claims, timings, first)
    policy = timings.retry_policy
    worker = Worker(
        ctx, registry, ctx.inbox, store, metrics, policy, trials=out.trials, first=first, claims=claims
    )
    claiming = Claiming(claims, worker, out.publisher, ctx.creations)
    stack.push_async_callback(claims.close)
    identity = IdentityWatch(ctx, period_s=timings.identity_s)
    listener = _listener(ctx, registry.grammar, http, timings, identity, out.second_tries.take, claims)
    stack.push_async_callback(_wind_down, ports, listener, worker, out.publisher)
    # Before the first webhook can arrive: it may be about a meeting that an unfinished item has created.
    if left := await worker.recover() + await out.publisher.recover():
        log.info("took up %d things left by the last run", left)
    reconciler = Reconciler(ctx, period_s=timings.reconcile_s)
    pause_s = timings.broken_pause_s
    app = App(ctx, worker, out, listener, reconciler, identity, claiming, broken_pause_s=pause_s)
    await _serve_http(app, registry, metrics, ports)
    health.observe(metrics, app)
    return app


def _client(http: aiohttp.ClientSession, config: Config, clocks: Clocks) -> Mattermost:
    settings = config.mattermost
    return Mattermost(http, settings.url, settings.token, clock=clocks.mattermost, now=clocks.now)


def _listener(
    ctx: Context,
    grammar: Grammar,
    http: aiohttp.ClientSession,
    timings: Timings,
    watch: IdentityWatch,
    on_event: Deliver,
    claims: Claims,
) -> Listener:
    settings = ctx.config.mattermost
    socket = Socket(
        http, settings.url, settings.token, timing=timings.socket, clock=ctx.mattermost.clock, now=ctx.now
    )
    identity = Identity(ctx.bot, settings.keyword, grammar)
    return Listener(
        socket,
        ctx.mattermost,
        ctx.store,
        ctx.inbox,
        identity,
        watch,
        ctx.now,
        missed_ms=settings.catch_up_ms,
        timings=timings.listener,
        on_event=on_event,
        events=EVENTS,
        claims=claims,
    )


async def _wind_down(ports: Ports, listener: Listener, worker: Worker, publisher: Publisher) -> None:
    """Close the servers and give running work its time to finish. The rest stays in the store."""

    async def finish() -> None:
        await listener.save_cursor(CURSOR_GRACE_S)
        await worker.close(WORKER_GRACE_S)
        await publisher.close(PUBLISHER_GRACE_S)

    outcomes = await asyncio.gather(ports.close(), finish(), return_exceptions=True)
    for failure in outcomes:
        if isinstance(failure, Exception):
            log.error("stopping: %s", failure, exc_info=failure)


async def _serve_http(app: App, registry: Registry, metrics: Metrics, ports: Ports) -> None:
    def note_webhook(status: int, seconds: float) -> None:
        metrics.webhooks.labels(str(status)).inc()
        metrics.webhook_seconds.observe(seconds)

    public = public_app(app.ctx, registry, note_webhook)
    await ports.serve(
        public, lambda: health.reasons(app), lambda: health.limits(app), lambda: health.place(app)
    )
    app.admin_port, app.public_port = ports.admin_port, ports.public_port
