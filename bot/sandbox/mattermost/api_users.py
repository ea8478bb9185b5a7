"""`/users`, `/teams` and the system's own paths."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.sandbox.mattermost.ask import Ask, Route
from bot.sandbox.mattermost.gate import COOKIE, CSRF_COOKIE
from bot.sandbox.mattermost.records import Json, User
from bot.sandbox.mattermost.refusals import bad_parameter, denied
from bot.sandbox.mattermost.sockets import VERSION, serve_socket
from bot.sandbox.mattermost.wire import answer, new_id


async def log_in(ask: Ask) -> web.StreamResponse:
    """`POST /users/login`: the token is in the header `Token`; a browser also gets cookies."""
    user, token = ask.world.directory.log_in(ask.text("login_id"), ask.text("password"))
    response = answer(user.json())
    response.headers["Token"] = token
    if ask.request.headers.get("X-Requested-With") == "XMLHttpRequest":
        response.set_cookie(COOKIE, token, httponly=True, samesite="Lax")
        response.set_cookie("MMUSERID", user.id, samesite="Lax")
        response.set_cookie(CSRF_COOKIE, new_id(), samesite="Lax")
    return response


async def log_out(ask: Ask) -> web.StreamResponse:
    """`POST /users/logout`."""
    response = answer({"status": "OK"})
    for name in (COOKIE, "MMUSERID", CSRF_COOKIE):
        response.del_cookie(name)
    return response


async def user(ask: Ask) -> web.StreamResponse:
    """`GET /users/{id}`."""
    return answer(_shown(ask, ask.named_user()))


async def user_by_name(ask: Ask) -> web.StreamResponse:
    """`GET /users/username/{name}`."""
    return answer(_shown(ask, ask.world.directory.named(ask.part("name"))))


async def user_by_email(ask: Ask) -> web.StreamResponse:
    """`GET /users/email/{email}`: only where addresses are shown."""
    email = ask.part("email")
    if "@" not in email:
        raise bad_parameter("email")
    if not _shows_emails(ask):
        raise denied()
    return answer(ask.world.directory.by_email(email).json())


async def users_by_ids(ask: Ask) -> web.StreamResponse:
    """`POST /users/ids`: unknown ones are left out."""
    known = ask.world.directory.users
    return answer([_shown(ask, known[one]) for one in ask.list if one in known])


async def users_by_names(ask: Ask) -> web.StreamResponse:
    """`POST /users/usernames`: unknown ones are left out."""
    found = (ask.world.directory.find(name) for name in ask.list)
    return answer([_shown(ask, one) for one in found if one is not None])


async def teams(ask: Ask) -> web.StreamResponse:
    """`GET /users/{id}/teams`."""
    return answer(ask.world.directory.teams_of(ask.self_user().id))


async def team(ask: Ask) -> web.StreamResponse:
    """`GET /teams/{id}`."""
    return answer(ask.team())


async def team_by_name(ask: Ask) -> web.StreamResponse:
    """`GET /teams/name/{name}`."""
    return answer(ask.world.directory.team_named(ask.part("name")))


async def channels_in_team(ask: Ask) -> web.StreamResponse:
    """`GET /users/{id}/teams/{id}/channels`: those of the team, and direct and group ones."""
    team = ask.team()
    found = ask.world.rooms.of_user(ask.self_user().id)
    return answer([one for one in found if one.team_id in ("", team.id) and not one.delete_at])


async def channels(ask: Ask) -> web.StreamResponse:
    """`GET /users/{id}/channels`: those of all teams."""
    found = ask.world.rooms.of_user(ask.self_user().id)
    return answer([one for one in found if not one.delete_at])


async def typing(ask: Ask) -> web.StreamResponse:
    """`POST /users/{id}/typing`."""
    ask.world.typing(ask.self_user(), ask.text("channel_id"), ask.text("parent_id"))
    return answer({"status": "OK"})


async def ping(ask: Ask) -> web.StreamResponse:
    """`GET /system/ping`."""
    return answer(
        {
            "ActiveSearchBackend": "database",
            "AndroidLatestVersion": "",
            "AndroidMinVersion": "",
            "DesktopLatestVersion": "",
            "DesktopMinVersion": "",
            "IosLatestVersion": "",
            "IosMinVersion": "",
            "status": "OK",
        }
    )


async def config(ask: Ask) -> web.StreamResponse:
    """`GET /config/client?format=old`."""
    overrides = "true" if ask.world.allow_overrides else "false"
    return answer(
        {
            "BuildNumber": "sandbox",
            "DiagnosticId": "",
            "EnableBotAccountCreation": "true",
            "EnablePostIconOverride": overrides,
            "EnablePostUsernameOverride": overrides,
            "ShowEmailAddress": "true" if ask.world.show_email_address else "false",
            "SiteName": "Mattermost",
            "SiteURL": ask.world.site_url,
            "Version": VERSION,
            "WebsocketURL": "",
        }
    )


async def websocket(ask: Ask) -> web.StreamResponse:
    """`GET /websocket`."""
    try:
        return await serve_socket(ask.world, ask.request, ask.sender)
    except asyncio.CancelledError:
        if ask.request.transport is not None:
            ask.request.transport.abort()
        raise


def _shown(ask: Ask, user: User) -> Json:
    """An account as who asks sees it: their own whole, of others perhaps without the e-mail address."""
    hidden = user is not ask.user and not _shows_emails(ask)
    return user.json() | ({"email": ""} if hidden else {})


def _shows_emails(ask: Ask) -> bool:
    return ask.world.show_email_address or ask.user.is_admin


ROUTES = (
    Route("POST", "/users/login", log_in, open=True),
    Route("POST", "/users/logout", log_out),
    Route("POST", "/users/ids", users_by_ids),
    Route("POST", "/users/usernames", users_by_names),
    Route("GET", "/users/username/{name}", user_by_name),
    Route("GET", "/users/email/{email}", user_by_email),
    Route("GET", "/users/{user_id}", user),
    Route("GET", "/users/{user_id}/teams", teams),
    Route("GET", "/users/{user_id}/channels", channels),
    Route("GET", "/users/{user_id}/teams/{team_id}/channels", channels_in_team),
    Route("POST", "/users/{user_id}/typing", typing),
    Route("GET", "/teams/name/{name}", team_by_name),
    Route("GET", "/teams/{team_id}", team),
    Route("GET", "/system/ping", ping, open=True),
    Route("GET", "/config/client", config, open=True),
    Route("GET", "/websocket", websocket, open=True),
)
