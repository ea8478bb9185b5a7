"""Tests run side by side, except those that are to be alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event

import pytest

from tests.room import Room


class Visitor:
    """One test in a thread, which stays inside until it is sent away."""

    def __init__(self, threads: ThreadPoolExecutor, place: Path, *, alone: bool = False) -> None:
        self.inside, self._leaves = Event(), Event()
        self._done: Future[None] = threads.submit(self._visit, place, alone)

    def leave(self) -> None:
        self._leaves.set()
        self._done.result(10)

    def _visit(self, place: Path, alone: bool) -> None:
        with closing(Room(place)) as room, room.entered(alone=alone):
            self.inside.set()
            self._leaves.wait(10)


def wait_for_shut_door(place: Path) -> None:
    door = os.open(place.parent, os.O_RDONLY)
    try:
        while True:
            fcntl.flock(door, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(door, fcntl.LOCK_UN)
    except BlockingIOError:
        return
    finally:
        os.close(door)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "place"
    path.touch()
    return path


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


def test_others_are_side_by_side(threads: ThreadPoolExecutor, place: Path) -> None:
    visitors = [Visitor(threads, place) for _ in range(3)]
    assert all(each.inside.wait(10) for each in visitors)
    for each in visitors:
        each.leave()


def test_who_is_to_be_alone_waits_for_those_inside_and_others_for_them(
    threads: ThreadPoolExecutor, place: Path
) -> None:
    first = Visitor(threads, place)
    assert first.inside.wait(10)
    alone = Visitor(threads, place, alone=True)
    wait_for_shut_door(place)
    assert not alone.inside.is_set()
    late = Visitor(threads, place)
    assert not late.inside.wait(0.05)
    with ExitStack() as stack:
        stack.callback(late.leave)
        first.leave()
        assert alone.inside.wait(10)
        assert not late.inside.wait(0.05)
        alone.leave()
        assert late.inside.wait(10)
