"""A sandbox server, and the bot's own clients of it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import trustme

from bot.mattermost import Mattermost, open_session
from bot.sandbox.mattermost import Mattermost as Sandbox


@pytest.fixture
async def server() -> AsyncIterator[Sandbox]:
    """A server that must not have been asked for anything that it does not know."""
    async with Sandbox(auth_timeout=0.1) as running:
        yield running
        assert running.unknown == []


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


@pytest.fixture
def mattermost(http: aiohttp.ClientSession, server: Sandbox) -> Mattermost:
    return Mattermost(http, server.url, server.bot_token, retry_base_s=0.01)


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


def served(ca: trustme.CA, host: str) -> ssl.SSLContext:
    """What a server of this name presents."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(host).configure_cert(context)
    return context
