"""The database goes away while the bot runs, and comes back."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from tests.conftest import World, world_of
from tests.stores.server import own_server


@pytest.mark.parametrize("mode", ["immediate", "fast"])
async def test_nothing_is_lost_while_the_database_is_away(tmp_path: Path, mode: str) -> None:
    own = own_server()
    own.start()
    try:
        async with world_of(tmp_path, store={"url": own.url}) as world:
            await world.start()
            await world.link("alice")
            post, meeting = await world.meeting()
            await asyncio.to_thread(own.stop, mode)
            began = time.monotonic()
            refused = await joined(world, meeting.id, meeting.uuid)
            lasted = time.monotonic() - began
            ready = f"http://127.0.0.1:{world.bot.admin_port}/readyz"
            async with world.http.get(ready) as response:
                unready = response.status, await response.json()
            asked = await world.mattermost.post("alice", "town-square", "@zoom later")
            world.zoom.retry_delays = (1.0,) * 20
            starting = asyncio.create_task(world.zoom.start(meeting.id))
            await asyncio.to_thread(own.start)
            back = time.monotonic()
            answer = await world.answer_to(asked)
            await world.shows(post, lambda now: now.props["meeting_status"] == "STARTED")
            served = time.monotonic() - back
            await starting
        assert refused == 503
        # Zoom stops waiting after three seconds.
        assert lasted < 3
        assert unready[0] == 503
        assert "away" in str(unready[1])
        assert "meeting_id" in answer.props
        assert served < 15
    finally:
        own.remove()


async def joined(world: World, number: int, uuid: str) -> int:
    """The status of the answer to a webhook."""
    who = {"user_id": "1", "user_name": "Guest"}
    about = {"id": str(number), "uuid": uuid, "topic": "standup", "type": 1, "participant": who}
    event = {"event": "meeting.participant_joined", "payload": {"account_id": "a", "object": about}}
    body = json.dumps({**event, "event_ts": world.now()}).encode()
    headers = {"Content-Type": "application/json"} | world.zoom.sign(body)
    async with world.http.post(world.zoom.webhook_url, data=body, headers=headers) as response:
        return response.status
