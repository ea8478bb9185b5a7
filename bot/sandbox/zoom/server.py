"""The Zoom server that tests and the demo start."""

from __future__ import annotations

import dataclasses
import secrets
import ssl
from typing import Self

from aiohttp import web

from bot.sandbox.zoom.api import Api
from bot.sandbox.zoom.browser import browse_consent
from bot.sandbox.zoom.clock import iso
from bot.sandbox.zoom.dispatch import Dispatcher
from bot.sandbox.zoom.front_page import FrontPage
from bot.sandbox.zoom.meeting_routes import MeetingRoutes
from bot.sandbox.zoom.models import Delivery, Event, Json, Meeting, User
from bot.sandbox.zoom.oauth import OAuth
from bot.sandbox.zoom.past_meetings import PastMeetings
from bot.sandbox.zoom.webhooks import encode, validates
from bot.sandbox.zoom.world import App, World

PEOPLE = ("alice@demo.example", "bob@demo.example", "carol@demo.example")


class Zoom(World):
    """A Zoom server in this event loop with one account and one app; an async context manager.

    The account has the users alice (administrator), bob and carol. After ``stop_server``, ``start_server``
    starts it again on the same port with the same state. Tests may set ``World``'s attributes at any time.
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
        self.webhooks.on_delivery = self.changed
        for email in PEOPLE:
            self.add_user(email, admin=email == PEOPLE[0])

    async def __aenter__(self) -> Self:
        await self.start_server()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.clock.stop()
        await self.webhooks.close()
        await self.stop_server()

    async def start_server(self) -> None:
        """Start, or restart on the same port after ``stop_server``."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port, ssl_context=self._ssl).start()
        self._port = self._runner.addresses[0][1]
        scheme = "https" if self._ssl else "http"
        self.meeting_store.url = self.recordings.url = f"{scheme}://{self._host}:{self._port}"

    async def stop_server(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        dispatcher = Dispatcher(self)
        application = web.Application(middlewares=[dispatcher.middleware()], client_max_size=1 << 20)
        application.on_response_prepare.append(dispatcher.date)
        for part in (
            OAuth(self),
            Api(self, dispatcher),
            PastMeetings(self, dispatcher),
            MeetingRoutes(self),
            FrontPage(self),
        ):
            application.add_routes(part.routes())
        application.router.add_route("*", "/{tail:.*}", dispatcher.not_known)
        return application

    @property
    def url(self) -> str:
        """The base URL. Valid once the server has started."""
        return self.meeting_store.url

    @property
    def api_url(self) -> str:
        return f"{self.url}/v2"

    @property
    def webhook_secret(self) -> str:
        return self.webhooks.secret

    @property
    def webhook_url(self) -> str:
        """The URL that events are sent to, "" for none."""
        return self.webhooks.webhook_url

    @webhook_url.setter
    def webhook_url(self, url: str) -> None:
        self.webhooks.webhook_url = url

    @property
    def retry_delays(self) -> tuple[float, ...]:
        """Seconds before each retry of a delivery that was not accepted."""
        return self.webhooks.retry_delays

    @retry_delays.setter
    def retry_delays(self, delays: tuple[float, ...]) -> None:
        self.webhooks.retry_delays = delays

    @property
    def deliveries(self) -> list[Delivery]:
        """All delivery attempts, in order."""
        return self.webhooks.deliveries

    @property
    def meetings(self) -> dict[int, Meeting]:
        """All meetings by id, including ended but not deleted ones."""
        return self.meeting_store.meetings

    @property
    def created(self) -> list[int]:
        """The ids of meetings created through the API, in order."""
        return self.meeting_store.created

    @property
    def revoked(self) -> list[str]:
        """Tokens sent to ``/oauth/revoke``."""
        return self.accounts.revoked

    @property
    def refreshes(self) -> int:
        """How many token refreshes succeeded."""
        return self.accounts.refreshes

    @property
    def refresh_refused(self) -> int:
        """How many token refreshes were refused."""
        return self.accounts.refresh_refused

    def clear_calls(self) -> None:
        self.calls.clear()
        self.token_requests.clear()

    # Users and tokens

    def user(self, email: str) -> User:
        """The user with this e-mail address or id. Raises ``KeyError``."""
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
        return self.accounts.add(
            email, licensed=licensed, webinar=webinar, pmi_enabled=pmi_enabled, admin=admin
        )

    def grant(self, email: str) -> Json:
        """A token response, as if the user had just consented."""
        return self.accounts.grant(self.user(email))

    def expire_tokens(self, email: str | None = None) -> None:
        """Expire the access tokens of one user or all."""
        self.accounts.expire(self.user(email) if email else None)

    def revoke(self, email: str) -> None:
        """Revoke the user's tokens without sending a webhook."""
        self.accounts.drop(self.user(email))

    async def deauthorize(self, email: str, *, deliver: bool = True) -> None:
        """Remove the app as this user: revoke the tokens (in an account's app everybody's) and send
        ``app_deauthorized``. That event has no ``event_ts`` beside its payload."""
        user = self.user(email)
        for each in self.accounts.users.values() if self.app == "account" else (user,):
            self.accounts.drop(each)
        payload: Json = {
            "account_id": user.account_id,
            "user_id": user.id,
            "signature": secrets.token_hex(32),
            "deauthorization_time": iso(self.clock.now_ms()),
            "client_id": self.client_id,
            "event_ts": self.clock.now_ms(),
        }
        await self._send([Event(name="app_deauthorized", payload=payload, at_ms=0)], deliver)

    async def consent(self, authorize_url: str, email: str, allow: bool = True) -> str:
        """Open an authorization URL and allow or decline; returns the URL that Zoom redirects to."""
        return await browse_consent(authorize_url, email, allow, self.webhooks.client_ssl)

    # Meetings. A change that the meeting's state does not allow raises ``ValueError``.

    async def start(self, number: int, *, host: bool = True, deliver: bool = True) -> Meeting:
        """Start a meeting, with the host as first participant unless ``host`` is false."""
        meeting = self._meeting(number)
        await self._send(self.meeting_store.open(meeting, with_host=host), deliver)
        return meeting

    async def join(self, number: int, name: str, email: str = "", *, deliver: bool = True) -> str:
        """Join a meeting; returns the session's user id."""
        user_id, events = self.meeting_store.enter(self._meeting(number), name, email)
        await self._send(events, deliver)
        return user_id

    async def leave(self, number: int, user_id: str, *, deliver: bool = True) -> None:
        """Leave a meeting, which ends when nobody is left."""
        await self._send(self.meeting_store.leave(self._meeting(number), user_id), deliver)

    async def end(self, number: int, *, deliver: bool = True) -> None:
        """End the meeting for all."""
        await self._send(self.meeting_store.close(self._meeting(number)), deliver)

    async def wait_in_lobby(self, number: int, name: str, email: str = "", *, deliver: bool = True) -> None:
        """Wait for the host."""
        await self._send(self.meeting_store.wait(self._meeting(number), name, email), deliver)

    async def record(self, number: int, *, deliver: bool = True) -> None:
        """Publish a recording of the last occurrence."""
        await self._send(self.recordings.record(self._meeting(number)), deliver)

    async def transcribe(self, number: int, *, deliver: bool = True) -> None:
        """Publish a transcript of the last occurrence."""
        await self._send(self.recordings.transcribe(self._meeting(number)), deliver)

    async def summarize(self, number: int, *, deliver: bool = True) -> None:
        """Publish a summary of the last occurrence."""
        await self._send(self.recordings.summarize(self._meeting(number)), deliver)

    # Deliveries

    def sign(self, body: bytes, timestamp: int | None = None) -> dict[str, str]:
        """The two signature headers for ``body``. ``timestamp`` is in seconds."""
        return self.webhooks.sign(body, timestamp)

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
        """Send one POST, without retries. ``raw`` replaces the body; headers set to "" are left out."""
        at = self.clock.now_ms() if event_ts is None else event_ts
        made = encode(Event(name=event, payload=payload, at_ms=at, download_token=download_token or ""))
        body = made if raw is None else raw
        return await self.webhooks.post(
            event, body, self.webhooks.sign(body, timestamp, secret) | (headers or {})
        )

    async def validate_url(self) -> Delivery:
        """Send Zoom's URL validation; ``valid`` says whether the answer was correct."""
        plain = secrets.token_urlsafe(16)
        delivery = await self.deliver("endpoint.url_validation", {"plainToken": plain})
        valid = validates(self.webhook_secret, plain, delivery)
        return dataclasses.replace(delivery, valid=valid)

    async def redeliver(self, delivery: Delivery) -> Delivery:
        """Deliver the same event again with a new signature: Zoom delivers at least once."""
        headers = self.webhooks.sign(delivery.body)
        return await self.webhooks.post(delivery.event, delivery.body, headers, delivery.attempt + 1)

    async def settle(self) -> None:
        """Wait until no delivery or retry is pending."""
        await self.webhooks.settle()

    async def _send(self, events: list[Event], deliver: bool) -> None:
        self.changed()
        if deliver:
            await self.webhooks.send(events)

    def _meeting(self, number: int) -> Meeting:
        return self.meeting_store.meetings.get(number) or self.meeting_store.get(number)
