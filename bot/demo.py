"""``zoombot demo``: the real bot with local stand-ins for Mattermost and Zoom."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Protocol

from bot.config import Config, MattermostConfig, StoreConfig, WebConfig, ZoomConfig
from bot.core.context import Context
from bot.errors import StartError
from bot.messages.content import Markdown, text
from bot.runtime.app import App, opened
from bot.runtime.stopping import stopping_on_signals
from bot.runtime.timings import Timings
from bot.vault import new_key

# The demo's Mattermost users.
PEOPLE = ("alice", "bob", "carol")

# Short: after the stage's clock is moved forward, the effect soon shows.
TIMINGS = Timings(reconcile_s=5.0)

_URL_SECRET = secrets.token_urlsafe(24)
_COMMAND_TOKEN = secrets.token_urlsafe(24)


class Stage(Protocol):
    """The demo's Mattermost and Zoom; see ``bot.sandbox.stage``."""

    def now(self) -> int:
        """The stage's time in milliseconds since the epoch."""

    @property
    def mattermost_url(self) -> str:
        """Mattermost's URL, which is also the page for the browser."""

    @property
    def mattermost_token(self) -> str:
        """The access token of the bot account."""

    @property
    def zoom_url(self) -> str:
        """The URL where people sign in to Zoom."""

    @property
    def zoom_api_url(self) -> str:
        """The URL of Zoom's API."""

    @property
    def zoom_app(self) -> tuple[str, str, str]:
        """The client id, the client secret and the webhooks' Secret Token."""

    def opened(
        self, public_url: str, url_secret: str, command_token: str
    ) -> AbstractAsyncContextManager[None]:
        """Run both servers for a bot at ``public_url``. Raises OSError if the port is taken."""


async def run(stage: Stage, *, browser: bool, say: Callable[[str], None]) -> None:
    """Run until Ctrl-C. Raises :class:`bot.errors.StartError` if the port is taken."""
    stop = asyncio.Event()
    port = free_port()
    async with AsyncExitStack() as stack:
        stack.enter_context(stopping_on_signals(stop))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="zoombot-demo-"))
        try:
            await stack.enter_async_context(
                stage.opened(f"http://127.0.0.1:{port}", _URL_SECRET, _COMMAND_TOKEN)
            )
        except OSError as error:
            raise StartError(f"the demo cannot listen: {error.strerror}; try --port 0") from None
        config = config_of(stage, Path(folder), port)
        app = await stack.enter_async_context(opened(config, timings=TIMINGS, now=stage.now))
        await _play(app, stop, lambda: _introduce(stage, browser, say))


async def _play(app: App, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    playing = asyncio.create_task(app.run())
    stopped = asyncio.create_task(stop.wait())
    opening = asyncio.create_task(app.socket.opened())
    try:
        await asyncio.wait({playing, stopped, opening}, return_when=asyncio.FIRST_COMPLETED)
        if opening.done():
            await greet(app.ctx)
            ready()
        await asyncio.wait({playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (playing, stopped, opening):
            task.cancel()
        await asyncio.wait({playing, stopped, opening})


async def greet(ctx: Context) -> None:
    """Send each person a direct message that says what to try."""
    said = text("greeting", bot=Markdown(ctx.bot.username))
    users = [await ctx.mattermost.user_by_name(name) for name in PEOPLE]
    await ctx.store.commit(*(ctx.tell_user(f"greeting:{user.id}", user.id, said) for user in users))


def config_of(stage: Stage, folder: Path, port: int) -> Config:
    """The configuration for this stage, as a ``bot.toml`` would give it."""
    client_id, client_secret, webhook_secret = stage.zoom_app
    return Config(
        mattermost=MattermostConfig(
            url=stage.mattermost_url, token=stage.mattermost_token, command_token=_COMMAND_TOKEN
        ),
        zoom=ZoomConfig(
            client_id=client_id,
            client_secret=client_secret,
            webhook_secret=webhook_secret,
            url=stage.zoom_url,
            api_url=stage.zoom_api_url,
        ),
        web=WebConfig(public_url=f"http://127.0.0.1:{port}", port=port, admin_port=0, url_secret=_URL_SECRET),
        store=StoreConfig(url=f"tinydb:{folder / 'zoombot.db'}", encryption_keys=(new_key(),)),
    )


def free_port() -> int:
    """Find a free port: the bot's address must be known before it listens.

    The port is below the range for outgoing connections (from 32768 on Linux, higher elsewhere), so none of
    our own connections can take it first.
    """
    for _ in range(100):
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise StartError("the demo found no free port")


def _introduce(stage: Stage, browser: bool, say: Callable[[str], None]) -> None:
    say("Zoom for Mattermost, with local stand-ins for both. Open this in a browser:")
    say("")
    say(f"{stage.mattermost_url}/")
    say("")
    say("Accounts: alice, bob, carol; the password is demo. The bot is @zoom.")
    say("Channels: town-square, dev, and ops (private).")
    say("Press Ctrl-C to stop. Nothing is kept.")
    if browser:
        threading.Thread(target=webbrowser.open, args=(stage.mattermost_url,), daemon=True).start()
