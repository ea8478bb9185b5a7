"""Files of another user, of a mode that forbids their use, and on a read-only mount."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.errors import StoreError
from bot.stores.access import access_trouble
from bot.stores.opening import open_store
from tests.stores.test_opening import fill

NOBODY = 65534


@pytest.fixture
def path() -> Iterator[Path]:
    """The path of a store in a directory that other users may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder / "zoombot.db"
    shutil.rmtree(folder)


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """The test runs as a user who is not the superuser."""
    if os.geteuid():
        pytest.skip("only the superuser can become somebody else")
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


async def refusal(path: Path, *, readonly: bool) -> str:
    with pytest.raises(StoreError) as caught:
        await (await open_store(f"tinydb:{path}", readonly=readonly)).close()
    return str(caught.value)


def name(id_: int) -> str:
    return pwd.getpwuid(id_).pw_name


@pytest.mark.parametrize("readonly", [False, True])
async def test_a_file_of_another_user_is_named_with_its_owner(path: Path, readonly: bool) -> None:
    if os.geteuid():
        pytest.skip("only the superuser can become somebody else")
    await fill(path)
    path.parent.chmod(0o777)
    os.seteuid(NOBODY)
    try:
        said = await refusal(path, readonly=readonly)
    finally:
        os.seteuid(0)
    assert f"{path} belongs to root (group root, mode 0600), and zoombot runs as {name(NOBODY)}" in said
    assert f"`chown {name(NOBODY)} {path}`, or run zoombot as root" in said
    assert "\n" not in said


async def test_a_lock_of_another_user_is_named(path: Path) -> None:
    if os.geteuid():
        pytest.skip("only the superuser can become somebody else")
    await fill(path)
    path.parent.chmod(0o777)
    for each in path.parent.iterdir():
        os.chown(each, NOBODY, -1)
    lock = path.with_name(path.name + "-lock")
    os.chown(lock, 0, 0)
    os.seteuid(NOBODY)
    try:
        said = await refusal(path, readonly=False)
    finally:
        os.seteuid(0)
    assert f"{lock} belongs to root" in said


def test_a_directory_of_another_user_is_named(path: Path, as_nobody: None) -> None:
    assert access_trouble(path).startswith(f"{path.parent} belongs to root (group root, mode 0755)")


def test_a_directory_that_may_not_be_entered_is_named(path: Path) -> None:
    if os.geteuid():
        pytest.skip("only the superuser can become somebody else")
    path.parent.chmod(0o700)
    os.seteuid(NOBODY)
    try:
        said = access_trouble(path / "deeper" / "zoombot.db")
    finally:
        os.seteuid(0)
    assert said.startswith("zoombot, which runs as ")
    assert "may not enter" in said


def test_an_own_file_with_a_wrong_mode_is_named(path: Path) -> None:
    if os.geteuid():
        pytest.skip("only the superuser can become somebody else")
    path.touch()
    path.chmod(0o400)
    os.chown(path, NOBODY, -1)
    os.chown(path.parent, NOBODY, -1)
    os.seteuid(NOBODY)
    try:
        said = access_trouble(path)
    finally:
        os.seteuid(0)
    assert said.endswith(f"a mode that forbids its use: `chmod u+rw {path}`")


def test_a_read_only_mount_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda each: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert access_trouble(path) == (
        f"{path.parent} is on a read-only mount: mount it so that zoombot can write there"
    )


def test_a_store_that_can_be_used_has_no_trouble(path: Path) -> None:
    path.touch()
    assert access_trouble(path) == ""
