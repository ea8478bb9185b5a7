"""A store that version 0.1 left behind, with work of every kind waiting in it, is opened and gone on with."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.context import Context, Job
from bot.core.registry import Registry
from bot.core.tasks import Task
from bot.domain import records
from bot.domain.records import Announcement, Item, ItemState, Meeting, Preference, Record
from bot.sandbox.mattermost import wire
from bot.stores import Change
from bot.stores.opening import open_store
from tests.conftest import MakeWorld, World
from tests.features.kit import direct, settle

DATA = Path(__file__).parents[1] / "data" / "store_0.1"
LEFT = json.loads((DATA / "stage.json").read_text(encoding="utf-8"))
# Records whose class has another name since.
RENAMED = {"Link": "LinkedAccount", "Lost": "LostLink"}


def copied(folder: Path) -> str:
    """The URL of a copy, so that the kept file stays as it is."""
    shutil.copy(DATA / "zoombot.db", folder / "old.db")
    return f"tinydb:{folder / 'old.db'}"


async def test_every_record_is_read(tmp_path: Path) -> None:
    store = await open_store(copied(tmp_path))
    try:
        for name, count in LEFT["counts"].items():
            kind: type[Record] = getattr(records, RENAMED.get(name, name))
            assert len(await store.all(kind)) == count, name
    finally:
        await store.close()


def number_of(id: str) -> int:
    """The random number that the sandbox makes this id of."""
    return sum(wire._ALPHABET.index(letter) << 5 * place for place, letter in enumerate(id))


@pytest.fixture
async def world(make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A stage whose people and channels have the ids that the store knows; the bot is not started."""
    numbers = [number_of(id) for id in (*LEFT["ids"], *LEFT["direct"].values())]
    randbits = secrets.randbits
    monkeypatch.setattr(
        secrets, "randbits", lambda bits: numbers.pop(0) if bits == 130 and numbers else randbits(bits)
    )
    world = await make_world(start=False)
    for name, id in LEFT["direct"].items():
        assert world.direct(name).id == id
    assert all(world.mattermost.user(name).id == id for name, id in LEFT["users"].items())
    assert all(world.mattermost.channel(name).id == id for name, id in LEFT["channels"].items())
    store = replace(world.config.store, url=copied(tmp_path), encryption_keys=tuple(LEFT["encryption_keys"]))
    world.config = replace(world.config, store=store)
    return world


async def test_what_waits_in_it_is_done(world: World) -> None:
    await world.start()
    await settle(world)
    store = world.bot.ctx.store
    # Orphans and people who left are looked for again and again; Zoom has ended a link, which is told later.
    left = await store.find(Item, "state", ItemState.WAITING)
    alice = LEFT["users"]["alice"]
    waiting = sorted(each.id.rpartition(":")[0] or each.id for each in left)
    assert waiting == ["departed", f"lost:{alice}", "orphans"]
    # Nobody was told of one that had ended before.
    assert sum("no longer accepts" in said for name in ("bob", "carol") for said in direct(world, name)) == 1
    assert [each.id for each in await store.find(Item, "state", ItemState.DEAD)] == ["post:dead"]
    # The answer to a question.
    chosen = await store.get(Preference, LEFT["users"]["alice"])
    assert chosen is not None
    assert chosen.pmi == "always"
    # A mention, a slash command, and a message that was not said yet.
    assert any("Zoom meetings, here in Mattermost" in said for said in direct(world, "carol"))
    assert any("Zoom meetings, here in Mattermost" in said for said in direct(world, "bob"))
    assert "A message of the version before." in direct(world, "bob")
    # A meeting that could not be posted.
    assert await store.get(Meeting, "m-unposted") is None
    assert any("couldn't post it" in said for said in direct(world, "alice"))


async def test_its_meetings_are_posted_and_follow_what_zoom_said(world: World) -> None:
    await world.start()
    await settle(world)
    store = world.bot.ctx.store
    announcement = await store.get(Announcement, "m-unseen")
    assert announcement is not None
    shown = next(each for each in world.mattermost.bot_posts("dev") if each.id == announcement.post_id)
    assert shown.props["meeting_status"] == "STARTED"
    # Its chat is not to be had: no address of Zoom's.
    under = [each.message for each in world.mattermost.bot_posts("dev") if each.root_id == shown.id]
    assert ["stays in Zoom" in said for said in under] == [True]


async def test_what_waits_in_it_may_have_been_begun(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    retried: dict[str, bool] = {}
    perform = Registry.perform

    async def noting(registry: Registry, ctx: Context, job: Job, task: Task) -> list[Change]:
        retried[task.name] = job.retried
        return await perform(registry, ctx, job, task)

    monkeypatch.setattr(Registry, "perform", noting)
    await world.start()
    await settle(world)
    waited = ["go_on", "drop_unposted", "fetch_file", "remove_orphans", "tell_lost"]
    assert {name: retried.get(name) for name in waited} == dict.fromkeys(waited, True)
