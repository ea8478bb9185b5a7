"""Asks Zoom about one open meeting, and says what its record lacks.

What Zoom once does not know or does not tell is not final: the meeting is looked at again. But every
meeting comes to an end here, also one about which Zoom never tells anything.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bot.core.context import Context
from bot.domain.meetings import Expired, GivenUp, Started
from bot.domain.records import Meeting, Status
from bot.errors import (
    MattermostError,
    MattermostNotFoundError,
    NotLinkedError,
    ZoomClientError,
    ZoomError,
    ZoomLinkError,
    ZoomNotFoundError,
    ZoomRateLimitError,
    ZoomUnreachableError,
)
from bot.features.findings import Finding, is_running, past_of
from bot.zoom import Caller, MeetingInfo

log = logging.getLogger(__name__)

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
PERIOD_MS = 5 * MINUTE_MS
# A meeting that nobody starts within this time expires.
EXPIRE_MS = 24 * HOUR_MS
# A meeting announced by ``join`` may be planned for a later day.
JOINED_EXPIRE_MS = 30 * EXPIRE_MS
# Zoom ends every meeting after this time.
LONGEST_MS = 30 * HOUR_MS
# How much longer to wait while Zoom cannot be reached: it tells once it is back.
AWAY_MS = 7 * 24 * HOUR_MS
# What Zoom does not know is looked at again this much later, before that counts.
AGAIN_MS = 2 * MINUTE_MS
# Zoom's record of a meeting's end may take this long.
PAST_MS = 30 * MINUTE_MS

# These pass, or an operator ends them. Everything else is Zoom's answer.
_AWAY = (ZoomUnreachableError, ZoomRateLimitError, ZoomClientError, MattermostError)


@dataclass(slots=True)
class Look:
    """What came of earlier looks at a meeting. ``due_at`` is when to look again, ``untold`` how often in a
    row Zoom told nothing, ``gone_at`` since when Zoom has said that it is not running. Times are in ms."""

    due_at: int = 0
    untold: int = 0
    gone_at: int = 0
    # Zoom's last answer about the meeting.
    info: MeetingInfo | None = None

    def take_info(self) -> MeetingInfo | None:
        """Zoom's answer of the last look, once."""
        info, self.info = self.info, None
        return info

    def is_due(self, now: int) -> bool:
        """Whether to look again now (ms). No pause is as long as two hours: then the clock was put back."""
        return not now < self.due_at <= now + 2 * HOUR_MS


async def inquire_again(ctx: Context, meeting: Meeting, look: Look) -> Finding | None:
    """Ask Zoom, less and less often, about a meeting that was closed because Zoom did not know it. Returns
    the event that shows that it runs, or when it ended."""
    try:
        caller = await ctx.zoom_people.known_caller(meeting.host_id)
        info = await _info(ctx, caller, meeting)
        if info is not None and is_running(meeting, info, ctx.now()):
            return Finding(Started(ctx.now(), presumed=True), info.uuid)
        return (await _past(ctx, caller, meeting))[0]
    except (ZoomError, MattermostError) as error:
        log.info("reconciler: meeting %s stays closed: %s", meeting.zoom_id, error)
        return None
    finally:
        _slow_down(ctx, look)


async def inquire(ctx: Context, meeting: Meeting, look: Look) -> Finding | None:
    """Ask Zoom about a meeting. Returns the event that its record lacks, None if there is none; ``look``
    keeps what the next time has to know."""
    try:
        caller = await ctx.zoom_people.known_caller(meeting.host_id)
        info = look.info = await _info(ctx, caller, meeting)
        found = await _compare(ctx, caller, meeting, info, look)
    except (ZoomError, MattermostError) as error:
        log.info("reconciler: meeting %s is not known to Zoom or not told: %s", meeting.zoom_id, error)
        return _not_told(ctx, meeting, look, error)
    if info is not None and not info.status:
        _slow_down(ctx, look)
    else:
        look.untold = 0
        look.due_at = _after(ctx, HOUR_MS) if _waits_long(ctx, meeting) else 0
    return found


async def _info(ctx: Context, caller: Caller, meeting: Meeting) -> MeetingInfo | None:
    try:
        return await ctx.zoom.meeting(caller, meeting.zoom_id, webinar=meeting.is_webinar)
    except ZoomNotFoundError:
        return None


async def _compare(
    ctx: Context, caller: Caller, meeting: Meeting, info: MeetingInfo | None, look: Look
) -> Finding | None:
    if info is not None and is_running(meeting, info, ctx.now()):
        look.gone_at = 0
        # Zoom gives only the planned start here. The actual start becomes known when the meeting ends.
        waits = meeting.status is Status.WAITING
        return Finding(Started(ctx.now(), presumed=True), info.uuid) if waits else None
    # It has ended (a personal room outlasts its meetings), or not yet started.
    past, told = await _past(ctx, caller, meeting)
    if past is not None:
        return past
    if info is None or (info.status and meeting.status is Status.STARTED):
        return _gone(ctx, meeting, look, told=told)
    look.gone_at = 0
    # Zoom forgets an instant meeting when it ends: one that is there has not taken place.
    told = told or meeting.kind == "instant"
    return _waited(ctx, meeting, told=told and bool(info.status))


async def _past(ctx: Context, caller: Caller, meeting: Meeting) -> tuple[Finding | None, bool]:
    """The meeting's end, if Zoom knows it, and whether Zoom tells ends at all: not those of free accounts."""
    try:
        return await past_of(ctx, caller, meeting), True
    except (*_AWAY, NotLinkedError, ZoomLinkError):
        raise
    except ZoomError as error:
        log.info("reconciler: meeting %s: its end is not told: %s", meeting.zoom_id, error)
        return None, False


def _gone(ctx: Context, meeting: Meeting, look: Look, *, told: bool) -> Finding | None:
    """Zoom says that it is not running, or does not know it. That counts from the second look on."""
    look.gone_at = look.gone_at or ctx.now()
    gone_ms = ctx.now() - look.gone_at
    if gone_ms < AGAIN_MS:
        return None
    if meeting.status is Status.WAITING:
        # A webinar that took place may be as unknown as one that never did.
        return Finding(Expired()) if told and not meeting.is_webinar else _given_up(meeting)
    # Its end may still be told.
    return Finding(GivenUp(look.gone_at)) if gone_ms >= PAST_MS or not told else None


def _waited(ctx: Context, meeting: Meeting, *, told: bool) -> Finding | None:
    """It is there, and Zoom does not say that it is running, if it says anything at all."""
    if ctx.now() <= _until(meeting):
        return None
    never = told and meeting.status is Status.WAITING
    return Finding(Expired()) if never else _given_up(meeting)


def _not_told(
    ctx: Context, meeting: Meeting, look: Look, error: ZoomError | MattermostError
) -> Finding | None:
    away = isinstance(error, _AWAY) and not isinstance(error, MattermostNotFoundError)
    if not away:
        _slow_down(ctx, look)
    over = ctx.now() > _until(meeting) + (AWAY_MS if away else 0)
    return _given_up(meeting) if over else None


def _given_up(meeting: Meeting) -> Finding:
    return Finding(GivenUp(max(1, _last_sign(meeting))))


def _last_sign(meeting: Meeting) -> int:
    return max(meeting.alive_at, meeting.started_at)


def _until(meeting: Meeting) -> int:
    """How long to go on asking (ms since the epoch)."""
    if meeting.status is Status.STARTED:
        return (_last_sign(meeting) or meeting.created_at) + LONGEST_MS
    if meeting.kind != "joined":
        return meeting.created_at + EXPIRE_MS
    return max(meeting.created_at, meeting.planned_at) + JOINED_EXPIRE_MS


def _waits_long(ctx: Context, meeting: Meeting) -> bool:
    return meeting.status is Status.WAITING and ctx.now() - meeting.created_at > EXPIRE_MS


def _slow_down(ctx: Context, look: Look) -> None:
    """Ask less and less often about a meeting of which Zoom tells nothing: at last once an hour."""
    look.untold += 1
    look.due_at = _after(ctx, min(PERIOD_MS << min(look.untold - 1, 10), HOUR_MS))


def _after(ctx: Context, pause_ms: int) -> int:
    # The periodic look comes a little sooner or later than it is due.
    return ctx.now() + pause_ms - PERIOD_MS // 2
