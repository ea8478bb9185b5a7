"""What nobody looks after is not kept for ever."""

from __future__ import annotations

from pathlib import Path

from bot.domain.records import Item, ItemState, Notice
from bot.domain.upkeep import SetAside
from bot.runtime.begun import UNOPENED
from bot.runtime.janitor import DAY_MS, TROUBLED_MS, Janitor
from bot.stores import Put
from bot.stores.opening import open_store

NOW = 1_795_512_600_000


async def agree() -> bool:
    return True


def item(id: str, at: int, state: ItemState, error: str) -> Item:
    return Item(
        id=id,
        kind="request",
        queue="q",
        sealed="",
        state=state,
        received_at=at,
        asked_at=at,
        done_at=at if state is ItemState.DEAD else 0,
        error=error,
    )


async def test_what_was_given_up_or_cannot_be_opened_is_deleted_after_ninety_days(tmp_path: Path) -> None:
    store = await open_store(f"tinydb:{tmp_path / 'zoombot.db'}")
    new, old = NOW - TROUBLED_MS + DAY_MS, NOW - TROUBLED_MS - DAY_MS
    for name, at in (("new", new), ("old", old)):
        await store.commit(
            Put(item(f"dead {name}", at, ItemState.DEAD, "a reason")),
            Put(item(f"shut {name}", at, ItemState.WAITING, UNOPENED)),
            Put(Notice(id=f"notice {name}", created_at=at, sealed_body="shut", user_id="u", waiting=True)),
        )
    await Janitor(store, lambda: NOW, agree).tidy()
    kept = {each.id for each in [*await store.all(Item), *await store.all(Notice)]}
    assert {"dead new", "shut new", "notice new"} <= kept
    assert not {"dead old", "shut old", "notice old"} & kept
    await store.close()


async def test_records_that_were_set_aside_are_deleted_ninety_days_after_they_were_first_seen(
    tmp_path: Path,
) -> None:
    store = await open_store(f"tinydb:{tmp_path / 'zoombot.db'}")
    await store.commit(Put(SetAside(id="links/x", of="links", key="x", why="it is no record", body=b"{")))
    for days, kept in ((0, True), (89, True), (91, False)):
        await Janitor(store, lambda: NOW + days * DAY_MS, agree).tidy()  # noqa: B023 - called at once
        assert bool(await store.all(SetAside)) is kept
    await store.close()
