"""Nothing secret, and nothing that people wrote, gets into the log; not even at level debug."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator

import pytest
from yarl import URL

from bot.log import configure
from tests.conftest import MakeWorld, World
from tests.features.kit import settle
from tests.features.test_connect import answered, invited, link_in, linked, signed_in

TOPIC = "salary-of-the-director"
WORDS = "what-nobody-else-may-read"


@pytest.fixture(params=["text", "json"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """The log, as an operator who turned everything on sees it."""
    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict}
    stream = io.StringIO()
    configure("debug", request.param, stream)
    yield stream
    logging.captureWarnings(False)
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for name in logging.root.manager.loggerDict:
        logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


def secrets_of(world: World) -> set[str]:
    """Everything that is worth stealing by now."""
    zoom, config = world.zoom, world.config
    found = {
        world.mattermost.bot_token,
        zoom.client_secret,
        zoom.webhook_secret,
        config.web.url_secret,
        config.mattermost.command_token,
        *config.store.encryption_keys,
        *zoom.revoked,
        *zoom.accounts._codes,
    }
    for grant in zoom.accounts.grants:
        found |= {grant.refresh_token, *grant.access}
    for meeting in zoom.meetings.values():
        found |= {meeting.password, str(URL(meeting.join_url).query.get("pwd", "")), meeting.start_url}
    return {secret for secret in found if secret}


def check(log: io.StringIO, secrets: set[str]) -> None:
    written = log.getvalue()
    assert "account linked" in written
    for secret in secrets | {TOPIC, WORDS}:
        assert secret not in written


async def test_the_whole_way_leaves_no_secret_and_no_words_in_the_log(
    make_world: MakeWorld, log: io.StringIO
) -> None:
    world = await make_world(meetings={"duplicate_window_ms": 0})
    server, secrets = world.mattermost, set[str]()

    def note(url: str) -> str:
        secrets.add(URL(url).query["state"])
        return url

    # Asked, linked, started.
    asked = await server.post("carol", "dev", f"@zoom {TOPIC}")
    question = await signed_in(world, note(link_in(await world.answer_to(asked))))
    secrets.add(question.fields["confirm"])
    await answered(world, question)
    await server.wait_for(lambda: server.bot_posts("dev"))
    post = server.bot_posts("dev")[0]
    # Talk that is none of the bot's business, and nonsense in a direct message.
    await server.post("bob", "dev", WORDS)
    await world.ask("bob", world.direct("bob"), WORDS)
    # Live, over, in a wrong order, and refused.
    number = post.props["meeting_id"]
    await world.zoom.start(number)
    await world.zoom.join(number, WORDS, "guest@demo.example")
    await world.zoom.end(number)
    await world.shows(post, lambda now: now.props["meeting_status"] == "ENDED")
    await world.zoom.deliver("meeting.ended", {"object": {"topic": TOPIC}}, secret="wrong")
    await world.zoom.deliver("meeting.ended", {}, raw=f'{{"topic": "{TOPIC}"'.encode())
    await world.zoom.validate_url()
    # Refreshed, refused, away, back.
    secrets |= secrets_of(world)
    world.zoom.expire_tokens()
    await world.ask("carol", "dev", f"@zoom {TOPIC}")
    world.zoom.missing_scopes(None, "meeting:write:meeting")
    await world.ask("carol", "dev", f"@zoom {TOPIC}")
    world.zoom.missing_scopes(None)
    world.zoom.faults.add(503, method="POST", path="/meetings$")
    server.faults.add(503, method="POST", path=r"/posts$")
    await world.ask("carol", "dev", f"@zoom {TOPIC}")
    secrets |= secrets_of(world)
    # Somebody else, wrongly; then away.
    url = note(await invited(world, "bob"))
    back = URL(url).with_path("/oauth2/complete").update_query(code="stolen-code-of-bob")
    async with world.http.get(back) as response:
        assert response.status == 200
    await world.ask("carol", world.direct("carol"), "disconnect")
    await settle(world)
    secrets |= secrets_of(world) | {"stolen-code-of-bob"}
    await world.stop()
    check(log, secrets)


async def test_an_error_in_a_handler_leaves_no_secret_in_the_log(
    make_world: MakeWorld, log: io.StringIO
) -> None:
    world = await make_world()
    await linked(world, await invited(world))
    # Answers that are none, for everything that is asked of either side.
    for garbage in ('{"id": "' + WORDS, {"access_token": WORDS}, WORDS):
        world.zoom.faults.add(201, method="POST", path="/meetings$", body=garbage)
        world.zoom.faults.add(400, method="POST", path="/meetings$", body={"code": 300, "message": "no"})
        await world.ask("carol", world.direct("carol"), f"start {TOPIC}")
    world.zoom.expire_tokens()
    world.zoom.faults.add(200, path="/oauth/token", body={"access_token": WORDS, "expires_in": "soon"})
    await world.ask("carol", world.direct("carol"), f"start {TOPIC}")
    secrets = secrets_of(world)
    await world.stop()
    check(log, secrets)


async def test_what_is_shown_of_the_settings_holds_no_secret(make_world: MakeWorld) -> None:
    world = await make_world()
    await linked(world, await invited(world))
    ctx = world.bot.ctx
    shown = repr([world.config, ctx, ctx.vault, ctx.oauth, ctx.tokens, ctx.zoom, ctx.mattermost])
    for secret in secrets_of(world):
        assert secret not in shown


async def test_a_request_that_is_none_leaves_no_secret_in_the_log(
    log: io.StringIO, make_world: MakeWorld
) -> None:
    url = URL((await make_world()).config.web.public_url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /webhook?secret=hunter2 HTTP/9.x\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b" 400 " in answer
    assert "hunter2" not in log.getvalue()
