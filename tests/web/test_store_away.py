"""What the public routes answer while the store does not, and what the same request does when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.core.inbox import WEBHOOK
from bot.core.timings import DEFAULT_FEATURE_TIMINGS
from bot.domain.records import Item, ItemState, Preference
from bot.features import collect
from bot.sandbox.zoom.models import Json
from bot.stores import Store
from bot.web.server import Server, public_app
from bot.zoom import LINKING
from tests.conftest import World
from tests.features.kit import settle
from tests.features.test_connect import answered, browse, invited, links, signed_in
from tests.features.test_connect import world as world
from tests.web.test_routes import DEAUTHORIZED, encode, send

WRITES = ("insert", "commit", "update")


class Away:
    """A store that answers ``answers`` calls and then none; ``holds``: whether it does the last change all the
    same. It is back once ``answers`` is None."""

    def __init__(self, store: Store, holds: bool) -> None:
        self._store = store
        self._holds = holds
        self.answers: int | None = None

    def __getattr__(self, name: str) -> Any:
        known = getattr(self._store, name)
        if name == "lock":
            return known

        async def called(*given: Any) -> Any:
            if self.answers is None or self.answers > 0:
                self.answers = None if self.answers is None else self.answers - 1
                return await known(*given)
            if self._holds and name in WRITES:
                await known(*given)
            return await asyncio.Event().wait()

        return called


@dataclass
class Answer:
    """What a route answered; ``later``: that whoever asked is to ask again."""

    status: int
    said: str

    @property
    def later(self) -> bool:
        return self.status == 503 or "try again" in self.said


MakeAway = Callable[..., Awaitable[Away]]


@pytest.fixture
async def away(world: World) -> AsyncIterator[MakeAway]:
    """Routes with a store that is gone when that is said. The rest of the bot keeps its own."""
    servers = []

    async def make(*, holds: bool = False, store_s: float = 0.05) -> Away:
        server = Server("127.0.0.1", 0, "web.port", 50)
        servers.append(server)
        store = Away(world.bot.ctx.store, holds)
        timings = replace(world.bot.ctx.timings, store_s=store_s)
        ctx = replace(world.bot.ctx, store=store, timings=timings)
        port = await server.start(public_app(ctx, collect()))
        url = str(URL(world.config.web.public_url).with_port(port))
        world.config = replace(world.config, web=replace(world.config.web, public_url=url))
        return store

    yield make
    for server in servers:
        await server.close()


async def repeated(store: Away, request: Callable[[], Awaitable[Answer]]) -> Answer:
    """The same request again and again; each time the store answers one call more."""
    for answers in count():
        store.answers = answers
        answer = await request()
        store.answers = None
        if not answer.later:
            assert answers, "it works without the store"
            break
    return answer


async def page(world: World, url: str, form: dict[str, str] | None = None) -> Answer:
    shown = await browse(world, here(world, url), form)
    return Answer(shown.status, shown.text)


def here(world: World, url: str) -> URL:
    """The same address at the routes whose store may be gone."""
    return URL(url).with_port(URL(world.config.web.public_url).port)


async def post(world: World, path: str, *, form: Json | None = None, body: Json | None = None) -> Answer:
    url = world.config.web.public_url + path
    async with world.http.post(url, data=form, json=body) as response:
        return Answer(response.status, await response.text())


async def test_a_link_is_opened_once_the_store_is_back(world: World, away: MakeAway) -> None:
    url = await invited(world)
    answer = await repeated(await away(), lambda: page(world, url))
    assert answer.status == 302


@pytest.mark.parametrize("holds", [True, False])
async def test_a_code_is_exchanged_once_and_not_lost(world: World, away: MakeAway, holds: bool) -> None:
    first = await browse(world, await invited(world))
    back = await world.zoom.consent(first.headers["Location"], "carol@demo.example")
    answer = await repeated(await away(holds=holds), lambda: page(world, back))
    assert "Link this Zoom account to @carol?" in answer.said
    assert len(world.zoom.token_requests) == 1
    assert (await answered(world, await browse(world, here(world, back)))).title == "Zoom is connected"


@pytest.mark.parametrize("holds", [True, False])
async def test_a_link_is_confirmed_once_the_store_is_back(world: World, away: MakeAway, holds: bool) -> None:
    question = await signed_in(world, await invited(world))
    url = f"{world.config.web.public_url}/oauth2/complete"
    answer = await repeated(await away(holds=holds), lambda: page(world, url, question.fields))
    assert "Zoom is connected" in answer.said
    assert await links(world) == {"carol": "carol@demo.example"}
    await settle(world)
    said = [each for each in world.mattermost.bot_posts(world.direct("carol")) if "is linked" in each.message]
    assert len(said) <= 1


@pytest.mark.parametrize("holds", [True, False])
async def test_a_link_that_was_cancelled_is_linked_by_no_repetition(
    world: World, away: MakeAway, holds: bool
) -> None:
    question = await signed_in(world, await invited(world))
    url, form = f"{world.config.web.public_url}/oauth2/complete", question.fields | {"cancel": "1"}
    answer = await repeated(await away(holds=holds), lambda: page(world, url, form))
    assert (answer.status, "Nothing was linked" in answer.said) == (200, True)
    assert await links(world) == {}
    assert len(world.zoom.revoked) == 1


@pytest.mark.parametrize("path", ["/webhook", "/deauthorization"])
@pytest.mark.parametrize("holds", [True, False])
async def test_an_event_is_handled_once_that_zoom_sends_until_it_is_taken(
    world: World, away: MakeAway, path: str, holds: bool
) -> None:
    body = encode(DEAUTHORIZED)

    async def deliver() -> Answer:
        status, said = await send(world, body, path=path)
        return Answer(status, said)

    assert (await repeated(await away(holds=holds), deliver)).status == 200
    await settle(world)
    items = await world.bot.ctx.store.find(Item, "state", ItemState.DONE)
    assert len([item for item in items if item.kind == WEBHOOK]) == 1


@pytest.mark.parametrize("holds", [True, False])
async def test_a_command_is_taken_once(world: World, away: MakeAway, holds: bool) -> None:
    await world.link("alice")
    alice, dev = world.mattermost.user("alice").id, world.mattermost.channel("dev").id
    form: Json = {
        "token": "command-token",
        "user_id": alice,
        "channel_id": dev,
        "text": "one",
        "trigger_id": "t",
    }
    answer = await repeated(await away(holds=holds), lambda: post(world, "/command", form=form))
    assert (answer.status, answer.said) == (200, "{}")
    await settle(world)
    assert len(world.zoom.created) == 1


@pytest.mark.parametrize("holds", [True, False])
async def test_a_button_is_taken_once(world: World, away: MakeAway, holds: bool) -> None:
    await world.link("alice")
    await world.ask("alice", "dev", "@zoom one")
    question = await world.ask("alice", "dev", "@zoom two")
    button = world.mattermost.world.actions[question.id]["new"]
    pressed: Json = {
        "user_id": world.mattermost.user("alice").id,
        "post_id": question.id,
        "context": button.context,
    }
    answer = await repeated(await away(holds=holds), lambda: post(world, "/action", body=pressed))
    assert answer.status == 200
    assert "Start another" in answer.said
    await settle(world)
    assert len(world.zoom.created) == 2


@pytest.mark.parametrize("holds", [True, False])
async def test_a_dialog_is_taken_once(world: World, away: MakeAway, holds: bool) -> None:
    await world.link("alice")
    await world.mattermost.command("alice", "dev", "/zoom settings")
    dialog = (await world.mattermost.wait_for(lambda: world.mattermost.dialogs))[0].dialog
    alice = world.mattermost.user("alice").id
    submitted: Json = {"user_id": alice, "state": dialog["state"], "submission": {"answer": "always"}}
    answer = await repeated(await away(holds=holds), lambda: post(world, "/dialog", body=submitted))
    assert answer.status == 200
    await settle(world)
    preference = await world.bot.ctx.store.get(Preference, alice)
    assert preference is not None
    assert preference.pmi == "always"


async def test_who_holds_up_others_with_the_same_link_does_so_for_nobody(
    world: World, away: MakeAway
) -> None:
    first = await browse(world, await invited(world))
    back = await world.zoom.consent(first.headers["Location"], "carol@demo.example")
    (await away(store_s=0.3)).answers = 0
    async with aiohttp.ClientSession() as http, asyncio.timeout(1.5):
        pages = await asyncio.gather(*(http.get(here(world, back)) for _ in range(10)))
    assert {shown.status for shown in pages} == {503}


async def test_a_link_does_not_wait_for_another_that_waits_for_the_store(
    world: World, away: MakeAway
) -> None:
    question = await signed_in(world, await invited(world))
    await away()
    async with world.bot.ctx.store.lock(LINKING):
        shown = await answered(world, question)
    assert shown.status == 503
    assert (await answered(world, question)).title == "Zoom is connected"


async def test_zoom_may_take_longer_than_the_store(world: World, away: MakeAway) -> None:
    first = await browse(world, await invited(world))
    back = await world.zoom.consent(first.headers["Location"], "carol@demo.example")
    await away()
    world.zoom.faults.add(path="/oauth/token", delay=0.2)
    assert (await browse(world, here(world, back))).title == "Link this Zoom account to @carol?"


def test_the_answer_comes_before_zoom_and_mattermost_stop_waiting() -> None:
    assert DEFAULT_FEATURE_TIMINGS.store_s < 3
