"""What Zoom's AI companion made of a meeting: a reply under its post, or a message to the host."""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.core.declarations import Changes, webhook
from bot.features.destinations import key_of, meetings_of, places_of, say, unsaid
from bot.zoom.artifacts import read_summary, summary_text
from bot.zoom.webhooks import Webhook


@webhook("meeting.summary_completed")
async def post_summary(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Say it once under every post of the meeting; to the host alone where recordings go there, too."""
    if not ctx.config.meetings.summaries:
        return []
    about = webhook.meeting
    meetings = await meetings_of(ctx, about)
    text = summary_text(meetings[0].topic, read_summary(webhook)) if meetings else ""
    if not text:
        return []
    to_host = ctx.config.meetings.post_recordings == "host-only"
    places = await places_of(ctx, meetings, about, to_host=to_host)
    return [say(ctx, news, text) for news in await unsaid(ctx, key_of("summary", about.uuid), places)]
