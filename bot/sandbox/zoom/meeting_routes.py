"""The routes of the meeting page, which people reach through the join link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from aiohttp import web

from bot.sandbox.zoom import pages
from bot.sandbox.zoom.failures import ApiError
from bot.sandbox.zoom.meeting_page import live, meeting_page
from bot.sandbox.zoom.models import Event, Meeting, User
from bot.sandbox.zoom.world import World

# How long a poll for changes is held open, in seconds.
LONG_POLL_S = 20.0
_WHAT = {"record": "recording", "transcribe": "transcript", "summarize": "summary"}


class MeetingRoutes:
    """``GET /j/{id}`` and ``POST /j/{id}/{action}``, which redirects back to the page."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(r"/j/{id:\d+}", self.show),
            web.get(r"/s/{id:\d+}", self.show),
            web.get(r"/j/{id:\d+}/live", self.follow),
            web.post(r"/j/{id:\d+}/{action}", self.act),
        ]

    async def show(self, request: web.Request) -> web.Response:
        meeting = self._find(request)
        if meeting is None:
            return pages.refusal("This meeting link is not valid (3,001).", status=404)
        hook = self._world.page_hook
        extra = hook(meeting) if hook else ""
        return meeting_page(meeting, self._users(), self._world.clock.now_ms(), extra)

    async def follow(self, request: web.Request) -> web.Response:
        """Long poll: answer when the page's mark is no longer ``seen``, or 204 after a timeout."""
        meeting = self._find(request)
        if meeting is None:
            return pages.refusal("This meeting is gone.", status=404)
        seen = request.query.get("seen", "")
        try:
            await self._world.wait_for(lambda: self._mark(meeting) != seen, LONG_POLL_S)
        except TimeoutError:
            return web.Response(status=204)
        # No await between the two, so that they match.
        html, mark = live(meeting, self._users(), self._world.clock.now_ms()), self._mark(meeting)
        return web.Response(text=html, content_type="text/html", headers={"X-Mark": mark})

    async def act(self, request: web.Request) -> web.Response:
        """Handle a button of the meeting page."""
        meeting = self._find(request)
        if meeting is None:
            return pages.refusal("This meeting link is not valid (3,001).", status=404)
        form = await request.post()
        try:
            events = self._do(request.match_info["action"], meeting, form)
        except ValueError as error:
            return pages.refusal(f"Not now: {error}.", status=409)
        self._world.webhooks.later(events)
        return web.Response(status=303, headers={"Location": f"/j/{meeting.id}"})

    def _do(self, action: str, meeting: Meeting, form: Mapping[str, object]) -> list[Event]:
        store = self._world.meeting_store
        match action:
            case "start":
                return store.open(meeting)
            case "join":
                return self._join(meeting, str(form.get("email") or ""), str(form.get("name") or "Guest"))
            case "leave":
                return store.leave(meeting, str(form.get("user_id", "")))
            case "end":
                return store.close(meeting)
            case "cut":
                return store.cut(meeting)
            case "pause":
                return store.pause(meeting)
            case "resume":
                return store.resume(meeting)
            case "record" if meeting.status == "started":
                return store.record(meeting)
            case "record" | "transcribe" | "summarize":
                return self._publish(_WHAT[action], meeting)
        raise ValueError(f"there is no action {action}")

    def _join(self, meeting: Meeting, email: str, guest: str) -> list[Event]:
        known = self._world.accounts.find(email)
        name = known.name if known else guest[:64]
        if known and known.email in meeting.here:
            raise ValueError(f"{name} is here already")
        if meeting.status == "waiting":
            return self._world.meeting_store.wait(meeting, name, email)
        return self._world.meeting_store.enter(meeting, name, email)[1]

    def _publish(self, what: str, meeting: Meeting) -> list[Event]:
        events = self._world.recordings.publish(what, meeting)
        if not events:
            raise ValueError(f"the {what} is published already")
        return events

    def _users(self) -> Iterable[User]:
        return self._world.accounts.users.values()

    def _mark(self, meeting: Meeting) -> str:
        """A hash of the page's changing part."""
        html = live(meeting, self._users(), self._world.clock.now_ms())
        return sha256(html.encode()).hexdigest()[:16]

    def _find(self, request: web.Request) -> Meeting | None:
        number = int(request.match_info["id"])
        try:
            return self._world.meeting_store.get(number)
        except ApiError:
            return self._world.meeting_store.meetings.get(number)
