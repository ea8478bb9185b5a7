"""API v2 routes for past meetings, recordings and summaries, and the download routes."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.zoom import bodies, ids, pages, shapes
from bot.sandbox.zoom.clock import iso
from bot.sandbox.zoom.dispatch import Caller, Dispatcher, bearer
from bot.sandbox.zoom.failures import ApiError, no_access, no_meeting, no_recording, not_paid, too_old
from bot.sandbox.zoom.models import BASIC, File, Meeting, Occurrence
from bot.sandbox.zoom.world import World

# How long Zoom tells about a past meeting, and lists it among the occurrences of its number.
PAST_MS = 365 * 24 * 3600 * 1000
INSTANCES_MS = 15 * 30 * 24 * 3600 * 1000


class PastMeetings:
    """The routes for past meetings."""

    def __init__(self, world: World, dispatcher: Dispatcher) -> None:
        self._world = world
        self._dispatcher = dispatcher
        # Redirect targets of downloads, valid once as at Zoom.
        self._redirects: dict[str, File] = {}

    def routes(self) -> list[web.RouteDef]:
        guard = self._dispatcher.api
        past, people = "meeting:read:past_meeting", "meeting:read:list_past_participants"
        runs = "meeting:read:list_past_instances"
        files = "cloud_recording:read:list_recording_files"
        return [
            web.get("/v2/past_meetings/{id}", guard(past, self.past_meeting)),
            web.get("/v2/past_meetings/{id}/participants", guard(people, self.participants)),
            web.get("/v2/past_meetings/{id}/instances", guard(runs, self.instances)),
            web.get("/v2/meetings/{id}/recordings", guard(files, self.recordings)),
            web.get("/v2/meetings/{id}/meeting_summary", guard("meeting:read:summary", self.summary)),
            web.get("/rec/download/{file}", self.download),
            web.get("/rec/raw/{key}", self.raw),
            web.get("/rec/play/{file}", self.play),
            web.get("/rec/share/{share}", self.play),
        ]

    async def past_meeting(self, request: web.Request, caller: Caller) -> web.Response:
        """The occurrence with this uuid, or the last one of this meeting number. 404 unless it has ended, and
        400 code 200 for hosts without a paid account."""
        return web.json_response(shapes.past_meeting(*self._ended(request, caller)))

    async def participants(self, request: web.Request, caller: Caller) -> web.Response:
        """Paged, with one item each time somebody joined; none if only one person came."""
        _, run = self._ended(request, caller)
        alone = len({stay.zoom_id or stay.name for stay in run.stays}) < 2
        items = [] if alone else [shapes.past_participant(stay) for stay in run.stays]
        return web.json_response(bodies.paged(request, "participants", items))

    async def instances(self, request: web.Request, caller: Caller) -> web.Response:
        """The occurrences of the last 15 months."""
        meeting, _ = self._run(request, caller)
        since = self._world.clock.now_ms() - INSTANCES_MS
        past = [run for run in meeting.past if run.started_ms >= since]
        runs = [{"uuid": run.uuid, "start_time": iso(run.started_ms)} for run in past]
        return web.json_response({"meetings": runs})

    async def recordings(self, request: web.Request, caller: Caller) -> web.Response:
        """404 code 3301 if there is no recording."""
        meeting, run = self._run(request, caller)
        if not run.files:
            raise no_recording()
        return web.json_response(shapes.recording_answer(meeting, run, self._world.meeting_store.url))

    async def summary(self, request: web.Request, caller: Caller) -> web.Response:
        """404 code 3001 if there is no summary."""
        meeting, run = self._run(request, caller)
        if run.summary is None:
            raise no_meeting(request.match_info["id"])
        return web.json_response(shapes.summary(meeting, run))

    async def download(self, request: web.Request) -> web.Response:
        """Redirects. Needs the event's download token or an access token that covers the host."""
        meeting, file = self._world.recordings.files.get(request.match_info["file"], (None, None))
        if meeting is None or file is None:
            return _refuse(404, "File not found.")
        if not self._may_download(bearer(request), meeting):
            return _refuse(401, "Forbidden")
        key = ids.user_id()
        self._redirects[key] = file
        return web.Response(
            status=302, headers={"Location": f"{self._world.meeting_store.url}/rec/raw/{key}"}
        )

    async def raw(self, request: web.Request) -> web.Response:
        file = self._redirects.pop(request.match_info["key"], None)
        if file is None:
            return _refuse(404, "File not found.")
        name = f"attachment; filename=recording.{file.extension.lower()}"
        return web.Response(
            body=file.content, content_type=file.content_type, headers={"Content-Disposition": name}
        )

    async def play(self, request: web.Request) -> web.Response:
        """The page shown to people who open a recording's link."""
        return pages.page(
            "A recording", "<p>Here Zoom would ask for the passcode and play the recording.</p>"
        )

    def _may_download(self, token: str, meeting: Meeting) -> bool:
        if self._world.recordings.opens(token, meeting):
            return True
        try:
            grant = self._world.accounts.check(token)
        except ApiError:
            return False
        return self._dispatcher.may_see(Caller(grant.user), meeting.host)

    def _run(self, request: web.Request, caller: Caller) -> tuple[Meeting, Occurrence]:
        meeting, run = self._world.meeting_store.run(bodies.run_name(request))
        if not self._dispatcher.may_see(caller, meeting.host):
            raise no_access()
        return meeting, run

    def _ended(self, request: web.Request, caller: Caller) -> tuple[Meeting, Occurrence]:
        meeting, run = self._run(request, caller)
        if meeting.host.type == BASIC:
            raise not_paid(meeting.host.account_id)
        if not run.ended_ms:
            raise no_meeting(request.match_info["id"])
        if run.ended_ms < self._world.clock.now_ms() - PAST_MS:
            raise too_old()
        return meeting, run


def _refuse(status: int, message: str) -> web.Response:
    body = {"status": False, "errorCode": status, "errorMessage": message}
    return web.json_response(body, status=status)
