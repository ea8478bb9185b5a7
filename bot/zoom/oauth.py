"""Zoom's OAuth endpoints, called with requests-oauthlib in separate threads."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error, WebApplicationClient
from requests.auth import HTTPBasicAuth

from bot.clock import Now, now_ms
from bot.errors import (
    ConfigError,
    ZoomCertificateError,
    ZoomClientError,
    ZoomError,
    ZoomLinkError,
    ZoomUnreachableError,
)
from bot.hosts import is_loopback
from bot.retrying import Backoff, retrying
from bot.tls import tls_context
from bot.zoom.errors import token_error
from bot.zoom.models import Grant
from bot.zoom.sessions import CA_KEY, CONNECT_TIMEOUT_S, TIMEOUT_S
from bot.zoom.timings import TOKEN_BACKOFF
from bot.zoom.transport import Adapter, Session, Threads, lost, plain_url, secure_url

# At DEBUG these log tokens, codes and the client secret.
for _name in ("requests_oauthlib", "oauthlib", "urllib3"):
    logging.getLogger(_name).setLevel(logging.INFO)

T = TypeVar("T")

# A hundred people whose tokens expired overnight may ask in the same minute.
THREADS = 32
# Zoom's access tokens are valid for an hour. Used if an answer does not say.
DEFAULT_LIFE_S = 3600


class _AccountClient(BackendApplicationClient):
    """Zoom's own grant type, for server-to-server apps."""

    grant_type = "account_credentials"


class OAuth:
    """One Zoom app at ``url`` (https, or http on the loopback). No tokens are kept or logged here.

    All errors are :class:`ZoomError`: :class:`ZoomLinkError` if Zoom no longer accepts the person's
    authorization, :class:`ZoomClientError` if it refuses the app, :class:`ZoomUnreachableError` if there was
    no usable answer (``maybe_done``: the code or the token may be used up).
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        ca_file: str = "",
        account_id: str = "",
        timeout_s: float = TIMEOUT_S,
        now: Now = now_ms,
        backoff: Backoff = TOKEN_BACKOFF,
    ) -> None:
        self._plain = url.startswith("http://")
        host = urlsplit(url).hostname or ""
        if not url.startswith("https://") and not (self._plain and is_loopback(host)):
            raise ConfigError(["zoom.url: must be https://…, or http:// on this machine"])
        self._base = secure_url(url.rstrip("/"))
        self._host = host or "zoom.url"
        self._client_id = client_id
        self._auth = HTTPBasicAuth(client_id, client_secret)
        self._redirect_uri = redirect_uri
        self._account_id = account_id
        self._trust = tls_context(ca_file, CA_KEY)
        self._timeouts = (min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)
        self._timeout_s = timeout_s * 1.5
        self._now = now
        self._backoff = backoff
        self._threads = Threads(THREADS, "zoom-oauth")
        # Why Zoom refuses the app itself, according to the last call that showed it; empty if it does not.
        self.refusal = ""

    def authorize_url(self, state: str, verifier: str) -> str:
        """The URL where a person gives consent. ``verifier`` (43 to 128 characters) is needed again in
        :meth:`exchange`; the URL contains only its SHA-256. Pure."""
        client = WebApplicationClient(self._client_id)
        url: str = client.prepare_request_uri(
            f"{self._base}/oauth/authorize",
            redirect_uri=self._redirect_uri,
            state=state,
            code_challenge=client.create_code_challenge(verifier, "S256"),
            code_challenge_method="S256",
        )
        return plain_url(url) if self._plain else url

    async def exchange(self, code: str, verifier: str) -> Grant:
        """Exchange a code for tokens. A code can be used only once."""
        return await self._run(
            partial(self._fetch, WebApplicationClient(self._client_id), code=code, code_verifier=verifier)
        )

    async def refresh(self, refresh_token: str) -> Grant:
        """Get new tokens. The old refresh token becomes invalid as soon as Zoom receives it, so the call is
        retried only if nothing was sent."""
        return await self._run(partial(self._refresh, refresh_token))

    async def account_credentials(self) -> Grant:
        """Get a token for a server-to-server app."""
        client = _AccountClient(self._client_id)
        try:
            return await self._run(partial(self._fetch, client, account_id=self._account_id))
        except ZoomLinkError as error:
            # No person is involved in this grant: Zoom refuses the app or its account.
            refused = ZoomClientError(str(error), status=error.status, code=error.code)
        raise refused

    async def revoke(self, token: str) -> None:
        """Revoke an authorization at Zoom. Raises :class:`ZoomLinkError` if the token is already invalid."""
        await self._run(partial(self._revoke, token))

    async def close(self) -> None:
        """Do nothing: no connection stays open between calls, and the threads end with their calls."""

    async def _run(self, call: Callable[[], T]) -> T:
        try:
            done = await self._tries(call)
        except ZoomClientError as error:
            self.refusal = str(error)
            raise
        except ZoomLinkError:
            # This is about one person; Zoom accepted the app itself.
            self.refusal = ""
            raise
        self.refusal = ""
        return done

    async def _tries(self, call: Callable[[], T]) -> T:
        with contextlib.suppress(TimeoutError):
            return await retrying(
                partial(self._threads.run, call, self._timeout_s),
                self._backoff,
                on=ZoomUnreachableError,
                asks_for=lambda error: 0.0 if _is_retried(error) else None,
            )
        raise ZoomUnreachableError(f"{self._host} did not answer in time", maybe_done=True, timed_out=True)

    def _fetch(self, client: WebApplicationClient | BackendApplicationClient, **body: Any) -> Grant:
        with self._session(client, *(str(value) for value in body.values())) as session:
            return self._grant(
                partial(
                    session.fetch_token,
                    self._base + "/oauth/token",
                    auth=self._auth,
                    timeout=self._timeouts,
                    **body,
                )
            )

    def _refresh(self, refresh_token: str) -> Grant:
        with self._session(WebApplicationClient(self._client_id), refresh_token) as session:
            return self._grant(
                partial(
                    session.refresh_token,
                    self._base + "/oauth/token",
                    refresh_token,
                    auth=self._auth,
                    timeout=self._timeouts,
                )
            )

    def _revoke(self, token: str) -> None:
        with self._session(WebApplicationClient(self._client_id), token) as session:
            response: requests.Response = self._guarded(
                partial(
                    session.request,
                    "POST",
                    self._base + "/oauth/revoke",
                    data={"token": token},
                    auth=self._auth,
                    timeout=self._timeouts,
                    withhold_token=True,
                )
            )
            if response.status_code >= 300:
                self._check((token,), response)

    def _session(self, client: WebApplicationClient | BackendApplicationClient, *secrets: str) -> Session:
        redirect_uri = None if isinstance(client, BackendApplicationClient) else self._redirect_uri
        session = Session(client=client, redirect_uri=redirect_uri, scope=None)
        session.mount("https://", Adapter(self._trust, plain=self._plain))
        for kind in ("access_token_response", "refresh_token_response"):
            session.register_compliance_hook(kind, partial(self._check, secrets))
        return session

    def _grant(self, call: Callable[[], dict[str, Any]]) -> Grant:
        asked_at = self._now()
        token = self._guarded(call)
        return Grant(
            access_token=str(token["access_token"]),
            refresh_token=str(token.get("refresh_token") or ""),
            expires_at=asked_at + 1000 * int(token.get("expires_in") or DEFAULT_LIFE_S),
            scope=" ".join(token.get("scope") or ()),
        )

    def _guarded(self, call: Callable[[], T]) -> T:
        """Run ``call`` and raise only errors of this project: others contain the request, and so secrets."""
        failure: ZoomError
        try:
            return call()
        except ZoomError as error:
            failure = error
        except (requests.RequestException, OSError) as error:
            failure = lost(error, self._host)
        except (OAuth2Error, ValueError, TypeError, LookupError, AttributeError) as error:
            text = f"the answer of {self._host} is not a token ({type(error).__name__})"
            failure = ZoomUnreachableError(text, maybe_done=True)
        raise failure.with_traceback(None)

    def _check(self, secrets: tuple[str, ...], response: requests.Response) -> requests.Response:
        """Raise Zoom's refusal with its reason, which oauthlib would drop. Remove secrets quoted in it."""
        body = response.content
        for secret in secrets:
            body = body.replace(secret.encode(), b"(secret)")
        failure = token_error(response.status_code, response.headers, body, self._now())
        if failure:
            raise failure
        return response

    def __repr__(self) -> str:
        return f"OAuth({self._host!r})"


def _is_retried(error: BaseException) -> bool:
    """Whether certainly nothing was sent, and a retry in a moment may help."""
    if not isinstance(error, ZoomUnreachableError) or isinstance(error, ZoomCertificateError):
        return False
    return not error.maybe_done and not error.timed_out and error.status == 0
