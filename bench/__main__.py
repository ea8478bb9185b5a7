"""All that is promised of the bot's speed: ``python -m bench``.

The sandbox runs in this process. The bot runs as ``zoombot run`` does, and beside it run the floors: bare
scripts that do the least (``bench/floors``). Both are measured in turns in one run. What counts is the ratio;
the figures belong to the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bench import rows
from bench.reading import frames
from bench.rows import Amounts, Row
from bench.stand import stood

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
SLOW_DISK_MS = 4.0
# About what a real Mattermost takes.
SERVER_MS = 4.0


async def measure(amounts: Amounts, server_ms: float) -> list[Row]:
    """All rows, one after the other."""
    found: list[Row] = []
    async with stood(server_ms=server_ms) as stand:
        found += await rows.asks(stand, amounts, "ask → post, Zoom at once", "≤ 1.10 ×")
        found.append(await rows.ends(stand, amounts, "ended webhook → edited post", "≤ 1.10 ×"))
        found.append(await rows.whole_meetings(stand, amounts))
        found.append(await rows.one_meeting(stand, amounts))
        found += await rows.many_meetings(stand, amounts)
    async with stood(SLOW_DISK_MS, server_ms) as stand:
        slow = f"on a disk that takes {SLOW_DISK_MS:g} ms a write"
        found += await rows.asks(stand, amounts, f"ask → post {slow}", "≤ 1.15 ×")
        found.append(await rows.ends(stand, amounts, f"ended webhook → edited post {slow}", "≤ 1.2 ×"))
    return found


def table(found: Iterable[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| Work | | floor | bot | ratio | goal |", "|---|---|---|---|---|---|"]
    for row in found:
        cells = [
            ", ".join(row.names),
            _figures(row.floor, row.unit),
            _figures(row.bot, row.unit),
            " · ".join(f"{bot / floor:.2f} ×" for floor, bot in zip(row.floor, row.bot, strict=True)),
            row.goal,
        ]
        lines.append(f"| {row.work} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _figures(values: tuple[float, ...], unit: str) -> str:
    return " · ".join(f"{value:.2f}" if value < 10 else f"{value:.1f}" for value in values) + f" {unit}"


def machine(server_ms: float, load: float) -> str:
    """When and where this was measured. ``load`` is how many processes wanted to run before it began."""
    today, cores = datetime.now(UTC).date().isoformat(), os.cpu_count()
    python, system = platform.python_version(), f"{platform.system()} {platform.machine()}"
    return (
        f"{today}, {system}, {_processor()}, {cores} cores, Python {python}, load {load:.1f} before; "
        f"the sandbox takes {server_ms:g} ms for a new post or an edit.\n"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown processor"
    )


def main() -> int:
    """Print the table; with ``--write``, keep it in ``docs/performance.md``."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="only show that it runs, in under a minute")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in docs/{PAGE.name}")
    parser.add_argument(
        "--server-ms",
        type=float,
        default=SERVER_MS,
        help="what the sandbox's Mattermost takes for a new post or an edit (default: %(default)s)",
    )
    given = parser.parse_args()
    load = os.getloadavg()[0]
    amounts = rows.QUICK if given.quick else rows.FULL
    found = asyncio.run(measure(amounts, given.server_ms)) + frames(20 if given.quick else 1000)
    text = f"{machine(given.server_ms, load)}\n{table(found)}"
    sys.stdout.write(text)
    if given.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
