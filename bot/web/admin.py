"""The operator's port: liveness, readiness and metrics."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

# Why the bot is not ready, by the part that is not; empty if the bot is ready.
Reasons = Callable[[], dict[str, str]]
# Which replica this is, among several.
Place = Callable[[], dict[str, object]]


def admin_app(
    reasons: Reasons,
    metrics: Callable[[], tuple[bytes, str]],
    limits: Reasons = dict,
    place: Place = dict,
) -> web.Application:
    """Serve ``/healthz``, ``/readyz`` and ``/metrics``. ``metrics`` returns the text and its content type.

    ``limits`` are reasons for which some requests are not answered although the bot is ready; ``place``
    is shown beside them.
    """

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(request: web.Request) -> web.Response:
        missing, limited = reasons(), limits()
        status = "unavailable" if missing else "degraded" if limited else "ready"
        found = limited | missing
        body = {"status": status, "reasons": found} if found else {"status": status}
        return web.json_response({**body, **place()}, status=503 if missing else 200)

    async def show_metrics(request: web.Request) -> web.Response:
        text, content_type = metrics()
        return web.Response(body=text, headers={"Content-Type": content_type})

    app = web.Application()
    app.add_routes(
        [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", show_metrics)]
    )
    return app
