"""The logging of the test run, put back afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def restored() -> Iterator[None]:
    """The logging of the test run, put back afterwards."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    named = {name: logging.getLogger(name).level for name in list(logging.Logger.manager.loggerDict)}
    yield
    logging.captureWarnings(False)
    root.setLevel(level)
    root.handlers[:] = handlers
    for name in list(logging.Logger.manager.loggerDict):
        logging.getLogger(name).setLevel(named.get(name, logging.NOTSET))
