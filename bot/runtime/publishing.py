"""Puts together what writes the bot's posts."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.context import Context
from bot.core.registry import Registry
from bot.runtime.answers_first import AnswersFirst
from bot.runtime.edit_turns import EditTurns
from bot.runtime.metrics import Metrics
from bot.runtime.patience import Trials
from bot.runtime.posting import Posting
from bot.runtime.publisher import Publisher
from bot.runtime.second_tries import SecondTries
from bot.runtime.timings import Timings
from bot.runtime.wiring import override_props
from bot.stores.claims import Claims
from bot.stores.notifying import NotifyingStore


@dataclass(frozen=True, slots=True)
class Publishing:
    """The publisher and its parts. ``trials`` is for the worker, too."""

    trials: Trials
    posting: Posting
    publisher: Publisher
    second_tries: SecondTries
    turns: EditTurns


def open_publishing(
    ctx: Context,
    registry: Registry,
    store: NotifyingStore,
    claims: Claims,
    timings: Timings,
    first: AnswersFirst,
) -> Publishing:
    """Build the publisher. From now on it posts what is written to ``store``."""
    trials = Trials(ctx.mattermost, timings.patience)
    posting = Posting(
        ctx.mattermost,
        ctx.bot.id,
        override=override_props(ctx.config),
        now=ctx.now,
        base_s=timings.post_retry_s,
        trials=trials,
        assured=claims.assured,
    )
    turns = EditTurns(first, timings.edits)
    publisher = Publisher(ctx, registry, store, posting, turns, claims=claims)
    second_tries = SecondTries(ctx, store, publisher, period_s=timings.second_try_s)
    return Publishing(trials, posting, publisher, second_tries, turns)


def observe_publishing(metrics: Metrics, ctx: Context, out: Publishing) -> None:
    """Register the metrics of posts and edits."""
    publisher, posting, tries = out.publisher, out.posting, out.second_tries
    metrics.gauge("posts_waiting", "Posts and edits that are not made yet", lambda: publisher.waiting)
    pause = "Pause between two edits of one post"
    metrics.gauge("edit_pause_seconds", pause, lambda: out.turns.pause_s)
    metrics.counter("post_retries", "Posts and edits that were tried again", lambda: posting.retries)
    refused = "Posts and edits that Mattermost refused"
    metrics.counter("posts_refused", refused, lambda: ctx.counts["posts_refused"])
    unreachable = "People to whom no direct message may be sent"
    metrics.gauge("unreachable_people", unreachable, lambda: len(tries.unreachable))
