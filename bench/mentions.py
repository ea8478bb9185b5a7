"""How soon a mention is a link: ``python -m bench.mentions``.

The real process on the sandbox. Beside it, in the same run, the floor: how soon a person's plain message is
on another person's socket. What counts is the ratio; the milliseconds belong to the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp

from bench.running import running
from bot.sandbox.mattermost import Mattermost

Json = dict[str, Any]
Wanted = Callable[[Json], bool]


def main() -> int:
    """Print the milliseconds of both, and their ratio."""
    parser = argparse.ArgumentParser(prog="python -m bench.mentions", description=__doc__)
    parser.add_argument("--mentions", type=int, default=200)
    given = parser.parse_args()
    floor, links = asyncio.run(measure(given.mentions))
    for name, took in (("plain message", floor), ("mention to link", links)):
        p95 = sorted(took)[int(len(took) * 0.95) - 1]
        sys.stdout.write(
            f"{name:<16} p50 {statistics.median(took) * 1000:7.1f} ms   p95 {p95 * 1000:7.1f} ms\n"
        )
    ratio = statistics.median(links) / statistics.median(floor)
    sys.stdout.write(f"{'ratio':<16} {ratio:11.1f}\n")
    return 0


async def measure(mentions: int) -> tuple[list[float], list[float]]:
    """Seconds of each plain message and of each mention, one after the other and in turns."""
    async with running() as stage, _watching(stage.mattermost) as seen:
        floor, links = [], []
        for number in range(mentions):
            floor.append(await seen(f"talk {number}", partial(_says, f"talk {number}")))
            links.append(await seen(f"@zoom topic {number}", partial(_announces, f"topic {number}")))
        return floor, links


@asynccontextmanager
async def _watching(server: Mattermost) -> AsyncIterator[Callable[[str, Wanted], Awaitable[float]]]:
    """What alice writes, and how soon bob's socket brings what comes of it."""
    dev = server.channel("dev").id
    async with (
        aiohttp.ClientSession(headers=_bearer(server, "alice")) as writer,
        aiohttp.ClientSession(headers=_bearer(server, "bob")) as reader,
        reader.ws_connect(f"{server.url}/api/v4/websocket") as socket,
    ):

        async def seen(message: str, wanted: Wanted) -> float:
            began = time.perf_counter()
            post = {"channel_id": dev, "message": message}
            writing = asyncio.create_task(_write(writer, f"{server.url}/api/v4/posts", post))
            while not wanted(_posted(await socket.receive_str(timeout=30))):
                pass
            took = time.perf_counter() - began
            await writing
            return took

        yield seen


async def _write(http: aiohttp.ClientSession, url: str, post: dict[str, str]) -> None:
    async with http.post(url, json=post) as response:
        response.raise_for_status()


def _posted(frame: str) -> Json:
    """The post that a frame brings; an empty one if it brings none."""
    event = json.loads(frame)
    post: Json = json.loads(event["data"]["post"]) if event.get("event") == "posted" else {}
    return {"message": "", "props": {}} | post


def _says(message: str, post: Json) -> bool:
    return bool(post["message"] == message)


def _announces(topic: str, post: Json) -> bool:
    return bool(post["props"].get("meeting_topic") == topic)


def _bearer(server: Mattermost, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.token(name)}"}


if __name__ == "__main__":
    sys.exit(main())
