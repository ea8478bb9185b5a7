"""A mention becomes a link."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from bot.sandbox.mattermost import Channel, Post
from tests.conftest import MakeWorld, World
from tests.features.kit import settle


async def nothing_came_of(world: World, *asked: Post) -> None:
    """A help that was asked for later is answered, and all that is ever said is in reply to it."""
    before = {post.id for post in world.mattermost.bot_posts()}
    helped = await world.ask("bob", "dev", "@zoom help")
    await settle(world)
    after = [post for post in world.mattermost.bot_posts() if post.id not in before]
    assert [(post.message, post.props) for post in after] == [(helped.message, helped.props)]
    assert all(world.answers_to(each) == [] for each in asked)
    assert world.zoom.created == []


async def topic(world: World, name: str, channel: str | Channel, message: str) -> str:
    answer = await world.ask(name, channel, message)
    return str(answer.props["meeting_topic"])


# What the answer is


async def test_a_mention_is_answered_with_one_post_that_carries_the_link(world: World) -> None:
    answer = await world.ask("alice", "dev", "@zoom standup")
    meeting = world.zoom.meetings[answer.props["meeting_id"]]
    assert answer.channel_id == world.mattermost.channel("dev").id
    assert meeting.join_url in answer.message
    assert meeting.topic == "standup"
    assert answer.props["meeting_status"] == "WAITING"
    assert answer.props["meeting_uuid"] == meeting.uuid
    assert answer.props["meeting_link"] == meeting.join_url
    assert answer.props["meeting_topic"] == "standup"
    assert answer.props["meeting_creator_username"] == "alice"
    assert answer.props["meeting_provider"] == "Zoom"


async def test_a_meeting_costs_one_call_to_zoom_and_one_to_mattermost(world: World) -> None:
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    world.mattermost.clear_calls()
    await world.answer_to(asked)
    await settle(world)
    assert [(call.method, call.path) for call in world.zoom.calls] == [("POST", "/v2/users/me/meetings")]
    assert [(call.method, call.path) for call in world.mattermost.calls] == [("POST", "/api/v4/posts")]


async def test_one_request_has_one_answer_with_one_card(world: World) -> None:
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    answer = await world.answer_to(asked)
    await settle(world)
    assert world.mattermost.bot_posts() == [answer]
    (card,) = answer.props["attachments"]
    assert answer.props["meeting_link"] in card["fallback"]
    assert card["title_link"] == answer.props["meeting_link"]
    assert isinstance(answer.props["meeting_id"], int)
    assert "meeting_end_time" not in answer.props


async def test_the_bot_may_show_another_name_and_icon(make_world: MakeWorld) -> None:
    world = await make_world(
        mattermost={"override_username": "Zoom", "override_icon_url": "https://x.example/z.png"}
    )
    await world.link("alice")
    answer = await world.ask("alice", "dev", "@zoom standup")
    assert answer.props["override_username"] == "Zoom"
    assert answer.props["override_icon_url"] == "https://x.example/z.png"
    assert answer.props["from_webhook"] == "true"


# Where it is asked


async def test_a_request_in_a_thread_is_answered_in_it(world: World) -> None:
    root = await world.mattermost.post("bob", "dev", "shall we talk?")
    reply = await world.mattermost.post("alice", "dev", "@zoom", root_id=root.id)
    answer = await world.answer_to(reply)
    assert answer.root_id == root.id
    assert answer.props["zoombot_trigger"] == reply.id


async def test_a_request_outside_a_thread_is_not_answered_in_one(world: World) -> None:
    assert (await world.ask("alice", "dev", "@zoom")).root_id == ""


async def test_a_private_channel_is_a_channel_too(world: World) -> None:
    assert await topic(world, "alice", "ops", "@zoom") == "Ops"


async def test_in_a_direct_message_bare_words_are_enough(world: World) -> None:
    direct = world.direct("alice")
    answer = await world.ask("alice", direct, "start retro")
    assert answer.channel_id == direct.id
    assert answer.props["meeting_topic"] == "retro"


async def test_a_meeting_of_a_direct_message_is_called_after_the_person(world: World) -> None:
    assert await topic(world, "alice", world.direct("alice"), "start") == "alice"


async def test_a_direct_message_that_is_no_command_gets_a_short_help(world: World) -> None:
    answer = await world.ask("alice", world.direct("alice"), "good morning")
    assert "`help`" in answer.message
    assert world.zoom.created == []


@pytest.mark.parametrize("words", ["zoom", "Zoom", "@zoom", "@ZOOM:"])
async def test_a_group_message_is_called_after_the_people_in_it_without_the_bot(
    world: World, words: str
) -> None:
    group = world.mattermost.group("alice", "bob", "zoom")
    answer = await world.ask("alice", group, words)
    assert answer.channel_id == group.id
    assert answer.props["meeting_topic"] == "alice, bob"


# What it is called


async def test_without_a_topic_the_channel_s_display_name_is_it(world: World) -> None:
    assert await topic(world, "alice", "town-square", "@zoom") == "Town Square"


async def test_the_default_topic_can_be_another(make_world: MakeWorld) -> None:
    world = await make_world(meetings={"default_topic": "{user} in {channel}"})
    await world.link("bob")
    assert await topic(world, "bob", "dev", "@zoom") == "bob in Dev"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("@zoom standup", "standup"),
        ("@Zoom: standup", "standup"),
        ("@zoom, start Weekly sync", "Weekly sync"),
        ("@zoom START retro", "retro"),
        ("let's talk, @zoom?", "Dev"),
        ("zoom", "Dev"),
        ("zoom start retro", "retro"),
        ("ZOOM Start retro", "retro"),
        ("@zoom one\ntwo\r\nthree", "one two three"),
    ],
)
async def test_every_way_to_ask_for_a_meeting(world: World, message: str, expected: str) -> None:
    answer = await world.ask("alice", "dev", message)
    assert answer.props["meeting_topic"] == expected
    assert world.zoom.meetings[answer.props["meeting_id"]].topic == expected


@pytest.mark.parametrize("blank", ["\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\u180e\u206a"])
async def test_a_topic_that_nobody_can_see_is_none(world: World, blank: str) -> None:
    assert await topic(world, "alice", "dev", f"@zoom start {blank}") == "Dev"


async def test_a_topic_is_cut_to_two_hundred_characters(world: World) -> None:
    assert await topic(world, "alice", "dev", "@zoom " + "x" * 500) == "x" * 200


@pytest.mark.parametrize(
    "message",
    [
        "zoom end of day",
        "zoom is down again",
        "let's zoom",
        "@zoomer hi",
        "@channel come here",
        "@all @here",
        "mail me@zoom.us",
        "`@zoom`",
        "```\n@zoom standup\n```",
        "> @zoom standup",
    ],
)
async def test_talk_is_not_a_request(world: World, message: str) -> None:
    await nothing_came_of(world, await world.mattermost.post("alice", "dev", message))


async def test_the_keyword_can_be_another_or_off(make_world: MakeWorld) -> None:
    world = await make_world(mattermost={"keyword": ""})
    await world.link("alice")
    await nothing_came_of(world, await world.mattermost.post("alice", "dev", "zoom"))


# Who asks


async def test_no_machine_is_answered_and_no_edit(world: World) -> None:
    server = world.mattermost
    robot = server.add_user("robot", is_bot=True)
    server.join(robot, "dev")
    edited = await server.post("alice", "dev", "hello")
    asked = [
        await server.post("zoom", "dev", "@zoom own"),
        await server.post(robot, "dev", "@zoom bot", props={"from_bot": "true"}),
        await server.webhook("dev", "@zoom hook"),
        await server.post("alice", "dev", "@zoom plugin", props={"from_plugin": "true"}),
        await server.post("alice", "dev", "@zoom header", type="system_header_change"),
        await server.edit("alice", edited.id, "@zoom edited"),
    ]
    await nothing_came_of(world, *asked)


async def test_no_machine_is_answered_after_an_absence(world: World) -> None:
    server = world.mattermost
    robot = server.add_user("robot", is_bot=True)
    server.join(robot, "dev")
    await world.stop()
    asked = [
        await server.post("zoom", "dev", "@zoom own"),
        await server.post(robot, "dev", "@zoom bot", props={"from_bot": "true"}),
        await server.webhook("dev", "@zoom hook"),
        await server.post("alice", "dev", "@zoom header", type="system_header_change"),
    ]
    await world.start()
    await nothing_came_of(world, *asked)


async def test_an_edit_during_an_absence_asks_for_nothing(world: World) -> None:
    edited = await world.mattermost.post("alice", "dev", "hello")
    # The cursor passes the post that will be edited.
    await world.ask("bob", "dev", "@zoom help")
    await world.stop()
    await world.mattermost.edit("alice", edited.id, "@zoom edited")
    await world.start()
    await nothing_came_of(world, edited)


async def test_a_post_that_comes_twice_is_one_meeting(world: World) -> None:
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.answer_to(asked)
    await world.bot.listener.catch_up()
    await world.mattermost.drop_sockets()
    await world.mattermost.forget_connections()
    await world.mattermost.wait_for_socket()
    await world.ask("bob", "dev", "@zoom help")
    await settle(world)
    assert len(world.answers_to(asked)) == 1
    assert len(world.zoom.created) == 1


async def test_ten_channels_at_once_are_ten_meetings(world: World) -> None:
    for number in range(10):
        world.mattermost.add_channel(f"c{number}", members=("alice", "zoom"))
    asked = [await world.mattermost.post("alice", f"c{number}", f"@zoom t{number}") for number in range(10)]
    answers = [await world.answer_to(each) for each in asked]
    assert [answer.props["meeting_topic"] for answer in answers] == [f"t{number}" for number in range(10)]
    assert [answer.channel_id for answer in answers] == [each.channel_id for each in asked]
    assert len(world.zoom.created) == 10


# What is shown


ATTACKS = [
    "@all @channel @here @bob",
    "~town-square",
    "](https://evil.example) [click",
    "![x](https://evil.example/pixel.png)",
    "**bold** _it_ ~~no~~ `code` $x$",
    "```\nblock",
    "# head\n- item\n> quote",
    "<b>html</b> <script>alert(1)</script>",
    "https://evil.example www.evil.example mailto:x@evil.example",
    "\u202ereversed\u200b",
    "a\\](https://evil.example)",
    ":smile: #hashtag",
    "| a | b |\n| - | - |",
]


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_topic_stays_inside_its_link(world: World, attack: str) -> None:
    answer = await world.ask("alice", "dev", f"@zoom start {attack}")
    link = answer.props["meeting_link"]
    tokens = MarkdownIt("commonmark", {"html": True}).parse(answer.message)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    inside = tokens[1].children or []
    assert [token.attrs["href"] for token in inside if token.type == "link_open"] == [link]
    assert {token.type for token in inside} <= {"text", "link_open", "link_close", "text_special"}
    for word in ("@all", "@channel", "@here", "@bob", "~town-square", ":smile:", "#hashtag"):
        assert word not in answer.message
    # The card's fallback is plain text, but it, too, must call nobody.
    card = str(answer.props["attachments"])
    assert not any(word in card for word in ("@all", "@channel", "@here", "@bob"))


async def test_zoom_gets_the_topic_as_it_was_written(world: World) -> None:
    answer = await world.ask("alice", "dev", "@zoom start Q&A: *all* [hands]")
    assert world.zoom.meetings[answer.props["meeting_id"]].topic == "Q&A: *all* [hands]"
    assert answer.props["meeting_topic"] == "Q&A: *all* [hands]"


# Asked for too long ago


async def test_what_was_missed_for_a_short_time_is_started_after_all(world: World) -> None:
    await world.stop()
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.start()
    assert (await world.answer_to(asked)).props["meeting_topic"] == "standup"


async def test_what_was_missed_for_long_gets_an_apology_in_private(make_world: MakeWorld) -> None:
    world = await make_world(mattermost={"catch_up_ms": 0})
    await world.link("alice")
    await world.stop()
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.start()
    answer = await world.answer_to(asked)
    assert answer.channel_id == world.direct("alice").id
    assert "I was away" in answer.message
    assert world.zoom.created == []
