"""What aiohttp's server logs: the faults of clients in one line, the bot's own with their trace."""

from __future__ import annotations

import logging
import sys
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.log.repeats import Repeats

# A body that broke off or is not what its headers say, what is no HTTP, and a client that has gone.
_CLIENT = (web.RequestPayloadError, HttpProcessingError, ConnectionError)


class ServerLog(logging.LoggerAdapter[logging.Logger]):
    """A logger for aiohttp's server, which would log every malformed request of a stranger as an error with a
    trace. ``said`` gets the line instead; it quotes nothing of the request."""

    def __init__(self, logger: logging.Logger, said: Repeats) -> None:
        super().__init__(logger, {})
        self._said = said

    def exception(self, msg: object, *args: object, exc_info: Any = True, **more: Any) -> None:
        """Log an exception, in one line if a client caused it."""
        error = exc_info if isinstance(exc_info, BaseException) else sys.exc_info()[1]
        if isinstance(error, _CLIENT):
            self._said.warning("a request broke off, or was no valid HTTP")
        else:
            super().exception(msg, *args, exc_info=exc_info, **more)
