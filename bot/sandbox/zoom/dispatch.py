"""Handling common to all requests: injected faults, authorization and recording."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.sandbox.faults import Fault
from bot.sandbox.zoom.failures import ApiError, OAuthError, missing_scope, no_user
from bot.sandbox.zoom.models import Call, User
from bot.sandbox.zoom.world import World

# Marks a response that was not sent because the connection was cut.
CUT = 499

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Caller:
    """The user of a token; None is the account itself (server-to-server)."""

    user: User | None


ApiHandler = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]


def bearer(request: web.Request) -> str:
    """The bearer token of the ``Authorization`` header, or ""."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class Dispatcher:
    """Wraps the server's handlers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def middleware(self) -> Middleware:
        """The middleware that injects faults and records requests."""

        @web.middleware
        async def pass_through(request: web.Request, handler: Handler) -> web.StreamResponse:
            body = await request.read()
            user = await self._user(request)
            fault = self._world.faults.match(request.method, request.path, user)
            if request.path.startswith("/v2/") and self._world.delay:
                await asyncio.sleep(self._world.delay)
            response = await self._answer(request, handler, fault)
            self._note(request, user, body, response)
            return response

        return pass_through

    async def date(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give each answer the time of the sandbox's clock."""
        now_ms = self._world.clock.now_ms() + self._world.clock_offset_ms
        response.headers["Date"] = formatdate(now_ms / 1000, usegmt=True)

    def api(self, scope: str, handler: ApiHandler) -> Handler:
        """Wrap an API handler: check token and scope, and turn ``ApiError`` into Zoom's JSON."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                grant = self._world.accounts.check(bearer(request))
                if scope and self._world.lacks(grant.user, scope):
                    raise missing_scope([scope + self._world.scope_suffix])
                return await handler(request, Caller(grant.user))
            except ApiError as error:
                return web.json_response(error.body, status=error.status, headers=error.headers)

        return answer

    async def not_known(self, request: web.Request) -> web.Response:
        """Record a request to an unknown path and answer 404."""
        if request.path != "/favicon.ico":
            self._world.unknown.append(Call(method=request.method, path=request.path, user="", status=404))
        return web.json_response(
            {"code": 2300, "message": "This API endpoint is not recognized."}, status=404
        )

    def user(self, caller: Caller, name: str) -> User:
        """The user named in a path. Raises ``ApiError`` if unknown or out of the app's reach."""
        if name == "me":
            if caller.user is None:
                raise no_user("me")
            return caller.user
        if self._world.app == "user":
            raise missing_scope(["user:read:user:admin"])
        found = self._world.accounts.find(name)
        if found is None:
            raise no_user(name)
        return found

    def may_see(self, caller: Caller, host: User) -> bool:
        """Whether the caller may see the host's meetings."""
        return self._world.app != "user" or caller.user is host

    async def _answer(
        self, request: web.Request, handler: Handler, fault: Fault | None
    ) -> web.StreamResponse:
        if fault is None:
            return await self._handle(request, handler)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        response = await self._handle(request, handler) if fault.after or not _replaces(fault) else None
        if fault.drop:
            _cut(request)
            return web.Response(status=CUT)
        return _replacement(fault) if _replaces(fault) or response is None else response

    async def _handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except OAuthError as error:
            return web.json_response(error.body, status=error.status)
        except web.HTTPException as error:
            return error

    async def _user(self, request: web.Request) -> str:
        token = bearer(request)
        if not token and request.path.startswith("/oauth/"):
            form = await request.post()
            token = str(form.get("refresh_token") or form.get("token") or "")
        grant = self._world.accounts.owner(token)
        return grant.user.email if grant and grant.user else ""

    def _note(self, request: web.Request, user: str, body: bytes, response: web.StreamResponse) -> None:
        status = 0 if response.status == CUT else response.status
        if request.path.startswith("/v2/"):
            self._world.calls.append(
                Call(method=request.method, path=request.path, user=user, status=status, json=_parse(body))
            )
        elif request.path == "/oauth/token":
            self._world.token_requests.append(
                Call(method=request.method, path=request.path, user=user, status=status)
            )
        self._world.changed()


def _replaces(fault: Fault) -> bool:
    return bool(fault.status or fault.drop)


def _replacement(fault: Fault) -> web.Response:
    if isinstance(fault.body, str):
        return web.Response(status=fault.status, text=fault.body, headers=fault.headers)
    if isinstance(fault.body, bytes):
        return web.Response(status=fault.status, body=fault.body, headers=fault.headers)
    body = {"code": fault.status, "message": "Fault."} if fault.body is None else fault.body
    return web.json_response(body, status=fault.status, headers=fault.headers)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _parse(body: bytes) -> object:
    try:
        parsed: object = json.loads(body) if body else None
    except ValueError:
        return None
    return parsed
