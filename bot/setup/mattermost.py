"""The doctor's checks of Mattermost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import msgspec

from bot.config import Config
from bot.errors import (
    ConfigError,
    MattermostCertificateError,
    MattermostError,
    MattermostTokenError,
)
from bot.mattermost import Mattermost, Socket, User, open_session
from bot.mattermost.frames import Event
from bot.mattermost.rest import Rest
from bot.setup.admins import check_admins
from bot.setup.commands import check_command
from bot.setup.findings import Finding, asking, clock_effect, note, ok, wrong
from bot.setup.held import direct_messages, edit_limit
from bot.web.mattermost import SLASH

SOCKET_TIMEOUT_S = 15.0
MAX_SKEW_MS = 60_000


_ANONYMOUS = (
    "the server shows answers to it under the name or picture of whoever asked: set ServiceSettings."
    "EnablePostUsernameOverride and EnablePostIconOverride to true, and they show the bot's"
)


class _Settings(msgspec.Struct):
    """What is read from ``GET /config/client``; its values are strings."""

    names: str = msgspec.field(default="false", name="EnablePostUsernameOverride")
    icons: str = msgspec.field(default="false", name="EnablePostIconOverride")
    emails: str = msgspec.field(default="true", name="ShowEmailAddress")
    verified: str = msgspec.field(default="", name="RequireEmailVerification")
    by_email: str = msgspec.field(default="true", name="EnableSignInWithEmail")
    by_name: str = msgspec.field(default="true", name="EnableSignInWithUsername")
    edit_limit: str = msgspec.field(default="-1", name="PostEditTimeLimit")


async def check_mattermost(config: Config) -> list[Finding]:
    """Whether the server answers, the token is right, the bot is in a channel, and the socket opens."""
    try:
        http = open_session(config.mattermost.ca_file)
    except ConfigError as error:
        return [wrong("mattermost", fault) for fault in error.faults]
    async with http:
        client = Mattermost(http, config.mattermost.url, config.mattermost.token)
        try:
            me = await client.me()
        except MattermostError as error:
            return [_refused(error)]
        found = [ok("mattermost.url", f"{config.mattermost.url} answers"), _account(me), _clock(client)]
        return found + [finding async for finding in _rest(config, http, client, me)]


def _refused(error: MattermostError) -> Finding:
    if isinstance(error, MattermostTokenError):
        fix = (
            "create a new one in Integrations > Bot Accounts, and make sure that the account is not disabled"
        )
        return wrong("mattermost.token", f"{error}: {fix}")
    if isinstance(error, MattermostCertificateError):
        return wrong("mattermost.url", str(error))
    return wrong(
        "mattermost.url", asking(str(error), "is it the address that people open, and is the server up?")
    )


def _account(me: User) -> Finding:
    if not me.is_bot:
        return note("mattermost.token", f"@{me.username} is a person's account; use a bot account instead")
    return ok("mattermost.token", f"belongs to the bot account @{me.username}")


def _clock(client: Mattermost) -> Finding:
    seconds = client.server_offset / 1000
    if abs(client.server_offset) > MAX_SKEW_MS:
        text = f"differs from Mattermost's by {seconds:.0f} s{clock_effect(client.server_offset)}"
        return wrong("clock", f"{text}: synchronize both clocks with NTP")
    return ok("clock", "agrees with Mattermost's")


async def _rest(
    config: Config, http: aiohttp.ClientSession, client: Mattermost, me: User
) -> AsyncIterator[Finding]:
    yield await _channels(client, me)
    yield await _socket(config, http)
    for finding in await _allowed(config, http, me):
        yield finding
    for finding in await check_admins(config, client):
        yield finding


async def _channels(client: Mattermost, me: User) -> Finding:
    try:
        channels = [each for each in await client.channels() if each.type in ("O", "P")]
    except MattermostError as error:
        return wrong("mattermost channels", str(error))
    if not channels:
        fix = f"invite it to the team, then to each channel (/invite @{me.username})"
        return wrong("mattermost channels", f"@{me.username} is in no channel: {fix}")
    teams = len({each.team_id for each in channels})
    return ok("mattermost channels", f"@{me.username} is in {len(channels)} channel(s) of {teams} team(s)")


async def _socket(config: Config, http: aiohttp.ClientSession) -> Finding:
    subject = "mattermost WebSocket"
    opened = asyncio.Event()

    async def deliver(event: Event) -> None:
        return None

    async def connected(resumed: bool) -> None:
        opened.set()

    socket = Socket(http, config.mattermost.url, config.mattermost.token)
    tasks = {asyncio.ensure_future(socket.run(deliver, connected)), asyncio.ensure_future(opened.wait())}
    try:
        await asyncio.wait(tasks, timeout=SOCKET_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    if opened.is_set():
        return ok(subject, "opens")
    said = next((str(each) for each in results if isinstance(each, MattermostError)), "it does not open")
    return wrong(
        subject, asking(said, "the proxy in front of Mattermost must pass on Upgrade and Connection")
    )


async def _allowed(config: Config, http: aiohttp.ClientSession, me: User) -> list[Finding]:
    """Whether the server allows what the configuration relies on."""
    rest = Rest(http, config.mattermost.url, config.mattermost.token)
    try:
        body = await rest.get("/config/client", params={"format": "old"})
        settings = msgspec.json.decode(body, type=_Settings)
    except (MattermostError, msgspec.MsgspecError) as error:
        return [note("mattermost settings", f"cannot be read: {error}")]
    found = [*edit_limit(settings.edit_limit), *await direct_messages(rest, me)]
    found += await check_command(config, rest)
    if config.mattermost.command_token and "false" in (settings.names, settings.icons):
        found.append(note(SLASH, _ANONYMOUS))
    if config.mattermost.override_username:
        found.append(_override("override_username", "EnablePostUsernameOverride", settings.names == "true"))
    if config.mattermost.override_icon_url:
        found.append(_override("override_icon_url", "EnablePostIconOverride", settings.icons == "true"))
    if config.zoom.app != "user" or config.zoom.require_same_email:
        found.append(_emails(settings.emails != "false" or me.is_system_admin))
    if config.zoom.app != "user":
        found.append(_verified(settings))
    return found


def _verified(settings: _Settings) -> Finding:
    """Whether an e-mail address shows who a person is. Apps of a whole account rely on that."""
    subject = "mattermost e-mail verification"
    if settings.verified == "true":
        return ok(subject, "people can only use an e-mail address that is theirs")
    if settings.by_email == settings.by_name == "false":
        return ok(subject, "the sign-on sets people's e-mail addresses")
    if not settings.verified:
        return note(subject, "the server does not say whether it verifies e-mail addresses")
    why = "people can give themselves the e-mail address of somebody else, and use that person's Zoom account"
    fix = (
        "set EmailSettings.RequireEmailVerification to true, or let only a sign-on (LDAP, SAML, OpenID) in: "
    )
    fix += "set EmailSettings.EnableSignInWithEmail and EnableSignInWithUsername to false"
    return wrong(subject, f"{why}: {fix}")


def _override(key: str, setting: str, allowed: bool) -> Finding:
    if allowed:
        return ok(f"mattermost.{key}", "is allowed by the server")
    return wrong(f"mattermost.{key}", f"the server does not allow it: set ServiceSettings.{setting} to true")


def _emails(shown: bool) -> Finding:
    subject = "mattermost e-mail addresses"
    if shown:
        return ok(subject, "are shown to the bot")
    fix = "set PrivacySettings.ShowEmailAddress to true, or make the bot account a system administrator"
    return wrong(subject, f"are hidden from the bot, which identifies people by them: {fix}")
