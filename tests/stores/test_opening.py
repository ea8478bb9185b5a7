from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import StoreDamagedError, StoreError
from bot.stores import Put
from bot.stores.opening import open_store
from tests.stores.conftest import files
from tests.stores.kinds import Other, Thing


async def fill(path: Path) -> None:
    store = await open_store(f"tinydb:{path}")
    await store.commit(*(Put(Thing(id=f"{n}", number=n, note="hunter2 " * 20)) for n in range(500)))
    await store.close()


@pytest.mark.parametrize("existing", [False, True])
async def test_only_the_owner_may_read_the_files(tmp_path: Path, existing: bool) -> None:
    path = tmp_path / "zoombot.db"
    if existing:
        await fill(path)
        path.chmod(0o644)
    store = await open_store(f"tinydb:{path}")
    await store.commit(Put(Other(id="a")))
    names = ("zoombot.db", "zoombot.db-wal", "zoombot.db-shm", "zoombot.db-lock")
    assert files(tmp_path) == dict.fromkeys(names, 0o600)
    await store.close()


async def test_closing_leaves_one_file_that_can_be_copied(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    assert set(files(tmp_path)) == {"zoombot.db", "zoombot.db-lock"}
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    store = await open_store(f"tinydb:{copy}")
    assert len(await store.all(Thing)) == 500
    await store.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://bot:hunter2@db/bot", "not supported yet"),
        ("mysql://bot:hunter2@db/bot", "must be tinydb:"),
        ("zoombot.db", "must be tinydb:"),
        ("tinydb:", "must be tinydb:"),
        ("tinydb://", "must be tinydb:"),
        ("tinydb:{tmp}/missing/zoombot.db", "does not exist"),
        ("tinydb:{tmp}", "is a directory"),
    ],
)
async def test_a_url_that_cannot_be_opened_says_why(url: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=says) as caught:
        await open_store(url.format(tmp=tmp_path))
    assert "hunter2" not in str(caught.value)
    assert files(tmp_path) == {}


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def cut_to_a_page(content: bytes) -> bytes:
    return content[:8192]


def cut_the_header(content: bytes) -> bytes:
    return content[:50]


def spoil_the_header(content: bytes) -> bytes:
    return b"\xff" * 64 + content[64:]


def spoil_a_page(content: bytes) -> bytes:
    middle = len(content) // 2 // 4096 * 4096
    return content[:middle] + b"\xaa" * 4096 + content[middle + 4096 :]


def spoil_a_letter(content: bytes) -> bytes:
    place = content.index(b"hunter2", len(content) // 2)
    return content[:place] + b"H" + content[place + 1 :]


def replace_by_json(_: bytes) -> bytes:
    return b'{"_default": {"1": {"a": 1}}}' * 50


DAMAGES = [
    cut,
    cut_to_a_page,
    cut_the_header,
    spoil_the_header,
    spoil_a_page,
    spoil_a_letter,
    replace_by_json,
]


@pytest.mark.parametrize("readonly", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_refused_and_not_touched(
    damage: Callable[[bytes], bytes], readonly: bool, tmp_path: Path
) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    content = damage(path.read_bytes())
    path.write_bytes(content)
    path.chmod(0o600)
    before = path.stat()
    for _ in range(2):
        with pytest.raises(StoreDamagedError, match=r"(?i)untouched.*move it aside.*copy a backup") as caught:
            await open_store(f"tinydb:{path}", readonly=readonly)
        assert str(path) in str(caught.value)
        assert "hunter2" not in str(caught.value)
    assert path.read_bytes() == content
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


async def test_a_damaged_file_can_be_moved_aside_or_restored(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    backup = path.read_bytes()
    path.write_bytes(cut(backup))
    with pytest.raises(StoreDamagedError):
        await open_store(f"tinydb:{path}")
    path.rename(tmp_path / "aside.db")
    store = await open_store(f"tinydb:{path}")
    assert await store.all(Thing) == []
    await store.close()
    path.write_bytes(backup)
    store = await open_store(f"tinydb:{path}")
    assert len(await store.all(Thing)) == 500
    await store.close()


async def test_an_empty_file_is_a_new_store(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    path.touch()
    await fill(path)
    assert files(tmp_path)["zoombot.db"] == 0o600


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        ("CREATE TABLE songs (name TEXT)", "another program"),
        ("PRAGMA application_id = 7", "another program"),
        ("PRAGMA application_id = 2053271412; PRAGMA user_version = 99", "later zoombot"),
    ],
)
async def test_a_file_that_is_not_ours_is_refused_and_not_touched(
    statements: str, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "zoombot.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(statements)
    content = path.read_bytes()
    with pytest.raises(StoreError, match=says):
        await open_store(f"tinydb:{path}")
    assert path.read_bytes() == content
