"""The doctor's checks of Zoom."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import aiohttp
import msgspec
from yarl import URL

from bot.clock import now_ms
from bot.config import Config
from bot.errors import ConfigError, ZoomClientError, ZoomError, ZoomLinkError, ZoomUnreachableError
from bot.setup.calls import body_of, trouble
from bot.setup.findings import Finding, asking, clock_effect, note, ok, wrong
from bot.setup.scopes import lacking
from bot.zoom import Grant, OAuth, open_session

CREDENTIALS = "zoom.client_id, client_secret"
MAX_SKEW_MS = 60_000


class _Refusal(msgspec.Struct):
    code: int


async def check_zoom(config: Config) -> list[Finding]:
    """Whether Zoom can be reached, accepts the app's credentials, and has the same time."""
    try:
        oauth = _oauth(config)
        http = open_session(config.zoom.ca_file)
    except ConfigError as error:
        return [wrong("zoom", fault) for fault in error.faults]
    try:
        async with http:
            return [*await _credentials(config, oauth), *await _api(config, http)]
    finally:
        await oauth.close()


def _oauth(config: Config) -> OAuth:
    return OAuth(
        config.zoom.url,
        config.zoom.client_id,
        config.zoom.client_secret,
        f"{config.web.public_url}/oauth2/complete",
        ca_file=config.zoom.ca_file,
        account_id=config.zoom.account_id,
    )


async def _credentials(config: Config, oauth: OAuth) -> list[Finding]:
    if config.zoom.app == "server-to-server":
        return await _account(config, oauth)
    try:
        # Zoom checks the app before the token, so if it refuses this token, the app is right.
        await oauth.refresh("zoombot-check")
    except ZoomLinkError:
        return [ok(CREDENTIALS, f"{config.zoom.url} knows the app")]
    except ZoomClientError as error:
        return [
            wrong(
                CREDENTIALS,
                f"{error}: copy them again from the app's page, and make sure that it is activated",
            )
        ]
    except ZoomUnreachableError as error:
        return [wrong("zoom.url", asking(str(error), f"can this machine reach {config.zoom.url}?"))]
    except ZoomError as error:
        return [note(CREDENTIALS, f"could not be checked: {error}")]
    return [note(CREDENTIALS, "could not be checked: Zoom accepted a made-up token")]


async def _account(config: Config, oauth: OAuth) -> list[Finding]:
    subject = f"{CREDENTIALS}, account_id"
    try:
        return granted(subject, await oauth.account_credentials())
    except ZoomUnreachableError as error:
        return [wrong("zoom.url", asking(str(error), f"can this machine reach {config.zoom.url}?"))]
    except ZoomError as error:
        # Zoom answers a wrong account with "Bad Request" and names no field.
        return [
            wrong(
                subject,
                f"{error}: copy all three again from the app's page, and make sure that it is activated",
            )
        ]


def granted(subject: str, grant: Grant) -> list[Finding]:
    """What a token for the account tells about the app's scopes; nothing about them if Zoom named none."""
    found = [ok(subject, "Zoom gives a token for the account")]
    if not grant.scope:
        return found
    needed, wanted = (_listed(grant.scope, required=required) for required in (True, False))
    if needed:
        found.append(wrong("zoom scopes", f"the app lacks scopes that the bot needs: {needed}"))
    if wanted:
        found.append(note("zoom scopes", f"the app lacks scopes that some features need: {wanted}"))
    return found if needed or wanted else [*found, ok("zoom scopes", "are all there")]


def _listed(granted: str, *, required: bool) -> str:
    return "; ".join(
        f"{feature} ({', '.join(f'{scope}:admin' for scope in missing)})"
        for feature, missing in lacking(granted, required=required)
    )


async def _api(config: Config, http: aiohttp.ClientSession) -> list[Finding]:
    url = f"{config.zoom.api_url}/users/me"
    asked_at = now_ms()
    try:
        async with http.get(url, allow_redirects=False) as response:
            status, date = response.status, response.headers.get("Date", "")
            body = await body_of(response)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        said = trouble(error, URL(url).host or "", "zoom.ca_file")
        return [wrong("zoom.api_url", f"{config.zoom.api_url} does not answer: {said}")]
    if status != 401 or not _is_zoom_s(body):
        text = f"{config.zoom.api_url} is not Zoom's API (status {status})"
        return [wrong("zoom.api_url", f"{text}: is it the right address?")]
    return [ok("zoom.api_url", f"{config.zoom.api_url} answers"), *_clock(date, asked_at)]


def _is_zoom_s(body: bytes) -> bool:
    """Whether a refusal comes from Zoom: other servers answer 401 too, but without Zoom's error number."""
    try:
        return msgspec.json.decode(body, type=_Refusal).code != 0
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _clock(date: str, asked_at: int) -> list[Finding]:
    try:
        skew = int(parsedate_to_datetime(date).timestamp() * 1000) - asked_at
    except (ValueError, TypeError, OverflowError):
        return []
    if abs(skew) > MAX_SKEW_MS:
        text = f"differs from Zoom's by {skew / 1000:.0f} s, and beyond 300 s webhooks are refused"
        text += clock_effect(skew)
        return [wrong("clock", f"{text}: synchronize it with NTP")]
    return [ok("clock", "agrees with Zoom's")]
