"""What the operator learns of a running bot: why it is not ready, what is amiss, and its metrics."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from bot.core.context import Context
from bot.log.streams import lines_dropped
from bot.mattermost import Socket
from bot.runtime.listener import Listener
from bot.runtime.metrics import Metrics
from bot.runtime.publishing import Publishing, observe_publishing
from bot.runtime.reconciler import Reconciler
from bot.runtime.worker import Worker
from bot.stores.claims import Claims


class Parts(Protocol):
    """The parts of a running bot; see :class:`bot.runtime.app.App`."""

    ctx: Context
    worker: Worker
    out: Publishing
    listener: Listener
    reconciler: Reconciler
    socket: Socket
    claims: Claims


def reasons(parts: Parts) -> dict[str, str]:
    """Why the bot is not ready, by the part that is not; empty if it is."""
    found = {}
    if not parts.socket.state.open_since:
        found["mattermost"] = _without_socket(parts.socket.state.refused)
    if trouble := parts.ctx.store.trouble:
        found["store"] = trouble
    if parts.ctx.oauth.refusal:
        found["zoom"] = parts.ctx.oauth.refusal
    return found


def _without_socket(refused: str) -> str:
    if not refused:
        return "the socket is not open"
    fix = "enable the bot account, or put a new access token into mattermost.token and restart the bot"
    return f"{refused}: {fix}"


def limits(parts: Parts) -> dict[str, str]:
    """What is amiss although the bot is ready, by the part."""
    unread = parts.listener.unread.reason
    found = {
        "mattermost channels": f"cannot be read: {unread}" if unread else "",
        "mattermost history": parts.listener.failure,
        "clock": parts.ctx.clocks.trouble,
        "mattermost direct messages": parts.out.second_tries.trouble,
        **parts.ctx.troubles,
    }
    return {name: reason for name, reason in found.items() if reason}


def place(parts: Parts) -> dict[str, object]:
    """Which replica this is, and which leads; empty if there can be no other."""
    if not parts.claims.shared:
        return {}
    standing = parts.claims.standing()
    return {
        "replica": standing.number,
        "leads": parts.claims.leads,
        "leader": standing.leader,
        "replicas": standing.processes,
    }


def observe(metrics: Metrics, parts: Parts) -> None:
    """Register the metrics that the parts of a running bot keep."""
    worker, listener, tokens = parts.worker, parts.listener, parts.ctx.tokens
    observe_publishing(metrics, parts.ctx, parts.out)
    metrics.gauge("inbox_waiting", "Items that are not handled yet", lambda: worker.waiting)
    metrics.gauge("inbox_oldest_seconds", "How long the oldest of them waits", lambda: worker.oldest_s)
    metrics.counter("log_lines_dropped", "Lines of the log that nobody read", lines_dropped)
    metrics.gauge("store_writable", "1 while writes reach the disk", lambda: parts.ctx.store.writable)
    observe_claims(metrics, parts.claims)
    metrics.gauge("socket_open", "1 while the socket is open", lambda: bool(parts.socket.state.open_since))
    for name, about in _SOCKET.items():
        metrics.counter(f"socket_{name}", about, partial(_socket_count, parts, name))
    metrics.counter("catch_ups", "Times the channels' history was read", lambda: listener.catch_ups)
    metrics.counter("caught_requests", "Requests found in the history", lambda: listener.caught)
    metrics.counter("passed_over", "Old messages that were brought in", lambda: listener.imports.count)
    metrics.gauge("unread_channels", "Channels whose history cannot be read", lambda: len(listener.unread))
    unreadable = parts.ctx.mattermost.unreadable
    metrics.counter("unreadable_posts", "Posts that could not be read", lambda: unreadable.count)
    metrics.counter("reconciled_meetings", "Meetings mended unasked", lambda: parts.reconciler.mended)
    metrics.counter(
        "orphans_removed", "Meetings deleted that nobody knew", lambda: parts.ctx.counts["orphans_removed"]
    )
    metrics.counter("token_refreshes", "New tokens from Zoom", lambda: tokens.refreshes)
    metrics.counter("token_refusals", "Refreshes that Zoom refused", lambda: tokens.refusals)


def observe_claims(metrics: Metrics, claims: Claims) -> None:
    """Register what tells how replicas share out the work."""
    metrics.gauge("leader", "1 if this replica does what is done once for all", lambda: claims.leads)
    metrics.counter(
        "claims_taken_over",
        "Groups of queues taken over from replicas that had died",
        lambda: claims.standing().taken_over,
    )
    metrics.gauge(
        "oldest_unclaimed_seconds",
        "How long the oldest item waits that no replica has claimed",
        lambda: claims.standing().oldest_unclaimed_s,
    )
    metrics.gauge(
        "store_connections", "Connections to the database in use", lambda: claims.standing().connections
    )


def _socket_count(parts: Parts, name: str) -> float:
    return float(getattr(parts.socket.state, name))


_SOCKET = {
    "connects": "Connections opened",
    "resumes": "Connections that went on where the last broke off",
    "deaf": "Connections that had stopped answering",
    "gaps": "Connections on which an event was missing",
    "overflows": "Connections closed because frames came too fast",
}
