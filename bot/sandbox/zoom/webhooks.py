"""Webhook deliveries: signed like Zoom's, with a timeout of three seconds and three retries."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import hmac
import json
import secrets
import ssl
import time
from collections.abc import Callable, Coroutine

import aiohttp

from bot.sandbox.zoom.clock import Clock
from bot.sandbox.zoom.models import Delivery, Event, Json

OK = 200


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """``v0=`` and the hex HMAC-SHA256 of ``v0:{timestamp}:{raw body}``; the timestamp is in seconds."""
    message = b"v0:" + str(timestamp).encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def encode(event: Event, edit: Callable[[Json], None] = lambda body: None) -> bytes:
    """The body of an event, as compact JSON, once ``edit`` has changed it."""
    body: Json = {"event": event.name, "payload": event.payload}
    if event.at_ms:
        body["event_ts"] = event.at_ms
    if event.download_token:
        body["download_token"] = event.download_token
    body = copy.deepcopy(body)
    edit(body)
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def validates(secret: str, plain_token: str, answer: Delivery) -> bool:
    """Whether ``answer`` is the correct response to ``endpoint.url_validation`` with ``plain_token``."""
    digest = hmac.new(secret.encode(), plain_token.encode(), hashlib.sha256).hexdigest()
    try:
        given = json.loads(answer.text)
    except ValueError:
        return False
    right = {"plainToken": plain_token, "encryptedToken": digest}
    return answer.status == OK and bool(given == right)


class WebhookSender:
    """Delivers events to ``webhook_url``, or nothing if that is empty.

    ``retry_delays`` are in seconds of ``clock``, each counted from the previous attempt. ``now`` returns the
    signed timestamp in seconds. It is wall-clock time by default, so that advancing ``clock`` does not make
    signatures look stale to receivers that use the wall clock.
    """

    def __init__(self, secret: str, clock: Clock) -> None:
        self.secret = secret
        self._clock = clock
        self.webhook_url = ""
        self.retry_delays: tuple[float, ...] = (300, 1200, 3600)
        self.timeout = 3.0
        self.client_ssl: ssl.SSLContext | bool = True
        self.now: Callable[[], int] = lambda: int(time.time())
        self.deliveries: list[Delivery] = []
        self.on_delivery: Callable[[], None] = lambda: None
        # Changes the body of each event before it is signed: Zoom leaves fields out, or sends null.
        self.edit: Callable[[Json], None] = lambda body: None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sessions: aiohttp.ClientSession | None = None

    def sign(self, body: bytes, timestamp: int | None = None, secret: str | None = None) -> dict[str, str]:
        """The signature headers for ``body``."""
        at = self.now() if timestamp is None else timestamp
        return {
            "x-zm-request-timestamp": str(at),
            "x-zm-signature": signature(self.secret if secret is None else secret, at, body),
        }

    async def send(self, events: list[Event]) -> None:
        """Deliver in order, waiting for each first attempt. Retries run in the background."""
        for event in events:
            if self.webhook_url:
                body = encode(event, self.edit)
                await self._attempt(event.name, body, 0, self._clock.now_ms())

    def later(self, events: list[Event]) -> None:
        self._spawn(self.send(events))

    async def post(self, event: str, body: bytes, headers: dict[str, str], attempt: int = 0) -> Delivery:
        """Send one POST and record it. Headers set to "" are left out."""
        sent = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Zoom Marketplace/1.0a",
            "x-zm-trackingid": f"v=2.0;clid=us01;rid=WEB_{secrets.token_hex(16)}",
        }
        sent = {name: value for name, value in (sent | headers).items() if value}
        status, text = await self._exchange(body, sent)
        delivery = Delivery(event=event, status=status, text=text, attempt=attempt, body=body, headers=sent)
        self.deliveries.append(delivery)
        self.on_delivery()
        return delivery

    async def settle(self) -> None:
        """Wait until no delivery or retry is pending."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Cancel retries and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._sessions is not None:
            await self._sessions.close()
            self._sessions = None

    async def _attempt(self, name: str, body: bytes, attempt: int, due_ms: int) -> None:
        delivery = await self.post(name, body, self.sign(body), attempt)
        if delivery.repeated and attempt < len(self.retry_delays):
            # Count from the due time, so that one large advance makes all retries due.
            next_ms = due_ms + round(self.retry_delays[attempt] * 1000)
            self._spawn(self._retry(name, body, attempt + 1, next_ms))

    async def _retry(self, name: str, body: bytes, attempt: int, due_ms: int) -> None:
        await self._clock.until(due_ms)
        await self._attempt(name, body, attempt, due_ms)

    async def _exchange(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        if self._sessions is None:
            self._sessions = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self.timeout))
        try:
            async with self._sessions.post(
                self.webhook_url, data=body, headers=headers, ssl=self.client_ssl, allow_redirects=False
            ) as response:
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, type(error).__name__

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
