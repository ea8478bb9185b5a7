"""`GET /websocket`: authentication, resumption, and the requests of clients."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from bot.sandbox.mattermost.line import Line
from bot.sandbox.mattermost.records import Json, User
from bot.sandbox.mattermost.refusals import Refusal
from bot.sandbox.mattermost.wire import encode_text, event

if TYPE_CHECKING:
    from bot.sandbox.mattermost.world import World

VERSION = "5.37.0"
MAX_FRAME = 8192
# Seconds between the server's own pings; a client that does not answer is cut.
HEARTBEAT_S = 60.0


async def serve_socket(world: World, request: web.Request, user: User | None) -> web.WebSocketResponse:
    """Serve one socket until it ends. A bad token is upgraded all the same, and cut a little later."""
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_FRAME, compress=False)
    await socket.prepare(request)
    if request.query.get("connection_id") and not request.query.get("sequence_number"):
        await socket.close()
        return socket
    visit = _Visit(world, socket, request.transport)
    try:
        visit.begin(user, request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                visit.take(message.data)
    finally:
        await visit.end()
    return socket


class _Visit:
    """One socket, and the line that it serves."""

    def __init__(
        self, world: World, socket: web.WebSocketResponse, transport: asyncio.Transport | None
    ) -> None:
        self._world = world
        self._socket = socket
        self._transport = transport
        self._line = Line()
        self._line.attach(socket, transport)
        self._writer = asyncio.create_task(self._line.write())
        self._deadline = asyncio.get_running_loop().call_later(world.auth_timeout, self._line.cut)

    def begin(self, user: User | None, request: web.Request) -> None:
        if user is None:
            return
        query = request.query
        seq = query.get("sequence_number", "")
        line = None
        if query.get("connection_id") and seq.isdigit():
            line = self._world.hub.resumable(query["connection_id"], user.id, int(seq))
        if line is None:
            self._greet(user)
        else:
            self._resume(line, int(seq))

    def take(self, text: str) -> None:
        """A request of the client."""
        try:
            body: Any = json.loads(text)
        except ValueError:
            return
        if not isinstance(body, dict):
            return
        seq, data = body.get("seq", 0), body.get("data") or {}
        if body.get("action") == "authentication_challenge":
            self._challenge(seq, str(data.get("token", "")))
        elif not self._line.user_id:
            self._refuse(seq, "api.web_socket_router.not_authenticated.app_error", 401)
        elif body.get("action") == "ping":
            self._reply(seq, self._pong())
        elif body.get("action") == "user_typing":
            self._type(seq, data)
        else:
            self._refuse(seq, "api.web_socket_router.bad_action.app_error", 500)

    async def end(self) -> None:
        """The socket is gone."""
        self._deadline.cancel()
        self._line.detach()
        self._writer.cancel()
        await asyncio.wait([self._writer])
        self._world.changes.tell()

    def _greet(self, user: User) -> None:
        self._deadline.cancel()
        self._line.user_id = user.id
        self._world.hub.register(self._line)
        data: Json = {"connection_id": self._line.id, "server_version": f"{VERSION}.sandbox"}
        self._line.tell(event("hello", data, user_id=user.id))
        self._world.changes.tell()

    def _resume(self, line: Line, seq: int) -> None:
        self._deadline.cancel()
        self._writer.cancel()
        self._line = line
        line.attach(self._socket, self._transport)
        line.replay(seq)
        self._writer = asyncio.create_task(line.write())
        self._world.changes.tell()

    def _challenge(self, seq: int, token: str) -> None:
        if self._line.user_id:
            return
        user = self._world.directory.holder(token)
        if user is None:
            self._line.cut()
            return
        self._greet(user)
        self._reply(seq)

    def _type(self, seq: int, data: Json) -> None:
        channel_id, parent_id = str(data.get("channel_id", "")), str(data.get("parent_id", ""))
        try:
            self._world.typing(self._world.directory.user(self._line.user_id), channel_id, parent_id)
        except Refusal as refusal:
            self._refuse(seq, refusal.id, refusal.status)
        else:
            self._reply(seq)

    def _pong(self) -> Json:
        return {"node_id": "", "server_time": self._world.now(), "text": "pong", "version": VERSION}

    def _reply(self, seq: int, data: Json | None = None) -> None:
        body: Json = {"status": "OK", "seq_reply": seq}
        self._line.reply(encode_text(body | {"data": data} if data else body))

    def _refuse(self, seq: int, code: str, status: int) -> None:
        error = {"id": code, "message": "", "detailed_error": "", "status_code": status}
        self._line.reply(encode_text({"status": "FAIL", "error": error, "seq_reply": seq}))
