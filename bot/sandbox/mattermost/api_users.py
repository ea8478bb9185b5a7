"""API routes under `/users` and `/teams`, and the system routes."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.sandbox.mattermost.api_request import ApiRequest, Route
from bot.sandbox.mattermost.dispatch import COOKIE, CSRF_COOKIE
from bot.sandbox.mattermost.records import Json, User
from bot.sandbox.mattermost.refusals import bad_parameter, denied, no_channels, no_route
from bot.sandbox.mattermost.sockets import VERSION, serve_socket
from bot.sandbox.mattermost.wire import answer, encode, new_id


async def log_in(request: ApiRequest) -> web.StreamResponse:
    """Return the token in the header `Token`; browsers also get cookies."""
    user, token = request.world.directory.log_in(request.text("login_id"), request.text("password"))
    response = answer(user.json())
    response.headers["Token"] = token
    if request.http.headers.get("X-Requested-With") == "XMLHttpRequest":
        response.set_cookie(COOKIE, token, httponly=True, samesite="Lax")
        response.set_cookie("MMUSERID", user.id, samesite="Lax")
        response.set_cookie(CSRF_COOKIE, new_id(), samesite="Lax")
    return response


async def log_out(request: ApiRequest) -> web.StreamResponse:
    response = answer({"status": "OK"})
    for name in (COOKIE, "MMUSERID", CSRF_COOKIE):
        response.del_cookie(name)
    return response


async def user(request: ApiRequest) -> web.StreamResponse:
    return answer(_shown(request, request.named_user()))


async def user_by_name(request: ApiRequest) -> web.StreamResponse:
    return answer(_shown(request, request.world.directory.named(request.part("name"))))


async def user_by_email(request: ApiRequest) -> web.StreamResponse:
    """Allowed only if the server shows e-mail addresses to this user."""
    email = request.part("email")
    if "@" not in email:
        raise bad_parameter("email")
    if not _shows_emails(request):
        raise denied()
    return answer(request.world.directory.by_email(email).json())


async def users_by_ids(request: ApiRequest) -> web.StreamResponse:
    """Unknown ids are left out."""
    known = request.world.directory.users
    return answer([_shown(request, known[one]) for one in request.list if one in known])


async def users_by_names(request: ApiRequest) -> web.StreamResponse:
    """Unknown names are left out."""
    found = (request.world.directory.find(name) for name in request.list)
    return answer([_shown(request, one) for one in found if one is not None])


async def teams(request: ApiRequest) -> web.StreamResponse:
    return answer(request.world.directory.teams_of(request.self_user().id))


async def team(request: ApiRequest) -> web.StreamResponse:
    return answer(request.team())


async def team_by_name(request: ApiRequest) -> web.StreamResponse:
    return answer(request.world.directory.team_named(request.part("name")))


async def channels_in_team(request: ApiRequest) -> web.StreamResponse:
    """The user's channels in the team, plus direct and group channels. Refused with 404 if there are none."""
    team = request.team()
    found = request.world.channels.of_user(request.self_user().id)
    shown = [one for one in found if one.team_id in ("", team.id) and not one.delete_at]
    if not shown:
        raise no_channels()
    return answer(shown)


async def channels(request: ApiRequest) -> web.StreamResponse:
    """The user's channels in all teams and in none, from 6.1 on.

    The real server writes a bracket and then looks for channels. If there are none, an error follows it.
    """
    if not request.world.lists_all_channels:
        raise no_route()
    found = request.world.channels.of_user(request.self_user().id)
    shown = sorted((one for one in found if not one.delete_at), key=lambda one: one.id)
    if not shown:
        body = b"[" + encode(no_channels().json())
        return web.Response(body=body, content_type="application/json")
    return web.Response(body=b"[%s\n]" % b"\n,".join(map(encode, shown)), content_type="application/json")


async def typing(request: ApiRequest) -> web.StreamResponse:
    request.world.typing(request.self_user(), request.text("channel_id"), request.text("parent_id"))
    return answer({"status": "OK"})


async def ping(request: ApiRequest) -> web.StreamResponse:
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


async def config(request: ApiRequest) -> web.StreamResponse:
    overrides = _flag(request.world.allow_overrides)
    return answer(
        {
            "BuildNumber": "sandbox",
            "DiagnosticId": "",
            "EnableBotAccountCreation": "true",
            "EnablePostIconOverride": overrides,
            "EnablePostUsernameOverride": overrides,
            "EnableSignInWithEmail": _flag(request.world.password_sign_in),
            "EnableSignInWithUsername": _flag(request.world.password_sign_in),
            "RequireEmailVerification": _flag(request.world.verify_email),
            "ShowEmailAddress": _flag(request.world.show_email_address),
            "MaxPostSize": str(request.world.max_post_size),
            "PostEditTimeLimit": str(request.world.post_edit_time_limit),
            "RestrictDirectMessage": "any",
            "SiteName": "Mattermost",
            "SiteURL": request.world.site_url,
            "Version": VERSION,
            "WebsocketURL": "",
        }
    )


def _flag(value: bool) -> str:
    return "true" if value else "false"


async def roles_by_names(request: ApiRequest) -> web.StreamResponse:
    """Of all roles only `system_user` and `system_admin` are known."""
    known = [one for one in request.list if one in ("system_user", "system_admin")]
    return answer(
        [{"id": new_id(), "name": one, "permissions": sorted(request.world.permissions)} for one in known]
    )


async def websocket(request: ApiRequest) -> web.StreamResponse:
    try:
        return await serve_socket(request.world, request.http, request.sender)
    except asyncio.CancelledError:
        if request.http.transport is not None:
            request.http.transport.abort()
        raise


def _shown(request: ApiRequest, user: User) -> Json:
    """The account as JSON, without the e-mail address if it is hidden from this user."""
    hidden = user is not request.user and not _shows_emails(request)
    return user.json() | ({"email": ""} if hidden else {})


def _shows_emails(request: ApiRequest) -> bool:
    return request.world.show_email_address or request.user.is_admin


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
    Route("POST", "/roles/names", roles_by_names),
    Route("GET", "/system/ping", ping, open=True),
    Route("GET", "/config/client", config, open=True),
    Route("GET", "/websocket", websocket, open=True),
)
