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
    ZoomLinkError,
    ZoomNotFoundError,
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

    @property
    def personal(self) -> bool:
        """Whether it is somebody's personal room."""
        return self.info.personal


async def look_up(ctx: Context, user_id: str, number: int, *, asked: bool = True) -> FoundMeeting | None:
    """The meeting as Zoom shows it to this person; None if Zoom does not show it.

    Raises :class:`ZoomError` for all other failures. An account's token can see every meeting of the account:
    there, ``hosted`` decides what a person may see. ``asked``: the person asks for it now.
    """
    if not await is_linked(ctx, user_id):
        raise NotLinkedError("no Zoom account is linked")
    # Do this first. Otherwise the answer to a person unknown to Zoom would show whether the meeting exists.
    caller = await (ctx.caller(user_id) if asked else _known_caller(ctx, user_id))
    zoom_id = await _zoom_id(ctx, caller)
    try:
        info = await ctx.zoom.meeting(caller, number)
    except ZoomError as error:
        if type(error) not in (ZoomError, ZoomNotFoundError) or error.status not in (400, 403, 404):
            raise
        return None
    return FoundMeeting(info, zoom_id == info.host_id)


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
