"""Zoom's OAuth endpoints: consent, tokens, revocation."""

from __future__ import annotations

import base64
import binascii
import secrets

from aiohttp import web
from yarl import URL

from bot.sandbox.zoom import pages
from bot.sandbox.zoom.failures import OAuthError
from bot.sandbox.zoom.models import Json
from bot.sandbox.zoom.world import World


class OAuth:
    """The routes under ``/oauth``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/oauth/authorize", self.consent_page),
            web.post("/oauth/authorize", self.consent),
            web.post("/oauth/token", self.token),
            web.post("/oauth/revoke", self.revoke),
        ]

    async def consent_page(self, request: web.Request) -> web.Response:
        """The page that asks which account to link."""
        asked = dict(request.query)
        if fault := self._fault(asked):
            return pages.refusal(fault)
        return pages.consent(asked, list(self._world.accounts.users.values()), self._world.accounts.scope)

    async def consent(self, request: web.Request) -> web.Response:
        """Redirect back to the app with a code or an error."""
        asked = {name: str(value) for name, value in (await request.post()).items()}
        if fault := self._fault(asked):
            return pages.refusal(fault)
        back: dict[str, str] = {"error": "access_denied"}
        if asked.get("decision") == "allow":
            if not asked.get("email"):
                return pages.refusal("Go back and choose an account first.")
            user = self._world.accounts.find(asked["email"])
            if user is None:
                return pages.refusal("There is no such Zoom account.")
            if self._world.app == "account" and not user.admin:
                return pages.refusal("This app must be added by an administrator of the account.", status=403)
            back = {
                "code": self._world.accounts.code(
                    user, asked["redirect_uri"], asked.get("code_challenge", "")
                )
            }
        if "state" in asked:
            back["state"] = asked["state"]
        target = URL(asked["redirect_uri"]).update_query(back)
        return web.Response(status=302, headers={"Location": str(target)})

    async def token(self, request: web.Request) -> web.Response:
        """Handle the three grant types."""
        self._authenticate(request)
        form = {name: str(value) for name, value in (await request.post()).items()}
        answer = self._grant(form.get("grant_type", ""), form | dict(request.query))
        answer["api_url"] = self._world.meeting_store.url
        return web.json_response(answer)

    async def revoke(self, request: web.Request) -> web.Response:
        """Revoke the grant of the given token."""
        self._authenticate(request)
        form = await request.post()
        self._world.accounts.revoke(str(form.get("token") or request.query.get("token", "")))
        return web.json_response({"status": "success"})

    def _grant(self, kind: str, form: dict[str, str]) -> Json:
        kind = kind or form.get("grant_type", "")
        wanted = "account_credentials" if self._world.app == "server-to-server" else kind
        if kind != wanted or (kind == "account_credentials" and self._world.app != "server-to-server"):
            raise OAuthError("unsupported grant type", "unsupported_grant_type")
        if kind == "authorization_code":
            return self._world.accounts.exchange(
                form.get("code", ""), form.get("redirect_uri", ""), form.get("code_verifier", "")
            )
        if kind == "refresh_token":
            return self._world.accounts.refresh(form.get("refresh_token", ""))
        if kind != "account_credentials":
            raise OAuthError("unsupported grant type", "unsupported_grant_type")
        if form.get("account_id") != self._world.account_id:
            raise OAuthError("Bad Request", "invalid_request")
        return self._world.accounts.account()

    def _fault(self, asked: dict[str, str]) -> str:
        if self._world.app == "server-to-server":
            return "A server-to-server app has no authorization page."
        if asked.get("client_id") != self._world.client_id:
            return "Invalid client id (4,702)."
        uri = asked.get("redirect_uri", "")
        if not uri or (self._world.redirect_uri and uri != self._world.redirect_uri):
            return "Invalid redirect URL (4,700)."
        if asked.get("response_type") != "code":
            return "Invalid response type (4,700)."
        if asked.get("code_challenge") and asked.get("code_challenge_method", "plain") != "S256":
            return "Only S256 code challenges are accepted here."
        return ""

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(value, validate=True) if scheme.lower() == "basic" else b""
        except binascii.Error:
            given = b""
        expected = f"{self._world.client_id}:{self._world.client_secret}".encode()
        if not secrets.compare_digest(given, expected):
            raise OAuthError("Invalid client_id or client_secret", "invalid_client", 401)
