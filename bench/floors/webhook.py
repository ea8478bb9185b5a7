"""A bare server that checks a webhook's signature, answers it, and edits the post of a meeting that ended.

Reads JSON from stdin: ``mattermost`` (base URL of the API), ``mattermost_token``, ``secret`` and ``port``.
``POST /posts`` tells it the post of each meeting, by the meeting's uuid. Nothing is kept on a disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
from typing import Any

import aiohttp
from aiohttp import web

Json = dict[str, Any]


class Server:
    """The two routes."""

    def __init__(self, given: Json, mattermost: aiohttp.ClientSession, tasks: asyncio.TaskGroup) -> None:
        self._url = given["mattermost"]
        self._secret = given["secret"].encode()
        self._mattermost = mattermost
        self._tasks = tasks
        self._posts: dict[str, Json] = {}

    async def know(self, request: web.Request) -> web.Response:
        """Learn which post a meeting has: ``{uuid: {"id": …, "props": {…}}}``."""
        self._posts |= await request.json()
        return web.Response()

    async def webhook(self, request: web.Request) -> web.Response:
        """Check and answer; an edit is made meanwhile."""
        body = await request.read()
        signed = b"v0:" + request.headers["x-zm-request-timestamp"].encode() + b":" + body
        digest = "v0=" + hmac.new(self._secret, signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(digest, request.headers["x-zm-signature"]):
            return web.Response(status=403)
        event = json.loads(body)
        if event["event"] == "meeting.ended":
            self._tasks.create_task(self._edit(self._posts[event["payload"]["object"]["uuid"]]))
        return web.Response()

    async def _edit(self, post: Json) -> None:
        changed = {"message": "It ended.", "props": post["props"] | {"meeting_status": "ENDED"}}
        async with self._mattermost.put(f"{self._url}/posts/{post['id']}/patch", json=changed) as response:
            await response.read()


async def main(given: Json) -> None:
    """Serve until the process is ended."""
    headers = {"Authorization": f"Bearer {given['mattermost_token']}"}
    async with aiohttp.ClientSession(headers=headers) as mattermost, asyncio.TaskGroup() as tasks:
        server = Server(given, mattermost, tasks)
        app = web.Application()
        app.add_routes([web.post("/webhook", server.webhook), web.post("/posts", server.know)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", given["port"]).start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(json.load(sys.stdin)))
