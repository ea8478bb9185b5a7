"""What is asked before a meeting starts, by button and in words, and who may answer."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from bot.core.context import Job
from bot.domain.grammar import Request
from bot.domain.records import Notice
from bot.features.questions import take_words
from bot.runtime.worker import RetryPolicy
from bot.sandbox.mattermost import Post
from bot.stores import Insert, Put
from tests.conftest import MakeWorld, World
from tests.features.kit import settle, told


def buttons(post: Post) -> dict[str, dict[str, Any]]:
    return {action["id"]: action for action in post.props["attachments"][0].get("actions", [])}


async def two(make_world: MakeWorld, **sections: dict[str, Any]) -> World:
    world = await make_world(**sections)
    await world.link("alice")
    await world.link("bob")
    return world


async def test_ten_people_at_once_get_one_meeting_and_nine_questions(make_world: MakeWorld) -> None:
    world = await two(make_world)
    names = ["alice", "bob"] * 5
    asked = await asyncio.gather(*(world.mattermost.post(name, "dev", "@zoom now") for name in names))
    answers = [await world.answer_to(post) for post in asked]
    await world.bot.worker.idle()
    assert len(world.zoom.created) == 1
    assert sum("meeting_id" in answer.props for answer in answers) == 1
    assert (
        sum(
            set(buttons(answer)) == {"existing", "new"}
            for answer in answers
            if "meeting_id" not in answer.props
        )
        == 9
    )
    assert all(len(world.answers_to(post)) == 1 for post in asked)


async def test_a_question_names_its_channel_and_whose_meeting_is_there(make_world: MakeWorld) -> None:
    world = await two(make_world)
    world.mattermost.join("bob", "ops")
    world.mattermost.join("zoom", "ops")
    direct = world.direct("alice")
    for channel in ("dev", "ops", direct):
        first = await world.ask("alice", channel, "@zoom one" if channel != direct else "start one")
        url = first.props["meeting_link"]
        own = await world.ask("alice", channel, "@zoom two" if channel != direct else "start two")
        place = {"dev": "in **Dev**", "ops": "in **Ops**"}.get(str(channel), "here")
        assert own.message.splitlines() == [
            f"You have just started a meeting {place}: [one]({url}). Join that one, or start another?",
            "Press a button, or write `existing` or `new` to me.",
        ]
        (card,) = own.props["attachments"]
        assert (card["title"], card["title_link"]) == ("Join “one”?", url)
        if channel != direct:
            other = await world.ask("bob", channel, "@zoom two")
            assert other.message.startswith(f"alice has just started a meeting {place}: [one]({url})")


@pytest.mark.parametrize(
    ("message", "words"),
    [("@zoom join me", "shared a meeting"), ("@zoom webinar town hall", "started a webinar")],
)
async def test_a_question_says_who_did_what(make_world: MakeWorld, message: str, words: str) -> None:
    world = await two(make_world)
    world.zoom.user("alice@demo.example").webinar = True
    await world.ask("alice", "dev", message)
    question = await world.ask("bob", "dev", "@zoom two")
    assert question.message.startswith(f"alice has just {words} in **Dev**: ")


async def test_another_meeting_is_started_by_the_button_and_carries_the_first_request(
    make_world: MakeWorld,
) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    second = await world.mattermost.post("bob", "dev", "@zoom two")
    question = await world.answer_to(second)
    assert question.channel_id == world.direct("bob").id
    await world.mattermost.press("bob", question.id, "new")
    meeting = (
        await world.mattermost.wait_for(
            lambda: [p for p in world.answers_to(second) if "meeting_id" in p.props]
        )
    )[0]
    assert meeting.props["meeting_topic"] == "two"
    assert meeting.channel_id == world.mattermost.channel("dev").id
    shown = await world.shows(question, lambda post: not post.props.get("attachments"))
    assert "Start another" in shown.message


async def test_a_question_is_answered_once_even_by_button_and_words(make_world: MakeWorld) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    second = await world.mattermost.post("bob", "dev", "@zoom two")
    question = await world.answer_to(second)
    # Until the buttons are taken away they can be pressed.
    world.mattermost.faults.add(status=503, times=-1, method="PUT", path=rf"/posts/{question.id}/patch$")
    await world.mattermost.post("bob", world.direct("bob"), "new")
    await world.mattermost.wait_for(lambda: len(world.zoom.created) == 2)
    answer = await world.mattermost.press("bob", question.id, "new")
    await world.bot.worker.idle()
    world.mattermost.faults.clear()
    await world.shows(question, lambda post: not post.props["attachments"])
    assert "already" in str(answer) or any("already" in each.text for each in world.mattermost.ephemerals)
    assert len(world.zoom.created) == 2


@pytest.mark.parametrize("how", ["@zoom new", "@zoom NEW!", "/zoom new"])
async def test_a_question_is_answered_in_words_also_where_it_was_asked(
    make_world: MakeWorld, how: str
) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    second = await world.mattermost.post("bob", "dev", "@zoom two")
    await world.answer_to(second)
    if how.startswith("/"):
        await world.mattermost.command("bob", "dev", how)
    else:
        await world.mattermost.post("bob", "dev", how)
    found = await world.mattermost.wait_for(
        lambda: [post for post in world.answers_to(second) if "meeting_id" in post.props]
    )
    assert found[0].props["meeting_topic"] == "two"
    await settle(world)
    assert len(world.answers_to(second)) == 2
    assert len(world.zoom.created) == 2
    assert world.mattermost.ephemerals == []


async def test_the_word_of_an_answer_is_a_topic_where_nothing_was_asked(make_world: MakeWorld) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    asked = await world.mattermost.post("bob", "dev", "@zoom two")
    await world.answer_to(asked)
    assert (await world.ask("bob", "town-square", "@zoom new")).props["meeting_topic"] == "new"
    assert (await world.ask("alice", "ops", "@zoom new")).props["meeting_topic"] == "new"
    assert (await world.ask("bob", world.direct("bob"), "start personal")).props[
        "meeting_topic"
    ] == "personal"
    assert len(world.answers_to(asked)) == 1


async def test_an_answer_that_was_interrupted_does_not_become_a_topic(make_world: MakeWorld) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    await world.answer_to(await world.mattermost.post("bob", "dev", "@zoom two"))
    request = Request(
        command="start",
        argument="new",
        user_id=world.mattermost.user("bob").id,
        user_name="bob",
        channel_id=world.mattermost.channel("dev").id,
        channel_type="O",
        asked_at=world.bot.ctx.now(),
    )
    ctx = world.bot.ctx
    for retried in (False, True):
        # The first attempt is interrupted before anything of it is written.
        changes = await ctx.requests.respond(ctx, Job("post:x", retried=retried), request)
    await ctx.store.commit(*changes)
    await settle(world)
    assert [world.zoom.meetings[number].topic for number in world.zoom.created] == ["one", "two"]


async def test_an_answer_in_words_that_was_interrupted_is_taken_once(make_world: MakeWorld) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    await world.answer_to(await world.mattermost.post("bob", "dev", "@zoom two"))
    bob, direct = world.mattermost.user("bob").id, world.direct("bob").id
    request = Request(command="answer", argument="new", user_id=bob, channel_id=direct, channel_type="D")
    ctx = world.bot.ctx
    before, after = [
        list(await take_words(ctx, Job("post:x", retried=again), request)) for again in (False, True)
    ]
    # Both attempts want the same; written twice it is done once.
    assert [type(each) for each in (*before, *after)] == [Insert, Insert]
    await ctx.store.commit(*before, *after)
    (notice,) = await take_words(ctx, Job("post:y"), request)
    assert isinstance(notice, Put)
    assert isinstance(notice.record, Notice)
    await settle(world)
    assert len(world.zoom.created) == 2


async def test_an_answer_that_fails_for_good_is_told_of_and_leaves_no_meeting(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await make_world(start=False)
    world.timings = dataclasses.replace(world.timings, retry_policy=RetryPolicy(pauses_s=()))
    zoom = (await world.start()).ctx.zoom
    world.zoom.lists_waiting = True
    await world.link("alice")
    kept, _ = await world.meeting()
    asked = await world.mattermost.post("alice", "dev", "@zoom another")
    question = await world.answer_to(asked)
    create = zoom.create_meeting

    async def create_and_fail(*args: Any, **named: Any) -> None:
        await create(*args, **named)
        raise LookupError("a bug")

    monkeypatch.setattr(zoom, "create_meeting", create_and_fail)
    await world.mattermost.press("alice", question.id, "new")
    (said,) = await world.mattermost.wait_for(
        lambda: [post for post in world.answers_to(asked) if "Something went wrong" in post.message]
    )
    await settle(world)
    assert said.channel_id == world.direct("alice").id
    assert len(world.zoom.created) == 2
    assert list(world.zoom.meetings) == [kept.props["meeting_id"]]


async def test_an_answer_in_words_takes_the_buttons_away_as_a_press_does(make_world: MakeWorld) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    pressed = await world.ask("bob", "dev", "@zoom two")
    await world.mattermost.press("bob", pressed.id, "existing")
    pressed = await world.shows(pressed, lambda post: not post.props.get("attachments"))
    written = await world.ask("bob", "dev", "@zoom three")
    await world.mattermost.post("bob", world.direct("bob"), "existing")
    after = await world.shows(written, lambda post: not post.props.get("attachments"))
    await settle(world)
    assert after.message == pressed.message == "You chose: Join that one"
    for post, now in ((pressed, pressed), (written, after)):
        assert now.props["zoombot_id"] == post.props["zoombot_id"]
        assert now.props["zoombot_trigger"] == post.props["zoombot_trigger"]
        assert now.props["from_bot"] == "true"
    assert len(world.mattermost.bot_posts(world.direct("bob"))) == 4


async def test_an_answer_that_overtakes_its_question_takes_the_buttons_away(make_world: MakeWorld) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    fault = world.mattermost.faults.add(status=503, times=-1, method="POST", path=r"/posts$")
    asked = await world.mattermost.post("bob", "dev", "@zoom two")
    await world.mattermost.wait_for(lambda: fault.hits)
    await world.mattermost.post("bob", world.direct("bob"), "existing")
    await world.bot.worker.idle()
    world.mattermost.faults.clear()
    await world.mattermost.wait_for(lambda: len(world.answers_to(asked)) == 2)
    await settle(world)
    said = sorted(post.message.split(":")[0] for post in world.answers_to(asked))
    assert said == ["Here it is", "You chose"]
    assert not any(post.props.get("attachments") for post in world.answers_to(asked))


async def test_join_that_one_shows_the_link_and_starts_nothing(make_world: MakeWorld) -> None:
    world = await two(make_world)
    first = await world.ask("alice", "dev", "@zoom one")
    second = await world.mattermost.post("bob", "dev", "@zoom two")
    question = await world.answer_to(second)
    await world.mattermost.press("bob", question.id, "existing")
    await world.mattermost.wait_for(lambda: len(world.answers_to(second)) == 2)
    said = next(post for post in world.answers_to(second) if post.id != question.id)
    assert first.props["meeting_link"] in said.message
    assert len(world.zoom.created) == 1


async def test_what_was_shared_counts_as_posted(make_world: MakeWorld) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom join me")
    question = await world.answer_to(await world.mattermost.post("bob", "dev", "@zoom two"))
    assert set(buttons(question)) == {"existing", "new"}


@pytest.mark.parametrize("word", ["new", "existing"])
async def test_who_left_the_channel_gets_nothing_out_of_it(make_world: MakeWorld, word: str) -> None:
    world = await two(make_world)
    first = await world.ask("alice", "dev", "@zoom one")
    asked = await world.mattermost.post("bob", "dev", "@zoom two")
    question = await world.answer_to(asked)
    world.mattermost.leave("bob", "dev")
    await world.mattermost.press("bob", question.id, word)
    await world.mattermost.wait_for(lambda: len(world.answers_to(asked)) == 2)
    said = next(post for post in world.answers_to(asked) if post.id != question.id)
    assert said.channel_id == world.direct("bob").id
    assert "no longer in that channel" in said.message
    assert first.props["meeting_link"] not in said.message
    assert len(world.zoom.created) == 1


async def test_a_meeting_that_ended_stands_in_nobodys_way(make_world: MakeWorld) -> None:
    world = await two(make_world)
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.zoom.end(meeting.id)
    await world.shows(post, lambda each: each.props["meeting_status"] == "ENDED")
    again = await world.ask("bob", "dev", "@zoom again")
    assert "meeting_id" in again.props


async def test_a_post_that_looks_like_a_meeting_counts_for_nothing(make_world: MakeWorld) -> None:
    world = await two(make_world)
    fake = {"meeting_provider": "Zoom", "meeting_link": "https://evil.example", "meeting_status": "WAITING"}
    await world.mattermost.post("bob", "dev", "a meeting", props=fake)
    assert "meeting_id" in (await world.ask("alice", "dev", "@zoom real")).props


async def test_a_forged_callback_is_refused_and_a_strangers_press_is_told_so(make_world: MakeWorld) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    question = await world.answer_to(await world.mattermost.post("bob", "dev", "@zoom two"))
    # People never see a button's context: here it is read from what the bot sent.
    sent = next(
        call.json["props"]
        for call in world.mattermost.calls
        if call.method == "POST" and isinstance(call.json, dict)
        if call.json.get("props", {}).get("zoombot_id") == question.props["zoombot_id"]
    )
    actions = {action["id"]: action for action in sent["attachments"][0]["actions"]}
    integration = actions["new"]["integration"]
    bob, carol = world.mattermost.user("bob").id, world.mattermost.user("carol").id

    async def call(**body: Any) -> tuple[int, str]:
        async with world.http.post(integration["url"], json=body) as response:
            return response.status, await response.text()

    genuine = integration["context"]
    assert (await call(user_id=bob, post_id=question.id, context={"token": "x"}))[0] == 403
    assert (await call(user_id=bob, post_id=question.id, context={}))[0] == 403
    assert (await call(user_id=bob, post_id="p" * 26, context=genuine))[0] == 403
    status, text = await call(user_id=carol, post_id=question.id, context=genuine)
    assert status == 200
    assert "someone else" in text
    await world.bot.worker.idle()
    assert len(world.zoom.created) == 1


async def test_a_large_channel_is_asked_about_first(make_world: MakeWorld) -> None:
    world = await two(make_world, meetings={"confirm_above": 2})
    asked = await world.mattermost.post("alice", "dev", "@zoom all hands")
    question = await world.answer_to(asked)
    assert set(buttons(question)) == {"yes", "no"}
    assert "people are in **Dev**" in question.message
    await world.mattermost.press("alice", question.id, "yes")
    await world.mattermost.wait_for(lambda: [p for p in world.answers_to(asked) if "meeting_id" in p.props])


async def test_the_personal_room_is_used_once_or_always_as_the_person_says(make_world: MakeWorld) -> None:
    world = await two(make_world, meetings={"personal_meeting_room": "ask", "duplicate_window_ms": 0})
    pmi = world.zoom.user("alice@demo.example").pmi
    asked = await world.mattermost.post("alice", "dev", "@zoom talk")
    question = await world.answer_to(asked)
    await world.mattermost.press("alice", question.id, "personal")
    first = (
        await world.mattermost.wait_for(
            lambda: [p for p in world.answers_to(asked) if "meeting_id" in p.props]
        )
    )[0]
    assert first.props["meeting_id"] == pmi
    second = await world.ask("alice", "dev", "@zoom talk")
    assert set(buttons(second)) == {"personal", "unique"}
    assert second.message.startswith("Should your meeting in **Dev** ")
    await world.ask("alice", world.direct("alice"), "settings pmi always")
    third = await world.ask("alice", "dev", "@zoom talk")
    assert third.props["meeting_id"] == pmi


async def test_settings_are_changed_by_a_button(make_world: MakeWorld) -> None:
    world = await two(make_world)
    asked = await world.mattermost.post("alice", world.direct("alice"), "settings")
    shown = await world.answer_to(asked)
    assert [action["name"] for action in buttons(shown).values()] == [
        "Personal room",
        "A new ID each time",
        "Ask each time",
    ]
    await world.mattermost.press("alice", shown.id, "always")
    await world.mattermost.wait_for(lambda: len(world.answers_to(asked)) == 2)
    room = await world.ask("alice", "dev", "@zoom talk")
    assert room.props["meeting_id"] == world.zoom.user("alice@demo.example").pmi


async def test_a_room_that_is_off_at_zoom_gives_a_unique_meeting_and_says_how_to_enable_it(
    make_world: MakeWorld,
) -> None:
    world = await two(make_world, meetings={"personal_meeting_room": "always"})
    world.zoom.user("alice@demo.example").pmi_enabled = False
    asked = await world.mattermost.post("alice", "dev", "@zoom talk")
    await world.mattermost.wait_for(lambda: len(world.answers_to(asked)) == 2)
    told = next(post for post in world.answers_to(asked) if "meeting_id" not in post.props)
    assert told.channel_id == world.direct("alice").id
    assert "Personal Meeting ID" in told.message
    assert f"{world.zoom.url}/profile/setting" in told.message


async def test_a_room_announced_in_two_channels_ends_in_both_and_stays_private_later(
    make_world: MakeWorld,
) -> None:
    world = await two(make_world, meetings={"personal_meeting_room": "always"})
    one = await world.ask("alice", "dev", "@zoom talk")
    two_ = await world.ask("alice", "town-square", "@zoom talk")
    pmi = one.props["meeting_id"]
    await world.zoom.start(pmi)
    for post in (one, two_):
        await world.shows(post, lambda each: each.props["meeting_status"] == "STARTED")
    await world.zoom.end(pmi)
    for post in (one, two_):
        await world.shows(post, lambda each: each.props["meeting_status"] == "ENDED")
    await world.zoom.start(pmi)
    await world.bot.worker.idle()
    await world.bot.publisher.idle()
    assert all(
        post.props["meeting_status"] == "ENDED"
        for post in world.mattermost.bot_posts()
        if "meeting_id" in post.props
    )


async def test_a_late_press_takes_the_buttons_away(make_world: MakeWorld) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    question = await world.ask("bob", "dev", "@zoom two")
    world.zoom.clock.advance(11 * 60)
    await world.mattermost.press("bob", question.id, "new")
    after = await world.shows(question, lambda post: not post.props.get("attachments"))
    assert after.message.startswith("This question has expired.")
    assert after.props["zoombot_trigger"] == question.props["zoombot_trigger"]
    assert after.props["zoombot_id"] == question.props["zoombot_id"]
    assert len(world.zoom.created) == 1


async def test_a_press_long_after_the_question_was_deleted_takes_the_buttons_away(
    make_world: MakeWorld,
) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    question = await world.ask("bob", "dev", "@zoom two")
    await told(world, "bob", world.direct("bob"), "disconnect")
    await world.mattermost.press("bob", question.id, "new")
    after = await world.shows(question, lambda post: not post.props.get("attachments"))
    assert after.message.startswith("This question has expired.")
    assert after.props["zoombot_trigger"] == question.props["zoombot_trigger"]
    assert after.props["zoombot_id"] == question.props["zoombot_id"]


async def test_a_private_question_that_was_deleted_is_said_to_have_expired(make_world: MakeWorld) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    await world.mattermost.command("bob", "dev", "/zoom two")
    question = (await world.mattermost.wait_for(lambda: world.mattermost.ephemerals))[-1].post
    await told(world, "bob", world.direct("bob"), "disconnect")
    await world.mattermost.press("bob", question.id, "new")
    assert "This question has expired." in world.mattermost.ephemerals[-1].text


@pytest.mark.parametrize(("limit", "asks"), [(2, False), (1, True)])
async def test_people_are_counted_without_the_bot(make_world: MakeWorld, limit: int, asks: bool) -> None:
    world = await two(make_world, meetings={"confirm_above": limit})
    world.mattermost.add_channel("small", members=("alice", "bob", "zoom"))
    answer = await world.ask("alice", "small", "@zoom one")
    assert ("meeting_id" not in answer.props) == asks
    assert not asks or answer.message.startswith("2 people are in **")


async def test_a_group_s_people_are_counted_without_the_bot(make_world: MakeWorld) -> None:
    world = await two(make_world, meetings={"confirm_above": 1})
    answer = await world.ask("alice", world.mattermost.group("alice", "bob", "zoom"), "@zoom one")
    assert answer.message.startswith("2 people are in **")


@pytest.mark.parametrize(
    ("asked", "word"), [("@zoom two", "new"), ("@zoom join tomorrow", "start join tomorrow")]
)
async def test_where_no_button_reaches_the_bot_a_question_has_none(
    make_world: MakeWorld, asked: str, word: str
) -> None:
    world = await two(make_world)
    await world.ask("alice", "dev", "@zoom one")
    # Mattermost is on another machine, and the bot is on this one only.
    elsewhere = dataclasses.replace(world.config.mattermost, url="https://chat.example.com")
    object.__setattr__(world.bot.ctx, "config", dataclasses.replace(world.config, mattermost=elsewhere))
    question = await world.ask("bob", "dev", asked)
    assert "button" not in question.message
    assert f"`{word}`" in question.message
    assert "actions" not in question.props["attachments"][0]
    assert question.props["attachments"][0]["title"]
    if word == "new":
        await world.mattermost.post("bob", world.direct("bob"), word)
        await world.mattermost.wait_for(lambda: len(world.zoom.created) == 2)
