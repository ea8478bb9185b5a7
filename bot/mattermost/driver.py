"""Runs mattermostdriver's endpoint methods over our own REST calls. Only this package uses the driver."""

from __future__ import annotations

import logging
from typing import Any

from mattermostdriver import Driver

from bot.mattermost.rest import Rest

# The import sets these loggers to INFO, whatever was configured. Their INFO lines are of no use here.
for _name in ("mattermostdriver.api", "mattermostdriver.api.channels", "mattermostdriver.websocket"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def open_driver(rest: Rest) -> Any:
    """A ``Driver`` whose endpoint methods return the coroutines of ``rest`` and can be awaited.

    The endpoint methods only build a path and return what the client returns. The driver gets neither the
    URL nor the token, because it could log them; its ``login`` and ``init_websocket`` are not used.
    """
    return Driver({"debug": False, "token": None}, client_cls=lambda options: rest)
