"""How much the servers take from strangers, and for how long."""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass

from aiohttp import web

from bot.log.repeats import Repeats


@dataclass(frozen=True, slots=True)
class WebLimits:
    """Times in seconds."""

    # Connections at once, on the public port and on the operator's.
    connections: int = 256
    admin_connections: int = 32
    # From a connection's beginning, or from the first byte of its next request, to the end of the headers.
    head_s: float = 10.0
    # From there to the end of the body.
    body_s: float = 10.0
    # Between two requests. Proxies keep their connections for a minute.
    idle_s: float = 75.0
    # How long a body that nobody needs is still read, so that the client sees the answer.
    linger_s: float = 2.0
    # Clients that are slower than this make way for others where the connections do not suffice.
    grace_s: float = 0.1
    # How often one kind of trouble is logged.
    log_s: float = 60.0


DEFAULT_LIMITS = WebLimits()
# What a server gives to the application that it serves: its limits, and where strangers' faults are logged.
LIMITS = web.AppKey("limits", WebLimits)
SAID = web.AppKey("said", Repeats)


def affordable(connections: int) -> int:
    """``connections``, but at most a quarter of the files that this process may open."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return connections if files == resource.RLIM_INFINITY else min(connections, max(files // 4, 8))


async def read_body(request: web.Request) -> bytes:
    """The whole body. Raises :class:`aiohttp.web.HTTPRequestTimeout` if it does not come in time."""
    try:
        async with asyncio.timeout(request.app[LIMITS].body_s):
            return await request.read()
    except web.RequestPayloadError:
        raise web.HTTPBadRequest(text="the body broke off, or is not what its headers say") from None
    except TimeoutError:
        refusal = web.HTTPRequestTimeout(text="the body did not come")
        refusal.force_close()
        raise refusal from None
