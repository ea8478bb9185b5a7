"""``webinar <topic>``: as a meeting, for those whose Zoom plan has webinars."""

from __future__ import annotations

import logging

from bot.core.context import Context, Job
from bot.core.registry import Changes, Router
from bot.domain.grammar import Request
from bot.errors import NotLinkedError, ZoomError, ZoomLicenceError, ZoomLinkError, ZoomUnreachableError
from bot.features import confirmations, connect, lifecycle, policy, start
from bot.messages import sentences, texts
from bot.zoom.webhooks import Webhook

log = logging.getLogger(__name__)

_EVENTS = ("started", "ended", "participant_joined", "participant_left")


def register(router: Router) -> None:
    """Register what this room handles."""
    router.command("webinar")(webinar)
    router.webhook(*(f"webinar.{event}" for event in _EVENTS))(change_webinar)


async def webinar(ctx: Context, job: Job, request: Request) -> Changes:
    """Create a webinar at Zoom and announce it, or say privately why not."""
    if refusal := await policy.refusal(ctx, request):
        return [ctx.tell(job, request, refusal)]
    if start.is_missed(ctx, request):
        return [ctx.tell(job, request, texts.MISSED.format(ago=texts.ago(ctx.now() - request.asked_at)))]
    try:
        return await _create(ctx, job, request)
    except (NotLinkedError, ZoomLinkError) as error:
        revoked = isinstance(error, ZoomLinkError)
        return await connect.ask_to_link(ctx, job, request, revoked=revoked, text=texts.CONNECT_FIRST)
    except ZoomLicenceError:
        return [ctx.tell(job, request, sentences.WEBINAR_LICENCE)]
    except ZoomError as error:
        log.warning("zoom: no webinar for %s: %s", job.id, error, extra={"user": request.user_id})
        unsure = isinstance(error, ZoomUnreachableError) and error.maybe_done
        return [ctx.tell(job, request, _unsure(ctx) if unsure else ctx.problem(error))]


async def change_webinar(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Zoom's events for webinars say what those for meetings say, under another name."""
    name = webhook.event.replace("webinar.", "meeting.", 1)
    event = Webhook(event=name, event_ts=webhook.event_ts, payload=webhook.payload)
    return await lifecycle.change_meeting(ctx, job, event)


async def _create(ctx: Context, job: Job, request: Request) -> Changes:
    if not await connect.is_linked(ctx, request.user_id):
        raise NotLinkedError("no Zoom account is linked")
    if job.retried:
        # Zoom lists no agendas of webinars: one that was made before an interruption cannot be found.
        return [ctx.tell(job, request, _unsure(ctx))]
    for ask in (confirmations.ask_about_duplicate, confirmations.ask_about_crowd):
        if asked := await ask(ctx, job, request):
            return asked
    ctx.creations.begin(job.id)
    caller = await ctx.caller(request.user_id)
    topic = await start.topic_of(ctx, request)
    created = await ctx.zoom.create_webinar(caller, topic=topic, marker=start.marker(job))
    meeting = start.meeting_record(ctx, job, request, created, kind="webinar")
    return start.announced(ctx, job, request, meeting)


def _unsure(ctx: Context) -> str:
    return sentences.WEBINAR_UNSURE.format(zoom=ctx.config.zoom.url)
