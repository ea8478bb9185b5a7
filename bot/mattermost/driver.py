"""mattermostdriver's endpoint methods over our own calls; nothing outside this package knows of it."""

from __future__ import annotations

import logging
from typing import Any

from mattermostdriver import Driver

from bot.mattermost.rest import Rest

# The import sets INFO on these, whatever was configured; what they say there is of no use here.
for _name in ("mattermostdriver.api", "mattermostdriver.api.channels", "mattermostdriver.websocket"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def open_driver(rest: Rest) -> Any:
    """A ``Driver`` whose endpoint methods return what ``rest`` does, so that they can be awaited.

    The endpoint methods only build a path and hand on what the client returns. The driver gets neither
    the address nor the token: it could log them, and its ``login`` and ``init_websocket`` are not used.
    """
    return Driver({"debug": False, "token": None}, client_cls=lambda options: rest)
