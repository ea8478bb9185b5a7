"""The sandbox's Zoom as a test or the demo drives it."""

from __future__ import annotations

import dataclasses
import secrets
import ssl
from typing import Self

from aiohttp import web

from bot.sandbox.zoom.api import Api
from bot.sandbox.zoom.archive import Archive
from bot.sandbox.zoom.browser import browse_consent
from bot.sandbox.zoom.clock import iso
from bot.sandbox.zoom.door import Door
from bot.sandbox.zoom.gate import Gate
from bot.sandbox.zoom.hall import Hall
from bot.sandbox.zoom.models import Delivery, Event, Json, Meeting, User
from bot.sandbox.zoom.oauth import OAuth
from bot.sandbox.zoom.webhooks import encode, validates
from bot.sandbox.zoom.world import App, World

PEOPLE = ("alice@demo.example", "bob@demo.example", "carol@demo.example")


class Zoom(World):
    """An HTTP server in this loop with one account (alice, an administrator; bob; carol) and one app.

    An async context manager. ``stop_server`` and ``start_server`` cut and mend it: same port, same state.
    The switches that may be set at any time are ``World``'s attributes.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        app: App = "user",
        redirect_uri: str = "",
        webhook_url: str = "",
    ) -> None:
        super().__init__(app)
        self.redirect_uri = redirect_uri
        self.webhook_url = webhook_url
        self._host = host
        self._port = port
        self._ssl = ssl_context
        self._runner: web.AppRunner | None = None
        self.courier.on_delivery = self.changed
        for email in PEOPLE:
            self.add_user(email, admin=email == PEOPLE[0])

    async def __aenter__(self) -> Self:
        await self.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.clock.stop()
        await self.courier.close()
        await self.stop_server()

    async def start_server(self) -> None:
        """Listen; again on the same port after ``stop_server``."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port, ssl_context=self._ssl).start()
        self._port = self._runner.addresses[0][1]
        scheme = "https" if self._ssl else "http"
        self.rooms.url = self.shelf.url = f"{scheme}://{self._host}:{self._port}"

    async def stop_server(self) -> None:
        """Close the port and every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        gate = Gate(self)
        application = web.Application(middlewares=[gate.middleware()], client_max_size=1 << 20)
        for part in (OAuth(self), Api(self, gate), Archive(self, gate), Door(self), Hall(self)):
            application.add_routes(part.routes())
        application.router.add_route("*", "/{tail:.*}", gate.not_known)
        return application

    # What it is

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``; known once the server runs."""
        return self.rooms.url

    @property
    def api_url(self) -> str:
        """Where the API is."""
        return f"{self.url}/v2"

    @property
    def webhook_secret(self) -> str:
        """The app's Secret Token."""
        return self.courier.secret

    @property
    def webhook_url(self) -> str:
        """Where events go; empty: nowhere."""
        return self.courier.webhook_url

    @webhook_url.setter
    def webhook_url(self, url: str) -> None:
        self.courier.webhook_url = url

    @property
    def retry_delays(self) -> tuple[float, ...]:
        """Seconds before each further attempt of a delivery that was not accepted."""
        return self.courier.retry_delays

    @retry_delays.setter
    def retry_delays(self, delays: tuple[float, ...]) -> None:
        self.courier.retry_delays = delays

    @property
    def deliveries(self) -> list[Delivery]:
        """Every attempt, in order."""
        return self.courier.deliveries

    @property
    def meetings(self) -> dict[int, Meeting]:
        """All that were not deleted, ended ones too."""
        return self.rooms.meetings

    @property
    def created(self) -> list[int]:
        """The ids that the API gave out, in order."""
        return self.rooms.created

    @property
    def revoked(self) -> list[str]:
        """Tokens that were given to ``/oauth/revoke``."""
        return self.accounts.revoked

    @property
    def refreshes(self) -> int:
        """How many succeeded."""
        return self.accounts.refreshes

    @property
    def refresh_refused(self) -> int:
        """How many refreshes were refused."""
        return self.accounts.refresh_refused

    def clear_calls(self) -> None:
        """Forget what was asked so far."""
        self.calls.clear()
        self.token_requests.clear()

    # Users and their authorizations

    def user(self, email: str) -> User:
        """By e-mail or id. Raises ``KeyError``."""
        found = self.accounts.find(email)
        if found is None:
            raise KeyError(email)
        return found

    def add_user(
        self,
        email: str,
        *,
        licensed: bool = True,
        webinar: bool = False,
        pmi_enabled: bool = True,
        admin: bool = False,
    ) -> User:
        """A further user of the account."""
        return self.accounts.add(
            email, licensed=licensed, webinar=webinar, pmi_enabled=pmi_enabled, admin=admin
        )

    def grant(self, email: str) -> Json:
        """A token answer, as if the user had just consented."""
        return self.accounts.grant(self.user(email))

    def expire_tokens(self, email: str | None = None) -> None:
        """The access tokens of one user, or of all, are over their hour."""
        self.accounts.expire(self.user(email) if email else None)

    def revoke(self, email: str) -> None:
        """The user's tokens are dead, and nobody is told."""
        self.accounts.drop(self.user(email))

    async def deauthorize(self, email: str, *, deliver: bool = True) -> None:
        """The user removes the app at Zoom: tokens die, ``app_deauthorized`` is sent."""
        user = self.user(email)
        self.accounts.drop(user)
        payload: Json = {
            "account_id": user.account_id,
            "user_id": user.id,
            "signature": secrets.token_hex(32),
            "deauthorization_time": iso(self.clock.now_ms()),
            "client_id": self.client_id,
        }
        await self._send(
            [Event(name="app_deauthorized", payload=payload, at_ms=self.clock.now_ms())], deliver
        )

    async def consent(self, authorize_url: str, email: str, allow: bool = True) -> str:
        """What a browser does with an authorization URL; returns where Zoom sends it back to."""
        return await browse_consent(authorize_url, email, allow, self.courier.client_ssl)

    # Meetings: what makes no sense in their present state raises ``ValueError``

    async def start(self, number: int, *, host: bool = True, deliver: bool = True) -> Meeting:
        """The host starts a meeting and (unless ``host`` is false) is its first participant."""
        meeting = self._room(number)
        await self._send(self.rooms.open(meeting, with_host=host), deliver)
        return meeting

    async def join(self, number: int, name: str, email: str = "", *, deliver: bool = True) -> str:
        """Somebody joins; returns the session's user id."""
        user_id, events = self.rooms.enter(self._room(number), name, email)
        await self._send(events, deliver)
        return user_id

    async def leave(self, number: int, user_id: str, *, deliver: bool = True) -> None:
        """Somebody leaves; the meeting ends with the last."""
        await self._send(self.rooms.leave(self._room(number), user_id), deliver)

    async def end(self, number: int, *, deliver: bool = True) -> None:
        """The host ends the meeting for all."""
        await self._send(self.rooms.close(self._room(number)), deliver)

    async def wait_in_lobby(self, number: int, name: str, email: str = "", *, deliver: bool = True) -> None:
        """Somebody waits for the host."""
        await self._send(self.rooms.wait(self._room(number), name, email), deliver)

    async def record(self, number: int, *, deliver: bool = True) -> None:
        """A recording of the last occurrence is published."""
        await self._send(self.shelf.record(self._room(number)), deliver)

    async def transcribe(self, number: int, *, deliver: bool = True) -> None:
        """A transcript of the last occurrence is published."""
        await self._send(self.shelf.transcribe(self._room(number)), deliver)

    async def summarize(self, number: int, *, deliver: bool = True) -> None:
        """A summary of the last occurrence is published."""
        await self._send(self.shelf.summarize(self._room(number)), deliver)

    # Deliveries

    def sign(self, body: bytes, timestamp: int | None = None) -> dict[str, str]:
        """The two headers that make ``body`` genuine; ``timestamp`` is in seconds."""
        return self.courier.sign(body, timestamp)

    async def deliver(
        self,
        event: str,
        payload: Json,
        *,
        event_ts: int | None = None,
        timestamp: int | None = None,
        secret: str | None = None,
        download_token: str | None = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Delivery:
        """One POST, without retries. ``raw`` replaces the body; a header given as "" is left out."""
        at = self.clock.now_ms() if event_ts is None else event_ts
        made = encode(Event(name=event, payload=payload, at_ms=at, download_token=download_token or ""))
        body = made if raw is None else raw
        return await self.courier.post(
            event, body, self.courier.sign(body, timestamp, secret) | (headers or {})
        )

    async def validate_url(self) -> Delivery:
        """Zoom's check of the webhook URL; ``valid`` tells whether the answer was right."""
        plain = secrets.token_urlsafe(16)
        delivery = await self.deliver("endpoint.url_validation", {"plainToken": plain})
        valid = validates(self.webhook_secret, plain, delivery)
        return dataclasses.replace(delivery, valid=valid)

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """The same event once more, freshly signed: at least once is not once."""
        headers = self.courier.sign(delivery.body)
        return await self.courier.post(delivery.event, delivery.body, headers, delivery.attempt + 1)

    async def settle(self) -> None:
        """Wait until no delivery is under way or due for a retry."""
        await self.courier.settle()

    async def _send(self, events: list[Event], deliver: bool) -> None:
        self.changed()
        if deliver:
            await self.courier.send(events)

    def _room(self, number: int) -> Meeting:
        return self.rooms.meetings.get(number) or self.rooms.get(number)
