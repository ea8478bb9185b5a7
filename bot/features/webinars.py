"""``webinar <topic>``: like ``start``, for people whose Zoom plan includes webinars."""

from __future__ import annotations

import logging

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Where, command, webhook
from bot.domain.grammar import TOPIC, Request
from bot.errors import ZoomLicenceError, ZoomUnreachableError
from bot.features import confirmations, gates, lifecycle, orphans, start
from bot.messages.content import Text, Url, text
from bot.zoom.webhooks import Webhook

log = logging.getLogger(__name__)

_EVENTS = ("started", "ended", "participant_joined", "participant_left")


async def not_interrupted(ctx: Context, job: Job, request: Request) -> Changes | None:
    """Gate: refuse a retry. Zoom lists webinars without agendas, so one already created cannot be found."""
    return [ctx.tell(job, request, _unsure(ctx))] if job.retried else None


@command(
    "webinar",
    takes=TOPIC,
    where=Where.CHANNEL,
    gates=(
        gates.may_post,
        gates.fresh,
        gates.linked,
        not_interrupted,
        confirmations.not_duplicate,
        confirmations.not_crowded,
    ),
    usage="webinar-usage",
    help="webinar-help",
    position=50,
    announces=True,
)
async def webinar(ctx: Context, job: Job, request: Request) -> Changes:
    """Create a webinar at Zoom and announce it, or say privately why not."""
    try:
        return await _create(ctx, job, request)
    except ZoomLicenceError:
        return [ctx.tell(job, request, text("webinar-licence"))]
    except ZoomUnreachableError as error:
        if not error.maybe_done:
            raise
        log.warning("zoom: whether %s made a webinar is not known: %s", job.id, error)
        return [ctx.tell(job, request, _unsure(ctx))]


@webhook(*(f"webinar.{event}" for event in _EVENTS))
async def change_webinar(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Handle a webinar event like the meeting event, which has the same content under another name."""
    name = webhook.event.replace("webinar.", "meeting.", 1)
    event = Webhook(event=name, event_ts=webhook.event_ts, payload=webhook.payload)
    return await lifecycle.change_meeting(ctx, job, event)


async def _create(ctx: Context, job: Job, request: Request) -> Changes:
    caller = await ctx.caller(request.user_id)
    topic = await start.topic_of(ctx, request)
    created = await ctx.zoom.create_webinar(caller, topic=topic, marker=orphans.marker(job))
    meeting = start.meeting_record(ctx, job, request, created, kind="webinar")
    return start.announced(ctx, job, request, meeting)


def _unsure(ctx: Context) -> Text:
    return text("webinar-unsure", url=Url(f"{ctx.config.zoom.url}/webinar/list"))
