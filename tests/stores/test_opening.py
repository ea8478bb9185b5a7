from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.domain.upkeep import SetAside
from bot.errors import StoreDamagedError, StoreError
from bot.stores import Put, opening
from bot.stores.memory import Memory
from bot.stores.opening import open_store
from bot.stores.sqlite import Key
from tests.stores.conftest import files, spoil_row
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
        ("postgresql://bot:hunter2@127.0.0.1:1/bot", "is away"),
        ("postgresql://bot:hunter2@127.0.0.1/", "must name the database"),
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


def replace_by_json(_: bytes) -> bytes:
    return b'{"_default": {"1": {"a": 1}}}' * 50


DAMAGES = [
    cut,
    cut_to_a_page,
    cut_the_header,
    spoil_the_header,
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


@pytest.mark.parametrize("readonly", [False, True])
async def test_damage_inside_is_found_when_it_is_read_or_looked_for(tmp_path: Path, readonly: bool) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    path.write_bytes(spoil_a_page(path.read_bytes()))
    store = await open_store(f"tinydb:{path}", readonly=readonly)
    for call in (store.inspect(), store.all(Thing)):
        with pytest.raises(StoreDamagedError, match=r"(?i)untouched.*move it aside.*copy a backup") as caught:
            await call
        assert "hunter2" not in str(caught.value)
    # The rest is as it was.
    assert await store.get(Thing, "0") is not None
    await store.close()


async def names(path: Path, *, readonly: bool) -> tuple[list[str], int]:
    """What is set aside, and how many things are left."""
    store = await open_store(f"tinydb:{path}", readonly=readonly, on_trouble=lambda line: None)
    await store.inspect()
    found = [aside.id for aside in await store.all(SetAside)], len(await store.all(Thing))
    await store.close()
    return found


async def test_one_letter_that_changed_costs_one_record(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    content = path.read_bytes()
    place = content.index(b"hunter2", len(content) // 2)
    path.write_bytes(content[:place] + b"H" + content[place + 1 :])
    before = path.read_bytes()
    (name,), left = await names(path, readonly=True)
    assert left == 499
    # A snapshot changes nothing.
    assert path.read_bytes() == before
    for readonly in (False, True, False):
        assert await names(path, readonly=readonly) == ([name], 499)


@pytest.mark.parametrize(
    ("table", "id_", "body", "name"),
    [
        ("things", "1", '{"id":"1","number":1}', "things/1"),
        ("things", "1", b'{"id":"1","number":1}', "things/1"),
        ("things", "1", 5, "things/1"),
        ("things", "new", 1.5, "things/new"),
        ("things", b"\xff", b"{}", "things/%FF"),
        ("things", b"blob", b"{}", "things/blob"),
        ("things", "a b\n", b"{}", "things/a%20b%0A"),
        ("of nobody", "1", b"{}", "of%20nobody/1"),
    ],
)
async def test_a_row_that_somebody_else_wrote_is_set_aside(
    tmp_path: Path, table: str, id_: object, body: object, name: str
) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    spoil_row(path, table, id_, body, crc=7)
    left = 499 if id_ == "1" and table == "things" else 500
    for readonly in (True, False, False):
        assert await names(path, readonly=readonly) == ([name], left)


async def test_a_key_that_is_no_text_is_set_aside_once(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO documents VALUES (CAST(? AS TEXT), 'x', x'00', 1)", (b"\xfe",))
    for _ in range(2):
        assert await names(path, readonly=False) == (["%FE/x"], 500)


async def test_what_could_not_be_set_aside_is_set_aside_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    spoil_row(path, "things", "7", b"{}", crc=1)
    store = await open_store(f"tinydb:{path}", on_trouble=lambda line: None)

    async def fail(memory: Memory, key: Key) -> bytes | None:
        raise StoreError("the disk")

    with monkeypatch.context() as patch:
        patch.setattr(Memory, "load", fail)
        with pytest.raises(StoreError, match="the disk"):
            await store.inspect()
    await store.inspect()
    assert [aside.id for aside in await store.all(SetAside)] == ["things/7"]
    await store.close()


async def test_the_log_names_what_is_set_aside_once(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    for number in range(30):
        spoil_row(path, "things", f"{number}", b"hunter2", crc=1)
    lines: list[str] = []
    for _ in range(2):
        store = await open_store(f"tinydb:{path}", on_trouble=lines.append)
        await store.inspect()
        await store.close()
    (line,) = lines
    assert line.startswith("what cannot be read is set aside (30): things/0, things/1,")
    assert "zoombot store list" in line
    assert "hunter2" not in line
    assert len(line) < 400


async def test_a_log_that_was_cut_off_costs_only_what_was_in_it(tmp_path: Path) -> None:
    path, copy = tmp_path / "zoombot.db", tmp_path / "copy.db"
    await fill(path)
    store = await open_store(f"tinydb:{path}")
    for number in range(20):
        await store.commit(Put(Other(id=f"{number}", at=number)))
    copy.write_bytes(path.read_bytes())
    log = (tmp_path / "zoombot.db-wal").read_bytes()
    await store.close()
    for size in (len(log), len(log) // 2, len(log) - 1, 33, 31, 1, 0):
        copy.with_name("copy.db-wal").write_bytes(log[:size])
        opened = await open_store(f"tinydb:{copy}", readonly=True)
        others = await opened.all(Other)
        assert len(await opened.all(Thing)) == 500
        # Whole commits, the oldest first.
        assert sorted(other.at for other in others) == list(range(len(others)))
        assert (len(others) == 20) is (size == len(log))
        assert await opened.all(SetAside) == []
        await opened.close()


async def test_the_version_before_refuses_the_file(tmp_path: Path) -> None:
    """It knows files up to version 1."""
    path = tmp_path / "zoombot.db"
    await fill(path)

    def version() -> int:
        with closing(sqlite3.connect(path)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    assert version() == 3
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    await (await open_store(f"tinydb:{path}")).close()
    assert version() == 3


def as_before(path: Path, *, version: int) -> None:
    """Make a store what an earlier version would have written: without indexes."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE entries")
        connection.execute("DROP TABLE indexed")
        connection.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("readonly", [False, True])
async def test_a_file_of_an_earlier_version_gets_its_indexes(
    tmp_path: Path, version: int, readonly: bool
) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    as_before(path, version=version)
    before = path.read_bytes()
    for _ in range(2):
        store = await open_store(f"tinydb:{path}", readonly=readonly)
        assert [thing.id for thing in await store.find(Thing, "number", 7)] == ["7"]
        assert len(await store.find(Thing, "on", True)) == 500
        assert await store.has(Thing, "colour", "red")
        await store.close()
    # A snapshot changes nothing.
    assert (path.read_bytes() == before) is readonly


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("readonly", [False, True])
async def test_rows_that_are_not_utf_8_do_not_keep_an_earlier_file_from_being_opened(
    tmp_path: Path, version: int, readonly: bool
) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        row = "INSERT OR REPLACE INTO documents VALUES ('things', CAST(? AS TEXT), CAST(? AS TEXT), 1)"
        connection.executemany(row, [(b"\xfe", b"{}"), (b"1", b"\xff")])
    as_before(path, version=version)
    assert await names(path, readonly=readonly) == (["things/1", "things/%FE"], 499)
    store = await open_store(f"tinydb:{path}", readonly=readonly)
    assert [thing.id for thing in await store.find(Thing, "number", 7)] == ["7"]
    await store.close()


async def test_a_text_that_is_not_utf_8_can_be_written_over(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE documents SET body = CAST(? AS TEXT) WHERE id = '1'", (b"\xff",))
    store = await open_store(f"tinydb:{path}")
    await store.commit(Put(Thing(id="1", number=-1)), Put(Thing(id="2", number=-1)))
    assert len(await store.find(Thing, "number", -1)) == 2
    assert await store.find(Thing, "number", 1) == []
    await store.close()


async def test_an_index_that_became_another_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM entries WHERE field = 'number'")
        connection.execute("UPDATE indexed SET fields = '[\"colour\",null]' WHERE kind = 'things'")
    store = await open_store(f"tinydb:{path}")
    assert [thing.id for thing in await store.find(Thing, "number", 7)] == ["7"]
    await store.close()


async def test_a_snapshot_is_of_the_moment_at_which_it_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    store = await open_store(f"tinydb:{path}")
    snapshot = await open_store(f"tinydb:{path}", readonly=True)
    await store.commit(Put(Thing(id="later", number=1)))
    assert await snapshot.get(Thing, "later") is None
    assert len(await snapshot.all(Thing)) == 500
    await snapshot.close()
    await store.close()


@pytest.mark.parametrize("version", [2, 3])
async def test_a_snapshot_says_so_if_the_file_cannot_be_read(tmp_path: Path, version: int) -> None:
    path = tmp_path / "zoombot.db"
    await fill(path)
    if version < 3:
        as_before(path, version=version)
        path.write_bytes(spoil_a_page(path.read_bytes()))
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE indexed")
    with pytest.raises(StoreError, match=str(path.name)):
        await open_store(f"tinydb:{path}", readonly=True)


async def test_a_file_that_cannot_be_read_after_all_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "zoombot.db"

    def fail(path: Path, *, shared: bool) -> None:
        raise StoreError("too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(opening, "reading", fail)
        with pytest.raises(StoreError, match="too many"):
            await open_store(f"tinydb:{path}")
    await fill(path)


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
