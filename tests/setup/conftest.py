"""A configuration that fits the sandboxes, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.config import Config, MattermostConfig, StoreConfig, WebConfig, ZoomConfig
from bot.sandbox.mattermost import Mattermost
from bot.sandbox.zoom import Zoom
from bot.vault import new_key
from tests.ports import free_port


@pytest.fixture
def port() -> int:
    """Where the bot would serve: nobody does."""
    return free_port()


@pytest.fixture
def public_url(port: int) -> str:
    return f"http://127.0.0.1:{port}/plugins/zoom"


@pytest.fixture
async def mattermost() -> AsyncIterator[Mattermost]:
    async with Mattermost() as server:
        yield server
        assert server.unknown == []


@pytest.fixture
async def zoom(public_url: str) -> AsyncIterator[Zoom]:
    async with Zoom(redirect_uri=f"{public_url}/oauth2/complete") as server:
        yield server
        assert server.unknown == []


@pytest.fixture
def stored(tmp_path: Path) -> Config:
    """A configuration with a store and a key, and nothing else."""
    url = f"tinydb:{tmp_path / 'zoombot.db'}"
    return Config(store=StoreConfig(url=url, encryption_keys=(new_key(),)))


@pytest.fixture
def config(stored: Config, mattermost: Mattermost, zoom: Zoom, port: int, public_url: str) -> Config:
    """A configuration that is right for both sandboxes; the bot itself does not run."""
    return replace(
        stored,
        mattermost=MattermostConfig(url=mattermost.url, token=mattermost.bot_token),
        zoom=ZoomConfig(
            client_id=zoom.client_id,
            client_secret=zoom.client_secret,
            account_id=zoom.account_id,
            webhook_secret=zoom.webhook_secret,
            url=zoom.url,
            api_url=zoom.api_url,
        ),
        web=WebConfig(
            public_url=public_url, port=port, url_secret="url-secret-of-some-length", admin_port=free_port()
        ),
    )
