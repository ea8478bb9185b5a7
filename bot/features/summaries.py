"""Meeting summaries by Zoom's AI Companion: a reply under the meeting's post, or a message to the host."""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.core.declarations import Changes, webhook
from bot.features.destinations import bind_all, destinations_of, key_of, meetings_of, named, say, unsaid
from bot.messages.cards import topic_of
from bot.messages.summaries import summary_text
from bot.zoom.artifacts import read_summary
from bot.zoom.webhooks import Webhook


@webhook("meeting.summary_completed")
async def post_summary(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Post the summary once under every post of the meeting, or to the host alone if recordings go there."""
    if not ctx.config.meetings.summaries:
        return []
    meetings = await meetings_of(ctx, webhook.meeting)
    if not meetings:
        return []
    webhook = named(webhook, meetings)
    about = webhook.meeting
    summary = read_summary(webhook)
    said = summary_text(
        topic_of(meetings[0]),
        summary.overview,
        summary.details,
        summary.steps,
        content=summary.content,
        document=summary.document,
    )
    if said is None:
        return []
    to_host = ctx.config.meetings.post_recordings == "host-only"
    destinations = await destinations_of(ctx, meetings, about, to_host=to_host)
    followups = await unsaid(ctx, key_of("summary", about.uuid), destinations)
    return [*bind_all(meetings, about), *(say(ctx, each, said) for each in followups)]
