"""The word of a command with something else behind it: asked back, and started only when that was meant."""

from __future__ import annotations

import re

import pytest

from bot.sandbox.mattermost import Post
from tests.conftest import World
from tests.features.kit import ask, direct, settle, told


async def asked_back(world: World, words: str) -> Post:
    """The private question to bob."""
    (question,) = await ask(world, "bob", "dev", words)
    assert question.channel_id == world.direct("bob").id
    assert world.zoom.created == []
    assert world.mattermost.bot_posts("dev") == []
    return question


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        ("join tomorrow", "`join https://…`"),
        ("channel restrct", "`channel restrict`"),
        ("subscribe weekly", "`subscribe 123 4567 8901`"),
        ("settings pmi perhaps", "`settings pmi always`"),
        ("Unsubscribe from the newsletter", "`unsubscribe 123 4567 8901`"),
    ],
)
async def test_nothing_is_made_until_it_is_confirmed(trio: World, words: str, usage: str) -> None:
    question = await asked_back(trio, f"@zoom {words}")
    assert usage in question.message
    assert f"`start {words}`" in question.message
    await trio.mattermost.press("bob", question.id, "anyway")
    await settle(trio)
    (post,) = trio.mattermost.bot_posts("dev")
    assert post.props["meeting_topic"] == words
    assert post.props["zoombot_trigger"] == question.props["zoombot_trigger"]
    await trio.shows(question, lambda now: now.message == "You chose: Start it anyway")


@pytest.mark.parametrize("words", ["start join tomorrow", "START Join Tomorrow", "anyway", "`anyway`!"])
async def test_the_word_starts_it_where_it_was_asked_for(trio: World, words: str) -> None:
    await asked_back(trio, "@zoom join tomorrow")
    await trio.mattermost.post("bob", trio.direct("bob"), words)
    await trio.mattermost.wait_for(lambda: trio.mattermost.bot_posts("dev"))
    await settle(trio)
    (post,) = trio.mattermost.bot_posts("dev")
    assert post.props["meeting_topic"] == "join tomorrow"
    assert len(trio.zoom.created) == 1


@pytest.mark.parametrize(
    "words",
    ["join tomorrow\nfor  lunch", "join " + "us all " * 60, "Join: tomorrow?", "join \u202egnp\u202c"],
)
async def test_the_words_that_the_question_names_start_it(trio: World, words: str) -> None:
    question = await asked_back(trio, f"@zoom {words}")
    (named,) = re.findall(r"write `(start .*?)`", question.message)
    # What is shown as code has single spaces.
    await trio.mattermost.post("bob", trio.direct("bob"), " ".join(named.split()))
    await trio.mattermost.wait_for(lambda: trio.mattermost.bot_posts("dev"))
    await settle(trio)
    assert len(trio.zoom.created) == 1


async def test_another_topic_in_a_direct_message_is_a_meeting_there(trio: World) -> None:
    await asked_back(trio, "@zoom join tomorrow")
    post = await trio.ask("bob", trio.direct("bob"), "start join today")
    assert post.props["meeting_topic"] == "join today"
    assert trio.mattermost.bot_posts("dev") == []


@pytest.mark.parametrize("words", ["end of quarter", "help desk sync", "connect four", "version 2 launch"])
async def test_what_takes_nothing_is_the_beginning_of_a_topic(trio: World, words: str) -> None:
    post = await trio.ask("bob", "dev", f"@zoom {words}")
    assert post.props["meeting_topic"] == words


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ("join", "Which meeting?"),
        ("join :", "Which meeting?"),
        ("channel!", "What should hold here?"),
        ("subscribe", "Which meeting?"),
    ],
)
async def test_a_command_that_lacks_something_asks_for_it(trio: World, words: str, asks: str) -> None:
    assert (await told(trio, "bob", "dev", f"@zoom {words}")).startswith(asks)


async def test_a_topic_as_long_as_a_post_is_asked_about_in_short(trio: World) -> None:
    question = await asked_back(trio, f"@zoom join {'@all ' * 3000}")
    assert len(question.message) < 1500
    assert "@all" not in question.message.replace("`", "").split("write", 1)[0]
    assert direct(trio, "mallory") == []
