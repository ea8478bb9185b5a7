"""A bot on a store in which one record of each table cannot be read, or whose key is gone, goes on."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bot.core.context import Body
from bot.core.inbox import REQUEST, TASK, WEBHOOK
from bot.domain.grammar import Request
from bot.domain.records import (
    Announcement,
    Cursor,
    Item,
    ItemState,
    LinkedAccount,
    Meeting,
    Notice,
    Pending,
    Question,
    Recent,
    Record,
    Ticket,
)
from bot.domain.upkeep import SetAside, known_kinds
from bot.messages.card import card
from bot.setup.check import Level
from bot.setup.store import check_store
from bot.stores import Put, Store
from bot.vault import Vault, new_key
from tests.conftest import MakeWorld, World, open_store, two_hosts
from tests.features.kit import connect, direct, settle
from tests.runtime.test_health import reasons

# Why each is not a record.
BODIES = {
    "cut": b'{"id":"bad","hunter2":',
    "a list": b'["hunter2"]',
    "an index that is a list": b'{"id":"bad","state":[1],"open":[1],"waiting":[1],"user_id":[1],"zoom_user_id":[1]}',
    "an unknown member": b'{"id":"bad","kind":"request","lane":"x","asked_at":1,"received_at":1,"state":"later"}',
}


def spoil(world: World, table: str, id_: str, body: bytes) -> None:
    """Write a document into the closed store as it is."""
    path = Path(world.config.store.url.removeprefix("tinydb:"))
    crc = zlib.crc32(body, zlib.crc32(f"{table}\0{id_}".encode()))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", (table, id_, body, crc))


def is_record(kind: type[Record], body: bytes) -> bool:
    """Whether the body lacks nothing: some kinds have only an id."""
    try:
        msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError:
        return False
    return True


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A running bot that never asks about a second meeting; alice and bob are linked, carol is not."""
    return await two_hosts(await make_world(meetings={"duplicate_window_ms": 0}))


async def works(world: World, name: str = "alice") -> None:
    """A meeting is made, starts and ends, and somebody else asks for help."""
    post, meeting = await world.meeting(name, topic="after it")
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    await world.zoom.end(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "ENDED")
    await world.ask("carol", world.direct("carol"), "help")
    await settle(world)
    assert await reasons(world) == set()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_one_bad_record_in_each_table_stops_nothing(
    world: World, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    post, meeting = await world.meeting()
    await settle(world)
    await world.stop()
    tables = sorted(kind.table for kind in known_kinds() if not is_record(kind, body))
    for table in tables:
        spoil(world, table, "bad", body)
    caplog.clear()
    await world.start()
    await settle(world)
    # What was there is there.
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    await works(world)
    # Those that nobody has come across yet.
    await world.bot.ctx.store.inspect()
    assert sorted(each.of for each in await world.bot.ctx.store.all(SetAside)) == tables
    assert "what cannot be read is set aside" in caplog.text
    assert "hunter2" not in caplog.text
    assert "Traceback" not in caplog.text
    await world.stop()
    wrong = [each for each in await check_store(world.config) if each.level is Level.WRONG]
    assert len(wrong) == 1
    assert f"{len(tables)} records cannot be read" in wrong[0].text
    assert "/bad (" in wrong[0].text
    assert "zoombot store list" in wrong[0].text


async def test_whose_link_cannot_be_read_connects_again(world: World) -> None:
    await world.stop()
    alice = world.mattermost.user("alice").id
    spoil(world, "links", alice, b'{"id":5}')
    spoil(world, "cursors", "mattermost", b"x")
    await world.start()
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await connect(world, "alice", (await world.answer_to(asked)).message)
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("dev"))
    await works(world, "bob")
    store = world.bot.ctx.store
    assert await store.get(LinkedAccount, alice) is not None
    aside = await store.get(SetAside, f"links/{alice}")
    assert aside is not None
    assert aside.body == b'{"id":5}'
    assert await store.get(Cursor, "mattermost") is not None


async def test_a_meeting_whose_record_cannot_be_read_is_left_as_it_is(world: World) -> None:
    post, meeting = await world.meeting()
    await settle(world)
    (record,) = await world.bot.ctx.store.all(Meeting)
    await world.stop()
    spoil(world, "meetings", record.id, b'{"id":"?"}')
    await world.start()
    await world.zoom.start(meeting.id)
    await world.zoom.end(meeting.id)
    await works(world)
    # In a new meeting's channel.
    assert [each.meeting for each in await world.bot.ctx.store.all(Recent)] != [record.id]
    assert post.props["meeting_status"] == "WAITING"


async def waiting(world: World) -> Store:
    """The closed bot's store, with something sealed of each kind that waits. Close it."""
    alice, carol = (world.mattermost.user(name).id for name in ("alice", "carol"))
    vault, now = Vault(world.config.store.encryption_keys), world.stage.now()
    store = await open_store(world.config.store.url)

    def sealed(id_: str, content: object = None) -> str:
        return vault.seal(id_, msgspec.json.encode(content or asked).decode())

    def item(id_: str, kind: str, content: object) -> Item:
        payload = sealed(id_, content)
        return Item(id=id_, kind=kind, queue="q", sealed=payload, asked_at=now, received_at=now)

    town = world.mattermost.channel("town-square").id
    asked = Request(command="help", user_id=carol, channel_id=town, channel_type="O", asked_at=now)

    records: list[Record] = [
        item("post:w", REQUEST, asked),
        item("task:w", TASK, {"name": "nobody", "about": {}}),
        item("zoom:w", WEBHOOK, {"event": "nobody"}),
        Notice(id="n", user_id=alice, sealed_body=sealed("n", Body(card("Said late."))), created_at=now),
        Pending(id="p", user_id=carol, sealed=sealed("p"), asked_at=now),
        Question(
            id="q",
            user_id=alice,
            kind="duplicate",
            words=["yes"],
            notice="n",
            sealed=sealed("q"),
            expires_at=now + 10**9,
        ),
        Ticket(id="t", user_id=carol, user_name="carol", expires_at=now + 10**9, sealed_verifier=sealed("t")),
        Announcement(id="a", meeting="gone", channel_id="c", created_at=now),
    ]
    await store.commit(*map(Put, records))
    return store


async def test_a_bot_whose_key_is_gone_goes_on_and_what_is_sealed_stays(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.stop()
    await (await waiting(world)).close()
    old, new = world.config.store.encryption_keys[0], new_key()
    world.config = replace(world.config, store=replace(world.config.store, encryption_keys=(new,)))
    await world.start()
    await settle(world)
    # Carol had no link yet. Her request of before stays where it is.
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    await connect(world, "carol", (await world.answer_to(asked)).message)
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts("dev"))
    await works(world, "carol")
    assert "Traceback" not in caplog.text
    store = world.bot.ctx.store
    left = {each.id for each in await store.find(Item, "state", ItemState.WAITING) if each.queue == "q"}
    assert left == {"post:w", "task:w", "zoom:w"}
    assert {each.id for each in await store.find(Notice, "waiting", True)} == {"n"}
    assert {each.id for each in await store.all(Pending)} == {"p"}
    await world.stop()

    wrong = [each for each in await check_store(world.config) if each.level is Level.WRONG]
    assert [each.subject for each in wrong] == ["store.encryption_keys"]
    assert "inbox/" in wrong[0].text

    # The key is put back.
    world.config = replace(world.config, store=replace(world.config.store, encryption_keys=(new, old)))
    await world.start()
    await settle(world)
    await works(world)
    assert any("Zoom meetings, here" in said for said in direct(world, "carol"))
    assert "Said late." in direct(world, "alice")
    assert [each for each in await check_store(world.config) if each.level is Level.WRONG] == []


async def test_a_link_to_connect_whose_key_is_gone_is_not_valid(world: World) -> None:
    answer = await world.ask("carol", "dev", "@zoom standup")
    url = answer.message.split("(")[1].split(")")[0]
    await world.stop()
    world.config = replace(world.config, store=replace(world.config.store, encryption_keys=(new_key(),)))
    await world.start()
    async with world.http.get(url, allow_redirects=False) as response:
        assert response.status == 400
        assert "This link is not valid" in await response.text()
