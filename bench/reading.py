"""How long a frame takes that is not for the bot: from the text to the decision."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.floors.frames import decode
from bench.rows import Row
from bot.core.account import OwnAccount
from bot.features import collect
from bot.mattermost import User
from bot.mattermost.backlog import Backlog
from bot.mattermost.events import POSTED
from bot.mattermost.frames import Event, read_frame
from bot.runtime.identity import Identity
from bot.runtime.requests import Requests
from bot.runtime.second_tries import EVENTS

LOOPS = 1000
DATA = Path(__file__).parent.parent / "tests" / "data"


def frames(rounds: int) -> list[Row]:
    """An event that is not for the bot, and talk, as a real server sent them."""
    account = OwnAccount(User(id="b" * 26, username="zoom"))
    nothing: Any = None
    requests = Requests(nothing, Identity(account, "zoom", collect().grammar), nothing)
    backlog = Backlog(names=EVENTS | {POSTED}, passes=requests.is_talk)

    def read(text: str) -> None:
        frame = read_frame(text)
        if isinstance(frame, Event):
            backlog.offer(frame)

    rows = []
    for work, name, goal in (
        ("an event that is not for us", "ws_typing", "≤ 0.4 µs"),
        ("talk", "ws_posted_channel", "≤ 1.5 µs"),
    ):
        text = (DATA / f"{name}.json").read_text().strip()
        # The least of many short rounds in turns: the others were disturbed.
        both = [(_us(decode, text), _us(read, text)) for _ in range(rounds)]
        floor, bot = (min(times) for times in zip(*both, strict=True))
        rows.append(Row(work, ("each",), (floor,), (bot,), goal, "µs"))
    return rows


def _us(work: Callable[[str], object], text: str) -> float:
    return timeit.timeit(lambda: work(text), number=LOOPS) / LOOPS * 1e6
