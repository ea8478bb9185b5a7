"""The users of one Zoom account, and the app's authorization codes and tokens."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field

from bot.sandbox.zoom import ids
from bot.sandbox.zoom.clock import Clock
from bot.sandbox.zoom.failures import OAuthError, bad_token
from bot.sandbox.zoom.models import BASIC, LICENSED, Json, User

CODE_MS = 5 * 60 * 1000
ACCESS_S = 3600
REFRESH_MS = 90 * 24 * 3600 * 1000


@dataclass(kw_only=True)
class Grant:
    """A user's authorization of the app. ``user`` is None for server-to-server apps."""

    user: User | None
    refresh_token: str = ""
    refresh_until_ms: int = 0
    access: dict[str, int] = field(default_factory=dict)
    dead: bool = False


@dataclass(kw_only=True)
class Code:
    """An authorization code and the values it is bound to."""

    user: User
    redirect_uri: str
    challenge: str
    until_ms: int
    used: bool = False


class Accounts:
    """Accounts and tokens, without I/O. Times come from the sandbox's clock."""

    def __init__(self, clock: Clock, account_id: str) -> None:
        self._clock = clock
        self.account_id = account_id
        self.users: dict[str, User] = {}
        self.grants: list[Grant] = []
        self.scope = ""
        self.revoked: list[str] = []
        self.refreshes = 0
        self.refresh_refused = 0
        self._codes: dict[str, Code] = {}
        self._by_access: dict[str, Grant] = {}
        self._by_refresh: dict[str, Grant] = {}

    def add(self, email: str, *, licensed: bool, webinar: bool, pmi_enabled: bool, admin: bool) -> User:
        """Add a user, with names derived from the e-mail address."""
        local = email.partition("@")[0]
        first, _, last = local.replace(".", " ").title().partition(" ")
        user = User(
            id=ids.user_id(),
            email=email,
            first_name=first,
            last_name=last or "Demo",
            account_id=self.account_id,
            pmi=3_345_678_901 + len(self.users),
            type=LICENSED if licensed else BASIC,
            webinar=webinar,
            pmi_enabled=pmi_enabled,
            admin=admin,
        )
        self.users[user.id] = user
        return user

    def find(self, name: str) -> User | None:
        """The user with this id or e-mail address (any case), or None."""
        found = self.users.get(name)
        if found is None:
            folded = name.casefold()
            found = next((user for user in self.users.values() if user.email.casefold() == folded), None)
        return found

    def code(self, user: User, redirect_uri: str, challenge: str) -> str:
        """Issue a single-use code, valid for five minutes."""
        code = ids.token()
        self._codes[code] = Code(
            user=user, redirect_uri=redirect_uri, challenge=challenge, until_ms=self._clock.now_ms() + CODE_MS
        )
        return code

    def exchange(self, code: str, redirect_uri: str, verifier: str) -> Json:
        """Tokens for a code. Raises ``OAuthError``."""
        known = self._codes.get(code)
        if known is None or known.used:
            raise OAuthError("Invalid authorization code", "invalid_request")
        if self._clock.now_ms() > known.until_ms:
            raise OAuthError("Authorization code expired", "invalid_request")
        if redirect_uri != known.redirect_uri:
            raise OAuthError("Redirect URI mismatch.", "invalid_request")
        known.used = True
        if known.challenge and challenge_of(verifier) != known.challenge:
            raise OAuthError("Invalid code verifier", "invalid_grant")
        return self.grant(known.user)

    def grant(self, user: User) -> Json:
        """Authorize the app for ``user``; returns the token response. The user's earlier tokens die."""
        self.drop(user)
        grant = Grant(user=user)
        self.grants.append(grant)
        return self._issue(grant)

    def refresh(self, token: str) -> Json:
        """Issue new tokens and revoke the given refresh token. Raises ``OAuthError``."""
        grant = self._by_refresh.get(token)
        current = grant is not None and not grant.dead and grant.refresh_token == token
        if grant is None or not current or self._clock.now_ms() > grant.refresh_until_ms:
            self.refresh_refused += 1
            raise OAuthError("Invalid Token!", "invalid_grant")
        self.refreshes += 1
        return self._issue(grant)

    def account(self) -> Json:
        """Issue a server-to-server token. Several of them live side by side."""
        grant = Grant(user=None)
        self.grants.append(grant)
        answer = self._access(grant)
        answer["expires_in"] = ACCESS_S - 1
        return answer

    def owner(self, token: str) -> Grant | None:
        """The grant of an access or refresh token, revoked or not."""
        return self._by_access.get(token) or self._by_refresh.get(token)

    def check(self, token: str) -> Grant:
        """The grant of a valid access token. Raises ``ApiError`` 401/124."""
        grant = self._by_access.get(token)
        if grant is None or grant.dead:
            raise bad_token()
        if self._clock.now_ms() >= grant.access[token]:
            raise bad_token("Access token is expired.")
        return grant

    def revoke(self, token: str) -> None:
        """Revoke the token's grant. Raises ``OAuthError``."""
        grant = self.owner(token)
        stale = grant is not None and token in grant.access and self._clock.now_ms() >= grant.access[token]
        if grant is None or grant.dead or stale:
            raise OAuthError("Invalid Token!", "invalid_grant")
        grant.dead = True
        self.revoked.append(token)

    def drop(self, user: User) -> None:
        """Revoke all of the user's tokens, as when the user removes the app or authorizes it again."""
        for grant in self.grants:
            if grant.user is user:
                grant.dead = True

    def expire(self, user: User | None) -> None:
        """Expire the access tokens of one user or all. Refresh tokens stay valid."""
        for grant in self.grants:
            if user is None or grant.user is user:
                grant.access = dict.fromkeys(grant.access, 0)

    def _issue(self, grant: Grant) -> Json:
        answer = self._access(grant)
        grant.refresh_token = ids.token()
        grant.refresh_until_ms = self._clock.now_ms() + REFRESH_MS
        self._by_refresh[grant.refresh_token] = grant
        answer["refresh_token"] = grant.refresh_token
        return answer

    def _access(self, grant: Grant) -> Json:
        token = ids.token()
        grant.access[token] = self._clock.now_ms() + ACCESS_S * 1000
        self._by_access[token] = grant
        # Zoom answers 3599 for a lifetime of an hour.
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": ACCESS_S - 1,
            "scope": self.scope,
        }


def challenge_of(verifier: str) -> str:
    """The S256 PKCE challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
