"""Look up a meeting at Zoom on a person's behalf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.core.context import Context
from bot.domain.records import LinkedAccount, Meeting, Subscription
from bot.errors import (
    NotLinkedError,
    ZoomError,
    ZoomLicenceError,
    ZoomLinkError,
    ZoomNotFoundError,
    ZoomScopeError,
    ZoomUserChangedError,
    ZoomUserUnknownError,
)
from bot.features.connect import is_linked
from bot.zoom import Caller, MeetingInfo

T = TypeVar("T", Meeting, Subscription)


@dataclass(frozen=True, slots=True)
class FoundMeeting:
    """A meeting, and whether the person who looked it up is its host."""

    info: MeetingInfo
    hosted: bool
    webinar: bool = False

    @property
    def personal(self) -> bool:
        """Whether it is somebody's personal room."""
        return self.info.personal


async def look_up(
    ctx: Context, user_id: str, number: int, *, asked: bool = True, webinars: bool = False
) -> FoundMeeting | None:
    """The meeting as Zoom shows it to this person; None if Zoom does not show it.

    Raises :class:`ZoomError` for all other failures. An account's token can see every meeting of the account:
    there, ``hosted`` decides what a person may see. ``asked``: the person asks for it now.
    ``webinars``: the number may also be a webinar's, which Zoom does not find among the meetings.
    """
    if not await is_linked(ctx, user_id):
        raise NotLinkedError("no Zoom account is linked")
    # Do this first. Otherwise the answer to a person unknown to Zoom would show whether the meeting exists.
    caller = await (ctx.caller(user_id) if asked else _known_caller(ctx, user_id))
    zoom_id = await _zoom_id(ctx, caller)
    try:
        info = await ctx.zoom.meeting(caller, number)
    except ZoomError as error:
        if not _is_hidden(error):
            raise
        may_be_webinar = isinstance(error, ZoomNotFoundError) or "webinar" in error.reason.lower()
        return await _webinar(ctx, caller, number, zoom_id) if webinars and may_be_webinar else None
    return FoundMeeting(info, zoom_id == info.host_id)


async def _webinar(ctx: Context, caller: Caller, number: int, zoom_id: str) -> FoundMeeting | None:
    try:
        info = await ctx.zoom.meeting(caller, number, webinar=True)
    except (ZoomLicenceError, ZoomScopeError):
        # Whoever has no webinars meant a meeting.
        return None
    except ZoomError as error:
        if not _is_hidden(error):
            raise
        return None
    return FoundMeeting(info, zoom_id == info.host_id, webinar=True)


def _is_hidden(error: ZoomError) -> bool:
    """Whether Zoom does not show the meeting to the person, or has none."""
    return type(error) in (ZoomError, ZoomNotFoundError) and error.status in (400, 403, 404)


async def hosted(ctx: Context, user_id: str, known: Sequence[T]) -> list[T]:
    """Those of ``known`` that this person hosts at Zoom, whoever shared or followed them."""
    try:
        zoom_id = await _zoom_id(ctx, await _known_caller(ctx, user_id))
    except (NotLinkedError, ZoomLinkError, ZoomUserUnknownError, ZoomUserChangedError):
        # Somebody whom Zoom does not know hosts nothing.
        return []
    return [each for each in known if zoom_id and each.host_zoom_id == zoom_id]


async def _known_caller(ctx: Context, user_id: str) -> Caller:
    """The caller that the person has been so far, also after their e-mail address was changed."""
    known = await ctx.zoom_people.known_caller(user_id)
    return known if known.zoom_id else await ctx.caller(user_id)


async def _zoom_id(ctx: Context, caller: Caller) -> str:
    if ctx.config.zoom.app == "user":
        link = await ctx.store.get(LinkedAccount, caller.user_id)
        return link.zoom_user_id if link else ""
    return caller.zoom_id
