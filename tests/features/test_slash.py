"""``/zoom``: the same words, private answers only for the person."""

from __future__ import annotations

import pytest

from bot.errors import StoreError
from tests.conftest import MakeWorld, World
from tests.features.kit import settle


async def test_a_meeting_is_posted_by_the_bot(world: World) -> None:
    answer = await world.mattermost.command("alice", "dev", "/zoom standup")
    assert not answer.get("text")
    post = (await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("dev")))[0]
    assert post.props["meeting_topic"] == "standup"


async def test_private_answers_are_ephemeral(world: World) -> None:
    await world.mattermost.command("carol", "dev", "/zoom standup")
    await world.mattermost.wait_for(lambda: world.mattermost.ephemerals)
    said = world.mattermost.ephemerals[-1]
    assert said.user_id == world.mattermost.user("carol").id
    assert "/oauth2/connect?state=" in said.text
    assert world.mattermost.bot_posts() == []


@pytest.mark.parametrize(
    "shown",
    [
        {"override_username": "Meetings", "override_icon_url": "https://x.example/z.png"},
        {"override_icon_url": "https://x.example/z.png"},
        {},
    ],
)
async def test_private_answers_show_the_configured_name_and_icon(
    make_world: MakeWorld, shown: dict[str, str]
) -> None:
    world = await make_world(mattermost=shown)
    await world.mattermost.command("alice", "dev", "/zoom help")
    await world.mattermost.wait_for(lambda: world.mattermost.ephemerals)
    said = world.mattermost.ephemerals[-1].post
    own = {"override_username": "zoom", "override_icon_url": picture(world)}
    assert {name: said.props[name] for name in own} == own | shown


def picture(world: World) -> str:
    """Where Mattermost shows the bot account's picture."""
    return f"{world.config.mattermost.url}/api/v4/users/{world.mattermost.user('zoom').id}/image"


async def test_a_later_answer_and_one_of_a_full_store_show_who_speaks_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ask("alice", "dev", "@zoom one")
    await world.mattermost.command("bob", "dev", "/zoom two")
    question = (await world.mattermost.wait_for(lambda: world.mattermost.ephemerals))[-1].post
    await world.mattermost.press("bob", question.id, "existing")
    later = (
        await world.mattermost.wait_for(
            lambda: [each for each in world.mattermost.ephemerals if "Here it is" in each.text]
        )
    )[0].post

    async def full(*args: object) -> bool:
        raise StoreError("the disk is full")

    monkeypatch.setattr(world.bot.ctx.store, "insert", full)
    at_once = await world.mattermost.command("bob", "dev", "/zoom help")
    own = ("zoom", picture(world))
    assert (later.props["override_username"], later.props["override_icon_url"]) == own
    assert (at_once["username"], at_once["icon_url"]) == own
    assert at_once["text"]


async def test_an_answer_shows_the_name_that_the_bot_has_now(world: World) -> None:
    world.mattermost.rename("zoom", "meetings")
    await world.ask("alice", "dev", "@meetings help")
    await world.mattermost.command("alice", "dev", "/zoom help")
    said = (await world.mattermost.wait_for(lambda: world.mattermost.ephemerals))[-1].post
    assert said.props["override_username"] == "meetings"


async def test_a_wrong_token_is_refused_and_the_operator_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    alice, dev = world.mattermost.user("alice").id, world.mattermost.channel("dev").id
    form = {"token": "wrong", "user_id": alice, "channel_id": dev, "text": "standup", "trigger_id": "t"}
    async with world.http.post(world.bot.ctx.url("/command"), data=form) as response:
        assert response.status == 403
    assert "command_token" in caplog.text
    await world.bot.worker.idle()
    assert world.zoom.created == []


@pytest.mark.parametrize("path", ["/command/", "//command"])
async def test_a_slash_too_many_in_its_url_does_no_harm(world: World, path: str) -> None:
    world.mattermost.register_command("zoom", world.bot.ctx.url(path), token="command-token")
    await world.mattermost.command("alice", "dev", "/zoom standup")
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("dev"))


async def test_each_team_s_command_may_have_its_own_token(make_world: MakeWorld) -> None:
    world = await make_world(mattermost={"command_token": "first,second"})
    alice, dev = world.mattermost.user("alice").id, world.mattermost.channel("dev").id
    for token, status in (("first", 200), ("second", 200), ("first,second", 403), ("", 403)):
        form = {"token": token, "user_id": alice, "channel_id": dev, "text": "help", "trigger_id": token}
        async with world.http.post(world.bot.ctx.url("/command"), data=form) as response:
            assert response.status == status


async def test_where_the_bot_is_not_it_says_how_to_invite_it(world: World) -> None:
    world.mattermost.add_channel("quiet", members=("alice",))
    await world.mattermost.command("alice", "quiet", "/zoom standup")
    await world.mattermost.wait_for(lambda: world.mattermost.ephemerals)
    assert "/invite @zoom" in world.mattermost.ephemerals[-1].text
    assert world.zoom.created == []


async def test_buttons_of_an_ephemeral_question_work(world: World) -> None:
    await world.ask("alice", "dev", "@zoom one")
    await world.mattermost.command("bob", "dev", "/zoom two")
    await world.mattermost.wait_for(lambda: world.mattermost.ephemerals)
    said = world.mattermost.ephemerals[-1]
    assert said.post is not None
    # What is no post cannot be updated: Mattermost would answer 404.
    answer = await world.mattermost.press("bob", said.post.id, "new")
    assert "status_code" not in answer
    assert "Start another" in world.mattermost.ephemerals[-1].text
    await world.mattermost.wait_for(lambda: len(world.zoom.created) == 2)


@pytest.mark.parametrize("word", ["new", "existing"])
async def test_whoever_presses_an_ephemeral_question_again_is_told_what_they_chose(
    world: World, word: str
) -> None:
    await world.ask("alice", "dev", "@zoom one")
    await world.mattermost.command("bob", "dev", "/zoom two")
    question = (await world.mattermost.wait_for(lambda: world.mattermost.ephemerals))[-1].post
    await world.mattermost.press("bob", question.id, word)
    await settle(world)
    for _ in range(5):
        await world.mattermost.press("bob", question.id, "new")
    await settle(world)
    chosen = {"new": "Start another", "existing": "Join that one"}[word]
    again = [each for each in world.mattermost.ephemerals if "already answered" in each.text]
    assert {each.text for each in again} == {f"You already answered this. You chose: {chosen}"}
    # What is said below a private answer is hidden where threads are collapsed; a few are said beside it.
    assert [each.post.root_id for each in again].count("") == 3
    assert len(world.zoom.created) == (2 if word == "new" else 1)


async def test_whoever_presses_an_ephemeral_question_too_late_is_told(world: World) -> None:
    await world.ask("alice", "dev", "@zoom one")
    await world.mattermost.command("bob", "dev", "/zoom two")
    question = (await world.mattermost.wait_for(lambda: world.mattermost.ephemerals))[-1].post
    world.zoom.clock.advance(11 * 60)
    await world.mattermost.press("bob", question.id, "new")
    await settle(world)
    late = [each for each in world.mattermost.ephemerals if "has expired" in each.text]
    assert "" in [each.post.root_id for each in late]


async def test_settings_open_a_dialog_whose_answer_is_kept(world: World) -> None:
    await world.mattermost.command("alice", "dev", "/zoom settings")
    dialog = (await world.mattermost.wait_for(lambda: world.mattermost.dialogs))[0]
    answer = await world.mattermost.submit("alice", dialog, {"answer": "always"})
    assert not answer.get("error")
    await world.mattermost.wait_for(lambda: world.mattermost.ephemerals)
    assert "personal room" in world.mattermost.ephemerals[-1].text
    room = await world.ask("alice", "dev", "@zoom talk")
    assert room.props["meeting_id"] == world.zoom.user("alice@demo.example").pmi


async def test_a_forged_dialog_is_refused(world: World) -> None:
    alice = world.mattermost.user("alice").id
    url = world.bot.ctx.url("/dialog")
    for body in ({}, {"user_id": alice, "state": "x", "submission": {"answer": "always"}}):
        async with world.http.post(url, json=body) as response:
            assert response.status == 403


async def test_what_is_no_form_is_refused(world: World) -> None:
    url = world.bot.ctx.url("/command")
    for body, kind in (
        (b"\xff", "application/x-www-form-urlencoded"),
        (b"--", "multipart/form-data"),
        (b"{}", "application/json"),
    ):
        async with world.http.post(url, data=body, headers={"Content-Type": kind}) as response:
            assert response.status == 403
