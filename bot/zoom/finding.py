"""Finds a meeting by the marker in its agenda."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from bot.errors import ZoomError, ZoomNotFoundError, ZoomScopeError
from bot.zoom import answers
from bot.zoom.calls import Calls
from bot.zoom.models import MeetingInfo

# A meeting is in one of these, depending on its kind and on whether somebody came already.
LISTS = ("upcoming", "live", "scheduled")
PAGE = "300"
PAGES = 3
# A list may leave agendas out: then so many of the newest are looked at, made no longer ago than this.
LOOKS = 10
LOOK_BACK_MS = 60 * 60_000


async def find(calls: Calls, owner: str, who: str, marker: str) -> MeetingInfo | None:
    """The meeting of ``who`` (a path segment) whose agenda holds ``marker``; first pages only."""
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
    """All meetings of ``who`` that are live or to come, with the agendas of the newest; first pages only."""
    found = {listed.id: listed async for listed in _all(calls, owner, who)}
    for listed in _candidates(calls, list(found.values())):
        whole = await _whole(calls, owner, listed)
        found[listed.id] = replace(listed, agenda=whole.agenda)
    return list(found.values())


def _candidates(calls: Calls, listed: list[MeetingInfo]) -> list[MeetingInfo]:
    """Those without an agenda that may be meant, the newest first."""
    since = calls.now() - LOOK_BACK_MS
    bare = [each for each in listed if not each.agenda and (each.created_ms >= since or not each.created_ms)]
    return sorted(bare, key=lambda each: each.created_ms, reverse=True)[:LOOKS]


async def _all(calls: Calls, owner: str, who: str) -> AsyncIterator[MeetingInfo]:
    """What all lists hold. One that Zoom does not know is passed over, as long as it knows another."""
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
    """A list's links may lack the passcode; what cannot be read is taken from the list."""
    try:
        body = await calls.send("meeting", owner, "GET", f"meetings/{listed.id}")
    except (ZoomNotFoundError, ZoomScopeError):
        return listed
    return answers.meeting(body)
