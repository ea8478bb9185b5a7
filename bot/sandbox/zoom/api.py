"""API v2 routes for users and their current meetings and webinars."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.zoom import bodies, shapes
from bot.sandbox.zoom.dispatch import Caller, Dispatcher
from bot.sandbox.zoom.failures import ApiError, invalid, no_access, no_meeting, no_webinar_plan, personal_kept
from bot.sandbox.zoom.models import (
    INSTANT,
    PERSONAL,
    RECURRING,
    SCHEDULED,
    WEBINAR,
    Json,
    Meeting,
    Plan,
    User,
)
from bot.sandbox.zoom.world import World

KINDS = (1, 2, 3, 8)


class Api:
    """The ``/v2`` routes for users, and for meetings that are not over."""

    def __init__(self, world: World, dispatcher: Dispatcher) -> None:
        self._world = world
        self._dispatcher = dispatcher

    def routes(self) -> list[web.RouteDef]:
        """All routes, each with the scope it needs."""
        guard = self._dispatcher.api
        return [
            web.get("/v2/users/{user}", guard("user:read:user", self.user)),
            web.get("/v2/users/{user}/settings", guard("user:read:settings", self.user_settings)),
            web.get("/v2/users/{user}/meetings", guard("meeting:read:list_meetings", self.list_meetings)),
            web.post("/v2/users/{user}/meetings", guard("meeting:write:meeting", self.create_meeting)),
            web.post("/v2/users/{user}/webinars", guard("webinar:write:webinar", self.create_webinar)),
            web.get("/v2/meetings/{id}", guard("meeting:read:meeting", self.get_meeting)),
            web.patch("/v2/meetings/{id}", guard("meeting:update:meeting", self.update_meeting)),
            web.delete("/v2/meetings/{id}", guard("meeting:delete:meeting", self.delete_meeting)),
            web.put("/v2/meetings/{id}/status", guard("meeting:update:status", self.set_status)),
            web.get("/v2/webinars/{id}", guard("webinar:read:webinar", self.get_webinar)),
            web.delete("/v2/webinars/{id}", guard("webinar:delete:webinar", self.delete_webinar)),
            web.put("/v2/webinars/{id}/status", guard("webinar:update:status", self.set_webinar_status)),
        ]

    async def user(self, request: web.Request, caller: Caller) -> web.Response:
        """User apps may read only ``me``, other apps anybody in the account."""
        user = self._named(request, caller)
        return web.json_response(shapes.user(user, self._world.meeting_store.url))

    async def user_settings(self, request: web.Request, caller: Caller) -> web.Response:
        """``schedule_meeting.personal_meeting`` says whether the personal meeting may be used."""
        return web.json_response(shapes.user_settings(self._named(request, caller)))

    async def list_meetings(self, request: web.Request, caller: Caller) -> web.Response:
        """``type`` is scheduled (default), live, upcoming (two names) or previous_meetings. Newest last."""
        user = self._named(request, caller)
        kind = request.query.get("type", "scheduled")
        if kind not in ("scheduled", "upcoming", "upcoming_meetings", "live", "previous_meetings"):
            raise invalid("type", "Invalid field.")
        found = [
            meeting
            for meeting in self._world.meeting_store.meetings.values()
            if self._listed(meeting, user, kind)
        ]
        return web.json_response(
            bodies.paged(request, "meetings", [shapes.listed(meeting) for meeting in found])
        )

    async def create_meeting(self, request: web.Request, caller: Caller) -> web.Response:
        """201. With ``settings.use_pmi`` it is the host's personal meeting, if that is enabled; ``type`` is
        then still what was asked for."""
        user = self._named(request, caller)
        body = await bodies.read(request)
        kind = bodies.number(body, "type", SCHEDULED)
        if kind not in KINDS:
            raise invalid("type", "Invalid field.")
        plan = self._plan(body, "Zoom Meeting", timed=kind not in (INSTANT, RECURRING))
        self._world.count_change(user)
        if plan.settings.get("use_pmi") and user.pmi_enabled:
            meeting = self._world.meeting_store.personal(user)
            meeting.topic, meeting.agenda = plan.topic, plan.agenda
        else:
            meeting = self._world.meeting_store.create(user, plan, kind)
        self._world.meeting_store.created.append(meeting.id)
        return web.json_response(self._shape(meeting) | {"type": kind}, status=201)

    async def create_webinar(self, request: web.Request, caller: Caller) -> web.Response:
        """201, or 400 code 200 without a webinar licence."""
        user = self._named(request, caller)
        body = await bodies.read(request)
        if not user.webinar:
            raise no_webinar_plan()
        plan = self._plan(body, "Zoom Webinar", timed=True)
        self._world.count_change(user)
        meeting = self._world.meeting_store.create(user, plan, WEBINAR)
        self._world.meeting_store.created.append(meeting.id)
        return web.json_response(self._shape(meeting), status=201)

    async def get_meeting(self, request: web.Request, caller: Caller) -> web.Response:
        """404 code 3001 if it is an instant meeting that is over."""
        return web.json_response(self._shape(self._meeting(request, caller)))

    async def update_meeting(self, request: web.Request, caller: Caller) -> web.Response:
        meeting = self._meeting(request, caller)
        body = await bodies.read(request)
        topic = bodies.text(body, "topic", bodies.TOPIC_LIMIT, meeting.topic)
        agenda = bodies.text(body, "agenda", bodies.AGENDA_LIMIT, meeting.agenda)
        start = bodies.moment(body, "start_time") or meeting.scheduled_ms
        duration = bodies.number(body, "duration", meeting.duration)
        self._world.count_change(meeting.host)
        meeting.topic, meeting.agenda, meeting.scheduled_ms, meeting.duration = topic, agenda, start, duration
        return web.Response(status=204)

    async def delete_meeting(self, request: web.Request, caller: Caller) -> web.Response:
        """204, or 400 code 3002 while the meeting is in progress."""
        return self._delete(self._meeting(request, caller))

    async def set_status(self, request: web.Request, caller: Caller) -> web.Response:
        """``{"action": "end"}`` → 204."""
        await self._end(request, self._meeting(request, caller))
        return web.Response(status=204)

    async def get_webinar(self, request: web.Request, caller: Caller) -> web.Response:
        return web.json_response(self._shape(self._meeting(request, caller, webinar=True)))

    async def delete_webinar(self, request: web.Request, caller: Caller) -> web.Response:
        return self._delete(self._meeting(request, caller, webinar=True))

    async def set_webinar_status(self, request: web.Request, caller: Caller) -> web.Response:
        """``{"action": "end"}`` → 200."""
        await self._end(request, self._meeting(request, caller, webinar=True))
        return web.Response(status=200)

    async def _end(self, request: web.Request, meeting: Meeting) -> None:
        body = await bodies.read(request)
        if body.get("action") != "end":
            raise invalid("action", "Invalid field.")
        if meeting.status != "started":
            raise ApiError(400, 300, "This meeting has not started.")
        self._world.webhooks.later(self._world.meeting_store.close(meeting))

    def _delete(self, meeting: Meeting) -> web.Response:
        if meeting.status == "started":
            raise ApiError(400, 3002, "Sorry, you cannot delete this meeting since it is in progress.")
        if meeting.type == PERSONAL:
            raise personal_kept()
        self._world.meeting_store.remove(meeting)
        return web.Response(status=204)

    def _meeting(self, request: web.Request, caller: Caller, *, webinar: bool = False) -> Meeting:
        meeting = self._world.meeting_store.get(bodies.meeting_number(request))
        if meeting.webinar != webinar:
            raise no_meeting(meeting.id)
        if not self._dispatcher.may_see(caller, meeting.host):
            raise no_access()
        return meeting

    def _named(self, request: web.Request, caller: Caller) -> User:
        return self._dispatcher.user(caller, request.match_info["user"])

    def _plan(self, body: Json, topic: str, *, timed: bool) -> Plan:
        start = bodies.moment(body, "start_time") or self._world.clock.now_ms()
        return Plan(
            topic=bodies.text(body, "topic", bodies.TOPIC_LIMIT) or topic,
            agenda=bodies.text(body, "agenda", bodies.AGENDA_LIMIT),
            scheduled_ms=start if timed else 0,
            duration=bodies.number(body, "duration", 60 if timed else 0),
            timezone=bodies.text(body, "timezone", 64),
            password=bodies.text(body, "password", bodies.PASSWORD_LIMIT),
            settings=bodies.settings(body),
        )

    def _shape(self, meeting: Meeting) -> Json:
        names_last = self._world.names_last_uuid
        whole = shapes.meeting(meeting, with_pmi=self._world.answers_pmi, last_uuid=names_last)
        return {name: value for name, value in whole.items() if name not in self._world.leaves_out}

    def _listed(self, meeting: Meeting, user: User, kind: str) -> bool:
        """Whether the list of this kind has the meeting. The world says where instant meetings are."""
        if meeting.host is not user or meeting.webinar or meeting.id == user.pmi:
            return False
        if meeting.status in ("ended", "expired"):
            return False
        if meeting.type == INSTANT and meeting.status != "started":
            return self._world.lists_waiting and kind not in ("live", "previous_meetings")
        if meeting.type == INSTANT and (kind != "live" or not self._world.lists_running):
            return False
        if kind == "previous_meetings":
            return bool(meeting.past)
        return kind != "live" or meeting.status == "started"
