"""A bare client that answers each mention with one call of Zoom and one post. It keeps and checks nothing.

Reads JSON from stdin: ``mattermost`` and ``zoom`` (base URLs of the APIs), ``mattermost_token``,
``zoom_token`` and ``name``, the user name that it answers to.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiohttp

Json = dict[str, Any]


async def main(given: Json) -> None:
    """Answer until the process is ended."""
    mention = f"@{given['name']} "
    to_mattermost = {"Authorization": f"Bearer {given['mattermost_token']}"}
    to_zoom = {"Authorization": f"Bearer {given['zoom_token']}"}
    async with (
        aiohttp.ClientSession(headers=to_mattermost) as mattermost,
        aiohttp.ClientSession(headers=to_zoom) as zoom,
        mattermost.ws_connect(f"{given['mattermost']}/websocket") as socket,
        asyncio.TaskGroup() as tasks,
    ):
        async for frame in socket:
            event = json.loads(frame.data)
            if event.get("event") == "posted":
                post = json.loads(event["data"]["post"])
                if post["message"].startswith(mention):
                    topic = post["message"].removeprefix(mention)
                    tasks.create_task(answer(given, mattermost, zoom, post["channel_id"], topic))


async def answer(
    given: Json, mattermost: aiohttp.ClientSession, zoom: aiohttp.ClientSession, channel_id: str, topic: str
) -> None:
    """One meeting, one post."""
    async with zoom.post(f"{given['zoom']}/users/me/meetings", json={"topic": topic, "type": 1}) as response:
        meeting = await response.json()
    props = {
        "meeting_id": meeting["id"],
        "meeting_uuid": meeting["uuid"],
        "meeting_link": meeting["join_url"],
        "meeting_status": "WAITING",
        "meeting_topic": topic,
    }
    body = {"channel_id": channel_id, "message": meeting["join_url"], "props": props}
    async with mattermost.post(f"{given['mattermost']}/posts", json=body) as response:
        await response.read()


if __name__ == "__main__":
    asyncio.run(main(json.load(sys.stdin)))
