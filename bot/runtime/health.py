"""What the operator learns of a running bot: why it is not ready, what is amiss, and its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.log.streams import lines_dropped
from bot.runtime.metrics import Metrics
from bot.runtime.posting import Posting

if TYPE_CHECKING:
    from bot.runtime.app import App


def reasons(app: App) -> dict[str, str]:
    """Why the bot is not ready, by the part that is not; empty if it is."""
    found = {}
    if not app.socket.state.open_since:
        found["mattermost"] = "the socket is not open"
    if not app.ctx.store.writable:
        found["store"] = "writes do not reach the disk"
    if app.ctx.oauth.refusal:
        found["zoom"] = app.ctx.oauth.refusal
    return found


def limits(app: App) -> dict[str, str]:
    """What is amiss although the bot is ready, by the part."""
    unread = app.listener.unread.reason
    found = {
        "mattermost channels": f"cannot be read: {unread}" if unread else "",
        "mattermost history": app.listener.failure,
        "clock": app.ctx.clocks.trouble,
    }
    return {name: reason for name, reason in found.items() if reason}


def observe(metrics: Metrics, app: App, posting: Posting) -> None:
    """Register the metrics that the parts of a running bot keep."""
    worker, listener, tokens = app.worker, app.listener, app.ctx.tokens
    metrics.gauge("inbox_waiting", "Items that are not handled yet", lambda: worker.waiting)
    metrics.gauge("inbox_oldest_seconds", "How long the oldest of them waits", lambda: worker.oldest_s)
    metrics.gauge("posts_waiting", "Posts and edits that are not made yet", lambda: app.publisher.waiting)
    metrics.counter("log_lines_dropped", "Lines of the log that nobody read", lines_dropped)
    metrics.gauge("store_writable", "1 while writes reach the disk", lambda: app.ctx.store.writable)
    metrics.gauge("socket_open", "1 while the socket is open", lambda: bool(app.socket.state.open_since))
    for name, about in _SOCKET.items():
        metrics.counter(f"socket_{name}", about, partial(_socket_count, app, name))
    metrics.counter("catch_ups", "Times the channels' history was read", lambda: listener.catch_ups)
    metrics.counter("caught_requests", "Requests found in the history", lambda: listener.caught)
    metrics.counter("passed_over", "Old messages that were brought in", lambda: listener.imports.count)
    metrics.gauge("unread_channels", "Channels whose history cannot be read", lambda: len(listener.unread))
    unreadable = app.ctx.mattermost.unreadable
    metrics.counter("unreadable_posts", "Posts that could not be read", lambda: unreadable.count)
    metrics.counter("post_retries", "Posts and edits that were tried again", lambda: posting.retries)
    metrics.counter("reconciled_meetings", "Meetings mended unasked", lambda: app.reconciler.mended)
    metrics.counter(
        "orphans_removed", "Meetings deleted that nobody knew", lambda: app.ctx.counts["orphans_removed"]
    )
    metrics.counter("token_refreshes", "New tokens from Zoom", lambda: tokens.refreshes)
    metrics.counter("token_refusals", "Refreshes that Zoom refused", lambda: tokens.refusals)
