"""``/webhook`` and ``/deauthorization``: verify a webhook, store it, acknowledge it, and handle it later."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from urllib.parse import unquote, unquote_plus

import msgspec
from aiohttp import web

from bot.core.context import Context
from bot.core.inbox import WEBHOOK
from bot.core.registry import Registry
from bot.domain.records import Item, Meeting, Subscription
from bot.errors import EventError, StoreError
from bot.log.repeats import Repeats
from bot.web.in_time import in_time
from bot.web.limits import SAID, read_body
from bot.zoom.webhooks import Webhook, encrypt_token, identity, is_signed, is_urgent, read_webhook

# Receives the HTTP status of an answer and the seconds that it took.
OnWebhook = Callable[[int, float], None]

# The longest summaries and recordings are far below it. Strangers, who do not know the URL, get no body read.
MAX_WEBHOOK = 8 * 1024 * 1024
_VALIDATION = "endpoint.url_validation"
_PLAIN_TOKEN = re.compile(r"[\w+/=-]{1,256}", re.ASCII)


def unobserved(status: int, seconds: float) -> None:
    """Do nothing: the default of ``on_webhook``."""


class _Named(msgspec.Struct):
    event: str


class ZoomRoutes:
    """The handler of Zoom's webhooks. ``on_webhook`` receives the status and the seconds of each answer."""

    def __init__(self, ctx: Context, registry: Registry, on_webhook: OnWebhook = unobserved) -> None:
        self._ctx = ctx
        self._registry = registry
        self._on_webhook = on_webhook

    async def webhook(self, request: web.Request) -> web.Response:
        """Accept a webhook. 200 means that it is stored, or does not concern the bot."""
        began, status = time.monotonic(), 500
        try:
            response = await self._answer(request)
            status = response.status
        except web.HTTPException as refusal:
            status = refusal.status
            raise
        finally:
            self._on_webhook(status, time.monotonic() - began)
        return response

    async def _answer(self, request: web.Request) -> web.Response:
        self._check_secret(request)
        body = await _read(request)
        if not is_signed(request.headers, body, self._ctx.config.zoom.webhook_secret, self._ctx.now()):
            request.app[SAID].warning("webhook refused: the signature or its time is wrong")
            raise web.HTTPForbidden(text="the signature is wrong")
        try:
            webhook = read_webhook(body)
            if webhook.event == _VALIDATION:
                return self._validate(webhook)
            await self._take(webhook, body, request.app[SAID])
        except EventError as error:
            raise _unreadable(body, error, request.app[SAID]) from None
        return web.Response(status=200)

    def _check_secret(self, request: web.Request) -> None:
        # A "+" in the query may be a plus sign or an encoded space: try both.
        raw = next(
            (part[7:] for part in request.rel_url.raw_query_string.split("&") if part.startswith("secret=")),
            "",
        )
        expected = self._ctx.config.web.url_secret.encode()
        given = [form(raw).encode("utf-8", "replace") for form in (unquote, unquote_plus)]
        matches = [hmac.compare_digest(expected, each) for each in given]
        if True not in matches:
            request.app[SAID].warning("webhook refused: the secret in its URL is not web.url_secret")
            raise web.HTTPForbidden(text="the secret in the URL is wrong")

    def _validate(self, webhook: Webhook) -> web.Response:
        """Prove to Zoom that this is the endpoint. Only signed requests get here, and only tokens are
        signed: otherwise anybody could get a text of their choice signed with our secret."""
        token = webhook.payload.get("plainToken")
        if not isinstance(token, str) or not _PLAIN_TOKEN.fullmatch(token):
            raise EventError("there is no plainToken")
        secret = self._ctx.config.zoom.webhook_secret
        return web.json_response({"plainToken": token, "encryptedToken": encrypt_token(secret, token)})

    async def _concerns_us(self, ctx: Context, webhook: Webhook) -> bool:
        """Whether a webhook is worth a write to the disk: the account's other meetings are not."""
        if webhook.event not in self._registry.webhooks:
            return False
        if webhook.event in self._registry.any_meeting or ctx.creations:
            return True
        about = webhook.meeting
        has = ctx.store.has
        if about.uuid and await has(Meeting, "uuid", about.uuid):
            return True
        number = about.zoom_id
        return bool(number) and (
            await has(Meeting, "zoom_id", number) or await has(Subscription, "zoom_id", number)
        )

    async def _take(self, webhook: Webhook, body: bytes, said: Repeats) -> None:
        """Write the webhook down if it concerns us. Answers 503 if the store does not work in time."""
        ctx = in_time(self._ctx)
        try:
            # The looking up counts too.
            with self._ctx.inbox.receive():
                if await self._concerns_us(ctx, webhook):
                    await ctx.inbox.add(self._item(webhook, body))
        except StoreError:
            said.warning("webhooks cannot be written down now; Zoom will send them again")
            raise web.HTTPServiceUnavailable(text="try again later") from None

    def _item(self, webhook: Webhook, body: bytes) -> Item:
        id = identity(webhook)
        queue = "meeting:" + (webhook.meeting.uuid or id)
        return self._ctx.inbox.item(id, WEBHOOK, queue, body, urgent=is_urgent(webhook))


async def _read(request: web.Request) -> bytes:
    """The body of a request to the secret URL. Zoom sends an event again only after 5xx, so nothing that may
    be genuine is answered with 4xx, whatever its type, size or speed."""
    try:
        return await read_body(request.clone(client_max_size=MAX_WEBHOOK))
    except web.HTTPRequestEntityTooLarge:
        request.app[SAID].warning(f"a webhook is larger than {MAX_WEBHOOK} bytes, and was not read")
        why = "the body is too large"
    except (web.HTTPBadRequest, web.HTTPRequestTimeout) as error:
        why = error.text or error.reason
    refusal = web.HTTPServiceUnavailable(text=why)
    refusal.force_close()
    raise refusal


def _unreadable(body: bytes, error: EventError, said: Repeats) -> web.HTTPException:
    """The answer to what is signed and cannot be read. If it is an event, Zoom is to send it again."""
    if _name_of(body) in ("", _VALIDATION):
        return web.HTTPBadRequest(text=str(error))
    said.warning("a webhook that Zoom signed cannot be read; Zoom will send it again")
    return web.HTTPServiceUnavailable(text="this event cannot be read")


def _name_of(body: bytes) -> str:
    """The name of an event; empty if the body is no event."""
    try:
        return msgspec.json.decode(body, type=_Named).event
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
