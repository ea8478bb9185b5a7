"""Three people: a host, a colleague and a stranger."""

from __future__ import annotations

import pytest

from tests.conftest import MakeWorld, World
from tests.features.kit import with_stranger


@pytest.fixture
async def trio(make_world: MakeWorld) -> World:
    """Bob and carol are linked, mallory is not and must not get anything; alice administers, unlinked."""
    return await with_stranger(await make_world(meetings={"duplicate_window_ms": 0}))
