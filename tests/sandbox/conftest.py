"""A running sandbox Mattermost, and clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.mattermost import Mattermost
from tests.sandbox.mattermostkit import Client


@pytest.fixture
async def server() -> AsyncIterator[Mattermost]:
    """A server; the test fails if it got a request to an unknown path."""
    async with Mattermost(auth_timeout=0.1) as running:
        yield running
        assert running.unknown == []


@pytest.fixture
async def zoom(server: Mattermost) -> AsyncIterator[Client]:
    """A client with the bot's token."""
    async with Client(server, server.bot_token) as client:
        yield client


@pytest.fixture
async def alice(server: Mattermost) -> AsyncIterator[Client]:
    """A client with alice's token."""
    async with Client(server, server.token("alice")) as client:
        yield client
