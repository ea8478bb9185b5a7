"""A short run of the harness; the long one is ``python -m tests.chaos --kills 300``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.harness import run

# What does not settle is to be said by the figures, not cut off before they are there.
SETTLE_S = 60.0


@pytest.mark.chaos
@pytest.mark.timeout(5 * SETTLE_S)
async def test_killed_again_and_again_the_bot_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    figures = await run(8, 7, settle_s=SETTLE_S, keep=tmp_path)
    assert figures.breaches == {}, "\n".join(figures.lines())
    assert figures.mentions > 20
    assert figures.webhooks_acknowledged > 20
