"""Creates a meeting or webinar at Zoom once, even if answers are lost, and finds meetings by their marker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.errors import ZoomError, ZoomNotFoundError, ZoomRateLimitError, ZoomScopeError, ZoomUnreachableError
from bot.zoom import answers
from bot.zoom.calls import Calls, may_be_done
from bot.zoom.models import MeetingInfo

TRIES = 12
# How many 5xx answers (each followed by a search), or short rate limits, end the attempt.
TROUBLES = 3

# A meeting is in one of these lists, depending on its kind and on whether somebody has joined.
LISTS = ("upcoming", "live", "scheduled")
PAGE = "300"
PAGES = 3
# A list may leave out agendas. Then this many of the newest meetings are read one by one, up to this age.
LOOKS = 10
LOOK_BACK_MS = 60 * 60_000

Find = Callable[[], Awaitable[MeetingInfo | None]]


class Creation:
    """A POST that creates something. ``find`` searches for it afterwards; None if it cannot be searched.

    If nothing was sent, or a short rate limit refused it, the POST is sent again. After a 5xx, it is sent
    again unless the search finds the result; the new result is ``doubtful``. After a lost answer, the search
    must find the result; otherwise the error has ``maybe_done`` set, because the result may still appear.
    """

    def __init__(
        self, calls: Calls, name: str, owner: str, path: str, body: Mapping[str, Any], find: Find | None
    ) -> None:
        self._calls = calls
        self._name = name
        self._owner = owner
        self._path = path
        self._body = body
        self._find = find
        self._sending = False
        self._maybe_done = False
        self._doubtful = False

    async def run(self) -> MeetingInfo:
        """Create it within ``create_s`` seconds, and return it."""
        try:
            async with asyncio.timeout(self._calls.timings.create_s):
                return replace(await self._tries(), doubtful=self._doubtful)
        except TimeoutError:
            maybe_done = self._maybe_done or self._sending
        raise ZoomUnreachableError("Zoom took too long", maybe_done=maybe_done, timed_out=True)

    async def _tries(self) -> MeetingInfo:
        troubles = limits = 0
        for tries in range(1, TRIES + 1):
            try:
                return await self._post()
            except (ZoomUnreachableError, ZoomRateLimitError) as error:
                failure: ZoomError = error
            if may_be_done(failure):
                self._maybe_done = True
                troubles += 1
                found = await self._adopt(failure)
                if found:
                    return found
            limits += isinstance(failure, ZoomRateLimitError)
            if TROUBLES in (troubles, limits):
                break
            if not await self._calls.wait(failure, tries):
                break
        raise failure

    async def _post(self) -> MeetingInfo:
        # Stays true if the deadline ends the call: the outcome is then unknown.
        self._sending = True
        try:
            body = await self._calls.once(self._name, self._owner, "POST", self._path, json=self._body)
            made = self._read(body)
        except ZoomNotFoundError as error:
            # A meeting to be created cannot be missing: Zoom does not know the call, or refuses it this way.
            self._sending = False
            failure = ZoomError(str(error), status=error.status, code=error.code, reason=error.reason)
        except ZoomError as error:
            self._sending = False
            failure = error
        else:
            return made
        if isinstance(failure, ZoomUnreachableError) and 200 <= failure.status < 300:
            raise ZoomUnreachableError(str(failure), status=failure.status, maybe_done=True)
        raise failure

    def _read(self, body: bytes) -> MeetingInfo:
        """Parse the answer. It may lack the topic, but not the link."""
        made = answers.meeting(body)
        if not made.join_url:
            raise ZoomUnreachableError("the answer names no join_url", status=201)
        return replace(made, topic=made.topic or str(self._body["topic"]))

    async def _adopt(self, failure: ZoomError) -> MeetingInfo | None:
        """Return what was created after all, or None if it may be sent again; otherwise raise ``failure``."""
        if self._find is None:
            raise failure
        try:
            found = await self._find()
            if found is None:
                await asyncio.sleep(self._calls.timings.listed_after_s)
                found = await self._find()
        except (ZoomUnreachableError, ZoomRateLimitError):
            # The search failed too, so it may exist.
            raise failure from None
        except ZoomError:
            found = None
        if found is None and failure.status < 500:
            raise failure
        self._maybe_done = False
        self._doubtful = self._doubtful or found is None
        return found


async def find(calls: Calls, owner: str, who: str, marker: str) -> MeetingInfo | None:
    """The meeting of ``who`` (a path segment) whose agenda contains ``marker``; first pages only."""
    bare: list[MeetingInfo] = []
    async for listed in _all(calls, owner, who):
        if marker in listed.agenda:
            return await _whole(calls, owner, listed)
        bare.append(listed)
    for listed in _candidates(calls, bare):
        whole = await _whole(calls, owner, listed)
        if marker in whole.agenda:
            return whole
    return None


async def every(calls: Calls, owner: str, who: str) -> list[MeetingInfo]:
    """All live and future meetings of ``who``, the newest with their agendas; first pages only."""
    found = {listed.id: listed async for listed in _all(calls, owner, who)}
    for listed in _candidates(calls, list(found.values())):
        whole = await _whole(calls, owner, listed)
        found[listed.id] = replace(listed, agenda=whole.agenda)
    return list(found.values())


def _candidates(calls: Calls, listed: list[MeetingInfo]) -> list[MeetingInfo]:
    """The newest meetings without an agenda, which may have the marker, newest first."""
    since = calls.now() - LOOK_BACK_MS
    bare = [each for each in listed if not each.agenda and (each.created_ms >= since or not each.created_ms)]
    return sorted(bare, key=lambda each: each.created_ms, reverse=True)[:LOOKS]


async def _all(calls: Calls, owner: str, who: str) -> AsyncIterator[MeetingInfo]:
    """The meetings of all lists. Lists that Zoom does not know are skipped, unless it knows none."""
    refusals: list[ZoomError] = []
    for kind in LISTS:
        try:
            async for listed in _listed(calls, owner, who, kind):
                yield listed
        except ZoomError as error:
            if type(error) not in (ZoomError, ZoomNotFoundError):
                raise
            refusals.append(error)
    if len(refusals) == len(LISTS):
        raise refusals[0]


async def _listed(calls: Calls, owner: str, who: str, kind: str) -> AsyncIterator[MeetingInfo]:
    token = ""
    for _ in range(PAGES):
        params = {"type": kind, "page_size": PAGE} | ({"next_page_token": token} if token else {})
        body = await calls.send("list_meetings", owner, "GET", f"users/{who}/meetings", params=params)
        page, token = answers.meetings(body)
        for each in page:
            yield each
        if not token:
            break


async def _whole(calls: Calls, owner: str, listed: MeetingInfo) -> MeetingInfo:
    """Read a meeting by itself: links in lists may lack the passcode. Fall back to the list's data."""
    try:
        body = await calls.send("meeting", owner, "GET", f"meetings/{listed.id}")
    except (ZoomNotFoundError, ZoomScopeError):
        return listed
    return answers.meeting(body)
