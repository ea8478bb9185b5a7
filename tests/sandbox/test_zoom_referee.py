"""The sandbox's Zoom over TLS, judged by a public OAuth client library."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import trustme
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from bot.sandbox.zoom import Zoom
from tests.sandbox.zoomkit import REDIRECT


async def test_requests_oauthlib_links_refreshes_and_calls(tmp_path: Path) -> None:
    authority = trustme.CA()
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server_tls)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    async with Zoom(ssl_context=server_tls, redirect_uri=REDIRECT) as zoom:
        zoom.webhooks.client_ssl = ssl.create_default_context(cafile=str(ca_file))
        with OAuth2Session(zoom.client_id, redirect_uri=REDIRECT, pkce="S256") as session:
            # Otherwise REQUESTS_CA_BUNDLE of the environment wins over `verify`.
            session.trust_env = False
            session.verify = str(ca_file)
            auth = HTTPBasicAuth(zoom.client_id, zoom.client_secret)
            url, state = session.authorization_url(f"{zoom.url}/oauth/authorize")
            back = await zoom.consent(url, "bob@demo.example")
            token_url = f"{zoom.url}/oauth/token"
            # The library insists on https for the answer's URL; only its query matters.
            answer = back.replace("http://", "https://", 1)

            first = await asyncio.to_thread(
                session.fetch_token, token_url, authorization_response=answer, auth=auth, timeout=10
            )
            second = await asyncio.to_thread(session.refresh_token, token_url, auth=auth, timeout=10)
            me = await asyncio.to_thread(session.get, f"{zoom.api_url}/users/me", timeout=10)

        assert f"state={state}" in back
        assert second["refresh_token"] != first["refresh_token"]
        assert me.json()["email"] == "bob@demo.example"
        assert zoom.unknown == []
