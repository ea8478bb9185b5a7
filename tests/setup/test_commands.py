"""The doctor finds a slash command that does not come as the bot takes it."""

from __future__ import annotations

import pytest

from bot.config import Config
from bot.sandbox.mattermost import Mattermost
from bot.setup.check import Level, check
from bot.setup.mattermost import check_mattermost
from bot.web.mattermost import SLASH
from tests.conftest import World
from tests.setup.test_check import changed, of


@pytest.fixture
def slash(config: Config, mattermost: Mattermost) -> Config:
    """A configuration with two commands' tokens, whose bot account may see the commands."""
    mattermost.user("zoom").roles = "system_user system_admin"
    return changed(config, "mattermost", command_token="another,right-token")


def register(config: Config, mattermost: Mattermost, token: str = "right-token", method: str = "P") -> None:
    mattermost.register_command("zoom", f"{config.web.public_url}/command", token=token, method=method)


async def test_a_command_that_leads_to_the_bot_is_right(slash: Config, mattermost: Mattermost) -> None:
    mattermost.register_command("other", "http://127.0.0.1:9/command", method="G")
    register(slash, mattermost)
    assert SLASH in of(await check_mattermost(slash), Level.OK)


async def test_a_token_that_is_not_shown_is_not_called_wrong(slash: Config, mattermost: Mattermost) -> None:
    register(slash, mattermost)
    mattermost.world.commands["zoom"].token = ""
    assert of(await check_mattermost(slash), Level.OK)[SLASH] == "leads to the bot"


@pytest.mark.parametrize(("token", "method", "said"), [("new", "P", "token"), ("right-token", "G", "GET")])
async def test_a_command_with_another_token_or_method_is_wrong(
    slash: Config, mattermost: Mattermost, token: str, method: str, said: str
) -> None:
    register(slash, mattermost, token, method)
    wrong = of(await check_mattermost(slash), Level.WRONG)[SLASH]
    assert wrong.startswith("/zoom of the team ")
    assert said in wrong
    assert "right-token" not in wrong


async def test_a_command_that_is_not_there_is_a_note(slash: Config, mattermost: Mattermost) -> None:
    register(changed(slash, "web", public_url="https://elsewhere.example"), mattermost)
    assert "there is none" in of(await check_mattermost(slash), Level.NOTE)[SLASH]


async def test_answers_under_the_asker_s_name_are_a_note(slash: Config, mattermost: Mattermost) -> None:
    register(slash, mattermost)
    mattermost.world.allow_overrides = False
    assert "EnablePostUsernameOverride" in of(await check_mattermost(slash), Level.NOTE)[SLASH]
    unwanted = changed(slash, "mattermost", command_token="")
    assert SLASH not in of(await check_mattermost(unwanted), Level.NOTE)


async def test_nothing_is_said_where_commands_are_not_shown_or_not_wanted(
    slash: Config, mattermost: Mattermost
) -> None:
    register(slash, mattermost, "new")
    unwanted = changed(slash, "mattermost", command_token="")
    assert all(finding.subject != SLASH for finding in await check_mattermost(unwanted))
    mattermost.user("zoom").roles = "system_user"
    assert all(finding.subject != SLASH for finding in await check_mattermost(slash))


@pytest.mark.parametrize(("token", "method", "said"), [("new", "P", "token"), ("command-token", "G", "GET")])
async def test_what_a_running_bot_refuses_is_found_whatever_its_account_may_see(
    world: World, token: str, method: str, said: str
) -> None:
    config = changed(world.config, "web", admin_port=world.bot.admin_port)
    url = world.bot.ctx.url("/command")
    world.mattermost.register_command("zoom", url, token=token, method=method)
    answer = await world.mattermost.command("alice", "dev", "/zoom standup")
    assert ("GET" in str(answer.get("text"))) == (method == "G")
    assert said in of(await check(config), Level.WRONG)[SLASH]
    assert world.zoom.created == []
    # One that is taken shows that it works again.
    world.mattermost.register_command("zoom", url, token="command-token")
    await world.mattermost.command("alice", "dev", "/zoom help")
    assert SLASH not in of(await check(config), Level.WRONG)


async def test_a_team_s_command_that_works_hides_no_other_team_s(world: World) -> None:
    url, troubles = world.bot.ctx.url("/command"), world.bot.ctx.troubles
    form = {
        "user_id": world.mattermost.user("alice").id,
        "channel_id": world.mattermost.channel("dev").id,
        "text": "help",
    }
    first, second = "a" * 26, "b" * 26
    for team, token in ((first, "new"), (second, "command-token")):
        sent = form | {"team_id": team, "token": token, "trigger_id": team}
        await world.http.post(url, data=sent)
    assert "token" in troubles[SLASH]
    await world.http.post(url, data=form | {"team_id": first, "token": "command-token", "trigger_id": "x"})
    assert SLASH not in troubles


async def test_what_mattermost_does_not_send_is_no_refused_command(world: World) -> None:
    url = world.bot.ctx.url("/command")
    await world.http.get(url)
    await world.http.get(url, params={"token": "x"})
    await world.http.post(url, data={"token": "x", "user_id": "y", "channel_id": "z"})
    assert world.bot.ctx.troubles == {}
