"""The doctor's look at the slash command."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

import msgspec

from bot.config import Config
from bot.errors import MattermostDeniedError, MattermostError
from bot.mattermost.rest import Rest
from bot.setup.findings import Finding, note, ok, wrong
from bot.web.mattermost import SLASH


class _Team(msgspec.Struct):
    id: str
    name: str


class _Command(msgspec.Struct):
    trigger: str
    url: str = ""
    # "P" or "G".
    method: str = "P"
    token: str = ""

    def __repr__(self) -> str:
        return f"_Command({self.trigger!r})"


async def check_command(config: Config, rest: Rest) -> list[Finding]:
    """Whether the slash commands that lead to this bot come as it takes them. Only an account that may change
    slash commands sees them; nothing is said of another, since a bot does not need that."""
    if not config.mattermost.command_token:
        return []
    try:
        teams = msgspec.json.decode(await rest.get("/users/me/teams"), type=list[_Team])
        seen = [(team, each) for team in teams for each in await _commands(config, rest, team)]
    except MattermostDeniedError:
        return []
    except (MattermostError, msgspec.MsgspecError) as error:
        return [note(SLASH, f"cannot be looked at: {error}")]
    if not seen:
        url = f"{config.web.public_url}/command"
        return [note(SLASH, f"there is none with the URL {url} in the bot's teams: {_FIX}")]
    found = [fault for team, each in seen for fault in _faults(config, team, each)]
    known = ", with a token that it knows" if all(each.token for _, each in seen) else ""
    return found or [ok(SLASH, f"leads to the bot{known}")]


_FIX = "make it as docs/mattermost-setup.md says"


async def _commands(config: Config, rest: Rest, team: _Team) -> list[_Command]:
    body = await rest.get("/commands", params={"team_id": team.id, "custom_only": "true"})
    url = f"{config.web.public_url}/command"
    commands = msgspec.json.decode(body, type=list[_Command])
    return [each for each in commands if each.url.partition("?")[0].rstrip("/") == url]


def _faults(config: Config, team: _Team, command: _Command) -> Iterator[Finding]:
    name = f"/{command.trigger} of the team {team.name}"
    if command.method != "P":
        yield wrong(SLASH, f"{name} has the request method GET: set it to POST")
    known = config.mattermost.command_token.split(",")
    # A server may keep its tokens to itself.
    if command.token and True not in [
        hmac.compare_digest(each.encode(), command.token.encode()) for each in known
    ]:
        yield wrong(SLASH, f"{name} has a token that is not in mattermost.command_token: copy it there")
