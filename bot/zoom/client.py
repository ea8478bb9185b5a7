"""Zoom's API: one method for each call (including its further pages). All errors are :class:`ZoomError`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal
from urllib.parse import quote

import aiohttp

from bot.clock import Now, now_ms
from bot.errors import EmailHiddenError, ZoomNotFoundError, ZoomUserUnknownError
from bot.zoom import answers
from bot.zoom.account_token import GrantToken
from bot.zoom.calls import Calls, OnCall, OnDate, certain, ignore_call, ignore_date
from bot.zoom.creating import Creation, every, find
from bot.zoom.downloads import download
from bot.zoom.errors import AccessRefusedError
from bot.zoom.models import Caller, Grant, MeetingInfo, Past, Settings, ZoomUser
from bot.zoom.sessions import TIMEOUT_S
from bot.zoom.timings import DEFAULT_TIMINGS, ZoomTimings
from bot.zoom.tokens import ACCOUNT, TokenSource

App = Literal["user", "account", "server-to-server"]

_WEBINAR = 5
_INSTANT = 1


class Zoom:
    """The API at ``api_url`` for one kind of app.

    A ``user`` app calls as the person (``users/me``) with that person's token. Other apps call with one
    shared token and identify the person by e-mail address. Create it in a running loop; the caller closes
    ``http`` and ``tokens``. ``on_call`` is called with each call's name and HTTP status (0: no answer),
    ``on_date`` with the ``Date`` of each answer; see :data:`bot.zoom.calls.OnDate`.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        api_url: str,
        tokens: TokenSource,
        *,
        app: App = "user",
        now: Now = now_ms,
        timeout_s: float = TIMEOUT_S,
        timings: ZoomTimings = DEFAULT_TIMINGS,
        on_call: OnCall = ignore_call,
        on_date: OnDate = ignore_date,
        assured: Callable[[], Awaitable[None]] = certain,
    ) -> None:
        self._http = http
        self._app = app
        self._calls = Calls(
            http,
            api_url,
            tokens,
            now=now,
            timeout_s=timeout_s,
            timings=timings,
            on_call=on_call,
            on_date=on_date,
            assured=assured,
        )

    async def create_meeting(self, caller: Caller, *, topic: str, marker: str) -> MeetingInfo:
        """Create a meeting (``POST /users/{…}/meetings``) within 22 s.

        ``marker`` is put into the agenda. If an answer is lost, the meeting is found by it and not created
        again. If the search does not tell, :class:`bot.errors.ZoomUnreachableError` has ``maybe_done`` set.
        """
        body: dict[str, object] = {"topic": topic, "type": _INSTANT, "agenda": marker}
        path = f"users/{self._who(caller)}/meetings"

        async def lost() -> MeetingInfo | None:
            return await self.find_meeting(caller, marker)

        return await Creation(self._calls, "create_meeting", self._owner(caller), path, body, lost).run()

    async def personal_room(self, caller: Caller) -> MeetingInfo:
        """The caller's personal room, which always exists. Its ``id`` is the personal meeting id (PMI).
        Raises :class:`ZoomNotFoundError` if it may not be used."""
        pmi = (await self.me(caller)).pmi
        if not pmi:
            raise ZoomNotFoundError("this person has no personal meeting room")
        return await self.meeting(caller, pmi)

    async def create_webinar(self, caller: Caller, *, topic: str, marker: str) -> MeetingInfo:
        """Create a webinar (``POST /users/{…}/webinars``).

        Raises :class:`bot.errors.ZoomLicenceError` without Zoom's add-on. If the answer is lost, the error
        has ``maybe_done`` set: webinars are not searched.
        """
        body: dict[str, object] = {"topic": topic, "type": _WEBINAR, "agenda": marker}
        path = f"users/{self._who(caller)}/webinars"
        return await Creation(self._calls, "create_webinar", self._owner(caller), path, body, None).run()

    async def find_meeting(self, caller: Caller, marker: str) -> MeetingInfo | None:
        """The caller's live, upcoming or scheduled meeting whose agenda contains ``marker``."""
        return await find(self._calls, self._owner(caller), self._who(caller), marker)

    async def meetings(self, caller: Caller) -> list[MeetingInfo]:
        """The caller's live, upcoming and scheduled meetings, at most 900 of each."""
        return await every(self._calls, self._owner(caller), self._who(caller))

    async def meeting(self, caller: Caller, meeting_id: int, *, webinar: bool = False) -> MeetingInfo:
        """``GET /meetings/{id}`` (or ``/webinars``); :class:`ZoomNotFoundError` if it ended or expired."""
        return answers.meeting(await self._get("meeting", caller, _path(meeting_id, webinar)))

    async def past_meeting(self, caller: Caller, which: str | int) -> Past:
        """``GET /past_meetings/{uuid or id}``; for an id, Zoom returns the last occurrence."""
        body = await self._get("past_meeting", caller, f"past_meetings/{segment(which)}")
        return answers.past(body, which if isinstance(which, str) else "")

    async def recording(self, caller: Caller, which: str | int) -> dict[str, Any]:
        """``GET /meetings/{uuid or id}/recordings``: an object like that of ``recording.completed``."""
        return answers.document(await self._get("recording", caller, f"meetings/{segment(which)}/recordings"))

    async def summary(self, caller: Caller, which: str | int) -> dict[str, Any]:
        """``GET /meetings/{uuid or id}/meeting_summary``: like that of ``meeting.summary_completed``."""
        path = f"meetings/{segment(which)}/meeting_summary"
        return answers.document(await self._get("summary", caller, path))

    async def end_meeting(self, caller: Caller, meeting_id: int, *, webinar: bool = False) -> None:
        """End a meeting for everybody (``PUT /meetings/{id}/status``). Raises :class:`ZoomNotFoundError` if
        it has already ended."""
        path = _path(meeting_id, webinar) + "/status"
        await self._calls.send("end_meeting", self._owner(caller), "PUT", path, json={"action": "end"})

    async def delete_meeting(self, caller: Caller, meeting_id: int, *, webinar: bool = False) -> None:
        """Delete a meeting (``DELETE /meetings/{id}``). It is no error if it no longer exists."""
        path = _path(meeting_id, webinar)
        try:
            await self._calls.send("delete_meeting", self._owner(caller), "DELETE", path)
        except ZoomNotFoundError:
            return

    async def me(self, caller: Caller) -> ZoomUser:
        """The caller at Zoom: ``GET /users/me``, or by e-mail address for apps that have no "me".
        :class:`ZoomUserUnknownError` then has the address."""
        try:
            return answers.user(await self._get("user", caller, f"users/{self._who(caller)}"))
        except ZoomUserUnknownError as error:
            error.email = "" if caller.zoom_id or self._app == "user" else caller.email
            raise

    async def identify(self, grant: Grant) -> ZoomUser:
        """The Zoom user who gave this grant: ``GET /users/me`` with its own token, before there is a link."""
        calls = self._calls.using(GrantToken(grant))
        return answers.user(await calls.send("user", "", "GET", "users/me"))

    async def ask_time(self) -> None:
        """Let ``on_date`` know Zoom's time, in one call without a token."""
        await self._calls.ask_time()

    async def settings(self, caller: Caller) -> Settings:
        """The caller's settings (``GET /users/{…}/settings``)."""
        return answers.settings(await self._get("settings", caller, f"users/{self._who(caller)}/settings"))

    async def download(
        self, url: str, token: str, *, limit: int, allowed_hosts: tuple[str, ...] = ()
    ) -> bytes:
        """Download a file that a webhook named, at most ``limit`` bytes, and only from Zoom's hosts, the host
        of ``api_url`` and ``allowed_hosts``. See :func:`bot.zoom.downloads.download`."""
        hosts = (self._calls.host, *allowed_hosts)
        return await download(self._http, url, token, limit=limit, allowed_hosts=hosts)

    async def download_as(
        self, caller: Caller, url: str, *, limit: int, allowed_hosts: tuple[str, ...] = ()
    ) -> bytes:
        """Like :meth:`download`, but with the caller's token, for webhooks that brought none."""
        owner = self._owner(caller)
        token = await self._calls.tokens.access(owner)
        try:
            return await self.download(url, token, limit=limit, allowed_hosts=allowed_hosts)
        except AccessRefusedError:
            token = await self._calls.tokens.refresh(owner, token)
        return await self.download(url, token, limit=limit, allowed_hosts=allowed_hosts)

    async def _get(self, name: str, caller: Caller, path: str) -> bytes:
        return await self._calls.send(name, self._owner(caller), "GET", path)

    def _owner(self, caller: Caller) -> str:
        return caller.user_id if self._app == "user" else ACCOUNT

    def _who(self, caller: Caller) -> str:
        if self._app == "user":
            return "me"
        if caller.zoom_id:
            return segment(caller.zoom_id)
        if not caller.email:
            raise EmailHiddenError("this person has no e-mail address to be found by")
        return segment(caller.email)

    def __repr__(self) -> str:
        return f"Zoom({self._calls.host!r}, app={self._app!r})"


def _path(meeting_id: int, webinar: bool) -> str:
    return f"{'webinars' if webinar else 'meetings'}/{meeting_id}"


def segment(value: str | int) -> str:
    """Encode a path segment. A uuid that starts with ``/`` or contains ``//`` must be encoded twice."""
    text = str(value)
    once = quote(text, safe="@")
    return quote(once, safe="@") if text.startswith("/") or "//" in text else once
