"""REST and the socket verify certificates, and say what is wrong with one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from bot.errors import ConfigError, MattermostCertificateError, MattermostUnreachableError
from bot.mattermost import Mattermost, open_session
from bot.sandbox.mattermost import Mattermost as Sandbox
from tests.mattermost.conftest import served
from tests.mattermost.listeners import RecordingListener, bot_listener

Refusal = Callable[[Sandbox, str], Awaitable[str]]


@pytest.fixture
async def secure(ca: trustme.CA) -> AsyncIterator[Sandbox]:
    async with Sandbox(ssl_context=served(ca, "127.0.0.1")) as running:
        yield running


async def refusal_of_rest(server: Sandbox, ca_file: str) -> str:
    async with open_session(ca_file) as http:
        with pytest.raises(MattermostCertificateError) as caught:
            await Mattermost(http, server.url, server.bot_token).me()
    return str(caught.value)


async def refusal_of_the_socket(server: Sandbox, ca_file: str) -> str:
    async with open_session(ca_file) as http:
        with pytest.raises(MattermostCertificateError) as caught:
            await RecordingListener(http, server.url, server.bot_token).run()
    return str(caught.value)


REFUSALS = pytest.mark.parametrize("refusal", [refusal_of_rest, refusal_of_the_socket])


async def test_a_private_ca_is_trusted_by_rest_and_the_socket(secure: Sandbox, ca_file: str) -> None:
    async with open_session(ca_file) as http:
        assert (await Mattermost(http, secure.url, secure.bot_token).me()).username == "zoom"
        async with bot_listener(http, secure) as listener:
            await secure.post("alice", "dev", "hello")
            await listener.until(lambda: listener.messages == ["hello"])


@REFUSALS
async def test_an_unknown_ca_is_refused_and_said(secure: Sandbox, refusal: Refusal) -> None:
    text = await refusal(secure, "")
    assert "127.0.0.1" in text
    assert "unknown CA: name its PEM file in mattermost.ca_file" in text
    assert secure.calls == []


@REFUSALS
async def test_another_hosts_certificate_is_refused_and_said(
    ca: trustme.CA, ca_file: str, refusal: Refusal
) -> None:
    async with Sandbox(ssl_context=served(ca, "other.example")) as wrong:
        text = await refusal(wrong, ca_file)
        assert "it is for another host name than 127.0.0.1" in text
        assert wrong.calls == []


async def test_a_server_without_tls_is_said_to_be_one(server: Sandbox) -> None:
    async with open_session() as http:
        with pytest.raises(MattermostUnreachableError, match="is it https there"):
            await Mattermost(http, server.url.replace("http:", "https:"), "x").me()


async def test_a_bad_ca_file_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for path in (empty, tmp_path / "missing.pem"):
        with pytest.raises(ConfigError, match=r"mattermost\.ca_file"):
            open_session(str(path))
