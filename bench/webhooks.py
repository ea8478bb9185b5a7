"""How soon webhooks are answered, and how many edits they take: ``python -m bench.webhooks``.

The real process, live meetings that it knows, and 1,000 participants who join at once; meanwhile one more
meeting ends. Zoom allows 3 seconds; the aim is 100 ms for 99 of 100 on a quiet machine. ``--edit-ms`` makes
Mattermost take longer for each edit.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.running import running
from bot.sandbox.mattermost import Mattermost, Post
from bot.sandbox.stage import Stage
from bot.sandbox.zoom import Meeting, Zoom

# Whoever asks for a meeting; in the bench, everybody is in the same channels.
ASKING = "alice"


@dataclass
class Figures:
    """What was measured; times in seconds. ``right_s`` is from the first webhook to the last right post,
    ``end_s`` from the end of another meeting, in the middle of it, to its post."""

    answers: list[float] = field(default_factory=list)
    all_s: float = 0.0
    right_s: float = 0.0
    end_s: float = 0.0
    edits: int = 0

    def lines(self) -> Iterator[tuple[str, str]]:
        """Each figure with its name."""
        took = sorted(self.answers)
        yield "answer p50", f"{statistics.median(took) * 1000:8.1f} ms"
        yield "answer p99", f"{took[max(int(len(took) * 0.99) - 1, 0)] * 1000:8.1f} ms"
        yield "answer max", f"{took[-1] * 1000:8.1f} ms"
        yield "all answered", f"{self.all_s * 1000:8.1f} ms"
        yield "posts right", f"{self.right_s * 1000:8.1f} ms"
        yield "end shown", f"{self.end_s * 1000:8.1f} ms"
        yield "edits", f"{self.edits:8d}"


def main() -> int:
    """Print the figures; exit status 1 if an answer came too late or was none."""
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=__doc__)
    parser.add_argument("--webhooks", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--meetings", type=int, default=1)
    parser.add_argument("--edit-ms", type=int, default=0)
    parser.add_argument(
        "--rate", type=int, default=0, help="webhooks a second; 0: as fast as they are answered"
    )
    given = parser.parse_args()
    figures = asyncio.run(
        measure(given.webhooks, given.connections, given.meetings, given.edit_ms / 1000, given.rate)
    )
    for name, value in figures.lines():
        sys.stdout.write(f"{name:<13}{value}\n")
    return 1 if max(figures.answers) > 3.0 else 0


async def measure(webhooks: int, connections: int, meetings: int, edit_s: float, rate: int) -> Figures:
    """Bring ``webhooks`` to ``meetings`` live meetings, on a Mattermost that takes ``edit_s`` for an edit."""
    async with running() as stage:
        ending, *live = await _live(stage, meetings + 1)
        if edit_s:
            stage.mattermost.faults.add(times=-1, method="PUT", path="/patch$", delay=edit_s)
        with _counting(stage.mattermost) as figures:
            await asyncio.gather(
                _burst(stage, live, webhooks, connections, rate, figures), _end(stage, ending, figures)
            )
        return figures


@contextmanager
def _counting(mattermost: Mattermost) -> Iterator[Figures]:
    """Count the edits within the block."""
    figures, before = Figures(), _edits(mattermost)
    yield figures
    figures.edits = _edits(mattermost) - before


def _edits(mattermost: Mattermost) -> int:
    return sum(call.method == "PUT" and call.path.endswith("/patch") for call in mattermost.calls)


async def _live(stage: Stage, number: int) -> list[Meeting]:
    """Meetings that have begun, and whose posts say so."""
    asked = [
        await stage.mattermost.post(ASKING, f"room-{index % 12}", f"@zoom bench {index}")
        for index in range(number)
    ]
    triggers = {post.id for post in asked}

    def shown(status: str) -> list[Post]:
        posts = stage.mattermost.bot_posts()
        return [
            post
            for post in posts
            if post.props.get("zoombot_trigger") in triggers and post.props.get("meeting_status") == status
        ]

    await stage.mattermost.wait_for(lambda: len(shown("WAITING")) == number, 60)
    meetings = [stage.zoom.meetings[post.props["meeting_id"]] for post in shown("WAITING")]
    for meeting in meetings:
        await stage.zoom.start(meeting.id, host=False)
    await stage.mattermost.wait_for(lambda: len(shown("STARTED")) == number, 60)
    # The pause between two edits of one post is over.
    await asyncio.sleep(1.5)
    return meetings


async def _burst(
    stage: Stage, live: list[Meeting], webhooks: int, connections: int, rate: int, figures: Figures
) -> None:
    slots = asyncio.Semaphore(connections)
    began = time.monotonic()

    async def deliver(number: int) -> float:
        if rate:
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        async with slots:
            return await _deliver(stage.zoom, live[number % len(live)], number)

    figures.answers += await asyncio.gather(*(deliver(number) for number in range(webhooks)))
    figures.all_s = time.monotonic() - began
    came = Counter(live[number % len(live)].id for number in range(webhooks))
    await stage.mattermost.wait_for(lambda: _all_shown(stage.mattermost, came), 120)
    figures.right_s = time.monotonic() - began


async def _end(stage: Stage, meeting: Meeting, figures: Figures) -> None:
    """End a meeting while the others' webhooks come."""
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await stage.zoom.end(meeting.id)

    def is_shown() -> bool:
        shown = [post for post in stage.mattermost.bot_posts() if post.props.get("meeting_id") == meeting.id]
        return bool(shown[0].props["meeting_status"] == "ENDED")

    await stage.mattermost.wait_for(is_shown, 120)
    figures.end_s = time.monotonic() - began


def _all_shown(mattermost: Mattermost, came: Counter[int]) -> bool:
    """Whether each meeting's post says how many people came."""
    posts = {post.props.get("meeting_id"): post.props for post in mattermost.bot_posts()}
    return all(
        f"Live, {people:,} p" in posts[number]["attachments"][0]["text"] for number, people in came.items()
    )


async def _deliver(zoom: Zoom, meeting: Meeting, number: int) -> float:
    about: dict[str, object] = {"id": str(meeting.id), "uuid": meeting.uuid, "type": 1}
    who = {"user_id": str(number), "user_name": f"Guest {number}"}
    payload: dict[str, object] = {"account_id": "a", "object": {**about, "participant": who}}
    began = time.monotonic()
    delivery = await zoom.deliver("meeting.participant_joined", payload)
    if delivery.status != 200:
        raise RuntimeError(f"a webhook was answered with {delivery.status} {delivery.text}")
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
