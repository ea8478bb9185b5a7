"""``version``: a command that is declared in one place."""

from __future__ import annotations

from bot import __version__
from tests.conftest import World
from tests.features.kit import told


async def test_the_version_is_told_to_whoever_asks(world: World) -> None:
    assert await told(world, "alice", "dev", "@zoom version") == f"This is zoombot {__version__}."
    assert world.zoom.calls == []


async def test_more_behind_the_word_is_a_topic(world: World) -> None:
    post, _ = await world.meeting(topic="version control")
    assert post.props["meeting_topic"] == "version control"
