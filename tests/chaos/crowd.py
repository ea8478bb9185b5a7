"""The load: people who ask for meetings, hold them and end them, while Zoom tells the bot of it."""

from __future__ import annotations

import asyncio
import contextlib
import html
import itertools
import re
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from itertools import islice
from random import Random

import aiohttp
from yarl import URL

from bot.sandbox.mattermost import Channel, Mattermost, Post
from bot.sandbox.stage import Stage
from bot.sandbox.zoom import Zoom

LINKED = ("alice", "bob", "dave", "erin", "frank", "grace")
# Somebody who never connects, and is answered that they should.
STRANGER = "carol"
CHANNELS = 12

_INVITATION = re.compile(r"http://[^\s)]*/oauth2/connect\?state=[\w%-]+")
_HIDDEN = re.compile(r'name="(\w+)" value="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Asked:
    """One message of a person. ``answers`` is how many the bot owes it: one or none."""

    post: Post
    answers: int
    at: float


class Crowd:
    """Asks, meets and leaves at random; what it did is in ``asked`` and at the two servers."""

    def __init__(self, stage: Stage, random: Random, *, pause_s: float) -> None:
        self.mattermost: Mattermost = stage.mattermost
        self.zoom: Zoom = stage.zoom
        self.asked: dict[str, Asked] = {}
        self.answered_at: dict[str, float] = {}
        # Meetings of people who have nothing to do with this bot.
        self.foreign: set[str] = set()
        self.relinked = 0
        # What went wrong with the crowd itself.
        self.failures: list[BaseException] = []
        self._random = random
        self._pause_s = pause_s
        self._seen = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._topics = itertools.count(1)
        self._channels: list[str | Channel] = []
        self._used_links: set[str] = set()

    def settle_in(self) -> None:
        """Give everybody accounts and channels."""
        for name in LINKED:
            if name not in ("alice", "bob"):
                self.mattermost.add_user(name)
                self.zoom.add_user(f"{name}@demo.example")
        people = (*LINKED, STRANGER, "zoom")
        for number in range(CHANNELS):
            self._channels.append(self.mattermost.add_channel(f"room-{number}", members=people))
        self._channels += [self.mattermost.direct(name, "zoom") for name in ("alice", "dave")]

    async def ask_for_ever(self) -> None:
        """One message after the other, until cancelled."""
        while True:
            await asyncio.sleep(self._random.expovariate(1 / self._pause_s))
            await self.ask()

    async def ask(self) -> None:
        """One message: mostly for a meeting."""
        random = self._random
        place = random.choice(self._channels)
        name = random.choice(LINKED)
        topic = f"topic {next(self._topics)}"
        kind = random.random()
        if isinstance(place, Channel) and place.type == "D":
            name = next(each for each in LINKED if self.mattermost.direct(each, "zoom").id == place.id)
            message, answers = (f"start {topic}", 1)
        elif kind < 0.8:
            message, answers = (f"@zoom {topic}", 1)
        elif kind < 0.86:
            message, answers = ("@zoom help", 1)
        elif kind < 0.92:
            name, message, answers = STRANGER, f"@zoom {topic}", 1
        else:
            message, answers = (f"the end of day is not for @zoomer: {topic}", 0)
        post = await self.mattermost.post(name, place, message)
        self.asked[post.id] = Asked(post, answers, time.monotonic())

    async def watch_for_ever(self) -> None:
        """See what the bot posts: go to its meetings, follow its invitations."""
        posts = self.mattermost.world.history.posts
        while True:
            await self.mattermost.wait_for(lambda: len(posts) > self._seen, 3600)
            new = list(islice(posts.values(), self._seen, None))
            self._seen += len(new)
            for post in new:
                if post.user_id == self.mattermost.bot_id and not post.type:
                    self._read(post)

    def _read(self, post: Post) -> None:
        trigger = post.props.get("zoombot_trigger")
        if isinstance(trigger, str):
            self.answered_at.setdefault(trigger, time.monotonic())
        number = post.props.get("meeting_id")
        if isinstance(number, int):
            self._spawn(self._meet(number))
        elif invitation := _INVITATION.search(post.message):
            for name in LINKED:
                if self.mattermost.direct(name, "zoom").id == post.channel_id:
                    self._spawn(self._connect(name, invitation[0]))

    async def _meet(self, number: int) -> None:
        random, zoom = self._random, self.zoom
        if number not in zoom.meetings or random.random() < 0.03:
            return
        # Where two announcements lead into one meeting, the first who comes starts it.
        with contextlib.suppress(ValueError, KeyError):
            await asyncio.sleep(random.uniform(0, 1.5))
            await zoom.start(number)
            sessions = []
            for guest in range(random.randrange(3)):
                await asyncio.sleep(random.uniform(0, 0.5))
                sessions.append(await zoom.join(number, f"Guest {guest}"))
            if sessions and random.random() < 0.7:
                await zoom.leave(number, sessions[0])
            await asyncio.sleep(random.uniform(0, 1.0))
            if random.random() < 0.96:
                await zoom.end(number)

    async def distract_for_ever(self) -> None:
        """Meetings that are none of the bot's business, and webhooks that come twice."""
        while True:
            await asyncio.sleep(self._random.uniform(0.2, 0.6))
            if self.zoom.deliveries and self._random.random() < 0.6:
                recent = self.zoom.deliveries[-200:]
                await self.zoom.redeliver(self._random.choice(recent))
            else:
                await self._foreign_meeting()

    async def _foreign_meeting(self) -> None:
        number = 1_000_000_000 + len(self.foreign)
        uuid = f"foreign{len(self.foreign)}=="
        self.foreign.add(uuid)
        about = {"id": str(number), "uuid": uuid, "host_id": "stranger", "topic": "private", "type": 1}
        await self.zoom.deliver("meeting.started", {"account_id": "a", "object": about})

    async def trouble_for_ever(self) -> None:
        """Small faults: lost answers, refusals, tokens that run out."""
        mattermost, zoom, random = self.mattermost.faults, self.zoom.faults, self._random
        meetings, posts = r"/users/[^/]+/meetings$", r"/posts$"
        faults = (
            lambda: mattermost.add(method="POST", path=posts, user="zoom", drop=True, after=True),
            lambda: mattermost.add(503, method="POST", path=posts, user="zoom"),
            lambda: mattermost.add(429, path="/patch$", user="zoom"),
            lambda: mattermost.add(method="PUT", path="/patch$", user="zoom", drop=True),
            lambda: zoom.add(method="POST", path=meetings, drop=True, after=True),
            lambda: zoom.add(500, method="POST", path=meetings),
            lambda: zoom.add(429, method="POST", path=meetings, headers={"Retry-After": "1"}),
        )
        while True:
            await asyncio.sleep(random.uniform(0.5, 2.5))
            if random.random() < 0.3:
                zoom_user = f"{random.choice(LINKED)}@demo.example"
                self.zoom.expire_tokens(zoom_user)
            else:
                random.choice(faults)()

    async def link(self) -> None:
        """Everybody of ``LINKED`` connects, as people do."""
        await self.reconnect()
        confirmed = "You're connected to Zoom"

        def all_linked() -> bool:
            directs = (self.mattermost.direct(name, "zoom") for name in LINKED)
            return all(
                any(confirmed in post.message for post in self.mattermost.posts(one)) for one in directs
            )

        await self.mattermost.wait_for(all_linked, 30)
        self.relinked = 0

    async def reconnect(self) -> None:
        """Whoever lost their link connects again: nobody else can ask Zoom about their meetings."""
        for name in LINKED:
            asked = await self.mattermost.post(name, self.mattermost.direct(name, "zoom"), "connect")
            self.asked[asked.id] = Asked(asked, 1, time.monotonic())

    async def _connect(self, name: str, invitation: str) -> None:
        if invitation in self._used_links:
            return
        self._used_links.add(invitation)
        # The bot may be dead just now: a person would try again, and ask for a new link in the end.
        for _ in range(40):
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
                await self._click(name, invitation)
                self.relinked += 1
                return
            await asyncio.sleep(0.25)

    async def _click(self, name: str, invitation: str) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            async with http.get(invitation, allow_redirects=False) as response:
                _require_service(response)
                location = response.headers.get("Location", "")
            if not location:
                return
            back = await self.zoom.consent(location, f"{name}@demo.example")
            async with http.get(back) as response:
                _require_service(response)
                page = await response.text()
            form = {key: html.unescape(value) for key, value in _HIDDEN.findall(page) if key != "cancel"}
            target = URL(back).with_query(None)
            async with http.post(target, data=form) as response:
                _require_service(response)
                await response.read()

    async def leave_in_silence(self) -> None:
        """End half of what is live without telling the bot."""
        live = [meeting.id for meeting in self.zoom.meetings.values() if meeting.status == "started"]
        for number in live[::2]:
            await self.zoom.end(number, deliver=False)

    async def finish(self) -> None:
        """Wait until nobody does anything any more, and Zoom has delivered what it could."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        await self.zoom.settle()

    def owed(self) -> list[str]:
        """The messages that have no answer yet."""
        return [id for id, asked in self.asked.items() if asked.answers and id not in self.answered_at]

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()):
            self.failures.append(failure)


def _require_service(response: aiohttp.ClientResponse) -> None:
    """Raise while the bot cannot answer: a person would try again."""
    if response.status >= 500:
        response.raise_for_status()
