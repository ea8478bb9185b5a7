"""``zoombot run`` on a disk that takes longer: ``python -m bench.process --extra-ms 4 --config bot.toml``."""

from __future__ import annotations

import argparse
import asyncio
import os
from dataclasses import replace
from pathlib import Path

from bot.config import load
from bot.log import configure
from bot.runtime.app import run
from bot.runtime.executor import DaemonExecutor
from bot.runtime.timings import DEFAULT_TIMINGS
from bot.stores.writer import Limits


async def main(config: Path, extra_s: float) -> None:
    """Run the bot as ``zoombot run`` does."""
    asyncio.get_running_loop().set_default_executor(DaemonExecutor())
    loaded = load(config, os.environ)
    configure(loaded.log.level, loaded.log.format)
    await run(loaded, timings=replace(DEFAULT_TIMINGS, store=Limits(extra_s=extra_s)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.process", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--extra-ms", type=float, default=0.0)
    given = parser.parse_args()
    asyncio.run(main(given.config, given.extra_ms / 1000))
