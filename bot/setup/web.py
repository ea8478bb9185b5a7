"""The doctor's checks of the way from outside to the bot."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from bot.clock import now_ms
from bot.config import Config
from bot.config.database import is_database
from bot.errors import ConfigError
from bot.hosts import is_loopback
from bot.mattermost import open_session
from bot.setup.calls import body_of, trouble
from bot.setup.findings import Finding, note, ok, wrong
from bot.setup.listening import check_listening
from bot.setup.probe import address, local
from bot.tls import is_unknown_ca
from bot.web.mattermost import SLASH

# Zoom gives up after three seconds.
WEBHOOK_TIMEOUT_S = 3.0
MIN_SECRET = 16
# The bot refuses a link without its state; no other server answers like this.
_BOT = (400, 401, 403, 410)
# What a proxy answers when it cannot reach its server.
_GATEWAY = (502, 503, 504)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


class _NoAnswerError(Exception):
    """The text says why; ``final`` is true if starting the bot does not help."""

    def __init__(self, text: str, *, final: bool) -> None:
        super().__init__(text)
        self.final = final


async def check_web(config: Config) -> list[Finding]:
    """Whether ``public_url`` leads to this bot, and a signed webhook gets the right answer.

    While the bot does not run: whether it could listen, and what answers at ``public_url``.
    """
    found = _settings(config)
    try:
        # The public address is usually Mattermost's own, with the same CA.
        http = open_session(config.mattermost.ca_file)
    except ConfigError:
        return found
    async with http:
        page = await _page(config, http)
        tried = [_judged_page(config, page), await _webhook(config, http)]
        if all(finding.level == "ok" for finding in tried) or await _runs(config, http):
            return found + tried + await _told(config, http)
        listening = await check_listening(config.web, replica=await _replica(config, http))
    return [*found, *listening, _meanwhile(config, page)]


def _settings(config: Config) -> list[Finding]:
    found = []
    if is_loopback(urlsplit(config.web.public_url).hostname or ""):
        found.append(note("web.public_url", "is on this machine, where the real Zoom cannot reach it"))
    if len(config.web.url_secret) < MIN_SECRET:
        found.append(
            note("web.url_secret", f"is short: use {MIN_SECRET} characters or more, which cannot be guessed")
        )
    if not re.fullmatch(r"[A-Za-z0-9._~-]*", config.web.url_secret):
        found.append(
            note("web.url_secret", "contains characters that must be percent-encoded in the webhook URL")
        )
    return found


async def _replica(config: Config, http: aiohttp.ClientSession) -> str:
    """``web.port`` if another replica of the bot listens there; empty if none does."""
    if not is_database(config.store.url):
        return ""
    at = URL.build(scheme="http", host=local(config.web.host), port=config.web.port)
    path = f"{URL(config.web.public_url).raw_path.rstrip('/')}/oauth2/connect"
    try:
        answer = await _ask(http, "GET", at.with_path(path, encoded=True))
    except _NoAnswerError:
        return ""
    return "web.port" if answer.status in _BOT else ""


async def _runs(config: Config, http: aiohttp.ClientSession) -> bool:
    if not config.web.admin_port:
        return False
    try:
        return (await _ask(http, "GET", _admin(config, "/healthz"))).status == 200
    except _NoAnswerError:
        return False


class _Readiness(msgspec.Struct):
    reasons: dict[str, str] = {}


async def _told(config: Config, http: aiohttp.ClientSession) -> list[Finding]:
    """What only the running bot knows: that slash commands are refused."""
    try:
        answer = await _ask(http, "GET", _admin(config, "/readyz"))
        reasons = msgspec.json.decode(answer.body, type=_Readiness).reasons
    except (_NoAnswerError, msgspec.MsgspecError, ValueError):
        return []
    return [wrong(SLASH, reasons[SLASH])] if SLASH in reasons else []


def _admin(config: Config, path: str) -> URL:
    host, port = address(config.web)
    return URL.build(scheme="http", host=host, port=port or None, path=path)


async def _page(config: Config, http: aiohttp.ClientSession) -> _Answer | _NoAnswerError:
    try:
        return await _ask(http, "GET", URL(f"{config.web.public_url}/oauth2/connect"))
    except _NoAnswerError as error:
        return error


def _judged_page(config: Config, page: _Answer | _NoAnswerError) -> Finding:
    subject, url, port = "web.public_url", config.web.public_url, f"{config.web.host}:{config.web.port}"
    if isinstance(page, _NoAnswerError):
        return wrong(subject, f"{url} does not answer: {page}")
    if page.status in _GATEWAY:
        return wrong(
            subject, f"the proxy cannot reach the bot (status {page.status}): it must forward to {port}"
        )
    if page.status in _BOT:
        return ok(subject, f"{url} leads to the bot")
    text = f"{url} does not lead to the bot (status {page.status})"
    return wrong(subject, f"{text}: the proxy must forward this path, unchanged, to {port}")


def _meanwhile(config: Config, page: _Answer | _NoAnswerError) -> Finding:
    """What answers at ``public_url`` while the bot does not run: a proxy that reaches nothing is fine."""
    subject, later = "web.public_url", "the bot does not run here: check again when it does"
    url, port = config.web.public_url, f"{config.web.host}:{config.web.port}"
    if isinstance(page, _NoAnswerError):
        found = f"{url} does not answer: {page}"
        return wrong(subject, found) if page.final else note(subject, f"{found}; {later}")
    if page.status in _GATEWAY:
        return note(
            subject, f"a proxy answers there but does not reach a server yet (status {page.status}); {later}"
        )
    text = f"another server answers there (status {page.status}): the proxy must forward this path to {port}"
    return note(subject, f"{text}; {later}")


async def _webhook(config: Config, http: aiohttp.ClientSession) -> Finding:
    plain = secrets.token_urlsafe(16)
    event = {"event": "endpoint.url_validation", "payload": {"plainToken": plain}, "event_ts": now_ms()}
    body = json.dumps(event).encode()
    url = URL(f"{config.web.public_url}/webhook").with_query(secret=config.web.url_secret)
    try:
        answer = await _ask(http, "POST", url, body, _signature(config.zoom.webhook_secret, body))
    except _NoAnswerError as error:
        return wrong("webhook", f"does not answer: {error}")
    if answer.status == 200 and _token_of(answer.body) == _hmac(config.zoom.webhook_secret, plain.encode()):
        return ok("webhook", "answers Zoom's validation")
    if answer.status in (401, 403):
        direct = await _directly(config, http, url, body)
        return wrong("webhook", f"refuses a correctly signed event: {_refused(config, answer, direct)}")
    return wrong("webhook", f"does not answer like the bot (status {answer.status})")


async def _directly(config: Config, http: aiohttp.ClientSession, url: URL, body: bytes) -> _Answer | None:
    """The bot's own answer, without the proxy; None if the bot cannot be reached from here."""
    at = URL.build(scheme="http", host=local(config.web.host), port=config.web.port)
    near = at.with_path(url.raw_path, encoded=True).with_query(url.query)
    try:
        return await _ask(http, "POST", near, body, _signature(config.zoom.webhook_secret, body))
    except _NoAnswerError:
        return None


def _refused(config: Config, answer: _Answer, direct: _Answer | None) -> str:
    """Why the event was refused, and what helps."""
    restart = "restart the bot if url_secret or webhook_secret was changed"
    # The bot's two refusals; see ``bot.web.zoom``.
    if b"secret" in answer.body:
        lost = "the way to the bot loses what follows the “?”: the proxy must forward the path with its query"
    elif b"signature" in answer.body:
        lost = "the way to the bot changes the body, or loses the headers that begin with x-zm-"
    else:
        port = f"{config.web.host}:{config.web.port}"
        lost = f"the proxy itself may refuse it: it must forward this path to {port}"
    if direct is None:
        return f"{lost}; or {restart}"
    return lost if direct.status == 200 else restart


def _signature(secret: str, body: bytes) -> dict[str, str]:
    timestamp = str(now_ms() // 1000)
    return {
        "Content-Type": "application/json",
        "x-zm-request-timestamp": timestamp,
        "x-zm-signature": "v0=" + _hmac(secret, f"v0:{timestamp}:".encode() + body),
    }


def _hmac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _token_of(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(answer.get("encryptedToken", "")) if isinstance(answer, dict) else ""


async def _ask(
    http: aiohttp.ClientSession,
    method: str,
    url: URL,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> _Answer:
    timeout = aiohttp.ClientTimeout(total=WEBHOOK_TIMEOUT_S)
    try:
        async with http.request(
            method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            return _Answer(response.status, await body_of(response))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        # Neither the text nor the cause may contain the URL's secret.
        final = isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorDNSError)
        raise _NoAnswerError(_why(error, url.host or ""), final=final) from None


def _why(error: Exception, host: str) -> str:
    """Why there is no answer. Zoom calls here, too: what only the bot were told to trust would not help."""
    cause = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else None
    if cause is None or not is_unknown_ca(cause):
        return trouble(error, host, "mattermost.ca_file")
    return (
        f"a certificate of the chain of {host} is missing, or it is of a private CA: the server must send the"
        " whole chain (often fullchain.pem), up to a public CA, or Zoom does not accept it either"
    )
