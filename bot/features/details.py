"""Keep what a card says of a meeting (its topic, link and passcode) as it is at Zoom now.

They are read when Zoom tells that they changed, when the meeting starts, and whenever the reconciler asks
Zoom about the meeting.
"""

from __future__ import annotations

import logging

import msgspec

from bot.core.context import Context, Job
from bot.core.declarations import Changes, task, webhook
from bot.domain.meetings import Details, describe
from bot.domain.records import Meeting, Status
from bot.errors import MattermostError, ZoomError
from bot.features.lifecycle import mark_stale
from bot.stores import Change, Update
from bot.zoom import MeetingInfo
from bot.zoom.artifacts import is_web, without_passcode
from bot.zoom.webhooks import Changed, Webhook, changed_in

log = logging.getLogger(__name__)


class Look(msgspec.Struct):
    """Whose details to read, by the id of the meeting's record, and what the webhook says of them."""

    meeting: str
    told: Changed = Changed()


@webhook("meeting.started", "meeting.updated", "webinar.started", "webinar.updated")
async def look_at_details(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Have the details of the announced meetings with this number read. The card does not wait for that."""
    number = webhook.meeting.zoom_id
    told = changed_in(webhook) if webhook.event.endswith(".updated") else Changed()
    known = await ctx.store.find(Meeting, "zoom_id", number) if number else []
    # Of a pasted link nothing is read: whoever pasted it may not be allowed to see the meeting.
    looked_at = [each for each in known if each.host_id and (each.open or each.may_start_again)]
    return [_look(ctx, job, Look(each.id, told)) for each in looked_at]


@task("read_details", Look)
async def read_details(ctx: Context, job: Job, about: Look) -> Changes:
    """Ask Zoom for a meeting's details. If Zoom does not answer, go by what the webhook said."""
    meeting = await ctx.store.get(Meeting, about.meeting)
    if meeting is None or meeting.status is Status.ENDED:
        return []
    try:
        caller = await ctx.zoom_people.known_caller(meeting.host_id)
        info = await ctx.zoom.meeting(caller, meeting.zoom_id, webinar=meeting.is_webinar)
    except (ZoomError, MattermostError) as error:
        log.info("zoom: the details of meeting %s are not read: %s", meeting.zoom_id, error)
        return await renew(ctx, meeting.id, _told(meeting, about.told))
    return await renew(ctx, meeting.id, details_of(info))


async def renew(ctx: Context, meeting_id: str, details: Details) -> list[Change]:
    """Return the changes that show these details on a meeting's posts, unless it is over."""

    def described(now: Meeting) -> Meeting:
        return now if now.status is Status.ENDED else describe(now, details)

    meeting = await ctx.store.get(Meeting, meeting_id)
    if meeting is None or described(meeting) is meeting:
        return []
    log.info("meeting %s changed at Zoom", meeting.zoom_id)
    return [Update(Meeting, meeting_id, described), *await mark_stale(ctx, meeting_id)]


def details_of(info: MeetingInfo) -> Details:
    """The details in Zoom's answer."""
    return Details(info.topic, info.join_url, info.passcode)


def _told(meeting: Meeting, told: Changed) -> Details:
    """The details in a webhook. With a new passcode the old link works only without the old one."""
    url = told.join_url if is_web(told.join_url) else ""
    if told.passcode is not None and not url:
        url = without_passcode(meeting.join_url)
    return Details(told.topic, url, told.passcode)


def _look(ctx: Context, job: Job, look: Look) -> Change:
    id = f"details:{look.meeting}:{job.reference}"
    return ctx.task(id, "read_details", look, queue=f"details:{look.meeting}")
