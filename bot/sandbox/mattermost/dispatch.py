"""Handling common to all requests: injected faults, tokens, recording, and errors as JSON."""

from __future__ import annotations

import asyncio
import secrets
from http.cookies import CookieError

from aiohttp import web

from bot.sandbox.faults import Fault
from bot.sandbox.mattermost.api_request import ApiRequest, Route, parse
from bot.sandbox.mattermost.records import User
from bot.sandbox.mattermost.refusals import Refusal, no_route, unauthenticated
from bot.sandbox.mattermost.wire import answer
from bot.sandbox.mattermost.world import World

COOKIE = "MMAUTHTOKEN"
CSRF_COOKIE = "MMCSRF"


class Dispatcher:
    """Turns API routes into aiohttp routes."""

    def __init__(self, world: World, prefix: str) -> None:
        self._world = world
        self._prefix = prefix

    def route(self, route: Route, under: str = "") -> web.RouteDef:
        """The aiohttp route for an API route, below the path `under`."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(request, route)

        return web.route(route.method, self._prefix + under + route.path, handle)

    async def unknown_path(self, request: web.Request) -> web.StreamResponse:
        """Record a request to an unknown path and answer 404."""

        async def refuse(api_request: ApiRequest) -> web.StreamResponse:
            self._world.unknown.append(f"{request.method} {request.path}")
            self._world.changes.tell()
            raise no_route()

        return await self._handle(request, Route(request.method, request.path, refuse, open=True))

    async def _handle(self, request: web.Request, route: Route) -> web.StreamResponse:
        user = sender_of(self._world, request)
        raw = await request.read() if request.content_type != "multipart/form-data" else b""
        body = parse(raw) if raw else None
        path = request.path.removeprefix(self._prefix)
        call = self._world.record(request.method, path, user.id if user else "", body)
        fault = self._world.faults.match(
            request.method, path, user.username if user else "", raw.decode(errors="replace")
        )
        api_request = ApiRequest(self._world, request, user, body)
        if fault is not None:
            response = await self._answer_with_fault(fault, api_request, route)
        else:
            response = await self._answer(api_request, route)
        call.status = response.status
        self._world.changes.tell()
        return response

    async def _answer_with_fault(
        self, fault: Fault, api_request: ApiRequest, route: Route
    ) -> web.StreamResponse:
        response: web.StreamResponse | None = None
        if fault.after or not (fault.status or fault.drop):
            if not fault.after:
                await asyncio.sleep(fault.delay)
            response = await self._answer(api_request, route)
        if response is None or fault.after:
            await asyncio.sleep(fault.delay)
        if fault.drop:
            if api_request.http.transport is not None:
                api_request.http.transport.abort()
            return web.Response(status=499)
        return faulty(fault) if fault.status or response is None else response

    async def _answer(self, api_request: ApiRequest, route: Route) -> web.StreamResponse:
        try:
            if not route.open and api_request.sender is None:
                raise unauthenticated()
            return await route.handler(api_request)
        except Refusal as refusal:
            return refusal.answer()


def faulty(fault: Fault) -> web.Response:
    """The response for a fault: its own body, or the one that Mattermost sends with this status."""
    headers = dict(fault.headers)
    if isinstance(fault.body, (bytes, str)):
        text = fault.body.encode() if isinstance(fault.body, str) else fault.body
        headers.setdefault("Content-Type", "text/plain")
        return web.Response(status=fault.status, body=text, headers=headers)
    if fault.body is not None:
        response = answer(fault.body, fault.status)
    elif fault.status == 429:
        response = web.Response(status=429, body=b"limit exceeded\n", content_type="text/plain")
        response.headers.update(
            {
                "Retry-After": "1",
                "X-Ratelimit-Limit": "101",
                "X-Ratelimit-Remaining": "0",
                "X-Ratelimit-Reset": "1",
            }
        )
    else:
        response = Refusal(fault.status, "sandbox.fault", "A fault that was asked for.").answer()
    response.headers.update(headers)
    return response


def sender_of(world: World, request: web.Request) -> User | None:
    """The user whose token is in the request's header or cookie."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return world.directory.holder(token.strip())
    try:
        token = request.cookies.get(COOKIE, "")
    except CookieError:
        return None
    return world.directory.holder(token) if token and _own_page(request) else None


def _own_page(request: web.Request) -> bool:
    """Whether a request with a cookie passes the CSRF check that writes need."""
    if request.method == "GET" or request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return True
    expected = request.cookies.get(CSRF_COOKIE, "")
    given = request.headers.get("X-CSRF-Token", "")
    return bool(expected) and secrets.compare_digest(expected.encode(), given.encode())
