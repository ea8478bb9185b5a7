"""``/zoom``: the same words, private answers only for the person."""

from __future__ import annotations

import pytest

from tests.conftest import MakeWorld, World


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
    assert {name: said.props[name] for name in shown} == shown
    (sent,) = [call.json for call in world.mattermost.calls if "/hooks/commands/" in call.path]
    assert {"username", "icon_url"} & set(sent) == {name.removeprefix("override_") for name in shown}


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
