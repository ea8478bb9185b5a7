"""Finds a meeting by the marker in its agenda."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bot.errors import ZoomNotFoundError, ZoomScopeError
from bot.zoom import answers
from bot.zoom.calls import Calls
from bot.zoom.models import MeetingInfo

# An instant meeting is in one of these, depending on whether somebody came already.
LISTS = ("live", "upcoming", "scheduled")
PAGE = "300"
PAGES = 3


async def find(calls: Calls, owner: str, who: str, marker: str) -> MeetingInfo | None:
    """The meeting of ``who`` (a path segment) whose agenda holds ``marker``; first pages only."""
    for kind in LISTS:
        async for listed in _listed(calls, owner, who, kind):
            if marker in listed.agenda:
                return await _whole(calls, owner, listed)
    return None


async def every(calls: Calls, owner: str, who: str) -> list[MeetingInfo]:
    """All meetings of ``who`` that are live or to come; first pages only."""
    found: dict[int, MeetingInfo] = {}
    for kind in LISTS:
        async for listed in _listed(calls, owner, who, kind):
            found[listed.id] = listed
    return list(found.values())


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
    """A list's links may lack the passcode; what cannot be read is taken from the list."""
    try:
        body = await calls.send("meeting", owner, "GET", f"meetings/{listed.id}")
    except (ZoomNotFoundError, ZoomScopeError):
        return listed
    return answers.meeting(body)
