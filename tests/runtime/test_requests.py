"""Talk passes at a glance, and nothing that is for the bot is taken for talk."""

from __future__ import annotations

import asyncio
import json
import sys
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.core.account import OwnAccount
from bot.domain.mentions import calls, find_mention
from bot.domain.records import Cursor
from bot.features import collect
from bot.mattermost import User
from bot.mattermost.frames import Event, read_frame
from bot.runtime.identity import Identity
from bot.runtime.requests import Requests
from bot.stores.notifying import NotifyingStore
from tests.conftest import World

GRAMMAR = collect().grammar
BOT_ID = "b" * 26
NAMES = ("zoom", "ski-bot", "kiss.i", "zoom_2")
KEYWORDS = ("zoom", "", "kiss", "straße", "besprechung", "会議", "İstanbul")
# What stands for a letter of a name in another case, the blanks and marks that may stand around it, and words.
MARKS = ("K", "ſ", "İ", "ı", "ß", "ﬁ", "@", ":", ".", "-", "_", "*", "`", " ", "\n", "\t", "> ", "\u200b")
WORDS = ("start", "help", "end", "let's talk, ", "<b>&amp;", "\\u0040zoom", '"', "\\", "会議", "😀")
CALLED = (*NAMES, *(f"@{name}" for name in NAMES), *filter(None, KEYWORDS))


def talk_of(names: tuple[str, ...] = ("zoom",), keyword: str = "zoom") -> Requests:
    """The account had the later names before, and was renamed just now."""
    account = OwnAccount(User(id=BOT_ID, username=names[-1]))
    for number, name in enumerate(reversed(names[:-1])):
        assert account.see(User(id=BOT_ID, username=name, update_at=sys.maxsize - 10 + number))
    return requests_of(account, keyword)


def requests_of(account: OwnAccount, keyword: str) -> Requests:
    """What tells talk. It writes nothing down here."""
    nothing: Any = None
    return Requests(nothing, Identity(account, keyword, GRAMMAR), nothing)


def spelled(text: str, random: Random) -> str:
    """A JSON string of the text in which any character may be escaped."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    found = "".join(_unit(code, random) for code in codes)
    return f'"{found}"'


def _unit(code: int, random: Random) -> str:
    if 0xD800 <= code < 0xE000 or random.random() < 0.2:
        return f"\\u{code:04x}" if random.random() < 0.5 else f"\\u{code:04X}"
    return json.dumps(chr(code), ensure_ascii=False)[1:-1]


def event(message: str, random: Random | None = None, *, user: str = "u" * 26, channel: str = "O") -> Event:
    spell = json.dumps if random is None else lambda text: spelled(text, random)
    post = f'{{"id":"p","user_id":{spell(user)},"message":{spell(message)},"create_at":7,"channel_id":"c"}}'
    data = f'{{"channel_type":{spell(channel)},"post":{spell(post)},"team_id":"t"}}'
    frame = read_frame(f'{{"event":"posted","data":{data},"broadcast":{{"channel_id":"c"}},"seq":2}}')
    assert isinstance(frame, Event)
    return frame


def any_case(word: str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.sampled_from([each, each.upper(), each.lower()]) for each in word)).map("".join)


PIECE = st.sampled_from(MARKS + WORDS) | st.sampled_from(CALLED).flatmap(any_case) | st.text(max_size=3)
MESSAGES = st.lists(PIECE, max_size=6).map("".join)
SPELLINGS = st.integers(0, 2**32).map(Random)


@given(
    MESSAGES,
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True).map(tuple),
    st.sampled_from(KEYWORDS),
    SPELLINGS,
)
@example("@ſKi-bot standup", ("ski-bot",), "", Random(1))  # noqa: S311
@example("let's talk, @Zoom?", ("meet", "zoom"), "", Random(2))  # noqa: S311
@example("\u200bSTRASSE", ("zoom",), "straße", Random(3))  # noqa: S311
def test_nothing_that_asks_is_taken_for_talk(
    message: str, names: tuple[str, ...], keyword: str, random: Random
) -> None:
    if talk_of(names, keyword).is_talk(event(message, random)):
        for name in names:
            assert GRAMMAR.parse_message(message, bot_name=name, keyword=keyword) is None


@given(MESSAGES, SPELLINGS)
def test_neither_direct_messages_nor_own_posts_are_talk(message: str, random: Random) -> None:
    assert not talk_of().is_talk(event(message, random, channel="D"))
    assert not talk_of().is_talk(event(message, random, user=BOT_ID))


@pytest.mark.parametrize("name", ["kiss", "zoom", "abcdefghijklmnopqrstuvwxyz0123456789.-_"])
def test_no_other_letter_of_unicode_is_taken_for_one_of_a_name(name: str) -> None:
    (call,) = calls([name], "")
    for letter in filter(str.isalpha, set(name)):
        for code in range(0x80, sys.maxunicode + 1):
            if chr(code).casefold()[:1] == letter:
                message = f"@{name.replace(letter, chr(code), 1)}"
                assert find_mention(message, name) is None or call in message.casefold()


@pytest.mark.parametrize(
    "message",
    ["hello", "let's meet at ten", 'a\nb <c> & "d" \\ /', "größer 会議 😀", "", "mail bob@zo.om", "@all"],
)
@pytest.mark.parametrize("keyword", ["zoom", "", "straße"])
def test_talk_passes(message: str, keyword: str) -> None:
    for random in (None, Random(1)):  # noqa: S311
        assert talk_of(("zoom", "meet"), keyword).is_talk(event(message, random))


def test_what_is_no_post_or_cannot_be_read_at_a_glance_is_no_talk() -> None:
    for text in (
        '{"event":"typing","data":{},"seq":1}',
        '{"event":"posted","seq":1}',
        '{"event":"posted","data":{"post":"no JSON"},"seq":1}',
        '{"event":"posted","data":{"post":"{\\"message\\":\\"of nobody\\"}"},"seq":1}',
        '{"event":"posted","data":{"post":7},"seq":1}',
    ):
        frame = read_frame(text)
        assert isinstance(frame, Event)
        assert not talk_of().is_talk(frame)


def test_a_renaming_holds_from_the_next_post_on() -> None:
    account = OwnAccount(User(id=BOT_ID, username="zoom"))
    talk = requests_of(account, "")
    assert talk.is_talk(event("@meet standup"))
    account.see(User(id=BOT_ID, username="meet", update_at=1))
    assert [talk.is_talk(event(f"@{name} standup")) for name in ("meet", "zoom", "else")] == [
        False,
        False,
        True,
    ]


def test_the_newest_talk_is_told_once() -> None:
    talk = talk_of()
    assert talk.take_newest_talk() == 0
    assert talk.is_talk(event("hello"))
    assert not talk.is_talk(event("@zoom hello"))
    assert [talk.take_newest_talk(), talk.take_newest_talk()] == [7, 0]


async def test_the_cursor_moves_with_talk(world: World) -> None:
    moved = asyncio.Event()
    posts = [await world.mattermost.post("alice", "dev", "talk")]

    def look(cursor: Cursor) -> None:
        if cursor.at >= posts[-1].create_at:
            moved.set()

    store = world.bot.ctx.store
    assert isinstance(store, NotifyingStore)
    store.watch(Cursor, look)
    posts.append(await world.mattermost.post("alice", "dev", "more talk"))
    async with asyncio.timeout(10):
        await moved.wait()
    assert world.bot.listener.catch_ups == 1
