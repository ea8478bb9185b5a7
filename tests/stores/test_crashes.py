"""kill -9, and a second process."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from bot.errors import StoreError, StoreLockedError
from bot.stores import Delete, Put
from bot.stores.opening import open_store
from tests.stores.conftest import files
from tests.stores.kinds import Other, Thing


async def start_writing(url: str) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.stores.writing", url, stdout=PIPE, cwd=Path(__file__).parents[2]
    )
    await said(process)
    return process


async def said(process: Process) -> int:
    assert process.stdout is not None
    return int(await process.stdout.readline())


async def kill(process: Process) -> list[int]:
    """Kill it, and return the last numbers that it said."""
    process.send_signal(signal.SIGKILL)
    output, _ = await process.communicate()
    # The last line may be half a number.
    return [int(line) for line in output.decode().split("\n")[:-1]]


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    url = f"tinydb:{tmp_path}/zoombot.db"
    for commits in (0, 3, 40, 200, 700):
        process = await start_writing(url)
        acknowledged = [await said(process) for _ in range(commits)]
        acknowledged += await kill(process)

        snapshot = await open_store(url, readonly=True)
        store = await open_store(url)
        things, others = await store.all(Thing), await store.all(Other)
        assert await snapshot.all(Thing) == things
        await snapshot.close()
        numbers = {thing.number for thing in things}
        assert numbers == {other.at for other in others}
        # Up to 8 commits run at once: what was written last may have taken away what is 50 older.
        newest = max(numbers)
        assert {number for number in acknowledged if number > newest - 50} <= numbers
        await store.commit(*(Delete(kind, f"{n}") for n in numbers for kind in (Thing, Other)))
        await store.close()


async def test_a_second_process_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    url = f"tinydb:{tmp_path}/zoombot.db"
    process = await start_writing(url)
    with pytest.raises(StoreLockedError, match=rf"process {process.pid}: stop .* store\.url"):
        await open_store(url)
    await kill(process)
    store = await open_store(url)
    await store.close()


async def test_the_same_file_by_another_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link.db").symlink_to("zoombot.db")
    store = await open_store(f"tinydb:{tmp_path}/zoombot.db")
    monkeypatch.chdir(tmp_path)
    for url in ("tinydb:zoombot.db", "tinydb:link.db", f"tinydb://{tmp_path}/../{tmp_path.name}/zoombot.db"):
        with pytest.raises(StoreLockedError):
            await open_store(url)
    await store.close()


async def test_a_snapshot_is_read_while_another_process_writes(tmp_path: Path) -> None:
    url = f"tinydb:{tmp_path}/zoombot.db"
    process = await start_writing(url)
    number = await said(process)
    for _ in range(20):
        snapshot = await open_store(url, readonly=True)
        things, others = await snapshot.all(Thing), await snapshot.all(Other)
        await snapshot.close()
        numbers = {thing.number for thing in things}
        assert numbers == {other.at for other in others}
        assert max(numbers) >= number
        number = await said(process)
    await kill(process)


async def test_a_snapshot_refuses_changes_and_takes_no_lock(tmp_path: Path) -> None:
    url = f"tinydb:{tmp_path}/zoombot.db"
    store = await open_store(url)
    await store.commit(Put(Thing(id="a", number=1)))
    await store.close()

    snapshot = await open_store(url, readonly=True)
    store = await open_store(url)
    assert not snapshot.writable
    assert await snapshot.find(Thing, "number", 1) == [Thing(id="a", number=1)]
    for call in (
        snapshot.insert(Thing(id="a", number=1)),
        snapshot.insert(Thing(id="b", number=1)),
        snapshot.commit(Delete(Thing, "a")),
        snapshot.update(Thing, "a", lambda thing: None),
    ):
        with pytest.raises(StoreError, match="reading only"):
            await call
    await snapshot.close()
    await store.close()


async def test_a_snapshot_of_nothing_says_so_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        await open_store(f"tinydb:{tmp_path}/zoombot.db", readonly=True)
    assert files(tmp_path) == {}
