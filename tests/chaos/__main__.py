"""``python -m tests.chaos --kills 300``: exit status 1 if anything was lost, doubled or untrue."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from pathlib import Path

from tests.chaos.harness import run


def main() -> int:
    """Run, print the figures, and say by the exit status whether they are good."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=None, help="of what is random; it is printed")
    parser.add_argument("--pause", type=float, default=0.1, help="mean seconds between two messages")
    parser.add_argument("--keep", type=Path, default=None, help="an empty directory for log and store")
    parser.add_argument("--store", choices=("tinydb", "postgresql"), default="tinydb")
    parser.add_argument("--replicas", type=int, default=2, help="how many, with PostgreSQL")
    given = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    say(f"seed {seed}")
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    replicas = given.replicas if given.store == "postgresql" else 0
    figures = asyncio.run(
        run(given.kills, seed, pause_s=given.pause, keep=given.keep, replicas=replicas, say=say)
    )
    for line in figures.lines():
        say(line)
    return 1 if figures.breaches else 0


def say(line: str) -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
