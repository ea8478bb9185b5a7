"""What a full store costs: ``python -m bench.store [sizes…]``.

For each number of people, each with a link, a meeting that is over and its post: the memory of the process
(with the sandbox in it), how soon the bot is ready, the longest time for which nothing else could run
meanwhile, and how soon a mention is a link. What counts is that the rows are alike; the figures belong to the
machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.clock import now_ms
from bot.domain.records import Announcement, LinkedAccount, Meeting, Record
from bot.runtime.timings import DEFAULT_TIMINGS
from bot.stores import Put
from bot.stores.opening import open_store
from bot.vault import Vault, new_key
from tests.conftest import World, two_hosts, world_of

SIZES = (0, 100_000, 1_000_000)
_BATCH = 2_000
_ASKS = 100
_PERIOD_S = 0.001


@dataclass(slots=True)
class Lag:
    """The longest time (s) for which a task that was due did not run."""

    longest_s: float = 0.0


def records(size: int, vault: Vault) -> Iterator[Record]:
    """What the bot knows of this many people."""
    at = now_ms() - 3_600_000
    for number in range(size):
        user = f"user{number:022}"
        sealed = vault.seal(user, "tokens" * 100) if number < 100 else "x" * 900
        yield LinkedAccount(
            id=user,
            zoom_user_id=f"zoom{number}",
            email=f"{number}@people.example",
            sealed_tokens=sealed,
            expires_at=at,
            linked_at=at,
        )
        id_ = f"meeting{number:019}"
        yield Meeting(
            id=id_,
            uuid=f"uuid{number}==",
            zoom_id=10_000_000_000 + number,
            topic="standup",
            join_url="https://zoom.us/j/10000000000?pwd=abcdefghijkl",
            created_at=at,
            expired=True,
            open=False,
        )
        yield Announcement(
            id=f"post{number:022}",
            meeting=id_,
            channel_id=f"channel{number % 5000:019}",
            user_name="somebody",
            trigger=f"trigger{number:019}",
            post_id=f"post{number:022}",
            created_at=at,
            stale=False,
        )


async def fill(folder: Path, size: int, key: str) -> None:
    """Make a store with the records of this many people."""
    store = await open_store(f"tinydb:{folder / 'zoombot.db'}")
    some: list[Put] = []
    for record in records(size, Vault([key])):
        some.append(Put(record))
        if len(some) == _BATCH:
            await store.commit(*some)
            some = []
    await store.commit(*some)
    await store.close()


async def measure(folder: Path, key: str) -> dict[str, float]:
    """Start the bot on the store, and ask it for meetings."""
    url = f"tinydb:{folder / 'zoombot.db'}"
    sections: dict[str, dict[str, Any]] = {
        "store": {"url": url, "encryption_keys": (key,)},
        "meetings": {"duplicate_window_ms": 0},
    }
    async with world_of(folder, **sections) as world, _watched() as lag:
        world.timings = DEFAULT_TIMINGS
        began = time.perf_counter()
        await world.start()
        ready_s = time.perf_counter() - began
        await two_hosts(world)
        took = [await _asked(world, f"topic {number}") for number in range(_ASKS)]
    return {
        "memory": _memory_mb(),
        "ready": ready_s,
        "stall": lag.longest_s * 1000,
        "ask": statistics.median(took) * 1000,
    }


async def _asked(world: World, topic: str) -> float:
    began = time.perf_counter()
    await world.ask("alice", "dev", f"@zoom {topic}")
    return time.perf_counter() - began


@asynccontextmanager
async def _watched() -> AsyncIterator[Lag]:
    lag = Lag()

    async def watch() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(_PERIOD_S)
            now = time.perf_counter()
            lag.longest_s, last = max(lag.longest_s, now - last - _PERIOD_S), now

    watching = asyncio.create_task(watch())
    yield lag
    watching.cancel()
    await asyncio.wait([watching])


def _memory_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _in_a_process(step: str, folder: str, size: int, key: str) -> str:
    command = [
        sys.executable,
        "-m",
        "bench.store",
        "--step",
        step,
        "--folder",
        folder,
        "--key",
        key,
        str(size),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
    return done.stdout


def main() -> None:
    """Print one row for each size."""
    parser = argparse.ArgumentParser(prog="python -m bench.store", description=__doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES)
    # One step runs in a process of its own, so that its memory is its own.
    for hidden in ("--step", "--folder", "--key"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step == "fill":
        asyncio.run(fill(Path(given.folder), given.sizes[0], given.key))
    elif given.step == "measure":
        sys.stdout.write(json.dumps(asyncio.run(measure(Path(given.folder), given.key))) + "\n")
    else:
        _compare(given.sizes)


def _compare(sizes: list[int]) -> None:
    sys.stdout.write("   people  memory MB  ready s  longest stall ms  ask p50 ms\n")
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="zoombot-bench-") as folder:
            key = new_key()
            _in_a_process("fill", folder, size, key)
            found = json.loads(_in_a_process("measure", folder, size, key).splitlines()[-1])
        sys.stdout.write(
            f"{size:9}  {found['memory']:9.0f}  {found['ready']:7.2f}  {found['stall']:16.0f}"
            f"  {found['ask']:10.1f}\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
