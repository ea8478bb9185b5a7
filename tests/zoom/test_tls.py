"""Certificates are verified, and what is wrong with one is said."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from bot.errors import ConfigError, ZoomCertificateError
from bot.sandbox.zoom import Zoom as Sandbox
from bot.zoom import AccountToken, Caller, OAuth, Zoom, open_session
from tests.zoom.conftest import oauth_of


class Place:
    def __init__(self, sandbox: Sandbox, ca_file: str) -> None:
        self.sandbox = sandbox
        self.ca_file = ca_file


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
async def secure(ca: trustme.CA) -> AsyncIterator[Sandbox]:
    async with Sandbox(app="server-to-server", ssl_context=served(ca, "127.0.0.1")) as sandbox:
        yield sandbox


def served(ca: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(host).configure_cert(context)
    return context


async def call(sandbox: Sandbox, ca_file: str, oauth: OAuth) -> None:
    async with open_session(ca_file) as http:
        zoom = Zoom(http, sandbox.api_url, AccountToken(oauth), app="server-to-server")
        await zoom.me(Caller("x", "alice@demo.example"))


async def test_a_private_ca_is_trusted_by_both_ways(secure: Sandbox, ca_file: str) -> None:
    await call(secure, ca_file, oauth_of(secure, ca_file=ca_file))


async def test_an_unknown_ca_is_refused_and_said(secure: Sandbox, ca_file: str) -> None:
    with pytest.raises(ZoomCertificateError, match=r"unknown CA.*zoom\.ca_file"):
        await oauth_of(secure).account_credentials()
    with pytest.raises(ZoomCertificateError, match=r"unknown CA.*zoom\.ca_file"):
        await call(secure, "", oauth_of(secure, ca_file=ca_file))


async def test_another_hosts_certificate_is_refused_and_said(ca: trustme.CA, ca_file: str) -> None:
    async with (
        Sandbox(app="server-to-server", ssl_context=served(ca, "other.example")) as wrong,
        Sandbox(app="server-to-server", ssl_context=served(ca, "127.0.0.1")) as right,
    ):
        with pytest.raises(ZoomCertificateError, match="another host name"):
            await oauth_of(wrong, ca_file=ca_file).account_credentials()
        with pytest.raises(ZoomCertificateError, match="another host name"):
            await call(wrong, ca_file, oauth_of(right, ca_file=ca_file))


async def test_a_bad_ca_file_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for path in (empty, tmp_path / "missing.pem"):
        with pytest.raises(ConfigError, match=r"zoom\.ca_file"):
            open_session(str(path))
        with pytest.raises(ConfigError, match=r"zoom\.ca_file"):
            OAuth("https://zoom.us", "id", "secret", "", ca_file=str(path))


async def test_the_environments_trust_has_no_say(
    secure: Sandbox, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
    monkeypatch.setenv("CURL_CA_BUNDLE", ca_file)
    with pytest.raises(ZoomCertificateError):
        await oauth_of(secure).account_credentials()
