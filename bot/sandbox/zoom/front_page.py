"""The front page of the sandbox's Zoom: all meetings and the clock."""

from __future__ import annotations

from html import escape

from aiohttp import web

from bot.sandbox.assets import asset_routes
from bot.sandbox.zoom import pages
from bot.sandbox.zoom.meeting_page import clock
from bot.sandbox.zoom.models import Meeting
from bot.sandbox.zoom.world import World

MAX_MINUTES = 31 * 24 * 60
_STATES = {"waiting": "waiting for the host", "started": "live", "ended": "ended", "expired": "expired"}


class FrontPage:
    """``GET /``, ``POST /clock`` and the pages' static files."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.show), web.post("/clock", self.advance), *asset_routes()]

    async def show(self, request: web.Request) -> web.Response:
        newest_first = sorted(self._world.meeting_store.meetings.values(), key=lambda one: -one.created_ms)
        rows = "".join(_row(meeting) for meeting in newest_first)
        listed = f'<ul class="people">{rows}</ul>' if rows else "<p>There is no meeting yet.</p>"
        zone = next(iter(self._world.accounts.users.values())).timezone
        changing = f'<div id="rest">{listed}{clock(self._world.clock.now_ms(), zone, "/")}</div>'
        return pages.page("Meetings", pages.live(changing))

    async def advance(self, request: web.Request) -> web.Response:
        """Advance the clock by ``minutes`` and redirect to the page in ``back``."""
        form = await request.post()
        minutes, back = str(form.get("minutes", "")), str(form.get("back", ""))
        if not (minutes.isascii() and minutes.isdigit() and 1 <= int(minutes[:9]) <= MAX_MINUTES):
            return pages.refusal("The clock moves on by 1 minute to 31 days at a time.")
        self._world.clock.advance(int(minutes) * 60)
        number = back.removeprefix("/j/")
        known = number.isascii() and number.isdigit()
        return web.Response(status=303, headers={"Location": f"/j/{number}" if known else "/"})


def _row(meeting: Meeting) -> str:
    return (
        f'<li><a href="/j/{meeting.id}">{escape(meeting.topic or "Zoom meeting")}</a> '
        f"<small>{escape(meeting.host.name)}, {_STATES[meeting.status]}</small></li>"
    )
