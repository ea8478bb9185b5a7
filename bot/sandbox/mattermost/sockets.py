"""`GET /websocket`: authentication, resuming, and requests from clients."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from bot.sandbox.mattermost.connection import Connection
from bot.sandbox.mattermost.records import Json, User
from bot.sandbox.mattermost.refusals import Refusal
from bot.sandbox.mattermost.wire import encode_text, event

if TYPE_CHECKING:
    from bot.sandbox.mattermost.world import World

VERSION = "11.6.0"
MAX_FRAME = 8192
# Seconds between the server's pings; a client that does not answer is cut.
HEARTBEAT_S = 60.0


async def serve_socket(world: World, request: web.Request, user: User | None) -> web.WebSocketResponse:
    """Serve one socket until it closes. With a bad token it opens, and is cut after a timeout."""
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MAX_FRAME, compress=False)
    await socket.prepare(request)
    if request.query.get("connection_id") and not request.query.get("sequence_number"):
        await socket.close()
        return socket
    session = _SocketSession(world, socket, request.transport)
    try:
        session.begin(user, request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                session.take(message.data)
    finally:
        await session.end()
    return socket


class _SocketSession:
    """One socket and the connection it belongs to."""

    def __init__(
        self, world: World, socket: web.WebSocketResponse, transport: asyncio.Transport | None
    ) -> None:
        self._world = world
        self._socket = socket
        self._transport = transport
        self._connection = Connection()
        self._connection.attach(socket, transport)
        self._writer = asyncio.create_task(self._connection.write())
        self._deadline = asyncio.get_running_loop().call_later(world.auth_timeout, self._connection.cut)

    def begin(self, user: User | None, request: web.Request) -> None:
        if user is None:
            return
        query = request.query
        seq = query.get("sequence_number", "")
        connection = None
        if query.get("connection_id") and seq.isdigit():
            connection = self._world.hub.resumable(query["connection_id"], user.id, int(seq))
        if connection is None:
            self._greet(user)
        else:
            self._resume(connection, int(seq))

    def take(self, text: str) -> None:
        try:
            body: Any = json.loads(text)
        except ValueError:
            return
        if not isinstance(body, dict):
            return
        seq, data = body.get("seq", 0), body.get("data") or {}
        if body.get("action") == "authentication_challenge":
            self._challenge(seq, str(data.get("token", "")))
        elif not self._connection.user_id or self._connection.revoked:
            self._refuse(seq, "api.web_socket_router.not_authenticated.app_error", 401)
        elif body.get("action") == "ping":
            self._reply(seq, self._pong())
        elif body.get("action") == "user_typing":
            self._type(seq, data)
        else:
            self._refuse(seq, "api.web_socket_router.bad_action.app_error", 500)

    async def end(self) -> None:
        self._deadline.cancel()
        self._connection.detach()
        self._writer.cancel()
        await asyncio.wait([self._writer])
        self._world.changes.tell()

    def _greet(self, user: User) -> None:
        self._deadline.cancel()
        self._connection.user_id = user.id
        self._world.hub.register(self._connection)
        data: Json = {"connection_id": self._connection.id, "server_version": f"{VERSION}.sandbox"}
        self._connection.tell(event("hello", data, user_id=user.id))
        self._world.changes.tell()

    def _resume(self, connection: Connection, seq: int) -> None:
        self._deadline.cancel()
        self._writer.cancel()
        self._connection = connection
        connection.attach(self._socket, self._transport)
        connection.replay(seq)
        self._writer = asyncio.create_task(connection.write())
        self._world.changes.tell()

    def _challenge(self, seq: int, token: str) -> None:
        if self._connection.user_id:
            return
        user = self._world.directory.holder(token)
        if user is None:
            self._connection.cut()
            return
        self._greet(user)
        self._reply(seq)

    def _type(self, seq: int, data: Json) -> None:
        channel_id, parent_id = str(data.get("channel_id", "")), str(data.get("parent_id", ""))
        try:
            self._world.typing(self._world.directory.user(self._connection.user_id), channel_id, parent_id)
        except Refusal as refusal:
            self._refuse(seq, refusal.id, refusal.status)
        else:
            self._reply(seq)

    def _pong(self) -> Json:
        return {"node_id": "", "server_time": self._world.now(), "text": "pong", "version": VERSION}

    def _reply(self, seq: int, data: Json | None = None) -> None:
        body: Json = {"status": "OK", "seq_reply": seq}
        self._connection.reply(encode_text(body | {"data": data} if data else body))

    def _refuse(self, seq: int, code: str, status: int) -> None:
        error = {"id": code, "message": "", "detailed_error": "", "status_code": status}
        self._connection.reply(encode_text({"status": "FAIL", "error": error, "seq_reply": seq}))
